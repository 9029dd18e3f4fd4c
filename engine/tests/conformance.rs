//! One suite for every backend and quantization: the same sound, the same answer within the stated tolerance.

mod engine_support;

use engine_support::{eager, engine, play, programme};
use idiom_engine::model::{Entries, Model, shipped, windowed};
use idiom_engine::rt::net::Network;
use idiom_engine::{Backend, Handle, Posterior, Quantization, Verdict};

use Backend::{Auto, Classic, Onnx, OnnxWorker, Spectral, Tflite};
use Quantization::{Fp16, Fp32, Int8};

/// Everything that can be asked for.
const ALL: [(Backend, Quantization); 12] = [
    (Auto, Quantization::Auto),
    (Onnx, Fp32),
    (Onnx, Fp16),
    (Onnx, Int8),
    (Tflite, Fp32),
    (Tflite, Fp16),
    (Tflite, Int8),
    (OnnxWorker, Fp32),
    (OnnxWorker, Fp16),
    (OnnxWorker, Int8),
    (Classic, Quantization::Auto),
    (Spectral, Quantization::Auto),
];

/// How far a probability may be from FP32's on the audio thread, by what is different. Halves have 11 bits; INT8 is another
/// network that was made to agree, and this sound is of no genre: where a network is undecided a probability moves most.
/// The worker looks twice a second at a window and takes the level from it, which on steady sound is the same.
fn tolerance((backend, quantization): (Backend, Quantization)) -> f32 {
    let numbers = match quantization {
        Fp32 => 1e-5,
        Fp16 => 0.02,
        Int8 | Quantization::Auto => 0.05,
    };
    if backend == OnnxWorker { numbers + 0.05 } else { numbers }
}

/// The smoothed posterior after each frame of `sound`, played in blocks of this size.
fn listen(choice: (Backend, Quantization), rate: f32, sound: &[Vec<f32>; 2], block: usize) -> Vec<Posterior> {
    let handle = Handle::new();
    let mut engine = engine(&handle, rate, true, choice);
    let mut heard = Vec::new();
    let telemetry = handle.telemetry();
    play(&mut engine, &mut sound.clone(), &eager(), || block, |_| heard.push(telemetry.snapshot().posterior));
    heard
}

