//! Frames of samples at 48 kHz, for models that take the sound itself.
//!
//! A frame is 20 ms at every host rate, so a host's frame of any length becomes [`SAMPLES`] samples. At 48 kHz they are the
//! frame's own. At other rates they are interpolated by a windowed sinc, at places that are the same in every frame: the
//! same sound gives the same samples to the bit wherever it lies. The sinc needs some samples from after each place, so what
//! comes out is late by [`Samples::delay`]; nobody hears it. Where 20 ms is not a whole number of samples the rounded hop
//! counts as 20 ms, which shifts the pitch by at most 0.3 % (at 8 kHz and above).
//!
//! Frequencies above the lower of both Nyquist frequencies are removed (80 dB down), those up to 0.82 of it are untouched.

use crate::sinc::windowed_sinc;

/// Samples in a frame: 20 ms at 48 kHz.
pub const SAMPLES: usize = 960;

/// Zero crossings of the sinc on each side.
const CROSSINGS: f64 = 24.0;
/// Shape of the Kaiser window, for about 80 dB of stop-band attenuation.
const BETA: f64 = 7.86;
/// Where the response is half, as a share of the lower Nyquist frequency.
const CUT_OFF: f64 = 0.93;
/// Larger samples (+120 dBFS) are not audio and read as zero.
const LARGEST_SAMPLE: f32 = 1e6;
/// Sums that are kept apart while taps are added up, so that they fill vectors.
const SUMS: usize = 8;

/// Turns the host's frames into frames of [`SAMPLES`] samples.
pub struct Samples {
    hop: usize,
    /// The last samples of the frame before, then the present frame.
    sound: Vec<f32>,
    /// Taps of each phase, one after the other; none where a frame has [`SAMPLES`] samples as it is.
    taps: Vec<f32>,
    /// Taps of one phase.
    length: usize,
    phases: usize,
    out: Vec<f32>,
}

impl Samples {
    /// For frames of `hop` samples (at least 1). Allocates.
    pub fn new(hop: usize) -> Samples {
        let hop = hop.max(1);
        if hop == SAMPLES {
            let (sound, out) = (vec![0.0; hop], Vec::new());
            return Samples { hop, sound, taps: Vec::new(), length: 0, phases: 1, out };
        }
        let cut = CUT_OFF * (SAMPLES as f64 / hop as f64).min(1.0);
        let reach = (CROSSINGS / cut).ceil();
        let length = (2 * reach as usize).next_multiple_of(SUMS);
        let phases = SAMPLES / gcd(hop, SAMPLES);
        let mut taps = Vec::with_capacity(phases * length);
        for phase in 0..phases {
            let offset = (phase * hop % SAMPLES) as f64 / SAMPLES as f64;
            let tap = |n: usize| windowed_sinc(n as f64 - (reach - 1.0) - offset, cut, reach, BETA);
            // A constant stays what it is, to the bit in every phase but for the last rounding.
            let sum: f64 = (0..length).map(tap).sum();
            taps.extend((0..length).map(|n| (tap(n) / sum) as f32));
        }
        Samples { hop, sound: vec![0.0; length + hop], taps, length, phases, out: vec![0.0; SAMPLES] }
    }

    /// Takes in a frame; missing samples read as silence, and so do those that are no audio.
    pub fn push(&mut self, frame: &[f32]) {
        // One sample more than the taps reach back, because the last place lies before the frame's end.
        let kept = self.sound.len() - self.hop;
        self.sound.copy_within(self.hop.., 0);
        let fresh = self.sound.iter_mut().skip(kept);
        let heard = frame.iter().copied().chain(std::iter::repeat(0.0));
        for (to, x) in fresh.zip(heard) {
            *to = if x.abs() <= LARGEST_SAMPLE { x } else { 0.0 };
        }
    }

    /// The newest frame as [`SAMPLES`] samples.
    pub fn column(&mut self) -> &[f32] {
        if self.taps.is_empty() {
            return &self.sound;
        }
        for (m, to) in self.out.iter_mut().enumerate() {
            // Place of the sample in the frame, in the host's samples, and the phase that is left over.
            let (at, phase) = (m * self.hop / SAMPLES, m % self.phases);
            let taps = self.taps.get(phase * self.length..).unwrap_or_default();
            let sound = self.sound.get(at + 1..).unwrap_or_default();
            let mut sums = [0.0; SUMS];
            let (taps, _) = taps.get(..self.length).unwrap_or_default().as_chunks::<SUMS>();
            for (taps, sound) in taps.iter().zip(sound.as_chunks::<SUMS>().0) {
                for ((sum, tap), x) in sums.iter_mut().zip(taps).zip(sound) {
                    *sum += tap * x;
                }
            }
            *to = sums.iter().sum();
        }
        &self.out
    }

