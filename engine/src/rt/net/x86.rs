//! The vectors of [`super::tile`] for x86-64.
//!
//! The functions below are always inlined into one of the callers in [`super::dense`], which enable the instructions;
//! by themselves they are never compiled to anything.

use super::dense::{AfterF32, AfterI8};
use super::tile::Tile;
use std::arch::x86_64::*;

/// To the nearest whole number, ties to even, whatever rounding the thread has set.
pub(super) const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// FP32 in 16 lanes of AVX-512.
pub(super) struct F32x16;

impl Tile for F32x16 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Sum = __m512;
    type Weight = __m512;
    type Spread = __m512;
    const LANES: usize = 16;
    const STEP: usize = 1;
    const EXACT: bool = false;

    #[inline(always)]
    unsafe fn zero() -> __m512 {
        // SAFETY: the trait's promise, here and below.
        unsafe { _mm512_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterF32, channel: usize) -> __m512 {
        unsafe { _mm512_loadu_ps(layer.bias.as_ptr().add(channel)) }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> __m512 {
        unsafe { _mm512_load_ps(from.cast()) }
    }
    #[inline(always)]
    unsafe fn spread(from: *const f32) -> __m512 {
        unsafe { _mm512_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m512, input: __m512, weight: __m512) -> __m512 {
        unsafe { _mm512_fmadd_ps(input, weight, sum) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        unsafe { _mm512_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m512, layer: &AfterF32, _channel: usize, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, _mm512_max_ps(sum, _mm512_set1_ps(layer.floor))) }
    }
}

/// FP32 in 8 lanes of AVX2 with FMA.
pub(super) struct F32x8;

impl Tile for F32x8 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Sum = __m256;
    type Weight = __m256;
    type Spread = __m256;
    const LANES: usize = 8;
    const STEP: usize = 1;
    const EXACT: bool = false;

    #[inline(always)]
    unsafe fn zero() -> __m256 {
        unsafe { _mm256_setzero_ps() }
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterF32, channel: usize) -> __m256 {
        unsafe { _mm256_loadu_ps(layer.bias.as_ptr().add(channel)) }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> __m256 {
        unsafe { _mm256_load_ps(from.cast()) }
    }
    #[inline(always)]
    unsafe fn spread(from: *const f32) -> __m256 {
        unsafe { _mm256_set1_ps(*from) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256, input: __m256, weight: __m256) -> __m256 {
        unsafe { _mm256_fmadd_ps(input, weight, sum) }
    }
    #[inline(always)]
    unsafe fn add(a: __m256, b: __m256) -> __m256 {
        unsafe { _mm256_add_ps(a, b) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256, layer: &AfterF32, _channel: usize, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, _mm256_max_ps(sum, _mm256_set1_ps(layer.floor))) }
    }
}

/// INT8 in 16 lanes of AVX-512 VNNI: four 8-bit products a lane.
pub(super) struct I8x16Vnni;

impl Tile for I8x16Vnni {
    type Layer = AfterI8;
    type In = u8;
    type Out = u8;
    type Sum = __m512i;
    type Weight = __m512i;
    type Spread = __m512i;
    const LANES: usize = 16;
    const STEP: usize = 4;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn zero() -> __m512i {
        unsafe { _mm512_setzero_si512() }
    }
    #[inline(always)]
    unsafe fn bias(layer: &AfterI8, channel: usize) -> __m512i {
        unsafe { _mm512_loadu_si512(layer.bias.as_ptr().add(channel).cast()) }
    }
    #[inline(always)]
    unsafe fn weight(from: *const u8) -> __m512i {
        unsafe { _mm512_load_si512(from.cast()) }
    }
    #[inline(always)]
    unsafe fn spread(from: *const u8) -> __m512i {
        unsafe { _mm512_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m512i, input: __m512i, weight: __m512i) -> __m512i {
        unsafe { _mm512_dpbusd_epi32(sum, input, weight) }
    }
    #[inline(always)]
    unsafe fn add(a: __m512i, b: __m512i) -> __m512i {
        unsafe { _mm512_add_epi32(a, b) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m512i, layer: &AfterI8, channel: usize, to: *mut u8) {
        unsafe {
            let factors = _mm512_loadu_ps(layer.factors.as_ptr().add(channel));
            let scaled = _mm512_mul_ps(_mm512_cvtepi32_ps(sum), factors);
            let scaled =
                _mm512_min_ps(_mm512_max_ps(scaled, _mm512_set1_ps(layer.low)), _mm512_set1_ps(layer.high));
            let rounded = _mm512_cvt_roundps_epi32::<NEAREST>(scaled);
            let shifted = _mm512_add_epi32(rounded, _mm512_set1_epi32(layer.shift));
            _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(shifted));
        }
    }
}

/// What all INT8 tiles of 8 lanes have in common.
macro_rules! i8x8 {
    () => {
        type Layer = AfterI8;
        type Out = u8;
        type Sum = __m256i;
        type Weight = __m256i;
        const LANES: usize = 8;

        #[inline(always)]
        unsafe fn zero() -> __m256i {
            unsafe { _mm256_setzero_si256() }
        }
        #[inline(always)]
        unsafe fn bias(layer: &AfterI8, channel: usize) -> __m256i {
            unsafe { _mm256_loadu_si256(layer.bias.as_ptr().add(channel).cast()) }
        }
        #[inline(always)]
        unsafe fn weight(from: *const u8) -> __m256i {
            unsafe { _mm256_load_si256(from.cast()) }
        }
        #[inline(always)]
        unsafe fn add(a: __m256i, b: __m256i) -> __m256i {
            unsafe { _mm256_add_epi32(a, b) }
        }
        #[inline(always)]
        unsafe fn finish(sum: __m256i, layer: &AfterI8, channel: usize, to: *mut u8) {
            unsafe {
                let factors = _mm256_loadu_ps(layer.factors.as_ptr().add(channel));
                let scaled = _mm256_mul_ps(_mm256_cvtepi32_ps(sum), factors);
                let (low, high) = (_mm256_set1_ps(layer.low), _mm256_set1_ps(layer.high));
                let scaled = _mm256_min_ps(_mm256_max_ps(scaled, low), high);
                let rounded = _mm256_cvtps_epi32(_mm256_round_ps::<NEAREST>(scaled));
                let shifted = _mm256_add_epi32(rounded, _mm256_set1_epi32(layer.shift));
                // 0..=255 in 32 bits: packing saturates nothing.
                let (low, high) = (_mm256_castsi256_si128(shifted), _mm256_extracti128_si256::<1>(shifted));
                let words = _mm_packus_epi32(low, high);
                _mm_storel_epi64(to.cast(), _mm_packus_epi16(words, words));
            }
        }
    };
}

/// INT8 in 8 lanes of AVX-VNNI: four 8-bit products a lane.
pub(super) struct I8x8Vnni;

impl Tile for I8x8Vnni {
    i8x8!();
    type In = u8;
    type Spread = __m256i;
    const STEP: usize = 4;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn spread(from: *const u8) -> __m256i {
        unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, input: __m256i, weight: __m256i) -> __m256i {
        unsafe { _mm256_dpbusd_avx_epi32(sum, input, weight) }
    }
}

/// INT8 in 8 lanes of AVX2, for weights of which no two neighbours add up to more than 128 or less than -128: four 8-bit
/// products a lane. `vpmaddubsw` adds two products in 16 bits that saturate; 255 x 128 is within them.
pub(super) struct I8x8Narrow;

impl Tile for I8x8Narrow {
    i8x8!();
    type In = u8;
    type Spread = __m256i;
    const STEP: usize = 4;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn spread(from: *const u8) -> __m256i {
        unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, input: __m256i, weight: __m256i) -> __m256i {
        unsafe {
            let pairs = _mm256_maddubs_epi16(input, weight);
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }
}

/// INT8 in 8 lanes of AVX2: four 8-bit products a lane. `vpmaddubsw` adds two products of an unsigned and a signed
/// number in 16 bits that saturate; so the inputs, shifted to `-128..=127`, give their signs to the weights. Then no
/// sum is beyond 2 x 128 x 127, as long as no weight is -128.
pub(super) struct I8x8Signs;

impl Tile for I8x8Signs {
    i8x8!();
    type In = u8;
    /// The sizes of the inputs, and the inputs for their signs.
    type Spread = [__m256i; 2];
    const STEP: usize = 4;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn spread(from: *const u8) -> [__m256i; 2] {
        unsafe {
            let inputs = _mm256_set1_epi32(from.cast::<i32>().read_unaligned());
            let signed = _mm256_xor_si256(inputs, _mm256_set1_epi8(i8::MIN));
            [_mm256_abs_epi8(signed), signed]
        }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, [sizes, signs]: [__m256i; 2], weight: __m256i) -> __m256i {
        unsafe {
            let pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(weight, signs));
            _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)))
        }
    }
}

/// INT8 in 8 lanes of AVX2 for weights that include -128: two 16-bit products a lane.
pub(super) struct I8x8;

impl Tile for I8x8 {
    i8x8!();
    type In = i16;
    type Spread = __m256i;
    const STEP: usize = 2;
    const EXACT: bool = true;

    #[inline(always)]
    unsafe fn spread(from: *const i16) -> __m256i {
        unsafe { _mm256_set1_epi32(from.cast::<i32>().read_unaligned()) }
    }
    #[inline(always)]
    unsafe fn multiply_add(sum: __m256i, input: __m256i, weight: __m256i) -> __m256i {
        unsafe { _mm256_add_epi32(sum, _mm256_madd_epi16(input, weight)) }
    }
}
