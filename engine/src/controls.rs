//! What the user sets and what the host says, handed to the engine with every block.

use crate::genre::Genre;
use serde::{Deserialize, Serialize};

/// What computes the genre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Backend {
    /// The best that works here: [`Backend::Onnx`], else [`Backend::Classic`], else [`Backend::Spectral`].
    #[default]
    Auto = 0,
    /// The ONNX model, compiled by our executor, frame by frame on the audio thread.
    Onnx = 1,
    /// The ONNX model in tract on the worker thread, every half second, through the cache.
    OnnxWorker = 2,
    /// Rules on spectral features. Needs no model; runs on the audio thread.
    Spectral = 3,
    /// The TFLite model, compiled by our executor, frame by frame on the audio thread.
    Tflite = 4,
    /// A linear model on statistics of MFCCs, see [`crate::rt::classic`]; runs on the audio thread.
    Classic = 5,
}

impl Backend {
    /// Every backend, in the order a chooser shows them.
    pub const ALL: [Backend; 6] = [
        Backend::Auto,
        Backend::Onnx,
        Backend::Tflite,
        Backend::OnnxWorker,
        Backend::Classic,
        Backend::Spectral,
    ];

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Backend::Auto => "Auto",
            Backend::Onnx => "ONNX",
            Backend::Tflite => "TFLite",
            Backend::OnnxWorker => "ONNX on worker",
            Backend::Classic => "Classic",
            Backend::Spectral => "Spectral rules",
        }
    }

    /// Which thread it runs on, to show to a person.
    pub const fn place(self) -> &'static str {
        match self {
            Backend::OnnxWorker => "worker thread",
            Backend::Auto | Backend::Onnx | Backend::Tflite | Backend::Classic | Backend::Spectral => {
                "audio thread"
            }
        }
    }

    /// The backend with this number, see the enum's values.
    pub fn from_index(index: u8) -> Option<Backend> {
        Self::ALL.into_iter().find(|backend| *backend as u8 == index)
    }
}

/// The arithmetic of a network's weights and activations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Quantization {
    /// The fastest that agrees with FP32: INT8 where the model has it.
    #[default]
    Auto = 0,
    /// 32-bit floating point.
    Fp32 = 1,
    /// 8-bit integer weights and activations.
    Int8 = 2,
    /// Weights rounded to 16-bit floating point, half the file; computed in 32 bits.
    Fp16 = 3,
}

impl Quantization {
    /// Every quantization, in the order a chooser shows them.
    pub const ALL: [Quantization; 4] =
        [Quantization::Auto, Quantization::Fp32, Quantization::Fp16, Quantization::Int8];

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Quantization::Auto => "Auto",
            Quantization::Fp32 => "FP32",
            Quantization::Fp16 => "FP16",
            Quantization::Int8 => "INT8",
        }
    }

    /// The quantization with this number, see the enum's values.
    pub fn from_index(index: u8) -> Option<Quantization> {
        Self::ALL.into_iter().find(|quantization| *quantization as u8 == index)
    }
}

/// The user's controls, read once a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// How far the mix moves towards the genre's profile, `0..=1`. At 0 the output is the input, bit for bit.
    pub amount: f32,
    /// Time the mix takes to follow a change of genre, in seconds, `0.1..=20`.
    pub reaction_s: f32,
    /// Confidence below which the genre counts as uncertain, `0..=1`.
    pub threshold: f32,
    /// A genre set by hand; `None` follows the recognition.
    pub manual: Option<Genre>,
    /// Hold the present genre and mix whatever is heard.
    pub freeze: bool,
    /// Whether the equalizer section acts.
    pub eq: bool,
    /// Whether the compressor section acts.
    pub compressor: bool,
    /// Number of the preset in [`Preset::factory`](crate::profile::Preset::factory) whose profiles are played; one that is
    /// not there plays the first. The mix glides to another preset within the reaction time.
    pub preset: usize,
    /// Gain after everything, in dB, `-24..=24`.
    pub output_db: f32,
    /// Pass the input through untouched (analysis goes on). Fades over some milliseconds.
    pub bypass: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            amount: 1.0,
            reaction_s: 2.0,
            threshold: 0.7,
            manual: None,
            freeze: false,
            eq: true,
            compressor: true,
            preset: 0,
            output_db: 0.0,
            bypass: false,
        }
    }
}

/// What the host says about the block.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transport {
    /// Whether the song is playing. Only then are the frames locked to `position`.
    pub playing: bool,
    /// Song position of the block's first sample, in samples. Negative during pre-roll.
    pub position: Option<i64>,
}
