//! `idiom render`: MIDI files played by sampled instruments, varied and mixed, with a manifest.

use super::clips::{self, Row};
use crate::audio::write_wav;
use crate::features::progress_bar;
use crate::interrupt;
use crate::synth::dice::{Dice, hash};
use crate::synth::midi::Song;
use crate::synth::midi::arrange::record;
use crate::synth::studio::Studio;
use anyhow::{Context, Result, bail, ensure};
use idiom_engine::Genre;
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Render MIDI files with varied instruments, keys, tempi and mixes, with a manifest
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom render --midi scores --out rendered --seconds 30 --variations 3
  idiom render --midi song.mid --out rendered --genre jazz --soundfont FluidR3_GM.sf2
  idiom render --midi scores --out rendered --labels labels.csv

Without --genre and --labels the genre is guessed from who plays: guitars over 20 % of the notes and drums over 10 % are
rock, an orchestra without drums is classical, synthesizers with drums are electronic; everything else stays unlabelled.
Guitars of rock pieces are played clean and sent through an amplifier and a cabinet. The table of --labels has the columns
file (relative to the folder of --midi) and genre, and may have artist, title, source and licence.

The same files, seed and SoundFonts give the same samples, bit for bit, on one platform.")]
pub struct Args {
    /// A MIDI file, or a folder with .mid files anywhere below it
    #[arg(long, value_name = "PATH")]
    midi: PathBuf,
    /// Folder to write into: one subfolder a genre, and MANIFEST.csv
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// SoundFont 2 file to play with; may be given several times. Without it, those that are installed
    #[arg(long, value_name = "FILE")]
    soundfont: Vec<PathBuf>,
    /// Versions of each piece: another excerpt, key, tempo, SoundFont and mix
    #[arg(long, default_value_t = 1, value_name = "N")]
    variations: u64,
    /// Length of an excerpt in seconds, 1 to 3600; whole pieces without it
    #[arg(long, value_name = "S")]
    seconds: Option<f32>,
    /// The genre of all files, whoever plays
    #[arg(long, value_parser = clips::genre, conflicts_with = "labels", value_name = "NAME")]
    genre: Option<Genre>,
    /// Table with the genre of each file
    #[arg(long, value_name = "CSV")]
    labels: Option<PathBuf>,
    /// Render only pieces whose genre is known or guessed to be this one
    #[arg(long, value_parser = clips::genre, value_name = "NAME")]
    only: Option<Genre>,
    /// First seed of the variations
    #[arg(long, default_value_t = 1, value_name = "K")]
    seed: u64,
    /// Sample rate in Hz, 8000 to 192000
    #[arg(long, default_value_t = 48_000, value_name = "HZ")]
    rate: u32,
}

/// What a table of labels says of a file.
#[derive(Clone, Default)]
struct Label {
    genre: Option<Genre>,
    artist: String,
    title: String,
    source: String,
    licence: String,
}

/// A piece to render.
struct Piece {
    /// Relative to the folder of `--midi`, with forward slashes.
    name: String,
    song: Song,
    label: Label,
    confidence: &'static str,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    ensure!((8_000..=192_000).contains(&args.rate), "--rate {}: must be 8000 to 192000", args.rate);
    ensure!(args.variations > 0, "--variations 0: nothing to render");
    if let Some(seconds) = args.seconds {
        ensure!((1.0..=3600.0).contains(&seconds), "--seconds {seconds}: must be 1 to 3600");
    }
    let pieces = pieces(args)?;
    ensure!(!pieces.is_empty(), "{}: no piece is left to render", args.midi.display());
    let fonts = clips::fonts(&args.soundfont, false)?;
    let jobs: Vec<(&Piece, u64)> =
        (0..args.variations).flat_map(|v| pieces.iter().map(move |piece| (piece, v))).collect();
    let bar = progress_bar(jobs.len() as u64, "rendering");
    let rows = jobs
        .par_iter()
        .map(|&(piece, variation)| {
            interrupt::check()?;
            // The name is part of the seed, so that a piece sounds the same whatever else is in the folder.
            let own = hash(args.seed.wrapping_add(variation), piece.name.bytes());
            let mut dice = Dice::new(own);
            let mut song = piece.song.clone();
            if args.variations > 1 || args.seconds.is_some() {
                song.vary(dice.below(7) as i32 - 3, dice.within(0.93, 1.07));
            }
            if let Some(seconds) = args.seconds {
                song = song.cut(song.passage(seconds, dice.unit()));
            }
            let studio = Studio::draw(&fonts, None, own);
            let audio = record(&song, piece.label.genre, &studio, args.rate as f32, &mut dice);
            let genre = piece.label.genre.map_or("", Genre::name);
            let folder = if genre.is_empty() { "unlabelled" } else { genre };
            let stem = piece.name.trim_end_matches(".mid").replace('/', "__");
            let file = format!("{folder}/{stem}__{:03}.wav", args.seed.wrapping_add(variation));
            write_wav(args.out.join(&file), &audio)?;
            bar.inc(1);
            let label = piece.label.clone();
            Ok(Row {
                file,
                genre: genre.into(),
                title: label.title,
                artist: label.artist,
                source: label.source,
                licence: label.licence,
                confidence: piece.confidence,
                instruments: studio.name().into(),
            })
        })
        .collect::<Result<Vec<_>>>();
    bar.finish_and_clear();
    let rows = rows?;
    let manifest = clips::write_manifest(&args.out, &rows)?;
    eprintln!("{} renderings of {} pieces and {}", rows.len(), pieces.len(), manifest.display());
    Ok(())
}

