//! The bottom of the window, on every page: what is heard, what computes it, on what track, at what rate.

use super::canvas::Canvas;
use super::model::ViewModel;
use super::{icons, now, recogniser, theme};
use egui::{Align, Align2, Color32, Pos2, Rect, Vec2};
use idiom_engine::Verdict;

/// Draws it.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    canvas.painter().rect_filled(rect, canvas.px(6.0), colors.card);
    let inner = rect.shrink2(Vec2::new(canvas.px(12.0), 0.0));
    let rate = match model.snapshot.sample_rate {
        rate if rate.is_finite() && rate > 0.0 => format!("{:.1} kHz", rate / 1_000.0),
        _ => "\u{2013} kHz".into(),
    };
    let at = Pos2::new(inner.max.x, rect.center().y);
    let rate = canvas.text(at, Align2::RIGHT_CENTER, rate, 11.5, colors.faint);

    let (headline, sentence, verdict) = now::words(model);
    let icon = Rect::from_center_size(
        Pos2::new(inner.min.x + canvas.px(7.0), rect.center().y),
        Vec2::splat(canvas.px(14.0)),
    );
    let genre = model.snapshot.genre.filter(|_| model.has_heard());
    let sure = matches!(verdict, Verdict::Recognised | Verdict::Manual | Verdict::Frozen);
    match genre {
        Some(genre) => {
            let color = colors.genre(genre);
            let color = if sure { color } else { theme::mix(color, colors.muted, 0.55) };
            icons::genre(genre)(canvas.painter(), icon, color);
        }
        None => icons::verdict(verdict)(canvas.painter(), icon, colors.faint),
    }
    let at = Pos2::new(icon.max.x + canvas.px(8.0), rect.center().y);
    let name = canvas.text(at, Align2::LEFT_CENTER, headline, 12.5, colors.text);

    let middle = inner.min.x + inner.width() * 0.58;
    let words = Rect::from_min_max(
        Pos2::new(name.max.x + canvas.px(10.0), rect.min.y),
        Pos2::new(middle - canvas.px(12.0), rect.max.y),
    );
    let tone = if verdict == Verdict::Uncertain { colors.text } else { colors.muted };
    let place = canvas.label(words, &sentence, 11.5, tone, Align::Min);
    canvas.explain(place, "footer sentence", &sentence);
    let runs = Rect::from_min_max(
        Pos2::new(middle, rect.min.y),
        Pos2::new(track(canvas, rect, rate.min.x, model) - canvas.px(14.0), rect.max.y),
    );
    let running = recogniser::running(model);
    let place = canvas.label(runs, &running, 11.5, colors.faint, Align::Max);
    canvas.explain(place, "footer runs", &running);
}

/// Draws the track's name, with its colour before it, left of `right`; returns where it begins.
fn track(canvas: &mut Canvas<'_>, rect: Rect, right: f32, model: &ViewModel) -> f32 {
    let Some((name, colour)) = model.track.as_ref().filter(|(name, _)| !name.is_empty()) else {
        return right;
    };
    let right = right - canvas.px(14.0);
    let room =
        Rect::from_min_max(Pos2::new(right - canvas.px(110.0), rect.min.y), Pos2::new(right, rect.max.y));
    let written = canvas.label(room, name, 11.5, canvas.theme.muted, Align::Max);
    canvas.explain(written, "footer track", name);
    let Some([red, green, blue]) = *colour else { return written.min.x };
    let dot = Pos2::new(written.min.x - canvas.px(8.0), rect.center().y);
    canvas.painter().circle_filled(dot, canvas.px(3.5), Color32::from_rgb(red, green, blue));
    dot.x - canvas.px(3.5)
}
