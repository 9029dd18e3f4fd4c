//! The network, played frame by frame.
//!
//! A causal convolution of a window computes, for every new frame, one column that it did not compute before. So each
//! layer keeps the last columns of its input in a ring, and a frame costs one column a layer instead of a window.
//! [`Network::compile`] allocates everything; [`Network::push`] only computes. Results are those of the windowed graph
//! (see [`crate::model::windowed`]): INT8 bit for bit on every instruction set, FP32 within rounding.

mod dense;
mod depthwise;
mod entries;
mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
mod own;
mod pool;
mod portable;
mod ring;
mod tile;
mod together;
#[cfg(target_arch = "x86_64")]
mod x86;
#[cfg(target_arch = "x86_64")]
mod x86_own;

pub use kernel::Kernel;

use crate::controls::Quantization;
use crate::model::{Affine, InputKind, Layer, Model, ModelError, Values};
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

impl OpF32 {
    fn run(&mut self, input: &Ring<f32>, out: &mut [f32]) {
        match self {
            OpF32::Dense(dense) => dense.run(input, out),
            OpF32::Depthwise(depthwise) => depthwise.run(input, out),
        }
    }
}

/// One layer in INT8.
#[derive(Clone, Debug)]
enum OpI8 {
    Dense(DenseI8),
    Depthwise(DepthwiseI8),
}

impl OpI8 {
    fn run(&mut self, input: &Ring<u8>, out: &mut [u8]) {
        match self {
            OpI8::Dense(dense) => dense.run(input, out),
            OpI8::Depthwise(depthwise) => depthwise.run(input, out),
        }
    }
}

/// One layer with what it remembers of its input.
#[derive(Clone, Debug)]
enum Stage {
    F32 {
        ring: Ring<f32>,
        op: OpF32,
    },
    /// 8-bit numbers are kept with 128 added.
    I8 {
        ring: Ring<u8>,
        op: OpI8,
        input: Affine,
        output: Affine,
    },
}

impl Stage {
    fn new(layer: &Layer, rows: usize, kernel: Kernel) -> Stage {
        let (pads, taps, dilation) = (layer.pads_f, layer.kernel_t, layer.dilation_t);
        match &layer.values {
            Values::F32 { .. } => {
                let op = if layer.depthwise {
                    OpF32::Depthwise(DepthwiseF32::new(layer, rows, kernel))
                } else {
                    OpF32::Dense(DenseF32::new(layer, rows, kernel))
                };
                Stage::F32 { ring: Ring::new(0.0, rows, layer.inputs, pads, taps, dilation), op }
            }
            &Values::I8 { input, output, .. } => {
                let zero = (i32::from(input.zero_point) + 128) as u8;
                if layer.depthwise {
                    // It remembers the past itself.
                    let ring = Ring::new(zero, rows, layer.inputs, [0, 0], 1, 1);
                    let op = OpI8::Depthwise(DepthwiseI8::new(layer, rows, kernel));
                    return Stage::I8 { ring, op, input, output };
                }
                let ring = Ring::new(zero, rows, layer.inputs, pads, taps, dilation);
                let op = OpI8::Dense(DenseI8::new(layer, rows, &ring, kernel));
                Stage::I8 { ring, op, input, output }
            }
        }
    }

    fn advance(&mut self) {
        match self {
            Stage::F32 { ring, .. } => ring.advance(),
            Stage::I8 { ring, .. } => ring.advance(),
        }
    }

    /// Takes a column of real numbers as its newest.
    fn take(&mut self, column: &[f32]) {
        match self {
            Stage::F32 { ring, .. } => ring.newest().copy_from_slice(column),
            Stage::I8 { ring, input, .. } => {
                for (to, from) in ring.newest().iter_mut().zip(column) {
                    let q = (from / input.scale).round_ties_even() + f32::from(input.zero_point);
                    *to = (q.clamp(-128.0, 127.0) + 128.0) as u8;
                }
            }
        }
    }

