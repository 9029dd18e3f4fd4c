//! Convolutions of each channel by itself: packed for [`super::own`], channels are the vector.

use super::dense::{AfterF32, AfterI8, Weights};
use super::entries;
use super::kernel::Kernel;
use super::own::{OwnGeometry, OwnOperands};
use super::ring::Ring;
use crate::model::{Layer, Values};
use std::sync::Arc;

fn geometry(layer: &Layer, rows_in: usize) -> OwnGeometry {
    OwnGeometry {
        rows: layer.rows_out(rows_in).unwrap_or(0),
        channels: layer.outputs,
        stride_f: layer.stride_f,
    }
}

/// Where the weight of a channel and position (taps, and rows in each) stands in the model.
fn weight_index(layer: &Layer, channel: usize, position: usize) -> usize {
    let (tap, row) = (position / layer.kernel_f, position % layer.kernel_f);
    (channel * layer.kernel_f + row) * layer.kernel_t + tap
}

/// Where the kernel's positions are among the columns, taps and rows in each. They move with the ring.
#[derive(Clone, Debug)]
struct Positions {
    kernel_f: usize,
    channels: usize,
    places: Vec<usize>,
}

impl Positions {
    /// As many as the kernel has, filled up to a multiple of `step`.
    fn new(layer: &Layer, step: usize) -> Positions {
        let count = (layer.kernel_t * layer.kernel_f).next_multiple_of(step);
        Positions { kernel_f: layer.kernel_f, channels: layer.outputs, places: vec![0; count] }
    }

    /// The places for where the taps are now. What is there too much (and has no weight) is the last one again.
    fn at(&mut self, taps: &[usize]) -> &[usize] {
        let mut last = 0;
        let mut places = self.places.iter_mut();
        for tap in taps {
            for (row, place) in places.by_ref().take(self.kernel_f).enumerate() {
                last = tap + row * self.channels;
                *place = last;
            }
        }
        places.for_each(|place| *place = last);
        &self.places
    }
}

/// An FP32 depthwise convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DepthwiseF32 {
    geometry: OwnGeometry,
    positions: Positions,
    after: Arc<AfterF32>,
    weights: Arc<Weights>,
    entry: entries::DepthwiseF32,
}

impl DepthwiseF32 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::F32 { weights, bias } = &layer.values else {
            unreachable!("a valid FP32 model has FP32 layers")
        };
        let entry = entries::own_f32(kernel);
        let packed = (entry.pack)(layer.outputs, layer.kernel_t * layer.kernel_f, &|channel, position| {
            weights[weight_index(layer, channel, position)]
        });
        Self {
            geometry: geometry(layer, rows_in),
            positions: Positions::new(layer, entry.step),
            after: Arc::new(AfterF32::new(bias, layer.relu, entry.lanes)),
            weights: Arc::new(Weights::new(packed.into_iter().flat_map(f32::to_le_bytes))),
            entry,
        }
    }

    /// Computes one column of outputs.
    pub fn run(&mut self, input: &Ring<f32>, out: &mut [f32]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.channels);
        let (columns, taps) = input.view();
        let positions = self.positions.at(taps);
        let operands = OwnOperands { columns, positions, weights: self.weights.as_ptr() };
        // SAFETY: the kernel was available when this was made; ring, weights and output were made for this geometry, and
        // the ring's slack is wider than any vector.
        unsafe { (self.entry.run)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
    }
}

/// An INT8 depthwise convolution. Clones share the weights.
///
/// It remembers its past itself, in 16 bits: a number is widened once, when it comes, and used by every tap and row.
#[derive(Clone, Debug)]
pub(super) struct DepthwiseI8 {
    geometry: OwnGeometry,
    positions: Positions,
    past: Ring<i16>,
    after: Arc<AfterI8>,
    weights: Arc<Weights>,
    entry: entries::DepthwiseI16,
}

impl DepthwiseI8 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::I8 { weights, input, .. } = &layer.values else {
            unreachable!("a valid INT8 model has INT8 layers")
        };
        let entry = entries::own_i8(kernel);
        let packed = (entry.pack)(layer.outputs, layer.kernel_t * layer.kernel_f, &|channel, position| {
            i16::from(weights[weight_index(layer, channel, position)])
        });
        let zero = i16::from(input.zero_point) + 128;
        let (taps, dilation) = (layer.kernel_t, layer.dilation_t);
        Self {
            geometry: geometry(layer, rows_in),
            positions: Positions::new(layer, entry.step),
            past: Ring::new(zero, rows_in, layer.inputs, layer.pads_f, taps, dilation),
            after: Arc::new(AfterI8::new(layer, i32::from(zero), entry.lanes)),
            weights: Arc::new(Weights::new(packed.into_iter().flat_map(i16::to_le_bytes))),
            entry,
        }
    }

    /// Takes in the newest column of `input` and computes one column of outputs. Once a frame.
    pub fn run(&mut self, input: &Ring<u8>, out: &mut [u8]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.channels);
        self.past.advance();
        let newest = self.past.newest().iter_mut().zip(input.column_now());
        newest.for_each(|(to, from)| *to = i16::from(*from));
        let (columns, taps) = self.past.view();
        let positions = self.positions.at(taps);
        let operands = OwnOperands { columns, positions, weights: self.weights.as_ptr() };
        // SAFETY: as in `DepthwiseF32::run`.
        unsafe { (self.entry.run)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
    }

    /// Bytes that its past holds.
    pub fn bytes(&self) -> usize {
        self.past.bytes()
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.past.reset();
    }
}
