//! What is kept with a session beside the parameters, and what happens when a session brings a bad state.
//!
//! A state is loaded on the host's main thread while audio may be running. What the audio thread reads is an atomic;
//! what only has to be remembered for the next save is behind a lock that the audio thread never takes. [`inspect`] sees a state before it is applied, takes out what cannot be right
//! and leaves word of it in the state itself, from where it reaches the instance it concerns as its [`LoadReport`].

mod preset;
mod user_model;

pub use preset::{Played, PresetSelection, SavedPreset};
pub use user_model::ModelSelection;

use crate::params::{BackendChoice, Dial, QuantizationChoice, Switch, cc, choice, own, recognition};
use idiom_engine::profile::Parameter;
use idiom_engine::worker::UserModel;
use idiom_engine::{Backend, Quantization};
use nice_plug::params::persist::PersistentField;
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Number of the present layout of the state. Raised when an older Idiom could misread a newer state.
pub const FORMAT: u32 = 1;

/// Writes [`FORMAT`] into each saved state.
#[derive(Debug, Default)]
pub struct FormatNumber;

impl PersistentField<'_, u32> for FormatNumber {
    /// The number of a loaded state matters to [`inspect`] only.
    fn set(&self, _loaded: u32) {}

    fn map<F: Fn(&u32) -> R, R>(&self, f: F) -> R {
        f(&FORMAT)
    }
}

/// What computes the genre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The backend asked for.
    pub backend: Backend,
    /// The arithmetic asked for.
    pub quantization: Quantization,
}

/// Width and height of the window in logical points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Width in points.
    pub width: u16,
    /// Height in points.
    pub height: u16,
}

impl Size {
    /// The window of a new instance.
    pub const DEFAULT: Size = Size { width: 960, height: 690 };
    /// The smallest window in which everything can be read.
    pub const MIN: Size = Size { width: 720, height: 518 };
    /// The largest window that is restored, so that a session from a larger screen stays usable.
    pub const MAX: Size = Size { width: 3840, height: 2400 };

    /// How large it is in percent of [`Size::DEFAULT`]: what its contents are scaled by.
    pub fn percent(self) -> u16 {
        let share = |side: u16, of: u16| u32::from(side) * 100 / u32::from(of);
        share(self.width, Self::DEFAULT.width).min(share(self.height, Self::DEFAULT.height)) as u16
    }

    /// The size at this many percent of [`Size::DEFAULT`].
    pub fn at_percent(percent: u16) -> Size {
        let scaled =
            |side: u16| (u32::from(side) * u32::from(percent)).div_ceil(100).min(u16::MAX.into()) as u16;
        Size { width: scaled(Self::DEFAULT.width), height: scaled(Self::DEFAULT.height) }.clamped()
    }

    /// The nearest size between [`Size::MIN`] and [`Size::MAX`].
    pub fn clamped(self) -> Size {
        Size {
            width: self.width.clamp(Self::MIN.width, Self::MAX.width),
            height: self.height.clamp(Self::MIN.height, Self::MAX.height),
        }
    }
}

/// The window's [`Size`], kept with the session.
#[derive(Debug)]
pub struct WindowSize(AtomicU32);

impl WindowSize {
    /// The size to open the window with.
    pub fn get(&self) -> Size {
        let packed = self.0.load(Relaxed);
        Size { width: packed as u16, height: (packed >> 16) as u16 }
    }

    /// Remembers a size, clamped to what is usable.
    pub fn remember(&self, size: Size) {
        let size = size.clamped();
        self.0.store(u32::from(size.width) | u32::from(size.height) << 16, Relaxed);
    }
}

impl Default for WindowSize {
    fn default() -> Self {
        let size = Self(AtomicU32::new(0));
        size.remember(Size::DEFAULT);
        size
    }
}

