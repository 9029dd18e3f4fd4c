//! The short commands: demo, bundle, standalone, bench.

use crate::bundles::{self, PLUGIN, TESTS};
use crate::run::{Place, cargo, heading, only, run, wants_help};
use crate::screen::Screen;
use crate::system::{Need, ensure};
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

const DEMO: &str = "\
cargo xtask demo [AUDIO_FILE] [OPTIONS]

Builds the plugin (release), makes its bundles, loads the bundled .clap in a host without a window, plays the
file through it in blocks as a DAW does, and shows what it hears. Writes the processed audio and a picture.
Reads WAV, AIFF, FLAC, MP3, AAC, Ogg Vorbis and Opus. Without a file it plays a synthetic programme.

  --block N        samples in a block (512)
  --out DIR        where to write the results (demo-out)
  --realtime       play at the speed of time, as on a stage, instead of as fast as possible
  --seconds N      stop after N seconds
";

/// `cargo xtask demo`
pub fn demo(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{DEMO}");
        return Ok(());
    }
    ensure(&[Need::Compiler, Need::CMake])?;
    if !names_a_file(args)
        && let Err(lack) = ensure(&[Need::SoundFont])
    {
        println!("{lack:#}\nThe programme is played by simpler instruments instead.");
    }
    heading("Building the plugin (the first time takes minutes)");
    let bundles = bundles::bundles(place, true)?;
    let status = Command::new(place.program("release", "demo"))
        .arg("--plugin")
        .arg(bundles.clap_library())
        .args(args)
        .current_dir(&place.started_in)
        .status()?;
    if !status.success() {
        // The demo has said why.
        std::process::exit(status.code().unwrap_or(1));
    }
    println!("\nBundles   {}\n          {}", bundles.clap.display(), bundles.vst3.display());
    println!("Install   cargo xtask install");
    Ok(())
}

/// Whether the demo's arguments hold something that is neither an option nor an option's value.
fn names_a_file(args: &[String]) -> bool {
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--block" | "--out" | "--seconds" => _ = args.next(),
            option if option.starts_with('-') => {}
            _ => return true,
        }
    }
    false
}

const BUNDLE: &str = "\
cargo xtask bundle [--debug]

Builds the plugin and makes target/bundled/Idiom.clap and Idiom.vst3, and beside them the built-in presets as
.vstpreset files.

  --debug   with overflow checks and debug assertions, slower
";

/// `cargo xtask bundle`
pub fn bundle(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{BUNDLE}");
        return Ok(());
    }
    only(args, &["--debug"], BUNDLE)?;
    ensure(&[Need::Compiler, Need::CMake])?;
    let bundles = bundles::bundles(place, args.is_empty())?;
    println!("{}\n{}\n{}", bundles.clap.display(), bundles.vst3.display(), bundles.presets.display());
    Ok(())
}

const STANDALONE: &str = "\
cargo xtask standalone [ARGUMENTS]

Builds the standalone program and runs it with ARGUMENTS, for example:

  cargo xtask standalone -b jack            play through JACK
  cargo xtask standalone -b alsa            play through ALSA
  cargo xtask standalone -b dummy           without sound, to look at the window
  cargo xtask standalone -- --help          all its arguments
";

/// `cargo xtask standalone`
pub fn standalone(place: &Place, args: &[String]) -> Result<()> {
    if args.first().is_some_and(|arg| arg == "--help" || arg == "-h") {
        print!("{STANDALONE}");
        return Ok(());
    }
    let args = if args.first().is_some_and(|arg| arg == "--") { &args[1..] } else { args };
    ensure(&[Need::Compiler, Need::Sound, Need::Window])?;
    heading("Building the standalone program (the first time takes minutes)");
    run(cargo()
        .args(["build", "--release", "-p", PLUGIN, "--features", "standalone"])
        .args(["--bin", "idiom-standalone"]))?;
    run(Command::new(place.program("release", "idiom-standalone")).args(args).current_dir(&place.started_in))
}

const BENCH: &str = "\
cargo xtask bench [OPTIONS]

Measures, in one run and in interleaved rounds: what a frame costs (front end, network, decision), what the mix
costs for blocks of 32 to 2048 samples, each of its processors beside those of other crates, and the same network in
other engines. Then how long a host waits for a scan and for an instance; what a host process with 0, 1, 10 and 50
instances takes of memory, and with the window open; what a picture of each page of the window costs. Says what is left
out and why.

  --rounds N   interleaved rounds (30)
  --memory     memory only
  --loading    scan and instances only
";

/// `cargo xtask bench`
pub fn bench(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{BENCH}");
        return Ok(());
    }
    ensure(&[Need::Compiler, Need::CMake])?;
    heading("Building the benchmark (the first time takes minutes)");
    bundles::build(true)?;
    let screen = ensure(&[Need::Window, Need::Xvfb]).and_then(|()| Screen::open());
    let mut bench = Command::new(place.program("release", "bench"));
    match peers(place) {
        Ok(program) => bench.env("IDIOM_PEERS", program),
        Err(error) => bench.env("IDIOM_PEERS_MISSING", format!("{error:#}")),
    };
    match ensure(&[Need::Python]).and_then(|()| crate::python::environment(place)) {
        Ok(python) => bench.env("IDIOM_PYTHON", python),
        Err(error) => bench.env("IDIOM_PYTHON_MISSING", format!("{error:#}")),
    };
    match &screen {
        Ok(screen) => bench.env("DISPLAY", &screen.name).env_remove("WAYLAND_DISPLAY"),
        Err(error) => bench.env("IDIOM_SCREEN_MISSING", format!("{error:#}")),
    };
    run(bench.args(args).current_dir(&place.root))?;
    if !args.iter().any(|arg| arg == "--memory" || arg == "--loading") {
        // Together with what was built before, so that nothing shared is built anew.
        run(cargo().args(["build", "--release", "-p", PLUGIN, "-p", TESTS, "--example", "pictures"]))?;
        run(&mut Command::new(place.target.join("release/examples/pictures")))?;
    }
    Ok(())
}

/// Builds the program that measures other crates' mix chains.
fn peers(place: &Place) -> Result<PathBuf> {
    let target = place.target.join("peers");
    run(cargo()
        .args(["build", "--release", "--manifest-path"])
        .arg(place.root.join("tests/peers/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target))?;
    Ok(target.join("release").join(format!("idiom-peers{}", std::env::consts::EXE_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_options_and_their_values() {
        let names = |line: &str| names_a_file(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
        assert!(!names(""));
        assert!(!names("--block 256 --realtime --out folder --seconds 3"));
        assert!(!names("--block=256"));
        assert!(names("song.flac"));
        assert!(names("--out folder song.flac --realtime"));
    }
}
