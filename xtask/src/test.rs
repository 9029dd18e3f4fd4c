//! `cargo xtask test`: everything, in one profile, with a summary of what was left out and why.

use crate::bundles;
use crate::run::{Place, cargo, heading, only, output, run, shown, wants_help};
use crate::standalone;
use crate::system::{Need, ensure};
use crate::window;
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HELP: &str = "\
cargo xtask test

Builds everything in the test profile, bundles the plugin and runs all tests: unit tests, the built bundles in
hosts, Ardour and Qtractor, the window on a screen that nobody sees, the real-time sanitizer, the standalone program,
and comparisons with reference implementations.
What cannot run here is left out and named at the end with its reason.

  IDIOM_AUDIO_DIR=DIR   also checks genres on real recordings in DIR/<genre>/*
  PYTHON=PROGRAM        Python to make the reference environment with (python3)
";

/// What happened so far.
pub struct Report {
    started: Instant,
    /// Steps that ran: name, how long, whether it passed.
    steps: Vec<(String, Duration, bool)>,
    /// Parts that were left out: name and reason.
    skipped: Vec<(String, String)>,
}

impl Report {
    /// Nothing happened yet.
    pub fn new() -> Report {
        Report { started: Instant::now(), steps: Vec::new(), skipped: Vec::new() }
    }

    /// Does a part of the test and notes how it went; `None` when it failed.
    pub fn step<T>(&mut self, name: &str, work: impl FnOnce(&mut Report) -> Result<T>) -> Option<T> {
        heading(name);
        let started = Instant::now();
        let result = work(self);
        if let Err(error) = &result {
            eprintln!("\nerror: {error:#}");
        }
        self.steps.push((name.to_string(), started.elapsed(), result.is_ok()));
        result.ok()
    }

    /// Notes that a part is left out.
    pub fn skip(&mut self, name: &str, reason: impl std::fmt::Display) {
        println!("SKIPPED {name}: {reason}");
        self.skipped.push((name.to_string(), reason.to_string()));
    }

    /// Says how it went.
    ///
    /// # Errors
    /// When a step failed.
    pub fn finish(self) -> Result<()> {
        heading("Summary");
        for (name, took, passed) in &self.steps {
            println!("{} {:>7.1} s  {name}", if *passed { "passed" } else { "FAILED" }, took.as_secs_f64());
        }
        for (name, reason) in &self.skipped {
            println!("skipped            {name}: {reason}");
        }
        let minutes = self.started.elapsed().as_secs_f64() / 60.0;
        let failed = self.steps.iter().filter(|step| !step.2).count();
        if failed > 0 {
            bail!("{failed} of {} steps failed, after {minutes:.1} minutes", self.steps.len());
        }
        println!(
            "All {} steps passed in {minutes:.1} minutes, {} parts skipped.",
            self.steps.len(),
            self.skipped.len()
        );
        Ok(())
    }
}

/// Environment that the tests read.
pub type Environment = Vec<(&'static str, PathBuf)>;

/// `cargo xtask test`
pub fn test(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{HELP}");
        return Ok(());
    }
    only(args, &[], HELP)?;
    ensure(&[Need::Compiler, Need::CMake])?;
    let mut report = Report::new();
    let mut environment = Environment::new();
    sanitizer(&mut environment, &mut report);
    match ensure(&[Need::Python]).and_then(|()| crate::python::environment(place)) {
        Ok(python) => {
            report.step("Lint the release workflow", |_| {
                let schema = ["-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"];
                run(Command::new(&python).args(schema).arg(".github/workflows/release.yml"))
            });
            environment.push(("IDIOM_PYTHON", python));
        }
        Err(error) => report.skip("comparison with reference implementations", format!("{error:#}")),
    }

    let _screens = crate::daw::prepare(&mut environment);
    report.step("Commands: tests of xtask itself", |_| run(cargo().args(["test", "--quiet", "-p", "xtask"])));
    let bundles = report.step("Build everything and bundle the plugin", |_| {
        run(workspace("build", &environment).args(["--all-targets"]))?;
        bundles::test_bundles(place)
    });
    if let Some(bundles) = bundles {
        environment.push(("IDIOM_CLAP", bundles.clap_library()));
        environment.push(("IDIOM_VST3", bundles.vst3_library()));
        report.step("Tests of the workspace and of the built bundles", |report| suite(&environment, report));
        window::test(place, &environment, &mut report);
        standalone::test(place, &environment, &mut report);
    }
    report.finish()
}

/// A cargo command over all packages but this one, always with the same features, so that nothing is built twice.
pub fn workspace(command: &str, environment: &Environment) -> Command {
    let mut cargo = cargo();
    cargo.args([command, "--workspace", "--exclude", "xtask"]).envs(environment.iter().cloned());
    cargo
}

/// Rust ships the runtime of the real-time sanitizer; the tests link it when told where it is.
pub fn sanitizer(environment: &mut Environment, report: &mut Report) {
    let part = "real-time sanitizer over the CLAP process path";
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return report.skip(part, "set up for x86-64 Linux only");
    }
    let runtime = output("rustc", &["--print", "target-libdir"]).and_then(|dir| {
        let mut files = std::fs::read_dir(dir).ok()?.flatten().map(|entry| entry.path());
        files.find(|path| path.to_string_lossy().ends_with("_rt.rtsan.a"))
    });
    match runtime {
        Some(path) => {
            environment.push(("RTSAN_ENABLE", "1".into()));
            environment.push(("RTSAN_LIB_PATH", path));
        }
        None => {
            report.skip(part, "this Rust comes without the sanitizer's runtime; the one from rustup has it")
        }
    }
}

/// Runs all tests, shows their lines, and collects what they say they skipped.
fn suite(environment: &Environment, report: &mut Report) -> Result<()> {
    let mut cargo = workspace("test", environment);
    cargo.args(["--no-fail-fast", "--", "--show-output"]).stdin(Stdio::null()).stdout(Stdio::piped());
    let shown = shown(&cargo);
    let mut child = cargo.spawn().with_context(|| format!("cannot run `{shown}`"))?;
    let mut filter = Filter::default();
    for line in BufReader::new(child.stdout.take().context("no output")?).lines() {
        let line = String::from_utf8_lossy(line?.as_bytes()).into_owned();
        if let Some((name, reason)) = skipped(&line) {
            report.skip(name, reason);
        }
        if filter.shows(&line) {
            println!("{line}");
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// A test that leaves something out prints `SKIPPED: name: reason`.
fn skipped(line: &str) -> Option<(&str, &str)> {
    line.trim().strip_prefix("SKIPPED:")?.trim().split_once(':').map(|(name, why)| (name.trim(), why.trim()))
}

/// Hides what passing tests print; it was asked for only to find the skipped parts in it.
#[derive(Default)]
struct Filter {
    inside_successes: bool,
}

impl Filter {
    fn shows(&mut self, line: &str) -> bool {
        if line == "successes:" {
            self.inside_successes = true;
        } else if line == "failures:" || line.starts_with("test result:") {
            self.inside_successes = false;
        }
        !self.inside_successes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skipped_part_is_found_with_its_reason() {
        assert_eq!(
            skipped("  SKIPPED: real audio: no folder: none"),
            Some(("real audio", "no folder: none"))
        );
        assert_eq!(skipped("test a ... ok"), None);
    }

    #[test]
    fn what_passing_tests_print_is_hidden_and_what_failing_ones_print_is_shown() {
        let mut filter = Filter::default();
        let lines = [
            "test a ... ok",
            "successes:",
            "---- a stdout ----",
            "noise",
            "failures:",
            "panic",
            "test result: FAILED.",
        ];
        let shown: Vec<&str> = lines.into_iter().filter(|line| filter.shows(line)).collect();
        assert_eq!(shown, ["test a ... ok", "failures:", "panic", "test result: FAILED."]);
    }
}
