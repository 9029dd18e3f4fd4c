//! Bias correction: rounding weights shifts what a layer gives on average; its bias takes the shift back (Nagel et al.
//! 2019, "Data-Free Quantization Through Weight Equalization and Bias Correction", the empirical form).

use anyhow::Result;
use idiom_engine::model::{MAX_I8_BIAS, Model, Values};
use idiom_engine::rt::net::Network;

/// Corrects the biases of every INT8 layer, from the first to the last, so that each channel's mean output on `windows` is
/// what it is in `reference`, the FP32 model of the same shape.
///
/// What a ReLU held back is not seen, so the correction is the smaller part of the shift there; it never overshoots.
///
/// # Errors
/// When the executor cannot run one of the models.
pub fn correct(model: &Model, reference: &Model, windows: &[&[f32]]) -> Result<Model> {
    let mut corrected = model.clone();
    let wanted = moments(reference, windows)?;
    for index in 0..model.layers.len() {
        if !corrected.layers[index].is_int8() {
            continue;
        }
        // Measured anew, because what came before has just been corrected.
        let found = moments(&corrected, windows)?;
        let Values::I8 { scales, bias, input, .. } = &mut corrected.layers[index].values else { continue };
        for (channel, bias) in bias.iter_mut().enumerate() {
            let step = f64::from(input.scale) * f64::from(scales[channel]);
            let shift = (wanted[index].mean[channel] - found[index].mean[channel]) / step;
            let limit = f64::from(MAX_I8_BIAS);
            *bias = (f64::from(*bias) + shift).round().clamp(-limit, limit) as i32;
        }
    }
    Ok(corrected)
}

/// What a layer's channels gave out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    /// Mean of each channel.
    pub mean: Vec<f64>,
    /// Mean of each channel's squares.
    pub square: Vec<f64>,
}

impl Moments {
    /// Variance of a channel.
    pub fn variance(&self, channel: usize) -> f64 {
        (self.square[channel] - self.mean[channel] * self.mean[channel]).max(0.0)
    }
}

/// Moments of every layer's outputs on `windows`.
///
/// # Errors
/// When the executor cannot run the model.
pub fn moments(model: &Model, windows: &[&[f32]]) -> Result<Vec<Moments>> {
    let mut network = Network::compile(model)?;
    let rows = model.meta.features.rows();
    let none = |outputs: usize| Moments { mean: vec![0.0; outputs], square: vec![0.0; outputs] };
    let mut sums: Vec<Moments> = model.layers.iter().map(|layer| none(layer.outputs)).collect();
    let mut counts = vec![0usize; model.layers.len()];
    for window in windows {
        network.reset();
        for column in window.chunks_exact(rows) {
            network.push(column);
            network.inspect(|layer, numbers| {
                let Moments { mean, square } = &mut sums[layer];
                for row in numbers.chunks_exact(mean.len()) {
                    for ((mean, square), v) in mean.iter_mut().zip(square.iter_mut()).zip(row) {
                        *mean += f64::from(*v);
                        *square += f64::from(*v) * f64::from(*v);
                    }
                    counts[layer] += 1;
                }
            });
        }
    }
    for (sums, count) in sums.iter_mut().zip(counts) {
        sums.mean.iter_mut().chain(&mut sums.square).for_each(|sum| *sum /= count.max(1) as f64);
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::tests::sounds;
    use idiom_engine::model::quantize::{NARROW, quantize};
    use idiom_engine::model::random;

    /// How far the mean logits are apart.
    fn shift(a: &Model, b: &Model, windows: &[&[f32]]) -> f64 {
        let (a, b) = (moments(a, windows).unwrap(), moments(b, windows).unwrap());
        let last = a.len() - 1;
        a[last].mean.iter().zip(&b[last].mean).map(|(a, b)| (a - b).abs()).sum()
    }

    #[test]
    fn a_shift_that_rounding_made_is_taken_back() {
        let sounds = sounds(6);
        let windows = sounds.windows(6, 60);
        let model = random::flagship(31);
        let mut int8 = quantize(&model, (-6.0, 6.0), &vec![(-6.0, 6.0); model.layers.len()], NARROW);
        // Weights rounded away from what they were, all to one side, as the worst rounding would.
        for layer in &mut int8.layers {
            let Values::I8 { weights, .. } = &mut layer.values else { panic!("not INT8") };
            weights.iter_mut().for_each(|w| *w = (*w + 1).min(64));
        }
        let corrected = correct(&int8, &model, &windows).unwrap();
        corrected.validate().unwrap();
        let (before, after) = (shift(&int8, &model, &windows), shift(&corrected, &model, &windows));
        assert!(after < 0.5 * before, "the mean logits were {before} off and are {after}");
    }
}
