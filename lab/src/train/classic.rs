//! Trains the linear model of the backend Classic: multinomial logistic regression on statistics of MFCCs.
//!
//! The statistics are computed here in the plainest way, and a test holds the engine's against them. smartcore fits the
//! weights; it knows no weights of samples, so windows are drawn as often as they should count.

use super::validate::softmax;
use crate::dataset::Dataset;
use crate::eval::{Prediction, Report, evaluate};
use crate::features::{ClipFeatures, FeatureCache, of_files};
use anyhow::{Context, Result, anyhow, ensure};
use idiom_engine::model::classic::ClassicModel;
use idiom_engine::model::{InputKind, ModelMeta};
use idiom_engine::rt::classic::{STATISTICS, STEPS, WINDOW_FRAMES};
use idiom_engine::rt::features::MFCCS;
use idiom_engine::rt::features::level::SILENCE_DBFS;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use smartcore::linalg::basic::arrays::Array;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

/// Windows drawn for each class.
const WINDOWS: usize = 1_500;
/// Frames between two windows of a clip.
const HOP_FRAMES: usize = 50;
/// Strength of the L2 penalty for each window drawn. Between 0.03 and 3 it was the best on artists left out.
const PENALTY: f64 = 0.3;
/// 1 counts pieces when windows of a class are drawn, 0 counts files.
const BY_PIECE: f32 = 0.7;
/// Everything random follows from this number.
const SEED: u64 = 2026;
/// Rounds of the cross-validation that finds the temperature.
const ROUNDS: usize = 4;

/// A clip as its windows.
struct Windows {
    label: usize,
    weight: f32,
    statistics: Vec<[f64; STATISTICS]>,
}

/// What was trained, and how right the recipe is on artists that it has not learned from.
pub struct Outcome {
    /// The model, trained on everything.
    pub model: ClassicModel,
    /// Grouped cross-validation on the data sets given as `data`, in four rounds, with the temperature of the model.
    pub report: Report,
    /// What the scores were divided by.
    pub temperature: f32,
}

/// Trains on the labelled clips of `data` and `extra`; only `data` is tested on.
///
/// # Errors
/// When a file cannot be read, or there are too few artists for a cross-validation.
pub fn train(data: &Dataset, extra: &[Dataset], cache: Option<&FeatureCache>) -> Result<Outcome> {
    let tested = windows(data, cache)?;
    let further =
        extra.iter().map(|set| windows(set, cache)).collect::<Result<Vec<_>>>()?.into_iter().flatten();
    let further: Vec<Option<Windows>> = further.collect();
    let classes = data.classes.len();
    let mut heard: Vec<(usize, Vec<Vec<f32>>)> = Vec::new();
    for fold in data.folds(ROUNDS, 1)? {
        let learned = fold.train.iter().filter_map(|&i| tested[i].as_ref()).chain(further.iter().flatten());
        let model = fit(&learned.collect::<Vec<_>>(), &data.classes)?;
        for clip in fold.test.iter().filter_map(|&i| tested[i].as_ref()) {
            heard.push((clip.label, clip.statistics.iter().map(|x| scores(&model, x)).collect()));
        }
    }
    let temperature = temperature(&heard, classes);
    let predictions: Vec<Prediction> =
        heard.iter().map(|(label, scores)| predict(*label, scores, temperature)).collect();
    let all: Vec<&Windows> = tested.iter().flatten().chain(further.iter().flatten()).collect();
    let mut model = fit(&all, &data.classes)?;
    model.weights.iter_mut().chain(&mut model.bias).for_each(|x| *x /= temperature);
    Ok(Outcome { model, report: evaluate(&data.classes, &predictions), temperature })
}

/// The windows of each clip, in the set's order; `None` for clips without label or sound.
fn windows(set: &Dataset, cache: Option<&FeatureCache>) -> Result<Vec<Option<Windows>>> {
    let paths: Vec<_> = set.clips.iter().map(|clip| clip.path.as_path()).collect();
    let features = of_files(&paths, cache)?;
    let one = |(clip, features): (&crate::dataset::Clip, &ClipFeatures)| {
        let statistics = statistics(features);
        let label = clip.label.filter(|_| !statistics.is_empty())?;
        Some(Windows { label, weight: clip.weight * clip.share.powf(BY_PIECE), statistics })
    };
    Ok(set.clips.iter().zip(&features).map(one).collect())
}

