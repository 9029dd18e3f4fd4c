//! Loudness, and every gain that changes by itself: gate, compressor, loudness follower, limiter.

use super::canvas::{Canvas, columns};
use super::curve::decibels;
use super::model::ViewModel;
use egui::{Align, Align2, Color32, Pos2, Rect, Vec2};
use idiom_engine::profile::Parameter;

/// Loudness at the bottom and the top of its meters in LUFS.
const LUFS: (f32, f32) = (-42.0, -6.0);
/// Gain at the end of a meter in dB.
const GAIN_DB: f32 = 12.0;

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(rect, "Loudness and gains");
    let mix = model.mix();
    let acts = model.acts();
    let heard = model.has_heard();
    let target = model.asked().filter(|p| p[Parameter::TargetRange] > 0.0).map(|p| p[Parameter::Target]);
    let gain = |db: f32| if acts && db.is_finite() { db } else { 0.0 };
    let lufs = |value: f32| if heard && value.is_finite() { value } else { f32::NEG_INFINITY };
    let meters = [
        Meter::Loudness(
            "M",
            "Momentary loudness (0.4 s) before the loudness follower, in LUFS.",
            lufs(mix.lufs[0]),
        ),
        Meter::Loudness(
            "S",
            "Short-term loudness (3 s) before the loudness follower, in LUFS.",
            lufs(mix.lufs[1]),
        ),
        Meter::Gain("Gate", "What the gate takes away now.", gain(mix.gate_db)),
        Meter::Gain("Comp", "What the compressor takes away now, before make-up.", gain(mix.reduction_db)),
        Meter::Ride("Level", "What the loudness follower adds or takes away now.", gain(mix.loudness_db)),
        Meter::Gain("Limit", "What the limiter takes away now.", mix.limiter_db.min(0.0)),
    ];
    let count = meters.len();
    for (meter, place) in meters.into_iter().zip(columns(inner, count, canvas.px(3.0))) {
        draw(canvas, place, &meter, target);
    }
}

enum Meter {
    /// Name, tooltip, LUFS.
    Loudness(&'static str, &'static str, f32),
    /// Name, tooltip, dB.
    Gain(&'static str, &'static str, f32),
    /// The same of a gain that goes both ways.
    Ride(&'static str, &'static str, f32),
}

fn draw(canvas: &Canvas<'_>, rect: Rect, meter: &Meter, target: Option<f32>) {
    let colors = canvas.theme;
    let (name, help) = match meter {
        Meter::Loudness(name, help, _) | Meter::Gain(name, help, _) | Meter::Ride(name, help, _) => {
            (*name, *help)
        }
    };
    let half = canvas.px(5.0);
    let track = Rect::from_min_max(
        Pos2::new(rect.center().x - half, rect.min.y),
        Pos2::new(rect.center().x + half, rect.max.y - canvas.px(32.0)),
    );
    let painter = canvas.painter();
    painter.rect_filled(track, canvas.px(3.0), colors.line);
    let fill = |from: f32, to: f32, color: Color32| {
        let y = |share: f32| track.max.y - track.height() * share.clamp(0.0, 1.0);
        let bar = Rect::from_min_max(Pos2::new(track.min.x, y(to)), Pos2::new(track.max.x, y(from)));
        painter.rect_filled(bar, canvas.px(3.0), color);
    };
    let text = match *meter {
        Meter::Loudness(_, _, lufs) => {
            let share = |lufs: f32| (lufs - LUFS.0) / (LUFS.1 - LUFS.0);
            fill(0.0, share(lufs), colors.accent);
            if let Some(target) = target {
                let y = track.max.y - track.height() * share(target).clamp(0.0, 1.0);
                let tick = Rect::from_center_size(
                    Pos2::new(track.center().x, y),
                    Vec2::new(track.width() + canvas.px(6.0), canvas.px(2.0)),
                );
                painter.rect_filled(tick, 0.0, colors.text);
            }
            if lufs > LUFS.0 - 30.0 { format!("{lufs:.0}") } else { "-\u{221e}".into() }
        }
        Meter::Gain(_, _, db) => {
            // From the top, as reduction pulls the level down.
            fill(1.0 + db.max(-GAIN_DB) / GAIN_DB, 1.0, colors.accent);
            decibels(db).trim_end_matches(" dB").to_owned()
        }
        Meter::Ride(_, _, db) => {
            // From the middle, as it goes both ways.
            let share = 0.5 + 0.5 * db.clamp(-GAIN_DB, GAIN_DB) / GAIN_DB;
            fill(share.min(0.5), share.max(0.5), colors.accent);
            let middle = Rect::from_center_size(
                track.center(),
                Vec2::new(track.width() + canvas.px(4.0), canvas.px(1.0)),
            );
            painter.rect_filled(middle, 0.0, colors.muted);
            decibels(db).trim_end_matches(" dB").to_owned()
        }
    };
    let number = Rect::from_min_max(
        Pos2::new(rect.min.x, rect.max.y - canvas.px(31.0)),
        Pos2::new(rect.max.x, rect.max.y - canvas.px(15.0)),
    );
    canvas.label(number, text, 11.0, colors.text, Align::Center);
    canvas.text(Pos2::new(rect.center().x, rect.max.y), Align2::CENTER_BOTTOM, name, 10.5, colors.muted);
    let target = match (meter, target) {
        (Meter::Loudness(..), Some(target)) => {
            format!("{help}\nThe preset follows {target:.0} LUFS (the line).")
        }
        _ => help.to_owned(),
    };
    canvas.explain(rect, ("meter", name), &target);
}
