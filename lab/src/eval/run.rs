//! Runs a listener over a data set.

use super::{Listener, Prediction, Report, evaluate};
use crate::audio;
use crate::dataset::Dataset;
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::{Result, ensure};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What was measured, on what, and what could not be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// What named the clips.
    pub model: String,
    /// The data set's path as given.
    pub data: String,
    /// Files that were left out, each with the reason.
    pub left_out: Vec<String>,
    /// Files that are damaged and were judged by what could be decoded, each with what is wrong.
    pub damaged: Vec<String>,
    /// The numbers.
    #[serde(flatten)]
    pub report: Report,
}

/// Outcome of one clip.
enum Heard {
    Judged(Prediction, Option<String>),
    LeftOut(String),
}

/// Judges every labelled clip of `dataset` on all cores, with a progress bar. The classes of both must be the same, in
/// any order.
///
/// # Errors
/// When the classes differ, no clip can be judged, or the user interrupts.
pub fn run(listener: &Listener, dataset: &Dataset) -> Result<Evaluation> {
    let classes = listener.classes();
    let mut labels = Vec::new();
    for class in &dataset.classes {
        let label = classes.iter().position(|name| name.eq_ignore_ascii_case(class));
        ensure!(
            label.is_some() || dataset.counts()[labels.len()] == 0,
            "{}: has clips of class `{class}`, which {} does not know; it knows {}",
            dataset.path.display(),
            listener.name(),
            classes.join(", ")
        );
        labels.push(label);
    }
    let clips: Vec<_> = dataset.clips.iter().filter_map(|clip| Some((clip, labels[clip.label?]?))).collect();
    let bar = progress_bar(clips.len() as u64, "listening");
    let heard = clips
        .par_iter()
        .map(|&(clip, label)| {
            interrupt::check()?;
            let heard = match audio::read(&clip.path) {
                Err(error) => Heard::LeftOut(error.to_string()),
                Ok(sound) => {
                    let damage =
                        sound.damage.as_ref().map(|damage| format!("{}: {damage}", clip.path.display()));
                    match listener.clone().judge(label, &sound.mono(), sound.sample_rate) {
                        Some(prediction) => Heard::Judged(prediction, damage),
                        None => Heard::LeftOut(format!("{}: shorter than a frame", clip.path.display())),
                    }
                }
            };
            bar.inc(1);
            Ok(heard)
        })
        .collect::<Result<Vec<Heard>>>();
    bar.finish_and_clear();
    let (mut predictions, mut left_out, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
    for heard in heard? {
        match heard {
            Heard::Judged(prediction, damage) => {
                predictions.push(prediction);
                damaged.extend(damage);
            }
            Heard::LeftOut(reason) => left_out.push(reason),
        }
    }
    ensure!(
        !predictions.is_empty(),
        "{}: not one labelled clip could be judged{}",
        dataset.path.display(),
        left_out.first().map(|reason| format!(" ({reason})")).unwrap_or_default()
    );
    Ok(Evaluation {
        model: listener.name().to_owned(),
        data: dataset.path.display().to_string(),
        left_out,
        damaged,
        report: evaluate(classes, &predictions),
    })
}
