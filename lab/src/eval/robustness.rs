//! Whether a clip is named the same however it is played.

use super::clip::name_whole;
use super::listen::Listener;
use crate::audio::{self, Audio, Codec};
use crate::features::progress_bar;
use crate::interrupt;
use crate::synth::dsp::{Biquad, gain};
use anyhow::Result;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Bit rate of the codecs, in kbit/s.
const KBIT_S: u32 = 64;
/// Qualities of the four sections of a Butterworth low-pass of order 8.
const BUTTERWORTH: [f32; 4] = [0.509_8, 0.601_3, 0.9, 2.562_9];
/// Size of the tilt: treble so many dB up and bass as many down, or the reverse, about 1 kHz.
const TILT_DB: f32 = 3.0;

/// One way to play a clip.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Gain(f32),
    Mono,
    Stereo,
    LeftOnly,
    Rate(u32),
    LowPass(f32),
    Coded(Codec),
    Tilt(f32),
}

/// Every way that is tried.
const CHANGES: [Change; 17] = [
    Change::Gain(-18.0),
    Change::Gain(-12.0),
    Change::Gain(-6.0),
    Change::Gain(6.0),
    Change::Mono,
    Change::Stereo,
    Change::LeftOnly,
    Change::Rate(22_050),
    Change::Rate(44_100),
    Change::Rate(48_000),
    Change::Rate(96_000),
    Change::LowPass(8_000.0),
    Change::LowPass(11_000.0),
    Change::Coded(Codec::Mp3),
    Change::Coded(Codec::Opus),
    Change::Tilt(TILT_DB),
    Change::Tilt(-TILT_DB),
];

/// How often a clip is named the same when it is played in another way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// The way.
    pub change: String,
    /// Clips that were compared.
    pub clips: usize,
    /// Share of them that are named as the original is; `None` when none could be compared.
    pub agree: Option<f64>,
    /// Why clips are missing.
    pub remark: Option<String>,
}

impl Change {
    fn label(self) -> String {
        match self {
            Change::Gain(db) => format!("gain {db:+} dB"),
            Change::Mono => "mono".into(),
            Change::Stereo => "stereo, right 6 dB softer".into(),
            Change::LeftOnly => "left channel only".into(),
            Change::Rate(rate) => format!("{} kHz", f64::from(rate) / 1000.0),
            Change::LowPass(hz) => format!("band limit {} kHz", hz / 1000.0),
            Change::Coded(codec) => format!("{} {KBIT_S} kbit/s", codec.label()),
            Change::Tilt(db) => format!("tilt {db:+} dB treble"),
        }
    }

    /// Why it cannot be tried on this machine.
    fn missing(self) -> Option<String> {
        if let Change::Coded(codec) = self { codec.missing() } else { None }
    }

    fn apply(self, sound: &Audio) -> Result<Audio> {
        let rate = sound.sample_rate as f32;
        let filtered = |filters: &[Biquad]| {
            let mut out = sound.clone();
            for channel in &mut out.channels {
                filters.iter().for_each(|filter| filter.run(channel));
            }
            out
        };
        let scaled = |gain: f32| {
            let mut out = sound.clone();
            out.channels.iter_mut().flatten().for_each(|x| *x *= gain);
            out
        };
        Ok(match self {
            Change::Gain(db) => scaled(gain(db)),
            Change::Mono => Audio::new(sound.sample_rate, vec![sound.mono()]),
            Change::Stereo => {
                let [left, mut right] = sound.stereo();
                right.iter_mut().for_each(|x| *x *= gain(-6.0));
                Audio::new(sound.sample_rate, vec![left, right])
            }
            Change::LeftOnly => {
                let [left, right] = sound.stereo();
                Audio::new(sound.sample_rate, vec![left, vec![0.0; right.len()]])
            }
            Change::Rate(to) => sound.at_rate(to),
            // Above the Nyquist frequency there is nothing to take away.
            Change::LowPass(hz) if hz >= 0.47 * rate => sound.clone(),
            Change::LowPass(hz) => filtered(&BUTTERWORTH.map(|q| Biquad::low_pass(rate, hz, q))),
            Change::Coded(codec) => codec.apply(sound, KBIT_S)?,
            Change::Tilt(db) => {
                let mut out = filtered(&[Biquad::high_shelf(rate, 1000.0, 2.0 * db)]);
                out.channels.iter_mut().flatten().for_each(|x| *x *= gain(-db));
                out
            }
        })
    }
}

