//! Convolutions that mix channels: packed for [`super::tile`], one entry for each instruction set.

use super::kernel::Kernel;
use super::portable;
use super::ring::Ring;
use super::tile::{Geometry, Operands, Tile, pack, product};
use crate::model::{Affine, Layer, Values, windowed::requantizing};
use std::sync::Arc;

/// What follows an FP32 sum.
#[derive(Debug)]
pub(super) struct AfterF32 {
    /// One a channel, to the end of the last panel.
    pub bias: Vec<f32>,
    /// Outputs below become this: 0 for ReLU, else the lowest finite number.
    pub floor: f32,
}

/// What follows an INT8 sum: `(sum * factor)` between `low` and `high`, rounded to even, plus `shift`. Outputs are kept
/// with 128 added, so that they are unsigned.
#[derive(Debug)]
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
    pub fn new(layer: &Layer, input: Affine, zero: i32, panel: usize) -> Self {
        let Values::I8 { weights, scales, bias, output } = &layer.values else {
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
struct Weights(Vec<Line>);

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Weights {
    fn new(bytes: impl Iterator<Item = u8>) -> Self {
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

    fn as_ptr(&self) -> *const u8 {
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

/// One instruction set's entry.
type Entry<In, Out, After> = unsafe fn(&Geometry, &After, Operands<'_, In>, *mut Out);

/// Makes an entry: a function that has the instructions enabled, into which the whole product is inlined.
macro_rules! entry {
    ($name:ident, $tile:ty $(, $features:literal)?) => {
        /// # Safety
        /// As [`product`].
        $(#[target_feature(enable = $features)])?
        unsafe fn $name(
            geometry: &Geometry,
            after: &<$tile as Tile>::Layer,
            operands: Operands<'_, <$tile as Tile>::In>,
            out: *mut <$tile as Tile>::Out,
        ) {
            // SAFETY: the caller's promise.
            unsafe { product::<$tile>(geometry, after, operands, out) }
        }
    };
}

entry!(f32_portable, portable::F32);
entry!(i8_portable, portable::I8);

#[cfg(target_arch = "x86_64")]
mod entries {
    use super::super::x86::{F32x8, F32x16, I8x8, I8x8Vnni, I8x16Vnni};
    use super::*;
    entry!(f32_avx512, F32x16, "avx512f,avx512bw,avx512vl,avx2,fma");
    entry!(f32_avx2, F32x8, "avx2,fma");
    entry!(i8_avx512vnni, I8x16Vnni, "avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma");
    entry!(i8_avxvnni, I8x8Vnni, "avx2,fma,avxvnni");
    entry!(i8_avx2, I8x8, "avx2,fma");

    pub(super) fn f32(kernel: Kernel) -> Option<(Entry<f32, f32, AfterF32>, usize)> {
        match kernel {
            Kernel::Avx512Vnni | Kernel::Avx512 => Some((f32_avx512, F32x16::LANES)),
            Kernel::AvxVnni | Kernel::Avx2 => Some((f32_avx2, F32x8::LANES)),
            Kernel::Neon | Kernel::Portable => None,
        }
    }

    pub(super) fn i8_quads(kernel: Kernel) -> Option<(Entry<u8, u8, AfterI8>, usize)> {
        match kernel {
            Kernel::Avx512Vnni => Some((i8_avx512vnni, I8x16Vnni::LANES)),
            Kernel::AvxVnni => Some((i8_avxvnni, I8x8Vnni::LANES)),
            _ => None,
        }
    }

    pub(super) fn i8_pairs(kernel: Kernel) -> Option<(Entry<i16, u8, AfterI8>, usize)> {
        match kernel {
            Kernel::Avx512 | Kernel::Avx2 => Some((i8_avx2, I8x8::LANES)),
            _ => None,
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod entries {
    use super::*;
    #[cfg(target_arch = "aarch64")]
    entry!(f32_neon, super::super::neon::F32x4, "neon");
    #[cfg(target_arch = "aarch64")]
    entry!(i8_neon, super::super::neon::I8x4, "neon");

    pub(super) fn f32(_kernel: Kernel) -> Option<(Entry<f32, f32, AfterF32>, usize)> {
        #[cfg(target_arch = "aarch64")]
        if _kernel == Kernel::Neon {
            return Some((f32_neon, super::super::neon::F32x4::LANES));
        }
        None
    }

    pub(super) fn i8_quads(_kernel: Kernel) -> Option<(Entry<u8, u8, AfterI8>, usize)> {
        None
    }

    pub(super) fn i8_pairs(_kernel: Kernel) -> Option<(Entry<i16, u8, AfterI8>, usize)> {
        #[cfg(target_arch = "aarch64")]
        if _kernel == Kernel::Neon {
            return Some((i8_neon, super::super::neon::I8x4::LANES));
        }
        None
    }
}

/// An FP32 convolution. Clones share the weights.
#[derive(Clone, Debug)]
pub(super) struct DenseF32 {
    geometry: Geometry,
    after: Arc<AfterF32>,
    weights: Arc<Weights>,
    entry: Entry<f32, f32, AfterF32>,
}

impl DenseF32 {
    pub fn new(layer: &Layer, rows_in: usize, kernel: Kernel) -> Self {
        let Values::F32 { weights, bias } = &layer.values else {
            unreachable!("a valid FP32 model has FP32 layers")
        };
        let (entry, lanes) = entries::f32(kernel).unwrap_or((f32_portable, portable::F32::LANES));
        let geometry = geometry(layer, rows_in);
        let packed = pack(&geometry, layer.kernel_t, (lanes, 1), |channel, tap, k| {
            weights[weight_index(layer, channel, tap, k)]
        });
        let mut bias = bias.clone();
        bias.resize(layer.outputs.next_multiple_of(2 * lanes), 0.0);
        Self {
            geometry,
            after: Arc::new(AfterF32 { bias, floor: if layer.relu { 0.0 } else { f32::MIN } }),
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
        unsafe { (self.entry)(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
    }
}

/// How an INT8 product takes its inputs.
#[derive(Clone, Debug)]
enum Inputs {
    /// As they are kept: unsigned 8 bits, four at a time.
    Quads(Entry<u8, u8, AfterI8>),
    /// As 16-bit numbers around 0, two at a time; widened into `columns` first.
    Pairs { entry: Entry<i16, u8, AfterI8>, zero: u8, columns: Vec<i16>, taps: Vec<usize> },
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
    pub fn new(layer: &Layer, rows_in: usize, input: Affine, ring: &Ring<u8>, kernel: Kernel) -> Self {
        let Values::I8 { weights, .. } = &layer.values else {
            unreachable!("a valid INT8 model has INT8 layers")
        };
        let geometry = geometry(layer, rows_in);
        let zero = i32::from(input.zero_point) + 128;
        let weight = |channel, tap, k| weights[weight_index(layer, channel, tap, k)];
        if let Some((entry, lanes)) = entries::i8_quads(kernel) {
            let packed = pack(&geometry, layer.kernel_t, (lanes, 4), weight);
            Self {
                geometry,
                after: Arc::new(AfterI8::new(layer, input, zero, 2 * lanes)),
                weights: Arc::new(Weights::new(packed.into_iter().map(|w| w as u8))),
                inputs: Inputs::Quads(entry),
            }
        } else {
            let (entry, lanes) = entries::i8_pairs(kernel).unwrap_or((i8_portable, portable::I8::LANES));
            let packed = pack(&geometry, layer.kernel_t, (lanes, 2), |c, t, k| i16::from(weight(c, t, k)));
            let taps = (0..layer.kernel_t).map(|tap| tap * ring.column()).collect();
            Self {
                geometry,
                after: Arc::new(AfterI8::new(layer, input, 0, 2 * lanes)),
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

    /// Computes one column of outputs.
    pub fn run(&mut self, input: &Ring<u8>, out: &mut [u8]) {
        debug_assert_eq!(out.len(), self.geometry.rows * self.geometry.outputs);
        let weights = self.weights.as_ptr();
        let (from, from_taps) = input.view();
        match &mut self.inputs {
            Inputs::Quads(entry) => {
                let operands = Operands { columns: from, taps: from_taps, weights };
                // SAFETY: as in `DenseF32::run`.
                unsafe { entry(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
            }
            Inputs::Pairs { entry, zero, columns, taps } => {
                for (to, &tap) in columns.chunks_exact_mut(input.column()).zip(from_taps) {
                    for (to, from) in to.iter_mut().zip(from.get(tap..).unwrap_or_default()) {
                        *to = i16::from(*from) - i16::from(*zero);
                    }
                }
                let operands = Operands { columns, taps, weights };
                // SAFETY: as in `DenseF32::run`; the widened columns stand as those of the ring do.
                unsafe { entry(&self.geometry, &self.after, operands, out.as_mut_ptr()) }
            }
        }
    }
}
