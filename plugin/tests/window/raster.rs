//! Draws what egui hands out into a picture in memory, without a screen or a graphics card, so that tests can look at the
//! window. Colours are blended as egui's OpenGL painter blends them: premultiplied, in gamma space.

use egui::epaint::{ClippedPrimitive, ImageData, Mesh, Primitive, Vertex};
use egui::{Color32, ColorImage, Pos2, TextureId, TexturesDelta};
use std::collections::HashMap;

/// A picture: rows from the top, red, green, blue and opacity of each pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Four bytes a pixel.
    pub bytes: Vec<u8>,
}

/// Keeps the textures from one picture to the next.
#[derive(Default)]
pub struct Raster {
    textures: HashMap<TextureId, ColorImage>,
}

impl Raster {
    /// Takes in new and changed textures.
    pub fn update(&mut self, delta: &TexturesDelta) {
        for (id, change) in delta.set.iter().flat_map(|(id, changes)| changes.iter().map(move |c| (id, c))) {
            let ImageData::Color(image) = &change.image;
            match change.pos {
                None => {
                    self.textures.insert(*id, image.as_ref().clone());
                }
                Some([left, top]) => {
                    let Some(texture) = self.textures.get_mut(id) else { continue };
                    let [width, height] = image.size;
                    for y in 0..height {
                        let at = (top + y) * texture.size[0] + left;
                        texture.pixels[at..at + width].copy_from_slice(&image.pixels[y * width..][..width]);
                    }
                }
            }
        }
    }

    /// A picture of `width` by `height` pixels with `scale` pixels a point.
    pub fn draw(&self, primitives: &[ClippedPrimitive], width: usize, height: usize, scale: f32) -> Picture {
        let mut picture = Picture { width, height, bytes: [0, 0, 0, 255].repeat(width * height) };
        for ClippedPrimitive { clip_rect, primitive } in primitives {
            let Primitive::Mesh(mesh) = primitive else { continue };
            let edge = |v: f32, most: usize| (v * scale).round().clamp(0.0, most as f32) as usize;
            let clip = Clip {
                left: edge(clip_rect.min.x, width),
                right: edge(clip_rect.max.x, width),
                top: edge(clip_rect.min.y, height),
                bottom: edge(clip_rect.max.y, height),
            };
            self.mesh(&mut picture, mesh, &clip, scale);
        }
        picture
    }

    fn mesh(&self, picture: &mut Picture, mesh: &Mesh, clip: &Clip, scale: f32) {
        let Some(texture) = self.textures.get(&mesh.texture_id) else { return };
        for corners in mesh.indices.chunks_exact(3) {
            let corner = |i: usize| mesh.vertices[corners[i] as usize];
            triangle(picture, texture, [corner(0), corner(1), corner(2)], clip, scale);
        }
    }
}

