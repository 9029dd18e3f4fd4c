//! The cache of the worker's answers: how much it may hold and for how long, how often it knew, clearing it.

use super::canvas::{Button, Canvas, rows, take_bottom};
use super::model::{Action, ViewModel};
use egui::{Align, Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::rt::cache::{CacheLimits, ENTRY_BYTES};

/// Numbers of answers to choose from.
pub const ENTRIES: [usize; 6] = [0, 128, 256, 512, 1024, 2048];
/// Minutes to choose from.
pub const MINUTES: [f32; 6] = [1.0, 5.0, 15.0, 30.0, 60.0, 240.0];

/// Identity of the button that clears it.
pub fn clear_id() -> Id {
    Id::unique("clear cache")
}

/// Identity of the button that takes the next larger or smaller limit.
pub fn limit_id(ttl: bool, more: bool) -> Id {
    Id::unique(("cache limit", ttl, more))
}

/// The next value up or down from one, of a list in order.
fn next<T: PartialOrd + Copy>(values: &[T], now: T, more: bool) -> Option<T> {
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
    if let Some(more) = limit(canvas, line(), "Size", &size, help, false) {
        if let Some(entries) = next(&ENTRIES, limits.room(), more) {
            let bytes = entries * ENTRY_BYTES;
            canvas.actions.push(Action::CacheLimits(CacheLimits { entries, bytes, ..limits }));
        }
    }
    let minutes = limits.ttl_s / 60.0;
    let age = if minutes >= 120.0 { format!("{:.0} h", minutes / 60.0) } else { format!("{minutes:.0} min") };
    let help = "Time to live: seconds of sound after which an answer is asked for anew.";
    if let Some(more) = limit(canvas, line(), "Kept for", &age, help, true) {
        if let Some(minutes) = next(&MINUTES, minutes, more) {
            canvas.actions.push(Action::CacheLimits(CacheLimits { ttl_s: minutes * 60.0, ..limits }));
        }
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

/// A limit with a button for less and one for more. Returns which was pressed.
fn limit(
    canvas: &mut Canvas<'_>,
    rect: Rect,
    name: &str,
    value: &str,
    help: &str,
    ttl: bool,
) -> Option<bool> {
    let colors = canvas.theme;
    let side = canvas.px(20.0).min(rect.height());
    let at = |x: f32| Rect::from_center_size(Pos2::new(x, rect.center().y), Vec2::splat(side));
    let (more, less) = (at(rect.max.x - side / 2.0), at(rect.max.x - 1.6 * side));
    let mut pressed = None;
    for (place, sign, up, verb) in [(less, "\u{2212}", false, "Less"), (more, "+", true, "More")] {
        let full = format!("{name}: {}", verb.to_lowercase());
        let look = Button { name: Some(&full), ..Button::words(colors, sign, help, false) };
        if canvas.button(place, limit_id(ttl, up), look) {
            pressed = Some(up);
        }
    }
    let words = Rect::from_min_max(rect.min, Pos2::new(rect.min.x + canvas.px(60.0), rect.max.y));
    canvas.label(words, name, 11.5, colors.muted, Align::Min);
    let number = Rect::from_min_max(
        Pos2::new(words.max.x, rect.min.y),
        Pos2::new(less.min.x - canvas.px(10.0), rect.max.y),
    );
    canvas.label(number, value, 12.0, colors.text, Align::Max);
    canvas.explain(Rect::from_min_max(rect.min, number.max), ("limit", ttl), help);
    pressed
}