/// Reads the files and their labels; a file that cannot be read is left out with a remark.
fn pieces(args: &Args) -> Result<Vec<Piece>> {
    let root = if args.midi.is_dir() { &args.midi } else { args.midi.parent().unwrap_or(Path::new("")) };
    let mut files = Vec::new();
    find(&args.midi, &mut files)?;
    files.sort();
    ensure!(!files.is_empty(), "{}: holds no .mid file", args.midi.display());
    let labels = args.labels.as_deref().map(read_labels).transpose()?;
    let mut pieces = Vec::new();
    for path in files {
        interrupt::check()?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
        let bytes = std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let song = match Song::read(&bytes) {
            Ok(song) => song,
            Err(error) => {
                eprintln!("{}: left out, it {error:#}", path.display());
                continue;
            }
        };
        let known = labels.as_ref().and_then(|labels| labels.get(&name)).cloned();
        let confidence = if args.genre.is_some() || known.as_ref().is_some_and(|l| l.genre.is_some()) {
            "high"
        } else {
            "medium"
        };
        let mut label = known.unwrap_or_default();
        label.genre = args.genre.or(label.genre).or_else(|| song.guess());
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let folder = Path::new(&name).parent().map(|parent| parent.to_string_lossy().into_owned());
        let folder = folder.filter(|folder| !folder.is_empty()).unwrap_or_else(|| stem.clone());
        for (text, fallback) in
            [(&mut label.title, &stem), (&mut label.artist, &folder), (&mut label.source, &folder)]
        {
            if text.is_empty() {
                text.clone_from(fallback);
            }
        }
        if args.only.is_none_or(|only| label.genre == Some(only)) {
            pieces.push(Piece { name, song, label, confidence });
        }
    }
    Ok(pieces)
}

fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let is_midi = |path: &Path| {
        path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mid") || e.eq_ignore_ascii_case("midi"))
    };
    if path.is_dir() {
        for entry in
            std::fs::read_dir(path).with_context(|| format!("{}: cannot be listed", path.display()))?
        {
            let entry = entry?.path();
            if entry.is_dir() || is_midi(&entry) {
                find(&entry, files)?;
            }
        }
    } else if path.is_file() {
        files.push(path.to_path_buf());
    } else {
        bail!("{}: there is no such file or folder", path.display());
    }
    Ok(())
}

fn read_labels(path: &Path) -> Result<HashMap<String, Label>> {
    let name = path.display();
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_path(path)
        .with_context(|| format!("{name}: cannot be read"))?;
    let header = reader.headers().with_context(|| format!("{name}, line 1: no header"))?.clone();
    let column = |wanted: &str| header.iter().position(|h| h.eq_ignore_ascii_case(wanted));
    let file = column("file").with_context(|| format!("{name}, line 1: no column `file`"))?;
    let mut labels = HashMap::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("{name}: a line cannot be read"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let text = |wanted: &str| column(wanted).and_then(|c| record.get(c)).unwrap_or("").to_owned();
        let genre = match text("genre").as_str() {
            "" => None,
            wanted => Some(
                clips::genre(wanted)
                    .map_err(|error| anyhow::anyhow!("{name}, line {line}, column `genre`: {error}"))?,
            ),
        };
        let label = Label {
            genre,
            artist: text("artist"),
            title: text("title"),
            source: text("source"),
            licence: text("licence"),
        };
        labels.insert(record.get(file).unwrap_or("").to_owned(), label);
    }
    Ok(labels)
}
