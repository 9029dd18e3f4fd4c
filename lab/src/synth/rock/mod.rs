//! Rock: a kit, a bass, guitars left and right through their amplifiers, and by style clean guitars, organ or piano, solos
//! and a singer.

mod band;
mod groove;
mod singer;

use super::desk::{Finish, Track, mix};
use super::dice::Dice;
use super::dsp::rms;
use super::instruments::amp::{Amp, Cabinet, bass_box};
use super::midi::arrange::amplify;
use super::mixdown::Bus;
use super::score::{Part, Player};
use super::studio::Studio;
use crate::audio::Audio;
use band::Band;

/// Kinds of rock, as [`play`] knows them.
pub const STYLES: [&str; 9] =
    ["hard rock", "punk", "metal", "alternative", "classic rock", "indie", "ballad", "blues rock", "grunge"];

/// What the rhythm guitars do in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Texture {
    /// A riff of two bars on the low strings.
    Riff,
    /// Power chords on every eighth.
    Eighths,
    /// Palm-muted eighths with an accent on the one.
    Chug,
    /// An eighth and two sixteenths, over and over.
    Gallop,
    /// Sixteenths on one string.
    Tremolo,
    /// Chords that ring.
    Ringing,
    /// Full chords strummed.
    Strum,
    /// Chords broken, one string after the other.
    Arpeggio,
    /// Root and fifth, root and sixth, in shuffled eighths.
    Boogie,
    /// Short chords between the beats.
    Stabs,
}

/// What makes a style: numbers of a [`band::Band`] and its mix.
struct Recipe {
    /// Slowest and fastest tempo, in beats a minute.
    bpm: (f32, f32),
    /// Lowest string's pitch: from and number of semitones.
    tuning: (i32, usize),
    /// Whether eighths swing like triplets.
    shuffle: bool,
    /// Drum kits.
    kits: &'static [u8],
    /// Indices into [`band::PROGRESSIONS`].
    progressions: &'static [usize],
    /// What the guitars do in verses.
    verse: &'static [Texture],
    /// What they do in choruses.
    chorus: &'static [Texture],
    /// Indices into [`groove::GROOVES`] for verses and choruses.
    grooves: (&'static [usize], &'static [usize]),
    /// Slowest and fastest drive of the amplifiers, verse and chorus.
    drive: (f32, f32),
    /// Whether verses are played clean.
    clean_verse: bool,
    /// Chance of organ or piano, of a solo, of a singer.
    chances: (f32, f32, f32),
    /// Middle of the amplifiers in dB.
    middle_db: (f32, f32),
    /// Loudness of the record in dBFS.
    level_db: (f32, f32),
    /// How much it may have aged.
    age: f32,
}

