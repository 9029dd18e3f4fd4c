//! AdamW (Loshchilov and Hutter 2019), its learning rate over time, and the running average of weights.

use super::config::TrainConfig;
use super::net::Parameter;

/// First and second moments of the gradients, and the average of the weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    /// Running mean of each gradient.
    pub mean: Vec<Vec<f32>>,
    /// Running mean of each squared gradient.
    pub square: Vec<Vec<f32>>,
    /// Running average of each parameter.
    pub average: Vec<Vec<f32>>,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.99;

impl Optimizer {
    /// An optimizer before its first step.
    pub fn new(parameters: &[Parameter]) -> Optimizer {
        let zeros: Vec<Vec<f32>> = parameters.iter().map(|p| vec![0.0; p.values.len()]).collect();
        let average = parameters.iter().map(|p| p.values.clone()).collect();
        Optimizer { mean: zeros.clone(), square: zeros, average }
    }

    /// Moves the parameters against their gradients. `step` counts from 0.
    pub fn step(
        &mut self,
        config: &TrainConfig,
        step: usize,
        parameters: &mut [Parameter],
        gradients: &mut [Vec<f32>],
    ) {
        let length = gradients.iter().flatten().map(|g| g * g).sum::<f32>().sqrt();
        if !length.is_finite() {
            return;
        }
        if length > config.clip_gradient {
            let scale = config.clip_gradient / length;
            gradients.iter_mut().flatten().for_each(|g| *g *= scale);
        }
        let rate = learning_rate(config, step);
        let n = step as i32 + 1;
        let (fix1, fix2) = (1.0 - BETA1.powi(n), 1.0 - BETA2.powi(n));
        // The average forgets its random beginning: its memory grows to the configured length.
        let memory = config.average.min((1.0 + step as f32) / (10.0 + step as f32));
        let states = self.mean.iter_mut().zip(&mut self.square).zip(&mut self.average);
        for ((parameter, gradient), ((mean, square), average)) in
            parameters.iter_mut().zip(gradients.iter()).zip(states)
        {
            let decay = if parameter.decays { rate * config.weight_decay } else { 0.0 };
            for i in 0..gradient.len() {
                let g = gradient[i];
                mean[i] += (1.0 - BETA1) * (g - mean[i]);
                square[i] += (1.0 - BETA2) * (g * g - square[i]);
                let w = &mut parameter.values[i];
                *w -= decay * *w + rate * (mean[i] / fix1) / ((square[i] / fix2).sqrt() + 1e-8);
                average[i] += (1.0 - memory) * (*w - average[i]);
            }
        }
    }
}

/// Linear warm-up, then half a cosine down to a hundredth.
pub fn learning_rate(config: &TrainConfig, step: usize) -> f32 {
    let warm = ((step + 1) as f32 / config.warm_up.max(1) as f32).min(1.0);
    let part = (step as f32 / config.steps.max(1) as f32).min(1.0);
    let cosine = 0.5 * (1.0 + (std::f32::consts::PI * part).cos());
    config.learning_rate * warm * (0.01 + 0.99 * cosine)
}
