//! What the user wants of the cache, on its way to the audio thread: plain atomics.

use super::cache::{AnswerCache, CacheLimits};
use std::sync::atomic::{
    AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// Set by any thread, obeyed by the audio thread at its next frame.
#[derive(Debug)]
pub struct CacheControl {
    entries: AtomicUsize,
    bytes: AtomicUsize,
    ttl_s: AtomicU32,
    /// How often limits were set.
    changes: AtomicU64,
    /// How often clearing was asked for.
    clears: AtomicU64,
}

impl Default for CacheControl {
    fn default() -> Self {
        let control = CacheControl {
            entries: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            ttl_s: AtomicU32::new(0),
            changes: AtomicU64::new(0),
            clears: AtomicU64::new(0),
        };
        control.set_limits(CacheLimits::default());
        control
    }
}

impl CacheControl {
    /// Any thread: limits to put in force.
    pub fn set_limits(&self, limits: CacheLimits) {
        self.entries.store(limits.entries, Relaxed);
        self.bytes.store(limits.bytes, Relaxed);
        self.ttl_s.store(limits.ttl_s.to_bits(), Relaxed);
        self.changes.fetch_add(1, Release);
    }

    /// Any thread: how many answers to keep at most, whatever the time.
    pub fn set_entries(&self, entries: usize) {
        let CacheLimits { entries, bytes, .. } = CacheLimits::answers(entries, 0.0);
        self.entries.store(entries, Relaxed);
        self.bytes.store(bytes, Relaxed);
        self.changes.fetch_add(1, Release);
    }

    /// Any thread: for how many seconds of sound to keep an answer, however many there are.
    pub fn set_ttl_s(&self, ttl_s: f32) {
        self.ttl_s.store(ttl_s.to_bits(), Relaxed);
        self.changes.fetch_add(1, Release);
    }

    /// Any thread: the limits that were set last.
    pub fn limits(&self) -> CacheLimits {
        CacheLimits {
            entries: self.entries.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            ttl_s: f32::from_bits(self.ttl_s.load(Relaxed)),
        }
    }

    /// Any thread: every answer is to be forgotten.
    pub fn clear(&self) {
        self.clears.fetch_add(1, Release);
    }
}

/// Audio thread: what was obeyed already.
#[derive(Debug, Default)]
pub struct Obeyed {
    changes: u64,
    clears: u64,
}

impl Obeyed {
    /// Does to `cache` what was asked for since the last call.
    pub fn follow(&mut self, control: &CacheControl, cache: &mut AnswerCache) {
        let (changes, clears) = (control.changes.load(Acquire), control.clears.load(Acquire));
        if changes != self.changes {
            self.changes = changes;
            cache.set_limits(control.limits());
        }
        if clears != self.clears {
            self.clears = clears;
            cache.clear();
        }
    }
}
