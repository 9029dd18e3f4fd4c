//! Synthesizers: detuned saws, a resonant bass, chip voices, bells by frequency modulation.

use super::Note;
use crate::synth::dice::{Dice, Noise};
use crate::synth::dsp::{Adsr, Sweep, Wave, samples};
use crate::synth::theory::hz;
use std::f32::consts::TAU;

/// Settings of a subtractive synthesizer.
#[derive(Clone, Copy)]
pub struct Patch {
    /// Detuned saws, at least 1.
    pub voices: usize,
    /// Detuning of the outermost saws in cents.
    pub detune: f32,
    /// Share of a square an octave below, 0..1.
    pub sub: f32,
    /// Filter cutoff at rest in Hz.
    pub cutoff: f32,
    /// How many octaves the filter envelope opens.
    pub sweep: f32,
    /// Filter quality: 0.7 flat, 8 squelchy.
    pub q: f32,
    /// Loudness over time.
    pub amp: Adsr,
    /// Time constant of the filter envelope's fall in seconds.
    pub fall: f32,
}

/// A note of a subtractive synthesizer; `open` multiplies the cutoff.
pub fn subtractive(note: Note, patch: &Patch, open: f32, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let base = hz(note.pitch) / rate;
    let voices = patch.voices.max(1);
    let mut waves: Vec<(Wave, f32)> = (0..voices)
        .map(|i| {
            let place = if voices == 1 { 0.0 } else { 2.0 * i as f32 / (voices - 1) as f32 - 1.0 };
            (Wave::new(dice.unit()), base * (place * patch.detune / 1200.0).exp2())
        })
        .collect();
    let mut sub = Wave::new(0.0);
    let mut filter = Sweep::default();
    let scale = 0.5 * note.force / (voices as f32).sqrt();
    (0..samples(patch.amp.length(note.seconds), rate))
        .map(|n| {
            let t = n as f32 / rate;
            let saws: f32 = waves.iter_mut().map(|(wave, step)| wave.saw(step.min(0.45))).sum();
            let low = patch.sub * sub.pulse(0.5 * base, 0.5) * (voices as f32).sqrt();
            let cutoff = patch.cutoff * open * (patch.sweep * note.force * (-t / patch.fall).exp()).exp2();
            filter.tick(saws + low, rate, cutoff.min(16_000.0), patch.q).low
                * scale
                * patch.amp.at(t, note.seconds)
        })
        .collect()
}

/// A voice of an old sound chip: a pulse of 1/8, 1/4 or 1/2, with the chip's coarse volume steps and optional vibrato.
pub fn chip_pulse(note: Note, width: f32, vibrato: f32, rate: f32) -> Vec<f32> {
    let base = hz(note.pitch) / rate;
    let mut wave = Wave::new(0.0);
    let envelope = Adsr { attack: 0.002, decay: 0.25, sustain: 0.45, release: 0.02 };
    (0..samples(envelope.length(note.seconds), rate))
        .map(|n| {
            let t = n as f32 / rate;
            let bend = vibrato / 12.0 * (TAU * 6.0 * t).sin() * ((t - 0.15) / 0.1).clamp(0.0, 1.0);
            let level = (15.0 * envelope.at(t, note.seconds)).round() / 15.0;
            0.4 * note.force * level * wave.pulse((base * bend.exp2()).min(0.45), width)
        })
        .collect()
}

/// The chip's triangle, in 16 steps: its bass.
pub fn chip_triangle(note: Note, rate: f32) -> Vec<f32> {
    let base = hz(note.pitch) / rate;
    let mut wave = Wave::new(0.25);
    let mut out: Vec<f32> = (0..samples(note.seconds, rate))
        .map(|_| 0.5 * (7.5 * wave.triangle(base.min(0.45))).round() / 7.5)
        .collect();
    let fade = samples(0.003, rate).min(out.len());
    let start = out.len() - fade;
    out[start..].iter_mut().enumerate().for_each(|(n, x)| *x *= 1.0 - n as f32 / fade as f32);
    out
}

/// The chip's noise channel: noise that changes only `hz` times a second.
pub fn chip_noise(seconds: f32, hz: f32, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let (mut phase, mut value) = (1.0_f32, 0.0);
    (0..samples(seconds, rate))
        .map(|n| {
            phase += hz / rate;
            if phase >= 1.0 {
                phase = phase.fract();
                value = if noise.tick() > 0.0 { 1.0 } else { -1.0 };
            }
            0.3 * value * (15.0 * (-5.0 * n as f32 / rate / seconds).exp()).round() / 15.0
        })
        .collect()
}

/// A bell or pluck by frequency modulation: `ratio` of the modulator, `index` of modulation, `t60` decay.
pub fn fm(note: Note, ratio: f32, index: f32, t60: f32, rate: f32) -> Vec<f32> {
    let f0 = hz(note.pitch) / rate;
    let (mut carrier, mut modulator) = (0.0_f32, 0.0_f32);
    (0..samples(t60.min(note.seconds + 1.0), rate))
        .map(|n| {
            let t = n as f32 / rate;
            carrier = (carrier + f0).fract();
            modulator = (modulator + f0 * ratio).fract();
            let depth = index * note.force * (-4.0 * t / t60).exp();
            let level = (-6.9 * t / t60).exp() * (t / 0.002).min(1.0);
            0.45 * note.force * level * (TAU * carrier + depth * (TAU * modulator).sin()).sin()
        })
        .collect()
}

/// Noise that rises through a filter, before something begins.
pub fn riser(seconds: f32, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let mut filter = Sweep::default();
    (0..samples(seconds, rate))
        .map(|n| {
            let share = n as f32 / rate / seconds;
            filter.tick(noise.tick(), rate, 300.0 * (5.0 * share).exp2(), 2.5).band * share * share * 0.5
        })
        .collect()
}
