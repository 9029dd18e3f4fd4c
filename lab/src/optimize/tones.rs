//! Held chords with a beat, from low to high: sounds that are in no set of recordings and in every session now and then (a
//! synthesizer, a test tone, a hum). Networks that learned from music give larger numbers for them than for any music. If
//! these are not known when ranges are chosen they saturate, and an INT8 network answers something else than the FP32 one.

use super::sounds::{Clip, Sounds};
use idiom_engine::model::ModelMeta;
use idiom_engine::rt::features::columns::Columns;
use std::f32::consts::TAU;

/// Chords, and the length of each in seconds.
const CHORDS: usize = 24;
const SECONDS: f32 = 4.0;
/// Sample rate in Hz.
const RATE: f32 = 24_000.0;

/// The chords as a model hears them. Nobody knows what they are: they have no label.
pub fn sounds(meta: &ModelMeta) -> Sounds {
    let clip = |number| Clip {
        columns: Columns::of_sound(meta.features, &chord(number), RATE),
        group: number,
        ..Clip::default()
    };
    Sounds {
        name: "generated chords".into(),
        rows: meta.features.rows(),
        classes: meta.classes.clone(),
        clips: (0..CHORDS).map(clip).collect(),
    }
}

/// Chord number `number`: two octaves of roots in an order that mixes low and high, major and minor, one tone one to four
/// octaves above the root, a soft bass drum twice a second.
fn chord(number: usize) -> Vec<f32> {
    let root = 220.0 * (((number * 7) % 24) as f32 / 12.0 - 1.0).exp2();
    let third = if number.is_multiple_of(2) { 1.2 } else { 1.25 };
    let high = 2.0 * (1 + number % 4) as f32;
    let sample = |n: usize| {
        let t = n as f32 / RATE;
        let tone = |hz: f32| (TAU * hz * t).sin();
        let tones: f32 = [1.0, third, 1.5, high].map(|ratio| tone(root * ratio)).iter().sum();
        0.1 * tones + 0.2 * (-8.0 * (2.0 * t).fract()).exp() * tone(55.0)
    };
    (0..(SECONDS * RATE) as usize).map(sample).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::model::random;

    #[test]
    fn chords_differ_and_are_the_same_every_time() {
        let meta = random::flagship(1).meta;
        let (first, again) = (sounds(&meta), sounds(&meta));
        assert_eq!((first.clips.len(), first.hash()), (CHORDS, again.hash()));
        for (i, clip) in first.clips.iter().enumerate() {
            assert_eq!(clip.columns.len(), 200 * 40);
            assert!(first.clips[..i].iter().all(|other| other.columns != clip.columns), "chord {i}");
        }
    }
}
