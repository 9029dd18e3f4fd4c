//! Lists that open over the window: what a button offers, and what a right click offers.

use super::canvas::{Button, Canvas};
use egui::{
    Align, CornerRadius, CursorIcon, Id, Painter, Pos2, Rect, Role, Sense, Shape, Stroke, StrokeKind, Vec2,
    WidgetInfo,
};

/// One line of a list.
#[derive(Clone, Debug, Default)]
pub struct Item {
    /// What it is called.
    pub name: String,
    /// A sentence about it, may be empty.
    pub about: String,
    /// Whether it is the one that is in force.
    pub chosen: bool,
}

impl Item {
    /// A line without a sentence.
    pub fn new(name: impl Into<String>, chosen: bool) -> Item {
        Item { name: name.into(), about: String::new(), chosen }
    }
}

/// A list that is drawn in two steps: what opens it in its place, and [`Menu::list`] after everything that it may cover.
pub struct Menu<'a> {
    /// What tells it from other lists.
    pub name: &'static str,
    /// What it opens beside.
    pub place: Rect,
    /// Its width in design points.
    pub width: f32,
    /// All there is to choose.
    pub items: &'a [Item],
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

    /// Draws the list while it is open. Returns what was chosen in it.
    pub fn list(&self, canvas: &mut Canvas<'_>) -> Option<usize> {
        if !is_open(canvas, self.name) || self.items.is_empty() {
            return None;
        }
        let id = Self::button_id(self.name);
        let window = canvas.ui.ctx().content_rect();
        // Lies under the list and over everything else: a click beside the list closes it and does nothing more.
        let beside = canvas.touch(window, id.with("beside"), Sense::CLICK);
        let pad = canvas.px(5.0);
        let margin = canvas.px(8.0);
        let long = self.items.iter().any(|item| !item.about.is_empty());
        let wanted = canvas.px(if long { 38.0 } else { 26.0 });
        let most = window.height() - 2.0 * (pad + margin);
        let height = wanted.min(most / self.items.len() as f32);
        let width = canvas.px(self.width).min(window.width() - 2.0 * margin);
        let size = Vec2::new(width, height * self.items.len() as f32 + 2.0 * pad);
        let lowest = (window.max.y - margin - size.y).max(window.min.y);
        let rightmost = (window.max.x - margin - width).max(window.min.x);
        let corner = Pos2::new(
            (self.place.center().x - width / 2.0).clamp(window.min.x, rightmost),
            (self.place.max.y + canvas.px(4.0)).min(lowest),
        );
        let panel = Rect::from_min_size(corner, size);
        canvas.touch(panel, id.with("panel"), Sense::CLICK);
        let theme = canvas.theme;
        let radius = canvas.px(8.0);
        canvas.painter().rect_filled(panel.expand(canvas.px(3.0)), radius, theme.background);
        canvas.painter().rect_filled(panel, radius, theme.control);
        canvas.painter().rect_stroke(panel, radius, Stroke::new(1.0, theme.faint), StrokeKind::Inside);
        let mut picked = None;
        for (index, item) in self.items.iter().enumerate() {
            let row = Rect::from_min_size(
                panel.min + Vec2::new(pad, pad + index as f32 * height),
                Vec2::new(width - 2.0 * pad, height),
            );
            let response = canvas.touch(row, Self::item_id(self.name, index), Sense::CLICK);
            response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &item.name));
            let response = response.on_hover_cursor(CursorIcon::PointingHand);
            if response.hovered() {
                canvas.painter().rect_filled(row, canvas.px(5.0), theme.control_hover);
            }
            if item.chosen {
                let edge = Rect::from_min_size(row.min, Vec2::new(canvas.px(3.0), row.height()));
                canvas.painter().rect_filled(edge, canvas.px(1.5), theme.accent);
            }
            let inner = row.shrink2(Vec2::new(canvas.px(12.0), canvas.px(2.0)));
            // Two lines where there is room for two.
            if item.about.is_empty() || height < canvas.px(30.0) {
                canvas.label(inner, &item.name, 13.0, theme.text, Align::Min);
            } else {
                canvas.paragraph(inner, &item.name, 13.0, theme.text, 1, Align::Min);
                canvas.paragraph(inner, &item.about, 11.0, theme.muted, 1, Align::Max);
            }
            if response.clicked() {
                picked = Some(index);
            }
            if !item.about.is_empty() {
                response.on_hover_text(&item.about);
            }
        }
        let left = beside.clicked() || beside.secondary_clicked();
        if picked.is_some() || left || canvas.ui.input(|input| input.key_pressed(egui::Key::Escape)) {
            set_open(canvas, self.name, false);
        }
        picked
    }
}

