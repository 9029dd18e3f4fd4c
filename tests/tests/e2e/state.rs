//! The state that a DAW stores in a project.

use idiom_engine::{Backend, Quantization};
use idiom_tests::built::{Built, State};
use idiom_tests::host::{Change, Plugin, Processor, Render};
use idiom_tests::signals::{Random, difference, music};
use serde_json::json;
use std::time::{Duration, Instant};

/// Plays a second, and fails unless finite sound comes out and the plugin listens.
fn plays(built: &Built, processor: &mut Processor) {
    let before = built.bundle.snapshot(0).unwrap().frames;
    let mut sound = vec![music(48_000, 48_000.0, 3); 2];
    processor.play(&mut sound, std::iter::repeat(512)).unwrap();
    assert!(sound.iter().flatten().all(|x| x.is_finite()));
    assert!(sound[0].iter().any(|x| x.abs() > 1e-3), "silence comes out");
    assert!(built.bundle.snapshot(0).unwrap().frames >= before + 45, "it does not listen");
}

fn values(plugin: &mut Plugin) -> Vec<f64> {
    let params = plugin.params().unwrap();
    params.iter().map(|p| plugin.value(p.id).unwrap()).collect()
}

#[test]
fn the_round_trip_is_exact() {
    let built = Built::load();
    let mut random = Random::new(5);
    for _ in 0..20 {
        let mut plugin = built.instance(2, Render::Realtime);
        let changes = plugin.random_changes(&mut random).unwrap();
        plugin.flush(&changes).unwrap();
        let backend = Backend::ALL[random.between(0, Backend::ALL.len() - 1)];
        let quantization = Quantization::ALL[random.between(0, Quantization::ALL.len() - 1)];
        let state = State::parse(&plugin.save().unwrap()).unwrap().with_inference(backend, quantization);
        plugin.load(&state.bytes()).unwrap();
        let saved = plugin.save().unwrap();
        let expected = values(&mut plugin);
        drop(plugin);

        let mut other = built.instance(2, Render::Realtime);
        assert_ne!(values(&mut other), expected);
        other.load(&saved).unwrap();
        assert_eq!(values(&mut other), expected);
        // Compared as values: the order of keys in the file means nothing.
        assert_eq!(State::parse(&other.save().unwrap()).unwrap(), State::parse(&saved).unwrap());
        let params = &State::parse(&saved).unwrap().0["params"];
        assert_eq!(params["backend"], json!({ "string": backend }));
        assert_eq!(params["quantization"], json!({ "string": quantization }));
    }
}

#[test]
fn a_truncated_state_is_refused_and_it_plays_on_as_before() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let good = plugin.save().unwrap();
    let before = values(&mut plugin);
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    for length in (0..good.len()).step_by(17).chain([good.len() - 1]) {
        assert!(plugin.load(&good[..length]).is_err(), "{length} of {} bytes are accepted", good.len());
        // The same with a length that fits: then the JSON is what ends too early.
        if length >= 8 {
            let json = &good[8..length];
            let cut = [&(json.len() as u64).to_le_bytes()[..], json].concat();
            assert!(plugin.load(&cut).is_err(), "{length} bytes with a right length are accepted");
        }
    }
    assert_eq!(values(&mut plugin), before);
    plays(&built, &mut processor);
    plugin.load(&good).unwrap();
    plays(&built, &mut processor);
    plugin.deactivate(processor);
}

#[test]
fn a_damaged_state_never_crashes_and_never_sets_what_is_out_of_range() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let good = plugin.save().unwrap();
    let params = plugin.params().unwrap();
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    let mut random = Random::new(9);
    for _ in 0..300 {
        let mut bad = good.clone();
        for _ in 0..random.between(1, 4) {
            let at = random.between(8, bad.len() - 1);
            bad[at] = random.between(0, 255) as u8;
        }
        // Accepted or refused, either is right: a changed digit may be another good value.
        let _ = plugin.load(&bad);
        for param in &params {
            let value = plugin.value(param.id).unwrap();
            assert!((param.min..=param.max).contains(&value), "{} is {value}", param.name);
        }
    }
    for enormous in [u64::MAX, u64::MAX / 2, 1 << 40] {
        assert!(
            plugin.load(&[&enormous.to_le_bytes()[..], b"{}"].concat()).is_err(),
            "{enormous} bytes are believed"
        );
    }
    plays(&built, &mut processor);
    plugin.load(&good).unwrap();
    assert_eq!(State::parse(&plugin.save().unwrap()).unwrap(), State::parse(&good).unwrap());
    plugin.deactivate(processor);
}

#[test]
fn single_bad_values_keep_what_was_there_and_the_rest_is_loaded() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let (amount, output) = (plugin.param("Amount").unwrap(), plugin.param("Output gain").unwrap());
    plugin.flush(&[Change { at: 0, param: amount.id, value: 30.0 }]).unwrap();
    let kept = plugin.value(amount.id).unwrap();
    let mut state = State::parse(&plugin.save().unwrap()).unwrap();
    state.0["params"]["amount"] = json!({ "f32": 1e30 });
    state.0["params"]["output"] = json!({ "f32": -6.0 });
    state.0["fields"]["inference"] = json!("{\"backend\":\"quantum\",\"quantization\":\"fp32\"}");
    plugin.load(&state.bytes()).unwrap();
    assert_eq!(plugin.value(amount.id).unwrap(), kept);
    let text = plugin.value(output.id).map(|value| plugin.text(output.id, value).unwrap()).unwrap();
    assert_eq!(text, "-6.0 dB");
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    plays(&built, &mut processor);
    plugin.deactivate(processor);
}

