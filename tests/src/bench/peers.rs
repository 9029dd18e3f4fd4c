//! The same network in other engines: tract in this process, ONNX Runtime and LiteRT in a Python beside it.

use super::rounds::Case;
use super::stages::WINDOW;
use anyhow::Result;
use idiom_engine::Quantization;
use idiom_engine::model::{Model, shipped};
use idiom_lab::optimize::peers::{Peers, Subject};
use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use tract_onnx::prelude::*;

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

/// One window in every engine that `python` has, then what was left out and what answers otherwise.
pub fn python(
    python: &Path,
    models: &[(Quantization, Model)],
) -> Result<(Vec<Case>, Vec<String>, Vec<String>)> {
    let subjects: Vec<_> = models
        .iter()
        .map(|(quantization, model)| Subject { label: quantization.label().to_owned(), model, file: None })
        .collect();
    let peers = Peers::start(python, WINDOW, &subjects)?;
    let (remarks, notes) = (peers.remarks().to_vec(), peers.notes().to_vec());
    let names: Vec<String> =
        peers.cases().iter().map(|case| format!("{}, {}", case.engine, case.label)).collect();
    let peers = Rc::new(RefCell::new(peers));
    let cases = names.into_iter().enumerate().map(|(index, name)| {
        let peers = Rc::clone(&peers);
        Case::external(name, move || peers.borrow_mut().ask(index))
    });
    Ok((cases.collect(), remarks, notes))
}
