//! Genre by rules on plain spectral measures: what answers when there is no model.
//!
//! Seven measures are averaged over some seconds. For each genre a table says where each measure usually lies and how
//! much it varies; the genre whose usual values are nearest, in units of their spread, is the likeliest (a naive Bayes
//! classifier with Gaussian densities, tempered because the measures are not independent). It is a fallback: it tells
//! speech from music well and the kinds of music roughly.

use super::features::{Features, HOP_SECONDS, level::SILENCE_DBFS};
use crate::genre::{GENRES, Posterior};

/// Number of measures.
pub const MEASURES: usize = 7;

/// Time constant of the averages in seconds.
const AVERAGE_S: f32 = 3.0;
/// Frames with sound before there is an answer other than "anything" (0.5 s).
const FIRST_FRAMES: u32 = 25;
/// Syllables come at about 4 Hz (Houtgast and Steeneken, 1985): level changes between these two frequencies, in Hz.
const SYLLABLES_HZ: [f32; 2] = [2.0, 8.0];
/// A level step larger than this, in dB, counts as this much: a cut is not a syllable.
const LARGEST_STEP_DB: f32 = 15.0;
/// More flux than this, in dB, counts as this much: no single event fills the averages.
const LARGEST_FLUX_DB: f32 = 20.0;
/// Share of the log-likelihoods that counts, because the measures depend on each other.
const TEMPER: f32 = 0.5;
/// Furthest that one measure may speak against a genre, in spreads: no single odd measure decides.
const FURTHEST: f32 = 3.0;

/// Averages of what the rules look at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measures {
    /// Share of the power below 250 Hz.
    pub low: f32,
    /// Share of the power above 2.5 kHz, in octaves (base-2 logarithm).
    pub high_octaves: f32,
    /// Spectral centroid in octaves above 1 Hz.
    pub centroid_octaves: f32,
    /// Flatness in octaves (base-2 logarithm).
    pub flatness_octaves: f32,
    /// Flux in dB.
    pub flux_db: f32,
    /// RMS of the flux around its mean in dB: attacks against steady sound.
    pub attack_db: f32,
    /// RMS of the level's changes at syllable rate in dB.
    pub syllables_db: f32,
}

impl Measures {
    /// As an array, in the order of the fields.
    pub fn to_array(self) -> [f32; MEASURES] {
        [
            self.low,
            self.high_octaves,
            self.centroid_octaves,
            self.flatness_octaves,
            self.flux_db,
            self.attack_db,
            self.syllables_db,
        ]
    }
}

/// What a genre is like: (usual value, spread) of each measure, in the order of [`Measures`]'s fields. Means and standard
/// deviations over excerpts of real recordings.
const LIKE: [[(f32, f32); MEASURES]; GENRES] = [
    // speech
    [(0.39, 0.16), (-5.83, 1.78), (9.27, 0.69), (-4.94, 1.12), (2.54, 0.39), (3.50, 0.76), (4.98, 1.26)],
    // rock
    [(0.57, 0.15), (-5.02, 1.75), (9.02, 0.62), (-3.69, 1.26), (1.43, 0.30), (1.59, 1.00), (1.19, 0.62)],
    // jazz
    [(0.66, 0.28), (-9.02, 2.87), (7.99, 1.01), (-7.48, 2.71), (1.49, 0.26), (2.31, 0.90), (2.13, 0.99)],
    // electronic
    [(0.56, 0.24), (-6.76, 2.20), (8.50, 0.77), (-5.15, 1.69), (1.76, 0.60), (2.87, 1.86), (2.14, 1.40)],
    // classical
    [(0.26, 0.21), (-8.92, 2.55), (8.88, 0.61), (-6.59, 1.78), (1.10, 0.32), (1.47, 0.89), (1.53, 0.87)],
];

/// See the [module](self).
pub struct SpectralRules {
    /// Per frame: how much of an average stays.
    keep: f32,
    /// Per frame: share by which each of the two followers of the level approaches it.
    follow: [f32; 2],
    /// Frames with sound so far, and the weight of all averages, which is below 1 while they are young.
    heard: u32,
    weight: f32,
    sums: [f32; MEASURES],
    followers: Option<[f32; 2]>,
}

impl SpectralRules {
    /// Rules that have heard nothing.
    pub fn new() -> SpectralRules {
        let share = |hz: f32| 1.0 - (-std::f32::consts::TAU * hz * HOP_SECONDS).exp();
        SpectralRules {
            keep: (-HOP_SECONDS / AVERAGE_S).exp(),
            follow: SYLLABLES_HZ.map(share),
            heard: 0,
            weight: 0.0,
            sums: [0.0; MEASURES],
            followers: None,
        }
    }

    /// Takes in one frame. Silence changes nothing.
    pub fn push(&mut self, features: &Features) {
        if features.level_dbfs.is_nan() || features.level_dbfs < SILENCE_DBFS {
            return;
        }
        let syllables = self.syllables(features.level_dbfs);
        let s = &features.spectral;
        let octaves = |x: f32, least: f32| x.max(least).log2();
        let flux = s.flux.min(LARGEST_FLUX_DB);
        let mean_flux = if self.weight > 0.0 { self.sums[4] / self.weight } else { flux };
        let now = [
            s.low,
            octaves(s.high, 1e-4),
            octaves(s.centroid_hz, 50.0),
            octaves(s.flatness, 1e-4),
            flux,
            (flux - mean_flux) * (flux - mean_flux),
            syllables * syllables,
        ];
        for (sum, now) in self.sums.iter_mut().zip(now) {
            *sum = self.keep * *sum + (1.0 - self.keep) * now;
        }
        self.weight = self.keep * self.weight + (1.0 - self.keep);
        self.heard = self.heard.saturating_add(1);
    }

