//! Which preset plays, kept with the session by name.

use idiom_engine::profile::{PRESET_VERSION, Preset};
use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A preset as saved. The numbers are not: a project that is opened plays what its preset says now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPreset {
    /// Name of the preset.
    pub name: String,
    /// Format of preset files that it was saved with, see [`PRESET_VERSION`].
    pub version: i64,
}

/// The preset that plays, kept with the session by its name.
#[derive(Debug, Default)]
pub struct PresetSelection {
    /// Number in [`Preset::factory`].
    playing: AtomicUsize,
    /// The one a session asks for that is not there. It is saved again, so that the session keeps it.
    missing: Mutex<Option<SavedPreset>>,
    /// The user knows that it is missing.
    dismissed: AtomicBool,
}

impl PresetSelection {
    /// Number of the preset that plays. Audio thread safe.
    pub fn get(&self) -> usize {
        self.playing.load(Relaxed)
    }

    /// Plays preset number `index`. Window thread.
    pub fn choose(&self, index: usize) {
        if index < Preset::factory().len() {
            self.playing.store(index, Relaxed);
            *self.missing() = None;
        }
    }

    /// What to tell about a preset that the session asks for and that is not there.
    pub fn message(&self) -> Option<String> {
        if self.dismissed.load(Relaxed) {
            return None;
        }
        let plays = &Preset::factory()[self.get().min(Preset::factory().len() - 1)].name;
        self.missing().as_ref().map(|missing| {
            format!(
                "This session uses the preset {:?}, which this Idiom {} does not have; {plays:?} plays instead. Update \
                 Idiom, or choose another preset.",
                missing.name,
                env!("CARGO_PKG_VERSION")
            )
        })
    }

    /// The user has read that.
    pub fn dismiss(&self) {
        self.dismissed.store(true, Relaxed);
    }

    fn missing(&self) -> MutexGuard<'_, Option<SavedPreset>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PersistentField<'_, SavedPreset> for PresetSelection {
    fn set(&self, loaded: SavedPreset) {
        match Preset::factory().iter().position(|preset| preset.name == loaded.name) {
            Some(index) => self.choose(index),
            None => {
                nice_warn!("State: there is no preset {:?}; the one before plays on", loaded.name);
                *self.missing() = Some(loaded);
                self.dismissed.store(false, Relaxed);
            }
        }
    }

    fn map<F: Fn(&SavedPreset) -> R, R>(&self, f: F) -> R {
        let missing = self.missing().clone();
        f(&missing.unwrap_or_else(|| {
            let name = Preset::factory().get(self.get()).map_or("", |preset| &preset.name).to_owned();
            SavedPreset { name, version: PRESET_VERSION }
        }))
    }
}
