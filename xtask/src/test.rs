//! `cargo xtask test`: everything, in one profile, with a summary of what was left out and why.

use crate::bundles::{self, PLUGIN};
use crate::run::{Place, cargo, heading, only, output, run, shown, wants_help};
use crate::system::{Need, ensure};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HELP: &str = "\
cargo xtask test

Builds everything in the test profile, bundles the plugin and runs all tests: unit tests, the built bundles in
hosts, the real-time sanitizer, the standalone program, and comparisons with reference implementations.
What cannot run here is left out and named at the end with its reason.

  IDIOM_AUDIO_DIR=DIR   also checks genres on real recordings in DIR/<genre>/*
  PYTHON=PROGRAM        Python to make the reference environment with (python3)
";

/// What happened so far.
struct Report {
    started: Instant,
    /// Steps that ran: name, how long, whether it passed.
    steps: Vec<(String, Duration, bool)>,
    /// Parts that were left out: name and reason.
    skipped: Vec<(String, String)>,
}

impl Report {
    fn step<T>(&mut self, name: &str, work: impl FnOnce(&mut Report) -> Result<T>) -> Option<T> {
        heading(name);
        let started = Instant::now();
        let result = work(self);
        if let Err(error) = &result {
            eprintln!("\nerror: {error:#}");
        }
        self.steps.push((name.to_string(), started.elapsed(), result.is_ok()));
        result.ok()
    }

    fn skip(&mut self, name: &str, reason: impl std::fmt::Display) {
        println!("SKIPPED {name}: {reason}");
        self.skipped.push((name.to_string(), reason.to_string()));
    }

    fn finish(self) -> Result<()> {
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
type Environment = Vec<(&'static str, PathBuf)>;

/// `cargo xtask test`
pub fn test(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{HELP}");
        return Ok(());
    }
    only(args, &[], HELP)?;
    ensure(&[Need::Compiler, Need::CMake])?;
    let mut report = Report { started: Instant::now(), steps: Vec::new(), skipped: Vec::new() };
    let mut environment = Environment::new();
    sanitizer(&mut environment, &mut report);
    match ensure(&[Need::Python]).and_then(|()| crate::python::environment(place)) {
        Ok(python) => environment.push(("IDIOM_PYTHON", python)),
        Err(error) => report.skip("comparison with reference implementations", format!("{error:#}")),
    }

    report.step("Commands: tests of xtask itself", |_| run(cargo().args(["test", "--quiet", "-p", "xtask"])));
    let bundles = report.step("Build everything and bundle the plugin", |_| {
        run(workspace("build", &environment).args(["--all-targets"]))?;
        bundles::test_bundles(place)
    });
    if let Some(bundles) = bundles {
        environment.push(("IDIOM_CLAP", bundles.clap_library()));
        environment.push(("IDIOM_VST3", bundles.vst3_library()));
        report.step("Tests of the workspace and of the built bundles", |report| suite(&environment, report));
        standalone(place, &environment, &mut report);
    }
    report.finish()
}

/// A cargo command over all packages but this one, always with the same features, so that nothing is built twice.
fn workspace(command: &str, environment: &Environment) -> Command {
    let mut cargo = cargo();
    cargo.args([command, "--workspace", "--exclude", "xtask"]).envs(environment.iter().cloned());
    cargo
}

/// Rust ships the runtime of the real-time sanitizer; the tests link it when told where it is.
fn sanitizer(environment: &mut Environment, report: &mut Report) {
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

/// Builds the standalone program and lets it run for some seconds on a dummy sound card.
fn standalone(place: &Place, environment: &Environment, report: &mut Report) {
    if let Err(error) = ensure(&[Need::Sound]) {
        return report.skip("standalone program", format!("{error:#}"));
    }
    let feature = format!("{PLUGIN}/standalone");
    let built = report.step("Build the standalone program", |_| {
        let mut cargo = workspace("build", environment);
        run(cargo.args(["--features", &feature, "--bin", "idiom-standalone"]))?;
        bundles::forget_standalone_library(place, "debug");
        Ok(())
    });
    if built.is_none() {
        return;
    }
    if let Err(error) = ensure(&[Need::Window, Need::Xvfb]) {
        return report.skip("standalone program's window", format!("{error:#}"));
    }
    report.step("Run the standalone program on a dummy sound card", |_| {
        let screen = Screen::open()?;
        let program = place.program("debug", "idiom-standalone");
        let mut child = Command::new(&program)
            .args(["-b", "dummy"])
            .env("DISPLAY", &screen.name)
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        std::thread::sleep(Duration::from_secs(5));
        if let Some(status) = child.try_wait()? {
            bail!("`{} -b dummy` should run until it is closed, but ended ({status})", program.display());
        }
        child.kill()?;
        child.wait()?;
        println!("it ran for five seconds with its window open");
        Ok(())
    });
}

/// An X server without a screen; ends when dropped.
struct Screen {
    server: std::process::Child,
    name: String,
}

impl Screen {
    fn open() -> Result<Screen> {
        // The server picks a free number itself and writes it to the file descriptor it is given.
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1000x24",
                "+extension",
                "GLX",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run Xvfb")?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().context("no output")?).read_line(&mut line)?;
        if line.trim().is_empty() {
            server.kill().ok();
            server.wait().ok();
            bail!("Xvfb did not start");
        }
        Ok(Screen { server, name: format!(":{}", line.trim()) })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
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
