//! What every widget draws with: the `Ui`, the scale, the colours, and the actions that come out of the window.

use super::model::Action;
use super::theme::Theme;
use egui::text::{LayoutJob, TextFormat, TextWrapping};
use egui::{
    Align, Align2, Color32, CornerRadius, CursorIcon, FontId, Id, Key, Painter, Pos2, Rect, Response,
    RichText, Role, Sense, Stroke, StrokeKind, TextEdit, Ui, Vec2, WidgetInfo,
};

/// See the [module](self).
pub struct Canvas<'a> {
    /// Where to draw and what the mouse does.
    pub ui: &'a mut Ui,
    /// Points for a design point, see [`DESIGN_WIDTH`](super::theme::DESIGN_WIDTH).
    pub scale: f32,
    /// Its colours.
    pub theme: &'static Theme,
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

    /// One line of text within `rect`, cut with an ellipsis if it must be, against an edge of it or in its middle, and
    /// halfway up. Returns where it is.
    pub fn label(
        &self,
        rect: Rect,
        text: impl Into<String>,
        size: f32,
        color: Color32,
        align: Align,
    ) -> Rect {
        let text = text.into();
        if text.is_empty() || rect.width() <= 0.0 {
            return Rect::from_min_size(rect.left_center(), Vec2::ZERO);
        }
        let galley = self.lines(rect.width(), text, size, color, 1);
        let left = match align {
            Align::Min => rect.min.x,
            Align::Center => rect.center().x - galley.size().x / 2.0,
            Align::Max => rect.max.x - galley.size().x,
        };
        let place =
            Rect::from_min_size(Pos2::new(left, rect.center().y - galley.size().y / 2.0), galley.size());
        self.painter().galley(place.min, galley, color);
        place
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
        let text = text.into();
        if text.is_empty() || !rect.is_positive() {
            return Rect::from_min_size(rect.min, Vec2::ZERO);
        }
        let galley = self.lines(rect.width(), text, size, color, rows);
        let top = match upright {
            Align::Min => rect.min.y,
            Align::Center => rect.center().y - galley.size().y / 2.0,
            Align::Max => rect.max.y - galley.size().y,
        };
        let place = Rect::from_min_size(Pos2::new(rect.min.x, top), galley.size());
        self.painter().galley(place.min, galley, color);
        place
    }

    fn lines(
        &self,
        width: f32,
        text: String,
        size: f32,
        color: Color32,
        rows: usize,
    ) -> std::sync::Arc<egui::Galley> {
        let mut job = LayoutJob::default();
        job.append(&text, 0.0, TextFormat::simple(self.font(size), color));
        job.wrap = TextWrapping { max_width: width, max_rows: rows, ..TextWrapping::default() };
        // A row that is cut may be cut within a word.
        job.wrap.break_anywhere = rows == 1;
        self.painter().layout_job(job)
    }

    /// How wide one line of text would be, in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        self.painter().layout_no_wrap(text.to_owned(), self.font(size), self.theme.text).size().x
    }

    /// A card with a title; returns the room for its content.
    pub fn card(&self, rect: Rect, title: &str) -> Rect {
        let radius = self.px(8.0);
        self.painter().rect_filled(rect, radius, self.theme.card);
        let inner = rect.shrink(self.px(14.0));
        if title.is_empty() {
            return inner;
        }
        let title = self.text(inner.min, Align2::LEFT_TOP, title, 12.0, self.theme.muted);
        Rect::from_min_max(Pos2::new(inner.min.x, title.max.y + self.px(8.0)), inner.max)
    }

    /// What the mouse does in `rect`. Never takes the keyboard focus: the space bar belongs to the host.
    pub fn touch(&self, rect: Rect, id: Id, sense: Sense) -> Response {
        self.ui.interact(rect, id, sense - Sense::FOCUSABLE)
    }

    /// A tooltip over `rect`, for what is no control.
    pub fn explain(&self, rect: Rect, id: impl std::hash::Hash + std::fmt::Debug, help: &str) {
        if !help.is_empty() {
            self.touch(rect, Id::unique(("explain", id)), Sense::HOVER).on_hover_text(help);
        }
    }

    /// A field to type a line in. While it is typed in, it has the keyboard; enter and escape give that back.
    pub fn field(&mut self, rect: Rect, id: Id, text: &str, hint: &str, name: &str) -> Typed {
        let mut typed = text.to_owned();
        let edit = TextEdit::singleline(&mut typed)
            .id(id)
            .font(self.font(12.5))
            .hint_text(RichText::new(hint).font(self.font(12.5)).color(self.theme.faint))
            .margin(egui::Margin::symmetric(self.px(8.0) as i8, self.px(4.0) as i8))
            .align(Align2::LEFT_CENTER);
        let response = self.ui.put(rect, edit);
        response.widget_info(|| {
            let mut info = WidgetInfo::text_edit(true, text, text, hint);
            info.label = Some(name.to_owned());
            info
        });
        let left = response.lost_focus();
        let (enter, escape) =
            self.ui.input(|input| (input.key_pressed(Key::Enter), input.key_pressed(Key::Escape)));
        Typed { text: (typed != text).then_some(typed), enter: left && enter, escape: left && escape }
    }

    /// A button that is on or off, or one of several of which one is on. True when it was clicked.
    pub fn button(&self, rect: Rect, id: Id, look: Button<'_>) -> bool {
        let (theme, painter) = (self.theme, self.painter());
        let sense = if look.enabled { Sense::CLICK } else { Sense::HOVER };
        let response = self.touch(rect, id, sense);
        response.widget_info(|| {
            WidgetInfo::selected(Role::Button, look.enabled, look.on, look.name.unwrap_or(look.text))
        });
        let hovered = look.enabled && response.hovered();
        let radius = self.px(6.0);
        let fill = match (look.on, hovered) {
            (true, _) => look.color,
            (false, true) => theme.control_hover,
            (false, false) => theme.control,
        };
        painter.rect_filled(rect, look.corners.unwrap_or(CornerRadius::same(radius as u8)), fill);
        if look.on && hovered {
            painter.rect_stroke(rect, radius, Stroke::new(self.px(1.0), theme.text), StrokeKind::Inside);
        }
        let ink = match (look.on, look.enabled) {
            (true, _) => theme.on_text,
            (false, true) => theme.text,
            (false, false) => theme.faint.gamma_multiply(0.6),
        };
        match look.icon {
            Some(icon) if look.text.is_empty() => {
                let size = self.px(15.0);
                icon(painter, Rect::from_center_size(rect.center(), Vec2::splat(size)), ink);
            }
            Some(icon) => {
                let size = self.px(16.0);
                let center = rect.center() - Vec2::new(0.0, self.px(8.0));
                let tint = if look.on { ink } else { look.color };
                icon(painter, Rect::from_center_size(center, Vec2::splat(size)), tint);
                let line = Rect::from_center_size(
                    rect.center() + Vec2::new(0.0, self.px(10.0)),
                    Vec2::new(rect.width() - self.px(4.0), self.px(14.0)),
                );
                self.label(line, look.text, 11.0, ink, Align::Center);
            }
            None => {
                let line = rect.shrink2(Vec2::new(self.px(3.0), 0.0));
                self.label(line, look.text, look.size, ink, Align::Center);
            }
        }
        let clicked = response.clicked();
        let response =
            if look.enabled { response.on_hover_cursor(CursorIcon::PointingHand) } else { response };
        if !look.help.is_empty() {
            response.on_hover_text(look.help);
        }
        clicked
    }
}