    /// What the sound is, after what was heard so far.
    pub fn posterior(&self) -> Posterior {
        if self.heard < FIRST_FRAMES { Posterior::UNIFORM } else { judge(&self.measures()) }
    }

    /// The averages so far; all 0 before the first sound.
    pub fn measures(&self) -> Measures {
        let average = |i: usize| if self.weight > 0.0 { self.sums[i] / self.weight } else { 0.0 };
        Measures {
            low: average(0),
            high_octaves: average(1),
            centroid_octaves: average(2),
            flatness_octaves: average(3),
            flux_db: average(4),
            attack_db: average(5).max(0.0).sqrt(),
            syllables_db: average(6).max(0.0).sqrt(),
        }
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        *self = SpectralRules::new();
    }

    /// Level changes between the two follower frequencies, in dB.
    fn syllables(&mut self, level_dbfs: f32) -> f32 {
        let mut followers = self.followers.unwrap_or([level_dbfs; 2]);
        for (follower, share) in followers.iter_mut().zip(self.follow) {
            let behind = (level_dbfs - *follower).clamp(-LARGEST_STEP_DB, LARGEST_STEP_DB);
            *follower = level_dbfs - (1.0 - share) * behind;
        }
        self.followers = Some(followers);
        followers[1] - followers[0]
    }
}

impl Default for SpectralRules {
    fn default() -> Self {
        Self::new()
    }
}

/// The probability of each genre for these averages.
pub fn judge(measures: &Measures) -> Posterior {
    let values = measures.to_array();
    let log_likelihood = LIKE.map(|genre| {
        let one = |(x, (usual, spread)): (f32, (f32, f32))| {
            let z = ((x - usual) / spread).clamp(-FURTHEST, FURTHEST);
            -0.5 * z * z - spread.ln()
        };
        TEMPER * values.into_iter().zip(genre).map(one).sum::<f32>()
    });
    let top = log_likelihood.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let likelihood = log_likelihood.map(|l| (l - top).exp());
    let sum: f32 = likelihood.iter().sum();
    Posterior(likelihood.map(|l| l / sum))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::genre::Genre;
    use crate::rt::features::FrontEnd;

    #[test]
    fn a_genre_at_its_usual_values_is_recognised() {
        for (genre, like) in Genre::ALL.into_iter().zip(LIKE) {
            let [low, high_octaves, centroid_octaves, flatness_octaves, flux_db, attack_db, syllables_db] =
                like.map(|(usual, _)| usual);
            let measures = Measures {
                low,
                high_octaves,
                centroid_octaves,
                flatness_octaves,
                flux_db,
                attack_db,
                syllables_db,
            };
            let posterior = judge(&measures);
            assert!(posterior.is_valid());
            assert_eq!(posterior.top().0, genre, "{posterior:?}");
        }
    }

    /// A voice-like sound: harmonics of 120 Hz through two formants, in syllables at 4 Hz with gaps.
    fn syllables(rate: f32, seconds: f32) -> Vec<f32> {
        (0..(rate * seconds) as usize)
            .map(|i| {
                let t = i as f32 / rate;
                let envelope = (std::f32::consts::PI * 4.0 * t).sin().powi(2).powf(1.5);
                let harmonics = (1..40).map(|h| {
                    let hz = 120.0 * h as f32;
                    let formant = |at: f32, width: f32| (-((hz - at) / width).powi(2)).exp();
                    let gain = formant(600.0, 300.0) + 0.3 * formant(1700.0, 400.0) + 0.05;
                    gain * (std::f32::consts::TAU * hz * t).sin()
                });
                0.1 * envelope * harmonics.sum::<f32>()
            })
            .collect()
    }

    #[test]
    fn syllables_are_speech_and_a_steady_chord_is_not() {
        let mut front = FrontEnd::new(16_000.0);
        let mut rules = SpectralRules::new();
        for frame in syllables(16_000.0, 5.0).chunks_exact(front.hop()) {
            rules.push(front.push(frame));
        }
        let last = rules.posterior();
        assert_eq!(last.top().0, Genre::Speech, "{last:?} {:?}", rules.measures());

        let (mut front, mut rules) = (FrontEnd::new(16_000.0), SpectralRules::new());
        let chord: Vec<f32> = (0..80_000)
            .map(|i| {
                let t = i as f32 / 16_000.0;
                [220.0, 277.2, 329.6, 440.0, 880.0]
                    .map(|hz| (std::f32::consts::TAU * hz * t).sin())
                    .iter()
                    .sum::<f32>()
                    * 0.1
            })
            .collect();
        for frame in chord.chunks_exact(front.hop()) {
            rules.push(front.push(frame));
        }
        let last = rules.posterior();
        assert!(last.of(Genre::Speech) < 0.1, "{last:?} {:?}", rules.measures());
    }

    #[test]
    fn nothing_is_claimed_of_silence_or_in_the_first_half_second() {
        let mut rules = SpectralRules::new();
        let push = |rules: &mut SpectralRules, features: &Features| {
            rules.push(features);
            rules.posterior()
        };
        for _ in 0..1000 {
            assert_eq!(push(&mut rules, &Features::default()), Posterior::UNIFORM);
        }
        let loud = Features { level_dbfs: -20.0, ..Features::default() };
        for _ in 0..FIRST_FRAMES - 1 {
            assert_eq!(push(&mut rules, &loud), Posterior::UNIFORM);
        }
        let first = push(&mut rules, &loud);
        assert!(first.is_valid() && first != Posterior::UNIFORM);
        assert_eq!(push(&mut rules, &Features::default()), first, "silence holds the answer");
        rules.reset();
        assert_eq!(push(&mut rules, &loud), Posterior::UNIFORM);
    }
}
