//! A training run on disk, so that a run that was killed goes on as if nothing had happened.
//!
//! The file is a line of JSON (what the numbers belong to) and then the numbers, 32-bit little-endian: parameters, both
//! moments of the optimizer, the averaged weights and, where there is one, the best averaged weights so far.

use super::net::Parameter;
use super::optimizer::Optimizer;
use crate::files;
use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A look at the validation sounds during training. In single precision, which JSON gives back to the last bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps done.
    pub step: usize,
    /// Mean training loss since the previous point.
    pub loss: f32,
    /// Balanced accuracy per clip on the validation sounds, of the averaged weights.
    pub balanced_accuracy_clip: Option<f32>,
    /// Balanced accuracy per 3 s on the validation sounds.
    pub balanced_accuracy_3s: Option<f32>,
    /// Cross-entropy per 3 s on the validation sounds, in nats.
    pub cross_entropy_3s: Option<f32>,
}

/// Everything that a run goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// Steps done.
    pub step: usize,
    /// Parameters.
    pub parameters: Vec<Parameter>,
    /// The optimizer's state.
    pub optimizer: Optimizer,
    /// Learning curve so far.
    pub curve: Vec<Point>,
    /// Sum and number of losses since the last point.
    pub running: (f32, usize),
    /// Averaged weights at the best point, where early stopping is on.
    pub best: Option<(f32, Vec<Vec<f32>>)>,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
    run: String,
    step: usize,
    lengths: Vec<usize>,
    decays: Vec<bool>,
    curve: Vec<Point>,
    running: (f32, usize),
    best: Option<f32>,
}

impl Checkpoint {
    /// Writes the file whole or not at all. `run` names configuration and data; another run does not go on from it.
    pub fn write(&self, path: &Path, run: &str) -> Result<()> {
        let header = Header {
            format: 1,
            run: run.to_owned(),
            step: self.step,
            lengths: self.parameters.iter().map(|p| p.values.len()).collect(),
            decays: self.parameters.iter().map(|p| p.decays).collect(),
            curve: self.curve.clone(),
            running: self.running,
            best: self.best.as_ref().map(|best| best.0),
        };
        let mut bytes = serde_json::to_vec(&header)?;
        bytes.push(b'\n');
        let parameters = self.parameters.iter().map(|p| &p.values);
        let o = &self.optimizer;
        let best = self.best.iter().flat_map(|best| &best.1);
        for values in parameters.chain(&o.mean).chain(&o.square).chain(&o.average).chain(best) {
            values.iter().for_each(|x| bytes.extend_from_slice(&x.to_le_bytes()));
        }
        files::write_bytes(path, &bytes).with_context(|| format!("{}: cannot be written", path.display()))
    }

    /// Reads a file of the same run; `None` when there is none.
    pub fn read(path: &Path, run: &str) -> Result<Option<Checkpoint>> {
        let name = path.display();
        if !path.exists() {
            return Ok(None);
        }
        let bytes = std::fs::read(path).with_context(|| format!("{name}: cannot be read"))?;
        let end =
            bytes.iter().position(|&b| b == b'\n').with_context(|| format!("{name}: is no checkpoint"))?;
        let header: Header =
            serde_json::from_slice(&bytes[..end]).with_context(|| format!("{name}: is no checkpoint"))?;
        ensure!(
            header.format == 1,
            "{name}: is a checkpoint of format {}, this program reads 1",
            header.format
        );
        ensure!(
            header.run == run,
            "{name}: belongs to a run with another configuration or other data; remove it or choose another folder"
        );
        let total: usize = header.lengths.iter().sum();
        let sets = 4 + usize::from(header.best.is_some());
        ensure!(bytes.len() - end - 1 == 4 * sets * total, "{name}: is cut short or damaged");
        let mut numbers =
            bytes[end + 1..].chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let mut set = || -> Vec<Vec<f32>> {
            header.lengths.iter().map(|&n| numbers.by_ref().take(n).collect()).collect()
        };
        let values = set();
        let optimizer = Optimizer { mean: set(), square: set(), average: set() };
        let best = header.best.map(|score| (score, set()));
        let parameters = values
            .into_iter()
            .zip(header.decays)
            .map(|(values, decays)| Parameter { values, decays })
            .collect();
        Ok(Some(Checkpoint {
            step: header.step,
            parameters,
            optimizer,
            curve: header.curve,
            running: header.running,
            best,
        }))
    }
}
