//! Icons, drawn: they scale with the window and need no font.

use egui::{Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, pos2};
use idiom_engine::{Genre, Verdict};

/// The icon of a genre as a plain function, for [`super::canvas::Button`].
pub fn genre(genre: Genre) -> fn(&Painter, Rect, Color32) {
    match genre {
        Genre::Speech => speech,
        Genre::Rock => rock,
        Genre::Jazz => jazz,
        Genre::Electronic => electronic,
        Genre::Classical => classical,
    }
}

/// The icon of a verdict.
pub fn verdict(verdict: Verdict) -> fn(&Painter, Rect, Color32) {
    match verdict {
        Verdict::Listening => ear,
        Verdict::Recognised => check,
        Verdict::Uncertain => question,
        Verdict::Silent => pause,
        Verdict::Frozen => snowflake,
        Verdict::Manual => hand,
    }
}

/// A point in an icon: `x` and `y` from 0 to 1.
fn at(rect: Rect, x: f32, y: f32) -> Pos2 {
    rect.min + Vec2::new(x, y) * rect.size()
}

fn line(painter: &Painter, rect: Rect, points: &[(f32, f32)], stroke: Stroke) {
    painter.add(Shape::line(points.iter().map(|&(x, y)| at(rect, x, y)).collect(), stroke));
}

fn pen(rect: Rect, color: Color32) -> Stroke {
    Stroke::new((rect.width() * 0.09).max(1.0), color)
}

/// A speech bubble with lines of text.
fn speech(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    let bubble = Rect::from_min_max(at(rect, 0.04, 0.1), at(rect, 0.96, 0.74));
    painter.rect_stroke(bubble, CornerRadius::same((rect.width() * 0.16) as u8), pen, StrokeKind::Middle);
    let tail = [(0.24, 0.74), (0.24, 0.96), (0.46, 0.74)];
    painter.add(Shape::convex_polygon(tail.map(|(x, y)| at(rect, x, y)).into(), color, Stroke::NONE));
    line(painter, rect, &[(0.24, 0.34), (0.76, 0.34)], pen);
    line(painter, rect, &[(0.24, 0.52), (0.58, 0.52)], pen);
}

/// A bolt of lightning.
fn rock(painter: &Painter, rect: Rect, color: Color32) {
    // Two triangles: a polygon must be convex to be filled.
    let upper = [(0.62, 0.0), (0.16, 0.58), (0.58, 0.56)];
    let lower = [(0.42, 0.44), (0.84, 0.42), (0.38, 1.0)];
    for part in [upper, lower] {
        painter.add(Shape::convex_polygon(part.map(|(x, y)| at(rect, x, y)).into(), color, Stroke::NONE));
    }
}

/// A pair of beamed eighth notes.
fn jazz(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    let head = |x, y| {
        let radius = Vec2::new(0.15, 0.12) * rect.size();
        painter.add(Shape::ellipse_filled(at(rect, x, y), radius, color));
    };
    head(0.2, 0.86);
    head(0.74, 0.76);
    line(painter, rect, &[(0.33, 0.84), (0.33, 0.2)], pen);
    line(painter, rect, &[(0.87, 0.74), (0.87, 0.08)], pen);
    let beam = [(0.29, 0.14), (0.91, 0.02), (0.91, 0.22), (0.29, 0.34)];
    painter.add(Shape::convex_polygon(beam.map(|(x, y)| at(rect, x, y)).into(), color, Stroke::NONE));
}

/// A square wave.
fn electronic(painter: &Painter, rect: Rect, color: Color32) {
    let wave = [
        (0.0, 0.5),
        (0.0, 0.18),
        (0.27, 0.18),
        (0.27, 0.82),
        (0.53, 0.82),
        (0.53, 0.18),
        (0.8, 0.18),
        (0.8, 0.82),
        (1.0, 0.82),
        (1.0, 0.5),
    ];
    line(painter, rect, &wave, pen(rect, color));
}

/// A violin's two sound holes beside its strings.
fn classical(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    for x in [0.42, 0.58] {
        line(painter, rect, &[(x, 0.02), (x, 0.98)], Stroke::new(pen.width * 0.6, color));
    }
    for side in [-1.0, 1.0] {
        let curve: Vec<_> = (0..=24)
            .map(|i| {
                let t = i as f32 / 24.0;
                let bend = (t * std::f32::consts::TAU).sin() * 0.1;
                at(rect, 0.5 + side * (0.32 - bend), 0.14 + 0.72 * t)
            })
            .collect();
        let ends = [curve[0], curve[24]];
        painter.add(Shape::line(curve, pen));
        for (end, dx) in ends.into_iter().zip([-0.05, 0.05]) {
            painter.circle_filled(
                end + Vec2::new(side * dx * rect.width(), 0.0),
                rect.width() * 0.075,
                color,
            );
        }
    }
}

