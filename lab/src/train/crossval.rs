//! Cross-validation: the recipe is judged on artists that it has not heard.

use super::negatives;
use super::net::Net;
use super::run::{Inputs, NOTHING_SOUNDS};
use super::sounds::FRAMES_PER_SECOND;
use super::trainer::{Task, train};
use super::validate::{self, Heard};
use crate::eval::{self, EXCERPT_SECONDS, LISTENING_FRAMES, Prediction, Report};
use crate::files;
use anyhow::{Context, Result, ensure};
use idiom_engine::model::Model;
use idiom_engine::rt::net::Network;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What cross-validation found.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Rounds that were run, of how many.
    pub rounds: (usize, usize),
    /// Seed of the division into folds.
    pub fold_seed: u64,
    /// All clips, each judged by the network that has not heard its artist. Probabilities are not yet calibrated.
    pub overall: Report,
    /// The same, each round with the temperature that fits the clips of the other rounds.
    pub calibrated: Report,
    /// The temperature that fits all rounds together, for a network that is trained on everything.
    pub temperature: f32,
    /// The files that are recognised wrong, with what they are and what they are taken for.
    pub wrong: Vec<(String, String, String)>,
}

/// Runs the rounds `only` (all when empty) of `k`, writing networks, checkpoints and reports below `out`.
pub fn run(inputs: &mut Inputs, k: usize, fold_seed: u64, only: &[usize], out: &Path) -> Result<Outcome> {
    let folds = inputs.tested.folds(k, fold_seed)?;
    write_folds(inputs, &folds, &out.join("folds.csv"))?;
    let rounds: Vec<usize> = if only.is_empty() { (0..k).collect() } else { only.to_vec() };
    let chain = inputs.chain()?;
    let nothing = negatives::sounds(NOTHING_SOUNDS, inputs.config.train.seed, inputs.input);
    let mut heard = Vec::new();
    let mut networks = Vec::new();
    for &round in &rounds {
        ensure!(round < k, "round {round} asked for, but they are numbered 0 to {}", k - 1);
        if let Some(table) = &inputs.table {
            ensure!(
                table.covers(Some(round)),
                "the teacher's table has no rows for round {round}; without them its labels would leak into the test"
            );
            table.apply(Some(round), &mut inputs.library);
        }
        let fold = &folds[round];
        // Sounds after those of the tested set are for training only.
        let further = inputs.tested.clips.len()..inputs.library.labelled.len();
        let task = Task {
            config: &inputs.config,
            chain: chain.clone(),
            library: &inputs.library,
            nothing: &nothing,
            train: fold.train.iter().copied().chain(further).collect(),
            validation: fold.test.clone(),
            early_stopping: false,
            so_far: None,
            name: format!("round {round}"),
        };
        let folder = out.join(format!("round{round}"));
        let (net, curve) = train(&task, Some(&folder.join("checkpoint.bin")))?;
        files::write_bytes(&folder.join("curve.json"), &serde_json::to_vec_pretty(&curve)?)?;
        let test = fold.test.iter().map(|&i| &inputs.library.labelled[i]);
        heard.extend(validate::listen(&net, test).into_iter().map(|heard| (heard, round)));
        networks.push((round, net));
    }
    let fit = |without: Option<usize>| {
        let said: Vec<Heard> = heard
            .iter()
            .filter(|(_, round)| Some(*round) != without)
            .map(|(heard, _)| heard.clone())
            .collect();
        validate::temperature(&said, inputs.classes.len())
    };
    let mut clips = Vec::new();
    let (mut plain, mut calibrated) = (Vec::new(), Vec::new());
    for (round, net) in &networks {
        // A single round has no others to be calibrated on.
        let others = if rounds.len() > 1 { fit(Some(*round)) } else { 1.0 };
        plain.extend(judge(inputs, net, 1.0, &folds[*round].test)?);
        calibrated.extend(judge(inputs, net, others, &folds[*round].test)?);
        clips.extend(folds[*round].test.iter().copied());
        let path = out.join(format!("round{round}/{}.fp32.onnx", inputs.config.model.name));
        super::run::write_model(&net.export(others), &path)?;
    }
    let wrong = clips.iter().zip(&calibrated).filter_map(|(&i, p)| {
        let guess = (0..p.clip.len()).max_by(|&a, &b| p.clip[a].total_cmp(&p.clip[b]))?;
        let file = inputs.library.labelled[i].path.display().to_string();
        (guess != p.label).then(|| (file, inputs.classes[p.label].clone(), inputs.classes[guess].clone()))
    });
    let outcome = Outcome {
        rounds: (rounds.len(), k),
        fold_seed,
        wrong: wrong.collect(),
        overall: eval::evaluate(&inputs.classes, &plain),
        calibrated: eval::evaluate(&inputs.classes, &calibrated),
        temperature: fit(None),
    };
    let path = out.join("crossval.json");
    files::write_bytes(&path, &serde_json::to_vec_pretty(&outcome)?)
        .with_context(|| format!("{}: cannot be written", path.display()))?;
    Ok(outcome)
}

