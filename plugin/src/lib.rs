//! Idiom as a plugin: parameters, lifecycle, state and window around [`idiom_engine`]. It owns no signal processing
//! and no recognition.
//!
//! * [`params`]: what a host can automate, with ranges and texts.
//! * [`midi_out`]: what is heard, as MIDI controllers.
//! * [`mod@print`]: what the genre draws, as the host's automation.
//! * [`state`]: what is saved beside the parameters, and how a bad state is dealt with.
//! * [`clap_entry`], [`vst3_entry`]: the entry points; [`clap_presets`], [`clap_user_presets`], [`clap_pages`]: presets in a
//!   CLAP host's own browser, and pages for its controllers; [`instances`]: which instance a host's object belongs to.
//! * [`stay`]: the library stays loaded.
//! * [`editor`]: the window. [`library`]: the user's presets.
//! * [`probe`]: two exported C functions that tell what an instance decides and what its window says.

pub mod clap_entry;
pub mod clap_pages;
pub mod clap_presets;
pub mod clap_user_presets;
pub mod editor;
pub mod history;
pub mod instances;
pub mod library;
pub mod midi_out;
pub mod params;
pub mod print;
pub mod probe;
pub mod shared;
pub mod state;
pub mod stay;
pub mod vst3_entry;

use crate::midi_out::MidiOut;
use crate::params::{IdiomParams, Switch};
use crate::shared::{Pace, Shared};
use idiom_engine::{Config, Engine, Handle, LimiterMode, Transport};
use nice_plug::prelude::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// For how long something is still heard after the sound has ended, in seconds: the filters ring. Hosts stop calling a
/// plugin after that, and a bounce ends with it.
const TAIL_S: f32 = 0.5;

/// Stack of the thread on which an engine is made, in bytes; several times what it needs.
const START_STACK: usize = 4 << 20;

/// One instance of the plugin.
pub struct Idiom {
    params: Arc<IdiomParams>,
    shared: Arc<Shared>,
    /// `None` before activation and after a failure: then sound passes untouched.
    engine: Option<Box<Engine>>,
    /// The engine panicked; it is kept until it can be dropped off the audio thread, and not called again.
    crashed: bool,
    /// In Hz.
    sample_rate: f32,
    /// The limiter of the present activation.
    limiter: LimiterMode,
    /// The host was asked for another activation, because of another limiter.
    restart_asked: bool,
    midi_out: MidiOut,
    pace: Pace,
    _registration: instances::Registration,
}

impl Default for Idiom {
    fn default() -> Self {
        let handle = Arc::new(Handle::new());
        let params = Arc::new(IdiomParams::new(Arc::clone(&handle)));
        let shared = Arc::new(Shared::new(handle));
        Self {
            _registration: instances::Registration::new(&params, &shared),
            params,
            shared,
            engine: None,
            crashed: false,
            sample_rate: 48_000.0,
            limiter: LimiterMode::default(),
            restart_asked: false,
            midi_out: MidiOut::new(48_000.0),
            pace: Pace::new(48_000.0),
        }
    }
}

impl Idiom {
    /// Runs `work` on the engine, if there is one that works. A panic ends the engine's part, never the host's.
    fn with_engine(&mut self, work: impl FnOnce(&mut Engine)) {
        let Some(engine) = self.engine.as_deref_mut().filter(|_| !self.crashed) else { return };
        if catch_unwind(AssertUnwindSafe(|| work(engine))).is_err() {
            self.crashed = true;
            self.shared.report_crash();
        }
    }

    /// Makes an engine, on a thread of its own: while it is made it takes some hundred kB of stack, and not every host
    /// calls from a thread that has them (Ardour activates on its audio thread, with 512 kB).
    fn start(&self, config: Config, limiter: LimiterMode) -> Result<Box<Engine>, String> {
        let (lowest, highest) = (8_000.0, 384_000.0);
        if !(lowest..=highest).contains(&config.sample_rate) {
            return Err(format!(
                "Idiom cannot work at {} Hz, only from {lowest} to {highest}: the sound passes untouched. Choose another \
                 sample rate in the host.",
                config.sample_rate
            ));
        }
        let handle = &self.shared.handle;
        let started = std::thread::scope(|scope| {
            std::thread::Builder::new()
                .stack_size(START_STACK)
                .spawn_scoped(scope, || Box::new(handle.start(config).with_limiter(limiter)))
                .map(|thread| thread.join())
        });
        match started {
            Ok(Ok(engine)) => Ok(engine),
            _ => Err("Idiom's engine could not start: the sound passes untouched. Please report this with the log."
                .into()),
        }
    }
}

/// Input ports: what is mixed, and the side chain.
pub(crate) const INPUT_PORTS: usize = 2;

const PORTS: PortNames = PortNames { aux_inputs: &["Side chain"], ..PortNames::const_default() };

impl Plugin for Idiom {
    const NAME: &'static str = "Idiom";
    const VENDOR: &'static str = "Idiom";
    const URL: &'static str = "";
    const EMAIL: &'static str = "";
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");

