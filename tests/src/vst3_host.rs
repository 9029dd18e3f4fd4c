//! The smallest VST3 host that can tell whether the plugin works in one: it loads the library in a `.vst3` bundle,
//! makes an instance, stores and restores its state and plays sound through it.

use anyhow::{Context, Result, bail, ensure};
use idiom_engine::IdiomSnapshot;
use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use vst3::Steinberg::IBStream_::IStreamSeekMode_::{kIBSeekCur, kIBSeekEnd, kIBSeekSet};
use vst3::Steinberg::Vst::ProcessContext_::StatesAndFlags_::kPlaying;
use vst3::Steinberg::Vst::{
    AudioBusBuffers, AudioBusBuffers__type0, BusDirections_, IAudioProcessor, IAudioProcessorTrait,
    IComponent, IComponentTrait, IEditController, IEditControllerTrait, MediaTypes_, ProcessContext,
    ProcessData, ProcessModes_, ProcessSetup, SymbolicSampleSizes_, ViewType,
};
use vst3::Steinberg::{
    IBStream, IBStreamTrait, IPlugView, IPlugViewTrait, IPluginBaseTrait, IPluginFactory,
    IPluginFactoryTrait, PClassInfo, int32, int64, kInvalidArgument, kPlatformTypeX11EmbedWindowID,
    kResultFalse, kResultOk, tresult,
};
use vst3::{Class, ComPtr, ComWrapper, Interface};

/// Largest block in samples.
const BLOCK: usize = 512;

/// Where the built VST3 library is: the one in the bundle named by `IDIOM_VST3`, as `cargo xtask test` sets it, else
/// the library that cargo built together with this test program.
pub fn path() -> Result<PathBuf> {
    match std::env::var_os("IDIOM_VST3") {
        Some(path) => Ok(path.into()),
        None => crate::built::path(),
    }
}

/// A loaded VST3 library.
pub struct Module {
    pub(crate) factory: ComPtr<IPluginFactory>,
    library: libloading::Library,
}

impl Module {
    /// Loads the library inside of a bundle as a host does.
    ///
    /// # Errors
    /// When it is missing, no library, or no VST3 plugin.
    pub fn load(path: &Path) -> Result<Module> {
        let context = || format!("cannot load {} as a VST3 plugin", path.display());
        // SAFETY: loading runs the library's initialisers; the caller names a plugin that they trust.
        let library = unsafe { libloading::Library::new(path) }.with_context(context)?;
        let entry = if cfg!(target_os = "macos") { "bundleEntry\0" } else { "ModuleEntry\0" };
        if cfg!(unix) {
            // SAFETY: the signature is VST3's; the handle is not looked at.
            let entered = unsafe {
                library.get::<extern "C" fn(*mut c_void) -> bool>(entry.as_bytes()).with_context(context)?(
                    null_mut(),
                )
            };
            ensure!(entered, "{} says that it cannot start", path.display());
        }
        // SAFETY: the signature is VST3's, and the factory is a counted reference that we own.
        let factory = unsafe {
            let get = library.get::<extern "system" fn() -> *mut c_void>(b"GetPluginFactory\0");
            ComPtr::from_raw(get.with_context(context)?().cast::<IPluginFactory>()).with_context(context)?
        };
        Ok(Module { factory, library })
    }

    /// The class ids in it, in order.
    pub fn classes(&self) -> Result<Vec<[c_char; 16]>> {
        // SAFETY: a living factory.
        let count = unsafe { self.factory.countClasses() };
        (0..count)
            .map(|index| {
                // SAFETY: all bit patterns are valid, among them zeros.
                let mut info: PClassInfo = unsafe { std::mem::zeroed() };
                // SAFETY: `info` is valid for writing.
                let result = unsafe { self.factory.getClassInfo(index, &mut info) };
                ensure!(result == kResultOk, "class {index} of {count} cannot be described");
                Ok(info.cid)
            })
            .collect()
    }

