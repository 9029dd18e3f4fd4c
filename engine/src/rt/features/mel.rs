//! Forty triangles on the mel scale, and decibels.
//!
//! The scale is that of the Hidden Markov Toolkit, `mel = 2595 log10(1 + f/700)` (Young et al., The HTK Book, 5.4). Band
//! centres are equally spaced on it between 50 Hz and 8 kHz; a triangle is linear in Hz, 1 at its centre and 0 at its
//! neighbours' centres. Only the bins under a triangle are stored and added.

use super::{HIGHEST_HZ, LOWEST_HZ, MEL_BANDS, POWER_FLOOR};

/// Sums run in this many lanes, which the compiler turns into vectors.
pub const LANES: usize = 8;

/// HTK mel of a frequency in Hz.
pub fn hz_to_mel(hz: f32) -> f32 {
    2595.0 * (1.0 + hz / 700.0).log10()
}

/// Frequency in Hz of an HTK mel value.
pub fn mel_to_hz(mel: f32) -> f32 {
    700.0 * (10f32.powf(mel / 2595.0) - 1.0)
}

/// Centre of band `i` in Hz; 0 is the lower end of the first band and [`MEL_BANDS`]` + 1` the upper end of the last.
pub fn edge_hz(i: usize) -> f32 {
    let (low, high) = (hz_to_mel(LOWEST_HZ), hz_to_mel(HIGHEST_HZ));
    mel_to_hz(low + (high - low) * i as f32 / (MEL_BANDS + 1) as f32)
}

/// One triangle: where its bins start, and where its weights (padded with zeros to whole lanes) lie.
#[derive(Clone, Copy, Default)]
struct Band {
    first_bin: usize,
    weights: usize,
    padded: usize,
}

/// The filterbank for one bin width.
pub struct MelFilters {
    bands: [Band; MEL_BANDS],
    weights: Vec<f32>,
    /// Sum of each band's weights, in bins.
    sizes: [f32; MEL_BANDS],
    present: usize,
}

impl MelFilters {
    /// For `bins` bins of width `bin_hz`, bin 0 at 0 Hz. Bands whose centre lies above the last bin are absent.
    pub fn new(bin_hz: f32, bins: usize) -> MelFilters {
        let mut filters = MelFilters {
            bands: [Band::default(); MEL_BANDS],
            weights: Vec::new(),
            sizes: [0.0; MEL_BANDS],
            present: 0,
        };
        let nyquist = (bins.max(1) - 1) as f32 * bin_hz;
        for i in 0..MEL_BANDS {
            let (low, centre, high) = (edge_hz(i), edge_hz(i + 1), edge_hz(i + 2));
            if centre > nyquist {
                break;
            }
            let weight = |bin: usize| {
                let hz = bin as f32 * bin_hz;
                ((hz - low) / (centre - low)).min((high - hz) / (high - centre)).max(0.0)
            };
            let under = (0..bins).filter(|&bin| weight(bin) > 0.0);
            let first_bin = under.clone().next().unwrap_or(0);
            let start = filters.weights.len();
            filters.weights.extend(under.map(weight));
            filters.sizes[i] = filters.weights[start..].iter().sum();
            let padded = (filters.weights.len() - start).next_multiple_of(LANES);
            filters.weights.resize(start + padded, 0.0);
            filters.bands[i] = Band { first_bin, weights: start, padded };
            filters.present = i + 1;
        }
        filters
    }

    /// Number of bands, from the lowest up, that the sample rate can carry.
    pub fn present(&self) -> usize {
        self.present
    }

    /// Sum of the weights of each present band: how many bins' worth of power it holds.
    pub fn sizes(&self) -> &[f32] {
        &self.sizes[..self.present]
    }

    /// Power in each band; 0 for absent ones. `power` must hold [`LANES`] zeros after its last bin.
    #[inline(always)]
    pub fn apply(&self, power: &[f32], out: &mut [f32; MEL_BANDS]) {
        // The lanes are added up for all bands at once, at the end.
        let mut lanes = [[0.0; LANES]; MEL_BANDS];
        for (lanes, band) in lanes.iter_mut().zip(&self.bands) {
            let weights = self.weights.get(band.weights..band.weights + band.padded);
            let bins = power.get(band.first_bin..band.first_bin + band.padded);
            *lanes = products(weights.unwrap_or(&[]), bins.unwrap_or(&[]));
        }
        for (out, lanes) in out.iter_mut().zip(&lanes) {
            *out = add_up(lanes);
        }
    }
}

