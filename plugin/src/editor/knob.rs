//! A knob for a [`Dial`].
//!
//! * Drag up or right to raise, with shift ten times finer; the mouse wheel steps.
//! * Double-click or ctrl-click sets the default.
//! * Click the value to type one; enter takes it, escape leaves.
//! * A right click offers the same as a list.
//!
//! Each change is one gesture to the host: begin, set, end.

use super::canvas::Canvas;
use super::menu::{self, Item, Menu};
use super::model::Action;
use crate::params::Dial;
use egui::{
    Align2, CursorIcon, Event, Id, Key, MouseWheelUnit, Pos2, Rect, Sense, Shape, Stroke, TextEdit, Vec2,
    WidgetInfo,
};
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

/// The identity of a dial's knob, for tests and for egui.
pub fn id(dial: Dial) -> Id {
    Id::unique(("knob", dial.id()))
}

/// Draws the knob of `dial` at the plain value `value` and reports what the user does to it.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, dial: Dial, value: f32) {
    let id = id(dial);
    let radius = canvas.px(24.0);
    let center = Pos2::new(rect.center().x, rect.min.y + canvas.px(18.0) + radius);
    let face = Rect::from_center_size(center, Vec2::splat(2.2 * radius));
    let response =
        canvas.touch(face, id, Sense::CLICK | Sense::DRAG).on_hover_cursor(CursorIcon::ResizeVertical);
    let range = dial.range();
    let normalized = share(dial, value);
    let (fine, reset_key, wheel) = canvas.ui.input(|input| {
        let wheel = input.events.iter().filter_map(notches).sum::<f32>();
        (input.modifiers.shift, input.modifiers.command, if response.hovered() { wheel } else { 0.0 })
    });
    let speed = if fine { FINE } else { 1.0 };

    // The drag is followed where it would be without the ends and the rounding of the value, so nothing is lost.
    let grip = id.with("grip");
    if response.drag_started() {
        canvas.ui.data_mut(|data| data.insert_temp(grip, normalized));
        canvas.actions.push(Action::Begin(dial));
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
            canvas.actions.push(Action::Set(dial, range.unnormalize(held)));
        }
    }
    if response.drag_stopped() {
        canvas.actions.push(Action::End(dial));
    }
    if response.double_clicked() || (response.clicked() && reset_key) {
        gesture(canvas, dial, dial.default());
    } else if wheel != 0.0 && !response.dragged() {
        let target = (normalized + wheel * NOTCH * speed).clamp(0.0, 1.0);
        gesture(canvas, dial, range.unnormalize(target));
    }

    if response.secondary_clicked() {
        let at = response.interact_pointer_pos().unwrap_or(center);
        canvas.ui.data_mut(|data| data.insert_temp(open_id(), Open { dial, at, value }));
        menu::set_open(canvas, MENU, true);
    }
    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, f64::from(value), dial.name());
        info.current_text_value = Some(dial.text(value));
        info
    });

    let lively = response.hovered() || response.dragged();
    canvas.text(Pos2::new(center.x, rect.min.y), Align2::CENTER_TOP, dial.label(), 12.0, canvas.theme.muted);
    paint(canvas, center, radius, normalized, dial.origin(), lively);
    if !response.dragged() {
        response.on_hover_text(format!(
            "{}\n\nDrag, or use the wheel; shift for fine. Double-click for {}. Click the value to type, \
             right-click for more.",
            dial.help(),
            dial.text(dial.default())
        ));
    }
    let field = Rect::from_center_size(
        Pos2::new(center.x, center.y + radius + canvas.px(14.0)),
        Vec2::new(canvas.px(76.0), canvas.px(20.0)),
    );
    value_field(canvas, field, dial, value);
}

/// Name of the list that a right click opens.
pub const MENU: &str = "knob";

/// The dial that the list is about.
#[derive(Clone, Copy)]
struct Open {
    dial: Dial,
    at: Pos2,
    value: f32,
}

fn open_id() -> Id {
    Id::unique("knob menu")
}

