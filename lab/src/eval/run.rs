//! Runs a listener over a data set, and over what else is measured.

use super::clip::{Judged, judge};
use super::nothing::{self, NothingReport};
use super::report::{Counts, likeliest};
use super::robustness::{Agreement, robustness};
use super::starts::{StartsReport, starts};
use super::steady::{Steady, SteadyReport};
use super::{LISTENING_SECONDS, Listener, Report, evaluate};
use crate::audio;
use crate::dataset::Dataset;
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::{Result, ensure};
use idiom_engine::Genre;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What to measure besides what the clips are named.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How soon a genre is recognised after another one.
    pub starts: bool,
    /// What is claimed of generated noise, tones and room tone.
    pub nothing: bool,
    /// The same of the sound files in this folder.
    pub nothing_folder: Option<PathBuf>,
    /// Whether the names stay the same however the clips are played.
    pub robustness: bool,
}

/// How right the model is after a time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ListeningPoint {
    /// Time since the sound began, in seconds.
    pub seconds: f64,
    /// Excerpts of this length, each heard alone. At 30 s a shorter clip, from 15 s up, counts as one.
    pub excerpts: usize,
    /// Mean recall over the classes that have such excerpts; `None` when there is none.
    pub balanced_accuracy: Option<f64>,
}

/// A clip that is named wrong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// The file.
    pub file: PathBuf,
    /// The class that its label says.
    pub class: String,
    /// The class that it is taken for.
    pub named: String,
    /// Probability of that class for the whole clip.
    pub probability: f64,
}

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
    /// The numbers of what the clips were named.
    #[serde(flatten)]
    pub report: Report,
    /// The clips that are named wrong, the surest mistake first: where to listen, and where labels may be wrong.
    pub mistakes: Vec<Mistake>,
    /// Accuracy against listening time.
    pub listening: Vec<ListeningPoint>,
    /// What the decision stage does while a clip plays. `None`, as the next two, when the classes are not the five
    /// genres.
    pub steady: Option<SteadyReport>,
    /// How soon a genre is recognised after another one.
    pub starts: Option<StartsReport>,
    /// What is claimed of generated sounds of nothing.
    pub nothing: Option<NothingReport>,
    /// What is claimed of the user's sounds of nothing.
    pub nothing_folder: Option<NothingReport>,
    /// How often a clip is named the same when it is played in another way; empty when that was not asked for.
    pub robustness: Vec<Agreement>,
}

/// Outcome of one clip.
enum Heard {
    Judged(PathBuf, Box<Judged>, Option<String>),
    LeftOut(String),
}

