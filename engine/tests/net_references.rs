//! The files that are written pass onnx.checker, and ONNX Runtime and LiteRT give for them what the executor gives.
//!
//! Needs a Python with `lab/reference/requirements.txt`, named by the environment variable `IDIOM_PYTHON`
//! (`cargo xtask test` makes one).

use idiom_engine::Quantization;
use idiom_engine::model::random::{self, Rng, Shape};
use idiom_engine::model::{
    Entries, Format, InputKind, Model, half, onnx_dynamic, onnx_write, shipped, tflite_write, windowed,
};
use idiom_engine::rt::net::Network;
use idiom_engine::worker::tract::TractModel;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Largest difference of a probability, and of a logit relative to the largest.
const TOLERANCE: f32 = 1e-5;
const FRAMES: [usize; 4] = [1, 7, 100, 300];

/// Networks of the shipped shape and of an odd one, in every arithmetic.
fn models() -> Vec<(&'static str, Model)> {
    let narrow = [
        Shape { pads_f: [1, 2], dilation_t: 3, ..Shape::conv(7, [4, 3], 2) },
        Shape::depthwise([3, 2], 1, 2),
        Shape { relu: false, ..Shape::pointwise(33) },
        Shape { pads_f: [0, 0], ..Shape::conv(20, [7, 1], 1) },
        Shape::depthwise([1, 4], 1, 7),
        Shape { relu: false, ..Shape::pointwise(5) },
    ];
    let narrow = random::model(21, InputKind::Mfcc13, 100, &narrow);
    let samples = [
        Shape { pads_f: [0, 0], ..Shape::conv(12, [48, 1], 16) },
        Shape::depthwise([3, 3], 2, 1),
        Shape { pads_f: [0, 0], relu: false, ..Shape::conv(5, [29, 1], 1) },
    ];
    let samples = random::model(23, InputKind::Samples960, 50, &samples);
    let flagship = random::flagship(20);
    let halves = |model: &Model| half::round(model).expect("small numbers");
    // FP32 between INT8, and INT8 between FP32.
    let mixed = |int8: [usize; 3]| random::mixed(22, |layer| int8.contains(&layer));
    vec![
        ("mixed-outside", mixed([0, 1, 5])),
        ("mixed-inside", mixed([1, 2, 4])),
        ("random-int8", random::quantized(&flagship)),
        ("random-fp16", halves(&flagship)),
        ("random-fp32", flagship),
        ("samples-int8", random::quantized(&samples)),
        ("samples-fp32", samples),
        ("narrow-int8", random::quantized(&narrow)),
        ("narrow-fp16", halves(&narrow)),
        ("narrow-fp32", narrow),
    ]
}

/// Written files and shipped ones.
fn files(format: Format) -> Vec<(&'static str, Vec<u8>)> {
    type Shipped = fn(Quantization) -> &'static [u8];
    let (write, shipped): (fn(&Model) -> _, Shipped) = match format {
        Format::Onnx => (onnx_write::write, shipped::flagship),
        Format::Tflite => (tflite_write::write, shipped::flagship_tflite),
    };
    let written = |(name, model): &(_, Model)| (*name, write(model).expect("a valid model is written"));
    let mut files: Vec<_> = models().iter().map(written).collect();
    for (name, quantization) in [
        ("shipped-fp32", Quantization::Fp32),
        ("shipped-fp16", Quantization::Fp16),
        ("shipped-int8", Quantization::Int8),
    ] {
        files.push((name, shipped(quantization).to_vec()));
    }
    files
}

fn features(model: &Model, frames: usize) -> Vec<f32> {
    let mut rng = Rng(frames as u64);
    let count = frames * model.meta.features.rows();
    if model.meta.name == "random-22" {
        // Whole numbers, with which the mixed networks are exact.
        return (0..count).map(|_| rng.between(0, 8) as f32 - 4.0).collect();
    }
    (0..count).map(|_| 3.0 * rng.signed()).collect()
}

fn write(path: PathBuf, values: &[f32]) {
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(&path, bytes).unwrap_or_else(|e| panic!("cannot write {}: {e}", path.display()));
}

