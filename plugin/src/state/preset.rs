//! Which preset plays: a built-in one, kept with the session by name, or one of the user's own, kept whole.

use idiom_engine::profile::edit::asked_for;
use idiom_engine::profile::live::Handed;
use idiom_engine::profile::{PRESET_VERSION, Parameter, Preset, Profile, Profiles};
use idiom_engine::{Genre, Handle};
use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A preset as saved. Of a built-in one the numbers are not: a project that is opened plays what its preset says now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedPreset {
    /// Name of the preset.
    pub name: String,
    /// Format of preset files that it was saved with, see [`PRESET_VERSION`].
    pub version: i64,
    /// A preset of the user's own, as its file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl SavedPreset {
    /// Reads it, and the file within it.
    ///
    /// # Errors
    /// When either cannot be read: a text that says why.
    pub fn parse(text: &str) -> Result<SavedPreset, String> {
        let saved: SavedPreset = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match saved.text.as_deref().map(Preset::parse) {
            Some(Err(error)) => Err(error.to_string()),
            _ => Ok(saved),
        }
    }
}

/// What plays: a built-in preset, or in its place one of the user's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// Number in [`Preset::factory`] of the built-in one, or of the one before the user's own.
    pub built_in: usize,
    /// The user's own.
    pub own: Option<Preset>,
}

impl From<usize> for Played {
    fn from(built_in: usize) -> Played {
        Played { built_in, own: None }
    }
}

/// The preset that plays.
pub struct PresetSelection {
    /// Number in [`Preset::factory`] of the built-in one that plays, or that played before the user's own.
    playing: AtomicUsize,
    /// The user's own one that plays.
    own: Mutex<Option<Preset>>,
    /// The one a session asks for that is not there. It is saved again, so that the session keeps it.
    missing: Mutex<Option<SavedPreset>>,
    /// The user knows that it is missing.
    dismissed: AtomicBool,
    handle: Arc<Handle>,
}

impl PresetSelection {
    /// Starts at the first built-in preset, as the engine of `handle` does.
    pub fn new(handle: Arc<Handle>) -> Self {
        Self {
            playing: AtomicUsize::new(0),
            own: Mutex::default(),
            missing: Mutex::default(),
            dismissed: AtomicBool::new(false),
            handle,
        }
    }

    /// Number of the built-in preset that plays, unless one of the user's own does. Audio thread safe.
    pub fn get(&self) -> usize {
        self.playing.load(Relaxed)
    }

    /// The preset that plays. Not for the audio thread.
    pub fn preset(&self) -> Preset {
        lock(&self.own).clone().unwrap_or_else(|| self.built_in().clone())
    }

    /// Whether one of the user's own plays: loaded, or edited.
    pub fn is_own(&self) -> bool {
        lock(&self.own).is_some()
    }

    /// Plays built-in preset number `index`. Window thread.
    pub fn choose(&self, index: usize) {
        if index < Preset::factory().len() {
            self.playing.store(index, Relaxed);
            *lock(&self.missing) = None;
            self.take(&mut lock(&self.own), None, Handed::default());
        }
    }

    /// Plays a preset of the user's own. Window thread.
    pub fn play(&self, preset: Preset) {
        *lock(&self.missing) = None;
        self.take(&mut lock(&self.own), Some(preset), Handed::default());
    }

    /// What plays. Window thread.
    pub fn played(&self) -> Played {
        Played { built_in: self.get(), own: lock(&self.own).clone() }
    }

    /// Plays what played when [`played`](Self::played) was asked. Window thread.
    pub fn set_played(&self, played: &Played) {
        self.hand_over(played, Handed::default());
    }

    /// The same, while own settings go into its profiles or come out of them: the mix takes both over at once, and what is
    /// heard stays. Window thread.
    pub fn hand_over(&self, played: &Played, handed: Handed) {
        if played.built_in < Preset::factory().len() {
            self.playing.store(played.built_in, Relaxed);
        }
        *lock(&self.missing) = None;
        self.take(&mut lock(&self.own), played.own.clone(), handed);
    }

    /// Edits what is heard: changes what `genre` asks for so that `parameter` has the value `heard` while that genre
    /// plays at full Amount, above the user's own setting `own`. A built-in preset becomes one of the user's own by
    /// that. Returns what is asked for now: as near to it as the preset's other genres allow. Window thread.
    pub fn edit(&self, genre: Genre, parameter: Parameter, heard: f32, own: f32) -> f32 {
        self.change(|profiles| profiles.edit(genre, parameter, asked_for(parameter, heard, own)))
    }