#[test]
fn a_state_of_a_newer_version_is_loaded_as_far_as_it_is_understood() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let output = plugin.param("Output gain").unwrap();
    let mut state = State::parse(&plugin.save().unwrap()).unwrap();
    state.0["version"] = json!("99.0.0");
    state.0["fields"]["format"] = json!("99");
    state.0["fields"]["hologram"] = json!("{\"depth\":3}");
    state.0["params"]["hologram_depth"] = json!({ "f32": 0.5 });
    state.0["params"]["output"] = json!({ "f32": 3.0 });
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    plays(&built, &mut processor);
    plugin.load(&state.bytes()).unwrap();
    assert_eq!(plugin.value(output.id).map(|v| plugin.text(output.id, v).unwrap()).unwrap(), "+3.0 dB");
    plays(&built, &mut processor);
    plugin.deactivate(processor);
}

/// Every backend and quantization takes over while the sound goes on; no sample is lost and nothing clicks.
#[test]
fn the_backend_may_be_changed_while_it_plays() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let manual = plugin.param("Genre").unwrap();
    // A genre set by hand, so that the mix stands still and only the change itself could be heard.
    let jazz = plugin.parse(manual.id, "Jazz").unwrap().unwrap();
    plugin.flush(&[Change { at: 0, param: manual.id, value: jazz }]).unwrap();
    let state = State::parse(&plugin.save().unwrap()).unwrap();
    let mut processor = plugin.activate(48_000.0, 480).unwrap();
    let wave = |n: usize| 0.25 * (std::f32::consts::TAU * 220.0 * n as f32 / 48_000.0).sin();
    let mut position = 0;
    let mut last = 0.0;
    let choices = [
        (Backend::Spectral, Quantization::Auto),
        (Backend::Onnx, Quantization::Fp32),
        (Backend::Onnx, Quantization::Int8),
        (Backend::OnnxWorker, Quantization::Fp32),
        (Backend::Onnx, Quantization::Fp32),
        (Backend::Auto, Quantization::Auto),
    ];
    for (step, (backend, quantization)) in choices.into_iter().enumerate() {
        plugin.load(&state.clone().with_inference(backend, quantization).bytes()).unwrap();
        let started = Instant::now();
        let mut blocks_at_target = 0;
        // The worker needs its time to prepare the change; a worker backend has to answer once.
        while blocks_at_target < 30 {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "{backend:?} {quantization:?} never took over"
            );
            let block: Vec<f32> = (position..position + 480).map(|n| wave(n % 4800)).collect();
            let mut out = [block.clone(), block];
            let [left, right] = &mut out;
            processor.process(&mut [left, right], None, &[]).unwrap();
            position += 480;
            // Half a second for the mix to settle at the very beginning; then a step of more than the sine's own
            // slope would be a click.
            if position > 96_000 {
                for x in &out[0] {
                    assert!((x - last).abs() < 0.05, "a click of {} in step {step}", (x - last).abs());
                    last = *x;
                }
            }
            last = *out[0].last().unwrap();
            let snapshot = built.bundle.snapshot(0).unwrap();
            let there = match backend {
                Backend::Auto => snapshot.backend == Backend::Onnx as u32,
                Backend::Onnx => {
                    snapshot.backend == backend as u32 && snapshot.quantization == quantization as u32
                }
                _ => snapshot.backend == backend as u32,
            };
            blocks_at_target += u32::from(there);
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    plugin.deactivate(processor);
}

/// What a bounce sounds like follows from the state alone.
#[test]
fn two_instances_with_the_same_state_bounce_the_same() {
    let built = Built::load();
    let mut first = built.instance(2, Render::Offline);
    for name in ["Reaction", "Confidence threshold"] {
        let param = first.param(name).unwrap();
        first.flush(&[Change { at: 0, param: param.id, value: param.min }]).unwrap();
    }
    let state = first.save().unwrap();
    drop(first);
    let sound = vec![music(5 * 48_000, 48_000.0, 1); 2];
    for backend in [Backend::Onnx, Backend::OnnxWorker, Backend::Spectral] {
        let state = State::parse(&state).unwrap().with_inference(backend, Quantization::Fp32).bytes();
        let results: Vec<_> = [512, 333]
            .into_iter()
            .map(|size| {
                let mut plugin = built.instance(2, Render::Offline);
                plugin.load(&state).unwrap();
                let mut processor = plugin.activate(48_000.0, 512).unwrap();
                let mut out = sound.clone();
                processor.play(&mut out, std::iter::repeat(size)).unwrap();
                assert_eq!(built.bundle.snapshot(0).unwrap().backend, backend as u32);
                plugin.deactivate(processor);
                out
            })
            .collect();
        assert!(difference(&results[0][0], &sound[0]) > 1e-3, "{backend:?}: the mix does nothing");
        assert!(
            results[0] == results[1],
            "{backend:?}: bounces differ by {}",
            difference(&results[0][0], &results[1][0])
        );
    }
}
