//! Draws how the mix handles what a genre detector is worst at: speech over music, and clips that change every three
//! seconds. The picture in docs/images is made by
//!
//!     cargo run -p idiom-lab --example calm -- docs/images/calm.png

use anyhow::{Context, Result};
use idiom_engine::profile::Preset;
use idiom_engine::{Controls, Genre};
use idiom_lab::picture::{Lane, gains};
use idiom_lab::render::{Renderer, Settings};
use idiom_lab::synth::render;
use std::path::PathBuf;

const RATE: u32 = 48_000;

/// Seconds of music alone, of speech over it, and of clips that take turns.
const PARTS: [f64; 3] = [15.0, 15.0, 60.0];
/// Length of a clip in seconds.
const CLIP: f64 = 3.0;

fn main() -> Result<()> {
    let path: PathBuf = std::env::args_os().nth(1).context("say which PNG file to write")?.into();
    let samples = |seconds: f64| (seconds * f64::from(RATE)) as usize;
    let seconds: f64 = PARTS.iter().sum();
    let music = render(Genre::Rock, 1, seconds, RATE).stereo();
    let talk = render(Genre::Speech, 2, seconds, RATE).stereo();
    let [alone, over, _] = PARTS.map(samples);
    let mut sound: Vec<Vec<f32>> = vec![Vec::new(); 2];
    for (side, (music, talk)) in sound.iter_mut().zip(music.iter().zip(&talk)) {
        side.extend(music.iter().zip(talk).enumerate().map(|(n, (music, talk))| match n {
            n if n < alone => *music,
            // The bed 12 dB down.
            n if n < alone + over => 0.25 * music + talk,
            n if (n - alone - over) / samples(CLIP) % 2 == 0 => *talk,
            _ => *music,
        }));
    }
    let settings = Settings {
        controls: Controls::default(),
        profiles: Some(Preset::built_in("podcast-with-music").context("a built-in preset")?.profiles),
        ..Settings::default()
    };
    let mut moments = Vec::new();
    Renderer::new(RATE, 2, &settings)?.play_whole(&mut sound, |moment| moments.push(moment))?;
    let lanes = [
        Lane { name: "low shelf", span_db: 6.0, value: |moment| moment.mix.eq_db[0] },
        Lane { name: "presence", span_db: 6.0, value: |moment| moment.mix.eq_db[2] },
        Lane { name: "reduction", span_db: 12.0, value: |moment| moment.mix.reduction_db },
        Lane { name: "loudness", span_db: 12.0, value: |moment| moment.mix.loudness_db },
        Lane { name: "calm \u{d7}1..12", span_db: 12.0, value: |moment| moment.mix.calm },
    ];
    let title = "15 s music, 15 s speech over it, then clips of 3 s taking turns; preset Podcast with Music";
    gains(&path, title, seconds, &moments, &lanes)
}