fn recipe(style: usize) -> Recipe {
    use Texture::{Arpeggio, Boogie, Chug, Eighths, Gallop, Riff, Ringing, Stabs, Strum, Tremolo};
    let hard = Recipe {
        bpm: (92.0, 138.0),
        tuning: (38, 5),
        shuffle: false,
        kits: &[16, 16, 0, 8],
        progressions: &[0, 1, 2, 3, 9],
        verse: &[Riff, Chug, Riff],
        chorus: &[Ringing, Eighths, Riff],
        grooves: (&[0, 1, 2], &[1, 3]),
        drive: (12.0, 40.0),
        clean_verse: false,
        chances: (0.1, 0.5, 0.35),
        middle_db: (-1.0, 4.0),
        level_db: (-14.0, -9.5),
        age: 0.3,
    };
    match style {
        0 => hard,
        1 => Recipe {
            bpm: (158.0, 205.0),
            kits: &[16, 0, 8],
            progressions: &[4, 5, 8, 0, 9],
            verse: &[Eighths, Eighths, Chug],
            chorus: &[Eighths],
            grooves: (&[4, 5], &[4, 5]),
            drive: (12.0, 45.0),
            chances: (0.0, 0.15, 0.45),
            middle_db: (0.0, 5.0),
            level_db: (-12.0, -8.5),
            age: 0.35,
            ..hard
        },
        2 => Recipe {
            bpm: (105.0, 190.0),
            tuning: (34, 6),
            kits: &[16],
            progressions: &[1, 3, 6, 7, 0],
            verse: &[Gallop, Chug, Tremolo, Riff],
            chorus: &[Ringing, Tremolo, Gallop, Riff],
            grooves: (&[6, 7, 8, 1], &[6, 7, 8]),
            drive: (45.0, 140.0),
            chances: (0.0, 0.45, 0.2),
            middle_db: (-6.0, 1.0),
            level_db: (-12.0, -8.5),
            age: 0.1,
            ..hard
        },
        3 => Recipe {
            bpm: (84.0, 140.0),
            progressions: &[0, 1, 4, 8, 2],
            verse: &[Arpeggio, Stabs, Chug],
            chorus: &[Eighths, Ringing],
            grooves: (&[0, 2, 9], &[1, 3]),
            drive: (8.0, 35.0),
            clean_verse: true,
            chances: (0.15, 0.3, 0.45),
            ..hard
        },
        4 => Recipe {
            bpm: (88.0, 140.0),
            kits: &[0, 8, 0],
            progressions: &[2, 9, 5, 10, 11],
            verse: &[Riff, Strum, Boogie, Stabs],
            chorus: &[Ringing, Strum, Riff],
            grooves: (&[0, 1, 2], &[0, 1, 3]),
            drive: (3.0, 14.0),
            chances: (0.5, 0.55, 0.4),
            middle_db: (0.0, 5.0),
            level_db: (-17.0, -11.0),
            age: 0.8,
            ..hard
        },
        5 => Recipe {
            bpm: (110.0, 165.0),
            tuning: (40, 5),
            kits: &[0, 8],
            progressions: &[4, 5, 8, 10],
            verse: &[Arpeggio, Stabs, Strum],
            chorus: &[Strum, Eighths],
            grooves: (&[1, 9, 10], &[10, 3, 4]),
            drive: (1.5, 7.0),
            chances: (0.25, 0.2, 0.5),
            middle_db: (0.0, 4.0),
            level_db: (-15.0, -10.5),
            age: 0.4,
            ..hard
        },
        6 => Recipe {
            bpm: (62.0, 84.0),
            tuning: (40, 5),
            kits: &[16, 0],
            progressions: &[4, 8, 5, 10, 0],
            verse: &[Arpeggio, Arpeggio, Strum],
            chorus: &[Ringing, Strum],
            grooves: (&[11, 9], &[11, 3]),
            drive: (8.0, 24.0),
            clean_verse: true,
            chances: (0.6, 0.6, 0.5),
            level_db: (-17.0, -11.0),
            age: 0.4,
            ..hard
        },
        7 => Recipe {
            bpm: (84.0, 138.0),
            tuning: (40, 6),
            shuffle: true,
            kits: &[0, 8, 0],
            progressions: &[12],
            verse: &[Boogie, Boogie, Stabs],
            chorus: &[Boogie, Riff],
            grooves: (&[0, 2], &[0, 1]),
            drive: (2.5, 12.0),
            chances: (0.5, 0.8, 0.25),
            middle_db: (1.0, 5.0),
            level_db: (-18.0, -11.0),
            age: 0.8,
            ..hard
        },
        _ => Recipe {
            bpm: (96.0, 130.0),
            tuning: (37, 4),
            progressions: &[0, 1, 3, 6, 9],
            verse: &[Arpeggio, Riff, Chug],
            chorus: &[Eighths, Ringing],
            grooves: (&[0, 2, 9], &[1, 3]),
            drive: (20.0, 70.0),
            clean_verse: true,
            chances: (0.0, 0.35, 0.4),
            middle_db: (-2.0, 3.0),
            age: 0.35,
            ..hard
        },
    }
}

/// Plays rock of this style for `seconds`.
pub fn play(style: usize, studio: &Studio, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let recipe = recipe(style);
    let mut band = Band::new(&recipe, dice);
    let voice = band.perform(seconds, rate);
    record(band, &recipe, voice, studio, seconds, rate)
}

/// Two parts on one instrument, through one amplifier.
fn guitar(parts: &[&Part], amp: &Amp, studio: &Studio, rate: f32, length: f32, dice: &mut Dice) -> Bus {
    let mut sound = Bus::new(rate, length);
    for part in parts.iter().filter(|part| !part.strikes.is_empty()) {
        sound.mix(&studio.play(part, rate, length, dice), 1.0);
    }
    amplify(&mut sound, amp);
    sound
}

