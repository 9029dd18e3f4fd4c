//! Sounds as training sees them: columns of features, and what is known of their class over time.

use super::soft_labels::SoftLabels;
use crate::audio;
use crate::dataset::Dataset;
use crate::files;
use crate::interrupt;
use anyhow::{Context, Result};
use idiom_engine::model::InputKind;
use idiom_engine::rt::features::FrontEnd;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Frames a second.
pub const FRAMES_PER_SECOND: usize = 50;

/// One sound.
#[derive(Clone, Debug, Default)]
pub struct Sound {
    /// Where it came from.
    pub path: PathBuf,
    /// Features, frame after frame.
    pub columns: Vec<f32>,
    /// Its class and how far that is to be trusted (0 to 1).
    pub label: Option<(usize, f32)>,
    /// One over the number of sounds of the same piece.
    pub share: f32,
    /// What the teacher says, one distribution over the classes for each second; empty when it was not asked.
    pub soft: Vec<Vec<f32>>,
}

impl Sound {
    /// Number of frames.
    pub fn frames(&self, rows: usize) -> usize {
        self.columns.len() / rows
    }

    /// The teacher's distribution averaged over frames `from..to`; `None` where there is none.
    pub fn soft_between(&self, from: f32, to: f32) -> Option<Vec<f32>> {
        let last = self.soft.len().checked_sub(1)?;
        let second = |frame: f32| ((frame.max(0.0) as usize) / FRAMES_PER_SECOND).min(last);
        let range = second(from)..=second(to.max(from));
        let count = range.clone().count() as f32;
        let mut mean = vec![0.0; self.soft[0].len()];
        for row in &self.soft[range] {
            mean.iter_mut().zip(row).for_each(|(m, p)| *m += p / count);
        }
        Some(mean)
    }
}

/// Columns of one sound file: the engine's front end over its mono mix at its own sample rate. With a cache folder the
/// columns are kept there, under a name made of the file's path, size and time of change.
pub fn columns_of(path: &Path, input: InputKind, cache: Option<&Path>) -> Result<Vec<f32>> {
    let cached = match cache {
        Some(folder) => Some(folder.join(cache_name(path, input)?)),
        None => None,
    };
    if let Some(bytes) = cached.as_ref().and_then(|file| std::fs::read(file).ok()) {
        return Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect());
    }
    let sound = audio::read(path)?;
    let columns = columns(&sound.mono(), sound.sample_rate as f32, input);
    if let Some(file) = cached {
        let bytes: Vec<u8> = columns.iter().flat_map(|x| x.to_le_bytes()).collect();
        files::write_bytes(&file, &bytes).with_context(|| format!("{}: cannot be written", file.display()))?;
    }
    Ok(columns)
}

/// Columns of mono samples.
pub fn columns(mono: &[f32], sample_rate: f32, input: InputKind) -> Vec<f32> {
    let mut front = FrontEnd::new(sample_rate);
    let hop = front.hop();
    let mut columns = Vec::with_capacity(mono.len() / hop * input.rows());
    for frame in mono.chunks_exact(hop) {
        let features = front.push(frame);
        match input {
            InputKind::LogMel40 => columns.extend_from_slice(&features.log_mel),
            InputKind::Mfcc13 => columns.extend_from_slice(&features.mfcc),
        }
    }
    columns
}

fn cache_name(path: &Path, input: InputKind) -> Result<String> {
    let about = std::fs::metadata(path).with_context(|| format!("{}: cannot be opened", path.display()))?;
    let changed = about.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    let key = format!("1 {} {} {} {changed:?}", input.name(), path.display(), about.len());
    let digest = Sha256::digest(key.as_bytes());
    Ok(digest.iter().take(16).map(|b| format!("{b:02x}")).collect::<String>() + ".columns")
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
    cache: Option<&Path>,
) -> Result<Library> {
    let clips: Vec<_> = sets.iter().flat_map(|set| &set.clips).filter(|clip| clip.label.is_some()).collect();
    let known: HashSet<PathBuf> = clips.iter().map(|clip| canonical(&clip.path)).collect();
    let further: Vec<PathBuf> = table
        .map(|table| table.files().filter(|file| !known.contains(*file)).map(Path::to_path_buf).collect())
        .unwrap_or_default();
    let bar = progress(clips.len() + further.len(), "features");
    let read = |path: &Path| -> Result<Vec<f32>> {
        interrupt::check()?;
        let columns = columns_of(path, input, cache);
        bar.inc(1);
        columns
    };
    let labelled = clips
        .par_iter()
        .map(|clip| {
            Ok(Sound {
                columns: read(&clip.path)?,
                path: clip.path.clone(),
                label: clip.label.map(|label| (label, clip.weight)),
                share: clip.share,
                soft: Vec::new(),
            })
        })
        .collect::<Result<Vec<_>>>()?;
    let unlabelled = further
        .par_iter()
        .map(|path| Ok(Sound { columns: read(path)?, path: path.clone(), share: 1.0, ..Sound::default() }))
        .collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();
    Ok(Library { labelled, unlabelled })
}

/// The path that names a file in the teacher's table: absolute, links resolved.
pub fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// A progress bar with a name.
pub fn progress(length: usize, name: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {bar:32} {pos}/{len} {elapsed}<{eta} {msg}");
    let bar = ProgressBar::new(length as u64).with_prefix(name.to_owned());
    if let Ok(style) = style { bar.with_style(style) } else { bar }
}
