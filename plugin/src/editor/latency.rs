//! What a frame costs, as a histogram of the last half minute against the 20 ms that there are.

use super::canvas::Canvas;
use super::model::ViewModel;
use super::recogniser::{BUDGET_NS, share, time};
use egui::{Align2, Color32, Pos2, Rect, Stroke, Vec2};
use idiom_engine::metrics::BUCKETS;

/// Shortest and longest time of the picture in nanoseconds.
const RANGE_NS: (f32, f32) = (1e3, 1e8);

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let inner = canvas.card(rect, "Cost of a frame, last half minute");
    let cost = model.metrics.stages.frame;
    let known = cost.count > 0;
    let text = if known { format!("{} of 20 ms", share(cost.p50_ns)) } else { "A frame has 20 ms".into() };
    let at = Pos2::new(inner.max.x, rect.min.y + canvas.px(21.0));
    canvas.text(at, Align2::RIGHT_CENTER, text, 12.0, colors.text);

    let stages = Rect::from_min_max(Pos2::new(inner.min.x, inner.max.y - canvas.px(50.0)), inner.max);
    let axis = canvas.px(14.0);
    let graph = Rect::from_min_max(
        inner.min + Vec2::new(0.0, canvas.px(14.0)),
        Pos2::new(inner.max.x, stages.min.y - axis - canvas.px(8.0)),
    );
    let painter = canvas.painter().with_clip_rect(graph.expand(1.0));
    painter.rect_filled(graph, canvas.px(3.0), colors.well);
    let decades = (RANGE_NS.1 / RANGE_NS.0).log10();
    let x = |ns: f32| {
        let share = (ns.max(1.0) / RANGE_NS.0).log10() / decades;
        graph.min.x + graph.width() * share.clamp(0.0, 1.0)
    };
    for (ns, label) in
        [(1e3, "1 \u{b5}s"), (1e4, "10"), (1e5, "100"), (1e6, "1 ms"), (1e7, "10"), (1e8, "100 ms")]
    {
        painter.vline(x(ns), graph.y_range(), Stroke::new(1.0, colors.line));
        let anchor = match ns {
            1e3 => Align2::LEFT_TOP,
            1e8 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let at = Pos2::new(x(ns), graph.max.y + canvas.px(2.0));
        canvas.text(at, anchor, label, 9.5, colors.faint);
    }
    // Beyond the frame's own time: too late.
    let late = Rect::from_min_max(Pos2::new(x(BUDGET_NS), graph.min.y), graph.max);
    painter.rect_filled(late, 0.0, colors.warning.gamma_multiply(0.12));
    painter.vline(late.min.x, graph.y_range(), Stroke::new(canvas.px(1.5), colors.warning));
    let tallest = model.latency.iter().copied().max().unwrap_or(0).max(1) as f32;
    for (bucket, count) in model.latency.iter().take(BUCKETS).enumerate().filter(|(_, count)| **count > 0) {
        let edge = |i: usize| x(100.0 * 2f32.powf(i as f32 / 4.0));
        // By the root, so that one late frame among thousands is seen.
        let height = graph.height() * 0.94 * (*count as f32 / tallest).sqrt();
        let bar = Rect::from_min_max(
            Pos2::new(edge(bucket), graph.max.y - height.max(canvas.px(2.0))),
            Pos2::new((edge(bucket + 1) - 1.0).max(edge(bucket) + 1.0), graph.max.y),
        );
        painter.rect_filled(bar, 0.0, colors.accent);
    }
    marks(canvas, graph, x, [cost.p50_ns, cost.p99_ns, cost.max_ns], known);
    stage_costs(canvas, stages, model);
    let help = "How long analysing a frame of 20 ms took: bars for the last half minute, by the root of how often. Median, \
                99 % and longest since the plugin was loaded. Beyond the line a frame would come too late.";
    canvas.explain(graph, "latency", help);
}

fn marks(canvas: &Canvas<'_>, graph: Rect, x: impl Fn(f32) -> f32, costs: [u64; 3], known: bool) {
    let colors = canvas.theme;
    let names = ["median", "99 %", "max"];
    let inks: [Color32; 3] = [colors.text, colors.muted, colors.muted];
    let mut left = graph.min.x;
    for ((name, ns), ink) in names.into_iter().zip(costs).zip(inks) {
        let text = if known { format!("{name} {}", time(ns)) } else { format!("{name} \u{2013}") };
        if known {
            let (at, reach) = (x(ns as f32), canvas.px(3.5));
            let tip = Pos2::new(at, graph.min.y + canvas.px(6.0));
            let wedge =
                vec![tip, tip + Vec2::new(-reach, -canvas.px(6.0)), tip + Vec2::new(reach, -canvas.px(6.0))];
            canvas.painter().add(egui::Shape::convex_polygon(wedge, ink, Stroke::NONE));
            let pen = Stroke::new(canvas.px(1.0), ink.gamma_multiply(0.6));
            canvas.painter().vline(at, graph.y_range(), pen);
        }
        let at = Pos2::new(left, graph.min.y - canvas.px(3.0));
        left = canvas.text(at, Align2::LEFT_BOTTOM, text, 10.5, ink).max.x + canvas.px(16.0);
    }
}

fn stage_costs(canvas: &Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let stages = &model.metrics.stages;
    let rows = [
        [("Front end", stages.front_end), ("Network", stages.network)],
        [("Decision", stages.decision), ("Mix, a block", stages.mix)],
    ];
    for (i, row) in rows.into_iter().enumerate() {
        for (j, (name, cost)) in row.into_iter().enumerate() {
            let width = rect.width() / 2.0 - canvas.px(10.0);
            let left = rect.min.x + j as f32 * (width + canvas.px(20.0));
            let y = rect.min.y + canvas.px(16.0) + i as f32 * canvas.px(20.0);
            canvas.text(Pos2::new(left, y), Align2::LEFT_CENTER, name, 11.0, colors.muted);
            let text = if cost.count > 0 { time(cost.p50_ns) } else { "\u{2013}".into() };
            canvas.text(Pos2::new(left + width, y), Align2::RIGHT_CENTER, text, 11.5, colors.text);
        }
    }
}
