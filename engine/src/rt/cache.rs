//! Answers that were given before: least recently used ones make room, old ones expire.
//!
//! All slots are there from the start, linked into a list from the one used last to the one not used for longest; limits say
//! how many of them are in use. Finding a sketch compares one number a slot, sixteen at a time, and the whole sketch of the
//! few that are near.

use super::sketch::{CELLS, STEPS_PER_DB, Sketch};
use crate::genre::{GENRES, Posterior};
use serde::{Deserialize, Serialize};

/// Largest number of answers that can be kept: 17 minutes of one every half second.
pub const MOST_ENTRIES: usize = 2048;
/// Bytes of memory that one kept answer takes.
pub const ENTRY_BYTES: usize = size_of::<Slot>() + size_of::<i16>();
/// By how much (dB) two windows may differ in any cell of their sketches and still share an answer that is certain; one that
/// is less certain is shared less easily.
pub const TOLERANCE_DB: f32 = 0.25;

/// Slots whose age is looked at in a frame: all of them in 1.3 s.
const SWEEP: usize = 32;
/// Means are compared in chunks of this many.
const CHUNK: usize = 16;
/// No slot.
const NONE: u32 = u32::MAX;
/// Mean in an empty slot: out of reach of every sketch's.
const EMPTY: i16 = i16::MIN;

/// How much the cache may hold, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CacheLimits {
    /// Largest number of answers, up to [`MOST_ENTRIES`]; 0 switches the cache off.
    pub entries: usize,
    /// Largest number of bytes that they may take, [`ENTRY_BYTES`] each.
    pub bytes: usize,
    /// Seconds of sound after which an answer is no longer used.
    pub ttl_s: f32,
}

impl Default for CacheLimits {
    /// 1024 answers (eight minutes of one every half second), 30 minutes.
    fn default() -> Self {
        CacheLimits::answers(1024, 30.0 * 60.0)
    }
}

impl CacheLimits {
    /// So many answers, with the bytes that they take, for so many seconds of sound.
    pub fn answers(entries: usize, ttl_s: f32) -> Self {
        CacheLimits { entries, bytes: entries.saturating_mul(ENTRY_BYTES), ttl_s }
    }

    /// Answers that both limits allow.
    pub fn room(&self) -> usize {
        self.entries.min(self.bytes / ENTRY_BYTES).min(MOST_ENTRIES)
    }

    /// Frames of 20 ms after which an answer is no longer used.
    pub fn ttl_frames(&self) -> u64 {
        // Casts saturate, and what is no number is 0.
        (f64::from(self.ttl_s) * 50.0) as u64
    }
}

/// What must be equal for two windows to share an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The model's number and the sample rate: answers never cross either.
    pub model: u64,
    /// Hz, as bits.
    pub rate: u32,
    /// Frames in the window.
    pub frames: u16,
}

#[derive(Clone, Copy)]
struct Slot {
    scope: Scope,
    sketch: Sketch,
    answer: Posterior,
    /// Frame at which it was put in.
    born: u64,
    /// Neighbours in the order of use; of a free slot, `older` is the next free one.
    newer: u32,
    older: u32,
}

/// See the [module](self).
pub struct AnswerCache {
    slots: Box<[Slot]>,
    /// Mean of each slot's sketch, [`EMPTY`] for a free one; whole chunks.
    means: Box<[i16]>,
    newest: u32,
    oldest: u32,
    free: u32,
    used: usize,
    limits: CacheLimits,
    /// The slot whose age is looked at next.
    sweep: usize,
}

impl AnswerCache {
    /// An empty cache with these limits. Allocates room for [`MOST_ENTRIES`].
    pub fn new(limits: CacheLimits) -> AnswerCache {
        let slot = Slot {
            scope: Scope { model: 0, rate: 0, frames: 0 },
            sketch: Sketch([0; CELLS]),
            answer: Posterior([0.0; GENRES]),
            born: 0,
            newer: NONE,
            older: NONE,
        };
        let mut cache = AnswerCache {
            slots: vec![slot; MOST_ENTRIES].into(),
            means: vec![EMPTY; MOST_ENTRIES.next_multiple_of(CHUNK)].into(),
            newest: NONE,
            oldest: NONE,
            free: NONE,
            used: 0,
            limits,
            sweep: 0,
        };
        cache.clear();
        cache
    }

