//! The optimizer: one model in, the best small ones out.
//!
//! ```text
//! file ─ foreign (simplify) ─ Model ─ prune ─ finetune ─ calibrate, quantize ─ bias ─ finetune ─ mixed ─ file
//!                               └───────────── measure: accuracy, agreement, noise, time ──────── report
//! ```
//!
//! [`Optimizer`] is one format's way through it, [`pipeline`] runs several configurations and compares them.

pub mod bias;
pub mod calibrate;
pub mod config;
#[cfg(feature = "train")]
pub mod finetune;
pub mod foreign;
pub mod measure;
pub mod mixed;
pub mod passes;
pub mod peers;
pub mod pipeline;
pub mod prune;
pub mod quantize;
pub mod report;
pub mod sounds;
pub mod tones;

pub use config::{OptimizationConfig, Platform, Precision};
pub use pipeline::Pipeline;
pub use sounds::Sounds;

use anyhow::{Context, Result, bail};
use idiom_engine::model::{Entries, Format, Model, half, onnx_dynamic, onnx_write, tflite_write};
use passes::Outcome;

/// Optimizes models and writes them in one file format.
pub trait Optimizer {
    /// The format.
    fn format(&self) -> Format;

    /// The bytes of a file that holds the model.
    ///
    /// # Errors
    /// When the format cannot hold such a model.
    fn write(&self, model: &Model, precision: Precision) -> Result<Vec<u8>>;

    /// Carries out a configuration; `sounds` are needed as [`OptimizationConfig::needs_sounds`] says.
    ///
    /// # Errors
    /// When the configuration does not fit the format, sounds are missing, or the user interrupts.
    fn optimize(
        &self,
        model: &Model,
        config: &OptimizationConfig,
        sounds: Option<&Sounds>,
    ) -> Result<Optimized> {
        config.check(self.format())?;
        // TFLite holds whole networks in one arithmetic.
        let outcome = passes::run(model, config, sounds, self.format() == Format::Onnx)?;
        let bytes = self.write(&outcome.model, config.precision).with_context(|| config.name())?;
        Ok(Optimized { outcome, bytes, format: self.format() })
    }
}

/// What came out.
#[derive(Clone, Debug)]
pub struct Optimized {
    /// The model, and how it came about.
    pub outcome: Outcome,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its format.
    pub format: Format,
}

/// Writes ONNX: FP32, FP16-stored, QDQ INT8 (also of mixed precision), dynamic INT8.
#[derive(Clone, Copy, Debug, Default)]
pub struct OnnxOptimizer;

/// Writes TFLite: FP32, FP16-stored, full INT8.
#[derive(Clone, Copy, Debug, Default)]
pub struct TfliteOptimizer;

impl Optimizer for OnnxOptimizer {
    fn format(&self) -> Format {
        Format::Onnx
    }

    fn write(&self, model: &Model, precision: Precision) -> Result<Vec<u8>> {
        Ok(match precision {
            Precision::Dynamic => onnx_dynamic::write(model)?,
            Precision::Fp16 => onnx_write::write(&half::round(model)?)?,
            Precision::Fp32 | Precision::Int8 => onnx_write::write(model)?,
        })
    }
}

impl Optimizer for TfliteOptimizer {
    fn format(&self) -> Format {
        Format::Tflite
    }

    fn write(&self, model: &Model, precision: Precision) -> Result<Vec<u8>> {
        Ok(match precision {
            Precision::Dynamic => bail!("TFLite files are not written in dynamic INT8; use ONNX"),
            Precision::Fp16 => tflite_write::write(&half::round(model)?)?,
            Precision::Fp32 | Precision::Int8 => tflite_write::write(model)?,
        })
    }
}

/// The optimizer for a format.
pub fn optimizer(format: Format) -> &'static dyn Optimizer {
    match format {
        Format::Onnx => &OnnxOptimizer,
        Format::Tflite => &TfliteOptimizer,
    }
}

/// A format's ending of file names.
pub const fn ending(format: Format) -> &'static str {
    match format {
        Format::Onnx => "onnx",
        Format::Tflite => "tflite",
    }
}

