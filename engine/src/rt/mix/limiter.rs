//! True-peak limiter, with a look-ahead or without any latency.
//!
//! **Look-ahead**: the peak between the samples is read ([`true_peak`](super::true_peak)), the gain it asks for is
//! held for the look-ahead, released, and smoothed by two moving averages as long as the look-ahead together, so that
//! the gain is already there when the peak comes out, and got there without a corner. The sound is delayed by
//! [`Limiter::latency`] samples, always.
//!
//! **Without latency**: the gain follows each sample's own magnitude at once and holds the *sample* peak at the
//! ceiling. Between the samples it can only learn from what has passed; use it for tracking, and the look-ahead for
//! masters.
//!
//! Gains are whole numbers (units of 2^-32), so that the moving averages are exact and a gain of 1 is exactly 1.

use super::glide::Ramp;
use super::level::one_pole;
use super::true_peak::{DELAY, MAX_OVERSHOOT, TruePeak};
use super::{MAX_CHANNELS, Work};

/// Latency with look-ahead, in seconds, at every sample rate. What reading true peaks leaves of it is the look-ahead:
/// 1.7 ms at 48 kHz, half a period of 290 Hz. Shorter distorts bass, longer delays for little.
pub const LATENCY_S: f64 = 0.002;

/// Longest look-ahead in samples, at 384 kHz.
const MAX_LOOK_AHEAD: usize = 768;

/// A gain of 1.
const UNITY: i64 = 1 << 32;

/// By how much the gain lies below what the peaks ask for, in dB: reading and moving gain leave that much undecided.
const MARGIN_DB: f64 = 0.05;

/// What the limiter does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Highest true peak in dBTP.
    pub ceiling_db: f64,
    /// Time constant of the gain's return in ms.
    pub release_ms: f64,
    /// Share of the gain reduction, in dB, that is applied, `0..=1`: 1 holds the ceiling, at 0 nothing happens.
    pub share: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting { ceiling_db: -1.0, release_ms: 100.0, share: 0.0 };
}

/// The moving average of the last samples of a gain.
#[derive(Clone, Debug)]
struct Average {
    values: [i64; MAX_LOOK_AHEAD],
    length: usize,
    next: usize,
    sum: i64,
}

impl Average {
    fn new(length: usize) -> Average {
        Average { values: [UNITY; MAX_LOOK_AHEAD], length, next: 0, sum: UNITY * length as i64 }
    }

    #[inline(always)]
    fn push(&mut self, value: i64) -> i64 {
        self.sum += value - self.values[self.next];
        self.values[self.next] = value;
        self.next = if self.next + 1 == self.length { 0 } else { self.next + 1 };
        self.sum / self.length as i64
    }
}

/// The smallest of the last samples of a gain: a queue in which only those wait that can still become the smallest.
#[derive(Clone, Debug)]
struct Minimum {
    /// Gain, and the number of the sample that it came from.
    queue: [(i64, u32); MAX_LOOK_AHEAD + 2],
    first: usize,
    count: usize,
    length: u32,
    now: u32,
}

impl Minimum {
    fn new(length: usize) -> Minimum {
        Minimum { queue: [(UNITY, 0); MAX_LOOK_AHEAD + 2], first: 0, count: 0, length: length as u32, now: 0 }
    }

    #[inline(always)]
    fn push(&mut self, value: i64) -> i64 {
        let wrap =
            |index: usize| if index >= MAX_LOOK_AHEAD + 2 { index - (MAX_LOOK_AHEAD + 2) } else { index };
        self.now = self.now.wrapping_add(1);
        if self.count > 0 && self.now.wrapping_sub(self.queue[self.first].1) >= self.length {
            self.first = wrap(self.first + 1);
            self.count -= 1;
        }
        while self.count > 0 && self.queue[wrap(self.first + self.count - 1)].0 >= value {
            self.count -= 1;
        }
        // What waits is younger than `length`, which is no more than the queue holds.
        self.queue[wrap(self.first + self.count)] = (value, self.now);
        self.count += 1;
        self.queue[self.first].0
    }
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Limiter {
    sample_rate: f64,
    tick: usize,
    look_ahead: bool,
    latency: usize,
    setting: Setting,
    /// Largest magnitude that passes, an amplitude.
    ceiling: Ramp,
    share: Ramp,
    release: i64,
    peaks: [TruePeak; MAX_CHANNELS],
    hold: Minimum,
    released: i64,
    averages: [Average; 2],
    delay: [Delay; MAX_CHANNELS],
    /// The present gain.
    gain: i64,
}

impl Limiter {
    /// A limiter that does nothing. Without `look_ahead` it has no latency.
    pub fn new(sample_rate: f32, tick: usize, look_ahead: bool) -> Limiter {
        let rate = f64::from(sample_rate);
        let all = (LATENCY_S * rate).round() as usize;
        // The averages lag by less than the hold lasts; the reading lags by its own delay.
        let samples = all.saturating_sub(DELAY).clamp(4, MAX_LOOK_AHEAD);
        let (first, second) = (samples.div_ceil(2), samples / 2);
        let latency = if look_ahead { first + second + DELAY } else { 0 };
        let mut limiter = Limiter {
            sample_rate: rate,
            tick,
            look_ahead,
            latency,
            setting: Setting::NEUTRAL,
            ceiling: Ramp::default(),
            share: Ramp::default(),
            release: 0,
            peaks: std::array::from_fn(|_| TruePeak::new(sample_rate)),
            hold: Minimum::new(first + second + 2),
            released: UNITY,
            averages: [Average::new(first), Average::new(second)],
            delay: std::array::from_fn(|_| Delay::new(latency)),
            gain: UNITY,
        };
        limiter.jump(Setting::NEUTRAL);
        limiter
    }

