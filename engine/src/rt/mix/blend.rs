//! Blends the profiles of a preset, each parameter in the domain in which halfway sounds like halfway.
//!
//! Gains, threshold and knee are blended in dB; frequencies, Q and times by their logarithm; the ratio R as the slope
//! 1 - 1/R, because gain reduction in dB is proportional to it.

use crate::genre::GENRES;
use crate::profile::{Profile, Profiles};

/// How many numbers a profile has.
pub const PARAMETERS: usize = 14;

/// Positions of the blended numbers.
pub mod at {
    /// Gain in dB of low shelf, mid bell, high shelf.
    pub const EQ_DB: [usize; 3] = [0, 1, 2];
    /// Natural logarithm of the frequency in Hz of low shelf, mid bell, high shelf.
    pub const EQ_LN_HZ: [usize; 3] = [3, 4, 5];
    /// Natural logarithm of the bell's Q.
    pub const MID_LN_Q: usize = 6;
    /// Compressor threshold in dBFS RMS.
    pub const THRESHOLD_DB: usize = 7;
    /// Compressor slope, 1 - 1/ratio.
    pub const SLOPE: usize = 8;
    /// Knee width in dB.
    pub const KNEE_DB: usize = 9;
    /// Natural logarithm of the attack in ms.
    pub const LN_ATTACK_MS: usize = 10;
    /// Natural logarithm of the release in ms.
    pub const LN_RELEASE_MS: usize = 11;
    /// Make-up gain in dB.
    pub const MAKEUP_DB: usize = 12;
    /// Gain in dB that evens out the equalizer's loudness.
    pub const TRIM_DB: usize = 13;
}

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

fn to_blend(profile: &Profile) -> [f64; PARAMETERS] {
    let Profile { eq, compressor: c } = profile;
    let ln = |value: f32| f64::from(value.max(1e-3)).ln();
    [
        eq.low_db.into(),
        eq.mid_db.into(),
        eq.high_db.into(),
        ln(eq.low_hz),
        ln(eq.mid_hz),
        ln(eq.high_hz),
        ln(eq.mid_q),
        c.threshold_db.into(),
        1.0 - 1.0 / f64::from(c.ratio.max(1.0)),
        c.knee_db.into(),
        ln(c.attack_ms),
        ln(c.release_ms),
        c.makeup_db.into(),
        eq.trim_db.into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Preset;

    #[test]
    fn halfway_is_halfway_in_each_parameters_own_domain() {
        let mut profiles = Preset::factory()[0].profiles;
        profiles.genres[0].eq.low_hz = 50.0;
        profiles.genres[1].eq.low_hz = 200.0;
        profiles.genres[0].eq.low_db = -6.0;
        profiles.genres[1].eq.low_db = 2.0;
        profiles.genres[0].compressor.ratio = 1.0;
        profiles.genres[1].compressor.ratio = 4.0;
        let blend = Blend::new(&profiles);
        let half = blend.mix(&[0.5, 0.5, 0.0, 0.0, 0.0]);
        assert!((half[at::EQ_LN_HZ[0]].exp() - 100.0).abs() < 1e-3);
        assert!((half[at::EQ_DB[0]] + 2.0).abs() < 1e-6);
        assert!((half[at::SLOPE] - 0.375).abs() < 1e-6);
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
