//! Which model runs where, the choice of backend and quantization, and what a frame costs.

use super::canvas::{Button, Canvas, columns};
use super::model::{Action, ViewModel};
use super::theme;
use crate::state::Choice;
use egui::{Align, Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::{Backend, Quantization};

/// Time there is for a frame, in nanoseconds.
pub const BUDGET_NS: f32 = 20e6;

/// Identity of a backend's button.
pub fn backend_id(backend: Backend) -> Id {
    Id::unique(("backend", backend as u8))
}

/// Identity of a quantization's button.
pub fn quantization_id(quantization: Quantization) -> Id {
    Id::unique(("quantization", quantization as u8))
}

/// What runs, in words.
pub fn running(model: &ViewModel) -> String {
    let (backend, quantization) = if model.has_heard() {
        (model.snapshot.backend, model.snapshot.quantization)
    } else {
        model.status.installed
    };
    let name = match backend {
        Backend::Auto => return "Choosing what runs best here".into(),
        Backend::Classic | Backend::Spectral => {
            format!("Runs {} on the {}", backend.label().to_lowercase(), backend.place())
        }
        Backend::Onnx | Backend::OnnxWorker | Backend::Tflite => {
            let arithmetic = match quantization {
                Quantization::Auto => String::new(),
                known => format!(" in {}", known.label()),
            };
            let format = if backend == Backend::Tflite { "TFLite" } else { "ONNX" };
            format!("Runs {format}{arithmetic} on the {}", backend.place())
        }
    };
    if model.status.model.is_empty() { name } else { format!("{name}: {}", model.status.model) }
}

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(rect, "Recogniser");
    let label_width = canvas.px(64.0);
    let height = canvas.px(24.0);
    let gap = canvas.px(5.0);
    let row = |top: f32| {
        let min = Pos2::new(inner.min.x + label_width, top);
        Rect::from_min_max(min, Pos2::new(inner.max.x, top + height))
    };
    let backends = row(inner.min.y);
    canvas.text(
        Pos2::new(inner.min.x, backends.center().y),
        Align2::LEFT_CENTER,
        "Backend",
        12.0,
        theme::MUTED,
    );
    // Wider buttons for longer names.
    let names = Backend::ALL.map(|backend| canvas.width(short_label(backend), 12.5) + canvas.px(8.0));
    let stretch = (backends.width() - (names.len() - 1) as f32 * gap) / names.iter().sum::<f32>();
    let mut left = backends.min.x;
    for (backend, width) in Backend::ALL.into_iter().zip(names) {
        let place = Rect::from_min_size(Pos2::new(left, backends.min.y), Vec2::new(width * stretch, height));
        left = place.max.x + gap;
        let look =
            Button::words(short_label(backend), backend_help(backend), model.choice.backend == backend);
        if canvas.button(place, backend_id(backend), look) && model.choice.backend != backend {
            canvas.actions.push(Action::Choose(Choice { backend, ..model.choice }));
        }
    }
    let arithmetic = row(backends.max.y + gap);
    canvas.text(
        Pos2::new(inner.min.x, arithmetic.center().y),
        Align2::LEFT_CENTER,
        "Arithmetic",
        12.0,
        theme::MUTED,
    );
    for (quantization, place) in
        Quantization::ALL.into_iter().zip(columns(arithmetic, Quantization::ALL.len(), gap))
    {
        let on = model.choice.quantization == quantization;
        let look = Button::words(quantization.label(), quantization_help(quantization), on);
        if canvas.button(place, quantization_id(quantization), look) && !on {
            canvas.actions.push(Action::Choose(Choice { quantization, ..model.choice }));
        }
    }
    let line = Rect::from_min_max(Pos2::new(inner.min.x, arithmetic.max.y + canvas.px(8.0)), inner.max);
    let line = canvas.paragraph(line, running(model), 12.5, theme::TEXT, 1, Align::Min);
    let cost_rect = Rect::from_min_max(Pos2::new(inner.min.x, line.max.y + canvas.px(6.0)), inner.max);
    cost(canvas, cost_rect, model);
}

/// The backend's name on its button, where six stand side by side.
fn short_label(backend: Backend) -> &'static str {
    match backend {
        Backend::OnnxWorker => "Worker",
        Backend::Spectral => "Rules",
        _ => backend.label(),
    }
}

