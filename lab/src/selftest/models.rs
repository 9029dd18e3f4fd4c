//! Models and what is made of them.

use super::Seen;
use crate::optimize::measure::Answers;
use crate::optimize::sounds::{Clip, Sounds};
use crate::{optimize, synth};
use anyhow::{Result, ensure};
use idiom_engine::model::{Model, onnx_write, random, shipped, windowed};
use idiom_engine::rt::features::columns::Columns;
use idiom_engine::rt::net::Network;
use idiom_engine::{Genre, Quantization};

/// A network becomes a file, comes back, and gives frame by frame what its window gives at once.
pub fn creation() -> Result<Seen> {
    let fp32 = random::flagship(5);
    let mut bytes = 0;
    for (model, tolerance) in [(&fp32, 1e-5), (&random::quantized(&fp32), 0.0)] {
        let file = onnx_write::write(model)?;
        bytes += file.len();
        let read = Model::from_onnx(&file)?;
        let mut rng = random::Rng(6);
        let frames = 60;
        let window: Vec<f32> = (0..frames * 40).map(|_| rng.signed()).collect();
        let at_once = windowed::run(&read, &window, frames);
        let mut network = Network::compile(&read)?;
        window.chunks_exact(40).for_each(|column| {
            network.push(column);
        });
        for (a, b) in at_once.probabilities.iter().zip(network.probabilities()) {
            ensure!((a - b).abs() <= tolerance, "{}: {a} became {b}", read.quantization().label());
        }
    }
    Ok(format!("FP32 and INT8, {bytes} bytes of ONNX written, read and run").into())
}

/// The INT8 form of a model, calibrated on these columns of features.
pub fn int8(model: &Model, calibration: Vec<Vec<f32>>) -> Result<Model> {
    let clip = |columns: Vec<f32>| Clip { excerpts: vec![columns.clone()], columns, ..Clip::default() };
    let sounds = Sounds {
        name: "selftest".into(),
        rows: model.meta.features.rows(),
        classes: model.meta.classes.clone(),
        clips: calibration.into_iter().map(clip).collect(),
    };
    let reference = Answers::of(model, &sounds)?;
    Ok(optimize::quantize::static_int8(model, &sounds, &reference, false)?.model)
}

/// The shipped FP32 model is made INT8 on sounds of this program, and names other sounds as before.
pub fn optimization() -> Result<Seen> {
    let bytes = shipped::flagship(Quantization::Fp32);
    let model = Model::from_onnx(bytes)?;
    let columns = |genre, seed| -> Vec<f32> {
        Columns::of_sound(model.meta.features, &synth::render(genre, seed, 8.0, 22_050).mono(), 22_050.0)
    };
    let calibration = Genre::ALL.into_iter().map(|genre| columns(genre, 1));
    let small = int8(&model, calibration.collect())?;
    let written = onnx_write::write(&small)?;
    let size = written.len() as f64 / bytes.len() as f64;
    ensure!(size < 0.5, "the INT8 file has {size:.2} of the size");
    let small = Model::from_onnx(&written)?;
    let (mut before, mut after) = (Network::compile(&model)?, Network::compile(&small)?);
    let (mut same, mut all) = (0, 0);
    for genre in Genre::ALL {
        before.reset();
        after.reset();
        for column in columns(genre, 2).chunks_exact(model.meta.features.rows()) {
            let top = |p: &[f32]| (0..p.len()).max_by(|a, b| p[*a].total_cmp(&p[*b]));
            all += 1;
            same += usize::from(top(before.push(column)) == top(after.push(column)));
        }
    }
    let agreement = f64::from(same as u32) / f64::from(all as u32);
    ensure!(agreement > 0.9, "INT8 agrees with FP32 in {:.1} % of frames only", 100.0 * agreement);
    Ok(format!(
        "INT8 has {:.0} % of the size and agrees in {:.1} % of frames",
        100.0 * size,
        100.0 * agreement
    )
    .into())
}
