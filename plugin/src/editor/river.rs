//! The last minutes: the probabilities as a stack of streams, and below it the genre that was in force.

use super::canvas::Canvas;
use super::model::ViewModel;
use super::{icons, theme};
use crate::history::{Point, SHOWN};
use egui::{Align2, Color32, Mesh, Pos2, Rect, Shape, Stroke, Vec2};
use idiom_engine::{Genre, Verdict};

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(rect, "Last three minutes");
    let axis = canvas.px(15.0);
    let strip_height = canvas.px(17.0);
    let streams = Rect::from_min_max(
        inner.min,
        Pos2::new(inner.max.x, inner.max.y - axis - strip_height - canvas.px(3.0)),
    );
    let strip = Rect::from_min_size(
        Pos2::new(inner.min.x, streams.max.y + canvas.px(3.0)),
        Vec2::new(inner.width(), strip_height),
    );
    canvas.painter().rect_filled(streams, canvas.px(3.0), canvas.theme.background);
    canvas.painter().rect_filled(strip, canvas.px(3.0), canvas.theme.background);
    if model.history.is_empty() {
        canvas.text(
            streams.center(),
            Align2::CENTER_CENTER,
            "The streams of genres appear here.",
            13.0,
            canvas.theme.faint,
        );
    } else {
        let place = Place::new(streams, model);
        canvas.painter().add(Shape::mesh(mesh(canvas.theme, &place, streams, &model.history)));
        switches(canvas, &place, streams, &model.history);
        held(canvas, &place, strip, &model.history);
    }
    for (share, text) in [(0.0, "3 min ago"), (1.0 / 3.0, "2 min"), (2.0 / 3.0, "1 min"), (1.0, "now")] {
        let anchor = match share {
            0.0 => Align2::LEFT_BOTTOM,
            1.0 => Align2::RIGHT_BOTTOM,
            _ => Align2::CENTER_BOTTOM,
        };
        let at = Pos2::new(inner.min.x + inner.width() * share, inner.max.y);
        canvas.text(at, anchor, text, 10.5, canvas.theme.faint);
    }
}

/// Where a point in time lies.
struct Place {
    left: f32,
    step: f32,
    first: usize,
}

impl Place {
    fn new(rect: Rect, model: &ViewModel) -> Self {
        let step = rect.width() / (SHOWN - 1) as f32;
        Self { left: rect.min.x, step, first: SHOWN - model.history.len().min(SHOWN) }
    }

    fn x(&self, index: usize) -> f32 {
        self.left + (self.first + index) as f32 * self.step
    }
}

/// The streams, in the order of the genres from the bottom up, two triangles for each genre and step.
fn mesh(colors: &theme::Theme, place: &Place, rect: Rect, history: &[Point]) -> Mesh {
    let mut mesh = Mesh::default();
    for (index, point) in history.iter().enumerate() {
        let total = point.posterior.iter().map(|&p| f32::from(p)).sum::<f32>().max(1.0);
        let faded = matches!(point.verdict, Verdict::Silent | Verdict::Listening);
        let mut below = 0.0;
        for (genre, p) in Genre::ALL.into_iter().zip(point.posterior) {
            let color = colors.genre(genre);
            let color = if faded {
                theme::mix(color, colors.background, 0.75)
            } else {
                theme::mix(color, colors.background, 0.12)
            };
            let above = below + f32::from(p) / total;
            for share in [below, above] {
                mesh.colored_vertex(Pos2::new(place.x(index), rect.max.y - rect.height() * share), color);
            }
            below = above;
        }
        if index > 0 {
            for stream in 0..5u32 {
                let new = (index as u32 * 5 + stream) * 2;
                let old = new - 10;
                mesh.add_triangle(old, old + 1, new);
                mesh.add_triangle(old + 1, new, new + 1);
            }
        }
    }
    mesh
}

/// A line where another genre came into force, with its icon on top.
fn switches(canvas: &Canvas<'_>, place: &Place, rect: Rect, history: &[Point]) {
    let colors = canvas.theme;
    let changes = history.windows(2).enumerate().filter(|(_, pair)| pair[0].genre != pair[1].genre);
    let mut free = f32::NEG_INFINITY;
    for (index, pair) in changes {
        let x = place.x(index + 1);
        canvas.painter().vline(x, rect.y_range(), Stroke::new(canvas.px(1.5), colors.text));
        let Some(genre) = pair[1].genre.filter(|_| x > free) else { continue };
        let size = canvas.px(16.0);
        let flag = Rect::from_min_size(Pos2::new(x, rect.min.y), Vec2::splat(size));
        if flag.max.x < rect.max.x {
            canvas.painter().rect_filled(flag, canvas.px(2.0), colors.text);
            icons::genre(genre)(canvas.painter(), flag.shrink(canvas.px(3.0)), colors.card);
            free = flag.max.x;
        }
    }
}

/// The genre in force over time, named where there is room; hatched where it was only held.
fn held(canvas: &Canvas<'_>, place: &Place, rect: Rect, history: &[Point]) {
    let kind = |point: &Point| {
        let sure = matches!(point.verdict, Verdict::Recognised | Verdict::Frozen | Verdict::Manual);
        (point.genre, sure)
    };
    let mut start = 0;
    while start < history.len() {
        let (genre, sure) = kind(&history[start]);
        let length = history[start..].iter().take_while(|point| kind(point) == (genre, sure)).count();
        let end = start + length;
        if let Some(genre) = genre {
            let right = if end < history.len() { place.x(end) } else { rect.max.x };
            let part =
                Rect::from_min_max(Pos2::new(place.x(start), rect.min.y), Pos2::new(right, rect.max.y));
            passage(canvas, part, genre, sure);
        }
        start = end;
    }
}

fn passage(canvas: &Canvas<'_>, rect: Rect, genre: Genre, sure: bool) {
    let color = canvas.theme.genre(genre);
    let painter = canvas.painter().with_clip_rect(rect);
    let (fill, ink) = if sure {
        (color, canvas.theme.on_text)
    } else {
        (theme::mix(color, canvas.theme.background, 0.72), color)
    };
    painter.rect_filled(rect, 0.0, fill);
    if !sure {
        hatch(&painter, rect, theme::mix(color, canvas.theme.background, 0.45), canvas.px(6.0));
    }
    let label = genre.label();
    let icon = canvas.px(11.0);
    if rect.width() > canvas.width(label, 11.0) + icon + canvas.px(18.0) {
        let place = Rect::from_min_size(
            Pos2::new(rect.min.x + canvas.px(5.0), rect.center().y - icon / 2.0),
            Vec2::splat(icon),
        );
        if !sure {
            let back = Rect::from_min_size(
                rect.min,
                Vec2::new(canvas.width(label, 11.0) + icon + canvas.px(16.0), rect.height()),
            );
            painter.rect_filled(back, 0.0, fill);
        }
        icons::genre(genre)(&painter, place, ink);
        let at = Pos2::new(place.max.x + canvas.px(5.0), rect.center().y);
        painter.text(at, Align2::LEFT_CENTER, label, canvas.font(11.0), ink);
    }
}

fn hatch(painter: &egui::Painter, rect: Rect, color: Color32, gap: f32) {
    let count = ((rect.width() + rect.height()) / gap).ceil() as usize;
    for i in 0..count {
        let x = rect.min.x + i as f32 * gap;
        let line = [Pos2::new(x, rect.min.y), Pos2::new(x - rect.height(), rect.max.y)];
        painter.line_segment(line, egui::Stroke::new(1.0, color));
    }
}