impl PersistentField<'_, Size> for WindowSize {
    fn set(&self, loaded: Size) {
        self.remember(loaded);
    }

    fn map<F: Fn(&Size) -> R, R>(&self, f: F) -> R {
        f(&self.get())
    }
}

/// The [`LoadReport`] of a state that was refused as a whole.
const UNREADABLE: u64 = u64::MAX;

/// What [`inspect`] found in the state loaded last: `dropped entries | newer format << 32`, 0 when all was well.
#[derive(Debug, Default)]
pub struct LoadReport(AtomicU64);

impl LoadReport {
    /// The message for the window, `None` when there is nothing to say.
    pub fn message(&self) -> Option<String> {
        let bits = self.0.load(Relaxed);
        if bits == UNREADABLE {
            return Some(
                "The saved state could not be read: it is cut off or was not written by Idiom. All settings are as \
                 before; set them by hand, or load another preset or an earlier session."
                    .into(),
            );
        }
        let (dropped, newer) = (bits as u32, (bits >> 32) as u32);
        let newer = (newer > 0).then(|| {
            format!(
                "This session was saved by a newer Idiom (state format {newer}, this one reads {FORMAT}). \
                 What it knows was loaded; update Idiom before saving, or the rest is lost."
            )
        });
        let dropped = (dropped > 0).then(|| {
            let entries = if dropped == 1 { "1 setting".into() } else { format!("{dropped} settings") };
            format!(
                "The saved state is damaged: {entries} could not be read and kept the value before. \
                 Check the controls and save again; the log names each one."
            )
        });
        match (newer, dropped) {
            (Some(newer), Some(dropped)) => Some(newer + " " + &dropped),
            (newer, dropped) => newer.or(dropped),
        }
    }

    /// Nothing of the state could be read.
    pub fn unreadable(&self) {
        self.0.store(UNREADABLE, Relaxed);
    }

    /// The user has read it.
    pub fn dismiss(&self) {
        self.0.store(0, Relaxed);
    }
}

impl PersistentField<'_, u64> for LoadReport {
    fn set(&self, found: u64) {
        self.0.store(found, Relaxed);
    }

    /// A report is about one load; a saved state carries none.
    fn map<F: Fn(&u64) -> R, R>(&self, f: F) -> R {
        f(&0)
    }
}

/// Looks through a state before it is applied, takes out what cannot be applied safely, logs each such entry, and
/// writes the sum into the state for [`LoadReport`]. Entries that are missing keep their present values.
pub fn inspect(state: &mut PluginState) {
    let mut dropped = 0u32;
    let mut drop_entry = |what: String| {
        nice_warn!("State: {what}; ignored, the value before is kept");
        dropped += 1;
    };
    let format = state.fields.get("format").map(|text| serde_json::from_str::<u32>(text));
    let newer = match &format {
        Some(Ok(number)) if *number > FORMAT => *number,
        Some(Ok(_)) => 0,
        Some(Err(error)) => {
            drop_entry(format!("the format number is unreadable ({error})"));
            0
        }
        None => {
            drop_entry("the format number is missing".into());
            0
        }
    };
    if newer > 0 {
        nice_warn!(
            "State: saved with format {newer} by Idiom {:?}, newer than format {FORMAT} of this Idiom {}; update Idiom \
             to load all of it",
            state.version,
            env!("CARGO_PKG_VERSION"),
        );
    }
    // Before there was a mode, Hold was a switch.
    if let Some(ParamValue::Bool(frozen)) = state.params.remove("freeze") {
        let mode = if frozen { "hold" } else { "follow" };
        if !state.params.contains_key("mode") {
            state.params.insert("mode".into(), ParamValue::String(mode.into()));
            fill_in(state);
        }
    }
    // Before they were parameters, backend and quantization were a field.
    match state.fields.remove("inference").map(|text| serde_json::from_str::<Choice>(&text)) {
        None => {}
        Some(Ok(Choice { backend, quantization })) => {
            let ids = [
                ("backend", BackendChoice::from(backend).id()),
                ("quantization", QuantizationChoice::from(quantization).id()),
            ];
            state.params.extend(ids.map(|(id, value)| (id.into(), ParamValue::String(value.into()))));
        }
        Some(Err(error)) => drop_entry(format!("field \"inference\" is unreadable ({error})")),
    }
    // A newer Idiom may well have settings that this one has never heard of: no damage, and said above.
    state.params.retain(|id, value| match check_param(id, value) {
        Ok(()) => true,
        Err(Fault::Unknown) if newer > 0 => false,
        Err(Fault::Unknown) => {
            drop_entry(format!("there is no parameter {id:?}"));
            false
        }
        Err(Fault::Bad(why)) => {
            drop_entry(format!("parameter {id:?} {why}"));
            false
        }
    });
    if matches!(format, Some(Err(_))) {
        state.fields.remove("format");
    }
    state.fields.retain(|key, text| match check_field(key, text) {
        Ok(()) => true,
        Err(why) => {
            drop_entry(format!("field {key:?} is unreadable ({why})"));
            false
        }
    });
    let report = u64::from(dropped) | u64::from(newer) << 32;
    state.fields.insert("report".into(), report.to_string());
}

