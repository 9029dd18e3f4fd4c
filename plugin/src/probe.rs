//! `idiom_snapshot`: what the instances in this bundle decide, for programs that load it. See
//! [`idiom_engine::telemetry_c`] for the C declaration.
//!
//! The list of instances is behind a lock that only creating, destroying and asking take: never the audio thread.

use idiom_engine::{IdiomSnapshot, Telemetry};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Instances alive in this process, the oldest first.
static INSTANCES: Mutex<Vec<Arc<Telemetry>>> = Mutex::new(Vec::new());

fn instances() -> MutexGuard<'static, Vec<Arc<Telemetry>>> {
    INSTANCES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps an instance in the list for as long as it lives.
pub struct Registration(Arc<Telemetry>);

impl Registration {
    /// Adds an instance at the end of the list.
    pub fn new(telemetry: Arc<Telemetry>) -> Self {
        instances().push(Arc::clone(&telemetry));
        Self(telemetry)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        instances().retain(|telemetry| !Arc::ptr_eq(telemetry, &self.0));
    }
}

/// Fills `out` with what the instance number `instance` does now and returns 1; 0 is the oldest instance alive.
/// Returns 0, and leaves `out` alone, when there is no such instance or `out` is null.
///
/// `out->size` says how many bytes the caller knows (0: as many as this bundle does); no more are written, and
/// afterwards it says how many were.
///
/// # Safety
/// `out` is null, or points to at least `out->size` writable bytes ([`IdiomSnapshot::SIZE`] if that is 0) aligned
/// for an [`IdiomSnapshot`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn idiom_snapshot(instance: u32, out: *mut IdiomSnapshot) -> u32 {
    let telemetry = instances().get(instance as usize).cloned();
    // SAFETY: the caller promises the same of `out`.
    u32::from(telemetry.is_some_and(|telemetry| unsafe { fill(&telemetry, out) }))
}

/// # Safety
/// As for [`idiom_snapshot`].
unsafe fn fill(telemetry: &Telemetry, out: *mut IdiomSnapshot) -> bool {
    if out.is_null() {
        return false;
    }
    let mut snapshot = IdiomSnapshot::from(&telemetry.snapshot());
    // SAFETY: `out` is valid for a `u32` at its beginning. `addr_of!` makes no reference to the whole structure,
    // which may be shorter than ours.
    let known = unsafe { std::ptr::addr_of!((*out).size).read() };
    snapshot.size = if known == 0 { IdiomSnapshot::SIZE } else { known.min(IdiomSnapshot::SIZE) };
    // SAFETY: at most `known` bytes are written, which the caller promises are there; the source has SIZE bytes.
    unsafe {
        let source = std::ptr::from_ref(&snapshot).cast::<u8>();
        std::ptr::copy_nonoverlapping(source, out.cast::<u8>(), snapshot.size as usize);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_listed(telemetry: &Arc<Telemetry>) -> bool {
        instances().iter().any(|other| Arc::ptr_eq(other, telemetry))
    }

    #[test]
    fn an_instance_is_listed_from_birth_to_death() {
        let telemetry = Arc::new(Telemetry::default());
        assert!(!is_listed(&telemetry));
        let registration = Registration::new(Arc::clone(&telemetry));
        assert!(is_listed(&telemetry));
        let mut out = IdiomSnapshot::EMPTY;
        // SAFETY: `out` is a whole snapshot.
        assert_eq!(unsafe { idiom_snapshot(0, &mut out) }, 1, "somebody is the oldest");
        drop(registration);
        assert!(!is_listed(&telemetry));
    }

    #[test]
    fn callers_of_every_age_get_what_they_know() {
        let telemetry = Telemetry::default();
        telemetry.set_sample_rate(48_000.0);
        let mut whole = IdiomSnapshot { size: 0, ..IdiomSnapshot::EMPTY };
        let mut newer = IdiomSnapshot { size: 4096, ..IdiomSnapshot::EMPTY };
        // Built when the structure ended after `frames`: the rest is somebody else's memory.
        let mut older = IdiomSnapshot { size: 16, level_dbfs: 123.0, ..IdiomSnapshot::EMPTY };
        // SAFETY: none of them is shorter than what is written to it.
        unsafe {
            assert!(
                fill(&telemetry, &mut whole) && fill(&telemetry, &mut newer) && fill(&telemetry, &mut older)
            );
            assert!(!fill(&telemetry, std::ptr::null_mut()));
        }
        assert_eq!(
            (whole.size, whole.sample_rate, whole.level_dbfs),
            (IdiomSnapshot::SIZE, 48_000.0, -120.0)
        );
        assert_eq!(newer, whole);
        assert_eq!((older.size, older.sample_rate, older.level_dbfs), (16, 0.0, 123.0));
    }

    #[test]
    fn nobody_is_asked_beyond_the_list_or_without_a_place_for_the_answer() {
        let mut out = IdiomSnapshot::EMPTY;
        // SAFETY: null and a whole snapshot are both allowed.
        unsafe {
            assert_eq!(idiom_snapshot(u32::MAX, &mut out), 0);
            assert_eq!(idiom_snapshot(0, std::ptr::null_mut()), 0);
        }
        assert_eq!(out, IdiomSnapshot::EMPTY);
    }
}
