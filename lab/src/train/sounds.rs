//! Sounds as training sees them: columns of features, and what is known of their class over time.

use super::soft_labels::SoftLabels;
use crate::dataset::Dataset;
use crate::features::{self, ClipFeatures, FeatureCache};
use anyhow::Result;
use idiom_engine::model::InputKind;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Frames a second.
pub const FRAMES_PER_SECOND: usize = 50;

/// One sound.
#[derive(Clone, Debug, Default)]
pub struct Sound {
    /// Where it came from.
    pub path: PathBuf,
    /// What the network listens to, frame after frame.
    pub columns: Vec<f32>,
    /// Log-mel columns, where the network listens to something else: sounds are varied as mel bands.
    pub mel: Vec<f32>,
    /// Its class and how far that is to be trusted (0 to 1).
    pub label: Option<(usize, f32)>,
    /// One over the number of sounds of the same piece.
    pub share: f32,
    /// What the teacher says, one distribution over the classes for each second; empty when it was not asked.
    pub soft: Vec<Vec<f32>>,
    /// The teacher's hints, for each second; empty when there are none.
    pub hints: Vec<Vec<f32>>,
}

impl Sound {
    /// A sound of which nothing but its features is known.
    pub fn of(features: ClipFeatures, input: InputKind) -> Sound {
        let (columns, mel) = match input {
            InputKind::LogMel40 => (features.log_mel, Vec::new()),
            InputKind::Mfcc13 => (features.mfcc, features.log_mel),
            InputKind::Samples960 => unreachable!("the configuration refuses to train on samples"),
        };
        Sound { columns, mel, share: 1.0, ..Sound::default() }
    }

    /// The columns that are varied: log-mel where they are known.
    pub fn varied(&self) -> &[f32] {
        if self.mel.is_empty() { &self.columns } else { &self.mel }
    }

    /// Number of frames.
    pub fn frames(&self, rows: usize) -> usize {
        self.columns.len() / rows
    }

    /// The teacher's distribution averaged over frames `from..to`; `None` where there is none.
    pub fn soft_between(&self, from: f32, to: f32) -> Option<Vec<f32>> {
        mean_between(&self.soft, from, to)
    }

    /// The teacher's hints averaged over frames `from..to`; `None` where there are none.
    pub fn hints_between(&self, from: f32, to: f32) -> Option<Vec<f32>> {
        mean_between(&self.hints, from, to)
    }
}

/// The mean of what is said of each second, over frames `from..to`.
fn mean_between(seconds: &[Vec<f32>], from: f32, to: f32) -> Option<Vec<f32>> {
    let last = seconds.len().checked_sub(1)?;
    let second = |frame: f32| ((frame.max(0.0) as usize) / FRAMES_PER_SECOND).min(last);
    let range = second(from)..=second(to.max(from));
    let count = range.clone().count() as f32;
    let mut mean = vec![0.0; seconds[0].len()];
    for row in &seconds[range] {
        mean.iter_mut().zip(row).for_each(|(m, p)| *m += p / count);
    }
    Some(mean)
}

/// Everything that is learned from or measured on.
#[derive(Clone, Debug, Default)]
pub struct Library {
    /// Labelled sounds, in the order of the data sets given.
    pub labelled: Vec<Sound>,
    /// Sounds that only the teacher labels.
    pub unlabelled: Vec<Sound>,
}

/// Reads all sounds of the data sets, and all further ones that the teacher's table names.
pub fn load(
    sets: &[Dataset],
    table: Option<&SoftLabels>,
    input: InputKind,
    cache: Option<&FeatureCache>,
) -> Result<Library> {
    let clips: Vec<_> = sets.iter().flat_map(|set| &set.clips).filter(|clip| clip.label.is_some()).collect();
    let known: HashSet<PathBuf> = clips.iter().map(|clip| canonical(&clip.path)).collect();
    let further: Vec<PathBuf> = table
        .map(|table| table.files().filter(|file| !known.contains(*file)).map(Path::to_path_buf).collect())
        .unwrap_or_default();
    let mut labelled = Vec::with_capacity(clips.len());
    let paths: Vec<&Path> = clips.iter().map(|clip| clip.path.as_path()).collect();
    for (clip, features) in clips.iter().zip(features::of_files(&paths, cache)?) {
        labelled.push(Sound {
            path: clip.path.clone(),
            label: clip.label.map(|label| (label, clip.weight)),
            share: clip.share,
            ..Sound::of(features, input)
        });
    }
    let unlabelled = features::of_files(&further, cache)?
        .into_iter()
        .zip(further)
        .map(|(features, path)| Sound { path, ..Sound::of(features, input) })
        .collect();
    Ok(Library { labelled, unlabelled })
}

/// The path that names a file in the teacher's table: absolute, links resolved.
pub fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
