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
pub(super) const MAX_PANEL: usize = 32;

/// One instruction set's vectors of 32-bit lanes, a lane for each output channel, and the arithmetic on them.
///
/// # Safety
/// Every function may use the instruction set's instructions, and pointers must be valid for what they say.
pub(super) trait Tile {
    /// Holds biases and what comes after the sum.
    type Layer;
    type In: Copy;
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
    /// Sums are the same in whatever order they are added up.
    const EXACT: bool;

    unsafe fn zero() -> Self::Sum;
    /// The biases of the channels from `channel` on.
    unsafe fn bias(layer: &Self::Layer, channel: usize) -> Self::Sum;
    /// Reads `LANES * 4` bytes, aligned to 64 bytes or the vector's size.
    unsafe fn weight(from: *const u8) -> Self::Weight;
    /// Reads [`Tile::STEP`] inputs.
    unsafe fn spread(from: *const Self::In) -> Self::Spread;
    unsafe fn multiply_add(sum: Self::Sum, input: Self::Spread, weight: Self::Weight) -> Self::Sum;
    unsafe fn add(a: Self::Sum, b: Self::Sum) -> Self::Sum;
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

/// One of several streams that go through a layer side by side.
pub(super) struct Stream<'a, In, Out> {
    /// As [`Operands::columns`].
    pub columns: &'a [In],
    /// As [`Operands::taps`]; as many in every stream.
    pub taps: &'a [usize],
    /// Where the stream's outputs go, `rows * outputs` of them.
    pub out: &'a mut [Out],
}

