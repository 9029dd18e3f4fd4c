//! Keyboards: piano, vibraphone and electric piano as sums of decaying modes.

use super::Note;
use crate::synth::dice::{Dice, Noise};
use crate::synth::dsp::{Biquad, Mode, samples};
use crate::synth::theory::hz;
use std::f32::consts::PI;

/// A piano note: stiff strings in pairs, struck at an eighth of their length by a hammer that is harder when it is faster.
pub fn piano(note: Note, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let f0 = hz(note.pitch);
    // Inharmonicity grows towards the treble (Fletcher & Rossing, The Physics of Musical Instruments, ch. 12).
    let stiffness = 4e-5 * ((note.pitch - 33.0) / 12.0 * 1.05).exp2().max(0.6);
    let life = 14.0 * (-(note.pitch - 33.0) / 24.0).exp2();
    let rolloff = 900.0 + 3400.0 * note.force * note.force + 1.2 * f0;
    let detune = dice.within(0.0002, 0.0006);
    let mut strings: Vec<(Mode, f32, f32)> = Vec::new();
    for partial in 1..=28 {
        let n = partial as f32;
        let frequency = f0 * n * (1.0 + stiffness * n * n).sqrt();
        if frequency > 0.45 * rate || frequency > 11_000.0 {
            break;
        }
        let strike = (PI * n / 8.0).sin().abs().max(0.08);
        let level = strike / n.powf(0.8) / (1.0 + (frequency / rolloff).powi(2));
        let t60 = (life / (1.0 + 0.25 * (n - 1.0)) / (1.0 + (frequency / 4500.0).powi(2))).max(0.15);
        for sign in [-1.0, 1.0] {
            let frequency = frequency * (1.0 + sign * detune);
            // The pair falls out of step: one string loses its energy sooner, which gives the two-stage decay.
            let t60 = if sign < 0.0 { t60 * 0.45 } else { t60 };
            strings.push((Mode::new(rate, frequency, 0.5 * level, t60), frequency, t60));
        }
    }
    let held = samples(note.seconds, rate);
    // The highest strings have no dampers.
    let damper: f32 = if note.pitch > 90.0 { 1.5 } else { 0.22 };
    let length = held + samples(damper.min(0.6), rate);
    let mut out = vec![0.0_f32; length];
    for (mode, frequency, t60) in &mut strings {
        let floor = mode.power() * 1e-8;
        for (n, sample) in out.iter_mut().enumerate() {
            if n == held {
                mode.set(rate, *frequency, damper.min(*t60));
            }
            *sample += mode.tick();
            if n % 512 == 0 && mode.power() < floor {
                break;
            }
        }
    }
    let mut noise = Noise::new(dice);
    let mut felt = Biquad::band_pass(rate, 180.0 + 2.0 * f0.min(900.0), 0.6);
    let rise = 0.0012 + 0.003 * (1.0 - note.force);
    for (n, sample) in out.iter_mut().enumerate() {
        let t = n as f32 / rate;
        let knock = if t < 0.06 { 0.35 * felt.tick(noise.tick()) * (-t / 0.012).exp() } else { 0.0 };
        *sample = (*sample * (t / rise).min(1.0) + knock) * note.force * 0.6;
    }
    fade(&mut out, rate);
    out
}

/// A vibraphone bar: modes at 1, 4 and 10 times its pitch, with the slow beat of the fans.
pub fn vibraphone(note: Note, rate: f32, fan_hz: f32, dice: &mut Dice) -> Vec<f32> {
    let f0 = hz(note.pitch);
    let mut modes = [(1.0, 1.0, 4.0), (4.0, 0.28 * note.force, 1.1), (10.1, 0.12 * note.force, 0.25)]
        .map(|(ratio, level, t60)| Mode::new(rate, f0 * ratio * dice.within(0.9995, 1.0005), level, t60));
    let held = samples(note.seconds, rate);
    let phase = dice.unit();
    let mut damp = 1.0_f32;
    let keep = (-1.0 / (0.08 * rate)).exp();
    let mut out: Vec<f32> = (0..held + samples(0.4, rate))
        .map(|n| {
            if n > held {
                damp *= keep;
            }
            let fan = 0.75 + 0.25 * (std::f32::consts::TAU * (fan_hz * n as f32 / rate + phase)).sin();
            modes.iter_mut().map(Mode::tick).sum::<f32>() * fan * damp * note.force * 0.5
        })
        .collect();
    fade(&mut out, rate);
    out
}

/// An electric piano: a tine (frequency modulation by its own pitch, dying quickly) and a bell-like attack.
pub fn electric_piano(note: Note, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let tau = std::f32::consts::TAU;
    let f0 = hz(note.pitch);
    let drift = dice.within(0.999, 1.001);
    let release = 0.12;
    let mut out: Vec<f32> = (0..samples(note.seconds + 4.0 * release, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let phase = tau * f0 * t * drift;
            let bell = 0.6 * note.force * (-t / 0.08).exp() * (phase * 14.0 % tau).sin();
            let tine = 1.6 * note.force * (-t / 0.7).exp() * (phase % tau).sin();
            let level =
                (-t / 1.8).exp() * if t > note.seconds { (-(t - note.seconds) / release).exp() } else { 1.0 };
            ((phase % tau + tine + 0.25 * bell).sin() + 0.15 * bell) * level * note.force * 0.5
        })
        .collect();
    fade(&mut out, rate);
    out
}

/// Takes the click off the end.
fn fade(sound: &mut [f32], rate: f32) {
    let length = samples(0.01, rate).min(sound.len());
    let start = sound.len() - length;
    sound[start..].iter_mut().enumerate().for_each(|(n, x)| *x *= 1.0 - n as f32 / length as f32);
}
