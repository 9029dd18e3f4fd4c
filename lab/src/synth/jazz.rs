//! Jazz: a swinging rhythm section, walking bass, comping in rootless voicings, and an improvised line over the changes.

mod changes;

use super::dice::Dice;
use super::dsp::{Biquad, gain, rms};
use super::instruments::Note;
use super::instruments::drums::{Cymbal, brush, cymbal, kick, snare};
use super::instruments::guitar::{Pluck, body};
use super::instruments::keys::{electric_piano, piano, vibraphone};
use super::instruments::winds::{Wind, blown};
use super::mixdown::Bus;
use super::theory::{Change, degree, nearest, voice_lead};
use crate::audio::Audio;
use changes::changes;

/// Kinds of jazz, as [`play`] knows them.
pub const STYLES: [&str; 5] = ["piano trio", "quartet", "ballad", "bossa nova", "solo piano"];

/// Who improvises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Piano,
    Vibraphone,
    Guitar,
    Wind(Wind),
}

struct Band<'a> {
    rate: f32,
    beat: f32,
    style: usize,
    /// Where the second of two eighths lies within a beat.
    swing: f32,
    lead: Lead,
    dice: &'a mut Dice,
    drums: Bus,
    bass: Bus,
    comp: Bus,
    solo: Bus,
    ride: Vec<Vec<f32>>,
    foot: Vec<f32>,
    kick: Vec<f32>,
    snare: Vec<Vec<f32>>,
    /// Last note of the walking bass and of the improvised line.
    bass_at: i32,
    line_at: i32,
    voicing: Vec<i32>,
    fans: f32,
    electric: bool,
}

/// Plays jazz of this style for `seconds`.
pub fn play(style: usize, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let (slow, fast) = [(120.0, 220.0), (130.0, 250.0), (56.0, 78.0), (118.0, 150.0), (90.0, 170.0)][style];
    let bpm: f32 = dice.within(slow, fast);
    // The faster, the more even (Friberg & Sundström 2002).
    let swing = if style == 3 { 0.5 } else { (0.70 - 0.14 * (bpm - 120.0) / 130.0).clamp(0.53, 0.70) };
    let winds = [Wind::Sax, Wind::Sax, Wind::Trumpet, Wind::MutedTrumpet, Wind::Clarinet, Wind::Flute];
    let lead = match style {
        0 | 4 => Lead::Piano,
        2 => *dice.pick(&[
            Lead::Wind(Wind::Sax),
            Lead::Wind(Wind::MutedTrumpet),
            Lead::Piano,
            Lead::Wind(Wind::Trumpet),
        ]),
        3 => *dice.pick(&[Lead::Wind(Wind::Sax), Lead::Wind(Wind::Flute), Lead::Guitar, Lead::Vibraphone]),
        _ => match dice.below(5) {
            0 => Lead::Vibraphone,
            1 => Lead::Guitar,
            _ => Lead::Wind(*dice.pick(&winds)),
        },
    };
    let bus = Bus::new(rate, seconds + 2.0);
    let mut band = Band {
        rate,
        beat: 60.0 / bpm,
        style,
        swing,
        lead,
        drums: bus.clone(),
        bass: bus.clone(),
        comp: bus.clone(),
        solo: bus,
        ride: (0..3).map(|_| cymbal(rate, Cymbal::Ride, dice)).collect(),
        foot: cymbal(rate, Cymbal::FootHat, dice),
        kick: kick(rate, 58.0, 0.3, 0.2, dice),
        snare: (0..2).map(|_| snare(rate, 230.0, 0.16, 0.4, dice)).collect(),
        bass_at: 36,
        line_at: 70,
        voicing: Vec::new(),
        fans: dice.within(2.0, 6.0),
        electric: dice.chance(0.15),
        dice,
    };
    let form = changes(band.style, band.dice);
    let mut at = 0.05;
    let mut resting = 0;
    let start = band.dice.below(form.len());
    for index in start.. {
        if at >= seconds {
            break;
        }
        let (chord, next) = (form[index % form.len()], form[(index + 1) % form.len()]);
        band.rhythm(at, chord, next);
        if resting > 0 {
            resting -= 1;
        } else {
            band.improvise(at, chord, next);
            if band.dice.chance(0.22) {
                resting = 1;
            }
        }
        at += chord.beats * band.beat;
    }
    band.mix(seconds)
}

