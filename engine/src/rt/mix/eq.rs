//! One band of the equalizer: a low cut, a shelf or a bell.
//!
//! The filter is a linear trapezoidal state variable filter (A. Simper, "Linear Trapezoidal Integrated SVF", Cytomic
//! 2013, after Zavalishin's topology-preserving transform): its states are the integrators' own, so coefficients may
//! move at every sample without a click. [`eq_design`](super::eq_design) makes the coefficients.

use super::eq_design::{Coefficients, design};
use super::glide::{MAX_TICK, Ramp};
use super::{MAX_CHANNELS, Work};
use std::f64::consts::FRAC_1_SQRT_2;

pub use super::eq_design::Shape;

/// Filter states smaller than this (-600 dB) are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-30;

/// Q of a shelf or a low cut that is the steepest without a bump.
pub const SHELF_Q: f64 = FRAC_1_SQRT_2;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Band {
    shape: Shape,
    sample_rate: f64,
    tick: usize,
    /// Frequency in Hz, gain in dB (a low cut: share of its effect), Q at the end of this tick.
    setting: [f64; 3],
    /// See [`Coefficients`].
    g: Ramp,
    k: Ramp,
    m: [Ramp; 3],
    /// The two integrators' states of each channel.
    state: [[f64; 2]; MAX_CHANNELS],
}

impl Band {
    /// A band at 1 kHz that does nothing.
    pub fn new(shape: Shape, sample_rate: f32, tick: usize) -> Band {
        let mut band = Band {
            shape,
            sample_rate: f64::from(sample_rate),
            tick,
            setting: [0.0; 3],
            g: Ramp::default(),
            k: Ramp::default(),
            m: [Ramp::default(); 3],
            state: [[0.0; 2]; MAX_CHANNELS],
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
        if setting == self.setting {
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
        for state in self.state.iter_mut().flatten() {
            if state.abs() < SILENCE {
                *state = 0.0;
            }
        }
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
            self.state = [[0.0; 2]; MAX_CHANNELS];
            return;
        }
        let still = [&self.g, &self.k, &self.m[0], &self.m[1], &self.m[2]].into_iter().all(Ramp::is_still);
        match (channels, still) {
            (1, true) => self.run_still::<1>(work, count),
            (1, false) => self.run_moving::<1>(work, count, offset),
            (_, true) => self.run_still::<MAX_CHANNELS>(work, count),
            (_, false) => self.run_moving::<MAX_CHANNELS>(work, count, offset),
        }
    }

    fn run_still<const CHANNELS: usize>(&mut self, work: &mut Work, count: usize) {
        let step = self.step_at(0);
        for i in 0..count.min(MAX_TICK) {
            for (samples, state) in work.iter_mut().zip(&mut self.state).take(CHANNELS) {
                samples[i] = step.run(samples[i], state);
            }
        }
    }

    fn run_moving<const CHANNELS: usize>(&mut self, work: &mut Work, count: usize, offset: usize) {
        for i in 0..count.min(MAX_TICK) {
            let step = self.step_at(offset + i);
            for (samples, state) in work.iter_mut().zip(&mut self.state).take(CHANNELS) {
                samples[i] = step.run(samples[i], state);
            }
        }
    }

    fn step_at(&self, at: usize) -> Step {
        let (g, k) = (self.g.at(at), self.k.at(at));
        let a1 = 1.0 / (1.0 + g * (g + k));
        Step { a: [a1, g * a1, g * g * a1], m: [self.m[0].at(at), self.m[1].at(at), self.m[2].at(at)] }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.state = [[0.0; 2]; MAX_CHANNELS];
    }
}

/// The filter at one sample: Simper's a1 to a3, and the shares of what is added to the input.
#[derive(Clone, Copy)]
struct Step {
    a: [f64; 3],
    m: [f64; 3],
}

impl Step {
    #[inline(always)]
    fn run(&self, v0: f64, [low, high]: &mut [f64; 2]) -> f64 {
        let v3 = v0 - *high;
        let band = self.a[0] * *low + self.a[1] * v3;
        let lowpass = *high + self.a[1] * *low + self.a[2] * v3;
        *low = 2.0 * band - *low;
        *high = 2.0 * lowpass - *high;
        v0 + self.m[0] * v0 + self.m[1] * band + self.m[2] * lowpass
    }
}
