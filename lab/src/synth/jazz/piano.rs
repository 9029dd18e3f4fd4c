//! A piano alone: stride, or a freer left hand with shells, tenths and walking tenths, and chords under the right hand.

use super::band::{Band, fold};
use super::line::Tone;
use crate::synth::score::Gesture;
use crate::synth::theory::{Change, nearest};

/// Stride: a bass octave or tenth on one and three, a chord on two and four.
pub fn stride(band: &mut Band, at: f32, chord: Change) {
    let root = fold(chord.root + 36, 33, 46);
    for beat in 0..chord.beats as usize {
        let time = at + beat as f32 * band.beat;
        if beat % 2 == 0 {
            let low = if beat % 4 == 0 { root } else { fold(root + chord.quality.tones()[2] - 12, 31, 46) };
            let over = if band.dice.chance(0.4) { chord.quality.tones()[1] + 12 } else { 12 };
            let force = band.dice.within(0.6, 0.8);
            for pitch in [low, low + over] {
                let late = band.late();
                band.comp.note(time + late, 0.8 * band.beat, pitch, force);
            }
        } else {
            let force = band.dice.within(0.45, 0.62);
            let seconds = 0.4 * band.beat;
            band.chord(time, chord, seconds, force);
        }
    }
}

/// A free left hand: shells and chords held by the pedal, or a walking bass in tenths.
pub fn left_hand(band: &mut Band, at: f32, chord: Change, index: usize) {
    let root = fold(chord.root + 36, 33, 46);
    let slow = band.beat > 0.55;
    if slow || index / 8 % 2 == 1 {
        // The pedal changes with the chord.
        band.comp.gesture(at - 0.02, Gesture::Pedal(false));
        band.comp.gesture(at + 0.06, Gesture::Pedal(true));
        let force = band.dice.within(0.45, 0.62);
        let late = band.late();
        band.comp.note(at + late, 0.9 * chord.beats * band.beat, root, force);
        for (n, tone) in [3, 1].into_iter().enumerate() {
            let time = at + late + 0.02 * n as f32;
            band.comp.note(
                time,
                0.9 * chord.beats * band.beat,
                root + chord.quality.tones()[tone] + if n == 1 { 12 } else { 0 },
                0.9 * force,
            );
        }
        let mut beat = 1.0;
        while beat < chord.beats {
            if band.dice.chance(0.6) {
                let time = at + (beat + if band.dice.chance(0.4) { band.swing } else { 0.0 }) * band.beat;
                let force = band.dice.within(0.35, 0.5);
                let seconds = 0.8 * band.beat;
                band.chord(time, chord, seconds, force);
            }
            beat += 1.0;
        }
    } else {
        band.comp.gesture(at - 0.02, Gesture::Pedal(false));
        let mut last = root;
        for beat in 0..chord.beats as usize {
            let time = at + beat as f32 * band.beat + band.late();
            let tone = chord.quality.tones()[if beat == 0 { 0 } else { band.dice.below(4) }];
            last = fold(nearest((chord.root + tone).rem_euclid(12), last), 31, 50);
            let force = band.dice.within(0.5, 0.7);
            band.comp.note(time, 0.93 * band.beat, last, force);
            if band.dice.chance(0.3) {
                band.comp.note(
                    time,
                    0.8 * band.beat,
                    last + 16 - i32::from(tone == chord.quality.tones()[0] && chord.quality.tones()[1] == 3),
                    0.8 * force,
                );
            }
        }
        if band.dice.chance(0.6) {
            let eighth = *band.dice.pick(&[1, 3, 5]);
            let time = at + band.eighth(eighth);
            let seconds = 0.4 * band.beat;
            band.chord(time, chord, seconds, 0.45);
        }
    }
}

/// Chords, octaves and grace notes under and before some notes of the right hand's line.
pub fn thicken(band: &mut Band, at: f32, row: &[Change], tones: &[Tone], seconds: f32) {
    let mut ends = Vec::new();
    let mut total = 0;
    for change in row {
        total += (2.0 * change.beats) as usize;
        ends.push(total);
    }
    for tone in tones {
        let time = at + band.eighth(tone.eighth) + 0.006;
        if time >= seconds {
            break;
        }
        let Some(index) = ends.iter().position(|&end| end > tone.eighth) else { break };
        let chord = row[index];
        if tone.length > 1 && band.dice.chance(0.55) {
            let long = 0.85 * (band.eighth(tone.eighth + tone.length) - band.eighth(tone.eighth));
            let mut pitch = tone.pitch - 3;
            let voices = 1 + band.dice.below(3);
            for _ in 0..voices {
                while !chord.quality.voicing().iter().any(|t| (pitch - chord.root - t).rem_euclid(12) == 0) {
                    pitch -= 1;
                }
                let force = band.dice.within(0.4, 0.58);
                band.solo.note(time, long, pitch, force);
                pitch -= 3;
            }
        } else if band.dice.chance(0.06) {
            // A crushed note a half step below.
            band.solo.note(time - 0.035, 0.04, tone.pitch - 1, 0.5);
        }
    }
}
