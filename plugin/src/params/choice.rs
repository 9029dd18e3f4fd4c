//! Every parameter that is one of several.

use idiom_engine::{Backend, Genre, LimiterMode, Mode, Quantization, Uncertain};
use nice_plug::prelude::*;

/// The genre parameter: follow what is heard, or one genre set by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum GenreChoice {
    /// Follow the recognition.
    #[id = "auto"]
    Auto,
    /// Always [`Genre::Speech`].
    #[id = "speech"]
    Speech,
    /// Always [`Genre::Rock`].
    #[id = "rock"]
    Rock,
    /// Always [`Genre::Jazz`].
    #[id = "jazz"]
    Jazz,
    /// Always [`Genre::Electronic`].
    #[id = "electronic"]
    Electronic,
    /// Always [`Genre::Classical`].
    #[id = "classical"]
    Classical,
}

impl From<GenreChoice> for Option<Genre> {
    fn from(choice: GenreChoice) -> Self {
        match choice {
            GenreChoice::Auto => None,
            GenreChoice::Speech => Some(Genre::Speech),
            GenreChoice::Rock => Some(Genre::Rock),
            GenreChoice::Jazz => Some(Genre::Jazz),
            GenreChoice::Electronic => Some(Genre::Electronic),
            GenreChoice::Classical => Some(Genre::Classical),
        }
    }
}

impl From<Option<Genre>> for GenreChoice {
    fn from(genre: Option<Genre>) -> Self {
        match genre {
            None => GenreChoice::Auto,
            Some(Genre::Speech) => GenreChoice::Speech,
            Some(Genre::Rock) => GenreChoice::Rock,
            Some(Genre::Jazz) => GenreChoice::Jazz,
            Some(Genre::Electronic) => GenreChoice::Electronic,
            Some(Genre::Classical) => GenreChoice::Classical,
        }
    }
}

/// What moves the mix, see [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ModeChoice {
    /// See [`Mode::Follow`].
    #[id = "follow"]
    Follow,
    /// See [`Mode::Learn`].
    #[id = "learn"]
    Learn,
    /// See [`Mode::Hold`].
    #[id = "hold"]
    Hold,
    /// See [`Mode::ByHand`].
    #[id = "by-hand"]
    #[name = "By hand"]
    ByHand,
}

impl From<ModeChoice> for Mode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Follow => Mode::Follow,
            ModeChoice::Learn => Mode::Learn,
            ModeChoice::Hold => Mode::Hold,
            ModeChoice::ByHand => Mode::ByHand,
        }
    }
}

impl From<Mode> for ModeChoice {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Follow => ModeChoice::Follow,
            Mode::Learn => ModeChoice::Learn,
            Mode::Hold => ModeChoice::Hold,
            Mode::ByHand => ModeChoice::ByHand,
        }
    }
}

/// What the mix does while no genre is likely enough, see [`Uncertain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UncertainChoice {
    /// See [`Uncertain::Ease`].
    #[id = "ease"]
    #[name = "Ease to neutral"]
    Ease,
    /// See [`Uncertain::Keep`].
    #[id = "keep"]
    #[name = "Keep"]
    Keep,
}

impl From<UncertainChoice> for Uncertain {
    fn from(choice: UncertainChoice) -> Self {
        match choice {
            UncertainChoice::Ease => Uncertain::Ease,
            UncertainChoice::Keep => Uncertain::Keep,
        }
    }
}

impl From<Uncertain> for UncertainChoice {
    fn from(uncertain: Uncertain) -> Self {
        match uncertain {
            Uncertain::Ease => UncertainChoice::Ease,
            Uncertain::Keep => UncertainChoice::Keep,
        }
    }
}

/// Which limiter is at the end of the chain, see [`LimiterMode`]. The choice decides the reported latency and counts
/// from the next activation on; the plugin asks the host for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum LimiterChoice {
    /// See [`LimiterMode::ZeroLatency`].
    #[id = "zero-latency"]
    #[name = "Zero latency"]
    ZeroLatency,
    /// See [`LimiterMode::LookAhead`].
    #[id = "look-ahead"]
    #[name = "True peak"]
    LookAhead,
}

impl From<LimiterChoice> for LimiterMode {
    fn from(choice: LimiterChoice) -> Self {
        match choice {
            LimiterChoice::ZeroLatency => LimiterMode::ZeroLatency,
            LimiterChoice::LookAhead => LimiterMode::LookAhead,
        }
    }
}

impl From<LimiterMode> for LimiterChoice {
    fn from(mode: LimiterMode) -> Self {
        match mode {
            LimiterMode::ZeroLatency => LimiterChoice::ZeroLatency,
            LimiterMode::LookAhead => LimiterChoice::LookAhead,
        }
    }
}

/// What computes the genre, see [`Backend`]. In the order of [`Backend::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum BackendChoice {
    /// See [`Backend::Auto`].
    #[id = "auto"]
    Auto,
    /// See [`Backend::Onnx`].
    #[id = "onnx"]
    #[name = "ONNX"]
    Onnx,
    /// See [`Backend::Tflite`].
    #[id = "tflite"]
    #[name = "TFLite"]
    Tflite,
    /// See [`Backend::OnnxWorker`].
    #[id = "onnx-worker"]
    #[name = "ONNX on worker"]
    OnnxWorker,
    /// See [`Backend::Classic`].
    #[id = "classic"]
    Classic,
    /// See [`Backend::Spectral`].
    #[id = "spectral"]
    #[name = "Spectral rules"]
    Spectral,
}

