//! `idiom eval`: how well a model names the clips of a data set.

use crate::dataset::Dataset;
use crate::eval::{Listener, run as listen};
use crate::picture::confusion;
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use idiom_engine::Quantization;
use idiom_engine::model::{Model, shipped};
use std::path::PathBuf;

/// Measure how well a model names the clips of a labelled data set
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom eval --data recordings                         the shipped model, INT8
  idiom eval --data recordings --quantization fp32 --picture confusion.png
  idiom eval mine.onnx --data recordings/MANIFEST.csv --json > result.json
  idiom eval --backend spectral --data recordings      the rules that need no model

A data set is a folder with one subfolder a genre, or a MANIFEST.csv with the columns file and genre. Clips are heard
as the plugin hears them. Numbers mean something only for recordings that the model was not trained on.")]
pub struct Args {
    /// An ONNX model (docs/MODEL_FORMAT.md); the shipped one when left out
    model: Option<PathBuf>,
    /// Folder with one subfolder a genre, or a manifest
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// What names the clips
    #[arg(long, value_enum, default_value = "onnx")]
    backend: Chosen,
    /// Which of the shipped model's files to measure
    #[arg(long, value_enum, default_value = "int8", conflicts_with = "model")]
    quantization: Arithmetic,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Draw the confusion matrix into this PNG file
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Chosen {
    Onnx,
    Spectral,
}

#[derive(Clone, Copy, ValueEnum)]
enum Arithmetic {
    Fp32,
    Int8,
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    let listener = match (args.backend, &args.model) {
        (Chosen::Spectral, Some(model)) => {
            bail!(
                "--backend spectral needs no model, but {} is given; leave one of the two out",
                model.display()
            )
        }
        (Chosen::Spectral, None) => Listener::rules(),
        (Chosen::Onnx, Some(path)) => {
            let bytes = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
            let model = Model::from_onnx(&bytes).with_context(|| path.display().to_string())?;
            Listener::model(&model).with_context(|| path.display().to_string())?
        }
        (Chosen::Onnx, None) => {
            let quantization = match args.quantization {
                Arithmetic::Fp32 => Quantization::Fp32,
                Arithmetic::Int8 => Quantization::Int8,
            };
            let model = Model::from_onnx(shipped::flagship(quantization)).context("the shipped model")?;
            Listener::model(&model).context("the shipped model")?
        }
    };
    let dataset = Dataset::open(&args.data)?;
    let evaluation = listen(&listener, &dataset)?;
    for remark in &evaluation.damaged {
        eprintln!("idiom: {remark}");
    }
    for remark in &evaluation.left_out {
        eprintln!("idiom: left out: {remark}");
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&evaluation)?);
    } else {
        println!("{} on {}\n\n{}", evaluation.model, evaluation.data, evaluation.report);
    }
    if let Some(path) = &args.picture {
        confusion(path, &evaluation.model, &evaluation.report)?;
    }
    Ok(())
}