fn record(
    band: Band,
    recipe: &Recipe,
    voice: Option<Bus>,
    studio: &Studio,
    seconds: f32,
    rate: f32,
) -> Audio {
    let Band { kit, bass, guitars, clean, lead, keys, acoustic, beat, dice, .. } = band;
    let length = seconds + 2.0;
    let open = recipe.drive.1 < 20.0;
    let (low, high) = recipe.drive;
    let drive = low * (high / low).powf(dice.unit());
    let between = |range: (f32, f32), dice: &mut Dice| dice.within(range.0, range.1);
    let cabinet = Cabinet::random(open, dice);
    let amp = Amp {
        drive,
        tight_hz: if drive > 40.0 { dice.within(110.0, 200.0) } else { dice.within(60.0, 110.0) },
        middle_db: between(recipe.middle_db, dice),
        treble_db: dice.within(-1.0, 4.0),
        cabinet,
    };
    let mut tracks = Vec::new();
    let mut drums = studio.play(&kit, rate, length, dice);
    let loudness = 20.0 * drums.loudness().max(1e-7).log10();
    drums.compress(loudness - 3.0, dice.within(1.5, 4.5), 0.008, dice.within(0.06, 0.18));
    tracks.push(Track::new(drums, dice.within(-1.0, 3.5), 0.0).wide(dice.within(0.6, 1.0)).sent(1.0));
    let mut low_end = studio.play(&bass, rate, length, dice);
    let (bass_drive, treble) = (dice.within(0.6, 3.5), dice.within(900.0, 4500.0));
    low_end.sides.iter_mut().for_each(|side| bass_box(side, rate, bass_drive, treble));
    tracks.push(Track::new(low_end, dice.within(-4.0, 0.0), 0.0).wide(0.0).sent(0.1));
    let wide = dice.within(0.55, 1.0);
    for (index, [open, muted]) in guitars.iter().enumerate() {
        let each = Amp { drive: drive * dice.within(0.85, 1.15), ..amp };
        let sound = guitar(&[open, muted], &each, studio, rate, length, dice);
        let level = dice.within(-3.5, 0.5);
        tracks.push(Track::new(sound, level, if index == 0 { -wide } else { wide }).wide(0.0).sent(0.5));
    }
    if !clean.strikes.is_empty() {
        let amp =
            Amp { drive: dice.within(0.3, 2.0), tight_hz: 80.0, cabinet: Cabinet::random(true, dice), ..amp };
        let mut sound = guitar(&[&clean], &amp, studio, rate, length, dice);
        if dice.chance(0.4) {
            sound.echo(0.75 * beat, 0.3, 0.25);
        }
        tracks.push(Track::new(sound, dice.within(-5.0, 0.0), dice.within(-0.6, 0.6)).wide(0.7).sent(1.3));
    }
    if !acoustic.strikes.is_empty() {
        let sound = studio.play(&acoustic, rate, length, dice);
        tracks.push(Track::new(sound, dice.within(-6.0, -1.0), dice.within(-0.5, 0.5)).wide(0.5));
    }
    if !lead.strikes.is_empty() {
        let amp = Amp { drive: drive.max(10.0) * 1.3, middle_db: 4.0, ..amp };
        let mut sound = guitar(&[&lead], &amp, studio, rate, length, dice);
        sound.echo(0.75 * beat, 0.3, 0.25);
        tracks.push(Track::new(sound, dice.within(-1.0, 2.5), dice.within(-0.2, 0.2)).wide(0.5).sent(1.2));
    }
    if !keys.strikes.is_empty() {
        let sound = studio.play(&keys, rate, length, dice);
        tracks.push(Track::new(sound, dice.within(-8.0, -3.0), dice.within(-0.5, 0.5)).wide(0.8));
    }
    if let Some(voice) = voice.filter(|voice| rms(&voice.sides[0]) > 1e-6) {
        tracks.push(Track::new(voice, dice.within(-3.0, 1.0), 0.0).sent(1.5));
    }
    let finish = Finish {
        glue: dice.within(1.5, 4.0),
        hard: true,
        ..Finish::clean(dice.within(0.4, 1.5), dice.within(0.05, 0.3), between(recipe.level_db, dice))
            .aged(recipe.age, dice)
    };
    mix(tracks, &finish, seconds, dice)
}

/// The player of a part that nobody has written yet.
fn program(number: u8) -> Part {
    Part::new(Player::Program(number))
}
