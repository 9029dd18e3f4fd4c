//! Counting: confusion matrix, precision and recall, balanced accuracy, calibration.

use idiom_engine::Genre;
use serde::{Deserialize, Serialize};

/// What a model said about one labelled clip.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prediction {
    /// The true class.
    pub label: usize,
    /// Probability of each class for the whole clip: the mean posterior over its frames.
    pub clip: Vec<f32>,
    /// Probability of each class for each excerpt of [`EXCERPT_SECONDS`](super::EXCERPT_SECONDS); may be empty.
    pub excerpts: Vec<Vec<f32>>,
}

/// Numbers of one class, over whole clips.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Class name.
    pub class: String,
    /// Clips that are of this class.
    pub clips: usize,
    /// Share of the clips named so that are of this class. `None` when no clip was named so.
    pub precision: Option<f64>,
    /// Share of this class's clips that were named so. `None` when the set has no clip of this class.
    pub recall: Option<f64>,
    /// Harmonic mean of precision and recall, 0 when nothing was right. `None` when the set has no clip of this class.
    pub f1: Option<f64>,
}

/// Clips, or excerpts, whose likeliest class got a probability within one tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// How many.
    pub count: usize,
    /// Mean probability of the likeliest class.
    pub confidence: f64,
    /// Share of them whose likeliest class was right.
    pub accuracy: f64,
}

/// How well the clips of a set were named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Class names in the order of rows and columns.
    pub classes: Vec<String>,
    /// Number of clips.
    pub clips: usize,
    /// Number of excerpts of 3 s.
    pub excerpts: usize,
    /// Clips by true class (row) and named class (column).
    pub confusion: Vec<Vec<usize>>,
    /// Numbers of each class.
    pub per_class: Vec<ClassReport>,
    /// Share of clips named right.
    pub accuracy_clip: f64,
    /// Mean recall over the classes that the set has.
    pub balanced_accuracy_clip: f64,
    /// The same over excerpts of 3 s, each heard alone. `None` when there are no excerpts.
    pub balanced_accuracy_3s: Option<f64>,
    /// Speech against everything else on excerpts of 3 s: mean of the share of speech that is named speech and the share
    /// of the rest that is not. `None` when the set has no excerpt of one of the two.
    pub speech_against_rest_3s: Option<f64>,
    /// Mean F1 over the classes that the set has.
    pub macro_f1: f64,
    /// Expected calibration error over whole clips: mean distance between confidence and accuracy in ten bins of equal
    /// width, weighted by clips (Guo et al. 2017, "On Calibration of Modern Neural Networks").
    pub expected_calibration_error: f64,
    /// The same over excerpts of 3 s. `None` when there are no excerpts.
    pub expected_calibration_error_3s: Option<f64>,
    /// The bins that the calibration error of whole clips comes from, `0..0.1`, `0.1..0.2`, …
    pub reliability: Vec<ReliabilityBin>,
    /// The same for excerpts of 3 s; empty when there are none.
    pub reliability_3s: Vec<ReliabilityBin>,
}

/// Number of reliability bins.
const BINS: usize = 10;

/// Counts what `predictions` got right. Each must hold one probability a class; entries that are no number count as 0.
///
/// # Panics
/// When a label or a number of probabilities does not fit `classes`.
pub fn evaluate(classes: &[String], predictions: &[Prediction]) -> Report {
    let count = classes.len();
    let (mut clips, mut excerpts) = (Counts::new(count), Counts::new(count));
    let (mut clip_bins, mut excerpt_bins) = (Bins::default(), Bins::default());
    for prediction in predictions {
        let label = prediction.label;
        clips.add(label, clip_bins.add(label, &prediction.clip, count));
        for excerpt in &prediction.excerpts {
            excerpts.add(label, excerpt_bins.add(label, excerpt, count));
        }
    }
    let per_class: Vec<ClassReport> = (0..count).map(|class| clips.class(class, &classes[class])).collect();
    let short = excerpts.total() > 0;
    let total = predictions.len().max(1) as f64;
    let speech = classes.iter().position(|class| class.eq_ignore_ascii_case(Genre::Speech.name()));
    Report {
        classes: classes.to_vec(),
        clips: predictions.len(),
        excerpts: excerpts.total(),
        accuracy_clip: (0..count).map(|class| clips.0[class][class]).sum::<usize>() as f64 / total,
        balanced_accuracy_clip: clips.balanced_accuracy(),
        balanced_accuracy_3s: short.then(|| excerpts.balanced_accuracy()),
        speech_against_rest_3s: speech.and_then(|speech| excerpts.against_rest(speech)),
        macro_f1: mean(per_class.iter().filter_map(|class| class.f1)),
        expected_calibration_error: clip_bins.error(),
        expected_calibration_error_3s: short.then(|| excerpt_bins.error()),
        confusion: clips.0,
        per_class,
        reliability: clip_bins.report(),
        reliability_3s: if short { excerpt_bins.report() } else { Vec::new() },
    }
}

