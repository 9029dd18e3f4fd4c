//! Interleaved rounds: every case is measured once a round, so that a machine's moods hit all alike.

use anyhow::{Context, Result};
use std::time::Instant;

/// One thing to measure.
pub struct Case {
    /// Name in the table.
    pub name: String,
    /// Gives the cost of one unit (a frame, a block, a window) in microseconds.
    measure: Box<dyn FnMut() -> Result<f64>>,
    costs: Vec<f64>,
}

impl Case {
    /// A case that runs `work` `repeats` times a round; one run of it does `units` units.
    pub fn new(
        name: impl Into<String>,
        repeats: usize,
        units: usize,
        mut work: impl FnMut() + 'static,
    ) -> Case {
        Case::external(name, move || {
            let started = Instant::now();
            for _ in 0..repeats {
                work();
            }
            Ok(started.elapsed().as_secs_f64() * 1e6 / (repeats * units) as f64)
        })
    }

    /// A case that measures itself.
    pub fn external(name: impl Into<String>, measure: impl FnMut() -> Result<f64> + 'static) -> Case {
        Case { name: name.into(), measure: Box::new(measure), costs: Vec::new() }
    }

    /// Median cost in microseconds.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Cost that a share `q` of the rounds does not exceed, in microseconds.
    pub fn quantile(&self, q: f64) -> f64 {
        let mut sorted = self.costs.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
    }
}

/// Measures all cases, round by round; the first round only warms up.
pub fn run(cases: &mut [Case], rounds: usize, mut progress: impl FnMut(usize)) -> Result<()> {
    for round in 0..=rounds {
        for case in cases.iter_mut() {
            let cost = (case.measure)().with_context(|| format!("cannot measure {}", case.name))?;
            if round > 0 {
                case.costs.push(cost);
            }
        }
        progress(round);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_measured_in_every_round_and_the_first_round_does_not_count() {
        let mut calls = 0.0;
        let mut cases = [
            Case::external("counting", move || {
                calls += 1.0;
                Ok(calls)
            }),
            Case::new("work", 2, 5, || ()),
        ];
        run(&mut cases, 3, |_| ()).unwrap();
        assert_eq!(cases[0].costs, [2.0, 3.0, 4.0]);
        assert_eq!((cases[0].median(), cases[0].quantile(1.0), cases[0].quantile(0.0)), (3.0, 4.0, 2.0));
        assert_eq!(cases[1].costs.len(), 3);
    }
}
