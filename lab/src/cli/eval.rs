//! `idiom eval`: how well a model names the clips of a data set.

use crate::dataset::Dataset;
use crate::eval::{Listener, Options, run as listen};
use crate::picture;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use idiom_engine::model::classic::ClassicModel;
use idiom_engine::model::{Model, shipped};
use idiom_engine::worker::ModelSource;
use idiom_engine::{Backend, Quantization};
use std::path::{Path, PathBuf};

/// Measure how well a model names the clips of a labelled data set
///
/// Clips are heard as the plugin hears them, by the same code: front end, network or rules, decision stage.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom eval --data recordings                         the shipped model, INT8
  idiom eval --data recordings --quantization fp32 --picture report.png
  idiom eval --data recordings --robustness            also at other levels, rates and through codecs (takes long)
  idiom eval mine.onnx --data recordings/MANIFEST.csv --json > result.json
  idiom eval models/small.int8.onnx --data recordings  the small model on 13 MFCCs
  idiom eval --backend classic --data recordings       the linear model on MFCC statistics
  idiom eval --backend spectral --data recordings      the rules that need no model

A data set is a folder with one subfolder a class, or a MANIFEST.csv with the columns file and genre. Any classes will
do, if the model knows them. Files that cannot be read are named, counted and left out. Numbers mean something only for
recordings that the model was not trained on.")]
pub struct Args {
    /// A model file (docs/MODEL_FORMAT.md), or `flagship`, the one that comes with the program (when left out)
    model: Option<PathBuf>,
    /// Folder with one subfolder a class, or a manifest
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What names the clips
    #[arg(long, value_enum, default_value = "onnx")]
    backend: Chosen,
    /// Which of a shipped model's files to measure; a file of yours is what it is
    #[arg(long, value_enum, default_value = "int8")]
    quantization: Arithmetic,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Draw everything that was measured into this PNG file
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
    /// Also compare how clips are named at other levels and rates, in mono, band-limited, through codecs and tilted
    #[arg(long)]
    robustness: bool,
    /// Also count how often a genre is claimed of the sounds in this folder, none of which is music or speech
    #[arg(long, value_name = "DIR")]
    nothing: Option<PathBuf>,
    /// Only name clips and excerpts: no programmes of different genres, no noise
    #[arg(long, conflicts_with = "nothing")]
    quick: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chosen {
    /// The engine's executor, as on the audio thread
    Onnx,
    /// The same, with the TFLite file of a shipped model
    Tflite,
    /// tract, as on the worker thread
    OnnxWorker,
    /// The linear model on MFCC statistics
    Classic,
    /// Rules on spectral measures
    Spectral,
}

#[derive(Clone, Copy, ValueEnum)]
enum Arithmetic {
    Fp32,
    Fp16,
    Int8,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let listener = listener(&args)?;
    let dataset = Dataset::open_as(&args.data, listener.classes())?;
    let options = Options {
        starts: !args.quick,
        nothing: !args.quick,
        nothing_folder: args.nothing.clone(),
        robustness: args.robustness,
    };
    let evaluation = listen(&listener, &dataset, &options)?;
    for remark in &evaluation.damaged {
        eprintln!("idiom: damaged: {remark}");
    }
    for remark in &evaluation.left_out {
        eprintln!("idiom: left out: {remark}");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evaluation)?);
    } else {
        print!("{evaluation}");
    }
    if let Some(path) = &args.picture {
        picture::report(path, &evaluation)?;
    }
    Ok(())
}

/// What is to be judged.
fn listener(args: &Args) -> Result<Listener> {
    let quantization = match args.quantization {
        Arithmetic::Fp32 => Quantization::Fp32,
        Arithmetic::Fp16 => Quantization::Fp16,
        Arithmetic::Int8 => Quantization::Int8,
    };
    let name = args.model.as_ref().map_or("the shipped model".into(), |path| path.display().to_string());
    let source = match args.model.as_deref() {
        None => ModelSource::Shipped,
        Some(path) if path == Path::new("flagship") => ModelSource::Shipped,
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| {
                format!("{name}: cannot be read, and is not `flagship`, the shipped model")
            })?;
            ModelSource::Bytes { name: name.clone(), bytes: bytes.into() }
        }
    };
    match (args.backend, &source) {
        (Chosen::Spectral, ModelSource::Shipped) => Ok(Listener::rules()),
        (Chosen::Spectral, _) => {
            bail!("--backend spectral needs no model, but {name} is given; leave one of the two out")
        }
        (Chosen::Classic, ModelSource::Shipped) => {
            ClassicModel::read(shipped::classic()).map(Listener::classic)
        }
        (Chosen::Classic, ModelSource::Bytes { bytes, .. }) => {
            ClassicModel::read(bytes).map(Listener::classic)
        }
        (Chosen::Classic, _) => bail!("--backend classic runs a linear model, and {name} is none"),
        (Chosen::Onnx | Chosen::Tflite, source) => {
            let opened = source.open().map_err(anyhow::Error::msg)?;
            let backend = if args.backend == Chosen::Tflite { Backend::Tflite } else { Backend::Onnx };
            // A file of the user's is what it is, whatever the backend.
            let (bytes, sidecar) = opened.file(opened.formats(backend)[0], quantization);
            Model::read(bytes, &sidecar).and_then(|model| Listener::model(&model))
        }
        (Chosen::OnnxWorker, _) => Listener::worker(source, quantization),
    }
    .context(name)
}
