//! The vectors of [`super::tile`] for 64-bit ARM.

use super::dense::{AfterF32, AfterI8};
use super::own::Own;
use super::tile::Tile;
use std::arch::aarch64::*;

/// FP32 in 4 lanes.
pub(super) struct F32x4;

impl Tile for F32x4 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Sum = float32x4_t;
    type Weight = float32x4_t;
    type Spread = float32x4_t;
    const LANES: usize = 4;
    const STEP: usize = 1;
    const EXACT: bool = false;

    #[inline(always)]
    unsafe fn zero() -> float32x4_t {
        // SAFETY: the trait's promise, here and below.
        unsafe { vdupq_n_f32(0.0) }
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterF32, channel: usize) -> float32x4_t {
        unsafe { vld1q_f32(layer.bias.as_ptr().add(channel)) }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> float32x4_t {
        unsafe { vld1q_f32(from.cast()) }
    }
    #[inline(always)]
    unsafe fn spread(from: *const f32) -> float32x4_t {
        unsafe { vld1q_dup_f32(from) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: float32x4_t, input: float32x4_t, weight: float32x4_t) -> float32x4_t {
        unsafe { vfmaq_f32(sum, input, weight) }
    }
    #[inline(always)]
    unsafe fn add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        unsafe { vaddq_f32(a, b) }
    }
    #[inline(always)]
    unsafe fn finish(sum: float32x4_t, layer: &AfterF32, _channel: usize, to: *mut f32) {
        unsafe { vst1q_f32(to, vmaxnmq_f32(sum, vdupq_n_f32(layer.floor))) }
    }
}

/// INT8 in 4 lanes: two widening 16-bit products a lane.
pub(super) struct I8x4;

impl Tile for I8x4 {
    type Layer = AfterI8;
    type In = i16;
    type Out = u8;
    type Sum = int32x4_t;
    /// The first and the second number of every lane's pair.
    type Weight = int16x4x2_t;
    type Spread = [i16; 2];
    const LANES: usize = 4;
    const STEP: usize = 2;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn zero() -> int32x4_t {
        unsafe { vdupq_n_s32(0) }
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterI8, channel: usize) -> int32x4_t {
        unsafe { vld1q_s32(layer.bias.as_ptr().add(channel)) }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> int16x4x2_t {
        unsafe { vld2_s16(from.cast()) }
    }
    #[inline(always)]
    unsafe fn spread(from: *const i16) -> [i16; 2] {
        unsafe { from.cast::<[i16; 2]>().read() }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: int32x4_t, input: [i16; 2], weight: int16x4x2_t) -> int32x4_t {
        unsafe { vmlal_n_s16(vmlal_n_s16(sum, weight.0, input[0]), weight.1, input[1]) }
    }
    #[inline(always)]
    unsafe fn add(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        unsafe { vaddq_s32(a, b) }
    }
    #[inline(always)]
    unsafe fn finish(sum: int32x4_t, layer: &AfterI8, channel: usize, to: *mut u8) {
        unsafe {
            requantize(sum, vld1q_f32(layer.factors.as_ptr().add(channel)), layer, to);
        }
    }
}

impl Own for F32x4 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Weight = f32;
    type Sum = float32x4_t;
    type After = float32x4_t;
    const LANES: usize = 4;
    const STEP: usize = 1;

    #[inline(always)]
    unsafe fn begin(layer: &AfterF32, channel: usize) -> (float32x4_t, float32x4_t) {
        // SAFETY: the trait's promise, here and below.
        unsafe { (<Self as Tile>::bias(layer, channel), vdupq_n_f32(layer.floor)) }
    }
    #[inline(always)]
    unsafe fn add(sum: float32x4_t, a: *const f32, _b: *const f32, weights: *const f32) -> float32x4_t {
        unsafe { vfmaq_f32(sum, vld1q_f32(a), vld1q_f32(weights)) }
    }
    #[inline(always)]
    unsafe fn finish(sum: float32x4_t, floor: float32x4_t, _layer: &AfterF32, to: *mut f32) {
        unsafe { vst1q_f32(to, vmaxnmq_f32(sum, floor)) }
    }
}

impl Own for I8x4 {
    type Layer = AfterI8;
    type In = i16;
    type Out = u8;
    type Weight = i16;
    type Sum = int32x4_t;
    type After = float32x4_t;
    const LANES: usize = 4;
    const STEP: usize = 1;

    #[inline(always)]
    unsafe fn begin(layer: &AfterI8, channel: usize) -> (int32x4_t, float32x4_t) {
        unsafe { (<Self as Tile>::bias(layer, channel), vld1q_f32(layer.factors.as_ptr().add(channel))) }
    }
    #[inline(always)]
    unsafe fn add(sum: int32x4_t, a: *const i16, _b: *const i16, weights: *const i16) -> int32x4_t {
        unsafe { vmlal_s16(sum, vld1_s16(a), vld1_s16(weights)) }
    }
    #[inline(always)]
    unsafe fn finish(sum: int32x4_t, factors: float32x4_t, layer: &AfterI8, to: *mut u8) {
        unsafe { requantize(sum, factors, layer, to) }
    }
}

/// Scaled sums as 8-bit numbers, see [`AfterI8`].
///
/// # Safety
/// The processor must have NEON, and `to` be valid for 4 writes.
#[inline(always)]
unsafe fn requantize(sum: int32x4_t, factors: float32x4_t, layer: &AfterI8, to: *mut u8) {
    unsafe {
        let scaled = vmulq_f32(vcvtq_f32_s32(sum), factors);
        let scaled = vminq_f32(vmaxq_f32(scaled, vdupq_n_f32(layer.low)), vdupq_n_f32(layer.high));
        let shifted = vaddq_s32(vcvtnq_s32_f32(scaled), vdupq_n_s32(layer.shift));
        let mut lanes = [0; 4];
        vst1q_s32(lanes.as_mut_ptr(), shifted);
        to.cast::<[u8; 4]>().write(lanes.map(|v| v as u8));
    }
}
