//! A setting with a button for less and one for more; the wheel over it does the same.

use super::canvas::{Button, Canvas};
use super::knob;
use egui::{Align, Id, Pos2, Rect, Sense, Vec2};

/// What a stepper shows.
pub struct Stepper<'a> {
    /// What tells it from others.
    pub id: &'a str,
    /// What it sets.
    pub name: &'a str,
    /// How it stands.
    pub value: &'a str,
    /// Tooltip.
    pub help: &'a str,
    /// Room for the name in design points.
    pub name_width: f32,
}

/// Identity of the button that takes the next larger or smaller value.
pub fn id(stepper: &str, more: bool) -> Id {
    Id::unique(("stepper", stepper, more))
}

impl Stepper<'_> {
    /// Draws it in a row: name, value, buttons. Returns whether more or less was asked for.
    pub fn show(&self, canvas: &mut Canvas<'_>, rect: Rect) -> Option<bool> {
        let colors = canvas.theme;
        let side = canvas.px(20.0).min(rect.height());
        let at = |x: f32| Rect::from_center_size(Pos2::new(x, rect.center().y), Vec2::splat(side));
        let (more, less) = (at(rect.max.x - side / 2.0), at(rect.max.x - 1.6 * side));
        let mut pressed = None;
        for (place, sign, up, verb) in [(less, "\u{2212}", false, "less"), (more, "+", true, "more")] {
            let full = format!("{}: {verb}", self.name);
            let look = Button { name: Some(&full), ..Button::words(colors, sign, self.help, false) };
            if canvas.button(place, id(self.id, up), look) {
                pressed = Some(up);
            }
        }
        let words =
            Rect::from_min_max(rect.min, Pos2::new(rect.min.x + canvas.px(self.name_width), rect.max.y));
        canvas.label(words, self.name, 11.5, colors.muted, Align::Min);
        let number = Rect::from_min_max(
            Pos2::new(words.max.x, rect.min.y),
            Pos2::new(less.min.x - canvas.px(10.0), rect.max.y),
        );
        canvas.label(number, self.value, 12.0, colors.text, Align::Max);
        canvas.explain(Rect::from_min_max(rect.min, number.max), ("stepper", self.id), self.help);
        let over = canvas.touch(rect, id(self.id, true).with("wheel"), Sense::HOVER).contains_pointer();
        let turned: f32 = canvas
            .ui
            .input(|input| if over { input.events.iter().filter_map(knob::notches).sum() } else { 0.0 });
        if turned != 0.0 { Some(turned > 0.0) } else { pressed }
    }
}