/// Gives a state of the first version, which knew nine parameters, the defaults of those that came later: they sound as
/// that version did.
fn fill_in(state: &mut PluginState) {
    let dials =
        [Dial::Input, Dial::Ceiling].map(|dial| (dial.id().to_owned(), ParamValue::F32(dial.default())));
    let switches =
        Switch::ALL.map(|switch| (switch.id().to_owned(), ParamValue::Bool(switch.default()))).into_iter();
    let own = Parameter::ALL.iter().map(|&p| (own::id(p), ParamValue::F32(p.spec().neutral)));
    for (id, value) in dials.into_iter().chain(switches).chain(own) {
        state.params.entry(id).or_insert(value);
    }
}

enum Fault {
    Unknown,
    Bad(String),
}

fn check_param(id: &str, value: &ParamValue) -> Result<(), Fault> {
    let dial = Dial::ALL.into_iter().find(|dial| dial.id() == id).map(Dial::limits);
    if let Some((min, max)) = dial.or_else(|| own::by_id(id).map(|parameter| parameter.spec().range)) {
        // A hair over the edge is rounding, not damage.
        let hair = 1e-5 * (max - min);
        return match value {
            ParamValue::F32(v) if *v >= min - hair && *v <= max + hair => Ok(()),
            other => Err(Fault::Bad(format!("is {other:?}, not a number from {min} to {max}"))),
        };
    }
    if Switch::ALL.into_iter().any(|switch| switch.id() == id) {
        return match value {
            ParamValue::Bool(_) => Ok(()),
            other => Err(Fault::Bad(format!("is {other:?}, not true or false"))),
        };
    }
    if let Some(ids) = choice::ids(id) {
        return match value {
            ParamValue::String(name) if ids.contains(&name.as_str()) => Ok(()),
            other => Err(Fault::Bad(format!("is {other:?}, not one of {ids:?}"))),
        };
    }
    if let Some((min, max)) = cc::limits(id).or_else(|| recognition::limits(id)) {
        return match value {
            ParamValue::I32(number) if (min..=max).contains(number) => Ok(()),
            other => Err(Fault::Bad(format!("is {other:?}, not a whole number from {min} to {max}"))),
        };
    }
    Err(Fault::Unknown)
}

