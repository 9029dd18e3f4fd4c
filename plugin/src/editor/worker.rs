//! The worker, what came too late, and what had to stand in for what was chosen.

use super::canvas::{Canvas, columns, take_bottom};
use super::model::ViewModel;
use egui::{Align, Align2, Pos2, Rect};

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let mut inner = canvas.card(rect, "Worker and fallbacks");
    let metrics = &model.metrics;
    let reason = take_bottom(&mut inner, canvas.px(44.0), canvas.px(6.0));
    let facts: [(&str, String, &str); 6] = [
        (
            "Waiting",
            format!("{} (most {})", metrics.worker_queue.depth, metrics.worker_queue.most),
            "Messages that the worker has not taken yet. The audio thread never waits for it.",
        ),
        (
            "Late answers",
            metrics.deadline_misses.answers.to_string(),
            "Questions that were not answered when the next one was due; the network stood in.",
        ),
        (
            "Late blocks",
            metrics.deadline_misses.blocks.to_string(),
            "Blocks that took longer than their sound lasts, in real time.",
        ),
        (
            "Fallbacks",
            metrics.fallbacks.to_string(),
            "How often something else than what was chosen had to take over.",
        ),
        ("Changes", metrics.swaps.to_string(), "Changes of backend or model that were made as chosen."),
        (
            "Memory",
            format!("{:.2} MB", metrics.memory_bytes as f64 / 1e6),
            "What this instance's recognition holds for itself. Weights are shared by all instances.",
        ),
    ];
    let gap = canvas.px(20.0);
    let lines = canvas.px(18.0).min(inner.height() / 3.0);
    for (column, place) in columns(inner, 2, gap).enumerate() {
        for (i, (name, value, help)) in facts.iter().skip(3 * column).take(3).enumerate() {
            let y = place.min.y + (i as f32 + 0.5) * lines;
            canvas.text(Pos2::new(place.min.x, y), Align2::LEFT_CENTER, name, 11.0, colors.muted);
            canvas.text(Pos2::new(place.max.x, y), Align2::RIGHT_CENTER, value, 11.5, colors.text);
            let row = Rect::from_min_max(
                Pos2::new(place.min.x, y - lines / 2.0),
                Pos2::new(place.max.x, y + lines / 2.0),
            );
            canvas.explain(row, ("worker", name), help);
        }
    }
    let (text, ink) = match &model.problem {
        Some(problem) => (problem.as_str(), colors.text),
        None => ("Everything runs as chosen.", colors.faint),
    };
    let place = canvas.paragraph(reason, text, 11.0, ink, 3, Align::Max);
    canvas.explain(place, "fallback reason", text);
}
