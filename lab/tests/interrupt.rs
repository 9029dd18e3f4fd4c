//! Ctrl-C during `idiom optimize`: it ends soon, with exit code 130; what was finished is whole, and nothing half-written stays.
#![cfg(unix)]

use idiom_engine::model::{Entries, Model};
use idiom_engine::{Genre, Quantization};
use idiom_lab::audio::write_wav;
use idiom_lab::synth;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[test]
fn an_interrupted_optimization_keeps_what_was_finished_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for genre in Genre::ALL {
        let class = folder.path().join("sounds").join(genre.name());
        std::fs::create_dir_all(&class).unwrap();
        for seed in 0..2 {
            let path = class.join(format!("{seed}.wav"));
            write_wav(path, &synth::render(genre, seed, 6.0, 22_050)).unwrap();
        }
    }
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/flagship.fp32.onnx");
    let out = folder.path().join("out");
    // Far more than is waited for.
    let mut child = Command::new(env!("CARGO_BIN_EXE_idiom"))
        .arg("optimize")
        .arg(model)
        .args(["--quantization", "int8", "--platform", "cpu,mobile,edge,gpu,cloud", "--level", "3"])
        .args(["--steps", "100000", "--calibration", "sounds", "--out", "out"])
        .current_dir(folder.path())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let files = || -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(&out).into_iter().flatten();
        entries.map(|entry| entry.unwrap().path()).collect()
    };
    // With the training stack the first file would take hours: then the fine-tuning is what is interrupted.
    let started = Instant::now();
    while files().is_empty() && started.elapsed() < Duration::from_secs(5) {
        assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupted = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let asked = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        assert!(asked.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(status.code(), Some(130));
    for path in files() {
        let name = path.display();
        let model = Model::read(&std::fs::read(&path).unwrap(), &Entries::new());
        let model = model.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(model.quantization(), Quantization::Int8, "{name}");
    }
}