fn check_field(key: &str, text: &str) -> Result<(), String> {
    match key {
        "model" => {
            serde_json::from_str::<Option<UserModel>>(text).map(drop).map_err(|error| error.to_string())
        }
        "preset" => SavedPreset::parse(text).map(drop),
        "window" => serde_json::from_str::<Size>(text).map(drop).map_err(|error| error.to_string()),
        // The format number is dealt with above; the report is overwritten; others are a newer Idiom's own.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::IdiomParams;
    use idiom_engine::profile::Preset;
    use idiom_engine::{Genre, Handle};
    use nice_plug::params::internals::ParamPtr;
    use std::sync::Arc;

    fn params() -> (Arc<Handle>, IdiomParams) {
        let handle = Arc::new(Handle::new());
        (Arc::clone(&handle), IdiomParams::new(handle))
    }

    /// What a host would save.
    fn saved(params: &IdiomParams) -> PluginState {
        let value = |param: ParamPtr| match param {
            // SAFETY: the pointers are to parameters that are alive.
            ParamPtr::FloatParam(p) => ParamValue::F32(unsafe { (*p).value() }),
            // SAFETY: as above.
            ParamPtr::IntParam(p) => ParamValue::I32(unsafe { (*p).value() }),
            // SAFETY: as above.
            ParamPtr::BoolParam(p) => ParamValue::Bool(unsafe { (*p).value() }),
            // SAFETY: as above.
            ParamPtr::EnumParam(p) => {
                ParamValue::String(unsafe { (*p).unmodulated_plain_id() }.unwrap().into())
            }
        };
        let entries = params.param_map().into_iter().map(|(id, param, _)| (id, value(param))).collect();
        let version = env!("CARGO_PKG_VERSION").to_owned();
        PluginState { version, params: entries, fields: params.serialize_fields() }
    }

    /// As nice-plug loads: inspect, then parameters and fields.
    fn load(state: &mut PluginState, params: &IdiomParams) {
        inspect(state);
        for (id, param, _) in params.param_map() {
            let Some(value) = state.params.get(&id) else { continue };
            // SAFETY: the pointers are to parameters that are alive.
            unsafe {
                let normalized = match (param, value) {
                    // nice-plug sets numbers as they are; the way through a share of their range would round them.
                    (ParamPtr::FloatParam(_), ParamValue::F32(_)) => continue,
                    (ParamPtr::IntParam(p), ParamValue::I32(v)) => (*p).preview_normalized(*v),
                    (ParamPtr::BoolParam(p), ParamValue::Bool(v)) => (*p).preview_normalized(*v),
                    (ParamPtr::EnumParam(p), ParamValue::String(v)) => {
                        let index = choice::ids(&id).unwrap().iter().position(|known| known == v).unwrap();
                        (*p).preview_normalized(index as i32)
                    }
                    (_, other) => panic!("{id} is {other:?}"),
                };
                param._internal_set_normalized_value(normalized);
            }
        }
        params.deserialize_fields(&state.fields);
    }

    #[test]
    fn fields_come_back_as_they_were_saved() {
        let (_, params) = params();
        let choice = Choice { backend: Backend::Spectral, quantization: Quantization::Fp32 };
        params.recognition.choose(choice);
        params.window.remember(Size { width: 1234, height: 567 });
        params.preset.choose(2);
        let json = serde_json::to_string(&saved(&params)).unwrap();

        let (handle, fresh) = self::params();
        let mut state: PluginState = serde_json::from_str(&json).unwrap();
        load(&mut state, &fresh);
        assert_eq!(fresh.recognition.choice(), choice);
        assert_eq!(handle.status().requested, (Backend::Spectral, Quantization::Fp32), "the engine was told");
        assert_eq!(fresh.window.get(), Size { width: 1234, height: 567 });
        assert_eq!((fresh.preset.get(), fresh.controls().preset), (2, 2));
        assert_eq!(fresh.report.message(), None);
        assert_eq!(serde_json::to_string(&saved(&fresh)).unwrap(), json);
    }

    #[test]
    fn a_sound_state_passes_untouched() {
        let (_, params) = params();
        let state = saved(&params);
        let mut inspected = state.clone();
        inspect(&mut inspected);
        assert_eq!(serde_json::to_string(&inspected).unwrap(), serde_json::to_string(&state).unwrap());
    }

    /// A session of the first version: nine parameters, Hold a switch.
    #[test]
    fn a_state_of_the_first_version_still_loads() {
        let (_, params) = params();
        let old = r#"{"version":"0.1.0","params":{"amount":{"f32":50.0},"bypass":{"bool":true},
            "compressor":{"bool":false},"eq":{"bool":true},"freeze":{"bool":true},"genre":{"string":"jazz"},
            "output":{"f32":-3.5},"reaction":{"f32":1.0},"threshold":{"f32":60.0}},
            "fields":{"format":"1","inference":"{\"backend\":\"spectral\",\"quantization\":\"auto\"}",
            "preset":"{\"name\":\"Gentle Bus\",\"version\":2}","window":"{\"width\":960,\"height\":690}"}}"#;
        let mut state: PluginState = serde_json::from_str(old).unwrap();
        load(&mut state, &params);
        assert_eq!(params.report.message(), None);
        assert!(matches!(state.params["compressor"], ParamValue::Bool(false)), "what it says stays");
        assert!(
            matches!(state.params["eq.low_db"], ParamValue::F32(0.0)),
            "what it does not know is neutral"
        );
        assert!(matches!(&state.params["mode"], ParamValue::String(mode) if mode == "hold"));
        assert_eq!(params.preset.get(), 1);
        assert_eq!(params.recognition.choice().backend, Backend::Spectral, "which was a field then");
        // A state that has both was saved by a later version: its mode counts.
        state.params.insert("mode".into(), ParamValue::String("learn".into()));
        state.params.insert("freeze".into(), ParamValue::Bool(true));
        inspect(&mut state);
        assert!(matches!(&state.params["mode"], ParamValue::String(mode) if mode == "learn"));
    }

    #[test]
    fn a_newer_state_is_loaded_as_far_as_it_is_known_and_said_so() {
        let (_, params) = params();
        let mut state = saved(&params);
        state.fields.insert("format".into(), "7".into());
        state.fields.insert("novelty".into(), "{}".into());
        state.params.insert("novel".into(), ParamValue::F32(1.0));
        load(&mut state, &params);
        let message = params.report.message().expect("a newer state is said");
        assert!(message.contains("newer Idiom") && message.contains("format 7"), "{message}");
        assert!(!message.contains("damaged"), "{message}");
        assert!(!state.params.contains_key("novel") && state.params.contains_key("amount"));
        params.report.dismiss();
        assert_eq!(params.report.message(), None);
    }

    #[test]
    fn damaged_entries_are_taken_out_and_counted() {
        let (_, params) = params();
        let before = params.recognition.choice();
        let damage: [(&str, ParamValue); 11] = [
            ("amount", ParamValue::F32(f32::NAN)),
            ("reaction", ParamValue::F32(1e9)),
            ("threshold", ParamValue::Bool(true)),
            ("output", ParamValue::String("loud".into())),
            ("mode", ParamValue::I32(1)),
            ("eq.low_db", ParamValue::F32(99.0)),
            ("cc.winner", ParamValue::I32(99)),
            ("backend", ParamValue::String("quantum".into())),
            ("cache.size", ParamValue::I32(-1)),
            ("genre", ParamValue::String("polka".into())),
            ("unknown", ParamValue::F32(0.0)),
        ];
        let mut state = saved(&params);
        state.params.extend(damage.clone().map(|(id, value)| (id.to_owned(), value)));
        state.fields.insert("inference".into(), r#"{"backend":"quantum","quantization":"int8"}"#.into());
        state.fields.insert("window".into(), r#"{"width":-1,"height":70000}"#.into());
        state.fields.insert("preset".into(), r#"{"name":7}"#.into());
        state.fields.insert("model".into(), r#"{"name":7}"#.into());
        state.fields.insert("format".into(), "one".into());
        load(&mut state, &params);
        for (id, _) in damage {
            assert!(!state.params.contains_key(id), "{id} is still there");
        }
        assert!(["eq", "compressor", "bypass"].iter().all(|id| state.params.contains_key(*id)));
        assert_eq!(params.recognition.choice(), before);
        assert_eq!(params.window.get(), Size::DEFAULT);
        assert_eq!(params.model.get(), None);
        let message = params.report.message().expect("damage is said");
        assert!(message.contains("damaged: 16 settings"), "{message}");

        // The next sound state clears the report.
        load(&mut saved(&params), &params);
        assert_eq!(params.report.message(), None);
    }

    #[test]
    fn a_state_without_a_format_is_damaged() {
        let (_, params) = params();
        let mut state = saved(&params);
        state.fields.remove("format");
        load(&mut state, &params);
        assert!(params.report.message().is_some_and(|message| message.contains("1 setting could")));
    }

    #[test]
    fn a_preset_that_is_not_there_is_said_and_not_forgotten() {
        let (_, params) = params();
        params.preset.choose(1);
        let mut state = saved(&params);
        assert_eq!(params.notice(), None);
        state.fields.insert("preset".into(), r#"{"name":"Opera House","version":3}"#.into());
        load(&mut state, &params);
        assert_eq!(params.preset.get(), 1, "the one before plays on");
        let message = params.notice().expect("said in the window");
        assert!(message.contains("\"Opera House\"") && message.contains("\"Gentle Bus\""), "{message}");
        params.dismiss_notice();
        assert_eq!(params.notice(), None);
        assert_eq!(saved(&params).fields["preset"], r#"{"name":"Opera House","version":3}"#);
        params.preset.choose(0);
        assert_eq!(params.notice(), None);
        assert_eq!(saved(&params).fields["preset"], r#"{"name":"Genre Follow","version":2}"#);
        params.preset.choose(99);
        assert_eq!(params.preset.get(), 0);
    }

    #[test]
    fn an_edited_preset_is_kept_whole() {
        let (_, params) = params();
        params.preset.choose(4);
        let built_in = params.preset.preset();
        let asked = params.preset.edit(Genre::Jazz, Parameter::HighDb, 2.5, 0.5);
        assert_eq!(asked, 2.0, "what is heard less the own setting");
        assert!(params.preset.is_own());
        let edited = params.preset.preset();
        assert_eq!(edited.name, format!("{} (edited)", built_in.name));
        assert_eq!(edited.profiles.genres[2][Parameter::HighDb], 2.0);
        assert_eq!(edited.profiles.genres[1], built_in.profiles.genres[1], "other genres stay");
        let mut state = saved(&params);

        let (_, other) = self::params();
        load(&mut state, &other);
        assert_eq!(other.report.message(), None);
        let loaded = other.preset.preset();
        assert_eq!((loaded.name, loaded.profiles.genres[2][Parameter::HighDb]), (edited.name, 2.0));
        assert_eq!(
            serde_json::to_string(&saved(&other)).unwrap(),
            serde_json::to_string(&saved(&params)).unwrap()
        );

        let broken = state.fields["preset"].replace("version = 2", "version = 9");
        state.fields.insert("preset".into(), broken);
        load(&mut state, &other);
        assert!(other.report.message().is_some_and(|message| message.contains("1 setting could")));
        assert!(other.preset.is_own(), "the one before plays on");
        other.preset.choose(0);
        assert!(!other.preset.is_own());
        assert_eq!(other.preset.preset(), Preset::factory()[0]);
    }

    #[test]
    fn window_sizes_stay_usable() {
        let window = WindowSize::default();
        assert_eq!(window.get(), Size::DEFAULT);
        window.remember(Size { width: 0, height: u16::MAX });
        assert_eq!(window.get(), Size { width: Size::MIN.width, height: Size::MAX.height });
    }
}
