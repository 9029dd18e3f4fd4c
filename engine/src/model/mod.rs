//! Model files and what they hold. The only place that knows file formats.
//!
//! A [`Model`] is the plain, format-free description of a causal convolutional network over 20 ms frames, see
//! `docs/MODEL_FORMAT.md`. [`onnx`] and [`tflite`] read one from a file, [`onnx_write`] and [`tflite_write`] write one;
//! [`windowed`] runs it in the plainest way there is, as the reference for [`crate::rt::net`], which plays it frame by
//! frame.

pub mod classic;
mod error;
mod flatbuffer;
pub mod half;
mod limits;
pub mod metadata;
pub mod onnx;
pub mod onnx_dynamic;
mod onnx_parts;
pub mod onnx_write;
pub mod quantize;
pub mod random;
mod scan;
pub mod shipped;
pub mod tflite;
mod tflite_ops;
mod tflite_parts;
mod tflite_schema;
#[cfg(test)]
mod tflite_tests;
pub mod tflite_write;
pub mod windowed;

pub use error::ModelError;
pub use limits::*;
pub use metadata::Entries;

use crate::controls::Quantization;
use crate::genre::{GENRES, Genre, Posterior};

/// What a model listens to. Each frame hands it one column of these numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InputKind {
    /// 40 log-mel bands relative to the slow level, see [`crate::rt::features`].
    LogMel40,
    /// 13 mel-frequency cepstral coefficients.
    Mfcc13,
    /// The sound itself: 960 samples at 48 kHz, whatever the host's rate, see [`crate::rt::features::samples`].
    Samples960,
}

impl InputKind {
    /// Every kind of input.
    pub const ALL: [InputKind; 3] = [InputKind::LogMel40, InputKind::Mfcc13, InputKind::Samples960];

    /// Name in a file's metadata.
    pub const fn name(self) -> &'static str {
        match self {
            InputKind::LogMel40 => "log_mel40",
            InputKind::Mfcc13 => "mfcc13",
            InputKind::Samples960 => "samples960",
        }
    }

    /// Numbers a frame.
    pub const fn rows(self) -> usize {
        match self {
            InputKind::LogMel40 => 40,
            InputKind::Mfcc13 => 13,
            InputKind::Samples960 => 960,
        }
    }

    /// All names, for messages.
    pub fn names() -> String {
        Self::ALL.map(InputKind::name).join(", ")
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<InputKind> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The kinds of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `.onnx`
    Onnx,
    /// `.tflite`
    Tflite,
}

impl Format {
    /// The kind of file that these bytes begin as; what is not TFLite can only be ONNX, which has no mark of its own.
    pub fn of(bytes: &[u8]) -> Format {
        if bytes.get(4..8) == Some(tflite_schema::IDENTIFIER) { Format::Tflite } else { Format::Onnx }
    }

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Format::Onnx => "ONNX",
            Format::Tflite => "TFLite",
        }
    }
}

/// What a file says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelMeta {
    /// Name, e.g. `flagship`.
    pub name: String,
    /// Version, e.g. `2026.11`.
    pub version: String,
    /// What the model listens to.
    pub features: InputKind,
    /// Class names in the order of the outputs.
    pub classes: Vec<String>,
    /// Number of frames the logits are averaged over.
    pub pool_frames: usize,
}

impl ModelMeta {
    /// Which output answers for which genre.
    ///
    /// # Errors
    /// When two outputs answer for one genre.
    pub fn genre_outputs(&self) -> Result<GenreOutputs, ModelError> {
        let mut outputs = [None; GENRES];
        let mut others = false;
        for (i, class) in (0u16..).zip(&self.classes) {
            match Genre::from_name(class) {
                Some(genre) if outputs[genre.index()].is_some() => {
                    let problem = format!("`{class}` is there twice");
                    return Err(ModelError::Metadata { key: "idiom.classes".into(), problem });
                }
                Some(genre) => outputs[genre.index()] = Some(i),
                None => others = true,
            }
        }
        Ok(GenreOutputs { outputs, others })
    }
}

