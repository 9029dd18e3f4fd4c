//! The peak between the samples: what a converter will make of them (ITU-R BS.1770-5, annex 2).
//!
//! The signal is interpolated at several points between two samples with a Kaiser-windowed sinc. Eight at 44.1 and
//! 48 kHz, because four read up to 0.5 dB too little at 20 kHz.

use super::glide::MAX_TICK;
use super::level::larger;
use super::quad::Quad;
use crate::sinc::kaiser;
use std::f64::consts::PI;

/// Samples that one interpolated point is made of at most: above 56 kHz, where the standard's reading is sharpest.
pub const TAPS: usize = 24;

/// The same up to 56 kHz.
const FEW_TAPS: usize = 16;

/// Shape of the Kaiser window.
const BETA: f64 = 6.0;

/// Samples by which a reading lags the newest sample: it lies between the middle taps.
pub const DELAY: usize = TAPS / 2;

/// Largest sum of the magnitudes of a phase's taps: no interpolated point exceeds this times the largest sample.
/// Measured in the tests.
pub const MAX_OVERSHOOT: f32 = 2.5;

/// Pairs of samples around a point, the nearest first.
const PAIRS: usize = TAPS / 2;

/// Points strictly between a sample and the middle to the next one, at most; each has a mirror image.
const MAX_POINTS: usize = 3;

/// Readings that are computed together.
const TOGETHER: usize = 4;

/// Reads the true peak of one channel.
///
/// A point and its mirror image see the same pairs of samples, with the taps of each pair exchanged. So what the pairs'
/// sums and differences make is computed once for both: the two points are its sum and its difference, and the larger
/// magnitude is the sum of both magnitudes.
#[derive(Clone, Debug)]
pub struct TruePeak {
    /// For each pair, the half sums and the half differences of its taps at each point, and the taps in the middle.
    even: [[Quad; MAX_POINTS]; PAIRS],
    odd: [[Quad; MAX_POINTS]; PAIRS],
    middle: [Quad; PAIRS],
    /// Points besides the middle, pairs that are made use of, and whether the middle is looked at.
    points: usize,
    pairs: usize,
    between: bool,
    /// The last samples, then the newest ones, then room.
    samples: [f32; HISTORY + MAX_TICK + TOGETHER],
    /// The readings of the newest ones.
    peaks: [f32; MAX_TICK + TOGETHER],
}

/// Samples before the newest that a reading needs.
const HISTORY: usize = TAPS - 1;

impl TruePeak {
    /// A reader for a sample rate in Hz.
    pub fn new(sample_rate: f32) -> TruePeak {
        let phases = match sample_rate {
            rate if rate < 56_000.0 => 8,
            rate if rate < 112_000.0 => 4,
            rate if rate < 224_000.0 => 2,
            _ => 1,
        };
        let pairs = if phases == 8 { FEW_TAPS / 2 } else { PAIRS };
        let mut reader = TruePeak {
            even: [[Quad::zero(); MAX_POINTS]; PAIRS],
            odd: [[Quad::zero(); MAX_POINTS]; PAIRS],
            middle: [Quad::zero(); PAIRS],
            points: (phases / 2usize).saturating_sub(1),
            pairs,
            between: phases > 1,
            samples: [0.0; HISTORY + MAX_TICK + TOGETHER],
            peaks: [0.0; MAX_TICK + TOGETHER],
        };
        for point in 0..reader.points {
            let taps = taps(pairs, (point + 1) as f64 / phases as f64);
            for (pair, [near, far]) in taps.into_iter().enumerate() {
                reader.even[pair][point] = Quad::all((0.5 * (near + far)) as f32);
                reader.odd[pair][point] = Quad::all((0.5 * (near - far)) as f32);
            }
        }
        for (middle, [near, far]) in reader.middle.iter_mut().zip(taps(pairs, 0.5)) {
            *middle = Quad::all((0.5 * (near + far)) as f32);
        }
        reader
    }

    /// Takes in samples, at most [`MAX_TICK`], and reads after each of them the largest magnitude from the sample
    /// [`DELAY`] before it up to the next one, that one not included. Where that cannot exceed `least`, it may read 0.
    pub fn read(&mut self, samples: &[f64], least: f32) -> &[f32] {
        let count = samples.len().min(MAX_TICK);
        for (kept, x) in self.samples[HISTORY..].iter_mut().zip(&samples[..count]) {
            *kept = x.clamp(-1e12, 1e12) as f32;
        }
        for start in (0..count).step_by(TOGETHER) {
            let heard = &self.samples[start..start + HISTORY + TOGETHER];
            let largest = heard
                .chunks_exact(4)
                .fold(Quad::zero(), |most, x| most.max(Quad::new([x[0], x[1], x[2], x[3]]).abs()));
            let [a, b, c, d] = largest.get();
            let rest = heard.chunks_exact(4).remainder().iter().fold(0.0, |most, x| larger(most, x.abs()));
            let largest = larger(larger(larger(a, b), larger(c, d)), rest);
            let peaks =
                if largest * MAX_OVERSHOOT > least { self.peaks_from(start).get() } else { [0.0; TOGETHER] };
            self.peaks[start..start + TOGETHER].copy_from_slice(&peaks);
        }
        self.samples.copy_within(count..count + HISTORY, 0);
        &self.peaks[..count]
    }

