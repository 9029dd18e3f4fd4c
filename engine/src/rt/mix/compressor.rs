//! Feed-forward compressor with a soft knee.
//!
//! The design is the log-domain one that Giannoulis, Massberg & Reiss recommend ("Digital Dynamic Range Compressor
//! Design", J. AES 60(6), 2012): level detector, gain computer, smooth branching ballistics on the overshoot in dB. The
//! ratio's slope is applied after the ballistics, so that a ratio of 1 is exactly no gain change at any time.
//!
//! Automatic make-up undoes the reduction that the programme's own average level would get: the average stays where it
//! was, what is louder comes down and what is softer comes up. So loudness does not jump when the ratio or the threshold
//! moves, however loud the programme is, and a profile sounds the same on a quiet mix and on a finished master.

use super::eq::{Band, SHELF_Q, Shape};
use super::glide::{MAX_TICK, Ramp};
use super::level::{Detector, amplitude, level_db, one_pole};
use super::{MAX_CHANNELS, Work};

/// Overshoots (in dB) smaller than this are set to 0, long before they become denormal.
const SILENCE: f32 = 1e-20;

/// Time constant of the programme's average level in seconds: longer than a phrase, shorter than a song.
const PROGRAMME_S: f64 = 10.0;

/// Levels below this are pauses and do not count into the average, in dBFS RMS.
const PAUSE_DBFS: f32 = -60.0;

/// Levels this far below the average count only a tenth, in dB: gaps between words and notes should not pull it down,
/// a programme that has become softer for good should.
const GAP_DB: f32 = 20.0;

/// Most that a moment's overshoot counts beyond the average level's, in dB, so that a door slam does not raise what
/// follows.
const MAX_EXCESS_DB: f64 = 3.0;

/// Time constant, in seconds, of the memory that tells steady compression from a short peak.
const STEADY_S: f64 = 0.5;

/// By how much the release lengthens under steady compression when it is fully programme-dependent.
const STEADY_FACTOR: f32 = 4.0;

/// What the compressor does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Threshold in dBFS RMS; a full-scale sine has -3 dBFS.
    pub threshold_db: f64,
    /// 1 - 1/ratio, `0..1`.
    pub slope: f64,
    /// Knee width in dB.
    pub knee_db: f64,
    /// Time constant of the detector's mean square in ms. 5 ms and more follow RMS, a tenth of a ms follows peaks.
    pub detector_ms: f64,
    /// Time constant of rising gain reduction in ms: 63 % of the way, in dB.
    pub attack_ms: f64,
    /// Time constant of falling gain reduction in ms.
    pub release_ms: f64,
    /// How much the release depends on the programme, `0..=1`: at 1 it is as stated after a short peak and up to five
    /// times as long after steady compression, so that peaks recover fast and passages do not pump.
    pub auto_release: f64,
    /// Corner of the high-pass through which it hears, in Hz: neither rumble nor the kick's weight should move
    /// everything, and a change of the low shelf should not look like a change of level.
    pub key_hz: f64,
    /// How much the louder channel rules both, `0..=1`: at 1 the image stays, at 0 each channel is by itself.
    pub link: f64,
    /// Share of the compressed sound beside the untouched, `0..=1` (parallel compression).
    pub mix: f64,
    /// Gain after compression in dB.
    pub makeup_db: f64,
    /// Share of the average's gain reduction that is given back automatically, `0..=1`.
    pub auto_makeup: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting {
        threshold_db: -18.0,
        slope: 0.0,
        knee_db: 6.0,
        detector_ms: 5.0,
        attack_ms: 20.0,
        release_ms: 150.0,
        auto_release: 0.0,
        key_hz: 90.0,
        link: 1.0,
        mix: 1.0,
        makeup_db: 0.0,
        auto_makeup: 1.0,
    };
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Compressor {
    sample_rate: f64,
    tick: usize,
    setting: Setting,
    attack_share: f32,
    /// Share of the release, and that of the slowest programme-dependent one.
    release_share: f32,
    steady_share: f32,
    slope: Ramp,
    mix: Ramp,
    makeup_db: Ramp,
    key_filter: Band,
    detector: Detector,
    /// Smoothed overshoot above the threshold in dB, and its slow average, of each channel.
    over_db: [f32; MAX_CHANNELS],
    steady_db: [f32; MAX_CHANNELS],
    /// Average level of the programme in dBFS, and the ticks it was taken from.
    programme_db: f64,
    programme_ticks: u32,
    /// By how much the programme's overshoot is more than that of its average level, on average, in dB: where the level
    /// fluctuates, an attack faster than the release keeps the gain below what the average asks for.
    excess_db: f64,
    /// The present part of a tick as the detector hears it.
    key: Work,
}

