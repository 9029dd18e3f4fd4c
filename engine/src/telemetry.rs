//! What the audio thread tells everybody else: plain atomics that it writes and never waits on.
//!
//! One [`Telemetry`] belongs to one instance. The audio thread stores, any other thread calls
//! [`Telemetry::snapshot`]. Values may be one frame apart from each other; each by itself is whole.

use crate::controls::{Backend, Quantization};
use crate::genre::{GENRES, Genre, Posterior};
use crate::metrics::{Meters, Metrics, Stage};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// What the decision stage makes of what it hears.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Verdict {
    /// Too little heard since the start to say anything.
    #[default]
    Listening = 0,
    /// A genre is recognised.
    Recognised = 1,
    /// Sound, but no genre is likely enough. The last genre is held.
    Uncertain = 2,
    /// Silence: the last genre is held.
    Silent = 3,
    /// The user froze the last genre.
    Frozen = 4,
    /// The user set the genre by hand.
    Manual = 5,
}

impl Verdict {
    /// Every verdict, by number.
    pub const ALL: [Verdict; 6] = [
        Verdict::Listening,
        Verdict::Recognised,
        Verdict::Uncertain,
        Verdict::Silent,
        Verdict::Frozen,
        Verdict::Manual,
    ];

    /// Word to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Verdict::Listening => "listening",
            Verdict::Recognised => "recognised",
            Verdict::Uncertain => "uncertain",
            Verdict::Silent => "silent",
            Verdict::Frozen => "frozen",
            Verdict::Manual => "manual",
        }
    }
}

/// The mix settings in force, for meters and for the window. Values are modulated ones: what the user, the genre and
/// the glides make of the profile.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MixState {
    /// Corner of the low cut in Hz.
    pub low_cut_hz: f32,
    /// Share of the low cut's effect, `0..=1`.
    pub low_cut: f32,
    /// Gain of the low shelf, mid bell, presence bell and high shelf in dB.
    pub eq_db: [f32; 4],
    /// Corner or centre of the four bands in Hz.
    pub eq_hz: [f32; 4],
    /// Q of the four bands.
    pub eq_q: [f32; 4],
    /// Present gain of the gate in dB, `<= 0`.
    pub gate_db: f32,
    /// Compressor threshold in dBFS.
    pub threshold_db: f32,
    /// Compressor ratio, `>= 1`.
    pub ratio: f32,
    /// Compressor attack in ms.
    pub attack_ms: f32,
    /// Compressor release in ms.
    pub release_ms: f32,
    /// Make-up gain in dB.
    pub makeup_db: f32,
    /// Present gain reduction in dB, `<= 0`.
    pub reduction_db: f32,
    /// Share of the saturation's difference that is added, `0..=1`.
    pub drive: f32,
    /// Gain of the side signal, an amplitude; 1 is the image as it is.
    pub width: f32,
    /// Present gain of the loudness follower in dB.
    pub loudness_db: f32,
    /// Momentary and short-term loudness of what reaches the loudness follower, in LUFS.
    pub lufs: [f32; 2],
    /// Present gain of the limiter in dB, `<= 0`.
    pub limiter_db: f32,
    /// How far learning has come, `0..=1`; 0 when it is off.
    pub learnt: f32,
    /// By what factor the mix moves slower than set, because the genre keeps changing, `>= 1`.
    pub calm: f32,
}

const MIX_VALUES: usize = 29;

impl MixState {
    fn to_array(self) -> [f32; MIX_VALUES] {
        let ([a, b, c, d], [e, f, g, h], [i, j, k, l]) = (self.eq_db, self.eq_hz, self.eq_q);
        let [momentary, short_term] = self.lufs;
        [
            self.low_cut_hz,
            self.low_cut,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            h,
            i,
            j,
            k,
            l,
            self.gate_db,
            self.threshold_db,
            self.ratio,
            self.attack_ms,
            self.release_ms,
            self.makeup_db,
            self.reduction_db,
            self.drive,
            self.width,
            self.loudness_db,
            momentary,
            short_term,
            self.limiter_db,
            self.learnt,
            self.calm,
        ]
    }

