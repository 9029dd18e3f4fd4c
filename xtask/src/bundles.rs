//! Building and bundling the plugin through nice-plug's bundler.

use crate::run::Place;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

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
}

impl Bundles {
    /// Where the bundler puts them under `folder` (a target folder).
    pub fn under(folder: &Path) -> Bundles {
        let home = folder.join("bundled");
        Bundles { clap: home.join("Idiom.clap"), vst3: home.join("Idiom.vst3") }
    }

    /// The file inside the CLAP bundle that a host loads.
    pub fn clap_library(&self) -> PathBuf {
        if cfg!(target_os = "macos") { self.clap.join("Contents/MacOS/Idiom") } else { self.clap.clone() }
    }

    fn check(self) -> Result<Bundles> {
        for bundle in [&self.clap, &self.vst3] {
            if !bundle.exists() {
                bail!("the bundler did not make {}: does the plugin export this format?", bundle.display());
            }
        }
        Ok(self)
    }
}

/// Builds the packages in one go, so that they share their dependencies, and bundles the plugin.
pub fn bundles(place: &Place, packages: &[&str], release: bool) -> Result<Bundles> {
    let packages: Vec<String> = packages.iter().map(|p| p.to_string()).collect();
    let mut args = vec!["--lib".to_string(), "--bins".to_string()];
    if release {
        args.push("--release".into());
    }
    nice_plug_xtask::build(&packages, &args)?;
    nice_plug_xtask::bundle(&place.target, PLUGIN, &args, false)?;
    Bundles::under(&place.target).check()
}

/// Bundles the library that lies in the `debug` folder, apart from the bundles a user installs.
pub fn test_bundles(place: &Place) -> Result<Bundles> {
    let home = place.target.join("test-bundles");
    let name = format!("{}idiom_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let (from, to) = (place.target.join("debug").join(&name), home.join("debug").join(&name));
    std::fs::create_dir_all(home.join("debug")).with_context(|| format!("cannot make {}", home.display()))?;
    std::fs::copy(&from, &to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    nice_plug_xtask::bundle(&home, PLUGIN, &[], false)?;
    Bundles::under(&home).check()
}
