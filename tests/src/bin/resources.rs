//! Writes the files that belong to a VST3 bundle: `moduleinfo.json` and the built-in presets as `.vstpreset` files. Part of
//! `cargo xtask bundle`, which calls it.
//!
//! Everything comes from the finished library itself: it describes itself, and each preset is a state that it loaded
//! without complaint and saved again.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use idiom_engine::profile::{PRESET_VERSION, Preset};
use idiom_tests::vst3_host::Module;
use idiom_tests::vst3_preset;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes what belongs to a VST3 bundle
#[derive(Parser)]
#[command(after_help = "Example:
  resources --library Idiom.vst3/Contents/x86_64-linux/Idiom.so --bundle Idiom.vst3 --presets presets")]
struct Args {
    /// The library inside of the bundle
    #[arg(long)]
    library: PathBuf,
    /// The bundle, which gets a moduleinfo.json
    #[arg(long)]
    bundle: PathBuf,
    /// Folder for the presets, made anew
    #[arg(long)]
    presets: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let module = Module::load(&args.library)?;
    let about = module.describe()?;
    let text = serde_json::to_string_pretty(&about.moduleinfo())? + "\n";
    write(&args.bundle.join("Contents/Resources/moduleinfo.json"), text.as_bytes())?;

    if args.presets.exists() {
        fs::remove_dir_all(&args.presets).with_context(|| args.presets.display().to_string())?;
    }
    let categories = about.sub_categories.join("|");
    for preset in Preset::factory() {
        let instance = module.instantiate()?;
        let mut state: Value = serde_json::from_slice(&instance.save()?)?;
        let choice = json!({ "name": preset.name, "version": PRESET_VERSION });
        state["fields"]["preset"] = Value::String(choice.to_string());
        instance.load(state.to_string().as_bytes(), 0)?;
        let message = module.message(0)?;
        ensure!(message.is_empty(), "the plugin does not like its preset {}: {message}", preset.name);
        let saved = instance.save()?;
        let again: Value = serde_json::from_slice(&saved)?;
        ensure!(again["fields"]["preset"] == state["fields"]["preset"], "{} is not kept", preset.name);
        let info = vst3_preset::info(&preset.name, &preset.summary, &categories);
        let file = vst3_preset::file_with_info(&about.class_id, &saved, &info);
        write(&args.presets.join(vst3_preset::file_name(&preset.name)), &file)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let doing = || format!("cannot write {}", path.display());
    fs::create_dir_all(path.parent().with_context(doing)?).with_context(doing)?;
    fs::write(path, bytes).with_context(doing)
}