    /// Makes an instance of the first class.
    pub fn instantiate(&self) -> Result<Instance> {
        let class = *self.classes()?.first().context("the library holds no class")?;
        let mut object = null_mut();
        // SAFETY: both ids have 16 bytes, and `object` is valid for writing.
        let result = unsafe {
            self.factory.createInstance(class.as_ptr(), IComponent::IID.as_ptr().cast(), &mut object)
        };
        ensure!(result == kResultOk, "no instance can be made ({result})");
        // SAFETY: an `IComponent` was asked for, and its counted reference is ours.
        let component = unsafe { ComPtr::from_raw(object.cast::<IComponent>()) }.context("no instance")?;
        let processor = component.cast::<IAudioProcessor>().context("it processes no audio")?;
        // SAFETY: a living component; a host context is not needed.
        ensure!(unsafe { component.initialize(null_mut()) } == kResultOk, "it does not initialize");
        Ok(Instance { component, processor, terminates: true })
    }

    /// What the banners of instance number `instance` say, see `idiom_message`.
    pub fn message(&self, instance: u32) -> Result<String> {
        type Message = unsafe extern "C" fn(u32, *mut c_char, u32) -> u32;
        let mut text = vec![0u8; 4096];
        // SAFETY: the signature is the documented one, and the buffer has the size it says.
        let length = unsafe {
            let message = self.library.get::<Message>(b"idiom_message\0")?;
            message(instance, text.as_mut_ptr().cast(), text.len() as u32)
        };
        text.truncate(length as usize);
        Ok(String::from_utf8(text)?)
    }

    /// What instance number `instance` hears, see `idiom_snapshot`.
    pub fn snapshot(&self, instance: u32) -> Result<IdiomSnapshot> {
        type Fill = unsafe extern "C" fn(u32, *mut IdiomSnapshot) -> u32;
        let mut snapshot = IdiomSnapshot::EMPTY;
        // SAFETY: the signature is the documented one, and the snapshot says its size.
        let filled = unsafe { self.library.get::<Fill>(b"idiom_snapshot\0")?(instance, &mut snapshot) };
        ensure!(filled == 1, "there is no instance {instance}");
        Ok(snapshot)
    }
}

/// An instance of the plugin. Drop it before the [`Module`].
pub struct Instance {
    component: ComPtr<IComponent>,
    processor: ComPtr<IAudioProcessor>,
    /// Whether the host says that it has done with it.
    terminates: bool,
}

/// The plugin's window.
pub struct View(ComPtr<IPlugView>);

impl View {
    /// Takes it out of the host's window; says whether it was there.
    pub fn close(&self) -> bool {
        // SAFETY: a living view.
        unsafe { self.0.removed() == kResultOk }
    }
}

impl Instance {
    /// Opens the plugin's window inside of the X11 window `parent`.
    ///
    /// # Safety
    /// `parent` is a window that stays there until the view is closed or the instance is gone.
    pub unsafe fn open_window(&self, parent: u32) -> Result<View> {
        let controller = self.interface::<IEditController>()?;
        // SAFETY: a living controller; its counted reference to the view is ours.
        let view = unsafe { ComPtr::from_raw(controller.createView(ViewType::kEditor)) };
        let view = view.context("the plugin has no window")?;
        let parent = std::ptr::without_provenance_mut(parent as usize);
        // SAFETY: as the caller promises.
        let attached = unsafe { view.attached(parent, kPlatformTypeX11EmbedWindowID) };
        ensure!(attached == kResultOk, "the window does not open ({attached})");
        Ok(View(view))
    }

    /// Lets go of it without the call that ends it, as a host that is in trouble itself.
    pub fn abandon(mut self) {
        self.terminates = false;
    }

    /// The instance as VST3 knows it: one object for sound, parameters and state.
    ///
    /// # Errors
    /// When it has no such side.
    pub fn interface<I: Interface>(&self) -> Result<ComPtr<I>> {
        self.component.cast().context("the plugin lacks an interface")
    }

    /// The state, as a DAW stores it in a project.
    pub fn save(&self) -> Result<Vec<u8>> {
        let stream = Stream::new(&[]);
        // SAFETY: a living component and stream.
        let result = unsafe { self.component.getState(stream.interface()?.as_ptr()) };
        ensure!(result == kResultOk, "the state cannot be saved ({result})");
        Ok(stream.0.bytes.borrow().clone())
    }

