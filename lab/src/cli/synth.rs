//! `idiom synth`: composed and rendered clips with a manifest.

use super::clips::{self, Row};
use crate::audio::{WavFormat, write_wav_as};
use crate::features::progress_bar;
use crate::interrupt;
use crate::synth::espeak::Espeak;
use crate::synth::studio::Studio;
use crate::synth::{compose_style, style_of, styles};
use anyhow::{Result, bail, ensure};
use clap::ValueEnum;
use idiom_engine::Genre;
use rayon::prelude::*;
use std::path::PathBuf;

/// Compose and render clips of each genre, with a manifest
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom synth --out clips                              ten clips of 30 s of every genre
  idiom synth --out clips --genre jazz --count 40 --seconds 20 --seed 7
  idiom synth --out clips --genre jazz --style \"solo piano\" --soundfont FluidR3_GM.sf2
  idiom eval --data clips                              how the shipped model names them

The clips of a seed, a SoundFont and an espeak-ng are the same, bit for bit, on every run on one platform. Scores on them are synthetic scores:
they show that the chain works, not how well real music is recognised.")]
pub struct Args {
    /// Folder to write into: one subfolder a genre, and MANIFEST.csv
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What to render
    #[arg(long, value_enum, default_value = "all")]
    genre: Choice,
    /// Clips of each genre
    #[arg(long, default_value_t = 10, value_name = "N")]
    count: u64,
    /// Length of a clip in seconds, 0.1 to 3600
    #[arg(long, default_value_t = 30.0, value_name = "S")]
    seconds: f64,
    /// First seed; clip number i has seed K + i
    #[arg(long, default_value_t = 1, value_name = "K")]
    seed: u64,
    /// SoundFont 2 file to play with; may be given several times, then the seed chooses. Without it, those installed
    #[arg(long, value_name = "FILE", conflicts_with = "procedural")]
    soundfont: Vec<PathBuf>,
    /// Play with the procedural instruments and voices even where SoundFonts and espeak-ng are installed
    #[arg(long)]
    procedural: bool,
    /// One kind of the genre only, such as "solo piano"; a wrong name lists all
    #[arg(long, value_name = "NAME")]
    style: Option<String>,
    /// Sample rate in Hz, 8000 to 192000
    #[arg(long, default_value_t = 48_000, value_name = "HZ")]
    rate: u32,
    /// Write 32-bit floating point instead of 24-bit integers
    #[arg(long)]
    float: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Choice {
    All,
    Speech,
    Rock,
    Jazz,
    Electronic,
    Classical,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    ensure!((0.1..=3600.0).contains(&args.seconds), "--seconds {}: must be 0.1 to 3600", args.seconds);
    ensure!((8_000..=192_000).contains(&args.rate), "--rate {}: must be 8000 to 192000", args.rate);
    ensure!(args.count > 0, "--count 0: nothing to render");
    let genres: Vec<Genre> = match args.genre {
        Choice::All => Genre::ALL.to_vec(),
        one => vec![Genre::ALL[one as usize - 1]],
    };
    let format = if args.float { WavFormat::Float32 } else { WavFormat::Int24 };
    let style = args.style.as_deref().map(|name| find_style(&genres, name)).transpose()?;
    let fonts = clips::fonts(&args.soundfont, args.procedural)?;
    let espeak = Espeak::installed().filter(|_| !args.procedural);
    let clips: Vec<(Genre, u64)> = (0..args.count)
        .flat_map(|i| genres.iter().map(move |&genre| (genre, args.seed.wrapping_add(i))))
        .collect();
    let bar = progress_bar(clips.len() as u64, "rendering");
    let rows = clips
        .par_iter()
        .map(|&(genre, seed)| {
            interrupt::check()?;
            let studio = Studio::draw(&fonts, espeak.as_ref(), seed);
            let style = style.unwrap_or_else(|| style_of(genre, seed));
            let piece = compose_style(genre, style, &studio, seed, args.seconds, args.rate);
            let file = format!("{0}/{0}__{seed:06}.wav", genre.name());
            write_wav_as(args.out.join(&file), &piece.audio, format)?;
            bar.inc(1);
            Ok(Row {
                file,
                genre: genre.name().into(),
                title: format!("{} {seed}", piece.style),
                artist: format!("synthesized {} {seed}", genre.name()),
                source: "idiom synth".into(),
                licence: "CC0".into(),
                confidence: "high",
                instruments: studio.players(genre).into(),
            })
        })
        .collect::<Result<Vec<_>>>();
    bar.finish_and_clear();
    let rows = rows?;
    let manifest = clips::write_manifest(&args.out, &rows)?;
    eprintln!("{} clips and {}", rows.len(), manifest.display());
    Ok(())
}

/// The index of a style by its name, which must be one of the only genre's.
fn find_style(genres: &[Genre], name: &str) -> Result<usize> {
    let &[genre] = genres else { bail!("--style {name}: needs --genre with one genre") };
    let Some(index) = styles(genre).iter().position(|style| style.eq_ignore_ascii_case(name)) else {
        bail!("--style {name}: {} knows {}", genre.name(), styles(genre).join(", "));
    };
    Ok(index)
}
