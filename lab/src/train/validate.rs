//! How right a network is on sounds it has not learned from, measured inside training; `idiom eval` is the judge of
//! exported files.

use super::net::Net;
use super::sounds::{FRAMES_PER_SECOND, Sound};
use serde::{Deserialize, Serialize};

/// What the network said about one sound.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The sound's class.
    pub label: usize,
    /// Logits a frame, `[frame][class]`.
    pub logits: Vec<f32>,
}

/// Accuracy and fit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Mean over the classes of the share of clips that are recognised.
    pub balanced_accuracy_clip: f64,
    /// The same of stretches of 3 s.
    pub balanced_accuracy_3s: f64,
    /// Mean over the classes of the cross-entropy of stretches of 3 s, in nats.
    pub cross_entropy_3s: f64,
}

/// Plays labelled sounds to a network.
pub fn listen<'a>(net: &Net, sounds: impl Iterator<Item = &'a Sound>) -> Vec<Heard> {
    sounds
        .filter_map(|sound| {
            let (label, _) = sound.label?;
            Some(Heard { label, logits: net.infer(&sound.columns) })
        })
        .collect()
}

/// Mean logits of consecutive stretches of 3 s; a shorter rest is left out unless it is all there is.
fn stretches(heard: &Heard, classes: usize) -> Vec<Vec<f32>> {
    let length = 3 * FRAMES_PER_SECOND * classes;
    let mean = |logits: &[f32]| {
        let frames = (logits.len() / classes).max(1) as f32;
        let mut mean = vec![0.0; classes];
        for frame in logits.chunks_exact(classes) {
            mean.iter_mut().zip(frame).for_each(|(m, x)| *m += x / frames);
        }
        mean
    };
    if heard.logits.len() < length {
        return vec![mean(&heard.logits)];
    }
    heard.logits.chunks_exact(length).map(mean).collect()
}

/// Softmax.
pub fn softmax(logits: &[f32]) -> Vec<f32> {
    let highest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut p: Vec<f32> = logits.iter().map(|x| (x - highest).exp()).collect();
    let sum: f32 = p.iter().sum();
    p.iter_mut().for_each(|p| *p /= sum);
    p
}