impl Band<'_> {
    fn late(&mut self) -> f32 {
        0.009 * self.dice.bell()
    }

    /// Seconds after `at` of an eighth note, swung.
    fn eighth(&self, number: usize) -> f32 {
        self.beat * ((number / 2) as f32 + if number % 2 == 1 { self.swing } else { 0.0 })
    }

    fn rhythm(&mut self, at: f32, chord: Change, next: Change) {
        if self.style != 4 {
            self.drum(at, chord.beats as usize);
        }
        match self.style {
            2 | 3 => self.two_feel(at, chord, next),
            4 => self.left_hand(at, chord, next),
            _ => self.walk(at, chord, next),
        }
        if self.style != 4 {
            self.comping(at, chord);
        }
    }

    fn drum(&mut self, at: f32, beats: usize) {
        for eighth in 0..2 * beats {
            let time = at + self.eighth(eighth) + self.late();
            let (beat, off) = (eighth / 2, eighth % 2 == 1);
            match self.style {
                2 => {
                    if !off {
                        let sweep = brush(self.rate, 0.9 * self.beat, false, self.dice);
                        self.drums.add(time, &sweep, 0.5, -0.2);
                    } else if beat % 2 == 1 {
                        let tap = brush(self.rate, 0.15, true, self.dice);
                        self.drums.add(time, &tap, 0.35, -0.2);
                    }
                }
                3 => {
                    // Closed strokes on every eighth, rim on the clave.
                    let hit = self.ride[self.dice.below(3)][..(0.09 * self.rate) as usize].to_vec();
                    self.drums.add(time, &hit, if off { 0.2 } else { 0.3 }, 0.3);
                    if [0, 3, 6].contains(&(eighth % 8)) {
                        let rim = brush(self.rate, 0.05, true, self.dice);
                        self.drums.add(time, &rim, 0.7, -0.3);
                    }
                    if [0, 3, 4, 7].contains(&(eighth % 8)) {
                        self.drums.add(time, &self.kick, 0.25, 0.0);
                    }
                }
                _ => {
                    // Ding, ding-a, ding, ding-a.
                    if !off || beat % 2 == 1 {
                        let level = if off {
                            0.30
                        } else if beat % 2 == 1 {
                            0.5
                        } else {
                            0.42
                        };
                        let which = self.dice.below(3);
                        let level = level * self.dice.within(0.85, 1.1);
                        self.drums.add(time, &self.ride[which], level, 0.35);
                    }
                    if !off {
                        self.drums.add(time, &self.kick, 0.10, 0.0);
                    }
                    let comp = self.dice.chance(if off { 0.16 } else { 0.05 });
                    if comp {
                        let hit = self.snare[self.dice.below(2)].clone();
                        let level = self.dice.within(0.08, 0.35);
                        self.drums.add(time, &hit, level, -0.2);
                    }
                }
            }
            if !off && beat % 2 == 1 && self.style != 3 {
                self.drums.add(time, &self.foot, 0.35, 0.3);
            }
        }
    }

    fn pluck_bass(&mut self, at: f32, pitch: i32, seconds: f32, force: f32) {
        let mut sound = Pluck::UPRIGHT.play(Note::new(pitch, seconds, force), self.rate, self.dice);
        body(&mut sound, self.rate, 105.0);
        let late = self.late();
        self.bass.add(at + late, &sound, 0.9, 0.0);
    }

    /// One note a beat: the root first, chord tones and scale steps between, a half step before the next root.
    fn walk(&mut self, at: f32, chord: Change, next: Change) {
        let beats = chord.beats as usize;
        let target = fold(nearest(next.root, self.bass_at), 28, 48);
        for beat in 0..beats {
            let pitch = if beat == 0 {
                nearest(chord.root, self.bass_at)
            } else if beat + 1 == beats {
                target + if self.dice.chance(0.5) { 1 } else { -1 }
            } else {
                let tones = chord.quality.tones();
                let tone = chord.root
                    + if self.dice.chance(0.7) {
                        tones[self.dice.below(4)]
                    } else {
                        degree(chord.quality.scale(), self.dice.below(7) as i32)
                    };
                nearest(tone.rem_euclid(12), self.bass_at + if target > self.bass_at { 3 } else { -3 })
            };
            self.bass_at = fold(pitch, 28, 50);
            let force = self.dice.within(0.7, 0.95);
            self.pluck_bass(at + beat as f32 * self.beat, self.bass_at, 0.93 * self.beat, force);
            if self.dice.chance(0.08) {
                let skip = at + (beat as f32 + self.swing) * self.beat;
                self.pluck_bass(skip, self.bass_at, 0.3 * self.beat, 0.45);
            }
        }
    }

    /// Root and fifth, as in ballads and bossa nova.
    fn two_feel(&mut self, at: f32, chord: Change, next: Change) {
        let root = fold(nearest(chord.root, self.bass_at), 28, 47);
        let fifth =
            fold(root + chord.quality.tones()[2] - if self.dice.chance(0.4) { 12 } else { 0 }, 28, 50);
        let mut beat = 0.0;
        while beat < chord.beats {
            let pitch = if beat as usize % 4 < 2 { root } else { fifth };
            self.pluck_bass(at + beat * self.beat, pitch, 1.4 * self.beat, 0.8);
            let pickup =
                if beat + 2.0 >= chord.beats { fold(nearest(next.root, pitch), 28, 47) } else { pitch };
            if self.style == 3 || self.dice.chance(0.3) {
                self.pluck_bass(at + (beat + 1.5) * self.beat, pickup, 0.45 * self.beat, 0.6);
            }
            beat += 2.0;
        }
        self.bass_at = root;
    }

    /// Stride: bass note and chord in turn, with the left hand alone.
    fn left_hand(&mut self, at: f32, chord: Change, next: Change) {
        let root = fold(nearest(chord.root, 40), 33, 47);
        for beat in 0..chord.beats as usize {
            let time = at + beat as f32 * self.beat;
            if beat % 2 == 0 {
                let pitch = if beat == 0 { root } else { fold(root + chord.quality.tones()[2], 33, 50) };
                let force = self.dice.within(0.5, 0.7);
                let sound = piano(Note::new(pitch, 0.9 * self.beat, force), self.rate, self.dice);
                let late = self.late();
                self.bass.add(time + late, &sound, 0.8, -0.2);
            } else {
                self.chord(time, chord, 0.5 * self.beat, 0.45);
            }
        }
        let _ = next;
    }

    fn chord(&mut self, time: f32, chord: Change, seconds: f32, force: f32) {
        let classes: Vec<i32> = chord.quality.voicing().iter().map(|tone| chord.root + tone).collect();
        self.voicing = voice_lead(&self.voicing, &classes, 50, 72);
        for (i, pitch) in self.voicing.clone().into_iter().enumerate() {
            let note = Note::new(pitch, seconds, force * self.dice.within(0.85, 1.1));
            let sound = match self.lead {
                Lead::Guitar => Pluck::NYLON.play(note, self.rate, self.dice),
                _ if self.style == 3 => Pluck::NYLON.play(note, self.rate, self.dice),
                _ if self.electric => electric_piano(note, self.rate, self.dice),
                _ => piano(note, self.rate, self.dice),
            };
            let late = self.late() * 0.5 + 0.003 * i as f32;
            self.comp.add(time + late, &sound, 0.5, -0.3 + 0.12 * i as f32);
        }
    }

    fn comping(&mut self, at: f32, chord: Change) {
        let patterns: &[&[(usize, f32)]] = match self.style {
            2 => &[&[(0, 3.5)], &[(0, 1.8), (4, 1.8)]],
            3 => &[&[(0, 0.9), (3, 0.9), (6, 0.8)], &[(1, 0.9), (4, 0.4), (6, 0.9)]],
            _ => &[
                &[(0, 1.4), (3, 0.4)],
                &[(3, 0.4)],
                &[(1, 0.4), (5, 0.8)],
                &[(2, 0.3), (5, 0.3)],
                &[(0, 0.3), (6, 0.7)],
                &[],
            ],
        };
        let pattern = *self.dice.pick(patterns);
        for &(eighth, beats) in pattern {
            if (eighth as f32) < 2.0 * chord.beats {
                let time = at + self.eighth(eighth);
                let force = self.dice.within(0.3, 0.6);
                self.chord(time, chord, beats * self.beat, force);
            }
        }
    }

    /// A line of swung eighths: scale steps and chord tones, half-step approaches to the chord's thirds and sevenths, with
    /// triplets, long notes and breaths.
    fn improvise(&mut self, at: f32, chord: Change, next: Change) {
        let slow = self.style == 2;
        let (low, high) = match self.lead {
            Lead::Wind(Wind::Sax) => (50, 76),
            Lead::Wind(_) => (58, 82),
            Lead::Vibraphone | Lead::Guitar => (55, 84),
            Lead::Piano => (60, 88),
        };
        let eighths = 2 * chord.beats as usize;
        let mut direction = if self.dice.chance(0.5) { 1 } else { -1 };
        let mut eighth = self.dice.below(3);
        while eighth < eighths {
            let length = match self.dice.below(12) {
                0 | 1 => 3,
                2 | 3 => 2,
                4 if slow => 4,
                _ if slow => 2,
                _ => 1,
            };
            if self.dice.chance(0.10) {
                eighth += length;
                continue;
            }
            let strong = eighth.is_multiple_of(2);
            let pitch = if eighth + 1 == eighths {
                // Lead into the next chord's third by a half step.
                nearest((next.root + next.quality.tones()[1]) % 12, self.line_at) + direction
            } else if strong {
                let tone = [1, 3, 2, 0, 1][self.dice.below(5)];
                nearest((chord.root + chord.quality.tones()[tone]) % 12, self.line_at + 2 * direction)
            } else {
                let scale = chord.quality.scale();
                let steps = (0..24).map(|d| chord.root + 36 + degree(scale, d));
                let wanted = self.line_at + 2 * direction;
                steps.min_by_key(|p| (p - wanted).abs()).unwrap_or(wanted)
            };
            if self.dice.chance(0.2) {
                direction = -direction;
            }
            self.line_at = fold(pitch, low, high);
            if self.line_at > high - 4 {
                direction = -1;
            } else if self.line_at < low + 4 {
                direction = 1;
            }
            let end = (eighth + length).min(eighths);
            let begin = self.eighth(eighth);
            let seconds = (self.eighth(end) - begin) * if length == 1 { 0.92 } else { 0.85 };
            let force = self.dice.within(0.5, 0.75) + if strong { 0.0 } else { 0.12 };
            self.solo_note(at + begin, self.line_at, seconds, force, length > 1);
            eighth = end;
        }
    }

    fn solo_note(&mut self, time: f32, pitch: i32, seconds: f32, force: f32, long: bool) {
        let note = Note::new(pitch, seconds, force);
        let rate = self.rate;
        let scoop = if long && self.dice.chance(0.5) { self.dice.within(0.5, 1.5) } else { 0.15 };
        let sound = match self.lead {
            Lead::Piano if self.electric => electric_piano(note, rate, self.dice),
            Lead::Piano => piano(note, rate, self.dice),
            Lead::Vibraphone => {
                vibraphone(Note { seconds: seconds + 0.3, ..note }, rate, self.fans, self.dice)
            }
            Lead::Guitar => {
                let hollow = Pluck { bright_hz: 1500.0, dull: 0.35, ..Pluck::STEEL };
                hollow.play(note, rate, self.dice)
            }
            Lead::Wind(wind) => blown(note, wind, scoop, rate, self.dice),
        };
        let late = self.late() + 0.008;
        self.solo.add(time + late, &sound, 0.8, 0.15);
    }

    fn mix(mut self, seconds: f32) -> Audio {
        let rate = self.rate;
        let mut mix = Bus::new(rate, seconds + 2.0);
        let mut place = |bus: &Bus, db: f32, dice: &mut Dice| {
            let level = rms(&bus.sides[0]).hypot(rms(&bus.sides[1]));
            if level > 1e-6 {
                mix.mix(bus, 0.2 * gain(db + 1.5 * dice.bell().clamp(-1.5, 1.5)) / level);
            }
        };
        self.drums.filter(Biquad::high_shelf(rate, 4000.0, -5.0));
        place(&self.drums, if self.style == 2 { -17.0 } else { -12.0 }, self.dice);
        place(&self.bass, -3.0, self.dice);
        place(&self.comp, -6.0, self.dice);
        place(&self.solo, -1.0, self.dice);
        mix.room(self.dice.within(0.6, 1.5), 4000.0, self.dice.within(0.2, 0.45), self.dice);
        mix.compress(-20.0, 1.5, 0.03, 0.3);
        mix.filter(Biquad::low_pass(rate, self.dice.within(9000.0, 18_000.0), 0.7));
        mix.master(seconds, self.dice.within(-23.0, -16.0), false)
    }
}

/// Moves a pitch by octaves into a range of at least an octave.
fn fold(mut pitch: i32, low: i32, high: i32) -> i32 {
    while pitch < low {
        pitch += 12;
    }
    while pitch > high {
        pitch -= 12;
    }
    pitch
}