/// Reads a model file of either format; from `level` 1 on an ONNX file is simplified first. Also says what was simplified.
///
/// # Errors
/// When the file is damaged, or holds what neither the executor runs nor can be simplified away.
pub fn read(bytes: &[u8], level: u8) -> Result<(Model, Vec<String>)> {
    let none = Entries::new();
    if level == 0 || Format::of(bytes) == Format::Tflite {
        return Ok((Model::read(bytes, &none)?, Vec::new()));
    }
    let (simple, done) = foreign::simplify(bytes)?;
    Ok((Model::read(&simple, &none)?, done))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::sounds::{Clip, Sounds};
    use idiom_engine::model::random::{self, Rng, Shape};
    use idiom_engine::model::{InputKind, Model, Values};
    use idiom_engine::rt::net::Network;

    /// Labelled sounds of five classes that differ in which bands are loud, with noise on top.
    pub(crate) fn sounds(count: usize) -> Sounds {
        let mut rng = Rng(77);
        let clip = |index: usize| {
            let class = index % 5;
            let mut columns = |frames: usize| -> Vec<f32> {
                let mut columns = Vec::new();
                for frame in 0..frames {
                    for band in 0..40 {
                        let loud = band / 8 == class || (band + frame) % 10 == 2 * class;
                        columns.push(if loud { 1.5 } else { -1.5 } + 1.2 * rng.signed());
                    }
                }
                columns
            };
            let excerpts = vec![columns(60), columns(60)];
            Clip { label: Some(class), group: index, columns: columns(160), excerpts }
        };
        let classes = random::flagship(1).meta.classes;
        Sounds { name: "test sounds".into(), rows: 40, classes, clips: (0..count).map(clip).collect() }
    }

    /// A small network with random features, whose last layer tells the sounds' classes apart by the features' means.
    pub(crate) fn trained_in_no_time(sounds: &Sounds) -> Model {
        let shapes = [
            Shape::conv(16, [5, 3], 2),
            Shape::depthwise([3, 3], 2, 1),
            Shape::pointwise(48),
            Shape { pads_f: [0, 0], ..Shape::conv(64, [10, 1], 1) },
            Shape::depthwise([1, 3], 1, 2),
            Shape { relu: false, ..Shape::pointwise(5) },
        ];
        let mut model = random::model(12, InputKind::LogMel40, 60, &shapes);
        let mut network = Network::compile(&model).expect("a valid model");
        let mut means = vec![vec![0.0f32; 64]; 5];
        let mut counts = [0.0f32; 5];
        for clip in &sounds.clips {
            let class = clip.label.expect("a label");
            network.reset();
            for column in clip.columns.chunks_exact(40) {
                network.push(column);
                network.inspect(|layer, numbers| {
                    if layer == 4 {
                        means[class].iter_mut().zip(numbers).for_each(|(m, v)| *m += v);
                        counts[class] += 1.0;
                    }
                });
            }
        }
        for (mean, count) in means.iter_mut().zip(counts) {
            mean.iter_mut().for_each(|m| *m /= count.max(1.0));
        }
        let heard: Vec<usize> = (0..5).filter(|c| counts[*c] > 0.0).collect();
        let middle: Vec<f32> =
            (0..64).map(|i| heard.iter().map(|c| means[*c][i]).sum::<f32>() / heard.len() as f32).collect();
        let last = model.layers.last_mut().expect("layers");
        let Values::F32 { weights, bias } = &mut last.values else { panic!("not FP32") };
        // Nearest mean, as a linear score.
        for class in 0..5 {
            let spread = |i: usize| means[class][i] - middle[i];
            let size = (0..64).map(|i| spread(i) * spread(i)).sum::<f32>().max(1e-3);
            for i in 0..64 {
                weights[class * 64 + i] = 12.0 * spread(i) / size;
            }
            let at = |i: usize| 0.5 * (means[class][i] + middle[i]);
            bias[class] = -(0..64).map(|i| weights[class * 64 + i] * at(i)).sum::<f32>();
        }
        model
    }
}
