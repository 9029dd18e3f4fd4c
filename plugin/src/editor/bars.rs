//! The probability of each genre: icon, name, bar, percent.

use super::canvas::{Canvas, rows};
use super::icons;
use super::model::ViewModel;
use crate::params::Dial;
use egui::{Align2, Pos2, Rect, Vec2};
use idiom_engine::Genre;

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(rect, "What Idiom hears");
    let left = inner.min.x + canvas.px(110.0);
    let right = inner.max.x - canvas.px(48.0);
    let threshold = left + (right - left) * model.dial(Dial::Threshold) / 100.0;
    for (genre, row) in Genre::ALL.into_iter().zip(rows(inner, 5, 0.0)) {
        let heard = model.has_heard();
        let probability = if heard { model.snapshot.posterior.of(genre).clamp(0.0, 1.0) } else { 0.0 };
        let in_force = heard && model.snapshot.genre == Some(genre);
        let y = row.center().y;
        let color = canvas.theme.genre(genre);
        let ink = if in_force { canvas.theme.text } else { canvas.theme.muted };
        let icon =
            Rect::from_center_size(Pos2::new(inner.min.x + canvas.px(8.0), y), Vec2::splat(canvas.px(15.0)));
        icons::genre(genre)(canvas.painter(), icon, color);
        canvas.text(
            Pos2::new(inner.min.x + canvas.px(26.0), y),
            Align2::LEFT_CENTER,
            genre.label(),
            13.5,
            ink,
        );
        let half = canvas.px(if in_force { 6.5 } else { 4.0 });
        let track = Rect::from_min_max(Pos2::new(left, y - half), Pos2::new(right, y + half));
        canvas.painter().rect_filled(track, half, canvas.theme.line);
        if probability > 0.002 {
            let mut bar = track;
            bar.set_width((track.width() * probability).max(2.0 * half));
            canvas.painter().rect_filled(bar, half, color);
        }
        let percent = if heard { format!("{:.0} %", probability * 100.0) } else { "\u{2013}".into() };
        canvas.text(Pos2::new(inner.max.x, y), Align2::RIGHT_CENTER, percent, 13.5, ink);
    }
    let tick = Rect::from_min_max(
        Pos2::new(threshold - canvas.px(0.75), inner.min.y),
        Pos2::new(threshold + canvas.px(0.75), inner.max.y),
    );
    canvas.painter().rect_filled(tick, 0.0, canvas.theme.text.gamma_multiply(0.35));
    // Above the bars, beside the card's title.
    let word = canvas.width("threshold", 10.5) / 2.0;
    let title = Pos2::new(threshold.clamp(left + word, right), inner.min.y - canvas.px(9.0));
    canvas.text(title, Align2::CENTER_BOTTOM, "threshold", 10.5, canvas.theme.faint);
}
