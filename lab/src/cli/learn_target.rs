//! `idiom learn-target`: a genre's profile from recordings that sound as it should.

use super::process::preset;
use crate::files::write_bytes;
use crate::interrupt;
use crate::reference::profile::learn;
use crate::reference::{Character, Listener, is_about_a_file};
use anyhow::{Context, Result, bail, ensure};
use idiom_engine::Genre;
use idiom_engine::profile::{Parameter, Preset};
use indicatif::ProgressBar;
use std::path::{Path, PathBuf};

/// Make a genre's profile from reference recordings
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom learn-target album/ --genre jazz --out jazz-club.toml
  idiom learn-target hit1.flac hit2.mp3 --genre rock --against my-mixes/ --out rock.toml
  idiom learn-target voice/ --genre speech --preset podcast-with-music --out mine.toml

The references' long-term spectrum, spread of loudness, width and loudness are measured, and compared with your own
recordings (--against), or with what recordings commonly sound like. The preset (--preset) is written with that genre's
profile changed: gains of the equalizer, ratio and threshold of the compressor, width, mono bass, and the loudness to go
to. `idiom process IN OUT --preset mine.toml` plays it. Files that cannot be read are reported and left out.")]
pub struct Args {
    /// Reference recordings, or folders of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The genre whose profile is learnt
    #[arg(long, value_parser = super::clips::genre)]
    genre: Genre,
    /// Your own recordings, or folders of them, that are to sound like the references
    #[arg(long, num_args = 1.., value_name = "FILES")]
    against: Vec<PathBuf>,
    /// The preset to change: built in, or a file
    #[arg(long, default_value = "default")]
    preset: String,
    /// Name of the new preset; else that of the file
    #[arg(long)]
    name: Option<String>,
    /// Preset file to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let mut preset = preset(&args.preset)?;
    let reference = hear(&args.files, "references")?;
    let own = if args.against.is_empty() { Character::common() } else { hear(&args.against, "own")? };
    let learnt = learn(&mut preset.profiles, args.genre, &reference, &own);
    let stem =
        || args.out.file_stem().map_or_else(|| "Mine".into(), |stem| stem.to_string_lossy().into_owned());
    preset.name = args.name.clone().unwrap_or_else(stem);
    preset.summary =
        format!("{} as in {:.0} s of reference recordings.", args.genre.label(), reference.seconds);
    preset.why[args.genre.index()] = "Learnt from reference recordings by idiom learn-target.".into();
    let text = preset.to_text();
    Preset::parse(&text).context("the learnt profile makes no valid preset: please report this")?;
    write_bytes(&args.out, text.as_bytes())
        .with_context(|| format!("{}: cannot be written", args.out.display()))?;
    report(args, &preset, &reference, &own);
    let [before, after] = learnt.difference_db;
    println!("spectrum {before:.1} dB apart, after the equalizer {after:.1} dB");
    Ok(())
}

fn report(args: &Args, preset: &Preset, reference: &Character, own: &Character) {
    println!("{:<12} {:>10} {:>10}", "", "reference", "own");
    for (name, unit, value) in [
        ("loudness", "LUFS", (|c: &Character| c.lufs) as fn(&Character) -> f64),
        ("spread", "dB", |c| c.spread_db),
        ("width", "", |c| c.width),
        ("bass width", "", |c| c.bass_width),
    ] {
        println!("{name:<12} {:>10.2} {:>10.2} {unit}", value(reference), value(own));
    }
    println!("\n{} in {}:", args.genre.name(), args.out.display());
    let profile = &preset.profiles.genres[args.genre.index()];
    for &parameter in Parameter::ALL.iter().filter(|p| p.spec().acts && **p != Parameter::EqTrim) {
        println!("  {:<22} {:>8.2}", parameter.spec().name, profile[parameter]);
    }
}

/// Hears all files. Those that cannot be read are reported and left out.
fn hear(paths: &[PathBuf], what: &str) -> Result<Character> {
    let files = list(paths)?;
    let mut listener = Listener::default();
    let bar = ProgressBar::new(files.len() as u64).with_message(what.to_owned());
    let mut heard = 0;
    for file in &files {
        interrupt::check()?;
        bar.set_message(format!("{what}: {}", file.file_name().unwrap_or_default().display()));
        match listener.hear(file, |_| bar.tick()) {
            Ok(()) => heard += 1,
            Err(error) if is_about_a_file(&error) => bar.suspend(|| eprintln!("idiom: {error:#}; left out")),
            Err(error) => return Err(error),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    ensure!(heard > 0, "none of the {} files of {what} could be read", files.len());
    listener.character().with_context(|| {
        format!("{what}: less than a second of sound above -70 LUFS was heard in {heard} files: give more")
    })
}

/// The files among `paths`, and those in the folders among them, sorted.
fn list(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            walk(path, &mut files)?;
        } else if path.exists() {
            files.push(path.clone());
        } else {
            bail!("{}: there is no such file or folder", path.display());
        }
    }
    files.sort();
    ensure!(!files.is_empty(), "there is no file in {}", paths[0].display());
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{}: cannot be listed", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        // Links to folders are not followed, so no ring of them is walked for ever.
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}