/// Sound waves reaching a point.
fn ear(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    let center = at(rect, 0.16, 0.5);
    painter.circle_filled(center, rect.width() * 0.09, color);
    for radius in [0.34, 0.6, 0.84] {
        let arc = (-6..=6).map(|i| {
            let angle = i as f32 / 6.0 * 0.8;
            center + Vec2::angled(angle) * radius * rect.width()
        });
        painter.add(Shape::line(arc.collect(), pen));
    }
}

fn check(painter: &Painter, rect: Rect, color: Color32) {
    let pen = Stroke::new(rect.width() * 0.14, color);
    line(painter, rect, &[(0.08, 0.55), (0.38, 0.84), (0.94, 0.18)], pen);
}

fn question(painter: &Painter, rect: Rect, color: Color32) {
    let pen = Stroke::new(rect.width() * 0.13, color);
    let center = at(rect, 0.5, 0.32);
    let hook = (-10..=6)
        .map(|i| center + Vec2::angled(i as f32 / 10.0 * std::f32::consts::PI) * 0.25 * rect.width());
    let mut points: Vec<_> = hook.collect();
    points.push(at(rect, 0.5, 0.62));
    points.push(at(rect, 0.5, 0.7));
    painter.add(Shape::line(points, pen));
    painter.circle_filled(at(rect, 0.5, 0.9), rect.width() * 0.085, color);
}

fn pause(painter: &Painter, rect: Rect, color: Color32) {
    for x in [0.2, 0.6] {
        let bar = Rect::from_min_max(at(rect, x, 0.12), at(rect, x + 0.2, 0.88));
        painter.rect_filled(bar, 1.0, color);
    }
}

fn snowflake(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    let center = rect.center();
    for i in 0..6 {
        let angle = i as f32 * std::f32::consts::FRAC_PI_3 + std::f32::consts::FRAC_PI_6;
        let arm = Vec2::angled(angle) * rect.width() * 0.5;
        painter.line_segment([center, center + arm], pen);
        for side in [-0.7, 0.7] {
            let twig = Vec2::angled(angle + side) * rect.width() * 0.17;
            painter.line_segment([center + arm * 0.58, center + arm * 0.58 + twig], pen);
        }
    }
}

/// A slider set by a hand.
fn hand(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    for (y, x) in [(0.18, 0.68), (0.5, 0.3), (0.82, 0.58)] {
        line(painter, rect, &[(0.0, y), (1.0, y)], pen);
        painter.circle_filled(at(rect, x, y), rect.width() * 0.14, color);
    }
}

/// A triangle with an exclamation mark.
pub fn warning(painter: &Painter, rect: Rect, color: Color32) {
    let triangle = [(0.5, 0.04), (0.98, 0.94), (0.02, 0.94)];
    painter.add(Shape::convex_polygon(triangle.map(|(x, y)| at(rect, x, y)).into(), color, Stroke::NONE));
    let ink = Color32::from_rgb(0x12, 0x15, 0x1a);
    line(painter, rect, &[(0.5, 0.36), (0.5, 0.64)], Stroke::new(rect.width() * 0.11, ink));
    painter.circle_filled(at(rect, 0.5, 0.79), rect.width() * 0.065, ink);
}

/// A cross, to close something.
pub fn cross(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    painter.line_segment([at(rect, 0.15, 0.15), at(rect, 0.85, 0.85)], pen);
    painter.line_segment([at(rect, 0.85, 0.15), at(rect, 0.15, 0.85)], pen);
}

/// A folder.
pub fn folder(painter: &Painter, rect: Rect, color: Color32) {
    let outline =
        [(0.04, 0.86), (0.04, 0.16), (0.38, 0.16), (0.48, 0.3), (0.96, 0.3), (0.96, 0.86), (0.04, 0.86)];
    line(painter, rect, &outline, pen(rect, color));
}

/// A small network: two nodes, joined with three.
pub fn network(painter: &Painter, rect: Rect, color: Color32) {
    let (left, right) = ([0.25, 0.75], [0.08, 0.5, 0.92]);
    for from in left {
        for to in right {
            line(
                painter,
                rect,
                &[(0.12, from), (0.88, to)],
                Stroke::new((rect.width() * 0.05).max(0.7), color),
            );
        }
    }
    for (x, y) in left.map(|y| (0.12, y)).into_iter().chain(right.map(|y| (0.88, y))) {
        painter.circle_filled(at(rect, x, y), rect.width() * 0.12, color);
    }
}

