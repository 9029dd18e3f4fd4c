//! Three-band equalizer: low shelf, mid bell, high shelf.
//!
//! Each band is a linear trapezoidal state variable filter (A. Simper, "Linear Trapezoidal Integrated SVF", Cytomic
//! 2013, after Zavalishin's topology-preserving transform): its states are the integrators' own, so coefficients may
//! move at every sample without a click. The response is that of the analogue prototype with the bilinear
//! transform's warping, matched at the band's own frequency.

use super::glide::{MAX_TICK, Ramp};
use super::{MAX_CHANNELS, Work};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// Highest band frequency as a share of the sample rate. The bilinear transform has no room above Nyquist (0.5).
const MAX_FREQUENCY: f64 = 0.49;

/// Filter states smaller than this (-600 dB) are set to 0, long before they become denormal.
const SILENCE: f64 = 1e-30;

/// Q of the shelves: the steepest without a bump.
pub const SHELF_Q: f64 = FRAC_1_SQRT_2;

/// What a band does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Gain below the corner; at the corner it is half (in dB).
    LowShelf,
    /// Gain around the centre.
    Bell,
    /// Gain above the corner; at the corner it is half (in dB).
    HighShelf,
    /// Nothing below the corner, 12 dB per octave; takes no gain. For side-chains.
    HighPass,
}

/// A filter at one sample: Simper's a1 to a3, and the shares of input, band-pass and low-pass in what it adds.
struct Coefficients {
    a: [f64; 3],
    m: [f64; 3],
}

/// One band. See the [module](self).
#[derive(Clone, Debug)]
pub struct Band {
    shape: Shape,
    sample_rate: f64,
    tick: usize,
    /// Frequency in Hz, gain in dB, Q at the end of this tick.
    setting: [f64; 3],
    /// Integrator gain g = tan(pi f / fs), shelves: times or over the root of the amplitude.
    g: Ramp,
    /// Damping k.
    k: Ramp,
    /// Shares of input, band-pass and low-pass in the output; the input's is 1 + `m[0]`.
    m: [Ramp; 3],
    /// The two integrators' states of each channel.
    state: [[f64; 2]; MAX_CHANNELS],
}

impl Band {
    /// A band at 1 kHz and 0 dB.
    pub fn new(shape: Shape, sample_rate: f32, tick: usize) -> Band {
        let mut band = Band {
            shape,
            sample_rate: f64::from(sample_rate),
            tick,
            setting: [1_000.0, 0.0, SHELF_Q],
            g: Ramp::default(),
            k: Ramp::default(),
            m: [Ramp::default(); 3],
            state: [[0.0; 2]; MAX_CHANNELS],
        };
        band.jump(band.setting);
        band
    }

    /// Takes `[hz, db, q]` at once, without a glide.
    pub fn jump(&mut self, setting: [f64; 3]) {
        self.set(setting);
        self.set(setting);
    }

    /// Starts a tick at whose end the band is at `[hz, db, q]`. Also flushes states that have died away.
    pub fn set(&mut self, setting: [f64; 3]) {
        let (g, k, m) = self.design(setting);
        self.setting = setting;
        self.g.next(g, self.tick);
        self.k.next(k, self.tick);
        for (ramp, m) in self.m.iter_mut().zip(m) {
            ramp.next(m, self.tick);
        }
        for state in self.state.iter_mut().flatten() {
            if state.abs() < SILENCE {
                *state = 0.0;
            }
        }
    }

    fn design(&self, setting: [f64; 3]) -> (f64, f64, [f64; 3]) {
        if setting == self.setting && self.g.end() > 0.0 {
            return (self.g.end(), self.k.end(), self.m.map(|m| m.end()));
        }
        let [hz, db, q] = setting;
        let a = 10f64.powf(db / 40.0);
        let g = (PI * (hz / self.sample_rate).clamp(1e-6, MAX_FREQUENCY)).tan();
        let k = 1.0 / q.max(0.05);
        match self.shape {
            Shape::LowShelf => (g / a.sqrt(), k, [0.0, k * (a - 1.0), a * a - 1.0]),
            Shape::Bell => (g, k / a, [0.0, k / a * (a * a - 1.0), 0.0]),
            Shape::HighShelf => (g * a.sqrt(), k, [a * a - 1.0, k * (1.0 - a) * a, 1.0 - a * a]),
            Shape::HighPass => (g, k, [0.0, -k, -1.0]),
        }
    }

    /// Whether the band leaves every sample of this tick as it is.
    pub fn is_neutral(&self) -> bool {
        self.m.iter().all(Ramp::is_zero)
    }

    /// Filters the first `count` samples of `work`, which are those from `offset` on of the present tick, in place.
    pub fn process(&mut self, work: &mut Work, channels: usize, count: usize, offset: usize) {
        match channels {
            1 => self.run::<1>(work, count, offset),
            _ => self.run::<MAX_CHANNELS>(work, count, offset),
        }
    }

    fn run<const CHANNELS: usize>(&mut self, work: &mut Work, count: usize, offset: usize) {
        let neutral = self.is_neutral();
        let still = [&self.g, &self.k, &self.m[0], &self.m[1], &self.m[2]].into_iter().all(Ramp::is_still);
        let mut c = self.coefficients(offset);
        for i in 0..count.min(MAX_TICK) {
            if !still {
                c = self.coefficients(offset + i);
            }
            for (samples, [low, high]) in work.iter_mut().zip(&mut self.state).take(CHANNELS) {
                let v0 = samples[i];
                let v3 = v0 - *high;
                let band = c.a[0] * *low + c.a[1] * v3;
                let lowpass = *high + c.a[1] * *low + c.a[2] * v3;
                *low = 2.0 * band - *low;
                *high = 2.0 * lowpass - *high;
                if !neutral {
                    samples[i] = v0 + c.m[0] * v0 + c.m[1] * band + c.m[2] * lowpass;
                }
            }
        }
    }

    fn coefficients(&self, at: usize) -> Coefficients {
        let (g, k) = (self.g.at(at), self.k.at(at));
        let a1 = 1.0 / (1.0 + g * (g + k));
        Coefficients {
            a: [a1, g * a1, g * g * a1],
            m: [self.m[0].at(at), self.m[1].at(at), self.m[2].at(at)],
        }
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.state = [[0.0; 2]; MAX_CHANNELS];
    }
}