    fn from_array(v: [f32; MIX_VALUES]) -> Self {
        Self {
            low_cut_hz: v[0],
            low_cut: v[1],
            eq_db: [v[2], v[3], v[4], v[5]],
            eq_hz: [v[6], v[7], v[8], v[9]],
            eq_q: [v[10], v[11], v[12], v[13]],
            gate_db: v[14],
            threshold_db: v[15],
            ratio: v[16],
            attack_ms: v[17],
            release_ms: v[18],
            makeup_db: v[19],
            reduction_db: v[20],
            drive: v[21],
            width: v[22],
            loudness_db: v[23],
            lufs: [v[24], v[25]],
            limiter_db: v[26],
            learnt: v[27],
            calm: v[28],
        }
    }
}

/// Everything the window, the demo and the tests can see of a running engine.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Frames analysed since the engine started.
    pub frames: u64,
    /// Smoothed probability of each genre.
    pub posterior: Posterior,
    /// The genre in force, `None` before the first.
    pub genre: Option<Genre>,
    /// What the decision stage makes of the present sound.
    pub verdict: Verdict,
    /// Smoothed probability of the genre in force, `0..=1`.
    pub confidence: f32,
    /// Level of the last frame in dBFS (RMS of the mono mix).
    pub level_dbfs: f32,
    /// Cost of analysing a frame in nanoseconds: last, median, 99th percentile, maximum.
    pub cost_ns: [u64; 4],
    /// The backend that gave the last answer; never `Auto` once frames flow.
    pub backend: Backend,
    /// The arithmetic that gave the last answer; never `Auto` once frames flow.
    pub quantization: Quantization,
    /// Half seconds that the cache of the worker backend answered, and that it did not.
    pub cache: [u64; 2],
    /// Answers that this cache holds.
    pub cache_entries: u64,
    /// Number of backend or model swaps since the start.
    pub swaps: u64,
    /// Host sample rate in Hz.
    pub sample_rate: f32,
    /// The mix settings in force.
    pub mix: MixState,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Telemetry {
    frames: AtomicU64,
    posterior: [AtomicU32; GENRES],
    /// genre index + 1, 0 = none | verdict << 8 | backend << 16 | quantization << 24
    state: AtomicU32,
    confidence: AtomicU32,
    level_dbfs: AtomicU32,
    last_cost_ns: AtomicU64,
    meters: Meters,
    sample_rate: AtomicU32,
    mix: [AtomicU32; MIX_VALUES],
}

impl Default for Telemetry {
    fn default() -> Self {
        let posterior = Posterior::UNIFORM.0.map(|p| AtomicU32::new(p.to_bits()));
        Self {
            frames: AtomicU64::new(0),
            posterior,
            state: AtomicU32::new(0),
            confidence: AtomicU32::new(0),
            level_dbfs: AtomicU32::new((-120.0f32).to_bits()),
            last_cost_ns: AtomicU64::new(0),
            meters: Meters::default(),
            sample_rate: AtomicU32::new(0),
            mix: std::array::from_fn(|_| AtomicU32::new(0)),
        }
    }
}

impl Telemetry {
    /// Audio thread: the host's sample rate.
    pub fn set_sample_rate(&self, hz: f32) {
        self.sample_rate.store(hz.to_bits(), Relaxed);
    }

    /// Audio thread: one more frame was analysed, at this cost.
    pub fn count_frame(&self, cost_ns: u64) {
        self.meters.time(Stage::Frame, cost_ns);
        self.last_cost_ns.store(cost_ns, Relaxed);
        self.frames.fetch_add(1, Relaxed);
    }

