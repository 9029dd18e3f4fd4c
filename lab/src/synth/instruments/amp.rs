//! A guitar amplifier and its cabinet: two valve stages at four times the sample rate, a tone stack, a power stage, and
//! the loudspeaker's resonances, roll-off and the notch that a close microphone adds.

use crate::synth::dice::Dice;
use crate::synth::dsp::{Biquad, rms};
use std::f32::consts::PI;

/// Times the sample rate at which the valves work, so that their harmonics do not fold back audibly.
const OVERSAMPLING: usize = 4;

/// Taps of the interpolation filter on each side of its centre, in input samples.
const REACH: usize = 12;

/// A cabinet with a microphone in front of it.
#[derive(Clone, Copy, Debug)]
pub struct Cabinet {
    /// Resonance of the loudspeaker in its box, in Hz.
    pub thump_hz: f32,
    /// How far it stands out, in dB.
    pub thump_db: f32,
    /// The hollow between box and cone, in Hz.
    pub hollow_hz: f32,
    /// The cone's break-up, where it is loudest, in Hz.
    pub bite_hz: f32,
    /// How far it stands out, in dB.
    pub bite_db: f32,
    /// The notch that the microphone's place makes, in Hz.
    pub notch_hz: f32,
    /// Where the treble ends, in Hz.
    pub cone_hz: f32,
}

impl Cabinet {
    /// Four loudspeakers in a closed box, or (`open`) one or two in an open one; no two are alike.
    pub fn random(open: bool, dice: &mut Dice) -> Cabinet {
        Cabinet {
            thump_hz: if open { dice.within(95.0, 140.0) } else { dice.within(85.0, 120.0) },
            thump_db: if open { dice.within(0.0, 2.5) } else { dice.within(2.0, 5.0) },
            hollow_hz: dice.within(320.0, 560.0),
            bite_hz: dice.within(2100.0, 3300.0),
            bite_db: dice.within(3.0, 7.0),
            notch_hz: dice.within(3900.0, 5600.0),
            cone_hz: if open { dice.within(5000.0, 7000.0) } else { dice.within(4200.0, 5600.0) },
        }
    }

    /// Plays a track through it, in place.
    pub fn play(&self, track: &mut [f32], rate: f32) {
        Biquad::high_pass(rate, 72.0, 0.9).run(track);
        Biquad::bell(rate, self.thump_hz, 1.6, self.thump_db).run(track);
        Biquad::bell(rate, self.hollow_hz, 0.9, -4.0).run(track);
        Biquad::bell(rate, self.bite_hz, 1.2, self.bite_db).run(track);
        Biquad::bell(rate, 1.45 * self.bite_hz, 3.0, -3.0).run(track);
        Biquad::bell(rate, self.notch_hz, 4.0, -8.0).run(track);
        Biquad::low_pass(rate, self.cone_hz, 0.9).run(track);
        Biquad::low_pass(rate, 1.15 * self.cone_hz, 0.7).run(track);
    }
}

/// An amplifier and its cabinet.
#[derive(Clone, Copy, Debug)]
pub struct Amp {
    /// Gain before the valves: 1 is clean, 8 crunches, 60 is metal.
    pub drive: f32,
    /// High-pass before the valves in Hz: high for tight palm mutes.
    pub tight_hz: f32,
    /// Middle, in dB at 650 Hz, after the valves.
    pub middle_db: f32,
    /// Treble, in dB above 2 kHz, after the valves.
    pub treble_db: f32,
    /// The cabinet.
    pub cabinet: Cabinet,
}

