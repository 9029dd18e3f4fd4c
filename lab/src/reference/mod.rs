//! What reference recordings sound like, and the profile that brings other sound there.
//!
//! [`Listener`] measures: the long-term spectrum in third octaves, the spread of loudness, the width, and the loudness.
//! [`profile`] compares the references with other sound and says what the mix has to do.

pub mod profile;

use crate::audio::{AudioError, Reader};
use crate::interrupt;
use anyhow::Result;
use idiom_engine::rt::mix::MAX_CHANNELS;
use idiom_engine::rt::mix::glide::MAX_TICK;
use idiom_engine::rt::mix::loudness::{GATE_LUFS, Meter, lufs};
use realfft::num_complex::Complex;
use realfft::{RealFftPlanner, RealToComplex};
use std::f64::consts::PI;
use std::path::Path;
use std::sync::Arc;

/// Third octaves from 50 Hz to 16 kHz.
pub const BANDS: usize = 26;

/// Centre of band `i` in Hz.
pub fn centre_hz(i: usize) -> f64 {
    1_000.0 * 2f64.powf((i as f64 - 13.0) / 3.0)
}

/// What recordings sound like together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Character {
    /// Mean power of each third octave in dB, whatever the level: its mean over the bands is 0.
    pub spectrum_db: [f64; BANDS],
    /// Integrated loudness in LUFS (ITU-R BS.1770, gated).
    pub lufs: f64,
    /// Standard deviation of the momentary loudness of what is loud enough to count, in dB.
    pub spread_db: f64,
    /// Amplitude of the sides over that of the middle, above 200 Hz.
    pub width: f64,
    /// The same below 120 Hz.
    pub bass_width: f64,
    /// Seconds that were heard.
    pub seconds: f64,
}

impl Character {
    /// Sound as it comes before anybody mastered it, to compare with when there is nothing better: third octaves that
    /// are even up to 400 Hz and fall by 2 dB an octave above, and by 3 more above 4 kHz, as long-term spectra of
    /// popular recordings do (Pestana and others, AES 135th Convention, 2013), a spread of 4 dB, and sides at a third of the middle.
    pub fn common() -> Character {
        let mut spectrum_db = std::array::from_fn(|i| {
            let octaves_above = |hz: f64| (centre_hz(i) / hz).log2().max(0.0);
            -2.0 * octaves_above(400.0) - 3.0 * octaves_above(4_000.0)
        });
        level(&mut spectrum_db);
        Character { spectrum_db, lufs: -18.0, spread_db: 4.0, width: 0.33, bass_width: 0.1, seconds: 0.0 }
    }
}

/// Takes the mean out.
fn level(bands: &mut [f64; BANDS]) {
    let mean = bands.iter().sum::<f64>() / BANDS as f64;
    bands.iter_mut().for_each(|band| *band -= mean);
}

/// Hears recordings, one after the other, block by block.
#[derive(Default)]
pub struct Listener {
    /// Power of middle and sides in each third octave.
    bands: [[f64; BANDS]; 2],
    /// Amplitudes squared of middle and sides below 120 Hz.
    bass: [f64; 2],
    /// Weighted mean squares of 400 ms, every 100 ms.
    moments: Vec<f64>,
    seconds: f64,
}

impl Listener {
    /// Hears a file. `heard` is called with the seconds that were heard of it, now and then.
    ///
    /// # Errors
    /// When the file cannot be read, or the user asked to stop.
    pub fn hear(&mut self, path: &Path, mut heard: impl FnMut(f64)) -> Result<()> {
        let mut reader = Reader::open(path)?;
        let mut stream = Stream::new(reader.sample_rate());
        while let Some(block) = reader.next_block()? {
            interrupt::check()?;
            stream.push(block, self);
            heard(stream.seconds());
        }
        self.seconds += stream.seconds();
        Ok(())
    }

    /// Hears samples, one slice a channel.
    pub fn hear_samples(&mut self, sample_rate: u32, channels: &[Vec<f32>]) {
        let mut stream = Stream::new(sample_rate);
        stream.push(channels, self);
        self.seconds += stream.seconds();
    }

