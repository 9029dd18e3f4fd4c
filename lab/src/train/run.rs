//! `idiom train` without its command line: read everything, train, write a model and a report.

use super::config::Config;
use super::net::Chain;
use super::soft_labels::SoftLabels;
use super::sounds::{self, Library};
use super::trainer::{Task, train};
use super::{checkpoint, negatives, validate};
use crate::dataset::Dataset;
use crate::features::FeatureCache;
use crate::files;
use anyhow::{Context, Result, bail, ensure};
use idiom_engine::model::{InputKind, Model, onnx_write};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Number of sounds of nothing in a run.
pub const NOTHING_SOUNDS: usize = 96;
/// Where early stopping is asked for, one in this many artists is kept for it.
const VALIDATION_PART: usize = 6;

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Labelled data sets; these are what cross-validation divides and tests on.
    pub data: Vec<PathBuf>,
    /// Labelled data sets that are only ever learned from.
    pub extra: Vec<PathBuf>,
    /// The teacher's table.
    pub soft_labels: Option<PathBuf>,
}

/// Everything that was read.
pub struct Inputs {
    /// The configuration.
    pub config: Config,
    /// What the network listens to.
    pub input: InputKind,
    /// Class names.
    pub classes: Vec<String>,
    /// The data sets that are tested on, as one.
    pub tested: Dataset,
    /// All sounds; those of `tested` come first, in its order.
    pub library: Library,
    /// The teacher's table.
    pub table: Option<SoftLabels>,
}

impl Inputs {
    /// The network to train: with the table's hints, where the configuration asks for them.
    pub fn chain(&self) -> Result<Chain> {
        let hints = self.table.as_ref().filter(|_| self.config.mix.hints > 0.0);
        let hints = hints.map_or(0, SoftLabels::hint_count);
        Chain::new(&self.config.model, self.input, &self.classes, hints)
    }
}

/// Reads configuration, data sets, table and sounds.
pub fn read(config: Config, sources: &Sources, cache: Option<&FeatureCache>) -> Result<Inputs> {
    let input = config.input()?;
    let Some((first, others)) = sources.data.split_first() else {
        bail!("no data set to train on was named");
    };
    let mut tested = Dataset::open(first)?;
    let classes = tested.classes.clone();
    for path in others {
        let groups = tested.clips.iter().map(|clip| clip.group + 1).max().unwrap_or(0);
        let mut set = Dataset::open_as(path, &classes)?;
        // Artists of one name are one artist, whichever set they are in.
        for clip in &mut set.clips {
            let same = tested.clips.iter().find(|c| !c.artist.is_empty() && c.artist == clip.artist);
            clip.group = same.map_or(clip.group + groups, |c| c.group);
        }
        tested.clips.extend(set.clips);
    }
    tested.clips.retain(|clip| clip.label.is_some());
    let extra =
        sources.extra.iter().map(|path| Dataset::open_as(path, &classes)).collect::<Result<Vec<_>>>()?;
    let table = sources.soft_labels.as_deref().map(|path| SoftLabels::read(path, &classes)).transpose()?;
    let sets: Vec<Dataset> = std::iter::once(tested.clone()).chain(extra).collect();
    let library = sounds::load(&sets, table.as_ref(), input, config.augment.renditions, cache)?;
    Ok(Inputs { config, input, classes, tested, library, table })
}

#[derive(Serialize)]
struct RunReport<'a> {
    config: &'a Config,
    classes: &'a [String],
    labelled_sounds: usize,
    unlabelled_sounds: usize,
    hours: f64,
    parameters: usize,
    multiply_adds_per_frame: usize,
    temperature: f32,
    validation: Option<Vec<String>>,
    curve: Vec<checkpoint::Point>,
}

/// Trains one network on everything and writes `NAME.fp32.onnx` and `report.json` into `out`.
///
/// With `patience` in the configuration, one in six artists is kept aside to stop early and to fit the temperature;
/// otherwise the logits are divided by `temperature`, which cross-validation found.
pub fn run(inputs: &mut Inputs, temperature: f32, out: &Path) -> Result<PathBuf> {
    if let Some(table) = &inputs.table {
        ensure!(
            table.covers(None),
            "the teacher's table has no rows with an empty fold, which are those for training on everything"
        );
        table.apply(None, &mut inputs.library);
    }
    let config = &inputs.config;
    let chain = inputs.chain()?;
    let nothing = negatives::sounds(NOTHING_SOUNDS, config.train.seed, inputs.input);
    let early_stopping = config.train.patience > 0;
    let all = 0..inputs.library.labelled.len();
    let (train_on, validation) = if early_stopping {
        let fold = inputs.tested.folds(VALIDATION_PART, config.train.seed)?.swap_remove(0);
        (all.filter(|i| !fold.test.contains(i)).collect(), fold.test)
    } else {
        (all.collect(), Vec::new())
    };
    let task = Task {
        config,
        chain,
        library: &inputs.library,
        nothing: &nothing,
        train: train_on,
        validation,
        early_stopping,
        so_far: Some(out.join(format!("{}.so-far.onnx", config.model.name))),
        name: config.model.name.clone(),
    };
    let (net, curve) = train(&task, Some(&out.join("checkpoint.bin")))?;
    let held_out: Vec<_> = task.validation.iter().map(|&i| &inputs.library.labelled[i]).collect();
    let temperature = if held_out.is_empty() {
        temperature
    } else {
        validate::temperature(&validate::listen(&net, held_out.iter().copied()), inputs.classes.len())
    };
    let model = net.export(temperature);
    let path = out.join(format!("{}.fp32.onnx", config.model.name));
    write_model(&model, &path)?;
    let sounds = inputs.library.labelled.iter().chain(&inputs.library.unlabelled);
    let frames: usize = sounds.map(|s| s.frames(inputs.input.rows())).sum();
    let report = RunReport {
        config,
        classes: &inputs.classes,
        labelled_sounds: inputs.library.labelled.len(),
        unlabelled_sounds: inputs.library.unlabelled.len(),
        hours: frames as f64 / sounds::FRAMES_PER_SECOND as f64 / 3600.0,
        parameters: model.parameters(),
        multiply_adds_per_frame: model.macs_per_frame(),
        temperature,
        validation: (!held_out.is_empty())
            .then(|| held_out.iter().map(|sound| sound.path.display().to_string()).collect()),
        curve,
    };
    let report_path = out.join("report.json");
    files::write_bytes(&report_path, &serde_json::to_vec_pretty(&report)?)
        .with_context(|| format!("{}: cannot be written", report_path.display()))?;
    Ok(path)
}

/// Writes a model file, whole or not at all.
pub fn write_model(model: &Model, path: &Path) -> Result<()> {
    let bytes = onnx_write::write(model)?;
    files::write_bytes(path, &bytes).with_context(|| format!("{}: cannot be written", path.display()))
}
