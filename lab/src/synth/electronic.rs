//! Electronic music: machines in strict time, filters that open and close, and a compressor that the bass drum works.

use super::desk::{Finish, Track as Strip, mix};
use super::dice::Dice;
use super::dsp::{Adsr, Biquad};
use super::instruments::Note;
use super::instruments::drums::{Cymbal, clap, cymbal, kick, snare};
use super::instruments::electronic::{Patch, chip_noise, chip_pulse, chip_triangle, fm, riser, subtractive};
use super::mixdown::Bus;
use super::theory::{DORIAN, MINOR, Melody, degree, triad, voice_lead};
use crate::audio::Audio;

/// Kinds of electronic music, as [`play`] knows them.
pub const STYLES: [&str; 9] = [
    "house",
    "trance",
    "drum and bass",
    "ambient",
    "chiptune",
    "techno",
    "breakbeat",
    "electro",
    "downtempo",
];

const HOUSE: usize = 0;
const TRANCE: usize = 1;
const DRUM_AND_BASS: usize = 2;
const AMBIENT: usize = 3;
const CHIPTUNE: usize = 4;
const TECHNO: usize = 5;
const BREAKBEAT: usize = 6;
const ELECTRO: usize = 7;
const DOWNTEMPO: usize = 8;

/// Two bars of sixteenths each: bass drum and snare of broken beats.
const BREAKS: [(&[usize], &[usize]); 4] = [
    (&[0, 10], &[4, 12]),
    (&[0, 2, 10], &[4, 7, 9, 12, 15]),
    (&[0, 6, 10], &[4, 12, 15]),
    (&[0, 7, 8, 14], &[4, 12]),
];

struct Track<'a> {
    rate: f32,
    /// A sixteenth note in seconds.
    step: f32,
    style: usize,
    root: i32,
    scale: &'static [i32],
    /// Scale degrees of the chords, one a bar.
    chords: Vec<i32>,
    dice: &'a mut Dice,
    drums: Bus,
    bass: Bus,
    pads: Bus,
    leads: Bus,
    /// When the bass drum was struck: the others duck there.
    kicks: Vec<f32>,
}

/// What sounds in a stretch of bars.
#[derive(Clone, Copy)]
struct Layers {
    drums: bool,
    bass: bool,
    pads: bool,
    arpeggio: bool,
    lead: bool,
}

/// Plays electronic music of this style for `seconds`.
pub fn play(style: usize, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let (slow, fast) = [
        (118.0, 128.0),
        (130.0, 142.0),
        (168.0, 178.0),
        (70.0, 100.0),
        (120.0, 170.0),
        (126.0, 140.0),
        (118.0, 140.0),
        (108.0, 130.0),
        (70.0, 98.0),
    ][style];
    let progressions: [&[i32]; 6] =
        [&[0, 5, 2, 6], &[0, 3, 5, 4], &[0, 0, 5, 6], &[0, 6, 5, 6], &[5, 6, 0, 0], &[0, 2, 6, 3]];
    let bus = Bus::new(rate, seconds + 3.0);
    let mut track = Track {
        rate,
        step: 15.0 / dice.within(slow, fast),
        style,
        root: 33 + dice.below(9) as i32,
        scale: if dice.chance(0.3) { DORIAN } else { MINOR },
        chords: dice.pick(&progressions).to_vec(),
        drums: bus.clone(),
        bass: bus.clone(),
        pads: bus.clone(),
        leads: bus,
        kicks: Vec::new(),
        dice,
    };
    match style {
        AMBIENT => track.ambient(seconds),
        CHIPTUNE => track.chip(seconds),
        _ => track.dance(seconds),
    }
    track.mix(seconds)
}

