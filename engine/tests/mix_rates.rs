//! The same mix at every sample rate: levels, harmonics and gains are those of 48 kHz.

mod mix_support;
use idiom_engine::profile::{Parameter, Preset};
use idiom_engine::rt::mix::MixStage;
use idiom_engine::telemetry::MixState;
use idiom_engine::{Controls, Genre, LimiterMode};
use mix_support::surely;
use std::f64::consts::PI;

/// Heard tones, and harmonics that the drive makes of them, in Hz.
const HEARD: [f64; 4] = [60.0, 400.0, 1_500.0, 6_000.0];
const HARMONICS: [f64; 2] = [180.0, 4_500.0];

/// Level in dB of one frequency in the last second of a signal, through a Blackman-Harris window.
fn level_db(signal: &[f32], hz: f64, rate: f64) -> f64 {
    let part = &signal[signal.len() - rate as usize..];
    let (mut re, mut im, mut sum) = (0.0, 0.0, 0.0);
    for (n, x) in part.iter().enumerate() {
        let t = 2.0 * PI * (n as f64 + 0.5) / part.len() as f64;
        let window = 0.35875 - 0.48829 * t.cos() + 0.14128 * (2.0 * t).cos() - 0.01168 * (3.0 * t).cos();
        let angle = 2.0 * PI * hz * n as f64 / rate;
        re += window * f64::from(*x) * angle.cos();
        im += window * f64::from(*x) * angle.sin();
        sum += window;
    }
    20.0 * (2.0 * (re * re + im * im).sqrt() / sum).log10()
}

/// Four seconds of chords that swell, through a whole profile with every section in use.
fn mixed(rate: f64, genre: Genre) -> (Vec<f64>, MixState) {
    let length = (4.0 * rate) as usize;
    let tone = |n: usize, side: f64| {
        let t = n as f64 / rate;
        let swell = 0.6 + 0.4 * (2.0 * PI * 3.0 * t).sin();
        let sum: f64 = HEARD.iter().map(|hz| (2.0 * PI * hz * t + side).sin() / hz.powf(0.3)).sum();
        (0.9 * swell * sum) as f32
    };
    let mut sound = [0.0, 0.4].map(|side| (0..length).map(|n| tone(n, side)).collect::<Vec<f32>>());
    let mut controls = Controls { limiter: true, ceiling_db: -3.0, reaction_s: 0.1, ..Controls::default() };
    for (parameter, value) in [
        (Parameter::GateRange, 6.0),
        (Parameter::TargetRange, 6.0),
        (Parameter::DriveGain, 6.0),
        (Parameter::DriveMix, 0.3),
        (Parameter::MonoBass, 0.5),
    ] {
        controls.base[parameter] = value;
    }
    let profiles = &Preset::factory()[0].profiles;
    let mut stage = MixStage::new(rate as f32, 2, profiles, LimiterMode::LookAhead);
    stage.set_target(&surely(genre), &controls);
    let mut slices: Vec<&mut [f32]> = sound.iter_mut().map(|side| &mut side[..]).collect();
    stage.process(&mut slices, &[], 0, length, &controls);
    let levels = HEARD.iter().chain(&HARMONICS).map(|hz| level_db(&sound[0], *hz, rate)).collect();
    (levels, stage.state())
}

#[test]
fn a_mix_sounds_the_same_from_22_to_192_khz() {
    for genre in [Genre::Speech, Genre::Rock] {
        let (wanted, state) = mixed(48_000.0, genre);
        for rate in [22_050.0, 32_000.0, 44_100.0, 88_200.0, 96_000.0, 192_000.0] {
            let (levels, other) = mixed(rate, genre);
            println!("{genre:?} at {rate} Hz: {levels:.2?}");
            for (i, (level, wanted)) in levels.iter().zip(&wanted).enumerate() {
                // What is weak beside the tones may differ more; and so may 6 kHz where the sound ends at 11 or 16 kHz.
                let most = if i >= HEARD.len() {
                    0.5
                } else if rate < 40_000.0 {
                    0.3
                } else {
                    0.15
                };
                assert!(
                    (level - wanted).abs() < most,
                    "{genre:?} at {rate} Hz: {levels:.2?}, not {wanted:.2?}"
                );
            }
            for (name, is, was) in [
                ("reduction", other.reduction_db, state.reduction_db),
                ("make-up", other.makeup_db, state.makeup_db),
                ("follower", other.loudness_db, state.loudness_db),
            ] {
                assert!((is - was).abs() < 0.15, "{name} of {genre:?} at {rate} Hz: {is} dB, not {was} dB");
            }
        }
    }
}
