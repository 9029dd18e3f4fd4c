//! The VST3 entry point.
//!
//! It does what `nice_export_vst3!` does for one plugin, and three things more. nice-plug refuses a state that it cannot
//! parse before the plugin hears of it: here the refusal is seen on its way back to the host, so that the window and
//! the log can say so. It looks at the side chain of a host that passes none, in memory that is not the host's: here it
//! finds an input without sound. And it takes a bus with a number below 0 for the side chain. For that, a component gets
//! method tables of its own right after it is made, which are nice-plug's but for `set_state`, `bus_info` and
//! `process`.

use crate::{INPUT_PORTS, Idiom, instances};
use nice_plug::wrapper::vst3::vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirection, BusInfo, IAudioProcessor, IAudioProcessorVtbl,
    IComponent, IComponentVtbl, MediaType, ProcessData,
};
use nice_plug::wrapper::vst3::vst3::Steinberg::{
    FIDString, FUnknown, IBStream, IPluginFactory, IPluginFactory2, IPluginFactory2Trait, IPluginFactory3,
    IPluginFactory3Trait, IPluginFactoryTrait, PClassInfo, PClassInfo2, PClassInfoW, PFactoryInfo, TUID,
    int32, kInvalidArgument, kResultOk, tresult,
};
use nice_plug::wrapper::vst3::vst3::{Class, ComWrapper};
use nice_plug::wrapper::vst3::{PluginInfo, Wrapper};
use std::ffi::c_void;
use std::sync::OnceLock;

/// Method tables of a component, the same for all instances.
struct Tables {
    component: IComponentVtbl,
    processor: IAudioProcessorVtbl,
}

/// nice-plug's.
static ORIGINAL: OnceLock<Tables> = OnceLock::new();

/// The same with our functions.
static OURS: OnceLock<Tables> = OnceLock::new();

/// Makes instances of the one plugin in this library.
struct Factory {
    info: PluginInfo,
}

impl Class for Factory {
    type Interfaces = (IPluginFactory, IPluginFactory2, IPluginFactory3);
}

impl Factory {
    fn new() -> Self {
        Self { info: PluginInfo::for_plugin::<Idiom>() }
    }

    /// Writes what a host asks about class `index`.
    ///
    /// # Safety
    /// `out` is null or valid for a `T`.
    unsafe fn describe<T>(&self, index: int32, out: *mut T, info: fn(&PluginInfo) -> T) -> tresult {
        if index != 0 || out.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: not null, and valid as the caller promises.
        unsafe { out.write(info(&self.info)) };
        kResultOk
    }
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host's pointer, null or valid.
        unsafe { self.describe(0, info, PluginInfo::create_factory_info) }
    }

    unsafe fn countClasses(&self) -> int32 {
        1
    }

    unsafe fn getClassInfo(&self, index: int32, info: *mut PClassInfo) -> tresult {
        // SAFETY: the host's pointer, null or valid.
        unsafe { self.describe(index, info, PluginInfo::create_class_info) }
    }

    unsafe fn createInstance(&self, cid: FIDString, iid: FIDString, object: *mut *mut c_void) -> tresult {
        if cid.is_null() || iid.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: VST3 hands over a class id of 16 bytes.
        if unsafe { *cid.cast::<[u8; 16]>() } != *self.info.cid {
            return kInvalidArgument;
        }
        let component = ComWrapper::new(Wrapper::<Idiom>::new());
        watch(&component);
        let Some(unknown) = component.as_com_ref::<FUnknown>() else { return kInvalidArgument };
        let unknown = unknown.as_ptr();
        // SAFETY: a living object that follows COM's rules; `iid` has 16 bytes, and `object` is the host's. The host's
        // reference is counted here, ours ends with this function.
        unsafe { ((*(*unknown).vtbl).queryInterface)(unknown, iid.cast::<TUID>(), object) }
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: int32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: the host's pointer, null or valid.
        unsafe { self.describe(index, info, PluginInfo::create_class_info_2) }
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: int32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: the host's pointer, null or valid.
        unsafe { self.describe(index, info, PluginInfo::create_class_info_unicode) }
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}