/// Judges every labelled clip of `dataset` on all cores, with a progress bar. The listener must know every class that
/// has clips.
///
/// # Errors
/// When it does not, no clip can be judged, or the user interrupts.
pub fn run(listener: &Listener, dataset: &Dataset, options: &Options) -> Result<Evaluation> {
    let classes = listener.classes();
    let clips = known_clips(listener, dataset)?;
    let (judged, mut left_out, damaged) = judge_all(listener, dataset, &clips)?;
    let mut listening = LISTENING_SECONDS.map(|_| Counts::new(classes.len()));
    let mut steady: Option<Steady> = None;
    let (mut predictions, mut mistakes) = (Vec::new(), Vec::new());
    for (file, one) in judged {
        let (named, probability) = likeliest(&one.prediction.clip);
        if named != one.prediction.label {
            let (class, named) = (classes[one.prediction.label].clone(), classes[named].clone());
            mistakes.push(Mistake { file, class, named, probability });
        }
        for (counts, names) in listening.iter_mut().zip(one.after) {
            names.into_iter().for_each(|named| counts.add(one.prediction.label, named));
        }
        if let Some(new) = one.steady {
            steady.get_or_insert_default().add(new);
        }
        predictions.push(one.prediction);
    }
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability).then_with(|| a.file.cmp(&b.file)));
    let genre = |label: usize| Genre::from_name(&classes[label]).filter(|_| listener.names_genres());
    let of_genres: Vec<(&Path, Genre)> =
        clips.iter().filter_map(|&(path, label)| Some((path, genre(label)?))).collect();
    let starts = if options.starts { starts(listener, &of_genres)? } else { None };
    let nothing = (options.nothing && listener.names_genres()).then(|| nothing::generated(listener));
    let nothing_folder = match &options.nothing_folder {
        Some(folder) => {
            ensure!(
                listener.names_genres(),
                "{}: only a model of the five genres has a decision stage that could claim one of them",
                folder.display()
            );
            let (report, unreadable) = nothing::folder(listener, folder)?;
            left_out.extend(unreadable);
            Some(report)
        }
        None => None,
    };
    let paths: Vec<&Path> = clips.iter().map(|clip| clip.0).collect();
    Ok(Evaluation {
        model: listener.name().to_owned(),
        data: dataset.path.display().to_string(),
        left_out,
        damaged,
        report: evaluate(classes, &predictions),
        mistakes,
        listening: LISTENING_SECONDS
            .into_iter()
            .zip(listening)
            .map(|(seconds, counts)| ListeningPoint {
                seconds,
                excerpts: counts.total(),
                balanced_accuracy: (counts.total() > 0).then(|| counts.balanced_accuracy()),
            })
            .collect(),
        steady: steady.map(|steady| steady.report()),
        starts,
        nothing: nothing.transpose()?,
        nothing_folder,
        robustness: if options.robustness { robustness(listener, &paths)? } else { Vec::new() },
    })
}

/// The labelled clips, with the number of their class among the listener's.
fn known_clips<'a>(listener: &Listener, dataset: &'a Dataset) -> Result<Vec<(&'a Path, usize)>> {
    let mut labels = Vec::new();
    for (class, count) in dataset.classes.iter().zip(dataset.counts()) {
        let label = listener.classes().iter().position(|name| name.eq_ignore_ascii_case(class));
        ensure!(
            label.is_some() || count == 0,
            "{}: has clips of class `{class}`, which {} does not know; it knows {}",
            dataset.path.display(),
            listener.name(),
            listener.classes().join(", ")
        );
        labels.push(label);
    }
    Ok(dataset.clips.iter().filter_map(|clip| Some((clip.path.as_path(), labels[clip.label?]?))).collect())
}

/// What was made of each clip that can be read, what cannot, and what is damaged.
fn judge_all(
    listener: &Listener,
    dataset: &Dataset,
    clips: &[(&Path, usize)],
) -> Result<(Vec<(PathBuf, Judged)>, Vec<String>, Vec<String>)> {
    let bar = progress_bar(clips.len() as u64, "listening");
    let heard = clips
        .par_iter()
        .map(|&(path, label)| {
            interrupt::check()?;
            let heard = match audio::read(path) {
                Err(error) => Heard::LeftOut(error.to_string()),
                Ok(sound) => {
                    let damage = sound.damage.as_ref().map(|damage| format!("{}: {damage}", path.display()));
                    match judge(&mut listener.clone(), label, &sound.mono(), sound.sample_rate) {
                        Some(judged) => Heard::Judged(path.to_owned(), Box::new(judged), damage),
                        None => Heard::LeftOut(format!("{}: shorter than a frame", path.display())),
                    }
                }
            };
            bar.inc(1);
            Ok(heard)
        })
        .collect::<Result<Vec<Heard>>>();
    bar.finish_and_clear();
    let (mut judged, mut left_out, mut damaged) = (Vec::new(), Vec::new(), Vec::new());
    for heard in heard? {
        match heard {
            Heard::Judged(file, one, damage) => {
                judged.push((file, *one));
                damaged.extend(damage);
            }
            Heard::LeftOut(reason) => left_out.push(reason),
        }
    }
    ensure!(
        !judged.is_empty(),
        "{}: not one labelled clip could be judged{}",
        dataset.path.display(),
        left_out.first().map(|reason| format!(" ({reason})")).unwrap_or_default()
    );
    Ok((judged, left_out, damaged))
}
