//! Static quantization: the INT8 form of an FP32 model, by the calibration that changes its answers least.

use super::calibrate::{Calibration, Seen};
use super::measure::Answers;
use super::sounds::Sounds;
use super::tones;
use anyhow::Result;
use idiom_engine::model::quantize::{FULL, NARROW};
use idiom_engine::model::{Affine, Model, Values, quantize};
use serde::{Deserialize, Serialize};

/// Windows that are calibrated on, and frames of each (6 s).
const WINDOWS: usize = 96;
const FRAMES: usize = 300;

/// One calibration as it was tried.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// How ranges were chosen.
    pub calibration: Calibration,
    /// Share of sounds and excerpts for which the class stayed as it was.
    pub agreement: f64,
    /// Mean distance of the probabilities from what they were, 0 to 1.
    pub distance: f64,
    /// The same on [`tones`].
    pub on_tones: f64,
}

impl Trial {
    /// How far the answers moved, on music and on tones.
    pub fn moved(&self) -> f64 {
        self.distance + self.on_tones
    }
}

/// A quantized model, and how it came about.
#[derive(Clone, Debug)]
pub struct Quantized {
    /// INT8 throughout.
    pub model: Model,
    /// The calibration in use.
    pub calibration: Calibration,
    /// All that were tried, in the order of [`Calibration::ALL`].
    pub trials: Vec<Trial>,
}

/// Quantizes an FP32 model with ranges seen on `fit` and on generated [`tones`]; the calibration is the one whose answers on both
/// are nearest to what the FP32 model says, `reference` on `fit`. `narrow` keeps weights within ±64.
///
/// # Errors
/// When the model cannot be played, there is no sound, or the user interrupts.
pub fn static_int8(model: &Model, fit: &Sounds, reference: &Answers, narrow: bool) -> Result<Quantized> {
    let tones = tones::sounds(&model.meta);
    let said_of_tones = Answers::of(model, &tones)?;
    let mut windows = fit.windows(WINDOWS, FRAMES);
    windows.extend(tones.clips.iter().map(|clip| clip.columns.as_slice()));
    let seen = Seen::through(model, &windows)?;
    let largest = if narrow { NARROW } else { FULL };
    let mut trials: Vec<Trial> = Vec::new();
    let mut best: Option<(Model, Trial)> = None;
    for calibration in Calibration::ALL {
        let (input, outputs) = seen.ranges(calibration);
        let int8 = quantize::quantize(model, input, &outputs, largest);
        let answers = Answers::of(&int8, fit)?;
        let (agreement, distance) = (reference.agreement(&answers), reference.distance(&answers));
        let on_tones = said_of_tones.distance(&Answers::of(&int8, &tones)?);
        let trial = Trial { calibration, agreement, distance, on_tones };
        trials.push(trial);
        if best.as_ref().is_none_or(|(_, other)| trial.moved() < other.moved()) {
            best = Some((int8, trial));
        }
    }
    let (model, trial) = best.unwrap_or_else(|| unreachable!("there are calibrations to try"));
    Ok(Quantized { model, calibration: trial.calibration, trials })
}

/// How an INT8 model represents its input and each layer's output.
///
/// # Panics
/// When a layer is FP32.
pub fn affines(model: &Model) -> (Affine, Vec<Affine>) {
    let of = |layer: &idiom_engine::model::Layer| match &layer.values {
        Values::I8 { input, output, .. } => (*input, *output),
        Values::F32 { .. } => panic!("`{}` is FP32", layer.name),
    };
    (of(&model.layers[0]).0, model.layers.iter().map(|layer| of(layer).1).collect())
}

/// An FP32 model of the same shape in the ranges of an INT8 one.
///
/// # Panics
/// When the shapes differ or `ranges` has an FP32 layer.
pub fn with_ranges_of(model: &Model, ranges: &Model, narrow: bool) -> Model {
    let (mut input, outputs) = affines(ranges);
    let mut quantized = model.clone();
    for (layer, output) in quantized.layers.iter_mut().zip(outputs) {
        *layer = quantize::quantize_layer(layer, input, output, if narrow { NARROW } else { FULL });
        input = output;
    }
    quantized
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::tests::{sounds, trained_in_no_time};
    use idiom_engine::model::random;

    #[test]
    fn a_quantized_network_answers_nearly_as_before_and_the_best_calibration_is_taken() {
        let sounds = sounds(16);
        let model = trained_in_no_time(&sounds);
        let reference = Answers::of(&model, &sounds).unwrap();
        for narrow in [false, true] {
            let quantized = static_int8(&model, &sounds, &reference, narrow).unwrap();
            quantized.model.validate().unwrap();
            assert_eq!(quantized.trials.len(), 3);
            let taken = quantized.trials.iter().find(|t| t.calibration == quantized.calibration).unwrap();
            for trial in &quantized.trials {
                assert!(taken.moved() <= trial.moved(), "{trial:?} is better than {taken:?}");
            }
            assert!(taken.agreement > 0.95, "{taken:?}");
            let answers = Answers::of(&quantized.model, &sounds).unwrap();
            assert_eq!(reference.agreement(&answers), taken.agreement, "what is reported is what was built");
            let widest = quantized.model.layers.iter().map(|layer| {
                let Values::I8 { weights, .. } = &layer.values else { panic!("not INT8") };
                weights.iter().map(|w| w.unsigned_abs()).max().unwrap_or(0)
            });
            assert_eq!(widest.max(), Some(if narrow { 64 } else { 127 }));
        }
    }

    #[test]
    fn ranges_can_be_taken_over() {
        let model = random::flagship(8);
        let int8 = random::quantized(&model);
        assert_eq!(with_ranges_of(&model, &int8, false), int8);
    }
}
