//! The front end: 20 ms of sound in, what the models and the rules look at out.
//!
//! ```text
//! frame (one hop) ─ window of 2 hops ─ Hann ─ real FFT ─ power ─┬─ 40 mel bands ─ dB ─ slow level ─┬─ log_mel
//!                                                              │                                  └─ mfcc
//!                                                              └─ spectral
//! ```
//!
//! A hop is 20 ms and the window two hops at *every* sample rate, so FFT bins are 25 Hz wide whatever the host runs at
//! and one filterbank serves all rates; there is no resampler (but for models that take samples, [`samples`]). Where 20 ms is not a whole number of samples the hop is
//! rounded: the worst case from 8 to 384 kHz is 0.3 % (half a sample in 160), which moves no band by more than that.
//! Nothing above 8 kHz is looked at, so that lossy codecs and band limits do not change the answer.
//!
//! Everything is allocated in [`FrontEnd::new`]; [`FrontEnd::push`] only computes, and gives finite numbers for any input.

pub mod columns;
pub mod level;
pub mod mel;
pub mod mfcc;
pub mod samples;
pub mod spectral;

use level::SlowLevel;
use mel::MelFilters;
use mfcc::Dct;
use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
pub use spectral::Spectral;
use spectral::SpectralAnalysis;
use std::sync::Arc;

/// Mel bands in a column.
pub const MEL_BANDS: usize = 40;
/// Mel-frequency cepstral coefficients in a column, the first being the levelled loudness.
pub const MFCCS: usize = 13;
/// Length of a hop in seconds.
pub const HOP_SECONDS: f32 = 0.020;
/// Centre of the lowest band's lower neighbour, in Hz.
pub const LOWEST_HZ: f32 = 50.0;
/// Upper end of the highest band, in Hz.
pub const HIGHEST_HZ: f32 = 8000.0;
/// dB per unit of a column: a column's entry of 1 means 20 dB above the slow level.
pub const DB_PER_UNIT: f32 = 20.0;
/// Columns are clamped to plus and minus this.
pub const COLUMN_LIMIT: f32 = 4.0;
/// Added to a band's power before the logarithm: -100 dB.
pub const POWER_FLOOR: f32 = 1e-10;
/// [`POWER_FLOOR`] in dB: what a band of silence reads.
const SILENT_DB: f32 = -100.0;

/// Larger samples (+120 dBFS) are not audio and read as zero; they would overflow the power spectrum.
const LARGEST_SAMPLE: f32 = 1e6;
/// Smaller samples (-300 dBFS) read as zero, so that denormals never reach the FFT.
const SMALLEST_SAMPLE: f32 = 1e-15;
/// Mean square (-120 dBFS) above which a frame is taken to hold ordinary samples.
const ORDINARY_POWER: f32 = 1e-12;

/// What one frame sounds like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Features {
    /// Level of each mel band over the slow level, 20 dB a unit, within `-4..=4`. Independent of gain.
    /// Bands above the host's Nyquist frequency read -4.
    pub log_mel: [f32; MEL_BANDS],
    /// Orthonormal DCT-II over the mel bands (20 dB a unit); coefficient 0 counts from the slow level.
    pub mfcc: [f32; MFCCS],
    /// Plain spectral measures, for the rules.
    pub spectral: Spectral,
    /// RMS of the frame in dBFS, not below -120.
    pub level_dbfs: f32,
}

impl Default for Features {
    /// What silence gives.
    fn default() -> Self {
        Self {
            log_mel: [-COLUMN_LIMIT; MEL_BANDS],
            mfcc: [0.0; MFCCS],
            spectral: Spectral::default(),
            level_dbfs: -120.0,
        }
    }
}

/// Samples in a hop at this rate: 20 ms, rounded, at least 1. A rate that is no number counts as 48 kHz.
pub fn hop_at(sample_rate: f32) -> usize {
    (HOP_SECONDS * sane_rate(sample_rate)).round().max(1.0) as usize
}

/// Rates are kept to 1 kHz..1 MHz, so that a host's nonsense cannot ask for gigabytes.
fn sane_rate(sample_rate: f32) -> f32 {
    if sample_rate.is_nan() { 48_000.0 } else { sample_rate.clamp(1e3, 1e6) }
}

/// How bands become columns at a sample rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Levelling {
    /// Length of a hop in seconds.
    pub hop_s: f32,
    /// Bands below the Nyquist frequency; those above read silence.
    pub present: usize,
}

impl Levelling {
    /// Mean level of the bands that are there, in dB.
    #[inline(always)]
    pub fn mean_db(&self, bands_db: &[f32; MEL_BANDS]) -> f32 {
        bands_db.iter().take(self.present).sum::<f32>() / self.present.max(1) as f32
    }

