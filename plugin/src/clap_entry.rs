//! The CLAP entry point.
//!
//! It does what `nice_export_clap!` does for one plugin, and four things more. nice-plug refuses a state that it cannot
//! parse before the plugin hears of it: here the refusal is seen on its way back to the host, so that the window and
//! the log can say so. A host that destroys the plugin without having closed its window gets it closed first. nice-plug looks
//! at the side chain of a host that passes none, in memory that is not the host's: here it finds a port without sound. And hosts
//! find Idiom's presets and pages for controllers, see [`clap_presets`] and [`clap_pages`].

use crate::{INPUT_PORTS, Idiom, clap_pages, clap_presets, instances};
use clap_sys::audio_buffer::clap_audio_buffer;
use clap_sys::ext::gui::{CLAP_EXT_GUI, clap_plugin_gui};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};
use clap_sys::stream::{clap_istream, clap_ostream};
use nice_plug::wrapper::clap::{
    CLAP_PLUGIN_FACTORY_ID, CLAP_VERSION, PluginDescriptor, Wrapper, clap_host, clap_plugin,
    clap_plugin_descriptor, clap_plugin_entry, clap_plugin_factory,
};
use std::ffi::{CStr, c_char, c_void};
use std::sync::{Arc, OnceLock};

/// The CLAP plugin's entry point.
#[unsafe(no_mangle)]
#[used]
pub static clap_entry: clap_plugin_entry = clap_plugin_entry {
    clap_version: CLAP_VERSION,
    init: Some(init),
    deinit: Some(deinit),
    get_factory: Some(get_factory),
};

static FACTORY: clap_plugin_factory = clap_plugin_factory {
    get_plugin_count: Some(get_plugin_count),
    get_plugin_descriptor: Some(get_plugin_descriptor),
    create_plugin: Some(create_plugin),
};

/// Name of the extension by which hosts save and load.
const STATE: &CStr = c"clap.state";

/// `clap_plugin_state` of clap/ext/state.h.
#[repr(C)]
struct PluginStateExtension {
    save: Option<unsafe extern "C" fn(*const clap_plugin, *const c_void) -> bool>,
    load: Option<unsafe extern "C" fn(*const clap_plugin, *const c_void) -> bool>,
}

static STATE_EXTENSION: PluginStateExtension = PluginStateExtension { save: Some(save), load: Some(load) };

/// nice-plug's own functions that are replaced here, the same for all instances.
struct Original {
    get_extension: unsafe extern "C" fn(*const clap_plugin, *const c_char) -> *const c_void,
    destroy: unsafe extern "C" fn(*const clap_plugin),
    process: unsafe extern "C" fn(*const clap_plugin, *const clap_process) -> clap_process_status,
}

static ORIGINAL: OnceLock<Original> = OnceLock::new();

fn descriptor() -> &'static PluginDescriptor {
    static DESCRIPTOR: OnceLock<PluginDescriptor> = OnceLock::new();
    DESCRIPTOR.get_or_init(PluginDescriptor::for_plugin::<Idiom>)
}

unsafe extern "C" fn init(_plugin_path: *const c_char) -> bool {
    crate::stay::entered();
    true
}

unsafe extern "C" fn deinit() {}

unsafe extern "C" fn get_factory(factory_id: *const c_char) -> *const c_void {
    if factory_id.is_null() {
        return std::ptr::null();
    }
    // SAFETY: CLAP hands over a null-terminated string.
    let id = unsafe { CStr::from_ptr(factory_id) };
    if id == CLAP_PLUGIN_FACTORY_ID {
        return std::ptr::from_ref(&FACTORY).cast();
    }
    clap_presets::factory(id).unwrap_or(std::ptr::null())
}

unsafe extern "C" fn get_plugin_count(_factory: *const clap_plugin_factory) -> u32 {
    1
}

unsafe extern "C" fn get_plugin_descriptor(
    _factory: *const clap_plugin_factory,
    index: u32,
) -> *const clap_plugin_descriptor {
    if index == 0 { descriptor().clap_plugin_descriptor() } else { std::ptr::null() }
}

