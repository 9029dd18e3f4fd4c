//! Building and bundling the plugin through nice-plug's bundler.

use crate::run::{Place, run};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The plugin's package.
pub const PLUGIN: &str = "idiom-plugin";
/// The package of the demo and the benchmark.
pub const TESTS: &str = "idiom-tests";

/// The finished bundles.
pub struct Bundles {
    /// `Idiom.clap`
    pub clap: PathBuf,
    /// `Idiom.vst3`
    pub vst3: PathBuf,
    /// The folder of the built-in presets as `.vstpreset` files.
    pub presets: PathBuf,
}

impl Bundles {
    /// Where the bundler puts them under `folder` (a target folder).
    pub fn under(folder: &Path) -> Bundles {
        let home = folder.join("bundled");
        let [clap, vst3, presets] = ["Idiom.clap", "Idiom.vst3", "presets"].map(|name| home.join(name));
        Bundles { clap, vst3, presets }
    }

    /// The file inside the CLAP bundle that a host loads.
    pub fn clap_library(&self) -> PathBuf {
        if cfg!(target_os = "macos") { self.clap.join("Contents/MacOS/Idiom") } else { self.clap.clone() }
    }

    /// The file inside the VST3 bundle that a host loads.
    pub fn vst3_library(&self) -> PathBuf {
        let arch = std::env::consts::ARCH;
        self.vst3.join(if cfg!(target_os = "macos") {
            "Contents/MacOS/Idiom".to_string()
        } else if cfg!(windows) {
            format!("Contents/{arch}-win/Idiom.vst3")
        } else {
            format!("Contents/{arch}-linux/Idiom.so")
        })
    }

    /// Checks that the bundler made both, and adds what hosts want to find in and beside a VST3 bundle. `program` is
    /// `resources` of the tests, which knows.
    fn finish(self, program: &Path) -> Result<Bundles> {
        for bundle in [&self.clap, &self.vst3] {
            if !bundle.exists() {
                bail!("the bundler did not make {}: does the plugin export this format?", bundle.display());
            }
        }
        run(Command::new(program)
            .arg("--library")
            .arg(self.vst3_library())
            .arg("--bundle")
            .arg(&self.vst3)
            .arg("--presets")
            .arg(&self.presets))?;
        Ok(self)
    }
}

/// Builds the plugin, the demo and the benchmark. Always all of them, although a bundle needs the first alone: cargo
/// chooses the features of shared dependencies by what is built together, and with another selection each command
/// would build most of them anew.
pub fn build(release: bool) -> Result<Vec<String>> {
    let mut args = vec!["--lib".to_string(), "--bins".to_string()];
    if release {
        args.push("--release".into());
    }
    nice_plug_xtask::build(&[PLUGIN.to_string(), TESTS.to_string()], &args)?;
    Ok(args)
}

/// Builds and bundles the plugin.
pub fn bundles(place: &Place, release: bool) -> Result<Bundles> {
    let args = build(release)?;
    nice_plug_xtask::bundle(&place.target, PLUGIN, &args, false)?;
    let profile = if release { "release" } else { "debug" };
    Bundles::under(&place.target).finish(&place.program(profile, "resources"))
}

/// Building the standalone program leaves a plugin library behind that needs the sound card's libraries, under the
/// same name as the plain one. It has to go, or the next bundle would hold it.
pub fn forget_standalone_library(place: &Place, profile: &str) {
    let name = library_name();
    for path in [place.target.join(profile).join(&name), place.target.join(profile).join("deps").join(&name)]
    {
        std::fs::remove_file(path).ok();
    }
}

fn library_name() -> String {
    format!("{}idiom_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)
}

/// Bundles the library that lies in the `debug` folder, apart from the bundles a user installs.
pub fn test_bundles(place: &Place) -> Result<Bundles> {
    let home = place.target.join("test-bundles");
    let name = library_name();
    let (from, to) = (place.target.join("debug").join(&name), home.join("debug").join(&name));
    std::fs::create_dir_all(home.join("debug")).with_context(|| format!("cannot make {}", home.display()))?;
    std::fs::copy(&from, &to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    nice_plug_xtask::bundle(&home, PLUGIN, &[], false)?;
    Bundles::under(&home).finish(&place.program("debug", "resources"))
}