    /// Puts new limits in force; what is too much goes, the least recently used first.
    pub fn set_limits(&mut self, limits: CacheLimits) {
        self.limits = limits;
        while self.used > limits.room() {
            self.remove(self.oldest);
        }
    }

    /// Forgets every answer.
    pub fn clear(&mut self) {
        let last = self.slots.len() as u32 - 1;
        for (n, slot) in (0u32..).zip(self.slots.iter_mut()) {
            slot.older = if n == last { NONE } else { n + 1 };
        }
        self.means.fill(EMPTY);
        (self.newest, self.oldest, self.free, self.used) = (NONE, NONE, 0, 0);
    }

    /// Answers that are kept.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Bytes it holds, for used and free slots.
    pub fn memory(&self) -> usize {
        size_of_val(&*self.slots) + size_of_val(&*self.means)
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The answer for this window, if one is known that is not too old at frame `now`.
    ///
    /// The closer the decision, the more alike the windows must be: see `slack`, also for `threshold`.
    pub fn get(&mut self, scope: Scope, sketch: &Sketch, threshold: f32, now: u64) -> Option<Posterior> {
        let found = self.find(scope, sketch, threshold)?;
        let slot = self.slots.get(found as usize)?;
        if now.saturating_sub(slot.born) > self.limits.ttl_frames() {
            self.remove(found);
            return None;
        }
        let answer = slot.answer;
        self.unlink(found);
        self.link(found);
        Some(answer)
    }

    /// Keeps an answer, in place of the one that was not used for longest if there is no room.
    pub fn put(&mut self, scope: Scope, sketch: &Sketch, answer: Posterior, now: u64) {
        if self.limits.room() == 0 {
            return;
        }
        // At a threshold of 1 only the same sketch is found, or one that shares a decision beyond doubt.
        if let Some(same) = self.find(scope, sketch, 1.0) {
            self.remove(same);
        }
        while self.used >= self.limits.room() {
            self.remove(self.oldest);
        }
        let taken = self.free;
        let Some(slot) = self.slots.get_mut(taken as usize) else { return };
        self.free = slot.older;
        *slot = Slot { scope, sketch: *sketch, answer, born: now, newer: NONE, older: NONE };
        self.set_mean(taken, sketch.mean());
        self.link(taken);
        self.used += 1;
    }

    /// Drops what is too old among the next `SWEEP` slots, so that all are looked at in turn.
    pub fn sweep(&mut self, now: u64) {
        for _ in 0..SWEEP {
            self.sweep = if self.sweep + 1 < self.slots.len() { self.sweep + 1 } else { 0 };
            let used = self.means.get(self.sweep).is_some_and(|mean| *mean != EMPTY);
            let born = self.slots.get(self.sweep).map_or(now, |slot| slot.born);
            if used && now.saturating_sub(born) > self.limits.ttl_frames() {
                self.remove(self.sweep as u32);
            }
        }
    }

    /// The slot whose sketch is nearest, among those near enough.
    fn find(&self, scope: Scope, sketch: &Sketch, threshold: f32) -> Option<u32> {
        let mean = sketch.mean();
        // One more than the largest slack, because means are rounded.
        let reach = (TOLERANCE_DB * STEPS_PER_DB) as u16 + 1;
        let mut best: Option<(u16, u32)> = None;
        for (chunk, means) in self.means.chunks_exact(CHUNK).enumerate() {
            // Without an early end, so that it is one comparison of vectors.
            if !means.iter().fold(false, |any, other| any | (other.abs_diff(mean) <= reach)) {
                continue;
            }
            for (n, other) in (chunk * CHUNK..).zip(means) {
                let Some(slot) = self.slots.get(n) else { continue };
                if *other == EMPTY || other.abs_diff(mean) > reach || slot.scope != scope {
                    continue;
                }
                let slack = slack(&slot.answer, threshold);
                let difference = slot.sketch.difference(sketch, slack);
                if difference <= slack && best.is_none_or(|(least, _)| difference < least) {
                    best = Some((difference, n as u32));
                }
            }
        }
        best.map(|(_, slot)| slot)
    }

    fn set_mean(&mut self, slot: u32, mean: i16) {
        if let Some(place) = self.means.get_mut(slot as usize) {
            *place = mean;
        }
    }

    /// Frees a slot that is in use.
    fn remove(&mut self, slot: u32) {
        self.unlink(slot);
        self.set_mean(slot, EMPTY);
        if let Some(freed) = self.slots.get_mut(slot as usize) {
            freed.older = self.free;
            self.free = slot;
        }
        self.used = self.used.saturating_sub(1);
    }

    /// Takes a slot out of the order of use.
    fn unlink(&mut self, slot: u32) {
        let Some(&Slot { newer, older, .. }) = self.slots.get(slot as usize) else { return };
        match self.slots.get_mut(newer as usize) {
            Some(neighbour) => neighbour.older = older,
            None => self.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(neighbour) => neighbour.newer = newer,
            None => self.oldest = newer,
        }
    }

    /// Makes a slot the one used last.
    fn link(&mut self, slot: u32) {
        let next = std::mem::replace(&mut self.newest, slot);
        match self.slots.get_mut(next as usize) {
            Some(neighbour) => neighbour.newer = slot,
            None => self.oldest = slot,
        }
        if let Some(linked) = self.slots.get_mut(slot as usize) {
            (linked.newer, linked.older) = (NONE, next);
        }
    }
}

/// By how many steps sketches may differ in any cell and still share this answer: [`TOLERANCE_DB`] for one that is certain,
/// less in proportion as its likeliest genre leads by less or lies nearer to `threshold`, the confidence below which a genre
/// counts as uncertain. At a tie, or on the threshold, only the same sketch will do.
fn slack(answer: &Posterior, threshold: f32) -> u16 {
    let (mut first, mut second) = (0.0f32, 0.0f32);
    for p in answer.0 {
        (first, second) = if p > first { (p, first) } else { (first, second.max(p)) };
    }
    // What lies a quarter off the threshold is far from it.
    let margin = (first - second).min(4.0 * (first - threshold).abs());
    // What is no number becomes 0.
    (margin.clamp(0.0, 1.0) * TOLERANCE_DB * STEPS_PER_DB) as u16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genre::Genre;

    const SCOPE: Scope = Scope { model: 1, rate: 48_000, frames: 150 };

    fn sketch(n: usize) -> Sketch {
        Sketch(std::array::from_fn(|cell| ((n * 7919 + cell * 104_729) % 5000) as i16 - 5000))
    }

    fn answer(n: usize) -> Posterior {
        Posterior::certain(Genre::ALL[n % 5])
    }

    fn limits(entries: usize, ttl_s: f32) -> CacheLimits {
        CacheLimits { entries, ttl_s, ..CacheLimits::default() }
    }

    /// Against a list that does the same the slow way: order, expiry, limits that change, clearing.
    #[test]
    fn does_what_a_plain_list_does() {
        let mut cache = AnswerCache::new(limits(5, 2.0));
        // Least recently used first: number, frame of birth.
        let mut list: Vec<(usize, u64)> = vec![];
        let (mut room, mut random) = (5, 1u64);
        let mut hits = 0;
        for now in 0..40_000u64 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (n, action) = ((random >> 33) as usize % 12, (random >> 50) % 100);
            match action {
                0 => {
                    room = (random >> 40) as usize % 9;
                    cache.set_limits(limits(room, 2.0));
                    list.drain(..list.len().saturating_sub(room));
                }
                1 => {
                    cache.clear();
                    list.clear();
                }
                2..40 => {
                    cache.put(SCOPE, &sketch(n), answer(n), now);
                    list.retain(|(other, _)| *other != n);
                    list.drain(..(list.len() + 1).saturating_sub(room).min(list.len()));
                    if room > 0 {
                        list.push((n, now));
                    }
                }
                _ => {
                    let known = list.iter().position(|(other, _)| *other == n);
                    let entry = known.map(|at| list.remove(at)).filter(|(_, born)| now - born <= 100);
                    list.extend(entry);
                    let found = cache.get(SCOPE, &sketch(n), 0.5, now);
                    assert_eq!(found, entry.map(|_| answer(n)), "frame {now}, sketch {n}");
                    hits += usize::from(found.is_some());
                }
            }
            assert_eq!(cache.len(), list.len(), "frame {now}");
        }
        assert!(hits > 5_000, "{hits}");
    }

