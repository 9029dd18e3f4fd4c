//! Changing backend or quantization while playing loses no sample, clicks nowhere, and never makes the answer start anew.

mod engine_support;

use engine_support::{CHOICES, auto_is_int8, eager, engine, play, programme};
use idiom_engine::profile::{Parameter, Preset};
use idiom_engine::worker::ModelSource;
use idiom_engine::{Backend, Config, Controls, Genre, Handle, Posterior, Quantization, Transport};
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

/// Presets take turns while a genre is set by hand: each is arrived at, and nothing steps on the way.
#[test]
fn another_preset_is_glided_to() {
    let sine: Vec<f32> = (0..RATE as usize * 2)
        .map(|i| 0.25 * (std::f32::consts::TAU * 1000.0 * i as f32 / RATE).sin())
        .collect();
    let handle = Handle::new();
    let mut engine = engine(&handle, RATE, true, (Backend::Spectral, Quantization::Auto));
    let presets = Preset::factory();
    let mut whole = vec![];
    // A number that does not exist plays the first preset.
    for number in (0..presets.len()).chain([0, 99]) {
        let controls =
            Controls { manual: Some(Genre::Speech), reaction_s: 0.3, preset: number, ..Controls::default() };
        let mut sound = [sine.clone(), sine.clone()];
        play(&mut engine, &mut sound, &controls, || 480, |_| {});
        whole.extend_from_slice(&sound[0]);
        let preset = presets.get(number).unwrap_or(&presets[0]);
        let wanted = preset.profiles.genres[Genre::Speech.index()];
        let mix = handle.telemetry().snapshot().mix;
        for (name, got, wanted) in [
            ("low shelf", mix.eq_db[0], wanted[Parameter::LowDb]),
            ("mid bell", mix.eq_db[1], wanted[Parameter::MidDb]),
            ("centre", mix.eq_hz[1], wanted[Parameter::MidHz]),
            ("Q", mix.eq_q[1], wanted[Parameter::MidQ]),
            ("threshold", mix.threshold_db, wanted[Parameter::Threshold]),
        ] {
            let close = (got - wanted).abs() <= 0.001 * wanted.abs().max(1.0);
            assert!(close, "{}: {name} is {got}, not {wanted}", preset.name);
        }
    }
    let rough = roughness(&whole[RATE as usize..]);
    assert!(rough < 4.0 * roughness(&sine), "{rough:e} against {:e} of the input", roughness(&sine));
}

/// Profiles that are edited while they play are arrived at, and the built-in preset comes back when they go.
#[test]
fn edited_profiles_are_played_at_once() {
    let handle = Handle::new();
    let mut engine = engine(&handle, RATE, true, (Backend::Spectral, Quantization::Auto));
    let controls = Controls { manual: Some(Genre::Jazz), reaction_s: 0.1, ..Controls::default() };
    let mut profiles = Preset::factory()[0].profiles;
    let built_in = profiles.genres[Genre::Jazz.index()][Parameter::MidDb];
    let mut hear = |profiles| {
        handle.set_profiles(profiles);
        play(&mut engine, &mut [vec![0.0; 24_000], vec![0.0; 24_000]], &controls, || 480, |_| {});
        handle.telemetry().snapshot().mix.values[Parameter::MidDb]
    };
    for gain in [3.0, -2.0] {
        profiles.edit(Genre::Jazz, Parameter::MidDb, gain);
        assert!((hear(Some(profiles)) - gain).abs() < 1e-3);
    }
    assert!((hear(None) - built_in).abs() < 1e-3);
}

/// The smoothed posterior after every frame, with a change after five seconds.
fn posteriors(first: Quantization, then: Option<Quantization>) -> Vec<Posterior> {
    let handle = Handle::new();
    let mut engine = engine(&handle, RATE, true, (Backend::Onnx, first));
    let mut sound = programme(RATE, 9.0);
    let mut all = vec![];
    let mut changed = false;
    play(
        &mut engine,
        &mut sound,
        &eager(),
        || 960,
        |end| {
            all.push(handle.telemetry().snapshot().posterior);
            if let (Some(quantization), false) = (then, changed || end < 5 * 48_000) {
                changed = true;
                // Auto instead of ONNX, so that it is a change even if the quantization stays.
                handle.select(Backend::Auto, quantization);
            }
        },
    );
    assert_eq!(handle.telemetry().snapshot().swaps, u64::from(then.is_some()));
    all
}

#[test]
fn the_new_network_has_heard_what_the_old_one_has() {
    let fp32 = posteriors(Quantization::Fp32, None);
    // The same network is the sharpest test: a memory that differs shows at once.
    let same = posteriors(Quantization::Fp32, Some(Quantization::Fp32));
    // Another network must be near what either of the two says alone, with no dip in between.
    let int8 = posteriors(Quantization::Int8, None);
    let other = posteriors(Quantization::Fp32, Some(Quantization::Int8));
    for frame in 0..fp32.len() {
        for k in 0..fp32[frame].0.len() {
            let (a, b) = (fp32[frame].0[k], int8[frame].0[k]);
            assert!(
                (same[frame].0[k] - a).abs() < 1e-3,
                "frame {frame}, genre {k}: {} instead of {a}",
                same[frame].0[k]
            );
            let range = a.min(b) - 0.05..a.max(b) + 0.05;
            assert!(
                range.contains(&other[frame].0[k]),
                "frame {frame}: {} not in {range:?}",
                other[frame].0[k]
            );
        }
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
    auto_is_int8();
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
    auto_is_int8();
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
