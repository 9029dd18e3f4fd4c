//! `idiom analyze`: when which genre plays in sound files.

use crate::audio::Reader;
use crate::render::{Moment, Renderer, Settings};
use anyhow::{Context, Result};
use idiom_engine::{Controls, Genre};
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write when which genre plays in sound files
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom analyze show.mp3                        a row every second, as CSV
  idiom analyze recordings/*.flac --json > timelines.json
  idiom analyze mix.wav --step 0.1 --csv

Every file is heard as the plugin hears it with its usual settings. A row is what is in force at its time: the genre,
how sure that is, and the probability of each genre. Files that cannot be read are reported and left out.")]
pub struct Args {
    /// Sound files
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Write JSON: a list of files, each with its rows
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Write CSV, a row a moment (the default)
    #[arg(long)]
    csv: bool,
    /// Seconds between rows
    #[arg(long, default_value_t = 1.0, value_parser = step)]
    step: f64,
}

fn step(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.02..=3_600.0).contains(&seconds) => Ok(seconds),
        _ => Err("use 0.02 to 3600 seconds".into()),
    }
}

#[derive(Serialize)]
struct Row {
    seconds: f64,
    /// The genre in force, `null` before the first.
    genre: Option<&'static str>,
    /// What is made of the sound: listening, recognised, uncertain, silent.
    verdict: &'static str,
    confidence: f32,
    speech: f32,
    rock: f32,
    jazz: f32,
    electronic: f32,
    classical: f32,
}

#[derive(Serialize)]
struct Timeline {
    file: String,
    seconds: f64,
    /// What was wrong with the file, when not all of it could be read.
    damage: Option<String>,
    rows: Vec<Row>,
}

impl Row {
    fn new(moment: &Moment) -> Row {
        let round = |x: f32| (x * 10_000.0).round() / 10_000.0;
        let [speech, rock, jazz, electronic, classical] = moment.posterior.0.map(round);
        Row {
            seconds: (moment.seconds * 1_000.0).round() / 1_000.0,
            genre: moment.genre.map(Genre::name),
            verdict: moment.verdict.label(),
            confidence: round(moment.confidence),
            speech,
            rock,
            jazz,
            electronic,
            classical,
        }
    }
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let mut timelines = Vec::new();
    let mut failed = 0;
    let mut csv = csv::Writer::from_writer(std::io::stdout().lock());
    if !args.json {
        csv.write_record(
            ["file", "seconds", "genre", "verdict", "confidence"]
                .into_iter()
                .chain(Genre::ALL.map(Genre::name)),
        )?;
    }
    for path in &args.files {
        match listen(path, args.step) {
            Ok(timeline) if args.json => timelines.push(timeline),
            Ok(timeline) => {
                for row in &timeline.rows {
                    csv.serialize((
                        &timeline.file,
                        row.seconds,
                        row.genre.unwrap_or(""),
                        row.verdict,
                        row.confidence,
                        row.speech,
                        row.rock,
                        row.jazz,
                        row.electronic,
                        row.classical,
                    ))?;
                }
                csv.flush()?;
            }
            Err(error) if error.is::<crate::interrupt::Interrupted>() => return Err(error),
            Err(error) => {
                eprintln!("idiom: left out: {error:#}");
                failed += 1;
            }
        }
    }
    if args.json {
        let mut out = std::io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &timelines)?;
        writeln!(out)?;
    }
    anyhow::ensure!(failed < args.files.len(), "none of the files could be read");
    Ok(())
}

/// Hears one file, block by block.
fn listen(path: &Path, step: f64) -> Result<Timeline> {
    let mut reader = Reader::open(path)?;
    let settings =
        Settings { controls: Controls { amount: 0.0, ..Controls::default() }, ..Settings::default() };
    let (rate, channels) = (reader.sample_rate(), reader.channels());
    let mut renderer =
        Renderer::new(rate, channels, &settings).with_context(|| path.display().to_string())?;
    let bar = indicatif::ProgressBar::new(reader.promised_len().unwrap_or(0));
    let (mut rows, mut next, mut heard) = (Vec::new(), step, 0u64);
    // Whole frames only, so that every block of the file gives its notes.
    let frame = (f64::from(rate) * 0.020).round() as usize;
    let mut waiting: Vec<Vec<f32>> = vec![Vec::new(); channels];
    loop {
        let more = match reader.next_block()? {
            Some(block) => {
                waiting.iter_mut().zip(block).for_each(|(all, new)| all.extend_from_slice(new));
                heard += block.first().map_or(0, Vec::len) as u64;
                true
            }
            None => false,
        };
        let length = waiting.first().map_or(0, Vec::len);
        let whole = if more { length / frame * frame } else { length };
        let mut part: Vec<Vec<f32>> = waiting.iter_mut().map(|all| all.drain(..whole).collect()).collect();
        renderer.play(&mut part, |moment| {
            if moment.seconds + 1e-9 >= next {
                rows.push(Row::new(&moment));
                next += step;
            }
        })?;
        bar.set_position(heard);
        if !more {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(Timeline {
        file: path.display().to_string(),
        seconds: heard as f64 / f64::from(rate),
        damage: reader.damage().map(str::to_owned),
        rows,
    })
}
