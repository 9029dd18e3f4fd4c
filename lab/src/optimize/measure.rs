//! How a model answers and what it costs: accuracy, agreement with another model, noise of each layer, time.

use super::peers::{Case, PeerTime, Peers};
use super::sounds::{Sounds, WINDOW};
use crate::eval::{LISTENING_FRAMES, Prediction, Report, evaluate};
use crate::interrupt;
use anyhow::Result;
use idiom_engine::model::Model;
use idiom_engine::rt::net::Network;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::Instant;

/// What a model said about sounds: for each clip the mean probabilities, as `idiom eval` takes them, then the last ones of
/// each 3 s heard alone.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// One list a clip: the whole, then its excerpts.
    clips: Vec<Vec<Vec<f32>>>,
}

impl Answers {
    /// Asks a model about all sounds, on all cores.
    ///
    /// # Errors
    /// When the executor cannot run the model, or the user interrupts.
    pub fn of(model: &Model, sounds: &Sounds) -> Result<Answers> {
        let network = Network::compile(model)?;
        let ask = |clip: &super::sounds::Clip| {
            interrupt::check()?;
            let mut network = network.clone();
            let mut answers = vec![mean(&mut network, &clip.columns, sounds.rows)];
            answers.extend(clip.excerpts.iter().map(|columns| last(&mut network, columns, sounds.rows)));
            Ok(answers)
        };
        Ok(Answers { clips: sounds.clips.par_iter().map(ask).collect::<Result<_>>()? })
    }

    /// How right the answers are; `None` when no sound has a label.
    pub fn report(&self, sounds: &Sounds) -> Option<Report> {
        let judged = |(clip, answers): (&super::sounds::Clip, &Vec<Vec<f32>>)| {
            let (whole, excerpts) = answers.split_first()?;
            Some(Prediction { label: clip.label?, clip: whole.clone(), excerpts: excerpts.to_vec() })
        };
        let predictions: Vec<_> = sounds.clips.iter().zip(&self.clips).filter_map(judged).collect();
        (!predictions.is_empty()).then(|| evaluate(&sounds.classes, &predictions))
    }

    /// Share of clips and excerpts, all together, for which both name the same class.
    pub fn agreement(&self, other: &Answers) -> f64 {
        let pairs = || self.clips.iter().flatten().zip(other.clips.iter().flatten());
        pairs().filter(|(a, b)| named(a) == named(b)).count() as f64 / pairs().count().max(1) as f64
    }

    /// Mean distance of the probabilities from another's: half the sum of absolute differences, 0 to 1.
    pub fn distance(&self, other: &Answers) -> f64 {
        let pairs = || self.clips.iter().flatten().zip(other.clips.iter().flatten());
        let apart = |(a, b): (&Vec<f32>, &Vec<f32>)| {
            a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).sum::<f64>() / 2.0
        };
        pairs().map(apart).sum::<f64>() / pairs().count().max(1) as f64
    }
}

/// Balanced accuracy in points, over excerpts of 3 s where there are any (they are many, so it is finer), else over clips.
pub fn points(report: &Report) -> f64 {
    100.0 * report.balanced_accuracy_3s.unwrap_or(report.balanced_accuracy_clip)
}

/// The likeliest class; the first wins a tie.
pub fn named(probabilities: &[f32]) -> usize {
    let better = |best: usize, i: usize| if probabilities[i] > probabilities[best] { i } else { best };
    (0..probabilities.len()).fold(0, better)
}

fn mean(network: &mut Network, columns: &[f32], rows: usize) -> Vec<f32> {
    network.reset();
    let frames = columns.len() / rows;
    let mut sum = vec![0.0; network.probabilities().len()];
    let from = LISTENING_FRAMES.min(frames.saturating_sub(1));
    for (frame, column) in columns.chunks_exact(rows).enumerate() {
        let probabilities = network.push(column);
        if frame >= from {
            sum.iter_mut().zip(probabilities).for_each(|(sum, p)| *sum += p);
        }
    }
    sum.iter_mut().for_each(|p| *p /= (frames - from).max(1) as f32);
    sum
}

