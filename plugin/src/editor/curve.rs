//! The spectrum before and after, and on it the equalizer's curve with what the genre asks for behind it.

use super::canvas::Canvas;
use super::model::ViewModel;
use super::theme;
use crate::params::Switch;
use egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Vec2};
use idiom_engine::Section;
use idiom_engine::profile::{Parameter, Profile};
use idiom_engine::rt::mix::chain::BANDS;
use idiom_engine::rt::mix::eq::SHELF_Q;
use idiom_engine::rt::mix::eq_design::prototype_power;
use idiom_engine::spectrum::{POINTS, RANGE_HZ, hertz};
use idiom_engine::telemetry::MixState;

/// Gain at the top of the picture in dB; its negative at the bottom.
const SPAN_DB: f32 = 9.0;
/// Level of the spectrum at the bottom and at the top in dBFS.
const LEVELS_DB: (f32, f32) = (-96.0, -6.0);
/// The spectrum is drawn rising by this many dB an octave, from 1 kHz: music falls about as much, and lies flat.
const TILT_DB: f32 = 3.0;
/// Names of the bands.
pub const BAND_NAMES: [&str; 4] = ["Low", "Mid", "Presence", "High"];

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

/// What a profile asks of the equalizer, as the mix would state it.
pub fn asked(profile: &Profile) -> MixState {
    use Parameter::*;
    MixState {
        low_cut: profile[LowCut],
        low_cut_hz: profile[LowCutHz],
        eq_db: [LowDb, MidDb, PresenceDb, HighDb].map(|p| profile[p]),
        eq_hz: [LowHz, MidHz, PresenceHz, HighHz].map(|p| profile[p]),
        eq_q: [LowQ, MidQ, PresenceQ, HighQ].map(|p| profile[p]),
        ..MixState::default()
    }
}

/// Where frequencies, gains and levels lie.
struct Scale(Rect);

impl Scale {
    fn x(&self, hz: f32) -> f32 {
        let octaves = (RANGE_HZ.1 / RANGE_HZ.0).log2();
        self.0.min.x + self.0.width() * (hz.max(1e-3) / RANGE_HZ.0).log2() / octaves
    }

    fn y(&self, db: f32) -> f32 {
        let db = if db.is_finite() { db } else { 0.0 };
        self.0.center().y - (db / SPAN_DB).clamp(-1.1, 1.1) * self.0.height() / 2.0
    }

    fn level(&self, dbfs: f32, hz: f32) -> f32 {
        let tilted = dbfs + TILT_DB * (hz / 1_000.0).log2();
        let share = (tilted - LEVELS_DB.0) / (LEVELS_DB.1 - LEVELS_DB.0);
        self.0.max.y - self.0.height() * share.clamp(0.0, 1.05)
    }
}

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let acts = model.acts();
    let title = match (model.switch(Switch::Bypass), acts) {
        (true, _) => "Mix (bypassed)",
        (false, false) => "Mix (Amount is 0 %: nothing is changed)",
        (false, true) => "Mix",
    };
    let inner = canvas.card(rect, title);
    let heard = model.snapshot.genre.filter(|_| model.has_heard());
    let genre = heard.map_or(colors.muted, |genre| colors.genre(genre));
    legend(canvas, rect, heard.map_or("genre", |genre| genre.label()), genre);
    let painter = canvas.painter().with_clip_rect(inner);
    painter.rect_filled(inner, canvas.px(4.0), colors.well);
    let scale = Scale(inner);
    grid(canvas, &scale);

    if let Some(spectrum) = &model.spectrum {
        let line = |levels: &[f32; POINTS]| -> Vec<Pos2> {
            levels.iter().enumerate().map(|(i, db)| point(&scale, hertz(i), *db)).collect()
        };
        let before = line(&spectrum.before);
        painter.add(Shape::mesh(area(&before, inner.max.y, colors.faint.gamma_multiply(0.28))));
        painter.add(Shape::line(line(&spectrum.after), Stroke::new(canvas.px(1.2), genre)));
    }

    let equalizes = acts && model.switch(Switch::On(Section::Eq));
    let flat = MixState::default();
    let now = if equalizes { model.mix() } else { &flat };
    if let Some(profile) = model.asked() {
        let target = curve(&scale, &asked(profile));
        let ink = theme::mix(genre, colors.well, 0.25);
        painter.extend(Shape::dashed_line(
            &target,
            Stroke::new(canvas.px(1.6), ink),
            canvas.px(6.0),
            canvas.px(4.0),
        ));
    }
    let line = curve(&scale, now);
    let ink = if equalizes { colors.text } else { colors.faint };
    painter.add(Shape::mesh(area(&line, scale.y(0.0), colors.accent.gamma_multiply(0.14))));
    painter.add(Shape::line(line, Stroke::new(canvas.px(2.2), ink)));
    if equalizes {
        bands(canvas, &scale, now);
    }
}