impl Amp {
    /// Plays a guitar track through amplifier and cabinet, in place, at any level: it is brought to the level of a
    /// pickup first and comes out at about the same loudness whatever the drive.
    pub fn play(&self, track: &mut [f32], rate: f32) {
        let level = loudest(track, rate);
        if level < 1e-7 {
            return;
        }
        track.iter_mut().for_each(|x| *x *= 0.25 / level);
        Biquad::high_pass(rate, self.tight_hz, 0.7).run(track);
        // A humbucker: a resonance and little above it.
        Biquad::bell(rate, 2400.0, 0.8, 3.0).run(track);
        let mut fast = raise(track);
        let inner = rate * OVERSAMPLING as f32;
        let mut coupling = Biquad::high_pass(inner, 40.0 + self.tight_hz, 0.6);
        let mut miller = Biquad::low_pass(inner, 7500.0, 0.6);
        let mut block = Biquad::high_pass(inner, 30.0, 0.7);
        let (first, second) = (self.drive.sqrt() * 1.2, self.drive.sqrt() * 1.6);
        for x in &mut fast {
            // Grid conduction clips one side sooner: asymmetric, hence even harmonics.
            let a = valve(first * *x, 0.2);
            let b = valve(second * miller.tick(coupling.tick(a)), 0.12);
            *x = block.tick(b);
        }
        lower(&fast, track);
        Biquad::bell(rate, 650.0, 0.7, self.middle_db).run(track);
        Biquad::high_shelf(rate, 2000.0, self.treble_db).run(track);
        // The power stage gives way softly.
        let level = loudest(track, rate).max(1e-7);
        track.iter_mut().for_each(|x| *x = (1.1 * *x / level * 0.5).tanh());
        self.cabinet.play(track, rate);
        let level = loudest(track, rate).max(1e-7);
        track.iter_mut().for_each(|x| *x *= 0.2 / level);
    }
}

fn valve(x: f32, bias: f32) -> f32 {
    (x + bias).tanh() - bias.tanh()
}

/// RMS of the loudest tenth of 50 ms blocks.
fn loudest(track: &[f32], rate: f32) -> f32 {
    let mut levels: Vec<f32> = track.chunks((0.05 * rate) as usize + 1).map(rms).collect();
    levels.sort_by(|a, b| b.total_cmp(a));
    let top = &levels[..levels.len().div_ceil(10)];
    top.iter().sum::<f32>() / top.len().max(1) as f32
}

/// Low-pass filter of the conversion: a sinc with a Hann window, cut off at 0.9 of the lower Nyquist frequency.
fn kernel() -> Vec<f32> {
    let half = (REACH * OVERSAMPLING) as isize;
    (-half..=half)
        .map(|n| {
            let t = 0.9 * n as f32 / OVERSAMPLING as f32;
            let sinc = if n == 0 { 1.0 } else { (PI * t).sin() / (PI * t) };
            0.9 * sinc * (0.5 + 0.5 * (PI * n as f32 / (half + 1) as f32).cos())
        })
        .collect()
}

/// Raises the sample rate; the delay of the filter is taken out.
fn raise(track: &[f32]) -> Vec<f32> {
    let kernel = kernel();
    let mut fast = vec![0.0; track.len() * OVERSAMPLING];
    for (m, out) in fast.iter_mut().enumerate() {
        // Only every OVERSAMPLING-th tap meets a sample that is not 0.
        let (base, phase) = (m / OVERSAMPLING, m % OVERSAMPLING);
        let mut sum = 0.0;
        for k in 0..=2 * REACH {
            let tap = k * OVERSAMPLING + phase;
            if let (Some(weight), Some(x)) =
                (kernel.get(tap), (base + REACH).checked_sub(k).and_then(|i| track.get(i)))
            {
                sum += weight * x;
            }
        }
        *out = sum;
    }
    fast
}

/// Lowers the sample rate back into `track`.
fn lower(fast: &[f32], track: &mut [f32]) {
    let kernel = kernel();
    let half = REACH * OVERSAMPLING;
    for (n, out) in track.iter_mut().enumerate() {
        let centre = n * OVERSAMPLING;
        let first = centre.saturating_sub(half);
        let last = (centre + half + 1).min(fast.len());
        let offset = first + half - centre;
        let sum: f32 = fast[first..last].iter().zip(&kernel[offset..]).map(|(x, w)| x * w).sum();
        *out = sum / OVERSAMPLING as f32;
    }
}

