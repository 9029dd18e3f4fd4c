//! Plucked strings (Karplus & Strong 1983, with the loss filter and pick position of Jaffe & Smith).

use super::Note;
use crate::synth::dice::Dice;
use crate::synth::dsp::{Biquad, samples};
use crate::synth::theory::hz;

/// How a string is made and plucked.
#[derive(Clone, Copy)]
pub struct Pluck {
    /// Treble of the pluck: cutoff of the excitation in Hz.
    pub bright_hz: f32,
    /// Seconds for the fundamental to fall by 60 dB at A 110 Hz; higher notes die sooner.
    pub t60: f32,
    /// Treble loss of the string each period, 0 (none) to 0.5 (a dull string).
    pub dull: f32,
    /// Where it is plucked, as a share of the string.
    pub place: f32,
    /// Seconds to fall by 60 dB after the note is released.
    pub damp: f32,
}

impl Pluck {
    /// A steel string with a pick.
    pub const STEEL: Pluck = Pluck { bright_hz: 5500.0, t60: 7.0, dull: 0.12, place: 0.13, damp: 0.12 };
    /// A palm-muted steel string.
    pub const MUTED: Pluck = Pluck { bright_hz: 2600.0, t60: 0.55, dull: 0.35, place: 0.06, damp: 0.05 };
    /// A nylon string with the finger.
    pub const NYLON: Pluck = Pluck { bright_hz: 2600.0, t60: 3.5, dull: 0.3, place: 0.2, damp: 0.15 };
    /// An electric bass.
    pub const BASS: Pluck = Pluck { bright_hz: 1500.0, t60: 6.0, dull: 0.3, place: 0.12, damp: 0.08 };
    /// A double bass, plucked with the flesh of the finger.
    pub const UPRIGHT: Pluck = Pluck { bright_hz: 620.0, t60: 2.1, dull: 0.45, place: 0.22, damp: 0.14 };
    /// A harpsichord's quill.
    pub const QUILL: Pluck = Pluck { bright_hz: 9000.0, t60: 4.0, dull: 0.06, place: 0.11, damp: 0.10 };

    /// Plays a note.
    pub fn play(&self, note: Note, rate: f32, dice: &mut Dice) -> Vec<f32> {
        self.bend(note, rate, dice, |_| 0.0)
    }

    /// Plays a note whose pitch moves by `bend(seconds)` semitones.
    pub fn bend(&self, note: Note, rate: f32, dice: &mut Dice, bend: impl Fn(f32) -> f32) -> Vec<f32> {
        let base = hz(note.pitch);
        let period = rate / base;
        let length = samples(note.seconds + 2.0 * self.damp, rate);
        let size = (2.2 * period) as usize + 8;
        let mut string = vec![0.0_f32; size];
        // Excitation: one period of noise, softened, minus itself at the pick's distance.
        let burst = period.ceil() as usize;
        let mut pulse: Vec<f32> = (0..burst).map(|_| dice.noise()).collect();
        let cutoff = self.bright_hz * (0.35 + 0.65 * note.force);
        Biquad::low_pass(rate, cutoff, 0.6).run(&mut pulse);
        let offset = ((self.place * dice.within(0.85, 1.15) * period) as usize).max(1);
        let peak = pulse.iter().fold(1e-6_f32, |peak, x| peak.max(x.abs()));
        let mut out = Vec::with_capacity(length);
        let loss = |t60: f32| 10f32.powf(-3.0 / (t60 * base));
        let sustain = loss(self.t60 * (110.0 / base).powf(0.6).min(1.6));
        let damped = loss(self.damp).min(sustain);
        let held = samples(note.seconds, rate);
        let mut write = 0_usize;
        let mut before = 0.0_f32;
        for n in 0..length {
            let excite = |i: usize| if i < burst { pulse[i] / peak } else { 0.0 };
            let input = if n < burst + offset {
                excite(n) - if n >= offset { 0.9 * excite(n - offset) } else { 0.0 }
            } else {
                0.0
            };
            let t = n as f32 / rate;
            // The two-point average of the loss filter delays by `dull` samples.
            let delay = (period / (bend(t) / 12.0).exp2() - self.dull).clamp(2.0, size as f32 - 2.0);
            let whole = delay as usize;
            let part = delay - whole as f32;
            let at = |d: usize| string[(write + size - d) % size];
            let read = at(whole) * (1.0 - part) + at(whole + 1) * part;
            let filtered = (1.0 - self.dull) * read + self.dull * before;
            before = read;
            let sample = input + filtered * if n < held { sustain } else { damped };
            string[write] = sample;
            write = (write + 1) % size;
            out.push(sample * note.force);
        }
        let fade = samples(0.01, rate).min(out.len());
        let start = out.len() - fade;
        out[start..].iter_mut().enumerate().for_each(|(n, x)| *x *= 1.0 - n as f32 / fade as f32);
        out
    }
}

/// The wooden body of an acoustic instrument: three resonances around `hz`, in place.
pub fn body(sound: &mut [f32], rate: f32, hz: f32) {
    Biquad::bell(rate, hz, 2.5, 6.0).run(sound);
    Biquad::bell(rate, hz * 1.9, 2.0, 4.0).run(sound);
    Biquad::bell(rate, hz * 4.1, 1.5, 2.0).run(sound);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_in_tune_and_die_away() {
        let rate = 48e3;
        for pitch in [40, 57, 69] {
            let sound = Pluck::STEEL.play(Note::new(pitch, 1.5, 0.8), rate, &mut Dice::new(1));
            let period = rate / hz(pitch as f32);
            // The best match of the sound with itself, about one period later.
            let score = |lag: usize| (20_000..30_000).map(|n| sound[n] * sound[n + lag]).sum::<f32>();
            let range = (0.9 * period) as usize..(1.1 * period) as usize + 2;
            let best = range.max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap();
            assert!((best as f32 - period).abs() <= 1.0, "{pitch}: {best} for {period}");
            let rms = crate::synth::dsp::rms;
            assert!(rms(&sound[..4800]) > 2.0 * rms(&sound[60_000..64_800]));
        }
    }
}
