//! A button that shows what is chosen and opens a list of all there is to choose.

use super::canvas::Canvas;
use super::theme;
use egui::{
    Align, CornerRadius, CursorIcon, Id, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Vec2,
};

/// One line of a [`Menu`].
pub struct Item<'a> {
    /// What it is called.
    pub name: &'a str,
    /// A sentence about it, may be empty.
    pub about: &'a str,
}

/// A menu that is drawn in two steps: [`Menu::button`] in its place, and [`Menu::list`] after everything that the list
/// may cover.
pub struct Menu<'a> {
    /// What tells it from other menus.
    pub name: &'static str,
    /// Where the button is.
    pub place: Rect,
    /// All there is to choose.
    pub items: &'a [Item<'a>],
    /// Which one is chosen.
    pub chosen: usize,
    /// Tooltip of the button.
    pub help: &'a str,
}

impl Menu<'_> {
    /// Identity of the button that opens the list.
    pub fn button_id(name: &str) -> Id {
        Id::unique(("menu", name))
    }

    /// Identity of the line `index`.
    pub fn item_id(name: &str, index: usize) -> Id {
        Id::unique(("menu", name, index))
    }

    /// Draws the button: what is chosen between a step back and a step forward. Returns what a step chose.
    pub fn button(&self, canvas: &mut Canvas<'_>) -> Option<usize> {
        let step = canvas.px(24.0);
        let place = self.place;
        let back = Rect::from_min_size(place.min, Vec2::new(step, place.height()));
        let forward = Rect::from_min_max(Pos2::new(place.max.x - step, place.min.y), place.max);
        let middle = Rect::from_min_max(
            Pos2::new(back.max.x + 1.0, place.min.y),
            Pos2::new(forward.min.x - 1.0, place.max.y),
        );
        let radius = canvas.px(6.0) as u8;
        let id = Self::button_id(self.name);
        let mut chosen = None;
        let parts = [
            (back, "back", CornerRadius { nw: radius, sw: radius, ..CornerRadius::ZERO }),
            (middle, "", CornerRadius::ZERO),
            (forward, "forward", CornerRadius { ne: radius, se: radius, ..CornerRadius::ZERO }),
        ];
        for (rect, part, corners) in parts {
            let id = if part.is_empty() { id } else { id.with(part) };
            let response = canvas.touch(rect, id, Sense::CLICK).on_hover_cursor(CursorIcon::PointingHand);
            let fill = if response.hovered() { theme::CONTROL_HOVER } else { theme::CONTROL };
            canvas.painter().rect_filled(rect, corners, fill);
            let count = self.items.len().max(1);
            if response.clicked() {
                match part {
                    "back" => chosen = Some((self.chosen + count - 1) % count),
                    "forward" => chosen = Some((self.chosen + 1) % count),
                    _ => set_open(canvas, id, !is_open(canvas, id)),
                }
            }
            if part.is_empty() {
                response.on_hover_text(self.help);
            }
        }
        arrow(canvas.painter(), back.shrink(canvas.px(8.0)), Vec2::new(-1.0, 0.0));
        arrow(canvas.painter(), forward.shrink(canvas.px(8.0)), Vec2::new(1.0, 0.0));
        let tick = Rect::from_center_size(
            Pos2::new(middle.max.x - canvas.px(12.0), middle.center().y),
            Vec2::splat(canvas.px(8.0)),
        );
        arrow(canvas.painter(), tick, Vec2::new(0.0, 1.0));
        let words = Rect::from_min_max(
            Pos2::new(middle.min.x + canvas.px(10.0), middle.min.y),
            Pos2::new(tick.min.x - canvas.px(4.0), middle.max.y),
        );
        let name = self.items.get(self.chosen).map_or("", |item| item.name);
        canvas.paragraph(words, name, 13.0, theme::TEXT, 1, Align::Center);
        chosen
    }

    /// Draws the list below the button while it is open. Returns what was chosen in it.
    pub fn list(&self, canvas: &mut Canvas<'_>) -> Option<usize> {
        let id = Self::button_id(self.name);
        if !is_open(canvas, id) {
            return None;
        }
        let window = canvas.ui.ctx().content_rect();
        // Lies under the list and over everything else: a click beside the list closes it and does nothing more.
        let beside = canvas.touch(window, id.with("beside"), Sense::CLICK);
        let top = self.place.max.y + canvas.px(4.0);
        let pad = canvas.px(5.0);
        let room = window.max.y - top - 2.0 * pad - canvas.px(8.0);
        let height = canvas.px(42.0).min(room / self.items.len().max(1) as f32);
        let width = canvas.px(400.0).max(self.place.width()).min(window.width() - canvas.px(28.0));
        let left = (self.place.center().x - width / 2.0)
            .clamp(window.min.x, (window.max.x - width).max(window.min.x));
        let size = Vec2::new(width, height * self.items.len() as f32 + 2.0 * pad);
        let panel = Rect::from_min_size(Pos2::new(left, top), size);
        canvas.touch(panel, id.with("panel"), Sense::CLICK);
        let radius = canvas.px(8.0);
        canvas.painter().rect_filled(panel.expand(canvas.px(3.0)), radius, theme::BACKGROUND);
        canvas.painter().rect_filled(panel, radius, theme::CONTROL);
        canvas.painter().rect_stroke(panel, radius, Stroke::new(1.0, theme::FAINT), StrokeKind::Inside);
        let mut chosen = None;
        for (index, item) in self.items.iter().enumerate() {
            let row = Rect::from_min_size(
                panel.min + Vec2::new(pad, pad + index as f32 * height),
                Vec2::new(width - 2.0 * pad, height),
            );
            let response = canvas
                .touch(row, Self::item_id(self.name, index), Sense::CLICK)
                .on_hover_cursor(CursorIcon::PointingHand);
            if response.hovered() {
                canvas.painter().rect_filled(row, canvas.px(5.0), theme::CONTROL_HOVER);
            }
            if index == self.chosen {
                let edge = Rect::from_min_size(row.min, Vec2::new(canvas.px(3.0), row.height()));
                canvas.painter().rect_filled(edge, canvas.px(1.5), theme::ACCENT);
            }
            let inner = row.shrink2(Vec2::new(canvas.px(12.0), canvas.px(3.0)));
            let upright = if item.about.is_empty() { Align::Center } else { Align::Min };
            canvas.paragraph(inner, item.name, 13.0, theme::TEXT, 1, upright);
            canvas.paragraph(inner, item.about, 11.0, theme::MUTED, 1, Align::Max);
            if response.clicked() {
                chosen = Some(index);
            }
            response.on_hover_text(item.about);
        }
        if chosen.is_some() || beside.clicked() {
            set_open(canvas, id, false);
        }
        chosen
    }
}

fn is_open(canvas: &Canvas<'_>, id: Id) -> bool {
    canvas.ui.data(|data| data.get_temp(id.with("open")).unwrap_or(false))
}

fn set_open(canvas: &mut Canvas<'_>, id: Id, open: bool) {
    canvas.ui.data_mut(|data| data.insert_temp(id.with("open"), open));
}

/// A small arrow head in `rect` that points along `direction`, a unit vector along an axis.
fn arrow(painter: &Painter, rect: Rect, direction: Vec2) {
    let reach = rect.width().min(rect.height()) / 2.0;
    let tip = rect.center() + direction * reach * 0.6;
    let side = Vec2::new(direction.y, direction.x) * reach;
    let tail = rect.center() - direction * reach * 0.4;
    painter.add(Shape::line(
        vec![tail + side, tip, tail - side],
        Stroke::new((reach * 0.4).max(1.0), theme::MUTED),
    ));
}
