//! Solo keyboards: nocturne, invention, chorale, waltz, Alberti bass and study for the piano; figured harmony for the
//! harpsichord; chorale and counterpoint for the organ.

use super::Score;
use super::harmony::{Harmony, Motif};
use crate::synth::score::Gesture;

/// Ways to set harmony on two hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texture {
    /// Wide broken chords under a singing tune.
    Nocturne,
    /// Two voices that move against each other.
    Invention,
    /// Full chords.
    Chorale,
    /// Bass, chord, chord.
    Waltz,
    /// Low, high, middle, high.
    Alberti,
    /// Both hands run.
    Study,
}

/// Writes for the player of part number `part`; `texture` changes with every second phrase among those given.
pub fn write(score: &mut Score, part: usize, textures: &[Texture], plan: &[Harmony], pedal: bool) {
    let slow = Motif::new(&[1.0, 1.0, 0.5, 1.5, 2.0], score.dice);
    let quick = Motif::new(&[0.5, 0.25, 0.25, 0.5], score.dice);
    let first = score.dice.below(textures.len());
    let mut at = 76;
    let mut low = 48;
    for harmony in plan {
        let texture = textures[(first + harmony.phrase / 2) % textures.len()];
        let force = score.force(harmony.at);
        if pedal && texture != Texture::Invention {
            score.parts[part].gesture(harmony.at - 0.02, Gesture::Pedal(false));
            score.parts[part].gesture(harmony.at + 0.05, Gesture::Pedal(true));
        } else if pedal {
            score.parts[part].gesture(harmony.at - 0.02, Gesture::Pedal(false));
        }
        left(score, part, texture, harmony, &quick, &mut low, 0.72 * force);
        let motif = if matches!(texture, Texture::Invention | Texture::Study) { &quick } else { &slow };
        let sung = motif.over(harmony, &mut at, (67, 91), score.dice);
        for (i, (start, length, pitch)) in sung.into_iter().enumerate() {
            let accent = if i == 0 { 0.06 } else { 0.0 };
            score.note(
                part,
                harmony.at + start * harmony.beat(),
                0.95 * length * harmony.beat(),
                pitch,
                force + accent,
            );
            if texture == Texture::Chorale || (texture == Texture::Waltz && i == 0) {
                for &voice in &harmony.voices[2..] {
                    let seconds = 0.9 * length * harmony.beat();
                    score.note(part, harmony.at + start * harmony.beat(), seconds, voice, 0.7 * force);
                }
            }
        }
    }
}

/// The left hand over one chord.
fn left(
    score: &mut Score,
    part: usize,
    texture: Texture,
    harmony: &Harmony,
    quick: &Motif,
    low: &mut i32,
    force: f32,
) {
    let beat = harmony.beat();
    let v = &harmony.voices;
    // (steps in beats, pitches in turn)
    let (step, figure): (f32, Vec<i32>) = match texture {
        Texture::Nocturne => (0.5, vec![v[0], v[0] + 7, v[1], v[2], v[3], v[2], v[1], v[0] + 12]),
        Texture::Alberti => (0.25, vec![v[1] - 12, v[3] - 12, v[2] - 12, v[3] - 12]),
        Texture::Study => {
            (0.25, vec![v[0], v[1] - 12, v[2] - 12, v[3] - 12, v[1], v[3] - 12, v[2] - 12, v[1] - 12])
        }
        Texture::Waltz => {
            for i in 0..harmony.beats.round() as usize {
                let at = harmony.at + i as f32 * beat;
                if i % 3 == 0 {
                    score.note(part, at, 0.9 * beat, v[0], force + 0.05);
                } else {
                    for &voice in &v[1..] {
                        score.note(part, at, 0.6 * beat, voice - 12, 0.8 * force);
                    }
                }
            }
            return;
        }
        Texture::Chorale => {
            for pitch in [v[0], v[0] - 12, v[1] - 12] {
                score.note(part, harmony.at, 0.98 * harmony.seconds, pitch.max(28), force);
            }
            return;
        }
        Texture::Invention => {
            for (start, length, pitch) in quick.over(harmony, low, (38, 60), score.dice) {
                // Eighths against the other hand's sixteenths.
                if (start * 2.0).fract() < 0.01 {
                    score.note(part, harmony.at + start * beat, 0.9 * length.max(0.5) * beat, pitch, force);
                }
            }
            return;
        }
    };
    let count = (harmony.beats / step).round().max(1.0) as usize;
    for i in 0..count {
        let held = if i == 0 { 0.9 * harmony.seconds } else { 1.2 * step * beat };
        let accent = if i == 0 { 1.0 } else { 0.8 };
        score.note(part, harmony.at + i as f32 * step * beat, held, figure[i % figure.len()], accent * force);
    }
}

/// Chords spread from the bass and a running upper voice, as on a harpsichord; the same held, as on an organ.
pub fn figured(score: &mut Score, part: usize, plan: &[Harmony], held: bool) {
    let motif = if held {
        Motif::new(&[1.0, 0.5, 0.5, 2.0], score.dice)
    } else {
        Motif::new(&[0.25, 0.25, 0.5, 0.25], score.dice)
    };
    let mut at = 76;
    for harmony in plan {
        let force = if held { 0.75 } else { 0.7 };
        for (i, &pitch) in harmony.voices.iter().enumerate() {
            let spread = if held { 0.0 } else { 0.012 * i as f32 };
            score.note(part, harmony.at + spread, 0.96 * harmony.seconds, pitch, force);
        }
        if held {
            // The feet.
            score.note(part, harmony.at, 0.98 * harmony.seconds, harmony.voices[0] - 12, 0.8);
        }
        for (start, length, pitch) in motif.over(harmony, &mut at, (65, 88), score.dice) {
            score.note(
                part,
                harmony.at + start * harmony.beat(),
                0.93 * length * harmony.beat(),
                pitch,
                force + 0.05,
            );
        }
    }
}
