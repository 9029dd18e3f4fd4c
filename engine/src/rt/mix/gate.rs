//! Downward expander with hysteresis: takes out what lies under the programme (room, hum, bleed) in its pauses.
//!
//! It opens when the level rises above the threshold and closes only when it has fallen [`Setting::hysteresis_db`]
//! below and the hold time is over, so that a level on the threshold does not chatter. Closed, the level under the
//! threshold is expanded by the ratio, by at most [`Setting::range_db`]; a high ratio makes it a gate. The gain moves
//! in dB with an attack (opening) and a release (closing), and is the same for both channels.

use super::glide::Ramp;
use super::level::{Detector, amplitude, level_db};
use super::{MAX_CHANNELS, Work, level};

/// Time constant of the detector's mean square in seconds: short against the shortest useful attack.
const DETECTOR_S: f64 = 0.002;

/// Gains closer to 0 dB than this count as open.
const OPEN_DB: f32 = -1e-5;

/// What the gate does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Level above which it opens, in dBFS RMS.
    pub threshold_db: f64,
    /// How far below the threshold the level must fall to close it, in dB, `>= 0`.
    pub hysteresis_db: f64,
    /// Output change over input change below the threshold, `>= 1`.
    pub ratio: f64,
    /// Most attenuation in dB, `>= 0`. At 0 nothing happens.
    pub range_db: f64,
    /// Time constant of opening in ms.
    pub attack_ms: f64,
    /// Time the level may be low before it closes, in ms.
    pub hold_ms: f64,
    /// Time constant of closing in ms.
    pub release_ms: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting {
        threshold_db: -60.0,
        hysteresis_db: 4.0,
        ratio: 2.0,
        range_db: 0.0,
        attack_ms: 2.0,
        hold_ms: 100.0,
        release_ms: 200.0,
    };
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Gate {
    sample_rate: f64,
    tick: usize,
    threshold_db: f32,
    hysteresis_db: f32,
    steepness: f32,
    range_db: Ramp,
    attack_share: f32,
    release_share: f32,
    hold_samples: u32,
    detector: Detector,
    open: bool,
    /// Samples since the level was last high enough.
    low_for: u32,
    gain_db: f32,
}

impl Gate {
    /// A gate that does nothing.
    pub fn new(sample_rate: f32, tick: usize) -> Gate {
        let sample_rate = f64::from(sample_rate);
        let mut gate = Gate {
            sample_rate,
            tick,
            threshold_db: 0.0,
            hysteresis_db: 0.0,
            steepness: 0.0,
            range_db: Ramp::default(),
            attack_share: 0.0,
            release_share: 0.0,
            hold_samples: 0,
            detector: Detector::new(DETECTOR_S, sample_rate),
            open: true,
            low_for: 0,
            gain_db: 0.0,
        };
        gate.jump(Setting::NEUTRAL);
        gate
    }

    /// Takes a setting at once.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end the range is as `setting` says; the rest counts at once, the ballistics smooth it.
    pub fn set(&mut self, setting: Setting) {
        self.threshold_db = setting.threshold_db as f32;
        self.hysteresis_db = setting.hysteresis_db.max(0.0) as f32;
        self.steepness = (setting.ratio - 1.0).max(0.0) as f32;
        self.range_db.next(setting.range_db.max(0.0), self.tick);
        self.attack_share = level::one_pole(setting.attack_ms / 1_000.0, self.sample_rate) as f32;
        self.release_share = level::one_pole(setting.release_ms / 1_000.0, self.sample_rate) as f32;
        self.hold_samples = (setting.hold_ms.clamp(0.0, 10_000.0) / 1_000.0 * self.sample_rate) as u32;
        self.detector.flush();
        if self.gain_db > OPEN_DB {
            self.gain_db = 0.0;
        }
    }

    /// Whether every sample of this tick stays as it is.
    pub fn is_neutral(&self) -> bool {
        self.range_db.is_zero()
    }

    /// Present gain in dB, `<= 0`.
    pub fn gain_db(&self) -> f32 {
        self.gain_db
    }

    /// Expands the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.is_neutral() {
            self.reset();
            return;
        }
        let channels = channels.min(MAX_CHANNELS);
        for i in 0..count {
            for (channel, samples) in work.iter().enumerate().take(channels) {
                self.detector.push(channel, samples[i]);
            }
            let floor = -self.range_db.at(offset + i) as f32;
            let target = self.target_db(level_db(self.detector.loudest())).max(floor);
            let share = if target > self.gain_db { self.attack_share } else { self.release_share };
            self.gain_db += share * (target - self.gain_db);
            // The range itself may shrink faster than the release.
            self.gain_db = self.gain_db.max(floor);
            if self.gain_db < 0.0 {
                let gain = f64::from(amplitude(self.gain_db));
                work.iter_mut().take(channels).for_each(|samples| samples[i] *= gain);
            }
        }
    }

    /// The gain that the level asks for, after hysteresis and hold.
    fn target_db(&mut self, level: f32) -> f32 {
        let closing = self.threshold_db - if self.open { self.hysteresis_db } else { 0.0 };
        if level >= closing {
            self.open = true;
            self.low_for = 0;
        } else {
            self.low_for = self.low_for.saturating_add(1);
            self.open &= self.low_for <= self.hold_samples;
        }
        if self.open { 0.0 } else { self.steepness * (level - self.threshold_db) }
    }

    /// Forgets the sound: open.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.open = true;
        self.low_for = 0;
        self.gain_db = 0.0;
    }
}