impl From<BackendChoice> for Backend {
    fn from(choice: BackendChoice) -> Self {
        match choice {
            BackendChoice::Auto => Backend::Auto,
            BackendChoice::Onnx => Backend::Onnx,
            BackendChoice::Tflite => Backend::Tflite,
            BackendChoice::OnnxWorker => Backend::OnnxWorker,
            BackendChoice::Classic => Backend::Classic,
            BackendChoice::Spectral => Backend::Spectral,
        }
    }
}

impl From<Backend> for BackendChoice {
    fn from(backend: Backend) -> Self {
        match backend {
            Backend::Auto => BackendChoice::Auto,
            Backend::Onnx => BackendChoice::Onnx,
            Backend::Tflite => BackendChoice::Tflite,
            Backend::OnnxWorker => BackendChoice::OnnxWorker,
            Backend::Classic => BackendChoice::Classic,
            Backend::Spectral => BackendChoice::Spectral,
        }
    }
}

impl BackendChoice {
    /// Its id in a state.
    pub fn id(self) -> &'static str {
        Self::ids().map_or("", |ids| ids[self.to_index()])
    }
}

/// In which arithmetic a network runs, see [`Quantization`]. In the order of [`Quantization::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum QuantizationChoice {
    /// See [`Quantization::Auto`].
    #[id = "auto"]
    Auto,
    /// See [`Quantization::Fp32`].
    #[id = "fp32"]
    #[name = "FP32"]
    Fp32,
    /// See [`Quantization::Fp16`].
    #[id = "fp16"]
    #[name = "FP16"]
    Fp16,
    /// See [`Quantization::Int8`].
    #[id = "int8"]
    #[name = "INT8"]
    Int8,
}

impl From<QuantizationChoice> for Quantization {
    fn from(choice: QuantizationChoice) -> Self {
        match choice {
            QuantizationChoice::Auto => Quantization::Auto,
            QuantizationChoice::Fp32 => Quantization::Fp32,
            QuantizationChoice::Fp16 => Quantization::Fp16,
            QuantizationChoice::Int8 => Quantization::Int8,
        }
    }
}

impl From<Quantization> for QuantizationChoice {
    fn from(quantization: Quantization) -> Self {
        match quantization {
            Quantization::Auto => QuantizationChoice::Auto,
            Quantization::Fp32 => QuantizationChoice::Fp32,
            Quantization::Fp16 => QuantizationChoice::Fp16,
            Quantization::Int8 => QuantizationChoice::Int8,
        }
    }
}

impl QuantizationChoice {
    /// Its id in a state.
    pub fn id(self) -> &'static str {
        Self::ids().map_or("", |ids| ids[self.to_index()])
    }
}

/// The ids under which a state keeps the value of a choice parameter; `None` when there is no such parameter.
pub fn ids(parameter: &str) -> Option<&'static [&'static str]> {
    match parameter {
        "genre" => GenreChoice::ids(),
        "mode" => ModeChoice::ids(),
        "uncertain" => UncertainChoice::ids(),
        "limiter.kind" => LimiterChoice::ids(),
        "backend" => BackendChoice::ids(),
        "quantization" => QuantizationChoice::ids(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_those_of_the_engine_in_its_order() {
        let labels: Vec<_> = Genre::ALL.iter().map(|genre| genre.label()).collect();
        assert_eq!(GenreChoice::variants()[0], "Auto");
        assert_eq!(GenreChoice::variants()[1..], labels[..]);
        for choice in std::iter::once(None).chain(Genre::ALL.map(Some)) {
            assert_eq!(Option::<Genre>::from(GenreChoice::from(choice)), choice);
        }
        for (mode, label) in Mode::ALL.into_iter().zip(ModeChoice::variants()) {
            assert_eq!(Mode::from(ModeChoice::from(mode)), mode);
            assert_eq!(mode.label(), *label);
        }
        for uncertain in [Uncertain::Ease, Uncertain::Keep] {
            assert_eq!(Uncertain::from(UncertainChoice::from(uncertain)), uncertain);
        }
        for (backend, label) in Backend::ALL.into_iter().zip(BackendChoice::variants()) {
            assert_eq!(Backend::from(BackendChoice::from(backend)), backend);
            assert_eq!(backend.label(), *label);
            assert_eq!(serde_json::to_value(backend).unwrap(), BackendChoice::from(backend).id());
        }
        for (quantization, label) in Quantization::ALL.into_iter().zip(QuantizationChoice::variants()) {
            assert_eq!(Quantization::from(QuantizationChoice::from(quantization)), quantization);
            assert_eq!(quantization.label(), *label);
            assert_eq!(
                serde_json::to_value(quantization).unwrap(),
                QuantizationChoice::from(quantization).id()
            );
        }
        for mode in [LimiterMode::ZeroLatency, LimiterMode::LookAhead] {
            assert_eq!(LimiterMode::from(LimiterChoice::from(mode)), mode);
        }
    }
}
