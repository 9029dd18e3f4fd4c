//! Jazz: a swinging rhythm section, walking bass, comping in rootless voicings and improvised lines over the changes; by
//! style brushes, Latin rhythms, a piano alone, horns in harmony, or a whole big band.

mod band;
mod changes;
mod drums;
mod line;
mod piano;

use super::desk::{Finish, Track, mix};
use super::dice::Dice;
use super::instruments::amp::{Amp, Cabinet};
use super::midi::arrange::amplify;
use super::studio::Studio;
use crate::audio::Audio;
use band::Band;

/// Kinds of jazz, as [`play`] knows them.
pub const STYLES: [&str; 14] = [
    "piano trio",
    "quartet",
    "ballad",
    "bossa nova",
    "solo piano",
    "stride",
    "big band",
    "modal",
    "guitar trio",
    "latin",
    "new orleans",
    "fusion",
    "waltz",
    "hard bop",
];

/// How the rhythm section feels the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feel {
    /// Ride cymbal and walking bass.
    Swing,
    /// Slow, with brushes, the bass in two.
    Ballad,
    /// Straight eighths, clave on the rim.
    Bossa,
    /// Montuno, tumbao, percussion.
    Latin,
    /// Bass drum on all four, the bass in two, banjo or guitar on every beat.
    TwoBeat,
    /// Straight sixteenths with a backbeat.
    Funk,
    /// Three beats.
    Waltz,
    /// A piano alone, its left hand in stride.
    Stride,
    /// A piano alone, free.
    Solo,
}

/// What makes a style.
struct Recipe {
    feel: Feel,
    /// Slowest and fastest tempo, in beats a minute.
    bpm: (f32, f32),
    /// Indices of [`changes::changes`].
    forms: &'static [usize],
    /// Programs of the soloist.
    leads: &'static [u8],
    /// Programs of those who comp.
    comps: &'static [u8],
    /// Programs of the horns that play themes and backgrounds in harmony.
    horns: &'static [u8],
    /// Drum kits; none for a piano alone.
    kits: &'static [u8],
    /// Bass program.
    bass: u8,
    /// How dense the lines are, `0..=1`.
    density: (f32, f32),
    /// Loudness of the record in dBFS.
    level_db: (f32, f32),
    /// How much it may have aged.
    age: f32,
}

fn recipe(style: usize) -> Recipe {
    let trio = Recipe {
        feel: Feel::Swing,
        bpm: (110.0, 225.0),
        forms: &[0, 1, 2, 3, 4, 6],
        leads: &[0, 0, 0, 1],
        comps: &[0],
        horns: &[],
        kits: &[32, 40, 32, 0],
        bass: 32,
        density: (0.5, 0.95),
        level_db: (-23.0, -15.0),
        age: 0.45,
    };
    match style {
        0 => trio,
        1 => Recipe { leads: &[66, 65, 56, 66, 11, 71, 57, 64], comps: &[0, 0, 26], ..trio },
        2 => Recipe {
            feel: Feel::Ballad,
            bpm: (54.0, 78.0),
            forms: &[9, 3, 2],
            leads: &[66, 59, 66, 0, 56, 65],
            kits: &[40, 40, 32],
            density: (0.3, 0.7),
            ..trio
        },
        3 => Recipe {
            feel: Feel::Bossa,
            bpm: (110.0, 152.0),
            forms: &[7, 8, 3, 7],
            leads: &[66, 73, 24, 11, 0, 59],
            comps: &[24, 24, 0],
            density: (0.3, 0.65),
            ..trio
        },
        4 => Recipe {
            feel: Feel::Solo,
            bpm: (64.0, 170.0),
            forms: &[9, 3, 2, 0, 6],
            kits: &[],
            density: (0.5, 0.95),
            age: 0.5,
            ..trio
        },
        5 => Recipe {
            feel: Feel::Stride,
            bpm: (110.0, 200.0),
            forms: &[10, 11, 0, 3, 1],
            leads: &[0, 0, 3],
            kits: &[],
            age: 1.0,
            ..trio
        },
        6 => Recipe {
            bpm: (118.0, 190.0),
            forms: &[0, 1, 3, 10],
            leads: &[66, 56, 65, 57, 71],
            comps: &[0, 26],
            horns: &[56, 56, 57, 57, 65, 65, 66, 67],
            kits: &[0, 32],
            level_db: (-20.0, -13.0),
            age: 0.8,
            ..trio
        },
        7 => Recipe {
            bpm: (120.0, 190.0),
            forms: &[5, 4],
            leads: &[66, 64, 56, 0],
            kits: &[32, 0],
            density: (0.4, 0.85),
            ..trio
        },
        8 => Recipe { leads: &[26], comps: &[26, 16], forms: &[0, 2, 3, 6], ..trio },
        9 => Recipe {
            feel: Feel::Latin,
            bpm: (150.0, 215.0),
            forms: &[12, 8, 5],
            leads: &[56, 73, 57, 66, 0],
            horns: &[56, 57, 66],
            kits: &[0],
            ..trio
        },
        10 => Recipe {
            feel: Feel::TwoBeat,
            bpm: (150.0, 230.0),
            forms: &[10, 11, 0],
            leads: &[71, 56, 71],
            comps: &[105, 0, 25],
            horns: &[56, 71, 57],
            kits: &[0],
            bass: 58,
            density: (0.4, 0.8),
            age: 1.4,
            ..trio
        },
        11 => Recipe {
            feel: Feel::Funk,
            bpm: (86.0, 122.0),
            forms: &[13, 5],
            leads: &[65, 4, 81, 56, 26],
            comps: &[4, 4, 16],
            kits: &[0, 16],
            bass: 33,
            density: (0.4, 0.9),
            level_db: (-18.0, -11.0),
            age: 0.25,
            ..trio
        },
        12 => Recipe {
            feel: Feel::Waltz,
            bpm: (118.0, 190.0),
            forms: &[2, 3, 4, 9],
            leads: &[0, 66, 11, 73],
            density: (0.35, 0.75),
            ..trio
        },
        _ => Recipe {
            bpm: (150.0, 265.0),
            forms: &[1, 0, 4, 6],
            leads: &[66, 56, 65],
            horns: &[56, 66],
            kits: &[0, 32],
            density: (0.75, 1.0),
            ..trio
        },
    }
}