fn last(network: &mut Network, columns: &[f32], rows: usize) -> Vec<f32> {
    network.reset();
    columns.chunks_exact(rows).for_each(|column| {
        network.push(column);
    });
    network.probabilities().to_vec()
}

/// Signal-to-quantization-noise ratio of each layer's output in dB, against a reference of the same shape. `None` when
/// the shapes differ, as after pruning.
///
/// # Errors
/// When the executor cannot run one of the models.
pub fn layer_noise(reference: &Model, model: &Model, windows: &[&[f32]]) -> Result<Option<Vec<f32>>> {
    let alike = |(a, b): (&idiom_engine::model::Layer, &idiom_engine::model::Layer)| a.outputs == b.outputs;
    if reference.layers.len() != model.layers.len() || !reference.layers.iter().zip(&model.layers).all(alike)
    {
        return Ok(None);
    }
    let (mut exact, mut rounded) = (Network::compile(reference)?, Network::compile(model)?);
    let rows = model.meta.features.rows();
    let mut sums = vec![(0.0f64, 0.0f64); model.layers.len()];
    let mut outputs: Vec<Vec<f32>> = vec![Vec::new(); model.layers.len()];
    for window in windows {
        exact.reset();
        rounded.reset();
        for column in window.chunks_exact(rows) {
            exact.push(column);
            rounded.push(column);
            exact.inspect(|layer, numbers| {
                outputs[layer].clear();
                outputs[layer].extend_from_slice(numbers);
            });
            rounded.inspect(|layer, numbers| {
                for (a, b) in outputs[layer].iter().zip(numbers) {
                    sums[layer].0 += f64::from(a * a);
                    sums[layer].1 += f64::from((a - b) * (a - b));
                }
            });
        }
    }
    let decibels = |(signal, noise): (f64, f64)| (10.0 * (signal / noise.max(1e-30)).log10()) as f32;
    Ok(Some(sums.into_iter().map(decibels).collect()))
}

/// Times in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half of the runs took no longer.
    pub p50: f64,
    /// 99 of 100 runs took no longer.
    pub p99: f64,
}

impl Latency {
    fn of(mut times: Vec<f64>) -> Latency {
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times.get(((times.len() - 1) as f64 * share).round() as usize).copied();
        if times.is_empty() {
            return Latency::default();
        }
        Latency { p50: at(0.5).unwrap_or_default(), p99: at(0.99).unwrap_or_default() }
    }
}

/// What one model costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// One frame, played on and on.
    pub streaming: Latency,
    /// A window of 150 frames from a reset on.
    pub windowed: Latency,
}

/// Rounds of measuring; in each, every model is measured once, so that a machine's moods hit all alike.
const ROUNDS: usize = 60;

/// Measures models side by side in the executor, one thread, and in the same rounds whatever `peers` can be asked for; their
/// times come in the order of their cases.
///
/// # Errors
/// When the executor cannot run one of the models, the peers have ended, or the user interrupts.
pub fn costs(models: &[&Model], mut peers: Option<&mut Peers>) -> Result<(Vec<Cost>, Vec<PeerTime>)> {
    struct Run {
        network: Network,
        columns: Vec<Vec<f32>>,
        frames: Vec<f64>,
        windows: Vec<f64>,
    }
    let run = |model: &&Model| -> Result<Run> {
        let network = Network::compile(model)?;
        let rows = network.input().rows();
        let column = |frame: usize| (0..rows).map(|row| ((7 * row + frame) as f32).sin()).collect();
        Ok(Run {
            network,
            columns: (0..WINDOW).map(column).collect(),
            frames: Vec::new(),
            windows: Vec::new(),
        })
    };
    let mut runs = models.iter().map(run).collect::<Result<Vec<_>>>()?;
    let mut asked: Vec<Vec<f64>> = vec![Vec::new(); peers.as_ref().map_or(0, |peers| peers.cases().len())];
    for round in 0..=ROUNDS {
        interrupt::check()?;
        if let Some(peers) = &mut peers {
            for (case, times) in asked.iter_mut().enumerate() {
                times.push(peers.ask(case)?);
            }
        }
        for run in &mut runs {
            // The first round only warms up.
            let warm = round > 0;
            let begun = Instant::now();
            run.network.reset();
            for column in &run.columns {
                black_box(run.network.push(black_box(column)));
            }
            let window = begun.elapsed().as_secs_f64() * 1e6;
            if warm {
                run.windows.push(window);
            }
            for column in &run.columns {
                let begun = Instant::now();
                black_box(run.network.push(black_box(column)));
                let frame = begun.elapsed().as_secs_f64() * 1e6;
                if warm {
                    run.frames.push(frame);
                }
            }
        }
    }
    let cost = |run: Run| Cost { streaming: Latency::of(run.frames), windowed: Latency::of(run.windows) };
    let cases = peers.iter().flat_map(|peers| peers.cases());
    let time = |(case, times): (&Case, Vec<f64>)| PeerTime {
        engine: case.engine.clone(),
        window: Latency::of(times).p50,
    };
    let peers = cases.zip(asked).map(time).collect();
    Ok((runs.into_iter().map(cost).collect(), peers))
}

