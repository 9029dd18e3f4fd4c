//! Who plays what: sections of a song, chords, riffs, guitars, bass, keyboards and solos.

use super::groove::{self, GROOVES, Time};
use super::{Recipe, Texture, program, singer};
use crate::synth::dice::Dice;
use crate::synth::mixdown::Bus;
use crate::synth::score::{Gesture, Part, Player};
use crate::synth::theory::{Melody, PENTATONIC, degree};

/// Chords of four bars, in semitones above the lowest string; number 12 stands for a blues.
pub const PROGRESSIONS: [[i32; 4]; 12] = [
    [0, 8, 3, 10],
    [0, 10, 8, 10],
    [0, 5, 3, 0],
    [0, 3, 5, 10],
    [0, 7, 9, 5],
    [0, 0, 5, 7],
    [0, 1, 0, 3],
    [0, 6, 5, 1],
    [9, 5, 0, 7],
    [0, 0, 10, 5],
    [0, 10, 5, 0],
    [0, 5, 0, 7],
];

/// Twelve bars of blues.
const BLUES: [i32; 12] = [0, 0, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7];

/// Parts of a song.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Riff,
    Verse,
    Chorus,
    Solo,
}

/// The band and what it has written down.
pub struct Band<'a> {
    /// Length of a beat in seconds.
    pub beat: f32,
    /// Drums.
    pub kit: Part,
    /// Electric bass.
    pub bass: Part,
    /// Left and right rhythm guitar: open strings and muted ones.
    pub guitars: [[Part; 2]; 2],
    /// A clean guitar for arpeggios.
    pub clean: Part,
    /// An acoustic guitar, strummed.
    pub acoustic: Part,
    /// The solo guitar.
    pub lead: Part,
    /// Organ or piano.
    pub keys: Part,
    /// Chance.
    pub dice: &'a mut Dice,
    recipe: &'a Recipe,
    /// Pitch of the lowest string.
    root: i32,
    major: bool,
    chords: [Vec<i32>; 2],
    textures: [Texture; 2],
    grooves: [usize; 2],
    riff: Vec<(bool, i32)>,
    has_keys: bool,
}

