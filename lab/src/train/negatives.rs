//! Sounds of nothing as training sees them. Their target is "all classes equally", so that a model stays uncertain where
//! there is nothing to recognise.

use super::sounds::Sound;
use crate::features::ClipFeatures;
use crate::synth::nothing;
use idiom_engine::model::InputKind;

/// `count` different sounds of nothing; the same seed gives the same ones.
pub fn sounds(count: usize, seed: u64, input: InputKind) -> Vec<Sound> {
    nothing::sounds(count, seed)
        .enumerate()
        .map(|(index, mono)| Sound {
            path: format!("nothing {index}").into(),
            ..Sound::of(ClipFeatures::of_sound(&mono, nothing::RATE), input)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_finite_audible_and_the_same_for_the_same_seed() {
        let made = sounds(9, 7, InputKind::LogMel40);
        let again = sounds(9, 7, InputKind::LogMel40);
        for (a, b) in made.iter().zip(&again) {
            assert_eq!(a.columns, b.columns);
            assert_eq!(a.frames(40), nothing::SECONDS * 50);
            assert!(a.columns.iter().all(|x| x.is_finite() && x.abs() <= 4.0));
            assert!(a.columns.iter().any(|&x| x != a.columns[0]));
        }
        assert_ne!(made[0].columns, made[8].columns, "two of a kind are different");
    }
}
