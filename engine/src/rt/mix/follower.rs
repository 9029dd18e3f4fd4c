//! Loudness follower: a slow, bounded gain that brings the programme to a target loudness.
//!
//! It measures what comes in with [`loudness`](super::loudness) and averages the 400 ms blocks over some seconds of
//! *sound*: silence does not count, and what lies far below the average (pauses, room) hardly does, as in the gated
//! programme loudness of BS.1770. The gain then goes towards target less average, never faster than
//! [`MAX_DB_PER_S`] and never further than the range.

use super::Work;
use super::glide::{MAX_TICK, Ramp};
use super::level::amplitude;
use super::loudness::{GATE_LUFS, Meter, STEP_S, lufs};

/// Time constant of the programme's average in seconds: longer than a sentence, shorter than a song.
const PROGRAMME_S: f64 = 8.0;

/// Blocks this far below the average count only a tenth, in LU (the standard's relative gate leaves them out; here a
/// programme that has become softer for good must be found again).
const RELATIVE_GATE_LU: f64 = 10.0;

/// Time constant of the gain in seconds, and the fastest it may move in dB per second.
const GAIN_S: f64 = 1.5;
/// See `GAIN_S`.
pub const MAX_DB_PER_S: f64 = 2.0;

/// What the follower does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Loudness to go to, in LUFS.
    pub target_lufs: f64,
    /// Largest gain and largest attenuation in dB, `>= 0`. At 0 nothing happens.
    pub range_db: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting { target_lufs: -18.0, range_db: 0.0 };
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Follower {
    tick: usize,
    tick_s: f64,
    setting: Setting,
    meter: Meter,
    /// Average weighted mean square of the programme, and how many steps it was taken from.
    programme: f64,
    programme_steps: u32,
    gain_db: f64,
    ramp: Ramp,
    /// Gains of the present part of a tick.
    gains: [f32; MAX_TICK],
}

impl Follower {
    /// A follower that does nothing.
    pub fn new(sample_rate: f32, tick: usize) -> Follower {
        Follower {
            tick,
            tick_s: tick as f64 / f64::from(sample_rate),
            setting: Setting::NEUTRAL,
            meter: Meter::new(sample_rate),
            programme: 0.0,
            programme_steps: 0,
            gain_db: 0.0,
            ramp: Ramp::default(),
            gains: [1.0; MAX_TICK],
        }
    }

    /// Takes a setting at once; the gain starts at 0 dB.
    pub fn jump(&mut self, setting: Setting) {
        self.setting = setting;
        self.gain_db = 0.0;
        self.ramp = Ramp::default();
    }

    /// Starts a tick, and moves the gain on.
    pub fn set(&mut self, setting: Setting) {
        self.setting = setting;
        let range = setting.range_db.max(0.0);
        let wanted = if self.programme_steps > 0 { setting.target_lufs - lufs(self.programme) } else { 0.0 };
        let way = wanted.clamp(-range, range) - self.gain_db;
        let most = MAX_DB_PER_S * self.tick_s;
        self.gain_db += (way * self.tick_s / GAIN_S).clamp(-most, most);
        if self.gain_db.abs() < 1e-6 && range == 0.0 {
            self.gain_db = 0.0;
        }
        // The range is a bound at any time; it glides, so this makes no step.
        self.gain_db = self.gain_db.clamp(-range, range);
        self.ramp.next(self.gain_db, self.tick);
    }

    /// Whether every sample of this tick stays as it is.
    pub fn is_neutral(&self) -> bool {
        self.ramp.is_zero()
    }

    /// Present gain in dB.
    pub fn gain_db(&self) -> f32 {
        self.gain_db as f32
    }

    /// Loudness of what comes in.
    pub fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Measures and scales the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.meter.push(work, channels, count) {
            self.follow();
        }
        if self.is_neutral() {
            return;
        }
        if self.ramp.is_still() {
            let gain = f64::from(amplitude(self.ramp.end() as f32));
            for samples in work.iter_mut().take(channels) {
                samples.iter_mut().take(count).for_each(|x| *x *= gain);
            }
            return;
        }
        // In a loop of its own, because vectors can be made of it.
        let ramp = self.ramp;
        for (i, gain) in self.gains.iter_mut().enumerate().take(count) {
            *gain = amplitude(ramp.at(offset + i) as f32);
        }
        for samples in work.iter_mut().take(channels) {
            samples.iter_mut().zip(&self.gains).take(count).for_each(|(x, gain)| *x *= f64::from(*gain));
        }
    }

    /// After each step: averages the last block into the programme, plainly while that is young.
    fn follow(&mut self) {
        let Some(power) = self.meter.momentary_power() else { return };
        let loudness = lufs(power);
        if loudness < GATE_LUFS {
            return;
        }
        let soft = loudness < lufs(self.programme) - RELATIVE_GATE_LU && self.programme_steps > 0;
        let steady = 1.0 - (-STEP_S / PROGRAMME_S).exp();
        let share = (steady * if soft { 0.1 } else { 1.0 }).max(1.0 / f64::from(self.programme_steps + 1));
        self.programme += share * (power - self.programme);
        self.programme_steps = (self.programme_steps + 1).min(1_000_000);
    }

    /// Forgets the sound; the gain is 0 dB again.
    pub fn reset(&mut self) {
        self.meter.reset();
        (self.programme, self.programme_steps) = (0.0, 0);
        self.jump(self.setting);
    }
}
