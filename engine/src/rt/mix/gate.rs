//! Downward expander with hysteresis: takes out what lies under the programme (room, hum, bleed) in its pauses.
//!
//! It opens when the level rises above the threshold and closes only when it has fallen [`Setting::hysteresis_db`]
//! below and the hold time is over, so that a level on the threshold does not chatter. Closed, the level under the
//! threshold is expanded by the ratio, by at most [`Setting::range_db`]; a high ratio makes it a gate. The gain moves
//! in dB with an attack (opening) and a release (closing), and is the same for both channels.

use super::glide::{MAX_TICK, Ramp};
use super::level::{Detector, amplitude, larger, level_db};
use super::{MAX_CHANNELS, Work, level};

/// Time constant of the detector's mean square in seconds: short against the shortest useful attack.
const DETECTOR_S: f64 = 0.002;

/// Gains closer to 0 dB than this count as open.
const OPEN_DB: f64 = -1e-5;

/// Fastest attack, in seconds, with which the gate goes where a setting that moves sends it: a hand that lowers the
/// threshold should not click, however fast the attack is that it has set for the sound.
const HAND_S: f64 = 0.002;

/// Distance from its goal, in dB, at which the gain has arrived there.
const ARRIVED_DB: f64 = 0.02;

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
    setting: Setting,
    threshold_db: Ramp,
    hysteresis_db: f32,
    steepness: Ramp,
    range_db: Ramp,
    attack_share: f64,
    release_share: f64,
    hand_share: f64,
    hold_samples: u32,
    /// A setting moves, or the gain is still on its way from where that left it.
    by_hand: bool,
    /// The gain's distance from its goal at the last sample, in dB.
    way_db: f64,
    detector: Detector,
    open: bool,
    /// Samples since the level was last high enough.
    low_for: u32,
    /// In double precision, or slow releases at high rates would end before their goal.
    gain_db: f64,
    /// Levels in dB, then gains in dB, of the present part of a tick.
    part: [f32; MAX_TICK],
}

impl Gate {
    /// A gate that does nothing.
    pub fn new(sample_rate: f32, tick: usize) -> Gate {
        let sample_rate = f64::from(sample_rate);
        let mut gate = Gate {
            sample_rate,
            tick,
            // Nothing equals it, so everything is computed when the first setting comes.
            setting: Setting { attack_ms: f64::NAN, release_ms: f64::NAN, ..Setting::NEUTRAL },
            threshold_db: Ramp::default(),
            hysteresis_db: 0.0,
            steepness: Ramp::default(),
            range_db: Ramp::default(),
            attack_share: 0.0,
            release_share: 0.0,
            hand_share: level::one_pole(HAND_S, sample_rate),
            hold_samples: 0,
            by_hand: false,
            way_db: 0.0,
            detector: Detector::new(DETECTOR_S, sample_rate),
            open: true,
            low_for: 0,
            gain_db: 0.0,
            part: [0.0; MAX_TICK],
        };
        gate.jump(Setting::NEUTRAL);
        gate
    }

    /// Takes a setting at once.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end threshold, ratio and range are as `setting` says; times and hysteresis count at once,
    /// they only change when and how fast the gain moves.
    pub fn set(&mut self, setting: Setting) {
        let before = std::mem::replace(&mut self.setting, setting);
        self.threshold_db.next(setting.threshold_db, self.tick);
        self.hysteresis_db = setting.hysteresis_db.max(0.0) as f32;
        self.steepness.next((setting.ratio - 1.0).max(0.0), self.tick);
        self.range_db.next(setting.range_db.max(0.0), self.tick);
        let share = |ms: f64| level::one_pole(ms / 1_000.0, self.sample_rate);
        if setting.attack_ms != before.attack_ms {
            self.attack_share = share(setting.attack_ms);
        }
        if setting.release_ms != before.release_ms {
            self.release_share = share(setting.release_ms);
        }
        self.by_hand = setting != before || self.by_hand && self.way_db.abs() > ARRIVED_DB;
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
        self.gain_db as f32
    }

    /// Expands the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.is_neutral() {
            self.reset();
            return;
        }
        let (channels, count) = (channels.min(MAX_CHANNELS), count.min(MAX_TICK));
        let [left, right] = &*work;
        // A copy stays in registers.
        let mut detector = self.detector;
        for (i, part) in self.part.iter_mut().enumerate().take(count) {
            detector.push_both([left[i], if channels > 1 { right[i] } else { 0.0 }]);
            *part = detector.loudest() as f32;
        }
        self.detector = detector;
        // In loops of their own, because vectors can be made of them.
        self.part[..count].iter_mut().for_each(|part| *part = level_db(*part));
        self.follow(count, offset);
        self.part[..count].iter_mut().for_each(|part| *part = amplitude(*part));
        for samples in work.iter_mut().take(channels) {
            samples.iter_mut().zip(&self.part).take(count).for_each(|(x, gain)| *x *= f64::from(*gain));
        }
    }

    /// From levels to gains in dB, after hysteresis, hold, attack and release.
    fn follow(&mut self, count: usize, offset: usize) {
        let (mut open, mut low_for, mut gain_db) = (self.open, self.low_for, self.gain_db);
        let hand = if self.by_hand { self.hand_share } else { 1.0 };
        let (attack, release) = (self.attack_share.min(hand), self.release_share);
        let mut way = self.way_db;
        let (threshold_db, range_db, steepness) = (self.threshold_db, self.range_db, self.steepness);
        let (hysteresis_db, hold_samples) = (self.hysteresis_db, self.hold_samples);
        for (i, part) in self.part.iter_mut().enumerate().take(count) {
            let (at, level) = (offset + i, *part);
            let (threshold, floor) = (threshold_db.at(at) as f32, -range_db.at(at) as f32);
            let closing = threshold - if open { hysteresis_db } else { 0.0 };
            if level >= closing {
                open = true;
                low_for = 0;
            } else {
                low_for = low_for.saturating_add(1);
                open &= low_for <= hold_samples;
            }
            let target = if open { 0.0 } else { steepness.at(at) as f32 * (level - threshold) };
            way = f64::from(larger(target, floor)) - gain_db;
            gain_db += way * if way > 0.0 { attack } else { release };
            // The range itself may shrink faster than the release.
            gain_db = if gain_db > f64::from(floor) { gain_db } else { f64::from(floor) };
            *part = gain_db as f32;
        }
        (self.open, self.low_for, self.gain_db, self.way_db) = (open, low_for, gain_db, way);
    }

    /// Forgets the sound: open.
    pub fn reset(&mut self) {
        self.detector.reset();
        self.open = true;
        self.low_for = 0;
        (self.gain_db, self.way_db) = (0.0, 0.0);
    }
}