    const AUDIO_IO_LAYOUTS: &'static [AudioIOLayout] = &[
        AudioIOLayout {
            main_input_channels: NonZeroU32::new(2),
            main_output_channels: NonZeroU32::new(2),
            aux_input_ports: &[new_nonzero_u32(2)],
            names: PORTS,
            ..AudioIOLayout::const_default()
        },
        AudioIOLayout {
            main_input_channels: NonZeroU32::new(1),
            main_output_channels: NonZeroU32::new(1),
            aux_input_ports: &[new_nonzero_u32(1)],
            names: PORTS,
            ..AudioIOLayout::const_default()
        },
    ];
    /// Only for controllers. There is no MIDI input, so nothing has to be passed on.
    const MIDI_OUTPUT: MidiConfig = MidiConfig::MidiCCs;
    /// Automation counts from its sample on, so a render does not depend on the host's block size.
    const SAMPLE_ACCURATE_AUTOMATION: bool = true;

    type Editor = editor::IdiomEditor;
    type SysExMessage = ();
    type BackgroundTask = ();

    fn params(&self) -> Arc<dyn Params> {
        self.params.clone()
    }

    fn editor(&mut self, _executor: AsyncExecutor<Self>) -> Option<Self::Editor> {
        Some(editor::IdiomEditor::new(Arc::clone(&self.params), Arc::clone(&self.shared)))
    }

    fn filter_state(state: &mut PluginState) {
        state::inspect(state);
    }

    fn activate(
        &mut self,
        layout: &AudioIOLayout,
        buffer: &BufferConfig,
        context: &mut impl ActivateContext<Self>,
    ) -> bool {
        let config = Config {
            sample_rate: buffer.sample_rate,
            channels: layout.main_output_channels.map_or(2, |channels| channels.get() as usize),
            offline: buffer.process_mode == ProcessMode::Offline,
        };
        self.sample_rate = buffer.sample_rate;
        (self.limiter, self.restart_asked) = (self.params.limiter_mode(), false);
        let started = self.start(config, self.limiter);
        self.midi_out = MidiOut::new(buffer.sample_rate);
        self.pace = Pace::new(buffer.sample_rate);
        self.crashed = false;
        let (engine, refusal) = match started {
            Ok(engine) => (Some(engine), None),
            Err(why) => (None, Some(why)),
        };
        self.engine = engine;
        self.shared.activated(refusal);
        // Logs what is wrong even if no window is ever opened.
        self.shared.problem();
        context.set_latency_samples(self.engine.as_ref().map_or(0, |engine| engine.latency() as u32));
        true
    }

    fn reset(&mut self) {
        self.with_engine(Engine::reset);
        self.midi_out.reset();
    }

    fn process(
        &mut self,
        buffer: &mut Buffer,
        aux: &mut AuxiliaryBuffers,
        context: &mut impl ProcessContext<Self>,
    ) -> ProcessStatus {
        let (host, controls) = (context.transport(), self.params.controls());
        let transport = Transport {
            playing: host.playing,
            position: host.pos_samples(),
            loop_start: host.loop_range_samples().map(|(start, _)| start),
        };
        let (mut key, mut key_channels) = ([&[][..]; 2], 0);
        if let Some(side_chain) = aux.inputs.first_mut() {
            for (slot, channel) in key.iter_mut().zip(side_chain.as_slice_immutable()) {
                *slot = channel;
                key_channels += 1;
            }
        }
        let channels = buffer.as_slice();
        self.with_engine(|engine| engine.process_keyed(channels, &key[..key_channels], transport, &controls));
        if self.crashed {
            // The engine may have left half a block behind; nothing that is not a number may reach the speakers.
            for sample in buffer.as_slice().iter_mut().flat_map(|channel| channel.iter_mut()) {
                *sample = if sample.is_finite() { *sample } else { 0.0 };
            }
        }
        if self.params.switch(Switch::MidiOut).value() {
            if let Some(engine) = self.engine.as_ref().filter(|_| !self.crashed) {
                let routing = self.params.cc.routing();
                let outcome = engine.outcome();
                self.midi_out.block(buffer.samples(), outcome, &routing, |event| {
                    context.try_send_event(event).is_ok()
                });
            }
        } else {
            self.midi_out.reset();
        }
        if self.params.limiter_mode() != self.limiter && !self.restart_asked {
            // The latency is another one then, and hosts take that only from a new activation.
            self.restart_asked = true;
            context.request_restart();
        }
        self.pace.block(buffer.samples(), &self.shared);
        ProcessStatus::Tail((TAIL_S * self.sample_rate) as u32)
    }

    fn deactivate(&mut self) {
        self.shared.problem();
        let engine = self.engine.take();
        // An engine that panicked may panic again.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(engine)));
    }
}

impl ClapPlugin for Idiom {
    const CLAP_ID: &'static str = "org.idiom.idiom";
    const CLAP_DESCRIPTION: Option<&'static str> =
        Some("Hears the genre of what plays and moves its mix controls towards it");
    const CLAP_MANUAL_URL: Option<&'static str> = None;
    const CLAP_SUPPORT_URL: Option<&'static str> = None;
    const CLAP_FEATURES: &'static [ClapFeature] = &[
        ClapFeature::AudioEffect,
        ClapFeature::Mixing,
        ClapFeature::Mastering,
        ClapFeature::Equalizer,
        ClapFeature::Compressor,
        ClapFeature::Analyzer,
        ClapFeature::Stereo,
        ClapFeature::Mono,
    ];
}

impl Vst3Plugin for Idiom {
    const VST3_CLASS_ID: [u8; 16] = *b"IdiomGenreMixer1";
    const VST3_SUBCATEGORIES: &'static [Vst3SubCategory] =
        &[Vst3SubCategory::Fx, Vst3SubCategory::Mastering, Vst3SubCategory::Dynamics, Vst3SubCategory::Eq];
}

#[cfg(test)]
mod lifecycle_tests;
