//! The model card: what plays, what it was made of, how right it is.

use super::canvas::{Canvas, take_top};
use super::model::ViewModel;
use super::{browser, recogniser};
use egui::{Align, Align2, Pos2, Rect, Vec2};
use idiom_engine::{Backend, Quantization};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What the window shows of a card in `models/`.
#[derive(Debug, Deserialize)]
pub struct Card {
    /// Its name.
    pub model: String,
    /// Its version.
    pub version: String,
    /// What it looks at.
    pub input: String,
    /// How many parameters it has.
    pub parameters: u64,
    /// Multiply-adds for a frame.
    pub multiply_adds_per_frame: u64,
    /// How far it looks back, in frames of 20 ms.
    pub receptive_field_frames: u64,
    evaluation: Evaluation,
    files: BTreeMap<String, File>,
}

#[derive(Debug, Deserialize)]
struct Evaluation {
    result: Measured,
}

#[derive(Debug, Deserialize)]
struct Measured {
    balanced_accuracy_clip: f32,
    clips: u32,
}

#[derive(Debug, Deserialize)]
struct File {
    bytes: u64,
}

impl Card {
    /// Size of the ONNX file with this arithmetic, in bytes.
    pub fn bytes(&self, quantization: Quantization) -> Option<u64> {
        let part = match quantization {
            Quantization::Auto => return None,
            Quantization::Fp32 => ".fp32.onnx",
            Quantization::Fp16 => ".fp16.onnx",
            Quantization::Int8 => ".int8.onnx",
        };
        self.files.iter().find(|(name, _)| name.ends_with(part)).map(|(_, file)| file.bytes)
    }
}

/// The card of what a backend plays, where one is shipped.
pub fn of(backend: Backend) -> Option<&'static Card> {
    static CARDS: OnceLock<[Option<Card>; 2]> = OnceLock::new();
    let [flagship, classic] = CARDS.get_or_init(|| {
        let texts =
            [include_str!("../../../models/flagship.json"), include_str!("../../../models/classic.json")];
        texts.map(|text| serde_json::from_str(text).ok())
    });
    match backend {
        Backend::Auto | Backend::Spectral => None,
        Backend::Onnx | Backend::OnnxWorker | Backend::Tflite => flagship.as_ref(),
        Backend::Classic => classic.as_ref(),
    }
}

/// A number with its thousands apart.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{2009}');
        }
        out.push(digit);
    }
    out
}

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let mut inner = canvas.card(rect, "Model");
    let choice = Rect::from_min_size(
        Pos2::new(inner.max.x - canvas.px(250.0), rect.min.y + canvas.px(10.0)),
        Vec2::new(canvas.px(250.0), canvas.px(22.0)),
    );
    browser::choice(canvas, choice, model);
    let (backend, _) = recogniser::runs(model);
    // A model of the user's own has no card of ours.
    let card = of(backend)
        .filter(|card| model.status.model.starts_with(&card.model) || model.status.model.is_empty());
    let name = if model.status.model.is_empty() { backend.label() } else { model.status.model.as_str() };
    let line = take_top(&mut inner, canvas.px(22.0), canvas.px(6.0));
    canvas.label(line, name, 17.0, colors.text, Align::Min);
    let Some(card) = card else {
        let text = match backend {
            Backend::Spectral => "Rules on spectral measures: no model, no training, least accurate.".into(),
            Backend::Auto => "Shown once it is chosen.".into(),
            _ => {
                let classes = model.status.classes.join(", ");
                format!("A model of your own. Its accuracy is not known here. It tells apart: {classes}.")
            }
        };
        canvas.paragraph(inner, text, 11.5, colors.muted, 3, Align::Min);
        return;
    };
    let measured = &card.evaluation.result;
    let facts = [
        ("Listens to", card.input.split(" (").next().unwrap_or_default().to_owned()),
        ("Looks back", format!("{:.1} s", card.receptive_field_frames as f32 * 0.02)),
        (
            "Size",
            format!(
                "{} parameters, {} multiply-adds a frame",
                thousands(card.parameters),
                thousands(card.multiply_adds_per_frame)
            ),
        ),
        (
            "How right",
            format!(
                "{:.0} % of {} real recordings, cross-validated by artist (chance 20 %)",
                100.0 * measured.balanced_accuracy_clip,
                measured.clips
            ),
        ),
        ("Knows", model.status.classes.join(", ")),
    ];
    let step = canvas.px(23.0).min(inner.height() / facts.len() as f32);
    for (i, (name, value)) in facts.iter().enumerate() {
        let y = inner.min.y + (i as f32 + 0.5) * step;
        canvas.text(Pos2::new(inner.min.x, y), Align2::LEFT_CENTER, name, 11.0, colors.faint);
        let line = Rect::from_min_max(
            Pos2::new(inner.min.x + canvas.px(74.0), y - step / 2.0),
            Pos2::new(inner.max.x, y + step / 2.0),
        );
        let place = canvas.label(line, value, 11.0, colors.muted, Align::Min);
        canvas.explain(place, ("card", name), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_cards_are_read() {
        for backend in [Backend::Onnx, Backend::Classic] {
            let card = of(backend).unwrap_or_else(|| panic!("{backend:?} has no card"));
            assert!(card.parameters > 0 && card.evaluation.result.balanced_accuracy_clip > 0.2, "{card:?}");
        }
        let flagship = of(Backend::OnnxWorker).unwrap();
        assert!(flagship.bytes(Quantization::Int8) < flagship.bytes(Quantization::Fp32));
        assert_eq!((thousands(158_885), thousands(42)), ("158\u{2009}885".into(), "42".into()));
    }
}
