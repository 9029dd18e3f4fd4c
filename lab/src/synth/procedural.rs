//! Players without samples: every General MIDI program and drum is given to the instrument of [`super::instruments`]
//! that is nearest to it.

use super::dice::Dice;
use super::dsp::Adsr;
use super::instruments::Note;
use super::instruments::drums::{Cymbal, brush, clap, cymbal, kick, snare, timpani, tom};
use super::instruments::electronic::{Patch, chip_pulse, fm, subtractive};
use super::instruments::guitar::{Pluck, body};
use super::instruments::keys::{electric_piano, piano, vibraphone};
use super::instruments::orchestra::{Strings, bowed, choir};
use super::instruments::organ::pipe_organ;
use super::instruments::winds::{Wind, blown};
use super::mixdown::Bus;
use super::score::{Gesture, Part, Player, Strike, drum};
use super::theory::hz;
use std::collections::HashMap;

/// Plays a part for `seconds`, dry, in the middle. The dice decide how the instruments are built and played.
pub fn play(part: &Part, rate: f32, seconds: f32, dice: &mut Dice) -> Bus {
    let mut bus = Bus::new(rate, seconds);
    let swell = |at: f32| {
        let level = |wanted: fn(&Gesture) -> Option<f32>| {
            let before = part.gestures.iter().filter(|(when, _)| *when <= at + 1e-3);
            before
                .filter_map(|(when, gesture)| Some((*when, wanted(gesture)?)))
                .max_by(|a, b| a.0.total_cmp(&b.0))
        };
        let expression = level(|gesture| match gesture {
            Gesture::Expression(x) | Gesture::Volume(x) => Some(*x),
            _ => None,
        });
        expression.map_or(1.0, |(_, x)| x * x)
    };
    match part.player {
        Player::Program(program) => {
            for strike in &part.strikes {
                let note = Note {
                    pitch: f32::from(strike.key),
                    seconds: strike.seconds.min(20.0) + held(part, strike),
                    force: strike.force,
                };
                let (sound, level) = melodic(program, note, &bend(part, strike), rate, dice);
                bus.add(strike.at, &sound, level * swell(strike.at), 0.0);
            }
        }
        Player::Kit(kit) => {
            let mut takes: HashMap<u8, Vec<Vec<f32>>> = HashMap::new();
            for strike in &part.strikes {
                let sounds = takes
                    .entry(strike.key)
                    .or_insert_with(|| (0..3).map(|_| percussion(kit, strike.key, rate, dice)).collect());
                let sound = &sounds[dice.below(sounds.len())];
                bus.add(strike.at, sound, strike.force.powf(1.6), place(strike.key));
            }
        }
    }
    bus
}

/// How much longer the pedal holds a note.
fn held(part: &Part, strike: &Strike) -> f32 {
    let end = strike.at + strike.seconds;
    let pedal = |(at, gesture): &(f32, Gesture)| match gesture {
        Gesture::Pedal(down) => Some((*at, *down)),
        _ => None,
    };
    let last = part
        .gestures
        .iter()
        .filter_map(pedal)
        .filter(|(at, _)| *at <= end)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match last {
        Some((_, true)) => {
            let up = part.gestures.iter().filter_map(pedal).filter(|(at, down)| *at > end && !down);
            up.map(|(at, _)| at - end).fold(3.0, f32::min)
        }
        _ => 0.0,
    }
}

/// The wheel's course over a note, as steps of (seconds after its start, semitones).
fn bend(part: &Part, strike: &Strike) -> Vec<(f32, f32)> {
    let mut steps: Vec<(f32, f32)> = part
        .gestures
        .iter()
        .filter_map(|(at, gesture)| match gesture {
            Gesture::Bend(semitones) => Some((at - strike.at, *semitones)),
            _ => None,
        })
        .filter(|(at, _)| *at < strike.seconds + 0.2)
        .collect();
    steps.sort_by(|a, b| a.0.total_cmp(&b.0));
    let first = steps.iter().rposition(|(at, _)| *at <= 0.0).unwrap_or(0);
    steps.split_off(first)
}