/// Which output of a model answers for which genre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GenreOutputs {
    outputs: [Option<u16>; GENRES],
    /// Whether there are outputs that answer for none.
    others: bool,
}

impl GenreOutputs {
    /// No output answers for any genre.
    pub const NONE: GenreOutputs = GenreOutputs { outputs: [None; GENRES], others: false };

    /// Least probability of a genre beside classes that are none: "it is something else" is not "nothing is known".
    const LEAST: f32 = 1e-6;

    /// The number of the output that answers for a genre, if any does.
    pub fn of(&self, genre: Genre) -> Option<u16> {
        self.outputs[genre.index()]
    }

    /// The numbers of all genres' outputs, when the classes are the five genres and nothing else.
    pub fn all(&self) -> Option<[usize; GENRES]> {
        let mut all = [0; GENRES];
        for (to, output) in all.iter_mut().zip(self.outputs) {
            *to = usize::from(output?);
        }
        (!self.others).then_some(all)
    }

    /// The genres' part of a model's answer. What the other classes have is missing to 1, so that the mix eases to
    /// neutral for them. `None` when the answer is not one probability a class.
    ///
    /// May be called on the audio thread.
    pub fn posterior(&self, probabilities: &[f32]) -> Option<Posterior> {
        let usable = probabilities.iter().all(|p| (0.0..=1.0).contains(p));
        if !usable || (probabilities.iter().sum::<f32>() - 1.0).abs() > 1e-3 {
            return None;
        }
        let least = if self.others { Self::LEAST } else { 0.0 };
        let mut posterior = [least; GENRES];
        for (p, output) in posterior.iter_mut().zip(self.outputs) {
            if let Some(output) = output {
                *p = probabilities.get(usize::from(output))?.max(least);
            }
        }
        Some(Posterior(posterior)).filter(Posterior::is_valid)
    }
}

/// How an 8-bit number `q` stands for a real one: `scale * (q - zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine {
    /// Size of one step, positive.
    pub scale: f32,
    /// The 8-bit number that stands for 0.
    pub zero_point: i8,
}

/// The numbers of a layer. Weights are laid out `[output][input / groups][kernel_f][kernel_t]`, as in ONNX.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// 32-bit floating point.
    F32 {
        /// Weights.
        weights: Vec<f32>,
        /// One a output channel.
        bias: Vec<f32>,
    },
    /// 8-bit integers with 32-bit sums.
    I8 {
        /// Weights, symmetric: `-127..=127`, 0 stands for 0.
        weights: Vec<i8>,
        /// Size of one weight step, one a output channel.
        scales: Vec<f32>,
        /// One a output channel, in steps of input scale times weight scale.
        bias: Vec<i32>,
        /// How the layer's 8-bit inputs stand for real numbers. After another INT8 layer that is what that one gives
        /// out; what comes from an FP32 layer, or as features, is rounded to it.
        input: Affine,
        /// How the layer's 8-bit outputs stand for real numbers. With a zero point of -128 nothing below 0 exists,
        /// which is the layer's ReLU.
        output: Affine,
    },
}

/// One convolution over (feature, time), with its activation. All padding in time lies in the past.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Name in errors and in files.
    pub name: String,
    /// Input channels.
    pub inputs: usize,
    /// Output channels. Equal to `inputs` in a depthwise layer.
    pub outputs: usize,
    /// Kernel size along the features.
    pub kernel_f: usize,
    /// Kernel size in time.
    pub kernel_t: usize,
    /// Step along the features.
    pub stride_f: usize,
    /// Distance between the kernel's taps in time, in frames.
    pub dilation_t: usize,
    /// Rows of zeros before the first and after the last feature row.
    pub pads_f: [usize; 2],
    /// Each output channel sees only the input channel of its number.
    pub depthwise: bool,
    /// Whether negative outputs become 0. In an INT8 layer the output's zero point does it: -128 where this is set.
    pub relu: bool,
    /// Weights and biases.
    pub values: Values,
}

impl Layer {
    /// Input channels that one output channel sees.
    pub fn inputs_per_output(&self) -> usize {
        if self.depthwise { 1 } else { self.inputs }
    }

