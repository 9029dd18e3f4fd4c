//! One band of the equalizer: a low cut, a shelf or a bell.
//!
//! The filter is a linear trapezoidal state variable filter (A. Simper, "Linear Trapezoidal Integrated SVF", Cytomic
//! 2013, after Zavalishin's topology-preserving transform): its states are the integrators' own, so coefficients may
//! move at every sample without a click. [`eq_design`](super::eq_design) makes the coefficients.

use super::Work;
use super::eq_design::{Coefficients, design};
use super::glide::{MAX_TICK, Ramp};
use super::lanes::Lanes;
use std::f64::consts::FRAC_1_SQRT_2;

pub use super::eq_design::Shape;

/// Filter states smaller than this (-600 dB) are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-30;

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
        if self.is_neutral() {
            self.reset();
            return;
        }
        let still = [&self.g, &self.k, &self.m[0], &self.m[1], &self.m[2]].into_iter().all(Ramp::is_still);
        let count = count.min(MAX_TICK);
        if channels < 2 {
            // The second lane computes along on what is always 0.
            work[1][..count].fill(0.0);
        }
        let [left, right] = work;
        let pairs = left.iter_mut().zip(right.iter_mut()).take(count);
        let mut state = self.state;
        if still {
            let step = self.step_at(0);
            for (left, right) in pairs {
                [*left, *right] = step.run(Lanes::new([*left, *right]), &mut state).get();
            }
        } else {
            for (i, (left, right)) in pairs.enumerate() {
                let step = self.step_at(offset + i);
                [*left, *right] = step.run(Lanes::new([*left, *right]), &mut state).get();
            }
        }
        self.state = state;
    }

    fn step_at(&self, at: usize) -> Step {
        let (g, k) = (self.g.at(at), self.k.at(at));
        let a1 = 1.0 / (1.0 + g * (g + k));
        Step {
            a: [a1, g * a1, g * g * a1].map(Lanes::both),
            m: [self.m[0].at(at), self.m[1].at(at), self.m[2].at(at)].map(Lanes::both),
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.state = [Lanes::zero(); 2];
    }
}

/// The filter at one sample: Simper's a1 to a3, and the shares of what is added to the input.
#[derive(Clone, Copy)]
struct Step {
    a: [Lanes; 3],
    m: [Lanes; 3],
}

impl Step {
    #[inline(always)]
    fn run(&self, v0: Lanes, [low, high]: &mut [Lanes; 2]) -> Lanes {
        let v3 = v0 - *high;
        let band = self.a[0] * *low + self.a[1] * v3;
        let lowpass = *high + self.a[1] * *low + self.a[2] * v3;
        let two = Lanes::both(2.0);
        *low = two * band - *low;
        *high = two * lowpass - *high;
        v0 + self.m[0] * v0 + self.m[1] * band + self.m[2] * lowpass
    }
}