impl<'a> Band<'a> {
    /// Gathers a band for this recipe.
    pub fn new(recipe: &'a Recipe, dice: &'a mut Dice) -> Band<'a> {
        let (slow, fast) = recipe.bpm;
        let chords = |dice: &mut Dice| match *dice.pick(recipe.progressions) {
            12 => BLUES.to_vec(),
            index => PROGRESSIONS[index].to_vec(),
        };
        let strings = *dice.pick(&[27, 27, 26, 25]);
        let pair = || [program(strings), program(28)];
        let number = *dice.pick(recipe.kits);
        let keyboard = *dice.pick(&[16, 18, 0, 2]);
        let bass = *dice.pick(&[33, 34, 34]);
        Band {
            beat: 60.0 / dice.within(slow, fast),
            kit: Part::new(Player::Kit(number)),
            bass: program(bass),
            guitars: [pair(), pair()],
            clean: program(27),
            acoustic: program(25),
            lead: program(27),
            keys: program(keyboard),
            root: recipe.tuning.0 + dice.below(recipe.tuning.1) as i32,
            major: dice.chance(0.5),
            chords: [chords(dice), chords(dice)],
            textures: [*dice.pick(recipe.verse), *dice.pick(recipe.chorus)],
            grooves: [*dice.pick(recipe.grooves.0), *dice.pick(recipe.grooves.1)],
            riff: Vec::new(),
            has_keys: dice.chance(recipe.chances.0),
            recipe,
            dice,
        }
    }

    /// Plays through the song until `seconds` are over, beginning somewhere in it; the singer's track, if one sings.
    pub fn perform(&mut self, seconds: f32, rate: f32) -> Option<Bus> {
        self.riff = self.write_riff();
        let mut order = vec![Section::Riff, Section::Verse, Section::Chorus, Section::Verse, Section::Chorus];
        if self.dice.chance(self.recipe.chances.1) {
            order.extend([Section::Solo, Section::Chorus]);
        }
        let mut section = self.dice.below(order.len());
        let singer = self.dice.chance(self.recipe.chances.2).then(|| singer::somebody(self.dice));
        let mut voice = singer.map(|_| Bus::new(rate, seconds + 2.0));
        let bar = 4.0 * self.beat;
        let mut at = 0.05;
        while at < seconds {
            let now = order[section];
            let loud = usize::from(now == Section::Chorus || now == Section::Solo);
            let chords = self.chords[loud].clone();
            let bars = if chords.len() == 12 { 12 } else { 4 * (1 + self.dice.below(2)) };
            for index in 0..bars {
                if at >= seconds {
                    break;
                }
                let chord = fold(chords[index % chords.len()]);
                self.drums(at, now, index == 0, index + 1 == bars);
                let texture = if now == Section::Riff { Texture::Riff } else { self.textures[loud] };
                let texture = if now == Section::Solo { Texture::Eighths } else { texture };
                self.rhythm(at, texture, chord, index, now);
                if self.has_keys && now != Section::Riff {
                    self.keyboard(at, chord);
                }
                if now == Section::Solo || (now == Section::Riff && self.recipe.shuffle) {
                    self.solo(at, chord);
                }
                if let (Section::Verse | Section::Chorus, Some(singer), Some(track)) =
                    (now, &singer, &mut voice)
                {
                    let pitch = self.root + fold(chord);
                    singer::bar(track, singer, at, self.beat, pitch, loud == 1, self.dice);
                }
                at += bar;
            }
            section = (section + 1) % order.len();
        }
        voice
    }

    /// Seconds of a sixteenth within the bar; shuffled ones lie on triplets.
    fn step(&self, at: f32, sixteenth: f32) -> f32 {
        let eighth = sixteenth / 2.0;
        let off = if self.recipe.shuffle && (eighth.floor() as i32) % 2 == 1 { self.beat / 6.0 } else { 0.0 };
        at + eighth * self.beat / 2.0 + off
    }

    fn late(&mut self) -> f32 {
        0.005 * self.dice.bell()
    }

    /// A riff of two bars: eighths that are muted or ring, and their pitch above the lowest string.
    fn write_riff(&mut self) -> Vec<(bool, i32)> {
        let heavy = self.recipe.drive.1 > 60.0;
        let moves: &[i32] = if heavy { &[0, 0, 0, 1, 3, 6, 7, 5] } else { &[0, 0, 3, 5, 7, 10, 5] };
        (0..16)
            .map(|i| {
                let strong = i % 4 == 0;
                let muted = i > 0 && self.dice.chance(if heavy { 0.55 } else { 0.3 });
                let rest = !strong && self.dice.chance(0.15);
                (
                    muted,
                    if rest {
                        i32::MIN
                    } else if muted {
                        0
                    } else {
                        *self.dice.pick(moves)
                    },
                )
            })
            .collect()
    }

    fn drums(&mut self, at: f32, section: Section, first: bool, last: bool) {
        let loud = usize::from(section == Section::Chorus || section == Section::Solo);
        let groove = &GROOVES[self.grooves[loud]];
        let time = match section {
            Section::Solo => Time::Ride,
            Section::Chorus if self.grooves[1] == 3 => *self.dice.pick(&[Time::Crash, Time::Open]),
            Section::Chorus => *self.dice.pick(&[Time::Open, Time::Open, Time::Closed, Time::Ride]),
            _ => Time::Closed,
        };
        let fill = last && self.dice.chance(0.75);
        let (beat, shuffle) = (self.beat, self.recipe.shuffle);
        let step = |sixteenth: f32| {
            let off = if shuffle && (sixteenth / 2.0) as i32 % 2 == 1 { beat / 6.0 } else { 0.0 };
            at + sixteenth * beat / 4.0 + off
        };
        groove::bar(&mut self.kit, groove, time, (first, fill), step, self.dice);
    }

    /// A power chord, or a full one, on both guitars, each with hands of its own.
    fn chord(&mut self, at: f32, seconds: f32, chord: i32, intervals: &[i32], force: f32, muted: bool) {
        for side in 0..2 {
            let late = self.late();
            let down = self.dice.chance(0.7);
            for (n, interval) in intervals.iter().enumerate() {
                let order = if down { n } else { intervals.len() - 1 - n };
                let force = (force * self.dice.within(0.88, 1.06)).min(1.0);
                self.guitars[side][usize::from(muted)].note(
                    at + late + 0.005 * order as f32,
                    seconds,
                    self.root + chord + interval,
                    force,
                );
            }
        }
    }

    fn third(&self, chord: i32) -> i32 {
        // Diatonic triads of major or minor, by the chord's place in the scale.
        let minor = if self.major {
            [2, 4, 9].contains(&chord.rem_euclid(12))
        } else {
            [0, 5, 7].contains(&chord.rem_euclid(12))
        };
        if minor { 3 } else { 4 }
    }

    fn low(&mut self, at: f32, seconds: f32, chord: i32, force: f32) {
        let late = self.late();
        let pitch = self.root + chord - 12;
        let pitch = if pitch < 23 { pitch + 12 } else { pitch };
        self.bass.note(at + late, seconds, pitch, force);
    }

    fn rhythm(&mut self, at: f32, texture: Texture, chord: i32, bar: usize, section: Section) {
        let clean = self.recipe.clean_verse && section == Section::Verse;
        let eighth = self.beat / 2.0;
        let power: &[i32] = if self.dice.chance(0.6) { &[0, 7, 12] } else { &[0, 7] };
        match texture {
            Texture::Riff => {
                let mut i = 0;
                while i < 8 {
                    let (muted, offset) = self.riff[8 * (bar % 2) + i];
                    let mut held = 1;
                    while i + held < 8 && self.riff[8 * (bar % 2) + i + held].1 == i32::MIN {
                        held += 1;
                    }
                    if offset != i32::MIN {
                        // Riffs of lighter styles follow the chord.
                        let moved = if self.recipe.drive.1 < 60.0 { offset + chord } else { offset };
                        let start = self.step(at, 2.0 * i as f32);
                        let long = if muted { 0.55 } else { 0.95 * held as f32 };
                        let shape: &[i32] = if self.recipe.drive.1 < 15.0 && !muted { &[0] } else { power };
                        self.chord(start, long * eighth, fold(moved), shape, 0.95, muted);
                        self.low(start, 0.9 * held as f32 * eighth, fold(moved), 0.85);
                    }
                    i += held;
                }
            }
            Texture::Eighths | Texture::Chug => {
                for i in 0..8 {
                    let muted = texture == Texture::Chug && i % 8 != 0 && !(i == 6 && self.dice.chance(0.3));
                    let start = self.step(at, 2.0 * i as f32);
                    let force = if i % 2 == 0 { 0.95 } else { 0.82 };
                    self.chord(start, if muted { 0.5 } else { 0.95 } * eighth, chord, power, force, muted);
                    self.low(start, 0.9 * eighth, chord, force * 0.9);
                }
            }
            Texture::Gallop => {
                for beat in 0..4 {
                    for (sixteenth, force) in [(0.0, 0.95), (2.0, 0.8), (3.0, 0.8)] {
                        let start = self.step(at, 4.0 * beat as f32 + sixteenth);
                        self.chord(
                            start,
                            0.2 * self.beat,
                            chord,
                            &[0, 7],
                            force,
                            sixteenth > 0.0 || beat % 2 == 1,
                        );
                        self.low(start, 0.2 * self.beat, chord, 0.85 * force);
                    }
                }
            }
            Texture::Tremolo => {
                let offsets = [0, 0, *self.dice.pick(&[1, 3, -2]), 0];
                for i in 0..16 {
                    let start = self.step(at, i as f32);
                    self.chord(start, 0.24 * self.beat, chord + offsets[i / 4], &[12, 19], 0.85, false);
                    if i % 2 == 0 {
                        self.low(start, 0.45 * self.beat, chord, 0.85);
                    }
                }
            }
            Texture::Ringing => {
                let hits: &[(f32, f32)] = *self.dice.pick(&[
                    &[(0.0, 15.5)][..],
                    &[(0.0, 5.5), (6.0, 9.5)],
                    &[(0.0, 7.5), (8.0, 7.5)],
                ]);
                for &(sixteenth, long) in hits {
                    let start = self.step(at, sixteenth);
                    self.chord(start, 0.25 * long * self.beat, chord, &[0, 7, 12], 0.98, false);
                }
                for i in 0..8 {
                    let start = self.step(at, 2.0 * i as f32);
                    self.low(start, 0.9 * eighth, chord, if i % 2 == 0 { 0.9 } else { 0.75 });
                }
            }
            Texture::Strum => self.strum(at, chord),
            Texture::Arpeggio => self.arpeggio(at, chord, clean),
            Texture::Boogie => {
                for i in 0..8 {
                    let start = self.step(at, 2.0 * i as f32);
                    let top = if i % 4 < 2 { 7 } else { 9 };
                    self.chord(
                        start,
                        0.8 * eighth,
                        chord,
                        &[0, top],
                        if i % 2 == 0 { 0.95 } else { 0.75 },
                        false,
                    );
                }
                // The bass walks up and down the sixth chord.
                for (beat, offset) in [0, 4, 7, 9].into_iter().enumerate() {
                    let start = self.step(at, 4.0 * beat as f32);
                    self.low(start, 0.9 * self.beat, chord + offset, 0.85);
                }
            }
            Texture::Stabs => {
                let third = self.third(chord);
                for i in [2, 6, 10, 14] {
                    let start = self.step(at, i as f32);
                    self.chord(start, 0.22 * self.beat, chord, &[12, 12 + third, 19], 0.85, false);
                }
                for i in 0..8 {
                    if i % 2 == 0 || self.dice.chance(0.5) {
                        let start = self.step(at, 2.0 * i as f32);
                        self.low(start, 0.85 * eighth, chord + if i == 7 { 7 } else { 0 }, 0.85);
                    }
                }
            }
        }
    }

    fn strum(&mut self, at: f32, chord: i32) {
        let third = self.third(chord);
        let shape = [0, 7, 12, 12 + third, 19];
        let pattern =
            *self.dice.pick(&[[1, 0, 1, 1, 0, 1, 1, 1], [1, 0, 1, 0, 1, 1, 0, 1], [1, 1, 1, 1, 1, 1, 1, 1]]);
        let acoustic = self.dice.chance(0.3);
        for (i, played) in pattern.into_iter().enumerate() {
            let start = self.step(at, 2.0 * i as f32);
            if played == 1 {
                let force = if i % 2 == 0 { 0.9 } else { 0.7 };
                if acoustic || self.recipe.bpm.1 < 90.0 {
                    for (n, interval) in shape.into_iter().enumerate() {
                        let order = if i % 2 == 0 { n } else { 4 - n };
                        self.acoustic.note(
                            start + 0.008 * order as f32,
                            0.6 * self.beat,
                            self.root + chord + interval,
                            force,
                        );
                    }
                }
                self.chord(start, 0.5 * self.beat, chord, &shape, force, false);
            }
            if i % 2 == 0 || self.dice.chance(0.3) {
                self.low(start, 0.45 * self.beat, chord, 0.85);
            }
        }
    }

    fn arpeggio(&mut self, at: f32, chord: i32, clean: bool) {
        let third = self.third(chord);
        let shape = [0, 7, 12, 12 + third, 19, 24];
        let order =
            *self.dice.pick(&[[0, 2, 3, 4, 3, 2, 3, 4], [0, 1, 2, 3, 4, 3, 2, 1], [0, 3, 2, 4, 0, 3, 2, 5]]);
        for (i, string) in order.into_iter().enumerate() {
            let start = self.step(at, 2.0 * i as f32) + self.late();
            let force = self.dice.within(0.6, 0.85);
            let pitch = self.root + chord + shape[string];
            self.clean.note(start, 1.4 * self.beat, if pitch < 40 { pitch + 12 } else { pitch }, force);
        }
        if !clean {
            // The second guitar rings under it.
            let start = self.step(at, 0.0);
            self.chord(start, 3.8 * self.beat, chord, &[0, 7, 12], 0.7, false);
        }
        for i in [0.0, 6.0, 8.0, 14.0] {
            if i == 0.0 || self.dice.chance(0.6) {
                let start = self.step(at, i);
                self.low(start, 0.9 * self.beat, chord, 0.8);
            }
        }
    }

    fn keyboard(&mut self, at: f32, chord: i32) {
        let third = self.third(chord);
        let organ = matches!(self.keys.player, Player::Program(16..=20));
        let base = self.root + chord + 12;
        let base = if base > 62 { base - 12 } else { base };
        let hits: &[(f32, f32)] = if organ { &[(0.0, 15.8)] } else { &[(0.0, 7.5), (6.0, 2.0), (8.0, 7.5)] };
        for &(sixteenth, long) in hits {
            let start = self.step(at, sixteenth);
            for interval in [0, third, 7, 12] {
                self.keys.note(start, 0.25 * long * self.beat, base + interval, 0.7);
            }
        }
    }

    /// A bar of solo guitar: pentatonic phrases with bends, vibrato and rests.
    fn solo(&mut self, at: f32, chord: i32) {
        let mut melody = Melody::new(5, 7);
        melody.at = self.dice.below(8) as i32 + 2;
        let key = self.root + 24 + if self.recipe.shuffle { 0 } else { fold(chord) / 12 };
        let mut time = if self.dice.chance(0.3) { 0.5 } else { 0.0 };
        while time < 4.0 {
            let beats = *self.dice.pick(&[0.25, 0.25, 0.5, 0.5, 0.5, 1.0, 1.5]);
            let beats = f32::min(beats, 4.0 - time);
            if self.dice.chance(0.1) {
                time += beats;
                continue;
            }
            let start = self.step(at, 4.0 * time);
            let seconds = beats * self.beat * 0.96;
            let pitch = key + degree(PENTATONIC, melody.next(self.dice));
            let force = self.dice.within(0.8, 1.0);
            if beats >= 0.5 && self.dice.chance(0.45) {
                let depth = *self.dice.pick(&[1.0, 2.0, 2.0]);
                self.lead.glide(start, 0.14, -depth, 0.0);
            } else {
                self.lead.gesture(start, Gesture::Bend(0.0));
            }
            self.lead.gesture(start, Gesture::Vibrato(0.0));
            if beats >= 1.0 {
                self.lead.gesture(start + 0.25, Gesture::Vibrato(0.6));
            }
            self.lead.note(start, seconds, pitch, force);
            time += beats;
        }
    }
}

/// Chords above a fifth lie below the tonic.
fn fold(chord: i32) -> i32 {
    if chord > 7 { chord - 12 } else { chord }
}
