//! The host's loop: sound through the plugin, block by block, watched.

use super::source::Source;
use super::timeline::{HEADING, Point, Timeline, clock};
use super::wav::Writer;
use crate::host::{Bundle, Render, Song};
use anyhow::{Context, Result};
use idiom_engine::Metrics;
use indicatif::{ProgressBar, ProgressStyle};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Points of the timeline a second.
const POINTS_PER_SECOND: f64 = 10.0;

/// How to play.
#[derive(Clone, Debug)]
pub struct Options {
    /// Samples in a block.
    pub block: usize,
    /// Play at the speed of time.
    pub realtime: bool,
    /// Stop after so many seconds.
    pub seconds: Option<f64>,
}

/// What came of it.
pub struct Outcome {
    /// What the plugin decided.
    pub timeline: Timeline,
    /// The processed sound.
    pub wav: PathBuf,
    /// The loudest sample that went in, for each point of the timeline.
    pub peaks: Vec<f32>,
    /// Seconds of sound that were played.
    pub played: f64,
    /// Time that the plugin itself took for it, in seconds.
    pub spent: f64,
    /// What the plugin says it cost.
    pub metrics: Option<Metrics>,
    /// Remarks for the reader.
    pub notes: Vec<String>,
}

/// Plays `source` through a new instance of the plugin and writes what comes out to `wav`.
pub fn play(bundle: &Bundle, source: &mut Source, wav: &Path, options: &Options) -> Result<Outcome> {
    let sample_rate = f64::from(source.sample_rate);
    let mut plugin = bundle.instantiate()?;
    plugin.set_channels(source.channels)?;
    plugin.set_render(if options.realtime { Render::Realtime } else { Render::Offline })?;
    let mut processor = plugin.activate(sample_rate, options.block)?;
    processor.start()?;

    let limit = options.seconds.map(|seconds| (seconds * sample_rate) as u64);
    let bar = progress(source.promised.map(|n| n.min(limit.unwrap_or(u64::MAX))), sample_rate);
    let mut rows = Rows::new(source.promised.map(|n| n.min(limit.unwrap_or(u64::MAX)) as f64 / sample_rate));
    bar.suspend(|| println!("{HEADING}"));

    let mut writer = Writer::create(wav, source.channels, source.sample_rate)?;
    let mut outcome = Outcome {
        timeline: Timeline::default(),
        wav: wav.to_path_buf(),
        peaks: Vec::new(),
        played: 0.0,
        spent: 0.0,
        metrics: None,
        notes: Vec::new(),
    };
    let mut block = vec![Vec::new(); source.channels];
    let (mut position, mut writing) = (0_u64, true);
    let (mut peak, mut spent) = (0.0_f32, Duration::ZERO);
    let started = Instant::now();
    loop {
        let left = limit.map_or(u64::MAX, |limit| limit.saturating_sub(position));
        source.next_block(&mut block, options.block.min(usize::try_from(left).unwrap_or(usize::MAX)))?;
        let length = block[0].len();
        if length == 0 {
            break;
        }
        peak = loudest(&block, peak);
        let mut channels: Vec<&mut [f32]> = block.iter_mut().map(Vec::as_mut_slice).collect();
        let before = Instant::now();
        processor
            .process(&mut channels, Some(Song::at(position as i64)), &[])
            .context("the plugin failed")?;
        spent += before.elapsed();
        if writing && !writer.write(&channels)? {
            writing = false;
            outcome.notes.push(format!(
                "a WAV file holds no more than 4 GB: the processed sound ends at {}",
                clock(position as f64 / sample_rate)
            ));
        }
        position += length as u64;
        let time = position as f64 / sample_rate;
        plugin.idle();
        while outcome.timeline.points.len() as f64 / POINTS_PER_SECOND <= time {
            let Some(snapshot) = bundle.snapshot(0) else { break };
            let point = Point { time, snapshot };
            outcome.timeline.points.push(point);
            outcome.peaks.push(std::mem::take(&mut peak));
            if rows.wants(&point) {
                bar.suspend(|| println!("{}", point.row()));
            }
        }
        bar.set_position(position);
        if options.realtime {
            let ahead = Duration::from_secs_f64(time).saturating_sub(started.elapsed());
            std::thread::sleep(ahead);
        }
    }
    bar.finish_and_clear();
    outcome.metrics = bundle.metrics(0);
    plugin.deactivate(processor);
    outcome.wav = writer.finish()?;
    outcome.played = position as f64 / sample_rate;
    outcome.spent = spent.as_secs_f64();
    outcome.notes.extend(source.damage().map(|damage| format!("the file is damaged: {damage}")));
    Ok(outcome)
}

fn loudest(channels: &[Vec<f32>], so_far: f32) -> f32 {
    channels.iter().flatten().filter(|x| x.is_finite()).fold(so_far, |peak, x| peak.max(x.abs()))
}

fn progress(length: Option<u64>, sample_rate: f64) -> ProgressBar {
    let Some(length) = length else { return ProgressBar::new_spinner() };
    let bar = ProgressBar::new(length);
    let total = clock(length as f64 / sample_rate);
    let style =
        ProgressStyle::with_template(&format!("{{bar:40}} {{percent:>3}} % of {total}, {{eta}} left"));
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Which points are shown: about forty, evenly, and each change of genre.
struct Rows {
    every: f64,
    next: f64,
    genre: Option<i32>,
}

impl Rows {
    fn new(seconds: Option<f64>) -> Rows {
        Rows { every: seconds.map_or(5.0, |s| (s / 40.0).ceil().max(1.0)), next: 0.0, genre: None }
    }

    fn wants(&mut self, point: &Point) -> bool {
        let changed = self.genre != Some(point.snapshot.genre);
        let due = point.time >= self.next;
        if due {
            self.next = (point.time / self.every).floor() * self.every + self.every;
        }
        self.genre = Some(point.snapshot.genre);
        changed || due
    }
}
