//! What the mix does now: the equalizer's curve, the compressor's settings and its gain reduction.

use super::canvas::{Canvas, slice_x};
use super::model::ViewModel;
use super::theme;
use crate::params::{Dial, Switch};
use egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Vec2};
use idiom_engine::rt::mix::chain::BANDS;
use idiom_engine::rt::mix::eq::SHELF_Q;
use idiom_engine::rt::mix::eq_design::prototype_power;
use idiom_engine::telemetry::MixState;

/// Frequencies at the ends of the picture in Hz.
const LOWEST_HZ: f32 = 20.0;
const HIGHEST_HZ: f32 = 20_000.0;
/// Gain at the top of the picture in dB.
const SPAN_DB: f32 = 6.0;
/// Reduction at the end of the meter in dB.
const REDUCTION_DB: f32 = 12.0;
/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let acts = !model.switch(Switch::Bypass) && model.dial(Dial::Amount) > 0.0;
    let title = match (model.switch(Switch::Bypass), acts) {
        (true, _) => "Mix (bypassed)",
        (false, false) => "Mix (Amount is 0 %: nothing is changed)",
        (false, true) => "Mix",
    };
    let inner = canvas.card(rect, title);
    let gap = canvas.px(20.0);
    let mut left = slice_x(inner, 0.0, 0.6);
    left.max.x -= gap / 2.0;
    let mut right = slice_x(inner, 0.6, 1.0);
    right.min.x += gap / 2.0;
    equalizer(canvas, left, model.mix(), acts && model.switch(Switch::Eq));
    compressor(canvas, right, model.mix(), acts && model.switch(Switch::Compressor));
}

/// The gain of low cut and bands in dB at `hz`, from their analogue prototypes.
pub fn gain_db(mix: &MixState, hz: f32) -> f32 {
    let power =
        |shape, setting: [f32; 3]| prototype_power(shape, setting.map(f64::from), hz.into()).max(1e-12);
    let mut gain = 1.0;
    if mix.low_cut > 0.0 {
        let cut = power(BANDS[0], [mix.low_cut_hz, 0.0, SHELF_Q as f32]).sqrt();
        gain *= (1.0 + f64::from(mix.low_cut) * (cut - 1.0)).powi(2);
    }
    for (band, shape) in BANDS[1..].iter().enumerate() {
        let (db, center, q) = (mix.eq_db[band], mix.eq_hz[band], mix.eq_q[band]);
        if db != 0.0 && center > 0.0 && q > 0.0 {
            gain *= power(*shape, [center, db, q]);
        }
    }
    10.0 * gain.log10() as f32
}

fn equalizer(canvas: &Canvas<'_>, rect: Rect, mix: &MixState, acts: bool) {
    let text_y = rect.max.y;
    let graph = Rect::from_min_max(rect.min, Pos2::new(rect.max.x, rect.max.y - canvas.px(20.0)));
    let painter = canvas.painter().with_clip_rect(graph);
    painter.rect_filled(graph, canvas.px(3.0), theme::BACKGROUND);
    let octaves = (HIGHEST_HZ / LOWEST_HZ).log2();
    let x = |hz: f32| graph.min.x + graph.width() * (hz / LOWEST_HZ).log2() / octaves;
    let y = |db: f32| graph.center().y - (db / SPAN_DB).clamp(-1.1, 1.1) * graph.height() / 2.0;
    let thin = Stroke::new(1.0, theme::LINE);
    for (hz, label) in [(100.0, "100"), (1_000.0, "1k"), (10_000.0, "10k")] {
        painter.vline(x(hz), graph.y_range(), thin);
        let at = Pos2::new(x(hz) + canvas.px(3.0), graph.max.y - canvas.px(1.0));
        painter.text(at, Align2::LEFT_BOTTOM, label, canvas.font(10.0), theme::FAINT);
    }
    for db in [-3.0, 0.0, 3.0] {
        painter.hline(graph.x_range(), y(db), thin);
        if db != 0.0 {
            let at = Pos2::new(graph.min.x + canvas.px(4.0), y(db));
            painter.text(at, Align2::LEFT_CENTER, format!("{db:+.0}"), canvas.font(10.0), theme::FAINT);
        }
    }
    let flat = MixState::default();
    let mix_drawn = if acts { mix } else { &flat };
    let steps = 120;
    let curve: Vec<Pos2> = (0..=steps)
        .map(|i| {
            let hz = LOWEST_HZ * 2f32.powf(octaves * i as f32 / steps as f32);
            Pos2::new(x(hz), y(gain_db(mix_drawn, hz)))
        })
        .collect();
    let ink = if acts { theme::TEXT } else { theme::FAINT };
    painter.add(Shape::mesh(area(&curve, y(0.0), theme::ACCENT.gamma_multiply(0.18))));
    painter.add(Shape::line(curve, Stroke::new(canvas.px(2.0), ink)));
    let anchors = [
        (0.0, Align2::LEFT_BOTTOM),
        (0.35, Align2::CENTER_BOTTOM),
        (0.66, Align2::CENTER_BOTTOM),
        (1.0, Align2::RIGHT_BOTTOM),
    ];
    for (band, (share, anchor)) in anchors.into_iter().enumerate() {
        let (db, hz) = (mix_drawn.eq_db[band], mix_drawn.eq_hz[band]);
        let text = if hz > 0.0 { format!("{} {}", hertz(hz), bare(db)) } else { "\u{2013}".into() };
        let at = Pos2::new(rect.min.x + rect.width() * share, text_y);
        canvas.text(at, anchor, text, 11.0, if acts { theme::MUTED } else { theme::FAINT });
    }
}

