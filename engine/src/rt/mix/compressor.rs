//! Stereo-linked feed-forward compressor with a soft knee.
//!
//! The design is the log-domain one that Giannoulis, Massberg & Reiss recommend ("Digital Dynamic Range Compressor
//! Design", J. AES 60(6), 2012): RMS detector, gain computer, smooth branching ballistics on the overshoot in dB. The
//! ratio's slope is applied after the ballistics, so that a ratio of 1 is exactly no gain change at any time.
//!
//! Automatic make-up undoes the reduction that the programme's own average level would get: the average stays where it
//! was, what is louder comes down and what is softer comes up. So loudness does not jump when the ratio or the threshold
//! moves, however loud the programme is, and a profile sounds the same on a quiet mix and on a finished master.

use super::MAX_CHANNELS;
use super::glide::Ramp;

/// Time constant of the detector's mean square in seconds: long enough to follow the level of a bass note rather than
/// its waveform, short against the attacks that profiles ask for.
pub const DETECTOR_S: f64 = 0.005;

/// Level beyond which the detector does not count, as a mean square (+40 dBFS), so that a burst of garbage does not
/// hold the gain down for minutes.
const MAX_MEAN_SQUARE: f64 = 1e4;

/// Mean squares (-200 dBFS) and overshoots (in dB) smaller than this are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-20;

/// Time constant of the programme's average level in seconds: longer than a phrase, shorter than a song.
const PROGRAMME_S: f64 = 10.0;

/// Levels below this are pauses and do not count into the average, in dBFS RMS.
const PAUSE_DBFS: f32 = -60.0;

/// Levels this far below the average count only a tenth, in dB: gaps between words and notes should not pull it down,
/// a programme that has become softer for good should.
const GAP_DB: f32 = 20.0;

/// 10 log10(x) = this times log2(x).
const DB_PER_OCTAVE_OF_POWER: f32 = 3.010_3;

/// What the compressor does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Threshold in dBFS RMS; a full-scale sine has -3 dBFS.
    pub threshold_db: f64,
    /// 1 - 1/ratio, `0..1`.
    pub slope: f64,
    /// Knee width in dB.
    pub knee_db: f64,
    /// Time constant of rising gain reduction in ms: 63 % of the way, in dB.
    pub attack_ms: f64,
    /// Time constant of falling gain reduction in ms.
    pub release_ms: f64,
    /// Gain after compression in dB.
    pub makeup_db: f64,
    /// Share of the average's gain reduction that is given back automatically, `0..=1`.
    pub auto_makeup: f64,
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Compressor {
    sample_rate: f64,
    tick: usize,
    setting: Setting,
    detector_share: f64,
    attack_share: f32,
    release_share: f32,
    slope: Ramp,
    makeup_db: Ramp,
    mean_square: [f64; MAX_CHANNELS],
    /// Smoothed overshoot above the threshold in dB.
    over_db: f32,
    /// Average level of the programme in dBFS, and the ticks it was taken from.
    programme_db: f64,
    programme_ticks: u32,
}

impl Compressor {
    /// A compressor with a ratio of 1.
    pub fn new(sample_rate: f32, tick: usize) -> Compressor {
        let setting = Setting {
            threshold_db: 0.0,
            slope: 0.0,
            knee_db: 0.0,
            attack_ms: 20.0,
            release_ms: 150.0,
            makeup_db: 0.0,
            auto_makeup: 0.0,
        };
        let sample_rate = f64::from(sample_rate);
        let mut compressor = Compressor {
            sample_rate,
            tick,
            setting,
            detector_share: one_pole(DETECTOR_S, sample_rate),
            attack_share: 0.0,
            release_share: 0.0,
            slope: Ramp::default(),
            makeup_db: Ramp::default(),
            mean_square: [0.0; MAX_CHANNELS],
            over_db: 0.0,
            programme_db: 0.0,
            programme_ticks: 0,
        };
        compressor.jump(setting);
        compressor
    }

