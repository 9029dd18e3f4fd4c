//! What the audio thread tells everybody else: atomics that it writes and never waits on.
//!
//! One [`Telemetry`] belongs to one instance. The audio thread stores, any other thread calls
//! [`Telemetry::snapshot`]. Values may be one frame apart from each other; each by itself is whole, and the mix
//! settings are whole together.

use crate::controls::{Backend, Quantization};
use crate::genre::{GENRES, Genre, Posterior};
use crate::metrics::{Meters, Metrics, Stage};
use crate::profile::Profile;
use crate::rt::tap::Tap;
use crate::rt::watch::Trouble;
use atomic_refcell::AtomicRefCell;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};

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
    /// Every parameter of a profile as it is in force, in its unit, whether or not its section is switched on: what
    /// genre and amount make of the user's own setting ([`Controls::base`](crate::Controls::base)).
    pub values: Profile,
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
    trouble: AtomicU8,
    /// Probability's bits | (class number + 1, 0 = none) << 32
    top_class: AtomicU64,
    sample_rate: AtomicU32,
    /// Borrowed for a copy and no longer. The audio thread only tries: while someone reads, it leaves the settings of
    /// the block before, and the next block brings the new ones.
    mix: AtomicRefCell<MixState>,
    tap: Tap,
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
            trouble: AtomicU8::new(0),
            top_class: AtomicU64::new(0),
            sample_rate: AtomicU32::new(0),
            mix: AtomicRefCell::default(),
            tap: Tap::default(),
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
        if let Ok(mut cell) = self.mix.try_borrow_mut() {
            *cell = mix;
        }
    }

    /// Any thread but the audio thread: the mix settings in force. Waits while the audio thread copies them.
    fn mix(&self) -> MixState {
        loop {
            match self.mix.try_borrow() {
                Ok(cell) => return *cell,
                Err(_) => std::thread::yield_now(),
            }
        }
    }

    /// Any thread, also the audio thread: the mix settings that were set last, unless they are being set.
    pub fn present_mix(&self) -> Option<MixState> {
        self.mix.try_borrow().ok().map(|mix| *mix)
    }

    /// Any thread, also the audio thread: probability of the genre in force, and level of the last frame in dBFS.
    pub fn certainty_and_level(&self) -> (f32, f32) {
        let float = |cell: &AtomicU32| f32::from_bits(cell.load(Relaxed));
        (float(&self.confidence), float(&self.level_dbfs))
    }

    /// The sound before and after the mix, for whoever looks.
    pub fn tap(&self) -> &Tap {
        &self.tap
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

    /// Any thread, the audio thread too: the smoothed probabilities, the genre in force, and what is made of the sound.
    pub fn decision(&self) -> (Posterior, Option<Genre>, Verdict) {
        let state = self.state.load(Relaxed).to_le_bytes();
        (
            Posterior(std::array::from_fn(|i| f32::from_bits(self.posterior[i].load(Relaxed)))),
            usize::from(state[0]).checked_sub(1).and_then(Genre::from_index),
            Verdict::ALL.get(usize::from(state[1])).copied().unwrap_or_default(),
        )
    }

    /// Audio thread: what is wrong with the answers now.
    pub fn set_trouble(&self, trouble: Trouble) {
        self.trouble.store(trouble as u8, Relaxed);
    }

    /// Any thread: what is wrong with the answers now.
    pub fn trouble(&self) -> Trouble {
        Trouble::from_index(self.trouble.load(Relaxed))
    }

    /// Audio thread: the likeliest class of the network that answered last, by number, and its probability.
    pub fn set_top_class(&self, top: Option<(u16, f32)>) {
        let packed = top.map_or(0, |(class, p)| (u64::from(class) + 1) << 32 | u64::from(p.to_bits()));
        self.top_class.store(packed, Relaxed);
    }

    /// Any thread: the likeliest class by number and its probability; `None` while none is known.
    pub fn top_class(&self) -> Option<(u16, f32)> {
        let packed = self.top_class.load(Relaxed);
        let class = u16::try_from((packed >> 32).checked_sub(1)?).ok()?;
        Some((class, f32::from_bits(packed as u32)))
    }

    /// Any thread but the audio thread: what the engine does now.
    pub fn snapshot(&self) -> Snapshot {
        let float = |cell: &AtomicU32| f32::from_bits(cell.load(Relaxed));
        let (posterior, genre, verdict) = self.decision();
        let state = self.state.load(Relaxed).to_le_bytes();
        let cost = self.meters.cost(Stage::Frame);
        Snapshot {
            frames: self.frames.load(Relaxed),
            posterior,
            genre,
            verdict,
            confidence: float(&self.confidence),
            level_dbfs: float(&self.level_dbfs),
            cost_ns: [self.last_cost_ns.load(Relaxed), cost.p50_ns, cost.p99_ns, cost.max_ns],
            backend: Backend::from_index(state[2]).unwrap_or_default(),
            quantization: Quantization::from_index(state[3]).unwrap_or_default(),
            cache: self.meters.cache(),
            cache_entries: self.meters.cache_entries(),
            swaps: self.meters.swaps(),
            sample_rate: float(&self.sample_rate),
            mix: self.mix(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_settings_are_whole_and_the_writer_never_waits() {
        let telemetry = Telemetry::default();
        let of =
            |value: f32| MixState { makeup_db: value, eq_q: [value; 4], calm: value, ..MixState::default() };
        telemetry.set_mix(of(1.0));
        let reading = telemetry.mix.borrow();
        telemetry.set_mix(of(2.0));
        assert_eq!(*reading, of(1.0));
        drop(reading);
        std::thread::scope(|scope| {
            scope.spawn(|| (0..10_000u16).for_each(|i| telemetry.set_mix(of(i.into()))));
            for _ in 0..10_000 {
                let mix = telemetry.snapshot().mix;
                assert_eq!(mix, of(mix.calm));
            }
        });
        telemetry.set_mix(of(3.0));
        assert_eq!(telemetry.snapshot().mix, of(3.0));
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
