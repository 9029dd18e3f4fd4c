//! The choosers of backend and arithmetic, with what each costs and how well it agrees.

use super::canvas::{Button, Canvas, columns, rows, take_bottom};
use super::card;
use super::icons;
use super::model::{Action, ViewModel};
use egui::{Align, Align2, CursorIcon, Id, Pos2, Rect, Role, Sense, Vec2, WidgetInfo};
use idiom_engine::{Backend, Quantization};

/// Time there is for a frame, in nanoseconds.
pub const BUDGET_NS: f32 = 20e6;

/// Identity of a backend's line.
pub fn backend_id(backend: Backend) -> Id {
    Id::unique(("backend", backend as u8))
}

/// Identity of a quantization's button.
pub fn quantization_id(quantization: Quantization) -> Id {
    Id::unique(("quantization", quantization as u8))
}

/// What runs now: what gave the last answer, or what is installed before the first.
pub fn runs(model: &ViewModel) -> (Backend, Quantization) {
    if model.has_heard() {
        (model.snapshot.backend, model.snapshot.quantization)
    } else {
        model.status.installed
    }
}

/// What runs, in words.
pub fn running(model: &ViewModel) -> String {
    let (backend, quantization) = runs(model);
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
    let inner = canvas.card(rect, "What computes the genre");
    let colors = canvas.theme;
    let mut rest = inner;
    let arithmetic = take_bottom(&mut rest, canvas.px(66.0), canvas.px(8.0));
    let head = Rect::from_min_max(
        Pos2::new(inner.max.x - canvas.px(170.0), rect.min.y + canvas.px(13.0)),
        Pos2::new(inner.max.x, inner.min.y - canvas.px(7.0)),
    );
    let (place, cost) = (canvas.px(95.0), canvas.px(66.0));
    let word = |right: f32, text: &str| {
        canvas.text(Pos2::new(right, head.center().y), Align2::RIGHT_CENTER, text, 10.5, colors.faint)
    };
    word(inner.max.x - canvas.px(8.0), "a frame costs");
    word(inner.max.x - cost - canvas.px(26.0), "runs on");
    for (backend, row) in Backend::ALL.into_iter().zip(rows(rest, Backend::ALL.len(), canvas.px(3.0))) {
        line(canvas, row, backend, model, (place, cost));
    }
    quantizations(canvas, arithmetic, model);
}

fn line(canvas: &mut Canvas<'_>, rect: Rect, backend: Backend, model: &ViewModel, (place, cost): (f32, f32)) {
    let colors = canvas.theme;
    let on = model.choice.backend == backend;
    let response = canvas.touch(rect, backend_id(backend), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, on, backend.label()));
    let fill = match (on, response.hovered()) {
        (true, _) => colors.control,
        (false, true) => colors.control_hover,
        (false, false) => colors.well,
    };
    canvas.painter().rect_filled(rect, canvas.px(6.0), fill);
    let lamp = Rect::from_center_size(
        Pos2::new(rect.min.x + canvas.px(15.0), rect.center().y),
        Vec2::splat(canvas.px(15.0)),
    );
    icons::lamp(canvas.painter(), lamp, if on { colors.text } else { colors.faint }, on);
    let right = rect.max.x - canvas.px(8.0);
    let (_, playing) = (model, runs(model).0 == backend);
    let words = Rect::from_min_max(
        Pos2::new(lamp.max.x + canvas.px(8.0), rect.min.y + canvas.px(3.0)),
        Pos2::new(right - place - cost - canvas.px(8.0), rect.max.y - canvas.px(3.0)),
    );
    let name = if playing { format!("{} \u{2022} running", backend.label()) } else { backend.label().into() };
    canvas.paragraph(words, name, 12.5, colors.text, 1, Align::Min);
    canvas.paragraph(words, backend_help(backend), 10.0, colors.muted, 1, Align::Max);
    let at = Pos2::new(right - cost - canvas.px(14.0), rect.center().y);
    let where_it_runs = if backend == Backend::Auto { "\u{2013}" } else { backend.place() };
    canvas.text(at, Align2::RIGHT_CENTER, where_it_runs, 11.0, colors.muted);
    let seen = model.costs.iter().filter(|seen| seen.backend == backend).map(|seen| seen.p50_ns).min();
    let text = seen.map_or_else(|| "\u{2013}".into(), time);
    canvas.text(Pos2::new(right, rect.center().y), Align2::RIGHT_CENTER, text, 12.0, colors.text);
    if response.clicked() && !on {
        canvas.actions.push(Action::Backend(backend));
    }
    let cost = match seen {
        Some(ns) => format!("Seen here: {} a frame, {} of its 20 ms.", time(ns), share(ns)),
        None => "What it costs here is shown once it has run for two seconds.".into(),
    };
    let help = format!("{}\n\n{cost}", backend_help(backend));
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(help);
}

fn quantizations(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let mut rest = rect;
    let why = take_bottom(&mut rest, canvas.px(16.0), canvas.px(4.0));
    let label = Rect::from_min_max(rest.min, Pos2::new(rest.min.x + canvas.px(70.0), rest.max.y));
    canvas.label(label, "Arithmetic", 12.0, colors.muted, Align::Min);
    let buttons = Rect::from_min_max(Pos2::new(label.max.x, rest.min.y), rest.max);
    let all = Quantization::ALL;
    for (quantization, place) in all.into_iter().zip(columns(buttons, all.len(), canvas.px(5.0))) {
        let on = model.choice.quantization == quantization;
        let mut help = quantization_help(quantization).to_owned();
        let size = card::of(runs(model).0).and_then(|card| card.bytes(quantization));
        if let Some(bytes) = size {
            help = format!("{help} {} kB.", bytes.div_ceil(1_000));
        }
        let seen = model.costs.iter().filter(|seen| seen.quantization == quantization);
        if let Some(ns) = seen.map(|seen| seen.p50_ns).min() {
            help = format!("{help}\nSeen here: {} a frame.", time(ns));
        }
        let look = Button::words(colors, quantization.label(), &help, on);
        if canvas.button(place, quantization_id(quantization), look) && !on {
            canvas.actions.push(Action::Quantization(quantization));
        }
    }
    let text = match &model.status.choice {
        Some(why) => format!("Auto chose {why}."),
        None => running(model),
    };
    let place = canvas.label(why, &text, 11.0, colors.muted, Align::Min);
    canvas.explain(place, "why quantization", &text);
}

fn backend_help(backend: Backend) -> &'static str {
    match backend {
        Backend::Auto => "The best that works here.",
        Backend::Onnx => "The network, frame by frame. Follows fastest.",
        Backend::Tflite => "The same network from a TFLite file.",
        Backend::OnnxWorker => "The network twice a second, beside the audio thread.",
        Backend::Classic => "A linear model on three seconds of cepstral statistics.",
        Backend::Spectral => "Simple rules on the spectrum. Least accurate.",
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
        ns if ns < 1e9 => format!("{:.1} ms", ns / 1e6),
        ns => format!("{:.0} s", (ns / 1e9).min(9_999.0)),
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
