//! What is claimed of sounds that are none of the genres.

use super::listen::Listener;
use crate::audio;
use crate::dataset;
use crate::features::progress_bar;
use crate::interrupt;
use crate::synth::nothing;
use anyhow::{Context, Result, ensure};
use idiom_engine::Verdict;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Generated sounds: twelve of each kind.
const SOUNDS: usize = 12 * nothing::KINDS.len();
/// Differs from the seeds that training uses, so that no sound was learned from.
const SEED: u64 = 0x6e6f_7468_696e_6721;

/// How often something is claimed of sounds of nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NothingReport {
    /// Seconds heard.
    pub seconds: f64,
    /// Share of the time in which a genre is recognised.
    pub claimed: f64,
    /// The same of each kind of sound, or of each file.
    pub kinds: Vec<Kind>,
}

/// One kind of sound of nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Kind {
    /// What it is.
    pub kind: String,
    /// Seconds heard.
    pub seconds: f64,
    /// Share of the time in which a genre is recognised.
    pub claimed: f64,
}

/// Generated noise, hum, tones, sweeps, clicks and room tone, each heard from a fresh start.
pub fn generated(listener: &Listener) -> Result<NothingReport> {
    let sounds: Vec<Vec<f32>> = nothing::sounds(SOUNDS, SEED).collect();
    let counts = sounds
        .par_iter()
        .map(|sound| {
            interrupt::check()?;
            Ok(count(listener, sound, nothing::RATE))
        })
        .collect::<Result<Vec<_>>>()?;
    let kinds = nothing::KINDS.iter().enumerate().map(|(kind, name)| {
        let of_kind = counts.iter().skip(kind).step_by(nothing::KINDS.len());
        (name.to_string(), of_kind.fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1)))
    });
    Ok(report(kinds.collect()))
}

/// Sound files anywhere below a folder, and those that cannot be read, each with the reason.
pub fn folder(listener: &Listener, folder: &Path) -> Result<(NothingReport, Vec<String>)> {
    let files = dataset::sound_files(folder).context("the sounds of nothing")?;
    ensure!(!files.is_empty(), "{}: holds no sound file", folder.display());
    let bar = progress_bar(files.len() as u64, "nothing");
    let counts = files
        .par_iter()
        .map(|path| {
            interrupt::check()?;
            bar.inc(1);
            let name = path.strip_prefix(folder).unwrap_or(path).display().to_string();
            Ok(match audio::read(path) {
                Ok(sound) => Ok((name, count(listener, &sound.mono(), sound.sample_rate))),
                Err(error) => Err(error.to_string()),
            })
        })
        .collect::<Result<Vec<_>>>();
    bar.finish_and_clear();
    let (mut heard, mut left_out) = (Vec::new(), Vec::new());
    for one in counts? {
        match one {
            Ok(counts) => heard.push(counts),
            Err(reason) => left_out.push(reason),
        }
    }
    Ok((report(heard), left_out))
}

/// Frames in which a genre is recognised, and all frames.
fn count(listener: &Listener, mono: &[f32], sample_rate: u32) -> (usize, usize) {
    let outcomes = listener.clone().hear(mono, sample_rate).outcomes;
    (outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Recognised).count(), outcomes.len())
}

fn report(counts: Vec<(String, (usize, usize))>) -> NothingReport {
    let share = |(claimed, frames): (usize, usize)| claimed as f64 / frames.max(1) as f64;
    let all = counts.iter().fold((0, 0), |sum, (_, count)| (sum.0 + count.0, sum.1 + count.1));
    NothingReport {
        seconds: super::steady::seconds(all.1),
        claimed: share(all),
        kinds: counts
            .into_iter()
            .map(|(kind, count)| Kind {
                kind,
                seconds: super::steady::seconds(count.1),
                claimed: share(count),
            })
            .collect(),
    }
}