fn difference(a: &Posterior, b: &Posterior) -> f32 {
    a.0.iter().zip(b.0).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// A chord and a soft beat that do not change.
fn steady(rate: f32, seconds: f32) -> [Vec<f32>; 2] {
    let samples = (0..(rate * seconds) as usize).map(|i| {
        let t = i as f32 / rate;
        let tone = |hz: f32| (std::f32::consts::TAU * hz * t).sin();
        0.1 * (tone(220.0) + tone(275.0) + tone(330.0) + tone(1760.0))
            + 0.2 * (-8.0 * (2.0 * t).fract()).exp() * tone(55.0)
    });
    let samples: Vec<f32> = samples.collect();
    [samples.clone(), samples]
}

#[test]
fn the_same_sound_has_the_same_answer() {
    // As long as the slow level takes to settle.
    let sound = steady(48_000.0, 20.0);
    let reference = listen((Onnx, Fp32), 48_000.0, &sound, 960);
    let last = reference.last().expect("frames");
    assert!(last.is_valid() && *last != Posterior::UNIFORM);
    // The linear model and the rules are no networks and answer for themselves.
    for choice in ALL.into_iter().filter(|(backend, _)| !matches!(backend, Classic | Spectral)) {
        let heard = listen(choice, 48_000.0, &sound, 960);
        assert_eq!(heard.len(), reference.len());
        let off = difference(heard.last().expect("frames"), last);
        assert!(off <= tolerance(choice), "{choice:?} is {off} away");
    }
    // One network in two formats is one network.
    for quantization in [Fp32, Fp16, Int8] {
        let [onnx, tflite] =
            [Onnx, Tflite].map(|backend| listen((backend, quantization), 48_000.0, &sound, 960));
        assert!(onnx == tflite, "{quantization:?}");
    }
}

#[test]
fn frame_by_frame_is_the_window() {
    for quantization in [Fp32, Fp16, Int8] {
        for bytes in [shipped::flagship(quantization), shipped::flagship_tflite(quantization)] {
            let model = Model::read(bytes, &Entries::new()).expect("a shipped file");
            let (rows, frames) = (model.meta.features.rows(), model.meta.pool_frames);
            let columns: Vec<f32> = (0..frames * rows).map(|i| 2.0 * (i as f32 * 0.37).sin()).collect();
            let mut network = Network::compile(&model).expect("a shipped file");
            columns.chunks_exact(rows).for_each(|column| {
                network.push(column);
            });
            let window = windowed::run(&model, &columns, frames);
            for (a, b) in network.probabilities().iter().zip(&window.probabilities) {
                assert!((a - b).abs() <= 1e-5, "{quantization:?}: {a} and {b}");
            }
        }
    }
}

#[test]
fn the_block_size_changes_nothing() {
    let sound = programme(48_000.0, 4.0);
    for choice in ALL {
        let whole = listen(choice, 48_000.0, &sound, 960);
        let small = listen(choice, 48_000.0, &sound, 192);
        let at_frames: Vec<_> = small.iter().skip(4).step_by(5).copied().collect();
        assert!(whole == at_frames, "{choice:?}");
    }
}

#[test]
fn after_a_reset_the_same_sound_has_the_same_answers() {
    let sound = programme(44_100.0, 4.0);
    for choice in ALL {
        let handle = Handle::new();
        let mut engine = engine(&handle, 44_100.0, true, choice);
        let pass = |engine: &mut idiom_engine::Engine| {
            let mut heard = Vec::new();
            let telemetry = handle.telemetry();
            play(
                engine,
                &mut sound.clone(),
                &eager(),
                || 882,
                |_| heard.push(telemetry.snapshot().posterior),
            );
            engine.reset();
            heard
        };
        let first = pass(&mut engine);
        assert!(pass(&mut engine) == first, "{choice:?}");
    }
}

#[test]
fn silence_is_silence_and_garbage_passes() {
    for choice in ALL {
        let handle = Handle::new();
        let mut engine = engine(&handle, 48_000.0, true, choice);
        let mut hear = |sound: &[Vec<f32>; 2]| {
            let mut output = sound.clone();
            play(&mut engine, &mut output, &eager(), || 480, |_| ());
            assert!(output.iter().flatten().all(|sample| sample.is_finite()), "{choice:?}");
            handle.telemetry().snapshot()
        };
        let silent = hear(&[vec![0.0; 96_000], vec![0.0; 96_000]]);
        assert_eq!(silent.verdict, Verdict::Silent, "{choice:?}");
        let garbage = hear(&[vec![f32::NAN; 48_000], vec![f32::INFINITY; 48_000]]);
        assert!(garbage.posterior.is_valid(), "{choice:?}");
        let music = hear(&steady(48_000.0, 4.0));
        assert!(music.posterior.is_valid() && music.verdict != Verdict::Silent, "{choice:?}");
        assert_eq!(handle.status().problem, None, "{choice:?}");
    }
}

#[test]
fn every_rate_is_heard_by_what_was_asked_for() {
    for rate in [8_000.0, 44_100.0, 192_000.0] {
        let sound = steady(rate, 4.0);
        for choice in ALL {
            let handle = Handle::new();
            let mut engine = engine(&handle, rate, true, choice);
            play(&mut engine, &mut sound.clone(), &eager(), || 2048, |_| ());
            let seen = handle.telemetry().snapshot();
            assert!(seen.posterior.is_valid(), "{choice:?} at {rate}");
            assert_eq!((seen.backend, seen.quantization), handle.status().installed, "{choice:?} at {rate}");
        }
    }
}
