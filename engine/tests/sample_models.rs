//! Models of the user's that take the sound itself, 960 samples a frame: at every host rate, on the audio thread and on the
//! worker, in every shape of input.

mod engine_support;

use engine_support::samples::{POOL, chain, described, foreign, fragile};
use engine_support::{auto_is_int8, eager, engine, play};
use idiom_engine::model::quantize::{FULL, quantize};
use idiom_engine::model::{onnx_write, tflite_write};
use idiom_engine::worker::{ModelSource, user};
use idiom_engine::{Backend, Config, Genre, Handle, Posterior, Quantization};
use std::time::{Duration, Instant};

const RATES: [f32; 6] = [16_000.0, 22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0];

fn tone(hz: f32, rate: f32, seconds: f32) -> [Vec<f32>; 2] {
    let wave = |n: usize| 0.3 * (std::f32::consts::TAU * hz * n as f32 / rate).sin();
    let sound: Vec<f32> = (0..(seconds * rate) as usize).map(wave).collect();
    [sound.clone(), sound]
}

fn model(bytes: Vec<u8>) -> ModelSource {
    ModelSource::Bytes { name: "tones".into(), bytes: bytes.into() }
}

/// What is shown after three seconds of a tone that is bounced at this rate, and what it was made by.
fn heard(bytes: Vec<u8>, wish: Backend, hz: f32, rate: f32) -> (Posterior, Backend) {
    auto_is_int8();
    let handle = Handle::new();
    handle.select(wish, Quantization::Auto);
    handle.select_model(model(bytes));
    let mut engine = handle.start(Config { sample_rate: rate, channels: 2, offline: true });
    play(&mut engine, &mut tone(hz, rate, 3.0), &eager(), || 777, |_| ());
    let seen = handle.telemetry().snapshot();
    (seen.posterior, seen.backend)
}

fn probability(posterior: &Posterior, genre: Genre) -> f32 {
    posterior.0[genre.index()]
}

#[test]
fn a_file_of_another_program_hears_the_sound_at_every_rate() {
    let bytes = described(&[Some(1), Some(960)], 960);
    for (hz, genre) in [(1000.0, Genre::Rock), (3000.0, Genre::Jazz)] {
        let (at_48, backend) = heard(bytes.clone(), Backend::Auto, hz, 48_000.0);
        assert_eq!(backend, Backend::OnnxWorker, "what only tract runs goes there by itself");
        for rate in RATES {
            let (posterior, _) = heard(bytes.clone(), Backend::Auto, hz, rate);
            assert!(probability(&posterior, genre) > 0.95, "{hz} Hz at {rate}: {posterior:?}");
            for (a, b) in posterior.0.iter().zip(at_48.0) {
                assert!((a - b).abs() < 0.01, "{hz} Hz at {rate}: {a}, at 48 kHz {b}");
            }
        }
    }
}

#[test]
fn every_shape_of_input_gives_the_same_answer() {
    let window = POOL * 960;
    for (shape, samples) in [
        (&[None, Some(960)][..], 960),
        (&[Some(1), Some(1), Some(960)], 960),
        (&[Some(1), Some(10), Some(960)], 9600),
        (&[Some(1), Some(9600)], 9600),
        (&[Some(1), None], window),
        (&[None, Some(1), None], window),
        (&[Some(1), Some(1), Some(1), None], window),
    ] {
        let (posterior, backend) = heard(described(shape, samples), Backend::Auto, 3000.0, 48_000.0);
        assert_eq!(backend, Backend::OnnxWorker);
        assert!(probability(&posterior, Genre::Jazz) > 0.95, "{shape:?}: {posterior:?}");
    }
}

#[test]
fn a_chain_is_played_on_the_audio_thread_and_agrees_with_the_worker() {
    let chain = chain();
    let int8 = quantize(&chain, (-0.5, 0.5), &[(0.0, 0.5), (-1.0, 40.0)], FULL);
    for rate in RATES {
        for (hz, genre) in [(1000.0, Genre::Rock), (3000.0, Genre::Jazz)] {
            let (onnx, backend) = heard(onnx_write::write(&chain).unwrap(), Backend::Auto, hz, rate);
            assert_eq!(backend, Backend::Onnx);
            assert!(probability(&onnx, genre) > 0.9, "{hz} Hz at {rate}: {onnx:?}");
            let (tflite, backend) = heard(tflite_write::write(&chain).unwrap(), Backend::Auto, hz, rate);
            assert_eq!((tflite, backend), (onnx, Backend::Tflite));
            let (worker, backend) = heard(onnx_write::write(&chain).unwrap(), Backend::OnnxWorker, hz, rate);
            assert_eq!(backend, Backend::OnnxWorker);
            let (small, backend) = heard(onnx_write::write(&int8).unwrap(), Backend::Auto, hz, rate);
            assert_eq!(backend, Backend::Onnx);
            for (what, other, bound) in [("worker", worker, 0.01), ("INT8", small, 0.05)] {
                for (a, b) in onnx.0.iter().zip(other.0) {
                    assert!((a - b).abs() < bound, "{what}, {hz} Hz at {rate}: {a} and {b}");
                }
            }
        }
    }
}

