//! The built-in presets in a CLAP host's own browser; the user's are in [`clap_user_presets`].
//!
//! nice-plug knows neither of CLAP's two halves of this, so both are here: the discovery factory, which a host asks what there
//! is without making an instance, and the extension by which it then tells an instance to play one. A preset's load key
//! is its file's name, which never changes; the name that is shown may.

use crate::library::read_preset;
use crate::{Idiom, clap_user_presets, instances};
use clap_sys::ext::preset_load::{
    CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT, clap_host_preset_load, clap_plugin_preset_load,
};
use clap_sys::factory::preset_discovery::{
    CLAP_PRESET_DISCOVERY_FACTORY_ID, CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT,
    CLAP_PRESET_DISCOVERY_IS_FACTORY_CONTENT, CLAP_PRESET_DISCOVERY_IS_USER_CONTENT,
    CLAP_PRESET_DISCOVERY_LOCATION_FILE, CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN,
    clap_preset_discovery_factory, clap_preset_discovery_indexer, clap_preset_discovery_location,
    clap_preset_discovery_metadata_receiver, clap_preset_discovery_provider,
    clap_preset_discovery_provider_descriptor,
};
use clap_sys::universal_plugin_id::clap_universal_plugin_id;
use idiom_engine::profile::{FACTORY_FILES, Preset};
use nice_plug::prelude::*;
use nice_plug::wrapper::clap::{CLAP_VERSION, clap_host, clap_plugin};
use std::ffi::{CStr, CString, c_char, c_void};
use std::path::PathBuf;

/// The provider's own id.
const PROVIDER: &CStr = c"org.idiom.idiom.presets";

static FACTORY: clap_preset_discovery_factory = clap_preset_discovery_factory {
    count: Some(count),
    get_descriptor: Some(get_descriptor),
    create: Some(create),
};

static DESCRIPTOR: clap_preset_discovery_provider_descriptor = clap_preset_discovery_provider_descriptor {
    clap_version: CLAP_VERSION,
    id: PROVIDER.as_ptr(),
    name: c"Idiom's presets".as_ptr(),
    vendor: c"Idiom".as_ptr(),
};

static LOAD: clap_plugin_preset_load = clap_plugin_preset_load { from_location: Some(from_location) };

/// The discovery factory, if `id` is one of its names.
pub fn factory(id: &CStr) -> Option<*const c_void> {
    [CLAP_PRESET_DISCOVERY_FACTORY_ID, CLAP_PRESET_DISCOVERY_FACTORY_ID_COMPAT]
        .contains(&id)
        .then(|| std::ptr::from_ref(&FACTORY).cast())
}

/// The extension that loads presets, if `id` is one of its names.
pub fn extension(id: &CStr) -> Option<*const c_void> {
    [CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT]
        .contains(&id)
        .then(|| std::ptr::from_ref(&LOAD).cast())
}

unsafe extern "C" fn count(_factory: *const clap_preset_discovery_factory) -> u32 {
    1
}

unsafe extern "C" fn get_descriptor(
    _factory: *const clap_preset_discovery_factory,
    index: u32,
) -> *const clap_preset_discovery_provider_descriptor {
    if index == 0 { &DESCRIPTOR } else { std::ptr::null() }
}

unsafe extern "C" fn create(
    _factory: *const clap_preset_discovery_factory,
    indexer: *const clap_preset_discovery_indexer,
    provider_id: *const c_char,
) -> *const clap_preset_discovery_provider {
    // SAFETY: CLAP hands over a null-terminated string.
    if indexer.is_null() || provider_id.is_null() || unsafe { CStr::from_ptr(provider_id) } != PROVIDER {
        return std::ptr::null();
    }
    Box::into_raw(Box::new(clap_preset_discovery_provider {
        desc: &DESCRIPTOR,
        // The host keeps it alive for as long as the provider.
        provider_data: indexer.cast_mut().cast(),
        init: Some(init),
        destroy: Some(destroy),
        get_metadata: Some(get_metadata),
        get_extension: Some(get_extension),
    }))
}

