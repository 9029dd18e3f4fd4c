//! The classic way: the last three seconds' MFCCs boiled down to a few statistics, and a linear model on them.
//!
//! What a network falls back to when its file cannot be used. Tzanetakis and Cook (2002, "Musical Genre Classification of
//! Audio Signals") told genres apart by means and deviations of MFCCs; here the size of their steps joins in, for rhythm.
//!
//! Everything is allocated in [`Classic::new`]; [`Classic::push`] only computes.

use super::features::level::SILENCE_DBFS;
use super::features::{Features, MFCCS};
use crate::model::classic::ClassicModel;
use std::sync::Arc;

/// Frames that the statistics are taken over: 3 s.
pub const WINDOW_FRAMES: usize = 150;
/// Frames with sound before there is an answer other than "anything": 0.5 s.
pub const FIRST_FRAMES: usize = 25;
/// Frames over which steps are measured: one, and a tenth of a second.
pub const STEPS: [usize; 2] = [1, 5];
/// Numbers that the model looks at: of each coefficient the mean, the standard deviation and the RMS of each of [`STEPS`],
/// each kind for all coefficients before the next.
pub const STATISTICS: usize = (2 + STEPS.len()) * MFCCS;

/// See the [module](self).
#[derive(Clone, Debug)]
pub struct Classic {
    model: Arc<ClassicModel>,
    /// The last frames' coefficients, a ring.
    frames: Box<[[f32; MFCCS]; WINDOW_FRAMES]>,
    /// Frames that are kept, and where the next one goes.
    kept: usize,
    next: usize,
    statistics: [f32; STATISTICS],
    probabilities: Vec<f32>,
}

impl Classic {
    /// With a model, nothing heard. Allocates.
    pub fn new(model: Arc<ClassicModel>) -> Classic {
        let classes = model.meta.classes.len();
        Classic {
            model,
            frames: Box::new([[0.0; MFCCS]; WINDOW_FRAMES]),
            kept: 0,
            next: 0,
            statistics: [0.0; STATISTICS],
            probabilities: vec![1.0 / classes as f32; classes],
        }
    }

    /// The model.
    pub fn model(&self) -> &ClassicModel {
        &self.model
    }

    /// Takes in one frame and gives one probability a class. Silence changes nothing.
    pub fn push(&mut self, features: &Features) -> &[f32] {
        if features.level_dbfs.is_nan() || features.level_dbfs < SILENCE_DBFS {
            return &self.probabilities;
        }
        if let Some(frame) = self.frames.get_mut(self.next) {
            *frame = features.mfcc;
        }
        self.next = (self.next + 1) % WINDOW_FRAMES;
        self.kept = (self.kept + 1).min(WINDOW_FRAMES);
        if self.kept >= FIRST_FRAMES {
            self.measure();
            self.model.probabilities(&self.statistics, &mut self.probabilities);
        }
        &self.probabilities
    }

    /// The statistics that the last answer was given by.
    pub fn statistics(&self) -> &[f32; STATISTICS] {
        &self.statistics
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        (self.kept, self.next) = (0, 0);
        self.statistics = [0.0; STATISTICS];
        let uniform = 1.0 / self.probabilities.len() as f32;
        self.probabilities.fill(uniform);
    }

    /// From all frames that are kept, anew for every frame: no error can add up.
    fn measure(&mut self) {
        let first = self.next + WINDOW_FRAMES - self.kept;
        let frame = |index: usize| &self.frames[(first + index) % WINDOW_FRAMES];
        let mut sums = [[0.0_f32; MFCCS]; 2 + STEPS.len()];
        let [mean, deviation, steps @ ..] = &mut sums;
        for index in 0..self.kept {
            for (mean, x) in mean.iter_mut().zip(frame(index)) {
                *mean += x / self.kept as f32;
            }
        }
        for index in 0..self.kept {
            let now = frame(index);
            for k in 0..MFCCS {
                let off = now[k] - mean[k];
                deviation[k] += off * off / self.kept as f32;
            }
            for (sums, step) in steps.iter_mut().zip(STEPS) {
                if index >= step {
                    let (before, count) = (frame(index - step), (self.kept - step) as f32);
                    for k in 0..MFCCS {
                        let change = now[k] - before[k];
                        sums[k] += change * change / count;
                    }
                }
            }
        }
        deviation.iter_mut().chain(steps.iter_mut().flatten()).for_each(|square| *square = square.sqrt());
        self.statistics.iter_mut().zip(sums.as_flattened()).for_each(|(out, value)| *out = *value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genre::Genre;

    fn model() -> Arc<ClassicModel> {
        Arc::new(ClassicModel::read(crate::model::shipped::classic()).expect("the shipped model is read"))
    }

    fn frame(level_dbfs: f32, value: impl Fn(usize) -> f32) -> Features {
        Features { mfcc: std::array::from_fn(value), level_dbfs, ..Features::default() }
    }

    #[test]
    fn statistics_are_those_counted_by_hand() {
        let mut classic = Classic::new(model());
        // Coefficient k alternates between k and -k; the ring is passed several times.
        for index in 0..WINDOW_FRAMES * 3 + 7 {
            classic.push(&frame(-20.0, |k| if index % 2 == 0 { k as f32 } else { -(k as f32) }));
        }
        for k in 0..MFCCS {
            let of = |kind: usize| classic.statistics()[kind * MFCCS + k];
            let wanted = [0.0, k as f32, 2.0 * k as f32, 2.0 * k as f32];
            for (kind, wanted) in wanted.into_iter().enumerate() {
                assert!((of(kind) - wanted).abs() < 1e-4, "{kind} of {k}: {}", of(kind));
            }
        }
    }

    #[test]
    fn nothing_is_claimed_of_silence_or_in_the_first_half_second() {
        let mut classic = Classic::new(model());
        let uniform = [1.0 / Genre::ALL.len() as f32; Genre::ALL.len()];
        for _ in 0..200 {
            assert_eq!(classic.push(&frame(-90.0, |_| 1.0)), uniform);
        }
        for _ in 0..FIRST_FRAMES - 1 {
            assert_eq!(classic.push(&frame(-20.0, |k| k as f32)), uniform);
        }
        let first = classic.push(&frame(-20.0, |k| k as f32)).to_vec();
        assert_ne!(first, uniform);
        assert!((first.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(classic.push(&frame(f32::NAN, |_| 1.0)), first, "silence holds the answer");
        classic.reset();
        assert_eq!(classic.push(&frame(-20.0, |k| k as f32)), uniform);
    }
}
