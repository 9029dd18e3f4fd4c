//! The vectors of [`super::own`] for x86-64. As in [`super::x86`], these are only ever inlined into callers that enable the
//! instructions.

use super::dense::{AfterF32, AfterI8};
use super::own::Own;
use super::x86::{F32x8, F32x16, NEAREST};
use std::arch::x86_64::*;

impl Own for F32x16 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Weight = f32;
    type Sum = __m512;
    type After = __m512;
    const LANES: usize = 16;
    const STEP: usize = 1;

    #[inline(always)]
    unsafe fn begin(layer: &AfterF32, channel: usize) -> (__m512, __m512) {
        // SAFETY: the trait's promise, here and below.
        unsafe { (_mm512_loadu_ps(layer.bias.as_ptr().add(channel)), _mm512_set1_ps(layer.floor)) }
    }
    #[inline(always)]
    unsafe fn add(sum: __m512, a: *const f32, _b: *const f32, weights: *const f32) -> __m512 {
        unsafe { _mm512_fmadd_ps(_mm512_loadu_ps(a), _mm512_load_ps(weights), sum) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m512, floor: __m512, _layer: &AfterF32, to: *mut f32) {
        unsafe { _mm512_storeu_ps(to, _mm512_max_ps(sum, floor)) }
    }
}

impl Own for F32x8 {
    type Layer = AfterF32;
    type In = f32;
    type Out = f32;
    type Weight = f32;
    type Sum = __m256;
    type After = __m256;
    const LANES: usize = 8;
    const STEP: usize = 1;

    #[inline(always)]
    unsafe fn begin(layer: &AfterF32, channel: usize) -> (__m256, __m256) {
        unsafe { (_mm256_loadu_ps(layer.bias.as_ptr().add(channel)), _mm256_set1_ps(layer.floor)) }
    }
    #[inline(always)]
    unsafe fn add(sum: __m256, a: *const f32, _b: *const f32, weights: *const f32) -> __m256 {
        unsafe { _mm256_fmadd_ps(_mm256_loadu_ps(a), _mm256_load_ps(weights), sum) }
    }
    #[inline(always)]
    unsafe fn finish(sum: __m256, floor: __m256, _layer: &AfterF32, to: *mut f32) {
        unsafe { _mm256_storeu_ps(to, _mm256_max_ps(sum, floor)) }
    }
}

/// INT8 with inputs widened to 16 bits: 16 channels, two positions at a step, each lane of 32 bits the sum of both
/// products (`vpmaddwd`). AVX2, on every processor that has it.
///
/// Interleaving two positions puts channels 0 to 3 and 8 to 11 into one vector and the rest into the other; packing the
/// sums back to 16 bits puts them into order again. 256 bits with AVX-512 too: a row has as few as 16 channels.
pub(super) struct I16x16;

impl Own for I16x16 {
    type Layer = AfterI8;
    type In = i16;
    type Out = u8;
    type Weight = i16;
    type Sum = [__m256i; 2];
    type After = [__m256; 2];
    const LANES: usize = 16;
    const STEP: usize = 2;

    fn place(i: usize) -> (usize, usize) {
        let (half, pair, position) = (i / 16, i % 16 / 2, i % 2);
        (8 * (pair / 4) + 4 * half + pair % 4, position)
    }
    #[inline(always)]
    unsafe fn begin(layer: &AfterI8, channel: usize) -> ([__m256i; 2], [__m256; 2]) {
        unsafe {
            let bias = layer.bias.as_ptr().add(channel);
            let (a, b) = (_mm256_loadu_si256(bias.cast()), _mm256_loadu_si256(bias.add(8).cast()));
            let sums = [_mm256_permute2x128_si256::<0x20>(a, b), _mm256_permute2x128_si256::<0x31>(a, b)];
            let factors = layer.factors.as_ptr().add(channel);
            let (a, b) = (_mm256_loadu_ps(factors), _mm256_loadu_ps(factors.add(8)));
            (sums, [_mm256_permute2f128_ps::<0x20>(a, b), _mm256_permute2f128_ps::<0x31>(a, b)])
        }
    }
    #[inline(always)]
    unsafe fn add(sum: [__m256i; 2], a: *const i16, b: *const i16, weights: *const i16) -> [__m256i; 2] {
        unsafe {
            let (a, b) = (_mm256_loadu_si256(a.cast()), _mm256_loadu_si256(b.cast()));
            let (low, high) = (_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b));
            let of_low = _mm256_load_si256(weights.cast());
            let of_high = _mm256_load_si256(weights.add(16).cast());
            [
                _mm256_add_epi32(sum[0], _mm256_madd_epi16(low, of_low)),
                _mm256_add_epi32(sum[1], _mm256_madd_epi16(high, of_high)),
            ]
        }
    }
    #[inline(always)]
    unsafe fn finish(sum: [__m256i; 2], factors: [__m256; 2], layer: &AfterI8, to: *mut u8) {
        unsafe {
            let (high, shift) = (_mm256_set1_ps(layer.high), _mm256_set1_epi32(layer.shift));
            let requantized = |sum: __m256i, factors: __m256| {
                // What is too small becomes the smallest 32-bit number at the latest, and packing saturates it to 0; what
                // is too large would become that too.
                let scaled = _mm256_min_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), factors), high);
                _mm256_add_epi32(_mm256_cvtps_epi32(_mm256_round_ps::<NEAREST>(scaled)), shift)
            };
            let words = _mm256_packs_epi32(requantized(sum[0], factors[0]), requantized(sum[1], factors[1]));
            let bytes = _mm256_packus_epi16(words, words);
            let bytes = _mm256_permute4x64_epi64::<0b1000>(bytes);
            _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(bytes));
        }
    }
}
