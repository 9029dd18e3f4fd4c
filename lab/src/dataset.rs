//! Labelled clips on disk, and folds in which no artist is heard in training and in testing.
//!
//! A data set is either a folder with one subfolder a class (sound files anywhere below it), or a folder with a
//! `MANIFEST.csv`, or the path of such a file. A manifest has a header line; the columns `file` (relative to the manifest)
//! and `genre` are needed, `artist`, `title`, `source_repo` (or `source`) and `label_confidence` (`high`, `medium`,
//! `low`, or a number from 0 to 1) are used where they exist, all others are ignored. An empty genre is an unlabelled clip.

mod folds;
mod names;

pub use folds::Fold;

use anyhow::{Context, Result, bail, ensure};
use idiom_engine::Genre;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Endings of file names that count as sound files in a folder data set.
pub const SOUND_FILES: [&str; 13] =
    ["wav", "aif", "aiff", "flac", "mp3", "m4a", "mp4", "aac", "ogg", "oga", "opus", "caf", "mka"];

/// One sound file and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// The sound file.
    pub path: PathBuf,
    /// Index into [`Dataset::classes`], `None` for an unlabelled clip.
    pub label: Option<usize>,
    /// Who plays, speaks or made it, as written in the manifest; empty when not known.
    pub artist: String,
    /// Where the file was found (a repository, a page), as written in the manifest; empty when not known.
    pub source: String,
    /// Title of the piece that this is an excerpt of; the file name's stem when not known.
    pub piece: String,
    /// How far to trust the label: `high` 1, `medium` 0.75, `low` 0.5, or the manifest's own number.
    pub weight: f32,
    /// One over the number of clips in the set that are of the same piece. `weight * share` counts pieces, not files.
    pub share: f32,
    /// Clips with the same number are never in different folds: they share an artist or, where no artist is known, the
    /// beginning of the file name.
    pub group: usize,
}

/// A set of clips and the classes that their labels count.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Where it was read from.
    pub path: PathBuf,
    /// Class names in the order of a model's output.
    pub classes: Vec<String>,
    /// All clips, in the manifest's order or sorted by path.
    pub clips: Vec<Clip>,
}

/// What a row says, before groups are formed.
struct Row {
    path: PathBuf,
    label: Option<usize>,
    artist: String,
    source: String,
    piece: Option<String>,
    weight: f32,
}

/// The five genres' names in the order of a model's output.
pub fn genre_names() -> Vec<String> {
    Genre::ALL.iter().map(|genre| genre.name().to_owned()).collect()
}

impl Dataset {
    /// Opens a manifest or a folder. The classes are the five genres, unless a folder data set has other subfolders:
    /// then they are the subfolders' names, sorted.
    pub fn open(path: impl AsRef<Path>) -> Result<Dataset> {
        Self::open_with(path.as_ref(), None)
    }

    /// Opens a manifest or a folder whose labels must be among `classes`.
    pub fn open_as(path: impl AsRef<Path>, classes: &[String]) -> Result<Dataset> {
        Self::open_with(path.as_ref(), Some(classes))
    }

    fn open_with(path: &Path, classes: Option<&[String]>) -> Result<Dataset> {
        let manifest = if path.is_dir() { path.join("MANIFEST.csv") } else { path.to_path_buf() };
        let (classes, rows) = if manifest.is_file() {
            let classes = classes.map_or_else(genre_names, <[String]>::to_vec);
            let rows = read_manifest(&manifest, &classes)?;
            (classes, rows)
        } else {
            ensure!(
                path.is_dir(),
                "{}: neither a folder with one subfolder a genre nor a manifest",
                path.display()
            );
            read_folder(path, classes)?
        };
        ensure!(!rows.is_empty(), "{}: holds no clip", path.display());
        let groups =
            names::groups(rows.iter().map(|row| (row.artist.as_str(), stem(&row.path), row.label)), &classes);
        let piece = |row: &Row| match &row.piece {
            Some(piece) => (row.artist.clone(), piece.clone()),
            None => (String::new(), row.path.display().to_string()),
        };
        let mut pieces: HashMap<(String, String), usize> = HashMap::new();
        rows.iter().for_each(|row| *pieces.entry(piece(row)).or_default() += 1);
        let clips = rows
            .into_iter()
            .zip(groups)
            .map(|(row, group)| Clip {
                share: 1.0 / pieces[&piece(&row)] as f32,
                label: row.label,
                piece: row.piece.unwrap_or_else(|| stem(&row.path).to_owned()),
                artist: row.artist,
                source: row.source,
                weight: row.weight,
                path: row.path,
                group,
            })
            .collect();
        Ok(Dataset { path: path.to_path_buf(), classes, clips })
    }