/// Plays every clip in every way. Clips that cannot be read are passed over.
pub fn robustness(listener: &Listener, clips: &[&Path]) -> Result<Vec<Agreement>> {
    let missing = CHANGES.map(Change::missing);
    let bar = progress_bar((clips.len() * CHANGES.len()) as u64, "robustness");
    // For each clip and way: whether the name is the same, or why that is not known.
    let found = clips
        .par_iter()
        .map(|path| {
            let sound = audio::read(path).ok();
            let name = |sound: &Audio| name_whole(&mut listener.clone(), &sound.mono(), sound.sample_rate);
            let original = sound.as_ref().and_then(name);
            let mut row = Vec::new();
            for (change, missing) in CHANGES.into_iter().zip(&missing) {
                interrupt::check()?;
                bar.inc(1);
                row.push(match (&sound, original, missing) {
                    (Some(sound), Some(original), None) => match change.apply(sound) {
                        Ok(changed) => Ok(name(&changed) == Some(original)),
                        Err(error) => Err(Some(format!("{}: {error:#}", path.display()))),
                    },
                    _ => Err(None),
                });
            }
            Ok(row)
        })
        .collect::<Result<Vec<_>>>();
    bar.finish_and_clear();
    let found = found?;
    Ok(CHANGES
        .into_iter()
        .zip(missing)
        .enumerate()
        .map(|(i, (change, missing))| {
            let compared: Vec<bool> = found.iter().filter_map(|row| row[i].as_ref().ok().copied()).collect();
            let failed = found.iter().find_map(|row| row[i].as_ref().err().cloned().flatten());
            Agreement {
                change: change.label(),
                clips: compared.len(),
                agree: (!compared.is_empty())
                    .then(|| compared.iter().filter(|same| **same).count() as f64 / compared.len() as f64),
                remark: missing.or(failed),
            }
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(hz: f32) -> Audio {
        let wave = |n: u32| 0.3 * (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin();
        Audio::new(48_000, vec![(0..48_000).map(wave).collect(); 2])
    }

    /// Change of the left channel's level in dB, without the ends.
    fn level_change(change: Change, hz: f32) -> f32 {
        let (before, after) = (tone(hz), change.apply(&tone(hz)).unwrap());
        let rms = |x: &Audio| {
            let x = &x.channels[0][x.len() / 4..3 * x.len() / 4];
            (x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32).sqrt()
        };
        20.0 * (rms(&after) / rms(&before)).log10()
    }

    #[test]
    fn every_way_does_what_it_says() {
        for (change, hz, db, tolerance) in [
            (Change::Gain(-18.0), 500.0, -18.0, 0.01),
            (Change::Gain(6.0), 500.0, 6.0, 0.01),
            (Change::LowPass(8_000.0), 2_000.0, 0.0, 0.05),
            (Change::LowPass(8_000.0), 8_000.0, -3.0, 0.2),
            (Change::LowPass(8_000.0), 16_000.0, -60.0, 20.0),
            (Change::LowPass(11_000.0), 8_000.0, 0.0, 0.4),
            (Change::Rate(22_050), 5_000.0, 0.0, 0.01),
            (Change::Rate(96_000), 5_000.0, 0.0, 0.01),
            (Change::Tilt(3.0), 30.0, -3.0, 0.1),
            (Change::Tilt(3.0), 1_000.0, 0.0, 0.1),
            (Change::Tilt(3.0), 15_000.0, 3.0, 0.1),
            (Change::Tilt(-3.0), 15_000.0, -3.0, 0.1),
        ] {
            let found = level_change(change, hz);
            assert!((found - db).abs() < tolerance, "{} at {hz} Hz: {found} dB", change.label());
        }
        assert_eq!(Change::Rate(22_050).apply(&tone(440.0)).unwrap().len(), 22_050);
        assert_eq!(Change::Mono.apply(&tone(440.0)).unwrap().channels.len(), 1);
        let mono = Audio::new(48_000, vec![tone(440.0).mono()]);
        assert_eq!(Change::Stereo.apply(&mono).unwrap().channels.len(), 2);
        assert!(Change::LeftOnly.apply(&mono).unwrap().channels[1].iter().all(|x| *x == 0.0));
    }
}
