//! Drive and exciter: adds the harmonics of a soft saturation, oversampled so that they do not fold back.
//!
//! What is added is only what the saturation tanh(g x)/g makes *new*: its output less the part that is still like its
//! input. So the level stays, whatever the drive; the sound itself takes no detour and keeps its phase, and with nothing
//! to add it passes bit for bit. The saturation runs at several times the sample rate behind filters without delay
//! ([`halfband`](super::halfband)); their phase touches the harmonics only. Heard from [`Setting::hz`] up, the drive is
//! an exciter.

use super::eq::{Band, SHELF_Q, Shape};
use super::glide::{MAX_TICK, Ramp};
use super::halfband::HalfBand;
use super::lanes::Lanes;
use super::level::one_pole;
use super::{MAX_CHANNELS, Work};

/// Sample rate, in Hz, that the saturation should at least run at.
const MIN_RATE: f64 = 170_000.0;

/// Most doublings of the sample rate.
const MAX_STAGES: usize = 3;

/// Transition bands of the three doublings' filters, as shares of the doubled rates: the first passes 18.5 kHz at
/// 44.1 kHz, the following need only let that through. All stop by 90 dB.
const TRANSITIONS: [f64; MAX_STAGES] = [0.08, 0.25, 0.35];

/// Time constant, in seconds, of the average by which the part of the saturation's output that is like its input is
/// found.
const LIKENESS_S: f64 = 0.120;

/// Above this the saturation does not hear, in Hz: the harmonics of what lies there are beyond hearing, and its
/// intermodulation is only dirt.
const TREBLE_HZ: f64 = 9_000.0;

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
    first: HalfBand<6>,
    second: HalfBand<3>,
    third: HalfBand<3>,
    /// Averages of input times difference and of input squared, and their share.
    likeness_share: f64,
    cross: Lanes,
    square: Lanes,
    /// How much of the input is in the difference, `0..=1`, from the two, as of this tick.
    like: Lanes,
    heard: Work,
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
            first: HalfBand::new(TRANSITIONS[0]),
            second: HalfBand::new(TRANSITIONS[1]),
            third: HalfBand::new(TRANSITIONS[2]),
            likeness_share: one_pole(LIKENESS_S, rate),
            cross: Lanes::zero(),
            square: Lanes::zero(),
            like: Lanes::zero(),
            heard: [[0.0; MAX_TICK]; MAX_CHANNELS],
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
        for x in self.treble.iter_mut().chain([&mut self.cross, &mut self.square]) {
            *x = x.flushed(1e-30);
        }
        let like = Lanes::zero() - self.cross / (self.square + Lanes::both(1e-12));
        self.like = like.max(Lanes::zero()).min(Lanes::both(1.0));
        self.first.flush();
        self.second.flush();
        self.third.flush();
    }

    /// Whether every sample of this tick stays as it is.
    pub fn is_neutral(&self) -> bool {
        self.mix.is_zero()
    }

    /// Adds harmonics to the first `count` samples, which are those from `offset` on of the present tick.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        if self.is_neutral() {
            self.reset();
            return;
        }
        let channels = channels.clamp(1, MAX_CHANNELS);
        for (heard, samples) in self.heard.iter_mut().zip(work.iter()).take(channels) {
            heard[..count].copy_from_slice(&samples[..count]);
        }
        self.low_cut.process(&mut self.heard, channels, count, offset);
        match self.stages {
            0 => self.run(work, channels, count, offset, |drive, x| drive.saturate(x)),
            1 => self.run(work, channels, count, offset, Drive::twice),
            2 => self.run(work, channels, count, offset, Drive::four_times),
            _ => self.run(work, channels, count, offset, Drive::eight_times),
        }
    }

    #[inline(always)]
    fn run(
        &mut self,
        work: &mut Work,
        channels: usize,
        count: usize,
        offset: usize,
        harmonics: impl Fn(&mut Drive, Lanes) -> Lanes,
    ) {
        let treble_share = Lanes::both(self.treble_share);
        let likeness_share = Lanes::both(self.likeness_share);
        for i in 0..count {
            let at = offset + i;
            let (gain, mix) = (self.gain.at(at), self.mix.at(at));
            let heard = Lanes::new(self.heard.each_ref().map(|samples| samples[i]));
            let [first, second] = &mut self.treble;
            *first = *first + treble_share * (heard - *first);
            *second = *second + treble_share * (*first - *second);
            let x = Lanes::both(gain) * *second;
            self.cross = self.cross + likeness_share * (x * difference(x) - self.cross);
            self.square = self.square + likeness_share * (x * x - self.square);
            let added = Lanes::both(mix / gain) * harmonics(self, x);
            for (samples, added) in work.iter_mut().zip(added.get()).take(channels) {
                samples[i] += added;
            }
        }
    }

    /// What the saturation makes new.
    #[inline(always)]
    fn saturate(&self, x: Lanes) -> Lanes {
        difference(x) + self.like * x
    }

    #[inline(always)]
    fn twice(&mut self, x: Lanes) -> Lanes {
        let pair = self.first.double(x).map(|x| self.saturate(x));
        self.first.halve(pair)
    }

    #[inline(always)]
    fn four_times(&mut self, x: Lanes) -> Lanes {
        let pair = self.first.double(x).map(|x| {
            let pair = self.second.double(x).map(|x| self.saturate(x));
            self.second.halve(pair)
        });
        self.first.halve(pair)
    }

    #[inline(always)]
    fn eight_times(&mut self, x: Lanes) -> Lanes {
        let pair = self.first.double(x).map(|x| {
            let pair = self.second.double(x).map(|x| {
                let pair = self.third.double(x).map(|x| self.saturate(x));
                self.third.halve(pair)
            });
            self.second.halve(pair)
        });
        self.first.halve(pair)
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.low_cut.reset();
        self.treble = [Lanes::zero(); 2];
        (self.cross, self.square) = (Lanes::zero(), Lanes::zero());
        self.first.reset();
        self.second.reset();
        self.third.reset();
    }
}

/// tanh(x) - x, by the quotient that Lambert's continued fraction gives after seven terms: closer than -80 dB of full
/// saturation, and with no corner within ±4.97, where it reaches 1.
#[inline(always)]
fn difference(x: Lanes) -> Lanes {
    const END: f64 = 4.970_86;
    let n = Lanes::both;
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
            let x = f64::from(step) / 100.0;
            let [saturated, _] = (Lanes::both(x) + difference(Lanes::both(x))).get();
            assert!((saturated - x.tanh()).abs() < 1e-4, "{x}: {saturated}");
        }
    }
}
