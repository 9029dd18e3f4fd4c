//! True-peak limiter, with a look-ahead or without any latency.
//!
//! **Look-ahead**: the peak between the samples is read ([`true_peak`](super::true_peak)), the gain it asks for is
//! held for the look-ahead, released, and smoothed by two moving averages as long as the look-ahead together, so that
//! the gain is already there when the peak comes out, and got there without a corner. The sound is delayed by
//! [`Limiter::latency`] samples, always.
//!
//! **Without latency** ([`crest`](super::crest)): the gain follows each sample's own magnitude at once and holds the
//! *sample* peak at the ceiling. Between the samples it can only learn from what has passed; use it for tracking, and the
//! look-ahead for masters.
//!
//! With look-ahead, gains are whole numbers (units of 2^-32) until they have been averaged, so that the averages are exact
//! and a gain of 1 is exactly 1.

use super::crest::{Crest, KNEE};
use super::glide::{MAX_TICK, Ramp};
use super::level::{larger, one_pole};
use super::true_peak::{DELAY, TruePeak};
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

/// The sum of the last numbers.
#[derive(Clone, Debug)]
struct Sum {
    values: [i64; MAX_LOOK_AHEAD],
    length: usize,
    next: usize,
    sum: i64,
}

impl Sum {
    /// The sum of `length` times `value`.
    fn new(length: usize, value: i64) -> Sum {
        Sum { values: [value; MAX_LOOK_AHEAD], length, next: 0, sum: value * length as i64 }
    }

    #[inline(always)]
    fn push(&mut self, value: i64) -> i64 {
        self.sum += value - self.values[self.next];
        self.values[self.next] = value;
        self.next = if self.next + 1 == self.length { 0 } else { self.next + 1 };
        self.sum
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
    /// The largest peak of all channels after each sample of the present part of a tick.
    read: [f32; MAX_TICK],
    peaks: [TruePeak; MAX_CHANNELS],
    /// Gives the gain where there is no look-ahead.
    crest: Crest,
    hold: Minimum,
    released: i64,
    /// Sums of the released gain, and of these sums: two moving averages, but for a factor.
    sums: [Sum; 2],
    /// What the second sum is at a gain of 1.
    whole: f64,
    /// Samples since anything of the above was not at 1; it counts no further than is needed.
    at_rest: usize,
    delay: [Delay; MAX_CHANNELS],
    /// The present gain, an amplitude.
    gain: f64,
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
            // Nothing equals it, so everything is computed when the first setting comes.
            setting: Setting { ceiling_db: f64::NAN, release_ms: f64::NAN, share: 0.0 },
            ceiling: Ramp::default(),
            share: Ramp::default(),
            release: 0,
            read: [0.0; MAX_TICK],
            peaks: std::array::from_fn(|_| TruePeak::new(sample_rate)),
            crest: Crest::new(),
            hold: Minimum::new(first + second + 2),
            released: UNITY,
            sums: [Sum::new(first, UNITY), Sum::new(second, UNITY * first as i64)],
            whole: (UNITY * (first * second) as i64) as f64,
            at_rest: first + second,
            delay: std::array::from_fn(|_| Delay::new(latency)),
            gain: 1.0,
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
        self.ceiling = Ramp::flat(self.ceiling.end());
        self.share = Ramp::flat(self.share.end());
    }

    /// Starts a tick at whose end ceiling and share are as `setting` says.
    pub fn set(&mut self, setting: Setting) {
        let before = std::mem::replace(&mut self.setting, setting);
        // Exponentials are dear, and most settings rest most of the time.
        if setting.ceiling_db == before.ceiling_db {
            self.ceiling.hold();
        } else {
            self.ceiling.next(10f64.powf((setting.ceiling_db - MARGIN_DB) / 20.0), self.tick);
        }
        self.share.next(setting.share.clamp(0.0, 1.0), self.tick);
        if setting.release_ms != before.release_ms {
            let share = one_pole(setting.release_ms / 1_000.0, self.sample_rate);
            self.release = (share * UNITY as f64) as i64;
            self.crest.set_release(setting.release_ms, self.sample_rate);
        }
    }

    /// Whether every sample of this tick stays as it is, but for the delay.
    pub fn is_neutral(&self) -> bool {
        self.share.is_zero()
    }

    /// Present gain in dB, `<= 0`.
    pub fn gain_db(&self) -> f32 {
        20.0 * (self.gain as f32).log10()
    }

