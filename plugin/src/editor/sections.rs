//! The processors of the mix, in their order: what each does now, and what the genre asks of it.

use super::canvas::{Canvas, columns, take_top};
use super::curve::{BAND_NAMES, asked, decibels, frequency};
use super::model::{Action, ViewModel};
use super::{controls, icons};
use crate::params::Switch;
use egui::{Align, CursorIcon, Pos2, Rect, Role, Sense, Vec2, WidgetInfo};
use idiom_engine::Section;
use idiom_engine::profile::{Parameter, Profile};

const fn help(section: Section) -> &'static str {
    match section {
        Section::Gate => {
            "Turns pauses down: breath, bleed, room. It comes first, so that nothing after it lifts them."
        }
        Section::Eq => "Low cut, two shelves and two bells, moved by the genre; its loudness is evened out.",
        Section::Compressor => {
            "Evens out levels. Make-up gain keeps the average level, so genres do not jump."
        }
        Section::Drive => "Harmonics of a soft saturation, oversampled; the level stays.",
        Section::Width => "The side signal's gain, and bass in mono. The mono sum never changes.",
        Section::Loudness => "Rides slowly to a loudness, within bounds.",
        Section::Limiter => "Holds peaks under the ceiling. It protects whatever the Amount.",
    }
}

/// A line of a section: what it is, what it is now, what the genre asks for.
type Line = (&'static str, String, String);

fn lines(section: Section, model: &ViewModel) -> Vec<Line> {
    use Parameter::*;
    let (mix, profile) = (model.mix(), model.asked());
    let none = || "\u{2013}".to_owned();
    let of = |text: fn(&Profile) -> String| profile.map_or_else(none, text);
    let percent = |share: f32| format!("{:.0} %", 100.0 * share);
    match section {
        Section::Gate => vec![
            ("Gain", decibels(mix.gate_db), none()),
            ("Opens at", of(|p| format!("{:.0} dB", p[GateThreshold])), none()),
            ("Range", of(|p| format!("{:.0} dB", p[GateRange])), none()),
            ("Hold", of(|p| format!("{:.0} ms", p[GateHold])), none()),
        ],
        Section::Eq => {
            let target = profile.map(asked);
            let mut lines = vec![(
                "Low cut",
                if mix.low_cut > 0.01 { frequency(mix.low_cut_hz) } else { none() },
                target.filter(|t| t.low_cut > 0.01).map_or_else(none, |t| frequency(t.low_cut_hz)),
            )];
            lines.extend(BAND_NAMES.into_iter().enumerate().map(|(band, name)| {
                let asked = target.map_or_else(none, |t| decibels(t.eq_db[band]));
                (name, decibels(mix.eq_db[band]), asked)
            }));
            lines
        }
        Section::Compressor => vec![
            ("Threshold", format!("{:.1} dB", mix.threshold_db), of(|p| format!("{:.1} dB", p[Threshold]))),
            ("Ratio", format!("{:.1} : 1", mix.ratio.max(1.0)), of(|p| format!("{:.1} : 1", p[Ratio]))),
            ("Attack", format!("{:.0} ms", mix.attack_ms), of(|p| format!("{:.0} ms", p[Attack]))),
            ("Release", format!("{:.0} ms", mix.release_ms), of(|p| format!("{:.0} ms", p[Release]))),
            ("Make-up", decibels(mix.makeup_db), none()),
        ],
        Section::Drive => vec![
            ("Added", percent(mix.drive), of(|p| format!("{:.0} %", 100.0 * p[DriveMix]))),
            ("Into it", of(|p| decibels(p[DriveGain])), none()),
        ],
        Section::Width => vec![
            ("Sides", percent(mix.width), of(|p| format!("{:.0} %", 100.0 * p[Width]))),
            ("Bass mono", of(|p| format!("{:.0} %", 100.0 * p[MonoBass])), none()),
            ("Below", of(|p| frequency(p[BassHz])), none()),
        ],
        Section::Loudness => vec![
            ("Gain", decibels(mix.loudness_db), none()),
            ("Target", of(|p| format!("{:.0} LUFS", p[Target])), none()),
            ("Within", of(|p| format!("\u{b1}{:.0} dB", p[TargetRange])), none()),
        ],
        Section::Limiter => vec![
            ("Gain", decibels(mix.limiter_db), none()),
            ("Release", of(|p| format!("{:.0} ms", p[LimiterRelease])), none()),
        ],
    }
}

/// Draws the row of sections.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    for (section, place) in Section::ALL.into_iter().zip(columns(rect, 7, canvas.px(6.0))) {
        card(canvas, place, section, model);
    }
}

fn card(canvas: &mut Canvas<'_>, rect: Rect, section: Section, model: &ViewModel) {
    let colors = canvas.theme;
    canvas.painter().rect_filled(rect, canvas.px(8.0), colors.card);
    let mut inner = rect.shrink(canvas.px(9.0));
    let head = take_top(&mut inner, canvas.px(20.0), canvas.px(6.0));
    let switch = Switch::On(section);
    let on = model.switch(switch);
    let acts = on && (model.acts() || section == Section::Limiter);
    let lamp = Rect::from_center_size(
        Pos2::new(head.min.x + canvas.px(7.0), head.center().y),
        Vec2::splat(canvas.px(14.0)),
    );
    icons::lamp(canvas.painter(), lamp, if on { colors.text } else { colors.faint }, on);
    let words = Rect::from_min_max(Pos2::new(lamp.max.x + canvas.px(6.0), head.min.y), head.max);
    canvas.label(words, section.label(), 12.5, if on { colors.text } else { colors.muted }, Align::Min);
    let response = canvas.touch(head, controls::switch_id(switch), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, on, switch.name()));
    if response.clicked() {
        canvas.actions.push(Action::Switch(switch, !on));
    }
    let text = format!("{}\n\nClick to switch it {}.", help(section), if on { "off" } else { "on" });
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(text);
    let (ink, hint) = if acts { (colors.text, colors.faint) } else { (colors.faint, colors.faint) };
    let (name_ink, small) = (if acts { colors.muted } else { colors.faint }, 10.5);
    for (name, now, asked) in lines(section, model) {
        let line = take_top(&mut inner, canvas.px(14.0), 0.0);
        canvas.label(line, name, small, name_ink, Align::Min);
        let now = if acts { now } else { "\u{2013}".into() };
        canvas.label(line, now, 11.5, ink, Align::Max);
        let line = take_top(&mut inner, canvas.px(11.0), canvas.px(1.0));
        if asked.len() > 3 && acts {
            canvas.label(line, format!("asked {asked}"), 9.0, hint, Align::Max);
        }
    }
}
