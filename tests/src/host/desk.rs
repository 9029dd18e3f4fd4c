//! What surrounds a plugin in a DAW: controller pages, the track, how long it rings, its window.

use super::Plugin;
use anyhow::{Context, Result};
use clack_extensions::audio_ports::{AudioPortFlags, AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::gui::{GuiApiType, GuiConfiguration, GuiSize, PluginGui, Window};
use clack_extensions::remote_controls::{PluginRemoteControls, RemoteControlsPageBuffer};
use clack_extensions::state::PluginState;
use clack_extensions::track_info::PluginTrackInfo;
use clack_host::prelude::ClapId;
use std::io::{Read, Write};
use std::time::Duration;

/// A port through which sound goes in or comes out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Number by which host and plugin call it.
    pub id: u32,
    /// Name to show.
    pub name: String,
    /// Channels.
    pub channels: usize,
    /// The one for the sound itself.
    pub main: bool,
}

/// A stream that carries few bytes at a time, as those of some hosts.
struct Pieces<T>(T, usize);

impl Read for Pieces<&[u8]> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = out.len().min(self.1);
        self.0.read(&mut out[..count])
    }
}

impl Write for Pieces<Vec<u8>> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(&bytes[..bytes.len().min(self.1)])
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A page of knobs for a hardware controller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Number by which host and plugin call it.
    pub id: ClapId,
    /// Group of pages it belongs to.
    pub section: String,
    /// Name to show.
    pub name: String,
    /// What each of the eight knobs turns.
    pub knobs: [Option<ClapId>; 8],
}

impl Plugin {
    /// All ports in one direction, in the present layout.
    pub fn ports(&mut self, input: bool) -> Result<Vec<Port>> {
        let ports = self.extension::<PluginAudioPorts>("audio-ports")?;
        let handle = self.instance.plugin_handle();
        let mut buffer = AudioPortInfoBuffer::new();
        (0..ports.count(&handle, input))
            .map(|index| {
                let port =
                    ports.get(&handle, index, input, &mut buffer).context("a port that is not there")?;
                Ok(Port {
                    id: port.id.get(),
                    name: String::from_utf8_lossy(port.name).into_owned(),
                    channels: port.channel_count as usize,
                    main: port.flags.contains(AudioPortFlags::IS_MAIN),
                })
            })
            .collect()
    }

    /// The state, written `bytes` at a time.
    pub fn save_in_pieces(&mut self, bytes: usize) -> Result<Vec<u8>> {
        let state = self.extension::<PluginState>("state")?;
        let mut pieces = Pieces(Vec::new(), bytes);
        state
            .save(&self.instance.plugin_handle(), &mut pieces)
            .context("the plugin cannot save in pieces")?;
        Ok(pieces.0)
    }

    /// Gives a state back, `bytes` at a time.
    pub fn load_in_pieces(&mut self, saved: &[u8], bytes: usize) -> Result<()> {
        let state = self.extension::<PluginState>("state")?;
        let mut pieces = Pieces(saved, bytes);
        state
            .load(&self.instance.plugin_handle(), &mut pieces)
            .context("the plugin refused the state in pieces")
    }

    /// All pages of knobs.
    pub fn pages(&mut self) -> Result<Vec<Page>> {
        let pages = self.extension::<PluginRemoteControls>("remote-controls")?;
        let handle = self.instance.plugin_handle();
        let mut buffer = RemoteControlsPageBuffer::new();
        (0..pages.count(&handle))
            .map(|index| {
                let page = pages.get(&handle, index, &mut buffer).context("a page that is not there")?;
                Ok(Page {
                    id: page.page_id,
                    section: String::from_utf8_lossy(page.section_name).into_owned(),
                    name: String::from_utf8_lossy(page.page_name).into_owned(),
                    knobs: page.param_ids,
                })
            })
            .collect()
    }

    /// Puts the plugin on a track of this name and colour (red, green, blue).
    pub fn set_track(&mut self, name: &'static str, colour: [u8; 3]) -> Result<()> {
        let track = self.extension::<PluginTrackInfo>("track-info")?;
        *self.requests().track.lock().expect("not poisoned") = Some((name, colour));
        track.changed(&self.instance.plugin_handle());
        Ok(())
    }

    /// Opens the plugin's window inside of the X11 window `parent` and returns its size in pixels.
    ///
    /// # Safety
    /// `parent` is a window that stays there until [`Plugin::close_window`].
    pub unsafe fn open_window(&mut self, parent: u32) -> Result<GuiSize> {
        // SAFETY: as the caller promises.
        unsafe { self.open_window_after(parent, Duration::ZERO) }
    }

    /// The same by a host that takes this long to show the window.
    ///
    /// # Safety
    /// As of [`Plugin::open_window`].
    pub unsafe fn open_window_after(&mut self, parent: u32, delay: Duration) -> Result<GuiSize> {
        let gui = self.extension::<PluginGui>("gui")?;
        let handle = self.instance.plugin_handle();
        let embedded = GuiConfiguration { api_type: GuiApiType::X11, is_floating: false };
        gui.create(&handle, embedded).context("no window can be made")?;
        // It is shown as soon as it has a parent.
        std::thread::sleep(delay);
        // SAFETY: as the caller promises.
        unsafe { gui.set_parent(&handle, Window::from_x11_handle(parent.into())) }
            .context("the window cannot be put into the host's")?;
        let size = gui.get_size(&handle).context("a window without a size")?;
        gui.show(&handle).context("the window cannot be shown")?;
        Ok(size)
    }

    /// Closes the window.
    pub fn close_window(&mut self) -> Result<()> {
        self.extension::<PluginGui>("gui")?.destroy(&self.instance.plugin_handle());
        Ok(())
    }
}