    /// Limits the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        let (channels, count) = (channels.min(MAX_CHANNELS), count.min(MAX_TICK));
        if self.is_neutral() {
            self.forget_gains();
            self.delay_only(work, channels, count);
            return;
        }
        let near = self.listen(work, channels, count, offset);
        if !near && self.rests(offset) {
            self.gain = 1.0;
            self.delay_only(work, channels, count);
            if !self.look_ahead {
                (0..count).for_each(|i| {
                    self.crest.pass(heard(work, channels, i), self.ceiling.at(offset + i) as f32)
                });
            }
            return;
        }
        for i in 0..count {
            let (peak, ceiling) = (self.read[i], self.ceiling.at(offset + i) as f32);
            self.gain = if self.look_ahead {
                self.next_gain(peak, ceiling)
            } else {
                self.crest.next(peak, heard(work, channels, i), ceiling)
            };
            let (gain, share) = (self.gain, self.share.at(offset + i));
            let gain = if share == 1.0 || gain == 1.0 { gain } else { partly(gain, share) };
            for (samples, delay) in work.iter_mut().zip(&mut self.delay).take(channels) {
                samples[i] = delay.push(samples[i]) * gain;
            }
        }
    }

    /// Whether the gain is 1 as long as no peak comes near the ceiling.
    fn rests(&self, offset: usize) -> bool {
        if self.look_ahead {
            return self.at_rest >= self.settling();
        }
        self.crest.rests((1.0 - KNEE as f32) * self.lowest_ceiling(offset))
    }

    /// The lowest ceiling in the rest of the tick.
    fn lowest_ceiling(&self, offset: usize) -> f32 {
        self.ceiling.at(offset).min(self.ceiling.end()) as f32
    }

    /// Reads the peaks of all channels; whether any might be above the ceiling. Most of the time nothing comes near it,
    /// and then nobody need look between the samples.
    fn listen(&mut self, work: &Work, channels: usize, count: usize, offset: usize) -> bool {
        let ceiling = self.lowest_ceiling(offset);
        let least = if self.look_ahead { ceiling } else { (1.0 - KNEE as f32) * ceiling };
        self.read[..count].fill(0.0);
        for (samples, reader) in work.iter().zip(&mut self.peaks).take(channels) {
            let samples = &samples[..count];
            for (read, peak) in self.read.iter_mut().zip(reader.read(samples, least)) {
                *read = larger(*read, *peak);
            }
            if !self.look_ahead {
                // The newest samples themselves; what is between them is not known yet.
                for (read, x) in self.read.iter_mut().zip(samples) {
                    *read = larger(*read, (*x as f32).abs());
                }
            }
        }
        self.read[..count].iter().any(|read| *read > least)
    }

    fn delay_only(&mut self, work: &mut Work, channels: usize, count: usize) {
        for (samples, delay) in work.iter_mut().zip(&mut self.delay).take(channels) {
            delay.exchange(&mut samples[..count]);
        }
    }

    /// Hold, release and smoothing of the gain that a peak asks for; an amplitude.
    #[inline(always)]
    fn next_gain(&mut self, peak: f32, ceiling: f32) -> f64 {
        let wanted = if peak > ceiling { (f64::from(ceiling / peak) * UNITY as f64) as i64 } else { UNITY };
        let held = self.hold.push(wanted);
        if held <= self.released {
            self.released = held;
        } else {
            let way = held - self.released;
            // At least a unit, so that it arrives.
            self.released += ((way as u64 * self.release as u64) >> 32).max(1) as i64;
        }
        // What was not at 1 leaves the sums after as many samples as both are long.
        self.at_rest = if self.released < UNITY { 0 } else { (self.at_rest + 1).min(self.settling()) };
        let [first, second] = &mut self.sums;
        second.push(first.push(self.released)) as f64 / self.whole
    }

    /// Samples at a gain of 1 after which nothing else is in the sums.
    fn settling(&self) -> usize {
        self.sums.iter().map(|sum| sum.length).sum()
    }

    fn forget_gains(&mut self) {
        self.gain = 1.0;
        self.crest.reset();
        if self.at_rest >= self.settling() {
            return;
        }
        self.at_rest = self.settling();
        self.released = UNITY;
        let first = self.sums[0].length;
        self.sums = [Sum::new(first, UNITY), Sum::new(self.sums[1].length, UNITY * first as i64)];
        self.hold = Minimum::new(self.hold.length as usize);
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.forget_gains();
        self.peaks.iter_mut().for_each(TruePeak::reset);
        self.delay.iter_mut().for_each(Delay::reset);
    }
}

/// The magnitude of the louder channel at a sample.
#[inline(always)]
fn heard(work: &Work, channels: usize, i: usize) -> f32 {
    work.iter().take(channels).fold(0.0, |peak, samples| larger(peak, (samples[i] as f32).abs()))
}

/// A share of a gain, in dB. A function of its own, because the compiler takes a power for cheap and computes it in any case.
#[cold]
#[inline(never)]
fn partly(gain: f64, share: f64) -> f64 {
    gain.powf(share)
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

    /// As [`push`](Self::push) for each of these samples, in place.
    pub fn exchange(&mut self, samples: &mut [f64]) {
        self.runs(samples.len(), |line, run| line.swap_with_slice(&mut samples[run]));
    }

    /// Takes in samples whose older ones are not asked for.
    pub fn feed(&mut self, samples: &[f32]) {
        self.runs(samples.len(), |line, run| {
            line.iter_mut().zip(&samples[run]).for_each(|(slot, x)| *slot = f64::from(*x));
        });
    }

    /// Goes on by `count` samples, through each stretch of the line that lies together: `work` gets it, and which of the
    /// samples belong to it.
    fn runs(&mut self, count: usize, mut work: impl FnMut(&mut [f64], std::ops::Range<usize>)) {
        let mut start = 0;
        while start < count && self.length > 0 {
            let run = (count - start).min(self.length - self.next);
            work(&mut self.samples[self.next..self.next + run], start..start + run);
            self.next = (self.next + run) % self.length;
            start += run;
        }
    }

    /// Silence in the line.
    pub fn reset(&mut self) {
        self.samples = [0.0; MAX_DELAY];
        self.next = 0;
    }
}
