//! The built plugin: where it is, one test at a time with it, and its stored state.

use crate::host::{Bundle, Change, Plugin, Render};
use anyhow::{Context, Result, ensure};
use idiom_engine::{Backend, Quantization};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Where the built plugin is: the bundle named by `IDIOM_CLAP`, as `cargo xtask test` sets it, else the library
/// that cargo built together with this test program.
pub fn path() -> Result<PathBuf> {
    if let Some(path) = std::env::var_os("IDIOM_CLAP") {
        return Ok(path.into());
    }
    let name = format!("{}idiom_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let program = std::env::current_exe()?;
    let folder = program.parent().context("this program lies in no folder")?;
    // Test programs lie beside the library, other programs one folder above it.
    [folder.join(&name), folder.join("deps").join(&name)]
        .into_iter()
        .find(|path| path.exists())
        .with_context(|| format!("{name} is not beside {}; run `cargo xtask test`", program.display()))
}

/// The loaded plugin, for one test at a time: instances are counted in a process, and two tests that make some at
/// once would see each other's.
pub struct Built {
    /// The loaded library.
    pub bundle: Bundle,
    _alone: MutexGuard<'static, ()>,
}

impl Built {
    /// Loads the built plugin.
    ///
    /// # Panics
    /// When it cannot be loaded: there is nothing to test then.
    pub fn load() -> Built {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let bundle = path().and_then(|path| Bundle::load(&path)).expect("the built plugin loads");
        Built { bundle, _alone: alone }
    }

    /// A new instance with this many channels that renders this way.
    ///
    /// # Panics
    /// When the plugin refuses.
    pub fn instance(&self, channels: usize, render: Render) -> Plugin {
        let mut plugin = self.bundle.instantiate().expect("an instance");
        plugin.set_channels(channels).expect("the layout");
        plugin.set_render(render).expect("the render mode");
        plugin
    }

    /// Plays whole channels through a new instance and gives back what came out. Every guess counts as recognised and
    /// the mix follows fast, so that the recognition is heard in the result whatever test sound is played.
    ///
    /// # Panics
    /// When the plugin refuses.
    pub fn play(
        &self,
        channels: &[Vec<f32>],
        sample_rate: f64,
        render: Render,
        blocks: impl IntoIterator<Item = usize>,
    ) -> Vec<Vec<f32>> {
        let mut plugin = self.instance(channels.len(), render);
        let eager = [plugin.param("Confidence threshold"), plugin.param("Reaction")]
            .map(|param| param.expect("the parameter"))
            .map(|param| Change { at: 0, param: param.id, value: param.min });
        plugin.flush(&eager).expect("parameters");
        let mut processor = plugin.activate(sample_rate, 8192).expect("activation");
        let mut sound = channels.to_vec();
        processor.play(&mut sound, blocks).expect("processing");
        plugin.deactivate(processor);
        sound
    }
}

/// The plugin's stored state taken apart: eight bytes of length, then JSON with `params` and `fields`.
#[derive(Clone, Debug, PartialEq)]
pub struct State(pub Value);

impl State {
    /// Takes a stored state apart.
    pub fn parse(bytes: &[u8]) -> Result<State> {
        let (length, json) = bytes.split_at_checked(8).context("a state without its length")?;
        let length = u64::from_le_bytes(length.try_into()?);
        ensure!(length == json.len() as u64, "{length} bytes promised, {} there", json.len());
        Ok(State(serde_json::from_slice(json)?))
    }

    /// Puts it together again.
    pub fn bytes(&self) -> Vec<u8> {
        let json = self.0.to_string().into_bytes();
        [&(json.len() as u64).to_le_bytes()[..], &json].concat()
    }

    /// The same state with another choice of what computes the genre.
    pub fn with_inference(mut self, backend: Backend, quantization: Quantization) -> State {
        self.0["params"]["backend"] = serde_json::json!({ "string": backend });
        self.0["params"]["quantization"] = serde_json::json!({ "string": quantization });
        self
    }
}
