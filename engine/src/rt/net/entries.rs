//! One entry for each instruction set into the products of [`super::tile`] and [`super::own`].

use super::dense::{AfterF32, AfterI8};
use super::kernel::Kernel;
use super::own::{Own, OwnGeometry, OwnOperands, own_product, pack_own};
use super::portable;
use super::tile::{Geometry, Operands, Stream, Tile, product, product_together};

/// A layer that mixes channels, for one instruction set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dense<In, Out, After> {
    /// [`product`].
    pub run: unsafe fn(&Geometry, &After, Operands<'_, In>, *mut Out),
    /// [`product_together`].
    pub run_together: unsafe fn(&Geometry, &After, *const u8, &mut [Stream<'_, In, Out>]),
    /// [`Tile::LANES`].
    pub lanes: usize,
}

/// A depthwise layer, for one instruction set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Depthwise<In, Weight, Out, After> {
    /// [`own_product`].
    pub run: unsafe fn(&OwnGeometry, &After, OwnOperands<'_, In>, *mut Out),
    /// [`pack_own`].
    pub pack: fn(usize, usize, &dyn Fn(usize, usize) -> Weight) -> Vec<Weight>,
    /// [`Own::LANES`].
    pub lanes: usize,
    /// [`Own::STEP`].
    pub step: usize,
}

/// Entries for depthwise FP32.
pub(super) type DepthwiseF32 = Depthwise<f32, f32, f32, AfterF32>;
/// Entries for depthwise INT8, with inputs and weights in 16 bits.
pub(super) type DepthwiseI16 = Depthwise<i16, i16, u8, AfterI8>;

/// Entries for INT8, by how dense layers take their inputs.
#[cfg_attr(
    not(target_arch = "x86_64"),
    expect(dead_code, reason = "only x86-64 has products of four 8-bit numbers here")
)]
pub(super) enum DenseI8 {
    /// Unsigned 8 bits as they are kept, four at a time. The sums are over inputs less `offset`.
    Quads { entry: Dense<u8, u8, AfterI8>, offset: i32 },
    /// 16-bit numbers around 0, two at a time.
    Pairs(Dense<i16, u8, AfterI8>),
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

/// Makes the entry of one tile: functions that have the instructions enabled, into which the whole product is inlined.
macro_rules! dense {
    ($name:ident, $tile:ty $(, $features:literal)?) => {
        fn $name() -> Dense<<$tile as Tile>::In, <$tile as Tile>::Out, <$tile as Tile>::Layer> {
            /// # Safety
            /// As [`product`].
            $(#[target_feature(enable = $features)])?
            unsafe fn run(
                geometry: &Geometry,
                after: &<$tile as Tile>::Layer,
                operands: Operands<'_, <$tile as Tile>::In>,
                out: *mut <$tile as Tile>::Out,
            ) {
                // SAFETY: the caller's promise.
                unsafe { product::<$tile>(geometry, after, operands, out) }
            }
            /// # Safety
            /// As [`product_together`].
            $(#[target_feature(enable = $features)])?
            unsafe fn run_together(
                geometry: &Geometry,
                after: &<$tile as Tile>::Layer,
                weights: *const u8,
                streams: &mut [Stream<'_, <$tile as Tile>::In, <$tile as Tile>::Out>],
            ) {
                // SAFETY: the caller's promise.
                unsafe { product_together::<$tile>(geometry, after, weights, streams) }
            }
            Dense { run, run_together, lanes: <$tile as Tile>::LANES }
        }
    };
}

/// The same for depthwise layers.
macro_rules! depthwise {
    ($name:ident, $own:ty $(, $features:literal)?) => {
        fn $name() -> Depthwise<
            <$own as Own>::In,
            <$own as Own>::Weight,
            <$own as Own>::Out,
            <$own as Own>::Layer,
        > {
            /// # Safety
            /// As [`own_product`].
            $(#[target_feature(enable = $features)])?
            unsafe fn run(
                geometry: &OwnGeometry,
                after: &<$own as Own>::Layer,
                operands: OwnOperands<'_, <$own as Own>::In>,
                out: *mut <$own as Own>::Out,
            ) {
                // SAFETY: the caller's promise.
                unsafe { own_product::<$own>(geometry, after, operands, out) }
            }
            Depthwise {
                run,
                pack: |channels, positions, weight| pack_own::<$own>(channels, positions, weight),
                lanes: <$own as Own>::LANES,
                step: <$own as Own>::STEP,
            }
        }
    };
}

dense!(f32_portable, portable::F32);
dense!(i8_portable, portable::I8);
depthwise!(own_f32_portable, portable::F32);
depthwise!(own_i8_portable, portable::I8);

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use super::super::x86::{F32x8, F32x16, I8x8, I8x8Narrow, I8x8Signs, I8x8Vnni, I8x16Vnni};
    use super::super::x86_own::I16x16;
    use super::*;
    dense!(f32_avx512, F32x16, "avx512f,avx512bw,avx512vl,avx2,fma");
    dense!(f32_avx2, F32x8, "avx2,fma");
    dense!(i8_avx512vnni, I8x16Vnni, "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma");
    dense!(i8_avxvnni, I8x8Vnni, "avx2,fma,avxvnni");
    dense!(i8_avx2_narrow, I8x8Narrow, "avx2,fma");
    dense!(i8_avx2_signs, I8x8Signs, "avx2,fma");
    dense!(i8_avx2_pairs, I8x8, "avx2,fma");
    depthwise!(own_f32_avx512, F32x16, "avx512f,avx512bw,avx512vl,avx2,fma");
    depthwise!(own_f32_avx2, F32x8, "avx2,fma");
    depthwise!(own_i8_avx2, I16x16, "avx2,fma");

    pub(super) fn f32(kernel: Kernel) -> Option<Dense<f32, f32, AfterF32>> {
        match kernel {
            Kernel::Avx512Vnni | Kernel::Avx512 => Some(f32_avx512()),
            Kernel::AvxVnni | Kernel::Avx2 => Some(f32_avx2()),
            Kernel::Neon | Kernel::Portable => None,
        }
    }

    pub(super) fn i8(kernel: Kernel, span: Span) -> Option<DenseI8> {
        match kernel {
            Kernel::Avx512Vnni => Some(DenseI8::Quads { entry: i8_avx512vnni(), offset: 0 }),
            Kernel::AvxVnni => Some(DenseI8::Quads { entry: i8_avxvnni(), offset: 0 }),
            Kernel::Avx512 | Kernel::Avx2 => Some(match span {
                Span::Narrow => DenseI8::Quads { entry: i8_avx2_narrow(), offset: 0 },
                Span::Symmetric => DenseI8::Quads { entry: i8_avx2_signs(), offset: 128 },
                Span::Full => DenseI8::Pairs(i8_avx2_pairs()),
            }),
            Kernel::Neon | Kernel::Portable => None,
        }
    }

    pub(super) fn own_f32(kernel: Kernel) -> Option<DepthwiseF32> {
        match kernel {
            Kernel::Avx512Vnni | Kernel::Avx512 => Some(own_f32_avx512()),
            Kernel::AvxVnni | Kernel::Avx2 => Some(own_f32_avx2()),
            Kernel::Neon | Kernel::Portable => None,
        }
    }

    pub(super) fn own_i8(kernel: Kernel) -> Option<DepthwiseI16> {
        (!matches!(kernel, Kernel::Neon | Kernel::Portable)).then(own_i8_avx2)
    }
}
#[cfg(target_arch = "x86_64")]
use x86_64 as special;

#[cfg(target_arch = "aarch64")]
mod aarch64 {
    use super::super::neon::{F32x4, I8x4};
    use super::*;
    dense!(f32_neon, F32x4, "neon");
    dense!(i8_neon, I8x4, "neon");
    depthwise!(own_f32_neon, F32x4, "neon");
    depthwise!(own_i8_neon, I8x4, "neon");

    pub(super) fn f32(kernel: Kernel) -> Option<Dense<f32, f32, AfterF32>> {
        (kernel == Kernel::Neon).then(f32_neon)
    }

    pub(super) fn i8(kernel: Kernel, _span: Span) -> Option<DenseI8> {
        (kernel == Kernel::Neon).then(|| DenseI8::Pairs(i8_neon()))
    }

    pub(super) fn own_f32(kernel: Kernel) -> Option<DepthwiseF32> {
        (kernel == Kernel::Neon).then(own_f32_neon)
    }

    pub(super) fn own_i8(kernel: Kernel) -> Option<DepthwiseI16> {
        (kernel == Kernel::Neon).then(own_i8_neon)
    }
}
#[cfg(target_arch = "aarch64")]
use aarch64 as special;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod special {
    use super::*;

    pub(super) fn f32(_kernel: Kernel) -> Option<Dense<f32, f32, AfterF32>> {
        None
    }

    pub(super) fn i8(_kernel: Kernel, _span: Span) -> Option<DenseI8> {
        None
    }

    pub(super) fn own_f32(_kernel: Kernel) -> Option<DepthwiseF32> {
        None
    }

    pub(super) fn own_i8(_kernel: Kernel) -> Option<DepthwiseI16> {
        None
    }
}

/// The entry for FP32.
pub(super) fn f32(kernel: Kernel) -> Dense<f32, f32, AfterF32> {
    special::f32(kernel).unwrap_or_else(f32_portable)
}

/// The entry for INT8.
pub(super) fn i8(kernel: Kernel, span: Span) -> DenseI8 {
    special::i8(kernel, span).unwrap_or_else(|| DenseI8::Pairs(i8_portable()))
}

/// The entry for depthwise FP32.
pub(super) fn own_f32(kernel: Kernel) -> DepthwiseF32 {
    special::own_f32(kernel).unwrap_or_else(own_f32_portable)
}

/// The entry for depthwise INT8.
pub(super) fn own_i8(kernel: Kernel) -> DepthwiseI16 {
    special::own_i8(kernel).unwrap_or_else(own_i8_portable)
}
