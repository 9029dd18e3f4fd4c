//! The page of what computes the genre, where it runs, and what it costs.

use super::canvas::{Canvas, split_x, take_bottom, take_top};
use super::model::ViewModel;
use super::{cache, card, latency, recogniser, view, worker};
use egui::Rect;

/// Draws the page.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let gap = canvas.px(view::GAP);
    let (mut left, mut right) = split_x(rect, 0.54, gap);
    let choosers = take_top(&mut left, rect.height() * 0.59, gap);
    recogniser::show(canvas, choosers, model);
    card::show(canvas, left, model);
    let bottom = take_bottom(&mut right, rect.height() * 0.27, gap);
    let middle = take_bottom(&mut right, rect.height() * 0.25, gap);
    latency::show(canvas, right, model);
    cache::show(canvas, middle, model);
    worker::show(canvas, bottom, model);
}
