//! The demo program, as a person runs it.

use idiom_lab::audio::{Audio, read, write_wav};
use idiom_tests::built;
use idiom_tests::signals::music;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("idiom-demo-{name}-{}", std::process::id()));
        std::fs::remove_dir_all(&dir).ok();
        std::fs::create_dir_all(&dir).unwrap();
        Scratch(dir)
    }

    fn demo(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_demo"))
            .arg("--plugin")
            .arg(built::path().unwrap())
            .arg("--out")
            .arg(self.0.join("out"))
            .args(args)
            .current_dir(&self.0)
            .output()
            .unwrap()
    }

    fn wav(&self, name: &str, sample_rate: u32, channels: usize, seconds: f64) -> PathBuf {
        let length = (seconds * f64::from(sample_rate)) as usize;
        let channels = (0..channels).map(|c| music(length, f64::from(sample_rate), c as u64)).collect();
        let path = self.0.join(name);
        write_wav(&path, &Audio::new(sample_rate, channels)).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}

fn words(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn files_of_any_rate_and_width_are_played_and_written_whole() {
    let scratch = Scratch::new("rates");
    for (name, sample_rate, channels) in [
        ("a.wav", 44_100, 2),
        ("b.wav", 8_000, 1),
        ("c.wav", 96_000, 6),
        ("d.wav", 11_025, 1),
        ("e.wav", 48_000, 3),
    ] {
        let path = scratch.wav(name, sample_rate, channels, 3.0);
        let output = scratch.demo(&[text(&path), "--block", "333"]);
        let words = words(&output);
        assert!(output.status.success(), "{name}: {words}");
        let stem = &name[..1];
        let result = read(scratch.0.join(format!("out/{stem}.idiom.wav"))).unwrap();
        assert_eq!((result.sample_rate, result.len()), (sample_rate, 3 * sample_rate as usize), "{name}");
        assert_eq!(result.channels.len(), channels.min(2), "{name}");
        let picture = std::fs::read(scratch.0.join(format!("out/{stem}.timeline.png"))).unwrap();
        assert!(picture.starts_with(b"\x89PNG"), "{name}: the picture is no PNG");
        for part in ["time", "Heard", "us", "Sound", "Picture"] {
            assert!(words.contains(part), "'{part}' is missing in\n{words}");
        }
    }
}

#[test]
fn without_a_file_it_plays_a_programme_of_its_own_and_says_that_it_is_synthetic() {
    let scratch = Scratch::new("programme");
    let output = scratch.demo(&["--seconds", "25"]);
    let words = words(&output);
    assert!(output.status.success(), "{words}");
    assert!(words.contains("synthetic"), "{words}");
    assert_eq!(read(scratch.0.join("out/programme.idiom.wav")).unwrap().len(), 25 * 48_000);
}

#[test]
fn an_unreadable_file_gets_an_error_that_names_it() {
    let scratch = Scratch::new("bad");
    let good = std::fs::read(scratch.wav("good.wav", 44_100, 2, 1.0)).unwrap();
    let mut riff = good[..60].to_vec();
    riff.extend((0..4000).map(|n| (n * 37 % 251) as u8));
    let mut lying = good.clone();
    lying[22..26].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    let bad: [(&str, Vec<u8>); 6] = [
        ("empty.wav", Vec::new()),
        ("text.mp3", b"this is no music\n".repeat(100)),
        ("zeros.flac", vec![0; 10_000]),
        ("header-only.wav", good[..44].to_vec()),
        ("half-header.wav", good[..20].to_vec()),
        ("lying.wav", lying),
    ];
    for (name, content) in bad {
        std::fs::write(scratch.0.join(name), content).unwrap();
        let output = scratch.demo(&[name]);
        let words = words(&output);
        assert_eq!(output.status.code(), Some(1), "{name}: {words}");
        assert!(words.contains("error:") && words.contains(name), "{name}: {words}");
        assert!(!words.contains("panicked"), "{name}: {words}");
    }
    let missing = scratch.demo(&["nowhere/there.wav"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(words(&missing).contains("nowhere/there.wav"), "{}", words(&missing));
    let folder = scratch.demo(&["."]);
    assert_eq!(folder.status.code(), Some(1), "{}", words(&folder));
    let output = scratch.0.join("out");
    let leftovers = std::fs::read_dir(&output).map_or(0, Iterator::count);
    assert_eq!(leftovers, 0, "an unreadable file leaves something in {}", output.display());
}

#[test]
fn damaged_and_tiny_files_are_played_as_far_as_they_go() {
    let scratch = Scratch::new("damaged");
    let whole = std::fs::read(scratch.wav("whole.wav", 44_100, 2, 4.0)).unwrap();
    std::fs::write(scratch.0.join("cut.wav"), &whole[..whole.len() / 2]).unwrap();
    let output = scratch.demo(&["cut.wav"]);
    assert!(output.status.success(), "{}", words(&output));
    let length = read(scratch.0.join("out/cut.idiom.wav")).unwrap().len();
    assert!((80_000..=88_300).contains(&length), "{length} samples of half a file");
    let tiny = scratch.wav("tiny.wav", 48_000, 1, 0.001);
    let output = scratch.demo(&[text(&tiny), "--block", "1"]);
    assert!(output.status.success(), "{}", words(&output));
    assert_eq!(read(scratch.0.join("out/tiny.idiom.wav")).unwrap().len(), 48);
}