    /// Audio thread: the decision after a frame.
    #[allow(clippy::too_many_arguments)]
    pub fn set_decision(
        &self,
        posterior: &Posterior,
        genre: Option<Genre>,
        verdict: Verdict,
        confidence: f32,
        level_dbfs: f32,
        backend: Backend,
        quantization: Quantization,
    ) {
        for (cell, p) in self.posterior.iter().zip(posterior.0) {
            cell.store(p.to_bits(), Relaxed);
        }
        let state = genre.map_or(0, |g| g as u32 + 1)
            | (verdict as u32) << 8
            | (backend as u32) << 16
            | (quantization as u32) << 24;
        self.state.store(state, Relaxed);
        self.confidence.store(confidence.to_bits(), Relaxed);
        self.level_dbfs.store(level_dbfs.to_bits(), Relaxed);
    }

    /// Audio thread: the mix settings in force.
    pub fn set_mix(&self, mix: MixState) {
        for (cell, value) in self.mix.iter().zip(mix.to_array()) {
            cell.store(value.to_bits(), Relaxed);
        }
    }

    /// What is counted, see [`Meters`].
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Any thread: what the engine cost and how well it did so far.
    pub fn metrics(&self) -> Metrics {
        let Snapshot { frames, sample_rate, backend, quantization, .. } = self.snapshot();
        Metrics { frames, sample_rate, backend, quantization, ..Metrics::default() }.with(&self.meters)
    }

    /// Any thread: what the engine does now.
    pub fn snapshot(&self) -> Snapshot {
        let float = |cell: &AtomicU32| f32::from_bits(cell.load(Relaxed));
        let state = self.state.load(Relaxed).to_le_bytes();
        let cost = self.meters.cost(Stage::Frame);
        Snapshot {
            frames: self.frames.load(Relaxed),
            posterior: Posterior(std::array::from_fn(|i| float(&self.posterior[i]))),
            genre: usize::from(state[0]).checked_sub(1).and_then(Genre::from_index),
            verdict: Verdict::ALL.get(usize::from(state[1])).copied().unwrap_or_default(),
            confidence: float(&self.confidence),
            level_dbfs: float(&self.level_dbfs),
            cost_ns: [self.last_cost_ns.load(Relaxed), cost.p50_ns, cost.p99_ns, cost.max_ns],
            backend: Backend::from_index(state[2]).unwrap_or_default(),
            quantization: Quantization::from_index(state[3]).unwrap_or_default(),
            cache: self.meters.cache(),
            cache_entries: self.meters.cache_entries(),
            swaps: self.meters.swaps(),
            sample_rate: float(&self.sample_rate),
            mix: MixState::from_array(std::array::from_fn(|i| float(&self.mix[i]))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_state_survives_the_way_through_the_cells() {
        let values: [f32; MIX_VALUES] = std::array::from_fn(|i| i as f32 + 0.5);
        assert_eq!(MixState::from_array(values).to_array(), values);
        let t = Telemetry::default();
        t.set_mix(MixState::from_array(values));
        assert_eq!(t.snapshot().mix.to_array(), values);
    }

    #[test]
    fn a_snapshot_holds_what_was_stored() {
        let t = Telemetry::default();
        assert_eq!(t.snapshot().genre, None);
        for _ in 0..99 {
            t.count_frame(1_000);
        }
        t.count_frame(1_000_000);
        let p = Posterior::certain(Genre::Jazz);
        t.set_decision(
            &p,
            Some(Genre::Jazz),
            Verdict::Uncertain,
            0.5,
            -20.0,
            Backend::Onnx,
            Quantization::Int8,
        );
        let s = t.snapshot();
        assert_eq!(
            (s.frames, s.posterior, s.genre, s.verdict),
            (100, p, Some(Genre::Jazz), Verdict::Uncertain)
        );
        assert_eq!((s.backend, s.quantization), (Backend::Onnx, Quantization::Int8));
        assert_eq!(s.cost_ns[3], 1_000_000);
        assert!((1_000..1_300).contains(&s.cost_ns[1]), "{:?}", s.cost_ns);
        assert!((1_000..1_300).contains(&s.cost_ns[2]), "{:?}", s.cost_ns);
    }
}