fn strongest(p: &[f32]) -> usize {
    (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap_or(0)
}

/// Scores what was heard.
pub fn score(heard: &[Heard], classes: usize) -> Scores {
    let mut clips = vec![(0.0, 0.0); classes];
    let mut parts = vec![(0.0, 0.0); classes];
    for one in heard {
        let stretches = stretches(one, classes);
        let mut sum = vec![0.0; classes];
        for stretch in &stretches {
            sum.iter_mut().zip(softmax(stretch)).for_each(|(s, p)| *s += p);
            let part = &mut parts[one.label];
            part.0 += 1.0;
            part.1 += f64::from(u8::from(strongest(stretch) == one.label));
        }
        let clip = &mut clips[one.label];
        clip.0 += 1.0;
        clip.1 += f64::from(u8::from(strongest(&sum) == one.label));
    }
    Scores {
        balanced_accuracy_clip: balanced(&clips),
        balanced_accuracy_3s: balanced(&parts),
        cross_entropy_3s: cross_entropy(heard, classes),
    }
}

/// Mean of right over all, over the classes that occur.
fn balanced(counts: &[(f64, f64)]) -> f64 {
    let shares: Vec<f64> = counts.iter().filter(|c| c.0 > 0.0).map(|c| c.1 / c.0).collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// Class-balanced cross-entropy of 3 s stretches.
fn cross_entropy(heard: &[Heard], classes: usize) -> f64 {
    let mut sums = vec![(0.0, 0.0); classes];
    for one in heard {
        for stretch in stretches(one, classes) {
            let p = softmax(&stretch)[one.label].max(1e-7);
            sums[one.label].0 += 1.0;
            sums[one.label].1 -= f64::from(p.ln());
        }
    }
    balanced(&sums)
}

/// What is done to the logits so that probabilities are as large as they should be: they are divided by a temperature
/// (Guo et al., "On Calibration of Modern Neural Networks", 2017), and an offset is added to each class, which takes
/// out that some classes are more frequent in what was learned from than others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What logits are divided by.
    pub temperature: f32,
    /// What is then added to each class's logit.
    pub offsets: Vec<f32>,
}

impl Calibration {
    /// Leaves logits as they are.
    pub fn none(classes: usize) -> Calibration {
        Calibration { temperature: 1.0, offsets: vec![0.0; classes] }
    }

    /// The calibration that fits held-out sounds best: gradient descent on the class-balanced cross-entropy of 3 s
    /// stretches, which is convex in the inverse temperature and the offsets. Offsets are held back a little, because
    /// held-out artists are few.
    pub fn fit(heard: &[Heard], classes: usize) -> Calibration {
        const STEPS: usize = 600;
        const RATE: f32 = 0.5;
        const HOLD: f32 = 0.02;
        let samples: Vec<(usize, Vec<f32>)> = heard
            .iter()
            .flat_map(|one| stretches(one, classes).into_iter().map(|stretch| (one.label, stretch)))
            .collect();
        let mut counts = vec![0.0f32; classes];
        samples.iter().for_each(|sample| counts[sample.0] += 1.0);
        let present = counts.iter().filter(|&&count| count > 0.0).count().max(1) as f32;
        let (mut sharpness, mut offsets) = (1.0f32, vec![0.0f32; classes]);
        for _ in 0..STEPS {
            let (mut slope, mut slopes) = (0.0, vec![0.0f32; classes]);
            for (label, logits) in &samples {
                let scaled: Vec<f32> = logits.iter().zip(&offsets).map(|(z, b)| sharpness * z + b).collect();
                for (class, p) in softmax(&scaled).into_iter().enumerate() {
                    let wrong = (p - f32::from(u8::from(class == *label))) / (counts[*label] * present);
                    slopes[class] += wrong;
                    slope += wrong * logits[class];
                }
            }
            // Logits are a few units in size, so the sharpness takes smaller steps.
            sharpness = (sharpness - 0.1 * RATE * slope).clamp(0.25, 4.0);
            offsets.iter_mut().zip(&slopes).for_each(|(b, slope)| *b -= RATE * (slope + HOLD * *b));
        }
        Calibration { temperature: 1.0 / sharpness, offsets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(label: usize, logits: [f32; 2]) -> Heard {
        Heard { label, logits: logits.repeat(300) }
    }

    #[test]
    fn accuracy_counts_classes_equally() {
        let said = [
            heard(0, [1.0, 0.0]),
            heard(0, [1.0, 0.0]),
            heard(0, [0.0, 1.0]),
            heard(0, [1.0, 0.0]),
            heard(1, [1.0, 0.0]),
        ];
        let scores = score(&said, 2);
        assert_eq!((scores.balanced_accuracy_clip, scores.balanced_accuracy_3s), (0.375, 0.375));
    }

    #[test]
    fn calibration_undoes_overconfidence_and_a_preferred_class() {
        // Right in three of four cases, so the fitting probability is 0.75, a logit difference of ln 3; but class 1 has
        // 0.5 too much.
        let said = |bias: f32| -> Vec<Heard> {
            let logits = |class: usize| if class == 0 { [3.0, bias] } else { [0.0, 3.0 + bias] };
            (0..8).map(|i| heard(i % 2, logits(if i / 2 == 0 { 1 - i % 2 } else { i % 2 }))).collect()
        };
        let plain = Calibration::fit(&said(0.0), 2);
        assert!((plain.temperature - 3.0 / 3f32.ln()).abs() < 0.1, "{plain:?}");
        assert!(plain.offsets.iter().all(|b| b.abs() < 1e-3), "{plain:?}");
        let found = Calibration::fit(&said(0.5), 2);
        let preferred = 0.5 / found.temperature + found.offsets[1] - found.offsets[0];
        assert!(preferred.abs() < 0.05, "{found:?}");
    }
}
