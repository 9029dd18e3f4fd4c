//! Classical: quartets, orchestras, keyboards and voices in four-part harmony that leaves home and returns, with
//! rubato, long dynamics and a hall; no drum kit.

mod ensemble;
mod harmony;
mod piano;

use super::desk::{Finish, Track, mix};
use super::dice::Dice;
use super::score::{Part, Player};
use super::studio::Studio;
use crate::audio::Audio;
use ensemble::{Chair, Role};
use piano::Texture;

/// Kinds of classical music, as [`play`] knows them.
pub const STYLES: [&str; 11] = [
    "string orchestra",
    "solo piano",
    "orchestra",
    "string quartet",
    "harpsichord",
    "choir",
    "sonata",
    "wind quintet",
    "organ",
    "piano concerto",
    "solo strings",
];

/// What makes a style.
struct Recipe {
    /// Slowest and fastest tempo, in beats a minute.
    bpm: (f32, f32),
    /// Lengths of chords in beats.
    chords: &'static [f32],
    /// How free the tempo is.
    rubato: f32,
    /// How exactly players begin together: standard deviation in seconds.
    late: f32,
    /// Program of a keyboard, if there is one.
    keys: Option<u8>,
    /// Shortest and longest reverberation in seconds.
    t60: (f32, f32),
    /// How loud the room is.
    room: (f32, f32),
}

fn recipe(style: usize) -> Recipe {
    let strings = Recipe {
        bpm: (52.0, 92.0),
        chords: &[1.0, 2.0, 2.0, 2.0, 4.0],
        rubato: 0.08,
        late: 0.014,
        keys: None,
        t60: (1.6, 2.6),
        room: (0.25, 0.6),
    };
    match style {
        1 => Recipe {
            bpm: (56.0, 132.0),
            chords: &[2.0, 2.0, 4.0, 3.0],
            rubato: 0.12,
            late: 0.008,
            keys: Some(0),
            t60: (0.7, 1.9),
            room: (0.08, 0.35),
        },
        2 => Recipe { bpm: (60.0, 132.0), rubato: 0.06, ..strings },
        3 => Recipe { bpm: (66.0, 132.0), late: 0.010, t60: (0.9, 1.8), room: (0.12, 0.35), ..strings },
        4 => Recipe {
            bpm: (76.0, 124.0),
            rubato: 0.04,
            late: 0.005,
            keys: Some(6),
            t60: (0.9, 1.8),
            room: (0.12, 0.35),
            ..strings
        },
        5 => Recipe { bpm: (52.0, 80.0), t60: (2.4, 4.5), room: (0.5, 1.1), ..strings },
        6 => Recipe {
            bpm: (60.0, 126.0),
            rubato: 0.1,
            late: 0.01,
            keys: Some(0),
            t60: (0.8, 1.8),
            room: (0.1, 0.35),
            ..strings
        },
        7 => Recipe { bpm: (66.0, 132.0), late: 0.01, t60: (0.9, 1.9), room: (0.15, 0.4), ..strings },
        8 => Recipe {
            bpm: (60.0, 100.0),
            rubato: 0.03,
            late: 0.004,
            keys: Some(19),
            t60: (2.5, 5.0),
            room: (0.4, 1.0),
            ..strings
        },
        9 => Recipe { bpm: (60.0, 132.0), rubato: 0.08, keys: Some(0), ..strings },
        10 => Recipe {
            bpm: (56.0, 110.0),
            rubato: 0.12,
            late: 0.006,
            t60: (1.0, 2.2),
            room: (0.15, 0.4),
            ..strings
        },
        _ => strings,
    }
}

const fn chair(program: u8, low: i32, high: i32, role: Role) -> Chair {
    Chair { program, range: (low, high), role }
}

