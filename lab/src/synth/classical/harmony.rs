//! The plan of a piece: phrases of functional harmony in keys that leave home and return, in four voices that move
//! little, with rubato; and the motif that tunes are spun from.

use crate::synth::dice::Dice;
use crate::synth::theory::{HARMONIC_MINOR, MAJOR, degree, triad, voice_lead};

/// Which degrees may follow which, in the common practice (Piston, Harmony).
const FOLLOWS: [&[i32]; 7] =
    [&[3, 4, 5, 1, 3, 4], &[4, 4, 6], &[5, 3], &[4, 1, 0, 4], &[0, 0, 5], &[1, 3, 3], &[0]];

/// Chords in a phrase.
const PHRASE: usize = 8;

/// One chord of the plan.
#[derive(Clone, Debug)]
pub struct Harmony {
    /// When it begins, in seconds.
    pub at: f32,
    /// How long it sounds, rubato included.
    pub seconds: f32,
    /// Its written length.
    pub beats: f32,
    /// The key's tonic, near the C below middle C.
    pub tonic: i32,
    /// The key's scale.
    pub scale: &'static [i32],
    /// Scale degree of its root.
    pub root: i32,
    /// Four voices from the bass up.
    pub voices: Vec<i32>,
    /// Number of its phrase.
    pub phrase: usize,
    /// Whether it ends the phrase.
    pub last: bool,
}

impl Harmony {
    /// Seconds a written beat lasts here.
    pub fn beat(&self) -> f32 {
        self.seconds / self.beats
    }

    /// The chord's tone nearest to a pitch.
    pub fn tone(&self, near: i32) -> i32 {
        let far = |pitch: i32| (pitch - near).abs();
        let classes =
            triad(self.scale, self.root).map(|tone| crate::synth::theory::nearest(self.tonic + tone, near));
        classes.into_iter().min_by_key(|&pitch| far(pitch)).unwrap_or(near)
    }

    /// The pitch this many steps of the scale above (below, if negative) a pitch.
    pub fn step(&self, from: i32, steps: i32) -> i32 {
        let octave = (from - self.tonic).div_euclid(12);
        let within = (from - self.tonic).rem_euclid(12);
        let index = self.scale.iter().rposition(|&tone| tone <= within).unwrap_or(0) as i32;
        self.tonic + degree(self.scale, index + steps + octave * self.scale.len() as i32)
    }
}

/// Writes the harmony of a piece: `beat` seconds a quarter, chords of these lengths in beats, and `freedom` (0 to 0.15)
/// of tempo: every phrase hurries a little and then broadens.
pub fn plan(beat: f32, seconds: f32, freedom: f32, lengths: &[f32], dice: &mut Dice) -> Vec<Harmony> {
    let home = 48 + dice.below(12) as i32 - 5;
    let minor = dice.chance(0.5);
    let scale_of = |minor: bool| if minor { HARMONIC_MINOR } else { MAJOR };
    let mut plan = Vec::new();
    let mut upper: Vec<i32> = Vec::new();
    let (mut at, mut now, mut count) = (0.05, 0_i32, 0_usize);
    let (mut tonic, mut scale) = (home, scale_of(minor));
    while at < seconds + 0.5 {
        let (phrase, place) = (count / PHRASE, count % PHRASE);
        if place == 0 {
            // Every third phrase is elsewhere: in the relative or the dominant key.
            let away = phrase % 3 == 2;
            let relative = dice.chance(0.5);
            (tonic, scale) = match (away, relative) {
                (false, _) => (home, scale_of(minor)),
                (true, true) if minor => (home + 3, MAJOR),
                (true, true) => (home - 3, HARMONIC_MINOR),
                (true, false) => (home - 5, scale_of(minor)),
            };
        }
        let last = place == PHRASE - 1;
        now = match place {
            0 => 0,
            6 => 4,
            _ if last => *dice.pick(&[0, 0, 0, 0, 5]),
            _ => *dice.pick(FOLLOWS[now as usize % 7]),
        };
        let beats = if last { 4.0 } else { *dice.pick(lengths) };
        let pace = 1.0 + freedom * (1.6 * ((place as f32 - 3.0) / 4.0).powi(2) + 0.25 * dice.bell());
        let long = beats * beat * pace * if last { 1.0 + 2.0 * freedom } else { 1.0 };
        let classes = triad(scale, now).map(|tone| tonic + tone);
        upper = voice_lead(&upper, &classes, 58, 77);
        // Now and then the third is in the bass.
        let low = degree(scale, if !last && place > 0 && dice.chance(0.25) { now + 2 } else { now });
        let bass = (tonic - 12 + low - if low > 7 { 12 } else { 0 }).max(36);
        let voices = std::iter::once(bass).chain(upper.iter().copied()).collect();
        plan.push(Harmony { at, seconds: long, beats, tonic, scale, root: now, voices, phrase, last });
        at += long;
        count += 1;
    }
    plan
}

