//! Classical: strings, winds, piano or harpsichord in four-part harmony, with rubato, dynamics and a hall; no drum kit.

use super::dice::Dice;
use super::dsp::{Biquad, gain, rms};
use super::instruments::Note;
use super::instruments::drums::timpani;
use super::instruments::guitar::Pluck;
use super::instruments::keys::piano;
use super::instruments::orchestra::{Strings, bowed, choir};
use super::instruments::winds::{Wind, blown};
use super::mixdown::Bus;
use super::theory::{HARMONIC_MINOR, MAJOR, Melody, degree, hz, triad, voice_lead};
use crate::audio::Audio;

/// Kinds of classical music, as [`play`] knows them.
pub const STYLES: [&str; 6] =
    ["string orchestra", "solo piano", "orchestra", "string quartet", "harpsichord", "choir"];

struct Piece<'a> {
    rate: f32,
    /// Written length of a quarter note in seconds.
    beat: f32,
    style: usize,
    tonic: i32,
    scale: &'static [i32],
    dice: &'a mut Dice,
    bus: Bus,
    /// Slow swell of loudness: its period in beats and its phase.
    swell: (f32, f32),
    seconds: f32,
}

/// One chord of the plan: when it sounds, how long, and its four voices from the bass up.
struct Harmony {
    at: f32,
    seconds: f32,
    degree: i32,
    voices: Vec<i32>,
    last_of_phrase: bool,
}

/// Plays classical music of this style for `seconds`.
pub fn play(style: usize, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let (slow, fast) =
        [(52.0, 84.0), (60.0, 120.0), (60.0, 116.0), (66.0, 120.0), (76.0, 116.0), (54.0, 76.0)][style];
    let mut piece = Piece {
        rate,
        beat: 60.0 / dice.within(slow, fast),
        style,
        tonic: 48 + dice.below(12) as i32 - 5,
        scale: if dice.chance(0.5) { MAJOR } else { HARMONIC_MINOR },
        bus: Bus::new(rate, seconds + 3.0),
        swell: (dice.within(12.0, 28.0), dice.unit()),
        seconds,
        dice,
    };
    let plan = piece.plan();
    match style {
        1 => piece.piano_texture(&plan),
        4 => piece.harpsichord(&plan),
        _ => piece.ensemble(&plan),
    }
    piece.mix()
}

