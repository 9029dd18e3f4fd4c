//! A knob for a [`Control`].
//!
//! * Drag up or right to raise, with shift ten times finer; the mouse wheel steps.
//! * Double-click or ctrl-click sets the default.
//! * Click the value to type one; enter takes it, escape leaves.
//! * A right click offers the same as a list.
//!
//! Each change is one gesture to the host: begin, set, end.

use super::canvas::Canvas;
use super::control::Control;
use super::menu::{self, Item, Menu};
use super::model::Action;
use egui::{
    Align2, CursorIcon, Event, Id, Key, MouseWheelUnit, Pos2, Rect, Sense, Shape, Stroke, TextEdit, Vec2,
    WidgetInfo,
};
use idiom_engine::Genre;
use idiom_engine::profile::Parameter;
use std::f32::consts::PI;

/// Points of drag for the whole range, in design points.
const TRAVEL: f32 = 180.0;
/// How much finer shift makes it.
const FINE: f32 = 0.1;
/// Share of the range for one notch of the wheel.
const NOTCH: f32 = 0.025;
/// Angle of the smallest value and sweep to the largest, clockwise from the right.
const START: f32 = 0.75 * PI;
const SWEEP: f32 = 1.5 * PI;

/// The identity of a control's knob, for tests and for egui.
pub fn id(control: impl Into<Control>) -> Id {
    Id::unique(("knob", control.into().id()))
}

/// Draws the knob of a control at the plain value `value`, as large as `rect` allows, and reports what the user does to
/// it. `ring` is the value that is in force, where something moves it.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, control: impl Into<Control>, value: f32, ring: Option<f32>) {
    let control = control.into();
    let id = id(control);
    let tall = rect.height() - canvas.px(44.0);
    let radius = canvas.px(24.0).min(rect.width() * 0.31).min(tall / 2.0);
    let center = Pos2::new(rect.center().x, rect.min.y + canvas.px(21.0) + radius);
    let face = Rect::from_center_size(center, Vec2::splat(2.2 * radius));
    let response =
        canvas.touch(face, id, Sense::CLICK | Sense::DRAG).on_hover_cursor(CursorIcon::ResizeVertical);
    let range = control.range();
    let normalized = share(control, value);
    let (fine, reset_key, wheel) = canvas.ui.input(|input| {
        let wheel = input.events.iter().filter_map(notches).sum::<f32>();
        (input.modifiers.shift, input.modifiers.command, if response.hovered() { wheel } else { 0.0 })
    });
    let speed = if fine { FINE } else { 1.0 };

    // The drag is followed where it would be without the ends and the rounding of the value, so nothing is lost.
    let grip = id.with("grip");
    if response.drag_started() {
        canvas.ui.data_mut(|data| data.insert_temp(grip, normalized));
        canvas.actions.push(Action::Begin(control));
    }
    if response.dragged() {
        let motion = response.drag_motion();
        let moved = (motion.x - motion.y) / canvas.px(TRAVEL) * speed;
        let held = canvas.ui.data_mut(|data| {
            let held = data.get_temp_mut_or(grip, normalized);
            *held = (*held + moved).clamp(0.0, 1.0);
            *held
        });
        if moved != 0.0 {
            canvas.actions.push(Action::Set(control, range.unnormalize(held)));
        }
    }
    if response.drag_stopped() {
        canvas.actions.push(Action::End(control));
    }
    if response.double_clicked() || (response.clicked() && reset_key) {
        gesture(canvas, control, control.default());
    } else if wheel != 0.0 && !response.dragged() {
        let target = (normalized + wheel * NOTCH * speed).clamp(0.0, 1.0);
        gesture(canvas, control, range.unnormalize(target));
    }

    if response.secondary_clicked() {
        let at = response.interact_pointer_pos().unwrap_or(center);
        canvas.ui.data_mut(|data| data.insert_temp(open_id(), Open { control, at, value }));
        menu::set_open(canvas, MENU, true);
    }
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, f64::from(value), control.name());
        info.current_text_value = Some(control.text(value));
        info
    });

    let size = if radius < canvas.px(22.0) { 10.5 } else { 12.0 };
    let lively = response.hovered() || response.dragged();
    canvas.text(
        Pos2::new(center.x, rect.min.y),
        Align2::CENTER_TOP,
        control.label(),
        size,
        canvas.theme.muted,
    );
    paint(canvas, center, radius, normalized, control.origin(), lively);
    if let Some(now) = ring {
        mark(canvas, center, radius, share(control, now), normalized);
    }
    if !response.dragged() {
        response.on_hover_text(format!(
            "{}\n\nDrag, or use the wheel; shift for fine. Double-click for {}. Click the value to type, \
             right-click for more.",
            control.help(),
            control.text(control.default())
        ));
    }
    let field = Rect::from_center_size(
        Pos2::new(center.x, center.y + radius + canvas.px(13.0)),
        Vec2::new(rect.width().min(canvas.px(76.0)), canvas.px(18.0)),
    );
    value_field(canvas, field, control, value);
}