    /// Bands over a level in dB, in units of a column and not limited yet.
    #[inline(always)]
    pub fn over(&self, bands_db: &[f32; MEL_BANDS], level_db: f32) -> [f32; MEL_BANDS] {
        let mut levelled = [-COLUMN_LIMIT; MEL_BANDS];
        for (column, &db) in levelled.iter_mut().zip(bands_db).take(self.present) {
            *column = (db - level_db) * (1.0 / DB_PER_UNIT);
        }
        levelled
    }
}

/// Bands over the level, as models get them.
pub fn limited(levelled: &[f32; MEL_BANDS]) -> [f32; MEL_BANDS] {
    levelled.map(|x| x.clamp(-COLUMN_LIMIT, COLUMN_LIMIT))
}

/// Mono samples in, [`Features`] out; see the [module](self).
pub struct FrontEnd {
    hop: usize,
    sample_rate: f32,
    levelling: Levelling,
    /// The previous hop and the present one, sanitised.
    previous: Vec<f32>,
    present: Vec<f32>,
    hann: Vec<f32>,
    fft: Arc<dyn RealToComplex<f32>>,
    fft_in: Vec<f32>,
    fft_out: Vec<Complex32>,
    fft_scratch: Vec<Complex32>,
    /// Power of each bin up to 8 kHz, in units of mean square; zeros after the last for whole-vector reads.
    power: Vec<f32>,
    bins: usize,
    power_scale: f32,
    mel: MelFilters,
    dct: Dct,
    spectral: SpectralAnalysis,
    level: SlowLevel,
    bands_db: [f32; MEL_BANDS],
    features: Features,
    /// Whether the processor has AVX2.
    #[cfg(target_arch = "x86_64")]
    avx2: bool,
}

impl FrontEnd {
    /// A front end for this sample rate in Hz, meant for 8000..=384000. Allocates.
    pub fn new(sample_rate: f32) -> FrontEnd {
        let sample_rate = sane_rate(sample_rate);
        let hop = hop_at(sample_rate);
        let length = 2 * hop;
        let bin_hz = sample_rate / length as f32;
        let fft = RealFftPlanner::<f32>::new().plan_fft_forward(length);
        let hann: Vec<f32> = (0..length)
            .map(|i| (0.5 - 0.5 * (std::f64::consts::TAU * i as f64 / length as f64).cos()) as f32)
            .collect();
        let bins = (length / 2 + 1).min((HIGHEST_HZ / bin_hz).ceil() as usize + 1);
        let mel = MelFilters::new(bin_hz, bins);
        let window_energy: f64 = hann.iter().map(|&w| f64::from(w) * f64::from(w)).sum();
        FrontEnd {
            hop,
            sample_rate,
            levelling: Levelling { hop_s: hop as f32 / sample_rate, present: mel.present() },
            previous: vec![0.0; hop],
            present: vec![0.0; hop],
            fft_in: fft.make_input_vec(),
            fft_out: fft.make_output_vec(),
            fft_scratch: fft.make_scratch_vec(),
            fft,
            hann,
            power: vec![0.0; bins + 2 * mel::LANES],
            bins,
            // One-sided, and divided by the window's energy: the bins of a stationary sound add up to its mean square.
            power_scale: (2.0 / (length as f64 * window_energy)) as f32,
            spectral: SpectralAnalysis::new(bin_hz, bins, mel.sizes()),
            mel,
            dct: Dct::new(),
            level: SlowLevel::new(hop as f32 / sample_rate),
            bands_db: [SILENT_DB; MEL_BANDS],
            features: Features::default(),
            #[cfg(target_arch = "x86_64")]
            avx2: std::arch::is_x86_feature_detected!("avx2"),
        }
    }

    /// Samples in a frame.
    pub fn hop(&self) -> usize {
        self.hop
    }

    /// Hz.
    pub fn sample_rate(&self) -> f32 {
        self.sample_rate
    }

    /// Bytes that its buffers hold; the transform's tables are not counted.
    pub fn memory(&self) -> usize {
        let real = [&self.previous, &self.present, &self.hann, &self.fft_in, &self.power];
        let complex = [&self.fft_out, &self.fft_scratch];
        real.iter().map(|buffer| size_of_val(&buffer[..])).sum::<usize>()
            + complex.iter().map(|buffer| size_of_val(&buffer[..])).sum::<usize>()
    }

    /// How its bands become columns.
    pub fn levelling(&self) -> Levelling {
        self.levelling
    }

