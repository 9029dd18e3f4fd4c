//! One band of the equalizer: a low cut, a shelf or a bell.
//!
//! The filter is a linear trapezoidal state variable filter (A. Simper, "Linear Trapezoidal Integrated SVF", Cytomic
//! 2013, after Zavalishin's topology-preserving transform): its states are the integrators' own, so coefficients may
//! move at every sample without a click. [`eq_design`](super::eq_design) makes the coefficients.

use super::eq_design::{Coefficients, design};
use super::glide::{MAX_TICK, Ramp};
use super::lanes::Lanes;
use super::{Work, is_silence};
use std::f64::consts::FRAC_1_SQRT_2;

pub use super::eq_design::Shape;

/// Filter states smaller than this (-400 dB) are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-20;

/// While a setting moves, coefficients are made anew whenever it has gone this far, in dB (a low cut: share): slow glides
/// then cost little, and no step is near hearing.
const CLOSE_DB: f64 = 0.003;

/// The same for frequency and Q, as a share of them.
const CLOSE_SHARE: f64 = 0.001;

/// Q of a shelf or a low cut that is the steepest without a bump.
pub const SHELF_Q: f64 = FRAC_1_SQRT_2;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Band {
    shape: Shape,
    sample_rate: f64,
    tick: usize,
    /// Frequency in Hz, gain in dB (a low cut: share of its effect) and Q that were asked for last.
    asked: [f64; 3],
    /// The same as they are at the end of this tick: not further from it than [`CLOSE_DB`] and [`CLOSE_SHARE`].
    setting: [f64; 3],
    /// See [`Coefficients`].
    g: Ramp,
    k: Ramp,
    m: [Ramp; 3],
    /// The two integrators' states.
    state: [Lanes; 2],
}

impl Band {
    /// A band at 1 kHz that does nothing.
    pub fn new(shape: Shape, sample_rate: f32, tick: usize) -> Band {
        let mut band = Band {
            shape,
            sample_rate: f64::from(sample_rate),
            tick,
            asked: [0.0; 3],
            setting: [0.0; 3],
            g: Ramp::default(),
            k: Ramp::default(),
            m: [Ramp::default(); 3],
            state: [Lanes::zero(); 2],
        };
        band.jump([1_000.0, 0.0, SHELF_Q]);
        band
    }

    /// Takes `[hz, db, q]` at once, without a glide; see [`set`](Self::set).
    pub fn jump(&mut self, setting: [f64; 3]) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end the band is at `[hz, db, q]`; a low cut is given `[hz, share, q]`, see
    /// [`Shape::HighPass`]. Also flushes states that have died away.
    pub fn set(&mut self, setting: [f64; 3]) {
        let arrived = setting == self.asked || setting[1] == 0.0;
        self.asked = setting;
        if setting == self.setting || !arrived && self.is_close(setting) {
            self.g.hold();
            self.k.hold();
            self.m.iter_mut().for_each(Ramp::hold);
        } else {
            let Coefficients { g, k, m } = design(self.shape, setting, self.sample_rate);
            self.setting = setting;
            self.g.next(g, self.tick);
            self.k.next(k, self.tick);
            for (ramp, m) in self.m.iter_mut().zip(m) {
                ramp.next(m, self.tick);
            }
        }
        self.state = self.state.map(|state| state.flushed(SILENCE));
    }

    /// Whether a setting on the way to another one is not worth new coefficients yet.
    fn is_close(&self, [hz, gain, q]: [f64; 3]) -> bool {
        let close = |a: f64, b: f64| (a - b).abs() < CLOSE_SHARE * b;
        (gain - self.setting[1]).abs() < CLOSE_DB && close(hz, self.setting[0]) && close(q, self.setting[2])
    }

    /// Whether the band leaves every sample of this tick as it is.
    pub fn is_neutral(&self) -> bool {
        self.m.iter().all(Ramp::is_zero)
    }