    /// Samples by which the sound is delayed.
    pub fn latency(&self) -> usize {
        self.latency
    }

    /// Takes a setting at once.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end ceiling and share are as `setting` says.
    pub fn set(&mut self, setting: Setting) {
        self.ceiling.next(10f64.powf((setting.ceiling_db - MARGIN_DB) / 20.0), self.tick);
        self.share.next(setting.share.clamp(0.0, 1.0), self.tick);
        self.release = (one_pole(setting.release_ms / 1_000.0, self.sample_rate) * UNITY as f64) as i64;
        self.setting = setting;
    }

    /// Whether every sample of this tick stays as it is, but for the delay.
    pub fn is_neutral(&self) -> bool {
        self.share.is_zero()
    }

    /// Present gain in dB, `<= 0`.
    pub fn gain_db(&self) -> f32 {
        20.0 * (self.gain as f32 / UNITY as f32).log10()
    }

    /// Limits the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.is_neutral() {
            self.gain = UNITY;
            self.forget_gains();
            for (samples, delay) in work.iter_mut().zip(&mut self.delay).take(channels) {
                samples.iter_mut().take(count).for_each(|x| *x = delay.push(*x));
            }
            return;
        }
        let peaks = self.peaks.iter().zip(work.iter()).take(channels);
        let largest = peaks.fold(0.0f64, |largest, (reader, samples)| {
            samples.iter().take(count).fold(largest.max(reader.largest().into()), |peak, x| peak.max(x.abs()))
        });
        // Most of the time nothing comes near the ceiling, and then nobody need look between the samples.
        let near = largest * f64::from(MAX_OVERSHOOT) > self.ceiling.at(offset).min(self.ceiling.end());
        for i in 0..count {
            let at = offset + i;
            let ceiling = self.ceiling.at(at) as f32;
            let mut peak = 0.0f32;
            for (samples, reader) in work.iter().zip(&mut self.peaks).take(channels) {
                let x = samples[i].clamp(-1e12, 1e12) as f32;
                reader.push(x);
                if near {
                    peak = peak.max(reader.read());
                    if !self.look_ahead {
                        peak = peak.max(x.abs());
                    }
                }
            }
            self.gain = self.next_gain(peak, ceiling);
            let share = self.share.at(at);
            let gain = match self.gain as f64 / UNITY as f64 {
                1.0 => 1.0,
                gain if share == 1.0 => gain,
                gain => gain.powf(share),
            };
            for (samples, delay) in work.iter_mut().zip(&mut self.delay).take(channels) {
                samples[i] = delay.push(samples[i]) * gain;
            }
        }
    }

    /// Hold, release and smoothing of the gain that a peak asks for.
    #[inline(always)]
    fn next_gain(&mut self, peak: f32, ceiling: f32) -> i64 {
        let wanted = if peak > ceiling { (f64::from(ceiling / peak) * UNITY as f64) as i64 } else { UNITY };
        let held = if self.look_ahead { self.hold.push(wanted) } else { wanted };
        if held <= self.released {
            self.released = held;
        } else {
            let way = held - self.released;
            // At least a unit, so that it arrives.
            self.released += ((way as u64 * self.release as u64) >> 32).max(1) as i64;
        }
        if !self.look_ahead {
            return self.released;
        }
        let [first, second] = &mut self.averages;
        second.push(first.push(self.released))
    }

    fn forget_gains(&mut self) {
        if self.released == UNITY && self.averages.iter().all(|a| a.sum == UNITY * a.length as i64) {
            return;
        }
        self.released = UNITY;
        for average in &mut self.averages {
            *average = Average::new(average.length);
        }
        self.hold = Minimum::new(self.hold.length as usize);
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.gain = UNITY;
        self.forget_gains();
        self.peaks.iter_mut().for_each(TruePeak::reset);
        self.delay.iter_mut().for_each(Delay::reset);
    }
}

/// Longest delay in samples.
const MAX_DELAY: usize = MAX_LOOK_AHEAD + DELAY;

/// A delay line of a fixed length.
#[derive(Clone, Debug)]
pub struct Delay {
    samples: [f64; MAX_DELAY],
    length: usize,
    next: usize,
}

impl Delay {
    /// A silent line; at most 588 samples long.
    pub fn new(length: usize) -> Delay {
        Delay { samples: [0.0; MAX_DELAY], length: length.min(MAX_DELAY), next: 0 }
    }

    /// Takes in a sample and returns the one that is as old as the line is long.
    #[inline(always)]
    pub fn push(&mut self, x: f64) -> f64 {
        if self.length == 0 {
            return x;
        }
        let old = std::mem::replace(&mut self.samples[self.next], x);
        self.next = if self.next + 1 == self.length { 0 } else { self.next + 1 };
        old
    }

    /// Silence in the line.
    pub fn reset(&mut self) {
        self.samples = [0.0; MAX_DELAY];
        self.next = 0;
    }
}
