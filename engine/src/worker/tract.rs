//! A model in tract: any ONNX file with our metadata, the executor's or not. Allocates and locks, so it belongs to the
//! worker.

use super::intake::Intake;
use crate::model::windowed::softmax_of_mean;
use crate::model::{Entries, InputKind, ModelError, ModelMeta, onnx};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tract_onnx::prelude::*;

/// A model, ready to run on windows of a fixed number of frames.
pub struct TractModel {
    plan: Arc<TypedRunnableModel>,
    meta: ModelMeta,
    frames: usize,
    intake: Intake,
    /// Whether the plan gives logits of each frame instead of probabilities.
    logits: bool,
}

impl TractModel {
    /// Reads an ONNX file and its sidecar and prepares it for windows of `frames` frames. It must take one input, features
    /// `[1, 1, features, time]` or samples as in `intake.rs`, and its first output, or that named `probabilities`,
    /// must hold one probability a class. A file that also gives out `logits` `[1, classes, 1, frames]`, as ours do, is heard
    /// as the executor plays it: its newest [`ModelMeta::pool_frames`] are averaged, and those before them only lead there.
    ///
    /// # Errors
    /// When the metadata is missing or wrong, or tract does not run the network.
    pub fn load(bytes: &[u8], sidecar: &Entries, frames: usize) -> Result<TractModel, ModelError> {
        let meta = onnx::read_meta(bytes, sidecar)?;
        let intake = Intake::new(meta.features, onnx::input_shape(bytes)?.as_deref(), frames)?;
        let (plan, logits) = guarded(|| plan(bytes, intake.shape(), meta.classes.len()))?;
        let model = TractModel { plan, meta, frames, intake, logits };
        // Once on nothing, so that a network that cannot run, or answers with something else, is refused here.
        model.run(&vec![0.0; frames * model.meta.features.rows()])?;
        Ok(model)
    }

    /// What the file says about itself.
    pub fn meta(&self) -> &ModelMeta {
        &self.meta
    }

    /// What the columns hold.
    pub fn input(&self) -> InputKind {
        self.meta.features
    }

    /// Number of frames in a window.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// One probability a class, for a window of [`TractModel::frames`] columns, oldest first.
    ///
    /// # Errors
    /// When `columns` has another length, or tract fails, or answers with something else than one finite number a
    /// class.
    pub fn run(&self, columns: &[f32]) -> Result<Vec<f32>, ModelError> {
        let (rows, frames) = (self.meta.features.rows(), self.frames);
        if columns.len() != rows * frames {
            let detail = format!("a window of {} numbers is not {frames} columns of {rows}", columns.len());
            return Err(ModelError::Tract { detail });
        }
        let classes = self.meta.classes.len();
        let mut sum = vec![0.0; classes];
        for input in columns.chunks_exact(rows * self.intake.frames()) {
            let answer = guarded(|| {
                let outputs = self.plan.run(tvec!(self.intake.tensor(input, rows)?.into()))?;
                let Some(output) = outputs.first() else { return Ok(Vec::new()) };
                Ok(output.to_plain_array_view::<f32>()?.iter().copied().collect::<Vec<f32>>())
            })?;
            let answer = if self.logits { self.newest(&answer) } else { answer };
            if answer.len() != classes || !answer.iter().all(|p| p.is_finite()) {
                let detail =
                    format!("it gives {} numbers; one finite number a class is {classes}", answer.len());
                return Err(ModelError::Tract { detail });
            }
            sum.iter_mut().zip(answer).for_each(|(sum, p)| *sum += p);
        }
        // A model of fewer frames than the window says of each what it holds for; the window is all of them.
        let inputs = (frames / self.intake.frames()) as f32;
        Ok(sum.into_iter().map(|sum| sum / inputs).collect())
    }

    /// Probabilities from the mean of the newest logits; `logits` holds all frames of the first class, then of the next.
    fn newest(&self, logits: &[f32]) -> Vec<f32> {
        let frames = (logits.len() / self.meta.classes.len()).max(1);
        let first = frames.saturating_sub(self.meta.pool_frames);
        let newest: Vec<f32> =
            (first..frames).flat_map(|frame| logits.iter().skip(frame).step_by(frames)).copied().collect();
        softmax_of_mean(&newest, self.meta.classes.len())
    }
}

