//! Profiles on their way to the audio thread while they play.

use super::{Parameter, Profiles};
use atomic_refcell::AtomicRefCell;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

/// Most own settings that change together with profiles.
pub const MAX_HANDED: usize = 2;

/// Own settings of the user's, as they are once they have gone into the profiles, or come out of them.
pub type Handed = [Option<(Parameter, f32)>; MAX_HANDED];

/// Profiles that were set.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Change {
    /// What is to play; `None` is a built-in preset.
    pub profiles: Option<Profiles>,
    /// The own settings that change with them, so that what is heard stays. Hosts tell of those in their own time, maybe
    /// some blocks later.
    pub handed: Handed,
}

/// Set by any thread but the audio thread, taken over by the audio thread with its next block.
#[derive(Debug, Default)]
pub struct LiveProfiles {
    /// Borrowed for a copy and no longer. The audio thread only tries.
    change: AtomicRefCell<Change>,
    changes: AtomicU64,
}

impl LiveProfiles {
    /// Plays these instead of a built-in preset's; without any the built-in one plays again. Waits while the audio thread
    /// copies the ones before.
    pub fn set(&self, change: Change) {
        loop {
            match self.change.try_borrow_mut() {
                Ok(mut cell) => {
                    *cell = change;
                    break;
                }
                Err(_) => std::thread::yield_now(),
            }
        }
        self.changes.fetch_add(1, Release);
    }

    /// Audio thread: those that were set last, if that was since `seen`; it never waits, and asks again in its next block.
    pub fn take(&self, seen: &mut u64) -> Option<Change> {
        let changes = self.changes.load(Acquire);
        if changes == *seen {
            return None;
        }
        let change = *self.change.try_borrow().ok()?;
        *seen = changes;
        Some(change)
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
        let profiles = Some(Preset::factory()[3].profiles);
        let change = Change { profiles, handed: [Some((Parameter::LowDb, 1.0)), None] };
        live.set(change);
        let writing = live.change.borrow_mut();
        assert_eq!(live.take(&mut seen), None, "the audio thread does not wait");
        drop(writing);
        assert_eq!(live.take(&mut seen), Some(change));
        assert_eq!(live.take(&mut seen), None);
        live.set(Change::default());
        assert_eq!(live.take(&mut seen), Some(Change::default()));
    }
}
