//! The vectors of [`super::tile`] in plain Rust, for processors without better ones, and as what the others are
//! compared with.

use super::dense::{AfterF32, AfterI8};
use super::own::Own;
use super::tile::Tile;

const LANES: usize = 4;

/// Adding it to a number within +-2^22 leaves that number, rounded to even, in the lowest bits.
pub(super) const ROUNDING: f32 = 12_582_912.0;

/// One scaled sum as an 8-bit number, see [`AfterI8`].
#[inline(always)]
pub(super) fn requantize(sum: i32, factor: f32, after: &AfterI8) -> u8 {
    let scaled = (sum as f32 * factor).max(after.low).min(after.high);
    let rounded = (scaled + ROUNDING).to_bits().wrapping_sub(ROUNDING.to_bits()) as i32;
    rounded.wrapping_add(after.shift) as u8
}

/// FP32 lanes.
pub(super) struct F32;

impl Tile for F32 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Sum = [f32; LANES];
    type Weight = [f32; LANES];
    type Spread = f32;
    const LANES: usize = LANES;
    const STEP: usize = 1;
    const EXACT: bool = false;

    #[inline(always)]
    unsafe fn zero() -> Self::Sum {
        [0.0; LANES]
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterF32, channel: usize) -> Self::Sum {
        // SAFETY: biases reach to the end of the last panel.
        unsafe { layer.bias.as_ptr().add(channel).cast::<Self::Sum>().read() }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> Self::Weight {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<Self::Weight>().read() }
    }
    #[inline(always)]
    unsafe fn spread(from: *const f32) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { from.read() }
    }
    #[inline(always)]
    unsafe fn multiply_add(mut sum: Self::Sum, input: f32, weight: Self::Weight) -> Self::Sum {
        for (sum, weight) in sum.iter_mut().zip(weight) {
            *sum += input * weight;
        }
        sum
    }
    #[inline(always)]
    unsafe fn add(mut a: Self::Sum, b: Self::Sum) -> Self::Sum {
        for (a, b) in a.iter_mut().zip(b) {
            *a += b;
        }
        a
    }
    #[inline(always)]
    unsafe fn finish(sum: Self::Sum, layer: &AfterF32, _channel: usize, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<Self::Sum>().write(sum.map(|v| v.max(layer.floor))) }
    }
}

/// INT8 lanes: 16-bit inputs and weights two by two.
pub(super) struct I8;

impl Tile for I8 {
    type Layer = AfterI8;
    type In = i16;
    type Out = u8;
    type Sum = [i32; LANES];
    type Weight = [[i16; 2]; LANES];
    type Spread = [i16; 2];
    const LANES: usize = LANES;
    const STEP: usize = 2;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn zero() -> Self::Sum {
        [0; LANES]
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterI8, channel: usize) -> Self::Sum {
        // SAFETY: biases reach to the end of the last panel.
        unsafe { layer.bias.as_ptr().add(channel).cast::<Self::Sum>().read() }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> Self::Weight {
        // SAFETY: the caller's promise.
        unsafe { from.cast::<Self::Weight>().read() }
    }
    #[inline(always)]
    unsafe fn spread(from: *const i16) -> Self::Spread {
        // SAFETY: the caller's promise; inputs have no alignment beyond their own.
        unsafe { from.cast::<Self::Spread>().read() }
    }
    #[inline(always)]
    unsafe fn multiply_add(mut sum: Self::Sum, input: Self::Spread, weight: Self::Weight) -> Self::Sum {
        for (sum, weight) in sum.iter_mut().zip(weight) {
            let products =
                i32::from(input[0]) * i32::from(weight[0]) + i32::from(input[1]) * i32::from(weight[1]);
            *sum = sum.wrapping_add(products);
        }
        sum
    }
    #[inline(always)]
    unsafe fn add(mut a: Self::Sum, b: Self::Sum) -> Self::Sum {
        for (a, b) in a.iter_mut().zip(b) {
            *a = a.wrapping_add(b);
        }
        a
    }
    #[inline(always)]
    unsafe fn finish(sum: Self::Sum, layer: &AfterI8, channel: usize, to: *mut u8) {
        for (i, sum) in sum.into_iter().enumerate() {
            // SAFETY: factors reach to the end of the last panel; `to` is the caller's promise.
            unsafe { to.add(i).write(requantize(sum, *layer.factors.get_unchecked(channel + i), layer)) }
        }
    }
}

impl Own for F32 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Weight = f32;
    type Sum = [f32; LANES];
    type After = f32;
    const LANES: usize = LANES;
    const STEP: usize = 1;

    #[inline(always)]
    unsafe fn begin(layer: &AfterF32, channel: usize) -> (Self::Sum, f32) {
        // SAFETY: the trait's promise, here and below.
        (unsafe { <Self as Tile>::bias(layer, channel) }, layer.floor)
    }
    #[inline(always)]
    unsafe fn add(mut sum: Self::Sum, a: *const f32, _b: *const f32, weights: *const f32) -> Self::Sum {
        let (inputs, weights) =
            unsafe { (a.cast::<[f32; LANES]>().read(), weights.cast::<[f32; LANES]>().read()) };
        for ((sum, input), weight) in sum.iter_mut().zip(inputs).zip(weights) {
            *sum += input * weight;
        }
        sum
    }
    #[inline(always)]
    unsafe fn finish(sum: Self::Sum, floor: f32, _layer: &AfterF32, to: *mut f32) {
        unsafe { to.cast::<Self::Sum>().write(sum.map(|v| v.max(floor))) }
    }
}

impl Own for I8 {
    type Layer = AfterI8;
    type In = i16;
    type Out = u8;
    type Weight = i16;
    type Sum = [i32; LANES];
    type After = [f32; LANES];
    const LANES: usize = LANES;
    const STEP: usize = 1;

    #[inline(always)]
    unsafe fn begin(layer: &AfterI8, channel: usize) -> (Self::Sum, Self::After) {
        unsafe {
            (
                <Self as Tile>::bias(layer, channel),
                layer.factors.as_ptr().add(channel).cast::<Self::After>().read(),
            )
        }
    }
    #[inline(always)]
    unsafe fn add(mut sum: Self::Sum, a: *const i16, _b: *const i16, weights: *const i16) -> Self::Sum {
        let (inputs, weights) =
            unsafe { (a.cast::<[i16; LANES]>().read(), weights.cast::<[i16; LANES]>().read()) };
        for ((sum, input), weight) in sum.iter_mut().zip(inputs).zip(weights) {
            *sum = sum.wrapping_add(i32::from(input) * i32::from(weight));
        }
        sum
    }
    #[inline(always)]
    unsafe fn finish(sum: Self::Sum, factors: Self::After, layer: &AfterI8, to: *mut u8) {
        for (i, (sum, factor)) in sum.into_iter().zip(factors).enumerate() {
            unsafe { to.add(i).write(requantize(sum, factor, layer)) }
        }
    }
}
