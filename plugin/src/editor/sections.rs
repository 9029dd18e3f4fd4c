//! The processors of the mix, in their order: what each does now; and of one of them every setting, as knobs that show
//! the user's own value and, on the ring, what the genre makes of it.

use super::canvas::{Button, Canvas, columns, take_top};
use super::control::Control;
use super::curve::{decibels, frequency};
use super::model::{Action, ViewModel};
use super::{controls, icons, knob};
use crate::params::{Dial, Switch};
use egui::{Align, Align2, CursorIcon, Id, Pos2, Rect, Role, Sense, Vec2, WidgetInfo};
use idiom_engine::profile::Parameter;
use idiom_engine::{LimiterMode, Section};

/// Identity of the tab that shows a section's settings.
pub fn tab_id(section: Section) -> Id {
    Id::unique(("section", section.name()))
}

/// Identity of the button that chooses the limiter.
pub fn limiter_id(mode: LimiterMode) -> Id {
    Id::unique(("limiter", mode as u8))
}

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

/// What a section does now, in a word.
fn now(section: Section, model: &ViewModel) -> String {
    let mix = model.mix();
    let percent = |share: f32| format!("{:.0} %", 100.0 * share);
    match section {
        Section::Gate => decibels(mix.gate_db),
        Section::Eq => {
            let strongest =
                (0..4).max_by(|a, b| mix.eq_db[*a].abs().total_cmp(&mix.eq_db[*b].abs())).unwrap_or(0);
            if mix.eq_db[strongest].abs() < 0.05 {
                "flat".into()
            } else {
                format!("{} at {}", decibels(mix.eq_db[strongest]), frequency(mix.eq_hz[strongest]))
            }
        }
        Section::Compressor => format!("{} at {:.1} : 1", decibels(mix.reduction_db), mix.ratio.max(1.0)),
        Section::Drive => percent(mix.drive),
        Section::Width => percent(mix.width),
        Section::Loudness => decibels(mix.loudness_db),
        Section::Limiter => decibels(mix.limiter_db),
    }
}

/// Draws the tabs of all sections, and the settings of the chosen one.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let mut rest = rect;
    let gap = canvas.px(6.0);
    let tabs = take_top(&mut rest, canvas.px(46.0), gap);
    for (section, place) in Section::ALL.into_iter().zip(columns(tabs, Section::ALL.len(), gap)) {
        tab(canvas, place, section, model);
    }
    settings(canvas, rest, model.look.section.unwrap_or(Section::Eq), model);
}

fn tab(canvas: &mut Canvas<'_>, rect: Rect, section: Section, model: &ViewModel) {
    let colors = canvas.theme;
    let chosen = model.look.section.unwrap_or(Section::Eq) == section;
    let switch = Switch::On(section);
    let on = model.switch(switch);
    let acts = on && (model.acts() || section == Section::Limiter);
    let response = canvas.touch(rect, tab_id(section), Sense::CLICK);
    response.widget_info(|| {
        WidgetInfo::selected(Role::Button, true, chosen, format!("{} settings", section.label()))
    });
    let fill = if response.hovered() { colors.control } else { colors.card };
    canvas.painter().rect_filled(rect, canvas.px(8.0), fill);
    if chosen {
        let line = Rect::from_min_max(
            Pos2::new(rect.min.x + canvas.px(10.0), rect.max.y - canvas.px(3.0)),
            Pos2::new(rect.max.x - canvas.px(10.0), rect.max.y - canvas.px(1.0)),
        );
        canvas.painter().rect_filled(line, canvas.px(1.0), colors.text);
    }
    if response.clicked() && !chosen {
        canvas.actions.push(Action::Section(section));
    }
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(help(section));

    let side = canvas.px(24.0);
    let lamp = Rect::from_min_size(rect.min, Vec2::splat(side));
    let lock = Rect::from_min_size(Pos2::new(rect.max.x - side, rect.min.y), Vec2::splat(side));
    let words = Rect::from_min_max(
        Pos2::new(lamp.max.x, rect.min.y + canvas.px(3.0)),
        Pos2::new(lock.min.x, rect.min.y + canvas.px(22.0)),
    );
    canvas.label(words, section.label(), 12.5, if on { colors.text } else { colors.muted }, Align::Min);
    let line = Rect::from_min_max(
        Pos2::new(lamp.max.x, rect.min.y + canvas.px(22.0)),
        Pos2::new(rect.max.x - canvas.px(6.0), rect.max.y - canvas.px(5.0)),
    );
    let text = if acts {
        now(section, model)
    } else if on {
        "\u{2013}".into()
    } else {
        "off".into()
    };
    canvas.label(line, text, 11.0, if acts { colors.muted } else { colors.faint }, Align::Min);

    for (place, switch) in [(lamp, switch), (lock, Switch::Lock(section))] {
        let lit = model.switch(switch);
        let response = canvas.touch(place, controls::switch_id(switch), Sense::CLICK);
        response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, lit, switch.name()));
        let ink = match (lit, response.hovered()) {
            (true, _) | (_, true) => colors.text,
            (false, false) => colors.faint,
        };
        if matches!(switch, Switch::On(_)) {
            icons::lamp(canvas.painter(), place.shrink(canvas.px(5.0)), ink, lit);
        } else {
            let ink = if lit { colors.warning } else { ink };
            icons::lock(canvas.painter(), place.shrink(canvas.px(6.0)), ink, lit);
        }
        if response.clicked() {
            canvas.actions.push(Action::Switch(switch, !lit));
        }
        response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(switch.help());
    }
}

