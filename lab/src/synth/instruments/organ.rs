//! Organs as ranks of sines: pipes speaking through wind, or tone wheels through a rotating loudspeaker.

use super::Note;
use crate::synth::dice::{Dice, Noise};
use crate::synth::dsp::{Biquad, samples};
use crate::synth::theory::hz;
use std::f32::consts::TAU;

/// An organ note. A church organ draws a principal chorus (8', 4', 2 2/3', 2', mixture) with chiff and wind; the other
/// kind is a drawbar organ with key click and the vibrato of a rotating horn.
pub fn pipe_organ(note: Note, church: bool, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let f0 = hz(note.pitch);
    let ranks: &[(f32, f32)] = if church {
        &[(1.0, 1.0), (2.0, 0.7), (3.0, 0.3), (4.0, 0.45), (6.0, 0.2), (8.0, 0.22), (5.0, 0.08), (12.0, 0.08)]
    } else {
        &[(0.5, 0.6), (1.0, 1.0), (1.5, 0.7), (2.0, 0.5), (3.0, 0.25), (4.0, 0.3)]
    };
    let release = if church { 0.09 } else { 0.02 };
    let length = samples(note.seconds + 4.0 * release, rate);
    let attack = if church { 0.03 } else { 0.004 };
    let turn = dice.within(5.8, 6.8);
    let depth = if church { 0.0 } else { 0.003 };
    let mut out = vec![0.0_f32; length];
    for &(ratio, level) in ranks {
        let frequency = f0 * ratio * (1.0 + 0.0006 * dice.bell());
        if frequency > 0.42 * rate || frequency > 9000.0 {
            continue;
        }
        let mut phase = dice.unit();
        for (n, sample) in out.iter_mut().enumerate() {
            let sway = 1.0 + depth * (TAU * turn * n as f32 / rate).sin();
            phase = (phase + frequency * sway / rate).fract();
            *sample += level * (TAU * phase).sin();
        }
    }
    let mut noise = Noise::new(dice);
    let mut chiff = Biquad::band_pass(rate, (3.0 * f0).clamp(300.0, 5000.0), 1.5);
    for (n, sample) in out.iter_mut().enumerate() {
        let t = n as f32 / rate;
        let fall = if t > note.seconds { (-(t - note.seconds) / release).exp() } else { 1.0 };
        let air = chiff.tick(noise.tick())
            * if church { 0.02 + 0.5 * (-t / 0.02).exp() } else { 0.4 * (-t / 0.004).exp() };
        *sample = (*sample + air) * (t / attack).min(1.0) * fall * 0.22;
    }
    out
}
