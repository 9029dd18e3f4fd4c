//! What the plugin may ask of the host.

use clack_extensions::audio_ports::{AudioPortRescanFlags, HostAudioPorts, HostAudioPortsImpl};
use clack_extensions::gui::{GuiSize, HostGui, HostGuiImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::log::{HostLog, HostLogImpl, LogSeverity};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::preset_discovery::preset_data::Location;
use clack_extensions::preset_discovery::{HostPresetLoad, HostPresetLoadImpl};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_extensions::track_info::{HostTrackInfo, HostTrackInfoImpl, TrackInfo, TrackInfoWriter};
use clack_host::prelude::*;
use clack_host::utils::Color;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// What the plugin asked for since it was made.
#[derive(Debug, Default)]
pub struct Requests {
    /// It wants to be deactivated and activated again.
    pub restart: AtomicBool,
    /// It wants to be called on the main thread.
    pub callback: AtomicBool,
    /// How often it said that its latency changed.
    pub latency_changes: AtomicU32,
    /// What it wrote to the host's log.
    pub log: Mutex<Vec<String>>,
    /// The presets it says it loaded, by their keys, and why it did not load others.
    pub presets: Mutex<Vec<Result<String, String>>>,
    /// Name and colour of the track that it is on, when the host tells.
    pub track: Mutex<Option<(&'static str, [u8; 3])>>,
}

/// The handlers' types, for clack.
pub struct Handlers;

impl HostHandlers for Handlers {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _: &Shared) {
        builder
            .register::<HostLog>()
            .register::<HostParams>()
            .register::<HostState>()
            .register::<HostLatency>()
            .register::<HostAudioPorts>()
            .register::<HostPresetLoad>()
            .register::<HostTrackInfo>()
            .register::<HostGui>();
    }
}

/// Callbacks from any thread.
pub struct Shared(pub Arc<Requests>);

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.0.restart.store(true, Relaxed);
    }

    fn request_process(&self) {}

    fn request_callback(&self) {
        self.0.callback.store(true, Relaxed);
    }
}

impl HostLogImpl for Shared {
    fn log(&self, severity: LogSeverity, message: &str) {
        if let Ok(mut log) = self.0.log.lock() {
            log.push(format!("{severity}: {message}"));
        }
    }
}

impl HostGuiImpl for Shared {
    fn resize_hints_changed(&self) {}

    fn request_resize(&self, _: GuiSize) -> Result<(), HostError> {
        Ok(())
    }

    fn request_show(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn request_hide(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn closed(&self, _: bool) {}
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {}
}

/// Callbacks on the main thread.
pub struct MainThread(pub Arc<Requests>);

impl MainThreadHandler<'_> for MainThread {}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, _: ParamRescanFlags) {}

    fn clear(&self, _: ClapId, _: ParamClearFlags) {}
}

impl HostStateImpl for MainThread {
    fn mark_dirty(&self) {}
}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {
        self.0.latency_changes.fetch_add(1, Relaxed);
    }
}

impl HostAudioPortsImpl for MainThread {
    fn is_rescan_flag_supported(&self, _: AudioPortRescanFlags) -> bool {
        false
    }

    fn rescan(&self, _: AudioPortRescanFlags) {}
}

impl HostPresetLoadImpl for MainThread {
    fn on_error(&self, _: Location, key: Option<&CStr>, _: i32, message: Option<&CStr>) {
        let words = [key, message].map(|text| text.unwrap_or_default().to_string_lossy().into_owned());
        self.0.presets.lock().expect("not poisoned").push(Err(words.join(": ")));
    }

    fn loaded(&self, _: Location, key: Option<&CStr>) {
        let key = key.unwrap_or_default().to_string_lossy().into_owned();
        self.0.presets.lock().expect("not poisoned").push(Ok(key));
    }
}

impl HostTrackInfoImpl for MainThread {
    fn get<'a>(&'a self, writer: &mut TrackInfoWriter<'_, 'a>) {
        let track = *self.0.track.lock().expect("not poisoned");
        if let Some((name, [red, green, blue])) = track {
            let colour = Color { red, green, blue, alpha: 255 };
            writer.set(&TrackInfo::new().with_name(Some(name.as_bytes())).with_color(Some(colour)));
        }
    }
}
