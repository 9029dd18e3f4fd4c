//! Convolutions of each channel by itself. Channels are the vector; plain Rust, compiled once for each instruction set.

use super::dense::AfterI8;
use super::kernel::Kernel;
use super::portable::requantize;
use super::ring::Ring;
use crate::model::{Affine, Layer, Values};
use std::sync::Arc;

/// Channels computed together.
const GROUP: usize = 16;

/// The shape of a depthwise layer.
#[derive(Clone, Copy, Debug)]
struct Shape {
    rows: usize,
    channels: usize,
    kernel_f: usize,
    stride_f: usize,
}

impl Shape {
    fn new(layer: &Layer, rows_in: usize) -> Self {
        Self {
            rows: layer.rows_out(rows_in).unwrap_or(0),
            channels: layer.outputs,
            kernel_f: layer.kernel_f,
            stride_f: layer.stride_f,
        }
    }
}

/// Weights in the order `[group of channels][tap][kernel row][channel in the group]`; missing channels are 0.
fn pack<T: Copy + Default>(layer: &Layer, weights: &[T]) -> Vec<[T; GROUP]> {
    let mut packed = Vec::new();
    for first in (0..layer.outputs).step_by(GROUP) {
        for tap in 0..layer.kernel_t {
            for row in 0..layer.kernel_f {
                let weight = |i| weights.get(((first + i) * layer.kernel_f + row) * layer.kernel_t + tap);
                packed.push(std::array::from_fn(|i| {
                    weight(i).copied().filter(|_| first + i < layer.outputs).unwrap_or_default()
                }));
            }
        }
    }
    packed
}

/// Walks over the groups of channels and the output rows: `sum` adds up one group of one row, from what `start` gives
/// for it, and `finish` writes it.
#[inline(always)]
fn walk<In: Copy, W: Copy, Sum: Copy>(
    shape: &Shape,
    (columns, taps): (&[In], &[usize]),
    weights: &[[W; GROUP]],
    start: impl Fn(usize) -> [Sum; GROUP],
    multiply_add: impl Fn(Sum, In, W) -> Sum,
    mut finish: impl FnMut(usize, usize, usize, [Sum; GROUP]),
) {
    let channels = shape.channels;
    let per_group = taps.len() * shape.kernel_f;
    for (group, weights) in weights.chunks_exact(per_group.max(1)).enumerate() {
        let first = group * GROUP;
        let width = (channels - first).min(GROUP);
        for row in 0..shape.rows {
            let mut sums = start(first);
            let mut weights = weights.iter();
            for &tap in taps {
                let mut from = tap + row * shape.stride_f * channels + first;
                for _ in 0..shape.kernel_f {
                    // The ring's slack makes whole groups readable; what is read too much is multiplied by 0.
                    if let (Some(input), Some(weight)) = (columns.get(from..from + GROUP), weights.next()) {
                        for i in 0..GROUP {
                            sums[i] = multiply_add(sums[i], input[i], weight[i]);
                        }
                    }
                    from += channels;
                }
            }
            finish(row * channels + first, first, width, sums);
        }
    }
}

/// An FP32 depthwise convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DepthwiseF32 {
    shape: Shape,
    weights: Arc<[[f32; GROUP]]>,
    bias: Arc<[[f32; GROUP]]>,
    floor: f32,
    entry: unsafe fn(&DepthwiseF32, &Ring<f32>, &mut [f32]),
}

#[inline(always)]
fn run_f32<const FUSED: bool>(layer: &DepthwiseF32, input: &Ring<f32>, out: &mut [f32]) {
    walk(
        &layer.shape,
        input.view(),
        &layer.weights,
        |first| layer.bias.get(first / GROUP).copied().unwrap_or([0.0; GROUP]),
        |sum, x, w| if FUSED { x.mul_add(w, sum) } else { x * w + sum },
        |at, _, width, sums| {
            let sums = sums.map(|v| v.max(layer.floor));
            if let Some(to) = out.get_mut(at..at + width) {
                to.copy_from_slice(&sums[..width]);
            }
        },
    );
}

/// An INT8 depthwise convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DepthwiseI8 {
    shape: Shape,
    weights: Arc<[[i32; GROUP]]>,
    after: Arc<AfterI8>,
    entry: unsafe fn(&DepthwiseI8, &Ring<u8>, &mut [u8]),
}