/// Draws the list that a right click on a knob opened, over everything else.
pub fn list(canvas: &mut Canvas<'_>) {
    if !menu::is_open(canvas, MENU) {
        return;
    }
    let Some(Open { dial, at, value }) = canvas.ui.data(|data| data.get_temp::<Open>(open_id())) else {
        return;
    };
    let (min, max) = dial.limits();
    let line = |name: String, about: String| Item { name, about, chosen: false };
    let items = [
        line(
            format!("Reset to {}", dial.text(dial.default())),
            "As a double-click does; so does ctrl-click.".into(),
        ),
        line("Type a value\u{2026}".into(), format!("{} to {}", dial.text(min), dial.text(max))),
        line(format!("Lowest: {}", dial.text(min)), String::new()),
        line(format!("Highest: {}", dial.text(max)), String::new()),
        line(
            format!("Copy \u{201c}{}\u{201d}", dial.text(value)),
            format!("For automation this is the host parameter \u{201c}{}\u{201d}.", dial.name()),
        ),
    ];
    let place = Rect::from_center_size(at, Vec2::ZERO);
    match (Menu { name: MENU, place, width: 300.0, items: &items }).list(canvas) {
        Some(0) => gesture(canvas, dial, dial.default()),
        Some(1) => type_value(canvas, dial, value),
        Some(2) => gesture(canvas, dial, min),
        Some(3) => gesture(canvas, dial, max),
        Some(4) => canvas.ui.ctx().copy_text(dial.text(value)),
        _ => {}
    }
}

/// Turns the value into a field to type in.
fn type_value(canvas: &mut Canvas<'_>, dial: Dial, value: f32) {
    let id = id(dial).with("typed");
    canvas.ui.data_mut(|data| data.insert_temp(id, dial.number(value)));
    canvas.ui.memory_mut(|memory| memory.request_focus(id));
}

/// Where on its travel a plain value stands, `0..=1`.
fn share(dial: Dial, value: f32) -> f32 {
    let (min, max) = dial.limits();
    let value = if value.is_finite() { value.clamp(min, max) } else { dial.default() };
    dial.range().normalize(value).clamp(0.0, 1.0)
}

/// How many notches up the wheel was turned. Some systems turn it sideways while shift is held.
fn notches(event: &Event) -> Option<f32> {
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
fn gesture(canvas: &mut Canvas<'_>, dial: Dial, value: f32) {
    canvas.actions.extend([Action::Begin(dial), Action::Set(dial, value), Action::End(dial)]);
}

fn paint(canvas: &Canvas<'_>, center: Pos2, radius: f32, normalized: f32, origin: f32, lively: bool) {
    let arc = |from: f32, to: f32| {
        let steps = (((to - from).abs() * 48.0).ceil() as usize).max(1);
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

/// The value as text that turns into a field to type in.
fn value_field(canvas: &mut Canvas<'_>, rect: Rect, dial: Dial, value: f32) {
    let id = id(dial).with("typed");
    let Some(mut typed) = canvas.ui.data(|data| data.get_temp::<String>(id)) else {
        let response = canvas.touch(rect, id, Sense::CLICK).on_hover_cursor(CursorIcon::Text);
        if response.hovered() {
            canvas.painter().rect_filled(rect, canvas.px(4.0), canvas.theme.control);
        }
        canvas.text(rect.center(), Align2::CENTER_CENTER, dial.text(value), 13.5, canvas.theme.text);
        if response.clicked() {
            type_value(canvas, dial, value);
        }
        return;
    };
    let font = canvas.font(13.5);
    let edit = TextEdit::singleline(&mut typed).id(id).font(font).align(Align2::CENTER_CENTER);
    let response = canvas.ui.put(rect, edit);
    let left = response.lost_focus();
    if left {
        let taken = !canvas.ui.input(|input| input.key_pressed(Key::Escape));
        if let Some(value) = dial.parse(&typed).filter(|_| taken) {
            gesture(canvas, dial, value);
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
