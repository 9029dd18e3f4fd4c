//! The files that are written pass onnx.checker, and ONNX Runtime gives for them what the executor gives.
//!
//! Needs a Python with `lab/reference/requirements.txt`, named by the environment variable `IDIOM_PYTHON`
//! (`cargo xtask test` makes one).

use idiom_engine::Quantization;
use idiom_engine::model::random::{self, Rng, Shape};
use idiom_engine::model::{InputKind, Model, onnx_write, shipped, windowed};
use idiom_engine::rt::net::Network;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Largest difference of a probability, and of a logit relative to the largest.
const TOLERANCE: f32 = 1e-5;
const FRAMES: [usize; 4] = [1, 7, 100, 300];

fn written_and_shipped() -> Vec<(&'static str, Vec<u8>)> {
    let narrow = [
        Shape { pads_f: [1, 2], dilation_t: 3, ..Shape::conv(7, [4, 3], 2) },
        Shape::depthwise([3, 2], 1, 2),
        Shape { relu: false, ..Shape::pointwise(33) },
        Shape { pads_f: [0, 0], ..Shape::conv(20, [7, 1], 1) },
        Shape::depthwise([1, 4], 1, 7),
        Shape { relu: false, ..Shape::pointwise(5) },
    ];
    let narrow = random::model(21, InputKind::Mfcc13, 100, &narrow);
    let flagship = random::flagship(20);
    let written = |model: &Model| onnx_write::write(model).expect("a valid model is written");
    // FP32 between INT8, and INT8 between FP32.
    let mixed = |int8: [usize; 3]| written(&random::mixed(22, |layer| int8.contains(&layer)));
    vec![
        ("mixed-outside", mixed([0, 1, 5])),
        ("mixed-inside", mixed([1, 2, 4])),
        ("random-fp32", written(&flagship)),
        ("random-int8", written(&random::quantized(&flagship))),
        ("narrow-fp32", written(&narrow)),
        ("narrow-int8", written(&random::quantized(&narrow))),
        ("shipped-fp32", shipped::flagship(Quantization::Fp32).to_vec()),
        ("shipped-int8", shipped::flagship(Quantization::Int8).to_vec()),
    ]
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

#[test]
fn onnx_runtime_agrees() {
    let part = "comparison with onnx.checker and ONNX Runtime";
    let Some(python) = std::env::var_os("IDIOM_PYTHON") else {
        println!("SKIPPED: {part}: IDIOM_PYTHON names no Python with lab/reference/requirements.txt");
        return;
    };
    let folder = std::env::temp_dir().join(format!("idiom-onnx-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for the files");
    let mut models = Vec::new();
    for (name, bytes) in written_and_shipped() {
        let model = Model::from_onnx(&bytes).unwrap_or_else(|e| panic!("{name}: {e}"));
        std::fs::write(folder.join(format!("{name}.onnx")), &bytes).expect("a file written");
        for frames in FRAMES {
            write(folder.join(format!("{name}.{frames}.features")), &features(&model, frames));
        }
        models.push((name, model));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lab/reference/check_onnx.py");
    let output = Command::new(&python).arg(&script).arg(&folder).output().expect("Python starts");
    assert!(
        output.status.success(),
        "{} failed: {}",
        script.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    for (name, model) in &models {
        for frames in FRAMES {
            let stored = |what: &str| read(folder.join(format!("{name}.{frames}.{what}")));
            compare(name, model, frames, &stored("probabilities"), &stored("logits"));
        }
    }
    std::fs::remove_dir_all(&folder).ok();
}

fn compare(name: &str, model: &Model, frames: usize, probabilities: &[f32], logits: &[f32]) {
    let classes = model.meta.classes.len();
    // ONNX Runtime's are class by class, ours frame by frame.
    let theirs: Vec<f32> =
        (0..frames * classes).map(|i| logits[i % classes * frames + i / classes]).collect();
    let features = features(model, frames);
    let mut network = Network::compile(model).expect("a valid model is compiled");
    let mut ours = Vec::new();
    for column in features.chunks_exact(network.input().rows()) {
        network.push(column);
        ours.extend_from_slice(network.logits());
    }
    if model.quantization() == Quantization::Int8 {
        assert_eq!(ours, theirs, "{name}, {frames} frames: the logits must be the same bit for bit");
    } else {
        let largest = theirs.iter().fold(1.0f32, |m, v| m.max(v.abs()));
        let off = difference(&ours, &theirs) / largest;
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
