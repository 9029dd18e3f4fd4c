//! The network, played frame by frame.
//!
//! A causal convolution of a window computes, for every new frame, one column that it did not compute before. So each
//! layer keeps the last columns of its input in a [`ring`], and a frame costs one column a layer instead of a window.
//! [`Network::compile`] allocates everything; [`Network::push`] only computes. Results are those of the windowed graph
//! (see [`crate::model::windowed`]): INT8 bit for bit on every instruction set, FP32 within rounding.

mod dense;
mod depthwise;
mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pool;
mod portable;
mod ring;
mod tile;
#[cfg(target_arch = "x86_64")]
mod x86;

pub use kernel::Kernel;

use crate::controls::Quantization;
use crate::model::{Affine, InputKind, Model, ModelError, Values};
use dense::{DenseF32, DenseI8};
use depthwise::{DepthwiseF32, DepthwiseI8};
use pool::Pool;
use ring::Ring;

/// Larger inputs are no features; a column that has one counts as silence.
const LARGEST_INPUT: f32 = 1e6;
/// Smaller inputs count as 0, so that the network computes with no denormals of the input's making.
const SMALLEST_INPUT: f32 = 1e-20;

/// One layer in FP32.
#[derive(Clone, Debug)]
enum OpF32 {
    Dense(DenseF32),
    Depthwise(DepthwiseF32),
}

/// One layer in INT8.
#[derive(Clone, Debug)]
enum OpI8 {
    Dense(DenseI8),
    Depthwise(DepthwiseI8),
}

/// The layers, each with what it remembers of its input.
#[derive(Clone, Debug)]
enum Chain {
    F32(Vec<(Ring<f32>, OpF32)>),
    I8 {
        layers: Vec<(Ring<u8>, OpI8)>,
        input: Affine,
        output: Affine,
        /// The last frame's 8-bit logits, with 128 added.
        last: Vec<u8>,
    },
}

/// A network that is played frame by frame. A clone shares the weights and has its own memory of the past.
#[derive(Clone, Debug)]
pub struct Network {
    chain: Chain,
    pool: Pool,
    logits: Vec<f32>,
    input: InputKind,
    /// The column that is being pushed, made harmless.
    column: Vec<f32>,
    pool_frames: usize,
    kernel: Kernel,
}

impl Network {
    /// Allocates everything that playing needs, and chooses the fastest instructions of this processor.
    ///
    /// # Errors
    /// When the model is not [valid](Model::validate).
    pub fn compile(model: &Model) -> Result<Network, ModelError> {
        Self::compile_for(model, Kernel::detect())
    }

    /// Like [`Network::compile`] with the instructions named.
    ///
    /// # Errors
    /// When the model is not [valid](Model::validate), or this processor does not have the instructions.
    pub fn compile_for(model: &Model, kernel: Kernel) -> Result<Network, ModelError> {
        model.validate()?;
        if !kernel.available() {
            return Err(ModelError::Kernel { kernel: kernel.label() });
        }
        let classes = model.meta.classes.len();
        let layers = model.layers.iter().zip(model.rows());
        let (chain, unit) = if let Some(input) = model.input {
            let mut flowing = input;
            let compile = |(layer, rows): (&crate::model::Layer, usize)| {
                let zero = (i32::from(flowing.zero_point) + 128) as u8;
                let ring =
                    Ring::new(zero, rows, layer.inputs, layer.pads_f, layer.kernel_t, layer.dilation_t);
                let op = if layer.depthwise {
                    OpI8::Depthwise(DepthwiseI8::new(layer, rows, flowing, kernel))
                } else {
                    OpI8::Dense(DenseI8::new(layer, rows, flowing, &ring, kernel))
                };
                if let Values::I8 { output, .. } = &layer.values {
                    flowing = *output;
                }
                (ring, op)
            };
            let layers = layers.map(compile).collect();
            (Chain::I8 { layers, input, output: flowing, last: vec![0; classes] }, Some(flowing.scale))
        } else {
            let compile = |(layer, rows): (&crate::model::Layer, usize)| {
                let ring = Ring::new(0.0, rows, layer.inputs, layer.pads_f, layer.kernel_t, layer.dilation_t);
                let op = if layer.depthwise {
                    OpF32::Depthwise(DepthwiseF32::new(layer, rows, kernel))
                } else {
                    OpF32::Dense(DenseF32::new(layer, rows, kernel))
                };
                (ring, op)
            };
            (Chain::F32(layers.map(compile).collect()), None)
        };
        Ok(Network {
            chain,
            pool: Pool::new(classes, model.meta.pool_frames, unit),
            logits: vec![0.0; classes],
            input: model.meta.features,
            column: vec![0.0; model.meta.features.rows()],
            pool_frames: model.meta.pool_frames,
            kernel,
        })
    }

