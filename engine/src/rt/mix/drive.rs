//! Drive and exciter: adds the harmonics of a soft saturation, oversampled so that they do not fold back.
//!
//! What is added is only what the saturation tanh(g x)/g makes *new*: its output less the part that is still like its
//! input. So the level stays, whatever the drive; the sound itself takes no detour and keeps its phase, and with nothing
//! to add it passes bit for bit. The saturation runs at several times the sample rate behind filters without delay
//! ([`halfband`](super::halfband)); their phase touches the harmonics only. Heard from [`Setting::hz`] up, the drive is
//! an exciter.

use super::eq::{Band, SHELF_Q, Shape};
use super::glide::{MAX_TICK, Ramp};
use super::halfband::{HalfBand, design};
use super::lanes::Lanes;
use super::level::one_pole;
use super::quad::Quad;
use super::{MAX_CHANNELS, Work, is_silence};

/// Sample rate, in Hz, that the saturation should at least run at.
const MIN_RATE: f64 = 170_000.0;

/// Most doublings of the sample rate.
const MAX_STAGES: usize = 3;

/// Transition bands of the three doublings' filters, as shares of the doubled rates: the first passes 18.5 kHz at
/// 44.1 kHz, the following need only let that through. All stop by 90 dB.
const TRANSITIONS: [f64; MAX_STAGES] = [0.08, 0.25, 0.35];

/// Longest tick at the higher rates, in pairs of samples; above [`MIN_RATE`] nothing is doubled.
const MAX_PAIRS: usize = MAX_TICK;

/// Time constant, in seconds, of the average by which the part of the saturation's output that is like its input is
/// found.
const LIKENESS_S: f64 = 0.120;

/// Above this the saturation does not hear, in Hz: the harmonics of what lies there are beyond hearing, and its
/// intermodulation is only dirt.
const TREBLE_HZ: f64 = 9_000.0;

/// Louder than this (+140 dBFS) is nothing, so that squares stay finite in single precision whatever a host sends.
const LOUDEST: f64 = 1e7;

/// What the drive does at the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Gain into the saturation in dB, `>= 0`; small signals come out of it as they went in.
    pub drive_db: f64,
    /// What lies below is not saturated, in Hz.
    pub hz: f64,
    /// Share of the saturation's difference that is added, `0..=1`. At 0 nothing happens.
    pub mix: f64,
}

impl Setting {
    /// Does nothing.
    pub const NEUTRAL: Setting = Setting { drive_db: 0.0, hz: 20.0, mix: 0.0 };
}

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Drive {
    tick: usize,
    stages: usize,
    setting: Setting,
    gain: Ramp,
    mix: Ramp,
    low_cut: Band,
    /// One-pole low-passes of [`TREBLE_HZ`], two in a row.
    treble_share: f64,
    treble: [Lanes; 2],
    first: HalfBand<3>,
    second: HalfBand<2>,
    third: HalfBand<2>,
    /// Averages of input times difference and of input squared, the share of a tick in them, and the sums of this tick.
    likeness_share: f64,
    cross: Lanes,
    square: Lanes,
    sums: [Quad; 2],
    /// How much of the input is in the difference, `0..=1`, from the two: where a line through the tick begins, and its
    /// step.
    like: Lanes,
    like_step: Lanes,
    heard: Work,
    /// What is saturated, and what comes out of it.
    pairs: [Quad; MAX_PAIRS],
}

impl Drive {
    /// A drive that does nothing.
    pub fn new(sample_rate: f32, tick: usize) -> Drive {
        let rate = f64::from(sample_rate);
        let stages = (0..MAX_STAGES).find(|n| rate * f64::from(1 << n) >= MIN_RATE).unwrap_or(MAX_STAGES);
        let mut drive = Drive {
            tick,
            stages,
            setting: Setting::NEUTRAL,
            gain: Ramp::flat(1.0),
            mix: Ramp::default(),
            low_cut: Band::new(Shape::HighPass, sample_rate, tick),
            treble_share: one_pole(1.0 / (std::f64::consts::TAU * TREBLE_HZ), rate),
            treble: [Lanes::zero(); 2],
            first: HalfBand::new(design(TRANSITIONS[0])),
            second: HalfBand::new(design(TRANSITIONS[1])),
            third: HalfBand::new(design(TRANSITIONS[2])),
            likeness_share: one_pole(LIKENESS_S, rate / tick as f64),
            cross: Lanes::zero(),
            square: Lanes::zero(),
            sums: [Quad::zero(); 2],
            like: Lanes::zero(),
            like_step: Lanes::zero(),
            heard: [[0.0; MAX_TICK]; MAX_CHANNELS],
            pairs: [Quad::zero(); MAX_PAIRS],
        };
        drive.jump(Setting::NEUTRAL);
        drive
    }

