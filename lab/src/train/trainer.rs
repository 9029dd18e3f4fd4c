//! One training run: steps, looks at validation sounds, checkpoints.

use super::batch::{Batch, Sampler};
use super::checkpoint::{Checkpoint, Point};
use super::config::Config;
use super::kernels::Moments;
use super::net::{Chain, Net};
use super::optimizer::Optimizer;
use super::sounds::{Library, Sound};
use super::{ops, validate};
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::{Result, ensure};
use burn::tensor::activation::log_softmax;
use burn::tensor::{Tensor, TensorData};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::path::{Path, PathBuf};

/// Batches from which the moments of the averaged weights are taken.
const MOMENT_BATCHES: usize = 12;

/// What one run learns from and is looked at on.
pub struct Task<'a> {
    /// How to train.
    pub config: &'a Config,
    /// The network's geometry.
    pub chain: Chain,
    /// All sounds.
    pub library: &'a Library,
    /// Sounds of nothing.
    pub nothing: &'a [Sound],
    /// Labelled sounds to learn from.
    pub train: Vec<usize>,
    /// Labelled sounds to look at while training; not learned from.
    pub validation: Vec<usize>,
    /// Whether the best look is kept and a run without a better one for `patience` looks ends. Only honest when
    /// `validation` is not what is reported in the end.
    pub early_stopping: bool,
    /// Where the network so far is written at every look, with uncalibrated probabilities.
    pub so_far: Option<PathBuf>,
    /// Names the run in checkpoints and beside the progress bar.
    pub name: String,
}

/// Trains, going on from `checkpoint` if that file exists, and writing it at every look.
///
/// # Errors
/// When interrupted (the checkpoint is written before), when a file cannot be read or written, or when there is nothing
/// to learn from.
pub fn train(task: &Task, checkpoint: Option<&Path>) -> Result<(Net, Vec<Point>)> {
    train_until(task, checkpoint, task.config.train.steps)
}

/// [`train`], but no further than step `end`, as a run that is stopped there.
pub fn train_until(task: &Task, checkpoint: Option<&Path>, end: usize) -> Result<(Net, Vec<Point>)> {
    let t = &task.config.train;
    let sampler = Sampler::new(task.config, &task.chain, task.library, &task.train, task.nothing);
    ensure!(!sampler.is_empty(), "{}: there is no labelled sound to learn from", task.name);

    let mut net = Net::new(task.chain.clone(), t.seed);
    let run = format!("{} {} {} {:?}", task.name, task.train.len(), task.chain.hints(), task.config);
    let resumed = match checkpoint {
        Some(path) => Checkpoint::read(path, &run)?,
        None => None,
    };
    let mut state = resumed.unwrap_or_else(|| Checkpoint {
        step: 0,
        parameters: net.parameters.clone(),
        optimizer: Optimizer::new(&net.parameters),
        curve: Vec::new(),
        running: (0.0, 0),
        best: None,
    });
    net.parameters = std::mem::take(&mut state.parameters);

    let bar = progress_bar(t.steps as u64, "training").with_prefix(task.name.clone());
    bar.set_position(state.step as u64);
    let mut since_best = 0;
    while state.step < t.steps.min(end) {
        let (loss, mut gradients) = gradients(&net, &sampler.batch(state.step), task.config);
        state.optimizer.step(t, state.step, &mut net.parameters, &mut gradients);
        state.step += 1;
        state.running = (state.running.0 + loss, state.running.1 + 1);
        bar.inc(1);
        let look = state.step % t.validate_every == 0 || state.step == t.steps;
        if look {
            let average = averaged(&net, &state.optimizer.average, &sampler, task.config);
            if let Some(path) = &task.so_far {
                super::run::write_model(&average.export(1.0), path)?;
            }
            let point = look_at(task, &average, state.step, state.running);
            bar.set_message(message(&point));
            if bar.is_hidden() {
                eprintln!("{}, step {}: {}", task.name, state.step, message(&point));
            }
            state.running = (0.0, 0);
            let score = point.cross_entropy_3s.map(|loss| -loss);
            state.curve.push(point);
            if let Some(score) = score.filter(|_| task.early_stopping) {
                if state.best.as_ref().is_none_or(|best| score > best.0) {
                    state.best = Some((score, state.optimizer.average.clone()));
                    since_best = 0;
                } else {
                    since_best += 1;
                }
            }
        }
        if let Some(path) = checkpoint.filter(|_| look || interrupt::requested()) {
            state.parameters = net.parameters.clone();
            state.write(path, &run)?;
        }
        interrupt::check()?;
        if t.patience > 0 && since_best >= t.patience {
            break;
        }
    }
    bar.abandon();
    let weights = state.best.map_or(state.optimizer.average, |best| best.1);
    Ok((averaged(&net, &weights, &sampler, task.config), state.curve))
}

