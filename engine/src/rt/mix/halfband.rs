//! Doubling and halving the sample rate without delay: half-band filters made of two chains of all-passes.
//!
//! A half-band low-pass is the mean of two all-pass chains in z², one of them a sample late, so that doubling and
//! halving cost half a chain a sample each (R. Valenzuela & A. Constantinides, "Digital signal processing schemes for
//! efficient interpolation and decimation", IEE Proc. G 130(6), 1983). The coefficients are those of an elliptic
//! filter, from the same paper's closed form. Phase is not linear; what goes through here is distortion, not the sound
//! itself, so nobody hears that, while a linear-phase filter would delay.

use super::lanes::Lanes;
use std::f64::consts::PI;

/// The all-pass coefficients of an elliptic half-band filter of `ORDER` all-passes whose transition band is
/// `transition` wide, as a share of the higher sample rate; it lies around a quarter of that.
pub fn design<const ORDER: usize>(transition: f64) -> [f64; ORDER] {
    // Modulus of the elliptic functions and their nome q.
    let k = ((1.0 - 2.0 * transition) * PI / 4.0).tan().powi(2);
    let root = (1.0 - k * k).sqrt().sqrt();
    let e = 0.5 * (1.0 - root) / (1.0 + root);
    let e4 = e.powi(4);
    let q = e * (1.0 + e4 * (2.0 + e4 * (15.0 + 150.0 * e4)));
    let poles = 2.0 * ORDER as f64 + 1.0;
    std::array::from_fn(|i| {
        let angle = (i + 1) as f64 * PI / poles;
        // Theta functions as their series, which converge within a few terms.
        let (mut above, mut below) = (0.0, 0.5);
        for n in 0..8 {
            let sign = if n % 2 == 0 { 1.0 } else { -1.0 };
            let n = f64::from(n);
            above += sign * q.powf(n * (n + 1.0)) * ((2.0 * n + 1.0) * angle).sin();
            below -= sign * q.powf((n + 1.0) * (n + 1.0)) * (2.0 * (n + 1.0) * angle).cos();
        }
        let w = q.sqrt().sqrt() * above / below;
        let w2 = w * w;
        let x = ((1.0 - w2 * k) * (1.0 - w2 / k)).sqrt() / (1.0 + w2);
        (1.0 - x) / (1.0 + x)
    })
}

/// The two chains' memory, for one direction: what went into each all-pass one sample (of the lower rate) ago; the
/// even ones make the first chain, the odd ones the second. What came out of one is what went into the next.
#[derive(Clone, Copy, Debug)]
struct Chains<const ORDER: usize> {
    inputs: [Lanes; ORDER],
    ends: [Lanes; 2],
}

impl<const ORDER: usize> Chains<ORDER> {
    fn silent() -> Self {
        Chains { inputs: [Lanes::zero(); ORDER], ends: [Lanes::zero(); 2] }
    }

    /// Runs both chains, on a sample each.
    #[inline(always)]
    fn run(&mut self, coefficients: &[Lanes; ORDER], mut x: [Lanes; 2]) -> [Lanes; 2] {
        for i in 0..ORDER {
            let chain = i % 2;
            let out_before = if i + 2 < ORDER { self.inputs[i + 2] } else { self.ends[chain] };
            let out = (x[chain] - out_before) * coefficients[i] + self.inputs[i];
            self.inputs[i] = x[chain];
            x[chain] = out;
        }
        self.ends = x;
        x
    }

    fn flush(&mut self) {
        for x in self.inputs.iter_mut().chain(&mut self.ends) {
            *x = x.flushed(1e-30);
        }
    }
}

/// A doubling of the sample rate, and the halving back.
#[derive(Clone, Copy, Debug)]
pub struct HalfBand<const ORDER: usize> {
    coefficients: [Lanes; ORDER],
    up: Chains<ORDER>,
    down: Chains<ORDER>,
}

impl<const ORDER: usize> HalfBand<ORDER> {
    /// See [`design`] for `transition`.
    pub fn new(transition: f64) -> Self {
        let coefficients = design::<ORDER>(transition).map(Lanes::both);
        HalfBand { coefficients, up: Chains::silent(), down: Chains::silent() }
    }

    /// Two samples for one.
    #[inline(always)]
    pub fn double(&mut self, x: Lanes) -> [Lanes; 2] {
        self.up.run(&self.coefficients, [x, x])
    }

    /// One sample for two.
    #[inline(always)]
    pub fn halve(&mut self, [first, second]: [Lanes; 2]) -> Lanes {
        let [a, b] = self.down.run(&self.coefficients, [second, first]);
        Lanes::both(0.5) * (a + b)
    }

    /// Sets what has died away to 0; call it once a tick.
    pub fn flush(&mut self) {
        self.up.flush();
        self.down.flush();
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        (self.up, self.down) = (Chains::silent(), Chains::silent());
    }
}
