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

/// What a layer's product takes and gives in each network, and the layer itself. `None` when `part` finds another kind of layer,
/// or they are not the same one in all networks.
fn gather<'a, Dense: Clone + 'a, S>(
    networks: &'a mut [Network],
    part: impl Fn(&'a mut Network) -> Option<(&'a Dense, S)>,
    is: impl Fn(&Dense, &Dense) -> bool,
) -> Option<(Dense, Vec<S>)> {
    let mut shared: Option<Dense> = None;
    let mut streams = Vec::with_capacity(networks.len());
    for network in networks {
        let (dense, stream) = part(network)?;
        if !is(shared.get_or_insert_with(|| dense.clone()), dense) {
            return None;
        }
        streams.push(stream);
    }
    Some((shared?, streams))
}

/// Computes an FP32 layer that mixes channels and is followed by another FP32 layer. `false` when it is something else, or not
/// the same layer in all networks.
fn f32_together(networks: &mut [Network], layer: usize) -> bool {
    let part = |network| match Network::pair(network, layer)? {
        (Stage::F32 { ring, op: OpF32::Dense(dense) }, Stage::F32 { ring: to, .. }) => {
            let (columns, taps) = ring.view();
            Some((&*dense, Stream { columns, taps, out: to.newest() }))
        }
        _ => None,
    };
    let Some((dense, mut streams)) = gather(networks, part, DenseF32::is) else { return false };
    dense.run_together(&mut streams);
    true
}

/// The same for INT8.
fn i8_together(networks: &mut [Network], layer: usize) -> bool {
    if networks.len() < FEWEST_I8 {
        return false;
    }
    let part = |network| match Network::pair(network, layer)? {
        (Stage::I8 { ring, op: OpI8::Dense(dense), .. }, Stage::I8 { ring: to, .. }) => {
            let (columns, taps) = ring.view();
            Some((&*dense, Stream { columns, taps, out: to.newest() }))
        }
        _ => None,
    };
    gather(networks, part, DenseI8::is).is_some_and(|(dense, mut streams)| dense.run_together(&mut streams))
}