impl Track<'_> {
    fn dance(&mut self, seconds: f32) {
        let (rate, style) = (self.rate, self.style);
        let bass_drum = match style {
            DRUM_AND_BASS | BREAKBEAT => kick(rate, 55.0, 0.25, 0.7, self.dice),
            ELECTRO | DOWNTEMPO => kick(rate, self.dice.within(42.0, 52.0), 0.5, 0.3, self.dice),
            _ => kick(rate, self.dice.within(46.0, 54.0), 0.36, self.dice.within(0.2, 0.7), self.dice),
        };
        let hats = [cymbal(rate, Cymbal::ClosedHat, self.dice), cymbal(rate, Cymbal::OpenHat, self.dice)];
        let broken = matches!(style, DRUM_AND_BASS | BREAKBEAT | ELECTRO | DOWNTEMPO);
        let back = match style {
            DRUM_AND_BASS | BREAKBEAT => snare(rate, 210.0, 0.18, 0.9, self.dice),
            DOWNTEMPO => snare(rate, 180.0, 0.16, 0.6, self.dice),
            _ => clap(rate, self.dice),
        };
        let ghost = snare(rate, 240.0, 0.09, 0.7, self.dice);
        let crash = cymbal(rate, Cymbal::Crash, self.dice);
        let saw_bass = Patch {
            voices: if style == DRUM_AND_BASS { 3 } else { 1 },
            detune: 14.0,
            sub: 0.7,
            cutoff: self.dice.within(180.0, 420.0),
            sweep: self.dice.within(1.0, 3.0),
            q: self.dice.within(0.9, 4.0),
            amp: Adsr { attack: 0.003, decay: 0.25, sustain: 0.5, release: 0.03 },
            fall: self.dice.within(0.06, 0.2),
        };
        let super_saw = Patch {
            voices: 7,
            detune: self.dice.within(14.0, 30.0),
            sub: 0.0,
            cutoff: 1400.0,
            sweep: 1.2,
            q: 0.8,
            amp: Adsr {
                attack: if style == HOUSE { 0.01 } else { 0.15 },
                decay: 0.5,
                sustain: 0.8,
                release: 0.15,
            },
            fall: 0.3,
        };
        let pluck = Patch {
            voices: 2,
            detune: 9.0,
            sub: 0.0,
            cutoff: 700.0,
            sweep: 2.6,
            q: 1.6,
            amp: Adsr { attack: 0.002, decay: 0.12, sustain: 0.15, release: 0.08 },
            fall: 0.09,
        };
        let bass_line: Vec<Option<i32>> = (0..16)
            .map(|i| match style {
                // Off-beat or rolling bass.
                HOUSE => (i % 4 == 2 || self.dice.chance(0.25)).then(|| *self.dice.pick(&[0, 0, 0, 12, 7])),
                TRANCE => (i % 4 != 0).then_some(0),
                TECHNO => (i % 4 == 2 || (i % 4 != 0 && self.dice.chance(0.5))).then_some(0),
                DOWNTEMPO => {
                    (i == 0 || i == 10 || self.dice.chance(0.1)).then(|| *self.dice.pick(&[0, 0, 7, 12]))
                }
                _ => (i == 0 || self.dice.chance(0.3)).then(|| *self.dice.pick(&[0, 0, 3, 7, 12])),
            })
            .collect();
        let arpeggio: Vec<usize> = (0..16).map(|_| self.dice.below(6)).collect();
        let stabs: Vec<usize> =
            (0..16).filter(|i| [0, 3, 6, 10, 13].contains(i) && self.dice.chance(0.7)).collect();
        let (kicks, backs) = *self.dice.pick(&BREAKS[..if style == DRUM_AND_BASS { 2 } else { 4 }]);
        // The operator's ratio and depth of frequency modulation, where bass and arpeggio are made of it.
        let (ratio, depth): (f32, f32) =
            (*self.dice.pick(&[0.5, 1.0, 2.0, 3.0, 1.41]), self.dice.within(1.5, 6.0));
        let bell = style == ELECTRO || self.dice.chance(0.25);
        let bar = 16.0 * self.step;
        let bars = (seconds / bar).ceil() as usize + 1;
        let mut chord_at: Vec<i32> = Vec::new();
        let sections = self.sections(bars);
        let shift = self.dice.unit();
        for index in 0..bars {
            let at = index as f32 * bar;
            let layers = sections[index];
            let before = index.checked_sub(1).map(|i| sections[i]);
            let degree_now = self.chords[index % self.chords.len()];
            let open =
                0.6 + 1.6 * (0.5 + 0.5 * (std::f32::consts::TAU * (index as f32 / 16.0 + shift)).sin());
            if layers.drums && before.is_some_and(|b| !b.drums) {
                self.drums.add(at, &crash, 0.4, 0.0);
            }
            if !layers.drums && sections.get(index + 1).is_some_and(|next| next.drums) {
                let sweep = riser(bar, self.rate, self.dice);
                self.leads.add(at, &sweep, 0.5, 0.0);
            }
            for i in 0..16 {
                let time = at + i as f32 * self.step;
                if layers.drums {
                    let strike = if broken { kicks.contains(&i) } else { i % 4 == 0 };
                    if strike {
                        self.drums.add(time, &bass_drum, 1.0, 0.0);
                        self.kicks.push(time);
                    }
                    let claps = style != TECHNO || index % 8 >= 4;
                    if claps && if broken { backs.contains(&i) } else { i == 4 || i == 12 } {
                        let soft = if i == 4 || i == 12 { 0.85 } else { 0.45 };
                        self.drums.add(time, &back, soft, 0.0);
                    }
                    if broken && [7, 9, 15].contains(&i) && self.dice.chance(0.4) {
                        self.drums.add(time, &ghost, 0.3, 0.1);
                    }
                    if i % 4 == 2 {
                        self.drums.add(time, &hats[usize::from(!broken)], 0.28, 0.2);
                    } else if style != HOUSE || i % 2 == 1 {
                        let level = self.dice.within(0.08, 0.16);
                        self.drums.add(time, &hats[0], level, -0.2);
                    }
                }
                if let (true, Some(up)) = (layers.bass, bass_line[i]) {
                    let pitch =
                        self.root + degree(self.scale, degree_now) + up - if self.root > 38 { 12 } else { 0 };
                    let long = if matches!(style, DRUM_AND_BASS | DOWNTEMPO) { 2.5 } else { 0.9 };
                    let note = Note::new(pitch, long * self.step, 0.9);
                    let sound = match style {
                        ELECTRO => fm(note, ratio.min(2.0), depth * open, 0.25, self.rate),
                        _ => subtractive(note, &saw_bass, open, self.rate, self.dice),
                    };
                    self.bass.add(time, &sound, 0.8, 0.0);
                }
                if layers.arpeggio {
                    let tones = triad(self.scale, degree_now);
                    let number = arpeggio[i];
                    let pitch = self.root + 24 + tones[number % 3] + 12 * (number / 3) as i32;
                    let note = Note::new(pitch, 0.8 * self.step, if i % 4 == 0 { 0.9 } else { 0.65 });
                    let sound = match bell {
                        true => fm(note, ratio, 0.6 * depth * open, 0.2, self.rate),
                        false => subtractive(note, &pluck, open, self.rate, self.dice),
                    };
                    self.leads.add(time, &sound, 0.5, if i % 2 == 0 { -0.5 } else { 0.5 });
                }
            }
            let classes = triad(self.scale, degree_now).map(|tone| self.root + tone);
            chord_at = voice_lead(&chord_at, &classes, 55, 76);
            if layers.pads {
                let times: Vec<(f32, f32)> = if matches!(style, HOUSE | TECHNO | ELECTRO) {
                    stabs.iter().map(|&i| (at + i as f32 * self.step, 1.5 * self.step)).collect()
                } else {
                    vec![(at, 0.97 * bar)]
                };
                for (time, held) in times {
                    for (voice, &pitch) in chord_at.iter().enumerate() {
                        let sound =
                            subtractive(Note::new(pitch, held, 0.6), &super_saw, open, self.rate, self.dice);
                        self.pads.add(time, &sound, 0.4, [-0.6, 0.6, 0.0][voice % 3]);
                    }
                }
            }
            if layers.lead {
                self.lead_bar(at, degree_now, &super_saw, open);
            }
        }
        self.leads.echo(3.0 * self.step, 0.4, 0.35);
    }

    /// Builds up and breaks down in blocks of four bars, starting anywhere.
    fn sections(&mut self, bars: usize) -> Vec<Layers> {
        let full = Layers { drums: true, bass: true, pads: true, arpeggio: true, lead: true };
        let plan = [
            Layers { pads: false, arpeggio: false, lead: false, ..full },
            Layers { lead: false, pads: self.style == HOUSE, ..full },
            Layers { lead: false, ..full },
            Layers { drums: false, bass: false, lead: false, ..full },
            full,
            Layers { arpeggio: self.style == TRANCE, ..full },
        ];
        let start = self.dice.below(plan.len());
        (0..bars).map(|bar| plan[(start + bar / 4) % plan.len()]).collect()
    }

    fn lead_bar(&mut self, at: f32, chord: i32, patch: &Patch, open: f32) {
        let mut melody = Melody::new(chord + 7, 5);
        let mut i = 0;
        while i < 16 {
            let length = *self.dice.pick(&[2, 2, 3, 4, 4]);
            if self.dice.chance(0.8) {
                let pitch = self.root + 24 + degree(self.scale, melody.next(self.dice));
                let note = Note::new(pitch, 0.9 * length as f32 * self.step, 0.85);
                let bright = Patch { cutoff: 2600.0, amp: Adsr { attack: 0.01, ..patch.amp }, ..*patch };
                let sound = subtractive(note, &bright, open, self.rate, self.dice);
                self.leads.add(at + i as f32 * self.step, &sound, 0.5, 0.0);
            }
            i += length;
        }
    }

    /// Slow pads, bells and air; a soft pulse now and then.
    fn ambient(&mut self, seconds: f32) {
        let bar = 16.0 * self.step * 2.0;
        let patch = Patch {
            voices: 6,
            detune: 18.0,
            sub: 0.3,
            cutoff: self.dice.within(500.0, 1100.0),
            sweep: 0.6,
            q: 0.9,
            amp: Adsr { attack: 1.2, decay: 2.0, sustain: 0.8, release: 0.9 },
            fall: 2.0,
        };
        let beat = self.dice.chance(0.5).then(|| kick(self.rate, 48.0, 0.4, 0.1, self.dice));
        let hat = cymbal(self.rate, Cymbal::ClosedHat, self.dice);
        let ratio = *self.dice.pick(&[1.4, 2.0, 3.5, 7.0]);
        let mut chord_at = Vec::new();
        for index in 0..(seconds / bar).ceil() as usize + 1 {
            let at = index as f32 * bar - 0.8;
            let chord = self.chords[index % self.chords.len()];
            let mut classes = triad(self.scale, chord).map(|tone| self.root + tone).to_vec();
            classes.push(self.root + degree(self.scale, chord + 6));
            chord_at = voice_lead(&chord_at, &classes, 52, 76);
            let open = self.dice.within(0.7, 1.8);
            for (voice, pitch) in chord_at.clone().into_iter().enumerate() {
                let sound = subtractive(Note::new(pitch, bar + 0.6, 0.6), &patch, open, self.rate, self.dice);
                self.pads.add(at, &sound, 0.4, 0.5 * (voice as f32 - 1.5));
            }
            let low = Note::new(self.root + degree(self.scale, chord), bar, 0.7);
            let deep = Patch { voices: 2, cutoff: 220.0, ..patch };
            let sound = subtractive(low, &deep, 1.0, self.rate, self.dice);
            self.bass.add(at, &sound, 0.5, 0.0);
            for i in 0..32 {
                let time = at + 0.8 + i as f32 * self.step;
                if self.dice.chance(0.22) {
                    let tone = degree(self.scale, chord + [0, 2, 4, 6, 7, 9][self.dice.below(6)]);
                    let force = self.dice.within(0.3, 0.8);
                    let sound = fm(Note::new(self.root + 36 + tone, 1.0, force), ratio, 2.2, 1.6, self.rate);
                    let pan = self.dice.within(-0.8, 0.8);
                    self.leads.add(time, &sound, 0.35, pan);
                }
                if let Some(beat) = &beat {
                    if i % 8 == 0 {
                        self.drums.add(time, beat, 0.7, 0.0);
                        self.kicks.push(time);
                    }
                    if i % 4 == 2 {
                        self.drums.add(time, &hat, 0.12, 0.2);
                    }
                }
            }
        }
        self.leads.echo(6.0 * self.step, 0.55, 0.6);
        let (t60, level) = (self.dice.within(3.0, 5.0), self.dice.within(0.4, 0.8));
        self.leads.room(t60, 6000.0, level, self.dice);
        self.pads.room(t60, 4000.0, level, self.dice);
    }

    /// Two pulses, a triangle and noise, as in an old console.
    fn chip(&mut self, seconds: f32) {
        let rate = self.rate;
        let bar = 16.0 * self.step;
        let width = *self.dice.pick(&[0.125, 0.25, 0.5]);
        let phrase: Vec<(usize, usize, i32)> = {
            let mut melody = Melody::new(9, 6);
            let (mut i, mut notes) = (0, Vec::new());
            while i < 32 {
                let length = *self.dice.pick(&[1, 2, 2, 2, 3, 4]);
                if self.dice.chance(0.88) {
                    notes.push((i, length, melody.next(self.dice)));
                }
                i += length;
            }
            notes
        };
        for index in 0..(seconds / bar).ceil() as usize + 1 {
            let at = index as f32 * bar;
            let chord = self.chords[index % self.chords.len()];
            let tones = triad(self.scale, chord);
            for i in 0..16 {
                let time = at + i as f32 * self.step;
                // The second pulse runs through the chord so fast that it sounds as one.
                let tone = tones[i % 3] + 12 * usize::from(i % 6 > 2) as i32;
                let sound =
                    chip_pulse(Note::new(self.root + 24 + tone, 0.9 * self.step, 0.5), 0.25, 0.0, rate);
                self.pads.add(time, &sound, 0.5, -0.15);
                if i % 2 == 0 {
                    let up = if i % 4 == 2 { 12 } else { 0 };
                    let pitch = self.root + degree(self.scale, chord) + up;
                    let sound = chip_triangle(Note::new(pitch, 1.8 * self.step, 1.0), rate);
                    self.bass.add(time, &sound, 0.9, 0.0);
                }
                let (hz, length) = match i {
                    4 | 12 => (9000.0, 0.13),
                    0 | 8 | 10 => (900.0, 0.06),
                    _ if i % 2 == 0 => (20_000.0, 0.035),
                    _ => continue,
                };
                let hit = chip_noise(length, hz, rate, self.dice);
                self.drums.add(time, &hit, if length > 0.1 { 0.9 } else { 0.5 }, 0.0);
            }
            for &(start, length, step) in &phrase {
                if start / 16 == index % 2 {
                    let time = at + (start % 16) as f32 * self.step;
                    let pitch = self.root + 24 + degree(self.scale, step + chord / 2);
                    let note = Note::new(pitch, 0.95 * length as f32 * self.step, 0.9);
                    self.leads.add(time, &chip_pulse(note, width, 0.3, rate), 0.8, 0.15);
                }
            }
        }
    }

    fn mix(mut self, seconds: f32) -> Audio {
        let rate = self.rate;
        let kicks = std::mem::take(&mut self.kicks);
        let depth = if matches!(self.style, DRUM_AND_BASS | BREAKBEAT | DOWNTEMPO) {
            0.4
        } else {
            self.dice.within(0.5, 0.85)
        };
        let recovery = self.dice.within(0.12, 0.25);
        let duck = move |t: f32| {
            let last = kicks.partition_point(|&kick| kick <= t);
            match last.checked_sub(1) {
                Some(index) => 1.0 - depth * (1.0 - ((t - kicks[index]) / recovery).min(1.0)).powi(2),
                None => 1.0,
            }
        };
        self.pads.ride(&duck);
        self.bass.ride(&duck);
        self.leads.ride(|t| 0.5 + 0.5 * duck(t));
        if !matches!(self.style, AMBIENT | CHIPTUNE) {
            self.pads.room(1.8, 6000.0, 0.3, self.dice);
            self.leads.room(1.4, 6000.0, 0.2, self.dice);
        }
        // Levels of drums, bass, pads and leads in dB.
        let levels = match self.style {
            AMBIENT => [-8.0, -4.0, 0.0, -3.0],
            CHIPTUNE => [-6.0, -3.0, -7.0, 0.0],
            DOWNTEMPO => [-1.0, -2.0, -4.0, -3.0],
            TECHNO => [0.0, -2.0, -9.0, -5.0],
            _ => [0.0, -2.0, -6.0, -4.0],
        };
        let buses = [self.drums, self.bass, self.pads, self.leads];
        let tracks = buses.into_iter().zip(levels).map(|(mut bus, db)| {
            if self.style == CHIPTUNE {
                bus.filter(Biquad::low_pass(rate, 12_000.0, 0.7));
            }
            Strip::new(bus, db + 1.5 * self.dice.bell().clamp(-1.5, 1.5), 0.0).wide(1.0).sent(0.0)
        });
        let tracks = tracks.collect();
        let level = match self.style {
            AMBIENT => self.dice.within(-22.0, -16.0),
            CHIPTUNE | DOWNTEMPO => self.dice.within(-17.0, -12.0),
            _ => self.dice.within(-12.5, -9.0),
        };
        let finish = Finish { hard: self.style != AMBIENT, glue: 2.0, ..Finish::clean(1.0, 0.0, level) };
        let age = if self.style == DOWNTEMPO { 0.6 } else { 0.1 };
        let finish = finish.aged(age, self.dice);
        mix(tracks, &finish, seconds, self.dice)
    }
}