    /// One more frame: computes its logits and gives back the class probabilities, from the mean of the logits over the
    /// last [`Network::pool_frames`] frames.
    ///
    /// `column` holds [`InputKind::rows`] numbers; missing ones read as silence. A column with a number that is none
    /// (NaN, infinite or absurdly large) counts as silence as a whole.
    pub fn push(&mut self, column: &[f32]) -> &[f32] {
        self.clean(column);
        match &mut self.chain {
            Chain::F32(layers) => {
                layers.iter_mut().for_each(|(ring, _)| ring.advance());
                if let Some((ring, _)) = layers.first_mut() {
                    ring.newest().copy_from_slice(&self.column);
                }
                for i in 0..layers.len() {
                    let (done, next) = layers.split_at_mut(i + 1);
                    let Some((ring, op)) = done.last() else { continue };
                    let out = next.first_mut().map_or(&mut self.logits[..], |(ring, _)| ring.newest());
                    match op {
                        OpF32::Dense(dense) => dense.run(ring, out),
                        OpF32::Depthwise(depthwise) => depthwise.run(ring, out),
                    }
                }
                self.pool.push(self.logits.iter().map(|v| Pool::steps(*v)));
            }
            Chain::I8 { layers, input, output, last } => {
                layers.iter_mut().for_each(|(ring, _)| ring.advance());
                if let Some((ring, _)) = layers.first_mut() {
                    for (to, from) in ring.newest().iter_mut().zip(&self.column) {
                        let q = (from / input.scale).round_ties_even() + f32::from(input.zero_point);
                        *to = (q.clamp(-128.0, 127.0) + 128.0) as u8;
                    }
                }
                for i in 0..layers.len() {
                    let (done, next) = layers.split_at_mut(i + 1);
                    let Some((ring, op)) = done.last_mut() else { continue };
                    let out = next.first_mut().map_or(&mut last[..], |(ring, _)| ring.newest());
                    match op {
                        OpI8::Dense(dense) => dense.run(ring, out),
                        OpI8::Depthwise(depthwise) => depthwise.run(ring, out),
                    }
                }
                let zero = i32::from(output.zero_point) + 128;
                let steps = last.iter().map(|q| i32::from(*q) - zero);
                for (logit, steps) in self.logits.iter_mut().zip(steps.clone()) {
                    *logit = output.scale * steps as f32;
                }
                self.pool.push(steps.map(i64::from));
            }
        }
        self.pool.probabilities()
    }

    /// Copies a column, replaced by silence where it is unusable.
    fn clean(&mut self, column: &[f32]) {
        let silence = match self.input {
            InputKind::LogMel40 => -4.0,
            InputKind::Mfcc13 => 0.0,
        };
        let usable = column.iter().all(|v| v.abs() <= LARGEST_INPUT);
        for (i, to) in self.column.iter_mut().enumerate() {
            let value = column.get(i).copied().filter(|_| usable).unwrap_or(silence);
            *to = if value.abs() < SMALLEST_INPUT { 0.0 } else { value };
        }
    }

    /// The last frame's score for each class, 0 before the first.
    pub fn logits(&self) -> &[f32] {
        &self.logits
    }

    /// One probability a class after the last frame; all alike before the first.
    pub fn probabilities(&self) -> &[f32] {
        self.pool.probabilities()
    }

    /// Shows what each layer of an FP32 network gave for the last frame: `see(layer, numbers)`, the numbers ordered by
    /// feature row and channel. For calibration; an INT8 network shows nothing.
    pub fn inspect(&mut self, mut see: impl FnMut(usize, &[f32])) {
        if let Chain::F32(layers) = &mut self.chain {
            let last = layers.len().saturating_sub(1);
            for (i, (ring, _)) in layers.iter_mut().enumerate().skip(1) {
                see(i - 1, ring.newest());
            }
            see(last, &self.logits);
        }
    }

    /// Forgets what was pushed: the next frame is the first.
    pub fn reset(&mut self) {
        match &mut self.chain {
            Chain::F32(layers) => layers.iter_mut().for_each(|(ring, _)| ring.reset()),
            Chain::I8 { layers, .. } => layers.iter_mut().for_each(|(ring, _)| ring.reset()),
        }
        self.logits.fill(0.0);
        self.pool.reset();
    }

    /// What the columns must hold.
    pub fn input(&self) -> InputKind {
        self.input
    }

    /// Number of frames the logits are averaged over.
    pub fn pool_frames(&self) -> usize {
        self.pool_frames
    }

    /// The arithmetic: [`Quantization::Fp32`] or [`Quantization::Int8`].
    pub fn quantization(&self) -> Quantization {
        match self.chain {
            Chain::F32(_) => Quantization::Fp32,
            Chain::I8 { .. } => Quantization::Int8,
        }
    }

    /// The instructions it was compiled for.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }
}
