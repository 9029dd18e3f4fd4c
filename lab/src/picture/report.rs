//! One sheet with everything that an evaluation measured.

use super::canvas::{Align, Canvas, Ink, text_width};
use super::panels::{self, Area};
use super::save;
use crate::eval::Evaluation;
use anyhow::{Result, ensure};
use std::path::Path;

const WIDTH: f32 = 1120.0;
const MARGIN: f32 = 36.0;
/// Between columns.
const GUTTER: f32 = 44.0;
/// Between rows.
const GAP: f32 = 40.0;
const HEADER: f32 = 84.0;
const TILES: f32 = 66.0;
const PLOT: f32 = 280.0;
/// Width of one of two columns.
const COLUMN: f32 = (WIDTH - 2.0 * MARGIN - GUTTER) / 2.0;
const RIGHT: f32 = MARGIN + COLUMN + GUTTER;

/// Draws an evaluation as a PNG file, whole or not at all.
///
/// # Errors
/// When the evaluation has no class, or the file cannot be written.
pub fn report(path: &Path, evaluation: &Evaluation) -> Result<()> {
    ensure!(!evaluation.report.classes.is_empty(), "a report needs classes");
    save(&draw(evaluation), path)
}

fn draw(evaluation: &Evaluation) -> Canvas {
    let report = &evaluation.report;
    let matrix = panels::confusion_height(report, COLUMN);
    let decisions = evaluation.steady.is_some() || evaluation.starts.is_some();
    let nothing = evaluation.nothing.as_ref().or(evaluation.nothing_folder.as_ref());
    let sharing = panels::sharing_height(evaluation).max(nothing.map_or(0.0, panels::nothing_height));
    let robustness = panels::robustness_height(&evaluation.robustness);
    let mut height = HEADER + TILES + GAP + matrix + GAP + PLOT + MARGIN;
    if decisions || nothing.is_some() {
        height += GAP + sharing;
    }
    if robustness > 0.0 {
        height += GAP + robustness;
    }
    let mut canvas = Canvas::new(WIDTH, height);
    header(&mut canvas, evaluation);
    tiles(&mut canvas, HEADER, &figures(evaluation));
    let mut y = HEADER + TILES + GAP;
    panels::confusion(&mut canvas, Area { x: MARGIN, y, width: COLUMN, height: matrix }, report);
    panels::classes(&mut canvas, Area { x: RIGHT, y, width: COLUMN, height: matrix }, report);
    y += matrix + GAP;
    let (chance, points) = (1.0 / report.classes.len() as f64, &evaluation.listening);
    panels::listening(&mut canvas, Area { x: MARGIN, y, width: COLUMN, height: PLOT }, points, chance);
    panels::reliability(&mut canvas, Area { x: RIGHT, y, width: COLUMN, height: PLOT }, report);
    y += PLOT;
    if decisions || nothing.is_some() {
        y += GAP;
        panels::sharing(&mut canvas, Area { x: MARGIN, y, width: COLUMN, height: sharing }, evaluation);
        if let Some(nothing) = nothing {
            panels::nothing(&mut canvas, Area { x: RIGHT, y, width: COLUMN, height: sharing }, nothing);
        }
        y += sharing;
    }
    if robustness > 0.0 {
        y += GAP;
        let area = Area { x: MARGIN, y, width: WIDTH - 2.0 * MARGIN, height: robustness };
        panels::robustness(&mut canvas, area, &evaluation.robustness);
    }
    canvas
}

fn header(canvas: &mut Canvas, evaluation: &Evaluation) {
    canvas.text(MARGIN, 30.0, 22.0, Align::Left, true, Ink::DARK, &evaluation.model);
    let mut facts = format!("{} clips", evaluation.report.clips);
    if evaluation.report.excerpts > 0 {
        facts += &format!(" and {} excerpts of 3 s", evaluation.report.excerpts);
    }
    for (count, what) in [(evaluation.left_out.len(), "left out"), (evaluation.damaged.len(), "damaged")] {
        if count > 0 {
            facts += &format!(", {count} files {what}");
        }
    }
    canvas.text(MARGIN, 56.0, 13.0, Align::Left, false, Ink::MUTED, &facts);
    let data = shortened(&evaluation.data, 13.0, WIDTH - 2.0 * MARGIN - text_width(&facts, 13.0) - 40.0);
    canvas.text(WIDTH - MARGIN, 56.0, 13.0, Align::Right, false, Ink::MUTED, &data);
}

/// A path's end, as much as fits.
fn shortened(text: &str, size: f32, width: f32) -> String {
    let mut letters = text.chars();
    let mut shown = text.to_owned();
    while text_width(&shown, size) > width && letters.next().is_some() {
        shown = format!("…{}", letters.as_str());
    }
    shown
}

/// The numbers that are looked at first, with what they are.
fn figures(evaluation: &Evaluation) -> Vec<(String, &'static str)> {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let report = &evaluation.report;
    let mut figures = vec![(percent(report.balanced_accuracy_clip), "balanced accuracy, clips")];
    let mut add =
        |value: Option<String>, what: &'static str| figures.extend(value.map(|value| (value, what)));
    add(report.balanced_accuracy_3s.map(percent), "balanced accuracy, 3 s");
    add(report.speech_against_rest_3s.map(percent), "speech against rest, 3 s");
    add(Some(percent(report.expected_calibration_error)), "calibration error, clips");
    if let Some(starts) = &evaluation.starts {
        let time = starts.first_correct_s.map_or("never".into(), |seconds| format!("{seconds:.2} s"));
        add(Some(time), "first correct after a cut");
    }
    if let Some(steady) = &evaluation.steady {
        add(Some(format!("{:.2}", steady.wrong_switches_per_minute)), "wrong switches a minute");
    }
    if let Some(nothing) = evaluation.nothing.as_ref().or(evaluation.nothing_folder.as_ref()) {
        add(Some(percent(nothing.claimed)), "claimed of nothing");
    }
    let agreements = evaluation.robustness.iter().filter_map(|one| one.agree);
    if let Some(worst) = agreements.min_by(f64::total_cmp) {
        add(Some(percent(worst)), "same name, worst way");
    }
    figures
}

fn tiles(canvas: &mut Canvas, y: f32, figures: &[(String, &'static str)]) {
    let gap = 10.0;
    let width = (WIDTH - 2.0 * MARGIN + gap) / figures.len().max(5) as f32 - gap;
    for (i, (value, what)) in figures.iter().enumerate() {
        let x = MARGIN + i as f32 * (width + gap);
        canvas.rect(x, y, width, TILES, Ink::FAINT.tint(0.45));
        canvas.text(x + 12.0, y + 25.0, 22.0, Align::Left, true, Ink::DARK, value);
        let size = (11.0 * (width - 20.0) / text_width(what, 11.0)).min(11.0);
        canvas.text(x + 12.0, y + 50.0, size, Align::Left, false, Ink::MUTED, what);
    }
}