    /// Samples of the host by which what comes out is late; 0 at 48 kHz.
    pub fn delay(&self) -> usize {
        let cut = CUT_OFF * (SAMPLES as f64 / self.hop as f64).min(1.0);
        if self.taps.is_empty() { 0 } else { self.length - (CROSSINGS / cut).ceil() as usize }
    }

    /// Bytes that it holds.
    pub fn memory(&self) -> usize {
        size_of::<f32>() * (self.sound.len() + self.taps.len() + self.out.len())
    }

    /// Forgets the sound.
    pub fn reset(&mut self) {
        self.sound.fill(0.0);
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::super::hop_at;
    use super::*;
    use std::f64::consts::TAU;

    const RATES: [f64; 9] =
        [8_000.0, 11_025.0, 22_050.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0, 384_000.0];

    /// Half a second of a tone at a host's rate, as frames of samples.
    fn converted(hz: f64, rate: f64) -> (Vec<f32>, usize) {
        let hop = hop_at(rate as f32);
        let mut samples = Samples::new(hop);
        let sound: Vec<f32> = (0..25 * hop).map(|n| (TAU * hz * n as f64 / rate).sin() as f32).collect();
        let frames = sound.chunks_exact(hop).flat_map(|frame| {
            samples.push(frame);
            samples.column().to_vec()
        });
        let frames: Vec<f32> = frames.collect();
        (frames, samples.delay())
    }

    #[test]
    fn a_tone_is_the_same_tone_at_every_rate_later_by_the_delay() {
        for rate in RATES {
            let lower = rate.min(48_000.0) / 2.0;
            for hz in [100.0, 1000.0, 0.8 * lower] {
                let (got, delay) = converted(hz, rate);
                assert_eq!(got.len(), 25 * SAMPLES);
                // The rounded hop counts as 20 ms.
                let rate_meant = hop_at(rate as f32) as f64 * 50.0;
                let wanted = |m: usize| {
                    (TAU * hz / rate * (m as f64 * rate_meant / 48_000.0 - delay as f64)).sin() as f32
                };
                let worst = (4 * SAMPLES..got.len()).map(|m| (got[m] - wanted(m)).abs()).fold(0.0, f32::max);
                assert!(worst < 2e-3, "{hz} Hz at {rate}: off by {worst}");
            }
        }
        assert_eq!(converted(100.0, 48_000.0).1, 0);
    }

    #[test]
    fn what_48_khz_cannot_hold_is_silent_and_a_constant_stays() {
        for rate in [88_200.0, 96_000.0, 192_000.0] {
            let (got, _) = converted(26_000.0, rate);
            let loudest = got[4 * SAMPLES..].iter().fold(0.0f32, |worst, x| worst.max(x.abs()));
            assert!(loudest < 1e-3, "{rate}: {loudest}");
        }
        for rate in RATES {
            let mut samples = Samples::new(hop_at(rate as f32));
            let frame = vec![0.5; hop_at(rate as f32)];
            (0..20).for_each(|_| samples.push(&frame));
            assert!(samples.column().iter().all(|x| (x - 0.5).abs() < 1e-6), "{rate}");
        }
    }

    #[test]
    fn the_same_sound_gives_the_same_bits_and_garbage_is_silence() {
        for rate in [44_100.0, 48_000.0, 96_000.0, 47_311.0] {
            let hop = hop_at(rate);
            let frame = |k: usize| -> Vec<f32> { (0..hop).map(|n| ((n * k) as f32 * 0.01).sin()).collect() };
            let mut samples = Samples::new(hop);
            let mut pass = |first: usize| {
                samples.push(&frame(first));
                (1..4).for_each(|k| samples.push(&frame(k)));
                samples.column().to_vec()
            };
            assert_eq!(pass(7), pass(9));
            samples.push(&vec![f32::NAN; hop]);
            samples.push(&vec![f32::INFINITY; hop]);
            samples.push(&[]);
            assert_eq!(samples.column(), [0.0; SAMPLES]);
        }
    }
}
