//! The user's presets in a CLAP host's own browser, beside the built-in ones of [`clap_presets`](crate::clap_presets): the
//! files that the window saves.
//!
//! nice-plug sets host parameters only on behalf of an open window or of a state. So a preset is loaded as a state: the
//! present one, with what the preset sets.

use crate::clap_entry;
use crate::editor::undo::Value;
use crate::library::{Library, read_preset};
use crate::params::{IdiomParams, choice};
use clap_sys::factory::preset_discovery::{
    CLAP_PRESET_DISCOVERY_IS_USER_CONTENT, CLAP_PRESET_DISCOVERY_LOCATION_FILE,
    clap_preset_discovery_filetype, clap_preset_discovery_indexer, clap_preset_discovery_location,
};
use nice_plug::plugin::ParamValue;
use nice_plug::prelude::*;
use nice_plug::wrapper::clap::clap_plugin;
use std::ffi::CString;
use std::path::Path;

/// Tells a host what the user's presets look like and where they are, if there is such a folder; says whether the host took
/// it.
///
/// # Safety
/// The host's indexer.
pub unsafe fn declare(indexer: *const clap_preset_discovery_indexer) -> bool {
    let folder = Library::default_folder().map(|folder| Library::presets_in(&folder));
    let folder = folder.filter(|folder| folder.is_dir()).and_then(|folder| std::path::absolute(folder).ok());
    let Some(Ok(folder)) = folder.map(|folder| CString::new(folder.as_os_str().as_encoded_bytes())) else {
        return true;
    };
    let kind = clap_preset_discovery_filetype {
        name: c"Idiom preset".as_ptr(),
        description: c"Settings saved in Idiom's window".as_ptr(),
        file_extension: c"toml".as_ptr(),
    };
    let location = clap_preset_discovery_location {
        flags: CLAP_PRESET_DISCOVERY_IS_USER_CONTENT,
        name: c"My presets".as_ptr(),
        kind: CLAP_PRESET_DISCOVERY_LOCATION_FILE,
        location: folder.as_ptr(),
    };
    // SAFETY: the host's functions, with its own indexer and null-terminated strings that it copies.
    unsafe {
        (*indexer).declare_filetype.is_some_and(|declare| declare(indexer, &kind))
            && (*indexer).declare_location.is_some_and(|declare| declare(indexer, &location))
    }
}

/// Makes an instance play the preset in a file. Main thread.
///
/// # Errors
/// Says what is wrong with the file; then nothing has changed.
///
/// # Safety
/// `plugin` is alive, and `params` are its own.
pub unsafe fn load(plugin: *const clap_plugin, params: &IdiomParams, path: &Path) -> Result<(), String> {
    let setup = read_preset(path)?.setup(params)?;
    // SAFETY: as the caller promises.
    let saved = unsafe { clap_entry::saved(plugin) }.ok_or("the present settings cannot be read")?;
    let mut state: PluginState =
        serde_json::from_slice(saved.get(clap_entry::LENGTH_BYTES..).unwrap_or_default())
            .map_err(|error| error.to_string())?;
    let map = params.param_map();
    for value in &setup.0 {
        let Value::Param(id, normalized) = value else { continue };
        if let Some((_, param, _)) = map.iter().find(|(known, ..)| known == id) {
            state.params.insert(id.clone(), plain(id, *param, *normalized));
        }
    }
    let body = serde_json::to_vec(&state).map_err(|error| error.to_string())?;
    let bytes = [&(body.len() as u64).to_le_bytes()[..], &body].concat();
    // SAFETY: as the caller promises.
    if !unsafe { clap_entry::load_saved(plugin, &bytes) } {
        return Err("its settings were refused".into());
    }
    for value in setup.0 {
        match value {
            Value::Preset(played) => params.preset.set_played(&played),
            // A preset names no model of the user's, and the rest is set or the window's.
            Value::Param(..) | Value::Kept(..) | Value::Model(_) | Value::Slot(_) | Value::Aside(_) => {}
        }
    }
    Ok(())
}

/// A parameter's value as a state holds it.
fn plain(id: &str, param: ParamPtr, normalized: f32) -> ParamValue {
    // SAFETY: the caller's parameters are alive.
    let plain = unsafe { param.preview_plain(normalized) };
    match param {
        ParamPtr::FloatParam(_) => ParamValue::F32(plain),
        ParamPtr::BoolParam(_) => ParamValue::Bool(plain > 0.5),
        ParamPtr::IntParam(_) => ParamValue::I32(plain.round() as i32),
        ParamPtr::EnumParam(_) => {
            match choice::ids(id).and_then(|ids| ids.get(plain.round() as usize).copied()) {
                Some(name) => ParamValue::String(name.into()),
                None => ParamValue::I32(plain.round() as i32),
            }
        }
    }
}
