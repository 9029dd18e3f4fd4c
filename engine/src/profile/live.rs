//! Profiles on their way to the audio thread while they play.

use super::Profiles;
use atomic_refcell::AtomicRefCell;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

/// Set by any thread but the audio thread, taken over by the audio thread with its next block.
#[derive(Debug, Default)]
pub struct LiveProfiles {
    /// Borrowed for a copy and no longer. The audio thread only tries.
    profiles: AtomicRefCell<Option<Profiles>>,
    changes: AtomicU64,
}

impl LiveProfiles {
    /// Plays these instead of a built-in preset's; `None` plays the built-in one again. Waits while the audio thread
    /// copies the ones before.
    pub fn set(&self, profiles: Option<Profiles>) {
        loop {
            match self.profiles.try_borrow_mut() {
                Ok(mut cell) => {
                    *cell = profiles;
                    break;
                }
                Err(_) => std::thread::yield_now(),
            }
        }
        self.changes.fetch_add(1, Release);
    }

    /// Audio thread: those that were set last, if that was since `seen`; it never waits, and asks again in its next block.
    pub fn take(&self, seen: &mut u64) -> Option<Option<Profiles>> {
        let changes = self.changes.load(Acquire);
        if changes == *seen {
            return None;
        }
        let profiles = *self.profiles.try_borrow().ok()?;
        *seen = changes;
        Some(profiles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Preset;

    #[test]
    fn what_was_set_is_taken_once_and_whole() {
        let (live, mut seen) = (LiveProfiles::default(), 0);
        assert_eq!(live.take(&mut seen), None);
        let profiles = Preset::factory()[3].profiles;
        live.set(Some(profiles));
        let writing = live.profiles.borrow_mut();
        assert_eq!(live.take(&mut seen), None, "the audio thread does not wait");
        drop(writing);
        assert_eq!(live.take(&mut seen), Some(Some(profiles)));
        assert_eq!(live.take(&mut seen), None);
        live.set(None);
        assert_eq!(live.take(&mut seen), Some(None));
    }
}