#[inline(always)]
fn run_i8(layer: &DepthwiseI8, input: &Ring<u8>, out: &mut [u8]) {
    let after = &*layer.after;
    walk(
        &layer.shape,
        input.view(),
        &layer.weights,
        |first| after.bias.get(first..).and_then(|b| b.first_chunk()).copied().unwrap_or([0; GROUP]),
        |sum: i32, x: u8, w: i32| sum.wrapping_add(i32::from(x) * w),
        |at, first, width, sums| {
            let factors = after.factors.get(first..).and_then(|f| f.first_chunk()).unwrap_or(&[0.0; GROUP]);
            let mut whole = [0; GROUP];
            for i in 0..GROUP {
                whole[i] = requantize(sums[i], factors[i], after);
            }
            if let Some(to) = out.get_mut(at..at + width) {
                to.copy_from_slice(&whole[..width]);
            }
        },
    );
}

/// Makes the entries of one instruction set.
macro_rules! entries {
    ($f32:ident, $i8:ident, $fused:literal $(, $features:literal)?) => {
        $(#[target_feature(enable = $features)])?
        fn $f32(layer: &DepthwiseF32, input: &Ring<f32>, out: &mut [f32]) {
            run_f32::<$fused>(layer, input, out);
        }
        $(#[target_feature(enable = $features)])?
        fn $i8(layer: &DepthwiseI8, input: &Ring<u8>, out: &mut [u8]) {
            run_i8(layer, input, out);
        }
    };
}

#[cfg(not(target_arch = "aarch64"))]
entries!(f32_portable, i8_portable, false);
#[cfg(target_arch = "aarch64")]
entries!(f32_portable, i8_portable, true);
#[cfg(target_arch = "x86_64")]
entries!(f32_avx2, i8_avx2, true, "avx2,fma");
#[cfg(target_arch = "x86_64")]
entries!(f32_avx512, i8_avx512, true, "avx512f,avx512bw,avx512vl,avx2,fma");

impl DepthwiseF32 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::F32 { weights, bias } = &layer.values else {
            unreachable!("a valid FP32 model has FP32 layers")
        };
        let mut bias = bias.clone();
        bias.resize(layer.outputs.next_multiple_of(GROUP), 0.0);
        Self {
            shape: Shape::new(layer, rows_in),
            weights: pack(layer, weights).into(),
            bias: bias.as_chunks().0.into(),
            floor: if layer.relu { 0.0 } else { f32::MIN },
            entry: match kernel {
                #[cfg(target_arch = "x86_64")]
                Kernel::Avx512Vnni | Kernel::Avx512 => f32_avx512,
                #[cfg(target_arch = "x86_64")]
                Kernel::AvxVnni | Kernel::Avx2 => f32_avx2,
                _ => f32_portable,
            },
        }
    }

    /// Computes one column of outputs.
    pub fn run(&self, input: &Ring<f32>, out: &mut [f32]) {
        // SAFETY: the kernel was available when this was made.
        unsafe { (self.entry)(self, input, out) }
    }
}

impl DepthwiseI8 {
    pub fn new(layer: &Layer, rows_in: usize, input: Affine, kernel: Kernel) -> Self {
        let Values::I8 { weights, .. } = &layer.values else {
            unreachable!("a valid INT8 model has INT8 layers")
        };
        let weights: Vec<i32> = weights.iter().map(|w| i32::from(*w)).collect();
        Self {
            shape: Shape::new(layer, rows_in),
            weights: pack(layer, &weights).into(),
            after: Arc::new(AfterI8::new(layer, input, i32::from(input.zero_point) + 128, GROUP)),
            entry: match kernel {
                #[cfg(target_arch = "x86_64")]
                Kernel::Avx512Vnni | Kernel::Avx512 => i8_avx512,
                #[cfg(target_arch = "x86_64")]
                Kernel::AvxVnni | Kernel::Avx2 => i8_avx2,
                _ => i8_portable,
            },
        }
    }

    /// Computes one column of outputs.
    pub fn run(&self, input: &Ring<u8>, out: &mut [u8]) {
        // SAFETY: the kernel was available when this was made.
        unsafe { (self.entry)(self, input, out) }
    }
}
