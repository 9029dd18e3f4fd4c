//! The linear model of [`crate::rt::classic`] as a readable JSON file.
//!
//! ```json
//! {
//!   "format": 1,
//!   "model": "classic",
//!   "version": "2026.11",
//!   "classes": ["speech", "rock"],
//!   "bias": [0.1, -0.1],
//!   "weights": { "mean": [[0.2, ...], ...], "deviation": ..., "step1": ..., "step5": ... }
//! }
//! ```
//!
//! `weights` holds for each kind of statistic one row a coefficient, and in it one number a class. A class's score is its
//! bias and the sum of statistics times weights; the softmax of the scores is the answer.

use super::{InputKind, ModelError, ModelMeta};
use crate::rt::classic::{STATISTICS, STEPS, WINDOW_FRAMES};
use crate::rt::features::MFCCS;
use serde::{Deserialize, Serialize};

/// The format that this version reads and writes.
pub const FORMAT: u64 = 1;
/// Largest file that is read.
const MAX_BYTES: usize = 1 << 20;
/// Most classes.
const MAX_CLASSES: usize = 256;

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u64,
    model: String,
    version: String,
    classes: Vec<String>,
    bias: Vec<f32>,
    weights: Weights,
}

/// `[coefficient][class]` of each kind of statistic.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Weights {
    mean: Vec<Vec<f32>>,
    deviation: Vec<Vec<f32>>,
    step1: Vec<Vec<f32>>,
    step5: Vec<Vec<f32>>,
}

/// A linear model on MFCC statistics.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassicModel {
    /// Name, version and classes; the input is MFCCs.
    pub meta: ModelMeta,
    /// Weights, `[statistic][class]`, in the order of [`crate::rt::classic::STATISTICS`].
    pub weights: Vec<f32>,
    /// One a class.
    pub bias: Vec<f32>,
}

impl ClassicModel {
    /// Reads a file.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(bytes: &[u8]) -> Result<ClassicModel, ModelError> {
        let wrong = |key: &str, problem: String| ModelError::Metadata { key: key.into(), problem };
        if bytes.len() > MAX_BYTES {
            return Err(ModelError::FileTooLarge { bytes: bytes.len() });
        }
        let file: File =
            serde_json::from_slice(bytes).map_err(|error| wrong("classic model", error.to_string()))?;
        if file.format > FORMAT {
            return Err(ModelError::Newer { format: file.format });
        }
        let classes = file.classes.len();
        if !(2..=MAX_CLASSES).contains(&classes) || file.bias.len() != classes {
            let problem =
                format!("{} for {classes} classes; one for each of 2 to {MAX_CLASSES}", file.bias.len());
            return Err(wrong("bias", problem));
        }
        let Weights { mean, deviation, step1, step5 } = file.weights;
        let rows: Vec<Vec<f32>> = [mean, deviation, step1, step5].concat();
        if rows.len() != STATISTICS || rows.iter().any(|row| row.len() != classes) {
            let problem = format!("each of four kinds of statistic needs {MFCCS} rows of {classes} numbers");
            return Err(wrong("weights", problem));
        }
        let weights = rows.concat();
        if !weights.iter().chain(&file.bias).all(|x| x.is_finite() && x.abs() < 1e6) {
            return Err(wrong("weights", "a number is not finite, or beyond a million".into()));
        }
        let meta = ModelMeta {
            name: file.model,
            version: file.version,
            features: InputKind::Mfcc13,
            classes: file.classes,
            pool_frames: WINDOW_FRAMES,
        };
        Ok(ClassicModel { meta, weights, bias: file.bias })
    }

    /// The model as a file.
    pub fn write(&self) -> Vec<u8> {
        const { assert!(STEPS[0] == 1 && STEPS[1] == 5, "the kinds of statistic are named after these steps") };
        let classes = self.bias.len();
        let kind = |kind: usize| {
            let rows = self.weights.chunks(classes).skip(kind * MFCCS).take(MFCCS);
            rows.map(<[f32]>::to_vec).collect()
        };
        let file = File {
            format: FORMAT,
            model: self.meta.name.clone(),
            version: self.meta.version.clone(),
            classes: self.meta.classes.clone(),
            bias: self.bias.clone(),
            weights: Weights { mean: kind(0), deviation: kind(1), step1: kind(2), step5: kind(3) },
        };
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        // One row a line.
        for (spread, narrow) in [("[\n        ", "["), (",\n        ", ", "), ("\n      ]", "]")] {
            text = text.replace(spread, narrow);
        }
        text.push('\n');
        text.into_bytes()
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.weights.len() + self.bias.len()
    }

    /// Probability of each class for these statistics, into `out`, which must hold one number a class. May be called on the
    /// audio thread.
    pub fn probabilities(&self, statistics: &[f32; STATISTICS], out: &mut [f32]) {
        let classes = self.bias.len();
        out.iter_mut().zip(&self.bias).for_each(|(score, bias)| *score = *bias);
        for (x, row) in statistics.iter().zip(self.weights.chunks_exact(classes)) {
            out.iter_mut().zip(row).for_each(|(score, weight)| *score += x * weight);
        }
        let top = out.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        out.iter_mut().for_each(|score| *score = (*score - top).exp());
        let sum: f32 = out.iter().sum();
        out.iter_mut().for_each(|score| *score /= sum);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_survives_its_file_and_damage_is_an_error() {
        let bytes = crate::model::shipped::classic();
        let model = ClassicModel::read(bytes).expect("the shipped model is read");
        assert!(model.meta.genre_outputs().is_ok());
        assert_eq!(model.write(), bytes, "the shipped file is what is written");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        for (from, to, wanted) in [
            ("\"format\": 1", "\"format\": 2", "newer"),
            ("\"speech\",", "", "classes"),
            ("\"step5\"", "\"step7\"", "step7"),
            ("\"bias\"", "\"vias\"", "vias"),
        ] {
            let error = ClassicModel::read(text.replacen(from, to, 1).as_bytes()).expect_err("damaged");
            assert!(error.to_string().contains(wanted), "{error}");
        }
        for end in [0, 1, bytes.len() / 2, bytes.len() - 3] {
            assert!(ClassicModel::read(&bytes[..end]).is_err());
        }
        let mut huge = model.clone();
        huge.weights[3] = f32::INFINITY;
        assert!(ClassicModel::read(&huge.write()).is_err());
    }
}