fn read(path: PathBuf) -> Vec<f32> {
    let bytes = std::fs::read(&path).unwrap_or_else(|e| panic!("cannot read {}: {e}", path.display()));
    bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// A folder with model files, and what the script has written beside them. Gone at the end.
struct Checked(PathBuf);

impl Checked {
    /// Writes each file with features for [`FRAMES`] frames into a folder, and runs the script on it. `None` without a
    /// Python to run it.
    fn run(part: &str, script: &str, files: &[(&str, Vec<u8>)], models: &[Model]) -> Option<Checked> {
        let Some(python) = std::env::var_os("IDIOM_PYTHON") else {
            println!(
                "SKIPPED: comparison by {script}: IDIOM_PYTHON names no Python with lab/reference/requirements.txt"
            );
            return None;
        };
        let folder = std::env::temp_dir().join(format!("idiom-{part}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for the files");
        let checked = Checked(folder);
        for ((name, bytes), model) in files.iter().zip(models) {
            let ending = Format::of(bytes).label().to_lowercase();
            std::fs::write(checked.0.join(format!("{name}.{ending}")), bytes).expect("a file written");
            for frames in FRAMES {
                write(checked.0.join(format!("{name}.{frames}.features")), &features(model, frames));
            }
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab/reference").join(script);
        let output = Command::new(&python).arg(&script).arg(&checked.0).output().expect("Python starts");
        assert!(
            output.status.success(),
            "{} failed: {}",
            script.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        Some(checked)
    }

    fn numbers(&self, name: &str, frames: usize, what: &str) -> Vec<f32> {
        read(self.0.join(format!("{name}.{frames}.{what}")))
    }
}

impl Drop for Checked {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn read_back(files: &[(&str, Vec<u8>)]) -> Vec<Model> {
    let read = |(name, bytes): &(&str, Vec<u8>)| {
        Model::read(bytes, &Entries::new()).unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    files.iter().map(read).collect()
}

#[test]
fn onnx_runtime_agrees() {
    let files = files(Format::Onnx);
    let models = read_back(&files);
    let Some(checked) = Checked::run("onnx", "check_onnx.py", &files, &models) else { return };
    for ((name, _), model) in files.iter().zip(&models) {
        for frames in FRAMES {
            let logits = by_frame(model, &checked.numbers(name, frames, "logits"));
            compare(name, model, frames, &checked.numbers(name, frames, "probabilities"), &logits);
        }
    }
}

#[test]
fn litert_agrees() {
    let files = files(Format::Tflite);
    let models = read_back(&files);
    let Some(checked) = Checked::run("tflite", "check_tflite.py", &files, &models) else { return };
    for ((name, _), model) in files.iter().zip(&models) {
        for frames in FRAMES {
            let [probabilities, logits] =
                ["probabilities", "logits"].map(|what| checked.numbers(name, frames, what));
            compare(name, model, frames, &probabilities, &logits);
        }
        let metadata = std::fs::read_to_string(checked.0.join(format!("{name}.metadata"))).expect("metadata");
        let metadata: Entries = serde_json::from_str(&metadata).expect("text by key");
        assert_eq!(metadata["idiom.classes"], model.meta.classes.join(","), "{name}");
        assert_eq!(metadata["idiom.features"], model.meta.features.name(), "{name}");
    }
}

/// Dynamic INT8 is for the worker and for other programs: ONNX Runtime and tract run it and agree with each other, and
/// both stay near the FP32 network.
#[test]
fn dynamic_int8_runs_in_onnx_runtime_and_in_tract() {
    let fp32 = |(_, model): &(_, Model)| model.quantization() == Quantization::Fp32;
    let (names, models): (Vec<_>, Vec<_>) = models().into_iter().filter(fp32).unzip();
    let written = |model| onnx_dynamic::write(model).expect("an FP32 model");
    let files: Vec<_> = names.into_iter().zip(models.iter().map(written)).collect();
    for ((name, bytes), model) in files.iter().zip(&models) {
        let error = Model::read(bytes, &Entries::new()).unwrap_err().to_string();
        assert!(error.contains("ConvInteger") && error.contains("ONNX on worker"), "{name}: {error}");
        let tract = TractModel::load(bytes, &Entries::new(), 100).unwrap_or_else(|e| panic!("{name}: {e}"));
        let features = features(model, 100);
        let newest = newest(model, &windowed::run(model, &features, 100).logits);
        let off = difference(&tract.run(&features).expect("it runs"), &newest);
        assert!(off < 0.03, "{name}: tract's dynamic INT8 is {off} away from FP32");
    }
    let Some(checked) = Checked::run("dynamic", "check_onnx.py", &files, &models) else { return };
    for ((name, bytes), model) in files.iter().zip(&models) {
        let tract = TractModel::load(bytes, &Entries::new(), 100).expect("as above");
        let ours = tract.run(&features(model, 100)).expect("it runs");
        let theirs = newest(model, &by_frame(model, &checked.numbers(name, 100, "logits")));
        let off = difference(&ours, &theirs);
        assert!(off < 1e-3, "{name}: tract and ONNX Runtime differ by {off}");
    }
}

/// ONNX Runtime's logits, which are class by class, frame by frame as ours are.
fn by_frame(model: &Model, logits: &[f32]) -> Vec<f32> {
    let classes = model.meta.classes.len();
    let frames = logits.len() / classes;
    (0..frames * classes).map(|i| logits[i % classes * frames + i / classes]).collect()
}

/// What playing frame by frame ends with: the average of the newest logits.
fn newest(model: &Model, logits: &[f32]) -> Vec<f32> {
    let classes = model.meta.classes.len();
    let first = logits.len().saturating_sub(classes * model.meta.pool_frames);
    windowed::softmax_of_mean(&logits[first..], classes)
}

fn compare(name: &str, model: &Model, frames: usize, probabilities: &[f32], logits: &[f32]) {
    let features = features(model, frames);
    let mut network = Network::compile(model).expect("a valid model is compiled");
    let mut ours = Vec::new();
    for column in features.chunks_exact(network.input().rows()) {
        network.push(column);
        ours.extend_from_slice(network.logits());
    }
    if model.quantization() == Quantization::Int8 {
        assert_eq!(ours, logits, "{name}, {frames} frames: the logits must be the same bit for bit");
    } else {
        let largest = logits.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        let off = difference(&ours, logits) / largest;
        assert!(off <= TOLERANCE, "{name}, {frames} frames: logits differ by {off}");
    }
    // Their average runs over the whole window, as the windowed reference's does; ours over `pool_frames`.
    let whole = windowed::run(model, &features, frames).probabilities;
    let off = difference(&whole, probabilities);
    assert!(off <= TOLERANCE, "{name}, {frames} frames: windowed probabilities differ by {off}");
    if frames <= model.meta.pool_frames {
        let off = difference(network.probabilities(), probabilities);
        assert!(off <= TOLERANCE, "{name}, {frames} frames: probabilities differ by {off}");
    }
}

/// Largest difference, NaN when anything is NaN.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, |m, d| if d <= m { m } else { d })
}
