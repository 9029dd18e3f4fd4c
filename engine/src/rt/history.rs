//! The last frames' features, for a network that takes over and for windows that go to the worker.

use super::features::{Features, MEL_BANDS};

/// Frames that are kept: 10.24 s.
pub const FRAMES: usize = 512;

/// dB of a mel band that count as the same in a fingerprint.
const STEP_DB: f32 = 1.0;

#[derive(Clone, Copy, Default)]
struct Entry {
    features: Features,
    print: u64,
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

    /// One more frame: its features, and its bands in dB from which its fingerprint is made. The bands rather than the
    /// levelled columns, because they do not depend on what was heard before: the same sound has the same fingerprint.
    pub fn push(&mut self, features: &Features, bands_db: &[f32; MEL_BANDS]) {
        let at = (self.count % FRAMES as u64) as usize;
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = Entry { features: *features, print: frame_print(bands_db) };
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

    /// The last `frames` frames, oldest first; fewer while fewer are kept.
    pub fn last(&self, frames: usize) -> impl Iterator<Item = &Features> {
        self.last_entries(frames).map(|entry| &entry.features)
    }

    /// Fingerprint of the last `frames` frames, or of fewer while fewer are kept. `seed` separates what must not be mixed up.
    pub fn print(&self, frames: usize, seed: u64) -> u64 {
        self.last_entries(frames).fold(scramble(seed), |print, entry| scramble(print ^ entry.print))
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        self.first = self.count;
    }

    fn entry(&self, frame: u64) -> Option<&Entry> {
        let kept = (self.first..self.count).contains(&frame) && self.count - frame <= FRAMES as u64;
        self.entries.get((frame % FRAMES as u64) as usize).filter(|_| kept)
    }

    fn last_entries(&self, frames: usize) -> impl Iterator<Item = &Entry> {
        let first = self.count.saturating_sub(frames.min(FRAMES) as u64).max(self.first);
        (first..self.count).filter_map(|frame| self.entry(frame))
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

/// One odd multiplier a band.
const MULTIPLIERS: [u64; MEL_BANDS] = {
    let mut out = [0; MEL_BANDS];
    let mut i = 0;
    while i < MEL_BANDS {
        out[i] = scramble(i as u64 + 1) | 1;
        i += 1;
    }
    out
};

/// A number that differs, but for an accident of 2^-64, when any band differs by a step.
fn frame_print(bands_db: &[f32; MEL_BANDS]) -> u64 {
    let mut sum = 0u64;
    for (db, multiplier) in bands_db.iter().zip(MULTIPLIERS) {
        // Casts saturate, so that nothing a band may hold goes wrong.
        let step = (db * (1.0 / STEP_DB) + 200.0) as i32;
        sum = sum.wrapping_add(multiplier.wrapping_mul(step as u64));
    }
    scramble(sum)
}

/// The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of the input changes half of the output's.
const fn scramble(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
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
        assert_eq!(history.last(10).count(), 0);
        for k in 0..1300 {
            let (features, db) = frame(-(k as f32));
            history.push(&features, &db);
        }
        let levels: Vec<f32> = history.last(3).map(|f| f.level_dbfs).collect();
        assert_eq!(levels, [-1297.0, -1298.0, -1299.0]);
        assert_eq!(history.last(10_000).count(), FRAMES);
        assert!(history.get(1300).is_none() && history.get(1299 - FRAMES as u64).is_none());
        assert_eq!(history.get(1300 - FRAMES as u64).map(|f| f.level_dbfs), Some(-788.0));
    }

    #[test]
    fn the_same_sound_has_the_same_print_and_another_sound_another() {
        let mut history = History::new();
        let mut prints = vec![];
        for pass in 0..3 {
            for k in 0..50 {
                let (features, db) = frame(-20.0 - k as f32);
                // What depends on the past may differ.
                history.push(&Features { log_mel: [pass as f32; MEL_BANDS], ..features }, &db);
            }
            prints.push(history.print(50, 1));
        }
        assert!(prints.iter().all(|print| *print == prints[0]));
        assert_ne!(history.print(50, 2), prints[0], "another model");
        assert_ne!(history.print(49, 1), prints[0]);
        let mut seen = std::collections::HashSet::new();
        for band in 0..MEL_BANDS {
            for step in 0..100 {
                let mut db = frame(-50.0).1;
                db[band] += 1.0 + step as f32;
                assert!(seen.insert(frame_print(&db)));
            }
        }
        assert!(frame_print(&[f32::NAN; MEL_BANDS]) != frame_print(&[f32::INFINITY; MEL_BANDS]));
    }
}
