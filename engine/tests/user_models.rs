//! A file of the user's: picked, found again, missed with words, back again; with classes of its own.

mod engine_support;

use engine_support::{auto_is_int8, eager, engine, play, programme};
use idiom_engine::model::random::{self, Shape};
use idiom_engine::model::{InputKind, Model, onnx_dynamic, onnx_write, tflite_write};
use idiom_engine::worker::ModelSource;
use idiom_engine::worker::user::{self, UserModel};
use idiom_engine::{Backend, Config, Genre, Handle, Quantization, Verdict};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// A folder that goes with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("idiom-user-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder");
        Folder(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).expect("a file written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A small network that names these classes.
fn network(classes: &[&str]) -> Model {
    let head = Shape { pads_f: [0, 0], relu: false, ..Shape::conv(classes.len(), [20, 1], 1) };
    let mut model = random::model(7, InputKind::LogMel40, 50, &[Shape::conv(6, [5, 3], 2), head]);
    model.meta.classes = classes.iter().map(|class| (*class).to_string()).collect();
    model
}

fn genres() -> Vec<&'static str> {
    Genre::ALL.map(Genre::name).to_vec()
}

/// The same file without its metadata, as other programs write it.
fn foreign(model: &Model) -> Vec<u8> {
    use prost::Message;
    let bytes = onnx_write::write(model).expect("a valid model");
    let mut file = tract_onnx::pb::ModelProto::decode(bytes.as_slice()).expect("a file just written");
    file.metadata_props.clear();
    file.encode_to_vec()
}

#[test]
fn a_picked_model_is_copied_and_found_when_the_original_is_gone() {
    let (from, copies) = (Folder::new("from"), Folder::new("copies"));
    for (name, bytes) in [
        ("mine.onnx", onnx_write::write(&network(&genres())).unwrap()),
        ("mine.tflite", tflite_write::write(&network(&genres())).unwrap()),
        ("dynamic.onnx", onnx_dynamic::write(&network(&genres())).unwrap()),
    ] {
        let path = from.write(name, &bytes);
        let model = user::pick(&path, Some(&copies.0)).unwrap();
        assert_eq!((model.name.as_str(), model.sha256.len()), (name, 64));
        let found = model.find_in(Some(&copies.0)).unwrap();
        assert!(found.path.starts_with(&copies.0) && *found.bytes == *bytes);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(model.find_in(Some(&copies.0)).unwrap().path, found.path);
        // On a machine where only the original's place exists.
        assert!(model.find_in(None).unwrap_err().contains(name));
        from.write(name, &bytes);
        assert_eq!(model.find_in(None).unwrap().path, path);
    }
}

#[test]
fn a_missing_model_is_named_with_every_place() {
    let (from, copies) = (Folder::new("gone"), Folder::new("nocopies"));
    let path = from.write("mine.onnx", &onnx_write::write(&network(&genres())).unwrap());
    let model = user::pick(&path, None).unwrap();
    std::fs::write(&path, b"something else").unwrap();
    let error = model.find_in(Some(&copies.0)).unwrap_err();
    for word in [
        "mine.onnx",
        &model.sha256[..12],
        "another file",
        &copies.0.to_string_lossy(),
        "pick the model again",
    ] {
        assert!(error.contains(word), "`{word}` is not in `{error}`");
    }
    // A state is anyone's text.
    let hostile = UserModel { name: "../../etc/passwd".into(), sha256: "../..".into(), path: "/".into() };
    assert!(hostile.find_in(Some(&copies.0)).is_err());
    assert!(UserModel::default().find_in(Some(&copies.0)).is_err());
}

#[test]
fn a_sidecar_describes_a_file_that_says_nothing() {
    let (from, copies) = (Folder::new("sidecar"), Folder::new("sidecar-copies"));
    let path = from.write("mine.onnx", &foreign(&network(&["a", "b", "c"])));
    assert!(user::pick(&path, None).unwrap_err().contains("idiom.format"));
    for (text, words) in [
        ("{ \"features\": \"log_mel40\" ", "no JSON object"),
        ("{ \"features\": \"log_mel40\", \"pool_frames\": 50 }", "idiom.classes"),
        ("{ \"features\": \"chroma\", \"classes\": [\"rock\"], \"pool_frames\": 50 }", "chroma"),
        ("{ \"features\": \"log_mel40\", \"classes\": {}, \"pool_frames\": 50 }", "`classes`"),
        ("{ \"features\": \"log_mel40\", \"classes\": [\"rock\"], \"pool_frames\": 50 }", "1 classes"),
    ] {
        from.write("mine.json", text.as_bytes());
        let error = user::pick(&path, None).unwrap_err();
        assert!(error.contains(words), "`{words}` is not in `{error}`");
    }
    let good =
        "{ \"features\": \"log_mel40\", \"classes\": [\"rock\", \"rain\", \"wind\"], \"pool_frames\": 50 }";
    from.write("mine.json", good.as_bytes());
    let model = user::pick(&path, Some(&copies.0)).unwrap();
    std::fs::remove_dir_all(&from.0).unwrap();
    let found = model.find_in(Some(&copies.0)).unwrap();
    let meta = user::describe(&found.bytes, &found.sidecar).unwrap();
    assert_eq!(meta.classes, ["rock", "rain", "wind"]);
}

