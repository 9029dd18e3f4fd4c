//! The same networks in other engines: a Python beside this process, with ONNX Runtime for ONNX files and LiteRT for TFLite
//! files, that measures one window of a file on one thread when it is asked.
//!
//! A time means something only for the same answers, so each file's are compared with the executor's first. What is further
//! away than [`SAME`] is measured too, and noted with how far; what is further away than [`ALIKE`] is another network, and left
//! out.

use super::ending;
use anyhow::{Context, Result, bail};
use idiom_engine::model::{Format, Model, onnx_write, tflite_write, windowed};
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The script; it says what it can measure and then waits to be asked.
const SCRIPT: &str = include_str!("peers.py");
/// Probabilities that differ by no more are the same answer: the bound within which FP32 and INT8 are tested to agree.
const SAME: f32 = 1e-5;
/// Probabilities that differ by no more are of the same network, computed less exactly.
const ALIKE: f32 = 0.25;

/// A network to measure.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// What its cases are labelled by.
    pub label: String,
    /// The network.
    pub model: &'a Model,
    /// The file it came from, if any. The other format is written for the occasion.
    pub file: Option<&'a Path>,
}

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
    notes: Vec<String>,
}

impl Peers {
    /// Starts `python` with each network as an ONNX and as a TFLite file, and windows of `frames` frames.
    ///
    /// # Errors
    /// When the program cannot be run or says something else than it should, or files cannot be written. That it lacks an
    /// engine, or that an engine or a format does not hold a network, is no error but a remark.
    pub fn start(python: &Path, frames: usize, subjects: &[Subject<'_>]) -> Result<Peers> {
        // The script has read all files when it is ready.
        let folder = tempfile::tempdir().context("no folder for the files")?;
        let mut command = Command::new(python);
        command.args(["-c", SCRIPT, &frames.to_string(), &SAME.to_string(), &ALIKE.to_string()]);
        let mut remarks = Vec::new();
        for (number, subject) in subjects.iter().enumerate() {
            let answer =
                windowed::run(subject.model, &window(subject.model.meta.features.rows(), frames), frames);
            let answer: Vec<String> = answer.probabilities.iter().map(f32::to_string).collect();
            for (engine, format) in [("ONNX Runtime", Format::Onnx), ("LiteRT", Format::Tflite)] {
                match file(subject, format, &folder.path().join(number.to_string())) {
                    Ok(path) => _ = command.arg(&subject.label).arg(path).arg(answer.join(",")),
                    Err(error) => remarks.push(format!("{engine}, {}: {error:#}", subject.label)),
                }
            }
        }
        let mut peers = Peers::run(command)?;
        peers.remarks.splice(0..0, remarks);
        Ok(peers)
    }

    /// Starts a program that speaks as the script does: `case ENGINE, LABEL`, `skip WHY` and `note WHAT`, then `ready -`, and
    /// after that microseconds for each number of a case.
    ///
    /// # Errors
    /// When it cannot be run or says something else.
    pub fn run(mut command: Command) -> Result<Peers> {
        let program = command.get_program().to_string_lossy().into_owned();
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = pipes.spawn().with_context(|| format!("cannot run {program}"))?;
        let questions = child.stdin.take().context("no way in")?;
        let answers = BufReader::new(child.stdout.take().context("no way out")?);
        let (cases, remarks, notes) = (Vec::new(), Vec::new(), Vec::new());
        let mut peers = Peers { child, questions, answers, cases, remarks, notes };
        loop {
            match peers.line()?.split_once(' ') {
                Some(("case", name)) => {
                    let (engine, label) = name.split_once(", ").unwrap_or((name, ""));
                    peers.cases.push(Case { engine: engine.to_owned(), label: label.to_owned() });
                }
                Some(("skip", why)) => peers.remarks.push(why.to_owned()),
                Some(("note", what)) => peers.notes.push(what.to_owned()),
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

    /// What is measured though it does not give the same answers, and how far these are away.
    pub fn notes(&self) -> &[String] {
        &self.notes
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

/// The window that is answered and measured, frame by frame. The script makes the same: eighths, so that both have the same
/// numbers to the bit.
fn window(rows: usize, frames: usize) -> Vec<f32> {
    let value = |i: usize| ((7 * (i % rows) + 3 * (i / rows)) % 33) as f32 / 8.0 - 2.0;
    (0..rows * frames).map(value).collect()
}

/// The network in this format: its own file, or one that is written to `path` with the format's ending.
fn file(subject: &Subject<'_>, format: Format, path: &Path) -> Result<OsString> {
    let own = subject.file.filter(|file| file.extension().is_some_and(|end| end == ending(format)));
    if let Some(own) = own {
        return Ok(own.into());
    }
    let bytes = match format {
        Format::Onnx => onnx_write::write(subject.model)?,
        Format::Tflite => tflite_write::write(subject.model)?,
    };
    let path = path.with_extension(ending(format));
    std::fs::write(&path, bytes).with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(path.into())
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
    use idiom_engine::model::random;
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

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
            "echo 'case Some Engine 1.2, 0'; echo 'skip Other Engine, 0: ImportError'; echo 'note differs'; echo 'ready -'
            while read case; do echo \"1$case.5\"; done";
        let mut peers = Peers::start(&stand_in(folder.path(), speaks), 150, &[]).unwrap();
        assert_eq!(peers.cases(), [Case { engine: "Some Engine 1.2".into(), label: "0".into() }]);
        assert_eq!(peers.remarks(), ["Other Engine, 0: ImportError"]);
        assert_eq!(peers.notes(), ["differs"]);
        assert_eq!((peers.ask(0).unwrap(), peers.ask(7).unwrap()), (10.5, 17.5));
        assert!(Peers::start(&stand_in(folder.path(), "echo hello"), 150, &[]).is_err());
        assert!(Peers::start(&folder.path().join("no python"), 150, &[]).is_err());
    }

    /// Both formats are handed over with the executor's answer, the network's own file where it has one.
    #[test]
    fn each_network_goes_to_both_engines_as_a_file_of_theirs() {
        let folder = tempfile::tempdir().unwrap();
        // Says its arguments but the script.
        let speaks = "shift 2; for a in \"$@\"; do echo \"note $a\"; done; echo 'ready -'; read case";
        let (plain, mixed) = (random::flagship(3), random::mixed(4, |layer| layer < 2));
        let own = folder.path().join("mine.onnx");
        let subjects = [
            Subject { label: "plain".into(), model: &plain, file: Some(&own) },
            Subject { label: "mixed".into(), model: &mixed, file: None },
        ];
        let peers = Peers::start(&stand_in(folder.path(), speaks), 40, &subjects).unwrap();
        let said = peers.notes();
        assert_eq!(said.len(), 3 + 4 * 3, "{said:?}");
        assert_eq!((said[0].as_str(), said[4].as_str()), ("40", own.to_str().unwrap()));
        assert!(said[7].ends_with("0.tflite") && said[10].ends_with("1.onnx"), "{said:?}");
        let total: f32 = said[5].split(',').map(|p| p.parse::<f32>().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-4, "{said:?}");
        assert!(said[13].ends_with("1.tflite") && peers.remarks().is_empty(), "{said:?}");
    }
}
