//! Answers that were given before: least recently used ones make room, old ones expire.
//!
//! The slots are fixed. The `lru` crate keeps the order in which they were used; as its keys are the slot numbers and
//! never change, it never inserts after construction and so never allocates. Finding a fingerprint is a scan over a few
//! hundred numbers, every half second.

use crate::genre::Posterior;
use lru::LruCache;
use std::num::NonZeroUsize;

/// Answers that are kept: four minutes of one every half second.
pub const CAPACITY: usize = 512;
/// Frames after which an answer is no longer used: 30 minutes.
pub const TTL_FRAMES: u64 = 30 * 60 * 50;

#[derive(Clone, Copy)]
struct Slot {
    answer: Posterior,
    /// Frame at which it was put in; `None` for an empty slot.
    born: Option<u64>,
}

/// See the [module](self).
pub struct AnswerCache {
    order: LruCache<usize, ()>,
    prints: Box<[u64]>,
    slots: Box<[Slot]>,
    ttl_frames: u64,
}

impl AnswerCache {
    /// An empty cache of `capacity` (at least 1) answers that live for `ttl_frames`. Allocates.
    pub fn new(capacity: usize, ttl_frames: u64) -> AnswerCache {
        let capacity = NonZeroUsize::new(capacity).unwrap_or(NonZeroUsize::MIN);
        let mut order = LruCache::new(capacity);
        for slot in 0..capacity.get() {
            order.put(slot, ());
        }
        let empty = Slot { answer: Posterior::UNIFORM, born: None };
        AnswerCache {
            order,
            prints: vec![0; capacity.get()].into(),
            slots: vec![empty; capacity.get()].into(),
            ttl_frames,
        }
    }

    /// The answer for this fingerprint, if it is known and not too old at frame `now`.
    pub fn get(&mut self, print: u64, now: u64) -> Option<Posterior> {
        let slot = self.find(print)?;
        let Slot { answer, born } = *self.slots.get(slot)?;
        let age = now.checked_sub(born?)?;
        if age > self.ttl_frames {
            return None;
        }
        self.order.promote(&slot);
        Some(answer)
    }

    /// Keeps an answer, in place of the one that was not used for longest.
    pub fn put(&mut self, print: u64, answer: Posterior, now: u64) {
        let oldest = self.order.peek_lru().map(|(slot, ())| *slot);
        let Some(slot) = self.find(print).or(oldest) else { return };
        if let (Some(key), Some(value)) = (self.prints.get_mut(slot), self.slots.get_mut(slot)) {
            *key = print;
            *value = Slot { answer, born: Some(now) };
        }
        self.order.promote(&slot);
    }

    /// Forgets every answer.
    pub fn clear(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.born = None);
    }

    fn find(&self, print: u64) -> Option<usize> {
        self.prints.iter().zip(&self.slots).position(|(p, slot)| *p == print && slot.born.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genre::Genre;

    #[test]
    fn the_least_recently_used_answer_makes_room() {
        let mut cache = AnswerCache::new(3, 100);
        let answer = |i: usize| Posterior::certain(Genre::ALL[i % 5]);
        assert_eq!(cache.get(0, 0), None, "an empty slot is no answer for fingerprint 0");
        for i in 0..3 {
            cache.put(i as u64, answer(i), 0);
        }
        assert_eq!(cache.get(0, 1), Some(answer(0)));
        cache.put(9, answer(4), 1);
        assert_eq!(cache.get(1, 1), None, "1 was not used for longest");
        for (print, i) in [(0, 0), (2, 2), (9, 4)] {
            assert_eq!(cache.get(print, 1), Some(answer(i)));
        }
        cache.put(2, answer(3), 1);
        assert_eq!((cache.get(2, 1), cache.get(0, 1)), (Some(answer(3)), Some(answer(0))));
        cache.clear();
        assert!([0, 2, 9].iter().all(|print| cache.get(*print, 1).is_none()));
    }

    #[test]
    fn answers_expire() {
        let mut cache = AnswerCache::new(4, 100);
        cache.put(7, Posterior::certain(Genre::Rock), 50);
        assert!(cache.get(7, 150).is_some());
        assert!(cache.get(7, 151).is_none());
    }
}
