//! Structured pruning: whole channels that contribute least are taken out, so that the network that is left is an ordinary,
//! smaller one.

use super::bias::{Moments, moments};
use anyhow::Result;
use idiom_engine::model::{Layer, Model, Values};
use serde::{Deserialize, Serialize};

/// Channels are kept in multiples of this, the width of the executor's vectors.
const STEP: usize = 16;

/// Channels of one group before and after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The layer that makes the channels.
    pub layer: String,
    /// How many it made.
    pub before: usize,
    /// How many are left.
    pub after: usize,
}

/// Channels that live and die together: made by one layer, passed through depthwise ones, taken by the next.
struct Group {
    producer: usize,
    consumer: usize,
}

fn groups(model: &Model) -> Vec<Group> {
    let dense: Vec<usize> = (0..model.layers.len()).filter(|&i| !model.layers[i].depthwise).collect();
    dense.windows(2).map(|pair| Group { producer: pair[0], consumer: pair[1] }).collect()
}

/// Takes out all but a share `keep` (0 to 1) of each layer's channels, rounded to whole vectors. A channel counts as much as
/// it varies on `windows`, weighed by what the next layer makes of it; the mean of what is taken out moves into the next
/// layer's biases.
///
/// # Errors
/// When the executor cannot run the model.
///
/// # Panics
/// When the model is not FP32.
pub fn prune(model: &Model, keep: f64, windows: &[&[f32]]) -> Result<(Model, Vec<Cut>)> {
    let seen = moments(model, windows)?;
    let mut pruned = model.clone();
    let mut cuts = Vec::new();
    for Group { producer, consumer } in groups(model) {
        let before = model.layers[producer].outputs;
        let after = ((before as f64 * keep / STEP as f64).round() as usize).max(1) * STEP;
        if after >= before {
            continue;
        }
        let seen = &seen[consumer - 1];
        let kept = most_important(&model.layers[consumer], seen, after);
        take_inputs(&mut pruned.layers[consumer], &kept, seen);
        for layer in &mut pruned.layers[producer..consumer] {
            take_outputs(layer, &kept);
        }
        cuts.push(Cut { layer: model.layers[producer].name.clone(), before, after });
    }
    Ok((pruned, cuts))
}

/// The `count` channels whose variation matters most to `consumer`, in their order.
fn most_important(consumer: &Layer, seen: &Moments, count: usize) -> Vec<usize> {
    let Values::F32 { weights, .. } = &consumer.values else { panic!("`{}` is quantized", consumer.name) };
    let taps = consumer.kernel_f * consumer.kernel_t;
    let mut strength = vec![0.0f64; consumer.inputs];
    for (i, weights) in weights.chunks_exact(taps).enumerate() {
        strength[i % consumer.inputs] += weights.iter().map(|w| f64::from(w * w)).sum::<f64>();
    }
    let importance = |channel: usize| strength[channel] * seen.variance(channel);
    let mut order: Vec<usize> = (0..consumer.inputs).collect();
    order.sort_by(|a, b| importance(*b).total_cmp(&importance(*a)));
    order.truncate(count);
    order.sort_unstable();
    order
}

/// Keeps these output channels of a layer; of a depthwise one also the input channels.
fn take_outputs(layer: &mut Layer, kept: &[usize]) {
    let Values::F32 { weights, bias } = &mut layer.values else { panic!("`{}` is quantized", layer.name) };
    let per_channel = weights.len() / layer.outputs;
    *weights = kept.iter().flat_map(|c| weights[c * per_channel..(c + 1) * per_channel].to_vec()).collect();
    *bias = kept.iter().map(|c| bias[*c]).collect();
    layer.outputs = kept.len();
    if layer.depthwise {
        layer.inputs = kept.len();
    }
}