/// Name of the list that a right click opens.
pub const MENU: &str = "knob";

/// The control that the list is about.
#[derive(Clone, Copy)]
struct Open {
    control: Control,
    at: Pos2,
    value: f32,
}

fn open_id() -> Id {
    Id::unique("knob menu")
}

/// Draws the list that a right click on a knob opened, over everything else. `genre` is the one in force.
pub fn list(canvas: &mut Canvas<'_>, genre: Option<Genre>) {
    if !menu::is_open(canvas, MENU) {
        return;
    }
    let Some(Open { control, at, value }) = canvas.ui.data(|data| data.get_temp::<Open>(open_id())) else {
        return;
    };
    let (min, max) = control.limits();
    let line = |name: String, about: String| Item { name, about, chosen: false };
    let mut items = vec![
        line(
            format!("Reset to {}", control.text(control.default())),
            "As a double-click does; so does ctrl-click.".into(),
        ),
        line("Type a value\u{2026}".into(), format!("{} to {}", control.text(min), control.text(max))),
        line(format!("Lowest: {}", control.text(min)), String::new()),
        line(format!("Highest: {}", control.text(max)), String::new()),
        line(
            format!("Copy \u{201c}{}\u{201d}", control.text(value)),
            format!("For automation this is the host parameter \u{201c}{}\u{201d}.", control.name()),
        ),
    ];
    // What is computed cannot be edited, and what was not turned is nothing to keep.
    let kept = match (control, genre) {
        (Control::Own(parameter), Some(genre))
            if parameter != Parameter::EqTrim && value != control.default() =>
        {
            items.push(line(
                format!("Keep for {}", genre.label()),
                "What you turned becomes what this preset asks for it; other genres lose it.".into(),
            ));
            Some(Action::Keep(parameter, genre))
        }
        _ => None,
    };
    let place = Rect::from_center_size(at, Vec2::ZERO);
    match (Menu { name: MENU, place, width: 300.0, items: &items }).list(canvas) {
        Some(0) => gesture(canvas, control, control.default()),
        Some(1) => type_value(canvas, control, value),
        Some(2) => gesture(canvas, control, min),
        Some(3) => gesture(canvas, control, max),
        Some(4) => canvas.ui.ctx().copy_text(control.text(value)),
        Some(5) => canvas.actions.extend(kept),
        _ => {}
    }
}

/// Turns the value into a field to type in.
fn type_value(canvas: &mut Canvas<'_>, control: Control, value: f32) {
    let id = id(control).with("typed");
    canvas.ui.data_mut(|data| data.insert_temp(id, control.number(value)));
    canvas.ui.memory_mut(|memory| memory.request_focus(id));
}

/// Where on its travel a plain value stands, `0..=1`.
fn share(control: Control, value: f32) -> f32 {
    let (min, max) = control.limits();
    let value = if value.is_finite() { value.clamp(min, max) } else { control.default() };
    control.range().normalize(value).clamp(0.0, 1.0)
}

/// How many notches up the wheel was turned. Some systems turn it sideways while shift is held.
pub(super) fn notches(event: &Event) -> Option<f32> {
    let Event::MouseWheel { unit, delta, .. } = event else { return None };
    let turned = if delta.y == 0.0 { delta.x } else { delta.y };
    Some(match unit {
        MouseWheelUnit::Line => turned,
        // A touch pad: about as many points as a line of text for a notch.
        MouseWheelUnit::Point => turned / 40.0,
        MouseWheelUnit::Page => turned * 8.0,
    })
}

