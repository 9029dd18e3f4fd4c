//! Every format that users have is decoded to the right samples, at its own rate, with left and right where they belong.

use idiom_lab::audio::{Audio, Reader, read};
use std::path::PathBuf;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Amplitude of the sine of this frequency in the middle of a channel.
fn amplitude(audio: &Audio, channel: usize, hz: f64) -> f64 {
    let rate = f64::from(audio.sample_rate);
    let samples = &audio.channels[channel];
    // 0.4 s hold a whole number of periods of both tones.
    let length = (0.4 * rate).round() as usize;
    let start = (samples.len() - length) / 2;
    let (mut re, mut im) = (0.0, 0.0);
    for (n, x) in samples[start..start + length].iter().enumerate() {
        let angle = std::f64::consts::TAU * hz * n as f64 / rate;
        re += f64::from(*x) * angle.cos();
        im += f64::from(*x) * angle.sin();
    }
    2.0 * re.hypot(im) / length as f64
}

/// The formats, their sample rates, and whether they keep every sample (then the length is exact).
const FORMATS: [(&str, u32, bool); 9] = [
    ("tones.flac", 16_000, true),
    ("tones_alac.m4a", 16_000, true),
    ("tones.aiff", 8_000, true),
    ("tones_8bit.wav", 16_000, true),
    ("tones.mp3", 44_100, false),
    ("tones.m4a", 44_100, false),
    ("tones.aac", 44_100, false),
    ("tones.ogg", 44_100, false),
    ("tones.opus", 48_000, false),
];

#[test]
fn every_format_gives_both_tones_on_their_sides() {
    for (name, rate, exact) in FORMATS {
        let audio = read(fixture(name)).unwrap();
        assert_eq!((audio.sample_rate, audio.channels.len()), (rate, 2), "{name}");
        assert_eq!(audio.damage, None, "{name}");
        let slack = if exact { 0.0005 } else { 0.08 };
        assert!((audio.seconds() - 0.6).abs() <= slack, "{name}: {} s", audio.seconds());
        for (channel, hz, level) in [(0, 440.0, 0.4), (1, 1500.0, 0.25)] {
            let found = amplitude(&audio, channel, hz);
            assert!((found - level).abs() < 0.08 * level, "{name}: {hz} Hz at {found}, not {level}");
            let leaked = amplitude(&audio, 1 - channel, hz);
            assert!(leaked < 0.05 * level, "{name}: {hz} Hz also on the other side, at {leaked}");
        }
    }
}

#[test]
fn encoders_delay_is_taken_off() {
    // The left channel starts with a rising sine. M4A and bare AAC are not here: the decoder leaves their encoder's
    // 1024 samples (23 ms of near silence) at the beginning, which the front end does not mind.
    for name in ["tones.flac", "tones.ogg", "tones.opus", "tones.mp3"] {
        let audio = read(fixture(name)).unwrap();
        let rate = audio.sample_rate as f32;
        let wanted = |n: usize| 0.4 * (std::f32::consts::TAU * 440.0 * n as f32 / rate).sin();
        let error = |shift: usize| -> f32 {
            let from = (0.1 * rate) as usize;
            (from..from + (0.2 * rate) as usize)
                .map(|n| (audio.channels[0][n] - wanted(n + shift)).powi(2))
                .sum()
        };
        // One period of 440 Hz is 2.3 ms; compare with the tone shifted by each part of it.
        let period = (rate / 440.0) as usize;
        let best = (0..period).min_by(|&a, &b| error(a).total_cmp(&error(b))).unwrap();
        let off = best.min(period - best);
        assert!(off <= 2, "{name}: the tone is {off} samples away from where it was");
    }
}

#[test]
fn reading_in_blocks_gives_what_reading_at_once_gives() {
    for (name, ..) in FORMATS {
        let whole = read(fixture(name)).unwrap();
        let mut reader = Reader::open(fixture(name)).unwrap();
        assert_eq!((reader.sample_rate(), reader.channels()), (whole.sample_rate, whole.channels.len()));
        let mut joined: Vec<Vec<f32>> = vec![Vec::new(); reader.channels()];
        while let Some(block) = reader.next_block().unwrap() {
            joined.iter_mut().zip(block).for_each(|(all, new)| all.extend_from_slice(new));
        }
        assert_eq!(joined, whole.channels, "{name}");
    }
}

#[test]
fn damaged_files_give_a_part_or_an_error_but_never_a_panic() {
    let folder = std::env::temp_dir().join(format!("idiom-damage-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut shortened = 0;
    for (name, ..) in FORMATS {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let path = folder.join(name);
        for cut in [0, 1, 16, 100, bytes.len() / 3, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            match read(&path) {
                Ok(audio) => shortened += usize::from(audio.len() > 0),
                Err(error) => assert!(error.to_string().contains(name), "{error}"),
            }
        }
        // A byte here and there is turned over.
        for seed in 0..40_usize {
            let mut broken = bytes.clone();
            for k in 0..4 {
                let at = (seed * 7919 + k * 104_729 + seed * seed * 31) % broken.len();
                broken[at] ^= 1 << ((seed + k) % 8);
            }
            std::fs::write(&path, &broken).unwrap();
            if let Err(error) = read(&path) {
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(shortened > 10, "shortened files still give sound: {shortened}");
}

#[test]
fn a_file_that_ends_between_two_packets_is_called_truncated() {
    let folder = std::env::temp_dir().join(format!("idiom-truncated-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("half.mp3");
    let bytes = std::fs::read(fixture("tones.mp3")).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let audio = read(&path).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!((0.2..0.4).contains(&audio.seconds()), "{} s", audio.seconds());
    assert!(audio.damage.as_deref().is_some_and(|damage| damage.contains("truncated")), "{:?}", audio.damage);
}
