//! Changing a profile by hand, so that the preset stays one that may be saved and played.

use super::trim::loudness_trim_db;
use super::{Parameter, Profile, Profiles};
use crate::controls::Section;
use crate::genre::Genre;

impl Profiles {
    /// The smallest and largest value that `genre` may have for `parameter`: its range, and no further from another
    /// genre's value than [`Spec::spread`](super::parameter::Spec::spread) allows.
    pub fn room(&self, genre: Genre, parameter: Parameter) -> (f32, f32) {
        let spec = parameter.spec();
        let others = Genre::ALL.into_iter().filter(|other| *other != genre);
        let (min, max) = others.map(|other| parameter.to_domain(self.genres[other.index()][parameter])).fold(
            parameter.domain_range(),
            |(min, max), other| {
                (min.max(other - f64::from(spec.spread)), max.min(other + f64::from(spec.spread)))
            },
        );
        (parameter.from_domain(min).max(spec.range.0), parameter.from_domain(max).min(spec.range.1))
    }

    /// Sets what a genre asks for, as near to `value` as there is [`room`](Self::room), and returns what that is. What
    /// the equalizer does to loudness is evened out anew. The equalizer's trim itself is computed and stays.
    pub fn edit(&mut self, genre: Genre, parameter: Parameter, value: f32) -> f32 {
        let (min, max) = self.room(genre, parameter);
        let profile = &mut self.genres[genre.index()];
        // In the precision of preset files, so that what is saved is what was edited, within the same bounds.
        let [least, nearest, most] =
            [(1e3 * min - 1e-3).ceil(), (1e3 * value).round(), (1e3 * max + 1e-3).floor()].map(|x| x / 1e3);
        if parameter != Parameter::EqTrim && value.is_finite() && least <= most {
            profile[parameter] = nearest.clamp(least, most);
            if parameter.section() == Section::Eq {
                profile[Parameter::EqTrim] = loudness_trim_db(profile);
            }
        }
        profile[parameter]
    }
}

/// What a profile has to ask for so that `heard` is in force at full Amount, above this own setting of the user.
pub fn asked_for(parameter: Parameter, heard: f32, own: f32) -> f32 {
    let neutral = parameter.to_domain(Profile::NEUTRAL[parameter]);
    let asked = parameter.to_domain(heard) - parameter.to_domain(own) + neutral;
    let (min, max) = parameter.domain_range();
    parameter.from_domain(asked.clamp(min, max))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::{FACTORY_FILES, Preset};

    /// Whatever a hand does to whichever preset, the result can be saved and read again.
    #[test]
    fn what_was_edited_can_be_saved_and_loaded() {
        let mut state = 1u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 24) as f32
        };
        for preset in Preset::factory() {
            let mut edited = preset.clone();
            for _ in 0..100 {
                let genre = Genre::ALL[(random() * 5.0) as usize % 5];
                let parameter = Parameter::ALL[(random() * Parameter::ALL.len() as f32) as usize];
                let (min, max) = parameter.spec().range;
                let value = min + (max - min) * (1.4 * random() - 0.2);
                let is = edited.profiles.edit(genre, parameter, value);
                assert_eq!(is, edited.profiles.genres[genre.index()][parameter]);
            }
            let read = Preset::parse(&edited.to_text()).expect("it stays a valid preset");
            for (a, b) in read.profiles.genres.iter().zip(&edited.profiles.genres) {
                for (&parameter, (a, b)) in Parameter::ALL.iter().zip(a.values().iter().zip(b.values())) {
                    assert!(
                        (a - b).abs() < 2e-3 * (1.0 + b.abs()),
                        "{}: {parameter:?} {a}, not {b}",
                        preset.name
                    );
                }
            }
        }
        assert!(!FACTORY_FILES.is_empty());
    }

    #[test]
    fn an_edit_goes_as_far_as_the_other_genres_allow() {
        let mut profiles = Profiles::default();
        assert_eq!(profiles.edit(Genre::Rock, Parameter::LowDb, 12.0), 10.0, "10 dB above the others");
        assert_eq!(profiles.edit(Genre::Jazz, Parameter::LowDb, -3.0), 0.0, "10 dB below rock");
        assert_eq!(profiles.edit(Genre::Jazz, Parameter::LowDb, f32::NAN), 0.0);
        assert_eq!(profiles.room(Genre::Rock, Parameter::LowDb), (-10.0, 10.0));
        let trim = profiles.genres[Genre::Rock.index()][Parameter::EqTrim];
        assert!(trim < -0.5, "10 dB of lows are evened out by {trim} dB");
    }

    #[test]
    fn what_is_asked_for_is_what_is_to_be_heard_less_the_own_setting() {
        assert_eq!(asked_for(Parameter::LowDb, 4.0, 1.0), 3.0);
        let hz = asked_for(Parameter::LowHz, 180.0, 180.0);
        assert!((hz - Profile::NEUTRAL[Parameter::LowHz]).abs() < 0.01);
    }
}
