//! The same network in other engines: tract in this process, ONNX Runtime and LiteRT in a Python beside it.

use super::rounds::Case;
use super::stages::WINDOW;
use anyhow::{Context, Result, bail};
use idiom_engine::Quantization;
use idiom_engine::model::{Model, shipped};
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use tract_onnx::prelude::*;

/// The script that measures in Python; it says what it can measure and then waits to be asked.
const SCRIPT: &str = include_str!("peers.py");

/// The version in `Cargo.toml`.
const TRACT_VERSION: &str = "0.23";

/// One window in tract.
pub fn tract(quantization: Quantization, model: &Model) -> Result<Case> {
    let rows = model.meta.features.rows();
    let bytes = shipped::flagship(quantization);
    let shape = [1, 1, rows, WINDOW];
    let plan = tract_onnx::onnx()
        .model_for_read(&mut &bytes[..])?
        .with_input_fact(0, f32::fact(shape).into())?
        .into_optimized()?
        .into_runnable()?;
    let input =
        tract_ndarray::Array4::from_shape_fn(shape, |(_, _, row, frame)| ((row * 7 + frame) as f32).sin());
    let input: Tensor = input.into();
    plan.run(tvec!(input.clone().into()))?;
    let name = format!("tract {}, {}", TRACT_VERSION, quantization.label());
    Ok(Case::new(name, 1, 1, move || {
        std::hint::black_box(plan.run(tvec!(input.clone().into())).ok());
    }))
}

/// A Python that waits for questions.
struct Asker {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Asker {
    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("the Python process ended");
        }
        Ok(line.trim().to_string())
    }
}

impl Drop for Asker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// One window in every engine that `python` has; what it lacks comes back as remarks.
pub fn python(python: &Path, folder: &Path) -> Result<(Vec<Case>, Vec<String>)> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut command = Command::new(python);
    command.args(["-c", SCRIPT, &WINDOW.to_string()]);
    for quantization in [Quantization::Fp32, Quantization::Int8] {
        let path = folder.join(format!("flagship.{}.onnx", quantization.label().to_lowercase()));
        std::fs::write(&path, shipped::flagship(quantization))?;
        command.arg(quantization.label()).arg(path);
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", python.display()))?;
    let questions = child.stdin.take().context("no way in")?;
    let answers = BufReader::new(child.stdout.take().context("no way out")?);
    let mut asker = Asker { child, questions, answers };
    let (mut names, mut remarks) = (Vec::new(), Vec::new());
    loop {
        match asker.line()?.split_once(' ') {
            Some(("case", name)) => names.push(name.to_string()),
            Some(("skip", why)) => remarks.push(why.to_string()),
            Some(("ready", _)) => break,
            other => bail!("the Python process said {other:?}"),
        }
    }
    let asker = Rc::new(RefCell::new(asker));
    let cases = names
        .into_iter()
        .enumerate()
        .map(|(index, name)| {
            let asker = Rc::clone(&asker);
            Case::external(name, move || {
                let mut asker = asker.borrow_mut();
                writeln!(asker.questions, "{index}")?;
                asker.questions.flush()?;
                let answer = asker.line()?;
                answer.parse().with_context(|| format!("the Python process said '{answer}'"))
            })
        })
        .collect();
    Ok((cases, remarks))
}