    /// Gives a stored state back. `prefix` bytes come before it in the same stream, as some hosts do it.
    ///
    /// # Errors
    /// When the plugin says that it could not load it.
    pub fn load(&self, state: &[u8], prefix: usize) -> Result<()> {
        let stream = Stream::new(&[&vec![0xa5; prefix], state].concat());
        stream.0.position.replace(prefix);
        // SAFETY: a living component and stream.
        let result = unsafe { self.component.setState(stream.interface()?.as_ptr()) };
        if result != kResultOk {
            bail!("the plugin refused the state ({result})");
        }
        Ok(())
    }

    /// Makes it ready for stereo in blocks of up to 512 samples.
    pub fn activate(&self, sample_rate: f64) -> Result<()> {
        let mut setup = ProcessSetup {
            processMode: ProcessModes_::kRealtime as int32,
            symbolicSampleSize: SymbolicSampleSizes_::kSample32 as int32,
            maxSamplesPerBlock: BLOCK as int32,
            sampleRate: sample_rate,
        };
        // SAFETY: living objects and a valid setup, called in VST3's order.
        unsafe {
            ensure!(self.processor.setupProcessing(&mut setup) == kResultOk, "setup refused");
            for direction in [BusDirections_::kInput, BusDirections_::kOutput] {
                let audio = MediaTypes_::kAudio as int32;
                ensure!(self.component.activateBus(audio, direction as int32, 0, 1) == kResultOk, "no bus");
            }
            let (audio, input) = (MediaTypes_::kAudio as int32, BusDirections_::kInput as int32);
            ensure!(self.component.activateBus(audio, input, 1, 1) == kResultOk, "no side chain");
            ensure!(self.component.setActive(1) == kResultOk, "activation refused");
            self.processor.setProcessing(1);
        }
        Ok(())
    }

    /// Ends processing.
    pub fn deactivate(&self) {
        // SAFETY: living objects.
        unsafe {
            self.processor.setProcessing(0);
            self.component.setActive(0);
        }
    }

    /// Plays whole channels through it, in place, as a host without side chains: what lies behind the one input bus is
    /// none.
    pub fn play(&self, channels: &mut [Vec<f32>; 2], sample_rate: f64) -> Result<()> {
        self.play_buses(channels, None, sample_rate)
    }

    /// Plays whole channels through it, in place, with this at the side-chain input, as long as they.
    pub fn play_keyed(
        &self,
        channels: &mut [Vec<f32>; 2],
        side_chain: &[Vec<f32>; 2],
        sample_rate: f64,
    ) -> Result<()> {
        self.play_buses(channels, Some(side_chain), sample_rate)
    }

    fn play_buses(
        &self,
        channels: &mut [Vec<f32>; 2],
        side_chain: Option<&[Vec<f32>; 2]>,
        sample_rate: f64,
    ) -> Result<()> {
        let length = channels[0].len();
        for start in (0..length).step_by(BLOCK) {
            let end = length.min(start + BLOCK);
            let mut input: Vec<Vec<f32>> =
                channels.iter().map(|channel| channel[start..end].to_vec()).collect();
            let keys = side_chain.into_iter().flatten();
            let mut key: Vec<Vec<f32>> = keys.map(|channel| channel[start..end].to_vec()).collect();
            let mut keys: Vec<*mut f32> = key.iter_mut().map(|channel| channel.as_mut_ptr()).collect();
            let mut inputs: Vec<*mut f32> = input.iter_mut().map(|channel| channel.as_mut_ptr()).collect();
            let mut outputs: Vec<*mut f32> =
                channels.iter_mut().map(|channel| channel[start..end].as_mut_ptr()).collect();
            let bus = |buffers: &mut Vec<*mut f32>| AudioBusBuffers {
                numChannels: buffers.len() as int32,
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 { channelBuffers32: buffers.as_mut_ptr() },
            };
            let none = AudioBusBuffers {
                numChannels: 2,
                silenceFlags: 0,
                __field0: AudioBusBuffers__type0 { channelBuffers32: std::ptr::without_provenance_mut(8) },
            };
            let second = if side_chain.is_some() { bus(&mut keys) } else { none };
            let mut input_buses = [bus(&mut inputs), second];
            let mut output_bus = bus(&mut outputs);
            // SAFETY: all bit patterns are valid, among them zeros.
            let mut context: ProcessContext = unsafe { std::mem::zeroed() };
            context.state = kPlaying as u32;
            context.sampleRate = sample_rate;
            context.projectTimeSamples = start as int64;
            let mut data = ProcessData {
                processMode: ProcessModes_::kRealtime as int32,
                symbolicSampleSize: SymbolicSampleSizes_::kSample32 as int32,
                numSamples: (end - start) as int32,
                numInputs: 1 + int32::from(side_chain.is_some()),
                numOutputs: 1,
                inputs: input_buses.as_mut_ptr(),
                outputs: &mut output_bus,
                inputParameterChanges: null_mut(),
                outputParameterChanges: null_mut(),
                inputEvents: null_mut(),
                outputEvents: null_mut(),
                processContext: &mut context,
            };
            // SAFETY: every pointer in `data` is null or points to what it says, for as long as the call.
            let result = unsafe { self.processor.process(&mut data) };
            ensure!(result == kResultOk, "processing failed ({result})");
        }
        Ok(())
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.terminates {
            // SAFETY: the host's last call on a living component.
            unsafe { self.component.terminate() };
        }
    }
}