    /// Computes this layer's column and hands it to `next`, rounded or made real where that is of the other arithmetic;
    /// `real` and `whole` are room for it then.
    fn run(&mut self, next: &mut Stage, real: &mut [f32], whole: &mut [u8]) {
        match (self, next) {
            (Stage::F32 { ring, op }, Stage::F32 { ring: to, .. }) => op.run(ring, to.newest()),
            (Stage::I8 { ring, op, .. }, Stage::I8 { ring: to, .. }) => op.run(ring, to.newest()),
            (Stage::F32 { ring, op }, next @ Stage::I8 { .. }) => {
                let real = real.get_mut(..next.takes()).unwrap_or_default();
                op.run(ring, real);
                next.take(real);
            }
            (Stage::I8 { ring, op, output, .. }, Stage::F32 { ring: to, .. }) => {
                let to = to.newest();
                let whole = whole.get_mut(..to.len()).unwrap_or_default();
                op.run(ring, whole);
                to.iter_mut().zip(whole).for_each(|(to, q)| *to = real_of(*q, *output));
            }
        }
    }

    /// Numbers in a column that it takes.
    fn takes(&mut self) -> usize {
        match self {
            Stage::F32 { ring, .. } => ring.newest().len(),
            Stage::I8 { ring, .. } => ring.newest().len(),
        }
    }

    fn reset(&mut self) {
        match self {
            Stage::F32 { ring, .. } => ring.reset(),
            Stage::I8 { ring, op, .. } => {
                ring.reset();
                if let OpI8::Depthwise(depthwise) = op {
                    depthwise.reset();
                }
            }
        }
    }

    /// Bytes that its memory of the past takes.
    fn bytes(&self) -> usize {
        match self {
            Stage::F32 { ring, .. } => ring.bytes(),
            Stage::I8 { ring, op: OpI8::Depthwise(depthwise), .. } => ring.bytes() + depthwise.bytes(),
            Stage::I8 { ring, .. } => ring.bytes(),
        }
    }
}

/// What an 8-bit number, with 128 added, counts in steps of its scale.
fn steps_of(q: u8, affine: Affine) -> i32 {
    i32::from(q) - 128 - i32::from(affine.zero_point)
}

/// The real number that an 8-bit one, with 128 added, stands for.
fn real_of(q: u8, affine: Affine) -> f32 {
    affine.scale * steps_of(q, affine) as f32
}

