//! A loaded plugin library.

use super::Plugin;
use anyhow::{Context, Result, bail};
use clack_host::entry::{EntryDescriptor, LibraryEntry};
use clack_host::prelude::*;
use idiom_engine::Metrics;
use idiom_engine::telemetry_c::IdiomSnapshot;
use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};

/// `idiom_snapshot` as the library exports it.
pub type SnapshotFn = unsafe extern "C" fn(instance: u32, out: *mut IdiomSnapshot) -> u32;

/// `idiom_metrics` as the library exports it.
pub type MetricsFn = unsafe extern "C" fn(instance: u32, out: *mut u8, size: u32) -> u32;

/// What the library says about a plugin in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// Reverse domain name, for example `org.example.plugin`.
    pub id: String,
    /// Name to show.
    pub name: String,
    /// Who makes it.
    pub vendor: String,
    /// Its version.
    pub version: String,
    /// CLAP's feature words, for example `audio-effect`.
    pub features: Vec<String>,
}

/// A loaded plugin library. Stays loaded while an instance lives.
#[derive(Clone)]
pub struct Bundle {
    path: PathBuf,
    pub(super) entry: PluginEntry,
    snapshot: Option<SnapshotFn>,
    metrics: Option<MetricsFn>,
}

impl Bundle {
    /// Loads a `.clap` file (on macOS: the library inside of the bundle).
    ///
    /// # Errors
    /// When it is missing, no library, or no CLAP plugin.
    pub fn load(path: &Path) -> Result<Bundle> {
        let context = || format!("cannot load {}", path.display());
        if !path.is_file() {
            bail!("cannot load {}: there is no such file", path.display());
        }
        // SAFETY: loading runs the library's initialisers; the caller names a plugin that they trust.
        let library = unsafe { libloading::Library::new(path) }.with_context(context)?;
        // SAFETY: the type is the one that `idiom_snapshot` is documented with.
        let snapshot = unsafe { library.get::<SnapshotFn>(b"idiom_snapshot\0") }.ok().map(|symbol| *symbol);
        // SAFETY: likewise for `idiom_metrics`.
        let metrics = unsafe { library.get::<MetricsFn>(b"idiom_metrics\0") }.ok().map(|symbol| *symbol);
        let name = CString::new(path.to_string_lossy().as_bytes()).with_context(context)?;
        // SAFETY: a CLAP library exports `clap_entry` of the type that clack expects; the entry keeps the
        // library loaded, and with it `snapshot` and `metrics`.
        let entry = unsafe {
            let library = LibraryEntry::load_from_library(library).with_context(context)?;
            PluginEntry::load_from(library, &name).with_context(context)?
        };
        Ok(Bundle { path: path.to_path_buf(), entry, snapshot, metrics })
    }

    /// A plugin that is linked into this very program.
    ///
    /// # Safety
    /// `entry` must be a valid CLAP entry and `snapshot` the function that belongs to it.
    pub unsafe fn linked(entry: &'static EntryDescriptor, snapshot: SnapshotFn) -> Result<Bundle> {
        // SAFETY: as the caller promises.
        let entry = unsafe { PluginEntry::load_from_raw(entry, c"linked")? };
        Ok(Bundle { path: PathBuf::from("linked"), entry, snapshot: Some(snapshot), metrics: None })
    }

    /// Where it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The plugins in it.
    pub fn descriptors(&self) -> Result<Vec<Descriptor>> {
        let factory = self.entry.get_plugin_factory().context("the library has no plugin factory")?;
        let text = |s: Option<&CStr>| s.map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(factory
            .plugin_descriptors()
            .map(|d| Descriptor {
                id: text(d.id()),
                name: text(d.name()),
                vendor: text(d.vendor()),
                version: text(d.version()),
                features: d.features().map(|f| f.to_string_lossy().into_owned()).collect(),
            })
            .collect())
    }

    /// Makes an instance of the first plugin.
    pub fn instantiate(&self) -> Result<Plugin> {
        let descriptors = self.descriptors()?;
        let id = &descriptors.first().context("the library holds no plugin")?.id;
        Plugin::new(&self.entry, &CString::new(id.as_str())?)
    }

    /// What an instance of Idiom hears and does; `instance` counts from 1 in the order of making, 0 means the oldest
    /// one alive. `None` when there is no such instance.
    pub fn snapshot(&self, instance: u32) -> Option<IdiomSnapshot> {
        let mut out = IdiomSnapshot::EMPTY;
        // SAFETY: `out` is a whole structure that says its size; the entry keeps the library loaded.
        let filled = unsafe { self.snapshot?(instance, &mut out) };
        (filled == 1).then_some(out)
    }

    /// What an instance of Idiom cost so far. `None` when there is no such instance, or it does not tell.
    pub fn metrics(&self, instance: u32) -> Option<Metrics> {
        let mut out = vec![0u8; 1 << 16];
        // SAFETY: as many bytes are named as there are; the entry keeps the library loaded.
        let length = unsafe { self.metrics?(instance, out.as_mut_ptr(), out.len() as u32) } as usize;
        serde_json::from_slice(out.get(..length.checked_sub(1)?)?).ok()
    }

    /// Whether the library exports `idiom_snapshot` at all.
    pub fn has_snapshot(&self) -> bool {
        self.snapshot.is_some()
    }
}
