//! Fine-tuning by self-distillation: a changed network learns again to answer as the original one does. Needs sounds, but
//! no labels.
//!
//! Quantization-aware: the forward pass rounds weights and what flows as the INT8 network will, and gradients pass through
//! the rounding as if it were not there (Bengio et al. 2013, "straight-through estimator").

use super::sounds::{Sounds, WINDOW};
use crate::features::progress_bar;
use crate::interrupt;
use crate::train::config::TrainConfig;
use crate::train::kernels::ConvShape;
use crate::train::net::{Parameter, onnx_order, training_order};
use crate::train::ops::{self, Activation};
use crate::train::optimizer::Optimizer;
use anyhow::{Result, ensure};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use idiom_engine::model::random::Rng;
use idiom_engine::model::{Affine, Layer, Model, Values, windowed};
use idiom_engine::rt::net::Network;

/// Crops a step.
const BATCH: usize = 12;
/// How much the distance of single frames' logits counts beside that of the answers over a window.
const FRAMES_COUNT: f32 = 0.5;

/// How to fine-tune.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Number of steps.
    pub steps: usize,
    /// Highest learning rate.
    pub rate: f32,
    /// Everything random follows from this number.
    pub seed: u64,
    /// Stands beside the progress bar.
    pub name: &'static str,
    /// The INT8 form whose rounding is to be learned with, and whether its weights stay within ±64.
    pub rounding: Option<(&'a Model, bool)>,
}

/// One layer as it is trained.
struct Part {
    shape: ConvShape,
    after: Activation,
}

