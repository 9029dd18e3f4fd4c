//! What recognition cost lately, and what each backend cost while it ran.

use idiom_engine::metrics::{BUCKETS, percentile};
use idiom_engine::{Backend, Quantization};
use std::collections::VecDeque;

/// How far the picture of costs looks back, in seconds.
const BACK_S: u32 = 30;
/// Frames that a backend has to play before its cost is known: two seconds.
const ENOUGH: u64 = 100;

/// What a backend cost here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Which.
    pub backend: Backend,
    /// In which arithmetic.
    pub quantization: Quantization,
    /// Median cost of a frame in nanoseconds.
    pub p50_ns: u64,
}

type Counts = [u64; BUCKETS];

/// Looks at the counts of an instance again and again.
#[derive(Debug, Default)]
pub struct Watch {
    /// Counts of the last half minute, one a second, the oldest first.
    past: VecDeque<(f64, Counts)>,
    /// What runs, and the counts when it was first seen.
    running: Option<((Backend, Quantization), Counts)>,
    costs: Vec<Seen>,
}

impl Watch {
    /// At a time in seconds: how often a frame took how long since the instance was made, and what runs. Returns how often
    /// in the last half minute.
    pub fn update(&mut self, now_s: f64, counts: &Counts, running: (Backend, Quantization)) -> Vec<u64> {
        if self.past.back().is_none_or(|(then, _)| now_s - then >= 1.0 || now_s < *then) {
            self.past.push_back((now_s, *counts));
        }
        while self.past.len() > BACK_S as usize + 1 {
            self.past.pop_front();
        }
        match &self.running {
            Some((known, first)) if *known == running => {
                let since = difference(counts, first);
                if since.iter().sum::<u64>() >= ENOUGH && running.0 != Backend::Auto {
                    self.costs.retain(|seen| (seen.backend, seen.quantization) != running);
                    let (backend, quantization) = running;
                    self.costs.push(Seen { backend, quantization, p50_ns: percentile(&since, 0.5) });
                }
            }
            _ => self.running = Some((running, *counts)),
        }
        let oldest = self.past.front().map_or([0; BUCKETS], |(_, counts)| *counts);
        difference(counts, &oldest).to_vec()
    }

    /// What backends cost so far.
    pub fn costs(&self) -> &[Seen] {
        &self.costs
    }
}

fn difference(now: &Counts, then: &Counts) -> Counts {
    std::array::from_fn(|i| now[i].saturating_sub(then[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_half_minute_is_shown_and_each_backend_is_timed_by_itself() {
        let mut watch = Watch::default();
        let mut counts = [0; BUCKETS];
        let (fast, slow) = ((Backend::Onnx, Quantization::Int8), (Backend::Spectral, Quantization::Fp32));
        for second in 0..100 {
            let (bucket, running) = if second < 50 { (20, fast) } else { (30, slow) };
            counts[bucket] += 50;
            let shown = watch.update(f64::from(second), &counts, running);
            let total: u64 = shown.iter().sum();
            assert_eq!(total, 50 * u64::from(second.min(30) as u32), "after {second} s");
        }
        let shown = watch.update(100.0, &counts, slow);
        assert_eq!((shown[20], shown[30] > 1_000), (0, true));
        let [first, second] = watch.costs() else { panic!("{:?}", watch.costs()) };
        assert!(first.p50_ns < second.p50_ns && first.backend == Backend::Onnx, "{first:?} {second:?}");
    }
}