    /// Analyses the next frame of exactly [`hop`](Self::hop) mono samples; missing samples count as zero, surplus ones are ignored.
    pub fn push(&mut self, frame: &[f32]) -> &Features {
        #[cfg(target_arch = "x86_64")]
        if self.avx2 {
            // SAFETY: `avx2` is set only where the processor has these instructions.
            unsafe { self.analyse_avx2(frame) };
            return &self.features;
        }
        self.analyse(frame);
        &self.features
    }

    /// [`analyse`](Self::analyse) compiled for wider vectors. Sums run in fixed lanes and nothing is fused, so that the
    /// results are the same to the bit.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn analyse_avx2(&mut self, frame: &[f32]) {
        self.analyse(frame);
    }

    /// What it calls is inlined as well, so that it is compiled for the same instructions.
    #[inline(always)]
    fn analyse(&mut self, frame: &[f32]) {
        let hop = self.hop;
        std::mem::swap(&mut self.previous, &mut self.present);
        let energy = take_in(frame, &mut self.present);
        let level_dbfs = 10.0 * (energy / hop as f32 + 1e-12).log10();

        for (half, (out, hann)) in [&self.previous, &self.present]
            .into_iter()
            .zip(self.fft_in.chunks_mut(hop).zip(self.hann.chunks(hop)))
        {
            for ((out, &x), &w) in out.iter_mut().zip(half).zip(hann) {
                *out = x * w;
            }
        }
        if self.fft.process_with_scratch(&mut self.fft_in, &mut self.fft_out, &mut self.fft_scratch).is_err()
        {
            // Only wrong buffer lengths can fail, and those are set once, in `new`.
            self.fft_out.fill(Complex32::default());
        }
        let scale = self.power_scale;
        for (p, x) in self.power[..self.bins].iter_mut().zip(&self.fft_out) {
            *p = scale * (x.re * x.re + x.im * x.im);
        }

        let mut band_power = [0.0; MEL_BANDS];
        self.mel.apply(&self.power, &mut band_power);
        mel::to_db(&band_power, &mut self.bands_db);
        let db = &self.bands_db;
        let present = self.mel.present();
        let mean_db = self.levelling.mean_db(db);
        let level_db = self.level.push(mean_db, level_dbfs);
        let levelled = self.levelling.over(db, level_db);
        // The level only moves coefficient 0, so the transform of the levelled bands is the wanted one in every coefficient.
        self.dct.apply(&levelled, &mut self.features.mfcc);
        self.features.log_mel = limited(&levelled);
        self.features.spectral = self.spectral.push(&self.power, &band_power, &db[..present], mean_db);
        self.features.level_dbfs = level_dbfs;
    }

    /// What the last frame gave; silence before the first.
    pub fn features(&self) -> &Features {
        &self.features
    }

    /// Level of each mel band of the last frame in dB, -100 at least. Unlike [`Features::log_mel`] it depends on nothing
    /// but the last two hops.
    pub fn bands_db(&self) -> &[f32; MEL_BANDS] {
        &self.bands_db
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        self.present.fill(0.0);
        self.bands_db = [SILENT_DB; MEL_BANDS];
        self.level.reset();
        self.spectral.reset();
        self.features = Features::default();
    }
}

/// Copies a frame and returns its energy. Samples that are no audio (see [`LARGEST_SAMPLE`], [`SMALLEST_SAMPLE`]) become 0;
/// the energy tells at once whether they need to be looked for. What hides in a loud frame is few denormals, which cost
/// some microseconds at worst.
#[inline(always)]
fn take_in(frame: &[f32], out: &mut [f32]) -> f32 {
    let taken = frame.len().min(out.len());
    let (head, rest) = out.split_at_mut(taken);
    head.copy_from_slice(&frame[..taken]);
    rest.fill(0.0);
    let sum = energy(head);
    let loud = taken as f32 * ORDINARY_POWER;
    // A sum that is no number is not within the range either.
    if sum >= loud && sum <= LARGEST_SAMPLE {
        return sum;
    }
    for x in head.iter_mut() {
        if !(SMALLEST_SAMPLE..=LARGEST_SAMPLE).contains(&x.abs()) {
            *x = 0.0;
        }
    }
    energy(head)
}

#[inline(always)]
fn energy(x: &[f32]) -> f32 {
    const WIDE: usize = 2 * mel::LANES;
    let mut lanes = [0.0f32; WIDE];
    let mut chunks = x.chunks_exact(WIDE);
    for chunk in &mut chunks {
        for i in 0..WIDE {
            lanes[i] += chunk[i] * chunk[i];
        }
    }
    lanes.iter().sum::<f32>() + chunks.remainder().iter().map(|x| x * x).sum::<f32>()
}

#[cfg(test)]
mod tests;
