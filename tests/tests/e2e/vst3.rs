//! The built VST3 bundle in a host.

use idiom_tests::built::Built;
use idiom_tests::signals::{Random, music};
use idiom_tests::vst3_host::{Instance, Module, path};
use serde_json::{Value, json};
use std::process::Command;

/// The library, alone in this process: tests with instances of their own wait.
fn load() -> (Built, Module) {
    let alone = Built::load();
    let module = path().and_then(|path| Module::load(&path)).expect("the built VST3 plugin loads");
    (alone, module)
}

/// Plays a second, and fails unless finite sound comes out and the plugin listens.
fn plays(module: &Module, instance: &Instance) {
    let before = module.snapshot(0).unwrap().frames;
    let sound = music(48_000, 48_000.0, 3);
    let mut channels = [sound.clone(), sound];
    instance.play(&mut channels, 48_000.0).unwrap();
    assert!(channels.iter().flatten().all(|x| x.is_finite()));
    assert!(channels[0].iter().any(|x| x.abs() > 1e-3), "silence comes out");
    assert!(module.snapshot(0).unwrap().frames >= before + 45, "it does not listen");
}

fn json(state: &[u8]) -> Value {
    serde_json::from_slice(state).expect("a state is JSON")
}

#[test]
fn a_state_comes_back_in_another_instance() {
    let (_alone, module) = load();
    assert_eq!(module.classes().unwrap().len(), 1);
    let first = module.instantiate().unwrap();
    let mut state = json(&first.save().unwrap());
    state["params"]["output"] = json!({ "f32": -3.5 });
    state["params"]["genre"] = json!({ "string": "jazz" });
    state["fields"]["inference"] = json!(r#"{"backend":"onnx","quantization":"fp32"}"#);
    first.load(state.to_string().as_bytes(), 0).unwrap();
    let saved = first.save().unwrap();
    assert_ne!(json(&saved)["params"]["output"], json!({ "f32": 0.0 }));
    let second = module.instantiate().unwrap();
    assert_ne!(json(&second.save().unwrap()), json(&saved));
    // Some hosts put something of their own before the state.
    second.load(&saved, 100).unwrap();
    assert_eq!(json(&second.save().unwrap()), json(&saved));
    assert_eq!(module.message(1).unwrap(), "");
    second.activate(48_000.0).unwrap();
    drop(first);
    plays(&module, &second);
    second.deactivate();
}

#[test]
fn a_state_that_cannot_be_read_changes_nothing_and_says_so() {
    let (_alone, module) = load();
    let (instance, other) = (module.instantiate().unwrap(), module.instantiate().unwrap());
    let mut state = json(&instance.save().unwrap());
    state["params"]["output"] = json!({ "f32": 4.5 });
    instance.load(state.to_string().as_bytes(), 0).unwrap();
    let good = instance.save().unwrap();
    instance.activate(48_000.0).unwrap();
    let mut random = Random::new(7);
    let garbage: Vec<u8> = (0..300).map(|_| random.between(0, 255) as u8).collect();
    let foreign: [&[u8]; 5] = [b"", b"{", b"[1, 2, 3]", &[0xff; 64], &garbage];
    let cuts = (0..good.len()).step_by(31).map(|length| &good[..length]);
    for bad in foreign.into_iter().chain(cuts) {
        assert!(instance.load(bad, 0).is_err(), "{} bytes are accepted", bad.len());
        let message = module.message(0).unwrap();
        assert!(message.contains("could not be read") && message.contains("as before"), "{message:?}");
        assert_eq!(json(&instance.save().unwrap()), json(&good));
    }
    assert_eq!(module.message(1).unwrap(), "", "told to the wrong instance");
    plays(&module, &instance);
    instance.load(&good, 0).unwrap();
    assert_eq!(module.message(0).unwrap(), "", "the next good state clears the message");
    plays(&module, &instance);
    instance.deactivate();
    drop(other);
}

#[test]
fn damaged_and_newer_states_are_loaded_as_far_as_they_go_and_say_so() {
    let (_alone, module) = load();
    let instance = module.instantiate().unwrap();
    instance.activate(48_000.0).unwrap();
    let good = json(&instance.save().unwrap());
    let mut newer = good.clone();
    newer["version"] = json!("99.0.0");
    newer["fields"]["format"] = json!("99");
    newer["params"]["hologram_depth"] = json!({ "f32": 0.5 });
    newer["params"]["output"] = json!({ "f32": 3.0 });
    instance.load(newer.to_string().as_bytes(), 0).unwrap();
    let message = module.message(0).unwrap();
    assert!(message.contains("newer Idiom") && message.contains("format 99"), "{message:?}");
    assert_eq!(json(&instance.save().unwrap())["params"]["output"], json!({ "f32": 3.0 }));
    plays(&module, &instance);

    let mut damaged = good.clone();
    damaged["params"]["amount"] = json!({ "f32": 1e30 });
    damaged["params"]["output"] = json!({ "f32": -6.0 });
    instance.load(damaged.to_string().as_bytes(), 0).unwrap();
    let message = module.message(0).unwrap();
    assert!(message.contains("damaged") && message.contains("1 setting"), "{message:?}");
    let state = json(&instance.save().unwrap());
    assert_eq!(state["params"]["output"], json!({ "f32": -6.0 }));
    assert_eq!(state["params"]["amount"], good["params"]["amount"]);
    plays(&module, &instance);
    instance.deactivate();
}

/// The log is set up once a process, so the tests that meet bad states run in a process of their own for this.
#[test]
fn refused_states_are_in_the_log() {
    for test in [
        "vst3::a_state_that_cannot_be_read_changes_nothing_and_says_so",
        "state::a_truncated_state_is_refused_and_it_plays_on_as_before",
    ] {
        let log = std::env::temp_dir().join(format!("idiom-{}-{}.log", &test[..4], std::process::id()));
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test])
            .env("NICE_LOG", &log)
            .output()
            .unwrap();
        assert!(output.status.success(), "{test}: {}", String::from_utf8_lossy(&output.stdout));
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        std::fs::remove_file(&log).ok();
        assert!(text.contains("State: cut off or not written by Idiom"), "{test} logs {text:?}");
    }
}
