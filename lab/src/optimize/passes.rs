//! What a configuration does to a model, pass by pass.

use super::config::{OptimizationConfig, Precision};
use super::measure::Answers;
use super::prune::{self, Cut};
use super::quantize::{self, Trial};
use super::sounds::Sounds;
use super::{bias, mixed};
use anyhow::{Context, Result};
use idiom_engine::Quantization;
use idiom_engine::model::Model;
use serde::{Deserialize, Serialize};

/// Windows that means and importance are measured on, and frames of each.
const WINDOWS: usize = 48;
const FRAMES: usize = 200;
/// Shares of channels that pruning keeps, tried in this order until the loss is within bounds.
const KEEP: [f64; 2] = [0.75, 0.875];
/// Highest learning rates of fine-tuning after pruning, and with rounding.
#[cfg(feature = "train")]
const RATES: [f32; 2] = [2e-3, 3e-4];

/// How a model came about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// What was done, a sentence a pass.
    pub steps: Vec<String>,
    /// Channels that were pruned.
    pub cuts: Vec<Cut>,
    /// Calibrations that were tried; the first is the one in use.
    pub calibrations: Vec<Trial>,
    /// Layers that went back to FP32.
    pub float_layers: Vec<usize>,
    /// Hash of the sounds that were fitted on.
    pub calibration_set: Option<String>,
    /// Balanced accuracy lost on the sounds that were kept for measuring, in points.
    pub drop: Option<f64>,
}

/// A model and how it came about.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The model.
    pub model: Model,
    /// How it came about.
    pub story: Story,
}

/// What the passes work with.
struct Work<'a> {
    original: &'a Model,
    config: &'a OptimizationConfig,
    fit: Sounds,
    measure: Sounds,
    /// What the original says about `fit` and `measure`.
    said: [Answers; 2],
    story: Story,
}

/// Carries out the passes of a configuration. Half of the artists in `sounds` are fitted on, the other half measure the loss.
/// `mixing` says whether layers may go back to FP32.
///
/// # Errors
/// When sounds are missing or a model is INT8 already, or the user interrupts.
pub fn run(
    model: &Model,
    config: &OptimizationConfig,
    sounds: Option<&Sounds>,
    mixing: bool,
) -> Result<Outcome> {
    if !config.needs_sounds() {
        return Ok(Outcome { model: model.clone(), story: Story::default() });
    }
    anyhow::ensure!(
        model.quantization() != Quantization::Int8,
        "the model is INT8 already; optimize the FP32 model that it was made from"
    );
    let sounds =
        sounds.context("--level 2 and 3 need sounds to calibrate on; name them with --calibration DIR")?;
    let (fit, measure) = sounds.halves();
    let said = [Answers::of(model, &fit)?, Answers::of(model, &measure)?];
    let story = Story { calibration_set: Some(fit.hash()), ..Story::default() };
    let mut work = Work { original: model, config, fit, measure, said, story };
    let mut model = model.clone();
    if config.platform.prunes() {
        model = work.prune(model)?;
    }
    if config.precision == Precision::Int8 {
        model = work.quantize(&model, mixing)?;
    }
    work.story.drop = Some(work.drop(&model)?);
    Ok(Outcome { model, story: work.story })
}

