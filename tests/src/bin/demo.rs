//! `cargo xtask demo`: plays a sound file through the built plugin and shows what it hears.

use anyhow::{Context, Result, bail, ensure};
use clap::Parser;
use idiom_tests::built;
use idiom_tests::demo::session::{self, Options, Outcome};
use idiom_tests::demo::source::Source;
use idiom_tests::host::Bundle;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Plays a sound file through the built plugin, block by block as a DAW does, and shows what it hears.
#[derive(Parser)]
#[command(name = "cargo xtask demo")]
struct Args {
    /// Sound file: WAV, AIFF, FLAC, MP3, AAC, Ogg Vorbis or Opus. Without one, a synthetic programme is played.
    audio_file: Option<PathBuf>,
    /// Samples in a block.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    block: u32,
    /// Folder for the processed sound and the picture.
    #[arg(long, default_value = "demo-out")]
    out: PathBuf,
    /// Play at the speed of time instead of as fast as possible.
    #[arg(long)]
    realtime: bool,
    /// Stop after so many seconds.
    #[arg(long)]
    seconds: Option<f64>,
    /// The plugin's library, for example target/bundled/Idiom.clap.
    #[arg(long)]
    plugin: Option<PathBuf>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // A decoder that meets an evil file may panic; that, too, has to end in an error that names the file.
    let name = args.audio_file.as_ref().map_or("the synthetic programme".into(), |p| p.display().to_string());
    match std::panic::catch_unwind(|| run(&args)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
        Err(_) => {
            eprintln!(
                "error: {name}: cannot be played, a part of Idiom panicked on it; please report this file"
            );
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if let Some(seconds) = args.seconds {
        ensure!(seconds.is_finite() && seconds > 0.0, "--seconds must be more than 0");
    }
    let mut source = match &args.audio_file {
        Some(path) => Source::file(path)?,
        None => Source::programme()?,
    };
    let plugin = match &args.plugin {
        Some(path) => path.clone(),
        None => built::path()?,
    };
    let bundle = Bundle::load(&plugin)?;
    let descriptors = bundle.descriptors()?;
    let Some(descriptor) = descriptors.first() else { bail!("{} holds no plugin", plugin.display()) };
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make the folder {}", args.out.display()))?;

    println!("Plugin    {} {} from {}", descriptor.name, descriptor.version, plugin.display());
    println!("Playing   {}", source.name);
    println!(
        "          in blocks of {} samples, {}\n",
        args.block,
        if args.realtime { "at the speed of time" } else { "offline" }
    );
    let stem = args
        .audio_file
        .as_ref()
        .and_then(|p| p.file_stem())
        .map_or("programme".into(), |s| s.to_string_lossy());
    let wav = args.out.join(format!("{stem}.idiom.wav"));
    let options = Options { block: args.block as usize, realtime: args.realtime, seconds: args.seconds };
    let outcome = session::play(&bundle, &mut source, &wav, &options)?;
    let picture = args.out.join(format!("{stem}.timeline.png"));
    let truth = source.truth(outcome.played);
    outcome.timeline.draw(&picture, &title(args), outcome.played, &outcome.peaks, &truth)?;
    report(&outcome, &picture);
    Ok(())
}

/// The picture's headline: the file's name without its folders.
fn title(args: &Args) -> String {
    let name = args.audio_file.as_ref().and_then(|path| path.file_name());
    name.map_or("Synthetic programme".into(), |name| name.to_string_lossy().into_owned())
}

fn report(outcome: &Outcome, picture: &Path) {
    println!("\nHeard");
    outcome.timeline.summary().iter().for_each(|line| println!("{line}"));
    if outcome.spent > 0.0 && outcome.played > 0.0 {
        let share = 100.0 * outcome.spent / outcome.played;
        println!(
            "\nCost      {:.1} s of sound in {:.2} s: {:.0} times faster than real time, {share:.2} % of a core",
            outcome.played,
            outcome.spent,
            outcome.played / outcome.spent
        );
    }
    if let Some(metrics) = &outcome.metrics {
        let text = metrics.to_string();
        println!("\nMetrics   {}\n", text.trim_end().replace('\n', "\n          "));
    }
    for note in &outcome.notes {
        println!("Note      {note}");
    }
    println!("Sound     {}", outcome.wav.display());
    println!("Picture   {}", picture.display());
}
