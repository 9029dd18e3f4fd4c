//! Calibration: what ranges the numbers in a trained network really have, and the INT8 network for them.

use idiom_engine::model::quantize::Range;
use idiom_engine::model::{Model, ModelError, quantize};
use idiom_engine::rt::net::Network;

/// Share of a layer's outputs on each side that may lie beyond its 8-bit range and saturate. Letting the rarest values
/// saturate gives all others finer steps.
const SATURATING: f64 = 1e-4;
/// One in so many frames is looked at; neighbours are alike.
const FRAME_STEP: usize = 7;

/// The INT8 form of an FP32 model, calibrated on `windows`: each a time-major window of features, any number of frames.
///
/// # Errors
/// When the model is not valid, or a window holds no whole number of frames.
///
/// # Panics
/// If the model is INT8 already.
pub fn quantize<'a>(model: &Model, windows: impl IntoIterator<Item = &'a [f32]>) -> anyhow::Result<Model> {
    let (input, outputs) = ranges(model, windows)?;
    Ok(quantize::quantize(model, input, &outputs, quantize::FULL))
}

/// The range of the features and of every layer's output over `windows`.
///
/// # Errors
/// As [`quantize`]; also when there is no window at all.
pub fn ranges<'a>(
    model: &Model,
    windows: impl IntoIterator<Item = &'a [f32]>,
) -> anyhow::Result<(Range, Vec<Range>)> {
    let cannot = |e: ModelError| anyhow::anyhow!("the model to quantize cannot be played: {e}");
    let mut network = Network::compile(model).map_err(cannot)?;
    let rows = model.meta.features.rows();
    let mut seen: Vec<Vec<f32>> = vec![Vec::new(); model.layers.len()];
    let mut input = (0.0f32, 0.0f32);
    let mut count = 0;
    for window in windows {
        anyhow::ensure!(
            !window.is_empty() && window.len().is_multiple_of(rows),
            "calibration window {count} has {} numbers, which is no whole number of frames of {rows}",
            window.len()
        );
        network.reset();
        for (frame, column) in window.chunks_exact(rows).enumerate() {
            input = column.iter().fold(input, |(low, high), v| (low.min(*v), high.max(*v)));
            network.push(column);
            if (frame + count) % FRAME_STEP == 0 {
                let keep = |layer: usize, numbers: &[f32]| {
                    seen[layer].extend(numbers.iter().filter(|v| v.is_finite()));
                };
                network.inspect(keep);
            }
        }
        count += 1;
    }
    anyhow::ensure!(count > 0, "there is no window to calibrate the quantization on");
    let last = seen.len() - 1;
    let share = |layer| if layer == last { 0.0 } else { SATURATING };
    let outputs = seen.iter_mut().enumerate().map(|(layer, values)| middle(values, share(layer))).collect();
    Ok((input, outputs))
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

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::model::random::{self, Rng};
    use idiom_engine::model::windowed;

    fn windows(count: usize, frames: usize) -> Vec<Vec<f32>> {
        let mut rng = Rng(7);
        (0..count).map(|_| (0..frames * 40).map(|_| 2.0 * rng.signed()).collect()).collect()
    }

    #[test]
    fn a_calibrated_network_answers_nearly_as_before() {
        let model = random::flagship(3);
        let calibration = windows(3, 30);
        let int8 = quantize(&model, calibration.iter().map(Vec::as_slice)).unwrap();
        int8.validate().unwrap();
        let fresh = &windows(4, 30)[3];
        let (a, b) = (windowed::run(&model, fresh, 30), windowed::run(&int8, fresh, 30));
        let spread = a.logits.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        for (a, b) in a.logits.iter().zip(&b.logits) {
            assert!((a - b).abs() < 0.1 * spread, "{a} became {b}, the largest being {spread}");
        }
        for (a, b) in a.probabilities.iter().zip(&b.probabilities) {
            assert!((a - b).abs() < 0.02, "{a} became {b}");
        }
    }

    #[test]
    fn rare_values_are_cut_off_and_the_ends_are_kept_without_cutting() {
        let mut values: Vec<f32> = (0..10_000).map(|i| i as f32).collect();
        assert_eq!(middle(&mut values, 0.001), (10.0, 9989.0));
        assert_eq!(middle(&mut values, 0.0), (0.0, 9999.0));
    }

    #[test]
    fn no_window_or_half_a_frame_is_refused() {
        let model = random::flagship(3);
        assert!(quantize(&model, []).unwrap_err().to_string().contains("no window"));
        let half = vec![0.0; 45];
        assert!(quantize(&model, [half.as_slice()]).unwrap_err().to_string().contains("45 numbers"));
    }
}
