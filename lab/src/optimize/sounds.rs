//! The sounds that a model is calibrated, fine-tuned and measured on, as feature columns.

use crate::audio;
use crate::dataset::Dataset;
use crate::eval::EXCERPT_SECONDS;
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::{Result, ensure};
use idiom_engine::model::ModelMeta;
use idiom_engine::rt::features::columns::Columns;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Frames of a window that is looked at as one: 3 s, as excerpts are judged by.
pub const WINDOW: usize = 150;

/// One sound.
#[derive(Clone, Debug, Default)]
pub struct Clip {
    /// Its class, as an output of the model; `None` where it is not known.
    pub label: Option<usize>,
    /// Clips with the same number share an artist.
    pub group: usize,
    /// Features of the whole, frame after frame.
    pub columns: Vec<f32>,
    /// Features of each 3 s, heard alone.
    pub excerpts: Vec<Vec<f32>>,
}

/// Sounds in the form that one kind of model listens to.
#[derive(Clone, Debug, Default)]
pub struct Sounds {
    /// Where they come from.
    pub name: String,
    /// Numbers a frame.
    pub rows: usize,
    /// Class names in the order of the model's outputs.
    pub classes: Vec<String>,
    /// The sounds.
    pub clips: Vec<Clip>,
}

impl Sounds {
    /// Reads a data set for a model, on all cores with a progress bar. `most` limits the number of clips, which are then
    /// spread evenly over the set.
    ///
    /// # Errors
    /// When the data set or one of its files cannot be read, has a class that the model does not know, or the user
    /// interrupts.
    pub fn read(path: &Path, meta: &ModelMeta, most: Option<usize>) -> Result<Sounds> {
        let dataset = Dataset::open_as(path, &meta.classes)?;
        let step = most.map_or(1, |most| dataset.clips.len().div_ceil(most.max(1)));
        let chosen: Vec<_> = dataset.clips.iter().step_by(step).collect();
        let bar = progress_bar(chosen.len() as u64, "listening");
        let clips = chosen.par_iter().map(|clip| {
            interrupt::check()?;
            let sound = audio::read(&clip.path)?;
            let mono = sound.mono();
            let excerpt = (EXCERPT_SECONDS * f64::from(sound.sample_rate)).round() as usize;
            let columns = |mono: &[f32]| Columns::of_sound(meta.features, mono, sound.sample_rate as f32);
            let excerpts = mono.chunks_exact(excerpt.max(1)).map(columns).collect();
            bar.inc(1);
            Ok(Clip { label: clip.label, group: clip.group, columns: columns(&mono), excerpts })
        });
        let mut clips = clips.collect::<Result<Vec<_>>>()?;
        bar.finish_and_clear();
        clips.retain(|clip| !clip.columns.is_empty());
        ensure!(!clips.is_empty(), "{}: not one sound is as long as a frame", path.display());
        let name = path.display().to_string();
        Ok(Sounds { name, rows: meta.features.rows(), classes: meta.classes.clone(), clips })
    }

    /// Two halves that share no artist: one to fit on, one to measure on. Where all clips belong together, both halves
    /// are the whole.
    pub fn halves(&self) -> (Sounds, Sounds) {
        let mut counts: Vec<(usize, usize)> = Vec::new();
        for clip in &self.clips {
            match counts.iter_mut().find(|(group, _)| *group == clip.group) {
                Some((_, count)) => *count += 1,
                None => counts.push((clip.group, 1)),
            }
        }
        // The largest groups first, each into the half that has fewer clips of the group's (first) class.
        counts.sort_by_key(|(group, count)| (std::cmp::Reverse(*count), *group));
        let label =
            |group: usize| self.clips.iter().find(|clip| clip.group == group).and_then(|clip| clip.label);
        let mut filled = [vec![0; self.classes.len() + 1], vec![0; self.classes.len() + 1]];
        let mut first = Vec::new();
        for (group, count) in counts {
            let class = label(group).unwrap_or(self.classes.len());
            let half = usize::from(filled[1][class] < filled[0][class]);
            filled[half][class] += count;
            if half == 0 {
                first.push(group);
            }
        }
        let (fit, measure): (Vec<_>, Vec<_>) =
            self.clips.iter().cloned().partition(|clip| first.contains(&clip.group));
        if fit.is_empty() || measure.is_empty() {
            return (self.clone(), self.clone());
        }
        let with = |clips| Sounds { clips, ..Sounds { clips: Vec::new(), ..self.clone() } };
        (with(fit), with(measure))
    }

    /// Windows to calibrate on: at most `most` of up to `frames` frames, the beginning, where the level still settles, and
    /// the middle of sounds spread evenly over the set.
    pub fn windows(&self, most: usize, frames: usize) -> Vec<&[f32]> {
        let step = (2 * self.clips.len()).div_ceil(most.max(1)).max(1);
        let window = |columns: &'_ [f32], start: usize| -> std::ops::Range<usize> {
            let count = columns.len() / self.rows;
            start * self.rows..(start + frames).min(count) * self.rows
        };
        let both = self.clips.iter().step_by(step).flat_map(|clip| {
            let count = clip.columns.len() / self.rows;
            [0, count / 2].map(|start| &clip.columns[window(&clip.columns, start)])
        });
        both.filter(|window| !window.is_empty()).collect()
    }

    /// Hash of the feature columns: the same number means the same calibration set, heard by the same front end.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for clip in &self.clips {
            hash.update(clip.columns.len().to_le_bytes());
            clip.columns.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        hash.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sounds(groups: &[usize]) -> Sounds {
        let clip = |(i, group): (usize, &usize)| Clip {
            label: Some(group % 2),
            group: *group,
            columns: vec![i as f32; 13 * 400],
            excerpts: Vec::new(),
        };
        let classes = vec!["a".into(), "b".into()];
        Sounds {
            name: "test".into(),
            rows: 13,
            classes,
            clips: groups.iter().enumerate().map(clip).collect(),
        }
    }

    #[test]
    fn halves_share_no_artist_and_every_class_is_in_both() {
        let (fit, measure) = sounds(&[0, 0, 0, 1, 2, 2, 3, 4, 5, 5]).halves();
        assert_eq!(fit.clips.len() + measure.clips.len(), 10);
        for clip in &fit.clips {
            assert!(measure.clips.iter().all(|other| other.group != clip.group));
        }
        for half in [&fit, &measure] {
            for class in 0..2 {
                assert!(half.clips.iter().any(|clip| clip.label == Some(class)), "class {class}");
            }
        }
        let (fit, measure) = sounds(&[7, 7]).halves();
        assert_eq!((fit.clips.len(), measure.clips.len()), (2, 2), "one artist alone is in both");
    }

    #[test]
    fn windows_lie_within_the_sounds_and_the_hash_follows_the_numbers() {
        let sounds = sounds(&[0, 1, 2, 3]);
        let windows = sounds.windows(4, 300);
        assert_eq!(windows.iter().map(|w| w.len() / 13).collect::<Vec<_>>(), [300, 200, 300, 200]);
        let mut other = sounds.clone();
        assert_eq!(other.hash(), sounds.hash());
        other.clips[3].columns[5] += 1e-6;
        assert_ne!(other.hash(), sounds.hash());
    }
}
