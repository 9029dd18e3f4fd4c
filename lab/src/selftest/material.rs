//! Sounds and features.

use super::Seen;
use crate::synth;
use anyhow::{Result, ensure};
use idiom_engine::Genre;
use idiom_engine::model::random::Rng;
use idiom_engine::rt::features::{FrontEnd, mel};

/// Every genre is composed, sounds, and is the same for the same seed.
pub fn synthetic_data() -> Result<Seen> {
    for genre in Genre::ALL {
        let audio = synth::render(genre, 1, 3.0, 22_050);
        ensure!(audio == synth::render(genre, 1, 3.0, 22_050), "{} differs from run to run", genre.label());
        let mono = audio.mono();
        let rms = (mono.iter().map(|x| x * x).sum::<f32>() / mono.len() as f32).sqrt();
        ensure!(rms > 1e-3 && rms < 1.0, "{} has an RMS of {rms}", genre.label());
    }
    Ok("3 s of each genre, twice the same".into())
}

/// A tone is found in its band at every rate, and gain does not matter.
pub fn feature_extraction() -> Result<Seen> {
    let rates = [8_000.0, 22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0];
    for rate in rates {
        for hz in [200.0, 1_000.0, 3_000.0] {
            let columns = [0.5, 0.05].map(|gain: f32| {
                let mut front = FrontEnd::new(rate);
                let hop = front.hop();
                // With noise in every band: one that is silent stays at the bottom whatever the gain.
                let mut rng = Rng(1);
                let mut sample = |n: usize| {
                    let sine = (std::f32::consts::TAU * hz * n as f32 / rate).sin();
                    gain * (sine + 0.3 * rng.signed())
                };
                let sound: Vec<f32> = (0..20 * hop).map(&mut sample).collect();
                sound.chunks_exact(hop).for_each(|frame| {
                    front.push(frame);
                });
                front.features().log_mel
            });
            let loudest = (0..columns[0].len()).max_by(|a, b| columns[0][*a].total_cmp(&columns[0][*b]));
            let band = loudest.unwrap_or_default();
            let (low, high) = (mel::edge_hz(band), mel::edge_hz(band + 2));
            ensure!(
                (low..=high).contains(&hz),
                "{hz} Hz at {rate} Hz lies in band {band}, {low} to {high} Hz"
            );
            let same = columns[0].iter().zip(&columns[1]).all(|(a, b)| (a - b).abs() < 0.05);
            ensure!(same, "{hz} Hz at {rate} Hz: the column depends on gain");
        }
    }
    Ok(format!("three tones at {} rates", rates.len()).into())
}
