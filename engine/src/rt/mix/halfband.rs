//! Doubling and halving the sample rate without delay: half-band filters made of two chains of all-passes.
//!
//! A half-band low-pass is the mean of two all-pass chains in z², one of them a sample late, so that doubling and
//! halving cost half a chain a sample each (R. Valenzuela & A. Constantinides, "Digital signal processing schemes for
//! efficient interpolation and decimation", IEE Proc. G 130(6), 1983). The coefficients are those of an elliptic
//! filter, from the same paper's closed form. Phase is not linear; what goes through here is distortion, not the sound
//! itself, so nobody hears that, while a linear-phase filter would delay.

use super::quad::Quad;
use std::f64::consts::PI;

/// States smaller than this (-300 dB) are set to 0, before they become denormal.
const SILENCE: f32 = 1e-15;

/// The all-pass coefficients of an elliptic half-band filter whose transition band is `transition` wide, as a share of
/// the higher sample rate; it lies around a quarter of that. Each pair is one of the first chain and one of the second.
pub fn design<const PAIRS: usize>(transition: f64) -> [[f64; 2]; PAIRS] {
    // Modulus of the elliptic functions and their nome q.
    let k = ((1.0 - 2.0 * transition) * PI / 4.0).tan().powi(2);
    let root = (1.0 - k * k).sqrt().sqrt();
    let e = 0.5 * (1.0 - root) / (1.0 + root);
    let e4 = e.powi(4);
    let q = e * (1.0 + e4 * (2.0 + e4 * (15.0 + 150.0 * e4)));
    let poles = 4.0 * PAIRS as f64 + 1.0;
    let coefficient = |i: usize| {
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
    };
    std::array::from_fn(|pair| [coefficient(2 * pair), coefficient(2 * pair + 1)])
}

/// A pair of all-passes in the form with one state, which is the shortest way from one sample to the next: what comes
/// out is `c x` and the state, which becomes `(1 - c²) x` less `c` times what it was.
#[derive(Clone, Copy, Debug)]
struct AllPass {
    c: Quad,
    rest: Quad,
}

/// The two chains' memory, for one direction, the all-passes of the first chain beside those of the second.
#[derive(Clone, Copy, Debug)]
struct Chains<const PAIRS: usize>([Quad; PAIRS]);

impl<const PAIRS: usize> Chains<PAIRS> {
    fn silent() -> Self {
        Chains([Quad::zero(); PAIRS])
    }

    /// Runs both chains, on a sample each.
    #[inline(always)]
    fn run(&mut self, pairs: &[AllPass; PAIRS], x: Quad) -> Quad {
        pairs.iter().zip(&mut self.0).fold(x, |x, (pair, state)| {
            let out = pair.c * x + *state;
            *state = pair.rest * x - pair.c * *state;
            out
        })
    }

    fn is_silent(&self) -> bool {
        self.0.iter().all(|state| state.get() == [0.0; 4])
    }

    fn flush(&mut self) {
        self.0 = self.0.map(|state| state.flushed(SILENCE));
    }
}

/// A doubling of the sample rate, and the halving back, of two channels; half as many pairs as there are all-passes.
#[derive(Clone, Copy, Debug)]
pub struct HalfBand<const PAIRS: usize> {
    pairs: [AllPass; PAIRS],
    up: Chains<PAIRS>,
    down: Chains<PAIRS>,
}

impl<const PAIRS: usize> HalfBand<PAIRS> {
    /// See [`design`] for `coefficients`.
    pub fn new(coefficients: [[f64; 2]; PAIRS]) -> Self {
        let both = |[first, second]: [f64; 2]| {
            let [first, second] = [first, second].map(|x| x as f32);
            Quad::new([first, first, second, second])
        };
        let pairs = coefficients.map(|pair| AllPass { c: both(pair), rest: both(pair.map(|c| 1.0 - c * c)) });
        HalfBand { pairs, up: Chains::silent(), down: Chains::silent() }
    }

    /// Two samples for one, which is both of `x`.
    #[inline(always)]
    pub fn double(&mut self, x: Quad) -> Quad {
        self.up.run(&self.pairs, x)
    }

    /// One sample, twice, for two.
    #[inline(always)]
    pub fn halve(&mut self, x: Quad) -> Quad {
        let chains = self.down.run(&self.pairs, x.swapped());
        Quad::all(0.5) * (chains + chains.swapped())
    }

    /// Whether nothing of the past is left.
    pub fn is_silent(&self) -> bool {
        self.up.is_silent() && self.down.is_silent()
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