    /// Filters the first `count` samples of `work`, which are those from `offset` on of the present tick, in place.
    ///
    /// A neutral band does not listen: when it begins to act, it does so too softly for its missing past to be heard.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        process_row(std::slice::from_mut(self), work, channels, count, offset);
    }

    /// Whether nothing of the past is left: silence goes through it as silence.
    pub fn is_silent(&self) -> bool {
        self.state.iter().all(|state| state.is_zero())
    }

    fn is_still(&self) -> bool {
        [&self.g, &self.k, &self.m[0], &self.m[1], &self.m[2]].into_iter().all(Ramp::is_still)
    }

    #[inline(always)]
    fn step_at(&self, at: usize) -> Step {
        let (g, k) = (self.g.at(at), self.k.at(at));
        let a1 = 1.0 / (1.0 + g * (g + k));
        let (over, take) = (2.0 * g * a1, 2.0 * g * g * a1);
        let m = [self.m[0].at(at), 0.5 * self.m[1].at(at), 0.5 * self.m[2].at(at)];
        Step {
            keep: [Lanes::both(2.0 * a1 - 1.0), Lanes::both(1.0 - take)],
            over: Lanes::both(over),
            take: Lanes::both(take),
            m: m.map(Lanes::both),
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.state = [Lanes::zero(); 2];
    }
}

/// Bands that are computed together. One waits for its own last sample most of the time; meanwhile the processor works on
/// the others. More would not fit its registers.
const TOGETHER: usize = 3;

/// As [`Band::process`], for bands one after the other.
pub fn process_row(bands: &mut [Band], work: &mut Work, channels: usize, count: usize, offset: usize) {
    let count = count.min(MAX_TICK);
    if is_silence(work, channels, count) && bands.iter().all(Band::is_silent) {
        return;
    }
    if channels < 2 {
        // The second lane computes along on what is always 0.
        work[1][..count].fill(0.0);
    }
    bands.iter_mut().filter(|band| band.is_neutral()).for_each(Band::reset);
    let mut acting = bands.iter_mut().filter(|band| !band.is_neutral());
    loop {
        match [acting.next(), acting.next(), acting.next()] {
            [Some(a), Some(b), Some(c)] => together::<TOGETHER>([a, b, c], work, count, offset),
            [Some(a), Some(b), None] => together([a, b], work, count, offset),
            [Some(a), ..] => together([a], work, count, offset),
            [None, ..] => return,
        }
    }
}

fn together<const N: usize>(bands: [&mut Band; N], work: &mut Work, count: usize, offset: usize) {
    let [left, right] = work;
    let pairs = left.iter_mut().zip(right.iter_mut()).take(count);
    let mut states: [[Lanes; 2]; N] = std::array::from_fn(|n| bands[n].state);
    if bands.iter().all(|band| band.is_still()) {
        let steps: [Step; N] = std::array::from_fn(|n| bands[n].step_at(0));
        for (left, right) in pairs {
            let mut x = Lanes::new([*left, *right]);
            for (step, state) in steps.iter().zip(&mut states) {
                x = step.run(x, state);
            }
            [*left, *right] = x.get();
        }
    } else {
        for (i, (left, right)) in pairs.enumerate() {
            let mut x = Lanes::new([*left, *right]);
            for (band, state) in bands.iter().zip(&mut states) {
                x = band.step_at(offset + i).run(x, state);
            }
            [*left, *right] = x.get();
        }
    }
    for (band, state) in bands.into_iter().zip(states) {
        band.state = state;
    }
}

/// The filter at one sample. Simper's update of the integrators' states, with what each state and the input contribute
/// taken together: the shortest way from one sample's states to the next one's.
#[derive(Clone, Copy)]
struct Step {
    /// What the first state keeps of itself, and what the second keeps.
    keep: [Lanes; 2],
    /// What goes over from one to the other, and what the second takes of the input.
    over: Lanes,
    take: Lanes,
    /// Shares of the input, and half those of the sums of the old and the new states, in what is added.
    m: [Lanes; 3],
}

impl Step {
    #[inline(always)]
    fn run(&self, x: Lanes, [low, high]: &mut [Lanes; 2]) -> Lanes {
        let (low_before, high_before) = (*low, *high);
        *low = (self.over * x + self.keep[0] * low_before) - self.over * high_before;
        *high = (self.take * x + self.over * low_before) + self.keep[1] * high_before;
        let band = self.m[1] * (low_before + *low);
        let lowpass = self.m[2] * (high_before + *high);
        x + (self.m[0] * x + band + lowpass)
    }
}
