//! Sounds as training sees them: columns of features, and what is known of their class over time.

use super::rendition;
use super::soft_labels::SoftLabels;
use crate::dataset::Dataset;
use crate::features::{self, ClipFeatures, FeatureCache};
use crate::synth::dice;
use anyhow::Result;
use idiom_engine::model::InputKind;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
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
    /// The varied columns of another rendition; empty when there is none.
    pub again: Vec<f32>,
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

    /// The columns that are varied, of one of the renditions.
    pub fn one_of(&self, random: &mut ChaCha8Rng) -> &[f32] {
        if !self.again.is_empty() && random.random_bool(0.5) { &self.again } else { self.varied() }
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

/// Reads all sounds of the data sets, and all further ones that the teacher's table names. Of every sound, with probability
/// `renditions`, another rendition is made.
pub fn load(
    sets: &[Dataset],
    table: Option<&SoftLabels>,
    input: InputKind,
    renditions: f32,
    cache: Option<&FeatureCache>,
) -> Result<Library> {
    let clips: Vec<_> = sets.iter().flat_map(|set| &set.clips).filter(|clip| clip.label.is_some()).collect();
    let known: HashSet<PathBuf> = clips.iter().map(|clip| canonical(&clip.path)).collect();
    let further: Vec<PathBuf> = table
        .map(|table| table.files().filter(|file| !known.contains(*file)).map(Path::to_path_buf).collect())
        .unwrap_or_default();
    let mut labelled = Vec::with_capacity(clips.len());
    let paths: Vec<&Path> = clips.iter().map(|clip| clip.path.as_path()).collect();
    let again = renditions_of(&paths, renditions, cache)?;
    for ((clip, features), again) in clips.iter().zip(features::of_files(&paths, cache)?).zip(again) {
        labelled.push(Sound {
            path: clip.path.clone(),
            label: clip.label.map(|label| (label, clip.weight)),
            share: clip.share,
            again,
            ..Sound::of(features, input)
        });
    }
    let unlabelled = features::of_files(&further, cache)?
        .into_iter()
        .zip(renditions_of(&further, renditions, cache)?)
        .zip(further)
        .map(|((features, again), path)| Sound { path, again, ..Sound::of(features, input) })
        .collect();
    Ok(Library { labelled, unlabelled })
}

/// Log-mel columns of another rendition of as many of the files as `share` says; empty for the others. Which files, and how
/// they are rendered, follows from their names and their place in a folder, so that every run finds the same in the cache.
fn renditions_of(
    paths: &[impl AsRef<Path> + Sync],
    share: f32,
    cache: Option<&FeatureCache>,
) -> Result<Vec<Vec<f32>>> {
    if share <= 0.0 {
        return Ok(vec![Vec::new(); paths.len()]);
    }
    features::of_each(paths, "renditions", |path| {
        let seed = seed_of(path);
        if (seed >> 32) as f32 >= share * 2f32.powi(32) {
            return Ok(Vec::new());
        }
        let kind = [rendition::fingerprint(), &seed.to_le_bytes()].concat();
        Ok(features::remembered(path, cache, &kind, |audio| rendition::another(audio, seed))?.log_mel)
    })
}

/// A number that follows from a file's name and its folder's.
fn seed_of(path: &Path) -> u64 {
    let name = path.components().rev().take(2).flat_map(|part| part.as_os_str().as_encoded_bytes()).copied();
    // And the finisher of MurmurHash3: the high bits decide too.
    let mut hash = dice::hash(0xcbf2_9ce4_8422_2325, name);
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53_u64] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

/// The path that names a file in the teacher's table: absolute, links resolved.
pub fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
