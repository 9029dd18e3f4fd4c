//! The same files in other engines: a Python beside this process, with ONNX Runtime and LiteRT, that measures one window of
//! a file on one thread when it is asked.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The script; it says what it can measure and then waits to be asked.
const SCRIPT: &str = include_str!("peers.py");

/// One file in one engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Name and version of the engine.
    pub engine: String,
    /// The file's label.
    pub label: String,
}

/// What a window takes in another engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerTime {
    /// Name and version of the engine.
    pub engine: String,
    /// Median time of one window in microseconds.
    pub window: f64,
}

/// A Python that waits for questions. It ends with this.
pub struct Peers {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
    cases: Vec<Case>,
    remarks: Vec<String>,
}

impl Peers {
    /// Starts `python` with files, each with a label, and windows of `frames` frames.
    ///
    /// # Errors
    /// When the program cannot be run or says something else than it should. That it lacks an engine, or that an engine does
    /// not run a file, is no error but a remark.
    pub fn start(python: &Path, frames: usize, files: &[(String, PathBuf)]) -> Result<Peers> {
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT, &frames.to_string()]);
        for (label, path) in files {
            command.arg(label).arg(path);
        }
        Peers::run(command)
    }

    /// Starts a program that speaks as the script does: `case ENGINE, LABEL` and `skip WHY`, then `ready -`, and after that
    /// microseconds for each number of a case.
    ///
    /// # Errors
    /// When it cannot be run or says something else.
    pub fn run(mut command: Command) -> Result<Peers> {
        let program = command.get_program().to_string_lossy().into_owned();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().with_context(|| format!("cannot run {program}"))?;
        let questions = child.stdin.take().context("no way in")?;
        let answers = BufReader::new(child.stdout.take().context("no way out")?);
        let mut peers = Peers { child, questions, answers, cases: Vec::new(), remarks: Vec::new() };
        loop {
            match peers.line()?.split_once(' ') {
                Some(("case", name)) => {
                    let (engine, label) = name.rsplit_once(", ").unwrap_or((name, ""));
                    peers.cases.push(Case { engine: engine.to_owned(), label: label.to_owned() });
                }
                Some(("skip", why)) => peers.remarks.push(why.to_owned()),
                Some(("ready", _)) => return Ok(peers),
                other => bail!("{program} said {other:?}"),
            }
        }
    }

    /// What can be asked for.
    pub fn cases(&self) -> &[Case] {
        &self.cases
    }

    /// What cannot be measured, and why.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Microseconds of one window in case number `index`, the median of some runs now.
    ///
    /// # Errors
    /// When the Python has ended or says no number.
    pub fn ask(&mut self, index: usize) -> Result<f64> {
        writeln!(self.questions, "{index}")?;
        self.questions.flush()?;
        let answer = self.line()?;
        answer.parse().with_context(|| format!("the other program said '{answer}'"))
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("the other program ended");
        }
        Ok(line.trim().to_owned())
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// Something that speaks as the script does.
    fn stand_in(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("python");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn cases_remarks_and_times_are_understood() {
        let folder = tempfile::tempdir().unwrap();
        let speaks =
            "echo 'case Some Engine 1.2, 0'; echo 'skip Other Engine, 0: ImportError'; echo 'ready -'
            while read case; do echo \"1$case.5\"; done";
        let mut peers = Peers::start(&stand_in(folder.path(), speaks), 150, &[]).unwrap();
        assert_eq!(peers.cases(), [Case { engine: "Some Engine 1.2".into(), label: "0".into() }]);
        assert_eq!(peers.remarks(), ["Other Engine, 0: ImportError"]);
        assert_eq!((peers.ask(0).unwrap(), peers.ask(7).unwrap()), (10.5, 17.5));
        assert!(Peers::start(&stand_in(folder.path(), "echo hello"), 150, &[]).is_err());
        assert!(Peers::start(&folder.path().join("no python"), 150, &[]).is_err());
    }
}
