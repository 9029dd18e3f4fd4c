//! Models by time and accuracy; the larger the dot, the larger the file.

use super::canvas::{Align, Canvas, Ink, text_width};
use super::save;
use crate::optimize::measure::points;
use crate::optimize::report::{Comparison, Row};
use anyhow::{Result, ensure};
use std::path::Path;

const WIDTH: f32 = 900.0;
const HEIGHT: f32 = 540.0;
const LEFT: f32 = 76.0;
const RIGHT: f32 = 60.0;
const TOP: f32 = 84.0;
const BOTTOM: f32 = 60.0;
/// Height of the models' names.
const NAME: f32 = 11.0;

/// Draws a comparison as a PNG file, whole or not at all.
///
/// # Errors
/// When there is no row, or the file cannot be written.
pub fn pareto(path: &Path, comparison: &Comparison) -> Result<()> {
    ensure!(!comparison.rows.is_empty(), "there is no model to draw");
    save(&draw(&comparison.rows), path)
}

fn rightness(row: &Row) -> f32 {
    row.report.as_ref().map_or(100.0 * row.agreement, points) as f32
}

/// Smallest and largest of some numbers, with room around them.
fn span(values: impl Iterator<Item = f32>) -> (f32, f32) {
    let (low, high) = values.fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(v), high.max(v)));
    let room = 0.15 * (high - low).max(0.5);
    (low - room, high + room)
}

/// Where names stand (left end, middle) so that none covers another: above its dot, or as far below as it takes. Given are the
/// dots and the names' widths.
fn names(dots: &[((f32, f32), f32)]) -> Vec<(f32, f32)> {
    const LINE: f32 = 1.3 * NAME;
    let mut taken: Vec<(f32, f32, f32)> = Vec::new();
    for &((x, y), width) in dots {
        let left = if x > WIDTH / 2.0 { x - width } else { x };
        let free = |y: f32| {
            taken.iter().all(|(from, wide, at)| {
                left >= from + wide || *from >= left + width || (at - y).abs() >= LINE
            })
        };
        let above = y - 2.0 * NAME;
        let lines = (0..).map(|n| above + n as f32 * LINE);
        let line = lines.take(dots.len() + 1).find(|y| free(*y)).unwrap_or(above);
        taken.push((left, width, line));
    }
    taken.into_iter().map(|(left, _, y)| (left, y)).collect()
}

fn draw(rows: &[Row]) -> Canvas {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    canvas.text(LEFT, 26.0, 18.0, Align::Left, true, Ink::DARK, "Models by time and accuracy");
    let what = "dots: size of the file; dark: on the Pareto front";
    canvas.text(LEFT, 46.0, 12.0, Align::Left, false, Ink::MUTED, what);
    let (slow_low, slow_high) = span(rows.iter().map(|row| row.cost.streaming.p50 as f32));
    let (low, high) = span(rows.iter().map(rightness));
    let slow_low = slow_low.max(0.0);
    let x = |us: f32| LEFT + (us - slow_low) / (slow_high - slow_low) * (WIDTH - LEFT - RIGHT);
    let y = |points: f32| HEIGHT - BOTTOM - (points - low) / (high - low) * (HEIGHT - TOP - BOTTOM);
    for step in 0..=4 {
        let share = step as f32 / 4.0;
        let (us, points) = (slow_low + share * (slow_high - slow_low), low + share * (high - low));
        canvas.line(&[(x(us), TOP), (x(us), HEIGHT - BOTTOM)], 1.0, Ink::FAINT);
        canvas.line(&[(LEFT, y(points)), (WIDTH - RIGHT, y(points))], 1.0, Ink::FAINT);
        // So many digits that neighbours differ.
        let digits = if slow_high - slow_low < 2.0 { 2 } else { 1 };
        let label = format!("{us:.digits$}");
        canvas.text(x(us), HEIGHT - BOTTOM + 16.0, 12.0, Align::Centre, false, Ink::MUTED, &label);
        canvas.text(LEFT - 8.0, y(points), 12.0, Align::Right, false, Ink::MUTED, &format!("{points:.1}"));
    }
    let below = HEIGHT - BOTTOM + 40.0;
    canvas.text(WIDTH / 2.0, below, 12.0, Align::Centre, false, Ink::MUTED, "microseconds a frame (p50)");
    let what =
        if rows.iter().all(|row| row.report.is_some()) { "balanced accuracy, %" } else { "same answers, %" };
    canvas.text(LEFT - 60.0, TOP - 16.0, 12.0, Align::Left, false, Ink::MUTED, what);
    let largest = rows.iter().map(|row| row.bytes).max().unwrap_or(1).max(1) as f32;
    let place = |row: &Row| (x(row.cost.streaming.p50 as f32), y(rightness(row)));
    for row in rows {
        let (x, y) = place(row);
        let ink = if row.pareto { Ink(0x00, 0x72, 0xb2) } else { Ink::MUTED.tint(0.5) };
        canvas.dot(x, y, 4.0 + 12.0 * (row.bytes as f32 / largest).sqrt(), ink);
    }
    let places: Vec<_> = rows.iter().map(|row| (place(row), text_width(&row.name, NAME))).collect();
    for (row, (x, y)) in rows.iter().zip(names(&places)) {
        canvas.text(x, y, NAME, Align::Left, row.pareto, Ink::DARK, &row.name);
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::report::{Entry, Extra, compare};
    use crate::optimize::tests::{sounds, trained_in_no_time};

    #[test]
    fn every_model_is_drawn_and_the_front_stands_out() {
        let sounds = sounds(5);
        let model = trained_in_no_time(&sounds);
        let entry = Entry { name: "a model".into(), model, bytes: 10, path: None, story: None };
        let one = compare(&[entry.clone()], &sounds, &Extra::default()).unwrap();
        let mut two = compare(&[entry.clone(), entry], &sounds, &Extra::default()).unwrap();
        let picture = |comparison: &Comparison| draw(&comparison.rows).png().unwrap();
        assert_ne!(picture(&one), picture(&two));
        let before = picture(&two);
        two.rows[1].pareto = !two.rows[1].pareto;
        assert_ne!(picture(&two), before);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pareto.png");
        pareto(&path, &two).unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"\x89PNG"));
    }

    #[test]
    fn no_name_covers_another() {
        // Three dots nearly on top of each other, and one to their right that has room.
        let dots =
            [((200.0, 100.0), 80.0), ((205.0, 100.0), 80.0), ((190.0, 101.0), 80.0), ((400.0, 100.0), 80.0)];
        let places = names(&dots);
        for (i, (x, y)) in places.iter().enumerate() {
            for (other_x, other_y) in &places[..i] {
                assert!((x - other_x).abs() >= 80.0 || (y - other_y).abs() >= NAME, "{places:?}");
            }
        }
        assert_eq!((places[0], places[3]), ((200.0, 78.0), (400.0, 78.0)));
    }
}