impl Work<'_> {
    fn drop(&self, model: &Model) -> Result<f64> {
        Ok(mixed::drop(&self.said[1], &Answers::of(model, &self.measure)?, &self.measure))
    }

    fn done(&mut self, step: String) {
        eprintln!("{}: {step}", self.config.name());
        self.story.steps.push(step);
    }

    /// Prunes as much as the bound on the loss allows, with fine-tuning where it is built in.
    fn prune(&mut self, model: Model) -> Result<Model> {
        for keep in KEEP {
            let windows = self.fit.windows(WINDOWS, FRAMES);
            let (pruned, cuts) = prune::prune(&model, keep, &windows)?;
            if cuts.is_empty() {
                continue;
            }
            let pruned = self.learn(pruned, 0, None)?;
            let lost = self.drop(&pruned)?;
            let share = 100.0 * keep;
            if lost <= self.config.max_drop {
                self.story.cuts = cuts;
                self.done(format!("kept {share} % of the channels, which costs {lost:.2} points"));
                return Ok(pruned);
            }
            self.done(format!("keeping {share} % of the channels would cost {lost:.2} points; not done"));
        }
        Ok(model)
    }

    fn quantize(&mut self, model: &Model, mixing: bool) -> Result<Model> {
        let narrow = self.config.platform.narrows_weights();
        let quantized = quantize::static_int8(model, &self.fit, &self.said[0], narrow)?;
        self.story.calibrations = quantized.trials.clone();
        self.story.calibrations.sort_by_key(|trial| trial.calibration != quantized.calibration);
        let taken = self.story.calibrations[0];
        self.done(format!(
            "quantized with {} calibration{}: {:.1} % of the answers stay; probabilities move by {:.4}, on held chords by {:.4}",
            taken.calibration.label(),
            if narrow { ", weights within ±64" } else { "" },
            100.0 * taken.agreement,
            taken.distance,
            taken.on_tones
        ));
        if self.config.level < 3 {
            return Ok(quantized.model);
        }
        let mut float = model.clone();
        let mut int8 = quantized.model;
        let corrected = bias::correct(&int8, model, &self.fit.windows(WINDOWS, FRAMES))?;
        int8 = self.nearer(int8, corrected, "corrected biases")?.0;
        let learned = self.learn(float.clone(), 1, Some((&int8, narrow)))?;
        if learned != float {
            let rounded = quantize::with_ranges_of(&learned, &int8, narrow);
            let (nearest, taken) = self.nearer(int8, rounded, "fine-tuned with rounding")?;
            int8 = nearest;
            if taken {
                float = learned;
            }
        }
        if !mixing {
            return Ok(int8);
        }
        let mixed = mixed::mix(&int8, &float, &self.said[1], &self.measure, self.config.max_drop)?;
        if !mixed.float_layers.is_empty() {
            let names: Vec<_> = mixed.float_layers.iter().map(|i| int8.layers[*i].name.as_str()).collect();
            self.done(format!("took back to FP32: {}", names.join(", ")));
        }
        self.story.float_layers = mixed.float_layers;
        Ok(mixed.model)
    }

    /// The one of two models whose answers on the fitted sounds are nearer to the original's, and whether it is the second.
    fn nearer(&mut self, first: Model, second: Model, what: &str) -> Result<(Model, bool)> {
        let distance =
            |model: &Model| Ok::<_, anyhow::Error>(self.said[0].distance(&Answers::of(model, &self.fit)?));
        let (before, after) = (distance(&first)?, distance(&second)?);
        let better = after < before;
        let effect = format!("distance of the answers {before:.4}, then {after:.4}");
        self.done(format!("{what}: {effect}{}", if better { "" } else { "; not kept" }));
        Ok(if better { (second, true) } else { (first, false) })
    }

    /// Fine-tunes towards the original. Without the training stack the model stays as it is.
    #[cfg(feature = "train")]
    fn learn(&self, student: Model, kind: usize, rounding: Option<(&Model, bool)>) -> Result<Model> {
        if self.config.steps == 0 {
            return Ok(student);
        }
        let name = ["fine-tuning", "with rounding"][kind];
        let plan =
            super::finetune::Plan { steps: self.config.steps, rate: RATES[kind], seed: 1, name, rounding };
        super::finetune::distil(&student, self.original, &self.fit, &plan)
    }

    #[cfg(not(feature = "train"))]
    fn learn(&self, student: Model, _kind: usize, _rounding: Option<(&Model, bool)>) -> Result<Model> {
        let _ = self.original;
        Ok(student)
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::Platform;
    use super::super::tests::{sounds, trained_in_no_time};
    use super::*;

    #[test]
    fn each_level_does_what_it_says() {
        let sounds = sounds(20);
        let model = trained_in_no_time(&sounds);
        let run = |platform, precision, level, steps| {
            let config = OptimizationConfig { steps, ..OptimizationConfig::new(platform, precision, level) };
            super::run(&model, &config, Some(&sounds), true).unwrap()
        };
        let converted = run(Platform::Cpu, Precision::Fp32, 1, 0);
        assert_eq!((&converted.model, converted.story.drop), (&model, None));

        let static_int8 = run(Platform::Cpu, Precision::Int8, 2, 0);
        assert!(static_int8.model.layers.iter().all(|layer| layer.is_int8()));
        assert_eq!(static_int8.story.calibrations.len(), 3);
        assert!(static_int8.story.drop.unwrap() <= 5.0 && static_int8.story.calibration_set.is_some());

        let pruned = run(Platform::Mobile, Precision::Fp32, 2, 8);
        assert!(!pruned.story.cuts.is_empty(), "{:?}", pruned.story.steps);
        assert!(pruned.model.macs_per_frame() < model.macs_per_frame());
        assert!(pruned.story.drop.unwrap() <= 1.0);

        let best = run(Platform::Edge, Precision::Int8, 3, 4);
        let said = best.story.steps.join("\n");
        for word in ["channels", "calibration", "corrected biases", "fine-tuned with rounding", "±64"] {
            assert!(said.contains(word), "`{word}` is not in:\n{said}");
        }
        assert!(best.story.drop.unwrap() <= 0.5, "{said}");
    }

    #[test]
    fn missing_sounds_and_int8_models_are_named() {
        let sounds = sounds(4);
        let model = trained_in_no_time(&sounds);
        let config = OptimizationConfig::new(Platform::Edge, Precision::Int8, 2);
        let error = super::run(&model, &config, None, true).unwrap_err().to_string();
        assert!(error.contains("--calibration"), "{error}");
        let int8 = idiom_engine::model::random::quantized(&model);
        let error = super::run(&int8, &config, Some(&sounds), true).unwrap_err().to_string();
        assert!(error.contains("INT8 already"), "{error}");
    }
}
