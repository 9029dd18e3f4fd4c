//! Several streams of one network side by side, for throughput: a server that hears many, or the workshop.
//!
//! The streams go through a layer together, and the matrix product takes its rows from all of them ([`super::tile`]). So a
//! weight is read once for up to six streams, where one alone reads every weight for a single row of most layers. Results are
//! those of [`Network::push`], bit for bit. FP32 gains by that; INT8 on AVX2 is bound by its multiplications and does not.

use super::dense::{DenseF32, DenseI8};
use super::tile::Stream;
use super::{Network, OpF32, OpI8, Stage};

/// Fewer INT8 streams are faster one by one.
const FEWEST_I8: usize = 4;

impl Network {
    /// One more frame of several streams: `networks` are clones of one network, and each gets its own column. The results
    /// are those of [`Network::push`], bit for bit. Allocates, so it is not for the audio thread.
    pub fn push_side_by_side(networks: &mut [Network], columns: &[&[f32]]) {
        let count = networks.len().min(columns.len());
        let networks = &mut networks[..count];
        if let ([network], [column, ..]) = (&mut *networks, columns) {
            network.push(column);
            return;
        }
        for (network, column) in networks.iter_mut().zip(columns) {
            network.begin(column);
        }
        let layers = networks.iter().map(|network| network.stages.len()).max().unwrap_or(0);
        for layer in 0..layers {
            if !f32_together(networks, layer) && !i8_together(networks, layer) {
                networks.iter_mut().for_each(|network| network.compute(layer));
            }
        }
    }

    /// A layer and the one after it.
    fn pair(&mut self, layer: usize) -> Option<(&mut Stage, &mut Stage)> {
        let (done, after) = self.stages.split_at_mut_checked(layer + 1)?;
        Some((done.last_mut()?, after.first_mut()?))
    }
}

/// Computes an FP32 layer that mixes channels and is followed by another FP32 layer. `false` when it is something else, or not
/// the same layer in all networks.
fn f32_together(networks: &mut [Network], layer: usize) -> bool {
    let mut shared: Option<DenseF32> = None;
    let mut streams = Vec::with_capacity(networks.len());
    for network in networks {
        let Some((Stage::F32 { ring, op: OpF32::Dense(dense) }, Stage::F32 { ring: to, .. })) =
            network.pair(layer)
        else {
            return false;
        };
        if !shared.get_or_insert_with(|| dense.clone()).is(dense) {
            return false;
        }
        let (columns, taps) = ring.view();
        streams.push(Stream { columns, taps, out: to.newest() });
    }
    if let Some(dense) = &shared {
        dense.run_together(&mut streams);
    }
    true
}

/// The same for INT8.
fn i8_together(networks: &mut [Network], layer: usize) -> bool {
    if networks.len() < FEWEST_I8 {
        return false;
    }
    let mut shared: Option<DenseI8> = None;
    let mut streams = Vec::with_capacity(networks.len());
    for network in networks {
        let Some((Stage::I8 { ring, op: OpI8::Dense(dense), .. }, Stage::I8 { ring: to, .. })) =
            network.pair(layer)
        else {
            return false;
        };
        if !shared.get_or_insert_with(|| dense.clone()).is(dense) {
            return false;
        }
        let (columns, taps) = ring.view();
        streams.push(Stream { columns, taps, out: to.newest() });
    }
    shared.is_none_or(|dense| dense.run_together(&mut streams))
}
