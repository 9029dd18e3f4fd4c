//! `idiom selftest`: does everything work on this machine?

use crate::interrupt;
use crate::selftest::{self, CHECKS};
use anyhow::{Result, bail};

/// Check that everything works on this machine, in some seconds
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom selftest                     a line a check, with the time it took
  idiom selftest --json > report.json

Twelve checks do the real thing on a small scale: optimizer, factory content and mixer are there, configuration,
synthetic data, features, models, backends, the cache, speed, the optimization pipeline, and the mix. They need no
files. At the end stands what the instance cost whose speed was checked, stage by stage. Exit code 1 when one fails.")]
pub struct Args {
    /// Print JSON instead of lines
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let report = selftest::run(&CHECKS, |outcome| {
        if !args.json {
            println!("{outcome}");
        }
        Ok(interrupt::check()?)
    })?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    let failed: Vec<&str> =
        report.checks.iter().filter(|check| !check.passed).map(|check| check.name.as_str()).collect();
    if !failed.is_empty() {
        bail!("{} of {} checks failed: {}", failed.len(), report.checks.len(), failed.join(", "));
    }
    if !args.json {
        let seconds: f64 = report.checks.iter().map(|check| check.seconds).sum();
        println!("all {} checks passed in {seconds:.1} s", report.checks.len());
        for metrics in report.checks.iter().filter_map(|check| check.metrics) {
            println!("\n{metrics}");
        }
    }
    Ok(())
}
