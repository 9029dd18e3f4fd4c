//! The sequence of gains: what the mix did over time, above the genres it did it for.

use super::canvas::{Align, Canvas, Ink};
use super::{capitalised, class_ink, save};
use crate::render::Moment;
use anyhow::{Result, ensure};
use idiom_engine::Genre;
use std::path::Path;

/// One row of the picture.
#[derive(Clone, Copy)]
pub struct Lane {
    /// What is written beside it.
    pub name: &'static str,
    /// Gain in dB at its upper and, negative, at its lower edge.
    pub span_db: f32,
    /// The gain in dB at a moment.
    pub value: fn(&Moment) -> f32,
}

const WIDTH: f32 = 960.0;
const LEFT: f32 = 92.0;
const RIGHT: f32 = 92.0;
const GENRES: f32 = 96.0;
const LANE: f32 = 52.0;
const GAP: f32 = 8.0;

/// Draws the picture as a PNG file, whole or not at all.
///
/// # Errors
/// When nothing was heard, or the file cannot be written.
pub fn gains(path: &Path, title: &str, seconds: f64, moments: &[Moment], lanes: &[Lane]) -> Result<()> {
    ensure!(
        !moments.is_empty() && seconds > 0.0,
        "the sound is shorter than a frame: there is nothing to draw"
    );
    let top = 52.0;
    let bottom = top + GENRES + GAP + lanes.len() as f32 * (LANE + GAP);
    let mut canvas = Canvas::new(WIDTH, bottom + 40.0);
    canvas.text(LEFT, 26.0, 18.0, Align::Left, true, Ink::DARK, title);
    let width = WIDTH - LEFT - RIGHT;
    let x = |at: f64| LEFT + width * (at / seconds).clamp(0.0, 1.0) as f32;
    // About a point a pixel is enough.
    let stride = (moments.len() / 1_600).max(1);
    let shown: Vec<&Moment> = moments.iter().step_by(stride).collect();

    canvas.rect(LEFT, top, width, GENRES, Ink::FAINT.tint(0.4));
    for genre in Genre::ALL {
        let line: Vec<(f32, f32)> = shown
            .iter()
            .map(|moment| {
                (x(moment.seconds), top + GENRES * (1.0 - moment.posterior.of(genre).clamp(0.0, 1.0)))
            })
            .collect();
        canvas.line(&line, 1.4, class_ink(genre.index()));
        let y = top + 10.0 + GENRES / 5.5 * genre.index() as f32;
        canvas.text(
            LEFT + width + 8.0,
            y,
            12.0,
            Align::Left,
            true,
            class_ink(genre.index()),
            &capitalised(genre.name()),
        );
    }
    canvas.text(LEFT - 8.0, top + GENRES / 2.0, 12.0, Align::Right, false, Ink::MUTED, "probability");

    for (index, lane) in lanes.iter().enumerate() {
        let y = top + GENRES + GAP + index as f32 * (LANE + GAP);
        let middle = y + LANE / 2.0;
        canvas.rect(LEFT, y, width, LANE, Ink::FAINT.tint(0.4));
        canvas.line(&[(LEFT, middle), (LEFT + width, middle)], 1.0, Ink::FAINT);
        let line: Vec<(f32, f32)> = shown
            .iter()
            .map(|moment| {
                let db = (lane.value)(moment);
                let share = if db.is_finite() { (db / lane.span_db).clamp(-1.0, 1.0) } else { 0.0 };
                (x(moment.seconds), middle - share * LANE / 2.0)
            })
            .collect();
        canvas.line(&line, 1.6, Ink::DARK);
        canvas.text(LEFT - 8.0, middle, 12.0, Align::Right, false, Ink::MUTED, lane.name);
        let scale = format!("\u{b1}{:.0} dB", lane.span_db);
        canvas.text(LEFT + width + 8.0, middle, 12.0, Align::Left, false, Ink::MUTED, &scale);
    }
    let step = [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0]
        .into_iter()
        .find(|step| seconds / step <= 14.0)
        .unwrap_or(1_800.0);
    let mut at = 0.0;
    while at <= seconds {
        canvas.text(x(at), bottom + 12.0, 12.0, Align::Centre, false, Ink::MUTED, &format!("{at:.0} s"));
        at += step;
    }
    save(&canvas, path)
}