    /// Takes a setting at once.
    pub fn jump(&mut self, setting: Setting) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end the drive is at `setting`. Also flushes states that have died away.
    pub fn set(&mut self, setting: Setting) {
        if setting.drive_db == self.setting.drive_db {
            self.gain.hold();
        } else {
            self.gain.next(10f64.powf(setting.drive_db / 20.0), self.tick);
        }
        self.setting = setting;
        self.mix.next(setting.mix, self.tick);
        self.low_cut.set([setting.hz, 1.0, SHELF_Q]);
        self.treble = self.treble.map(|x| x.flushed(1e-30));
        self.follow_likeness();
        self.first.flush();
        self.second.flush();
        self.third.flush();
    }

    /// Takes the last tick's sums into the averages.
    fn follow_likeness(&mut self) {
        let share = Lanes::both(self.likeness_share);
        for (average, sum) in [&mut self.cross, &mut self.square].into_iter().zip(&mut self.sums) {
            let [a, b, c, d] = std::mem::replace(sum, Quad::zero()).get().map(f64::from);
            let mean = Lanes::both(1.0 / (self.tick << self.stages) as f64) * Lanes::new([a + c, b + d]);
            *average = (*average + share * (mean - *average)).flushed(1e-30);
        }
        let like = Lanes::zero() - self.cross / (self.square + Lanes::both(1e-12));
        let like = like.max(Lanes::zero()).min(Lanes::both(1.0));
        let tick = Lanes::both(self.tick as f64);
        self.like = self.like + tick * self.like_step;
        self.like_step = (like - self.like) / tick;
    }

    /// Whether every sample of this tick stays as it is.
    pub fn is_neutral(&self) -> bool {
        self.mix.is_zero()
    }

    /// Whether nothing of the past is left in what the sound goes through.
    fn is_silent(&self) -> bool {
        let filters = [self.first.is_silent(), self.second.is_silent(), self.third.is_silent()];
        self.low_cut.is_silent() && self.treble.iter().all(|x| x.is_zero()) && filters == [true; 3]
    }

