//! A model of the user's in the built VST3 plugin: from a project's state, missing, back again, and one that takes samples.

use idiom_engine::model::random::{self, Shape};
use idiom_engine::model::{InputKind, Model, onnx_dynamic, onnx_write, tflite_write};
use idiom_engine::worker::user;
use idiom_engine::{Backend, Genre, Quantization};
use idiom_tests::built::Built;
use idiom_tests::signals::music;
use idiom_tests::vst3_host::{Instance, Module, path};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A network that names the genres, of columns or of samples.
fn network(input: InputKind) -> Model {
    let rows = input.rows() / 20;
    let first = Shape { pads_f: [0, 0], ..Shape::conv(6, [20, 1], 20) };
    let head = Shape { pads_f: [0, 0], relu: false, ..Shape::conv(5, [rows, 1], 1) };
    let mut model = random::model(3, input, 50, &[first, head]);
    model.meta.classes = Genre::ALL.map(|genre| genre.name().to_string()).to_vec();
    model
}

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn json(state: &[u8]) -> Value {
    serde_json::from_slice(state).expect("a state is JSON")
}

/// What is to run; which arithmetic the built-in model has is measured on each machine.
type Wanted = (Backend, Option<Quantization>);

/// Plays until the plugin's network is this one, and says what its banners say then.
fn plays_with(module: &Module, instance: &Instance, wanted: Wanted, problem: bool) -> String {
    let started = Instant::now();
    loop {
        let sound = music(24_000, 48_000.0, 3);
        let mut channels = [sound.clone(), sound];
        instance.play(&mut channels, 48_000.0).unwrap();
        assert!(channels.iter().flatten().all(|x| x.is_finite()));
        let seen = module.snapshot(0).unwrap();
        let message = module.message(0).unwrap();
        let quantization = wanted.1.is_none_or(|quantization| seen.quantization == quantization as u32);
        if seen.backend == wanted.0 as u32 && quantization && message.is_empty() != problem {
            return message;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{wanted:?} never plays; it says {message:?}");
        std::thread::sleep(Duration::from_millis(30));
    }
}

#[test]
fn a_project_brings_its_model_and_plays_on_without_it() {
    let folder = Folder(std::env::temp_dir().join(format!("idiom-vst3-models-{}", std::process::id())));
    std::fs::create_dir_all(&folder.0).unwrap();
    let _alone = Built::load();
    // SAFETY: tests with instances of the plugin wait for each other, and the library asks through the standard library.
    unsafe { std::env::set_var("IDIOM_MODELS", folder.0.join("copies")) };
    let module = path().and_then(|path| Module::load(&path)).expect("the built VST3 plugin loads");
    let instance = module.instantiate().unwrap();
    instance.activate(48_000.0).unwrap();
    let fresh = json(&instance.save().unwrap());
    let columns = network(InputKind::LogMel40);
    for (name, bytes, wanted, problem) in [
        ("mine.onnx", onnx_write::write(&columns).unwrap(), (Backend::Onnx, Some(Quantization::Fp32)), false),
        (
            "mine.tflite",
            tflite_write::write(&columns).unwrap(),
            (Backend::Tflite, Some(Quantization::Fp32)),
            false,
        ),
        // Only tract runs it, which is said.
        (
            "large.onnx",
            onnx_dynamic::write(&columns).unwrap(),
            (Backend::OnnxWorker, Some(Quantization::Fp32)),
            true,
        ),
        (
            "sound.onnx",
            onnx_write::write(&network(InputKind::Samples960)).unwrap(),
            (Backend::Onnx, Some(Quantization::Fp32)),
            false,
        ),
    ] {
        let path = folder.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        let picked = user::pick(&path, None).unwrap();
        let mut state = fresh.clone();
        state["fields"]["model"] = json!(serde_json::to_string(&picked).unwrap());
        instance.load(state.to_string().as_bytes(), 0).unwrap();
        let message = plays_with(&module, &instance, wanted, problem);
        assert!(!problem || (message.contains(name) && message.contains("ONNX on worker")), "{message}");
        assert_eq!(json(&instance.save().unwrap())["fields"]["model"], state["fields"]["model"]);
    }

    // On another machine neither the file nor its copy is there.
    let saved = instance.save().unwrap();
    std::fs::rename(folder.0.join("sound.onnx"), folder.0.join("away.onnx")).unwrap();
    std::fs::remove_dir_all(folder.0.join("copies")).unwrap();
    instance.load(fresh.to_string().as_bytes(), 0).unwrap();
    plays_with(&module, &instance, (Backend::Onnx, None), false);
    instance.load(&saved, 0).unwrap();
    let message = plays_with(&module, &instance, (Backend::Onnx, None), true);
    for word in ["sound.onnx", "is missing", "runs instead"] {
        assert!(message.contains(word), "`{word}` is not in `{message}`");
    }
    assert_eq!(json(&instance.save().unwrap()), json(&saved), "the project keeps it");
    std::fs::rename(folder.0.join("away.onnx"), folder.0.join("sound.onnx")).unwrap();
    plays_with(&module, &instance, (Backend::Onnx, Some(Quantization::Fp32)), false);
    instance.deactivate();
}
