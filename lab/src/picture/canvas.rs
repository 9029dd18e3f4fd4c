//! Lines, areas and text on a white sheet.

use anyhow::Result;
use std::sync::OnceLock;
use tiny_skia::{FillRule, LineCap, LineJoin, Paint, Path, PathBuilder, Pixmap, Rect, Stroke, Transform};
use ttf_parser::{Face, OutlineBuilder};

/// An opaque colour: red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink(pub u8, pub u8, pub u8);

impl Ink {
    /// Text and axes.
    pub const DARK: Ink = Ink(0x1f, 0x23, 0x2a);
    /// Secondary text.
    pub const MUTED: Ink = Ink(0x5c, 0x64, 0x70);
    /// Grid lines and frames.
    pub const FAINT: Ink = Ink(0xdd, 0xe1, 0xe6);
    /// The sheet.
    pub const WHITE: Ink = Ink(0xff, 0xff, 0xff);

    /// This colour thinned with white: 1 keeps it, 0 is white.
    pub fn tint(self, share: f32) -> Ink {
        let mix = |c: u8| (255.0 + (f32::from(c) - 255.0) * share.clamp(0.0, 1.0)).round() as u8;
        Ink(mix(self.0), mix(self.1), mix(self.2))
    }

    /// Black or white, whichever reads better on this colour (relative luminance of WCAG 2, without its gamma).
    pub fn text_on(self) -> Ink {
        let light = 0.2126 * f32::from(self.0) + 0.7152 * f32::from(self.1) + 0.0722 * f32::from(self.2);
        if light > 120.0 { Ink::DARK } else { Ink::WHITE }
    }

    fn paint(self) -> Paint<'static> {
        let mut paint = Paint::default();
        paint.set_color_rgba8(self.0, self.1, self.2, 255);
        paint.anti_alias = true;
        paint
    }
}

/// Where text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The text begins there.
    Left,
    /// Its middle is there.
    Centre,
    /// It ends there.
    Right,
}

/// A sheet. Coordinates are in units of which [`Canvas::SCALE`] pixels make one; y points down.
pub struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    /// Pixels a unit, so that pictures are sharp on dense screens.
    pub const SCALE: f32 = 2.0;

    /// A white sheet of this many units.
    pub fn new(width: f32, height: f32) -> Canvas {
        let pixels = |units: f32| (units * Self::SCALE).round().clamp(1.0, 20_000.0) as u32;
        let mut pixmap = Pixmap::new(pixels(width), pixels(height)).expect("a sheet of at least one pixel");
        pixmap.fill(tiny_skia::Color::WHITE);
        Canvas { pixmap }
    }

    /// The picture as a PNG file.
    pub fn png(&self) -> Result<Vec<u8>> {
        Ok(self.pixmap.encode_png()?)
    }

    fn fill(&mut self, path: Option<Path>, ink: Ink) {
        if let Some(path) = path {
            let scale = Transform::from_scale(Self::SCALE, Self::SCALE);
            self.pixmap.fill_path(&path, &ink.paint(), FillRule::Winding, scale, None);
        }
    }

    /// A filled rectangle.
    pub fn rect(&mut self, x: f32, y: f32, width: f32, height: f32, ink: Ink) {
        self.fill(Rect::from_xywh(x, y, width, height).map(PathBuilder::from_rect), ink);
    }

    /// A filled polygon.
    pub fn area(&mut self, points: &[(f32, f32)], ink: Ink) {
        self.fill(trace(points, true), ink);
    }

    /// A filled circle around a point.
    pub fn dot(&mut self, x: f32, y: f32, radius: f32, ink: Ink) {
        self.fill(PathBuilder::from_circle(x, y, radius), ink);
    }

    /// A line through points.
    pub fn line(&mut self, points: &[(f32, f32)], width: f32, ink: Ink) {
        if let Some(path) = trace(points, false) {
            let stroke =
                Stroke { width, line_cap: LineCap::Round, line_join: LineJoin::Round, ..Stroke::default() };
            let scale = Transform::from_scale(Self::SCALE, Self::SCALE);
            self.pixmap.stroke_path(&path, &ink.paint(), &stroke, scale, None);
        }
    }

    /// Text with its middle height at `y`; `size` is the height of a line. Bold text is drawn with a heavier outline.
    #[allow(clippy::too_many_arguments)]
    pub fn text(&mut self, x: f32, y: f32, size: f32, align: Align, bold: bool, ink: Ink, text: &str) {
        let shift = match align {
            Align::Left => 0.0,
            Align::Centre => 0.5,
            Align::Right => 1.0,
        };
        let face = face();
        let scale = size / f32::from(face.units_per_em());
        let mut glyphs = Glyphs {
            path: PathBuilder::new(),
            x: x - shift * text_width(text, size),
            // Capitals are about 0.7 of the size; half of that below the middle.
            y: y + 0.345 * size,
            scale,
        };
        for letter in text.chars() {
            if let Some(glyph) = face.glyph_index(letter) {
                face.outline_glyph(glyph, &mut glyphs);
                glyphs.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
            }
        }
        if let Some(path) = glyphs.path.finish() {
            let transform = Transform::from_scale(Self::SCALE, Self::SCALE);
            self.pixmap.fill_path(&path, &ink.paint(), FillRule::Winding, transform, None);
            // The font is light; a thin outline gives it the weight that small print needs.
            let width = size * if bold { 0.060 } else { 0.018 };
            let stroke = Stroke { width, line_join: LineJoin::Round, ..Stroke::default() };
            self.pixmap.stroke_path(&path, &ink.paint(), &stroke, transform, None);
        }
    }
}

/// Width of a line of text at this size.
pub fn text_width(text: &str, size: f32) -> f32 {
    let face = face();
    let advance =
        |letter| face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph)).unwrap_or(0);
    text.chars().map(|letter| f32::from(advance(letter))).sum::<f32>() * size / f32::from(face.units_per_em())
}

fn trace(points: &[(f32, f32)], close: bool) -> Option<Path> {
    let (first, rest) = points.split_first()?;
    let mut path = PathBuilder::new();
    path.move_to(first.0, first.1);
    rest.iter().for_each(|&(x, y)| path.line_to(x, y));
    if close {
        path.close();
    }
    path.finish()
}

fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| {
        Face::parse(epaint_default_fonts::UBUNTU_LIGHT, 0).expect("the compiled-in font can be parsed")
    })
}

/// Turns a font's outlines (y up, in its own units) into a path on the sheet.
struct Glyphs {
    path: PathBuilder,
    x: f32,
    y: f32,
    scale: f32,
}

impl Glyphs {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Glyphs {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.path.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.path.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.path.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.path.close();
    }
}