/// The area between a curve and a horizontal line.
fn area(curve: &[Pos2], base: f32, color: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    for (i, point) in curve.iter().enumerate() {
        mesh.colored_vertex(*point, color);
        mesh.colored_vertex(Pos2::new(point.x, base), color);
        if i > 0 {
            let new = 2 * i as u32;
            mesh.add_triangle(new - 2, new - 1, new);
            mesh.add_triangle(new - 1, new, new + 1);
        }
    }
    mesh
}

/// A gain with its sign; a nought has none.
fn decibels(db: f32) -> String {
    if db.abs() < 0.05 { "0.0 dB".into() } else { format!("{db:+.1} dB") }
}

/// A gain in dB without the unit, where four have to stand in a row under a scale in dB.
fn bare(db: f32) -> String {
    decibels(db).trim_end_matches(" dB").to_owned()
}

/// A frequency as engineers write it.
fn hertz(hz: f32) -> String {
    if hz < 1_000.0 { format!("{hz:.0} Hz") } else { format!("{:.1} kHz", hz / 1_000.0) }
}

fn compressor(canvas: &Canvas<'_>, rect: Rect, mix: &MixState, acts: bool) {
    let ink = if acts { theme::TEXT } else { theme::FAINT };
    let number = |text: String| if acts { text } else { "\u{2013}".into() };
    let facts = [
        ("Threshold", number(format!("{:.1} dB", mix.threshold_db))),
        ("Ratio", number(format!("{:.1} : 1", mix.ratio.max(1.0)))),
        ("Attack", number(format!("{:.0} ms", mix.attack_ms))),
        ("Release", number(format!("{:.0} ms", mix.release_ms))),
        ("Make-up", number(decibels(mix.makeup_db))),
    ];
    let meter_height = canvas.px(30.0);
    let row = ((rect.height() - meter_height) / facts.len() as f32).min(canvas.px(19.0));
    for (i, (name, value)) in facts.into_iter().enumerate() {
        let y = rect.min.y + (i as f32 + 0.5) * row;
        canvas.text(Pos2::new(rect.min.x, y), Align2::LEFT_CENTER, name, 12.0, theme::MUTED);
        canvas.text(Pos2::new(rect.max.x, y), Align2::RIGHT_CENTER, value, 12.5, ink);
    }
    let reduction = if acts { mix.reduction_db.min(0.0) } else { 0.0 };
    let track = Rect::from_min_max(Pos2::new(rect.min.x, rect.max.y - canvas.px(8.0)), rect.max);
    let label_y = track.min.y - canvas.px(4.0);
    canvas.text(Pos2::new(rect.min.x, label_y), Align2::LEFT_BOTTOM, "Gain reduction", 12.0, theme::MUTED);
    let text = number(format!("{reduction:.1} dB").replace("-0.0", "0.0"));
    canvas.text(Pos2::new(rect.max.x, label_y), Align2::RIGHT_BOTTOM, text, 12.5, ink);
    canvas.painter().rect_filled(track, canvas.px(4.0), theme::LINE);
    // From the right, as reduction pulls the level down.
    let width = track.width() * (-reduction / REDUCTION_DB).clamp(0.0, 1.0);
    if width > 0.5 {
        let filled = Rect::from_min_max(track.max - Vec2::new(width, track.height()), track.max);
        canvas.painter().rect_filled(filled, canvas.px(4.0), theme::ACCENT);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At its corner a shelf has half its gain in dB, far beyond it all, far before it none; a bell has all at its
    /// centre and none far away.
    #[test]
    fn the_curve_is_that_of_the_bands() {
        let mix = |band: usize, db: f32, hz: f32| {
            let mut mix = MixState {
                eq_hz: [100.0, 1_000.0, 3_000.0, 8_000.0],
                eq_q: [0.71, 2.0, 1.0, 0.71],
                ..MixState::default()
            };
            mix.eq_db[band] = db;
            mix.eq_hz[band] = hz;
            mix
        };
        for db in [-6.0, 4.0] {
            let near = |mix: &MixState, hz: f32, expected: f32| {
                let got = gain_db(mix, hz);
                assert!((got - expected).abs() < 0.05, "{db} dB at {hz} Hz: {got}, not {expected}");
            };
            let low = mix(0, db, 200.0);
            near(&low, 200.0, db / 2.0);
            near(&low, 2.0, db);
            near(&low, 20_000.0, 0.0);
            let mid = mix(1, db, 1_000.0);
            near(&mid, 1_000.0, db);
            near(&mid, 5.0, 0.0);
            // Half the gain where the bandwidth is centre / Q: a Q of 2 is 781 to 1281 Hz.
            near(&mid, 1_280.8, db / 2.0);
            near(&mid, 780.8, db / 2.0);
            near(&mid, 200_000.0, 0.0);
            let high = mix(3, db, 5_000.0);
            near(&high, 5_000.0, db / 2.0);
            near(&high, 500_000.0, db);
            near(&high, 50.0, 0.0);
        }
        assert_eq!(gain_db(&MixState::default(), 1_000.0), 0.0);
    }

    #[test]
    fn numbers_read_like_on_a_desk() {
        assert_eq!([hertz(80.0), hertz(999.4), hertz(2_500.0)], ["80 Hz", "999 Hz", "2.5 kHz"]);
        assert_eq!([decibels(-0.04), decibels(1.25), decibels(-3.0)], ["0.0 dB", "+1.2 dB", "-3.0 dB"]);
    }
}
