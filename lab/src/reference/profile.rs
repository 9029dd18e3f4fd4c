//! From a comparison of two characters to a profile.

use super::{BANDS, Character, centre_hz};
use idiom_engine::Genre;
use idiom_engine::profile::trim::bands;
use idiom_engine::profile::{Parameter, Profile, Profiles};
use idiom_engine::rt::mix::eq_design::prototype_power;

/// Most that a band of the equalizer is moved, in dB: more is a matter for the mix, not for the bus.
const MOST_DB: f64 = 6.0;

/// Most that is compressed.
const MOST_RATIO: f64 = 4.0;

/// The gains that are fitted.
const GAINS: [Parameter; 4] = [Parameter::LowDb, Parameter::MidDb, Parameter::PresenceDb, Parameter::HighDb];

/// What was done to a profile, and what is left to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Learnt {
    /// Root mean square over the third octaves of what the equalizer should do, before and after, in dB.
    pub difference_db: [f64; 2],
}

/// Changes what `genre` asks for so that sound like `own` comes near `reference`. Frequencies, times and whatever
/// cannot be measured stay as the preset has them. What is asked for stays within what the preset's other genres allow.
pub fn learn(profiles: &mut Profiles, genre: Genre, reference: &Character, own: &Character) -> Learnt {
    let wanted: [f64; BANDS] = std::array::from_fn(|i| reference.spectrum_db[i] - own.spectrum_db[i]);
    let gains = fit(&profiles.genres[genre.index()], &wanted);
    for (parameter, gain) in GAINS.into_iter().zip(gains) {
        profiles.edit(genre, parameter, gain as f32);
    }
    // A compressor of ratio R leaves 1/R of the spread above its threshold, so that has to lie under what is loud.
    let ratio = (own.spread_db / reference.spread_db.max(0.1)).clamp(1.0, MOST_RATIO);
    profiles.edit(genre, Parameter::Ratio, ratio as f32);
    if ratio > 1.05 {
        profiles.edit(genre, Parameter::Threshold, (own.lufs - own.spread_db) as f32);
    }
    // Mono sound has no sides to be moved.
    if own.width > 1e-3 && reference.width > 1e-3 {
        profiles.edit(genre, Parameter::Width, (reference.width / own.width) as f32);
    }
    let mono = reference.bass_width < 0.05 && own.bass_width > 0.05;
    profiles.edit(genre, Parameter::MonoBass, f32::from(u8::from(mono)));
    // One preset has one loudness, and one way to it, so that a change of genre is none of loudness.
    let target = Parameter::Target.spec().range;
    for genre in &mut profiles.genres {
        genre[Parameter::Target] = (reference.lufs as f32).clamp(target.0, target.1);
        genre[Parameter::TargetRange] = genre[Parameter::TargetRange].max(6.0);
    }
    let left: [f64; BANDS] = {
        let response = response_db(&profiles.genres[genre.index()]);
        std::array::from_fn(|i| wanted[i] - response[i])
    };
    Learnt { difference_db: [rms(&wanted), rms(&left)] }
}

/// Root mean square about the mean: level is not a matter of the equalizer.
fn rms(bands: &[f64; BANDS]) -> f64 {
    let mean = bands.iter().sum::<f64>() / BANDS as f64;
    (bands.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / BANDS as f64).sqrt()
}

/// What a profile's equalizer does in each third octave, in dB.
fn response_db(profile: &Profile) -> [f64; BANDS] {
    let bands = bands(profile);
    std::array::from_fn(|i| {
        let power = |(shape, setting)| prototype_power(shape, setting, centre_hz(i));
        // The first is the low cut, which stays as it is.
        10.0 * bands[1..].iter().copied().map(power).product::<f64>().log10()
    })
}

