//! The cache of the worker's answers: how much it may hold and for how long, how often it knew, clearing it.

use super::canvas::{Button, Canvas, rows, take_bottom};
use super::model::{Action, ViewModel};
use super::stepper::Stepper;
use egui::{Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::rt::cache::ENTRY_BYTES;

/// Numbers of answers to choose from.
pub const ENTRIES: [i32; 6] = [0, 128, 256, 512, 1024, 2048];
/// Minutes to choose from.
pub const MINUTES: [i32; 6] = [1, 5, 15, 30, 60, 240];

/// Identity of the button that clears it.
pub fn clear_id() -> Id {
    Id::unique("clear cache")
}

/// What the stepper of the number of answers is called.
pub const SIZE: &str = "cache size";
/// What the stepper of the time is called.
pub const TIME: &str = "cache time";

/// The next value up or down from one, of a list in order.
fn next(values: &[i32], now: i32, more: bool) -> Option<i32> {
    if more {
        values.iter().copied().find(|value| *value > now)
    } else {
        values.iter().rev().copied().find(|value| *value < now)
    }
}

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let mut inner = canvas.card(rect, "Cache of the worker's answers");
    let metrics = model.metrics.cache;
    let clear = Rect::from_min_size(
        Pos2::new(inner.max.x - canvas.px(64.0), rect.min.y + canvas.px(10.0)),
        Vec2::new(canvas.px(64.0), canvas.px(22.0)),
    );
    let help = "Forgets every answer. The next passes of a loop fill it again.";
    let look =
        Button { size: 11.5, name: Some("Clear the cache"), ..Button::words(colors, "Clear", help, false) };
    if canvas.button(clear, clear_id(), look) {
        canvas.actions.push(Action::ClearCache);
    }
    let asked = metrics.hits + metrics.misses;
    let hits = take_bottom(&mut inner, canvas.px(30.0), canvas.px(6.0));
    let limits = model.cache_limits;
    let mut lines = rows(inner, 2, canvas.px(4.0));
    let mut line = || lines.next().unwrap_or(Rect::ZERO);

    let kilobytes = limits.room() * ENTRY_BYTES / 1_000;
    let size = format!("{} answers, {kilobytes} kB", limits.room());
    let help =
        "How many answers are kept, one for every half second of sound. Least recently used ones make room.";
    let stepper = Stepper { id: SIZE, name: "Size", value: &size, help, name_width: 60.0 };
    if let Some(more) = stepper.show(canvas, line()) {
        canvas.actions.extend(next(&ENTRIES, limits.room() as i32, more).map(Action::CacheSize));
    }
    let minutes = (limits.ttl_s / 60.0).round() as i32;
    let age =
        if minutes >= 120 { format!("{:.1} h", minutes as f32 / 60.0) } else { format!("{minutes} min") };
    let help = "For how much sound an answer is kept; then it is asked for anew.";
    let stepper = Stepper { id: TIME, name: "Kept for", value: &age, help, name_width: 60.0 };
    if let Some(more) = stepper.show(canvas, line()) {
        canvas.actions.extend(next(&MINUTES, minutes, more).map(Action::CacheMinutes));
    }

    let text = if asked > 0 {
        format!("{:.0} % of {asked} found", 100.0 * metrics.hit_rate)
    } else {
        "Not asked yet: only ONNX on worker uses it".into()
    };
    canvas.text(hits.min, Align2::LEFT_TOP, text, 11.0, colors.muted);
    let held = format!("{} held", metrics.entries);
    canvas.text(Pos2::new(hits.max.x, hits.min.y), Align2::RIGHT_TOP, held, 11.0, colors.faint);
    let track = Rect::from_min_max(Pos2::new(hits.min.x, hits.max.y - canvas.px(7.0)), hits.max);
    canvas.painter().rect_filled(track, canvas.px(3.5), colors.line);
    let mut filled = track;
    filled.set_width(track.width() * (metrics.hit_rate as f32).clamp(0.0, 1.0));
    canvas.painter().rect_filled(filled, canvas.px(3.5), colors.accent);
}
