//! Presets: what each genre asks of the mix, read from human-readable, versioned files.
//!
//! A [`Preset`] is a TOML file: a name, five profiles with a sentence why, and a neutral one. Parsing happens off the
//! audio thread; [`Profiles`], the plain numbers, is what the audio thread gets.

use crate::genre::{GENRES, Genre};
use serde::Deserialize;
use std::sync::OnceLock;
use thiserror::Error;

/// Version of the preset format that this build writes and reads.
pub const PRESET_VERSION: i64 = 1;

/// Longest preset that is read, in bytes. Real ones have about four thousand.
const MAX_BYTES: usize = 64 * 1024;

/// Settings of the three-band equalizer.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EqProfile {
    /// Corner of the low shelf in Hz, 20..=1000: where its gain is half (in dB).
    pub low_hz: f32,
    /// Gain of the low shelf in dB, -12..=12.
    pub low_db: f32,
    /// Centre of the mid bell in Hz, 100..=10000.
    pub mid_hz: f32,
    /// Gain of the mid bell in dB, -12..=12.
    pub mid_db: f32,
    /// Q of the mid bell, 0.1..=10: centre over the bandwidth between the points of half the gain (in dB).
    pub mid_q: f32,
    /// Corner of the high shelf in Hz, 1000..=20000.
    pub high_hz: f32,
    /// Gain of the high shelf in dB, -12..=12.
    pub high_db: f32,
    /// Gain after the bands in dB, -12..=12, that evens out what they do to loudness.
    pub trim_db: f32,
}

/// Settings of the compressor.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompressorProfile {
    /// Level above which gain is reduced, in dBFS RMS, -60..=0.
    pub threshold_db: f32,
    /// Input change over output change above the threshold, 1..=20. 1 does not compress.
    pub ratio: f32,
    /// Width of the soft knee around the threshold in dB, 0..=24.
    pub knee_db: f32,
    /// Time constant of increasing gain reduction in ms, 0.1..=200.
    pub attack_ms: f32,
    /// Time constant of decreasing gain reduction in ms, 5..=3000.
    pub release_ms: f32,
    /// Gain after compression in dB, -12..=12, beyond the automatic make-up that keeps the average level.
    pub makeup_db: f32,
}

/// What one genre asks of the mix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profile {
    /// The equalizer.
    pub eq: EqProfile,
    /// The compressor.
    pub compressor: CompressorProfile,
}

/// The numbers of a preset: all that the audio thread needs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Profiles {
    /// What Amount 0, and doubt, ease towards. Its gains are 0 dB and its ratio 1: it leaves the sound alone.
    pub neutral: Profile,
    /// A profile for each genre, in the order of [`Genre::ALL`].
    pub genres: [Profile; GENRES],
}