    #[test]
    fn bytes_bound_it_as_entries_do() {
        let bytes = 10 * ENTRY_BYTES + 1;
        let mut cache = AnswerCache::new(CacheLimits { bytes, ..CacheLimits::default() });
        for n in 0..100 {
            cache.put(SCOPE, &sketch(n), answer(n), 0);
            assert!(cache.len() * ENTRY_BYTES <= bytes);
        }
        assert_eq!(cache.len(), 10);
        assert!((90..100).all(|n| cache.get(SCOPE, &sketch(n), 0.5, 0).is_some()));
        let mut all = AnswerCache::new(limits(usize::MAX, 1.0));
        all.set_limits(CacheLimits { entries: usize::MAX, bytes: usize::MAX, ttl_s: f32::NAN });
        (0..2 * MOST_ENTRIES)
            .for_each(|n| all.put(SCOPE, &Sketch([(n as i32 * 20 - 20_000) as i16; CELLS]), answer(n), 0));
        assert_eq!(all.len(), MOST_ENTRIES);
    }

    #[test]
    fn old_answers_go_by_themselves() {
        let mut cache = AnswerCache::new(limits(100, 10.0));
        (0..50).for_each(|n| cache.put(SCOPE, &sketch(n), answer(n), n as u64));
        (0..MOST_ENTRIES / SWEEP).for_each(|_| cache.sweep(520));
        assert_eq!(cache.len(), 30, "those of frames 20 to 49 are 500 frames old at most");
    }

