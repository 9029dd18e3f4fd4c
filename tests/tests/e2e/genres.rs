//! What it says about sound whose genre is known.

use idiom_engine::genre::GENRES;
use idiom_engine::{Genre, IdiomSnapshot, Verdict};
use idiom_lab::audio::{Audio, read};
use idiom_lab::synth;
use idiom_tests::built::Built;
use idiom_tests::host::{Render, Song};
use idiom_tests::skipped;
use std::path::Path;

/// The genre that was in force for most of the time, as a listener of the whole piece would name it.
fn named(built: &Built, audio: &Audio) -> Option<Genre> {
    let rate = audio.sample_rate as usize;
    let mut seconds = [0; GENRES];
    listen(built, audio, |snapshot: &IdiomSnapshot| {
        if snapshot.verdict != Verdict::Silent as u32 && snapshot.genre >= 0 {
            seconds[snapshot.genre as usize] += 1;
        }
    });
    assert!(audio.len() >= rate, "too short to judge");
    let best = (0..GENRES).max_by_key(|index| seconds[*index])?;
    if seconds[best] == 0 { None } else { Genre::from_index(best) }
}

/// Plays audio through a new instance and looks at it ten times a second.
fn listen(built: &Built, audio: &Audio, mut see: impl FnMut(&IdiomSnapshot)) {
    let mut channels =
        if audio.channels.len() == 1 { audio.channels.clone() } else { audio.stereo().to_vec() };
    let mut plugin = built.instance(channels.len(), Render::Offline);
    let block = audio.sample_rate as usize / 10;
    let mut processor = plugin.activate(f64::from(audio.sample_rate), block).unwrap();
    let mut start = 0;
    while start < audio.len() {
        let end = (start + block).min(audio.len());
        let mut audio: Vec<&mut [f32]> =
            channels.iter_mut().map(|channel| &mut channel[start..end]).collect();
        processor.process(&mut audio, Some(Song::at(start as i64)), &[]).unwrap();
        see(&built.bundle.snapshot(0).unwrap());
        start = end;
    }
    plugin.deactivate(processor);
}

/// Synthetic sound: this shows that the way from sound to name is whole, not how well real music is recognised.
#[test]
fn most_synthetic_passages_are_named() {
    let built = Built::load();
    let (mut right, mut wrong, mut report) = (0, 0, String::new());
    for genre in Genre::ALL {
        for seed in 1..=3 {
            let heard = named(&built, &synth::render(genre, seed, 15.0, 44_100));
            right += u32::from(heard == Some(genre));
            wrong += u32::from(heard.is_some_and(|heard| heard != genre));
            report += &format!("{} {seed}: {heard:?}\n", genre.label());
        }
    }
    println!("{right} of 15 synthetic passages named right, {wrong} wrong, the others uncertain\n{report}");
    assert!(
        right >= 8 && wrong <= 3,
        "{right} of 15 synthetic passages are named right, {wrong} wrong\n{report}"
    );
}

#[test]
fn silence_tones_and_faint_noise_are_no_genre() {
    let built = Built::load();
    let length = 48_000 * 8;
    let tone = |hz: f32| -> Vec<f32> {
        (0..length).map(|n| 0.2 * (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin()).collect()
    };
    let silence = Audio::new(48_000, vec![vec![0.0; length]]);
    let mut verdicts = Vec::new();
    listen(&built, &silence, |snapshot| verdicts.push((snapshot.verdict, snapshot.genre)));
    let quiet = [Verdict::Silent as u32, Verdict::Listening as u32];
    assert!(verdicts.iter().all(|(verdict, genre)| quiet.contains(verdict) && *genre == -1), "{verdicts:?}");
    let faint = Audio::new(48_000, vec![idiom_tests::signals::noise(length, 1e-5, 1)]);
    let mut genres = Vec::new();
    listen(&built, &faint, |snapshot| genres.push(snapshot.genre));
    assert!(genres.iter().all(|genre| *genre == -1), "noise at -100 dBFS is called a genre");
    // A tone may lead to "uncertain" or to some guess; it must not stop the listening.
    let mut frames = 0;
    listen(&built, &Audio::new(48_000, vec![tone(440.0)]), |snapshot| frames = snapshot.frames);
    assert!(frames >= 398, "{frames} frames of a tone");
}

/// Recordings are not part of the project; name a folder with `<genre>/*` to check against them.
#[test]
fn most_real_recordings_are_named() {
    let name = "genres of real recordings";
    let Some(folder) = std::env::var_os("IDIOM_AUDIO_DIR") else {
        return skipped(name, "IDIOM_AUDIO_DIR is not set; it names a folder with recordings in <genre>/*");
    };
    let built = Built::load();
    let mut any = false;
    for genre in Genre::ALL {
        let Ok(entries) = std::fs::read_dir(Path::new(&folder).join(genre.name())) else { continue };
        let mut files: Vec<_> =
            entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
        files.sort();
        let (mut right, mut all) = (0, 0);
        for path in &files {
            let audio = match read(path) {
                Ok(audio) if audio.seconds() >= 3.0 => audio,
                Ok(_) => continue,
                Err(error) => {
                    println!("{error}");
                    continue;
                }
            };
            all += 1;
            let heard = named(&built, &audio);
            right += u32::from(heard == Some(genre));
            if heard != Some(genre) {
                println!("{}: {heard:?}", path.display());
            }
        }
        if all > 0 {
            any = true;
            println!("{}: {right} of {all} recordings named right", genre.label());
            assert!(2 * right > all, "{}: only {right} of {all} recordings are named right", genre.label());
        }
    }
    if !any {
        skipped(name, &format!("no recordings in {}/<genre>/", folder.to_string_lossy()));
    }
}
