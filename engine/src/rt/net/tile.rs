//! The matrix product inside a convolution, written once over the vectors of every instruction set.
//!
//! A column of a layer's past is a run of numbers, so what one output row sees of one tap in time is a plain vector and
//! the layer a matrix product: output rows x output channels, summed over taps and the vector. Weights are packed in
//! panels of two vectors' width; a tile of up to [`MAX_ROWS`] output rows by one panel stays in registers.

/// Most output rows of a tile: 6 x 2 sums, 2 weights and 1 input fit AVX2's 16 registers.
const MAX_ROWS: usize = 6;
/// Independent sums of a tile of one row, so that additions need not wait for each other.
const CHAINS: usize = 4;
/// Widest panel of all instruction sets, in output channels.
const MAX_PANEL: usize = 32;

/// One instruction set's vectors of 32-bit lanes, a lane for each output channel, and the arithmetic on them.
///
/// # Safety
/// Every function may use the instruction set's instructions, and pointers must be valid for what they say.
pub(super) trait Tile {
    /// Holds biases and what comes after the sum.
    type Layer;
    type In: Copy;
    /// Inputs as the ring keeps them; what a depthwise layer reads.
    type Kept: Copy;
    type Out: Copy + Default;
    /// Sums, one a lane.
    type Sum: Copy;
    /// Weights: [`Tile::STEP`] a lane, 4 bytes together.
    type Weight: Copy;
    /// [`Tile::STEP`] inputs, the same in every lane.
    type Spread: Copy;
    const LANES: usize;
    /// Inputs that one multiplication adds up.
    const STEP: usize;

    unsafe fn zero() -> Self::Sum;
    /// The biases of the channels from `channel` on.
    unsafe fn bias(layer: &Self::Layer, channel: usize) -> Self::Sum;
    /// Reads `LANES * 4` bytes, aligned to 64 bytes or the vector's size.
    unsafe fn weight(from: *const u8) -> Self::Weight;
    /// Reads [`Tile::STEP`] inputs.
    unsafe fn spread(from: *const Self::In) -> Self::Spread;
    unsafe fn multiply_add(sum: Self::Sum, input: Self::Spread, weight: Self::Weight) -> Self::Sum;
    unsafe fn add(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// Adds to each lane the product of its own input and its own weight. Reads `LANES` inputs, and as many weights of 4
    /// bytes, aligned as for [`Tile::weight`].
    unsafe fn multiply_add_own(sum: Self::Sum, inputs: *const Self::Kept, weights: *const u8) -> Self::Sum;
    /// Activation or requantization; writes `LANES` outputs.
    unsafe fn finish(sum: Self::Sum, layer: &Self::Layer, channel: usize, to: *mut Self::Out);
}

/// The shape of a layer's matrix product.
#[derive(Clone, Copy, Debug)]
pub(super) struct Geometry {
    /// Output rows.
    pub rows: usize,
    /// Output channels.
    pub outputs: usize,
    /// Inputs from the beginning of what one output row sees to that of the next.
    pub row_step: usize,
    /// Inputs that one output row sees of one tap.
    pub length: usize,
}

/// What the product reads.
#[derive(Clone, Copy)]
pub(super) struct Operands<'a, In> {
    /// The columns. Readable for a [`Tile::STEP`] beyond the last one.
    pub columns: &'a [In],
    /// Where in `columns` each tap's column begins.
    pub taps: &'a [usize],
    /// Packed by [`pack`], aligned to 64 bytes.
    pub weights: *const u8,
}

/// Weights in the order in which [`product`] reads them: panel, tap, step, lane, number in the step. `weight(channel,
/// tap, k)` is asked for `k` in `0..length`; what a panel or a step has too many is zero.
pub(super) fn pack<T: Copy + Default>(
    geometry: &Geometry,
    taps: usize,
    (lanes, step): (usize, usize),
    weight: impl Fn(usize, usize, usize) -> T,
) -> Vec<T> {
    let panel = 2 * lanes;
    let mut packed = Vec::new();
    for first in (0..geometry.outputs).step_by(panel) {
        for tap in 0..taps {
            for k in (0..geometry.length).step_by(step) {
                for channel in first..first + panel {
                    for k in k..k + step {
                        let there = channel < geometry.outputs && k < geometry.length;
                        packed.push(if there { weight(channel, tap, k) } else { T::default() });
                    }
                }
            }
        }
    }
    packed
}

