//! `idiom train`: from folders of sounds to a model file.

use crate::features::FeatureCache;
use crate::files;
use crate::train::config::{Config, FLAGSHIP};
use crate::train::run::{self, Sources};
use crate::train::{classic as linear, crossval};
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;

/// Train a network on labelled sounds and, where a table of them is given, on a teacher's opinion.
///
/// Writes NAME.fp32.onnx, a report with learning curves and a checkpoint into the output folder. Started again with the
/// same arguments, it goes on from the checkpoint.
#[derive(Args, Debug)]
pub struct TrainArgs {
    /// Labelled sounds: a folder with one subfolder a class, or with a MANIFEST.csv. May be given several times.
    #[arg(long, required = true)]
    pub data: Vec<PathBuf>,
    /// Further labelled sounds that are learned from but never tested on. May be given several times.
    #[arg(long)]
    pub extra: Vec<PathBuf>,
    /// A teacher's table, see lab/teachers/README.md. Sounds that only the table names are learned from it alone.
    #[arg(long, value_name = "TABLE")]
    pub soft_labels: Option<PathBuf>,
    /// How to train (TOML); the flagship's configuration when left out.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to write.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Do not train one network on everything, but cross-validate in K rounds, no artist on both sides.
    #[arg(long, value_name = "K")]
    pub folds: Option<usize>,
    /// Seed of the division into folds.
    #[arg(long, default_value_t = 1)]
    pub fold_seed: u64,
    /// Run only this round of the cross-validation. May be given several times.
    #[arg(long, value_name = "ROUND", requires = "folds")]
    pub round: Vec<usize>,
    /// Only write OUT/folds.csv, which clip is tested in which round, for the teacher.
    #[arg(long, requires = "folds")]
    pub folds_only: bool,
    /// Train the linear model of the backend Classic instead of a network: OUT/classic.weights.json.
    #[arg(long, conflicts_with_all = ["soft_labels", "config", "folds", "steps", "calibration"])]
    pub classic: bool,
    /// Number of steps, instead of the configuration's.
    #[arg(long)]
    pub steps: Option<usize>,
    /// The crossval.json of a cross-validation of the same recipe, whose temperature the logits are divided by.
    #[arg(long, value_name = "FILE", conflicts_with = "folds")]
    pub calibration: Option<PathBuf>,
}

/// Makes the C library's allocator keep what is freed. Every step asks for the same large blocks again; given back to the
/// system in between, their pages are cleared anew each time, which doubled the time of a step.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_memory() {
    // SAFETY: both calls only set a number inside the allocator; where it refuses, nothing changes.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
    }
}

/// Runs the command.
pub fn run(args: &TrainArgs) -> Result<()> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    keep_memory();
    if args.classic {
        return classic(args);
    }
    let mut config = match &args.config {
        Some(path) => Config::read(path)?,
        None => Config::parse(FLAGSHIP)?,
    };
    if let Some(steps) = args.steps {
        config.train.steps = steps;
    }
    let sources =
        Sources { data: args.data.clone(), extra: args.extra.clone(), soft_labels: args.soft_labels.clone() };
    let mut inputs = run::read(config, &sources, FeatureCache::user().as_ref())?;
    let Some(folds) = args.folds else {
        let temperature = match &args.calibration {
            Some(path) => crossval::read_temperature(path)?,
            None => 1.0,
        };
        let path = run::run(&mut inputs, temperature, &args.out)?;
        println!("{}", path.display());
        return Ok(());
    };
    if args.folds_only {
        let path = args.out.join("folds.csv");
        crossval::write_folds(&inputs, &inputs.tested.folds(folds, args.fold_seed)?, &path)?;
        println!("{}", path.display());
        return Ok(());
    }
    let outcome = crossval::run(&mut inputs, folds, args.fold_seed, &args.round, &args.out)?;
    println!("{}", outcome.calibrated);
    println!("temperature {:.3}", outcome.temperature);
    println!("{}", args.out.join("crossval.json").display());
    Ok(())
}

/// Trains the linear model, and says how right its recipe is on artists that it has not learned from.
fn classic(args: &TrainArgs) -> Result<()> {
    let outcome = linear::run(&args.data, &args.extra)?;
    let path = args.out.join("classic.weights.json");
    let wrote = files::write_bytes(&path, &outcome.model.write());
    wrote.with_context(|| format!("{}: cannot be written", path.display()))?;
    let report = args.out.join("crossval.json");
    files::write_bytes(&report, &serde_json::to_vec_pretty(&outcome.report)?)
        .with_context(|| format!("{}: cannot be written", report.display()))?;
    println!("{}", outcome.report);
    println!("temperature {:.3}\n{}", outcome.temperature, path.display());
    Ok(())
}