    /// What everything heard so far sounds like; `None` when that was silence, or less than a second.
    pub fn character(&self) -> Option<Character> {
        let mean = |powers: &mut dyn Iterator<Item = f64>| {
            let (sum, count) = powers.fold((0.0, 0usize), |(sum, count), p| (sum + p, count + 1));
            (count > 0).then(|| sum / count as f64)
        };
        let counts = |gate: f64| self.moments.iter().copied().filter(move |p| lufs(*p) >= gate);
        let gate = lufs(mean(&mut counts(GATE_LUFS))?) - 10.0;
        let loud: Vec<f64> = counts(gate.max(GATE_LUFS)).map(lufs).collect();
        let integrated = lufs(mean(&mut counts(gate.max(GATE_LUFS)))?);
        let middle = loud.iter().sum::<f64>() / loud.len() as f64;
        let variance = loud.iter().map(|x| (x - middle).powi(2)).sum::<f64>() / loud.len() as f64;
        let [mid, side] = &self.bands;
        let mut spectrum_db = std::array::from_fn(|i| {
            10.0 * (mid[i] + side[i]).max(1e-20 * (mid[13] + side[13] + 1e-20)).log10()
        });
        level(&mut spectrum_db);
        // Bands from 200 Hz up.
        let sum = |bands: &[f64; BANDS]| bands[6..].iter().sum::<f64>();
        let ratio = |side: f64, mid: f64| (side / mid.max(1e-20)).sqrt();
        (self.seconds >= 1.0).then(|| Character {
            spectrum_db,
            lufs: integrated,
            spread_db: variance.sqrt(),
            width: ratio(sum(side), sum(mid)),
            bass_width: ratio(self.bass[1], self.bass[0]),
            seconds: self.seconds,
        })
    }
}

/// One recording: windows of 4 times the lowest band's resolution, half over each other, and a loudness meter.
struct Stream {
    sample_rate: f64,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    /// Middle and sides of the present window.
    sound: [Vec<f32>; 2],
    spectrum: Vec<Complex<f32>>,
    meter: Meter,
    samples: usize,
}

impl Stream {
    fn new(sample_rate: u32) -> Stream {
        // A sixth of a second: bins of about 6 Hz, half a third octave at 50 Hz.
        let length = ((f64::from(sample_rate) / 6.0) as usize).next_multiple_of(64).max(64);
        let fft = RealFftPlanner::new().plan_fft_forward(length);
        let hann = |n: usize| (PI * n as f64 / length as f64).sin().powi(2) as f32;
        Stream {
            sample_rate: sample_rate.into(),
            spectrum: fft.make_output_vec(),
            fft,
            window: (0..length).map(hann).collect(),
            sound: [Vec::new(), Vec::new()],
            meter: Meter::new(sample_rate as f32),
            samples: 0,
        }
    }

    fn seconds(&self) -> f64 {
        self.samples as f64 / self.sample_rate
    }

    fn push(&mut self, channels: &[Vec<f32>], into: &mut Listener) {
        let Some(first) = channels.first() else { return };
        let second = channels.get(1).unwrap_or(first);
        let finite = |x: &f32| if x.is_finite() { *x } else { 0.0 };
        let mut work = [[0.0; MAX_TICK]; MAX_CHANNELS];
        let mut at = 0;
        for (l, r) in first.iter().map(finite).zip(second.iter().map(finite)) {
            self.sound[0].push(0.5 * (l + r));
            self.sound[1].push(0.5 * (l - r));
            (work[0][at], work[1][at]) = (l.into(), r.into());
            at = (at + 1) % MAX_TICK;
            if at == 0 {
                self.measure(&work, MAX_TICK, into);
            }
            if self.sound[0].len() == self.window.len() {
                self.analyse(into);
            }
        }
        self.measure(&work, at, into);
        self.samples += first.len();
    }

    fn measure(&mut self, work: &[[f64; MAX_TICK]; MAX_CHANNELS], count: usize, into: &mut Listener) {
        // Steps are longer than a tick at every rate from 8 kHz on, so at most one ends.
        if self.meter.push(work, MAX_CHANNELS, count) {
            into.moments.extend(self.meter.momentary_power());
        }
    }

    fn analyse(&mut self, into: &mut Listener) {
        let hop = self.window.len() / 2;
        let bin_hz = self.sample_rate / self.window.len() as f64;
        for (side, sound) in self.sound.iter_mut().enumerate() {
            let mut windowed: Vec<f32> = sound.iter().zip(&self.window).map(|(x, w)| x * w).collect();
            sound.drain(..hop);
            if self.fft.process(&mut windowed, &mut self.spectrum).is_err() {
                continue;
            }
            for (bin, value) in self.spectrum.iter().enumerate().skip(1) {
                let (hz, power) = (bin as f64 * bin_hz, f64::from(value.norm_sqr()) * bin_hz);
                let band = (3.0 * (hz / 1_000.0).log2() + 13.0).round();
                if (0.0..BANDS as f64).contains(&band) {
                    into.bands[side][band as usize] += power;
                }
                if hz < 120.0 {
                    into.bass[side] += power;
                }
            }
        }
    }
}

/// Why a file could not be heard, where that is the file's fault.
pub fn is_about_a_file(error: &anyhow::Error) -> bool {
    error.is::<AudioError>()
}
