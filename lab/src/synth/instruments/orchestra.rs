//! Bowed strings and choirs: several slightly different oscillators through the resonances of a body.

use super::Note;
use crate::synth::dice::{Dice, Noise};
use crate::synth::dsp::{Biquad, Wave, samples};
use crate::synth::theory::hz;
use std::f32::consts::TAU;

/// Who bows.
#[derive(Clone, Copy)]
pub struct Strings {
    /// Players in the section: 1 for a soloist.
    pub players: usize,
    /// Seconds until the tone has come up.
    pub attack: f32,
    /// Vibrato in cents.
    pub vibrato: f32,
}

/// A bowed note of a section.
pub fn bowed(note: Note, strings: Strings, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let release = 0.16;
    let length = samples(note.seconds + 3.0 * release, rate);
    let mut out = vec![0.0_f32; length];
    let spread = if strings.players > 1 { 0.0035 } else { 0.0008 };
    for _ in 0..strings.players {
        let base = hz(note.pitch) * (1.0 + spread * dice.bell());
        let (speed, depth) = (dice.within(4.8, 6.4), strings.vibrato / 1200.0 * dice.within(0.6, 1.4));
        let (phase, late) = (dice.unit(), dice.within(0.0, 0.02 * strings.players.min(4) as f32));
        let mut wave = Wave::new(dice.unit());
        let mut wander = 0.0_f32;
        let mut noise = Noise::new(dice);
        for (n, sample) in out.iter_mut().enumerate() {
            let t = n as f32 / rate - late;
            wander = 0.9998 * wander + 0.0002 * noise.tick();
            let onset = ((t - 0.15) / 0.4).clamp(0.0, 1.0);
            let bend = depth * onset * (TAU * (speed * t + phase)).sin() + 0.06 * wander;
            *sample += wave.saw((base * (1.0 + bend * 0.7) / rate).min(0.45));
        }
    }
    let scale = 0.32 * note.force / (strings.players as f32).sqrt();
    // Louder bowing is brighter. The body's air and wood resonances follow the size of the instrument.
    let size = if note.pitch < 50.0 {
        0.45
    } else if note.pitch < 62.0 {
        0.7
    } else {
        1.0
    };
    Biquad::low_pass(rate, (900.0 + 3600.0 * note.force + 1.5 * hz(note.pitch)).min(7000.0), 0.6)
        .run(&mut out);
    Biquad::low_pass(rate, 6500.0, 0.6).run(&mut out);
    Biquad::bell(rate, 275.0 * size, 3.0, 4.0).run(&mut out);
    Biquad::bell(rate, 460.0 * size, 3.0, 4.0).run(&mut out);
    Biquad::bell(rate, 1100.0 * size, 1.5, -3.0).run(&mut out);
    Biquad::bell(rate, 2400.0, 1.5, 3.5).run(&mut out);
    Biquad::high_pass(rate, (0.8 * hz(note.pitch)).max(35.0), 0.7).run(&mut out);
    let mut rosin = Noise::new(dice);
    let mut hair = Biquad::band_pass(rate, 3000.0, 0.5);
    for (n, sample) in out.iter_mut().enumerate() {
        let t = n as f32 / rate;
        let rise = 1.0 - (-2.5 * t / strings.attack).exp();
        let swell = 0.88 + 0.12 * (std::f32::consts::PI * (t / note.seconds).min(1.0)).sin();
        let fall = if t > note.seconds { (-(t - note.seconds) / (0.4 * release)).exp() } else { 1.0 };
        *sample = (*sample * scale + 0.012 * note.force * hair.tick(rosin.tick())) * rise * swell * fall;
    }
    out
}

/// A choir singing a vowel: a glottal buzz through three formants, several singers.
pub fn choir(note: Note, vowel: [f32; 3], rate: f32, dice: &mut Dice) -> Vec<f32> {
    let section = Strings { players: 5, attack: 0.25, vibrato: 28.0 };
    let release = 0.25;
    let length = samples(note.seconds + 3.0 * release, rate);
    let mut buzz = vec![0.0_f32; length];
    for _ in 0..section.players {
        let base = hz(note.pitch) * (1.0 + 0.004 * dice.bell());
        let (speed, phase, depth) = (dice.within(4.8, 6.0), dice.unit(), dice.within(0.006, 0.014));
        let mut wave = Wave::new(dice.unit());
        for (n, sample) in buzz.iter_mut().enumerate() {
            let bend = depth * (TAU * (speed * n as f32 / rate + phase)).sin();
            *sample += wave.saw((base * (1.0 + bend) / rate).min(0.45));
        }
    }
    Biquad::low_pass(rate, 900.0, 0.5).run(&mut buzz);
    let mut out = vec![0.0_f32; length];
    for (formant, level) in vowel.into_iter().zip([1.0, 0.7, 0.35]) {
        let mut band = Biquad::band_pass(rate, formant, 6.0);
        out.iter_mut().zip(&buzz).for_each(|(out, x)| *out += level * band.tick(*x));
    }
    for (n, sample) in out.iter_mut().enumerate() {
        let t = n as f32 / rate;
        let rise = 1.0 - (-2.5 * t / section.attack).exp();
        let fall = if t > note.seconds { (-(t - note.seconds) / (0.4 * release)).exp() } else { 1.0 };
        *sample *= 0.45 * note.force * rise * fall;
    }
    out
}
