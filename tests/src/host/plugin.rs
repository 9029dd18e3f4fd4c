//! An instance of a plugin, on the main thread.

use super::callbacks::{Handlers, MainThread, Requests, Shared};
use super::{Change, Processor, Render};
use crate::signals::Random;
use anyhow::{Context, Result, bail};
use clack_extensions::audio_ports::{AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::audio_ports_config::{AudioPortsConfigBuffer, PluginAudioPortsConfig};
use clack_extensions::latency::PluginLatency;
use clack_extensions::params::{ParamInfoBuffer, ParamInfoFlags, PluginParams};
use clack_extensions::render::PluginRender;
use clack_extensions::state::PluginState;
use clack_host::extensions::prelude::{Extension, PluginExtensionSide};
use clack_host::prelude::*;
use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// What a plugin says about one of its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Param {
    /// Number by which host and plugin call it.
    pub id: ClapId,
    /// Name to show.
    pub name: String,
    /// Group it is shown in, with slashes.
    pub module: String,
    /// Smallest plain value.
    pub min: f64,
    /// Largest plain value.
    pub max: f64,
    /// Plain value of a new instance.
    pub default: f64,
    /// Only whole values.
    pub stepped: bool,
    /// May be automated.
    pub automatable: bool,
    /// The host shows it as its own bypass switch.
    pub bypass: bool,
}

impl Param {
    /// A change of it to any value that it may have, at the first sample of a block.
    pub fn random_change(&self, random: &mut Random) -> Change {
        let value = self.min + (self.max - self.min) * f64::from(random.unit());
        Change { at: 0, param: self.id, value: if self.stepped { value.round() } else { value } }
    }
}

/// An instance of a plugin, on the main thread.
pub struct Plugin {
    pub(super) instance: PluginInstance<Handlers>,
    requests: Arc<Requests>,
    channels: usize,
}

impl Plugin {
    pub(super) fn new(entry: &PluginEntry, id: &CStr) -> Result<Plugin> {
        let info = HostInfo::new("Idiom's test host", "The Idiom developers", "", env!("CARGO_PKG_VERSION"))?;
        let requests = Arc::<Requests>::default();
        let (shared, main) = (Arc::clone(&requests), Arc::clone(&requests));
        let instance = PluginInstance::new(|_| Shared(shared), |_| MainThread(main), entry, id, &info)
            .with_context(|| format!("cannot make an instance of {}", id.to_string_lossy()))?;
        let mut plugin = Plugin { instance, requests, channels: 0 };
        plugin.channels = plugin.port_channels();
        Ok(plugin)
    }

    pub(super) fn extension<E: Extension<ExtensionSide = PluginExtensionSide>>(
        &self,
        name: &str,
    ) -> Result<E> {
        self.instance
            .plugin_shared_handle()
            .get_extension::<E>()
            .with_context(|| format!("the plugin lacks CLAP's extension '{name}'"))
    }

    /// Channels of the main input in the present layout.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// How many inputs there are beside the main one.
    fn side_chains(&mut self) -> usize {
        let Ok(ports) = self.extension::<PluginAudioPorts>("audio-ports") else { return 0 };
        (ports.count(&self.instance.plugin_handle(), true) as usize).saturating_sub(1)
    }

    fn port_channels(&mut self) -> usize {
        let Ok(ports) = self.extension::<PluginAudioPorts>("audio-ports") else { return 0 };
        let mut buffer = AudioPortInfoBuffer::new();
        let handle = self.instance.plugin_handle();
        ports.get(&handle, 0, true, &mut buffer).map_or(0, |info| info.channel_count as usize)
    }