/// An arrow that turns back.
pub fn undo(painter: &Painter, rect: Rect, color: Color32) {
    turn(painter, rect, color, 1.0);
}

/// An arrow that turns forward.
pub fn redo(painter: &Painter, rect: Rect, color: Color32) {
    turn(painter, rect, color, -1.0);
}

fn turn(painter: &Painter, rect: Rect, color: Color32, side: f32) {
    let pen = Stroke::new((rect.width() * 0.12).max(1.0), color);
    let place = |x: f32, y: f32| at(rect, 0.5 + side * x, 0.62 + y);
    let arc = (0..=16).map(|i| {
        let (sin, cos) = (std::f32::consts::PI * (i as f32 / 16.0 * 1.12 - 0.12)).sin_cos();
        place(0.34 * cos, -0.34 * sin)
    });
    painter.add(Shape::line(arc.collect(), pen));
    // The arrow's head stands where the arc ends, and points down.
    let head = [place(-0.56, -0.02), place(-0.12, -0.02), place(-0.34, 0.28)];
    painter.add(Shape::convex_polygon(head.into(), color, Stroke::NONE));
}

/// A ring, with a dot in it when something is on.
pub fn lamp(painter: &Painter, rect: Rect, color: Color32, on: bool) {
    let radius = rect.width() * 0.38;
    painter.circle_stroke(rect.center(), radius, Stroke::new((rect.width() * 0.1).max(1.0), color));
    if on {
        painter.circle_filled(rect.center(), radius * 0.5, color);
    }
}

/// A padlock, closed or open.
pub fn lock(painter: &Painter, rect: Rect, color: Color32, closed: bool) {
    let body = Rect::from_min_max(at(rect, 0.12, 0.46), at(rect, 0.88, 1.0));
    painter.rect_filled(body, rect.width() * 0.1, color);
    let lift = if closed { 0.0 } else { -0.2 };
    let bow: Vec<Pos2> = (0..=12)
        .map(|i| {
            let (sin, cos) = (std::f32::consts::PI * i as f32 / 12.0).sin_cos();
            at(rect, 0.5 - 0.25 * cos, 0.3 + lift * 0.4 - 0.26 * sin)
        })
        .collect();
    let pen = Stroke::new((rect.width() * 0.13).max(1.0), color);
    let (first, last) = (bow[0], bow[12]);
    painter.line_segment([first, Pos2::new(first.x, body.min.y)], pen);
    if closed {
        painter.line_segment([last, Pos2::new(last.x, body.min.y)], pen);
    }
    painter.add(Shape::line(bow, pen));
}

/// Three sliders: settings of the window.
pub fn gear(painter: &Painter, rect: Rect, color: Color32) {
    let pen = pen(rect, color);
    for (x, y) in [(0.2, 0.3), (0.5, 0.66), (0.8, 0.42)] {
        line(painter, rect, &[(x, 0.04), (x, 0.96)], pen);
        painter.circle_filled(at(rect, x, y), rect.width() * 0.13, color);
    }
}

/// A star, filled when it is on.
pub fn star(painter: &Painter, rect: Rect, color: Color32, filled: bool) {
    let center = rect.center();
    let point = |i: usize| {
        let radius = if i.is_multiple_of(2) { 0.5 } else { 0.21 };
        let angle = i as f32 * std::f32::consts::PI / 5.0 - std::f32::consts::FRAC_PI_2;
        center + Vec2::angled(angle) * radius * rect.width()
    };
    let points: Vec<Pos2> = (0..10).map(point).collect();
    if filled {
        // A fan: a star is not convex.
        for i in 0..10 {
            let part = vec![center, points[i], points[(i + 1) % 10]];
            painter.add(Shape::convex_polygon(part, color, Stroke::NONE));
        }
    }
    painter.add(Shape::closed_line(points, Stroke::new((rect.width() * 0.07).max(1.0), color)));
}

/// Idiom's mark: five bars like a spectrum, in the genres' colours.
pub fn mark(painter: &Painter, rect: Rect, theme: &super::theme::Theme) {
    let heights = [0.45, 0.8, 1.0, 0.65, 0.35];
    for (i, (genre, height)) in Genre::ALL.into_iter().zip(heights).enumerate() {
        let left = rect.min.x + rect.width() * i as f32 / 5.0;
        let middle = rect.center().y;
        let half = rect.height() * height / 2.0;
        let bar =
            Rect::from_min_max(pos2(left, middle - half), pos2(left + rect.width() * 0.13, middle + half));
        painter.rect_filled(bar, rect.width() * 0.06, theme.genre(genre));
    }
}