/// A whole gesture: the host sees one change and can undo it.
fn gesture(canvas: &mut Canvas<'_>, control: Control, value: f32) {
    canvas.actions.extend([Action::Begin(control), Action::Set(control, value), Action::End(control)]);
}

/// Straight pieces that a share of the travel is drawn with. At four points a piece they are off the circle by a tenth of a
/// point, and a page has dozens of knobs.
fn steps(canvas: &Canvas<'_>, share: f32, radius: f32) -> usize {
    ((share * SWEEP * radius).abs() / canvas.px(4.0)).ceil().max(1.0) as usize
}

fn paint(canvas: &Canvas<'_>, center: Pos2, radius: f32, normalized: f32, origin: f32, lively: bool) {
    let arc = |from: f32, to: f32| {
        let steps = steps(canvas, to - from, radius);
        let point = |i: usize| {
            let share = from + (to - from) * i as f32 / steps as f32;
            center + Vec2::angled(START + SWEEP * share) * radius
        };
        (0..=steps).map(point).collect::<Vec<_>>()
    };
    let painter = canvas.painter();
    let width = canvas.px(4.0);
    painter.add(Shape::line(arc(0.0, 1.0), Stroke::new(width, canvas.theme.line)));
    if (normalized - origin).abs() > 1e-4 {
        painter.add(Shape::line(arc(origin, normalized), Stroke::new(width, canvas.theme.accent)));
    }
    let fill = if lively { canvas.theme.control_hover } else { canvas.theme.control };
    painter.circle_filled(center, radius - canvas.px(6.0), fill);
    let hand = Vec2::angled(START + SWEEP * normalized);
    let (inner, outer) = (radius - canvas.px(15.0), radius - canvas.px(8.0));
    painter.line_segment(
        [center + hand * inner, center + hand * outer],
        Stroke::new(canvas.px(2.5), canvas.theme.text),
    );
}

/// What is in force: an arc outside, from the user's own value to it, and a dot at its end.
fn mark(canvas: &Canvas<'_>, center: Pos2, radius: f32, now: f32, own: f32) {
    let at = |share: f32| center + Vec2::angled(START + SWEEP * share) * (radius + canvas.px(4.5));
    let steps = steps(canvas, now - own, radius);
    let arc: Vec<Pos2> = (0..=steps).map(|i| at(own + (now - own) * i as f32 / steps as f32)).collect();
    let ink = canvas.theme.genres[0];
    canvas.painter().add(Shape::line(arc, Stroke::new(canvas.px(2.0), ink)));
    canvas.painter().circle_filled(at(now), canvas.px(2.6), ink);
}

/// Narrow knobs have smaller numbers.
fn value_size(canvas: &Canvas<'_>, field: Rect) -> f32 {
    if field.width() < canvas.px(70.0) { 11.0 } else { 13.5 }
}

/// The value as text that turns into a field to type in.
fn value_field(canvas: &mut Canvas<'_>, rect: Rect, control: Control, value: f32) {
    let id = id(control).with("typed");
    let Some(mut typed) = canvas.ui.data(|data| data.get_temp::<String>(id)) else {
        let response = canvas.touch(rect, id, Sense::CLICK).on_hover_cursor(CursorIcon::Text);
        if response.hovered() {
            canvas.painter().rect_filled(rect, canvas.px(4.0), canvas.theme.control);
        }
        canvas.text(
            rect.center(),
            Align2::CENTER_CENTER,
            control.text(value),
            value_size(canvas, rect),
            canvas.theme.text,
        );
        if response.clicked() {
            type_value(canvas, control, value);
        }
        return;
    };
    let font = canvas.font(value_size(canvas, rect));
    let edit = TextEdit::singleline(&mut typed).id(id).font(font).align(Align2::CENTER_CENTER);
    let response = canvas.ui.put(rect, edit);
    let left = response.lost_focus();
    if left {
        let taken = !canvas.ui.input(|input| input.key_pressed(Key::Escape));
        if let Some(value) = control.parse(&typed).filter(|_| taken) {
            gesture(canvas, control, value);
        }
    }
    canvas.ui.data_mut(|data| {
        if left {
            data.remove::<String>(id);
        } else {
            data.insert_temp(id, typed);
        }
    });
}
