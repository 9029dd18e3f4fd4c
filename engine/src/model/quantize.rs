//! FP32 to INT8 for given ranges: symmetric weights with one scale an output channel, one asymmetric scale a tensor for
//! what flows between layers, 32-bit biases.

use super::{Affine, Layer, MAX_I8_BIAS, Model, Values};

/// The smallest and the largest number to be represented.
pub type Range = (f32, f32);

/// Largest size of an 8-bit weight.
pub const FULL: i8 = 127;
/// Largest size of an 8-bit weight of which two products with 8 bits add up to no more than 16 bits hold. Processors
/// without 8-bit dot products multiply such weights faster.
pub const NARROW: i8 = 64;

/// The 8-bit representation of a range, which is first widened to hold 0. Exactly 0 is always represented, because it
/// is what padding holds.
pub fn affine(range: Range) -> Affine {
    let finite = |v: f32| if v.is_finite() { v } else { 0.0 };
    let (low, high) = (finite(range.0).min(0.0), finite(range.1).max(0.0));
    let scale = ((high - low) / 255.0).max(1e-8);
    let zero_point = (-128.0 - (low / scale).round_ties_even()).clamp(-128.0, 127.0) as i8;
    Affine { scale, zero_point }
}

/// The same network in 8-bit integers. `input` is the range of the features, `outputs[i]` that of layer `i`'s output.
/// A layer with ReLU starts at 0 whatever its range says. Weights become `-largest..=largest`.
///
/// # Panics
/// If the model is not FP32, or `outputs` has not one range a layer.
pub fn quantize(model: &Model, input: Range, outputs: &[Range], largest: i8) -> Model {
    assert_eq!(outputs.len(), model.layers.len(), "one range a layer");
    let mut input = affine(input);
    let mut layers = Vec::new();
    for (layer, range) in model.layers.iter().zip(outputs) {
        let output = affine(if layer.relu { (0.0, range.1) } else { *range });
        layers.push(quantize_layer(layer, input, output, largest));
        input = output;
    }
    Model { meta: model.meta.clone(), layers }
}

/// One FP32 layer in 8-bit integers, weights `-largest..=largest`.
///
/// # Panics
/// If the layer is not FP32.
pub fn quantize_layer(layer: &Layer, input: Affine, output: Affine, largest: i8) -> Layer {
    let Values::F32 { weights, bias } = &layer.values else {
        panic!("`{}` is quantized already", layer.name)
    };
    let end = f32::from(largest);
    let (mut quantized, mut scales, mut biases) = (Vec::new(), Vec::new(), Vec::new());
    for (channel, bias) in weights.chunks_exact(weights.len() / layer.outputs).zip(bias) {
        // The bias must stay within its 32 bits: a channel with next to no weight gets a coarser scale.
        let for_bias = bias.abs() / (input.scale * (MAX_I8_BIAS / 2) as f32);
        let scale = weight_scale(channel, end).max(for_bias);
        quantized.extend(channel.iter().map(|w| (w / scale).round_ties_even().clamp(-end, end) as i8));
        biases.push((bias / (input.scale * scale)).round_ties_even() as i32);
        scales.push(scale);
    }
    let values = Values::I8 { weights: quantized, scales, bias: biases, input, output };
    Layer { relu: output.zero_point == i8::MIN, values, ..layer.clone() }
}

/// Size of one step of symmetric 8-bit weights, of which the farthest from 0 becomes `end` (at most 127).
pub(super) fn weight_scale(weights: &[f32], end: f32) -> f32 {
    let farthest = weights.iter().fold(0.0f32, |m, w| m.max(w.abs()));
    (farthest / end).max(1e-10)
}
