//! Counting: confusion matrix, precision and recall, balanced accuracy, calibration.

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

/// Clips whose likeliest class got a probability within one tenth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReliabilityBin {
    /// Number of clips.
    pub clips: usize,
    /// Mean probability of the likeliest class.
    pub confidence: f64,
    /// Share of clips whose likeliest class was right.
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
    /// Mean F1 over the classes that the set has.
    pub macro_f1: f64,
    /// Expected calibration error over whole clips: mean distance between confidence and accuracy in ten bins of equal
    /// width, weighted by clips (Guo et al. 2017, "On Calibration of Modern Neural Networks").
    pub expected_calibration_error: f64,
    /// The bins that the calibration error comes from, `0..0.1`, `0.1..0.2`, …
    pub reliability: Vec<ReliabilityBin>,
}

/// Number of reliability bins.
const BINS: usize = 10;

/// Counts what `predictions` got right. Each must hold one probability a class; entries that are no number count as 0.
///
/// # Panics
/// When a label or a number of probabilities does not fit `classes`.
pub fn evaluate(classes: &[String], predictions: &[Prediction]) -> Report {
    let mut clips = Counts::new(classes.len());
    let mut excerpts = Counts::new(classes.len());
    let mut bins = [(0_usize, 0.0_f64, 0_usize); BINS];
    for prediction in predictions {
        let (named, probability) = likeliest(&prediction.clip, classes.len());
        clips.0[prediction.label][named] += 1;
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += 1;
        bin.1 += probability;
        bin.2 += usize::from(named == prediction.label);
        for excerpt in &prediction.excerpts {
            excerpts.0[prediction.label][likeliest(excerpt, classes.len()).0] += 1;
        }
    }
    let per_class: Vec<ClassReport> =
        (0..classes.len()).map(|class| clips.class(class, &classes[class])).collect();
    let reliability: Vec<ReliabilityBin> = bins
        .iter()
        .map(|&(clips, confidence, right)| ReliabilityBin {
            clips,
            confidence: confidence / clips.max(1) as f64,
            accuracy: right as f64 / clips.max(1) as f64,
        })
        .collect();
    let total = predictions.len().max(1) as f64;
    Report {
        classes: classes.to_vec(),
        clips: predictions.len(),
        excerpts: excerpts.total(),
        accuracy_clip: (0..classes.len()).map(|class| clips.0[class][class]).sum::<usize>() as f64 / total,
        balanced_accuracy_clip: mean((0..classes.len()).filter_map(|class| clips.recall(class))),
        balanced_accuracy_3s: (excerpts.total() > 0)
            .then(|| mean((0..classes.len()).filter_map(|class| excerpts.recall(class)))),
        macro_f1: mean(per_class.iter().filter_map(|class| class.f1)),
        expected_calibration_error: reliability
            .iter()
            .map(|bin| bin.clips as f64 / total * (bin.confidence - bin.accuracy).abs())
            .sum(),
        confusion: clips.0,
        per_class,
        reliability,
    }
}

/// Index and probability of the likeliest class; the first wins a tie.
fn likeliest(probabilities: &[f32], classes: usize) -> (usize, f64) {
    assert_eq!(probabilities.len(), classes, "one probability a class");
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

/// A confusion matrix: true class by named class.
struct Counts(Vec<Vec<usize>>);

impl Counts {
    fn new(classes: usize) -> Counts {
        Counts(vec![vec![0; classes]; classes])
    }

    fn total(&self) -> usize {
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
        assert_eq!(report.reliability[7].clips, 3);
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
