//! Blends the profiles of a preset, each parameter in the domain in which halfway sounds like halfway: gains in dB,
//! frequencies and times by their logarithm, the ratio as a slope; see
//! [`Domain`](crate::profile::parameter::Domain).

use crate::genre::GENRES;
use crate::profile::{PARAMETERS, Parameter, Profile, Profiles};

/// The profiles of a preset in the domain in which they are blended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    neutral: [f64; PARAMETERS],
    genres: [[f64; PARAMETERS]; GENRES],
}

impl Blend {
    /// Converts a preset's numbers.
    pub fn new(profiles: &Profiles) -> Blend {
        Blend { neutral: to_blend(&profiles.neutral), genres: profiles.genres.map(|p| to_blend(&p)) }
    }

    /// The profile that leaves the sound alone.
    pub fn neutral(&self) -> [f64; PARAMETERS] {
        self.neutral
    }

    /// The weighted mean. `weights` are not negative; what their sum lacks to 1 goes to the neutral profile.
    pub fn mix(&self, weights: &[f32; GENRES]) -> [f64; PARAMETERS] {
        let weights = weights.map(|w| f64::from(w).clamp(0.0, 1.0));
        let sum: f64 = weights.iter().sum();
        let scale = 1.0 / sum.max(1.0);
        let rest = 1.0 - sum * scale;
        std::array::from_fn(|i| {
            let genres = self.genres.iter().zip(&weights).map(|(genre, w)| w * scale * genre[i]);
            rest * self.neutral[i] + genres.sum::<f64>()
        })
    }
}

/// A profile in the domains of blending.
pub fn to_blend(profile: &Profile) -> [f64; PARAMETERS] {
    std::array::from_fn(|i| {
        let parameter = Parameter::ALL[i];
        parameter.to_domain(profile[parameter])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Preset;

    #[test]
    fn halfway_is_halfway_in_each_parameters_own_domain() {
        let mut profiles = Preset::factory()[0].profiles;
        profiles.genres[0][Parameter::LowHz] = 50.0;
        profiles.genres[1][Parameter::LowHz] = 200.0;
        profiles.genres[0][Parameter::LowDb] = -6.0;
        profiles.genres[1][Parameter::LowDb] = 2.0;
        profiles.genres[0][Parameter::Ratio] = 1.0;
        profiles.genres[1][Parameter::Ratio] = 4.0;
        let blend = Blend::new(&profiles);
        let half = blend.mix(&[0.5, 0.5, 0.0, 0.0, 0.0]);
        let at = |parameter: Parameter| parameter.to_processor(half[parameter as usize]);
        assert!((at(Parameter::LowHz) - 100.0).abs() < 1e-3);
        assert!((at(Parameter::LowDb) + 2.0).abs() < 1e-6);
        assert!((at(Parameter::Ratio) - 0.375).abs() < 1e-6);
        assert_eq!(blend.mix(&[0.0; 5]), blend.neutral());
        let one = blend.mix(&[0.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(one.iter().zip(blend.genres[1]).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn weights_that_are_too_much_are_scaled_down() {
        let blend = Blend::new(&Preset::factory()[0].profiles);
        assert_eq!(blend.mix(&[1.0; 5]), blend.mix(&[0.2; 5]), "five full weights are an even mix");
    }
}
