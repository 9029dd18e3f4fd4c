//! What the user sets and what the host says, handed to the engine with every block.

use crate::genre::Genre;
use crate::profile::Profile;
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

/// What the mix does while no genre is likely enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Uncertain {
    /// Eases towards neutral, the less likely the guess the further.
    #[default]
    Ease = 0,
    /// Keeps the mix of the last genre.
    Keep = 1,
}

/// What moves the mix.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum Mode {
    /// The genre that is heard, all the time.
    #[default]
    Follow = 0,
    /// What some seconds of sound were, once; then that is held. Another mode and back to this one learns again.
    Learn = 1,
    /// Nothing: genre and mix stay as they are.
    Hold = 2,
    /// The user's own settings alone ([`Controls::base`]). The genre is recognised, but asks for nothing.
    ByHand = 3,
}

impl Mode {
    /// Every mode, in the order a chooser shows them.
    pub const ALL: [Mode; 4] = [Mode::Follow, Mode::Learn, Mode::Hold, Mode::ByHand];

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Mode::Follow => "Follow",
            Mode::Learn => "Learn",
            Mode::Hold => "Hold",
            Mode::ByHand => "By hand",
        }
    }
}

/// The peak limiter at the end of the chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum LimiterMode {
    /// Holds sample peaks, without any latency: for tracking and live.
    #[default]
    ZeroLatency = 0,
    /// Holds true peaks, with a constant latency of 2 ms at every rate: for masters.
    LookAhead = 1,
}

/// A part of the mix chain that can be switched off or locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(usize)]
pub enum Section {
    /// The downward expander.
    Gate = 0,
    /// Low cut and the four bands.
    Eq = 1,
    /// The compressor.
    Compressor = 2,
    /// Drive and exciter.
    Drive = 3,
    /// Stereo width.
    Width = 4,
    /// The loudness follower.
    Loudness = 5,
    /// The peak limiter.
    Limiter = 6,
}

/// How many sections there are.
pub const SECTIONS: usize = 7;

impl Section {
    /// Every section, in the order of the chain.
    pub const ALL: [Section; SECTIONS] = [
        Section::Gate,
        Section::Eq,
        Section::Compressor,
        Section::Drive,
        Section::Width,
        Section::Loudness,
        Section::Limiter,
    ];

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Section::Gate => "Gate",
            Section::Eq => "Equalizer",
            Section::Compressor => "Compressor",
            Section::Drive => "Drive",
            Section::Width => "Width",
            Section::Loudness => "Loudness",
            Section::Limiter => "Limiter",
        }
    }

    /// Its name in preset files.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Gate => "gate",
            Section::Eq => "eq",
            Section::Compressor => "compressor",
            Section::Drive => "drive",
            Section::Width => "width",
            Section::Loudness => "loudness",
            Section::Limiter => "limiter",
        }
    }
}

/// The user's controls, read once a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Controls {
    /// Number of the preset in [`Preset::factory`](crate::profile::Preset::factory) whose profiles are played; one that
    /// is not there plays the first. The mix glides to another preset within the reaction time.
    pub preset: usize,
    /// How far the mix moves towards the genre's profile, `0..=1`. At 0 the user's own settings alone are in force; when
    /// these are neutral, trims at 0 dB and the limiter off, the output is the input, bit for bit.
    pub amount: f32,
    /// Time the mix takes to follow a change of genre, in seconds, `0.1..=20`. It takes longer while the genre keeps
    /// changing.
    pub reaction_s: f32,
    /// Confidence below which the genre counts as uncertain, `0..=1`.
    pub threshold: f32,
    /// What the mix does while the genre is uncertain.
    pub uncertain: Uncertain,
    /// A genre set by hand; `None` follows the recognition.
    pub manual: Option<Genre>,
    /// What moves the mix.
    pub mode: Mode,
    /// The user's own settings, to which the genre adds: what a genre's profile asks for beyond
    /// [`Profile::NEUTRAL`], scaled by the amount, comes on top of these, in each parameter's own domain (dB, octaves,
    /// slope). At neutral the profile alone is in force. Values out of range are taken as the nearest in it.
    pub base: Profile,
    /// Gain before everything, in dB, `-24..=24`.
    pub input_db: f32,
    /// Whether the gate acts.
    pub gate: bool,
    /// Whether the equalizer section acts.
    pub eq: bool,
    /// Whether the compressor section acts.
    pub compressor: bool,
    /// Whether the drive acts.
    pub drive: bool,
    /// Whether the width acts.
    pub width: bool,
    /// Whether the loudness follower acts.
    pub loudness: bool,
    /// Whether the limiter acts. It does so whatever the amount: it protects, it does not colour.
    pub limiter: bool,
    /// The limiter's ceiling in dBTP, `-24..=0`. It is a matter of delivery, not of genre.
    pub ceiling_db: f32,
    /// Leave the user's own settings as they were when this was switched on, whatever `base` says: while a host records
    /// what is in force into them (Print), it must not be heard twice.
    pub hold_base: bool,
    /// Sections whose settings stay where they are while the genre moves the others, by [`Section`].
    // Not `SECTIONS`: Rust 1.95 fails on that when a closure completes `Controls` from another.
    pub locks: [bool; 7],
    /// Let the compressor listen to the external side-chain input, where the host connects one.
    pub external_key: bool,
    /// Gain after everything but the limiter, in dB, `-24..=24`.
    pub output_db: f32,
    /// Pass the input through untouched (analysis goes on). Fades over some milliseconds.
    pub bypass: bool,
}

impl Default for Controls {
    fn default() -> Self {
        Self {
            preset: 0,
            amount: 1.0,
            reaction_s: 2.0,
            threshold: 0.7,
            uncertain: Uncertain::Ease,
            manual: None,
            mode: Mode::Follow,
            base: Profile::NEUTRAL,
            input_db: 0.0,
            gate: true,
            eq: true,
            compressor: true,
            drive: true,
            width: true,
            loudness: true,
            limiter: false,
            ceiling_db: -1.0,
            hold_base: false,
            locks: [false; SECTIONS],
            external_key: false,
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
    /// Song position at which the loop begins that the host plays round and round, in samples; `None` without one.
    pub loop_start: Option<i64>,
}