/// Index and probability of the likeliest class; the first wins a tie.
pub(super) fn likeliest(probabilities: &[f32]) -> (usize, f64) {
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &probability) in probabilities.iter().enumerate() {
        let probability = if probability.is_finite() { f64::from(probability) } else { 0.0 };
        if probability > best.1 {
            best = (class, probability);
        }
    }
    (best.0, best.1.clamp(0.0, 1.0))
}

/// Mean, 0 of nothing.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    sum / count.max(1) as f64
}

/// How many were named with which probability, the sum of the probabilities, and how many of them were right.
#[derive(Default)]
struct Bins([(usize, f64, usize); BINS]);

impl Bins {
    /// Counts one answer, and gives the class that it names.
    fn add(&mut self, label: usize, probabilities: &[f32], classes: usize) -> usize {
        assert_eq!(probabilities.len(), classes, "one probability a class");
        let (named, probability) = likeliest(probabilities);
        let bin = &mut self.0[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += probability;
        bin.2 += usize::from(named == label);
        named
    }

    fn report(&self) -> Vec<ReliabilityBin> {
        let one = |&(count, confidence, right): &(usize, f64, usize)| ReliabilityBin {
            count,
            confidence: confidence / count.max(1) as f64,
            accuracy: right as f64 / count.max(1) as f64,
        };
        self.0.iter().map(one).collect()
    }

    /// Expected calibration error.
    fn error(&self) -> f64 {
        let total: usize = self.0.iter().map(|bin| bin.0).sum();
        let distance = |bin: &ReliabilityBin| bin.count as f64 * (bin.confidence - bin.accuracy).abs();
        self.report().iter().map(distance).sum::<f64>() / total.max(1) as f64
    }
}

/// A confusion matrix: true class by named class.
pub(super) struct Counts(Vec<Vec<usize>>);

impl Counts {
    pub(super) fn new(classes: usize) -> Counts {
        Counts(vec![vec![0; classes]; classes])
    }

    pub(super) fn add(&mut self, label: usize, named: usize) {
        self.0[label][named] += 1;
    }

    /// Mean recall over the classes that occur.
    pub(super) fn balanced_accuracy(&self) -> f64 {
        mean((0..self.0.len()).filter_map(|class| self.recall(class)))
    }

    /// Mean of the class's recall and the share of all others that are not taken for it; `None` when one is missing.
    fn against_rest(&self, class: usize) -> Option<f64> {
        let others = || self.0.iter().enumerate().filter(|(row, _)| *row != class);
        let all: usize = others().map(|(_, row)| row.iter().sum::<usize>()).sum();
        let wrong: usize = others().map(|(_, row)| row[class]).sum();
        let rejected = (all > 0).then(|| 1.0 - wrong as f64 / all as f64)?;
        Some((self.recall(class)? + rejected) / 2.0)
    }

    pub(super) fn total(&self) -> usize {
        self.0.iter().flatten().sum()
    }

    fn recall(&self, class: usize) -> Option<f64> {
        let clips: usize = self.0[class].iter().sum();
        (clips > 0).then(|| self.0[class][class] as f64 / clips as f64)
    }

    fn precision(&self, class: usize) -> Option<f64> {
        let named: usize = self.0.iter().map(|row| row[class]).sum();
        (named > 0).then(|| self.0[class][class] as f64 / named as f64)
    }