/// Says that presets are inside the plugin, and in the user's folder.
unsafe extern "C" fn init(provider: *const clap_preset_discovery_provider) -> bool {
    let location = clap_preset_discovery_location {
        flags: CLAP_PRESET_DISCOVERY_IS_FACTORY_CONTENT,
        name: c"Idiom".as_ptr(),
        kind: CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN,
        location: std::ptr::null(),
    };
    // SAFETY: the provider is ours, and its data is the host's indexer.
    unsafe {
        let indexer = (*provider).provider_data.cast::<clap_preset_discovery_indexer>();
        (*indexer).declare_location.is_some_and(|declare| declare(indexer, &location))
            && clap_user_presets::declare(indexer)
    }
}

unsafe extern "C" fn destroy(provider: *const clap_preset_discovery_provider) {
    if !provider.is_null() {
        // SAFETY: made by `create`; the host's last use of it.
        drop(unsafe { Box::from_raw(provider.cast_mut()) });
    }
}

unsafe extern "C" fn get_extension(
    _provider: *const clap_preset_discovery_provider,
    _id: *const c_char,
) -> *const c_void {
    std::ptr::null()
}

/// Text for a host; one of a preset never holds a null.
fn text(text: &str) -> CString {
    CString::new(text).unwrap_or_default()
}

/// A path of the host's.
///
/// # Safety
/// `path` is null or a null-terminated string.
unsafe fn path_of(path: *const c_char) -> Option<PathBuf> {
    // SAFETY: as the caller promises.
    let bytes = (!path.is_null()).then(|| unsafe { CStr::from_ptr(path) })?.to_bytes();
    #[cfg(unix)]
    let text = <std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(bytes);
    // Elsewhere CLAP has paths in UTF-8.
    #[cfg(not(unix))]
    let text = std::str::from_utf8(bytes).ok()?;
    Some(PathBuf::from(text))
}

/// Tells one preset. Says whether the host wants more.
///
/// # Safety
/// The host's receiver.
unsafe fn tell(
    receiver: *const clap_preset_discovery_metadata_receiver,
    name: &str,
    key: Option<&str>,
    about: &str,
    factory: bool,
) -> bool {
    let (name, key, about, id) = (text(name), key.map(text), text(about), text(Idiom::CLAP_ID));
    let plugin = clap_universal_plugin_id { abi: c"clap".as_ptr(), id: id.as_ptr() };
    let key = key.as_ref().map_or(std::ptr::null(), |key| key.as_ptr());
    // SAFETY: the host's functions, with its own receiver and null-terminated strings that it copies.
    unsafe {
        let to = &*receiver;
        if !to.begin_preset.is_some_and(|begin| begin(receiver, name.as_ptr(), key)) {
            return false;
        }
        if let Some(add) = to.add_plugin_id {
            add(receiver, &plugin);
        }
        if let Some(set) = to.set_flags {
            let user = CLAP_PRESET_DISCOVERY_IS_USER_CONTENT;
            set(receiver, if factory { CLAP_PRESET_DISCOVERY_IS_FACTORY_CONTENT } else { user });
        }
        if let Some(add) = to.add_creator.filter(|_| factory) {
            add(receiver, c"Idiom".as_ptr());
        }
        if let Some(set) = to.set_description {
            set(receiver, about.as_ptr());
        }
    }
    true
}