unsafe extern "C" fn create_plugin(
    _factory: *const clap_plugin_factory,
    host: *const clap_host,
    plugin_id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: CLAP hands over a null-terminated string.
    if plugin_id.is_null() || unsafe { CStr::from_ptr(plugin_id) } != descriptor().clap_id() {
        return std::ptr::null();
    }
    // SAFETY: the host hands over a `clap_host` that outlives the plugin.
    let wrapper = unsafe { Wrapper::<Idiom>::new(host) };
    {
        let mut plugin = wrapper.clap_plugin.borrow_mut();
        let functions = (plugin.get_extension, plugin.destroy, plugin.process);
        if let (Some(extension), Some(last), Some(block)) = functions {
            ORIGINAL.get_or_init(|| Original { get_extension: extension, destroy: last, process: block });
            plugin.get_extension = Some(get_extension);
            plugin.destroy = Some(destroy);
            plugin.process = Some(process);
        }
        instances::adopt(plugin.plugin_data as usize, host as usize);
    }
    // SAFETY: the wrapper stays alive until the host calls `destroy`, which takes this reference back.
    unsafe { (*Arc::into_raw(wrapper)).clap_plugin.as_ptr() }
}

/// nice-plug's extensions, with those for states and pages replaced by ours, and ours for presets added.
unsafe extern "C" fn get_extension(plugin: *const clap_plugin, id: *const c_char) -> *const c_void {
    if id.is_null() {
        return std::ptr::null();
    }
    // SAFETY: CLAP hands over a null-terminated string.
    let name = unsafe { CStr::from_ptr(id) };
    if name == STATE {
        return std::ptr::from_ref(&STATE_EXTENSION).cast();
    }
    // SAFETY: the arguments are the host's own.
    clap_presets::extension(name)
        .or_else(|| clap_pages::extension(name))
        .unwrap_or_else(|| unsafe { original(plugin, name) })
}

/// An extension as nice-plug has it, null when it has none.
///
/// # Safety
/// A living plugin of ours.
pub unsafe fn original(plugin: *const clap_plugin, id: &CStr) -> *const c_void {
    // SAFETY: as the caller promises.
    ORIGINAL
        .get()
        .map_or(std::ptr::null(), |original| unsafe { (original.get_extension)(plugin, id.as_ptr()) })
}

/// The host's last call. A window that is still open would outlive the plugin: nice-plug's and the host's objects that
/// its thread calls are gone then.
unsafe extern "C" fn destroy(plugin: *const clap_plugin) {
    let Some(original) = ORIGINAL.get() else { return };
    if plugin.is_null() {
        return;
    }
    // SAFETY: the host's pointer to a plugin that lives until the last line.
    unsafe {
        let presence =
            instances::of((*plugin).plugin_data as usize).map(|instance| instance.shared.presence.clone());
        if presence.is_some_and(|presence| presence.is_open()) {
            let gui = (original.get_extension)(plugin, CLAP_EXT_GUI.as_ptr()).cast::<clap_plugin_gui>();
            if let Some(close) = gui.as_ref().and_then(|gui| gui.destroy) {
                close(plugin);
            }
        }
        (original.destroy)(plugin);
    }
}

