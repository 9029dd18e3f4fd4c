//! A model as the worker runs it: whole windows, no memory of the past.

use crate::model::{InputKind, Model, ModelError, windowed};

/// See the [module](self).
pub struct Plan {
    model: Model,
}

impl Plan {
    /// Reads an ONNX file.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn new(bytes: &[u8]) -> Result<Plan, ModelError> {
        let model = Model::from_onnx(bytes)?;
        model.validate()?;
        Ok(Plan { model })
    }

    /// What the columns hold.
    pub fn input(&self) -> InputKind {
        self.model.meta.features
    }

    /// Class probabilities for a window of `frames` columns, oldest first.
    ///
    /// # Errors
    /// When `columns` has another length.
    pub fn run(&self, columns: &[f32], frames: usize) -> Result<Vec<f32>, String> {
        if columns.len() != frames * self.input().rows() {
            return Err(format!(
                "{} numbers are no {frames} columns of {}",
                columns.len(),
                self.input().rows()
            ));
        }
        Ok(windowed::run(&self.model, columns, frames).probabilities)
    }
}
