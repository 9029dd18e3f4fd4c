//! The last frames' features, for a network that takes over and for windows that go to the worker.

use super::features::{Features, MEL_BANDS};
use super::sketch::{self, GROUPS, Sketch};

/// Frames that are kept: 10.24 s.
pub const FRAMES: usize = 512;

/// One frame.
#[derive(Clone, Copy)]
pub struct Entry {
    /// What the front end made of it.
    pub features: Features,
    /// Its bands in dB. Unlike the levelled columns they do not depend on what was heard before.
    pub bands_db: [f32; MEL_BANDS],
    /// Running sums of the groups of bands, before it and with it, for sketches. They wrap around.
    before: [i32; GROUPS],
    with: [i32; GROUPS],
}

impl Default for Entry {
    fn default() -> Self {
        let (features, bands_db) = (Features::default(), [0.0; MEL_BANDS]);
        Entry { features, bands_db, before: [0; GROUPS], with: [0; GROUPS] }
    }
}

/// A ring of the last [`FRAMES`] frames.
pub struct History {
    entries: Box<[Entry]>,
    /// Frames since this was made.
    count: u64,
    /// First frame since the last reset.
    first: u64,
}

impl History {
    /// Nothing heard yet. Allocates.
    pub fn new() -> History {
        History { entries: vec![Entry::default(); FRAMES].into(), count: 0, first: 0 }
    }

    /// One more frame: its features, and its bands in dB.
    pub fn push(&mut self, features: &Features, bands_db: &[f32; MEL_BANDS]) {
        let at = |frame: u64| (frame % FRAMES as u64) as usize;
        let before = self.entries.get(at(self.count.wrapping_sub(1))).map_or([0; GROUPS], |last| last.with);
        let mut with = before;
        for (sum, group) in with.iter_mut().zip(sketch::groups(bands_db)) {
            *sum = sum.wrapping_add(group);
        }
        if let Some(entry) = self.entries.get_mut(at(self.count)) {
            *entry = Entry { features: *features, bands_db: *bands_db, before, with };
        }
        self.count += 1;
    }

    /// Frames pushed since this was made: the number of the next frame. A reset does not turn it back.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Frames pushed since the last reset.
    pub fn heard(&self) -> u64 {
        self.count - self.first
    }

    /// Features of a frame by its number, if it is still kept.
    pub fn get(&self, frame: u64) -> Option<&Features> {
        self.entry(frame).map(|entry| &entry.features)
    }

    /// The `frames` frames before frame `end`, oldest first, without those that are not kept (any more).
    pub fn window(&self, end: u64, frames: usize) -> impl Iterator<Item = &Entry> {
        (end.saturating_sub(frames as u64)..end).filter_map(|frame| self.entry(frame))
    }

    /// The sketch of the `frames` frames before frame `end`; `None` when they are not all kept, or none.
    pub fn sketch(&self, end: u64, frames: usize) -> Option<Sketch> {
        let first = end.checked_sub(frames as u64)?;
        self.entry(first)?;
        self.entry(end.checked_sub(1)?)?;
        Some(sketch::sketch(frames, |k| match k {
            0 => self.entry(first).map_or([0; GROUPS], |entry| entry.before),
            _ => self.entry(first + k as u64 - 1).map_or([0; GROUPS], |entry| entry.with),
        }))
    }

    /// Bytes it holds.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.entries)
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        self.first = self.count;
    }

    fn entry(&self, frame: u64) -> Option<&Entry> {
        let kept = (self.first..self.count).contains(&frame) && self.count - frame <= FRAMES as u64;
        self.entries.get((frame % FRAMES as u64) as usize).filter(|_| kept)
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(level: f32) -> (Features, [f32; MEL_BANDS]) {
        let features = Features { level_dbfs: level, ..Features::default() };
        (features, std::array::from_fn(|i| level + (i as f32 * 7.3) % 11.0))
    }

    #[test]
    fn the_last_frames_come_back_oldest_first() {
        let mut history = History::new();
        assert_eq!(history.window(0, 10).count(), 0);
        for k in 0..1300 {
            let (features, db) = frame(-(k as f32));
            history.push(&features, &db);
        }
        let levels =
            |end, frames| history.window(end, frames).map(|e| e.features.level_dbfs).collect::<Vec<_>>();
        assert_eq!(levels(1300, 3), [-1297.0, -1298.0, -1299.0]);
        assert_eq!(levels(1298, 2), [-1296.0, -1297.0]);
        assert_eq!(levels(1300, 10_000).len(), FRAMES);
        assert!(history.get(1300).is_none() && history.get(1299 - FRAMES as u64).is_none());
        assert_eq!(history.get(1300 - FRAMES as u64).map(|f| f.level_dbfs), Some(-788.0));
    }

    #[test]
    fn the_same_sound_has_the_same_sketch_wherever_it_lies_and_another_sound_another() {
        let mut history = History::new();
        let mut sketches = vec![];
        for pass in 0..40 {
            for k in 0..50 {
                let (features, db) = frame(-20.3 - k as f32);
                // What depends on the past may differ.
                history.push(&Features { log_mel: [pass as f32; MEL_BANDS], ..features }, &db);
            }
            (0..pass).for_each(|k| history.push(&frame(-3.0).0, &frame(k as f32).1));
            sketches.push(history.sketch(history.count() - pass, 50).unwrap());
            assert_ne!(history.sketch(history.count() - pass, 49), sketches.last().copied());
        }
        assert!(sketches.iter().all(|sketch| *sketch == sketches[0]));
    }

    #[test]
    fn a_window_that_is_not_all_there_has_no_sketch() {
        let mut history = History::new();
        assert_eq!(history.sketch(0, 0), None);
        (0..600).for_each(|_| history.push(&frame(-20.0).0, &frame(-20.0).1));
        assert!(history.sketch(600, FRAMES).is_some() && history.sketch(599, FRAMES - 1).is_some());
        for (end, frames) in [(600, FRAMES + 1), (599, FRAMES), (601, 10), (5, 10), (5, 5), (600, 0)] {
            assert_eq!(history.sketch(end, frames), None, "{end} {frames}");
        }
        history.reset();
        assert_eq!(history.sketch(600, 1), None);
    }
}