    #[test]
    fn answers_cross_neither_models_nor_rates_nor_lengths() {
        let mut cache = AnswerCache::new(CacheLimits::default());
        cache.put(SCOPE, &sketch(1), answer(1), 0);
        assert!(cache.get(SCOPE, &sketch(1), 0.5, 0).is_some());
        for other in
            [Scope { model: 2, ..SCOPE }, Scope { rate: 44_100, ..SCOPE }, Scope { frames: 149, ..SCOPE }]
        {
            assert!(cache.get(other, &sketch(1), 0.5, 0).is_none());
        }
    }

    #[test]
    fn the_closer_the_decision_the_more_alike_the_windows() {
        let cases = [
            (1.0, 0.0, 0.7, 1.0),
            (0.7, 0.3, 0.1, 0.4),
            (0.52, 0.48, 0.7, 0.04),
            (0.5, 0.5, 0.7, 0.0),
            (0.75, 0.25, 0.7, 0.2),
            (0.7, 0.3, 0.7, 0.0),
            (1.0, 0.0, f32::NAN, 1.0),
        ];
        for (first, second, threshold, margin) in cases {
            let mut cache = AnswerCache::new(CacheLimits::default());
            let mut p = [0.0; GENRES];
            (p[2], p[4]) = (first, second);
            cache.put(SCOPE, &sketch(1), Posterior(p), 0);
            let slack = (margin * TOLERANCE_DB * STEPS_PER_DB) as i16;
            for cell in [0, 17, CELLS - 1] {
                for (off, shared) in [(slack, true), (-slack, true), (slack + 1, false), (-slack - 1, false)]
                {
                    let mut other = sketch(1);
                    other.0[cell] += off;
                    let found = cache.get(SCOPE, &other, threshold, 0).is_some();
                    assert_eq!(found, shared, "{first} {threshold} {cell} {off}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_of_several_answers() {
        let mut cache = AnswerCache::new(CacheLimits::default());
        let shifted = |by: i16| Sketch(sketch(1).0.map(|cell| cell + by));
        cache.put(SCOPE, &shifted(0), answer(0), 0);
        cache.put(SCOPE, &shifted(17), answer(1), 0);
        assert_eq!(cache.len(), 2);
        assert_eq!(cache.get(SCOPE, &shifted(7), 0.5, 0), Some(answer(0)));
        assert_eq!(cache.get(SCOPE, &shifted(10), 0.5, 0), Some(answer(1)));
    }
}