/// A note of a program, and the gain that makes it as loud as a piano.
fn melodic(program: u8, note: Note, bend: &[(f32, f32)], rate: f32, dice: &mut Dice) -> (Vec<f32>, f32) {
    let pluck = |string: Pluck, dice: &mut Dice| {
        string.bend(note, rate, dice, |t| {
            let next = bend.partition_point(|(at, _)| *at <= t);
            next.checked_sub(1).map_or(0.0, |index| bend[index].1)
        })
    };
    let strings = |players: usize, attack: f32| Strings { players, attack, vibrato: 20.0 };
    match program {
        4 | 5 => (electric_piano(note, rate, dice), 0.8),
        6 | 7 => (pluck(Pluck::QUILL, dice), 0.6),
        0..=3 => (piano(note, rate, dice), 1.0),
        8..=15 => (vibraphone(note, rate, 0.0, dice), 0.8),
        16..=23 => (pipe_organ(note, program == 19, rate, dice), 0.5),
        24 => (pluck(Pluck::NYLON, dice), 0.9),
        25 | 27 => (pluck(Pluck::STEEL, dice), 0.8),
        26 => (pluck(Pluck { bright_hz: 1500.0, dull: 0.35, ..Pluck::STEEL }, dice), 0.9),
        28 => (pluck(Pluck::MUTED, dice), 0.9),
        29..=31 => (pluck(Pluck::STEEL, dice), 0.8),
        32 => {
            let mut sound = pluck(Pluck::UPRIGHT, dice);
            body(&mut sound, rate, 105.0);
            (sound, 1.0)
        }
        33..=39 => (pluck(Pluck::BASS, dice), 1.0),
        40..=43 => (bowed(note, strings(1, 0.07), rate, dice), 0.9),
        45 | 46 => (pluck(Pluck { t60: 1.2, ..Pluck::NYLON }, dice), 0.9),
        47 => (timpani(rate, hz(note.pitch), note.force, dice), 0.9),
        44 | 48..=51 => (bowed(note, strings(5, 0.12), rate, dice), 0.9),
        52..=54 => (choir(note, [570.0, 840.0, 2410.0], rate, dice), 0.8),
        56 | 57 | 61..=63 => (blown(note, Wind::Trumpet, 0.1, rate, dice), 0.8),
        59 => (blown(note, Wind::MutedTrumpet, 0.2, rate, dice), 0.8),
        58 | 60 | 70 => (blown(note, Wind::Horn, 0.1, rate, dice), 0.8),
        64..=67 => (blown(note, Wind::Sax, 0.3, rate, dice), 0.8),
        68 | 69 => (blown(note, Wind::Oboe, 0.05, rate, dice), 0.8),
        71 => (blown(note, Wind::Clarinet, 0.1, rate, dice), 0.8),
        72..=79 => (blown(note, Wind::Flute, 0.05, rate, dice), 0.8),
        80 => (chip_pulse(note, 0.5, 0.2, rate), 0.6),
        88..=97 | 99..=103 => (subtractive(note, &pad(0.4), 1.0, rate, dice), 0.9),
        98 | 112 => (fm(note, 3.5, 2.0, 1.5, rate), 0.8),
        55 | 81..=87 => (subtractive(note, &pad(0.01), 2.0, rate, dice), 0.9),
        _ => (pluck(Pluck::STEEL, dice), 0.8),
    }
}

fn pad(attack: f32) -> Patch {
    let amp = Adsr { attack, decay: 0.6, sustain: 0.8, release: 0.2 };
    Patch { voices: 4, detune: 14.0, sub: 0.2, cutoff: 1200.0, sweep: 1.0, q: 0.8, amp, fall: 0.4 }
}

/// A stroke on a drum of the General MIDI map.
fn percussion(kit: u8, key: u8, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let soft = kit == 32 || kit == 40;
    let brushes = kit == 40;
    match key {
        35 | drum::KICK => {
            let click = if soft { 0.2 } else { dice.within(0.4, 0.9) };
            kick(rate, if soft { 60.0 } else { 52.0 }, 0.32, click, dice)
        }
        drum::RIM | drum::CLAVES | 31 | 76 | 77 => brush(rate, 0.05, true, dice),
        drum::SNARE if brushes => brush(rate, 0.15, true, dice),
        drum::SNARE_2 if brushes => brush(rate, 0.5, false, dice),
        drum::SNARE | drum::SNARE_2 => {
            snare(rate, if soft { 225.0 } else { 190.0 }, 0.2, if soft { 0.4 } else { 0.7 }, dice)
        }
        drum::CLAP => clap(rate, dice),
        drum::HAT | 22 => cymbal(rate, Cymbal::ClosedHat, dice),
        drum::FOOT => cymbal(rate, Cymbal::FootHat, dice),
        drum::OPEN_HAT | 26 => cymbal(rate, Cymbal::OpenHat, dice),
        49 | 52 | 55 | 57 => cymbal(rate, Cymbal::Crash, dice),
        51 | 53 | 59 => cymbal(rate, Cymbal::Ride, dice),
        drum::TAMBOURINE | 69 | 70 | 82 => {
            let mut hat = cymbal(rate, Cymbal::FootHat, dice);
            hat.iter_mut().for_each(|x| *x *= 0.5);
            hat
        }
        41 | 43 | 45 | 47 | 48 | 50 => tom(rate, 70.0 * ((f32::from(key) - 41.0) / 9.0).exp2(), dice),
        60..=68 => tom(rate, 180.0 * ((66.0 - f32::from(key)) / 7.0).exp2(), dice),
        _ => brush(rate, 0.08, true, dice),
    }
}

/// Where the drummer has put it.
fn place(key: u8) -> f32 {
    match key {
        41 | 43 => 0.45,
        45 | 47 => 0.0,
        48 | 50 => -0.35,
        22 | 42 | 44 | 46 => -0.35,
        49 | 55 => -0.5,
        51..=53 | 57 | 59 => 0.45,
        60..=70 => 0.3,
        _ => 0.0,
    }
}