/// [`product`] for several streams: the results are the same to the bit, but a tile takes its rows from all of them, so that
/// weights are read once for up to [`MAX_ROWS`] rows also where a stream has only one.
///
/// # Safety
/// As [`product`], for every stream.
#[inline(always)]
pub(super) unsafe fn product_together<T: Tile>(
    geometry: &Geometry,
    layer: &T::Layer,
    weights: *const u8,
    streams: &mut [Stream<'_, T::In, T::Out>],
) {
    let panel = 2 * T::LANES;
    let taps = streams.first().map_or(0, |stream| stream.taps.len());
    let panel_bytes = taps * geometry.length.div_ceil(T::STEP) * panel * 4;
    let all = streams.len() * geometry.rows;
    let blocks = all.div_ceil(MAX_ROWS);
    for (i, channel) in (0..geometry.outputs).step_by(panel).enumerate() {
        for block in 0..blocks {
            let first = block * all / blocks;
            let count = (block + 1) * all / blocks - first;
            // SAFETY: the caller's promise; every number below `all` is a stream and one of its rows.
            unsafe {
                let weights = weights.add(i * panel_bytes);
                let place = Together { first, channel, weights };
                match count {
                    1 => together::<T, 1>(geometry, layer, streams, place),
                    2 => together::<T, 2>(geometry, layer, streams, place),
                    3 => together::<T, 3>(geometry, layer, streams, place),
                    4 => together::<T, 4>(geometry, layer, streams, place),
                    5 => together::<T, 5>(geometry, layer, streams, place),
                    _ => together::<T, MAX_ROWS>(geometry, layer, streams, place),
                }
            }
        }
    }
}

/// What a tile over several streams computes: rows from number `first` on, counted through all streams.
#[derive(Clone, Copy)]
struct Together {
    first: usize,
    channel: usize,
    weights: *const u8,
}

/// # Safety
/// As [`product_together`]; `M` rows from `place.first` on must be there.
#[inline(always)]
unsafe fn together<T: Tile, const M: usize>(
    geometry: &Geometry,
    layer: &T::Layer,
    streams: &mut [Stream<'_, T::In, T::Out>],
    place: Together,
) {
    let mut rows = [(0, 0); M];
    for (m, row) in rows.iter_mut().enumerate() {
        *row = ((place.first + m) / geometry.rows, (place.first + m) % geometry.rows);
    }
    let steps = geometry.length.div_ceil(T::STEP);
    // SAFETY: every pointer stays within the operands, as the caller promises.
    unsafe {
        let bias = [T::bias(layer, place.channel), T::bias(layer, place.channel + T::LANES)];
        let whole = Chain { first: 0, stride: 1, until: steps, rest: steps..steps };
        let mut sums = [bias; M];
        // A single row is added up in several chains (see `one_row`). Where the order matters they are gone through one
        // after the other, so that every sum is added up as there.
        if T::EXACT || geometry.rows > 1 {
            add_chain::<T, M>(&mut sums, geometry, streams, &rows, place.weights, whole);
        } else {
            let round = steps / CHAINS * CHAINS;
            let chain = |first| Chain { first, stride: CHAINS, until: round, rest: round..round };
            let zero = [[T::zero(); 2]; M];
            let mut others = [zero; CHAINS - 1];
            // What is left over belongs to the first.
            add_chain::<T, M>(
                &mut sums,
                geometry,
                streams,
                &rows,
                place.weights,
                Chain { rest: round..steps, ..chain(0) },
            );
            for (i, sums) in others.iter_mut().enumerate() {
                add_chain::<T, M>(sums, geometry, streams, &rows, place.weights, chain(i + 1));
            }
            let [b, c, d] = others;
            for (m, sum) in sums.iter_mut().enumerate() {
                for (i, sum) in sum.iter_mut().enumerate() {
                    *sum = T::add(T::add(*sum, b[m][i]), T::add(c[m][i], d[m][i]));
                }
            }
        }
        for (sum, (stream, row)) in sums.into_iter().zip(rows) {
            let out = streams.get_unchecked_mut(stream).out.as_mut_ptr();
            store::<T>(geometry, layer, sum, Place { row, channel: place.channel, out });
        }
    }
}

/// Steps of a tap that are added up one after the other: every `stride`th from `first` on, below `until`, then all of `rest`.
#[derive(Clone)]
struct Chain {
    first: usize,
    stride: usize,
    until: usize,
    rest: std::ops::Range<usize>,
}

/// # Safety
/// As [`together`].
#[inline(always)]
unsafe fn add_chain<T: Tile, const M: usize>(
    to: &mut [[T::Sum; 2]; M],
    geometry: &Geometry,
    streams: &[Stream<'_, T::In, T::Out>],
    rows: &[(usize, usize); M],
    weights: *const u8,
    chain: Chain,
) {
    let steps = geometry.length.div_ceil(T::STEP);
    let taps = streams.first().map_or(0, |stream| stream.taps.len());
    // SAFETY: every pointer stays within the operands, as the caller promises.
    unsafe {
        let mut sums = *to;
        for tap in 0..taps {
            let mut inputs = [std::ptr::null(); M];
            for (input, (stream, row)) in inputs.iter_mut().zip(rows) {
                let stream = streams.get_unchecked(*stream);
                let start = stream.taps.get_unchecked(tap) + row * geometry.row_step;
                *input = stream.columns.as_ptr().add(start);
            }
            let weights = weights.add(tap * steps * T::LANES * 8);
            let mut step = chain.first;
            while step < chain.until {
                add_step::<T, M>(&mut sums, &inputs, weights, step);
                step = step.wrapping_add(chain.stride);
            }
            let mut step = chain.rest.start;
            while step < chain.rest.end {
                add_step::<T, M>(&mut sums, &inputs, weights, step);
                step = step.wrapping_add(1);
            }
        }
        *to = sums;
    }
}

/// # Safety
/// As [`product`]; `inputs` and `weights` belong to one tap.
#[inline(always)]
unsafe fn add_step<T: Tile, const M: usize>(
    sums: &mut [[T::Sum; 2]; M],
    inputs: &[*const T::In; M],
    weights: *const u8,
    step: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let weights = weights.wrapping_add(step.wrapping_mul(T::LANES * 8));
        let (a, b) = (T::weight(weights), T::weight(weights.wrapping_add(T::LANES * 4)));
        for (sum, input) in sums.iter_mut().zip(inputs) {
            let spread = T::spread(input.wrapping_add(step.wrapping_mul(T::STEP)));
            sum[0] = T::multiply_add(sum[0], spread, a);
            sum[1] = T::multiply_add(sum[1], spread, b);
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
