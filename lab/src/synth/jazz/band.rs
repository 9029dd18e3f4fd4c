//! The players together: time, drums, bass, comping, soloists and horns.

use super::changes::changes;
use super::line::{Tone, improvise, theme};
use super::{Feel, Recipe, piano};
use crate::synth::dice::Dice;
use crate::synth::score::{Gesture, Part, Player};
use crate::synth::theory::{Change, degree, nearest, voice_lead};

/// The band and what it has written down.
pub struct Band<'a> {
    /// Length of a beat in seconds.
    pub beat: f32,
    /// Where the second of two eighths lies within a beat.
    pub swing: f32,
    /// Drums, if there are any.
    pub kit: Option<Part>,
    /// Latin percussion.
    pub percussion: Option<Part>,
    /// Bass.
    pub bass: Part,
    /// Piano or guitar that accompanies; the left hand of a piano alone.
    pub comp: Part,
    /// The soloist; the right hand of a piano alone.
    pub solo: Part,
    /// Horns that play in harmony, from the highest down.
    pub horns: Vec<Part>,
    /// Chance.
    pub dice: &'a mut Dice,
    /// Last voicing of the accompaniment.
    pub voicing: Vec<i32>,
    recipe: &'a Recipe,
    bass_at: i32,
    density: f32,
}

