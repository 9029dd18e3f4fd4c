//! What every widget draws with: the `Ui`, the scale, and the actions that come out of the window.

use super::model::Action;
use super::theme;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align, Align2, Color32, CursorIcon, FontId, Id, Painter, Pos2, Rect, Response, Sense, Stroke, StrokeKind,
    Ui, Vec2,
};

/// See the [module](self).
pub struct Canvas<'a> {
    /// Where to draw and what the mouse does.
    pub ui: &'a mut Ui,
    /// Points for a design point, see [`theme::DESIGN_WIDTH`].
    pub scale: f32,
    /// What the user did during this picture, in order.
    pub actions: Vec<Action>,
}

impl Canvas<'_> {
    /// Points for `design` design points.
    pub fn px(&self, design: f32) -> f32 {
        design * self.scale
    }

    /// The font at `size` design points.
    pub fn font(&self, size: f32) -> FontId {
        FontId::proportional(self.px(size))
    }

    /// The painter of the whole window.
    pub fn painter(&self) -> &Painter {
        self.ui.painter()
    }

    /// One line of text; returns where it is.
    pub fn text(&self, at: Pos2, anchor: Align2, text: impl ToString, size: f32, color: Color32) -> Rect {
        self.painter().text(at, anchor, text, self.font(size), color)
    }

    /// Text that wraps within `rect`, at most `rows` rows, ending in an ellipsis when cut; at the top of `rect` or in
    /// its middle. Returns where it is.
    pub fn paragraph(
        &self,
        rect: Rect,
        text: impl Into<String>,
        size: f32,
        color: Color32,
        rows: usize,
        upright: Align,
    ) -> Rect {
        let mut job = LayoutJob::default();
        job.append(&text.into(), 0.0, TextFormat::simple(self.font(size), color));
        job.wrap = TextWrapping { max_width: rect.width(), max_rows: rows, ..TextWrapping::default() };
        let galley = self.painter().layout_job(job);
        let top = match upright {
            Align::Min => rect.min.y,
            Align::Center => rect.center().y - galley.size().y / 2.0,
            Align::Max => rect.max.y - galley.size().y,
        };
        let place = Rect::from_min_size(Pos2::new(rect.min.x, top), galley.size());
        self.painter().galley(place.min, galley, color);
        place
    }

    /// How wide one line of text would be, in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        self.painter().layout_no_wrap(text.to_owned(), self.font(size), theme::TEXT).size().x
    }

    /// A card with a title; returns the room for its content.
    pub fn card(&self, rect: Rect, title: &str) -> Rect {
        let radius = self.px(8.0);
        self.painter().rect_filled(rect, radius, theme::CARD);
        let inner = rect.shrink(self.px(14.0));
        if title.is_empty() {
            return inner;
        }
        let title = self.text(inner.min, Align2::LEFT_TOP, title, 12.0, theme::MUTED);
        Rect::from_min_max(Pos2::new(inner.min.x, title.max.y + self.px(8.0)), inner.max)
    }

    /// What the mouse does in `rect`. Never takes the keyboard focus: the space bar belongs to the host.
    pub fn touch(&self, rect: Rect, id: Id, sense: Sense) -> Response {
        self.ui.interact(rect, id, sense - Sense::FOCUSABLE)
    }

    /// A button that is on or off, or one of several of which one is on. True when it was clicked.
    pub fn button(&self, rect: Rect, id: Id, look: Button<'_>) -> bool {
        let response = self.touch(rect, id, Sense::CLICK);
        let response = response.on_hover_cursor(CursorIcon::PointingHand);
        let radius = self.px(6.0);
        let fill = match (look.on, response.hovered()) {
            (true, _) => look.color,
            (false, true) => theme::CONTROL_HOVER,
            (false, false) => theme::CONTROL,
        };
        self.painter().rect_filled(rect, radius, fill);
        if look.on && response.hovered() {
            self.painter().rect_stroke(
                rect,
                radius,
                Stroke::new(self.px(1.0), theme::TEXT),
                StrokeKind::Inside,
            );
        }
        let ink = if look.on { theme::ON_TEXT } else { theme::TEXT };
        match look.icon {
            Some(icon) => {
                let size = self.px(16.0);
                let center = rect.center() - Vec2::new(0.0, self.px(8.0));
                icon(
                    self.painter(),
                    Rect::from_center_size(center, Vec2::splat(size)),
                    if look.on { ink } else { look.color },
                );
                self.text(
                    rect.center() + Vec2::new(0.0, self.px(10.0)),
                    Align2::CENTER_CENTER,
                    look.text,
                    11.0,
                    ink,
                );
            }
            None => {
                self.text(rect.center(), Align2::CENTER_CENTER, look.text, 12.5, ink);
            }
        }
        let clicked = response.clicked();
        if !look.help.is_empty() {
            response.on_hover_text(look.help);
        }
        clicked
    }
}

/// How a [`Canvas::button`] looks.
pub struct Button<'a> {
    /// Words on it.
    pub text: &'a str,
    /// Tooltip, empty for none.
    pub help: &'a str,
    /// Whether it is on, or the chosen one.
    pub on: bool,
    /// Fill when on, colour of the icon when off.
    pub color: Color32,
    /// Drawn above the words.
    pub icon: Option<fn(&Painter, Rect, Color32)>,
}

impl<'a> Button<'a> {
    /// A button of words only.
    pub fn words(text: &'a str, help: &'a str, on: bool) -> Self {
        Self { text, help, on, color: theme::CONTROL_ON, icon: None }
    }
}

/// `count` rectangles beside each other that fill `rect`, `gap` apart.
pub fn columns(rect: Rect, count: usize, gap: f32) -> impl Iterator<Item = Rect> {
    let width = (rect.width() - gap * (count - 1) as f32) / count as f32;
    (0..count).map(move |i| {
        let left = rect.min.x + i as f32 * (width + gap);
        Rect::from_min_size(Pos2::new(left, rect.min.y), Vec2::new(width, rect.height()))
    })
}

/// `count` rectangles below each other that fill `rect`, `gap` apart.
pub fn rows(rect: Rect, count: usize, gap: f32) -> impl Iterator<Item = Rect> {
    let height = (rect.height() - gap * (count - 1) as f32) / count as f32;
    (0..count).map(move |i| {
        let top = rect.min.y + i as f32 * (height + gap);
        Rect::from_min_size(Pos2::new(rect.min.x, top), Vec2::new(rect.width(), height))
    })
}

/// The part of `rect` between the shares `from` and `to` of its width, `0..=1`.
pub fn slice_x(rect: Rect, from: f32, to: f32) -> Rect {
    let at = |share: f32| rect.min.x + rect.width() * share;
    Rect::from_min_max(Pos2::new(at(from), rect.min.y), Pos2::new(at(to), rect.max.y))
}
