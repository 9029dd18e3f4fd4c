//! What `idiom synth` and `idiom render` share: their instruments, the genres by name, and the manifest they write.

use crate::files::write_bytes;
use crate::synth::soundfont::{self, Font};
use anyhow::{Context, Result};
use idiom_engine::Genre;
use std::path::{Path, PathBuf};

/// A line of a manifest, as [`crate::dataset`] reads it.
pub struct Row {
    /// Sound file, relative to the manifest.
    pub file: String,
    /// Genre's name; empty when not known.
    pub genre: String,
    /// Title of the piece.
    pub title: String,
    /// Who made it.
    pub artist: String,
    /// Where it comes from.
    pub source: String,
    /// Under which licence it may be used.
    pub licence: String,
    /// How far to trust the label: high, medium, low.
    pub confidence: &'static str,
    /// The instruments that played it.
    pub instruments: String,
}

/// Writes `MANIFEST.csv` into a folder, whole or not at all, and returns its path.
pub fn write_manifest(folder: &Path, rows: &[Row]) -> Result<PathBuf> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "file",
        "genre",
        "title",
        "artist",
        "source",
        "licence",
        "label_confidence",
        "instruments",
    ])?;
    for row in rows {
        table.write_record([
            &row.file,
            &row.genre,
            &row.title,
            &row.artist,
            &row.source,
            &row.licence,
            row.confidence,
            &row.instruments,
        ])?;
    }
    let manifest = folder.join("MANIFEST.csv");
    let text = table.into_inner().context("the manifest could not be put together")?;
    write_bytes(&manifest, &text).with_context(|| format!("{}: cannot be written", manifest.display()))?;
    Ok(manifest)
}

/// The SoundFonts to play with: those named, else those installed, none when `procedural`; says which.
pub fn fonts(named: &[PathBuf], procedural: bool) -> Result<Vec<Font>> {
    if procedural {
        return Ok(Vec::new());
    }
    let fonts = soundfont::choose(named)?;
    if fonts.is_empty() {
        eprintln!(
            "no General MIDI SoundFont is installed: the procedural instruments play. Better ones: \
             `apt-get install fluid-soundfont-gm`, or name a file with --soundfont"
        );
    } else {
        let names: Vec<&str> = fonts.iter().map(|font| font.name.as_str()).collect();
        eprintln!("instruments: {}", names.join(", "));
    }
    Ok(fonts)
}

/// Reads a genre's name for a command line option.
pub fn genre(name: &str) -> Result<Genre, String> {
    Genre::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Genre::ALL.iter().map(|genre| genre.name()).collect();
        format!("`{name}` is none of {}", names.join(", "))
    })
}