/// Keeps these input channels of a layer that mixes channels.
fn take_inputs(layer: &mut Layer, kept: &[usize], seen: &Moments) {
    let taps = layer.kernel_f * layer.kernel_t;
    let Values::F32 { weights, bias } = &mut layer.values else { panic!("`{}` is quantized", layer.name) };
    let mut left = Vec::new();
    for (weights, bias) in weights.chunks_exact(layer.inputs * taps).zip(bias) {
        for (channel, weights) in weights.chunks_exact(taps).enumerate() {
            if kept.binary_search(&channel).is_ok() {
                left.extend_from_slice(weights);
            } else {
                *bias += (seen.mean[channel] * f64::from(weights.iter().sum::<f32>())) as f32;
            }
        }
    }
    *weights = left;
    layer.inputs = kept.len();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::measure::Answers;
    use crate::optimize::tests::{sounds, trained_in_no_time};
    use idiom_engine::model::random::{self, Shape};
    use idiom_engine::model::{InputKind, windowed};

    /// A network in which only some channels do anything: the others are constant, whatever is heard.
    fn with_idle_channels() -> Model {
        let shapes = [
            Shape::conv(32, [5, 3], 2),
            // Padding with zeros would make the ends of constant channels differ.
            Shape { pads_f: [0, 0], ..Shape::depthwise([3, 1], 2, 1) },
            Shape::pointwise(48),
            Shape { pads_f: [0, 0], ..Shape::conv(32, [9, 1], 1) },
            Shape { relu: false, ..Shape::pointwise(5) },
        ];
        let mut model = random::model(3, InputKind::LogMel40, 50, &shapes);
        for layer in [0, 2, 3] {
            let layer = &mut model.layers[layer];
            let Values::F32 { weights, bias } = &mut layer.values else { panic!("not FP32") };
            let per_channel = weights.len() / layer.outputs;
            for idle in (0..layer.outputs).filter(|c| c % 2 == 1) {
                weights[idle * per_channel..(idle + 1) * per_channel].fill(0.0);
                bias[idle] = 0.3;
            }
        }
        model.validate().unwrap();
        model
    }

    #[test]
    fn idle_channels_go_and_nothing_changes() {
        let model = with_idle_channels();
        let sounds = sounds(4);
        let windows = sounds.windows(4, 60);
        let (pruned, cuts) = prune(&model, 0.5, &windows).unwrap();
        pruned.validate().unwrap();
        let sizes: Vec<_> = cuts.iter().map(|cut| (cut.before, cut.after)).collect();
        assert_eq!(sizes, [(32, 16), (48, 32), (32, 16)]);
        let (a, b) = (windowed::run(&model, windows[0], 60), windowed::run(&pruned, windows[0], 60));
        let largest = a.logits.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        for (a, b) in a.logits.iter().zip(&b.logits) {
            assert!((a - b).abs() <= 1e-4 * largest, "{a} became {b}");
        }
        assert!(pruned.macs_per_frame() < model.macs_per_frame() * 6 / 10);
    }

    #[test]
    fn important_channels_are_kept() {
        let sounds = sounds(16);
        let model = trained_in_no_time(&sounds);
        let windows = sounds.windows(16, 100);
        let reference = Answers::of(&model, &sounds).unwrap();
        let (pruned, cuts) = prune(&model, 0.5, &windows).unwrap();
        pruned.validate().unwrap();
        assert!(!cuts.is_empty());
        // The channels that were taken out instead of those that stayed: what is important is lost.
        let mut backwards = model.clone();
        let seen = moments(&model, &windows).unwrap();
        for Group { producer, consumer } in groups(&model) {
            let before = model.layers[producer].outputs;
            let Some(cut) = cuts.iter().find(|cut| cut.layer == model.layers[producer].name) else {
                continue;
            };
            let kept = most_important(&model.layers[consumer], &seen[consumer - 1], before - cut.after);
            let others: Vec<usize> = (0..before).filter(|c| !kept.contains(c)).collect();
            take_inputs(&mut backwards.layers[consumer], &others, &seen[consumer - 1]);
            backwards.layers[producer..consumer].iter_mut().for_each(|layer| take_outputs(layer, &others));
        }
        backwards.validate().unwrap();
        let distance = |model: &Model| Answers::of(model, &sounds).unwrap().distance(&reference);
        let (good, bad) = (distance(&pruned), distance(&backwards));
        assert!(
            good < 0.7 * bad,
            "keeping the important ones moves the answers by {good}, the others by {bad}"
        );
    }

    #[test]
    fn nothing_is_cut_below_a_vector_or_when_all_is_kept() {
        let sounds = sounds(2);
        let model = random::flagship(1);
        let windows = sounds.windows(2, 20);
        let (same, cuts) = prune(&model, 1.0, &windows).unwrap();
        assert!(cuts.is_empty() && same == model);
        let (smallest, _) = prune(&model, 0.01, &windows).unwrap();
        assert!(smallest.layers.iter().take(18).all(|layer| layer.outputs == 16));
    }
}