/// A network that is played frame by frame. A clone shares the weights and has its own memory of the past.
#[derive(Clone, Debug)]
pub struct Network {
    stages: Vec<Stage>,
    /// Room for what flows from an FP32 layer into an INT8 one.
    real: Vec<f32>,
    /// Room for what flows from an INT8 layer into an FP32 one, and for the last frame's logits of an INT8 layer.
    whole: Vec<u8>,
    pool: Pool,
    logits: Vec<f32>,
    input: InputKind,
    /// The column that is being pushed, made harmless.
    column: Vec<f32>,
    window_frames: usize,
    quantization: Quantization,
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
        let rows = model.rows();
        let widest = model.layers.iter().zip(&rows).map(|(l, r)| l.rows_out(*r).unwrap_or(0) * l.outputs);
        let widest = widest.max().unwrap_or(0);
        let stages: Vec<Stage> =
            model.layers.iter().zip(&rows).map(|(layer, rows)| Stage::new(layer, *rows, kernel)).collect();
        let unit = match stages.last() {
            Some(Stage::I8 { output, .. }) => Some(output.scale),
            _ => None,
        };
        Ok(Network {
            stages,
            real: vec![0.0; widest],
            whole: vec![0; widest],
            pool: Pool::new(classes, model.meta.pool_frames, unit),
            logits: vec![0.0; classes],
            input: model.meta.features,
            column: vec![0.0; model.meta.features.rows()],
            window_frames: model.window_frames(),
            quantization: model.quantization(),
            kernel,
        })
    }

    /// One more frame: computes its logits and gives back the class probabilities, from the mean of the logits over the
    /// last [`pool_frames`](crate::model::ModelMeta::pool_frames) frames.
    ///
    /// `column` holds [`InputKind::rows`] numbers; missing ones read as silence. A column with a number that is none
    /// (NaN, infinite or absurdly large) counts as silence as a whole.
    pub fn push(&mut self, column: &[f32]) -> &[f32] {
        self.begin(column);
        for layer in 0..self.stages.len() {
            self.compute(layer);
        }
        self.pool.probabilities()
    }

    /// Takes a column in.
    fn begin(&mut self, column: &[f32]) {
        self.clean(column);
        self.stages.iter_mut().for_each(Stage::advance);
        if let Some(first) = self.stages.first_mut() {
            first.take(&self.column);
        }
    }

    /// Computes the newest column of a layer that those before have been computed for.
    fn compute(&mut self, layer: usize) {
        let until = self.stages.len().min(layer + 1);
        let (done, after) = self.stages.split_at_mut(until);
        let Some(stage) = done.last_mut() else { return };
        if let Some(next) = after.first_mut() {
            stage.run(next, &mut self.real, &mut self.whole);
            return;
        }
        match stage {
            Stage::F32 { ring, op } => {
                op.run(ring, &mut self.logits);
                self.pool.push(self.logits.iter().map(|v| Pool::steps(*v)));
            }
            Stage::I8 { ring, op, output, .. } => {
                let whole = self.whole.get_mut(..self.logits.len()).unwrap_or_default();
                op.run(ring, whole);
                let steps = whole.iter().map(|q| steps_of(*q, *output));
                for (logit, steps) in self.logits.iter_mut().zip(steps.clone()) {
                    *logit = output.scale * steps as f32;
                }
                self.pool.push(steps.map(i64::from));
            }
        }
    }

    /// Copies a column, replaced by silence where it is unusable.
    fn clean(&mut self, column: &[f32]) {
        let silence = match self.input {
            InputKind::LogMel40 => -4.0,
            InputKind::Mfcc13 | InputKind::Samples960 => 0.0,
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

    /// Shows what each layer gave for the last frame, as the next one took it: `see(layer, numbers)`, the numbers ordered
    /// by feature row and channel; 8-bit numbers as the real ones they stand for. For calibration.
    pub fn inspect(&mut self, mut see: impl FnMut(usize, &[f32])) {
        for (i, stage) in self.stages.iter_mut().enumerate().skip(1) {
            match stage {
                Stage::F32 { ring, .. } => see(i - 1, ring.newest()),
                Stage::I8 { ring, input, .. } => {
                    let taken = ring.newest();
                    let real = self.real.get_mut(..taken.len()).unwrap_or_default();
                    real.iter_mut().zip(taken).for_each(|(to, q)| *to = real_of(*q, *input));
                    see(i - 1, real);
                }
            }
        }
        see(self.stages.len().saturating_sub(1), &self.logits);
    }

    /// Forgets what was pushed: the next frame is the first.
    pub fn reset(&mut self) {
        self.stages.iter_mut().for_each(Stage::reset);
        self.logits.fill(0.0);
        self.pool.reset();
    }

    /// Bytes that its memory of the past takes; weights are shared by all clones.
    pub fn state_bytes(&self) -> usize {
        let rings: usize = self.stages.iter().map(Stage::bytes).sum();
        rings + self.pool.bytes()
    }

    /// What the columns must hold.
    pub fn input(&self) -> InputKind {
        self.input
    }

    /// Number of frames that an answer depends on, see [`Model::window_frames`].
    pub fn window_frames(&self) -> usize {
        self.window_frames
    }

    /// The model's arithmetic, see [`Model::quantization`].
    pub fn quantization(&self) -> Quantization {
        self.quantization
    }

    /// The instructions it was compiled for.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }
}