    /// Whether it is computed in 8-bit integers.
    pub fn is_int8(&self) -> bool {
        matches!(self.values, Values::I8 { .. })
    }

    /// Number of weights.
    pub fn weight_count(&self) -> usize {
        self.outputs * self.inputs_per_output() * self.kernel_f * self.kernel_t
    }

    /// Frames before the present one that the layer looks back on.
    pub fn history(&self) -> usize {
        (self.kernel_t - 1) * self.dilation_t
    }

    /// Feature rows that come out when `rows` go in; `None` when the kernel does not fit.
    pub fn rows_out(&self, rows: usize) -> Option<usize> {
        let padded = rows + self.pads_f[0] + self.pads_f[1];
        padded.checked_sub(self.kernel_f).map(|free| free / self.stride_f + 1)
    }
}

/// A causal convolutional network over 20 ms frames: a chain of layers whose last output, averaged over
/// [`ModelMeta::pool_frames`] frames and put through a softmax, is a probability for each class.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What the file says about itself.
    pub meta: ModelMeta,
    /// The chain, first to last. The last leaves one row and a channel for each class. FP32 and INT8 layers may stand
    /// beside each other (mixed precision).
    pub layers: Vec<Layer>,
}

impl Model {
    /// Reads an ONNX file. The same as [`onnx::read`] without a sidecar.
    ///
    /// # Errors
    /// Says which part of the file is wrong, or what in it the executor does not run.
    pub fn from_onnx(bytes: &[u8]) -> Result<Model, ModelError> {
        onnx::read(bytes, &Entries::new())
    }

    /// Reads a file of either format, see [`Format::of`]. `sidecar` holds what the file does not say about itself, or
    /// says otherwise.
    ///
    /// # Errors
    /// Says which part of the file is wrong, or what in it the executor does not run.
    pub fn read(bytes: &[u8], sidecar: &Entries) -> Result<Model, ModelError> {
        match Format::of(bytes) {
            Format::Onnx => onnx::read(bytes, sidecar),
            Format::Tflite => tflite::read(bytes, sidecar),
        }
    }

    /// The arithmetic: [`Quantization::Int8`] when any layer is computed in 8-bit integers, [`Quantization::Fp16`] when
    /// every weight and bias is a [half], else [`Quantization::Fp32`].
    pub fn quantization(&self) -> Quantization {
        if self.layers.iter().any(Layer::is_int8) {
            Quantization::Int8
        } else if self.layers.iter().all(half::is_half) {
            Quantization::Fp16
        } else {
            Quantization::Fp32
        }
    }

    /// A name for layer `index` that no other layer has, for files.
    fn layer_name(&self, index: usize) -> String {
        let name = &self.layers[index].name;
        let alone = self.layers.iter().filter(|other| other.name == *name).count() == 1;
        if name.is_empty() || !alone { format!("{name}{index}") } else { name.clone() }
    }

    /// Number of weights and biases.
    pub fn parameters(&self) -> usize {
        self.layers.iter().map(|l| l.weight_count() + l.outputs).sum()
    }

    /// Frames, the present one included, that one frame's logits depend on.
    pub fn receptive_field(&self) -> usize {
        1 + self.layers.iter().map(Layer::history).sum::<usize>()
    }

    /// Frames of a window that ends with what playing frame by frame ends with: those that are averaged, and before them as
    /// many as the first of them depends on.
    pub fn window_frames(&self) -> usize {
        (self.receptive_field() - 1).saturating_add(self.meta.pool_frames)
    }

    /// Feature rows that go into each layer, in order. Meaningful for a [valid](Model::validate) model.
    pub fn rows(&self) -> Vec<usize> {
        let mut rows = self.meta.features.rows();
        let step = |layer: &Layer| {
            let before = rows;
            rows = layer.rows_out(rows).unwrap_or(0);
            before
        };
        self.layers.iter().map(step).collect()
    }

    /// Multiplications a frame.
    pub fn macs_per_frame(&self) -> usize {
        let rows = self.rows();
        self.layers.iter().zip(rows).map(|(l, r)| l.rows_out(r).unwrap_or(0) * l.weight_count()).sum()
    }
}
