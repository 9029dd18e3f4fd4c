//! The five genres and a probability for each.

use serde::{Deserialize, Serialize};

/// How many genres there are.
pub const GENRES: usize = 5;

/// What Idiom tells apart. The order is that of every model's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Genre {
    /// Spoken voice: podcast, narration, dialogue.
    Speech = 0,
    /// Rock, metal, punk: amplified guitars and a drum kit.
    Rock = 1,
    /// Jazz in all its sizes, solo piano and trio included.
    Jazz = 2,
    /// Electronic: dance, ambient, chip and synthesizer music.
    Electronic = 3,
    /// Classical: orchestra, chamber music, solo instruments, choir.
    Classical = 4,
}

impl Genre {
    /// All genres in the order of a model's output.
    pub const ALL: [Genre; GENRES] =
        [Genre::Speech, Genre::Rock, Genre::Jazz, Genre::Electronic, Genre::Classical];

    /// Lower-case name, as in folders, manifests, profiles and model metadata.
    pub const fn name(self) -> &'static str {
        match self {
            Genre::Speech => "speech",
            Genre::Rock => "rock",
            Genre::Jazz => "jazz",
            Genre::Electronic => "electronic",
            Genre::Classical => "classical",
        }
    }

    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Genre::Speech => "Speech",
            Genre::Rock => "Rock",
            Genre::Jazz => "Jazz",
            Genre::Electronic => "Electronic",
            Genre::Classical => "Classical",
        }
    }

    /// Position in a model's output, `0..GENRES`.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The genre at position `index` of a model's output.
    pub const fn from_index(index: usize) -> Option<Genre> {
        if index < GENRES { Some(Self::ALL[index]) } else { None }
    }

    /// The genre with this lower- or mixed-case name.
    pub fn from_name(name: &str) -> Option<Genre> {
        Self::ALL.into_iter().find(|genre| genre.name().eq_ignore_ascii_case(name.trim()))
    }
}

/// A probability for each genre, in the order of [`Genre::ALL`]. Sums to 1; from a model that also knows other classes, to 1
/// less what those have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior(pub [f32; GENRES]);

impl Posterior {
    /// Nothing known: every genre equally likely.
    pub const UNIFORM: Posterior = Posterior([1.0 / GENRES as f32; GENRES]);

    /// All probability on one genre.
    pub const fn certain(genre: Genre) -> Posterior {
        let mut p = [0.0; GENRES];
        p[genre.index()] = 1.0;
        Posterior(p)
    }

    /// The likeliest genre and its probability. The first wins a tie.
    pub fn top(&self) -> (Genre, f32) {
        let mut best = 0;
        for i in 1..GENRES {
            if self.0[i] > self.0[best] {
                best = i;
            }
        }
        (Genre::ALL[best], self.0[best])
    }

    /// Probability of one genre.
    pub fn of(&self, genre: Genre) -> f32 {
        self.0[genre.index()]
    }

    /// Whether every entry is a finite number within 0..=1, not all are 0, and the sum is at most 1 within 1e-3.
    pub fn is_valid(&self) -> bool {
        let sum = self.0.iter().sum::<f32>();
        self.0.iter().all(|p| p.is_finite() && (0.0..=1.0).contains(p)) && 0.0 < sum && sum < 1.0 + 1e-3
    }
}

impl Default for Posterior {
    fn default() -> Self {
        Self::UNIFORM
    }
}
