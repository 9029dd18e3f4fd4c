//! The peak between the samples: what a converter will make of them (ITU-R BS.1770-5, annex 2).
//!
//! The signal is interpolated at several points between two samples with a Kaiser-windowed sinc. Eight at 44.1 and
//! 48 kHz, because four read up to 0.5 dB too little at 20 kHz.

use std::f64::consts::PI;

/// Samples that one interpolated point is made of at most: above 56 kHz, where the standard's reading is sharpest.
pub const TAPS: usize = 24;

/// The same up to 56 kHz.
const FEW_TAPS: usize = 16;

/// Most points a sample.
const MAX_PHASES: usize = 8;

/// Shape of the Kaiser window.
const BETA: f64 = 6.0;

/// Samples by which a reading lags the newest sample: it lies between the middle taps.
pub const DELAY: usize = TAPS / 2;

/// Largest sum of the magnitudes of a phase's taps: no interpolated point exceeds this times the largest sample.
/// Measured in the tests.
pub const MAX_OVERSHOOT: f32 = 2.5;

/// Reads the true peak of one channel, sample by sample.
#[derive(Clone, Debug)]
pub struct TruePeak {
    /// For each sample of the window, what it contributes to each point; unused points repeat the first.
    taps: [[f32; MAX_PHASES]; TAPS],
    /// The last samples twice in a row, so that any `TAPS` of them are contiguous.
    history: [f32; 2 * TAPS],
    next: usize,
    /// Taps left out at either end.
    skipped: usize,
}

impl TruePeak {
    /// A reader for a sample rate in Hz.
    pub fn new(sample_rate: f32) -> TruePeak {
        let phases = match sample_rate {
            rate if rate < 56_000.0 => 8,
            rate if rate < 112_000.0 => 4,
            rate if rate < 224_000.0 => 2,
            _ => 1,
        };
        let count = if phases == MAX_PHASES { FEW_TAPS } else { TAPS };
        let half = (count / 2) as f64;
        let mut taps = [[0.0; MAX_PHASES]; TAPS];
        for phase in 0..MAX_PHASES {
            let shift = (phase % phases) as f64 / phases as f64;
            let raw: [f64; TAPS] = std::array::from_fn(|n| {
                // Distance of the tap from the point, in samples.
                let x = n as f64 - (DELAY - 1) as f64 - shift;
                let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
                let t = x / half;
                if t.abs() > 1.0 {
                    return 0.0;
                }
                sinc * bessel(BETA * (1.0 - t * t).max(0.0).sqrt()) / bessel(BETA)
            });
            let sum: f64 = raw.iter().sum();
            for (taps, raw) in taps.iter_mut().zip(raw) {
                taps[phase] = (raw / sum) as f32;
            }
        }
        TruePeak { taps, history: [0.0; 2 * TAPS], next: 0, skipped: (TAPS - count) / 2 }
    }

    /// Takes in a sample.
    #[inline(always)]
    pub fn push(&mut self, x: f32) {
        self.history[self.next] = x;
        self.history[self.next + TAPS] = x;
        self.next = (self.next + 1) % TAPS;
    }

    /// The largest magnitude from the sample [`DELAY`] before the newest up to the one after it.
    #[inline(always)]
    pub fn read(&self) -> f32 {
        let mut points = [0.0f32; MAX_PHASES];
        let window = &self.history[self.next..self.next + TAPS];
        let used = self.skipped..TAPS - self.skipped;
        for (x, taps) in window[used.clone()].iter().zip(&self.taps[used]) {
            for (point, tap) in points.iter_mut().zip(taps) {
                *point += x * tap;
            }
        }
        // In a tree, and with the comparison that a processor has an instruction for.
        let larger = |a: f32, b: f32| if a > b { a } else { b };
        let [a, b, c, d, e, f, g, h] = points.map(f32::abs);
        larger(larger(larger(a, e), larger(b, f)), larger(larger(c, g), larger(d, h)))
    }

    /// The largest magnitude of the samples in the window. No reading exceeds it by more than [`MAX_OVERSHOOT`].
    pub fn largest(&self) -> f32 {
        self.history[..TAPS].iter().fold(0.0, |peak: f32, x| peak.max(x.abs()))
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.history = [0.0; 2 * TAPS];
        self.next = 0;
    }
}

/// Modified Bessel function of the first kind, order 0, by its series.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..40 {
        term *= (0.5 * x / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_set_of_taps_exceeds_the_bound() {
        for rate in [44_100.0, 96_000.0, 192_000.0] {
            let reader = TruePeak::new(rate);
            for phase in 0..MAX_PHASES {
                let sum: f32 = reader.taps.iter().map(|taps| taps[phase].abs()).sum();
                assert!(sum < MAX_OVERSHOOT, "{sum}");
            }
        }
    }

    #[test]
    fn a_sine_between_the_samples_is_read_to_a_tenth_of_a_decibel() {
        for (rate, hz) in [
            (48_000.0, 12_000.0),
            (44_100.0, 11_025.0),
            (48_000.0, 997.0),
            (96_000.0, 24_000.0),
            (48_000.0, 18_000.0),
        ] {
            let mut reader = TruePeak::new(rate);
            let mut peak = 0.0f32;
            for n in 0..4_000 {
                let x = (2.0 * PI * hz * f64::from(n) / f64::from(rate) + PI / 4.0).sin();
                reader.push(x as f32);
                let read = reader.read();
                // The beginning is a click, which peaks by itself.
                if n > 100 {
                    peak = peak.max(read);
                }
            }
            let db = 20.0 * peak.log10();
            assert!(db.abs() < 0.1, "{hz} Hz at {rate}: {db} dB");
        }
    }
}
