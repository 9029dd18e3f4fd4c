//! What a library says of presets, and loading them.

use super::{Bundle, Plugin};
use anyhow::{Context, Result, ensure};
use clack_extensions::preset_discovery::indexer::IndexerImpl;
use clack_extensions::preset_discovery::metadata_receiver::MetadataReceiverImpl;
use clack_extensions::preset_discovery::prelude::*;
use clack_host::prelude::{HostError, HostInfo};
use std::ffi::{CStr, CString};
use std::path::Path;

/// A preset as a host's browser lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// Name to show.
    pub name: String,
    /// What the plugin finds it by.
    pub key: String,
    /// The plugin that it is for.
    pub plugin: String,
    /// Who made it.
    pub creators: Vec<String>,
    /// What it is for.
    pub description: String,
    /// It comes with the plugin.
    pub factory: bool,
}

/// Places where presets are, as the plugin names them.
#[derive(Default)]
struct Places {
    inside: u32,
    /// Folders, and the endings of the files in them.
    folders: Vec<String>,
    endings: Vec<String>,
}

impl IndexerImpl for Places {
    fn declare_filetype(&mut self, kind: FileType) -> Result<(), HostError> {
        self.endings.push(text(kind.file_extension));
        Ok(())
    }

    fn declare_location(&mut self, place: LocationInfo) -> Result<(), HostError> {
        match place.location {
            Location::Plugin => self.inside += 1,
            Location::File { path } => self.folders.push(text(Some(path))),
        }
        Ok(())
    }

    fn declare_soundpack(&mut self, _: Soundpack) -> Result<(), HostError> {
        Ok(())
    }
}

/// Takes what the plugin says of its presets, up to `most`.
struct Browser {
    presets: Vec<Listed>,
    most: usize,
}

fn text(text: Option<&CStr>) -> String {
    text.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Browser {
    fn last(&mut self) -> &mut Listed {
        self.presets.last_mut().expect("a preset begins before it is described")
    }
}

impl MetadataReceiverImpl for Browser {
    fn on_error(&mut self, _: i32, message: Option<&CStr>) {
        panic!("the plugin cannot list its presets: {}", text(message));
    }

    fn begin_preset(&mut self, name: Option<&CStr>, key: Option<&CStr>) -> Result<(), HostError> {
        if self.presets.len() == self.most {
            return Err(HostError::Message("enough"));
        }
        self.presets.push(Listed { name: text(name), key: text(key), ..Listed::default() });
        Ok(())
    }

    fn add_plugin_id(&mut self, id: UniversalPluginId) {
        assert_eq!(id.abi, c"clap");
        self.last().plugin = text(Some(id.id));
    }

    fn set_soundpack_id(&mut self, _: &CStr) {}

    fn set_flags(&mut self, flags: Flags) {
        self.last().factory = flags.contains(Flags::IS_FACTORY_CONTENT);
    }

    fn add_creator(&mut self, creator: &CStr) {
        let creator = text(Some(creator));
        self.last().creators.push(creator);
    }

    fn set_description(&mut self, description: &CStr) {
        self.last().description = text(Some(description));
    }

    fn set_timestamps(&mut self, _: Option<Timestamp>, _: Option<Timestamp>) {}

    fn add_feature(&mut self, _: &CStr) {}

    fn add_extra_info(&mut self, _: &CStr, _: &CStr) {}
}

impl Bundle {
    /// Folders with presets that the plugin names, and the endings of the files in them.
    ///
    /// # Errors
    /// When the library has no way to tell.
    pub fn preset_folders(&self) -> Result<(Vec<String>, Vec<String>)> {
        let mut provider = self.provider()?;
        let places = std::mem::take(provider.indexer_mut());
        Ok((places.folders, places.endings))
    }

    /// What the plugin says of the preset in a file.
    ///
    /// # Errors
    /// When it says nothing.
    pub fn preset_in(&self, path: &Path) -> Result<Listed> {
        let mut provider = self.provider()?;
        let mut browser = Browser { presets: Vec::new(), most: 1 };
        let path = CString::new(path.as_os_str().as_encoded_bytes())?;
        provider.get_metadata(Location::File { path: &path }, &mut browser);
        browser.presets.pop().context("the plugin says nothing of the file")
    }

    fn provider(&self) -> Result<Provider<Places>> {
        let factory =
            self.entry.get_factory::<PresetDiscoveryFactory>().context("the library lists no presets")?;
        ensure!(factory.provider_count() == 1, "{} providers", factory.provider_count());
        let id =
            factory.get_provider_descriptor(0).and_then(ProviderDescriptor::id).context("no provider")?;
        let host = HostInfo::new("Idiom's test host", "The Idiom developers", "", "1")?;
        Ok(Provider::instantiate(Places::default(), &self.entry, id, &host)?)
    }

    /// The presets in the plugin, without an instance of it; stops the plugin after `most`.
    ///
    /// # Errors
    /// When the library has no way to tell.
    pub fn presets(&self, most: usize) -> Result<Vec<Listed>> {
        let mut provider = self.provider()?;
        ensure!(provider.indexer().inside == 1, "{} places inside the plugin", provider.indexer().inside);
        let mut browser = Browser { presets: Vec::new(), most };
        provider.get_metadata(Location::Plugin, &mut browser);
        Ok(browser.presets)
    }
}

impl Plugin {
    /// Plays the preset in this file, as a host's browser does it.
    ///
    /// # Errors
    /// When the plugin says that it cannot.
    pub fn load_preset_file(&mut self, path: &Path) -> Result<()> {
        let load = self.extension::<PluginPresetLoad>("preset-load")?;
        let place = CString::new(path.as_os_str().as_encoded_bytes())?;
        load.load_from_location(&self.instance.plugin_handle(), Location::File { path: &place }, None)
            .with_context(|| format!("the plugin did not load {}", path.display()))
    }

    /// Plays the preset with this load key, as a host's browser does it.
    ///
    /// # Errors
    /// When the plugin says that it cannot.
    pub fn load_preset(&mut self, key: &str) -> Result<()> {
        let load = self.extension::<PluginPresetLoad>("preset-load")?;
        let key = CString::new(key)?;
        load.load_from_location(&self.instance.plugin_handle(), Location::Plugin, Some(&key))
            .with_context(|| format!("the plugin did not load the preset {}", key.to_string_lossy()))
    }
}
