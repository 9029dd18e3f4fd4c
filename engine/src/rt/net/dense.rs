//! Convolutions that mix channels: packed for [`super::tile`].

use super::entries::{self, Dense, Span};
use super::kernel::Kernel;
use super::ring::Ring;
use super::tile::{Geometry, Operands, Stream, pack};
use crate::model::{Layer, Values, windowed::requantizing};
use std::sync::Arc;

/// What follows an FP32 sum.
#[derive(Clone, Debug)]
pub(super) struct AfterF32 {
    /// One a channel, to the end of the last panel.
    pub bias: Vec<f32>,
    /// Outputs below become this: 0 for ReLU, else the lowest finite number.
    pub floor: f32,
}

impl AfterF32 {
    /// Biases are padded to a multiple of `panel` channels.
    pub fn new(bias: &[f32], relu: bool, panel: usize) -> Self {
        let mut bias = bias.to_vec();
        bias.resize(bias.len().next_multiple_of(panel), 0.0);
        Self { bias, floor: if relu { 0.0 } else { f32::MIN } }
    }
}

/// What follows an INT8 sum: `(sum * factor)` between `low` and `high`, rounded to even, plus `shift`. Outputs are kept
/// with 128 added, so that they are unsigned.
#[derive(Clone, Debug)]
pub(super) struct AfterI8 {
    /// One a channel, to the end of the last panel.
    pub bias: Vec<i32>,
    /// One a channel, to the end of the last panel.
    pub factors: Vec<f32>,
    /// Smallest scaled sum that does not saturate.
    pub low: f32,
    /// Largest scaled sum that does not saturate.
    pub high: f32,
    /// Zero point of the output plus 128.
    pub shift: i32,
}

impl AfterI8 {
    /// Biases and factors are padded to a multiple of `panel` channels. The sums are over unsigned inputs whose zero is
    /// `zero`; what that adds to a sum is in the bias.
    pub fn new(layer: &Layer, zero: i32, panel: usize) -> Self {
        let Values::I8 { weights, scales, bias, input, output } = &layer.values else {
            unreachable!("a valid INT8 model has INT8 layers")
        };
        let channels = layer.outputs.next_multiple_of(panel);
        let per_channel = weights.len() / layer.outputs;
        let fold = |(bias, weights): (&i32, &[i8])| {
            let sum: i32 = weights.iter().map(|w| i32::from(*w)).sum();
            bias.wrapping_sub(zero.wrapping_mul(sum))
        };
        let mut bias: Vec<i32> = bias.iter().zip(weights.chunks_exact(per_channel)).map(fold).collect();
        let mut factors = requantizing(input.scale, scales, *output);
        bias.resize(channels, 0);
        factors.resize(channels, 0.0);
        let zero_point = f32::from(output.zero_point);
        let (low, high) = (-128.0 - zero_point, 127.0 - zero_point);
        Self { bias, factors, low, high, shift: i32::from(output.zero_point) + 128 }
    }
}

/// Packed weights, aligned for every instruction set.
#[derive(Debug)]
pub(super) struct Weights(Vec<Line>);

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Weights {
    pub fn new(bytes: impl Iterator<Item = u8>) -> Self {
        let mut lines = Vec::new();
        for (i, byte) in bytes.enumerate() {
            if i % 64 == 0 {
                lines.push(Line([0; 64]));
            }
            if let Some(line) = lines.last_mut() {
                line.0[i % 64] = byte;
            }
        }
        Self(lines)
    }

    pub fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr().cast()
    }
}

/// Where number `k` of what an output row sees of one tap stands among an output channel's weights in the model.
fn weight_index(layer: &Layer, channel: usize, tap: usize, k: usize) -> usize {
    let (row, input) = (k / layer.inputs, k % layer.inputs);
    ((channel * layer.inputs + input) * layer.kernel_f + row) * layer.kernel_t + tap
}

fn geometry(layer: &Layer, rows_in: usize) -> Geometry {
    Geometry {
        rows: layer.rows_out(rows_in).unwrap_or(0),
        outputs: layer.outputs,
        row_step: layer.stride_f * layer.inputs,
        length: layer.kernel_f * layer.inputs,
    }
}

/// An FP32 convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DenseF32 {
    geometry: Geometry,
    after: Arc<AfterF32>,
    weights: Arc<Weights>,
    entry: Dense<f32, f32, AfterF32>,
}

