//! Presets: what each genre asks of the mix, read from human-readable, versioned files.
//!
//! A [`Preset`] is a TOML file: a name, and five profiles with a sentence why. Parsing happens off the audio thread;
//! [`Profiles`], the plain numbers, is what the audio thread gets. [`parameter`] lists the numbers, `read.rs` reads
//! files, [`trim`] evens out what an equalizer does to loudness, [`edit`] changes a profile, [`live`] hands changed ones to
//! the audio thread.

pub mod edit;
pub mod live;
pub mod parameter;
mod read;
pub mod trim;
mod write;

pub use parameter::{PARAMETERS, Parameter};
pub use read::{PRESET_VERSION, PresetError};

use crate::genre::GENRES;
use std::ops::{Index, IndexMut};
use std::sync::OnceLock;

/// What one genre asks of the mix: a value for each [`Parameter`], in its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile([f32; PARAMETERS]);

impl Profile {
    /// Leaves the sound alone.
    pub const NEUTRAL: Profile = {
        let mut values = [0.0; PARAMETERS];
        let mut i = 0;
        while i < PARAMETERS {
            values[i] = Parameter::ALL[i].spec().neutral;
            i += 1;
        }
        Profile(values)
    };

    /// A profile of these values, in the order of [`Parameter::ALL`].
    pub const fn from_values(values: [f32; PARAMETERS]) -> Profile {
        Profile(values)
    }

    /// Its values, in the order of [`Parameter::ALL`].
    pub const fn values(&self) -> &[f32; PARAMETERS] {
        &self.0
    }
}

impl Default for Profile {
    fn default() -> Self {
        Profile::NEUTRAL
    }
}

impl Index<Parameter> for Profile {
    type Output = f32;

    fn index(&self, parameter: Parameter) -> &f32 {
        &self.0[parameter as usize]
    }
}

impl IndexMut<Parameter> for Profile {
    fn index_mut(&mut self, parameter: Parameter) -> &mut f32 {
        &mut self.0[parameter as usize]
    }
}

/// The numbers of a preset: all that the audio thread needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profiles {
    /// What Amount 0, and doubt, ease towards. Its gains are 0 dB and its ratio 1: it leaves the sound alone.
    pub neutral: Profile,
    /// A profile for each genre, in the order of [`Genre::ALL`](crate::Genre::ALL).
    pub genres: [Profile; GENRES],
}

impl Default for Profiles {
    /// Neutral for every genre.
    fn default() -> Self {
        Profiles { neutral: Profile::NEUTRAL, genres: [Profile::NEUTRAL; GENRES] }
    }
}

/// A named set of profiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// Name to show to a person.
    pub name: String,
    /// A sentence on when to use it.
    pub summary: String,
    /// For each genre, a sentence why its profile is as it is.
    pub why: [String; GENRES],
    /// The numbers.
    pub profiles: Profiles,
}

macro_rules! factory {
    ($($file:literal),* $(,)?) => {
        /// File name, without its ending, and text of each built-in preset.
        pub const FACTORY_FILES: &[(&str, &str)] =
            &[$(($file, include_str!(concat!("../../../presets/", $file, ".toml"))),)*];
    };
}

factory![
    "default",
    "gentle-bus",
    "streaming-polish",
    "mastering-safe",
    "streaming-master",
    "broadcast-r128",
    "podcast-with-music",
    "audiobook",
    "lecture-and-meeting",
    "film-dialogue",
    "dj-and-live",
    "stem-cleanup",
    "start-speech",
    "start-rock",
    "start-jazz",
    "start-electronic",
    "start-classical",
];

impl Preset {
    /// The presets that are built in, in the order of [`FACTORY_FILES`]; the first is the one to start with.
    pub fn factory() -> &'static [Preset] {
        static FACTORY: OnceLock<Vec<Preset>> = OnceLock::new();
        FACTORY.get_or_init(|| {
            let parse = |(_, text): &(&str, &str)| Preset::parse(text).expect("factory presets are tested");
            FACTORY_FILES.iter().map(parse).collect()
        })
    }

    /// The built-in preset with this name or file name, whatever its case.
    pub fn built_in(name: &str) -> Option<&'static Preset> {
        let index = FACTORY_FILES.iter().zip(Preset::factory()).position(|((file, _), preset)| {
            file.eq_ignore_ascii_case(name) || preset.name.eq_ignore_ascii_case(name)
        })?;
        Preset::factory().get(index)
    }
}
