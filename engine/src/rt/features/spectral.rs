//! Plain measures of a spectrum, as in the music-information-retrieval textbooks (Lerch, An Introduction to Audio Content
//! Analysis, chapter 3). They need no model and are cheap enough for every frame.
//!
//! All look at 50 Hz..8 kHz only. Flatness and flux are taken over mel bands: that needs no logarithm per bin.

use super::mel::{LANES, dot};
use super::{LOWEST_HZ, MEL_BANDS};

/// Boundary between low and mid, in Hz.
pub const LOW_MID_HZ: f32 = 250.0;
/// Boundary between mid and high, in Hz.
pub const MID_HIGH_HZ: f32 = 2500.0;
/// Share of the power below the roll-off frequency.
pub const ROLLOFF_SHARE: f32 = 0.85;
/// Less power than this (-100 dB) is silence: every measure reads 0.
const SILENT_POWER: f32 = 1e-10;

/// Plain spectral measures of one frame. All 0 for silence.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spectral {
    /// Share of the power between 50 and 250 Hz, `0..=1`.
    pub low: f32,
    /// Share of the power between 250 Hz and 2.5 kHz, `0..=1`.
    pub mid: f32,
    /// Share of the power between 2.5 and 8 kHz, `0..=1`.
    pub high: f32,
    /// Centre of gravity of the power spectrum in Hz.
    pub centroid_hz: f32,
    /// Geometric over arithmetic mean of the power densities of the mel bands, `0..=1`: 1 is white noise, near 0 a tone.
    pub flatness: f32,
    /// Frequency in Hz below which 85 % of the power lies.
    pub rolloff_hz: f32,
    /// Mean rise of the mel bands since the last frame in dB, falls counting as 0. Independent of gain.
    pub flux: f32,
}

/// Computes [`Spectral`] for one bin width.
pub struct SpectralAnalysis {
    bin_hz: f32,
    /// First bin of low, mid and high, and one past the last bin.
    bounds: [usize; 4],
    /// Frequency of each bin, padded with zeros to whole lanes.
    bin_freqs: Vec<f32>,
    /// One over the size in bins of each mel band, 0 for absent ones, and the mean of the sizes' base-2 logarithms.
    per_size: [f32; MEL_BANDS],
    mean_log_size: f32,
    previous_db: Option<[f32; MEL_BANDS]>,
}

impl SpectralAnalysis {
    /// For `bins` bins of width `bin_hz`, bin 0 at 0 Hz, and mel bands that hold `sizes` bins each.
    pub fn new(bin_hz: f32, bins: usize, sizes: &[f32]) -> SpectralAnalysis {
        let bin = |hz: f32| ((hz / bin_hz).round() as usize).min(bins);
        let mut bin_freqs: Vec<f32> = (0..bins).map(|k| k as f32 * bin_hz).collect();
        bin_freqs[..bin(LOWEST_HZ)].fill(0.0);
        bin_freqs.resize(bins.next_multiple_of(LANES), 0.0);
        let bounds = [bin(LOWEST_HZ), bin(LOW_MID_HZ), bin(MID_HIGH_HZ), bins];
        let mut per_size = [0.0; MEL_BANDS];
        for (per_size, size) in per_size.iter_mut().zip(sizes) {
            *per_size = 1.0 / size;
        }
        let mean_log_size = sizes.iter().map(|size| size.log2()).sum::<f32>() / sizes.len().max(1) as f32;
        SpectralAnalysis { bin_hz, bounds, bin_freqs, per_size, mean_log_size, previous_db: None }
    }

    /// Measures a frame from its bins' `power` (zeros after the last), the power in its mel bands, and the present ones of
    /// these in dB with their mean.
    #[inline(always)]
    pub fn push(&mut self, power: &[f32], bands: &[f32; MEL_BANDS], db: &[f32], mean_db: f32) -> Spectral {
        let flux = self.flux(db);
        let [first, mid, high, end] = self.bounds;
        let low_power = sum(power.get(first..mid).unwrap_or(&[]));
        let mid_power = sum(power.get(mid..high).unwrap_or(&[]));
        let high_power = sum(power.get(high..end).unwrap_or(&[]));
        let total = low_power + mid_power + high_power;
        if total < SILENT_POWER {
            return Spectral::default();
        }
        Spectral {
            low: low_power / total,
            mid: mid_power / total,
            high: high_power / total,
            centroid_hz: dot(&self.bin_freqs, power) / total,
            flatness: self.flatness(bands, db.len(), mean_db),
            rolloff_hz: self.rolloff(power, ROLLOFF_SHARE * total),
            flux,
        }
    }

    /// Forgets the last frame.
    pub fn reset(&mut self) {
        self.previous_db = None;
    }

    #[inline(always)]
    fn flux(&mut self, db: &[f32]) -> f32 {
        let mut now = [0.0; MEL_BANDS];
        for (now, &db) in now.iter_mut().zip(db) {
            *now = db;
        }
        let rise = match &self.previous_db {
            Some(before) => now.iter().zip(before).map(|(now, before)| (now - before).max(0.0)).sum(),
            None => 0.0,
        };
        self.previous_db = Some(now);
        rise / db.len().max(1) as f32
    }

    #[inline(always)]
    fn flatness(&self, bands: &[f32; MEL_BANDS], present: usize, mean_db: f32) -> f32 {
        let density = bands.iter().zip(&self.per_size).map(|(power, per_size)| power * per_size).sum::<f32>();
        let arithmetic = density / present.max(1) as f32;
        let geometric = (mean_db / (10.0 * std::f32::consts::LOG10_2) - self.mean_log_size).exp2();
        (geometric / arithmetic.max(1e-30)).clamp(0.0, 1.0)
    }

    /// Whole runs of bins first, single bins only in the run that crosses the wanted power.
    #[inline(always)]
    fn rolloff(&self, power: &[f32], wanted: f32) -> f32 {
        let [first, .., end] = self.bounds;
        let mut below = 0.0;
        let mut bin = first;
        for run in power.get(first..end).unwrap_or(&[]).chunks(2 * LANES) {
            let run_power = sum(run);
            if below + run_power >= wanted {
                for &p in run {
                    below += p;
                    if below >= wanted {
                        break;
                    }
                    bin += 1;
                }
                break;
            }
            below += run_power;
            bin += run.len();
        }
        bin.min(end.saturating_sub(1)) as f32 * self.bin_hz
    }
}

#[inline(always)]
fn sum(x: &[f32]) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let mut chunks = x.chunks_exact(LANES);
    for chunk in &mut chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    lanes.iter().sum::<f32>() + chunks.remainder().iter().sum::<f32>()
}
