//! Calibration: from the numbers that were seen between the layers to the ranges that 8 bits are spread over.

use anyhow::{Result, ensure};
use idiom_engine::model::Model;
use idiom_engine::model::quantize::Range;
use idiom_engine::rt::net::Network;
use serde::{Deserialize, Serialize};

/// One in so many frames is looked at; neighbours are alike.
const FRAME_STEP: usize = 7;
/// Share of a layer's numbers on each side that [`Calibration::Percentile`] lets saturate.
const SATURATING: f64 = 1e-4;
/// Bins of a histogram.
const BINS: usize = 2048;
/// Numbers that 8 bits tell apart on one side of 0 (ReLU) or on both.
const LEVELS: usize = 256;

/// How a range is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Calibration {
    /// From the smallest to the largest number seen: nothing saturates.
    MinMax,
    /// Without the rarest numbers at both ends, which saturate and leave finer steps for the others.
    Percentile,
    /// The range for which the distribution that 8 bits can show is nearest to the one seen, by relative entropy
    /// (Kullback-Leibler; Migacz 2017, "8-bit Inference with TensorRT").
    Entropy,
}

impl Calibration {
    /// All of them.
    pub const ALL: [Calibration; 3] = [Calibration::MinMax, Calibration::Percentile, Calibration::Entropy];

    /// Name for people.
    pub const fn label(self) -> &'static str {
        match self {
            Calibration::MinMax => "MinMax",
            Calibration::Percentile => "Percentile",
            Calibration::Entropy => "Entropy",
        }
    }

    /// The range for these numbers, which may be put in another order.
    pub fn range(self, numbers: &mut [f32]) -> Range {
        let (low, high) = numbers.iter().fold((0.0f32, 0.0f32), |(low, high), v| (low.min(*v), high.max(*v)));
        match self {
            Calibration::MinMax => (low, high),
            Calibration::Percentile => middle(numbers, SATURATING),
            Calibration::Entropy => {
                let end = entropy_end(numbers, high.max(-low));
                (low.max(-end), high.min(end))
            }
        }
    }
}

/// The numbers that were seen, as they come in and as each layer gives them out.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    input: Vec<f32>,
    outputs: Vec<Vec<f32>>,
}

impl Seen {
    /// Looks at what flows through an FP32 model while it plays `windows`: each a time-major window of features.
    ///
    /// # Errors
    /// When the model cannot be played, there is no window, or one holds no whole number of frames.
    pub fn through(model: &Model, windows: &[&[f32]]) -> Result<Seen> {
        ensure!(!windows.is_empty(), "there is no window to calibrate the quantization on");
        let mut network = Network::compile(model)?;
        let rows = model.meta.features.rows();
        let mut seen = Seen { input: Vec::new(), outputs: vec![Vec::new(); model.layers.len()] };
        for (count, window) in windows.iter().enumerate() {
            ensure!(
                !window.is_empty() && window.len().is_multiple_of(rows),
                "calibration window {count} has {} numbers, which is no whole number of frames of {rows}",
                window.len()
            );
            network.reset();
            for (frame, column) in window.chunks_exact(rows).enumerate() {
                seen.input.extend(column.iter().filter(|v| v.is_finite()));
                network.push(column);
                if (frame + count) % FRAME_STEP == 0 {
                    network.inspect(|layer, numbers| {
                        seen.outputs[layer].extend(numbers.iter().filter(|v| v.is_finite()));
                    });
                }
            }
        }
        Ok(seen)
    }

    /// The range of the features and of every layer's output. Features and logits never saturate: the first are few
    /// and the last decide.
    pub fn ranges(&self, how: Calibration) -> (Range, Vec<Range>) {
        let last = self.outputs.len().saturating_sub(1);
        let range = |(layer, numbers): (usize, &Vec<f32>)| {
            let how = if layer == last { Calibration::MinMax } else { how };
            how.range(&mut numbers.clone())
        };
        let outputs = self.outputs.iter().enumerate().map(range).collect();
        (Calibration::MinMax.range(&mut self.input.clone()), outputs)
    }
}

/// The range without the `share` lowest and the `share` highest of `values`.
fn middle(values: &mut [f32], share: f64) -> Range {
    if values.is_empty() {
        return (0.0, 0.0);
    }
    let cut = (values.len() as f64 * share) as usize;
    let end = values.len() - 1 - cut;
    let high = *values.select_nth_unstable_by(end, f32::total_cmp).1;
    let low = *values.select_nth_unstable_by(cut, f32::total_cmp).1;
    (low, high)
}