impl Profile {
    /// Leaves the sound alone.
    pub const NEUTRAL: Profile = Profile {
        eq: EqProfile {
            low_hz: 90.0,
            low_db: 0.0,
            mid_hz: 1_000.0,
            mid_db: 0.0,
            mid_q: 0.8,
            high_hz: 8_000.0,
            high_db: 0.0,
            trim_db: 0.0,
        },
        compressor: CompressorProfile {
            threshold_db: -18.0,
            ratio: 1.0,
            knee_db: 6.0,
            attack_ms: 20.0,
            release_ms: 150.0,
            makeup_db: 0.0,
        },
    };
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

/// Why a preset was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PresetError {
    /// Larger than any preset.
    #[error(
        "preset has {0} bytes, more than the {MAX_BYTES} a preset may have: this is another kind of file"
    )]
    TooLarge(usize),
    /// Not TOML, a field missing, unknown, or of the wrong type. The text names line and field.
    #[error("preset cannot be read: {0}")]
    Syntax(String),
    /// No usable `version` field.
    #[error("preset has no `version = {PRESET_VERSION}` at its top, so it is not known how to read it")]
    NoVersion,
    /// Written for a later format.
    #[error(
        "preset is from a newer version (format {found}, this build reads up to {PRESET_VERSION}): update Idiom to use it"
    )]
    Newer {
        /// The version that the file states.
        found: i64,
    },
    /// A number that the processor does not take.
    #[error("[{section}] {field} = {value} is out of range: use {min} to {max}")]
    OutOfRange {
        /// Genre and processor, e.g. `speech.eq`.
        section: String,
        /// Name of the field.
        field: &'static str,
        /// What the file says.
        value: String,
        /// Smallest allowed value.
        min: String,
        /// Largest allowed value.
        max: String,
    },
    /// A text that is empty or too long to show.
    #[error("`{0}` must be a text of 1 to 400 characters")]
    Text(&'static str),
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "version")]
    _version: i64,
    name: String,
    summary: String,
    neutral: NeutralSection,
    speech: Section,
    rock: Section,
    jazz: Section,
    electronic: Section,
    classical: Section,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Section {
    why: String,
    eq: EqProfile,
    compressor: CompressorProfile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NeutralSection {
    eq: EqProfile,
    compressor: CompressorProfile,
}

impl Preset {
    /// Reads a preset. On any error nothing is taken over, and the error names the place and the remedy.
    pub fn parse(text: &str) -> Result<Preset, PresetError> {
        if text.len() > MAX_BYTES {
            return Err(PresetError::TooLarge(text.len()));
        }
        let syntax = |error: toml::de::Error| PresetError::Syntax(error.to_string().trim_end().to_owned());
        // The version comes first: a newer file may hold fields that are unknown here.
        let table: toml::Table = text.parse().map_err(syntax)?;
        match table.get("version").and_then(toml::Value::as_integer) {
            Some(version) if version > PRESET_VERSION => return Err(PresetError::Newer { found: version }),
            Some(version) if version >= 1 => {}
            _ => return Err(PresetError::NoVersion),
        }
        let file: File = toml::from_str(text).map_err(syntax)?;
        let sections = [file.speech, file.rock, file.jazz, file.electronic, file.classical];
        check_text("name", &file.name)?;
        check_text("summary", &file.summary)?;
        for section in &sections {
            check_text("why", &section.why)?;
        }
        let neutral = Profile { eq: file.neutral.eq, compressor: file.neutral.compressor };
        check("neutral", &neutral, true)?;
        let genres =
            std::array::from_fn(|i| Profile { eq: sections[i].eq, compressor: sections[i].compressor });
        for (genre, profile) in Genre::ALL.iter().zip(&genres) {
            check(genre.name(), profile, false)?;
        }
        Ok(Preset {
            name: file.name,
            summary: file.summary,
            why: sections.map(|section| section.why),
            profiles: Profiles { neutral, genres },
        })
    }

    /// The presets that are built in; the first is the one to start with.
    pub fn factory() -> &'static [Preset] {
        static FACTORY: OnceLock<Vec<Preset>> = OnceLock::new();
        FACTORY.get_or_init(|| {
            let files = [
                include_str!("../../presets/default.toml"),
                include_str!("../../presets/gentle-bus.toml"),
                include_str!("../../presets/podcast-with-music.toml"),
                include_str!("../../presets/streaming-polish.toml"),
            ];
            files.iter().map(|text| Preset::parse(text).expect("factory presets are tested")).collect()
        })
    }
}

fn check_text(field: &'static str, text: &str) -> Result<(), PresetError> {
    let length = text.trim().chars().count();
    if (1..=400).contains(&length) { Ok(()) } else { Err(PresetError::Text(field)) }
}

/// Compares every number with what the processors take. `silent`: gains must be 0 dB and the ratio 1.
fn check(section: &str, profile: &Profile, silent: bool) -> Result<(), PresetError> {
    let Profile { eq, compressor: c } = profile;
    let gain = if silent { (0.0, 0.0) } else { (-12.0, 12.0) };
    let ratio = if silent { (1.0, 1.0) } else { (1.0, 20.0) };
    let rules = [
        ("eq", "low_hz", eq.low_hz, (20.0, 1_000.0)),
        ("eq", "low_db", eq.low_db, gain),
        ("eq", "mid_hz", eq.mid_hz, (100.0, 10_000.0)),
        ("eq", "mid_db", eq.mid_db, gain),
        ("eq", "mid_q", eq.mid_q, (0.1, 10.0)),
        ("eq", "high_hz", eq.high_hz, (1_000.0, 20_000.0)),
        ("eq", "high_db", eq.high_db, gain),
        ("eq", "trim_db", eq.trim_db, gain),
        ("compressor", "threshold_db", c.threshold_db, (-60.0, 0.0)),
        ("compressor", "ratio", c.ratio, ratio),
        ("compressor", "knee_db", c.knee_db, (0.0, 24.0)),
        ("compressor", "attack_ms", c.attack_ms, (0.1, 200.0)),
        ("compressor", "release_ms", c.release_ms, (5.0, 3_000.0)),
        ("compressor", "makeup_db", c.makeup_db, gain),
    ];
    for (processor, field, value, (min, max)) in rules {
        if !(min..=max).contains(&value) {
            return Err(PresetError::OutOfRange {
                section: format!("{section}.{processor}"),
                field,
                value: value.to_string(),
                min: min.to_string(),
                max: max.to_string(),
            });
        }
    }
    Ok(())
}