/// Statistics of every window of 3 s of a clip; of all of it when it is shorter. Silent frames are left out before.
pub fn statistics(features: &ClipFeatures) -> Vec<[f64; STATISTICS]> {
    let frames: Vec<&[f32]> = features
        .mfcc
        .chunks_exact(MFCCS)
        .zip(&features.level_dbfs)
        .filter(|(_, level)| **level >= SILENCE_DBFS)
        .map(|(frame, _)| frame)
        .collect();
    let length = frames.len().min(WINDOW_FRAMES);
    if length <= STEPS[1] {
        return Vec::new();
    }
    (0..=frames.len() - length)
        .step_by(HOP_FRAMES)
        .map(|start| of_window(&frames[start..start + length]))
        .collect()
}

/// Mean, standard deviation and RMS of steps of each coefficient.
fn of_window(frames: &[&[f32]]) -> [f64; STATISTICS] {
    let mut out = [0.0; STATISTICS];
    for k in 0..MFCCS {
        let x: Vec<f64> = frames.iter().map(|frame| f64::from(frame[k])).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let rms = |squares: Vec<f64>| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
        out[k] = mean;
        out[MFCCS + k] = rms(x.iter().map(|x| (x - mean).powi(2)).collect());
        for (kind, step) in STEPS.into_iter().enumerate() {
            let steps = x.windows(step + 1).map(|pair| (pair[step] - pair[0]).powi(2));
            out[(2 + kind) * MFCCS + k] = rms(steps.collect());
        }
    }
    out
}

/// Fits the weights to windows drawn so that classes count equally, and pieces and trusted labels within a class.
fn fit(clips: &[&Windows], classes: &[String]) -> Result<ClassicModel> {
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for class in 0..classes.len() {
        let of_class: Vec<&&Windows> =
            clips.iter().filter(|clip| clip.label == class && clip.weight > 0.0).collect();
        let total: f32 = of_class.iter().map(|clip| clip.weight).sum();
        ensure!(!of_class.is_empty(), "there is no clip of class `{}` to learn from", classes[class]);
        for _ in 0..WINDOWS {
            let mut at = random.random::<f32>() * total;
            let drawn = of_class.iter().find(|clip| {
                at -= clip.weight;
                at < 0.0
            });
            let clip = drawn.unwrap_or(&of_class[0]);
            x.push(clip.statistics[random.random_range(0..clip.statistics.len())].to_vec());
            y.push(class as u32);
        }
    }
    let scale: Vec<(f64, f64)> = (0..STATISTICS).map(|i| moments(x.iter().map(|row| row[i]))).collect();
    for row in &mut x {
        row.iter_mut().zip(&scale).for_each(|(x, (mean, spread))| *x = (*x - mean) / spread);
    }
    let failed = |error: smartcore::error::Failed| anyhow!("the regression failed: {error}");
    let parameters = LogisticRegressionParameters::default().with_alpha(PENALTY * x.len() as f64);
    let fitted = LogisticRegression::fit(&DenseMatrix::from_2d_vec(&x).map_err(failed)?, &y, parameters)
        .map_err(failed)?;
    let (coefficients, intercept) = (fitted.coefficients(), fitted.intercept());
    let mut model = ClassicModel {
        meta: ModelMeta {
            name: "classic".into(),
            version: "2026.11".into(),
            features: InputKind::Mfcc13,
            classes: classes.to_vec(),
            pool_frames: WINDOW_FRAMES,
        },
        weights: vec![0.0; STATISTICS * classes.len()],
        bias: vec![0.0; classes.len()],
    };
    // Of two classes smartcore gives one row, the second one's against the first.
    let rows: Vec<usize> = if classes.len() == 2 {
        vec![fitted.classes()[1] as usize]
    } else {
        fitted.classes().iter().map(|class| *class as usize).collect()
    };
    for (row, class) in rows.into_iter().enumerate() {
        let mut bias = *intercept.get((row, 0));
        for (i, (mean, spread)) in scale.iter().enumerate() {
            let weight = coefficients.get((row, i)) / spread;
            bias -= weight * mean;
            model.weights[i * classes.len() + class] = weight as f32;
        }
        model.bias[class] = bias as f32;
    }
    Ok(model)
}

/// Mean and spread.
fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    let variance = values.map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt().max(1e-3))
}

/// Score of each class, in double precision.
fn scores(model: &ClassicModel, statistics: &[f64; STATISTICS]) -> Vec<f32> {
    let classes = model.bias.len();
    (0..classes)
        .map(|class| {
            let weights = model.weights.iter().skip(class).step_by(classes);
            let sum: f64 = statistics.iter().zip(weights).map(|(x, weight)| x * f64::from(*weight)).sum();
            (sum + f64::from(model.bias[class])) as f32
        })
        .collect()
}