/// Computes `geometry.rows` rows of `geometry.outputs` numbers into `out`.
///
/// # Safety
/// The processor must have `T`'s instructions. The operands must fit `geometry` and `layer`, whose biases and factors
/// must reach to the end of the last panel; `out` must be valid for `rows * outputs` writes.
#[inline(always)]
pub(super) unsafe fn product<T: Tile>(
    geometry: &Geometry,
    layer: &T::Layer,
    operands: Operands<'_, T::In>,
    out: *mut T::Out,
) {
    let panel = 2 * T::LANES;
    let panel_bytes = operands.taps.len() * geometry.length.div_ceil(T::STEP) * panel * 4;
    let blocks = geometry.rows.div_ceil(MAX_ROWS);
    for (i, channel) in (0..geometry.outputs).step_by(panel).enumerate() {
        for block in 0..blocks {
            let row = block * geometry.rows / blocks;
            let rows = (block + 1) * geometry.rows / blocks - row;
            // SAFETY: the panel lies within the packed weights, the rows within the columns, see `pack` and above.
            unsafe {
                let operands = Operands { weights: operands.weights.add(i * panel_bytes), ..operands };
                let place = Place { row, channel, out };
                match rows {
                    1 => one_row::<T>(geometry, layer, operands, place),
                    2 => tile::<T, 2>(geometry, layer, operands, place),
                    3 => tile::<T, 3>(geometry, layer, operands, place),
                    4 => tile::<T, 4>(geometry, layer, operands, place),
                    5 => tile::<T, 5>(geometry, layer, operands, place),
                    _ => tile::<T, MAX_ROWS>(geometry, layer, operands, place),
                }
            }
        }
    }
}

/// The shape of a depthwise layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnGeometry {
    /// Output rows.
    pub rows: usize,
    /// Channels, the same in and out.
    pub channels: usize,
    /// Kernel size along the features.
    pub kernel_f: usize,
    /// Step along the features.
    pub stride_f: usize,
}

/// Weights in the order in which [`own_product`] reads them: vector of channels, tap, kernel row, lane. `weight(channel,
/// tap, row)` is asked for channels that are there; the others' weights are zero.
pub(super) fn pack_own<T: Copy + Default>(
    geometry: &OwnGeometry,
    taps: usize,
    lanes: usize,
    weight: impl Fn(usize, usize, usize) -> T,
) -> Vec<T> {
    let mut packed = Vec::new();
    for first in (0..geometry.channels).step_by(lanes) {
        for tap in 0..taps {
            for row in 0..geometry.kernel_f {
                for channel in first..first + lanes {
                    let there = channel < geometry.channels;
                    packed.push(if there { weight(channel, tap, row) } else { T::default() });
                }
            }
        }
    }
    packed
}

/// Computes a depthwise layer: `geometry.rows` rows of `geometry.channels` numbers into `out`.
///
/// # Safety
/// As [`product`], with weights packed by [`pack_own`]; `operands.columns` must be readable for [`Tile::LANES`] beyond
/// the last column.
#[inline(always)]
pub(super) unsafe fn own_product<T: Tile>(
    geometry: &OwnGeometry,
    layer: &T::Layer,
    operands: Operands<'_, T::Kept>,
    out: *mut T::Out,
) {
    // Kernels of these sizes are unrolled; they are what networks are made of.
    // SAFETY: the caller's promise.
    unsafe {
        match geometry.kernel_f {
            1 => own_rows::<T, 1>(geometry, layer, operands, out),
            3 => own_rows::<T, 3>(geometry, layer, operands, out),
            5 => own_rows::<T, 5>(geometry, layer, operands, out),
            _ => own_rows::<T, 0>(geometry, layer, operands, out),
        }
    }
}

/// `KERNEL_F` is `geometry.kernel_f`, or 0 for any.
///
/// # Safety
/// As [`own_product`].
#[inline(always)]
unsafe fn own_rows<T: Tile, const KERNEL_F: usize>(
    geometry: &OwnGeometry,
    layer: &T::Layer,
    operands: Operands<'_, T::Kept>,
    out: *mut T::Out,
) {
    let kernel_f = if KERNEL_F == 0 { geometry.kernel_f } else { KERNEL_F };
    let channels = geometry.channels;
    let weight_bytes = operands.taps.len() * kernel_f * T::LANES * 4;
    for (i, channel) in (0..channels).step_by(T::LANES).enumerate() {
        for row in 0..geometry.rows {
            // SAFETY: every pointer stays within the operands, as the caller promises.
            unsafe {
                let mut sum = T::bias(layer, channel);
                let mut weights = operands.weights.add(i * weight_bytes);
                let first = operands.columns.as_ptr().add(row * geometry.stride_f * channels + channel);
                for &tap in operands.taps {
                    let mut inputs = first.add(tap);
                    for _ in 0..kernel_f {
                        sum = T::multiply_add_own(sum, inputs, weights);
                        inputs = inputs.add(channels);
                        weights = weights.add(T::LANES * 4);
                    }
                }
                let to = out.add(row * channels + channel);
                if channel + T::LANES <= channels {
                    T::finish(sum, layer, channel, to);
                } else {
                    let mut whole = [T::Out::default(); MAX_PANEL];
                    T::finish(sum, layer, channel, whole.as_mut_ptr());
                    std::ptr::copy_nonoverlapping(whole.as_ptr(), to, channels - channel);
                }
            }
        }
    }
}

