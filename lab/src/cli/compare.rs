//! `idiom compare`: what several models cost and how right they are, side by side.

use crate::files::write_bytes;
use crate::optimize::report::{Comparison, Entry, Extra, compare};
use crate::optimize::{self, Sounds};
use crate::picture;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// Compare models: size, time, accuracy, agreement, noise of each layer.
///
/// One row a model; * marks those that no other one beats in size, time and accuracy at once. The first model, which should
/// be the unoptimized FP32 one, is what the others are compared with. Times are of this machine, one thread.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  idiom compare flagship.fp32.onnx small/*.onnx --data recordings
  idiom compare small --data recordings --json > comparison.json
  idiom compare flagship.fp32.onnx small --data recordings --batch 32 --python venv/bin/python
  idiom compare flagship.fp32.onnx small --data recordings --markdown report.md --picture report.png")]
pub struct Args {
    /// Model files (ONNX, TFLite), or folders of them
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Folder with one subfolder a genre, or a manifest
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Most sounds to use, spread evenly over the set
    #[arg(long, value_name = "N")]
    sounds: Option<usize>,
    /// Also measure the throughput of one core for up to N streams side by side
    #[arg(long, value_name = "N", default_value_t = 0)]
    batch: usize,
    #[command(flatten)]
    shown: Shown,
}

/// How a comparison is shown.
#[derive(clap::Args, Debug)]
pub struct Shown {
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Also write the comparison as Markdown
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Also draw time against accuracy into this PNG file
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Also time the networks in ONNX Runtime and LiteRT, with this Python, which has to have the packages onnxruntime and
    /// ai-edge-litert; what it lacks, and what answers otherwise there, is said
    #[arg(long, value_name = "PYTHON")]
    pub python: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let mut entries = Vec::new();
    for path in files(&args.models)? {
        let name = path.display();
        let bytes = std::fs::read(&path).with_context(|| format!("{name}: cannot be read"))?;
        // What the executor does not run (dynamic INT8, say) is named and left out.
        match optimize::read(&bytes, 1) {
            Ok((model, _)) => {
                let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                entries.push(Entry { name, model, bytes: bytes.len(), path: Some(path), story: None });
            }
            Err(error) => eprintln!("idiom: left out: {name}: {error:#}"),
        }
    }
    ensure!(!entries.is_empty(), "not one of the models can be played");
    let sounds = Sounds::read(&args.data, &entries[0].model.meta, args.sounds)?;
    let extra = Extra { streams: args.batch, python: args.shown.python.clone() };
    show(&compare(&entries, &sounds, &extra)?, &args.shown)
}

/// The model files among these paths and in these folders.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let listed =
            std::fs::read_dir(path).with_context(|| format!("{}: cannot be listed", path.display()))?;
        let model = |path: &PathBuf| {
            matches!(path.extension().and_then(|ending| ending.to_str()), Some("onnx" | "tflite"))
        };
        let mut inside: Vec<PathBuf> = listed.filter_map(|e| Some(e.ok()?.path())).filter(model).collect();
        // FP32 first, as what the others are compared with.
        inside.sort_by_key(|path| (!file_name(path).contains("fp32"), path.clone()));
        ensure!(!inside.is_empty(), "{}: holds no .onnx and no .tflite file", path.display());
        found.extend(inside);
    }
    Ok(found)
}

fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

/// Prints and writes a comparison.
pub fn show(comparison: &Comparison, shown: &Shown) -> Result<()> {
    if let Some(path) = &shown.markdown {
        write_bytes(path, comparison.markdown().as_bytes())
            .with_context(|| format!("{}: cannot be written", path.display()))?;
    }
    if let Some(path) = &shown.picture {
        picture::pareto(path, comparison)?;
    }
    if shown.json {
        println!("{}", serde_json::to_string_pretty(comparison)?);
    } else {
        println!("{comparison}");
    }
    Ok(())
}
