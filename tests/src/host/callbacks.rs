//! What the plugin may ask of the host.

use clack_extensions::audio_ports::{AudioPortRescanFlags, HostAudioPorts, HostAudioPortsImpl};
use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::log::{HostLog, HostLogImpl, LogSeverity};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags,
};
use clack_extensions::state::{HostState, HostStateImpl};
use clack_host::prelude::*;
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
            .register::<HostAudioPorts>();
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