impl<'a> Band<'a> {
    /// Gathers a band for this recipe.
    pub fn new(recipe: &'a Recipe, dice: &'a mut Dice) -> Band<'a> {
        let bpm: f32 = dice.within(recipe.bpm.0, recipe.bpm.1);
        // The faster, the more even (Friberg & Sundström 2002).
        let swing = match recipe.feel {
            Feel::Bossa | Feel::Latin | Feel::Funk => 0.5,
            Feel::Ballad => dice.within(0.58, 0.67),
            _ => (0.69 - 0.14 * (bpm - 120.0) / 130.0 + 0.015 * dice.bell()).clamp(0.53, 0.70),
        };
        let kit = (!recipe.kits.is_empty()).then(|| Part::new(Player::Kit(*dice.pick(recipe.kits))));
        let lead = *dice.pick(recipe.leads);
        let comp = if kit.is_none() { lead } else { *dice.pick(recipe.comps) };
        let part = |program: u8| Part::new(Player::Program(program));
        Band {
            beat: 60.0 / bpm,
            swing,
            percussion: (recipe.feel == Feel::Latin).then(|| Part::new(Player::Kit(0))),
            bass: part(recipe.bass),
            comp: part(comp),
            solo: part(lead),
            horns: recipe.horns.iter().map(|&program| part(program)).collect(),
            voicing: Vec::new(),
            bass_at: 36,
            density: dice.within(recipe.density.0, recipe.density.1),
            kit,
            recipe,
            dice,
        }
    }

    /// Plays choruses until `seconds` are over, beginning somewhere in the form.
    pub fn perform(&mut self, seconds: f32) {
        let waltz = self.recipe.feel == Feel::Waltz;
        let form = *self.dice.pick(self.recipe.forms);
        let chorus = changes(form, waltz, self.dice);
        // Begin at the start of a phrase of four bars.
        let mut starts = vec![0];
        let mut beats = 0.0;
        for (index, change) in chorus.iter().enumerate() {
            beats += change.beats;
            if beats % (if waltz { 12.0 } else { 16.0 }) == 0.0 && index + 1 < chorus.len() {
                starts.push(index + 1);
            }
        }
        let start = *self.dice.pick(&starts);
        let mut row: Vec<Change> = chorus[start..].to_vec();
        let mut at = 0.05;
        let mut with_theme = self.dice.chance(0.3);
        while at < seconds {
            self.chorus(at, &row, with_theme, seconds);
            at += row.iter().map(|change| change.beats).sum::<f32>() * self.beat;
            row.clone_from(&chorus);
            with_theme = self.dice.chance(0.15);
        }
    }

    fn chorus(&mut self, at: f32, row: &[Change], with_theme: bool, seconds: f32) {
        let mut time = at;
        let next = |index: usize| row[(index + 1) % row.len()];
        for (index, &chord) in row.iter().enumerate() {
            if time >= seconds {
                break;
            }
            self.rhythm(time, chord, next(index), index);
            time += chord.beats * self.beat;
        }
        let range = match self.solo.player {
            Player::Program(66) => (48, 74),
            Player::Program(57 | 58) => (46, 68),
            Player::Program(24..=31) => (52, 80),
            Player::Program(0..=15) => (60, 89),
            Player::Program(71 | 73) => (62, 90),
            _ => (57, 82),
        };
        let tones = if with_theme {
            theme(row, range, self.dice)
        } else {
            improvise(row, range, self.density, self.dice)
        };
        self.solo_line(at, &tones, seconds);
        if !self.horns.is_empty() {
            self.section(at, row, with_theme, &tones, seconds);
        }
        if matches!(self.recipe.feel, Feel::Solo | Feel::Stride) {
            piano::thicken(self, at, row, &tones, seconds);
        }
    }

    /// Seconds after the start of a chorus at which an eighth lies, swung.
    pub fn eighth(&self, number: usize) -> f32 {
        self.beat * ((number / 2) as f32 + if number % 2 == 1 { self.swing } else { 0.0 })
    }

    /// A player's own error of timing in seconds.
    pub fn late(&mut self) -> f32 {
        0.007 * self.dice.bell()
    }

    fn rhythm(&mut self, at: f32, chord: Change, next: Change, index: usize) {
        match self.recipe.feel {
            Feel::Solo => return piano::left_hand(self, at, chord, index),
            Feel::Stride => return piano::stride(self, at, chord),
            Feel::Swing => {
                self.swing_drums(at, chord.beats as usize);
                self.walk(at, chord, next);
            }
            Feel::Waltz => {
                self.waltz_drums(at, chord.beats as usize);
                if self.dice.chance(0.5) {
                    self.walk(at, chord, next);
                } else {
                    self.pluck(at, chord.root, 0.95 * chord.beats * self.beat, 0.8);
                }
            }
            Feel::Ballad => {
                self.ballad_drums(at, chord.beats as usize);
                self.two_feel(at, chord, next);
            }
            Feel::Bossa => {
                self.bossa_drums(at, chord.beats as usize);
                self.two_feel(at, chord, next);
            }
            Feel::Latin => {
                self.latin_drums(at, chord.beats as usize);
                self.tumbao(at, chord, next);
                return self.montuno(at, chord);
            }
            Feel::TwoBeat => {
                self.two_beat_drums(at, chord.beats as usize);
                self.oom_pah(at, chord);
                return self.strum(at, chord);
            }
            Feel::Funk => {
                self.funk_drums(at, chord.beats as usize);
                self.funk_bass(at, chord);
            }
        }
        self.comping(at, chord);
    }

    /// A bass note of this pitch class, near the last one.
    fn pluck(&mut self, at: f32, class: i32, seconds: f32, force: f32) {
        let (low, high) = if self.recipe.bass == 58 { (29, 48) } else { (28, 50) };
        self.bass_at = fold(nearest(class.rem_euclid(12), self.bass_at), low, high);
        let (late, pitch) = (self.late(), self.bass_at);
        self.bass.note(at + late, seconds, pitch, force);
    }

    /// One note a beat: the root first, chord tones and scale steps between, a half step before the next root.
    fn walk(&mut self, at: f32, chord: Change, next: Change) {
        let beats = chord.beats as usize;
        for beat in 0..beats {
            let class = if beat == 0 {
                chord.root
            } else if beat + 1 == beats {
                next.root + if self.dice.chance(0.5) { 1 } else { -1 }
            } else if self.dice.chance(0.7) {
                chord.root + chord.quality.tones()[self.dice.below(4)]
            } else {
                chord.root + degree(chord.quality.scale(), self.dice.below(7) as i32)
            };
            // Lines turn round at the ends of the fingerboard.
            self.bass_at += if self.bass_at < 33 {
                4
            } else if self.bass_at > 45 {
                -4
            } else {
                self.dice.below(7) as i32 - 3
            };
            let force = self.dice.within(0.7, 0.92);
            self.pluck(at + beat as f32 * self.beat, class, 0.94 * self.beat, force);
            if self.dice.chance(0.07) {
                let skip = at + (beat as f32 + self.swing) * self.beat;
                self.pluck(skip, class, 0.25 * self.beat, 0.5);
            }
        }
    }

    /// Root and fifth, as in ballads and bossa nova.
    fn two_feel(&mut self, at: f32, chord: Change, next: Change) {
        let fifth = chord.root + chord.quality.tones()[2];
        let mut beat = 0.0;
        while beat < chord.beats {
            let class = if beat as usize % 4 < 2 { chord.root } else { fifth };
            self.pluck(at + beat * self.beat, class, 1.4 * self.beat, 0.8);
            let pickup = if beat + 2.0 >= chord.beats { next.root } else { class };
            if self.recipe.feel == Feel::Bossa || self.dice.chance(0.35) {
                self.pluck(at + (beat + 1.5) * self.beat, pickup, 0.45 * self.beat, 0.6);
            }
            beat += 2.0;
        }
    }

    fn tumbao(&mut self, at: f32, chord: Change, next: Change) {
        let mut beat = 0.0;
        while beat < chord.beats {
            self.pluck(at + (beat + 1.5) * self.beat, chord.root + 7, 1.3 * self.beat, 0.85);
            let ahead = if beat + 4.0 >= chord.beats { next.root } else { chord.root };
            if chord.beats >= 4.0 {
                self.pluck(at + (beat + 3.0) * self.beat, ahead, 1.3 * self.beat, 0.9);
            }
            beat += 4.0;
        }
    }

    fn oom_pah(&mut self, at: f32, chord: Change) {
        for beat in (0..chord.beats as usize).step_by(2) {
            let class = if beat % 4 == 0 { chord.root } else { chord.root + 7 };
            self.pluck(at + beat as f32 * self.beat, class, 0.9 * self.beat, 0.9);
        }
    }

    fn funk_bass(&mut self, at: f32, chord: Change) {
        for sixteenth in 0..(4.0 * chord.beats) as usize {
            let place = sixteenth % 16;
            if [0, 3, 7, 10].contains(&place) || (place > 10 && self.dice.chance(0.3)) {
                let class = chord.root + if place == 0 { 0 } else { *self.dice.pick(&[0, 0, 10, 7, 12]) };
                self.pluck(at + 0.25 * sixteenth as f32 * self.beat, class, 0.3 * self.beat, 0.9);
            }
        }
    }

    /// Plays the chord in a rootless voicing that moves little from the last one.
    pub fn chord(&mut self, time: f32, chord: Change, seconds: f32, force: f32) {
        let classes: Vec<i32> = chord.quality.voicing().iter().map(|tone| chord.root + tone).collect();
        self.voicing = voice_lead(&self.voicing, &classes, 50, 72);
        for (i, pitch) in self.voicing.clone().into_iter().enumerate() {
            let late = 0.5 * self.late() + 0.004 * i as f32;
            let force = force * self.dice.within(0.85, 1.1);
            self.comp.note(time + late, seconds, pitch, force);
        }
    }

    fn comping(&mut self, at: f32, chord: Change) {
        let patterns: &[&[(usize, f32)]] = match self.recipe.feel {
            Feel::Ballad => &[&[(0, 3.5)], &[(0, 1.8), (4, 1.8)], &[(1, 3.0)]],
            Feel::Bossa => &[
                &[(0, 0.9), (3, 0.9), (6, 0.8)],
                &[(1, 0.9), (4, 0.4), (6, 0.9)],
                &[(0, 0.7), (2, 0.4), (5, 0.9)],
            ],
            Feel::Funk => &[&[(1, 0.3), (5, 0.4)], &[(0, 1.6), (7, 0.4)], &[(3, 0.3), (4, 0.2), (7, 0.3)]],
            Feel::Waltz => &[&[(2, 0.8), (4, 0.8)], &[(3, 1.4)], &[(0, 2.6)]],
            _ => &[
                &[(0, 1.4), (3, 0.4)],
                &[(3, 0.4)],
                &[(1, 0.4), (5, 0.8)],
                &[(2, 0.3), (5, 0.3)],
                &[(0, 0.3), (7, 0.4)],
                &[(1, 0.3), (4, 0.3), (7, 0.4)],
                &[],
            ],
        };
        for &(eighth, beats) in *self.dice.pick(patterns) {
            if (eighth as f32) < 2.0 * chord.beats {
                let time = at + self.eighth(eighth);
                let force = self.dice.within(0.42, 0.7);
                self.chord(time, chord, beats * self.beat, force);
            }
        }
    }

    /// A montuno: the chord broken into octaves across the beats.
    fn montuno(&mut self, at: f32, chord: Change) {
        let tones = chord.quality.tones().map(|tone| fold(60 + chord.root + tone, 60, 74));
        let figure = [(0, 0), (1, 1), (3, 2), (4, 1), (6, 3), (7, 1)];
        for (eighth, tone) in figure {
            if eighth as f32 >= 2.0 * chord.beats {
                break;
            }
            let time = at + self.eighth(eighth) + 0.5 * self.late();
            for octave in [0, 12] {
                self.comp.note(time, 0.45 * self.beat, tones[tone] + octave, 0.75);
            }
        }
    }

    /// A chord on every beat, short, as banjos and rhythm guitars play.
    fn strum(&mut self, at: f32, chord: Change) {
        for beat in 0..chord.beats as usize {
            self.chord(
                at + beat as f32 * self.beat,
                chord,
                0.4 * self.beat,
                if beat % 2 == 1 { 0.75 } else { 0.55 },
            );
        }
    }

    fn solo_line(&mut self, at: f32, tones: &[Tone], seconds: f32) {
        let wind = matches!(self.solo.player, Player::Program(40..=79));
        for tone in tones {
            let mut begin = self.eighth(tone.eighth);
            let mut end = self.eighth(tone.eighth + tone.length);
            if tone.triplet > 0 {
                begin += (tone.triplet - 1) as f32 / 3.0 * self.beat;
                end = begin + self.beat / 3.0;
            }
            if at + begin >= seconds {
                break;
            }
            let strong = tone.eighth.is_multiple_of(2);
            // Off-beats are accented, and long notes.
            let force = self.dice.within(0.55, 0.75)
                + if strong { 0.0 } else { 0.12 }
                + if tone.length > 2 { 0.08 } else { 0.0 };
            let time = at + begin + self.late() + 0.006;
            let long = (end - begin) * if tone.length == 1 { 0.93 } else { 0.86 };
            self.solo.note(time, long, tone.pitch, force);
            if wind {
                let scoop =
                    if tone.length > 1 && self.dice.chance(0.4) { self.dice.within(0.4, 1.4) } else { 0.0 };
                if scoop > 0.0 {
                    self.solo.glide(time, 0.07, -scoop, 0.0);
                } else {
                    self.solo.gesture(time, Gesture::Bend(0.0));
                }
                self.solo.gesture(time, Gesture::Vibrato(0.0));
                if long > 0.35 {
                    self.solo.gesture(time + 0.22, Gesture::Vibrato(0.35));
                }
            }
        }
    }

    /// Horns: the theme in harmony, else riffs behind the soloist.
    fn section(&mut self, at: f32, row: &[Change], with_theme: bool, tones: &[Tone], seconds: f32) {
        let count = self.horns.len();
        let starts: Vec<usize> = row
            .iter()
            .scan(0, |at, change| {
                let start = *at;
                *at += (2.0 * change.beats) as usize;
                Some(start)
            })
            .collect();
        let chord_at = |eighth: usize| row[starts.partition_point(|&start| start <= eighth).max(1) - 1];
        let lines: Vec<(usize, usize, i32)> = if with_theme {
            tones
                .iter()
                .map(|tone| (tone.eighth, tone.length, tone.pitch + if tone.pitch < 60 { 12 } else { 0 }))
                .collect()
        } else {
            let riff = *self.dice.pick(&[
                &[(1, 1), (3, 3)][..],
                &[(0, 3), (3, 1), (7, 1)],
                &[(5, 1), (7, 1)],
                &[(0, 7)],
                &[(2, 1), (3, 2)],
            ]);
            let total: usize = row.iter().map(|change| (2.0 * change.beats) as usize).sum();
            let mut lines = Vec::new();
            let mut pitch = 70;
            for bar in (0..total).step_by(8) {
                // A big band fills more than two horns do.
                if self.dice.chance(if count > 4 { 0.75 } else { 0.3 }) {
                    for &(eighth, length) in riff {
                        let chord = chord_at(bar + eighth);
                        let tone = chord.quality.tones()[self.dice.below(4)];
                        pitch = fold(nearest((chord.root + tone).rem_euclid(12), pitch), 64, 80);
                        lines.push((bar + eighth, length, pitch));
                    }
                }
            }
            lines
        };
        for (eighth, length, top) in lines {
            let begin = self.eighth(eighth);
            if at + begin >= seconds {
                break;
            }
            let chord = chord_at(eighth);
            let long = (self.eighth(eighth + length) - begin) * if length == 1 { 0.6 } else { 0.9 };
            // Close harmony below the lead: each voice on the next chord tone down.
            let mut pitch = top;
            for index in 0..count {
                let late = 0.8 * self.late();
                let force = self.dice.within(0.72, 0.95);
                let low = matches!(self.horns[index].player, Player::Program(57 | 58 | 66 | 67));
                let moved = if low && pitch > 66 { pitch - 12 } else { pitch };
                self.horns[index].note(at + begin + late, long, moved, force);
                pitch -= 1;
                while !chord
                    .quality
                    .voicing()
                    .iter()
                    .chain(&chord.quality.tones())
                    .any(|t| (pitch - chord.root - t).rem_euclid(12) == 0)
                {
                    pitch -= 1;
                }
                if index % 4 == 3 {
                    pitch = top;
                }
            }
        }
    }
}

