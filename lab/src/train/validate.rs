//! How right a network is on sounds it has not learned from, measured inside training; `idiom eval` is the judge of
//! exported files.

use super::net::Net;
use super::sounds::{FRAMES_PER_SECOND, Sound};

/// Trust in a label that is called `low` in a manifest.
pub const PLAUSIBLE: f32 = 0.5;

/// What the network said about one sound.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The sound's class.
    pub label: usize,
    /// How far that is to be trusted, 0 to 1.
    pub trust: f32,
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
            let (label, trust) = sound.label?;
            Some(Heard { label, trust, logits: net.infer(&sound.columns) })
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
        cross_entropy_3s: cross_entropy(heard, classes, 1.0),
    }
}

/// Mean of right over all, over the classes that occur.
fn balanced(counts: &[(f64, f64)]) -> f64 {
    let shares: Vec<f64> = counts.iter().filter(|c| c.0 > 0.0).map(|c| c.1 / c.0).collect();
    shares.iter().sum::<f64>() / shares.len().max(1) as f64
}

/// Class-balanced cross-entropy of 3 s stretches, logits divided by `temperature`.
fn cross_entropy(heard: &[Heard], classes: usize, temperature: f32) -> f64 {
    let mut sums = vec![(0.0, 0.0); classes];
    for one in heard {
        for mut stretch in stretches(one, classes) {
            stretch.iter_mut().for_each(|logit| *logit /= temperature);
            let p = softmax(&stretch)[one.label].max(1e-7);
            sums[one.label].0 += 1.0;
            sums[one.label].1 -= f64::from(p.ln());
        }
    }
    balanced(&sums)
}

/// The temperature that logits are divided by so that probabilities are as large as they should be (Guo et al., "On
/// Calibration of Modern Neural Networks", 2017): golden-section search on its logarithm, between 0.25 and 4, for the
/// least class-balanced cross-entropy of 3 s stretches. Sounds whose label is only plausible ([`PLAUSIBLE`]) are left out
/// where there are others: wrong labels ask for doubt that right ones do not. An offset for each class was tried and made
/// unheard artists worse, see `models/README.md`.
pub fn temperature(heard: &[Heard], classes: usize) -> f32 {
    if heard.is_empty() {
        return 1.0;
    }
    let sure: Vec<Heard> = heard.iter().filter(|one| one.trust > PLAUSIBLE).cloned().collect();
    let heard = if sure.is_empty() { heard } else { &sure };
    let loss = |log: f32| cross_entropy(heard, classes, log.exp());
    let ratio = 0.618_034;
    let (mut low, mut high) = (0.25f32.ln(), 4f32.ln());
    for _ in 0..24 {
        let a = high - ratio * (high - low);
        let b = low + ratio * (high - low);
        if loss(a) < loss(b) { high = b } else { low = a }
    }
    (0.5 * (low + high)).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(label: usize, logits: [f32; 2]) -> Heard {
        Heard { label, trust: 1.0, logits: logits.repeat(300) }
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
    fn temperature_undoes_overconfidence() {
        // Right in three of four cases: the fitting probability is 0.75, a logit difference of ln 3.
        let logits = |class: usize| if class == 0 { [3.0, 0.0] } else { [0.0, 3.0] };
        let said: Vec<Heard> =
            (0..8).map(|i| heard(i % 2, logits(if i / 2 == 0 { 1 - i % 2 } else { i % 2 }))).collect();
        let found = temperature(&said, 2);
        assert!((found - 3.0 / 3f32.ln()).abs() < 0.01, "{found}");
        // Doubtful labels that say otherwise do not count.
        let doubtful = (0..8)
            .map(|i| Heard { trust: 0.5, ..heard(i % 2, if i % 2 == 1 { [3.0, 0.0] } else { [0.0, 3.0] }) });
        let all: Vec<Heard> = said.iter().cloned().chain(doubtful).collect();
        assert_eq!(temperature(&all, 2), found);
    }
}
