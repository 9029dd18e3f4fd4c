//! The commands a person types: `cargo xtask demo`, `cargo xtask test` and their smaller siblings.
//!
//! This program stays small so that it starts at once; whatever is heavy is built by the `cargo` it calls.

use anyhow::Result;
use std::process::ExitCode;

mod bundles;
mod commands;
mod daw;
#[cfg(test)]
mod documents;
mod install;
mod package;
mod python;
mod run;
mod screen;
mod standalone;
mod system;
mod test;
mod window;

const HELP: &str = "\
Idiom's commands

  cargo xtask demo [AUDIO_FILE]   build the plugin, play a file through it, show what it hears
  cargo xtask test                build and run all tests
  cargo xtask daw                 test the plugin in real DAWs
  cargo xtask bundle              build the .clap and .vst3 bundles
  cargo xtask install             build the bundles and put them into your plugin folders
  cargo xtask uninstall           take them out again
  cargo xtask package             build the bundles and pack them to give away
  cargo xtask standalone          build the standalone program and run it
  cargo xtask bench               measure time and memory, next to other engines
  cargo xtask help                this text

Each command explains itself with --help. Examples:

  cargo xtask demo
  cargo xtask demo ~/Music/song.flac --block 256 --out song-demo
  cargo xtask install
";

fn main() -> ExitCode {
    match dispatch() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_else(|| "help".into());
    let args: Vec<String> = args.collect();
    if matches!(command.as_str(), "help" | "--help" | "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let place = run::Place::find()?;
    match command.as_str() {
        "demo" => commands::demo(&place, &args),
        "test" => test::test(&place, &args),
        "daw" => daw::daw(&place, &args),
        "bundle" => commands::bundle(&place, &args),
        "install" => install::install(&place, &args),
        "uninstall" => install::uninstall(&place, &args),
        "package" => package::package(&place, &args),
        "standalone" => commands::standalone(&place, &args),
        "bench" => commands::bench(&place, &args),
        other => anyhow::bail!("there is no command '{other}'\n\n{HELP}"),
    }
}
