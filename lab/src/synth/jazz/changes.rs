//! Chord changes of common jazz forms: a twelve-bar blues, a song on rhythm changes, and two standards' worth of turns.

use crate::synth::dice::Dice;
use crate::synth::theory::{Change, Quality};

/// The chords of one chorus, in a random key.
pub fn changes(style: usize, dice: &mut Dice) -> Vec<Change> {
    use Quality::{Diminished as O, Dominant as D, HalfDiminished as H, Major as M, Minor as m};
    let blues: &[(i32, Quality, f32)] = &[
        (0, D, 4.0),
        (5, D, 4.0),
        (0, D, 4.0),
        (7, m, 2.0),
        (0, D, 2.0),
        (5, D, 4.0),
        (6, O, 4.0),
        (0, D, 4.0),
        (9, D, 4.0),
        (2, m, 4.0),
        (7, D, 4.0),
        (0, D, 2.0),
        (9, D, 2.0),
        (2, m, 2.0),
        (7, D, 2.0),
    ];
    let rhythm: &[(i32, Quality, f32)] = &[
        (0, M, 2.0),
        (9, D, 2.0),
        (2, m, 2.0),
        (7, D, 2.0),
        (4, m, 2.0),
        (9, D, 2.0),
        (2, m, 2.0),
        (7, D, 2.0),
        (7, m, 2.0),
        (0, D, 2.0),
        (5, M, 2.0),
        (6, O, 2.0),
        (0, M, 2.0),
        (9, D, 2.0),
        (2, m, 2.0),
        (7, D, 2.0),
        (4, D, 8.0),
        (9, D, 8.0),
        (2, D, 8.0),
        (7, D, 8.0),
    ];
    let leaves: &[(i32, Quality, f32)] = &[
        (5, m, 4.0),
        (10, D, 4.0),
        (3, M, 4.0),
        (8, M, 4.0),
        (2, H, 4.0),
        (7, D, 4.0),
        (0, m, 4.0),
        (0, m, 4.0),
        (2, H, 4.0),
        (7, D, 4.0),
        (0, m, 4.0),
        (0, D, 4.0),
    ];
    let turns: &[(i32, Quality, f32)] = &[
        (0, M, 4.0),
        (0, M, 4.0),
        (2, m, 4.0),
        (7, D, 4.0),
        (4, m, 4.0),
        (9, D, 4.0),
        (2, m, 4.0),
        (7, D, 4.0),
        (5, M, 4.0),
        (5, m, 2.0),
        (10, D, 2.0),
        (4, m, 4.0),
        (3, O, 4.0),
        (2, m, 4.0),
        (7, D, 4.0),
        (0, M, 4.0),
        (7, D, 4.0),
    ];
    let form = match style {
        2 | 3 => *dice.pick(&[leaves, turns]),
        _ => *dice.pick(&[blues, rhythm, leaves, turns]),
    };
    let key = dice.below(12) as i32;
    form.iter().map(|&(root, quality, beats)| Change { root: (root + key) % 12, quality, beats }).collect()
}
