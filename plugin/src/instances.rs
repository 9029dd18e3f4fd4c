//! The instances alive in this process, and which of the host's objects each of them belongs to.
//!
//! nice-plug makes an instance inside of the object that it gives to the host, and neither tells the other of it. An
//! entry point matches them right after making one, on the same thread: [`adopt`]. From then on what happens to the
//! host's object can be told to the right instance.
//!
//! The list is behind a lock that only creating, destroying, loading states and asking take: never the audio thread.

use crate::params::IdiomParams;
use crate::shared::Shared;
use nice_plug::prelude::*;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An instance in the list.
#[derive(Clone)]
pub struct Instance {
    /// What the host saves.
    pub params: Arc<IdiomParams>,
    /// What runs.
    pub shared: Arc<Shared>,
    /// Number in the order of making, from 1.
    serial: u64,
    /// Address of the host's object, 0 before [`adopt`].
    object: usize,
    /// Address of the CLAP host that it was made for, 0 in other formats.
    pub host: usize,
}

/// The oldest first.
static INSTANCES: Mutex<Vec<Instance>> = Mutex::new(Vec::new());

thread_local! {
    /// Serial number of the instance that was made last on this thread.
    static NEWEST: Cell<u64> = const { Cell::new(0) };
}

fn list() -> MutexGuard<'static, Vec<Instance>> {
    INSTANCES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps an instance in the list for as long as it lives.
pub struct Registration(u64);

impl Registration {
    /// Adds an instance at the end of the list.
    pub fn new(params: &Arc<IdiomParams>, shared: &Arc<Shared>) -> Self {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let serial = MADE.fetch_add(1, Relaxed) + 1;
        NEWEST.set(serial);
        let (params, shared) = (Arc::clone(params), Arc::clone(shared));
        list().push(Instance { params, shared, serial, object: 0, host: 0 });
        Self(serial)
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut instances = list();
        let place = instances.iter().position(|instance| instance.serial == self.0);
        let gone = place.map(|place| instances.remove(place));
        // Only now what it held is dropped, without the lock.
        drop(instances);
        drop(gone);
    }
}

/// The instance number `index`; 0 is the oldest alive.
pub fn nth(index: usize) -> Option<Instance> {
    list().get(index).cloned()
}

/// The instance that was made last on this thread, while it lives.
pub fn newest() -> Option<Instance> {
    let serial = NEWEST.get();
    list().iter().find(|instance| instance.serial == serial).cloned()
}

/// The instance of the host's object at this address.
pub fn of(object: usize) -> Option<Instance> {
    list().iter().find(|instance| instance.object == object).cloned()
}

/// The instance that was made last on this thread belongs to the host's object at this address. `host` is the address of
/// the CLAP host, 0 in other formats.
pub fn adopt(object: usize, host: usize) {
    let serial = NEWEST.get();
    if let Some(instance) = list().iter_mut().find(|instance| instance.serial == serial) {
        instance.object = object;
        instance.host = host;
    }
}

/// nice-plug refused a state for the host's object at this address: says so in the log and in the instance's window.
pub fn state_refused(object: usize) {
    nice_warn!(
        "State: cut off or not written by Idiom; nothing of it was loaded, all settings are as before"
    );
    if let Some(instance) = of(object) {
        instance.params.report.unreadable();
        instance.shared.repaint.request_repaint();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::Handle;

    #[test]
    fn an_instance_is_listed_from_birth_to_death_and_found_by_its_object() {
        let make = || {
            let handle = Arc::new(Handle::new());
            (Arc::new(IdiomParams::new(Arc::clone(&handle))), Arc::new(Shared::new(handle)))
        };
        let ((params, shared), (other, other_shared)) = (make(), make());
        let registration = Registration::new(&params, &shared);
        adopt(0x1234_5678, 0);
        let other_registration = Registration::new(&other, &other_shared);
        adopt(0x8765_4321, 7);
        let here = |params: &Arc<IdiomParams>| list().iter().any(|one| Arc::ptr_eq(&one.params, params));
        assert!(here(&params) && here(&other));
        assert!(newest().is_some_and(|newest| Arc::ptr_eq(&newest.params, &other)));
        assert!(of(0x8765_4321).is_some_and(|one| Arc::ptr_eq(&one.params, &other) && one.host == 7));
        assert!(of(0x1111).is_none());
        state_refused(0x1234_5678);
        assert!(params.report.message().is_some());
        assert_eq!(other.report.message(), None);
        drop(registration);
        assert!(!here(&params) && here(&other));
        drop(other_registration);
        assert!(newest().is_none());
    }
}