/// Moves a pitch by octaves into a range of at least an octave.
pub fn fold(mut pitch: i32, low: i32, high: i32) -> i32 {
    while pitch < low {
        pitch += 12;
    }
    while pitch > high {
        pitch -= 12;
    }
    pitch
}

#[cfg(test)]
mod tests {
    use super::super::recipe;
    use super::*;
    use crate::synth::score::drum;

    /// Where the strokes of a drum between the beats lie within their beat, on average.
    fn off_beats(style: usize, key: u8, seed: u64) -> f32 {
        let recipe = recipe(style);
        let mut dice = Dice::new(seed);
        let mut band = Band::new(&recipe, &mut dice);
        band.perform(40.0);
        let kit = band.kit.as_ref().unwrap();
        let places: Vec<f32> = kit
            .strikes
            .iter()
            .filter(|strike| strike.key == key)
            .map(|strike| ((strike.at - 0.05) / band.beat).rem_euclid(1.0))
            .filter(|place| (0.3..0.8).contains(place))
            .collect();
        assert!(places.len() > 20, "{} strokes", places.len());
        places.iter().sum::<f32>() / places.len() as f32
    }

    #[test]
    fn hard_bop_swings_and_bossa_nova_does_not() {
        for seed in 1..4 {
            let swung = off_beats(13, drum::RIDE, seed);
            assert!((0.53..0.68).contains(&swung), "{swung}");
            let straight = off_beats(3, drum::HAT, seed);
            assert!((straight - 0.5).abs() < 0.02, "{straight}");
        }
    }

    #[test]
    fn the_bass_walks_on_every_beat_within_its_range() {
        let recipe = recipe(0);
        let mut dice = Dice::new(8);
        let mut band = Band::new(&recipe, &mut dice);
        band.perform(20.0);
        let beats = 20.0 / band.beat;
        let notes = band.bass.strikes.len() as f32;
        assert!(notes > 0.95 * beats && notes < 1.3 * beats, "{notes} notes in {beats} beats");
        assert!(band.bass.strikes.iter().all(|strike| (28..=50).contains(&strike.key)));
    }
}
