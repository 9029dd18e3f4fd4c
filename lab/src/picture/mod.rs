//! Pictures for reports: what was recognised over time, what the mix did, and what an evaluation measured.
//!
//! Drawn in software with a font that is compiled in, so they look the same everywhere. Classes wear the colours of
//! Okabe & Ito (2008), which people with any colour vision can tell apart, and every one is also named in words.

mod canvas;
mod gains;
mod panels;
mod pareto;
mod report;
mod timeline;

pub use gains::{Lane, gains};
pub use pareto::pareto;
pub use report::report;
pub use timeline::{Span, Timeline, timeline};

use crate::files::write_bytes;
use anyhow::{Context, Result};
use canvas::{Canvas, Ink};
use std::path::Path;

/// Colours of classes by index; the first five are those of the genres in the plugin's window.
const CLASS_INKS: [Ink; 8] = [
    Ink(0x56, 0xb4, 0xe9),
    Ink(0xd5, 0x5e, 0x00),
    Ink(0xe6, 0x9f, 0x00),
    Ink(0x00, 0x9e, 0x73),
    Ink(0xcc, 0x79, 0xa7),
    Ink(0x00, 0x72, 0xb2),
    Ink(0xf0, 0xe4, 0x42),
    Ink(0x66, 0x66, 0x66),
];

/// Colour of a class. More than eight classes share colours; their names tell them apart.
fn class_ink(class: usize) -> Ink {
    CLASS_INKS[class % CLASS_INKS.len()]
}

/// Upper-cases the first letter.
fn capitalised(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

fn save(canvas: &Canvas, path: &Path) -> Result<()> {
    let bytes = canvas.png().with_context(|| format!("{}: the picture cannot be encoded", path.display()))?;
    write_bytes(path, &bytes).with_context(|| format!("{}: cannot be written", path.display()))
}

#[cfg(test)]
mod tests;
