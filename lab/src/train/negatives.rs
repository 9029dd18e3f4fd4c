//! Sounds that are none of the classes: noise, hum, tones, clicks and near silence. Their target is "all classes
//! equally", so that a model stays uncertain where there is nothing to recognise.

use super::net::normal;
use super::sounds::{Sound, columns};
use idiom_engine::model::InputKind;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::TAU;

const RATE: f32 = 48_000.0;
/// Seconds of each sound.
const SECONDS: usize = 8;

/// `count` different sounds of nothing; the same seed gives the same ones.
pub fn sounds(count: usize, seed: u64, input: InputKind) -> Vec<Sound> {
    (0..count)
        .map(|index| {
            let mut random =
                ChaCha8Rng::seed_from_u64(seed ^ (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            Sound {
                columns: columns(&sound(index % 8, &mut random), RATE, input),
                path: format!("nothing {index}").into(),
                share: 1.0,
                ..Sound::default()
            }
        })
        .collect()
}

/// One sound of the given kind, at a random level between -70 and -10 dBFS.
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
            let phase = TAU * base * i as f32 / RATE;
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
        .map(|i| tones.iter().map(|(hz, a)| a * (TAU * (hz * i as f32 / RATE).fract()).sin()).sum())
        .collect()
}

/// A tone that glides from one frequency to another.
fn sweep(length: usize, random: &mut ChaCha8Rng) -> Vec<f32> {
    let from = 60.0 * 50f32.powf(random.random::<f32>());
    let to = 60.0 * 100f32.powf(random.random::<f32>());
    let mut phase = 0.0f32;
    (0..length)
        .map(|i| {
            phase = (phase + from * (to / from).powf(i as f32 / length as f32) / RATE).fract();
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
        let (a1, a2) = (2.0 * radius * (TAU * hz / RATE).cos(), -radius * radius);
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
        .for_each(|(i, x)| *x *= 1.0 - depth * (0.5 + 0.5 * (TAU * swell * i as f32 / RATE).sin()));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_finite_audible_and_the_same_for_the_same_seed() {
        let made = sounds(9, 7, InputKind::LogMel40);
        let again = sounds(9, 7, InputKind::LogMel40);
        for (a, b) in made.iter().zip(&again) {
            assert_eq!(a.columns, b.columns);
            assert_eq!(a.frames(40), SECONDS * 50);
            assert!(a.columns.iter().all(|x| x.is_finite() && x.abs() <= 4.0));
            assert!(a.columns.iter().any(|&x| x != a.columns[0]));
        }
        assert_ne!(made[0].columns, made[8].columns, "two of a kind are different");
    }
}