/// A stream in memory.
struct Memory {
    bytes: RefCell<Vec<u8>>,
    position: RefCell<usize>,
}

impl Class for Memory {
    type Interfaces = (IBStream,);
}

struct Stream(ComWrapper<Memory>);

impl Stream {
    fn new(bytes: &[u8]) -> Stream {
        Stream(ComWrapper::new(Memory { bytes: RefCell::new(bytes.to_vec()), position: RefCell::new(0) }))
    }

    fn interface(&self) -> Result<ComPtr<IBStream>> {
        self.0.to_com_ptr().context("a stream is a stream")
    }
}

impl IBStreamTrait for Memory {
    unsafe fn read(&self, buffer: *mut c_void, count: int32, read: *mut int32) -> tresult {
        let (bytes, mut position) = (self.bytes.borrow(), self.position.borrow_mut());
        let here = bytes.len().saturating_sub(*position).min(usize::try_from(count).unwrap_or(0));
        // SAFETY: the plugin promises room for `count` bytes, and `read` is null or valid.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr().add(*position), buffer.cast(), here);
            if !read.is_null() {
                read.write(here as int32);
            }
        }
        *position += here;
        // As some hosts do for an empty read.
        if here == 0 { kResultFalse } else { kResultOk }
    }

    unsafe fn write(&self, buffer: *mut c_void, count: int32, written: *mut int32) -> tresult {
        let Ok(length) = usize::try_from(count) else { return kInvalidArgument };
        // SAFETY: the plugin promises `count` bytes, and `written` is null or valid.
        unsafe {
            self.bytes.borrow_mut().extend_from_slice(std::slice::from_raw_parts(buffer.cast(), length));
            if !written.is_null() {
                written.write(count);
            }
        }
        kResultOk
    }

    unsafe fn seek(&self, to: int64, mode: int32, result: *mut int64) -> tresult {
        let length = self.bytes.borrow().len() as int64;
        let mut position = self.position.borrow_mut();
        let base = match mode {
            mode if mode == kIBSeekSet as int32 => 0,
            mode if mode == kIBSeekCur as int32 => *position as int64,
            mode if mode == kIBSeekEnd as int32 => length,
            _ => return kInvalidArgument,
        };
        let Some(to) = base.checked_add(to).filter(|to| (0..=length).contains(to)) else {
            return kInvalidArgument;
        };
        *position = to as usize;
        if !result.is_null() {
            // SAFETY: not null, and the plugin's own.
            unsafe { result.write(to) };
        }
        kResultOk
    }

    unsafe fn tell(&self, position: *mut int64) -> tresult {
        // SAFETY: the plugin's own.
        unsafe { position.write(*self.position.borrow() as int64) };
        kResultOk
    }
}
