//! Mixed precision: the INT8 layers that hurt most go back to FP32 until the loss of accuracy is within bounds.

use super::measure::{Answers, points};
use super::sounds::Sounds;
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::Result;
use idiom_engine::model::Model;

/// A model of which some layers were taken back to FP32, and how it came about.
#[derive(Clone, Debug)]
pub struct Mixed {
    /// The model.
    pub model: Model,
    /// The FP32 layers, by number, ascending.
    pub float_layers: Vec<usize>,
    /// Balanced accuracy lost against the reference on the sounds, in points.
    pub drop: f64,
}

/// Balanced accuracy lost, in points; where no sound has a label, the share of changed answers stands for it.
pub fn drop(reference: &Answers, answers: &Answers, sounds: &Sounds) -> f64 {
    match (reference.report(sounds), answers.report(sounds)) {
        (Some(before), Some(after)) => points(&before) - points(&after),
        _ => 100.0 * (1.0 - reference.agreement(answers)),
    }
}

/// Takes layers of `int8` back to those of `float`, an FP32 model of the same shape, until the balanced accuracy on `sounds`
/// is at most `max_drop` points below that of `reference`. The first to go is the one that, alone in INT8, moves the answers
/// most.
///
/// # Errors
/// When the executor cannot run a model, or the user interrupts.
pub fn mix(
    int8: &Model,
    float: &Model,
    reference: &Answers,
    sounds: &Sounds,
    max_drop: f64,
) -> Result<Mixed> {
    let mut float_layers = Vec::new();
    let mut model = int8.clone();
    let mut lost = drop(reference, &Answers::of(&model, sounds)?, sounds);
    if lost <= max_drop {
        return Ok(Mixed { model, float_layers, drop: lost });
    }
    let bar = progress_bar(int8.layers.len() as u64, "sensitivity");
    let mut order = Vec::new();
    for layer in 0..int8.layers.len() {
        interrupt::check()?;
        let others: Vec<usize> = (0..int8.layers.len()).filter(|other| *other != layer).collect();
        let answers = Answers::of(&with_float(int8, float, &others), sounds)?;
        order.push((reference.distance(&answers), layer));
        bar.inc(1);
    }
    bar.finish_and_clear();
    order.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (_, layer) in order {
        if lost <= max_drop {
            break;
        }
        float_layers.push(layer);
        model = with_float(int8, float, &float_layers);
        lost = drop(reference, &Answers::of(&model, sounds)?, sounds);
    }
    float_layers.sort_unstable();
    Ok(Mixed { model, float_layers, drop: lost })
}

/// `int8` with these layers as they are in `float`. What flows into the INT8 layers after them is rounded as it was.
pub fn with_float(int8: &Model, float: &Model, layers: &[usize]) -> Model {
    let mut mixed = int8.clone();
    for &layer in layers {
        mixed.layers[layer] = float.layers[layer].clone();
    }
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::tests::{sounds, trained_in_no_time};
    use idiom_engine::model::quantize::{FULL, quantize};

    #[test]
    fn the_layer_that_was_spoilt_goes_back_and_the_others_stay() {
        let sounds = sounds(16);
        let model = trained_in_no_time(&sounds);
        let reference = Answers::of(&model, &sounds).unwrap();
        let windows = sounds.windows(16, 100);
        let seen = super::super::calibrate::Seen::through(&model, &windows).unwrap();
        let (input, mut outputs) = seen.ranges(super::super::calibrate::Calibration::MinMax);
        // A range a thousand times too wide leaves nothing of this layer.
        outputs[3].1 *= 1000.0;
        let spoilt = quantize(&model, input, &outputs, FULL);
        let before = drop(&reference, &Answers::of(&spoilt, &sounds).unwrap(), &sounds);
        assert!(before > 10.0, "{before}");
        let mixed = mix(&spoilt, &model, &reference, &sounds, 0.5).unwrap();
        mixed.model.validate().unwrap();
        assert!(mixed.drop <= 0.5, "{}", mixed.drop);
        // The layer after it takes its input in the same range, so both have to go back.
        assert_eq!(mixed.float_layers, [3, 4]);
        for (layer, stays) in mixed.model.layers.iter().enumerate() {
            assert_eq!(stays.is_int8(), !mixed.float_layers.contains(&layer));
        }
        assert_eq!(mixed.drop, drop(&reference, &Answers::of(&mixed.model, &sounds).unwrap(), &sounds));
    }

    #[test]
    fn what_loses_nothing_stays_as_it_is() {
        let sounds = sounds(16);
        let model = trained_in_no_time(&sounds);
        let reference = Answers::of(&model, &sounds).unwrap();
        let mixed = mix(&model, &model, &reference, &sounds, 0.0).unwrap();
        assert!(mixed.float_layers.is_empty() && mixed.model == model);
    }
}
