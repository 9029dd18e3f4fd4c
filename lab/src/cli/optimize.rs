//! `idiom optimize`: one model in, the best small ones out.

use super::compare::{Shown, show};
use crate::optimize::{self, OptimizationConfig, Pipeline, Platform, Precision, Sounds};
use anyhow::{Context, Result};
use idiom_engine::model::Format;
use std::path::PathBuf;

/// Make a smaller and faster model of an FP32 one.
///
/// Levels: 0 converts; 1 folds constants and normalizations, fuses activations and drops dead nodes; 2 adds calibrated static
/// quantization and, for mobile and edge, channel pruning with fine-tuning; 3 adds bias correction, quantization-aware
/// fine-tuning and mixed precision (ONNX).
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  idiom optimize flagship.fp32.onnx --quantization int8 --level 2 --calibration recordings --out small
  idiom optimize flagship.fp32.onnx --platform edge --quantization int8 --level 3 --calibration recordings --out small
  idiom optimize other.onnx --quantization fp16 --level 1 --format both --out small
  idiom optimize flagship.fp32.onnx --platform mobile,edge --quantization fp32,int8 --level 3 \\
    --calibration recordings --out small --markdown small/report.md --picture small/report.png

Writes NAME.PLATFORM-QUANTIZATION-lLEVEL.onnx (and .tflite) into the folder. Half of the artists among the sounds are fitted
on, the other half measure the loss; sounds need no labels, but without them the share of changed answers stands for accuracy.")]
pub struct Args {
    /// The model, FP32 (ONNX or TFLite)
    model: PathBuf,
    /// Where it will run; several are compared
    #[arg(long, value_enum, value_delimiter = ',', default_value = "cpu")]
    platform: Vec<Platform>,
    /// How numbers are stored and computed; several are compared
    #[arg(long, value_enum, value_delimiter = ',', default_value = "int8")]
    quantization: Vec<Precision>,
    /// How much is tried, 0 to 3
    #[arg(long, default_value_t = 2)]
    level: u8,
    /// Which files to write
    #[arg(long, value_enum, default_value = "onnx")]
    format: Formats,
    /// Sounds to calibrate, fine-tune and measure on: a folder with one subfolder a class, or with a MANIFEST.csv
    #[arg(long, value_name = "DIR")]
    calibration: Option<PathBuf>,
    /// Most sounds to use, spread evenly over the set
    #[arg(long, value_name = "N")]
    sounds: Option<usize>,
    /// Most balanced accuracy that may be lost, in points; the platform's bound when left out
    #[arg(long, value_name = "POINTS")]
    max_drop: Option<f64>,
    /// Steps of each fine-tuning; 0 leaves it out
    #[arg(long, default_value_t = 200)]
    steps: usize,
    /// Streams side by side up to which throughput is measured (platform cloud)
    #[arg(long, value_name = "N", default_value_t = 16)]
    batch: usize,
    /// Where to write
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    shown: Shown,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Formats {
    Onnx,
    Tflite,
    Both,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let name = args.model.display();
    let bytes = std::fs::read(&args.model).with_context(|| format!("{name}: cannot be read"))?;
    let (model, simplified) = optimize::read(&bytes, args.level).with_context(|| format!("{name}"))?;
    for line in simplified {
        eprintln!("{name}: {line}");
    }
    let formats = match args.format {
        Formats::Onnx => vec![Format::Onnx],
        Formats::Tflite => vec![Format::Tflite],
        Formats::Both => vec![Format::Onnx, Format::Tflite],
    };
    let mut runs = Vec::new();
    for &platform in &args.platform {
        for &precision in &args.quantization {
            let mut config = OptimizationConfig::new(platform, precision, args.level);
            config.steps = args.steps;
            config.batch = args.batch;
            config.max_drop = args.max_drop.unwrap_or(config.max_drop);
            for &format in &formats {
                config.check(format)?;
                runs.push((config.clone(), format));
            }
        }
    }
    let sounds = match &args.calibration {
        Some(path) => Some(Sounds::read(path, &model.meta, args.sounds)?),
        None => None,
    };
    let made = Pipeline { runs }.run(
        &model,
        &args.model,
        sounds.as_ref(),
        &args.out,
        args.shown.python.as_deref(),
    )?;
    match &made.comparison {
        Some(comparison) => show(comparison, &args.shown)?,
        None => made.files.iter().for_each(|path| println!("{}", path.display())),
    }
    Ok(())
}