/// Who sits where.
fn chairs(style: usize, dice: &mut Dice) -> Vec<Chair> {
    const QUARTET: [Chair; 4] = [
        chair(40, 62, 93, Role::Tune),
        chair(40, 57, 81, Role::Inner(3)),
        chair(41, 50, 76, Role::Inner(2)),
        chair(42, 36, 60, Role::Bass),
    ];
    const STRINGS: [Chair; 5] = [
        chair(48, 62, 93, Role::Tune),
        chair(48, 57, 81, Role::Inner(3)),
        chair(48, 50, 74, Role::Inner(2)),
        chair(48, 43, 64, Role::Inner(1)),
        chair(48, 31, 55, Role::Bass),
    ];
    const WINDS: [Chair; 5] = [
        chair(73, 67, 93, Role::Tune),
        chair(68, 62, 86, Role::Tune),
        chair(71, 55, 84, Role::Inner(3)),
        chair(60, 45, 70, Role::Inner(2)),
        chair(70, 36, 62, Role::Bass),
    ];
    match style {
        0 => {
            let mut all = STRINGS.to_vec();
            if dice.chance(0.25) {
                // Plucked.
                all[1..].iter_mut().for_each(|c| c.program = 45);
            }
            all
        }
        2 | 9 => {
            let mut all = STRINGS.to_vec();
            all.extend(&WINDS[..3]);
            all.extend([
                chair(73, 72, 96, Role::Tune),
                chair(60, 48, 70, Role::Loud),
                chair(70, 36, 60, Role::Bass),
                chair(56, 58, 79, Role::Loud),
                chair(47, 38, 50, Role::Drum),
            ]);
            if dice.chance(0.4) {
                all.push(chair(46, 43, 96, Role::Harp));
            }
            all
        }
        3 => QUARTET.to_vec(),
        4 if dice.chance(0.5) => STRINGS.to_vec(),
        5 => [(3, 60, 81), (2, 55, 74), (1, 48, 67)]
            .map(|(voice, low, high)| chair(52, low, high, Role::Inner(voice)))
            .into_iter()
            .chain([chair(52, 40, 60, Role::Bass), chair(53, 60, 84, Role::Tune)])
            .collect(),
        6 => {
            let (program, low, high) = *dice.pick(&[
                (40, 57, 96),
                (42, 40, 76),
                (73, 62, 93),
                (71, 52, 86),
                (68, 60, 86),
                (41, 50, 81),
            ]);
            vec![chair(program, low, high, Role::Tune)]
        }
        7 => WINDS.to_vec(),
        10 => {
            let (program, low, high) = *dice.pick(&[(42, 38, 72), (40, 57, 93), (46, 36, 96), (24, 40, 79)]);
            let role = if program == 46 || program == 24 { Role::Harp } else { Role::Tune };
            let mut all = vec![chair(program, low, high, Role::Tune)];
            if role == Role::Harp {
                all.push(chair(program, low, high - 12, Role::Inner(1)));
                all.push(chair(program, low, low + 24, Role::Bass));
            }
            all
        }
        _ => STRINGS.to_vec(),
    }
}

/// A piece while it is written.
struct Score<'a> {
    /// Everybody's parts.
    parts: Vec<Part>,
    /// Period in seconds and phase of the long swells of loudness, and of shorter ones.
    swells: [(f32, f32); 2],
    /// Standard deviation of beginnings in seconds.
    late: f32,
    dice: &'a mut Dice,
}

impl Score<'_> {
    /// How loud the music is at this time, 0.25 to 1.
    fn force(&mut self, at: f32) -> f32 {
        let wave = |(period, phase): (f32, f32)| (std::f32::consts::TAU * (at / period + phase)).sin();
        let [long, short] = self.swells.map(wave);
        (0.6 + 0.24 * long + 0.12 * short + 0.03 * self.dice.bell()).clamp(0.25, 1.0)
    }

    /// A note, not quite in time.
    fn note(&mut self, part: usize, at: f32, seconds: f32, pitch: i32, force: f32) {
        let late = self.late * self.dice.bell();
        let force = force + 0.03 * self.dice.bell();
        self.parts[part].note((at + late).max(0.0), seconds, pitch, force);
    }
}