/// Where to end the range of the numbers' sizes, the largest of which is `largest`.
fn entropy_end(numbers: &[f32], largest: f32) -> f32 {
    if largest <= 0.0 {
        return 0.0;
    }
    let mut histogram = vec![0.0f64; BINS];
    // Exact zeros, which a ReLU makes in masses, are exact in 8 bits too and say nothing about the range.
    for v in numbers.iter().filter(|v| **v != 0.0) {
        histogram[((v.abs() / largest * BINS as f32) as usize).min(BINS - 1)] += 1.0;
    }
    let signed = numbers.iter().any(|v| *v < 0.0);
    let levels = if signed { LEVELS / 2 } else { LEVELS };
    let divergence = |bins: usize| relative_entropy(&histogram, bins, levels);
    let ends = (levels..=BINS).step_by(8);
    let best = ends.min_by(|a, b| divergence(*a).total_cmp(&divergence(*b))).unwrap_or(BINS);
    largest * best as f32 / BINS as f32
}

/// Relative entropy of the first `bins` bins (what lies beyond saturates into the last of them) to what is left of them in
/// `levels` steps.
fn relative_entropy(histogram: &[f64], bins: usize, levels: usize) -> f64 {
    let beyond: f64 = histogram[bins..].iter().sum();
    let total: f64 = histogram.iter().sum();
    let mut divergence = 0.0;
    for level in 0..levels {
        let (from, to) = (level * bins / levels, (level + 1) * bins / levels);
        let part = &histogram[from..to];
        let filled = part.iter().filter(|n| **n > 0.0).count().max(1) as f64;
        // Without the saturated ones: they are noise in the steps, not signal.
        let shown = part.iter().sum::<f64>() / filled;
        for (i, count) in part.iter().enumerate() {
            let seen = count + if from + i + 1 == bins { beyond } else { 0.0 };
            if seen > 0.0 {
                divergence += seen / total * (seen / shown.max(1e-3)).ln();
            }
        }
    }
    // What is shown adds up to less than all; as a distribution it is that much larger.
    divergence + ((total - beyond).max(1e-9) / total).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::model::random::{self, Rng};

    /// Roughly normal numbers with rare outliers ten times as large.
    fn numbers(relu: bool) -> Vec<f32> {
        let mut rng = Rng(5);
        let one = |i: usize| {
            let sum: f32 = (0..12).map(|_| rng.signed()).sum::<f32>() / 2.0;
            let v = if i % 20_000 == 7 { 40.0 } else { sum };
            if relu { v.max(0.0) } else { v }
        };
        (0..100_000).map(one).collect()
    }

    #[test]
    fn min_max_keeps_the_ends_and_the_others_cut_the_outliers() {
        for relu in [true, false] {
            let mut seen = numbers(relu);
            let (low, high) = Calibration::MinMax.range(&mut seen);
            assert_eq!(high, 40.0);
            assert_eq!(low == 0.0, relu);
            let (_, high) = Calibration::Percentile.range(&mut seen);
            assert!((2.5..6.0).contains(&high), "{high}");
            let (low, high) = Calibration::Entropy.range(&mut seen);
            assert!((2.0..8.0).contains(&high), "{high}");
            assert!(relu || low < -2.0);
        }
    }

    #[test]
    fn entropy_keeps_the_whole_of_an_even_distribution() {
        let mut rng = Rng(6);
        let mut even: Vec<f32> = (0..100_000).map(|_| rng.signed() + 1.0).collect();
        let (_, high) = Calibration::Entropy.range(&mut even);
        assert!(high > 1.9, "{high}");
    }

    #[test]
    fn percentile_cuts_its_share() {
        let mut values: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
        assert_eq!(middle(&mut values, 0.001), (10.0, 9989.0));
        assert_eq!(middle(&mut values, 0.0), (0.0, 9999.0));
        for how in Calibration::ALL {
            assert_eq!(how.range(&mut []), (0.0, 0.0));
        }
    }

    #[test]
    fn logits_never_saturate_and_no_window_or_half_a_frame_is_refused() {
        let model = random::flagship(3);
        let mut rng = Rng(7);
        let window: Vec<f32> = (0..60 * 40).map(|_| 2.0 * rng.signed()).collect();
        let seen = Seen::through(&model, &[&window]).unwrap();
        let (_, by_entropy) = seen.ranges(Calibration::Entropy);
        let (_, whole) = seen.ranges(Calibration::MinMax);
        assert_eq!(by_entropy.last(), whole.last());
        assert!(Seen::through(&model, &[]).unwrap_err().to_string().contains("no window"));
        let error = Seen::through(&model, &[&window[..45]]).unwrap_err().to_string();
        assert!(error.contains("45 numbers"), "{error}");
    }
}