/// Where a tile's results go.
#[derive(Clone, Copy)]
struct Place<Out> {
    row: usize,
    channel: usize,
    out: *mut Out,
}

/// # Safety
/// As [`product`]; `M` rows from `place.row` on must be there.
#[inline(always)]
unsafe fn tile<T: Tile, const M: usize>(
    geometry: &Geometry,
    layer: &T::Layer,
    operands: Operands<'_, T::In>,
    place: Place<T::Out>,
) {
    // SAFETY: every pointer stays within the operands, as the caller promises.
    unsafe {
        let bias = [T::bias(layer, place.channel), T::bias(layer, place.channel + T::LANES)];
        let mut sums = [bias; M];
        let mut weights = operands.weights;
        for &tap in operands.taps {
            let mut input = operands.columns.as_ptr().add(tap + place.row * geometry.row_step);
            for _ in 0..geometry.length.div_ceil(T::STEP) {
                let (a, b) = (T::weight(weights), T::weight(weights.add(T::LANES * 4)));
                for (m, sum) in sums.iter_mut().enumerate() {
                    let spread = T::spread(input.add(m * geometry.row_step));
                    sum[0] = T::multiply_add(sum[0], spread, a);
                    sum[1] = T::multiply_add(sum[1], spread, b);
                }
                weights = weights.add(T::LANES * 8);
                input = input.add(T::STEP);
            }
        }
        for (m, sum) in sums.into_iter().enumerate() {
            store::<T>(geometry, layer, sum, Place { row: place.row + m, ..place });
        }
    }
}

/// A tile of a single row, with [`CHAINS`] sums for each channel.
///
/// # Safety
/// As [`product`]; the row must be there.
#[inline(always)]
unsafe fn one_row<T: Tile>(
    geometry: &Geometry,
    layer: &T::Layer,
    operands: Operands<'_, T::In>,
    place: Place<T::Out>,
) {
    // SAFETY: every pointer stays within the operands, as the caller promises.
    unsafe {
        let mut sums = [[T::zero(); 2]; CHAINS];
        sums[0] = [T::bias(layer, place.channel), T::bias(layer, place.channel + T::LANES)];
        let mut weights = operands.weights;
        for &tap in operands.taps {
            let mut input = operands.columns.as_ptr().add(tap + place.row * geometry.row_step);
            let steps = geometry.length.div_ceil(T::STEP);
            for _ in 0..steps / CHAINS {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let spread = T::spread(input.add(i * T::STEP));
                    let from = weights.add(i * T::LANES * 8);
                    sum[0] = T::multiply_add(sum[0], spread, T::weight(from));
                    sum[1] = T::multiply_add(sum[1], spread, T::weight(from.add(T::LANES * 4)));
                }
                weights = weights.add(CHAINS * T::LANES * 8);
                input = input.add(CHAINS * T::STEP);
            }
            for _ in 0..steps % CHAINS {
                let spread = T::spread(input);
                sums[0][0] = T::multiply_add(sums[0][0], spread, T::weight(weights));
                sums[0][1] = T::multiply_add(sums[0][1], spread, T::weight(weights.add(T::LANES * 4)));
                weights = weights.add(T::LANES * 8);
                input = input.add(T::STEP);
            }
        }
        let merge = |i: usize| T::add(T::add(sums[0][i], sums[1][i]), T::add(sums[2][i], sums[3][i]));
        store::<T>(geometry, layer, [merge(0), merge(1)], place);
    }
}

/// Writes one row of one panel, leaving out what the panel has beyond the last channel.
///
/// # Safety
/// As [`product`].
#[inline(always)]
unsafe fn store<T: Tile>(geometry: &Geometry, layer: &T::Layer, sum: [T::Sum; 2], place: Place<T::Out>) {
    let channels = (geometry.outputs - place.channel).min(2 * T::LANES);
    // SAFETY: `channels` numbers from here on belong to this row and panel.
    unsafe {
        let to = place.out.add(place.row * geometry.outputs + place.channel);
        if channels == 2 * T::LANES {
            T::finish(sum[0], layer, place.channel, to);
            T::finish(sum[1], layer, place.channel + T::LANES, to.add(T::LANES));
        } else {
            let mut whole = [T::Out::default(); MAX_PANEL];
            T::finish(sum[0], layer, place.channel, whole.as_mut_ptr());
            T::finish(sum[1], layer, place.channel + T::LANES, whole.as_mut_ptr().add(T::LANES));
            std::ptr::copy_nonoverlapping(whole.as_ptr(), to, channels);
        }
    }
}