/// Sum of products over slices whose length is a multiple of [`LANES`].
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    add_up(&products(a, b))
}

/// Products, added up in lanes.
#[inline(always)]
fn products(a: &[f32], b: &[f32]) -> [f32; LANES] {
    let mut lanes = [0.0f32; LANES];
    for (a, b) in a.chunks_exact(LANES).zip(b.chunks_exact(LANES)) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes
}

#[inline(always)]
fn add_up(lanes: &[f32; LANES]) -> f32 {
    let half: [f32; LANES / 2] = std::array::from_fn(|i| lanes[i] + lanes[i + LANES / 2]);
    (half[0] + half[2]) + (half[1] + half[3])
}

/// `10 log10(power + 1e-10)` of each band, within 1e-4 dB.
#[inline(always)]
pub fn to_db(power: &[f32; MEL_BANDS], db: &mut [f32; MEL_BANDS]) {
    for (db, &p) in db.iter_mut().zip(power) {
        *db = (10.0 * std::f32::consts::LOG10_2) * log2(p + POWER_FLOOR);
    }
}

/// Base-2 logarithm of a positive normal number, within 2e-6 plus rounding of the result.
///
/// The mantissa, brought to `[sqrt(1/2), sqrt(2))`, goes through `ln m = 2 artanh((m-1)/(m+1))`, whose series to the seventh power
/// is good to 4e-8 there. Branch-free, so that forty of them cost as much as two or three calls of the library's.
#[inline(always)]
pub fn log2(x: f32) -> f32 {
    const SQRT_HALF: u32 = 0x3f35_04f3;
    let shifted = x.to_bits().wrapping_sub(SQRT_HALF);
    let exponent = (shifted as i32 >> 23) as f32;
    let mantissa = f32::from_bits((shifted & 0x007f_ffff).wrapping_add(SQRT_HALF));
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let z2 = z * z;
    let artanh = z * (1.0 + z2 * (1.0 / 3.0 + z2 * (0.2 + z2 * (1.0 / 7.0))));
    exponent + (2.0 * std::f32::consts::LOG2_E) * artanh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fast_logarithm_is_as_good_as_it_says() {
        let mut worst = 0.0f64;
        for exponent in -40..40 {
            for step in 0..1000 {
                let x = (2f64.powi(exponent) * (1.0 + f64::from(step) / 1000.0)) as f32;
                let rounding = f64::from(f32::EPSILON) * f64::from(x).log2().abs();
                worst = worst.max((f64::from(log2(x)) - f64::from(x).log2()).abs() - rounding);
            }
        }
        assert!(worst < 2e-6 / 4.0, "{worst:e}");
    }

    #[test]
    fn mel_scale_goes_there_and_back() {
        assert!((hz_to_mel(1000.0) - 999.99).abs() < 0.02);
        for hz in [50.0, 440.0, 8000.0] {
            assert!((mel_to_hz(hz_to_mel(hz)) - hz).abs() < hz * 1e-5);
        }
    }

    #[test]
    fn triangles_tile_the_range() {
        let (bin_hz, bins) = (25.0, 321);
        let filters = MelFilters::new(bin_hz, bins);
        assert_eq!(filters.present(), MEL_BANDS);
        // Between the first and the last centre each bin is shared out completely: a unit there gives bands that sum to 1.
        for bin in 0..bins {
            let mut power = vec![0.0; bins + 2 * LANES];
            power[bin] = 1.0;
            let mut out = [0.0; MEL_BANDS];
            filters.apply(&power, &mut out);
            let hz = bin as f32 * bin_hz;
            let sum: f32 = out.iter().sum();
            if hz >= edge_hz(1) && hz <= edge_hz(MEL_BANDS) {
                assert!((sum - 1.0).abs() < 1e-4, "bin {bin}: {sum}");
            }
            assert!(sum <= 1.0001 && (hz > LOWEST_HZ || sum < 1e-4), "bin {bin}: {sum}");
        }
    }

    #[test]
    fn bands_above_nyquist_are_absent() {
        let filters = MelFilters::new(25.0, 161);
        assert!(edge_hz(filters.present()) <= 4000.0 && edge_hz(filters.present() + 1) > 4000.0);
    }
}
