//! Rock: a kit, a bass, two distorted guitars left and right, now and then a singer or a solo.

use super::dice::Dice;
use super::dsp::{Biquad, gain, rms};
use super::instruments::Note;
use super::instruments::drums::{Cymbal, cymbal, kick, snare, tom};
use super::instruments::guitar::{Amp, Pluck};
use super::mixdown::Bus;
use super::theory::{MINOR, MIXOLYDIAN, Melody, PENTATONIC, degree, hz};
use super::voice::{CONSONANTS, FRAME_S, Frame, Speaker, VOWELS, add_consonant, say, smooth};
use crate::audio::Audio;

/// Kinds of rock, as [`play`] knows them.
pub const STYLES: [&str; 4] = ["hard rock", "punk", "metal", "alternative"];

/// Parts of a song, in the order they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Riff,
    Verse,
    Chorus,
    Solo,
}

/// What the guitars do on one eighth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stroke {
    Rest,
    Mute,
    Chord,
}

struct Song<'a> {
    rate: f32,
    beat: f32,
    /// Lowest string's pitch.
    root: i32,
    style: usize,
    dice: &'a mut Dice,
    drums: Bus,
    bass: Bus,
    guitars: Bus,
    lead: Bus,
    voice: Bus,
    kit: Kit,
}

struct Kit {
    kick: Vec<f32>,
    snare: Vec<Vec<f32>>,
    closed: Vec<Vec<f32>>,
    open: Vec<f32>,
    ride: Vec<f32>,
    crash: [Vec<f32>; 2],
    toms: [Vec<f32>; 3],
}

/// Plays rock of this style for `seconds`.
pub fn play(style: usize, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let (slow, fast) = [(92.0, 138.0), (160.0, 196.0), (110.0, 180.0), (84.0, 132.0)][style];
    let beat = 60.0 / dice.within(slow, fast);
    let bus = Bus::new(rate, seconds + 2.0);
    let kit = Kit::new(rate, dice);
    let mut song = Song {
        rate,
        beat,
        root: 40 + dice.below(6) as i32 - if style == 2 { 3 } else { 0 },
        style,
        dice,
        drums: bus.clone(),
        bass: bus.clone(),
        guitars: bus.clone(),
        lead: bus.clone(),
        voice: bus,
        kit,
    };
    song.perform(seconds);
    song.mix(seconds)
}

impl Kit {
    fn new(rate: f32, dice: &mut Dice) -> Kit {
        let tune = dice.within(0.9, 1.15);
        let bright = dice.within(0.4, 0.9);
        Kit {
            kick: kick(rate, 52.0 * tune, 0.32, dice.within(0.4, 0.9), dice),
            snare: (0..3).map(|_| snare(rate, 190.0 * tune, 0.22, bright, dice)).collect(),
            closed: (0..3).map(|_| cymbal(rate, Cymbal::ClosedHat, dice)).collect(),
            open: cymbal(rate, Cymbal::OpenHat, dice),
            ride: cymbal(rate, Cymbal::Ride, dice),
            crash: [cymbal(rate, Cymbal::Crash, dice), cymbal(rate, Cymbal::Crash, dice)],
            toms: [165.0, 120.0, 84.0].map(|hz| tom(rate, hz * tune, dice)),
        }
    }
}