/// The knobs of a section.
fn settings(canvas: &mut Canvas<'_>, rect: Rect, section: Section, model: &ViewModel) {
    let colors = canvas.theme;
    canvas.painter().rect_filled(rect, canvas.px(8.0), colors.card);
    let mut inner = rect.shrink2(Vec2::new(canvas.px(12.0), canvas.px(10.0)));
    let parameters: Vec<Parameter> =
        Parameter::ALL.iter().copied().filter(|parameter| parameter.section() == section).collect();
    // What is no knob stands at the right.
    let side = match section {
        Section::Compressor => canvas.px(92.0),
        Section::Limiter => canvas.px(190.0),
        _ => 0.0,
    };
    let right = Rect::from_min_max(Pos2::new(inner.max.x - side, inner.min.y), inner.max);
    inner.max.x -= side + if side > 0.0 { canvas.px(10.0) } else { 0.0 };
    let more = usize::from(section == Section::Limiter);
    let width = (inner.width() / (parameters.len() + more) as f32).min(canvas.px(84.0));
    let place = |i: usize| {
        Rect::from_min_size(
            Pos2::new(inner.min.x + i as f32 * width, inner.min.y),
            Vec2::new(width, inner.height()),
        )
    };
    let locked = model.switch(Switch::Lock(section));
    for (i, parameter) in parameters.iter().enumerate() {
        let ring = model.has_heard().then(|| model.mix().values[*parameter]);
        knob::show(canvas, place(i), Control::Own(*parameter), model.own[*parameter], ring);
    }
    match section {
        Section::Limiter => {
            let ceiling = Control::Dial(Dial::Ceiling);
            knob::show(canvas, place(parameters.len()), ceiling, model.dial(Dial::Ceiling), None);
            limiter(canvas, right, model);
        }
        Section::Compressor => {
            let row = Rect::from_center_size(right.center(), Vec2::new(side, canvas.px(28.0)));
            let on = model.switch(Switch::SideChain);
            let help = Switch::SideChain.help();
            let look = Button {
                name: Some(Switch::SideChain.name()),
                ..Button::words(colors, "Side chain", help, on)
            };
            if canvas.button(row, controls::switch_id(Switch::SideChain), look) {
                canvas.actions.push(Action::Switch(Switch::SideChain, !on));
            }
        }
        _ => {}
    }
    let last = place(parameters.len() + more).min.x + canvas.px(12.0);
    let room = Rect::from_min_max(Pos2::new(last, inner.min.y), Pos2::new(inner.max.x, inner.max.y));
    if room.width() > canvas.px(150.0) {
        let text = if locked {
            "Locked: the genre does not move this section."
        } else {
            "A knob is your own setting; the genre adds what its profile asks for, as far as Amount lets it. The ring \
             shows what is in force."
        };
        canvas.paragraph(room, text, 11.0, colors.faint, 4, Align::Center);
    }
}

fn limiter(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    canvas.text(rect.min, Align2::LEFT_TOP, "Kind", 11.0, colors.muted);
    let row = Rect::from_min_size(
        rect.min + Vec2::new(0.0, canvas.px(22.0)),
        Vec2::new(rect.width(), canvas.px(28.0)),
    );
    let kinds = [
        (
            LimiterMode::ZeroLatency,
            "Zero latency",
            "Holds sample peaks without any latency: for tracking and live.",
        ),
        (
            LimiterMode::LookAhead,
            "True peak",
            "Holds true peaks with a constant look-ahead: for masters. In force when the host next starts the plugin.",
        ),
    ];
    for ((mode, name, help), place) in kinds.into_iter().zip(columns(row, 2, canvas.px(5.0))) {
        let on = model.limiter == mode;
        let look = Button { size: 11.5, ..Button::words(colors, name, help, on) };
        if canvas.button(place, limiter_id(mode), look) && !on {
            canvas.actions.push(Action::Limiter(mode));
        }
    }
}