/// What was typed into a [`Canvas::field`].
pub struct Typed {
    /// The text, if it changed.
    pub text: Option<String>,
    /// Enter was pressed.
    pub enter: bool,
    /// Escape was pressed.
    pub escape: bool,
}

/// How a [`Canvas::button`] looks.
pub struct Button<'a> {
    /// Words on it.
    pub text: &'a str,
    /// What it is called, where that is not what stands on it.
    pub name: Option<&'a str>,
    /// Tooltip, empty for none.
    pub help: &'a str,
    /// Whether it is on, or the chosen one.
    pub on: bool,
    /// Whether it can be pressed.
    pub enabled: bool,
    /// Fill when on, colour of the icon when off.
    pub color: Color32,
    /// Size of the words in design points.
    pub size: f32,
    /// Its corners, where they are not round all around.
    pub corners: Option<CornerRadius>,
    /// Drawn above the words, or alone when there are none.
    pub icon: Option<fn(&Painter, Rect, Color32)>,
}

impl<'a> Button<'a> {
    /// A button of words only.
    pub fn words(theme: &Theme, text: &'a str, help: &'a str, on: bool) -> Self {
        Self {
            text,
            name: None,
            help,
            on,
            enabled: true,
            color: theme.control_on,
            size: 12.5,
            corners: None,
            icon: None,
        }
    }

    /// A button of an icon only, with what it is called.
    pub fn icon(theme: &Theme, icon: fn(&Painter, Rect, Color32), name: &'a str, help: &'a str) -> Self {
        Self { icon: Some(icon), name: Some(name), ..Self::words(theme, "", help, false) }
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

/// `rect` cut across: the left `share` of it and the rest, `gap` apart.
pub fn split_x(rect: Rect, share: f32, gap: f32) -> (Rect, Rect) {
    let left = Rect::from_min_size(rect.min, Vec2::new((rect.width() - gap) * share, rect.height()));
    (left, Rect::from_min_max(Pos2::new(left.max.x + gap, rect.min.y), rect.max))
}

/// The top `height` of `rect`; `rect` keeps what is left below a `gap`.
pub fn take_top(rect: &mut Rect, height: f32, gap: f32) -> Rect {
    let top = Rect::from_min_size(rect.min, Vec2::new(rect.width(), height));
    rect.min.y = (top.max.y + gap).min(rect.max.y.max(top.max.y));
    top
}

/// The bottom `height` of `rect`; `rect` keeps what is left above a `gap`.
pub fn take_bottom(rect: &mut Rect, height: f32, gap: f32) -> Rect {
    let bottom = Rect::from_min_max(Pos2::new(rect.min.x, rect.max.y - height), rect.max);
    rect.max.y = bottom.min.y - gap;
    bottom
}
