//! Convolutions of each channel by itself: packed for [`super::tile`], channels are the vector.

use super::dense::{AfterF32, AfterI8, Weights};
use super::entries::{self, Depthwise, EntriesI8, Span};
use super::kernel::Kernel;
use super::ring::Ring;
use super::tile::{Operands, OwnGeometry, pack_own};
use crate::model::{Layer, Values};
use std::sync::Arc;

fn geometry(layer: &Layer, rows_in: usize) -> OwnGeometry {
    OwnGeometry {
        rows: layer.rows_out(rows_in).unwrap_or(0),
        channels: layer.outputs,
        kernel_f: layer.kernel_f,
        stride_f: layer.stride_f,
    }
}

/// Where the weight of a channel, tap and kernel row stands in the model.
fn weight_index(layer: &Layer, channel: usize, tap: usize, row: usize) -> usize {
    (channel * layer.kernel_f + row) * layer.kernel_t + tap
}

/// An FP32 depthwise convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DepthwiseF32 {
    geometry: OwnGeometry,
    after: Arc<AfterF32>,
    weights: Arc<Weights>,
    entry: Depthwise<f32, f32, AfterF32>,
}

impl DepthwiseF32 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::F32 { weights, bias } = &layer.values else {
            unreachable!("a valid FP32 model has FP32 layers")
        };
        let entries = entries::f32(kernel);
        let geometry = geometry(layer, rows_in);
        let packed = pack_own(&geometry, layer.kernel_t, entries.lanes, |channel, tap, row| {
            weights[weight_index(layer, channel, tap, row)]
        });
        Self {
            geometry,
            after: Arc::new(AfterF32::new(bias, layer.relu, entries.lanes)),
            weights: Arc::new(Weights::new(packed.into_iter().flat_map(f32::to_le_bytes))),
            entry: entries.depthwise,
        }
    }

    /// Computes one column of outputs.
    pub fn run(&self, input: &Ring<f32>, out: &mut [f32]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.channels);
        let (columns, taps) = input.view();
        let operands = Operands { columns, taps, weights: self.weights.as_ptr() };
        // SAFETY: the kernel was available when this was made; ring, weights and output were made for this geometry, and
        // the ring's slack is wider than any vector.
        unsafe { (self.entry)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
    }
}

/// An INT8 depthwise convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DepthwiseI8 {
    geometry: OwnGeometry,
    after: Arc<AfterI8>,
    weights: Arc<Weights>,
    entry: Depthwise<u8, u8, AfterI8>,
}

impl DepthwiseI8 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::I8 { weights, input, .. } = &layer.values else {
            unreachable!("a valid INT8 model has INT8 layers")
        };
        let (entry, lanes) = match entries::i8(kernel, Span::Full) {
            EntriesI8::Quads { entries, .. } => (entries.depthwise, entries.lanes),
            EntriesI8::Pairs(entries) => (entries.depthwise, entries.lanes),
        };
        let geometry = geometry(layer, rows_in);
        let packed = pack_own(&geometry, layer.kernel_t, lanes, |channel, tap, row| {
            i32::from(weights[weight_index(layer, channel, tap, row)])
        });
        Self {
            geometry,
            after: Arc::new(AfterI8::new(layer, i32::from(input.zero_point) + 128, lanes)),
            weights: Arc::new(Weights::new(packed.into_iter().flat_map(i32::to_le_bytes))),
            entry,
        }
    }

    /// Computes one column of outputs.
    pub fn run(&self, input: &Ring<u8>, out: &mut [u8]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.channels);
        let (columns, taps) = input.view();
        let operands = Operands { columns, taps, weights: self.weights.as_ptr() };
        // SAFETY: as in `DepthwiseF32::run`.
        unsafe { (self.entry)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
    }
}