fn judge(inputs: &Inputs, net: &Net, temperature: f32, clips: &[usize]) -> Result<Vec<Prediction>> {
    let model = net.export(temperature);
    let sounds = clips.iter().map(|&i| &inputs.library.labelled[i]);
    sounds
        .filter_map(|sound| Some((sound.label?.0, &sound.columns)))
        .map(|(label, columns)| predict(&model, label, columns))
        .collect()
}

/// What the engine's streaming executor says about a clip: the mean of its probabilities over all frames but the
/// first half second, and after each excerpt of 3 s from a fresh start.
pub fn predict(model: &Model, label: usize, columns: &[f32]) -> Result<Prediction> {
    let mut network = Network::compile(model)?;
    let rows = model.meta.features.rows();
    let mut clip = vec![0.0; model.meta.classes.len()];
    let frames = columns.len() / rows;
    let skipped = LISTENING_FRAMES.min(frames.saturating_sub(1));
    for (frame, column) in columns.chunks_exact(rows).enumerate() {
        let p = network.push(column);
        if frame >= skipped {
            clip.iter_mut().zip(p).for_each(|(c, p)| *c += p / (frames - skipped) as f32);
        }
    }
    let length = (EXCERPT_SECONDS * FRAMES_PER_SECOND as f64) as usize * rows;
    let mut excerpts = Vec::new();
    for excerpt in columns.chunks_exact(length) {
        network.reset();
        let mut last = Vec::new();
        for column in excerpt.chunks_exact(rows) {
            last = network.push(column).to_vec();
        }
        excerpts.push(last);
    }
    Ok(Prediction { label, clip, excerpts })
}

/// The temperature that an earlier cross-validation found.
pub fn read_temperature(path: &Path) -> Result<f32> {
    #[derive(Deserialize)]
    struct Part {
        temperature: f32,
    }
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("{name}: cannot be read"))?;
    let part: Part =
        serde_json::from_str(&text).with_context(|| format!("{name}: is no report of a cross-validation"))?;
    let found = part.temperature;
    ensure!(found.is_finite() && found > 0.0, "{name}: a temperature of {found} is not above 0");
    Ok(found)
}

/// Writes which clip is tested in which round, for the teacher to keep out of its own training.
pub fn write_folds(inputs: &Inputs, folds: &[crate::dataset::Fold], path: &Path) -> Result<()> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["file", "fold"])?;
    for (round, fold) in folds.iter().enumerate() {
        for &clip in &fold.test {
            let file = super::sounds::canonical(&inputs.tested.clips[clip].path);
            writer.write_record([file.display().to_string(), round.to_string()])?;
        }
    }
    files::write_bytes(path, &writer.into_inner()?)
        .with_context(|| format!("{}: cannot be written", path.display()))
}