/// The gains whose response is nearest to `wanted` but for a constant: least squares, repeated because a band's shape
/// depends a little on its gain.
fn fit(profile: &Profile, wanted: &[f64; BANDS]) -> [f64; 4] {
    let mut profile = *profile;
    let mut gains = GAINS.map(|parameter| f64::from(profile[parameter]));
    for _ in 0..8 {
        let now = response_db(&profile);
        // How the response moves with each gain, and with the level.
        let mut slopes = [[1.0; BANDS]; 5];
        for (slope, parameter) in slopes.iter_mut().zip(GAINS) {
            let mut moved = profile;
            moved[parameter] += 0.5;
            let then = response_db(&moved);
            *slope = std::array::from_fn(|i| 2.0 * (then[i] - now[i]));
        }
        let missing: [f64; BANDS] = std::array::from_fn(|i| wanted[i] - now[i]);
        let mut rows = [[0.0; 6]; 5];
        for (r, row) in rows.iter_mut().enumerate() {
            for (c, cell) in row.iter_mut().take(5).enumerate() {
                *cell = slopes[r].iter().zip(&slopes[c]).map(|(a, b)| a * b).sum();
            }
            // A little reluctance, so that two bands at one place do not pull against each other.
            row[r] += 0.01;
            row[5] = slopes[r].iter().zip(&missing).map(|(a, b)| a * b).sum();
        }
        let step = solve(rows);
        for ((gain, step), parameter) in gains.iter_mut().zip(step).zip(GAINS) {
            *gain = (*gain + step).clamp(-MOST_DB, MOST_DB);
            profile[parameter] = *gain as f32;
        }
    }
    gains
}

/// Solves five equations by elimination; the matrix is symmetric and positive, so no exchange of rows is needed.
fn solve(mut rows: [[f64; 6]; 5]) -> [f64; 5] {
    for i in 0..5 {
        let pivot = rows[i];
        for row in rows.iter_mut().skip(i + 1) {
            let share = row[i] / pivot[i];
            row.iter_mut().zip(pivot).for_each(|(cell, p)| *cell -= share * p);
        }
    }
    let mut x = [0.0; 5];
    for i in (0..5).rev() {
        let known: f64 = (i + 1..5).map(|k| rows[i][k] * x[k]).sum();
        x[i] = (rows[i][5] - known) / rows[i][i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::profile::Preset;

    #[test]
    fn an_equalizers_own_curve_is_found_again() {
        let mut truth = Preset::factory()[0].profiles.genres[Genre::Jazz.index()];
        for (parameter, gain) in GAINS.into_iter().zip([3.0, -2.0, 1.5, -4.0]) {
            truth[parameter] = gain;
        }
        let own = Character::common();
        let response = response_db(&truth);
        let reference =
            Character { spectrum_db: std::array::from_fn(|i| own.spectrum_db[i] + response[i]), ..own };
        let mut profiles = Profiles {
            genres: [Preset::factory()[0].profiles.genres[Genre::Jazz.index()]; 5],
            ..Profiles::default()
        };
        let learnt = learn(&mut profiles, Genre::Jazz, &reference, &own);
        assert!(learnt.difference_db[0] > 1.0 && learnt.difference_db[1] < 0.15, "{learnt:?}");
        let profile = &profiles.genres[Genre::Jazz.index()];
        for parameter in GAINS {
            let (is, was) = (profile[parameter], truth[parameter]);
            assert!((is - was).abs() < 0.2, "{parameter:?}: {is}, not {was}");
        }
        assert_eq!(profile[Parameter::Ratio], 1.0, "as even as the reference already");
    }

    #[test]
    fn spread_width_and_loudness_become_those_of_the_reference() {
        let own = Character::common();
        let reference = Character { lufs: -14.0, spread_db: 2.0, width: 0.4, bass_width: 0.01, ..own };
        let mut profiles = Profiles::default();
        learn(&mut profiles, Genre::Rock, &reference, &own);
        let rock = &profiles.genres[Genre::Rock.index()];
        assert_eq!(rock[Parameter::Ratio], 2.0);
        assert_eq!(rock[Parameter::Threshold], -22.0);
        assert!((rock[Parameter::Width] - 0.4 / 0.33).abs() < 1e-3);
        assert_eq!((rock[Parameter::MonoBass], rock[Parameter::TargetRange]), (1.0, 6.0));
        assert!(profiles.genres.iter().all(|genre| genre[Parameter::Target] == -14.0));
    }
}