    /// Adds harmonics to the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.is_neutral() {
            self.reset();
            return;
        }
        let (channels, count) = (channels.clamp(1, MAX_CHANNELS), count.min(self.tick));
        if is_silence(work, channels, count) && self.is_silent() {
            return;
        }
        for (heard, samples) in self.heard.iter_mut().zip(work.iter()).take(channels) {
            heard[..count].copy_from_slice(&samples[..count]);
        }
        self.low_cut.process(&mut self.heard, channels, count, offset);
        self.take_in(count, offset);
        let doubled = count << self.stages.saturating_sub(1);
        self.double(count);
        self.saturate(doubled, doubled / count.max(1), offset);
        self.halve(count);
        let (gain, mix) = (self.gain, self.mix);
        let [left, right] = work;
        for (i, ((left, right), pair)) in left.iter_mut().zip(right).zip(&self.pairs).enumerate().take(count)
        {
            let share = mix.at(offset + i) / gain.at(offset + i);
            let [first, second, ..] = pair.get();
            *left += share * f64::from(first);
            if channels > 1 {
                *right += share * f64::from(second);
            }
        }
    }

    /// What is to be saturated: each sample twice, or once where nothing is doubled.
    fn take_in(&mut self, count: usize, offset: usize) {
        let treble_share = Lanes::both(self.treble_share);
        let [mut first, mut second] = self.treble;
        let again = if self.stages == 0 { 0.0 } else { 1.0 };
        let ([left, right], gain) = (&self.heard, self.gain);
        for (i, pair) in self.pairs.iter_mut().enumerate().take(count) {
            let heard = Lanes::new([left[i], right[i]]);
            first = first + treble_share * (heard - first);
            second = second + treble_share * (first - second);
            let driven = (Lanes::both(gain.at(offset + i)) * second).max(Lanes::both(-LOUDEST));
            let [left, right] = driven.min(Lanes::both(LOUDEST)).get().map(|x| x as f32);
            *pair = Quad::new([left, right, again * left, again * right]);
        }
        self.treble = [first, second];
    }

    /// From samples to pairs of samples at the higher rate, in place. The filters are copied, because only what is a
    /// function's own stays in registers.
    fn double(&mut self, count: usize) {
        let Drive { pairs, stages, .. } = self;
        if *stages > 0 {
            let mut filter = self.first;
            pairs.iter_mut().take(count).for_each(|pair| *pair = filter.double(*pair));
            self.first = filter;
        }
        if *stages > 1 {
            let mut filter = self.second;
            spread(pairs, count);
            pairs.iter_mut().take(2 * count).for_each(|pair| *pair = filter.double(*pair));
            self.second = filter;
        }
        if *stages > 2 {
            let mut filter = self.third;
            spread(pairs, 2 * count);
            pairs.iter_mut().take(4 * count).for_each(|pair| *pair = filter.double(*pair));
            self.third = filter;
        }
    }

    /// Back from `double`: each sample, twice.
    fn halve(&mut self, count: usize) {
        let Drive { pairs, stages, .. } = self;
        if *stages > 2 {
            let mut filter = self.third;
            for i in 0..2 * count {
                pairs[i] = filter.halve(pairs[2 * i]).firsts(filter.halve(pairs[2 * i + 1]));
            }
            self.third = filter;
        }
        if *stages > 1 {
            let mut filter = self.second;
            for i in 0..count {
                pairs[i] = filter.halve(pairs[2 * i]).firsts(filter.halve(pairs[2 * i + 1]));
            }
            self.second = filter;
        }
        if *stages > 0 {
            let mut filter = self.first;
            pairs.iter_mut().take(count).for_each(|pair| *pair = filter.halve(*pair));
            self.first = filter;
        }
    }

    /// What the saturation makes new of `count` pairs, `each` to a sample.
    fn saturate(&mut self, count: usize, each: usize, offset: usize) {
        let [mut cross, mut square] = self.sums;
        let (start, step) = (self.like, self.like_step);
        let pairs = self.pairs[..count].chunks_exact_mut(each.max(1));
        for (i, pairs) in pairs.enumerate() {
            let at = Lanes::both((offset + i + 1) as f64);
            let [left, right] = (start + at * step).get().map(|x| x as f32);
            let like = Quad::new([left, right, left, right]);
            for pair in pairs {
                let (x, new) = (*pair, difference(*pair));
                cross = cross + x * new;
                square = square + x * x;
                *pair = new + like * x;
            }
        }
        self.sums = [cross, square];
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.low_cut.reset();
        self.treble = [Lanes::zero(); 2];
        (self.cross, self.square) = (Lanes::zero(), Lanes::zero());
        self.sums = [Quad::zero(); 2];
        (self.like, self.like_step) = (Lanes::zero(), Lanes::zero());
        self.first.reset();
        self.second.reset();
        self.third.reset();
    }
}

/// Each half of the first `count` pairs becomes a pair.
fn spread(pairs: &mut [Quad; MAX_PAIRS], count: usize) {
    for i in (0..count).rev() {
        let pair = pairs[i];
        pairs[2 * i + 1] = pair.seconds(pair);
        pairs[2 * i] = pair.firsts(pair);
    }
}

/// tanh(x) - x, by the quotient that Lambert's continued fraction gives after seven terms: closer than -80 dB of full
/// saturation, and with no corner within ±4.97, where it reaches 1.
#[inline(always)]
fn difference(x: Quad) -> Quad {
    const END: f32 = 4.970_86;
    let n = Quad::all;
    let c = x.min(n(END)).max(n(-END));
    let c2 = c * c;
    // (p - q) c / q with the leading terms already cancelled, so that small signals lose no digits.
    let p = c2 * (n(45_045.0) + c2 * (n(2_772.0) + n(27.0) * c2));
    let q = n(135_135.0) + c2 * (n(62_370.0) + c2 * (n(3_150.0) + n(28.0) * c2));
    (c - x) - c * p / q
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_saturation_is_a_tanh() {
        for step in -800..=800 {
            let x = step as f32 / 100.0;
            let [saturated, ..] = (Quad::all(x) + difference(Quad::all(x))).get();
            assert!((saturated - x.tanh()).abs() < 1e-4, "{x}: {saturated}");
        }
    }
}
