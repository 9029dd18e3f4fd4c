//! Sound to feature columns, through the engine's own front end, remembered on disk.

use crate::audio::{self, Audio};
use crate::files::write_bytes;
use crate::interrupt;
use anyhow::{Context, Result};
use idiom_engine::rt::features::{FrontEnd, MEL_BANDS, MFCCS};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Feature columns of one clip, one column a frame of 20 ms, time-major: frame after frame.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClipFeatures {
    /// [`MEL_BANDS`] values a frame, as [`Features::log_mel`](idiom_engine::rt::features::Features::log_mel).
    pub log_mel: Vec<f32>,
    /// [`MFCCS`] values a frame, as [`Features::mfcc`](idiom_engine::rt::features::Features::mfcc).
    pub mfcc: Vec<f32>,
    /// RMS of each frame in dBFS.
    pub level_dbfs: Vec<f32>,
}

/// Numbers stored for each frame.
const ROW: usize = MEL_BANDS + MFCCS + 1;

impl ClipFeatures {
    /// Runs the front end over mono sound, as the plugin hears it. Samples after the last whole frame are left out.
    pub fn of_sound(mono: &[f32], sample_rate: u32) -> ClipFeatures {
        let mut front_end = FrontEnd::new(sample_rate as f32);
        let frames = mono.chunks_exact(front_end.hop());
        let mut features = ClipFeatures {
            log_mel: Vec::with_capacity(frames.len() * MEL_BANDS),
            mfcc: Vec::with_capacity(frames.len() * MFCCS),
            level_dbfs: Vec::with_capacity(frames.len()),
        };
        for frame in frames {
            let column = front_end.push(frame);
            features.log_mel.extend_from_slice(&column.log_mel);
            features.mfcc.extend_from_slice(&column.mfcc);
            features.level_dbfs.push(column.level_dbfs);
        }
        features
    }

    /// Number of frames.
    pub fn frames(&self) -> usize {
        self.level_dbfs.len()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let parts = [&self.log_mel, &self.mfcc, &self.level_dbfs];
        parts.into_iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn from_bytes(bytes: &[u8]) -> Option<ClipFeatures> {
        if !bytes.len().is_multiple_of(4 * ROW) {
            return None;
        }
        let mut values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        let frames = bytes.len() / (4 * ROW);
        let mut take = |n: usize| values.by_ref().take(n * frames).collect::<Vec<f32>>();
        let features = ClipFeatures { log_mel: take(MEL_BANDS), mfcc: take(MFCCS), level_dbfs: take(1) };
        let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
        (finite(&features.log_mel) && finite(&features.mfcc)).then_some(features)
    }
}

/// A folder that remembers the features of sound files by their content, so that a file is decoded once only.
///
/// An entry's name is the hash of the file's bytes and of what the front end makes of a fixed test sound: a changed
/// file or a changed front end finds no old entry. Entries that cannot be read are made anew; the folder may be deleted
/// at any time.
#[derive(Clone, Debug)]
pub struct FeatureCache {
    folder: PathBuf,
}

impl FeatureCache {
    /// The user's cache: `$IDIOM_CACHE`, else `idiom/features` in the system's folder for caches. `None` when the
    /// system has no such folder.
    pub fn user() -> Option<FeatureCache> {
        let folder = match std::env::var_os("IDIOM_CACHE") {
            Some(folder) if !folder.is_empty() => PathBuf::from(folder),
            _ => dirs::cache_dir()?.join("idiom").join("features"),
        };
        Some(FeatureCache { folder })
    }

    /// A cache in this folder, which is made when the first entry is.
    pub fn in_folder(folder: impl Into<PathBuf>) -> FeatureCache {
        FeatureCache { folder: folder.into() }
    }

    fn entry(&self, content: &[u8], kind: &[u8]) -> PathBuf {
        let mut hash = Sha256::new();
        hash.update(front_end_fingerprint());
        hash.update(kind);
        hash.update(content);
        self.folder.join(format!("{}.f32", hex(&hash.finalize()[..16])))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Hash of what the front end makes of a fixed noise at three rates: changes when the front end does.
fn front_end_fingerprint() -> &'static [u8] {
    static FINGERPRINT: OnceLock<Vec<u8>> = OnceLock::new();
    FINGERPRINT.get_or_init(|| {
        let mut hash = Sha256::new();
        for sample_rate in [16_000, 44_100, 48_000] {
            let mut state = 1_u32;
            let noise: Vec<f32> = (0..sample_rate / 4)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / (1 << 24) as f32 - 0.5
                })
                .collect();
            hash.update(ClipFeatures::of_sound(&noise, sample_rate).to_bytes());
        }
        hash.finalize().to_vec()
    })
}

/// Features of one sound file, from the cache where it has them.
pub fn of_file(path: &Path, cache: Option<&FeatureCache>) -> Result<ClipFeatures> {
    remembered(path, cache, b"", |audio| ClipFeatures::of_sound(&audio.mono(), audio.sample_rate))
}

