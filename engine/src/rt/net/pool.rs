//! The average of the logits over the last frames, and the probabilities it means.

/// Fixed-point steps per unit of an FP32 logit. Sums of whole numbers neither drift nor round, however long a stream.
const STEPS: f64 = (1u64 << 30) as f64;
/// Larger logits count as this large; with [`crate::model::MAX_POOL_FRAMES`] of them a sum fits 64 bits.
const LARGEST_LOGIT: f32 = 65536.0;

/// A moving average in whole numbers.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    /// The last `frames` frames, `classes` numbers each.
    past: Vec<i64>,
    sums: Vec<i64>,
    /// Where in `past` the next frame goes.
    next: usize,
    /// How many frames the sums hold.
    held: usize,
    frames: usize,
    /// Size of one step.
    unit: f64,
    probabilities: Vec<f32>,
}

impl Pool {
    /// An average over `frames` frames of whole numbers that count steps of `unit`; none for FP32 logits.
    pub fn new(classes: usize, frames: usize, unit: Option<f32>) -> Self {
        let mut pool = Self {
            past: vec![0; classes * frames],
            sums: vec![0; classes],
            next: 0,
            held: 0,
            frames,
            unit: unit.map_or(1.0 / STEPS, f64::from),
            probabilities: vec![0.0; classes],
        };
        pool.reset();
        pool
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.past[..])
    }

    /// An FP32 logit in steps. What is no number is 0.
    pub fn steps(logit: f32) -> i64 {
        (f64::from(logit.clamp(-LARGEST_LOGIT, LARGEST_LOGIT)) * STEPS) as i64
    }

    /// One more frame.
    pub fn push(&mut self, steps: impl Iterator<Item = i64>) {
        let classes = self.sums.len();
        let slot = self.past.get_mut(self.next * classes..).unwrap_or_default();
        for ((sum, past), new) in self.sums.iter_mut().zip(slot).zip(steps) {
            *sum += new - *past;
            *past = new;
        }
        self.next = if self.next + 1 >= self.frames { 0 } else { self.next + 1 };
        self.held = (self.held + 1).min(self.frames);
        self.softmax();
    }

    fn softmax(&mut self) {
        let top = self.sums.iter().copied().max().unwrap_or(0);
        let unit = self.unit / self.held.max(1) as f64;
        let mut total = 0.0;
        for (p, sum) in self.probabilities.iter_mut().zip(&self.sums) {
            *p = (((sum - top) as f64 * unit) as f32).exp();
            total += *p;
        }
        // The likeliest contributed exp(0) = 1, so the total is never 0.
        self.probabilities.iter_mut().for_each(|p| *p /= total);
    }

    /// One probability a class; all alike before the first frame.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.past.fill(0);
        self.sums.fill(0);
        (self.next, self.held) = (0, 0);
        self.softmax();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_is_that_of_the_last_frames_and_stays_exact() {
        let mut pool = Pool::new(2, 3, Some(0.5));
        assert_eq!(pool.probabilities(), [0.5, 0.5]);
        let logits = |i: i64| [i * 7 % 13, i * 5 % 11 - 5];
        for i in 0..100_000 {
            pool.push(logits(i).into_iter());
        }
        let mean = |k: usize| (99_997..100_000).map(|i| logits(i)[k] as f64 * 0.5).sum::<f64>() / 3.0;
        let expected = 1.0 / (1.0 + (mean(1) - mean(0)).exp());
        assert!((f64::from(pool.probabilities()[0]) - expected).abs() < 1e-6);
    }

    #[test]
    fn absurd_logits_give_probabilities_all_the_same() {
        let mut pool = Pool::new(3, 4096, None);
        for _ in 0..5000 {
            pool.push([f32::INFINITY, f32::NAN, f32::NEG_INFINITY].map(Pool::steps).into_iter());
            assert!(pool.probabilities().iter().all(|p| (0.0..=1.0).contains(p)));
        }
        assert_eq!(pool.probabilities(), [1.0, 0.0, 0.0]);
    }
}
