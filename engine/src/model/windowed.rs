//! The reference: a whole window through the network, in the plainest loops there are. Slow, allocating, for tests,
//! calibration and evaluation. [`crate::rt::net`] must agree with it: INT8 bit for bit, FP32 within rounding.

use super::{Affine, Layer, Model, Values};

/// What a window gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Windowed {
    /// One score a frame and class, frame by frame.
    pub logits: Vec<f32>,
    /// The same as 8-bit numbers, when the last layer is INT8; else empty.
    pub logits_i8: Vec<i8>,
    /// One probability a class, from the mean of the logits over **all** frames given.
    pub probabilities: Vec<f32>,
}

/// Runs `frames` frames through a [valid](Model::validate) model. `features` is time-major: `frames` rows of
/// [`super::InputKind::rows`] numbers.
///
/// # Panics
/// If `features` has another length, or the model is not valid.
pub fn run(model: &Model, features: &[f32], frames: usize) -> Windowed {
    trace(model, features, frames, |_, _| {})
}

/// Like [`run`], and shows every layer's output: `see(layer, numbers)` with the numbers ordered by frame, feature row
/// and channel, after the activation; 8-bit numbers as the real ones they stand for.
///
/// # Panics
/// If `features` has another length, or the model is not valid.
pub fn trace(model: &Model, features: &[f32], frames: usize, mut see: impl FnMut(usize, &[f32])) -> Windowed {
    assert_eq!(features.len(), frames * model.meta.features.rows(), "features must be frames x rows");
    let (mut logits, mut logits_i8) = (features.to_vec(), Vec::new());
    for ((i, layer), rows) in model.layers.iter().enumerate().zip(model.rows()) {
        match &layer.values {
            Values::F32 { weights, bias } => {
                logits = conv_f32(layer, (weights, bias), &logits, rows, frames);
                logits_i8.clear();
            }
            Values::I8 { input, output, .. } => {
                // Rounding what an INT8 layer gave out to what this one takes gives the same 8 bits again.
                let x: Vec<i8> = logits.iter().map(|&v| quantize(v, *input)).collect();
                logits_i8 = conv_i8(layer, &x, rows, frames);
                logits = logits_i8.iter().map(|&q| dequantize(q, *output)).collect();
            }
        }
        see(i, &logits);
    }
    let probabilities = softmax_of_mean(&logits, model.meta.classes.len());
    Windowed { logits, logits_i8, probabilities }
}

/// The 8-bit number that stands for `value`: nearest, ties to even, the ends for what lies beyond them.
pub fn quantize(value: f32, affine: Affine) -> i8 {
    let q = (value / affine.scale).round_ties_even() + f32::from(affine.zero_point);
    q.clamp(-128.0, 127.0) as i8
}

/// The real number that `q` stands for.
pub fn dequantize(q: i8, affine: Affine) -> f32 {
    affine.scale * (f32::from(q) - f32::from(affine.zero_point))
}

/// Calls `product(input index, weight index)` for every product of one output. Padding is left out: it contributes
/// nothing.
fn each_product(
    layer: &Layer,
    rows: usize,
    (t, row, channel): (usize, usize, usize),
    mut product: impl FnMut(usize, usize),
) {
    let per_output = layer.inputs_per_output();
    for kf in 0..layer.kernel_f {
        let at_row = (row * layer.stride_f + kf).checked_sub(layer.pads_f[0]).filter(|r| *r < rows);
        for kt in 0..layer.kernel_t {
            let at_time = (t + kt * layer.dilation_t).checked_sub(layer.history());
            let Some((r, t)) = at_row.zip(at_time) else { continue };
            for i in 0..per_output {
                let input_channel = if layer.depthwise { channel } else { i };
                let weight = ((channel * per_output + i) * layer.kernel_f + kf) * layer.kernel_t + kt;
                product((t * rows + r) * layer.inputs + input_channel, weight);
            }
        }
    }
}

fn conv_f32(
    layer: &Layer,
    (weights, bias): (&[f32], &[f32]),
    x: &[f32],
    rows: usize,
    frames: usize,
) -> Vec<f32> {
    let mut y = Vec::new();
    for t in 0..frames {
        for row in 0..layer.rows_out(rows).expect("the kernel fits") {
            for (channel, bias) in bias.iter().enumerate() {
                let mut sum = f64::from(*bias);
                each_product(layer, rows, (t, row, channel), |input, weight| {
                    sum += f64::from(x[input]) * f64::from(weights[weight]);
                });
                y.push(if layer.relu { (sum as f32).max(0.0) } else { sum as f32 });
            }
        }
    }
    y
}

/// The padding holds the zero point, which contributes nothing. The sum is exact in 32 bits; it is scaled by one
/// 32-bit float a channel, rounded to even and saturated, as in ONNX Runtime's `QLinearConv`.
fn conv_i8(layer: &Layer, x: &[i8], rows: usize, frames: usize) -> Vec<i8> {
    let Values::I8 { weights, scales, bias, input, output } = &layer.values else { panic!("an FP32 layer") };
    let factors = requantizing(input.scale, scales, *output);
    let mut y = Vec::new();
    for t in 0..frames {
        for row in 0..layer.rows_out(rows).expect("the kernel fits") {
            for (channel, bias) in bias.iter().enumerate() {
                let mut sum = *bias;
                each_product(layer, rows, (t, row, channel), |index, weight| {
                    let value = i32::from(x[index]) - i32::from(input.zero_point);
                    sum += value * i32::from(weights[weight]);
                });
                let scaled = (sum as f32 * factors[channel]).round_ties_even();
                y.push((scaled + f32::from(output.zero_point)).clamp(-128.0, 127.0) as i8);
            }
        }
    }
    y
}

/// What an INT8 layer's sums are multiplied by, one factor a channel: input scale x weight scale / output scale, each
/// step rounded to 32-bit floating point, as in ONNX Runtime.
pub fn requantizing(input_scale: f32, scales: &[f32], output: Affine) -> Vec<f32> {
    scales.iter().map(|s| input_scale * s / output.scale).collect()
}

/// Probabilities from logits `[frames x classes]`, averaged over all frames.
pub fn softmax_of_mean(logits: &[f32], classes: usize) -> Vec<f32> {
    let frames = (logits.len() / classes).max(1) as f64;
    let mean = |k: usize| logits.iter().skip(k).step_by(classes).map(|v| f64::from(*v)).sum::<f64>() / frames;
    let means: Vec<f64> = (0..classes).map(mean).collect();
    let top = means.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = means.iter().map(|m| (m - top).exp()).sum();
    means.iter().map(|m| ((m - top).exp() / sum) as f32).collect()
}
