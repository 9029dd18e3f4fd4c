//! How much louder an equalizer makes music, so that it can be taken back.

use super::{Parameter, Profile};
use crate::rt::mix::eq::{SHELF_Q, Shape};
use crate::rt::mix::eq_design::prototype_power;
use crate::rt::mix::loudness::k_power;

/// The bands of a profile's equalizer: shape, and `[hz, gain, q]`.
pub fn bands(profile: &Profile) -> [(Shape, [f64; 3]); 5] {
    let value = |parameter| f64::from(profile[parameter]);
    [
        (Shape::HighPass, [value(Parameter::LowCutHz), value(Parameter::LowCut), SHELF_Q]),
        (Shape::LowShelf, [value(Parameter::LowHz), value(Parameter::LowDb), value(Parameter::LowQ)]),
        (Shape::Bell, [value(Parameter::MidHz), value(Parameter::MidDb), value(Parameter::MidQ)]),
        (
            Shape::Bell,
            [value(Parameter::PresenceHz), value(Parameter::PresenceDb), value(Parameter::PresenceQ)],
        ),
        (Shape::HighShelf, [value(Parameter::HighHz), value(Parameter::HighDb), value(Parameter::HighQ)]),
    ]
}

/// The gain in dB that leaves the loudness (BS.1770) of pink noise as it was before the profile's equalizer.
pub fn loudness_trim_db(profile: &Profile) -> f32 {
    let bands = bands(profile);
    // Pink noise has the same power in every band of a constant share of an octave.
    let (mut before, mut after) = (0.0, 0.0);
    for step in 0..120 {
        let hz = 20.0 * 1_000f64.powf(f64::from(step) / 119.0);
        let weight = k_power(hz);
        let gain: f64 = bands
            .iter()
            .map(|&(shape, setting)| match shape {
                // A share of 0 is no cut; between, amplitudes mix.
                Shape::HighPass => {
                    let cut = prototype_power(shape, setting, hz).sqrt();
                    (1.0 + setting[1] * (cut - 1.0)).powi(2)
                }
                _ => prototype_power(shape, setting, hz),
            })
            .product();
        before += weight;
        after += weight * gain;
    }
    (-10.0 * (after / before).log10()) as f32
}
