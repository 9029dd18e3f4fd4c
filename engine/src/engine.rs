//! The engine's two faces: [`Engine`] for the audio thread, [`Handle`] for everybody else.

use crate::controls::{Backend, Controls, Quantization, Transport};
use crate::telemetry::Telemetry;
use std::sync::Arc;

/// How the host runs the engine. A change needs a new [`Engine`] from the same [`Handle`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Host sample rate in Hz, 8000..=384000.
    pub sample_rate: f32,
    /// 1 or 2.
    pub channels: usize,
    /// The host renders faster or slower than real time and may be kept waiting, so that a bounce is reproducible.
    pub offline: bool,
}

/// What runs and why, for the window and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What the user asked for.
    pub requested: (Backend, Quantization),
    /// What was handed to the audio thread last.
    pub installed: (Backend, Quantization),
    /// Name and version of the installed model, empty for rules.
    pub model: String,
    /// What went wrong, what runs instead, and what to do. `None` when all is as requested.
    pub problem: Option<String>,
}

/// The side of an instance that may wait and allocate: plugin main thread, window, tests.
pub struct Handle {
    telemetry: Arc<Telemetry>,
}

impl Handle {
    /// Registers a new instance with the process's worker, starting it when this is the first.
    pub fn new() -> Handle {
        Handle { telemetry: Arc::default() }
    }

    /// Makes the audio-thread side. Allocates, and waits for the preloaded model; never call it on the audio thread.
    pub fn start(&self, _config: Config) -> Engine {
        Engine {}
    }

    /// Chooses what computes the genre. Returns at once; the worker prepares it and the audio thread takes it over
    /// without a gap. May be called before [`Handle::start`].
    pub fn select(&self, _backend: Backend, _quantization: Quantization) {}

    /// What runs and why.
    pub fn status(&self) -> Status {
        Status::default()
    }

    /// What the audio thread tells.
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }
}

impl Default for Handle {
    fn default() -> Self {
        Self::new()
    }
}

/// The audio-thread side of an instance. After [`Handle::start`] nothing in it allocates, locks or waits
/// (waiting is allowed only when [`Config::offline`] is set).
pub struct Engine {}

impl Engine {
    /// Analyses one block and mixes it in place.
    ///
    /// `channels` holds one slice a channel, all of one length, any length from 0 up.
    /// Whatever the input holds (NaN, infinities, denormals), the output is finite.
    pub fn process(&mut self, _channels: &mut [&mut [f32]], _transport: Transport, _controls: &Controls) {}

    /// Forgets what was heard: the next block is a new beginning.
    pub fn reset(&mut self) {}
}