fn backend_help(backend: Backend) -> &'static str {
    match backend {
        Backend::Auto => "The best that works here.",
        Backend::Onnx => "The network, frame by frame on the audio thread. Follows fastest.",
        Backend::Tflite => "The same from a TFLite file.",
        Backend::OnnxWorker => {
            "The ONNX network on its own thread, twice a second. Takes load off the audio thread."
        }
        Backend::Classic => {
            "A linear model on three seconds of cepstral statistics. Light, and less accurate."
        }
        Backend::Spectral => "Simple rules on the spectrum. Needs no model and is less accurate.",
    }
}

fn quantization_help(quantization: Quantization) -> &'static str {
    match quantization {
        Quantization::Auto => "The fastest that agrees with FP32.",
        Quantization::Fp32 => "32-bit floating point.",
        Quantization::Fp16 => {
            "Weights in 16-bit floating point: half the memory of the file, the same speed."
        }
        Quantization::Int8 => "8-bit integers: a quarter of the memory, and faster on most processors.",
    }
}

/// A time as a person reads it.
pub fn time(ns: u64) -> String {
    match ns as f32 {
        ns if ns < 10e3 => format!("{:.1} \u{b5}s", ns / 1e3),
        ns if ns < 1e6 => format!("{:.0} \u{b5}s", ns / 1e3),
        ns => format!("{:.1} ms", ns / 1e6),
    }
}

/// A share of the budget as a person reads it.
pub fn share(ns: u64) -> String {
    match ns as f32 / BUDGET_NS * 100.0 {
        percent if percent < 0.095 => format!("{percent:.2} %"),
        percent if percent < 9.5 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// The cost of a frame, as a share of the whole bar.
fn cost(canvas: &Canvas<'_>, rect: Rect, model: &ViewModel) {
    let [_, p50, p99, max] = model.snapshot.cost_ns;
    let known = model.has_heard() && p50 > 0;
    let text = if known {
        format!("A frame costs {}: {} of its 20 ms", time(p50), share(p50))
    } else {
        "A frame has 20 ms".into()
    };
    let line = canvas.text(rect.min, Align2::LEFT_TOP, text, 12.5, theme::TEXT);
    let track = Rect::from_min_size(
        Pos2::new(rect.min.x, line.max.y + canvas.px(5.0)),
        Vec2::new(rect.width(), canvas.px(8.0)),
    );
    let painter = canvas.painter();
    painter.rect_filled(track, canvas.px(4.0), theme::LINE);
    let labels_y = track.max.y + canvas.px(4.0);
    canvas.text(Pos2::new(track.max.x, labels_y), Align2::RIGHT_TOP, "20 ms", 10.5, theme::FAINT);
    if !known {
        return;
    }
    let late = max as f32 > BUDGET_NS;
    for (ns, color) in [(max, if late { theme::WARNING } else { theme::FAINT }), (p50, theme::TEXT)] {
        let width = (track.width() * (ns as f32 / BUDGET_NS).min(1.0)).max(canvas.px(2.0));
        let sliver = Rect::from_min_size(track.min, Vec2::new(width, track.height()));
        painter.rect_filled(sliver, canvas.px(1.0), color);
    }
    let text = format!("median {}    99 % {}    max {}", time(p50), time(p99), time(max));
    canvas.text(Pos2::new(track.min.x, labels_y), Align2::LEFT_TOP, text, 10.5, theme::MUTED);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_are_short() {
        assert_eq!([time(0), time(9_960), time(11_400)], ["0.0 \u{b5}s", "10.0 \u{b5}s", "11 \u{b5}s"]);
        assert_eq!([time(999_400), time(2_340_000)], ["999 \u{b5}s", "2.3 ms"]);
        assert_eq!([share(10_600), share(200_000), share(21_000_000)], ["0.05 %", "1.0 %", "105 %"]);
    }

    #[test]
    fn what_runs_is_said_in_words() {
        let mut model = ViewModel::default();
        assert_eq!(running(&model), "Choosing what runs best here");
        model.status.installed = (Backend::Spectral, Quantization::Auto);
        assert_eq!(running(&model), "Runs spectral rules on the audio thread");
        model.snapshot.frames = 1;
        model.snapshot.backend = Backend::OnnxWorker;
        model.snapshot.quantization = Quantization::Fp32;
        model.status.model = "flagship 1".into();
        assert_eq!(running(&model), "Runs ONNX in FP32 on the worker thread: flagship 1");
    }
}
