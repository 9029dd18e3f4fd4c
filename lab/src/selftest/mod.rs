//! The self-test: does everything that this build promises work on this machine?
//!
//! [`CHECKS`] is the list; each check is a function that does the real thing on a small scale and says in a line what it saw.
//! They use no files and no network, and take some seconds together.
//!
//! * [`parts`]: what has to be there: optimizer, factory content, mixer, configuration.
//! * [`material`]: sounds and features.
//! * [`models`]: models and what is made of them.
//! * [`playing`]: the whole engine: backends, cache, speed, mix.

pub mod material;
pub mod models;
pub mod parts;
pub mod playing;

use anyhow::Result;
use idiom_engine::Metrics;
use serde::Serialize;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// One thing to find out.
#[derive(Clone, Copy)]
pub struct Check {
    /// What is checked, in a few words.
    pub name: &'static str,
    /// Does it and says what it saw.
    pub run: fn() -> Result<Seen>,
}

/// What a check saw.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// In a line.
    pub detail: String,
    /// What the instance that it played cost, where that is what it is about.
    pub metrics: Option<Metrics>,
}

impl From<String> for Seen {
    fn from(detail: String) -> Seen {
        Seen { detail, metrics: None }
    }
}

impl From<&str> for Seen {
    fn from(detail: &str) -> Seen {
        detail.to_owned().into()
    }
}

/// Every check, in the order in which one builds on the other.
pub const CHECKS: [Check; 12] = [
    Check { name: "optimizer available", run: parts::optimizer },
    Check { name: "factory available", run: parts::factory },
    Check { name: "mixer available", run: parts::mixer },
    Check { name: "configuration", run: parts::configuration },
    Check { name: "synthetic data", run: material::synthetic_data },
    Check { name: "feature extraction", run: material::feature_extraction },
    Check { name: "model creation", run: models::creation },
    Check { name: "backends", run: playing::backends },
    Check { name: "caching", run: playing::caching },
    Check { name: "inference performance", run: playing::performance },
    Check { name: "optimization pipeline", run: models::optimization },
    Check { name: "mixer integration", run: playing::mixer_integration },
];

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// The check's name.
    pub name: String,
    /// Whether all was as it should be.
    pub passed: bool,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What it saw, or what is wrong.
    pub detail: String,
    /// See [`Seen::metrics`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
}

/// How all checks ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Version of this build.
    pub version: String,
    /// Whether every check passed.
    pub passed: bool,
    /// One a check, in their order.
    pub checks: Vec<Outcome>,
}

/// Runs `checks` one after the other; `done` is called after each. A check that fails does not keep the next ones from
/// running.
///
/// # Errors
/// When `done` says so, which is how the user interrupts.
pub fn run(checks: &[Check], mut done: impl FnMut(&Outcome) -> Result<()>) -> Result<Report> {
    let mut outcomes = Vec::new();
    for check in checks {
        let started = Instant::now();
        let result = catch_unwind(AssertUnwindSafe(check.run))
            .unwrap_or_else(|_| Err(anyhow::anyhow!("it panicked; the message is above")));
        let seconds = started.elapsed().as_secs_f64();
        let (passed, Seen { detail, metrics }) = match result {
            Ok(seen) => (true, seen),
            Err(error) => (false, format!("{error:#}").into()),
        };
        let outcome = Outcome { name: check.name.into(), passed, seconds, detail, metrics };
        done(&outcome)?;
        outcomes.push(outcome);
    }
    let passed = outcomes.iter().all(|outcome| outcome.passed);
    Ok(Report { version: env!("CARGO_PKG_VERSION").into(), passed, checks: outcomes })
}

/// One line.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passed { "passed" } else { "FAILED" };
        write!(f, "{word} {:>7.2} s  {:<22} {}", self.seconds, self.name, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::collections::BTreeSet;

    #[test]
    fn a_check_that_fails_or_panics_fails_the_report_and_the_others_still_run() {
        let fine = Check { name: "fine", run: || Ok("all well".into()) };
        let fails = Check { name: "fails", run: || bail!("something is wrong") };
        let panics = Check { name: "panics", run: || panic!("for the test") };
        let mut seen = vec![];
        let report = run(&[fine, fails, panics, fine], |outcome| {
            seen.push(outcome.passed);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [true, false, false, true]);
        assert!(!report.passed && report.checks[1].detail == "something is wrong");
        assert!(report.checks[1].to_string().starts_with("FAILED"));
        assert!(run(&[fine, fine], |_| Ok(())).unwrap().passed);
        assert!(run(&[fine, fine], |_| bail!("interrupted")).is_err());
    }

    #[test]
    fn the_checks_are_the_twelve_of_the_specification() {
        let names: BTreeSet<&str> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), 12);
    }
}