/// A bass through its own box: a little saturation, no treble.
pub fn bass_box(track: &mut [f32], rate: f32, drive: f32, treble_hz: f32) {
    let level = loudest(track, rate);
    if level < 1e-7 {
        return;
    }
    Biquad::high_pass(rate, 35.0, 0.7).run(track);
    track.iter_mut().for_each(|x| *x = (drive * *x / level * 0.4).tanh());
    Biquad::bell(rate, 90.0, 1.0, 2.0).run(track);
    Biquad::bell(rate, 800.0, 1.0, 1.5).run(track);
    Biquad::low_pass(rate, treble_hz, 0.7).run(track);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f32, level: f32, rate: f32) -> Vec<f32> {
        (0..rate as usize).map(|n| level * (2.0 * PI * hz * n as f32 / rate).sin()).collect()
    }

    /// Level of a frequency in dB below full scale.
    fn at(sound: &[f32], hz: f32, rate: f32) -> f32 {
        let (mut re, mut im) = (0.0_f64, 0.0_f64);
        for (n, x) in sound.iter().enumerate() {
            let angle = 2.0 * std::f64::consts::PI * f64::from(hz) * n as f64 / f64::from(rate);
            re += f64::from(*x) * angle.cos();
            im += f64::from(*x) * angle.sin();
        }
        20.0 * (2.0 * re.hypot(im) / sound.len() as f64 + 1e-12).log10() as f32
    }

    #[test]
    fn conversion_to_the_higher_rate_and_back_is_transparent() {
        let rate = 48e3;
        let sound = sine(3000.0, 0.5, rate);
        let mut back = vec![0.0; sound.len()];
        lower(&raise(&sound), &mut back);
        let error =
            rms(&sound[2000..40_000].iter().zip(&back[2000..40_000]).map(|(a, b)| a - b).collect::<Vec<_>>());
        assert!(error < 2e-3, "{error}");
    }

    #[test]
    fn drive_makes_harmonics_and_the_cabinet_ends_the_treble() {
        let rate = 48e3;
        let cabinet = Cabinet::random(false, &mut Dice::new(1));
        let amp = |drive| Amp { drive, tight_hz: 90.0, middle_db: 0.0, treble_db: 0.0, cabinet };
        let played = |drive| {
            let mut sound = sine(330.0, 0.1, rate);
            amp(drive).play(&mut sound, rate);
            sound
        };
        let (clean, hot) = (played(0.2), played(40.0));
        let third = |sound: &[f32]| at(sound, 990.0, rate) - at(sound, 330.0, rate);
        assert!(third(&hot) > third(&clean) + 10.0, "{} {}", third(&hot), third(&clean));
        assert!(third(&hot) > -20.0, "{}", third(&hot));
        // Harmonic 31 (10.2 kHz) has gone with the loudspeaker.
        assert!(at(&hot, 10_230.0, rate) < at(&hot, 330.0, rate) - 45.0);
        assert!(hot.iter().all(|x| x.is_finite() && x.abs() < 2.0));
    }

    #[test]
    fn power_chords_growl_at_the_difference_of_their_tones() {
        // Two strings through one distorting amplifier give the difference tone; through none they do not.
        let rate = 48e3;
        let mut chord: Vec<f32> =
            sine(220.0, 0.1, rate).iter().zip(sine(330.0, 0.1, rate)).map(|(a, b)| a + b).collect();
        let before = at(&chord, 110.0, rate) - at(&chord, 220.0, rate);
        let cabinet = Cabinet::random(false, &mut Dice::new(2));
        Amp { drive: 20.0, tight_hz: 80.0, middle_db: 0.0, treble_db: 0.0, cabinet }.play(&mut chord, rate);
        let after = at(&chord, 110.0, rate) - at(&chord, 220.0, rate);
        assert!(before < -60.0 && after > -35.0, "{before} {after}");
    }
}
