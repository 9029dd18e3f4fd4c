//! Changing backend or quantization while playing loses no sample, clicks nowhere, and never makes the answer start anew.

mod engine_support;

use engine_support::{CHOICES, eager, engine, play, programme};
use idiom_engine::worker::ModelSource;
use idiom_engine::{Backend, Config, Controls, Handle, Quantization, Transport};
use std::time::{Duration, Instant};

const RATE: f32 = 48_000.0;

#[test]
fn with_amount_zero_the_output_is_the_input_whatever_is_changed() {
    let handle = Handle::new();
    let mut engine = engine(&handle, RATE, true, CHOICES[0]);
    let input = programme(RATE, 12.0);
    let mut sound = input.clone();
    let neutral = Controls { amount: 0.0, ..eager() };
    let mut next = 0;
    play(
        &mut engine,
        &mut sound,
        &neutral,
        || 512,
        |end| {
            if end / 72_000 > next {
                next += 1;
                let (backend, quantization) = CHOICES[next % CHOICES.len()];
                handle.select(backend, quantization);
            }
        },
    );
    assert!(sound == input);
    let snapshot = handle.telemetry().snapshot();
    assert_eq!(snapshot.frames, 12 * 50, "every frame was analysed");
    assert!(snapshot.swaps >= 6, "{} changes took place", snapshot.swaps);
}

/// Largest fourth difference: 3e-4 of the amplitude for a sine of 1 kHz at 48 kHz, but six times the step for a step.
fn roughness(x: &[f32]) -> f64 {
    let x: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
    x.windows(5).map(|w| (w[0] - 4.0 * w[1] + 6.0 * w[2] - 4.0 * w[3] + w[4]).abs()).fold(0.0, f64::max)
}

#[test]
fn a_change_makes_no_step_in_the_sound() {
    let sine: Vec<f32> = (0..RATE as usize * 10)
        .map(|i| 0.25 * (std::f32::consts::TAU * 1000.0 * i as f32 / RATE).sin())
        .collect();
    let plain = roughness(&sine);
    let handle = Handle::new();
    let mut engine = engine(&handle, RATE, true, CHOICES[0]);
    let mut sound = [sine.clone(), sine.clone()];
    let mut next = 0;
    play(
        &mut engine,
        &mut sound,
        &eager(),
        || 480,
        |end| {
            if end / 60_000 > next {
                next += 1;
                let (backend, quantization) = CHOICES[next % CHOICES.len()];
                handle.select(backend, quantization);
            }
        },
    );
    assert!(handle.telemetry().snapshot().swaps >= 6);
    assert!(sound[0] != sine, "the mix does something, or this shows nothing");
    // The profiles may raise the level by some dB, and settings glide; a step of 0.001 would be 20 times this.
    let rough = roughness(&sound[0]);
    assert!(rough < 4.0 * plain, "{rough:e} against {plain:e} of the input");
}

#[test]
fn the_new_network_has_heard_what_the_old_one_has() {
    let posteriors = |change: Option<(Backend, Quantization)>| {
        let handle = Handle::new();
        let mut engine = engine(&handle, RATE, true, (Backend::Onnx, Quantization::Fp32));
        let mut sound = programme(RATE, 12.0);
        let mut all = vec![];
        let mut changed = false;
        play(
            &mut engine,
            &mut sound,
            &eager(),
            || 960,
            |end| {
                all.push(handle.telemetry().snapshot().posterior);
                if let (Some((backend, quantization)), false) = (change, changed || end < 6 * 48_000) {
                    changed = true;
                    handle.select(backend, quantization);
                }
            },
        );
        assert_eq!(handle.telemetry().snapshot().swaps, u64::from(change.is_some()));
        all
    };
    let steady = posteriors(None);
    // The same network is the sharpest test: a memory that differs shows at once.
    for change in [(Backend::Auto, Quantization::Fp32), (Backend::Onnx, Quantization::Int8)] {
        let swapped = posteriors(Some(change));
        let far = |(a, b): (&idiom_engine::Posterior, &idiom_engine::Posterior)| {
            a.0.iter().zip(b.0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
        };
        let furthest = steady.iter().zip(&swapped).map(far).fold(0.0, f32::max);
        let limit = if change.1 == Quantization::Fp32 { 1e-3 } else { 0.1 };
        assert!(furthest < limit, "{change:?}: posteriors differ by {furthest}");
    }
}

/// Plays in real-time mode until `done` or ten seconds are over.
fn play_until(handle: &Handle, engine: &mut idiom_engine::Engine, done: impl Fn(&Handle) -> bool) -> bool {
    let sound = programme(RATE, 8.0);
    let started = Instant::now();
    let mut position = 0;
    while started.elapsed() < Duration::from_secs(10) {
        let start = position % (sound[0].len() - 480);
        let mut block = sound.each_ref().map(|channel| channel[start..start + 480].to_vec());
        let [left, right] = &mut block;
        engine.process(&mut [left, right], Transport::default(), &eager());
        position += 480;
        if done(handle) {
            return true;
        }
        std::thread::sleep(Duration::from_micros(300));
    }
    false
}

#[test]
fn in_real_time_every_choice_comes_into_force() {
    let handle = Handle::new();
    let mut engine = handle.start(Config { sample_rate: RATE, channels: 2, offline: false });
    for round in 0..2 * CHOICES.len() {
        let (backend, quantization) = CHOICES[(3 * round) % CHOICES.len()];
        handle.select(backend, quantization);
        let in_force = play_until(&handle, &mut engine, |handle| {
            let (status, snapshot) = (handle.status(), handle.telemetry().snapshot());
            let is = (snapshot.backend, snapshot.quantization);
            status.requested == (backend, quantization) && status.installed == is
        });
        assert!(in_force, "{backend:?} {quantization:?}: {:?}", handle.status());
    }
}

#[test]
fn a_model_that_cannot_be_read_changes_nothing_and_says_why() {
    let handle = Handle::new();
    let mut engine = handle.start(Config { sample_rate: RATE, channels: 2, offline: false });
    assert_eq!(handle.status().installed, (Backend::Onnx, Quantization::Int8));
    let bytes = b"not a model"[..].into();
    handle.select_model(ModelSource::Bytes { name: "broken.onnx".into(), bytes });
    assert!(play_until(&handle, &mut engine, |handle| handle.status().problem.is_some()));
    let status = handle.status();
    assert_eq!(status.installed, (Backend::Onnx, Quantization::Int8));
    assert!(status.problem.is_some_and(|problem| problem.contains("broken.onnx")));
    handle.select_model(ModelSource::Shipped);
    assert!(play_until(&handle, &mut engine, |handle| handle.status().problem.is_none()), "it recovers");
}
