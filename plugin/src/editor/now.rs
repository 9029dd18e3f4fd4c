//! What is recognised now: the genre, what Idiom makes of it in words, how sure it is, how loud the input is.

use super::canvas::Canvas;
use super::model::ViewModel;
use super::{icons, theme};
use crate::params::{Dial, Switch};
use egui::{Align, Align2, Color32, Pos2, Rect, Vec2};
use idiom_engine::{Genre, Verdict};

/// Quietest level the input meter shows, in dBFS.
const METER_FLOOR_DB: f32 = -60.0;

/// The headline, the sentence below it, and the icon before the sentence.
pub fn words(model: &ViewModel) -> (String, String, Verdict) {
    let now = &model.snapshot;
    let threshold = model.dial(Dial::Threshold);
    let percent = |p: f32| format!("{:.0} %", p * 100.0);
    let (heard, probability) = now.posterior.top();
    if !model.has_heard() {
        let sentence = "Press play in your host. Idiom listens to what passes through this track.";
        return ("No sound yet".into(), sentence.into(), Verdict::Listening);
    }
    let Some(genre) = now.genre else {
        let sentence = match now.verdict {
            Verdict::Silent => "Silence. Idiom starts as soon as there is sound.",
            Verdict::Uncertain => "Not sure yet. The sound stays as it is until a genre is likely enough.",
            _ => "The first seconds decide. The sound stays as it is until then.",
        };
        let headline = if now.verdict == Verdict::Silent { "Silence" } else { "Listening" };
        return (headline.into(), sentence.into(), now.verdict);
    };
    let name = genre.label();
    let sentence = match now.verdict {
        Verdict::Listening => "The first seconds decide.".into(),
        Verdict::Recognised => format!("Recognised, {} sure. The mix follows.", percent(now.confidence)),
        Verdict::Uncertain => format!(
            "Uncertain: nothing is {threshold:.0} % likely (best guess {}, {}). {name} is held.",
            heard.label(),
            percent(probability)
        ),
        Verdict::Silent => format!("Silence. {name} is held until the sound returns."),
        Verdict::Frozen => {
            format!("Frozen by you. Idiom hears {} ({}).", heard.label(), percent(probability))
        }
        Verdict::Manual => format!("Set by you. Idiom hears {} ({}).", heard.label(), percent(probability)),
    };
    (name.into(), sentence, now.verdict)
}

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(
        rect,
        if model.switch(Switch::Bypass) { "Now (bypassed: the sound is untouched)" } else { "Now" },
    );
    let (headline, sentence, verdict) = words(model);
    let genre = model.snapshot.genre.filter(|_| model.has_heard());
    let sure = matches!(verdict, Verdict::Recognised | Verdict::Manual | Verdict::Frozen);
    let color = match genre {
        Some(genre) if sure => canvas.theme.genre(genre),
        Some(genre) => theme::mix(canvas.theme.genre(genre), canvas.theme.muted, 0.55),
        None => canvas.theme.faint,
    };

    let meter = Rect::from_min_max(Pos2::new(inner.max.x - canvas.px(34.0), inner.min.y), inner.max);
    level_meter(canvas, meter, model);
    let inner = Rect::from_min_max(inner.min, Pos2::new(meter.min.x - canvas.px(12.0), inner.max.y));

    // As large as the card allows.
    let large = (inner.height() / canvas.px(130.0)).clamp(1.0, 1.5);
    let size = canvas.px(42.0 * large);
    let icon = Rect::from_min_size(inner.min + Vec2::new(0.0, canvas.px(2.0)), Vec2::splat(size));
    match genre {
        Some(genre) => icons::genre(genre)(canvas.painter(), icon, color),
        None => icons::verdict(verdict)(canvas.painter(), icon.shrink(canvas.px(4.0)), color),
    }
    let at = Pos2::new(icon.max.x + canvas.px(16.0), icon.center().y);
    canvas.text(
        at,
        Align2::LEFT_CENTER,
        headline,
        38.0,
        if sure { canvas.theme.text } else { canvas.theme.muted },
    );

    let meter_top = inner.max.y - canvas.px(26.0);
    let line = Rect::from_min_max(
        Pos2::new(inner.min.x + canvas.px(22.0), icon.max.y + canvas.px(8.0)),
        Pos2::new(inner.max.x, meter_top),
    );
    let badge = Rect::from_min_size(
        Pos2::new(inner.min.x, line.min.y + canvas.px(2.0)),
        Vec2::splat(canvas.px(13.0)),
    );
    let tone = if verdict == Verdict::Uncertain { canvas.theme.warning } else { canvas.theme.muted };
    icons::verdict(verdict)(canvas.painter(), badge, tone);
    canvas.paragraph(line, sentence, 13.5, canvas.theme.text, 2, Align::Min);
    confidence(canvas, Rect::from_min_max(Pos2::new(inner.min.x, meter_top), inner.max), model, genre, color);
}

