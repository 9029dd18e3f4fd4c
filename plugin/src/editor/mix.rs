//! The page of what happens to the sound.

use super::canvas::{Canvas, split_x, take_bottom};
use super::model::ViewModel;
use super::{controls, curve, meters, sections, view};
use egui::Rect;

/// Draws the page.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let gap = canvas.px(view::GAP);
    let mut rest = rect;
    let knobs = take_bottom(&mut rest, canvas.px(118.0), gap);
    let row = take_bottom(&mut rest, canvas.px(152.0), gap);
    let (left, right) = split_x(rest, 0.745, gap);
    curve::show(canvas, left, model);
    meters::show(canvas, right, model);
    // Each row of knobs with a clip of its own: then egui makes a mesh of each. One mesh of the whole page is so large that
    // growing it, and giving its memory back to the system, takes longer than filling it.
    let whole = canvas.ui.clip_rect();
    canvas.ui.set_clip_rect(row.expand(gap).intersect(whole));
    sections::show(canvas, row, model);
    canvas.ui.set_clip_rect(knobs.expand(gap).intersect(whole));
    controls::show(canvas, knobs, model);
    canvas.ui.set_clip_rect(whole);
}