/// A block, on the audio thread.
unsafe extern "C" fn process(plugin: *const clap_plugin, block: *const clap_process) -> clap_process_status {
    /// A port without channels.
    const ABSENT: clap_audio_buffer = clap_audio_buffer {
        data32: std::ptr::null_mut(),
        data64: std::ptr::null_mut(),
        channel_count: 0,
        latency: 0,
        constant_mask: 0,
    };
    let Some(original) = ORIGINAL.get() else { return CLAP_PROCESS_ERROR };
    // SAFETY: the host's pointer, null or valid.
    let short = unsafe { block.as_ref() }
        .filter(|given| !given.audio_inputs.is_null() && (given.audio_inputs_count as usize) < INPUT_PORTS);
    let Some(given) = short else {
        // SAFETY: the arguments are the host's own.
        return unsafe { (original.process)(plugin, block) };
    };
    let mut all = [ABSENT; INPUT_PORTS];
    for (place, port) in all.iter_mut().zip(0..given.audio_inputs_count) {
        // SAFETY: the host says that there are so many ports.
        *place = unsafe { *given.audio_inputs.add(port as usize) };
    }
    let whole = clap_process { audio_inputs: all.as_ptr(), audio_inputs_count: INPUT_PORTS as u32, ..*given };
    // SAFETY: as the host's own call, with as many ports as are named.
    unsafe { (original.process)(plugin, &whole) }
}

/// nice-plug's state extension.
unsafe fn original_state(plugin: *const clap_plugin) -> Option<&'static PluginStateExtension> {
    // SAFETY: nice-plug answers with a pointer to a `clap_plugin_state` that lives as long as the instance.
    unsafe { original(plugin, STATE).cast::<PluginStateExtension>().as_ref() }
}

unsafe extern "C" fn save(plugin: *const clap_plugin, stream: *const c_void) -> bool {
    // SAFETY: the arguments are the host's own.
    unsafe { original_state(plugin).and_then(|state| state.save).is_some_and(|save| save(plugin, stream)) }
}

unsafe extern "C" fn load(plugin: *const clap_plugin, stream: *const c_void) -> bool {
    // SAFETY: the arguments are the host's own.
    let loaded = unsafe {
        original_state(plugin).and_then(|state| state.load).is_some_and(|load| load(plugin, stream))
    };
    if !loaded && !plugin.is_null() {
        // SAFETY: the host's pointer to a living plugin.
        instances::state_refused(unsafe { (*plugin).plugin_data } as usize);
    }
    loaded
}

/// Bytes before a saved state that hold its length.
pub const LENGTH_BYTES: usize = 8;

/// What a host would save now, [`LENGTH_BYTES`] and then JSON. Main thread.
///
/// # Safety
/// A living plugin of ours.
pub unsafe fn saved(plugin: *const clap_plugin) -> Option<Vec<u8>> {
    unsafe extern "C" fn write(stream: *const clap_ostream, data: *const c_void, size: u64) -> i64 {
        // SAFETY: the context is the vector below; the plugin's data has the size it says.
        unsafe {
            let sink = &mut *(*stream).ctx.cast::<Vec<u8>>();
            sink.extend_from_slice(std::slice::from_raw_parts(data.cast(), size as usize));
        }
        size as i64
    }
    let mut bytes: Vec<u8> = Vec::new();
    let stream = clap_ostream { ctx: std::ptr::from_mut(&mut bytes).cast(), write: Some(write) };
    // SAFETY: as the caller promises; the stream lives as long as the call.
    unsafe { save(plugin, std::ptr::from_ref(&stream).cast()) }.then_some(bytes)
}

