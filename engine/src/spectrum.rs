//! The spectrum for the eye: of the sound before and after the mix, on a logarithmic scale of frequency.
//!
//! It is computed on the window's thread from what a [`Tap`] kept, when a picture is drawn; the audio thread only copies.

use crate::rt::tap::{Point, Tap};
use realfft::num_complex::Complex32;
use realfft::{RealFftPlanner, RealToComplex};
use std::sync::Arc;

/// How many points a spectrum has.
pub const POINTS: usize = 192;
/// Frequency of the first and last point in Hz.
pub const RANGE_HZ: (f32, f32) = (20.0, 20_000.0);
/// Level of silence in dB.
pub const FLOOR_DB: f32 = -120.0;
/// How fast a level falls that is no longer there, in dB a second.
const FALL_DB_S: f32 = 36.0;
/// Time in which a level rises most of its way, in seconds.
const RISE_S: f32 = 0.05;
/// Longest stretch that is looked at.
const LONGEST: usize = 1 << 14;

/// Frequency of point number `index` in Hz.
pub fn hertz(index: usize) -> f32 {
    RANGE_HZ.0 * (RANGE_HZ.1 / RANGE_HZ.0).powf(index as f32 / (POINTS - 1) as f32)
}

/// Levels in dB: a sine at full scale reads 0. Each is the strongest of what lies between a point and the next ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Spectrum {
    /// Of the sound as it comes.
    pub before: [f32; POINTS],
    /// Of the sound as it goes.
    pub after: [f32; POINTS],
}

impl Default for Spectrum {
    fn default() -> Self {
        Spectrum { before: [FLOOR_DB; POINTS], after: [FLOOR_DB; POINTS] }
    }
}

/// Computes a [`Spectrum`], picture by picture.
pub struct Analyser {
    sample_rate: f32,
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    sound: Vec<f32>,
    bins: Vec<Complex32>,
    shown: Spectrum,
}

impl Analyser {
    /// For a sample rate in Hz.
    pub fn new(sample_rate: f32) -> Analyser {
        let rate = if sample_rate.is_finite() { sample_rate.clamp(8_000.0, 384_000.0) } else { 48_000.0 };
        // About 85 ms: low notes are told apart, and the eye still sees beats.
        let length = ((rate * 0.085) as usize).next_power_of_two().min(LONGEST);
        let fft = RealFftPlanner::new().plan_fft_forward(length);
        let hann = |i: usize| 0.5 - 0.5 * (std::f32::consts::TAU * i as f32 / length as f32).cos();
        Analyser {
            sample_rate: rate,
            window: (0..length).map(hann).collect(),
            sound: vec![0.0; length],
            bins: fft.make_output_vec(),
            fft,
            shown: Spectrum::default(),
        }
    }

    /// The sample rate that it is for, in Hz.
    pub fn sample_rate(&self) -> f32 {
        self.sample_rate
    }

    /// The spectrum now, `elapsed_s` seconds after the last call.
    pub fn update(&mut self, tap: &Tap, elapsed_s: f32) -> &Spectrum {
        let elapsed = if elapsed_s.is_finite() { elapsed_s.clamp(0.0, 1.0) } else { 0.0 };
        for point in [Point::Before, Point::After] {
            let levels = self.levels(tap, point);
            let shown = if point == Point::Before { &mut self.shown.before } else { &mut self.shown.after };
            let rise = 1.0 - (-elapsed / RISE_S).exp();
            for (shown, level) in shown.iter_mut().zip(levels) {
                *shown = if level > *shown {
                    *shown + (level - *shown) * rise
                } else {
                    level.max(*shown - FALL_DB_S * elapsed)
                };
            }
        }
        &self.shown
    }