/// How sure, as a bar with the threshold on it.
fn confidence(canvas: &Canvas<'_>, rect: Rect, model: &ViewModel, genre: Option<Genre>, color: Color32) {
    let threshold = model.dial(Dial::Threshold) / 100.0;
    let confidence = if genre.is_some() { model.snapshot.confidence.clamp(0.0, 1.0) } else { 0.0 };
    let track = Rect::from_min_max(Pos2::new(rect.min.x, rect.max.y - canvas.px(8.0)), rect.max);
    let label = match genre {
        Some(_) => format!("Confidence {:.0} %", confidence * 100.0),
        None => "Confidence".into(),
    };
    let label_y = track.min.y - canvas.px(4.0);
    let end = canvas
        .text(Pos2::new(rect.min.x, label_y), Align2::LEFT_BOTTOM, label, 12.0, canvas.theme.muted)
        .max
        .x;
    let painter = canvas.painter();
    painter.rect_filled(track, canvas.px(4.0), canvas.theme.line);
    let mut filled = track;
    filled.set_width(track.width() * confidence);
    painter.rect_filled(filled, canvas.px(4.0), color);
    let x = track.min.x + track.width() * threshold;
    let tick = Rect::from_center_size(
        Pos2::new(x, track.center().y),
        Vec2::new(canvas.px(2.0), track.height() + canvas.px(6.0)),
    );
    painter.rect_filled(tick, 0.0, canvas.theme.text);
    let text = format!("threshold {:.0} %", threshold * 100.0);
    let half = canvas.width(&text, 11.0) / 2.0;
    let x = x.clamp((end + canvas.px(8.0) + half).min(track.max.x - half), track.max.x - half);
    canvas.text(Pos2::new(x, label_y), Align2::CENTER_BOTTOM, text, 11.0, canvas.theme.faint);
}

/// The level of the input, upright.
fn level_meter(canvas: &Canvas<'_>, rect: Rect, model: &ViewModel) {
    let level = if model.has_heard() { model.snapshot.level_dbfs } else { f32::NEG_INFINITY };
    let track = Rect::from_min_max(
        Pos2::new(rect.center().x - canvas.px(4.0), rect.min.y),
        Pos2::new(rect.center().x + canvas.px(4.0), rect.max.y - canvas.px(32.0)),
    );
    let painter = canvas.painter();
    painter.rect_filled(track, canvas.px(3.0), canvas.theme.line);
    let share = ((level - METER_FLOOR_DB) / -METER_FLOOR_DB).clamp(0.0, 1.0);
    let filled = Rect::from_min_max(Pos2::new(track.min.x, track.max.y - track.height() * share), track.max);
    painter.rect_filled(
        filled,
        canvas.px(3.0),
        if level > -1.0 { canvas.theme.warning } else { canvas.theme.accent },
    );
    let text = if level > METER_FLOOR_DB { format!("{level:.0}") } else { "-\u{221e}".into() };
    let at = Pos2::new(rect.center().x, rect.max.y);
    canvas.text(at - Vec2::new(0.0, canvas.px(14.0)), Align2::CENTER_BOTTOM, text, 12.0, canvas.theme.text);
    canvas.text(at, Align2::CENTER_BOTTOM, "dBFS", 10.5, canvas.theme.faint);
}