impl Compressor {
    /// A compressor with a ratio of 1.
    pub fn new(sample_rate: f32, tick: usize) -> Compressor {
        let key_filter = Band::new(Shape::HighPass, sample_rate, tick);
        let sample_rate = f64::from(sample_rate);
        let mut compressor = Compressor {
            sample_rate,
            tick,
            setting: Setting::NEUTRAL,
            attack_share: 0.0,
            release_share: 0.0,
            steady_share: one_pole(STEADY_S, sample_rate) as f32,
            slope: Ramp::default(),
            mix: Ramp::default(),
            makeup_db: Ramp::default(),
            key_filter,
            detector: Detector::new(Setting::NEUTRAL.detector_ms / 1_000.0, sample_rate),
            over_db: [0.0; MAX_CHANNELS],
            steady_db: [0.0; MAX_CHANNELS],
            programme_db: 0.0,
            programme_ticks: 0,
            excess_db: 0.0,
            key: [[0.0; MAX_TICK]; MAX_CHANNELS],
        };
        compressor.jump(Setting::NEUTRAL);
        compressor
    }

    /// Takes a setting at once, without a glide.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end slope, mix and make-up are as `setting` says; threshold, knee and times count at
    /// once, the ballistics smooth them. Also flushes states that have died away.
    pub fn set(&mut self, setting: Setting) {
        self.attack_share = one_pole(setting.attack_ms / 1_000.0, self.sample_rate) as f32;
        self.release_share = one_pole(setting.release_ms / 1_000.0, self.sample_rate) as f32;
        self.detector.set_window(setting.detector_ms / 1_000.0, self.sample_rate);
        self.key_filter.set([setting.key_hz, 1.0, SHELF_Q]);
        self.slope.next(setting.slope, self.tick);
        self.mix.next(setting.mix, self.tick);
        self.follow_programme();
        self.setting = setting;
        let auto =
            if self.programme_ticks > 0 { setting.auto_makeup * self.programme_reduction() } else { 0.0 };
        self.makeup_db.next(setting.makeup_db + auto, self.tick);
        self.detector.flush();
        for db in self.over_db.iter_mut().chain(&mut self.steady_db) {
            if *db < SILENCE {
                *db = 0.0;
            }
        }
    }

    /// Averages the level in dB, in which a door slam counts no more than its time; plainly while that is young.
    fn follow_programme(&mut self) {
        let level = level_db(self.detector.loudest());
        if level < PAUSE_DBFS {
            return;
        }
        let steady = one_pole(PROGRAMME_S, self.sample_rate / self.tick as f64);
        let gap = f64::from(level) < self.programme_db - f64::from(GAP_DB);
        let share = steady * if gap { 0.1 } else { 1.0 };
        let share = share.max(1.0 / f64::from(self.programme_ticks + 1));
        self.programme_db += share * (f64::from(level) - self.programme_db);
        self.programme_ticks = (self.programme_ticks + 1).min(1_000_000);
        if self.is_neutral() {
            self.excess_db = 0.0;
            return;
        }
        let [a, b] = self.over_db;
        let excess = f64::from(a.max(b)) - self.programme_overshoot();
        self.excess_db += share * (excess.clamp(-MAX_EXCESS_DB, MAX_EXCESS_DB) - self.excess_db);
    }

    /// The overshoot of the programme's average level in dB.
    fn programme_overshoot(&self) -> f64 {
        let Setting { threshold_db, knee_db, .. } = self.setting;
        overshoot((self.programme_db - threshold_db) as f32, knee_db as f32).into()
    }

    /// By how much the programme's average level would be reduced, in dB, `>= 0`, the untouched share included.
    fn programme_reduction(&self) -> f64 {
        let Setting { slope, mix, .. } = self.setting;
        let over = (self.programme_overshoot() + self.excess_db).max(0.0);
        let compressed = 10f64.powf(-slope * over / 20.0);
        -20.0 * (1.0 + mix * (compressed - 1.0)).log10()
    }

    /// Whether the gain is 0 dB at every sample of this tick.
    pub fn is_neutral(&self) -> bool {
        self.makeup_db.is_zero() && (self.slope.is_zero() || self.mix.is_zero())
    }