/// Loads what a host saved. Main thread.
///
/// # Safety
/// A living plugin of ours.
pub unsafe fn load_saved(plugin: *const clap_plugin, mut bytes: &[u8]) -> bool {
    unsafe extern "C" fn read(stream: *const clap_istream, data: *mut c_void, size: u64) -> i64 {
        // SAFETY: the context is the slice below; the plugin's buffer has the size it says.
        unsafe {
            let source = &mut *(*stream).ctx.cast::<&[u8]>();
            let count = source.len().min(size as usize);
            std::ptr::copy_nonoverlapping(source.as_ptr(), data.cast(), count);
            *source = &source[count..];
            count as i64
        }
    }
    let stream = clap_istream { ctx: std::ptr::from_mut(&mut bytes).cast(), read: Some(read) };
    // SAFETY: as the caller promises; the stream lives as long as the call.
    unsafe { load(plugin, std::ptr::from_ref(&stream).cast()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::{IdiomParams, Switch};
    use idiom_engine::Section;
    use idiom_engine::profile::Parameter;
    use nice_plug::prelude::{Param, ParamPtr};

    unsafe extern "C" fn no_extension(_host: *const clap_host, _id: *const c_char) -> *const c_void {
        std::ptr::null()
    }
    unsafe extern "C" fn nothing(_host: *const clap_host) {}

    /// An instance as a CLAP host makes it.
    struct Loaded {
        plugin: *const clap_plugin,
        params: Arc<IdiomParams>,
        _host: Box<clap_host>,
    }

    impl Loaded {
        fn new() -> Self {
            let host = Box::new(clap_host {
                clap_version: CLAP_VERSION,
                host_data: std::ptr::null_mut(),
                name: c"test".as_ptr(),
                vendor: c"test".as_ptr(),
                url: c"".as_ptr(),
                version: c"1".as_ptr(),
                get_extension: Some(no_extension),
                request_restart: Some(nothing),
                request_process: Some(nothing),
                request_callback: Some(nothing),
            });
            // SAFETY: as a host does it; the host structure outlives the plugin.
            let plugin = unsafe {
                let factory = get_factory(CLAP_PLUGIN_FACTORY_ID.as_ptr()).cast::<clap_plugin_factory>();
                assert_eq!((*factory).get_plugin_count.unwrap()(factory), 1);
                let described = (*factory).get_plugin_descriptor.unwrap()(factory, 0);
                let plugin = (*factory).create_plugin.unwrap()(factory, &*host, (*described).id);
                assert!((*plugin).init.unwrap()(plugin));
                plugin
            };
            let params = instances::newest().expect("just made").params;
            Self { plugin, params, _host: host }
        }

        fn save(&self) -> Vec<u8> {
            // SAFETY: the plugin is alive.
            unsafe { saved(self.plugin) }.expect("a state")
        }

        fn load(&self, bytes: &[u8]) -> bool {
            // SAFETY: the plugin is alive.
            unsafe { load_saved(self.plugin, bytes) }
        }
    }

    impl Drop for Loaded {
        fn drop(&mut self) {
            // SAFETY: the host's last call.
            unsafe { (*self.plugin).destroy.unwrap()(self.plugin) };
        }
    }

    fn set(param: ParamPtr, normalized: f32) {
        // SAFETY: the parameter is alive.
        unsafe { param._internal_set_normalized_value(normalized) };
    }

    #[test]
    fn a_saved_state_comes_back_exactly_in_another_instance() {
        let first = Loaded::new();
        let params = &first.params;
        set(params.amount.as_ptr(), 0.123_456_7);
        set(params.reaction.as_ptr(), 0.765_432_1);
        set(params.output.as_ptr(), 0.1);
        set(params.genre.as_ptr(), 0.6);
        set(params.mode.as_ptr(), 0.66);
        set(params.switch(Switch::Bypass).as_ptr(), 1.0);
        set(params.switch(Switch::On(Section::Eq)).as_ptr(), 0.0);
        set(params.own(Parameter::MidHz).as_ptr(), 0.3);
        set(params.cc.channel.as_ptr(), 0.9);
        let saved = first.save();
        let second = Loaded::new();
        assert!(second.load(&saved));
        assert_eq!(second.params.controls(), params.controls());
        assert_eq!(second.save(), saved);
        assert_eq!(second.params.report.message(), None);
    }

    #[test]
    fn a_cut_or_foreign_state_changes_nothing_and_is_told_to_the_right_instance() {
        let (victim, other) = (Loaded::new(), Loaded::new());
        set(victim.params.output.as_ptr(), 0.9);
        let before = victim.save();
        let foreign: [&[u8]; 4] = [&[], b"short", &[0xff; 64], b"\x04\0\0\0\0\0\0\0nope"];
        let cuts = (0..before.len()).step_by(7).map(|length| &before[..length]);
        for bytes in foreign.into_iter().chain(cuts) {
            victim.params.report.dismiss();
            assert!(!victim.load(bytes), "{} bytes", bytes.len());
            let message = victim.params.report.message().expect("said in the window");
            assert!(message.contains("could not be read"), "{message}");
            assert_eq!(victim.save(), before);
        }
        assert_eq!(other.params.report.message(), None);
        assert!(victim.load(&before));
        assert_eq!(victim.params.report.message(), None);
    }

    /// What lies behind the one port that the host passes is not a port, and not to be looked at.
    #[test]
    fn a_host_without_side_chain_may_pass_one_input_only() {
        use clap_sys::events::{clap_event_header, clap_input_events, clap_output_events};
        unsafe extern "C" fn none(_list: *const clap_input_events) -> u32 {
            0
        }
        unsafe extern "C" fn no_event(
            _list: *const clap_input_events,
            _index: u32,
        ) -> *const clap_event_header {
            std::ptr::null()
        }
        unsafe extern "C" fn drop_event(
            _list: *const clap_output_events,
            _event: *const clap_event_header,
        ) -> bool {
            true
        }
        const FRAMES: usize = 64;
        let loaded = Loaded::new();
        let mut sound = [[0.25f32; FRAMES]; 2];
        let mut result = [[0.0f32; FRAMES]; 2];
        let [left, right] = &mut sound;
        let mut channels = [left.as_mut_ptr(), right.as_mut_ptr()];
        let [left, right] = &mut result;
        let mut out = [left.as_mut_ptr(), right.as_mut_ptr()];
        let port = |data: *mut *mut f32| clap_audio_buffer {
            data32: data,
            data64: std::ptr::null_mut(),
            channel_count: 2,
            latency: 0,
            constant_mask: 0,
        };
        let inputs = [port(channels.as_mut_ptr()), port(std::ptr::without_provenance_mut(8))];
        let mut outputs = [port(out.as_mut_ptr())];
        let incoming = clap_input_events { ctx: std::ptr::null_mut(), size: Some(none), get: Some(no_event) };
        let outgoing = clap_output_events { ctx: std::ptr::null_mut(), try_push: Some(drop_event) };
        for count in [1, 0] {
            let block = clap_process {
                steady_time: 0,
                frames_count: FRAMES as u32,
                transport: std::ptr::null(),
                audio_inputs: inputs.as_ptr(),
                audio_outputs: outputs.as_mut_ptr(),
                audio_inputs_count: count,
                audio_outputs_count: 1,
                in_events: &incoming,
                out_events: &outgoing,
            };
            // SAFETY: as a host does it; everything in `block` lives as long as the call.
            unsafe {
                let plugin = &*loaded.plugin;
                assert!(plugin.activate.unwrap()(plugin, 48_000.0, 1, FRAMES as u32));
                assert!(plugin.start_processing.unwrap()(plugin));
                assert_ne!(plugin.process.unwrap()(plugin, &block), CLAP_PROCESS_ERROR);
                plugin.stop_processing.unwrap()(plugin);
                plugin.deactivate.unwrap()(plugin);
            }
        }
        assert!(result.iter().flatten().all(|sample| sample.is_finite()));
    }

    #[test]
    fn hosts_that_ask_for_something_else_get_nothing() {
        // SAFETY: as a host does it.
        unsafe {
            assert!(get_factory(c"clap.unknown".as_ptr()).is_null());
            assert!(get_factory(std::ptr::null()).is_null());
            assert!(get_plugin_descriptor(&FACTORY, 1).is_null());
            for id in [c"org.other", c"org.idiom.idiom trailing", c"org.idiom.idio", c""] {
                assert!(create_plugin(&FACTORY, std::ptr::null(), id.as_ptr()).is_null());
            }
        }
        let loaded = Loaded::new();
        // SAFETY: as a host does it.
        unsafe {
            let get_extension = (*loaded.plugin).get_extension.unwrap();
            assert!(get_extension(loaded.plugin, c"clap.unknown".as_ptr()).is_null());
            assert!(!get_extension(loaded.plugin, c"clap.params".as_ptr()).is_null());
        }
    }
}