/// A short idea: lengths in beats and steps of the scale. Tunes repeat it over changing chords.
#[derive(Clone, Debug)]
pub struct Motif(Vec<(f32, i32)>);

/// A note of a tune: beats after the chord's beginning, length in beats, pitch.
pub type Sung = (f32, f32, i32);

impl Motif {
    /// An idea of four beats out of these note lengths.
    pub fn new(lengths: &[f32], dice: &mut Dice) -> Motif {
        let mut notes = Vec::new();
        let mut total = 0.0;
        while total < 4.0 {
            let length: f32 = *dice.pick(lengths);
            let step = *dice.pick(&[1, 1, -1, -1, 1, -1, 2, -2, 0, 3, -4]);
            notes.push((length, step));
            total += length;
        }
        Motif(notes)
    }

    /// The idea over a chord: it begins on the chord's tone nearest to `at`, which moves along with the tune and is kept
    /// within `range`. The end of a phrase is one long note.
    pub fn over(&self, harmony: &Harmony, at: &mut i32, range: (i32, i32), dice: &mut Dice) -> Vec<Sung> {
        let keep = |pitch: i32| {
            if pitch > range.1 {
                pitch - 12
            } else if pitch < range.0 {
                pitch + 12
            } else {
                pitch
            }
        };
        *at = keep(harmony.tone(*at + *dice.pick(&[-4, -2, 0, 0, 2, 4])));
        if harmony.last {
            return vec![(0.0, harmony.beats, *at)];
        }
        let mut sung = Vec::new();
        let mut beats = 0.0;
        for &(length, step) in self.0.iter().cycle() {
            let length = length.min(harmony.beats - beats);
            sung.push((beats, length, *at));
            beats += length;
            if beats >= harmony.beats - 0.01 {
                break;
            }
            // Mostly as before, at times answered the other way round.
            *at = keep(harmony.step(*at, if dice.chance(0.12) { -step } else { step }));
        }
        sung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_end_at_home_or_deceive_voices_move_little_and_time_goes_on() {
        for seed in 0..20 {
            let plan = plan(0.6, 40.0, 0.1, &[1.0, 2.0, 4.0], &mut Dice::new(seed));
            for pair in plan.windows(2) {
                assert!((pair[0].at + pair[0].seconds - pair[1].at).abs() < 1e-3);
                let moved: i32 =
                    pair[0].voices[1..].iter().zip(&pair[1].voices[1..]).map(|(a, b)| (a - b).abs()).sum();
                assert!(moved <= 14, "{pair:?}");
            }
            assert!(plan.iter().filter(|h| h.last).all(|h| h.root == 0 || h.root == 5));
            assert!(plan.last().is_some_and(|h| h.at + h.seconds > 40.0));
        }
    }

    #[test]
    fn tunes_stay_in_the_scale_and_in_their_range() {
        let mut dice = Dice::new(4);
        let plan = plan(0.5, 30.0, 0.1, &[2.0, 4.0], &mut dice);
        let motif = Motif::new(&[0.5, 1.0, 1.5], &mut dice);
        let mut at = 70;
        for harmony in &plan {
            for (start, length, pitch) in motif.over(harmony, &mut at, (60, 84), &mut dice) {
                assert!(start + length <= harmony.beats + 0.01 && (60..=84).contains(&pitch), "{pitch}");
                assert!(
                    harmony.scale.contains(&(pitch - harmony.tonic).rem_euclid(12)),
                    "{pitch} {harmony:?}"
                );
            }
        }
    }
}