/// Teaches `student` to answer as `teacher` does on `sounds`.
///
/// # Errors
/// When there is nothing to learn from, a model cannot be played, or the user interrupts.
///
/// # Panics
/// When the student is not FP32, or differs in shape from the form it is to be rounded to.
pub fn distil(student: &Model, teacher: &Model, sounds: &Sounds, plan: &Plan<'_>) -> Result<Model> {
    let usable: Vec<&[f32]> = sounds
        .clips
        .iter()
        .map(|clip| clip.columns.as_slice())
        .filter(|columns| columns.len() >= WINDOW * sounds.rows)
        .collect();
    ensure!(
        !usable.is_empty(),
        "{}: no sound is as long as the {WINDOW} frames (3 s) that fine-tuning looks at",
        sounds.name
    );
    let parts = parts(student, plan);
    let mut parameters = parameters(student);
    let mut optimizer = Optimizer::new(&parameters);
    let config = settings(plan);
    let mut rng = Rng(plan.seed);
    let mut teacher = Network::compile(teacher)?;
    let bar = progress_bar(plan.steps as u64, plan.name);
    for step in 0..plan.steps {
        interrupt::check()?;
        let mut x = Vec::with_capacity(BATCH * WINDOW * sounds.rows);
        for _ in 0..BATCH {
            let columns = usable[rng.between(0, usable.len() - 1)];
            let start = rng.between(0, columns.len() / sounds.rows - WINDOW);
            x.extend_from_slice(&columns[start * sounds.rows..(start + WINDOW) * sounds.rows]);
        }
        let wanted = logits(&mut teacher, &x, sounds.rows);
        let (loss, mut gradients) = gradients(&parts, &parameters, x, &wanted, plan);
        optimizer.step(&config, step, &mut parameters, &mut gradients);
        bar.set_message(format!("loss {loss:.4}"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let mut learned = student.clone();
    for ((layer, part), average) in
        learned.layers.iter_mut().zip(&parts).zip(optimizer.average.chunks_exact(2))
    {
        let scale = vec![1.0; layer.outputs];
        layer.values =
            Values::F32 { weights: onnx_order(&part.shape, &average[0], &scale), bias: average[1].clone() };
    }
    Ok(learned)
}

fn settings(plan: &Plan<'_>) -> TrainConfig {
    TrainConfig {
        seed: plan.seed,
        steps: plan.steps,
        batch: BATCH,
        frames: WINDOW,
        learning_rate: plan.rate,
        warm_up: plan.steps / 10,
        weight_decay: 0.0,
        clip_gradient: 5.0,
        average: 0.95,
        dropout: 0.0,
        segments: 1,
        shortest_segment: 1,
        validate_every: plan.steps.max(1),
        patience: 0,
    }
}

fn parts(student: &Model, plan: &Plan<'_>) -> Vec<Part> {
    let outputs = plan.rounding.map(|(int8, _)| super::quantize::affines(int8).1);
    let part = |(i, (layer, rows)): (usize, (&Layer, usize))| Part {
        shape: ConvShape {
            items: BATCH,
            frames: WINDOW,
            rows_in: rows,
            rows_out: layer.rows_out(rows).expect("the kernel fits"),
            inputs: layer.inputs,
            outputs: layer.outputs,
            kernel_f: layer.kernel_f,
            kernel_t: layer.kernel_t,
            stride_f: layer.stride_f,
            dilation_t: layer.dilation_t,
            pad_f: layer.pads_f[0],
            depthwise: layer.depthwise,
        },
        after: Activation { relu: layer.relu, rounding: outputs.as_ref().map(|affines| affines[i]) },
    };
    student.layers.iter().zip(student.rows()).enumerate().map(part).collect()
}

/// Weights and biases of each layer, in that order.
fn parameters(student: &Model) -> Vec<Parameter> {
    let of = |layer: &Layer| {
        let Values::F32 { weights, bias } = &layer.values else { panic!("`{}` is quantized", layer.name) };
        let inputs = layer.inputs_per_output();
        let weights = training_order(layer.outputs, inputs, [layer.kernel_f, layer.kernel_t], weights);
        [weights, bias.clone()].map(|values| Parameter { values, decays: false })
    };
    student.layers.iter().flat_map(of).collect()
}

/// The teacher's logits of each crop, `[item][frame][class]`.
fn logits(teacher: &mut Network, x: &[f32], rows: usize) -> Vec<f32> {
    let mut logits = Vec::new();
    for crop in x.chunks_exact(WINDOW * rows) {
        teacher.reset();
        for column in crop.chunks_exact(rows) {
            teacher.push(column);
            logits.extend_from_slice(teacher.logits());
        }
    }
    logits
}

/// Weights as the INT8 network will have them, as real numbers; `[tap][row][input][output]`, one scale an output.
fn rounded(weights: &[f32], outputs: usize, narrow: bool) -> Vec<f32> {
    use idiom_engine::model::quantize::{FULL, NARROW};
    let end = f32::from(if narrow { NARROW } else { FULL });
    let mut scales = vec![0.0f32; outputs];
    for line in weights.chunks_exact(outputs) {
        scales.iter_mut().zip(line).for_each(|(scale, w)| *scale = scale.max(w.abs() / end));
    }
    let round = |(i, w): (usize, &f32)| {
        let scale = scales[i % outputs].max(1e-10);
        scale * (w / scale).round_ties_even().clamp(-end, end)
    };
    weights.iter().enumerate().map(round).collect()
}

/// Loss of a batch of crops and its gradient for each parameter.
fn gradients(
    parts: &[Part],
    parameters: &[Parameter],
    mut x: Vec<f32>,
    wanted: &[f32],
    plan: &Plan<'_>,
) -> (f32, Vec<Vec<f32>>) {
    let device = ops::device();
    let leaf = |values: Vec<f32>| {
        let count = values.len();
        Tensor::<1>::from_data(TensorData::new(values, [count]), &device).require_grad()
    };
    let tensors: Vec<_> = parts
        .iter()
        .zip(parameters.chunks_exact(2))
        .flat_map(|(part, pair)| {
            let weights = match plan.rounding {
                Some((_, narrow)) => rounded(&pair[0].values, part.shape.outputs, narrow),
                None => pair[0].values.clone(),
            };
            [leaf(weights), leaf(pair[1].values.clone())]
        })
        .collect();
    if let Some((int8, _)) = plan.rounding {
        let input: Affine = super::quantize::affines(int8).0;
        x.iter_mut().for_each(|v| *v = windowed::dequantize(windowed::quantize(*v, input), input));
    }
    let rows = parts[0].shape.rows_in;
    let mut flow = Tensor::<4>::from_data(TensorData::new(x, [BATCH, WINDOW, rows, 1]), &device);
    for (part, pair) in parts.iter().zip(tensors.chunks_exact(2)) {
        let sums = ops::conv(part.shape, flow, pair[0].clone());
        flow = ops::activate(sums, pair[1].clone(), part.after);
    }
    let classes = wanted.len() / (BATCH * WINDOW);
    let logits: Tensor<3> = flow.reshape([BATCH, WINDOW, classes]);
    let frames = Tensor::<3>::from_data(TensorData::new(wanted.to_vec(), [BATCH, WINDOW, classes]), &device);
    let answers = softmax_of_means(wanted, classes);
    let answers = Tensor::<3>::from_data(TensorData::new(answers, [BATCH, 1, classes]), &device);
    let answer_loss = (log_softmax(logits.clone().mean_dim(1), 2) * answers).sum().neg() / BATCH as f32;
    let frame_loss = (logits - frames).powi_scalar(2).mean() / variance(wanted);
    let loss = answer_loss + frame_loss * FRAMES_COUNT;
    let grads = loss.backward();
    let gradients = tensors.iter().zip(parameters).map(|(tensor, parameter)| {
        let grad = tensor.grad(&grads).and_then(|grad| grad.into_data().try_to_vec::<f32>().ok());
        grad.unwrap_or_else(|| vec![0.0; parameter.values.len()])
    });
    (loss.into_scalar::<f32>(), gradients.collect())
}

fn softmax_of_means(logits: &[f32], classes: usize) -> Vec<f32> {
    let mut answers = Vec::new();
    for item in logits.chunks_exact(WINDOW * classes) {
        let mean = |k: usize| item.iter().skip(k).step_by(classes).sum::<f32>() / WINDOW as f32;
        let means: Vec<f32> = (0..classes).map(mean).collect();
        let top = means.iter().copied().fold(f32::MIN, f32::max);
        let sum: f32 = means.iter().map(|m| (m - top).exp()).sum();
        answers.extend(means.iter().map(|m| (m - top).exp() / sum));
    }
    answers
}

fn variance(values: &[f32]) -> f32 {
    let count = values.len().max(1) as f32;
    let mean = values.iter().sum::<f32>() / count;
    (values.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / count).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::measure::Answers;
    use crate::optimize::quantize::with_ranges_of;
    use crate::optimize::tests::{sounds, trained_in_no_time};
    use idiom_engine::model::quantize::{NARROW, quantize};

    #[test]
    fn a_pruned_network_learns_to_answer_as_before() {
        let sounds = sounds(16);
        let model = trained_in_no_time(&sounds);
        let (pruned, _) = super::super::prune::prune(&model, 0.4, &sounds.windows(16, 100)).unwrap();
        let reference = Answers::of(&model, &sounds).unwrap();
        let distance = |model: &Model| Answers::of(model, &sounds).unwrap().distance(&reference);
        let plan = Plan { steps: 25, rate: 3e-3, seed: 1, name: "test", rounding: None };
        let tuned = distil(&pruned, &model, &sounds, &plan).unwrap();
        let (before, after) = (distance(&pruned), distance(&tuned));
        assert!(after < 0.6 * before, "the answers were {before} off and are {after}");
        assert_eq!(
            tuned,
            distil(&pruned, &model, &sounds, &plan).unwrap(),
            "the same seed, the same weights"
        );
    }

    #[test]
    fn rounding_is_learned_with() {
        let sounds = sounds(16);
        let model = trained_in_no_time(&sounds);
        let seen = super::super::calibrate::Seen::through(&model, &sounds.windows(16, 100)).unwrap();
        let (input, outputs) = seen.ranges(super::super::calibrate::Calibration::MinMax);
        // So coarse that rounding shows.
        let wide: Vec<_> = outputs.iter().map(|(low, high)| (12.0 * low, 12.0 * high)).collect();
        let int8 = quantize(&model, input, &wide, NARROW);
        let reference = Answers::of(&model, &sounds).unwrap();
        let distance = |model: &Model| Answers::of(model, &sounds).unwrap().distance(&reference);
        let plan = Plan { steps: 25, rate: 1e-3, seed: 2, name: "test", rounding: Some((&int8, true)) };
        let tuned = distil(&model, &model, &sounds, &plan).unwrap();
        let (before, after) = (distance(&int8), distance(&with_ranges_of(&tuned, &int8, true)));
        assert!(after < 0.8 * before, "the answers were {before} off and are {after}");
    }

    #[test]
    fn the_forward_pass_is_the_network_that_will_play() {
        let sounds = sounds(4);
        let model = trained_in_no_time(&sounds);
        let windows = sounds.windows(4, 60);
        let seen = super::super::calibrate::Seen::through(&model, &windows).unwrap();
        let (input, outputs) = seen.ranges(super::super::calibrate::Calibration::MinMax);
        let int8 = quantize(&model, input, &outputs, NARROW);
        for rounding in [None, Some((&int8, true))] {
            let plan = Plan { steps: 0, rate: 0.0, seed: 1, name: "test", rounding };
            let x: Vec<f32> =
                sounds.clips[0].columns.iter().copied().cycle().take(BATCH * WINDOW * 40).collect();
            let played = logits(&mut Network::compile(rounding.map_or(&model, |r| r.0)).unwrap(), &x, 40);
            // Logits that are the network's own leave nothing to learn for single frames, and only the entropy of the
            // answers as loss.
            let (loss, _) = gradients(&parts(&model, &plan), &parameters(&model), x, &played, &plan);
            let answers = softmax_of_means(&played, 5);
            let entropy = -answers.iter().map(|p| p * p.max(1e-12).ln()).sum::<f32>() / BATCH as f32;
            assert!((loss - entropy).abs() < 2e-3, "{loss} instead of {entropy}");
        }
    }
}