/// What `make` makes of a sound file, from the cache where it has it. `kind` names what is made; nothing for the plain
/// features.
pub fn remembered(
    path: &Path,
    cache: Option<&FeatureCache>,
    kind: &[u8],
    make: impl Fn(&Audio) -> ClipFeatures,
) -> Result<ClipFeatures> {
    let Some(cache) = cache else { return Ok(make(&audio::read(path)?)) };
    let content = std::fs::read(path).with_context(|| format!("{}: cannot be read", path.display()))?;
    let entry = cache.entry(&content, kind);
    drop(content);
    if let Some(features) = std::fs::read(&entry).ok().and_then(|bytes| ClipFeatures::from_bytes(&bytes)) {
        return Ok(features);
    }
    let features = make(&audio::read(path)?);
    write_bytes(&entry, &features.to_bytes())
        .with_context(|| format!("{}: the feature cache cannot be written", entry.display()))?;
    Ok(features)
}

/// Features of many sound files, in their order, on all cores, with a progress bar on a terminal.
///
/// # Errors
/// The first file that cannot be read, or [`interrupt::Interrupted`].
pub fn of_files(
    paths: &[impl AsRef<Path> + Sync],
    cache: Option<&FeatureCache>,
) -> Result<Vec<ClipFeatures>> {
    of_each(paths, "features", |path| of_file(path, cache))
}

/// What `make` makes of many sound files, in their order, on all cores, with a progress bar on a terminal.
///
/// # Errors
/// The first of `make`, or [`interrupt::Interrupted`].
pub fn of_each<T: Send>(
    paths: &[impl AsRef<Path> + Sync],
    what: &'static str,
    make: impl Fn(&Path) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let bar = progress_bar(paths.len() as u64, what);
    let made = paths
        .par_iter()
        .map(|path| {
            interrupt::check()?;
            let made = make(path.as_ref());
            bar.inc(1);
            made
        })
        .collect();
    bar.finish_and_clear();
    made
}

/// A progress bar on standard error: what is done, how far, and how long it will take. Invisible when standard error is
/// no terminal.
pub fn progress_bar(steps: u64, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix:>12} {bar:40} {pos}/{len} {msg} [{elapsed} < {eta}]")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style).with_prefix(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::{Audio, write_wav};

    fn tone(hz: f32, sample_rate: u32) -> Audio {
        let wave = |n: u32| 0.3 * (std::f32::consts::TAU * hz * n as f32 / sample_rate as f32).sin();
        Audio::new(sample_rate, vec![(0..sample_rate).map(wave).collect(); 2])
    }

    #[test]
    fn columns_are_time_major_and_see_the_tone() {
        let features = ClipFeatures::of_sound(&tone(1000.0, 48_000).mono(), 48_000);
        assert_eq!(features.frames(), 50);
        assert_eq!((features.log_mel.len(), features.mfcc.len()), (50 * MEL_BANDS, 50 * MFCCS));
        let column = &features.log_mel[30 * MEL_BANDS..31 * MEL_BANDS];
        let loudest = (0..MEL_BANDS).max_by(|&a, &b| column[a].total_cmp(&column[b])).unwrap();
        // 1 kHz is 1000 mel; the bands are 67.3 mel apart from 77.8 mel up.
        assert!((12..=14).contains(&loudest), "{loudest}");
        assert!((features.level_dbfs[30] - 20.0 * (0.3 / 2f32.sqrt()).log10()).abs() < 0.1);
    }

    #[test]
    fn the_cache_gives_the_same_numbers_and_notices_changes_and_damage() {
        let folder = tempfile::tempdir().unwrap();
        let cache = FeatureCache::in_folder(folder.path().join("cache"));
        let sound = folder.path().join("tone.wav");
        write_wav(&sound, &tone(440.0, 44_100)).unwrap();
        let fresh = of_file(&sound, None).unwrap();
        assert_eq!(of_file(&sound, Some(&cache)).unwrap(), fresh);
        let entries = || -> Vec<PathBuf> {
            std::fs::read_dir(folder.path().join("cache")).unwrap().map(|e| e.unwrap().path()).collect()
        };
        let [entry] = entries().try_into().expect("one entry");

        // What the cache holds is what is given: a changed entry shows.
        let mut planted = fresh.clone();
        planted.log_mel[0] = 1.25;
        std::fs::write(&entry, planted.to_bytes()).unwrap();
        assert_eq!(of_files(&[&sound], Some(&cache)).unwrap(), [planted]);
        std::fs::write(&entry, "damaged").unwrap();
        assert_eq!(of_file(&sound, Some(&cache)).unwrap(), fresh);

        write_wav(&sound, &tone(880.0, 44_100)).unwrap();
        assert_ne!(of_file(&sound, Some(&cache)).unwrap(), fresh);
        assert_eq!(entries().len(), 2);
    }
}