    /// Compresses the first `count` samples, which are those from `offset` on of the present tick, listening to
    /// `side_chain` if there is one and else to the sound itself. It listens even while it is neutral.
    pub fn process(
        &mut self,
        work: &mut Work,
        side_chain: Option<&Work>,
        channels: usize,
        count: usize,
        offset: usize,
    ) {
        let channels = channels.clamp(1, MAX_CHANNELS);
        let heard = side_chain.unwrap_or(work);
        for (key, heard) in self.key.iter_mut().zip(heard).take(channels) {
            key[..count].copy_from_slice(&heard[..count]);
        }
        self.key_filter.process(&mut self.key, channels, count, offset);
        if self.is_neutral() {
            // The programme's level is followed all the same.
            for (channel, samples) in self.key.iter().enumerate().take(channels) {
                samples.iter().take(count).for_each(|x| self.detector.push(channel, *x));
            }
            (self.over_db, self.steady_db) = ([0.0; MAX_CHANNELS], [0.0; MAX_CHANNELS]);
            return;
        }
        for i in 0..count {
            let heard = self.key.each_ref().map(|samples| samples[i]);
            let gains = self.gain_at(offset + i, heard, channels);
            work.iter_mut().zip(gains).take(channels).for_each(|(samples, gain)| samples[i] *= gain);
        }
    }

    /// Hears one sample of each channel, past the side-chain's filter, and returns each channel's gain (an amplitude)
    /// at sample `at` of the tick.
    #[inline(always)]
    pub fn gain_at(&mut self, at: usize, heard: [f64; MAX_CHANNELS], channels: usize) -> [f64; MAX_CHANNELS] {
        for (channel, x) in heard.into_iter().enumerate().take(channels) {
            self.detector.push(channel, x);
        }
        let loudest = self.over(self.detector.loudest());
        let link = if channels > 1 { self.setting.link as f32 } else { 1.0 };
        if link == 1.0 {
            let over = self.smooth(0, loudest);
            (self.over_db[1], self.steady_db[1]) = (over, self.steady_db[0]);
            return [self.amplitude(over, at); MAX_CHANNELS];
        }
        std::array::from_fn(|channel| {
            let own = self.over(self.detector.channel(channel));
            let over = self.smooth(channel, own + link * (loudest - own));
            self.amplitude(over, at)
        })
    }

    /// The overshoot in dB that a mean square asks for.
    #[inline(always)]
    fn over(&self, mean_square: f64) -> f32 {
        overshoot(level_db(mean_square) - self.setting.threshold_db as f32, self.setting.knee_db as f32)
    }

    /// A channel's overshoot after attack and release, in dB.
    #[inline(always)]
    fn smooth(&mut self, channel: usize, over: f32) -> f32 {
        let auto_release = self.setting.auto_release as f32;
        let (state, steady) = (&mut self.over_db[channel], &mut self.steady_db[channel]);
        let mut share = if over > *state { self.attack_share } else { self.release_share };
        // The plain release does not need the divisions.
        if auto_release > 0.0 {
            *steady += self.steady_share * (over - *steady);
            if over <= *state {
                let steadiness = (*steady / state.max(1e-3)).clamp(0.0, 1.0);
                share /= 1.0 + STEADY_FACTOR * auto_release * steadiness;
            }
        }
        *state += share * (over - *state);
        *state
    }

    /// The gain at a sample of the tick for a smoothed overshoot.
    #[inline(always)]
    fn amplitude(&self, over: f32, at: usize) -> f64 {
        let reduction = self.slope.at(at) as f32 * over;
        let makeup = self.makeup_db.at(at) as f32;
        let mix = self.mix.at(at) as f32;
        f64::from(if mix == 1.0 {
            amplitude(makeup - reduction)
        } else {
            (1.0 + mix * (amplitude(-reduction) - 1.0)) * amplitude(makeup)
        })
    }

    /// The present gain reduction of the more reduced channel in dB, `<= 0`.
    pub fn reduction_db(&self) -> f32 {
        let [a, b] = self.over_db;
        -(self.slope.end() as f32) * a.max(b)
    }

    /// Gain after compression in dB at the end of the present tick, the automatic part included.
    pub fn makeup_db(&self) -> f32 {
        self.makeup_db.end() as f32
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.programme_ticks = 0;
        self.excess_db = 0.0;
        self.detector.reset();
        self.key_filter.reset();
        self.over_db = [0.0; MAX_CHANNELS];
        self.steady_db = [0.0; MAX_CHANNELS];
    }
}

/// How far the curve bends away from the straight line, for a level `x` dB above the threshold, before the slope is
/// applied: 0 below the knee, `x` above it, a parabola between. Eq. 4 of the paper.
pub fn overshoot(x: f32, knee: f32) -> f32 {
    if 2.0 * x <= -knee {
        0.0
    } else if 2.0 * x >= knee {
        x
    } else {
        (x + 0.5 * knee) * (x + 0.5 * knee) / (2.0 * knee)
    }
}