fn message(point: &Point) -> String {
    let percent = |x: Option<f32>| x.map_or_else(|| "-".to_owned(), |x| format!("{:.1} %", 100.0 * x));
    format!(
        "loss {:.3}, clip {}, 3 s {}",
        point.loss,
        percent(point.balanced_accuracy_clip),
        percent(point.balanced_accuracy_3s)
    )
}

fn look_at(task: &Task, net: &Net, step: usize, running: (f32, usize)) -> Point {
    let heard = validate::listen(net, task.validation.iter().map(|&i| &task.library.labelled[i]));
    let scores = (!heard.is_empty()).then(|| validate::score(&heard, task.chain.classes()));
    Point {
        step,
        loss: running.0 / running.1.max(1) as f32,
        balanced_accuracy_clip: scores.map(|s| s.balanced_accuracy_clip as f32),
        balanced_accuracy_3s: scores.map(|s| s.balanced_accuracy_3s as f32),
        cross_entropy_3s: scores.map(|s| s.cross_entropy_3s as f32),
    }
}

/// Loss of a batch and its gradient for each parameter.
fn gradients(net: &Net, batch: &Batch, config: &Config) -> (f32, Vec<Vec<f32>>) {
    let t = &config.train;
    let tensors = net.tensors();
    let (items, segments, classes) = (t.batch, t.segments, net.chain.classes());
    let keep = dropout(net, batch, t.dropout, items);
    let (outputs, _) = net.train(&tensors, batch.x.clone(), items, t.frames, keep);
    let tensor = |values: &[f32], shape| {
        Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), &ops::device())
    };
    // Each item's share of the loss.
    let shares = |weights: &[f32]| {
        let total = weights.iter().sum::<f32>().max(1e-6) * segments as f32;
        tensor(&weights.iter().map(|w| w / total).collect::<Vec<_>>(), [items, 1, 1])
    };
    let outputs = tensor(&batch.averages, [items, segments, t.frames]).matmul(outputs);
    let logits = outputs.clone().narrow(2, 0, classes);
    let targets = tensor(&batch.targets, [items, segments, classes]);
    let mut loss = (log_softmax(logits, 2) * targets * shares(&batch.weights)).sum().neg();
    let hints = net.chain.hints();
    if hints > 0 {
        let wrong = outputs.narrow(2, classes, hints) - tensor(&batch.hints, [items, segments, hints]);
        let weight = config.mix.hints / hints as f32;
        loss = loss + (wrong.clone() * wrong * shares(&batch.hint_weights)).sum() * weight;
    }
    let grads = loss.backward();
    let loss = loss.into_scalar::<f32>();
    let gradients = tensors
        .iter()
        .zip(&net.parameters)
        .map(|(tensor, parameter)| match tensor.grad(&grads) {
            Some(grad) => {
                grad.into_data().try_to_vec::<f32>().unwrap_or_else(|_| vec![0.0; parameter.values.len()])
            }
            None => vec![0.0; parameter.values.len()],
        })
        .collect();
    (loss, gradients)
}

/// Scales for the channels before the last layer: 0 for those that are dropped, the others make up for them.
fn dropout(net: &Net, batch: &Batch, probability: f32, items: usize) -> Option<Vec<f32>> {
    if probability <= 0.0 {
        return None;
    }
    let channels = net.moments.last().map_or(0, |m| m.mean.len());
    let mut random = ChaCha8Rng::seed_from_u64(batch.dropout_seed);
    let keep = 1.0 / (1.0 - probability);
    Some(
        (0..items * channels)
            .map(|_| if random.random::<f32>() < probability { 0.0 } else { keep })
            .collect(),
    )
}

/// The network with these weights, normalised by moments measured with them.
fn averaged(net: &Net, weights: &[Vec<f32>], sampler: &Sampler, config: &Config) -> Net {
    let mut net = net.clone();
    net.parameters.iter_mut().zip(weights).for_each(|(p, w)| p.values.clone_from(w));
    let tensors = net.tensors();
    let mut sums: Vec<Moments> = Vec::new();
    for index in 0..MOMENT_BATCHES {
        // Batches that no step uses.
        let batch = sampler.batch(usize::MAX / 2 + index);
        let (_, moments) = net.train(&tensors, batch.x, config.train.batch, config.train.frames, None);
        if sums.is_empty() {
            sums = moments;
        } else {
            for (sum, new) in sums.iter_mut().zip(&moments) {
                sum.mean.iter_mut().zip(&new.mean).for_each(|(s, m)| *s += m);
                sum.variance.iter_mut().zip(&new.variance).for_each(|(s, v)| *s += v);
            }
        }
    }
    let count = MOMENT_BATCHES as f32;
    for sum in &mut sums {
        sum.mean.iter_mut().chain(&mut sum.variance).for_each(|x| *x /= count);
    }
    net.moments = sums;
    net
}