    /// Splits the labelled clips into `k` folds with balanced classes, so that no group ([`Clip::group`]) is in two of
    /// them. The same seed gives the same folds.
    ///
    /// # Errors
    /// When `k` is below 2 or there are fewer groups than folds.
    pub fn folds(&self, k: usize, seed: u64) -> Result<Vec<Fold>> {
        let labelled: Vec<(usize, usize, usize)> = self
            .clips
            .iter()
            .enumerate()
            .filter_map(|(index, clip)| clip.label.map(|label| (index, label, clip.group)))
            .collect();
        folds::split(&labelled, self.classes.len(), k, seed)
            .with_context(|| format!("{}: cannot be split", self.path.display()))
    }

    /// Number of labelled clips of each class.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        self.clips.iter().filter_map(|clip| clip.label).for_each(|label| counts[label] += 1);
        counts
    }
}

fn stem(path: &Path) -> &str {
    path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("")
}

fn class_index(classes: &[String], name: &str) -> Option<usize> {
    classes.iter().position(|class| class.eq_ignore_ascii_case(name))
}

fn read_manifest(path: &Path, classes: &[String]) -> Result<Vec<Row>> {
    let name = path.display();
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("{name}: cannot be read"))?;
    let header = reader.headers().with_context(|| format!("{name}, line 1: no header"))?.clone();
    let column =
        |wanted: &[&str]| header.iter().position(|h| wanted.contains(&h.to_ascii_lowercase().as_str()));
    let required = |wanted: &str| {
        column(&[wanted]).with_context(|| {
            let found: Vec<&str> = header.iter().collect();
            format!("{name}, line 1: no column `{wanted}` among: {}", found.join(", "))
        })
    };
    let (file, genre) = (required("file")?, required("genre")?);
    let (artist, title) = (column(&["artist"]), column(&["title", "piece"]));
    let (source, confidence) = (column(&["source_repo", "source"]), column(&["label_confidence"]));
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{name}: a line cannot be read"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = |column: Option<usize>| column.and_then(|c| record.get(c)).unwrap_or("");
        let label = match text(Some(genre)) {
            "" => None,
            wanted => Some(class_index(classes, wanted).with_context(|| {
                format!("{name}, line {line}, column `genre`: `{wanted}` is none of {}", classes.join(", "))
            })?),
        };
        let sound = folder.join(text(Some(file)));
        if text(Some(file)).is_empty() || !sound.is_file() {
            bail!("{name}, line {line}, column `file`: there is no file {}", sound.display());
        }
        let weight = parse_confidence(text(confidence)).with_context(|| {
            let found = text(confidence);
            format!(
                "{name}, line {line}, column `label_confidence`: `{found}` is none of high, medium, low, 0..1"
            )
        })?;
        rows.push(Row {
            path: sound,
            label,
            artist: text(artist).to_owned(),
            source: text(source).to_owned(),
            piece: Some(text(title).to_owned()).filter(|title| !title.is_empty()),
            weight,
        });
    }
    Ok(rows)
}

fn parse_confidence(text: &str) -> Option<f32> {
    match text.to_ascii_lowercase().as_str() {
        "" | "high" => Some(1.0),
        "medium" => Some(0.75),
        "low" => Some(0.5),
        number => number.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)),
    }
}

fn read_folder(path: &Path, classes: Option<&[String]>) -> Result<(Vec<String>, Vec<Row>)> {
    let mut folders = Vec::new();
    for entry in sorted(path)? {
        if entry.is_dir() && !hidden(&entry) {
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            folders.push((name, entry));
        }
    }
    ensure!(!folders.is_empty(), "{}: has no subfolder; one subfolder a genre is expected", path.display());
    let all_genres = folders.iter().all(|(name, _)| Genre::from_name(name).is_some());
    let classes = match classes {
        Some(classes) => classes.to_vec(),
        None if all_genres => genre_names(),
        None => folders.iter().map(|(name, _)| name.clone()).collect(),
    };
    let mut rows = Vec::new();
    for (name, folder) in folders {
        let Some(label) = class_index(&classes, &name) else {
            bail!("{}: the folder's name is none of the classes {}", folder.display(), classes.join(", "));
        };
        rows.extend(sound_files(&folder)?.into_iter().map(|path| Row {
            path,
            label: Some(label),
            artist: String::new(),
            source: String::new(),
            piece: None,
            weight: 1.0,
        }));
    }
    Ok((classes, rows))
}

/// Every sound file anywhere below a folder, by its name's ending; hidden files and folders are passed over.
///
/// # Errors
/// When a folder cannot be listed.
pub fn sound_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut waiting, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = waiting.pop() {
        for entry in sorted(&folder)? {
            let ending = entry.extension().and_then(|e| e.to_str()).unwrap_or("").to_ascii_lowercase();
            if hidden(&entry) {
            } else if entry.is_dir() {
                waiting.push(entry);
            } else if SOUND_FILES.contains(&ending.as_str()) {
                files.push(entry);
            }
        }
    }
    Ok(files)
}

fn hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = || format!("{}: cannot be listed", folder.display());
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        entries.push(entry.with_context(unreadable)?.path());
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests;
