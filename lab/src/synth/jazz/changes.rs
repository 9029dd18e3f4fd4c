//! Chord changes of common jazz forms, as text: a bar between bars, chords in it share its beats.

use crate::synth::dice::Dice;
use crate::synth::theory::{Change, Quality};

/// Forms that the recipes choose from, by index. Roots as in C; `m` minor seventh, `7` dominant, `j` major seventh, `h`
/// half-diminished, `o` diminished.
const FORMS: [&str; 14] = [
    // 0: blues.
    "C7|F7|C7|Gm C7|F7|F#o|C7|Em A7|Dm|G7|C7 A7|Dm G7",
    // 1: rhythm changes.
    "Cj A7|Dm G7|Em A7|Dm G7|Gm C7|Fj F#o|Cj A7|Dm G7|Cj A7|Dm G7|Em A7|Dm G7|Gm C7|Fj F#o|Dm G7|Cj|\
     E7|E7|A7|A7|D7|D7|G7|G7|Cj A7|Dm G7|Em A7|Dm G7|Gm C7|Fj F#o|Dm G7|Cj",
    // 2: falling fifths in minor.
    "Fm|Bb7|Ebj|Abj|Dh|G7|Cm|Cm|Dh|G7|Cm|Cm|Fm|Bb7|Ebj|Ebj|Dh|G7|Cm F7|Bbm Eb7|Abj|G7|Cm|Cm",
    // 3: a song in major.
    "Cj|Cj|Dm|G7|Em|A7|Dm|G7|Fj|Fm Bb7|Em|Ebo|Dm|G7|Cj|G7",
    // 4: minor blues.
    "Cm|Cm|Cm|C7|Fm|Fm|Cm|Cm|Ab7|G7|Cm|Dh G7",
    // 5: modal, two chords.
    "Dm|Dm|Dm|Dm|Dm|Dm|Dm|Dm|Ebm|Ebm|Ebm|Ebm|Dm|Dm|Dm|Dm",
    // 6: turns through distant keys.
    "Bj D7|Gj Bb7|Ebj|Am D7|Gj Bb7|Ebj F#7|Bj|Fm Bb7|Ebj|Am D7|Gj|C#m F#7|Bj|Fm Bb7|Ebj|C#m F#7",
    // 7: bossa.
    "Fj|Fj|G7|G7|Gm|C7|Fj|F#7|Fj|Fj|G7|G7|Gm|C7|Fj|Fj|F#j|F#j|B7|B7|F#m|F#m|D7|D7",
    // 8: bossa in minor.
    "Cm|Cm|Fm|Fm|Dh|G7|Cm|Cm|Ebm|Ab7|Dbj|Dbj|Dh|G7|Cm|Dh G7",
    // 9: ballad.
    "Cj|Fm Bb7|Cj|Bb7 A7|Dm|G7|Em A7|Dm G7|Fj|F#h B7|Em|A7|Dm|Fm Bb7|Em Ebo|Dm G7",
    // 10: old time, with secondary dominants.
    "Cj|E7|A7|A7|D7|G7|Cj|G7|Cj|E7|A7|A7|D7|G7|Cj|Cj",
    // 11: ragtime.
    "Cj|Cj|G7|Cj|Cj|A7|D7|G7|Cj|C7|Fj|F#o|Cj A7|D7 G7|Cj|Cj",
    // 12: montuno.
    "Cm|Cm Fm|G7|G7 Cm|Cm|Fm|G7|Cm",
    // 13: fusion vamp.
    "Em|Em A7|Cj|D7|Em|Em A7|Fj|F#h B7",
];

/// The chords of one chorus of a form, in a random key. `waltz` bars have three beats.
pub fn changes(form: usize, waltz: bool, dice: &mut Dice) -> Vec<Change> {
    let key = dice.below(12) as i32;
    let bar = if waltz { 3.0 } else { 4.0 };
    let parse = |text: &str, beats: f32| {
        let (quality, name) = match text.as_bytes()[text.len() - 1] {
            b'm' => (Quality::Minor, &text[..text.len() - 1]),
            b'7' => (Quality::Dominant, &text[..text.len() - 1]),
            b'h' => (Quality::HalfDiminished, &text[..text.len() - 1]),
            b'o' => (Quality::Diminished, &text[..text.len() - 1]),
            _ => (Quality::Major, &text[..text.len() - 1]),
        };
        let natural = [9, 11, 0, 2, 4, 5, 7][usize::from(name.as_bytes()[0] - b'A')];
        let shift = match name.as_bytes().get(1) {
            Some(b'#') => 1,
            Some(b'b') => -1,
            _ => 0,
        };
        Change { root: (natural + shift + key).rem_euclid(12), quality, beats }
    };
    FORMS[form]
        .split('|')
        .flat_map(|bar_text| {
            let chords: Vec<&str> = bar_text.split_whitespace().collect();
            let shares: Vec<f32> = match (chords.len(), waltz) {
                (1, _) => vec![bar],
                (_, true) => vec![2.0, 1.0],
                (count, false) => vec![bar / count as f32; count],
            };
            chords.into_iter().zip(shares).map(|(text, beats)| parse(text, beats)).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_whole_bars_and_a_blues_has_twelve() {
        for form in 0..FORMS.len() {
            let beats: f32 = changes(form, false, &mut Dice::new(1)).iter().map(|change| change.beats).sum();
            assert_eq!(beats % 16.0, 0.0, "form {form}: {beats} beats");
        }
        let blues = changes(0, false, &mut Dice::new(1));
        assert_eq!(blues.iter().map(|change| change.beats).sum::<f32>(), 48.0);
        assert_eq!((blues[1].root - blues[0].root).rem_euclid(12), 5);
        assert_eq!(changes(3, true, &mut Dice::new(1)).iter().map(|change| change.beats).sum::<f32>(), 48.0);
    }
}
