//! Improvised lines: phrases of swung eighths built from arpeggios, scale runs, enclosures and half-step approaches to
//! the next chord's third or seventh, with rests between them.

use crate::synth::dice::Dice;
use crate::synth::theory::{Change, degree, nearest};

/// A note of a line, in eighths of the chorus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// Where it begins.
    pub eighth: usize,
    /// How many eighths it lasts.
    pub length: usize,
    /// MIDI pitch.
    pub pitch: i32,
    /// Whether a triplet fills this eighth pair: 0 no, else which third of it.
    pub triplet: usize,
}

/// The pitch of the chord's scale nearest to `near`, in steps of a direction if it would repeat.
fn scale_step(chord: &Change, from: i32, direction: i32) -> i32 {
    let scale = chord.quality.scale();
    let within = |pitch: i32| scale.contains(&(pitch - chord.root).rem_euclid(12));
    let mut pitch = from + direction;
    while !within(pitch) {
        pitch += direction;
    }
    pitch
}

/// Writes a line over one chorus of changes within a range of pitches. `density` from 0 (sparse) to 1 (bebop).
pub fn improvise(changes: &[Change], (low, high): (i32, i32), density: f32, dice: &mut Dice) -> Vec<Tone> {
    // The chord at each eighth.
    let grid: Vec<usize> = changes
        .iter()
        .enumerate()
        .flat_map(|(index, change)| std::iter::repeat_n(index, (2.0 * change.beats) as usize))
        .collect();
    let mut tones = Vec::new();
    let mut pitch = (low + high) / 2 + dice.below(7) as i32 - 3;
    let mut eighth = dice.below(4);
    while eighth < grid.len() {
        let phrase = 3 + dice.below((4.0 + 14.0 * density) as usize);
        let end = (eighth + phrase).min(grid.len());
        let mut direction = if pitch > (low + high) / 2 { -1 } else { 1 };
        // What the hand is doing now: 0 scale, 1 arpeggio, 2 enclosure.
        let mut pattern = dice.below(3);
        let mut left = 2 + dice.below(4);
        while eighth < end {
            let chord = &changes[grid[eighth]];
            let changing = grid.get(eighth + 1).is_some_and(|&next| next != grid[eighth]);
            let on_beat = eighth.is_multiple_of(2);
            if left == 0 {
                pattern = dice.below(3);
                left = 2 + dice.below(5);
                if dice.chance(0.4) {
                    direction = -direction;
                }
            }
            left -= 1;
            pitch = if changing {
                // A half step to the third or seventh of what comes.
                let next = &changes[grid[eighth + 1]];
                let guide = next.quality.tones()[if dice.chance(0.6) { 1 } else { 3 }];
                let target = nearest((next.root + guide).rem_euclid(12), pitch);
                target + if dice.chance(0.5) { 1 } else { -1 }
            } else {
                match pattern {
                    1 => {
                        let tones = chord.quality.tones();
                        let above = (1..=9).map(|d| pitch + direction * d);
                        above
                            .clone()
                            .find(|p| tones.contains(&(p - chord.root).rem_euclid(12)))
                            .unwrap_or(pitch + direction)
                    }
                    2 if left % 3 == 1 => scale_step(chord, pitch, 1),
                    2 if left % 3 == 0 => pitch - 3,
                    _ if on_beat || dice.chance(0.85) => scale_step(chord, pitch, direction),
                    _ => pitch + direction,
                }
            };
            if on_beat && !changing && dice.chance(0.5) {
                // Strong beats are drawn to chord tones.
                let tone = *dice.pick(&chord.quality.tones());
                let near = nearest((chord.root + tone).rem_euclid(12), pitch);
                if (near - pitch).abs() <= 2 {
                    pitch = near;
                }
            }
            while pitch > high {
                pitch -= 12;
                direction = -1;
            }
            while pitch < low {
                pitch += 12;
                direction = 1;
            }
            if pitch > high - 3 {
                direction = -1;
            } else if pitch < low + 3 {
                direction = 1;
            }
            let length = if eighth + 1 == end {
                1 + dice.below(4)
            } else if dice.chance(0.55 * (1.0 - density)) {
                2 + dice.below(2)
            } else {
                1
            };
            if on_beat && length == 1 && dice.chance(0.07 * density) {
                for third in 1..=3 {
                    tones.push(Tone { eighth, length: 1, pitch, triplet: third });
                    pitch = scale_step(chord, pitch, direction);
                }
                eighth += 2;
                continue;
            }
            tones.push(Tone { eighth, length, pitch, triplet: 0 });
            eighth += length;
        }
        let rest = 1 + dice.below((3.0 + 8.0 * (1.0 - density)) as usize);
        eighth = eighth.max(end) + rest;
    }
    tones
}

/// A theme: a motif of two bars, repeated and fitted to the chords.
pub fn theme(changes: &[Change], (low, high): (i32, i32), dice: &mut Dice) -> Vec<Tone> {
    let total: usize = changes.iter().map(|change| (2.0 * change.beats) as usize).sum();
    let mut motif: Vec<(usize, usize, i32)> = Vec::new();
    let mut at = dice.below(3);
    while at < 16 {
        let length = *dice.pick(&[1, 1, 2, 3, 3, 4]);
        if dice.chance(0.75) {
            motif.push((at, length.min(16 - at), dice.below(5) as i32 - 2));
        }
        at += length;
    }
    let starts: Vec<usize> = changes
        .iter()
        .scan(0, |at, change| {
            let start = *at;
            *at += (2.0 * change.beats) as usize;
            Some(start)
        })
        .collect();
    let mut tones = Vec::new();
    let mut pitch = (low + high) / 2;
    for block in (0..total).step_by(16) {
        for &(offset, length, step) in &motif {
            let eighth = block + offset;
            if eighth >= total {
                break;
            }
            let index = starts.partition_point(|&start| start <= eighth) - 1;
            let chord = &changes[index];
            let wanted = pitch + 2 * step;
            let tone = if length > 1 {
                let guide = *dice.pick(&[1, 2, 3, 1]);
                nearest((chord.root + chord.quality.tones()[guide]).rem_euclid(12), wanted)
            } else {
                let near = (0..7).map(|d| chord.root + degree(chord.quality.scale(), d));
                near.map(|p| nearest(p.rem_euclid(12), wanted))
                    .min_by_key(|p| (p - wanted).abs())
                    .unwrap_or(wanted)
            };
            pitch = tone;
            while pitch > high {
                pitch -= 12;
            }
            while pitch < low {
                pitch += 12;
            }
            tones.push(Tone { eighth, length, pitch, triplet: 0 });
        }
    }
    tones
}
