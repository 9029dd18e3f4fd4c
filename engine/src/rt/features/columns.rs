//! The columns that a model gets, for whoever plays one without an engine: workshop, measurements, tests.

use super::samples::Samples;
use super::{Features, FrontEnd};
use crate::model::InputKind;
use crate::rt::recognizer::column;

/// Mono frames in, columns of one kind out.
pub struct Columns {
    front: FrontEnd,
    samples: Samples,
    input: InputKind,
}

impl Columns {
    /// For a sample rate in Hz. Allocates.
    pub fn new(input: InputKind, sample_rate: f32) -> Columns {
        let front = FrontEnd::new(sample_rate);
        Columns { samples: Samples::new(front.hop()), front, input }
    }

    /// Samples in a frame.
    pub fn hop(&self) -> usize {
        self.front.hop()
    }

    /// Takes in one frame; gives what it sounds like, and the column.
    pub fn push(&mut self, frame: &[f32]) -> (&Features, &[f32]) {
        let features = self.front.push(frame);
        let samples = if self.input == InputKind::Samples960 {
            self.samples.push(frame);
            self.samples.column()
        } else {
            &[]
        };
        (features, column(self.input, features, samples))
    }

    /// All columns of a sound from a fresh start, frame after frame. What is left after the last whole frame is left out.
    pub fn of_sound(input: InputKind, mono: &[f32], sample_rate: f32) -> Vec<f32> {
        let mut columns = Columns::new(input, sample_rate);
        let frames = mono.chunks_exact(columns.hop());
        frames.flat_map(|frame| columns.push(frame).1.to_vec()).collect()
    }
}
