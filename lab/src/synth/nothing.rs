//! Sounds that are none of the classes: noise, hum, tones, clicks, room tone and near silence.
//!
//! Training learns from them to stay uncertain, and the evaluation counts how often something is claimed of them; with
//! different seeds.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

/// Samples a second.
pub const RATE: u32 = 48_000;
/// Seconds of each sound.
pub const SECONDS: usize = 8;
/// The kinds of sound, in the order in which [`sounds`] makes them, again and again.
pub const KINDS: [&str; 8] =
    ["white noise", "coloured noise", "hum", "tones", "sweep", "clicks", "room tone", "hum under noise"];

/// `count` different sounds of nothing, mono at [`RATE`], each at a random level between -70 and -10 dBFS; the same seed
/// gives the same ones. Sound `i` is of kind `i % KINDS.len()`.
pub fn sounds(count: usize, seed: u64) -> impl Iterator<Item = Vec<f32>> {
    (0..count).map(move |index| {
        let mut random = ChaCha8Rng::seed_from_u64(seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        sound(index % KINDS.len(), &mut random)
    })
}

/// A normally distributed number (Box and Muller).
pub fn normal(random: &mut ChaCha8Rng) -> f32 {
    let u: f32 = 1.0 - random.random::<f32>();
    let v: f32 = random.random();
    (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
}

/// One sound of the given kind.
fn sound(kind: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let length = SECONDS * RATE as usize;
    let mut out = match kind {
        0 => noise(length, 0.0, random),
        1 => noise(length, random.random_range(0.7..0.9999), random),
        2 => hum(length, random),
        3 => tones(length, random),
        4 => sweep(length, random),
        5 => clicks(length, random),
        6 => room(length, random),
        _ => {
            // Hum under noise, as from an open input.
            let level = random.random_range(0.02..0.5);
            let noise = noise(length, 0.5, random);
            hum(length, random).iter().zip(noise).map(|(a, b)| a + level * b).collect()
        }
    };
    let energy = out.iter().map(|x| x * x).sum::<f32>() / length as f32;
    let level = 10f32.powf(random.random_range(-70.0..-10.0) / 20.0) / energy.sqrt().max(1e-9);
    out.iter_mut().for_each(|x| *x *= level);
    out
}

/// Noise through a one-pole low-pass: 0 is white, towards 1 it is brown.
fn noise(length: usize, pole: f32, random: &mut ChaCha8Rng) -> Vec<f32> {
    let mut state = 0.0;
    (0..length)
        .map(|_| {
            state = pole * state + (1.0 - pole) * normal(random);
            state
        })
        .collect()
}

/// Mains hum with harmonics.
fn hum(length: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let base = if random.random_bool(0.5) { 50.0 } else { 60.0 };
    let amplitudes: Vec<f32> = (0..10).map(|k| random.random::<f32>() / (1.0 + k as f32)).collect();
    (0..length)
        .map(|i| {
            let phase = TAU * base * i as f32 / RATE as f32;
            amplitudes.iter().enumerate().map(|(k, a)| a * ((k + 1) as f32 * phase).sin()).sum()
        })
        .collect()
}

/// One to three steady tones, as from a test generator.
fn tones(length: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let count = random.random_range(1..=3);
    let tones: Vec<(f32, f32)> = (0..count)
        .map(|_| (60.0 * 100f32.powf(random.random::<f32>()), random.random_range(0.2..1.0)))
        .collect();
    (0..length)
        .map(|i| tones.iter().map(|(hz, a)| a * (TAU * (hz * i as f32 / RATE as f32).fract()).sin()).sum())
        .collect()
}

/// A tone that glides from one frequency to another.
fn sweep(length: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let from = 60.0 * 50f32.powf(random.random::<f32>());
    let to = 60.0 * 100f32.powf(random.random::<f32>());
    let mut phase = 0.0f32;
    (0..length)
        .map(|i| {
            phase = (phase + from * (to / from).powf(i as f32 / length as f32) / RATE as f32).fract();
            (TAU * phase).sin()
        })
        .collect()
}

/// Single clicks over faint noise.
fn clicks(length: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let mut out = noise(length, random.random_range(0.0..0.95), random);
    out.iter_mut().for_each(|x| *x *= 0.003);
    for _ in 0..random.random_range(3..40) {
        let at = random.random_range(0..length - 200);
        let height = random.random_range(0.1..1.0);
        let decay = random.random_range(5.0..60.0f32);
        for k in 0..200 {
            out[at + k] += height * normal(random) * (-(k as f32) / decay).exp();
        }
    }
    out
}

/// Room tone: noise with a few resonances that slowly swells.
fn room(length: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let mut out = noise(length, random.random_range(0.9..0.998), random);
    for _ in 0..3 {
        let hz = 60.0 * 30f32.powf(random.random::<f32>());
        let radius = 1.0 - random.random_range(0.001..0.02f32);
        let (a1, a2) = (2.0 * radius * (TAU * hz / RATE as f32).cos(), -radius * radius);
        let (mut y1, mut y2) = (0.0, 0.0);
        for x in &mut out {
            let y = *x + 0.3 * (a1 * y1 + a2 * y2);
            (y2, y1) = (y1, y);
            *x = y;
        }
    }
    let swell = random.random_range(0.05..0.5f32);
    let depth = random.random_range(0.0..0.5f32);
    out.iter_mut()
        .enumerate()
        .for_each(|(i, x)| *x *= 1.0 - depth * (0.5 + 0.5 * (TAU * swell * i as f32 / RATE as f32).sin()));
    out
}
