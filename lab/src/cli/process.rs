//! `idiom process`: a sound file through the mix, offline.

use crate::audio::{WavFormat, read, write_wav_as};
use crate::picture::{Lane, gains};
use crate::render::{Moment, Renderer, Settings};
use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use idiom_engine::profile::{FACTORY_FILES, Preset};
use idiom_engine::{Controls, Genre, LimiterMode};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Mix a sound file as the plugin does in an offline bounce
#[derive(clap::Args)]
#[command(after_help = "Examples:
  idiom process talk.wav talk-mixed.wav --preset podcast-with-music
  idiom process song.flac master.wav --preset streaming-master --limiter look-ahead --ceiling -1
  idiom process show.wav out.wav --preset mine.toml --genre speech --picture gains.png

The result is what the plugin gives in an offline bounce with the same settings, bit for bit. The limiter's look-ahead
is taken out, so the result is as long as the sound and in time.")]
pub struct Args {
    /// Sound to mix, mono or stereo
    input: PathBuf,
    /// WAV file to write
    output: PathBuf,
    /// A built-in preset by name, or a preset file
    #[arg(long, default_value = "default")]
    preset: String,
    /// How far the mix moves towards the genre's profile, in percent
    #[arg(long, default_value_t = 100.0)]
    amount: f32,
    /// Seconds in which the mix follows a change of genre
    #[arg(long, default_value_t = 2.0)]
    reaction: f32,
    /// Mix for this genre, whatever is heard
    #[arg(long, value_parser = genre, value_name = "GENRE")]
    genre: Option<Genre>,
    /// The peak limiter at the end
    #[arg(long, value_enum, default_value = "off")]
    limiter: Limiter,
    /// The limiter's ceiling in dBTP
    #[arg(long, default_value_t = -1.0, allow_hyphen_values = true)]
    ceiling: f32,
    /// Sample format of the result
    #[arg(long, value_enum, default_value = "float32")]
    format: Format,
    /// Draw genres and the sequence of gains into this PNG file
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Limiter {
    Off,
    ZeroLatency,
    LookAhead,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Float32,
    Int24,
}

fn genre(name: &str) -> Result<Genre, String> {
    let named = Genre::ALL.into_iter().find(|genre| genre.name().eq_ignore_ascii_case(name));
    named.ok_or_else(|| format!("there are {}", Genre::ALL.map(Genre::name).join(", ")))
}

/// A built-in preset, or one from a file.
pub fn preset(name: &str) -> Result<Preset> {
    if let Some(preset) = Preset::built_in(name) {
        return Ok(preset.clone());
    }
    let path = Path::new(name);
    if !path.exists() {
        let names: Vec<&str> = FACTORY_FILES.iter().map(|(name, _)| *name).collect();
        bail!("there is no preset or file named {name}; built in are {}", names.join(", "));
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("{name}: cannot be read"))?;
    Preset::parse(&text).with_context(|| name.to_owned())
}

/// Runs the command.
pub fn run(args: &Args) -> Result<()> {
    let preset = preset(&args.preset)?;
    let settings = Settings {
        controls: Controls {
            amount: args.amount / 100.0,
            reaction_s: args.reaction,
            manual: args.genre,
            limiter: !matches!(args.limiter, Limiter::Off),
            ceiling_db: args.ceiling,
            ..Controls::default()
        },
        profiles: Some(preset.profiles),
        limiter: match args.limiter {
            Limiter::LookAhead => LimiterMode::LookAhead,
            Limiter::Off | Limiter::ZeroLatency => LimiterMode::ZeroLatency,
        },
    };
    let mut audio = read(&args.input)?;
    if let Some(damage) = &audio.damage {
        eprintln!("idiom: {}: {damage}", args.input.display());
    }
    let seconds = audio.seconds();
    let mut renderer = Renderer::new(audio.sample_rate, audio.channels.len(), &settings)
        .with_context(|| args.input.display().to_string())?;
    let started = Instant::now();
    let bar = indicatif::ProgressBar::new((seconds * 1_000.0) as u64).with_message("mixing");
    let mut moments = Vec::new();
    renderer.play_whole(&mut audio.channels, |moment| {
        bar.set_position((moment.seconds * 1_000.0) as u64);
        moments.push(moment);
    })?;
    bar.finish_and_clear();
    let format = match args.format {
        Format::Float32 => WavFormat::Float32,
        Format::Int24 => WavFormat::Int24,
    };
    write_wav_as(&args.output, &audio, format)?;
    if let Some(path) = &args.picture {
        let title =
            format!("{}, preset {}", args.input.file_name().unwrap_or_default().display(), preset.name);
        gains(path, &title, seconds, &moments, &lanes())?;
    }
    let took = started.elapsed().as_secs_f64();
    eprintln!(
        "{}: {seconds:.1} s mixed with {} in {took:.1} s, {:.0} times real time",
        args.output.display(),
        preset.name,
        seconds / took.max(1e-3)
    );
    Ok(())
}

/// What the picture of gains shows.
fn lanes() -> Vec<Lane> {
    let lane = |name, span_db, value: fn(&Moment) -> f32| Lane { name, span_db, value };
    vec![
        lane("low shelf", 6.0, |moment| moment.mix.eq_db[0]),
        lane("mid", 6.0, |moment| moment.mix.eq_db[1]),
        lane("presence", 6.0, |moment| moment.mix.eq_db[2]),
        lane("high shelf", 6.0, |moment| moment.mix.eq_db[3]),
        lane("reduction", 12.0, |moment| moment.mix.reduction_db),
        lane("gate", 12.0, |moment| moment.mix.gate_db),
        lane("loudness", 12.0, |moment| moment.mix.loudness_db),
        lane("limiter", 12.0, |moment| moment.mix.limiter_db),
    ]
}