/// Plays classical music of this style for `seconds`.
pub fn play(style: usize, studio: &Studio, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let recipe = recipe(style);
    let beat = 60.0 / dice.within(recipe.bpm.0, recipe.bpm.1);
    let plan = harmony::plan(beat, seconds, recipe.rubato, recipe.chords, dice);
    // Sonatas and choirs may leave out the orchestra, keyboards may be alone.
    let chairs = if matches!(style, 1 | 8) { Vec::new() } else { chairs(style, dice) };
    let mut parts: Vec<Part> = recipe.keys.map(|keys| Part::new(Player::Program(keys))).into_iter().collect();
    let keyboards = parts.len();
    parts.extend(chairs.iter().map(|chair| Part::new(Player::Program(chair.program))));
    let swells = [(dice.within(14.0, 40.0), dice.unit()), (dice.within(4.0, 9.0), dice.unit())];
    let mut score = Score { parts, swells, late: recipe.late, dice };
    match style {
        1 => {
            use Texture::{Alberti, Chorale, Invention, Nocturne, Study, Waltz};
            let kinds: [&[Texture]; 6] = [
                &[Nocturne],
                &[Invention],
                &[Alberti, Chorale],
                &[Waltz],
                &[Study, Chorale],
                &[Nocturne, Study],
            ];
            let textures = *score.dice.pick(&kinds);
            piano::write(&mut score, 0, textures, &plan, true);
        }
        4 => piano::figured(&mut score, 0, &plan, false),
        8 => piano::figured(&mut score, 0, &plan, true),
        6 => piano::write(&mut score, 0, &[Texture::Alberti, Texture::Nocturne, Texture::Waltz], &plan, true),
        9 => {
            // Orchestra and piano take turns and meet.
            let turns: Vec<_> = plan.iter().filter(|h| h.phrase % 3 != 0).cloned().collect();
            piano::write(&mut score, 0, &[Texture::Nocturne, Texture::Study, Texture::Chorale], &turns, true);
        }
        _ => {}
    }
    ensemble::write(&mut score, keyboards, &chairs, &plan, matches!(style, 0 | 2 | 9));
    record(&score.parts.clone(), &recipe, keyboards, studio, score.dice, seconds, rate)
}

fn record(
    parts: &[Part],
    recipe: &Recipe,
    keyboards: usize,
    studio: &Studio,
    dice: &mut Dice,
    seconds: f32,
    rate: f32,
) -> Audio {
    let length = seconds + 3.0;
    let players = parts.len() - keyboards;
    let mut tracks = Vec::new();
    for (index, part) in parts.iter().enumerate().filter(|(_, part)| !part.strikes.is_empty()) {
        let sound = studio.play(part, rate, length, dice);
        let keys = index < keyboards;
        // High voices sit left, low ones right, as in most halls.
        let seat = if players > 1 {
            1.4 * (index - keyboards.min(index)) as f32 / (players - 1) as f32 - 0.7
        } else {
            0.0
        };
        let level = match part.player {
            _ if keys && players == 0 => 0.0,
            Player::Program(0) => dice.within(-3.0, 1.0),
            Player::Program(6 | 46) => dice.within(-7.0, -2.0),
            Player::Program(47) => dice.within(-6.0, -2.0),
            _ => dice.within(-3.0, 0.0),
        };
        let (pan, width) = if keys { (0.0, dice.within(0.5, 1.0)) } else { (0.7 * seat, 0.3) };
        tracks.push(Track::new(sound, level, pan).wide(width));
    }
    let level = dice.within(-26.0, -16.0);
    let finish = Finish {
        damping_hz: dice.within(3000.0, 6000.0),
        glue: 1.0,
        ..Finish::clean(
            dice.within(recipe.t60.0, recipe.t60.1),
            dice.within(recipe.room.0, recipe.room.1),
            level,
        )
        .aged(0.5, dice)
    };
    mix(tracks, &finish, seconds, dice)
}