/// Every third window is 3 s after the one before: these are the excerpts.
fn predict(label: usize, scores: &[Vec<f32>], temperature: f32) -> Prediction {
    let said: Vec<Vec<f32>> = scores
        .iter()
        .map(|scores| softmax(&scores.iter().map(|x| x / temperature).collect::<Vec<_>>()))
        .collect();
    let mean = |class: usize| said.iter().map(|p| p[class]).sum::<f32>() / said.len() as f32;
    let clip = (0..said[0].len()).map(mean).collect();
    Prediction { label, clip, excerpts: said.into_iter().step_by(WINDOW_FRAMES / HOP_FRAMES).collect() }
}

/// The temperature with the least class-balanced cross-entropy of windows, on a grid of 3 %.
fn temperature(heard: &[(usize, Vec<Vec<f32>>)], classes: usize) -> f32 {
    let loss = |temperature: f32| {
        let mut sums = vec![(0.0, 0.0); classes];
        for (label, scores) in heard {
            for p in predict(*label, scores, temperature).excerpts {
                sums[*label].0 -= f64::from(p[*label].max(1e-7).ln());
                sums[*label].1 += 1.0;
            }
        }
        sums.iter().filter(|sum| sum.1 > 0.0).map(|sum| sum.0 / sum.1).sum::<f64>()
    };
    let grid = (0..94).map(|step| 0.25 * 1.03f32.powi(step));
    grid.min_by(|a, b| loss(*a).total_cmp(&loss(*b))).unwrap_or(1.0)
}

/// Opens the data sets, trains, and gives the model file's bytes besides.
///
/// # Errors
/// As [`train`].
pub fn run(data: &[std::path::PathBuf], extra: &[std::path::PathBuf]) -> Result<Outcome> {
    let [first] = data else {
        return Err(anyhow!("--classic tests on one data set; give the others as --extra"));
    };
    let tested = Dataset::open(first)?;
    let further =
        extra.iter().map(|path| Dataset::open_as(path, &tested.classes)).collect::<Result<Vec<_>>>()?;
    train(&tested, &further, FeatureCache::user().as_ref()).context("the linear model")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth;
    use idiom_engine::Genre;
    use idiom_engine::rt::classic::Classic;
    use idiom_engine::rt::features::FrontEnd;
    use std::sync::Arc;

    #[test]
    fn the_engine_gives_what_the_lab_gives() {
        let model = ClassicModel::read(idiom_engine::model::shipped::classic()).unwrap();
        for genre in Genre::ALL {
            let sound = synth::render(genre, 4, 9.0, 48_000).mono();
            let lab = statistics(&ClipFeatures::of_sound(&sound, 48_000));
            let mut classic = Classic::new(Arc::new(model.clone()));
            let mut front = FrontEnd::new(48_000.0);
            let (mut audible, mut compared) = (0, 0);
            for frame in sound.chunks_exact(front.hop()) {
                let features = front.push(frame);
                let answer = classic.push(features).to_vec();
                audible += usize::from(features.level_dbfs >= SILENCE_DBFS);
                if audible < WINDOW_FRAMES
                    || (audible - WINDOW_FRAMES) % HOP_FRAMES != 0
                    || features.level_dbfs < SILENCE_DBFS
                {
                    continue;
                }
                let wanted = &lab[(audible - WINDOW_FRAMES) / HOP_FRAMES];
                for (a, b) in classic.statistics().iter().zip(wanted) {
                    assert!((f64::from(*a) - b).abs() < 1e-5 * b.abs().max(1.0), "{genre:?}: {a} is not {b}");
                }
                for (a, b) in answer.iter().zip(softmax(&scores(&model, wanted))) {
                    assert!((a - b).abs() < 1e-5, "{genre:?}: {a} is not {b}");
                }
                compared += 1;
            }
            assert!(compared > 1, "{genre:?}: {compared} windows");
        }
    }

    #[test]
    fn what_can_be_told_apart_is_learned_for_any_number_of_classes() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        for classes in [2, 3] {
            let names: Vec<String> = (0..classes).map(|class| format!("class {class}")).collect();
            let clips: Vec<Windows> = (0..30)
                .map(|i| {
                    let noise = |i: usize, k: usize| f64::from(u8::from(k == i % classes)) * 2.0;
                    let window =
                        std::array::from_fn(|k| noise(i, k) + 0.3 * f64::from(random.random::<f32>()));
                    Windows { label: i % classes, weight: 1.0, statistics: vec![window] }
                })
                .collect();
            let model = fit(&clips.iter().collect::<Vec<_>>(), &names).unwrap();
            for clip in &clips {
                let p = softmax(&scores(&model, &clip.statistics[0]));
                assert!(p[clip.label] > 0.5, "{p:?} of class {}", clip.label);
            }
        }
    }
}