/// The pixels that may be drawn on.
struct Clip {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

fn triangle(picture: &mut Picture, texture: &ColorImage, mut corners: [Vertex; 3], clip: &Clip, scale: f32) {
    for corner in &mut corners {
        corner.pos = Pos2::new(corner.pos.x * scale, corner.pos.y * scale);
    }
    let area = cross(corners[0].pos, corners[1].pos, corners[2].pos);
    if area == 0.0 || !area.is_finite() {
        return;
    }
    if area < 0.0 {
        corners.swap(1, 2);
    }
    let [a, b, c] = corners.map(|corner| corner.pos);
    let area = area.abs();
    // Of two triangles with a common edge, one has the pixels whose centres lie on it.
    let owns = |from: Pos2, to: Pos2| (from.y == to.y && to.x > from.x) || to.y < from.y;
    let owned = [owns(b, c), owns(c, a), owns(a, b)];
    let low = |v: f32, least: usize| (v.floor().max(0.0) as usize).max(least);
    let high = |v: f32, most: usize| (v.ceil().max(0.0) as usize).min(most);
    let (left, right) = (low(a.x.min(b.x).min(c.x), clip.left), high(a.x.max(b.x).max(c.x), clip.right));
    let (top, bottom) = (low(a.y.min(b.y).min(c.y), clip.top), high(a.y.max(b.y).max(c.y), clip.bottom));
    let flat = corners[1].color == corners[0].color && corners[2].color == corners[0].color;
    let still = corners[1].uv == corners[0].uv && corners[2].uv == corners[0].uv;
    // Most of what is drawn is no text: one texel, often one colour.
    let texel = still.then(|| sample(texture, corners[0].uv));
    let uniform = texel.filter(|_| flat).map(|texel| times(texel, rgba(corners[0].color)));
    let inks = corners.map(|corner| rgba(corner.color));
    let inside = |x: usize, y: usize| {
        let at = Pos2::new(x as f32 + 0.5, y as f32 + 0.5);
        let weights = [cross(b, c, at), cross(c, a, at), cross(a, b, at)];
        let drawn = |i: usize| weights[i] > 0.0 || (weights[i] == 0.0 && owned[i]);
        (drawn(0) && drawn(1) && drawn(2)).then_some(weights)
    };
    for y in top..bottom {
        // Most rows of a triangle are one stretch: what lies outside of it is not looked at one by one.
        let (start, end) = stretch([a, b, c], y as f32 + 0.5, left, right);
        let Some(start) = (start..end).find(|x| inside(*x, y).is_some()) else { continue };
        if let Some([r, g, b, 1.0]) = uniform {
            let end = (start..end).rev().find(|x| inside(*x, y).is_some()).map_or(start, |last| last + 1);
            let ink = [r, g, b].map(|ink| (ink * 255.0).round() as u8);
            let row = &mut picture.bytes[4 * (y * picture.width + start)..4 * (y * picture.width + end)];
            row.chunks_exact_mut(4).for_each(|pixel| pixel[..3].copy_from_slice(&ink));
            continue;
        }
        for x in start..end {
            let Some(weights) = inside(x, y) else { break };
            let color = uniform.unwrap_or_else(|| {
                let share = weights.map(|w| w / area);
                let color: [f32; 4] = std::array::from_fn(|k| {
                    share[0] * inks[0][k] + share[1] * inks[1][k] + share[2] * inks[2][k]
                });
                if let Some(texel) = texel {
                    return times(texel, color);
                }
                let uv = |pick: fn(Pos2) -> f32| (0..3).map(|i| share[i] * pick(corners[i].uv)).sum();
                times(sample(texture, Pos2::new(uv(|p| p.x), uv(|p| p.y))), color)
            });
            let pixel = &mut picture.bytes[4 * (y * picture.width + x)..][..3];
            for (byte, ink) in pixel.iter_mut().zip(color) {
                let kept = f32::from(*byte) * (1.0 - color[3]);
                *byte = (ink * 255.0 + kept).round().clamp(0.0, 255.0) as u8;
            }
        }
    }
}

/// The pixels of a row that a triangle may touch, generously.
fn stretch(corners: [Pos2; 3], y: f32, left: usize, right: usize) -> (usize, usize) {
    let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
    for i in 0..3 {
        let (from, to) = (corners[i], corners[(i + 1) % 3]);
        let (top, bottom) = (from.y.min(to.y), from.y.max(to.y));
        if y < top || y > bottom {
            continue;
        }
        let xs = if from.y == to.y {
            [from.x, to.x]
        } else {
            [from.x + (to.x - from.x) * (y - from.y) / (to.y - from.y); 2]
        };
        low = low.min(xs[0]).min(xs[1]);
        high = high.max(xs[0]).max(xs[1]);
    }
    // Beside the row, or all of it beyond what may be drawn on.
    if low > high || left >= right {
        return (left, left);
    }
    let start = ((low - 1.5).max(0.0) as usize).clamp(left, right);
    let end = ((high + 1.5).max(0.0) as usize).clamp(left, right);
    (start, end.max(start))
}

fn cross(a: Pos2, b: Pos2, c: Pos2) -> f32 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

fn rgba(color: Color32) -> [f32; 4] {
    color.to_array().map(|byte| f32::from(byte) / 255.0)
}

fn times(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|i| a[i] * b[i])
}

/// The texture's colour there, between its four nearest texels.
fn sample(texture: &ColorImage, uv: Pos2) -> [f32; 4] {
    let [width, height] = texture.size;
    let (x, y) = (uv.x * width as f32 - 0.5, uv.y * height as f32 - 0.5);
    let texel = |x: f32, y: f32| {
        let inside = |v: f32, size: usize| (v.max(0.0) as usize).min(size - 1);
        rgba(texture.pixels[inside(y, height) * width + inside(x, width)])
    };
    let (left, top) = (x.floor(), y.floor());
    let (right_share, low_share) = (x - left, y - top);
    let blend =
        |a: [f32; 4], b: [f32; 4], t: f32| -> [f32; 4] { std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t) };
    let upper = blend(texel(left, top), texel(left + 1.0, top), right_share);
    let lower = blend(texel(left, top + 1.0), texel(left + 1.0, top + 1.0), right_share);
    blend(upper, lower, low_share)
}