    fn class(&self, class: usize, name: &str) -> ClassReport {
        let (precision, recall) = (self.precision(class), self.recall(class));
        let f1 = recall.map(|recall| {
            let sum = recall + precision.unwrap_or(0.0);
            if sum > 0.0 { 2.0 * recall * precision.unwrap_or(0.0) / sum } else { 0.0 }
        });
        let clips = self.0[class].iter().sum();
        ClassReport { class: name.to_owned(), clips, precision, recall, f1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(label: usize, clip: [f32; 3], excerpts: &[[f32; 3]]) -> Prediction {
        Prediction { label, clip: clip.to_vec(), excerpts: excerpts.iter().map(|e| e.to_vec()).collect() }
    }

    #[test]
    fn numbers_match_those_counted_by_hand() {
        let classes = ["a", "b", "c", "d"].map(String::from);
        let predictions = [
            said(0, [0.75, 0.25, 0.0], &[[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]]),
            said(0, [0.65, 0.20, 0.15], &[[0.6, 0.2, 0.2]]),
            said(0, [0.23, 0.72, 0.05], &[]),
            said(1, [0.05, 0.95, 0.0], &[[0.0, 1.0, 0.0]]),
            said(1, [0.75, 0.25, f32::NAN], &[[0.9, 0.1, 0.0]]),
        ]
        .map(|mut prediction| {
            prediction.clip.push(0.0);
            prediction.excerpts.iter_mut().for_each(|excerpt| excerpt.push(0.0));
            prediction
        });
        let report = evaluate(&classes, &predictions);
        assert_eq!(report.confusion, [[2, 1, 0, 0], [1, 1, 0, 0], [0; 4], [0; 4]]);
        assert_eq!((report.clips, report.excerpts), (5, 5));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6, "{a} is not {b}");
        close(report.accuracy_clip, 3.0 / 5.0);
        // Recalls 2/3 and 1/2; classes c and d are not in the set.
        close(report.balanced_accuracy_clip, (2.0 / 3.0 + 0.5) / 2.0);
        // Excerpts: two of three and one of two.
        close(report.balanced_accuracy_3s.unwrap(), (2.0 / 3.0 + 0.5) / 2.0);
        close(report.per_class[0].precision.unwrap(), 2.0 / 3.0);
        close(report.per_class[1].precision.unwrap(), 0.5);
        assert_eq!((report.per_class[2].precision, report.per_class[2].recall), (None, None));
        close(report.macro_f1, (2.0 / 3.0 + 0.5) / 2.0);
        // Bins: 0.6..0.7 holds 0.65 (right), 0.7..0.8 holds 0.75 (right), 0.72 and 0.75 (wrong), 0.9..1 holds 0.95.
        let ece = (1.0 * 0.35 + 3.0 * (2.22_f64 / 3.0 - 1.0 / 3.0) + 1.0 * 0.05) / 5.0;
        assert!((report.expected_calibration_error - ece).abs() < 1e-6, "{report:?}");
        assert_eq!(report.reliability[7].count, 3);
        // Excerpts: 0.8..0.9 holds 0.9 in single precision (one right, one wrong) and 0.8 (wrong), 0.6..0.7 holds 0.6 and
        // 0.9..1 holds 1, both right.
        let ece = (3.0 * (2.6_f64 / 3.0 - 1.0 / 3.0) + 1.0 * 0.4 + 0.0) / 5.0;
        assert!((report.expected_calibration_error_3s.unwrap() - ece).abs() < 1e-6, "{report:?}");
        assert_eq!(report.speech_against_rest_3s, None, "no class is called speech");
    }

    #[test]
    fn speech_is_told_from_the_rest_whatever_the_rest_is_taken_for() {
        let classes = ["rock", "speech", "jazz"].map(String::from);
        let excerpts = [[0.1, 0.8, 0.1], [0.2, 0.5, 0.3], [0.6, 0.2, 0.2], [0.0, 0.9, 0.1]];
        let rest = [[0.1, 0.2, 0.7], [0.9, 0.1, 0.0], [0.3, 0.6, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]];
        let predictions = [said(1, [0.0, 1.0, 0.0], &excerpts), said(0, [1.0, 0.0, 0.0], &rest)];
        let found = evaluate(&classes, &predictions).speech_against_rest_3s.unwrap();
        // Three of four, and four of five.
        assert!((found - (0.75 + 0.8) / 2.0).abs() < 1e-9, "{found}");
        assert_eq!(evaluate(&classes, &predictions[..1]).speech_against_rest_3s, None);
    }

    #[test]
    fn a_report_survives_json() {
        let classes = ["a", "b"].map(String::from);
        let prediction = Prediction { label: 1, clip: vec![0.3, 0.7], excerpts: Vec::new() };
        let report = evaluate(&classes, &[prediction]);
        let json = serde_json::to_string(&report).unwrap();
        assert!(json.contains("\"balanced_accuracy_clip\":1.0"), "{json}");
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
    }
}