impl Song<'_> {
    fn perform(&mut self, seconds: f32) {
        let progressions: [[i32; 4]; 9] = [
            [0, 8, 3, 10],
            [0, 10, 8, 10],
            [0, 5, 3, 0],
            [0, 3, 5, 10],
            [0, 7, 9, 5],
            [0, 0, 5, 7],
            [0, 1, 0, 3],
            [0, 6, 5, 1],
            [9, 5, 0, 7],
        ];
        let choices: &[usize] = match self.style {
            1 => &[4, 5, 8, 0],
            2 => &[1, 3, 6, 7, 0],
            _ => &[0, 1, 2, 3, 4, 5, 8],
        };
        let verse = progressions[*self.dice.pick(choices)];
        let chorus = progressions[*self.dice.pick(choices)];
        let riff = self.riff();
        let order = [
            Section::Riff,
            Section::Verse,
            Section::Chorus,
            Section::Riff,
            Section::Verse,
            Section::Chorus,
            Section::Solo,
            Section::Chorus,
        ];
        let mut section = self.dice.below(order.len());
        let sings = self.dice.chance(0.6).then(|| self.singer());
        let bar = 4.0 * self.beat;
        let mut at = 0.05;
        while at < seconds {
            let bars = if order[section] == Section::Riff { 4 } else { 4 * (1 + self.dice.below(2)) };
            for index in 0..bars {
                if at >= seconds {
                    break;
                }
                let chords = if order[section] == Section::Chorus { chorus } else { verse };
                let chord = chords[index % 4];
                let chord = if chord > 7 { chord - 12 } else { chord };
                let last = index + 1 == bars;
                self.drum_bar(at, order[section], index == 0, last);
                self.guitar_bar(at, order[section], chord, &riff, index);
                match (order[section], &sings) {
                    (Section::Solo, _) => self.solo_bar(at),
                    (Section::Verse | Section::Chorus, Some(singer)) => {
                        let singer = *singer;
                        self.sung_bar(at, &singer, chord, order[section] == Section::Chorus);
                    }
                    _ => {}
                }
                at += bar;
            }
            section = (section + 1) % order.len();
        }
    }

    /// A riff of two bars: strokes on sixteen eighths and the pitch of each above the root.
    fn riff(&mut self) -> Vec<(Stroke, i32)> {
        let moves: &[i32] = if self.style == 2 { &[0, 0, 0, 1, 3, 6, 7] } else { &[0, 0, 3, 5, 7, 10] };
        (0..16)
            .map(|i| {
                let strong = i % 4 == 0;
                let stroke = match self.dice.below(10) {
                    _ if i == 0 => Stroke::Chord,
                    0 if !strong => Stroke::Rest,
                    1..=5 if self.style != 1 => Stroke::Mute,
                    _ => Stroke::Chord,
                };
                (stroke, if stroke == Stroke::Mute { 0 } else { *self.dice.pick(moves) })
            })
            .collect()
    }

    fn late(&mut self) -> f32 {
        0.004 * self.dice.bell()
    }

    fn drum_bar(&mut self, at: f32, section: Section, first: bool, last: bool) {
        let beat = self.beat;
        let time = |eighth: f32| at + eighth * beat / 2.0;
        let fill = last && self.dice.chance(0.7);
        let end = if fill { 6 } else { 8 };
        if first {
            let which = self.dice.below(2);
            let crash = self.kit.crash[which].clone();
            self.drums.add(time(0.0), &crash, 0.85, 0.5 - which as f32);
        }
        let double = self.style == 2 && self.dice.chance(0.3);
        let half_time = self.style == 3 && section == Section::Verse;
        for eighth in 0..end {
            let on_beat = eighth % 2 == 0;
            let accent = if on_beat { 1.0 } else { 0.65 };
            let late = self.late();
            let hat = match section {
                Section::Chorus if self.style != 2 => on_beat.then(|| self.kit.open.clone()),
                Section::Solo => Some(self.kit.ride.clone()),
                _ => Some(self.kit.closed[self.dice.below(3)].clone()),
            };
            if let Some(hat) = hat {
                let level = 0.42 * accent * self.dice.within(0.85, 1.1);
                self.drums.add(time(eighth as f32) + late, &hat, level, 0.35);
            }
            let back = if half_time { eighth == 4 } else { eighth == 2 || eighth == 6 };
            let back = if self.style == 1 && section == Section::Chorus { !on_beat || back } else { back };
            if back {
                let hit = self.kit.snare[self.dice.below(3)].clone();
                let level = 0.95 * self.dice.within(0.92, 1.05);
                self.drums.add(time(eighth as f32) + late, &hit, level, -0.05);
            }
            let kick = match eighth {
                0 => true,
                _ if double => true,
                3 => self.dice.chance(0.4),
                4 => !half_time,
                5 => self.dice.chance(0.5),
                7 => self.dice.chance(0.3),
                _ => false,
            };
            if kick && !(back && self.style != 2) {
                self.drums.add(time(eighth as f32) + late, &self.kit.kick, 0.75, 0.0);
                if double {
                    self.drums.add(time(eighth as f32 + 0.5) + late, &self.kit.kick, 0.6, 0.0);
                }
            }
        }
        if fill {
            for sixteenth in 0..4 {
                let drum = self.dice.below(4);
                let sound = if drum == 3 { self.kit.snare[0].clone() } else { self.kit.toms[drum].clone() };
                let level = 0.6 + 0.08 * sixteenth as f32;
                self.drums.add(
                    time(6.0 + 0.5 * sixteenth as f32),
                    &sound,
                    level,
                    [-0.4, 0.0, 0.4, 0.0][drum],
                );
            }
        }
    }

    fn guitar_bar(&mut self, at: f32, section: Section, chord: i32, riff: &[(Stroke, i32)], bar: usize) {
        let eighth = self.beat / 2.0;
        let strokes: Vec<(Stroke, i32)> = match section {
            Section::Riff => (0..8).map(|i| riff[8 * (bar % 2) + i]).collect(),
            Section::Verse if self.style == 2 || self.style == 0 => {
                (0..8).map(|i| (if i == 0 { Stroke::Chord } else { Stroke::Mute }, chord)).collect()
            }
            Section::Chorus if self.style != 1 => {
                let long = self.dice.chance(0.5);
                (0..8)
                    .map(|i| {
                        (if i == 0 || (!long && i % 2 == 0) { Stroke::Chord } else { Stroke::Rest }, chord)
                    })
                    .collect()
            }
            _ => (0..8).map(|_| (Stroke::Chord, chord)).collect(),
        };
        let mut i = 0;
        while i < 8 {
            let (stroke, offset) = strokes[i];
            let mut held = 1;
            while stroke == Stroke::Chord && i + held < 8 && strokes[i + held].0 == Stroke::Rest {
                held += 1;
            }
            let seconds = held as f32 * eighth * 0.97;
            let start = at + i as f32 * eighth;
            let force = if i % 2 == 0 { 0.95 } else { 0.8 };
            if stroke != Stroke::Rest {
                let string = if stroke == Stroke::Mute { Pluck::MUTED } else { Pluck::STEEL };
                for side in [-1.0, 1.0] {
                    let late = self.late();
                    for (n, interval) in [0, 7, 12].into_iter().enumerate() {
                        let mut note = Note::new(self.root + offset + interval, seconds, force);
                        note.pitch += 0.04 * self.dice.bell();
                        let sound = string.play(note, self.rate, self.dice);
                        self.guitars.add(start + late + 0.004 * n as f32, &sound, 0.4, side);
                    }
                }
                let bass = Note::new(self.root - 12 + offset, seconds.max(0.9 * eighth), force);
                let sound = Pluck::BASS.play(bass, self.rate, self.dice);
                let late = self.late();
                self.bass.add(start + late, &sound, 0.8, 0.0);
            }
            i += held;
        }
    }

    /// A bar of lead guitar: pentatonic lines with bends.
    fn solo_bar(&mut self, at: f32) {
        let mut melody = Melody::new(5, 7);
        let mut time = 0.0;
        while time < 4.0 {
            let beats = *self.dice.pick(&[0.25, 0.25, 0.5, 0.5, 0.5, 1.0]);
            let pitch = self.root + 24 + degree(PENTATONIC, melody.next(self.dice));
            let bend = if beats >= 0.5 && self.dice.chance(0.4) { 2.0 } else { 0.0 };
            let note = Note::new(pitch, beats * self.beat * 0.98, 0.9);
            let sound = Pluck::STEEL.bend(note, self.rate, self.dice, |t| {
                let vibrato =
                    0.25 * ((t - 0.2) / 0.2).clamp(0.0, 1.0) * (std::f32::consts::TAU * 5.5 * t).sin();
                bend * ((t / 0.12).min(1.0) - 1.0) + vibrato
            });
            self.lead.add(at + time * self.beat, &sound, 0.9, 0.0);
            time += beats;
        }
    }

    fn singer(&mut self) -> Speaker {
        let mut singer = Speaker::random(self.dice);
        singer.open = 0.5;
        singer.breathy = 0.05;
        singer
    }

    /// A bar of singing on nonsense syllables.
    fn sung_bar(&mut self, at: f32, singer: &Speaker, chord: i32, high: bool) {
        let scale = if self.style == 1 || self.style == 3 { MIXOLYDIAN } else { MINOR };
        let octave = if singer.pitch > 150.0 { 24 } else { 12 };
        let mut melody = Melody::new(if high { 5 } else { 2 }, 4);
        let mut frames: Vec<Frame> = Vec::new();
        let bar = 4.0 * self.beat;
        let mut time = if self.dice.chance(0.4) { self.beat * 0.5 } else { 0.0 };
        let begin = time;
        while time < bar - 0.3 {
            let beats = *self.dice.pick(&[0.5, 0.5, 1.0, 1.0, 1.5]);
            let seconds = (beats * self.beat).min(bar - time);
            let pitch = self.root
                + octave
                + degree(scale, melody.next(self.dice))
                + if high { chord.rem_euclid(12) / 7 } else { 0 };
            let f0 = hz(pitch as f32);
            let vowel = VOWELS[[2, 3, 4, 5, 8][self.dice.below(5)]];
            let before = frames.len();
            add_consonant(&mut frames, *self.dice.pick(&CONSONANTS), f0, vowel, 0.8);
            let left = (seconds / FRAME_S) as usize;
            let used = frames.len() - before;
            for i in 0..left.saturating_sub(used) {
                let t = i as f32 * FRAME_S;
                let vibrato =
                    0.35 * ((t - 0.25) / 0.3).clamp(0.0, 1.0) * (std::f32::consts::TAU * 5.6 * t).sin();
                let scoop = -1.2 * (-t / 0.06).exp();
                frames.push(Frame {
                    f0: f0 * ((vibrato + scoop) / 12.0).exp2(),
                    formants: vowel,
                    voice: 1.0,
                    breath: 0.05,
                    hiss: 0.0,
                    hiss_hz: 3000.0,
                });
            }
            time += seconds;
            if self.dice.chance(0.15) {
                break;
            }
        }
        let sound = say(&smooth(&frames), singer, self.rate, self.dice);
        let level = 0.14 / rms(&sound).max(1e-6);
        self.voice.add(at + begin, &sound, level, 0.0);
    }

    fn mix(mut self, seconds: f32) -> Audio {
        let rate = self.rate;
        let drive = match self.style {
            0 => self.dice.within(7.0, 16.0),
            1 => self.dice.within(9.0, 18.0),
            2 => self.dice.within(20.0, 45.0),
            _ => self.dice.within(6.0, 13.0),
        };
        let middle_db =
            if self.style == 2 { self.dice.within(-4.0, 1.0) } else { self.dice.within(0.0, 5.0) };
        let amp = Amp { drive, middle_db, cone_hz: self.dice.within(4300.0, 5600.0) };
        for side in &mut self.guitars.sides {
            amp.play(side, rate);
        }
        let solo = Amp { drive: drive.max(12.0), middle_db: 4.0, cone_hz: 5200.0 };
        for side in &mut self.lead.sides {
            solo.play(side, rate);
        }
        self.lead.echo(0.75 * self.beat, 0.3, 0.25);
        self.bass.filter(Biquad::low_pass(rate, 1100.0, 0.7)).shape(|x| (1.6 * x).tanh() * 0.6);
        self.bass.filter(Biquad::bell(rate, 90.0, 1.0, 3.0));
        self.drums.room(self.dice.within(0.5, 1.1), 7000.0, self.dice.within(0.2, 0.45), self.dice);
        self.drums.compress(-20.0, 3.0, 0.008, 0.12);
        self.voice.filter(Biquad::high_pass(rate, 140.0, 0.7)).filter(Biquad::high_shelf(rate, 3000.0, 4.0));
        self.voice.compress(-22.0, 4.0, 0.004, 0.1).shape(|x| (1.8 * x).tanh() * 0.7);
        self.voice.room(1.2, 4000.0, 0.15, self.dice);

        let mut mix = Bus::new(rate, seconds + 2.0);
        let mut place = |bus: &Bus, db: f32, dice: &mut Dice| {
            let level = rms(&bus.sides[0]).hypot(rms(&bus.sides[1]));
            if level > 1e-6 {
                mix.mix(bus, 0.2 * gain(db + 1.5 * dice.bell().clamp(-1.5, 1.5)) / level);
            }
        };
        place(&self.drums, -1.0, self.dice);
        place(&self.bass, -6.0, self.dice);
        place(&self.guitars, 4.0, self.dice);
        place(&self.lead, -3.5, self.dice);
        place(&self.voice, -1.0, self.dice);
        mix.compress(-16.0, 2.0, 0.02, 0.15);
        mix.filter(Biquad::high_shelf(rate, 6000.0, self.dice.within(-1.0, 4.0)));
        mix.master(seconds, self.dice.within(-14.0, -9.5), true)
    }
}