    fn levels(&mut self, tap: &Tap, point: Point) -> [f32; POINTS] {
        if !tap.recent(point, &mut self.sound) {
            return [FLOOR_DB; POINTS];
        }
        for (sample, weight) in self.sound.iter_mut().zip(&self.window) {
            *sample *= weight;
        }
        // The buffers have the lengths that the plan asked for.
        if self.fft.process(&mut self.sound, &mut self.bins).is_err() {
            return [FLOOR_DB; POINTS];
        }
        // A sine's energy is its amplitude times half the window's sum.
        let scale = 4.0 / self.window.len() as f32;
        let width = self.sample_rate / self.window.len() as f32;
        let level = |bin: usize| self.bins.get(bin).map_or(0.0, |bin| bin.norm() * scale);
        // From a point to halfway to the next.
        let step = (RANGE_HZ.1 / RANGE_HZ.0).powf(0.5 / (POINTS - 1) as f32);
        std::array::from_fn(|i| {
            let hz = hertz(i);
            let (low, high) = (hz / step / width, hz * step / width);
            let amplitude = if high - low < 2.0 {
                // Fewer bins than points: between the two nearest.
                let at = hz / width;
                let (bin, share) = (at as usize, at.fract());
                level(bin) * (1.0 - share) + level(bin + 1) * share
            } else {
                (low.round() as usize..=high.round() as usize).map(level).fold(0.0, f32::max)
            };
            let above = hz > 0.5 * self.sample_rate;
            if above || !amplitude.is_finite() {
                FLOOR_DB
            } else {
                (20.0 * amplitude.max(1e-6).log10()).max(FLOOR_DB)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(rate: f32, hz: f32, amplitude: f32) -> Tap {
        let tap = Tap::default();
        tap.look();
        let sine = |i: usize| amplitude * (std::f32::consts::TAU * hz * i as f32 / rate).sin();
        let mut sound: Vec<f32> = (0..1 << 15).map(sine).collect();
        let length = sound.len();
        tap.pass(Point::Before, &[&mut sound], length);
        tap
    }

    /// A sine reads its level at its frequency, at every rate, and nothing far from it.
    #[test]
    fn a_sine_stands_where_it_belongs() {
        for rate in [22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0, 384_000.0] {
            for (hz, amplitude) in [(110.0, 0.5), (1_000.0, 0.1), (6_000.0, 1.0)] {
                let tap = passed(rate, hz, amplitude);
                let mut analyser = Analyser::new(rate);
                (0..40).for_each(|_| {
                    analyser.update(&tap, 0.1);
                });
                let shown = analyser.update(&tap, 0.1).before;
                let (peak, level) =
                    (0..POINTS).map(|i| (i, shown[i])).max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
                let wanted = 20.0 * f32::log10(amplitude);
                assert!((hertz(peak) / hz).log2().abs() < 0.15, "{rate}: {hz} Hz shows at {}", hertz(peak));
                // Between two bins a Hann window shows up to 1.4 dB less, interpolation of bins a little more.
                assert!((-3.5..0.3).contains(&(level - wanted)), "{rate} {hz}: {level}, not {wanted}");
                let bins = 8.0 * rate / analyser.window.len() as f32;
                let far = (0..POINTS)
                    .filter(|i| (hertz(*i) / hz).log2().abs() > 2.0 && (hertz(*i) - hz).abs() > bins);
                assert!(far.clone().all(|i| shown[i] < wanted - 50.0), "{rate} {hz}");
            }
        }
    }

    #[test]
    fn levels_fall_slowly_when_the_sound_ends() {
        let (tap, silence) = (passed(48_000.0, 1_000.0, 1.0), Tap::default());
        let mut analyser = Analyser::new(48_000.0);
        (0..20).for_each(|_| {
            analyser.update(&tap, 0.1);
        });
        let peak = |spectrum: &Spectrum| spectrum.before.iter().copied().fold(FLOOR_DB, f32::max);
        let loud = peak(analyser.update(&tap, 0.1));
        let later = peak(analyser.update(&silence, 0.5));
        assert!((loud - later - 0.5 * FALL_DB_S).abs() < 0.1, "{loud} {later}");
        assert_eq!(peak(analyser.update(&silence, f32::NAN)), later);
        (0..10).for_each(|_| {
            analyser.update(&silence, 1.0);
        });
        assert_eq!(*analyser.update(&silence, 1.0), Spectrum::default());
    }
}
