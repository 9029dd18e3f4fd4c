//! Signals and measurements that the tests of the mix stage share.
#![allow(dead_code)] // each test file uses its own part

use idiom_engine::profile::Profiles;
use idiom_engine::rt::decision::Outcome;
use idiom_engine::rt::mix::MixStage;
use idiom_engine::{Controls, Genre, LimiterMode, Posterior, Verdict};
use std::f64::consts::PI;

/// A small reproducible noise source (xorshift), uniform in -1..1.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

/// Pink noise within 0.5 dB of -3 dB per octave from 10 Hz up: white noise through poles and zeros that alternate
/// every half decade.
pub fn pink(seed: u64, sample_rate: f64, samples: usize) -> Vec<f32> {
    let mut noise = Noise(seed);
    let corner =
        |k: i32, shift: f64| (-2.0 * PI * 5.0 * 10f64.powf((f64::from(k) + shift) / 2.0) / sample_rate).exp();
    let sections: Vec<(f64, f64)> = (0..8).map(|k| (corner(k, 0.0), corner(k, 0.5))).collect();
    let mut state = [(0.0, 0.0); 8];
    (0..samples)
        .map(|_| {
            let mut x = noise.next();
            for (&(pole, zero), (last_in, last_out)) in sections.iter().zip(&mut state) {
                let y = x - zero * *last_in + pole * *last_out;
                (*last_in, *last_out) = (x, y);
                x = y;
            }
            x as f32
        })
        .collect()
}

/// Loudness in LUFS of equally loud parts, without gating: ITU-R BS.1770-4, with the coefficients it gives for 48 kHz.
pub fn loudness_48k(channels: &[Vec<f32>], from: usize) -> f64 {
    let stages = [
        ([1.53512485958697, -2.69169618940638, 1.19839281085285], [-1.69065929318241, 0.73248077421585]),
        ([1.0, -2.0, 1.0], [-1.99004745483398, 0.99007225036621]),
    ];
    let power: f64 = channels
        .iter()
        .map(|channel| {
            let mut signal: Vec<f64> = channel.iter().map(|&x| f64::from(x)).collect();
            for (b, a) in stages {
                let (mut s1, mut s2) = (0.0, 0.0);
                for x in &mut signal {
                    let y = b[0] * *x + s1;
                    s1 = b[1] * *x - a[0] * y + s2;
                    s2 = b[2] * *x - a[1] * y;
                    *x = y;
                }
            }
            signal[from..].iter().map(|x| x * x).sum::<f64>() / (signal.len() - from) as f64
        })
        .sum();
    -0.691 + 10.0 * power.log10()
}

/// A stereo signal with this loudness.
pub fn at_loudness(mut channels: Vec<Vec<f32>>, lufs: f64) -> Vec<Vec<f32>> {
    let gain = 10f64.powf((lufs - loudness_48k(&channels, 0)) / 20.0) as f32;
    channels.iter_mut().flatten().for_each(|x| *x *= gain);
    channels
}

pub fn sine(hz: f64, amplitude: f64, sample_rate: f64, samples: usize) -> Vec<f32> {
    (0..samples).map(|n| (amplitude * (2.0 * PI * hz * n as f64 / sample_rate).sin()) as f32).collect()
}

/// A decision for one genre beyond doubt.
pub fn surely(genre: Genre) -> Outcome {
    Outcome {
        posterior: Posterior::certain(genre),
        genre: Some(genre),
        verdict: Verdict::Recognised,
        confidence: 1.0,
    }
}

/// A stage that has long been at a genre's profile, with nothing heard yet.
pub fn settled_at(genre: Genre, sample_rate: f32, channels: usize, profiles: &Profiles) -> MixStage {
    let mut stage = MixStage::new(sample_rate, channels, profiles, LimiterMode::ZeroLatency);
    let controls = Controls { reaction_s: 0.1, ..Controls::default() };
    stage.set_target(&surely(genre), &controls);
    let mut silence = vec![vec![0.0f32; (0.5 * sample_rate) as usize]; channels];
    run(&mut stage, &mut silence, &controls);
    stage
}

/// Processes whole channels in one call.
pub fn run(stage: &mut MixStage, channels: &mut [Vec<f32>], controls: &Controls) {
    let end = channels[0].len();
    let mut slices: Vec<&mut [f32]> = channels.iter_mut().map(|channel| channel.as_mut_slice()).collect();
    stage.process(&mut slices, &[], 0, end, controls);
}

/// Level in dB relative to `reference` of what `signal` holds above `hz`, through a steep window-sinc high-pass.
pub fn level_above_db(signal: &[f32], hz: f64, sample_rate: f64, reference: f64) -> f64 {
    const HALF: i64 = 400;
    let cutoff = hz / sample_rate;
    let kernel: Vec<f64> = (-HALF..=HALF)
        .map(|n| {
            let x = n as f64;
            let low = if n == 0 { 2.0 * cutoff } else { (2.0 * PI * cutoff * x).sin() / (PI * x) };
            // Blackman-Harris: side lobes below -92 dB
            let t = PI * (x / HALF as f64 + 1.0);
            let window = 0.35875 - 0.48829 * t.cos() + 0.14128 * (2.0 * t).cos() - 0.01168 * (3.0 * t).cos();
            let delta = if n == 0 { 1.0 } else { 0.0 };
            delta - low * window
        })
        .collect();
    let energy: f64 = signal
        .windows(kernel.len())
        .map(|window| {
            let y: f64 = window.iter().zip(&kernel).map(|(&x, k)| f64::from(x) * k).sum();
            y * y
        })
        .sum();
    10.0 * (energy / reference + 1e-30).log10()
}

/// Energy above 15 kHz, relative to the tone's, that processing adds while `frames` of moves go on.
pub fn clicks_db(
    profiles: &Profiles,
    hz: f64,
    amplitude: f64,
    moves: impl Fn(usize) -> (Outcome, Controls),
) -> f64 {
    let (rate, hop, frames) = (48_000.0f32, 960, 200);
    let tone = sine(hz, amplitude, rate.into(), hop * frames);
    let mut output = [tone.clone(), tone.clone()];
    let mut stage = MixStage::new(rate, 2, profiles, LimiterMode::ZeroLatency);
    for frame in 0..frames {
        let (outcome, controls) = moves(frame);
        stage.set_target(&outcome, &controls);
        let mut slices: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[..]).collect();
        stage.process(&mut slices, &[], frame * hop, (frame + 1) * hop, &controls);
    }
    let difference: Vec<f32> = output[0].iter().zip(&tone).map(|(a, b)| a - b).collect();
    let energy = tone.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
    level_above_db(&difference[4_800..], 15_000.0, rate.into(), energy)
}
