//! Wind instruments: an oscillator whose brightness follows the breath, formants, vibrato that sets in late, and breath.

use super::Note;
use crate::synth::dice::{Dice, Noise};
use crate::synth::dsp::{Biquad, Sweep, Wave, samples};
use crate::synth::theory::hz;
use std::f32::consts::TAU;

/// Which instrument is blown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wind {
    /// Tenor or alto saxophone.
    Sax,
    /// Trumpet.
    Trumpet,
    /// Trumpet with a Harmon mute.
    MutedTrumpet,
    /// Flute.
    Flute,
    /// Clarinet.
    Clarinet,
    /// Oboe.
    Oboe,
    /// French horn.
    Horn,
}

/// A blown note. `scoop` is how many semitones below its pitch it begins.
pub fn blown(note: Note, wind: Wind, scoop: f32, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let f0 = hz(note.pitch);
    let (attack, breath, vibrato_cents) = match wind {
        Wind::Sax => (0.035, 0.05, 22.0),
        Wind::Trumpet => (0.025, 0.015, 14.0),
        Wind::MutedTrumpet => (0.03, 0.03, 12.0),
        Wind::Flute => (0.06, 0.10, 25.0),
        Wind::Clarinet => (0.04, 0.02, 4.0),
        Wind::Oboe => (0.04, 0.015, 16.0),
        Wind::Horn => (0.07, 0.015, 5.0),
    };
    let release = 0.05;
    let speed = dice.within(4.8, 6.0);
    let depth = vibrato_cents / 1200.0 * dice.within(0.5, 1.3);
    let mut wave = Wave::new(dice.unit());
    let mut second = Wave::new(dice.unit());
    let mut noise = Noise::new(dice);
    let mut air = Biquad::band_pass(rate, (2.5 * f0).clamp(900.0, 3500.0), 0.6);
    let mut tone = Sweep::default();
    let mut out: Vec<f32> = (0..samples(note.seconds + 4.0 * release, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let rise = 1.0 - (-2.8 * t / attack).exp();
            let fall = if t > note.seconds { (-(t - note.seconds) / release).exp() } else { 1.0 };
            let level = rise * fall * (0.9 + 0.1 * (-t / 0.15).exp());
            let late = ((t - 0.22) / 0.35).clamp(0.0, 1.0);
            let bend = depth * late * (TAU * speed * t).sin() - scoop / 12.0 * (-t / 0.05).exp();
            let step = (f0 * bend.exp2() / rate).min(0.45);
            let force = note.force * level;
            let (source, cutoff) = match wind {
                Wind::Sax => {
                    (0.7 * wave.saw(step) + 0.3 * second.pulse(step, 0.32), 700.0 + 4200.0 * force + f0)
                }
                Wind::Trumpet => (wave.saw(step), 500.0 + 6500.0 * force * force + 1.5 * f0),
                Wind::MutedTrumpet => (wave.pulse(step, 0.12), 1800.0 + 4000.0 * force),
                Wind::Flute => (wave.triangle(step) + 0.12 * second.saw(step), 1.6 * f0 + 1200.0 * force),
                Wind::Clarinet => (wave.pulse(step, 0.5), 1.2 * f0 + 2400.0 * force),
                Wind::Oboe => (wave.pulse(step, 0.15), 1800.0 + 3000.0 * force),
                Wind::Horn => (wave.saw(step), 250.0 + 1700.0 * force * force + 1.2 * f0),
            };
            let hiss = breath * (1.0 + 2.0 * (-t / 0.04).exp()) * air.tick(noise.tick());
            (tone.tick(source + hiss, rate, cutoff, 0.75).low) * level * note.force
        })
        .collect();
    let formants: &[(f32, f32, f32)] = match wind {
        Wind::Sax => &[(650.0, 1.6, 4.0), (1400.0, 1.8, 3.0), (2600.0, 2.0, 2.0)],
        Wind::Trumpet => &[(1200.0, 1.2, 4.0), (2400.0, 1.5, 2.0)],
        Wind::MutedTrumpet => &[(400.0, 0.8, -9.0), (1800.0, 2.2, 9.0), (3600.0, 2.0, 4.0)],
        Wind::Flute => &[(800.0, 0.8, 2.0)],
        Wind::Clarinet => &[(1500.0, 1.2, 3.0)],
        Wind::Oboe => &[(1100.0, 2.5, 7.0), (2900.0, 2.5, 5.0)],
        Wind::Horn => &[(340.0, 1.0, 4.0)],
    };
    for &(frequency, q, db) in formants {
        Biquad::bell(rate, frequency, q, db).run(&mut out);
    }
    out.iter_mut().for_each(|x| *x *= 0.5);
    out
}