/// The plan, and whether it gives logits of each frame instead of probabilities.
fn plan(bytes: &[u8], shape: &[usize], classes: usize) -> TractResult<(Arc<TypedRunnableModel>, bool)> {
    let file = tract_onnx::onnx().model_for_read(&mut &bytes[..])?;
    let giving = |name: &str| -> TractResult<Option<TypedModel>> {
        if file.find_outlet_label(name).is_none() {
            return Ok(None);
        }
        let mut model = file.clone();
        model.select_outputs_by_name([name])?;
        Ok(Some(model.with_input_fact(0, f32::fact(shape).into())?.into_optimized()?))
    };
    let of_each_frame = [1, classes, 1, shape.last().copied().unwrap_or(0)];
    if let Some(model) = giving("logits")?
        && model.output_fact(0)?.shape.as_concrete() == Some(&of_each_frame)
    {
        return Ok((model.into_runnable()?, true));
    }
    let model = match giving("probabilities")? {
        Some(model) => model,
        None => file.with_input_fact(0, f32::fact(shape).into())?.into_optimized()?,
    };
    Ok((model.into_runnable()?, false))
}

/// A file made to do harm may make tract panic; that is an error like any other.
fn guarded<T>(work: impl FnOnce() -> TractResult<T>) -> Result<T, ModelError> {
    let detail = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => format!("{error:#}"),
        Err(_) => "the file made it fail".into(),
    };
    Err(ModelError::Tract { detail: detail.lines().collect::<Vec<_>>().join("; ") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::random::{self, Rng};
    use crate::model::{Model, onnx_write, windowed};
    use crate::rt::net::Network;

    fn window(model: &Model, frames: usize) -> Vec<f32> {
        let mut rng = Rng(3);
        (0..frames * model.meta.features.rows()).map(|_| 3.0 * rng.signed()).collect()
    }

    #[test]
    fn tract_gives_what_the_reference_gives() {
        let fp32 = random::flagship(31);
        // tract computes INT8 in floating point, which rounds some sums to the next 8-bit number.
        let int8 = random::quantized(&fp32);
        for (model, frames, tolerance) in [(&fp32, 150, 1e-5), (&int8, 150, 1e-3), (&fp32, 1, 1e-5)] {
            let tract =
                TractModel::load(&onnx_write::write(model).unwrap(), &Entries::new(), frames).unwrap();
            assert_eq!((tract.meta(), tract.frames()), (&model.meta, frames));
            let window = window(model, frames);
            let (ours, theirs) = (windowed::run(model, &window, frames), tract.run(&window).unwrap());
            for (a, b) in ours.probabilities.iter().zip(&theirs) {
                assert!((a - b).abs() < tolerance, "{:?}: {a} against {b}", model.quantization());
            }
        }
    }

    /// A window longer than the average gives what the executor gives at its end.
    #[test]
    fn tract_gives_what_the_stream_ends_with() {
        let mut model = random::flagship(33);
        model.meta.pool_frames = 40;
        let tract = TractModel::load(&onnx_write::write(&model).unwrap(), &Entries::new(), 150).unwrap();
        let window = window(&model, 150);
        let mut network = Network::compile(&model).unwrap();
        window.chunks_exact(model.meta.features.rows()).for_each(|column| {
            network.push(column);
        });
        for (a, b) in network.probabilities().iter().zip(tract.run(&window).unwrap()) {
            assert!((a - b).abs() < 1e-5, "{a} against {b}");
        }
    }

    #[test]
    fn a_wrong_window_and_a_wrong_file_are_errors() {
        let model = random::flagship(32);
        let bytes = onnx_write::write(&model).unwrap();
        let tract = TractModel::load(&bytes, &Entries::new(), 20).unwrap();
        assert!(tract.run(&[0.0; 40]).unwrap_err().to_string().contains("40 numbers"));
        assert!(TractModel::load(&bytes[..bytes.len() / 2], &Entries::new(), 20).is_err());
        let mut text = model.clone();
        text.meta.classes.push("one too many".into());
        let more = onnx_write::write(&text).unwrap_err();
        assert!(more.to_string().contains("6 classes"), "{more}");
    }
}