/// How many frames one core gets through when it hears several streams side by side, see [`Network::push_side_by_side`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Throughput {
    /// Streams heard side by side. They share the weights; each has its own past.
    pub streams: usize,
    /// Frames a second, of all streams together.
    pub frames_per_second: f64,
}

/// Throughput for 1, 2, 4, … streams up to `most`.
///
/// # Errors
/// When the executor cannot run the model, or the user interrupts.
pub fn throughput(model: &Model, most: usize) -> Result<Vec<Throughput>> {
    let network = Network::compile(model)?;
    let column: Vec<f32> = (0..network.input().rows()).map(|row| (row as f32).sin()).collect();
    let mut found = Vec::new();
    let mut streams = 1;
    while streams <= most {
        interrupt::check()?;
        let mut networks = vec![network.clone(); streams];
        let columns = vec![column.as_slice(); streams];
        let rounds = (2000 / streams).max(4);
        let mut times = Vec::new();
        for _ in 0..rounds {
            let begun = Instant::now();
            Network::push_side_by_side(black_box(&mut networks), black_box(&columns));
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        let frames_per_second = streams as f64 * 1e6 / Latency::of(times).p50.max(1e-9);
        found.push(Throughput { streams, frames_per_second });
        streams *= 2;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::tests::{sounds, trained_in_no_time};
    use idiom_engine::model::random;

    #[test]
    fn a_model_agrees_with_itself_and_another_one_does_not() {
        let sounds = sounds(12);
        let model = trained_in_no_time(&sounds);
        let answers = Answers::of(&model, &sounds).unwrap();
        assert_eq!((answers.agreement(&answers), answers.distance(&answers)), (1.0, 0.0));
        let other = Answers::of(&random::flagship(99), &sounds).unwrap();
        assert!(answers.agreement(&other) < 0.9 && answers.distance(&other) > 0.05);
        let report = answers.report(&sounds).unwrap();
        assert!(points(&report) > 90.0, "{}", points(&report));
        assert_eq!(report.clips, 12);
    }

    #[test]
    fn noise_is_that_of_the_rounding() {
        let sounds = sounds(4);
        let model = random::flagship(4);
        let windows = sounds.windows(4, 40);
        let same = layer_noise(&model, &model, &windows).unwrap().unwrap();
        assert!(same.iter().all(|db| *db > 200.0));
        let int8 = random::quantized(&model);
        let noise = layer_noise(&model, &int8, &windows).unwrap().unwrap();
        assert_eq!(noise.len(), model.layers.len());
        assert!(noise[0] > 15.0 && noise[0] < 60.0, "{noise:?}");
        let mut narrower = model.clone();
        narrower.layers.pop();
        assert!(layer_noise(&narrower, &model, &windows).unwrap().is_none());
    }

    #[test]
    fn throughput_is_measured_for_powers_of_two() {
        let found = throughput(&random::flagship(2), 5).unwrap();
        assert_eq!(found.iter().map(|t| t.streams).collect::<Vec<_>>(), [1, 2, 4]);
        assert!(found.iter().all(|t| t.frames_per_second > 1.0));
    }

    #[test]
    fn quantiles_are_times_that_were_seen() {
        let latency = Latency::of((1..=200).map(f64::from).collect());
        assert_eq!((latency.p50, latency.p99), (101.0, 198.0));
    }
}