fn point(scale: &Scale, hz: f32, db: f32) -> Pos2 {
    Pos2::new(scale.x(hz), scale.level(if db.is_finite() { db } else { LEVELS_DB.0 }, hz))
}

fn legend(canvas: &Canvas<'_>, card: Rect, genre: &str, color: Color32) {
    let colors = canvas.theme;
    let y = card.min.y + canvas.px(21.0);
    let mut right = card.max.x - canvas.px(14.0);
    let entries: [(String, Color32, bool); 4] = [
        (format!("what {genre} asks for"), color, true),
        ("equalizer now".into(), colors.text, false),
        ("after".into(), color, false),
        ("before".into(), colors.faint, false),
    ];
    for (text, ink, dashed) in entries {
        let word = canvas.text(Pos2::new(right, y), Align2::RIGHT_CENTER, text, 10.5, colors.muted);
        let (from, to) = (word.min.x - canvas.px(20.0), word.min.x - canvas.px(5.0));
        let pen = Stroke::new(canvas.px(2.0), ink);
        let line = [Pos2::new(from, y), Pos2::new(to, y)];
        if dashed {
            canvas.painter().extend(Shape::dashed_line(&line, pen, canvas.px(4.0), canvas.px(2.5)));
        } else {
            canvas.painter().line_segment(line, pen);
        }
        right = from - canvas.px(14.0);
    }
}

fn grid(canvas: &Canvas<'_>, scale: &Scale) {
    let colors = canvas.theme;
    let painter = canvas.painter().with_clip_rect(scale.0);
    let thin = Stroke::new(1.0, colors.line);
    let marks = [
        (50.0, "50"),
        (100.0, "100"),
        (200.0, "200"),
        (500.0, "500"),
        (1_000.0, "1k"),
        (2_000.0, "2k"),
        (5_000.0, "5k"),
        (10_000.0, "10k"),
    ];
    for (hz, label) in marks {
        painter.vline(scale.x(hz), scale.0.y_range(), thin);
        let at = Pos2::new(scale.x(hz) + canvas.px(3.0), scale.0.max.y - canvas.px(2.0));
        painter.text(at, Align2::LEFT_BOTTOM, label, canvas.font(9.5), colors.faint);
    }
    for db in [-6.0, -3.0, 0.0, 3.0, 6.0] {
        painter.hline(scale.0.x_range(), scale.y(db), thin);
        let at = Pos2::new(scale.0.min.x + canvas.px(4.0), scale.y(db));
        let label = if db == 0.0 { "0 dB".into() } else { format!("{db:+.0}") };
        painter.text(at, Align2::LEFT_CENTER, label, canvas.font(9.5), colors.faint);
    }
}

fn curve(scale: &Scale, mix: &MixState) -> Vec<Pos2> {
    let steps = 120;
    let at = |i: usize| {
        let hz = RANGE_HZ.0 * (RANGE_HZ.1 / RANGE_HZ.0).powf(i as f32 / steps as f32);
        Pos2::new(scale.x(hz), scale.y(gain_db(mix, hz)))
    };
    (0..=steps).map(at).collect()
}

/// A dot for each band that does something, with its numbers in a tooltip.
fn bands(canvas: &Canvas<'_>, scale: &Scale, mix: &MixState) {
    let colors = canvas.theme;
    for (band, name) in BAND_NAMES.into_iter().enumerate() {
        let (db, hz, q) = (mix.eq_db[band], mix.eq_hz[band], mix.eq_q[band]);
        if !(hz > RANGE_HZ.0 && hz < RANGE_HZ.1 && db.is_finite() && db.abs() > 0.05) {
            continue;
        }
        let at = Pos2::new(scale.x(hz), scale.y(gain_db(mix, hz)));
        canvas.painter().circle(at, canvas.px(4.5), colors.well, Stroke::new(canvas.px(2.0), colors.text));
        let help = format!("{name}: {} at {}, Q {q:.2}", decibels(db), frequency(hz));
        canvas.explain(Rect::from_center_size(at, Vec2::splat(canvas.px(18.0))), ("band", band), &help);
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
pub fn decibels(db: f32) -> String {
    if db.abs() < 0.05 { "0.0 dB".into() } else { format!("{db:+.1} dB") }
}

/// A frequency as engineers write it.
pub fn frequency(hz: f32) -> String {
    if hz < 1_000.0 { format!("{hz:.0} Hz") } else { format!("{:.1} kHz", hz / 1_000.0) }
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
        assert_eq!([frequency(80.0), frequency(999.4), frequency(2_500.0)], ["80 Hz", "999 Hz", "2.5 kHz"]);
        assert_eq!([decibels(-0.04), decibels(1.25), decibels(-3.0)], ["0.0 dB", "+1.2 dB", "-3.0 dB"]);
    }
}
