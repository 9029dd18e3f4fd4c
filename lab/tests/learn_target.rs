//! `idiom learn-target`: a profile that brings sound to where the references are.

use idiom_engine::Genre;
use idiom_engine::profile::{Parameter, Preset};
use idiom_engine::rt::mix::eq::Shape;
use idiom_engine::rt::mix::eq_design::prototype_power;
use idiom_lab::audio::{Audio, write_wav};
use std::path::Path;
use std::process::{Command, Output};

const RATE: u32 = 44_100;

/// Noise that falls by some dB an octave, with sides at a third of the middle, louder and softer by turns.
fn sound(seconds: usize, swing: f32) -> Vec<Vec<f32>> {
    let mut state = 1u64;
    let mut white = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let (mut low, mut channels) = ([0.0f32; 2], vec![Vec::new(), Vec::new()]);
    for n in 0..seconds * RATE as usize {
        for low in &mut low {
            *low += 0.1 * (white() - *low);
        }
        let gain = if n / RATE as usize % 2 == 0 { 0.2 * swing } else { 0.2 / swing };
        let (mid, side) = (gain * (low[0] + 0.05 * white()), gain * (low[1] + 0.05 * white()) / 3.0);
        channels[0].push(mid + side);
        channels[1].push(mid - side);
    }
    channels
}

/// A band with this shape by a minimum of means: in blocks, through a long symmetrical filter.
fn filtered(channels: &[Vec<f32>], shape: Shape, setting: [f64; 3]) -> Vec<Vec<f32>> {
    const TAPS: usize = 2_049;
    let half = TAPS / 2;
    let bins = 2_048;
    let gain = |bin: usize| {
        prototype_power(shape, setting, (bin as f64 / bins as f64 * f64::from(RATE) / 2.0).max(1.0)).sqrt()
    };
    let taps: Vec<f64> = (0..TAPS)
        .map(|n| {
            let t = n as f64 - half as f64;
            let cosine = |bin: usize| (std::f64::consts::PI * bin as f64 * t / bins as f64).cos();
            let sum: f64 = (1..bins).map(|bin| gain(bin) * cosine(bin)).sum::<f64>()
                + 0.5 * (gain(0) + gain(bins) * cosine(bins));
            let window = 0.5 + 0.5 * (std::f64::consts::PI * t / (half as f64 + 1.0)).cos();
            window * sum / bins as f64
        })
        .collect();
    let taps: Vec<f32> = taps.iter().map(|tap| *tap as f32).collect();
    let filter = |x: &Vec<f32>| -> Vec<f32> {
        (0..x.len() - TAPS)
            .map(|at| x[at..at + TAPS].iter().zip(&taps).map(|(x, tap)| x * tap).sum())
            .collect()
    };
    channels.iter().map(filter).collect()
}

fn idiom(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_idiom")).args(arguments).current_dir(folder).output().unwrap()
}

fn write(folder: &Path, name: &str, channels: Vec<Vec<f32>>) {
    write_wav(folder.join(name), &Audio::new(RATE, channels)).unwrap();
}

#[test]
fn the_profile_brings_own_sound_to_the_references() {
    let folder = tempfile::tempdir().unwrap();
    let own = sound(8, 2.0);
    // The references: 4 dB more of lows, half the spread, sides by a fifth wider, 6 dB softer.
    let preset = &Preset::factory()[0];
    let rock = &preset.profiles.genres[Genre::Rock.index()];
    let low = [f64::from(rock[Parameter::LowHz]), 4.0, f64::from(rock[Parameter::LowQ])];
    let mut reference = filtered(&sound(8, 2f32.sqrt()), Shape::LowShelf, low);
    let (left, right) = reference.split_at_mut(1);
    for (l, r) in left[0].iter_mut().zip(&mut right[0]) {
        let (mid, side) = (0.25 * (*l + *r), 0.3 * (*l - *r));
        (*l, *r) = (mid + side, mid - side);
    }
    write(folder.path(), "own.wav", own);
    std::fs::create_dir_all(folder.path().join("references/deeper")).unwrap();
    write(&folder.path().join("references/deeper"), "a.wav", reference);
    std::fs::write(folder.path().join("references/cover.txt"), "no sound").unwrap();

    let arguments =
        ["learn-target", "references", "--genre", "rock", "--against", "own.wav", "--out", "new/mine.toml"];
    let output = idiom(&arguments, folder.path());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    assert!(errors.contains("cover.txt") && errors.contains("left out"), "{errors}");
    let text = std::fs::read_to_string(folder.path().join("new/mine.toml")).unwrap();
    let learnt = Preset::parse(&text).unwrap();
    assert_eq!(learnt.name, "mine");
    let profile = &learnt.profiles.genres[Genre::Rock.index()];
    for (parameter, wanted, slack) in [
        (Parameter::LowDb, 4.0, 0.7),
        (Parameter::MidDb, 0.0, 0.7),
        (Parameter::HighDb, 0.0, 0.7),
        (Parameter::Width, 1.2, 0.03),
        (Parameter::Ratio, 2.0, 0.15),
    ] {
        let is = profile[parameter];
        assert!(
            (is - wanted).abs() < slack,
            "{parameter:?} is {is}, not {wanted}\n{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    let jazz = Genre::Jazz.index();
    let mut expected = preset.profiles.genres[jazz];
    // Loudness, and the way to it, is one for the whole preset.
    expected[Parameter::Target] = profile[Parameter::Target];
    expected[Parameter::TargetRange] = 6.0;
    assert_eq!(profile[Parameter::TargetRange], 6.0);
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 2e-3 * (1.0 + b.abs());
    assert!(learnt.profiles.genres[jazz].values().iter().zip(expected.values()).all(close), "others stay");
}

#[test]
fn what_cannot_be_learnt_is_said_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "silence.wav", vec![vec![0.0; 3 * RATE as usize]; 2]);
    std::fs::write(folder.path().join("text.txt"), "no sound").unwrap();
    for (file, told) in [
        ("nothing.wav", "no such file or folder"),
        ("text.txt", "none of the 1 files"),
        ("silence.wav", "less than a second of sound"),
    ] {
        let output = idiom(&["learn-target", file, "--genre", "jazz", "--out", "out.toml"], folder.path());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains(told), "{file}: {errors}");
        assert!(!folder.path().join("out.toml").exists());
    }
}
