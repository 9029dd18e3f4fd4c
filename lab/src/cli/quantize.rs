//! `idiom quantize`: the INT8 form of an FP32 model file.

use crate::dataset::Dataset;
use crate::features::{self, FeatureCache};
use crate::files;
use crate::quantize;
use anyhow::{Context, Result, ensure};
use idiom_engine::Quantization;
use idiom_engine::model::{InputKind, Model, onnx_write};
use idiom_engine::rt::net::Network;
use std::path::PathBuf;

/// Frames of a calibration window: 6 s.
const WINDOW: usize = 300;

/// Turn an FP32 model into an INT8 one, a quarter of the size.
///
/// What ranges the numbers in the network have is measured on sounds. Prints how often both models name the same class
/// at the end of each window.
#[derive(clap::Args, Debug)]
pub struct QuantizeArgs {
    /// The FP32 model (ONNX).
    pub model: PathBuf,
    /// Sounds to calibrate on: a folder with one subfolder a class, or with a MANIFEST.csv.
    #[arg(long, value_name = "DIR")]
    pub calibration: PathBuf,
    /// Where to write the INT8 model (ONNX).
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Number of sounds to calibrate on, spread evenly over the data set.
    #[arg(long, default_value_t = 120)]
    pub sounds: usize,
}

/// Runs the command.
pub fn run(args: &QuantizeArgs) -> Result<()> {
    let name = args.model.display();
    let bytes = std::fs::read(&args.model).with_context(|| format!("{name}: cannot be read"))?;
    let model = Model::from_onnx(&bytes).with_context(|| format!("{name}"))?;
    ensure!(model.quantization() == Quantization::Fp32, "{name}: is quantized already");
    let clips = Dataset::open_as(&args.calibration, &model.meta.classes)?.clips;
    let step = (clips.len() / args.sounds.max(1)).max(1);
    let paths: Vec<_> = clips.iter().step_by(step).map(|clip| clip.path.clone()).collect();
    let rows = model.meta.features.rows();
    let columns: Vec<Vec<f32>> = features::of_files(&paths, FeatureCache::user().as_ref())?
        .into_iter()
        .map(|features| match model.meta.features {
            InputKind::LogMel40 => features.log_mel,
            InputKind::Mfcc13 => features.mfcc,
        })
        .collect();
    // The beginning, where the level still settles, and the middle of each sound.
    let windows: Vec<&[f32]> = columns
        .iter()
        .flat_map(|columns| {
            let frames = columns.len() / rows;
            let window = |start: usize| &columns[start * rows..(start + WINDOW).min(frames) * rows];
            [window(0), window(frames / 2)]
        })
        .filter(|window| !window.is_empty())
        .collect();
    let small = quantize::quantize(&model, windows.iter().copied())?;
    let written = onnx_write::write(&small)?;
    files::write_bytes(&args.out, &written)
        .with_context(|| format!("{}: cannot be written", args.out.display()))?;

    let (mut big, mut small) = (Network::compile(&model)?, Network::compile(&small)?);
    let same =
        windows.iter().filter(|window| verdict(&mut big, window, rows) == verdict(&mut small, window, rows));
    let same = same.count();
    println!(
        "{}: {} bytes, FP32 had {}; both name the same class in {same} of {} windows",
        args.out.display(),
        written.len(),
        bytes.len(),
        windows.len()
    );
    Ok(())
}

/// The class that is most probable at the end of a window heard alone.
fn verdict(network: &mut Network, window: &[f32], rows: usize) -> Option<usize> {
    network.reset();
    let mut last = Vec::new();
    for column in window.chunks_exact(rows) {
        last = network.push(column).to_vec();
    }
    (0..last.len()).max_by(|&a, &b| last[a].total_cmp(&last[b]))
}