/// Plays jazz of this style for `seconds`.
pub fn play(style: usize, studio: &Studio, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let recipe = recipe(style);
    let mut band = Band::new(&recipe, dice);
    band.perform(seconds);
    record(band, &recipe, studio, seconds, rate)
}

fn record(band: Band, recipe: &Recipe, studio: &Studio, seconds: f32, rate: f32) -> Audio {
    let Band { kit, percussion, bass, comp, solo, horns, dice, .. } = band;
    let length = seconds + 2.5;
    let alone = kit.is_none();
    let electric = recipe.feel == Feel::Funk;
    let mut tracks = Vec::new();
    // Old records have the drummer far from the microphone.
    let far = dice.within(-12.0, -4.0);
    for part in kit.iter().chain(&percussion).filter(|part| !part.strikes.is_empty()) {
        let sound = studio.play(part, rate, length, dice);
        let level = if electric { dice.within(-3.0, 1.0) } else { far };
        tracks.push(Track::new(sound, level, dice.within(-0.3, 0.3)).wide(dice.within(0.3, 0.9)));
    }
    if !bass.strikes.is_empty() {
        let sound = studio.play(&bass, rate, length, dice);
        tracks.push(Track::new(sound, dice.within(-5.0, 0.0), dice.within(-0.15, 0.15)).wide(0.2).sent(0.5));
    }
    for (part, range, pan) in [(&comp, (-8.0, -3.0), -0.35), (&solo, (-1.5, 2.0), 0.1)] {
        if part.strikes.is_empty() {
            continue;
        }
        let mut sound = studio.play(part, rate, length, dice);
        if part.player == super::score::Player::Program(26) {
            // An arch-top through a small clean amplifier with its treble turned down.
            let cabinet =
                Cabinet { bite_db: 0.0, cone_hz: dice.within(2800.0, 4500.0), ..Cabinet::random(true, dice) };
            let drive = if electric { dice.within(1.0, 6.0) } else { dice.within(0.1, 0.6) };
            amplify(&mut sound, &Amp { drive, tight_hz: 70.0, middle_db: 1.0, treble_db: -4.0, cabinet });
        }
        let width = if alone { dice.within(0.4, 1.0) } else { dice.within(0.1, 0.7) };
        let pan = if alone { 0.0 } else { pan + 0.2 * dice.bell().clamp(-1.5, 1.5) };
        tracks.push(Track::new(sound, dice.within(range.0, range.1), pan).wide(width));
    }
    let count = horns.len();
    for (index, part) in horns.iter().enumerate().filter(|(_, part)| !part.strikes.is_empty()) {
        let sound = studio.play(part, rate, length, dice);
        let pan = if count > 1 { 0.6 * (2.0 * index as f32 / (count - 1) as f32 - 1.0) } else { 0.0 };
        tracks.push(Track::new(sound, dice.within(-5.0, -2.0), pan).wide(0.2));
    }
    let level = dice.within(recipe.level_db.0, recipe.level_db.1);
    let finish = Finish {
        damping_hz: dice.within(2500.0, 5000.0),
        glue: dice.within(1.0, 1.8),
        ..Finish::clean(dice.within(0.4, 1.6), dice.within(0.08, 0.4), level).aged(recipe.age, dice)
    };
    mix(tracks, &finish, seconds, dice)
}