/// Gives a new component, which nobody else knows yet, our method tables, and matches it with the instance in it.
fn watch(component: &ComWrapper<Wrapper<Idiom>>) {
    let interfaces = (component.as_com_ref::<IComponent>(), component.as_com_ref::<IAudioProcessor>());
    let (Some(interface), Some(processor)) = interfaces else { return };
    let (interface, processor) = (interface.as_ptr(), processor.as_ptr());
    // SAFETY: a COM interface begins with the pointer to its method table, and that table is a constant.
    let original = ORIGINAL
        .get_or_init(|| unsafe { Tables { component: *(*interface).vtbl, processor: *(*processor).vtbl } });
    let ours = OURS.get_or_init(|| Tables {
        component: IComponentVtbl { setState: set_state, getBusInfo: bus_info, ..original.component },
        processor: IAudioProcessorVtbl { process, ..original.processor },
    });
    // SAFETY: the pointers come from the `Arc` that owns the object and may write to it; no other reference to the
    // object exists yet, so nobody reads the fields meanwhile. All other methods stay the same, and the tables live
    // for as long as the library. A host gets at the interfaces only through these fields, whichever it asks for.
    unsafe {
        (*interface).vtbl = &ours.component;
        (*processor).vtbl = &ours.processor;
    }
    instances::adopt(interface as usize, 0);
}

/// `IComponent::setState`.
unsafe extern "system" fn set_state(component: *mut IComponent, stream: *mut IBStream) -> tresult {
    let Some(original) = ORIGINAL.get() else { return kInvalidArgument };
    // SAFETY: the arguments are the host's own, and `component` was made by nice-plug.
    let result = unsafe { (original.component.setState)(component, stream) };
    if result != kResultOk {
        instances::state_refused(component as usize);
    }
    result
}

/// `IComponent::getBusInfo`.
unsafe extern "system" fn bus_info(
    component: *mut IComponent,
    media: MediaType,
    direction: BusDirection,
    index: int32,
    info: *mut BusInfo,
) -> tresult {
    match ORIGINAL.get() {
        // SAFETY: the arguments are the host's own, and `component` was made by nice-plug.
        Some(original) if index >= 0 => unsafe {
            (original.component.getBusInfo)(component, media, direction, index, info)
        },
        _ => kInvalidArgument,
    }
}

/// `IAudioProcessor::process`, on the audio thread.
unsafe extern "system" fn process(processor: *mut IAudioProcessor, data: *mut ProcessData) -> tresult {
    /// A bus without channels.
    const ABSENT: AudioBusBuffers = AudioBusBuffers {
        numChannels: 0,
        silenceFlags: 0,
        __field0: AudioBusBuffers__type0 { channelBuffers32: std::ptr::null_mut() },
    };
    let Some(original) = ORIGINAL.get() else { return kInvalidArgument };
    let call = original.processor.process;
    // SAFETY: the host's pointer, null or valid and not used by anybody else during the call.
    let Some(given) = (unsafe { data.as_mut() }) else {
        // SAFETY: the arguments are the host's own.
        return unsafe { call(processor, data) };
    };
    let (inputs, count) = (given.inputs, given.numInputs);
    if inputs.is_null() || count >= INPUT_PORTS as int32 {
        // SAFETY: the arguments are the host's own.
        return unsafe { call(processor, data) };
    }
    let mut all = [ABSENT; INPUT_PORTS];
    for (place, bus) in all.iter_mut().zip(0..count) {
        // SAFETY: the host says that there are `count` buses.
        *place = unsafe { *inputs.add(bus as usize) };
    }
    (given.inputs, given.numInputs) = (all.as_mut_ptr(), INPUT_PORTS as int32);
    // SAFETY: as the host's own call, with as many buses as are named.
    let result = unsafe { call(processor, data) };
    // SAFETY: as above; the host gets its structure back as it was.
    unsafe { ((*data).inputs, (*data).numInputs) = (inputs, count) };
    result
}

/// The VST3 factory.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    let factory = ComWrapper::new(Factory::new()).to_com_ptr::<IPluginFactory>();
    factory.map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
}

/// A host loaded the library.
#[cfg_attr(all(unix, not(target_os = "macos")), unsafe(export_name = "ModuleEntry"))]
#[cfg_attr(target_os = "macos", unsafe(export_name = "bundleEntry"))]
#[cfg(unix)]
pub extern "C" fn module_entry(_library: *mut c_void) -> bool {
    crate::stay::entered();
    true
}

/// A host is about to unload the library.
#[cfg_attr(all(unix, not(target_os = "macos")), unsafe(export_name = "ModuleExit"))]
#[cfg_attr(target_os = "macos", unsafe(export_name = "bundleExit"))]
#[cfg(unix)]
pub extern "C" fn module_exit() -> bool {
    true
}

/// A host loaded the library.
#[cfg(windows)]
#[unsafe(export_name = "InitDll")]
pub extern "system" fn module_entry() -> bool {
    crate::stay::entered();
    true
}

/// A host is about to unload the library.
#[cfg(windows)]
#[unsafe(export_name = "ExitDll")]
pub extern "system" fn module_exit() -> bool {
    true
}
