//! How a window of columns goes into a file of the user's that tract runs.
//!
//! Features go in as `[1, 1, F, T]`. Samples go in as the file declares its input: as columns `[1, 1, 960, T]`, or one after
//! the other, `[1, 960]`, `[1, 1, 960]`, `[1, N, 960]`, `[1, 960 N]`, `[1, 1, 960 N]`, where one length may be free: then it
//! is that of the whole window. A file that takes fewer frames than the window is asked for all of them in turn.

use crate::model::{InputKind, ModelError};
use tract_onnx::prelude::{Tensor, TractResult, tract_ndarray};

/// See the [module](self).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intake {
    /// The input as it is given.
    shape: Vec<usize>,
    /// Frames in one input; the window is a multiple.
    frames: usize,
    /// The newest dimension is time, and each frame a column. Otherwise frames follow each other.
    columns: bool,
}

impl Intake {
    /// For windows of `window` frames and an input that the file declares so; `None` stands for a free length, and for a file
    /// that says nothing.
    ///
    /// # Errors
    /// When samples cannot go in like this; says what could.
    pub fn new(
        input: InputKind,
        declared: Option<&[Option<usize>]>,
        window: usize,
    ) -> Result<Intake, ModelError> {
        let rows = input.rows();
        let whole = Intake { shape: vec![1, 1, rows, window], frames: window, columns: true };
        if input != InputKind::Samples960 {
            return Ok(whole);
        }
        let Some(declared) = declared else { return Ok(whole) };
        // A free first dimension counts inputs that are independent of each other.
        let mut dims = declared.to_vec();
        if let Some(first) = dims.first_mut().filter(|_| declared.len() > 1) {
            first.get_or_insert(1);
        }
        let refuse = |problem: String| {
            let shape = declared.iter().map(|dim| dim.map_or("?".into(), |n| n.to_string()));
            let shape = shape.collect::<Vec<_>>().join(", ");
            Err(ModelError::Graph {
                problem: format!(
                    "takes its samples in the shape [{shape}], {problem}; possible are [1, 960], [1, 1, 960], [1, N, 960], \
                     [1, 960 N], [1, 1, 960 N] and [1, 1, 960, N], with N frames or a free length"
                ),
            })
        };
        let columns = dims.len() == 4 && dims[2] == Some(rows);
        let numbers = dims.iter().flatten().try_fold(1usize, |product, dim| product.checked_mul(*dim));
        let Some(numbers) = numbers.filter(|numbers| *numbers > 0) else {
            return refuse("which holds nothing, or too much".into());
        };
        let free = dims.iter().filter(|dim| dim.is_none()).count();
        let frames = match free {
            0 if !numbers.is_multiple_of(rows) => {
                return refuse(format!("{numbers} numbers, which is no multiple of {rows}"));
            }
            0 => numbers / rows,
            1 if (window * rows).is_multiple_of(numbers) => window,
            1 => return refuse(format!("into which a window of {window} x {rows} samples does not fit")),
            _ => return refuse("with more than one free length".into()),
        };
        if !window.is_multiple_of(frames) {
            return refuse(format!(
                "{frames} frames; idiom.pool_frames, {window}, must be that or a multiple of it"
            ));
        }
        let shape = dims.into_iter().map(|dim| dim.unwrap_or(window * rows / numbers)).collect();
        Ok(Intake { shape, frames, columns })
    }

    /// The input's shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Frames in one input.
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// One input of [`Intake::frames`] columns of `rows` numbers, oldest first.
    ///
    /// # Errors
    /// When there are more or fewer.
    pub fn tensor(&self, columns: &[f32], rows: usize) -> TractResult<Tensor> {
        let numbers = if self.columns {
            (0..rows).flat_map(|row| columns.iter().skip(row).step_by(rows)).copied().collect()
        } else {
            columns.to_vec()
        };
        Ok(tract_ndarray::ArrayD::from_shape_vec(self.shape.clone(), numbers)?.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(declared: &[Option<usize>], window: usize) -> Result<Intake, String> {
        let intake = Intake::new(InputKind::Samples960, Some(declared), window);
        intake.map_err(|error| error.to_string())
    }

    #[test]
    fn samples_go_in_as_the_file_declares() {
        for (declared, shape, frames) in [
            (&[Some(1), Some(960)][..], &[1, 960][..], 1),
            (&[None, Some(960)], &[1, 960], 1),
            (&[Some(1), None], &[1, 48_000], 50),
            (&[None, Some(1), None], &[1, 1, 48_000], 50),
            (&[Some(1), Some(1), Some(960)], &[1, 1, 960], 1),
            (&[Some(1), Some(1), Some(9600)], &[1, 1, 9600], 10),
            (&[Some(1), None, Some(960)], &[1, 50, 960], 50),
            (&[Some(25), Some(960)], &[25, 960], 25),
            (&[None], &[48_000], 50),
            (&[Some(1), Some(1), Some(960), None], &[1, 1, 960, 50], 50),
        ] {
            let intake = samples(declared, 50).unwrap();
            assert_eq!((intake.shape(), intake.frames()), (shape, frames), "{declared:?}");
            assert_eq!(intake.columns, shape.len() == 4);
        }
        let none = Intake::new(InputKind::Samples960, None, 50).unwrap();
        assert_eq!(none.shape(), [1, 1, 960, 50]);
    }

    #[test]
    fn other_shapes_are_refused_with_what_is_possible() {
        for (declared, words) in [
            (&[Some(1), Some(80)][..], "80 numbers"),
            (&[Some(1), Some(0)], "nothing"),
            (&[Some(1), Some(usize::MAX), Some(3)], "too much"),
            (&[Some(1), None, None], "more than one"),
            (&[Some(1), None, Some(961)], "does not fit"),
            (&[Some(1), Some(7 * 960)], "multiple of it"),
        ] {
            let error = samples(declared, 50).unwrap_err();
            assert!(error.contains(words) && error.contains("[1, 960 N]"), "{declared:?}: {error}");
        }
    }

    #[test]
    fn columns_are_turned_and_samples_are_not() {
        let numbers: Vec<f32> = (0..6).map(|n| n as f32).collect();
        let turned = Intake { shape: vec![1, 1, 2, 3], frames: 3, columns: true };
        let tensor = turned.tensor(&numbers, 2).unwrap();
        assert_eq!(
            tensor.to_plain_array_view::<f32>().unwrap().as_slice().unwrap(),
            [0., 2., 4., 1., 3., 5.]
        );
        let flat = Intake { shape: vec![1, 6], frames: 3, columns: false };
        let tensor = flat.tensor(&numbers, 2).unwrap();
        assert_eq!(tensor.to_plain_array_view::<f32>().unwrap().as_slice().unwrap(), numbers);
        assert!(flat.tensor(&numbers[..4], 2).is_err());
    }
}