    /// The readings after sample `start` and the following ones.
    #[inline(always)]
    fn peaks_from(&self, start: usize) -> Quad {
        let samples = |at: usize| {
            let x = &self.samples[start + at..start + at + TOGETHER];
            Quad::new([x[0], x[1], x[2], x[3]])
        };
        let mut peak = samples(PAIRS - 1).abs();
        if !self.between {
            return peak;
        }
        let mut middle = Quad::zero();
        let mut even = [Quad::zero(); MAX_POINTS];
        let mut odd = [Quad::zero(); MAX_POINTS];
        for pair in 0..self.pairs {
            let (before, after) = (samples(PAIRS - 1 - pair), samples(PAIRS + pair));
            let (sum, difference) = (before + after, before - after);
            middle = middle + self.middle[pair] * sum;
            // A full set of points is the usual one; the compiler unrolls it.
            if self.points == MAX_POINTS {
                for point in 0..MAX_POINTS {
                    even[point] = even[point] + self.even[pair][point] * sum;
                    odd[point] = odd[point] + self.odd[pair][point] * difference;
                }
            } else {
                even[0] = even[0] + self.even[pair][0] * sum;
                odd[0] = odd[0] + self.odd[pair][0] * difference;
            }
        }
        peak = peak.max(middle.abs());
        for (even, odd) in even.into_iter().zip(odd) {
            peak = peak.max(even.abs() + odd.abs());
        }
        peak
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.samples = [0.0; HISTORY + MAX_TICK + TOGETHER];
    }
}

/// For each pair of samples, nearest first, how much each of them contributes to the point `shift` of the way from the
/// earlier of the nearest pair to the later.
fn taps(pairs: usize, shift: f64) -> Vec<[f64; 2]> {
    // Distance in samples.
    let tap = |x: f64| {
        let sinc = if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let t = x / pairs as f64;
        sinc * kaiser(t, BETA)
    };
    let raw: Vec<[f64; 2]> =
        (0..pairs).map(|pair| [tap(pair as f64 + shift), tap(pair as f64 + 1.0 - shift)]).collect();
    let sum: f64 = raw.iter().flatten().sum();
    raw.into_iter().map(|pair| pair.map(|tap| tap / sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_set_of_taps_exceeds_the_bound() {
        for (pairs, phases) in [(FEW_TAPS / 2, 8), (PAIRS, 4), (PAIRS, 2)] {
            for phase in 0..phases {
                let sum: f64 =
                    taps(pairs, phase as f64 / phases as f64).iter().flatten().map(|x| x.abs()).sum();
                assert!(sum < f64::from(MAX_OVERSHOOT), "{sum}");
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
            for part in 0..40 {
                let samples: Vec<f64> = (100 * part..100 * (part + 1))
                    .map(|n| (2.0 * PI * hz * f64::from(n) / f64::from(rate) + PI / 4.0).sin())
                    .collect();
                let read = reader.read(&samples, 0.0).iter().copied().fold(0.0, larger);
                // The beginning is a click, which peaks by itself.
                if part > 0 {
                    peak = peak.max(read);
                }
            }
            let db = 20.0 * peak.log10();
            assert!(db.abs() < 0.1, "{hz} Hz at {rate}: {db} dB");
        }
    }

    /// Every reading is that of the plain sum over all taps at all points, however the samples come.
    #[test]
    fn readings_are_those_of_the_plain_sums() {
        let mut state = 7u32;
        let samples: Vec<f64> = (0..2_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state) / f64::from(u32::MAX) - 0.5
            })
            .collect();
        for (rate, phases, pairs) in
            [(48_000.0, 8, FEW_TAPS / 2), (96_000.0, 4, PAIRS), (192_000.0, 2, PAIRS)]
        {
            let (mut whole, mut cut) = (TruePeak::new(rate), TruePeak::new(rate));
            let mut readings = Vec::new();
            samples.chunks(200).for_each(|part| readings.extend_from_slice(whole.read(part, 0.0)));
            let mut again = Vec::new();
            for (part, least) in samples.chunks(7).zip([0.0, 0.2].into_iter().cycle()) {
                again.extend_from_slice(cut.read(part, least));
            }
            assert_eq!(readings, again, "at {rate} Hz");
            for n in 2 * TAPS..samples.len() {
                let before = n - DELAY;
                let mut wanted = samples[before].abs();
                for phase in 1..phases {
                    let taps = taps(pairs, f64::from(phase) / f64::from(phases));
                    let point = |(pair, [near, far]): (usize, &[f64; 2])| {
                        near * samples[before - pair] + far * samples[before + 1 + pair]
                    };
                    wanted = wanted.max(taps.iter().enumerate().map(point).sum::<f64>().abs());
                }
                assert!((f64::from(readings[n]) - wanted).abs() < 1e-5, "{} not {wanted}", readings[n]);
            }
        }
    }
}