#[test]
fn what_nothing_runs_is_refused_by_operator() {
    let from = Folder::new("unknown");
    let mut bytes = tflite_write::write(&network(&genres())).unwrap();
    // SOFTMAX becomes CUMSUM: number 25 becomes 128 in the operator's code.
    let at = bytes.windows(4).position(|word| word == 25i32.to_le_bytes()).expect("its code");
    bytes[at..at + 4].copy_from_slice(&128i32.to_le_bytes());
    let error = user::pick(&from.write("odd.tflite", &bytes), None).unwrap_err();
    assert!(error.contains("odd.tflite") && error.contains("CUMSUM") && error.contains("ONNX"), "{error}");
    assert!(user::pick(&from.write("text.onnx", b"hello"), None).unwrap_err().contains("text.onnx"));
    assert!(user::pick(&from.0.join("none.onnx"), None).unwrap_err().contains("none.onnx"));
    assert!(user::pick(&from.0, None).is_err());
}

/// Plays in real time until `done`, at most 20 s.
fn play_until(handle: &Handle, engine: &mut idiom_engine::Engine, done: impl Fn(&Handle) -> bool) {
    let sound = programme(48_000.0, 4.0);
    let started = Instant::now();
    while !done(handle) {
        assert!(started.elapsed() < Duration::from_secs(20), "{:?}", handle.status());
        play(engine, &mut sound.clone(), &eager(), || 480, |_| ());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_model_that_comes_back_is_played_again() {
    auto_is_int8();
    let (from, copies) = (Folder::new("back"), Folder::new("back-copies"));
    // SAFETY: nothing in this program reads the environment but through the standard library, which locks it.
    unsafe { std::env::set_var("IDIOM_MODELS", &copies.0) };
    let bytes = tflite_write::write(&network(&genres())).unwrap();
    let path = from.write("mine.tflite", &bytes);
    let model = user::pick(&path, None).unwrap();
    std::fs::remove_file(&path).unwrap();
    let handle = Handle::new();
    handle.select_model(ModelSource::User(model));
    let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: false });
    let status = handle.status();
    let problem = status.problem.expect("it is missing");
    assert!(problem.contains("mine.tflite") && problem.contains("ONNX INT8 runs instead"), "{problem}");
    assert_eq!(status.installed, (Backend::Onnx, Quantization::Int8), "the built-in model plays on");
    from.write("mine.tflite", &bytes);
    play_until(&handle, &mut engine, |handle| handle.status().problem.is_none());
    assert_eq!(handle.status().installed, (Backend::Tflite, Quantization::Fp32));
}

#[test]
fn what_only_the_worker_runs_goes_there_by_itself() {
    auto_is_int8();
    let bytes = onnx_dynamic::write(&network(&genres())).unwrap().into();
    let handle = Handle::new();
    handle.select_model(ModelSource::Bytes { name: "dynamic.onnx".into(), bytes });
    let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: true });
    let status = handle.status();
    assert_eq!(status.installed.0, Backend::OnnxWorker);
    let problem = status.problem.expect("a reason");
    for word in ["ConvInteger", "DynamicQuantizeLinear", "ONNX on worker", "runs instead"] {
        assert!(problem.contains(word), "`{word}` is not in `{problem}`");
    }
    play(&mut engine, &mut programme(48_000.0, 4.0), &eager(), || 960, |_| ());
    assert_eq!(handle.telemetry().snapshot().backend, Backend::OnnxWorker);
}

#[test]
fn classes_that_are_no_genres_are_shown_and_leave_the_mix_alone() {
    let mut model = network(&["rain", "wind"]);
    // Sure of itself whatever it hears.
    let idiom_engine::model::Values::F32 { bias, .. } = &mut model.layers[1].values else {
        panic!("not FP32")
    };
    bias[1] = 1e3;
    let handle = Handle::new();
    let bytes = onnx_write::write(&model).unwrap().into();
    handle.select_model(ModelSource::Bytes { name: "weather.onnx".into(), bytes });
    let mut engine = engine(&handle, 48_000.0, true, (Backend::Onnx, Quantization::Auto));
    let input = programme(48_000.0, 4.0);
    let mut sound = input.clone();
    play(&mut engine, &mut sound, &eager(), || 960, |_| ());
    let (name, probability) = handle.top_class().expect("a class");
    assert!(name == "wind" && probability > 0.99, "{name} {probability}");
    let snapshot = handle.telemetry().snapshot();
    assert_eq!((snapshot.genre, snapshot.backend), (None, Backend::Onnx));
    assert_eq!(snapshot.verdict, Verdict::Uncertain);
    assert!(sound == input, "the mix stays neutral");
}
