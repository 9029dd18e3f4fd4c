//! The last frames of samples, written by the audio thread and read by the worker, which neither ever waits.
//!
//! A model on the worker that takes samples looks at seconds of sound. They are not copied into its question: the question
//! says which frames, and the worker reads them here. Frames that were overwritten meanwhile are not given out.
//!
//! The numbers are atomic, so that a frame that is read while it is overwritten is nonsense and nothing worse; that it was is
//! found by the count of frames begun (a seqlock: Boehm 2012, "Can seqlocks get along with programming language memory
//! models?").

use super::features::samples::SAMPLES;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
    fence,
};

/// Frames that are kept beyond the largest window: the worker may be this late (1.28 s).
const SLACK: usize = 64;

/// See the [module](self).
#[derive(Debug)]
pub struct SampleRing {
    samples: Box<[AtomicU32]>,
    /// Frames that writing has begun and ended of. Only the audio thread writes them.
    begun: AtomicU64,
    done: AtomicU64,
}

impl SampleRing {
    /// For windows of up to `window` frames. Allocates.
    pub fn new(window: usize) -> SampleRing {
        let samples = (0..(window + SLACK) * SAMPLES).map(|_| AtomicU32::new(0)).collect();
        SampleRing { samples, begun: AtomicU64::new(0), done: AtomicU64::new(0) }
    }

    /// Audio thread: one more frame. Missing samples read as silence.
    pub fn push(&self, frame: &[f32]) {
        let number = self.done.load(Relaxed);
        self.begun.store(number + 1, Relaxed);
        // What follows is not seen before `begun`.
        fence(Release);
        let heard = frame.iter().copied().chain(std::iter::repeat(0.0));
        for (to, x) in self.place(number).iter().zip(heard) {
            to.store(x.to_bits(), Relaxed);
        }
        self.done.store(number + 1, Release);
    }

    /// Frames pushed so far: the number of the next.
    pub fn count(&self) -> u64 {
        self.done.load(Acquire)
    }

    /// Worker: the `frames` frames before frame `end`, oldest first; `None` when they are not all there (any more).
    pub fn read(&self, end: u64, frames: usize) -> Option<Vec<f32>> {
        let first = end.checked_sub(frames as u64)?;
        if end > self.count() {
            return None;
        }
        let places = (first..end).flat_map(|number| self.place(number));
        let read = places.map(|sample| f32::from_bits(sample.load(Relaxed))).collect();
        // What was read was there before this is looked at.
        fence(Acquire);
        let kept = (self.samples.len() / SAMPLES) as u64;
        (self.begun.load(Relaxed) <= first + kept).then_some(read)
    }

    /// Bytes it holds.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.samples)
    }

    fn place(&self, number: u64) -> &[AtomicU32] {
        let kept = (self.samples.len() / SAMPLES).max(1) as u64;
        let start = (number % kept) as usize * SAMPLES;
        self.samples.get(start..start + SAMPLES).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicBool;

    fn frame(number: u64) -> [f32; SAMPLES] {
        [number as f32; SAMPLES]
    }

    #[test]
    fn windows_come_back_and_what_is_gone_or_to_come_does_not() {
        let ring = SampleRing::new(10);
        (0..200).for_each(|number| ring.push(&frame(number)));
        let window = ring.read(200, 3).unwrap();
        assert_eq!(window, [frame(197), frame(198), frame(199)].concat());
        assert!(ring.read(200 - SLACK as u64, 10).is_some());
        assert_eq!(ring.read(199 - SLACK as u64, 10), None, "overwritten");
        assert_eq!((ring.read(201, 3), ring.read(2, 3)), (None, None));
        ring.push(&[7.0]);
        assert_eq!(ring.read(201, 1).unwrap()[..2], [7.0, 0.0]);
    }

    /// A writer that never waits, a reader that gets whole frames or nothing.
    #[test]
    fn no_torn_frame_is_given_out() {
        let ring = SampleRing::new(2);
        let enough = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (0..).take_while(|_| !enough.load(Relaxed)).for_each(|number| ring.push(&frame(number)))
            });
            let (mut got, mut torn) = (0, None);
            while got < 200 && torn.is_none() {
                // Now the oldest that may still be there, so that the writer is close behind, now newer ones.
                let Some(end) = ring.count().checked_sub((SLACK - got % SLACK) as u64) else { continue };
                if let Some(window) = end.checked_sub(2).and_then(|_| ring.read(end, 2)) {
                    torn = Some(end).filter(|_| window != [frame(end - 2), frame(end - 1)].concat());
                    got += 1;
                }
            }
            enough.store(true, Relaxed);
            assert_eq!(torn, None, "a frame before this one was overwritten");
        });
    }
}
