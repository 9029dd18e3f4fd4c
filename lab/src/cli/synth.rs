//! `idiom synth`: composed and rendered clips with a manifest.

use crate::audio::{WavFormat, write_wav_as};
use crate::features::progress_bar;
use crate::files::write_bytes;
use crate::interrupt;
use crate::synth::compose;
use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use idiom_engine::Genre;
use rayon::prelude::*;
use std::path::PathBuf;

/// Compose and render clips of each genre, with a manifest
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom synth --out clips                              ten clips of 30 s of every genre
  idiom synth --out clips --genre jazz --count 40 --seconds 20 --seed 7
  idiom eval --data clips                              how the shipped model names them

The clips of a seed are the same, bit for bit, on every run on one platform. Scores on them are synthetic scores:
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
pub fn run(args: Args) -> Result<()> {
    ensure!((0.1..=3600.0).contains(&args.seconds), "--seconds {}: must be 0.1 to 3600", args.seconds);
    ensure!((8_000..=192_000).contains(&args.rate), "--rate {}: must be 8000 to 192000", args.rate);
    ensure!(args.count > 0, "--count 0: nothing to render");
    let genres: Vec<Genre> = match args.genre {
        Choice::All => Genre::ALL.to_vec(),
        one => vec![Genre::ALL[one as usize - 1]],
    };
    let format = if args.float { WavFormat::Float32 } else { WavFormat::Int24 };
    let clips: Vec<(Genre, u64)> = (0..args.count)
        .flat_map(|i| genres.iter().map(move |&genre| (genre, args.seed.wrapping_add(i))))
        .collect();
    let bar = progress_bar(clips.len() as u64, "rendering");
    let rows = clips
        .par_iter()
        .map(|&(genre, seed)| {
            interrupt::check()?;
            let piece = compose(genre, seed, args.seconds, args.rate);
            let file = format!("{0}/{0}__{seed:06}.wav", genre.name());
            write_wav_as(args.out.join(&file), &piece.audio, format)?;
            bar.inc(1);
            Ok([
                file,
                genre.name().into(),
                format!("{} {seed}", piece.style),
                format!("synthesized {} {seed}", genre.name()),
            ])
        })
        .collect::<Result<Vec<_>>>();
    bar.finish_and_clear();
    let rows = rows?;
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["file", "genre", "title", "artist", "source", "licence", "label_confidence"])?;
    for [file, genre, title, artist] in &rows {
        table.write_record([file, genre, title, artist, "idiom synth", "CC0", "high"])?;
    }
    let manifest = args.out.join("MANIFEST.csv");
    let text = table.into_inner().context("the manifest could not be put together")?;
    write_bytes(&manifest, &text).with_context(|| format!("{}: cannot be written", manifest.display()))?;
    eprintln!("{} clips and {}", rows.len(), manifest.display());
    Ok(())
}
