//! Ensembles: chairs with their ranges, and textures that change from phrase to phrase.

use super::Score;
use super::harmony::{Harmony, Motif};
use crate::synth::score::Gesture;

/// What a chair does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Carries the tune; where several do, they take turns and join in octaves when it is loud.
    Tune,
    /// Fills the harmony: voice number 1 to 3 of the plan.
    Inner(usize),
    /// The lowest voice.
    Bass,
    /// Long chords when it is loud: horns, trumpets.
    Loud,
    /// Strokes on the first beat when it is loud.
    Drum,
    /// Broken chords.
    Harp,
}

/// A player or a section.
#[derive(Clone, Copy, Debug)]
pub struct Chair {
    /// General MIDI program.
    pub program: u8,
    /// Lowest and highest pitch.
    pub range: (i32, i32),
    /// What it does.
    pub role: Role,
}

/// How the accompaniment moves in a phrase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Texture {
    Sustained,
    Eighths,
    OffBeats,
    Broken,
    Tremolo,
    /// All voices with the motif, one after the other.
    Imitation,
}

/// Moves a pitch by octaves into a range.
fn fold(pitch: i32, range: (i32, i32)) -> i32 {
    let mut pitch = pitch;
    while pitch < range.0 {
        pitch += 12;
    }
    while pitch > range.1 {
        pitch -= 12;
    }
    pitch
}

/// Writes for all chairs, whose parts are those of the score from number `first` on.
pub fn write(score: &mut Score, first: usize, chairs: &[Chair], plan: &[Harmony], tremolo: bool) {
    let motif = Motif::new(&[1.0, 0.5, 0.5, 1.5, 0.5, 2.0], score.dice);
    let answer = Motif::new(&[0.5, 0.5, 0.25, 0.25, 1.0], score.dice);
    let singers: Vec<usize> = (0..chairs.len()).filter(|&c| chairs[c].role == Role::Tune).collect();
    let mut at: Vec<i32> = chairs.iter().map(|c| (c.range.0 + 2 * c.range.1) / 3).collect();
    let (mut texture, mut singer, mut phrase) = (Texture::Sustained, 0, usize::MAX);
    for harmony in plan {
        if harmony.phrase != phrase {
            phrase = harmony.phrase;
            let moving = [
                Texture::Sustained,
                Texture::Eighths,
                Texture::OffBeats,
                Texture::Broken,
                Texture::Imitation,
            ];
            texture =
                if tremolo && score.dice.chance(0.15) { Texture::Tremolo } else { *score.dice.pick(&moving) };
            singer = score.dice.below(singers.len().max(1));
        }
        let force = score.force(harmony.at);
        for (chair, &it) in chairs.iter().enumerate() {
            let part = first + chair;
            for quarter in 0..4 {
                let time = harmony.at + 0.25 * quarter as f32 * harmony.seconds;
                let swell = score.force(time);
                score.parts[part].gesture(time, Gesture::Expression((0.35 + 0.65 * swell).min(1.0)));
            }
            let motif = if harmony.phrase % 2 == 0 { &motif } else { &answer };
            match it.role {
                Role::Tune => {
                    let leads = singers.get(singer) == Some(&chair);
                    if leads || force > 0.8 || texture == Texture::Imitation {
                        let sung = motif.over(harmony, &mut at[chair], it.range, score.dice);
                        sing(score, part, harmony, &sung, force);
                    } else if singers.len() > 2 {
                        continue;
                    } else {
                        let pitch = fold(harmony.voices[3], it.range);
                        accompany(score, part, harmony, pitch, texture, 0.75 * force);
                    }
                }
                Role::Inner(_) if texture == Texture::Imitation && harmony.beats >= 2.0 => {
                    let sung = motif.over(harmony, &mut at[chair], it.range, score.dice);
                    sing(score, part, harmony, &sung, 0.8 * force);
                }
                Role::Inner(voice) => {
                    let pitch = fold(harmony.voices[voice], it.range);
                    accompany(score, part, harmony, pitch, texture, 0.75 * force);
                }
                Role::Bass => {
                    let pitch = fold(harmony.voices[0], it.range);
                    let texture = if texture == Texture::Eighths { texture } else { Texture::Sustained };
                    accompany(score, part, harmony, pitch, texture, 0.85 * force);
                }
                Role::Loud if force > 0.68 => {
                    for &voice in &harmony.voices[1..] {
                        score.note(part, harmony.at, 0.93 * harmony.seconds, fold(voice, it.range), force);
                    }
                }
                Role::Drum if force > 0.74 => {
                    let pitch = fold(harmony.voices[0], it.range);
                    score.note(part, harmony.at, 0.8, pitch, force);
                    if harmony.last {
                        for stroke in 0..10 {
                            let time = harmony.at + 0.5 * harmony.seconds + 0.07 * stroke as f32;
                            score.note(part, time, 0.1, pitch, 0.5 * force + 0.04 * stroke as f32);
                        }
                    }
                }
                Role::Harp if harmony.phrase % 2 == 1 => {
                    let count = (2.0 * harmony.beats).round() as usize;
                    for i in 0..count {
                        let voice = harmony.voices[i % 4] + 12 * (i / 4 % 2) as i32;
                        let time = harmony.at + 0.5 * i as f32 * harmony.beat();
                        score.note(part, time, 1.0, fold(voice, it.range), 0.6 * force);
                    }
                }
                Role::Loud | Role::Drum | Role::Harp => {}
            }
        }
    }
}

fn sing(score: &mut Score, part: usize, harmony: &Harmony, sung: &[(f32, f32, i32)], force: f32) {
    for &(start, length, pitch) in sung {
        let (time, seconds) = (harmony.at + start * harmony.beat(), 0.97 * length * harmony.beat());
        if seconds > 0.7 {
            // Vibrato comes after the note has begun.
            score.parts[part].gesture(time, Gesture::Vibrato(0.0));
            score.parts[part].gesture(time + 0.3, Gesture::Vibrato(0.35));
        }
        score.note(part, time, seconds, pitch, (force + 0.08).min(1.0));
    }
}

fn accompany(score: &mut Score, part: usize, harmony: &Harmony, pitch: i32, texture: Texture, force: f32) {
    let beat = harmony.beat();
    let eighths = (2.0 * harmony.beats).round().max(1.0) as usize;
    let stroke = |score: &mut Score, at: f32, length: f32, pitch: i32| {
        score.note(part, harmony.at + at * beat, length * beat, pitch, force);
    };
    match texture {
        _ if harmony.last => stroke(score, 0.0, 0.98 * harmony.beats, pitch),
        Texture::Sustained | Texture::Imitation => stroke(score, 0.0, 0.98 * harmony.beats, pitch),
        Texture::Eighths => (0..eighths).for_each(|i| stroke(score, 0.5 * i as f32, 0.4, pitch)),
        Texture::OffBeats => {
            (0..eighths).filter(|i| i % 2 == 1).for_each(|i| stroke(score, 0.5 * i as f32, 0.35, pitch))
        }
        Texture::Broken => (0..eighths).for_each(|i| {
            let pitch = if i % 2 == 0 { pitch } else { harmony.tone(pitch + [3, -4][i / 2 % 2]) };
            stroke(score, 0.5 * i as f32, 0.55, pitch);
        }),
        Texture::Tremolo => (0..4 * eighths).for_each(|i| stroke(score, 0.125 * i as f32, 0.12, pitch)),
    }
}
