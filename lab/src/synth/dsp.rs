//! Filters, oscillators and envelopes that the instruments are made of.

use std::f32::consts::{PI, TAU};

/// A second-order filter after the Audio EQ Cookbook (R. Bristow-Johnson), transposed direct form II.
#[derive(Clone, Copy, Default)]
pub struct Biquad {
    b: [f32; 3],
    a: [f32; 2],
    z: [f32; 2],
}

impl Biquad {
    /// `b` and `a` as in the cookbook, `a[0]` not yet divided out. `hz` is kept below 0.47 of the sample rate.
    fn design(
        rate: f32,
        hz: f32,
        q: f32,
        coefficients: impl FnOnce(f32, f32) -> ([f32; 3], [f32; 3]),
    ) -> Biquad {
        let w = TAU * (hz / rate).clamp(1e-5, 0.47);
        let (b, a) = coefficients(w.cos(), w.sin() / (2.0 * q.max(0.05)));
        Biquad { b: b.map(|b| b / a[0]), a: [a[1] / a[0], a[2] / a[0]], z: [0.0; 2] }
    }

    /// Low pass.
    pub fn low_pass(rate: f32, hz: f32, q: f32) -> Biquad {
        Self::design(rate, hz, q, |c, alpha| {
            ([(1.0 - c) / 2.0, 1.0 - c, (1.0 - c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
        })
    }

    /// High pass.
    pub fn high_pass(rate: f32, hz: f32, q: f32) -> Biquad {
        Self::design(rate, hz, q, |c, alpha| {
            ([(1.0 + c) / 2.0, -1.0 - c, (1.0 + c) / 2.0], [1.0 + alpha, -2.0 * c, 1.0 - alpha])
        })
    }

    /// Band pass with gain 1 at its centre.
    pub fn band_pass(rate: f32, hz: f32, q: f32) -> Biquad {
        Self::design(rate, hz, q, |c, alpha| ([alpha, 0.0, -alpha], [1.0 + alpha, -2.0 * c, 1.0 - alpha]))
    }

    /// Bell of `db` at its centre.
    pub fn bell(rate: f32, hz: f32, q: f32, db: f32) -> Biquad {
        let g = 10f32.powf(db / 40.0);
        Self::design(rate, hz, q, |c, alpha| {
            ([1.0 + alpha * g, -2.0 * c, 1.0 - alpha * g], [1.0 + alpha / g, -2.0 * c, 1.0 - alpha / g])
        })
    }

    /// Shelf of `db` above `hz`.
    pub fn high_shelf(rate: f32, hz: f32, db: f32) -> Biquad {
        let g = 10f32.powf(db / 40.0);
        Self::design(rate, hz, std::f32::consts::FRAC_1_SQRT_2, |c, alpha| {
            let s = 2.0 * g.sqrt() * alpha;
            (
                [
                    g * ((g + 1.0) + (g - 1.0) * c + s),
                    -2.0 * g * ((g - 1.0) + (g + 1.0) * c),
                    g * ((g + 1.0) + (g - 1.0) * c - s),
                ],
                [
                    (g + 1.0) - (g - 1.0) * c + s,
                    2.0 * ((g - 1.0) - (g + 1.0) * c),
                    (g + 1.0) - (g - 1.0) * c - s,
                ],
            )
        })
    }

    /// Filters one sample.
    pub fn tick(&mut self, x: f32) -> f32 {
        let y = self.b[0] * x + self.z[0];
        self.z[0] = self.b[1] * x - self.a[0] * y + self.z[1];
        self.z[1] = self.b[2] * x - self.a[1] * y;
        y
    }

    /// Filters in place.
    pub fn run(mut self, samples: &mut [f32]) {
        samples.iter_mut().for_each(|x| *x = self.tick(*x));
    }
}

/// A state-variable filter whose cutoff may change with every sample (Zavalishin 2012, topology-preserving transform).
#[derive(Clone, Copy, Default)]
pub struct Sweep {
    s: [f32; 2],
}

/// The outputs of a [`Sweep`].
pub struct Bands {
    /// Below the cutoff.
    pub low: f32,
    /// Around it, gain 1 at the centre.
    pub band: f32,
    /// Above it.
    pub high: f32,
}

impl Sweep {
    /// Filters one sample with this cutoff in Hz and this quality.
    pub fn tick(&mut self, x: f32, rate: f32, hz: f32, q: f32) -> Bands {
        let g = (PI * (hz / rate).clamp(1e-5, 0.47)).tan();
        let k = 1.0 / q.max(0.1);
        let high = (x - (g + k) * self.s[0] - self.s[1]) / (1.0 + g * (g + k));
        let band = g * high + self.s[0];
        let low = g * band + self.s[1];
        self.s = [g * high + band, g * band + low];
        Bands { low, band: band * k, high }
    }
}

/// A phase that runs from 0 to 1 once a period, with corners rounded by a two-sample polynomial (PolyBLEP), so that
/// waves with steps do not alias audibly.
#[derive(Clone, Copy)]
pub struct Wave {
    phase: f32,
}

impl Wave {
    /// Starts at this phase, `0..1`.
    pub fn new(phase: f32) -> Wave {
        Wave { phase: phase.fract() }
    }

    fn advance(&mut self, step: f32) -> f32 {
        let phase = self.phase;
        self.phase += step;
        self.phase -= self.phase.floor();
        phase
    }

    /// Sawtooth, falling, of this frequency as a share of the sample rate.
    pub fn saw(&mut self, step: f32) -> f32 {
        let phase = self.advance(step);
        1.0 - 2.0 * phase + blep(phase, step)
    }

    /// Pulse that is high for this share of its period.
    pub fn pulse(&mut self, step: f32, width: f32) -> f32 {
        let phase = self.advance(step);
        let falling = (phase + 1.0 - width).fract();
        (if phase < width { 1.0 } else { -1.0 }) + blep(phase, step) - blep(falling, step)
    }

    /// Triangle.
    pub fn triangle(&mut self, step: f32) -> f32 {
        4.0 * (self.advance(step) - 0.5).abs() - 1.0
    }

    /// Sine.
    pub fn sine(&mut self, step: f32) -> f32 {
        (TAU * self.advance(step)).sin()
    }
}

/// Residual that rounds an upward step at phase 0.
fn blep(phase: f32, step: f32) -> f32 {
    if phase < step {
        let t = phase / step;
        2.0 * t - t * t - 1.0
    } else if phase > 1.0 - step {
        let t = (phase - 1.0) / step;
        t * t + 2.0 * t + 1.0
    } else {
        0.0
    }
}

/// Attack, decay, sustain and release, in seconds and as a share.
#[derive(Clone, Copy)]
pub struct Adsr {
    /// Rise from 0 to 1.
    pub attack: f32,
    /// Time constant of the fall towards `sustain`.
    pub decay: f32,
    /// Level while held.
    pub sustain: f32,
    /// Time constant of the fall after release.
    pub release: f32,
}

impl Adsr {
    /// Level `t` seconds after the start of a note that is held for `held` seconds.
    pub fn at(&self, t: f32, held: f32) -> f32 {
        let holding = |t: f32| {
            if t < self.attack {
                t / self.attack
            } else {
                self.sustain + (1.0 - self.sustain) * (-(t - self.attack) / self.decay.max(1e-4)).exp()
            }
        };
        if t < held { holding(t) } else { holding(held) * (-(t - held) / self.release.max(1e-4)).exp() }
    }

    /// How long the note sounds in seconds, to 50 dB below its level at release.
    pub fn length(&self, held: f32) -> f32 {
        held + 5.8 * self.release
    }
}

/// A decaying sine as a rotating vector: one multiplication a sample.
#[derive(Clone, Copy)]
pub struct Mode {
    re: f32,
    im: f32,
    turn: (f32, f32),
}

impl Mode {
    /// A mode of this frequency and amplitude that falls by 60 dB in `t60` seconds, starting at a zero crossing.
    pub fn new(rate: f32, hz: f32, amplitude: f32, t60: f32) -> Mode {
        let mut mode = Mode { re: amplitude, im: 0.0, turn: (0.0, 0.0) };
        mode.set(rate, hz, t60);
        mode
    }

    /// Changes frequency and decay.
    pub fn set(&mut self, rate: f32, hz: f32, t60: f32) {
        let radius = (-6.908 / (t60.max(1e-3) * rate)).exp();
        let angle = TAU * (hz / rate).min(0.49);
        self.turn = (radius * angle.cos(), radius * angle.sin());
    }

    /// The next sample.
    pub fn tick(&mut self) -> f32 {
        let (re, im) = (self.re, self.im);
        self.re = re * self.turn.0 - im * self.turn.1;
        self.im = re * self.turn.1 + im * self.turn.0;
        im
    }

    /// Present amplitude squared.
    pub fn power(&self) -> f32 {
        self.re * self.re + self.im * self.im
    }
}

/// Number of samples in this many seconds.
pub fn samples(seconds: f32, rate: f32) -> usize {
    (seconds.max(0.0) * rate).round() as usize
}

/// Gain for this many decibels.
pub fn gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// Root mean square, 0 of nothing.
pub fn rms(samples: &[f32]) -> f32 {
    let sum: f64 = samples.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    (sum / samples.len().max(1) as f64).sqrt() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(mut filter: Biquad, hz: f32) -> f32 {
        let rate = 48_000.0;
        let (mut re, mut im) = (0.0, 0.0);
        for n in 0..48_000 {
            let h = filter.tick(if n == 0 { 1.0 } else { 0.0 });
            let angle = TAU * hz * n as f32 / rate;
            re += h * angle.cos();
            im += h * angle.sin();
        }
        20.0 * (re * re + im * im).sqrt().log10()
    }

    #[test]
    fn filters_have_the_gains_they_are_designed_for() {
        let butterworth = std::f32::consts::FRAC_1_SQRT_2;
        assert!((response(Biquad::low_pass(48e3, 1000.0, butterworth), 1000.0) + 3.01).abs() < 0.05);
        assert!(response(Biquad::low_pass(48e3, 1000.0, butterworth), 8000.0) < -34.0);
        assert!((response(Biquad::high_pass(48e3, 1000.0, butterworth), 1000.0) + 3.01).abs() < 0.05);
        assert!((response(Biquad::bell(48e3, 2000.0, 1.0, 6.0), 2000.0) - 6.0).abs() < 0.05);
        assert!((response(Biquad::high_shelf(48e3, 2000.0, -9.0), 20_000.0) + 9.0).abs() < 0.1);
        assert!(response(Biquad::band_pass(48e3, 3000.0, 2.0), 3000.0).abs() < 0.05);
    }

    #[test]
    fn modes_decay_by_60_db_in_their_time_and_keep_their_pitch() {
        let mut mode = Mode::new(48e3, 440.0, 1.0, 0.5);
        let sound: Vec<f32> = (0..24_000).map(|_| mode.tick()).collect();
        assert!((10.0 * mode.power().log10() + 60.0).abs() < 0.2, "{}", mode.power());
        let crossings = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
        assert!((218..=221).contains(&crossings), "{crossings}");
    }

    #[test]
    fn a_saw_has_no_audible_alias() {
        // A saw at 3.1 kHz: everything that is not a harmonic is alias. Goertzel at a place where the naive saw folds.
        let (rate, hz) = (48e3_f32, 3100.0_f32);
        let mut wave = Wave::new(0.0);
        let sound: Vec<f32> = (0..48_000).map(|_| wave.saw(hz / rate)).collect();
        let level = |at: f32| {
            let (mut re, mut im) = (0.0, 0.0);
            for (n, x) in sound.iter().enumerate() {
                let angle = f64::from(TAU) * f64::from(at) * n as f64 / f64::from(rate);
                re += f64::from(*x) * angle.cos();
                im += f64::from(*x) * angle.sin();
            }
            20.0 * (2.0 * re.hypot(im) / 48e3).log10()
        };
        assert!((level(3100.0) - 20.0 * (2.0 / std::f64::consts::PI).log10()).abs() < 1.0);
        // Harmonic 16 lies at 49.6 kHz and folds to 1.6 kHz; unrounded it would lie at -27 dB.
        assert!(level(1600.0) < -50.0, "{}", level(1600.0));
    }
}