    /// Chooses the layout with this many channels in and out.
    ///
    /// # Errors
    /// When the plugin has no such layout.
    pub fn set_channels(&mut self, channels: usize) -> Result<()> {
        if self.channels == channels {
            return Ok(());
        }
        let configs = self.extension::<PluginAudioPortsConfig>("audio-ports-config")?;
        let handle = self.instance.plugin_handle();
        let mut buffer = AudioPortsConfigBuffer::new();
        for index in 0..configs.count(&handle) {
            let Some(config) = configs.get(&handle, index, &mut buffer) else { continue };
            let wide = |info: Option<clack_extensions::audio_ports_config::MainPortInfo<'_>>| {
                info.map(|port| port.channel_count as usize)
            };
            if wide(config.main_input) == Some(channels) && wide(config.main_output) == Some(channels) {
                let id = config.id;
                configs.select(&handle, id).context("the plugin refused the layout")?;
                self.channels = channels;
                return Ok(());
            }
        }
        bail!("the plugin has no layout with {channels} channels")
    }

    /// A change of every parameter, each as [`Param::random_change`] makes it.
    pub fn random_changes(&mut self, random: &mut Random) -> Result<Vec<Change>> {
        Ok(self.params()?.iter().map(|param| param.random_change(random)).collect())
    }

    /// All parameters.
    pub fn params(&mut self) -> Result<Vec<Param>> {
        let params = self.extension::<PluginParams>("params")?;
        let handle = self.instance.plugin_handle();
        let mut buffer = ParamInfoBuffer::new();
        (0..params.count(&handle))
            .map(|index| {
                let info =
                    params.get_info(&handle, index, &mut buffer).context("a parameter without info")?;
                Ok(Param {
                    id: info.id,
                    name: String::from_utf8_lossy(info.name).into_owned(),
                    module: String::from_utf8_lossy(info.module).into_owned(),
                    min: info.min_value,
                    max: info.max_value,
                    default: info.default_value,
                    stepped: info.flags.contains(ParamInfoFlags::IS_STEPPED),
                    automatable: info.flags.contains(ParamInfoFlags::IS_AUTOMATABLE),
                    bypass: info.flags.contains(ParamInfoFlags::IS_BYPASS),
                })
            })
            .collect()
    }

    /// The parameter whose name is `name`.
    pub fn param(&mut self, name: &str) -> Result<Param> {
        let params = self.params()?;
        let names: Vec<String> = params.iter().map(|p| p.name.clone()).collect();
        params
            .into_iter()
            .find(|p| p.name == name)
            .with_context(|| format!("there is no parameter '{name}' among {names:?}"))
    }

    /// Plain value of a parameter.
    pub fn value(&mut self, id: ClapId) -> Result<f64> {
        let params = self.extension::<PluginParams>("params")?;
        params.get_value(&self.instance.plugin_handle(), id).context("no such parameter")
    }

    /// Text for a plain value of a parameter, with its unit.
    pub fn text(&mut self, id: ClapId, value: f64) -> Result<String> {
        let params = self.extension::<PluginParams>("params")?;
        let mut buffer = [0; 256];
        let text = params.value_to_text(&self.instance.plugin_handle(), id, value, &mut buffer)?;
        Ok(String::from_utf8_lossy(text).into_owned())
    }

    /// Plain value that a text stands for, `None` when the plugin does not understand it.
    pub fn parse(&mut self, id: ClapId, text: &str) -> Result<Option<f64>> {
        let params = self.extension::<PluginParams>("params")?;
        Ok(params.text_to_value(&self.instance.plugin_handle(), id, &CString::new(text)?))
    }

    /// Sets parameters without processing sound; only while the plugin is inactive.
    pub fn flush(&mut self, changes: &[Change]) -> Result<()> {
        let params = self.extension::<PluginParams>("params")?;
        let mut events = EventBuffer::with_capacity(changes.len());
        changes.iter().for_each(|change| events.push(&change.event()));
        let mut out = EventBuffer::new();
        let mut handle = self.instance.inactive_plugin_handle().context("the plugin is active")?;
        params.flush(&mut handle, &events.as_input(), &mut out.as_output());
        Ok(())
    }

    /// The plugin's state, as a DAW stores it in a project.
    pub fn save(&mut self) -> Result<Vec<u8>> {
        let state = self.extension::<PluginState>("state")?;
        let mut bytes = Vec::new();
        state.save(&self.instance.plugin_handle(), &mut bytes).context("the plugin cannot save its state")?;
        Ok(bytes)
    }

    /// Gives a stored state back.
    ///
    /// # Errors
    /// When the plugin says that it could not load it.
    pub fn load(&mut self, bytes: &[u8]) -> Result<()> {
        let state = self.extension::<PluginState>("state")?;
        let mut reader = bytes;
        state.load(&self.instance.plugin_handle(), &mut reader).context("the plugin refused the state")
    }

    /// Tells the plugin how it is rendered; takes effect with the next activation.
    pub fn set_render(&mut self, render: Render) -> Result<()> {
        let extension = self.extension::<PluginRender>("render")?;
        extension
            .set(&self.instance.plugin_handle(), render.into())
            .context("the plugin refused the render mode")
    }

    /// Latency in samples.
    pub fn latency(&mut self) -> u32 {
        self.extension::<PluginLatency>("latency").map_or(0, |l| l.get(&self.instance.plugin_handle()))
    }

    /// Makes the plugin ready to process blocks of up to `max_block` samples.
    pub fn activate(&mut self, sample_rate: f64, max_block: usize) -> Result<Processor> {
        let side_chains = self.side_chains();
        let config = PluginAudioConfiguration {
            sample_rate,
            min_frames_count: 1,
            max_frames_count: u32::try_from(max_block)?.max(1),
        };
        let stopped = self
            .instance
            .activate(|_, _| (), config)
            .with_context(|| format!("cannot activate at {sample_rate} Hz with blocks of {max_block}"))?;
        Ok(Processor::new(stopped, sample_rate, self.channels, side_chains, max_block))
    }

    /// Ends processing; the plugin can be activated again.
    pub fn deactivate(&mut self, processor: Processor) {
        self.instance.deactivate(processor.into_stopped());
    }

    /// Does what the plugin asked for on the main thread. A DAW does this all the time, call it now and then.
    pub fn idle(&mut self) {
        if self.requests.callback.swap(false, Relaxed) {
            self.instance.call_on_main_thread_callback();
        }
    }

    /// What the plugin asked for and logged.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }
}