    /// Takes a setting at once, without a glide.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end slope and make-up are as `setting` says; threshold, knee and times count at once,
    /// the ballistics smooth them. Also flushes states that have died away.
    pub fn set(&mut self, setting: Setting) {
        self.attack_share = one_pole(setting.attack_ms / 1_000.0, self.sample_rate) as f32;
        self.release_share = one_pole(setting.release_ms / 1_000.0, self.sample_rate) as f32;
        self.slope.next(setting.slope, self.tick);
        self.follow_programme();
        let average = overshoot((self.programme_db - setting.threshold_db) as f32, setting.knee_db as f32);
        let auto = if self.programme_ticks > 0 { setting.auto_makeup * f64::from(average) } else { 0.0 };
        self.makeup_db.next(setting.makeup_db + setting.slope * auto, self.tick);
        self.setting = setting;
        for mean_square in &mut self.mean_square {
            if *mean_square < SILENCE {
                *mean_square = 0.0;
            }
        }
        if f64::from(self.over_db) < SILENCE {
            self.over_db = 0.0;
        }
    }

    /// Averages the level in dB, in which a door slam counts no more than its time; plainly while that is young.
    fn follow_programme(&mut self) {
        let level = self.level_db();
        if level < PAUSE_DBFS {
            return;
        }
        let steady = one_pole(PROGRAMME_S, self.sample_rate / self.tick as f64);
        let gap = f64::from(level) < self.programme_db - f64::from(GAP_DB);
        let share = steady * if gap { 0.1 } else { 1.0 };
        let share = share.max(1.0 / f64::from(self.programme_ticks + 1));
        self.programme_db += share * (f64::from(level) - self.programme_db);
        self.programme_ticks = (self.programme_ticks + 1).min(1_000_000);
    }

    /// Present level of the louder channel in dBFS RMS, -200 for silence.
    fn level_db(&self) -> f32 {
        let [a, b] = self.mean_square;
        DB_PER_OCTAVE_OF_POWER * (a.max(b) as f32 + 1e-20).log2()
    }

    /// Whether the gain is 0 dB at every sample of this tick.
    pub fn is_neutral(&self) -> bool {
        self.slope.is_zero() && self.makeup_db.is_zero()
    }

    /// Listens to samples `offset..offset + gain_db.len()` of the present tick, one slice a channel, and **adds** the
    /// gain in dB to `gain_db`. The louder channel counts, and both get the same gain, so the image stays.
    pub fn gain(&mut self, channels: [&[f64]; MAX_CHANNELS], gain_db: &mut [f32], offset: usize) {
        let (threshold, knee) = (self.setting.threshold_db as f32, self.setting.knee_db as f32);
        for (i, gain_db) in gain_db.iter_mut().enumerate() {
            for (channel, mean_square) in channels.iter().zip(&mut self.mean_square) {
                let Some(x) = channel.get(i) else { continue };
                *mean_square += self.detector_share * ((x * x).min(MAX_MEAN_SQUARE) - *mean_square);
            }
            let over = overshoot(self.level_db() - threshold, knee);
            let share = if over > self.over_db { self.attack_share } else { self.release_share };
            self.over_db += share * (over - self.over_db);
            let at = offset + i;
            *gain_db += self.makeup_db.at(at) as f32 - self.slope.at(at) as f32 * self.over_db;
        }
    }

    /// The present gain reduction in dB, `<= 0`.
    pub fn reduction_db(&self) -> f32 {
        -(self.slope.end() as f32) * self.over_db
    }

    /// Gain after compression in dB at the end of the present tick, the automatic part included.
    pub fn makeup_db(&self) -> f32 {
        self.makeup_db.end() as f32
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.programme_ticks = 0;
        self.mean_square = [0.0; MAX_CHANNELS];
        self.over_db = 0.0;
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

/// The share of the remaining way that a one-pole low-pass goes in one sample.
fn one_pole(seconds: f64, sample_rate: f64) -> f64 {
    1.0 - (-1.0 / (seconds.max(1e-5) * sample_rate)).exp()
}