unsafe extern "C" fn get_metadata(
    _provider: *const clap_preset_discovery_provider,
    kind: u32,
    location: *const c_char,
    receiver: *const clap_preset_discovery_metadata_receiver,
) -> bool {
    if receiver.is_null() {
        return false;
    }
    if kind == CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN {
        for ((file, _), preset) in FACTORY_FILES.iter().zip(Preset::factory()) {
            // SAFETY: the host's receiver.
            if !unsafe { tell(receiver, &preset.name, Some(file), &preset.summary, true) } {
                break;
            }
        }
        return true;
    }
    // SAFETY: CLAP hands over a null-terminated path.
    let path = unsafe { path_of(location) }.filter(|_| kind == CLAP_PRESET_DISCOVERY_LOCATION_FILE);
    match path
        .ok_or("Idiom has presets in files and in itself only".into())
        .and_then(|path| read_preset(&path))
    {
        Ok(preset) => {
            // SAFETY: the host's receiver.
            unsafe { tell(receiver, &preset.name, None, &preset.about, false) };
            true
        }
        Err(why) => {
            let why = text(&why);
            // SAFETY: the host's function, with its own receiver and a null-terminated string.
            unsafe {
                if let Some(on_error) = (*receiver).on_error {
                    on_error(receiver, 0, why.as_ptr());
                }
            }
            false
        }
    }
}

/// Plays the preset that the host chose. Main thread.
unsafe extern "C" fn from_location(
    plugin: *const clap_plugin,
    kind: u32,
    location: *const c_char,
    load_key: *const c_char,
) -> bool {
    if plugin.is_null() {
        return false;
    }
    // SAFETY: the host's pointer to a living plugin.
    let object = unsafe { (*plugin).plugin_data } as usize;
    let Some(instance) = instances::of(object) else { return false };
    let key = (!load_key.is_null())
        // SAFETY: CLAP hands over a null-terminated string.
        .then(|| unsafe { CStr::from_ptr(load_key) }.to_string_lossy().into_owned())
        .unwrap_or_default();
    let loaded = if kind == CLAP_PRESET_DISCOVERY_LOCATION_PLUGIN {
        let found = FACTORY_FILES.iter().position(|(file, _)| *file == key);
        found
            .map(|index| instance.params.preset.choose(index))
            .ok_or_else(|| format!("Idiom has no such preset ({key:?}): it may be one of a newer version."))
    } else {
        // SAFETY: CLAP hands over a null-terminated path.
        let path = unsafe { path_of(location) }.filter(|_| kind == CLAP_PRESET_DISCOVERY_LOCATION_FILE);
        path.ok_or_else(|| "Idiom has presets in files and in itself only.".into()).and_then(|path| {
            // SAFETY: the host's living plugin, on its main thread.
            unsafe { clap_user_presets::load(plugin, &instance.params, &path) }
                .map_err(|why| format!("{}: {why}", path.display()))
        })
    };
    instance.shared.repaint.request_repaint();
    if let Err(why) = &loaded {
        nice_warn!("Preset: {why} The one before plays on.");
    }
    let host = instance.host as *const clap_host;
    // SAFETY: the host outlives the plugin; its functions get their own host and null-terminated strings.
    unsafe {
        match (answer_to(host), &loaded) {
            (Some(clap_host_preset_load { loaded: Some(tell), .. }), Ok(())) => {
                tell(host, kind, location, load_key);
            }
            (Some(clap_host_preset_load { on_error: Some(failed), .. }), Err(why)) => {
                failed(host, kind, location, load_key, 0, text(why).as_ptr());
            }
            _ => {}
        }
    }
    loaded.is_ok()
}

/// Where the host wants to hear how loading went, if it does.
///
/// # Safety
/// `host` is null or the host of a living plugin.
unsafe fn answer_to(host: *const clap_host) -> Option<&'static clap_host_preset_load> {
    // SAFETY: as the caller promises; an extension lives as long as the host.
    unsafe {
        let ask = host.as_ref()?.get_extension?;
        [CLAP_EXT_PRESET_LOAD, CLAP_EXT_PRESET_LOAD_COMPAT]
            .into_iter()
            .find_map(|id| ask(host, id.as_ptr()).cast::<clap_host_preset_load>().as_ref())
    }
}
