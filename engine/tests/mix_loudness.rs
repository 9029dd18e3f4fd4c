//! A change of genre must change the sound, not the loudness.

mod mix_support;
use idiom_engine::profile::Preset;
use idiom_engine::{Controls, Genre};
use mix_support::*;

const RATE: f32 = 48_000.0;
const SECONDS: usize = 6;

/// Loudness change in LU that each genre's profile makes to pink noise of this loudness.
fn changes(preset: &Preset, lufs: f64) -> [f64; 5] {
    let samples = SECONDS * RATE as usize;
    let input = at_loudness(vec![pink(1, RATE.into(), samples), pink(2, RATE.into(), samples)], lufs);
    let from = 3 * RATE as usize;
    let before = loudness_48k(&input, from);
    Genre::ALL.map(|genre| {
        let mut stage = settled_at(genre, RATE, 2, &preset.profiles);
        let mut output = input.clone();
        // The follower moves the loudness on purpose; it is tested by itself.
        run(&mut stage, &mut output, &Controls { loudness: false, ..Controls::default() });
        loudness_48k(&output, from) - before
    })
}

/// Run with `--nocapture` to see the table.
#[test]
fn no_change_of_genre_moves_the_loudness_of_pink_noise_at_any_usual_level() {
    for preset in Preset::factory() {
        for lufs in [-30.0, -12.0] {
            let changes = changes(preset, lufs);
            let max = changes.iter().fold(f64::MIN, |a, &b| a.max(b));
            let min = changes.iter().fold(f64::MAX, |a, &b| a.min(b));
            println!(
                "{} at {lufs} LUFS: {changes:+.2?} LU by profile, worst pair {:.2} LU",
                preset.name,
                max - min
            );
            assert!(max - min < 0.35, "{} at {lufs} LUFS: a pair is {:.2} LU apart", preset.name, max - min);
            assert!(max.max(-min) < 0.35, "{} at {lufs} LUFS: {changes:.2?} LU", preset.name);
        }
    }
}