    /// What plays once what the user has turned `parameter` to while `genre` plays is a part of that genre's profile, at this
    /// Amount (`0..=1`), as far as the preset's other genres allow; and what is left of the user's own settings then. With
    /// both, see [`hand_over`](Self::hand_over), what is heard stays as it was: what the equalizer's trim takes back of the
    /// loudness becomes an own setting. Window thread.
    pub fn keep(&self, genre: Genre, parameter: Parameter, own: &Profile, amount: f32) -> (Played, Handed) {
        let (mut preset, amount) = (self.editable(lock(&self.own).clone()), f64::from(amount));
        if amount <= 0.0 {
            return (self.played(), [Some((parameter, own[parameter])), None]);
        }
        let domain = |profile: &Profile, parameter: Parameter| parameter.to_domain(profile[parameter]);
        let before = preset.profiles.genres[genre.index()];
        let turned = domain(own, parameter) - domain(&Profile::NEUTRAL, parameter);
        let wanted = domain(&before, parameter) + turned / amount;
        let (min, max) = parameter.domain_range();
        preset.profiles.edit(genre, parameter, parameter.from_domain(wanted.clamp(min, max)));
        let after = preset.profiles.genres[genre.index()];
        let left = |parameter: Parameter| {
            let moved = domain(&after, parameter) - domain(&before, parameter);
            let (min, max) = parameter.domain_range();
            let left = parameter.from_domain((domain(own, parameter) - amount * moved).clamp(min, max));
            // Profiles have the decimals of preset files.
            let neutral = parameter.spec().neutral;
            let gone = (left - neutral).abs() <= 2e-3 * neutral.abs().max(1.0);
            Some((parameter, if gone { neutral } else { left }))
        };
        let evened = after[Parameter::EqTrim] != before[Parameter::EqTrim];
        let handed = [left(parameter), if evened { left(Parameter::EqTrim) } else { None }];
        (Played { built_in: self.get(), own: Some(preset) }, handed)
    }

    /// Changes the profiles that play. A built-in preset becomes one of the user's own by that.
    fn change<T>(&self, work: impl FnOnce(&mut Profiles) -> T) -> T {
        let mut cell = lock(&self.own);
        let mut preset = self.editable(cell.take());
        let result = work(&mut preset.profiles);
        self.take(&mut cell, Some(preset), Handed::default());
        result
    }

    /// This preset, or the built-in one as one of the user's own.
    fn editable(&self, own: Option<Preset>) -> Preset {
        own.unwrap_or_else(|| {
            let built_in = self.built_in();
            Preset { name: format!("{} (edited)", built_in.name), ..built_in.clone() }
        })
    }

    fn take(&self, cell: &mut Option<Preset>, preset: Option<Preset>, handed: Handed) {
        self.handle.hand_over(preset.as_ref().map(|preset| preset.profiles), handed);
        *cell = preset;
    }

    fn built_in(&self) -> &'static Preset {
        let presets = Preset::factory();
        presets.get(self.get()).unwrap_or(&presets[0])
    }

    /// What to tell about a preset that the session asks for and that is not there.
    pub fn message(&self) -> Option<String> {
        if self.dismissed.load(Relaxed) {
            return None;
        }
        let plays = self.preset().name;
        lock(&self.missing).as_ref().map(|missing| {
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
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PersistentField<'_, SavedPreset> for PresetSelection {
    fn set(&self, loaded: SavedPreset) {
        if let Some(Ok(preset)) = loaded.text.as_deref().map(Preset::parse) {
            return self.play(preset);
        }
        match Preset::factory().iter().position(|preset| preset.name == loaded.name) {
            Some(index) => self.choose(index),
            None => {
                nice_warn!("State: there is no preset {:?}; the one before plays on", loaded.name);
                *lock(&self.missing) = Some(loaded);
                self.dismissed.store(false, Relaxed);
            }
        }
    }

    fn map<F: Fn(&SavedPreset) -> R, R>(&self, f: F) -> R {
        let missing = lock(&self.missing).clone();
        f(&missing.unwrap_or_else(|| {
            let (preset, own) = (self.preset(), self.is_own());
            let text = own.then(|| preset.to_text());
            SavedPreset { name: preset.name, version: PRESET_VERSION, text }
        }))
    }
}
