//! Convolutions of each channel by itself, written once over the vectors of every instruction set: a lane for each channel.
//!
//! A depthwise layer multiplies little and rounds much, and no input is used for two channels. So there is nothing to spread
//! and nothing to tile: a vector of channels goes through the kernel's positions (taps in time by rows), one or two at a step.

use super::tile::MAX_PANEL;

/// One instruction set's arithmetic on vectors of channels.
///
/// # Safety
/// Every function may use the instruction set's instructions, and pointers must be valid for what they say.
pub(super) trait Own {
    /// Holds biases and what comes after the sum.
    type Layer;
    type In: Copy;
    type Out: Copy + Default;
    /// A weight as it is packed.
    type Weight: Copy + Default;
    /// Sums of [`Own::LANES`] channels.
    type Sum: Copy;
    /// What comes after the sum for [`Own::LANES`] channels.
    type After: Copy;
    /// Channels that are computed together.
    const LANES: usize;
    /// Positions of the kernel that one step adds up, 1 or 2.
    const STEP: usize;

    /// Where weight number `i` of a step belongs: lane, and position in the step. One position a step has each lane's in turn.
    fn place(i: usize) -> (usize, usize) {
        (i, 0)
    }
    /// The biases and what comes after the sum, of the channels from `channel` on.
    unsafe fn begin(layer: &Self::Layer, channel: usize) -> (Self::Sum, Self::After);
    /// Adds to each lane the products of its own inputs and its own weights. Reads `LANES` inputs from `a` and, where a step
    /// has two positions, from `b`, and `LANES * STEP` weights, aligned to their size together or to 64 bytes.
    unsafe fn add(
        sum: Self::Sum,
        a: *const Self::In,
        b: *const Self::In,
        weights: *const Self::Weight,
    ) -> Self::Sum;
    /// Activation or requantization; writes `LANES` outputs.
    unsafe fn finish(sum: Self::Sum, after: Self::After, layer: &Self::Layer, to: *mut Self::Out);
}

/// The shape of a depthwise layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnGeometry {
    /// Output rows.
    pub rows: usize,
    /// Channels, the same in and out.
    pub channels: usize,
    /// Step along the features.
    pub stride_f: usize,
}

/// Weights in the order in which [`own_product`] reads them: vector of channels, step, number in the step. `weight(channel,
/// position)` is asked for what is there; the others' weights are zero.
pub(super) fn pack_own<O: Own>(
    channels: usize,
    positions: usize,
    weight: impl Fn(usize, usize) -> O::Weight,
) -> Vec<O::Weight> {
    let mut packed = Vec::new();
    for first in (0..channels).step_by(O::LANES) {
        for step in (0..positions).step_by(O::STEP) {
            for i in 0..O::LANES * O::STEP {
                let (lane, position) = O::place(i);
                let (channel, position) = (first + lane, step + position);
                let there = channel < channels && position < positions;
                packed.push(if there { weight(channel, position) } else { O::Weight::default() });
            }
        }
    }
    packed
}

/// What a depthwise product reads.
#[derive(Clone, Copy)]
pub(super) struct OwnOperands<'a, In> {
    /// The columns. Readable for [`Own::LANES`] beyond the last one.
    pub columns: &'a [In],
    /// Where in `columns` what the first output row's first channel sees at each position is; a multiple of [`Own::STEP`].
    pub positions: &'a [usize],
    /// Packed by [`pack_own`], aligned to 64 bytes.
    pub weights: *const u8,
}

/// Computes a depthwise layer: `geometry.rows` rows of `geometry.channels` numbers into `out`.
///
/// # Safety
/// The processor must have `O`'s instructions. The operands must fit `geometry` and `layer`, whose biases and factors must
/// reach to the end of the last vector; `out` must be valid for `rows * channels` writes.
#[inline(always)]
pub(super) unsafe fn own_product<O: Own>(
    geometry: &OwnGeometry,
    layer: &O::Layer,
    operands: OwnOperands<'_, O::In>,
    out: *mut O::Out,
) {
    // These numbers of positions are unrolled: 5 taps, 3 x 3, and both in steps of two.
    // SAFETY: the caller's promise.
    unsafe {
        match operands.positions.len() {
            5 => own_rows::<O, 5>(geometry, layer, operands, out),
            6 => own_rows::<O, 6>(geometry, layer, operands, out),
            9 => own_rows::<O, 9>(geometry, layer, operands, out),
            10 => own_rows::<O, 10>(geometry, layer, operands, out),
            _ => own_rows::<O, 0>(geometry, layer, operands, out),
        }
    }
}

/// `POSITIONS` is how many there are, or 0 for any number.
///
/// # Safety
/// As [`own_product`].
#[inline(always)]
unsafe fn own_rows<O: Own, const POSITIONS: usize>(
    geometry: &OwnGeometry,
    layer: &O::Layer,
    operands: OwnOperands<'_, O::In>,
    out: *mut O::Out,
) {
    let channels = geometry.channels;
    let mut known = [0; POSITIONS];
    known.iter_mut().zip(operands.positions).for_each(|(to, from)| *to = *from);
    let positions: &[usize] = if POSITIONS == 0 { operands.positions } else { &known };
    let step_weights = O::LANES * O::STEP;
    let mut panel = operands.weights.cast::<O::Weight>();
    for channel in (0..channels).step_by(O::LANES) {
        // SAFETY: every pointer stays within the operands, as the caller promises.
        unsafe {
            let (bias, after) = O::begin(layer, channel);
            for row in 0..geometry.rows {
                let mut sum = bias;
                let mut weights = panel;
                let first = operands.columns.as_ptr().add(row * geometry.stride_f * channels + channel);
                for step in positions.chunks_exact(O::STEP) {
                    let (a, b) = (first.add(step[0]), first.add(step[O::STEP - 1]));
                    sum = O::add(sum, a, b, weights);
                    weights = weights.add(step_weights);
                }
                let to = out.add(row * channels + channel);
                if channel + O::LANES <= channels {
                    O::finish(sum, after, layer, to);
                } else {
                    let mut whole = [O::Out::default(); MAX_PANEL];
                    O::finish(sum, after, layer, whole.as_mut_ptr());
                    std::ptr::copy_nonoverlapping(whole.as_ptr(), to, channels - channel);
                }
            }
            panel = panel.add(positions.len() / O::STEP * step_weights);
        }
    }
}
