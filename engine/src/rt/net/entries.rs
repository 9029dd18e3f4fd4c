//! One entry for each instruction set into the products of [`super::tile`].

use super::dense::{AfterF32, AfterI8};
use super::kernel::Kernel;
use super::portable;
use super::tile::{Geometry, Operands, OwnGeometry, Tile, own_product, product};

/// A layer that mixes channels, for one instruction set.
pub(super) type Dense<In, Out, After> = unsafe fn(&Geometry, &After, Operands<'_, In>, *mut Out);
/// A depthwise layer, for one instruction set.
pub(super) type Depthwise<Kept, Out, After> = unsafe fn(&OwnGeometry, &After, Operands<'_, Kept>, *mut Out);

/// One instruction set's entries.
pub(super) struct Entries<In, Kept, Out, After> {
    pub dense: Dense<In, Out, After>,
    pub depthwise: Depthwise<Kept, Out, After>,
    /// [`Tile::LANES`].
    pub lanes: usize,
}

/// Entries for FP32.
pub(super) type EntriesF32 = Entries<f32, f32, f32, AfterF32>;

/// Entries for INT8, by how dense layers take their inputs.
pub(super) enum EntriesI8 {
    /// Unsigned 8 bits as they are kept, four at a time. The sums are over inputs less `offset`.
    Quads { entries: Entries<u8, u8, u8, AfterI8>, offset: i32 },
    /// 16-bit numbers around 0, two at a time.
    Pairs(Entries<i16, u8, u8, AfterI8>),
}

/// How far 8-bit weights go; where 8-bit products are added up in 16 bits, less is faster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// No two neighbours add up to more than 128 or less than -128. Always so for `-64..=64`.
    Narrow,
    /// `-127..=127`.
    Symmetric,
    /// `-128..=127`.
    Full,
}

impl Span {
    /// Of weights in the order in which they are multiplied.
    pub fn of(weights: &[i8]) -> Span {
        let within = |pair: &[i8]| {
            let sum = |part: fn(i32) -> i32| pair.iter().map(|w| part(i32::from(*w))).sum::<i32>();
            sum(|w| w.max(0)) <= 128 && sum(|w| w.min(0)) >= -128
        };
        if weights.chunks(2).all(within) {
            Span::Narrow
        } else if weights.contains(&i8::MIN) {
            Span::Full
        } else {
            Span::Symmetric
        }
    }
}

/// Makes the entries of one tile: functions that have the instructions enabled, into which the whole product is inlined.
macro_rules! entries {
    ($name:ident, $tile:ty $(, $features:literal)?) => {
        fn $name() -> Entries<
            <$tile as Tile>::In,
            <$tile as Tile>::Kept,
            <$tile as Tile>::Out,
            <$tile as Tile>::Layer,
        > {
            /// # Safety
            /// As [`product`].
            $(#[target_feature(enable = $features)])?
            unsafe fn dense(
                geometry: &Geometry,
                after: &<$tile as Tile>::Layer,
                operands: Operands<'_, <$tile as Tile>::In>,
                out: *mut <$tile as Tile>::Out,
            ) {
                // SAFETY: the caller's promise.
                unsafe { product::<$tile>(geometry, after, operands, out) }
            }
            /// # Safety
            /// As [`own_product`].
            $(#[target_feature(enable = $features)])?
            unsafe fn depthwise(
                geometry: &OwnGeometry,
                after: &<$tile as Tile>::Layer,
                operands: Operands<'_, <$tile as Tile>::Kept>,
                out: *mut <$tile as Tile>::Out,
            ) {
                // SAFETY: the caller's promise.
                unsafe { own_product::<$tile>(geometry, after, operands, out) }
            }
            Entries { dense, depthwise, lanes: <$tile as Tile>::LANES }
        }
    };
}

entries!(f32_portable, portable::F32);
entries!(i8_portable, portable::I8);

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::super::x86::{F32x8, F32x16, I8x8, I8x8Narrow, I8x8Signs, I8x8Vnni, I8x16Vnni};
    use super::*;
    entries!(f32_avx512, F32x16, "avx512f,avx512bw,avx512vl,avx2,fma");
    entries!(f32_avx2, F32x8, "avx2,fma");
    entries!(i8_avx512vnni, I8x16Vnni, "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma");
    entries!(i8_avxvnni, I8x8Vnni, "avx2,fma,avxvnni");
    entries!(i8_avx2_narrow, I8x8Narrow, "avx2,fma");
    entries!(i8_avx2_signs, I8x8Signs, "avx2,fma");
    entries!(i8_avx2_pairs, I8x8, "avx2,fma");

    pub(super) fn f32(kernel: Kernel) -> Option<EntriesF32> {
        match kernel {
            Kernel::Avx512Vnni | Kernel::Avx512 => Some(f32_avx512()),
            Kernel::AvxVnni | Kernel::Avx2 => Some(f32_avx2()),
            Kernel::Neon | Kernel::Portable => None,
        }
    }

    pub(super) fn i8(kernel: Kernel, span: Span) -> Option<EntriesI8> {
        match kernel {
            Kernel::Avx512Vnni => Some(EntriesI8::Quads { entries: i8_avx512vnni(), offset: 0 }),
            Kernel::AvxVnni => Some(EntriesI8::Quads { entries: i8_avxvnni(), offset: 0 }),
            Kernel::Avx512 | Kernel::Avx2 => Some(match span {
                Span::Narrow => EntriesI8::Quads { entries: i8_avx2_narrow(), offset: 0 },
                Span::Symmetric => EntriesI8::Quads { entries: i8_avx2_signs(), offset: 128 },
                Span::Full => EntriesI8::Pairs(i8_avx2_pairs()),
            }),
            Kernel::Neon | Kernel::Portable => None,
        }
    }
}
#[cfg(target_arch = "x86_64")]
use x86_64 as special;

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::super::neon::{F32x4, I8x4};
    use super::*;
    entries!(f32_neon, F32x4, "neon");
    entries!(i8_neon, I8x4, "neon");

    pub(super) fn f32(kernel: Kernel) -> Option<EntriesF32> {
        (kernel == Kernel::Neon).then(f32_neon)
    }

    pub(super) fn i8(kernel: Kernel, _span: Span) -> Option<EntriesI8> {
        (kernel == Kernel::Neon).then(|| EntriesI8::Pairs(i8_neon()))
    }
}
#[cfg(target_arch = "aarch64")]
use aarch64 as special;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod special {
    use super::*;

    pub(super) fn f32(_kernel: Kernel) -> Option<EntriesF32> {
        None
    }

    pub(super) fn i8(_kernel: Kernel, _span: Span) -> Option<EntriesI8> {
        None
    }
}

/// The entries for FP32.
pub(super) fn f32(kernel: Kernel) -> EntriesF32 {
    special::f32(kernel).unwrap_or_else(f32_portable)
}

/// The entries for INT8.
pub(super) fn i8(kernel: Kernel, span: Span) -> EntriesI8 {
    special::i8(kernel, span).unwrap_or_else(|| EntriesI8::Pairs(i8_portable()))
}