/// A button that shows what is chosen between a step back and a step forward, and opens the list `name`. Returns by how
/// many lines a step goes.
pub fn chooser(
    canvas: &mut Canvas<'_>,
    place: Rect,
    name: &'static str,
    shown: &str,
    help: &str,
) -> Option<isize> {
    let step = canvas.px(24.0);
    let back = Rect::from_min_size(place.min, Vec2::new(step, place.height()));
    let forward = Rect::from_min_max(Pos2::new(place.max.x - step, place.min.y), place.max);
    let middle = Rect::from_min_max(
        Pos2::new(back.max.x + 1.0, place.min.y),
        Pos2::new(forward.min.x - 1.0, place.max.y),
    );
    let radius = canvas.px(6.0) as u8;
    let id = Menu::button_id(name);
    let theme = canvas.theme;
    let mut chosen = None;
    let left = CornerRadius { nw: radius, sw: radius, ..CornerRadius::ZERO };
    let right = CornerRadius { ne: radius, se: radius, ..CornerRadius::ZERO };
    for (rect, part, corners, by) in [(back, "back", left, -1), (forward, "forward", right, 1)] {
        let label = if by < 0 { "Previous preset" } else { "Next preset" };
        let look =
            Button { name: Some(label), corners: Some(corners), ..Button::words(theme, "", label, false) };
        if canvas.button(rect, id.with(part), look) {
            chosen = Some(by);
        }
        arrow(canvas.painter(), rect.shrink(canvas.px(8.0)), Vec2::new(by as f32, 0.0), theme.muted);
    }
    let look = Button {
        name: Some("Preset"),
        corners: Some(CornerRadius::ZERO),
        ..Button::words(theme, "", help, false)
    };
    if canvas.button(middle, id, look) {
        let open = is_open(canvas, name);
        set_open(canvas, name, !open);
    }
    let tick = Rect::from_center_size(
        Pos2::new(middle.max.x - canvas.px(12.0), middle.center().y),
        Vec2::splat(canvas.px(8.0)),
    );
    arrow(canvas.painter(), tick, Vec2::new(0.0, 1.0), theme.muted);
    let words = Rect::from_min_max(
        Pos2::new(middle.min.x + canvas.px(10.0), middle.min.y),
        Pos2::new(tick.min.x - canvas.px(4.0), middle.max.y),
    );
    canvas.label(words, shown, 13.0, theme.text, Align::Min);
    chosen
}

/// Whether the list `name` is open.
pub fn is_open(canvas: &Canvas<'_>, name: &str) -> bool {
    canvas.ui.data(|data| data.get_temp(Menu::button_id(name).with("open")).unwrap_or(false))
}

/// Opens or closes the list `name`.
pub fn set_open(canvas: &mut Canvas<'_>, name: &str, open: bool) {
    canvas.ui.data_mut(|data| data.insert_temp(Menu::button_id(name).with("open"), open));
}

/// A small arrow head in `rect` that points along `direction`, a unit vector along an axis.
fn arrow(painter: &Painter, rect: Rect, direction: Vec2, color: egui::Color32) {
    let reach = rect.width().min(rect.height()) / 2.0;
    let tip = rect.center() + direction * reach * 0.6;
    let side = Vec2::new(direction.y, direction.x) * reach;
    let tail = rect.center() - direction * reach * 0.4;
    painter.add(Shape::line(vec![tail + side, tip, tail - side], Stroke::new((reach * 0.4).max(1.0), color)));
}