impl Piece<'_> {
    /// Functional harmony: tonic, subdominant, dominant, home; four chords a phrase, the last one slower.
    fn plan(&mut self) -> Vec<Harmony> {
        // Which degrees may follow which, in the common practice (Piston, Harmony).
        let follows: [&[i32]; 7] =
            [&[3, 4, 5, 1, 3, 4], &[4, 4, 6], &[5, 3], &[4, 1, 0, 4], &[0, 0, 5], &[1, 3, 3], &[0]];
        let mut plan = Vec::new();
        let (mut at, mut now, mut count) = (0.05, 0_i32, 0_usize);
        let mut upper: Vec<i32> = Vec::new();
        while at < self.seconds + 0.5 {
            let place = count % 8;
            let last = place == 7;
            now = match place {
                0 => 0,
                6 => 4,
                7 => {
                    if self.dice.chance(0.8) {
                        0
                    } else {
                        5
                    }
                }
                _ => *self.dice.pick(follows[now as usize % 7]),
            };
            let beats = match self.style {
                1 | 4 => {
                    if last {
                        4.0
                    } else {
                        *self.dice.pick(&[2.0, 2.0, 4.0])
                    }
                }
                _ => {
                    if last {
                        4.0
                    } else {
                        *self.dice.pick(&[1.0, 2.0, 2.0, 2.0, 3.0])
                    }
                }
            };
            // Rubato: each phrase hurries a little and then broadens; harpsichords and quartets keep time better.
            let freedom = if self.style == 4 { 0.04 } else { 0.10 };
            let pace = 1.0
                + freedom * ((place as f32 - 3.0) / 4.0).powi(2) * 1.6
                + 0.25 * freedom * self.dice.bell();
            let seconds = beats * self.beat * pace * if last { 1.0 + 2.0 * freedom } else { 1.0 };
            let classes = triad(self.scale, now).map(|tone| self.tonic + tone);
            upper = voice_lead(&upper, &classes, 58, 77);
            let bass =
                self.tonic - 12 + degree(self.scale, now) - if degree(self.scale, now) > 7 { 12 } else { 0 };
            let voices = std::iter::once(bass.max(36)).chain(upper.iter().copied()).collect();
            plan.push(Harmony { at, seconds, degree: now, voices, last_of_phrase: last });
            at += seconds;
            count += 1;
        }
        plan
    }

    /// How loud the music is at this time, 0.3..1.
    fn force(&mut self, at: f32) -> f32 {
        let (period, phase) = self.swell;
        let wave = (std::f32::consts::TAU * (at / (period * self.beat) + phase)).sin();
        (0.62 + 0.28 * wave + 0.05 * self.dice.bell()).clamp(0.25, 1.0)
    }

    fn late(&mut self) -> f32 {
        0.012 * self.dice.bell()
    }

    fn piano_note(&mut self, at: f32, pitch: i32, seconds: f32, force: f32) {
        let sound = piano(Note::new(pitch, seconds, force), self.rate, self.dice);
        let late = self.late() * 0.6;
        let pan = (pitch - 60) as f32 / 60.0;
        self.bus.add(at + late, &sound, 0.5, pan);
    }

    /// Broken chords with a melody on top, or a two-part invention, or a chorale.
    fn piano_texture(&mut self, plan: &[Harmony]) {
        let kind = self.dice.below(3);
        let mut melody = Melody::new(7, 6);
        let figure: Vec<usize> = match self.dice.below(3) {
            0 => vec![0, 1, 2, 3, 2, 1, 2, 3],
            1 => vec![0, 2, 1, 3, 1, 2, 1, 3],
            _ => vec![0, 1, 2, 3, 1, 2, 3, 2],
        };
        for harmony in plan {
            let force = self.force(harmony.at);
            let notes = (harmony.seconds / self.beat * 4.0).round().max(2.0) as usize;
            let step = harmony.seconds / notes as f32;
            match kind {
                0 => {
                    for i in 0..notes {
                        let pitch = harmony.voices[figure[i % 8]];
                        let held = if i == 0 { harmony.seconds } else { step * 2.5 };
                        self.piano_note(harmony.at + i as f32 * step, pitch, held, 0.65 * force);
                    }
                }
                1 => {
                    let mut bass = Melody::new(harmony.degree - 7, 5);
                    for i in 0..notes / 2 {
                        let pitch = self.tonic
                            + degree(
                                self.scale,
                                if i == 0 { harmony.degree - 7 } else { bass.next(self.dice) },
                            );
                        self.piano_note(harmony.at + 2.0 * i as f32 * step, pitch, 1.9 * step, 0.6 * force);
                    }
                }
                _ => {
                    for pitch in harmony.voices.clone() {
                        self.piano_note(harmony.at, pitch, harmony.seconds * 0.98, 0.6 * force);
                    }
                }
            }
            let quick = kind == 1 || self.dice.chance(0.4);
            let mut i = 0;
            while i < notes {
                let length = if quick { 1 } else { *self.dice.pick(&[2, 2, 4]) };
                let strong = i == 0;
                let note = if strong {
                    // Begin on a chord tone.
                    let third = [0, 2, 4][self.dice.below(3)];
                    melody.at = nearest_degree(harmony.degree + third, melody.at, self.scale.len() as i32);
                    melody.at
                } else {
                    melody.next(self.dice)
                };
                let pitch = self.tonic + 12 + degree(self.scale, note);
                let end = (i + length).min(notes);
                let held = (end - i) as f32 * step * if harmony.last_of_phrase { 1.0 } else { 0.95 };
                self.piano_note(
                    harmony.at + i as f32 * step,
                    pitch,
                    held,
                    (force + if strong { 0.08 } else { 0.0 }).min(1.0),
                );
                i = end;
            }
        }
    }

    fn harpsichord(&mut self, plan: &[Harmony]) {
        let mut melody = Melody::new(7, 6);
        let with_strings = self.dice.chance(0.5);
        for harmony in plan {
            let notes = (harmony.seconds / self.beat * 4.0).round().max(2.0) as usize;
            let step = harmony.seconds / notes as f32;
            let play = |piece: &mut Self, at: f32, pitch: i32, seconds: f32| {
                let sound = Pluck::QUILL.play(Note::new(pitch, seconds, 0.7), piece.rate, piece.dice);
                let octave = Pluck::QUILL.play(Note::new(pitch + 12, seconds, 0.35), piece.rate, piece.dice);
                let late = 0.4 * piece.late();
                piece.bus.add(at + late, &sound, 0.45, -0.1);
                piece.bus.add(at + late + 0.003, &octave, 0.4, 0.1);
            };
            for (i, pitch) in harmony.voices.clone().into_iter().enumerate() {
                play(self, harmony.at + 0.012 * i as f32, pitch, harmony.seconds * 0.9);
            }
            for i in 0..notes {
                let pitch = self.tonic + 12 + degree(self.scale, melody.next(self.dice));
                play(self, harmony.at + i as f32 * step, pitch, step * 0.95);
            }
            if with_strings {
                let force = 0.5 * self.force(harmony.at);
                self.string_voices(harmony, force, 4);
            }
        }
    }

    fn string_voices(&mut self, harmony: &Harmony, force: f32, players: usize) {
        let places = [0.55, 0.25, -0.2, -0.55];
        for (i, &pitch) in harmony.voices.iter().enumerate() {
            let strings = Strings { players, attack: self.dice.within(0.06, 0.16), vibrato: 18.0 };
            let note = Note::new(pitch, harmony.seconds * 0.99, force);
            let sound = bowed(note, strings, self.rate, self.dice);
            let late = self.late();
            self.bus.add(harmony.at + late, &sound, 0.5, places[i % 4]);
        }
    }

    fn ensemble(&mut self, plan: &[Harmony]) {
        let players = if self.style == 3 { 1 } else { 5 };
        let soloist = *self.dice.pick(&[Wind::Flute, Wind::Oboe, Wind::Clarinet, Wind::Horn]);
        let vowel =
            *self.dice.pick(&[[730.0, 1090.0, 2440.0], [570.0, 840.0, 2410.0], [300.0, 870.0, 2240.0]]);
        let mut melody = Melody::new(9, 5);
        let mut resting = false;
        for (index, harmony) in plan.iter().enumerate() {
            let force = self.force(harmony.at);
            if self.style == 5 {
                for (i, pitch) in harmony.voices.clone().into_iter().enumerate() {
                    let sound = choir(Note::new(pitch, harmony.seconds, force), vowel, self.rate, self.dice);
                    self.bus.add(harmony.at, &sound, 0.5, 0.4 * (1.5 - i as f32) / 1.5);
                }
                continue;
            }
            let moving = self.style == 3 || (self.style == 2 && index / 8 % 2 == 1);
            if moving {
                // Inner voices in repeated eighths, bass sustained.
                let eighths = (harmony.seconds / self.beat * 2.0).round().max(1.0) as usize;
                let step = harmony.seconds / eighths as f32;
                for i in 0..eighths {
                    let short = Harmony {
                        at: harmony.at + i as f32 * step,
                        seconds: 0.8 * step,
                        degree: harmony.degree,
                        voices: harmony.voices[..3].to_vec(),
                        last_of_phrase: false,
                    };
                    self.string_voices(&short, 0.7 * force, players);
                }
            } else {
                self.string_voices(harmony, force, players);
            }
            if harmony.last_of_phrase {
                resting = self.dice.chance(0.35);
            }
            if !resting {
                self.tune(harmony, &mut melody, force, soloist);
            }
            if self.style == 2 && force > 0.72 {
                self.tutti(harmony, force, index);
            }
        }
    }

    /// The melody of a first violin or a wind soloist over one chord.
    fn tune(&mut self, harmony: &Harmony, melody: &mut Melody, force: f32, wind: Wind) {
        let notes = (harmony.seconds / self.beat * 2.0).round().max(1.0) as usize;
        let step = harmony.seconds / notes as f32;
        let mut i = 0;
        while i < notes {
            let length = if harmony.last_of_phrase { notes } else { *self.dice.pick(&[1, 1, 2, 3]) };
            let end = (i + length).min(notes);
            let next = if i == 0 {
                melody.at = nearest_degree(harmony.degree + 2 * self.dice.below(3) as i32, melody.at, 7);
                melody.at
            } else {
                melody.next(self.dice)
            };
            let low = if wind == Wind::Horn && self.style == 2 { 0 } else { 12 };
            let note =
                Note::new(self.tonic + low + degree(self.scale, next), 0.98 * (end - i) as f32 * step, force);
            let sound = if self.style == 2 {
                blown(note, wind, 0.1, self.rate, self.dice)
            } else {
                let players = if self.style == 3 { 1 } else { 6 };
                let strings = Strings { players, attack: 0.07, vibrato: 26.0 };
                bowed(note, strings, self.rate, self.dice)
            };
            let late = self.late();
            self.bus.add(harmony.at + i as f32 * step + late, &sound, 0.75, -0.3);
            i = end;
        }
    }

    /// Horns, trumpets and kettledrums where the orchestra is loud.
    fn tutti(&mut self, harmony: &Harmony, force: f32, index: usize) {
        for &pitch in &harmony.voices[1..] {
            let note = Note::new(pitch - 12, harmony.seconds * 0.95, force);
            let sound = blown(note, Wind::Horn, 0.1, self.rate, self.dice);
            self.bus.add(harmony.at, &sound, 0.5, 0.2);
        }
        if index.is_multiple_of(2) {
            let sound = timpani(self.rate, hz((harmony.voices[0]).clamp(38, 50) as f32), force, self.dice);
            self.bus.add(harmony.at, &sound, 0.6, 0.1);
        }
        if force > 0.82 {
            let note = Note::new(harmony.voices[3], harmony.seconds * 0.9, force);
            let sound = blown(note, Wind::Trumpet, 0.05, self.rate, self.dice);
            self.bus.add(harmony.at, &sound, 0.4, 0.35);
        }
    }

    fn mix(mut self) -> Audio {
        let rate = self.rate;
        let (t60, wet): (f32, f32) = match self.style {
            1 => (self.dice.within(0.7, 1.8), self.dice.within(0.15, 0.4)),
            3 | 4 => (self.dice.within(1.0, 1.9), self.dice.within(0.25, 0.5)),
            5 => (self.dice.within(2.5, 4.5), self.dice.within(0.7, 1.3)),
            _ => (self.dice.within(1.6, 2.6), self.dice.within(0.4, 0.8)),
        };
        let level = rms(&self.bus.sides[0]).hypot(rms(&self.bus.sides[1])).max(1e-9);
        self.bus.shape(|x| 0.2 * x / level);
        // The air of a large room swallows the treble.
        self.bus.room(t60, self.dice.within(2500.0, 4500.0), wet, self.dice);
        self.bus.filter(Biquad::high_shelf(rate, 5000.0, self.dice.within(-5.0, 0.0)));
        let hiss = gain(self.dice.within(-82.0, -66.0));
        let noise: Vec<f32> = (0..self.bus.sides[0].len()).map(|_| self.dice.noise() * hiss).collect();
        self.bus.add(0.0, &noise, 1.0, 0.0);
        self.bus.master(self.seconds, self.dice.within(-28.0, -19.0), false)
    }
}

/// The degree with the name of `wanted` in the octave closest to `near`.
fn nearest_degree(wanted: i32, near: i32, size: i32) -> i32 {
    near + (wanted - near + size / 2).rem_euclid(size) - size / 2
}
