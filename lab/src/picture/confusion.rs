//! A confusion matrix.

use super::canvas::{Align, Canvas, Ink, text_width};
use super::{capitalised, save};
use crate::eval::Report;
use anyhow::{Result, ensure};
use std::path::Path;

/// Side of a cell.
const CELL: f32 = 68.0;
/// Room for the recall and precision beside the matrix.
const MARGIN: f32 = 70.0;
/// The colour of a full cell.
const FULL: Ink = Ink(0x00, 0x5a, 0x8c);

/// Draws the confusion matrix of whole clips with recall and precision as a PNG file, whole or not at all.
///
/// # Errors
/// When the report has no class, or the file cannot be written.
pub fn confusion(path: &Path, title: &str, report: &Report) -> Result<()> {
    ensure!(!report.classes.is_empty(), "a confusion matrix needs classes");
    save(&draw(title, report), path)
}

fn draw(title: &str, report: &Report) -> Canvas {
    let names: Vec<String> = report.classes.iter().map(|class| capitalised(class)).collect();
    let count = names.len() as f32;
    let longest = names.iter().map(|name| text_width(name, 13.0)).fold(0.0, f32::max);
    let (left, top) = (longest + 56.0, 112.0);
    let width = (left + count * CELL + MARGIN + 24.0).max(text_width(title, 18.0) + 48.0);
    let mut canvas = Canvas::new(width, top + count * CELL + MARGIN + 8.0);
    canvas.text(24.0, 28.0, 18.0, Align::Left, true, Ink::DARK, title);
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let mut facts =
        format!("{} clips, balanced accuracy {}", report.clips, percent(report.balanced_accuracy_clip));
    if let Some(short) = report.balanced_accuracy_3s {
        facts += &format!(", on 3 s {}", percent(short));
    }
    canvas.text(24.0, 52.0, 13.0, Align::Left, false, Ink::MUTED, &facts);

    let middle = left + count * CELL / 2.0;
    canvas.text(middle, top - 34.0, 12.0, Align::Centre, false, Ink::MUTED, "named");
    canvas.text(left - 12.0, top - 12.0, 12.0, Align::Right, false, Ink::MUTED, "true");
    canvas.text(
        left + count * CELL + MARGIN / 2.0,
        top - 12.0,
        12.0,
        Align::Centre,
        false,
        Ink::MUTED,
        "recall",
    );
    canvas.text(left - 12.0, top + count * CELL + 18.0, 12.0, Align::Right, false, Ink::MUTED, "precision");
    for (i, name) in names.iter().enumerate() {
        let (x, y) = (left + (i as f32 + 0.5) * CELL, top + (i as f32 + 0.5) * CELL);
        let size = (13.0 * (CELL - 4.0) / text_width(name, 13.0)).min(13.0);
        canvas.text(x, top - 12.0, size, Align::Centre, true, Ink::DARK, name);
        canvas.text(left - 12.0, y, 13.0, Align::Right, true, Ink::DARK, name);
        let class = &report.per_class[i];
        let share = |share: Option<f64>| share.map_or("–".to_owned(), percent);
        let right = left + count * CELL + MARGIN / 2.0;
        canvas.text(right, y, 12.0, Align::Centre, false, Ink::DARK, &share(class.recall));
        let below = top + count * CELL + 18.0;
        canvas.text(x, below, 12.0, Align::Centre, false, Ink::DARK, &share(class.precision));
    }
    for (row, counts) in report.confusion.iter().enumerate() {
        let total: usize = counts.iter().sum();
        for (column, &clips) in counts.iter().enumerate() {
            let share = clips as f32 / total.max(1) as f32;
            let ink = if clips == 0 { Ink::FAINT.tint(0.35) } else { FULL.tint(0.08 + 0.92 * share) };
            let (x, y) = (left + column as f32 * CELL, top + row as f32 * CELL);
            canvas.rect(x + 1.0, y + 1.0, CELL - 2.0, CELL - 2.0, ink);
            if clips > 0 {
                let text = clips.to_string();
                canvas.text(
                    x + CELL / 2.0,
                    y + CELL / 2.0 - 7.0,
                    17.0,
                    Align::Centre,
                    true,
                    ink.text_on(),
                    &text,
                );
                let text = format!("{:.0} %", 100.0 * share);
                canvas.text(
                    x + CELL / 2.0,
                    y + CELL / 2.0 + 13.0,
                    11.0,
                    Align::Centre,
                    false,
                    ink.text_on(),
                    &text,
                );
            }
        }
    }
    canvas
}