#[test]
fn one_picked_while_the_song_plays_is_heard_in_real_time() {
    for bytes in [described(&[Some(1), None], POOL * 960), onnx_write::write(&chain()).unwrap()] {
        let handle = Handle::new();
        let mut engine = engine(&handle, 44_100.0, false, (Backend::Auto, Quantization::Auto));
        let sound = tone(1000.0, 44_100.0, 0.5);
        play(&mut engine, &mut sound.clone(), &eager(), || 441, |_| ());
        handle.select_model(model(bytes));
        let started = Instant::now();
        let mut played = 0;
        // Half a second of sound in some milliseconds, then a moment for the worker.
        let done = |handle: &Handle| {
            let seen = handle.telemetry().snapshot();
            seen.backend == handle.status().installed.0 && probability(&seen.posterior, Genre::Rock) > 0.9
        };
        while handle.status().model != "tones 1" && handle.status().model != "tones " || !done(&handle) {
            assert!(started.elapsed() < Duration::from_secs(30), "{:?}", handle.status());
            play(&mut engine, &mut sound.clone(), &eager(), || 441, |_| ());
            std::thread::sleep(Duration::from_millis(5));
            played += 1;
        }
        assert!(played > 0);
    }
}

#[test]
fn a_model_on_the_worker_that_fails_is_stood_in_for_and_asked_again() {
    auto_is_int8();
    let handle = Handle::new();
    handle.select_model(model(fragile()));
    let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: true });
    let mut position = 0;
    let mut hear = |gain: f32| {
        let mut sound = tone(1000.0, 48_000.0, 4.0).map(|x| x.iter().map(|x| gain * x).collect::<Vec<f32>>());
        let [left, right] = &mut sound;
        for (left, right) in left.chunks_mut(960).zip(right.chunks_mut(960)) {
            engine.process(&mut [left, right], engine_support::at(position), &eager());
            position += 960;
        }
        let reason = handle.status().problem.filter(|problem| problem.contains("worker's model failed"));
        (handle.telemetry().snapshot().backend, reason)
    };
    assert_eq!(hear(1.0), (Backend::OnnxWorker, None));
    let (backend, reason) = hear(3.0);
    assert_eq!(backend, Backend::Onnx, "the built-in network stands in");
    assert!(reason.is_some_and(|reason| reason.contains("finite")), "and it is said why");
    assert_eq!(hear(1.0), (Backend::OnnxWorker, None), "back with its answers");
}

#[test]
fn a_bounce_is_reproducible_and_a_loop_is_found_in_the_cache() {
    auto_is_int8();
    let bounce = || {
        let handle = Handle::new();
        handle.select_model(model(described(&[Some(1), Some(960)], 960)));
        let mut engine = handle.start(Config { sample_rate: 44_100.0, channels: 2, offline: true });
        let mut out = Vec::new();
        for _ in 0..3 {
            let mut sound = tone(1000.0, 44_100.0, 2.0);
            // Every pass starts at the song's beginning: a loop.
            play(&mut engine, &mut sound, &eager(), || 512, |_| ());
            out.extend(sound.concat());
        }
        (out, handle.telemetry().snapshot().cache)
    };
    let (first, cache) = bounce();
    assert!(cache[0] > 0, "no hit: {cache:?}");
    assert!(bounce().0 == first);
}

#[test]
fn a_sidecar_describes_it_and_what_does_not_fit_is_refused() {
    let folder = std::env::temp_dir().join(format!("idiom-samples-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("tones.onnx");
    std::fs::write(&path, foreign(&[Some(1), Some(960)], 960)).unwrap();
    let sidecar = |pool: usize| {
        let text = format!(
            "{{\"features\": \"samples960\", \"classes\": [\"rock\", \"jazz\"], \"pool_frames\": {pool}}}"
        );
        std::fs::write(folder.join("tones.json"), text).unwrap();
    };
    assert!(user::pick(&path, None).unwrap_err().contains("idiom.format"));
    sidecar(25);
    let picked = user::pick(&path, None).unwrap();
    let handle = Handle::new();
    handle.select_model(ModelSource::User(picked));
    let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: true });
    play(&mut engine, &mut tone(3000.0, 48_000.0, 2.0), &eager(), || 960, |_| ());
    let seen = handle.telemetry().snapshot();
    assert!(seen.backend == Backend::OnnxWorker && probability(&seen.posterior, Genre::Jazz) > 0.9);

    std::fs::write(&path, foreign(&[Some(1), Some(480)], 480)).unwrap();
    let error = user::pick(&path, None).unwrap_err();
    assert!(error.contains("[1, 480]") && error.contains("[1, 960]"), "{error}");
    std::fs::write(&path, foreign(&[Some(1), Some(9600)], 9600)).unwrap();
    let error = user::pick(&path, None).unwrap_err();
    assert!(error.contains("pool_frames"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}
