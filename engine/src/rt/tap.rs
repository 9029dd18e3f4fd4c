//! What an analyser in a window looks at: the sound before and after the mix, while somebody looks.
//!
//! The audio thread copies samples into plain atomics; nothing waits and nothing is lost but what nobody read. Whoever
//! looks says so again and again ([`Tap::look`]): a window that closes, hides or dies costs nothing a second later. Memory
//! is taken when somebody looks for the first time, on that thread.

use std::sync::OnceLock;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};

/// Samples that are kept of either sound. A power of two, twice what [`Spectrum`](crate::spectrum) reads.
pub const KEPT: usize = 1 << 15;
/// Samples that are copied for one look: a second at 48 kHz.
const LOOK: u64 = 48_000;

/// Which sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// As it comes from the host.
    Before = 0,
    /// As it goes back to the host.
    After = 1,
}

/// One sound's last samples.
#[derive(Debug)]
struct Ring {
    samples: Box<[AtomicU32]>,
    /// How many samples were ever written.
    written: AtomicU64,
}

impl Ring {
    fn new() -> Ring {
        Ring { samples: (0..KEPT).map(|_| AtomicU32::new(0)).collect(), written: AtomicU64::new(0) }
    }
}

/// See the [module](self). One writer, the audio thread; any number of readers.
#[derive(Debug, Default)]
pub struct Tap {
    rings: OnceLock<[Ring; 2]>,
    /// Samples that are still to be copied.
    left: AtomicU64,
}

impl Tap {
    /// Any thread but the audio thread: somebody looks, for the next second.
    pub fn look(&self) {
        self.rings.get_or_init(|| [Ring::new(), Ring::new()]);
        self.left.store(LOOK, Release);
    }

    /// Whether anything is copied now.
    pub fn is_open(&self) -> bool {
        self.left.load(Relaxed) > 0
    }

    /// Audio thread: this block of sound passes here. The mean of the channels is kept. The sound after the mix comes
    /// last, and counts down.
    pub fn pass(&self, point: Point, channels: &[&mut [f32]], length: usize) {
        let left = self.left.load(Acquire);
        let (Some(rings), true) = (self.rings.get(), left > 0) else { return };
        if let Some(ring) = rings.get(point as usize) {
            let start = ring.written.load(Relaxed);
            let [first, second] = [channels.first(), channels.get(1).or(channels.first())];
            if let (Some(first), Some(second)) = (first, second) {
                for (i, (a, b)) in first.iter().zip(second.iter()).take(length).enumerate() {
                    let place = (start + i as u64) as usize % KEPT;
                    if let Some(cell) = ring.samples.get(place) {
                        cell.store((0.5 * (a + b)).to_bits(), Relaxed);
                    }
                }
            }
            ring.written.store(start + length as u64, Release);
        }
        if point == Point::After {
            // A look that comes in between wins.
            let rest = left.saturating_sub(length as u64);
            let _ = self.left.compare_exchange(left, rest, Relaxed, Relaxed);
        }
    }

    /// The last `out.len()` samples, the newest last; at most half of [`KEPT`], so that the writer stays clear of them.
    /// False, and `out` as it was, before there are as many.
    pub fn recent(&self, point: Point, out: &mut [f32]) -> bool {
        let Some(ring) = self.rings.get().and_then(|rings| rings.get(point as usize)) else { return false };
        let written = ring.written.load(Acquire);
        let count = out.len().min(KEPT / 2) as u64;
        if written < count {
            return false;
        }
        for (sample, at) in out.iter_mut().zip(written - count..) {
            *sample = f32::from_bits(ring.samples[at as usize % KEPT].load(Relaxed));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(tap: &Tap, point: Point, samples: &[f32]) {
        let (mut left, mut right) = (samples.to_vec(), samples.iter().map(|s| s * 3.0).collect::<Vec<_>>());
        tap.pass(point, &[&mut left, &mut right], samples.len());
    }

    #[test]
    fn what_passed_last_is_read_and_only_while_somebody_looks() {
        let tap = Tap::default();
        let mut out = [7.0; 4];
        pass(&tap, Point::Before, &[1.0, 2.0, 3.0]);
        assert!(!tap.is_open() && !tap.recent(Point::Before, &mut out));
        tap.look();
        pass(&tap, Point::Before, &[1.0, 2.0, 3.0]);
        assert!(!tap.recent(Point::Before, &mut out), "three samples are not four");
        pass(&tap, Point::Before, &[4.0, 5.0]);
        assert!(tap.recent(Point::Before, &mut out));
        assert_eq!(out, [4.0, 6.0, 8.0, 10.0], "the mean of the channels");
        assert!(!tap.recent(Point::After, &mut out));
    }

    #[test]
    fn nobody_looks_for_longer_than_a_second_without_saying_so() {
        let tap = Tap::default();
        tap.look();
        let block = vec![0.5; 4_800];
        for _ in 0..9 {
            pass(&tap, Point::After, &block);
            assert!(tap.is_open());
        }
        tap.look();
        (0..10).for_each(|_| pass(&tap, Point::After, &block));
        assert!(!tap.is_open());
        let mut out = vec![0.0; KEPT / 2];
        assert!(tap.recent(Point::After, &mut out) && out.iter().all(|sample| *sample == 1.0));
    }
}