impl DenseF32 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::F32 { weights, bias } = &layer.values else {
            unreachable!("a valid FP32 model has FP32 layers")
        };
        let entry = entries::f32(kernel);
        let geometry = geometry(layer, rows_in);
        let packed = pack(&geometry, layer.kernel_t, (entry.lanes, 1), |channel, tap, k| {
            weights[weight_index(layer, channel, tap, k)]
        });
        Self {
            geometry,
            after: Arc::new(AfterF32::new(bias, layer.relu, 2 * entry.lanes)),
            weights: Arc::new(Weights::new(packed.into_iter().flat_map(f32::to_le_bytes))),
            entry,
        }
    }

    /// Computes one column of outputs.
    pub fn run(&self, input: &Ring<f32>, out: &mut [f32]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.outputs);
        let (columns, taps) = input.view();
        let operands = Operands { columns, taps, weights: self.weights.as_ptr() };
        // SAFETY: the kernel was available when this was made; ring, weights and output were made for this geometry.
        unsafe { (self.entry.run)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
    }

    /// [`DenseF32::run`] for several streams of this layer, the same to the bit.
    pub fn run_together(&self, streams: &mut [Stream<'_, f32, f32>]) {
        debug_assert!(streams.iter().all(|s| s.out.len() == self.geometry.rows * self.geometry.outputs));
        // SAFETY: as in `run`, for every stream.
        unsafe { (self.entry.run_together)(&self.geometry, &self.after, self.weights.as_ptr(), streams) }
    }

    /// Whether it is a clone of the other.
    pub fn is(&self, other: &DenseF32) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights)
    }
}

/// How an INT8 product takes its inputs.
#[derive(Clone, Debug)]
enum Inputs {
    /// As they are kept: unsigned 8 bits, four at a time.
    Quads(Dense<u8, u8, AfterI8>),
    /// As 16-bit numbers around 0, two at a time; widened into `columns` first.
    Pairs { entry: Dense<i16, u8, AfterI8>, zero: u8, columns: Vec<i16>, taps: Vec<usize> },
}

/// An INT8 convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DenseI8 {
    geometry: Geometry,
    after: Arc<AfterI8>,
    weights: Arc<Weights>,
    inputs: Inputs,
}

impl DenseI8 {
    /// `ring` is the input that [`DenseI8::run`] will be called with.
    pub fn new(layer: &Layer, rows_in: usize, ring: &Ring<u8>, kernel: Kernel) -> Self {
        let Values::I8 { weights, input, .. } = &layer.values else {
            unreachable!("a valid INT8 model has INT8 layers")
        };
        let geometry = geometry(layer, rows_in);
        let zero = i32::from(input.zero_point) + 128;
        let weight = |channel, tap, k| weights[weight_index(layer, channel, tap, k)];
        let span = Span::of(&pack(&geometry, layer.kernel_t, (1, 4), weight));
        match entries::i8(kernel, span) {
            entries::DenseI8::Quads { entry, offset } => {
                let packed = pack(&geometry, layer.kernel_t, (entry.lanes, 4), weight);
                Self {
                    geometry,
                    after: Arc::new(AfterI8::new(layer, zero - offset, 2 * entry.lanes)),
                    weights: Arc::new(Weights::new(packed.into_iter().map(|w| w as u8))),
                    inputs: Inputs::Quads(entry),
                }
            }
            entries::DenseI8::Pairs(entry) => {
                let wide = |channel, tap, k| i16::from(weight(channel, tap, k));
                let packed = pack(&geometry, layer.kernel_t, (entry.lanes, 2), wide);
                let taps = (0..layer.kernel_t).map(|tap| tap * ring.column()).collect();
                Self {
                    geometry,
                    after: Arc::new(AfterI8::new(layer, 0, 2 * entry.lanes)),
                    weights: Arc::new(Weights::new(packed.into_iter().flat_map(i16::to_le_bytes))),
                    // One more number, because the last pair may be half a one.
                    inputs: Inputs::Pairs {
                        entry,
                        zero: zero as u8,
                        columns: vec![0; layer.kernel_t * ring.column() + 1],
                        taps,
                    },
                }
            }
        }
    }

    /// Computes one column of outputs.
    pub fn run(&mut self, input: &Ring<u8>, out: &mut [u8]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.outputs);
        let weights = self.weights.as_ptr();
        let (from, from_taps) = input.view();
        match &mut self.inputs {
            Inputs::Quads(entry) => {
                let operands = Operands { columns: from, taps: from_taps, weights };
                // SAFETY: as in `DenseF32::run`.
                unsafe { (entry.run)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
            }
            Inputs::Pairs { entry, zero, columns, taps } => {
                for (to, &tap) in columns.chunks_exact_mut(input.column()).zip(from_taps) {
                    for (to, from) in to.iter_mut().zip(from.get(tap..).unwrap_or_default()) {
                        *to = i16::from(*from) - i16::from(*zero);
                    }
                }
                let operands = Operands { columns, taps, weights };
                // SAFETY: as in `DenseF32::run`; the widened columns stand as those of the ring do.
                unsafe { (entry.run)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
            }
        }
    }

    /// [`DenseI8::run`] for several streams of this layer, the same to the bit. `false` when they have to be taken one by one,
    /// because each widens its inputs.
    pub fn run_together(&self, streams: &mut [Stream<'_, u8, u8>]) -> bool {
        let Inputs::Quads(entry) = &self.inputs else { return false };
        debug_assert!(streams.iter().all(|s| s.out.len() == self.geometry.rows * self.geometry.outputs));
        // SAFETY: as in `DenseF32::run`, for every stream.
        unsafe { (entry.run_together)(&self.geometry, &self.after, self.weights.as_ptr(), streams) }
        true
    }

    /// Whether it is a clone of the other.
    pub fn is(&self, other: &DenseI8) -> bool {
        Arc::ptr_eq(&self.weights, &other.weights)
    }
}
