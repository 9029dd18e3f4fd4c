//! Reading preset files.
//!
//! Format 2: `version`, `name`, `summary`, and a table for each genre with `why` and a table for each processor. What a
//! file leaves out is as in [`Profile::NEUTRAL`]; a field that is not known is refused. `[neutral]` may say where
//! frequencies and times start from. Format 1 knew only equalizer and compressor, asked for every field, and stated
//! `trim_db` instead of having it computed.

use super::parameter::{Parameter, Spec};
use super::trim::loudness_trim_db;
use super::{Preset, Profile, Profiles};
use crate::genre::Genre;
use thiserror::Error;
use toml::Value;

/// Version of the preset format that this build writes. It reads every earlier one.
pub const PRESET_VERSION: i64 = 2;

/// Longest preset that is read, in bytes. Real ones have about four thousand.
const MAX_BYTES: usize = 64 * 1024;

/// The numbers of format 1.
const FORMAT_1: [Parameter; 14] = [
    Parameter::LowHz,
    Parameter::LowDb,
    Parameter::MidHz,
    Parameter::MidDb,
    Parameter::MidQ,
    Parameter::HighHz,
    Parameter::HighDb,
    Parameter::EqTrim,
    Parameter::Threshold,
    Parameter::Ratio,
    Parameter::Knee,
    Parameter::Attack,
    Parameter::Release,
    Parameter::Makeup,
];

/// Why a preset was refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum PresetError {
    /// Larger than any preset.
    #[error(
        "preset has {0} bytes, more than the {MAX_BYTES} a preset may have: this is another kind of file"
    )]
    TooLarge(usize),
    /// Not TOML, a field missing, unknown, or of the wrong type. The text names the place.
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
    /// Two genres ask for values so far apart that a wrong guess would be heard as a fault.
    #[error(
        "{section}.{field} is {a} for {first} and {b} for {second}: that is too far apart, bring them closer"
    )]
    TooFarApart {
        /// The processor.
        section: &'static str,
        /// Name of the field.
        field: &'static str,
        /// One genre and its value.
        first: &'static str,
        /// Its value.
        a: String,
        /// The other genre.
        second: &'static str,
        /// Its value.
        b: String,
    },
    /// A text that is empty or too long to show.
    #[error("`{0}` must be a text of 1 to 400 characters")]
    Text(&'static str),
}

impl Preset {
    /// Reads a preset. On any error nothing is taken over, and the error names the place and the remedy.
    pub fn parse(text: &str) -> Result<Preset, PresetError> {
        if text.len() > MAX_BYTES {
            return Err(PresetError::TooLarge(text.len()));
        }
        let mut file: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| PresetError::Syntax(error.to_string().trim_end().to_owned()))?;
        // The version comes first: a newer file may hold fields that are unknown here.
        let version = match file.remove("version").as_ref().and_then(Value::as_integer) {
            Some(version) if version > PRESET_VERSION => return Err(PresetError::Newer { found: version }),
            Some(version) if version >= 1 => version,
            _ => return Err(PresetError::NoVersion),
        };
        let name = take_text(&mut file, "preset", "name")?;
        let summary = take_text(&mut file, "preset", "summary")?;
        let neutral = match file.remove("neutral") {
            Some(section) => read_profile(table(section, "neutral")?, "neutral", version)?,
            None if version == 1 => return Err(missing("preset", "neutral")),
            None => Profile::NEUTRAL,
        };
        let mut profiles = Profiles { neutral, ..Profiles::default() };
        let mut why = <[String; 5]>::default();
        for (index, genre) in Genre::ALL.into_iter().enumerate() {
            let section = file.remove(genre.name()).ok_or_else(|| missing("preset", genre.name()))?;
            let mut section = table(section, genre.name())?;
            why[index] = take_text(&mut section, genre.name(), "why")?;
            profiles.genres[index] = read_profile(section, genre.name(), version)?;
        }
        refuse_rest(&file, "preset")?;
        if version > 1 {
            check_spread(&profiles)?;
            for profile in &mut profiles.genres {
                profile[Parameter::EqTrim] = loudness_trim_db(profile);
            }
        }
        Ok(Preset { name, summary, why, profiles })
    }
}

fn missing(place: &str, field: &str) -> PresetError {
    PresetError::Syntax(format!("[{place}] has no `{field}`: add it"))
}

fn table(value: Value, place: &str) -> Result<toml::Table, PresetError> {
    match value {
        Value::Table(table) => Ok(table),
        _ => Err(PresetError::Syntax(format!("`{place}` must be a table: write [{place}]"))),
    }
}

fn refuse_rest(rest: &toml::Table, place: &str) -> Result<(), PresetError> {
    match rest.keys().next() {
        Some(key) => Err(PresetError::Syntax(format!("[{place}] has an unknown field `{key}`: remove it"))),
        None => Ok(()),
    }
}

fn take_text(section: &mut toml::Table, place: &str, field: &'static str) -> Result<String, PresetError> {
    match section.remove(field) {
        Some(Value::String(text)) if (1..=400).contains(&text.trim().chars().count()) => Ok(text),
        Some(Value::String(_)) => Err(PresetError::Text(field)),
        Some(_) => Err(PresetError::Syntax(format!("[{place}] {field} must be a text in quotes"))),
        None => Err(missing(place, field)),
    }
}

fn read_profile(mut sections: toml::Table, place: &str, version: i64) -> Result<Profile, PresetError> {
    let mut profile = Profile::NEUTRAL;
    let silent = place == "neutral";
    let known = if version == 1 { &FORMAT_1[..] } else { Parameter::ALL };
    for &parameter in known {
        let Spec { section, field, range, neutral, acts, .. } = *parameter.spec();
        // Computed from the bands since format 2.
        if version > 1 && parameter == Parameter::EqTrim {
            continue;
        }
        let here = format!("{place}.{section}");
        let value = match sections.get_mut(section) {
            Some(Value::Table(fields)) => fields.remove(field),
            Some(_) => return Err(PresetError::Syntax(format!("`{here}` must be a table: write [{here}]"))),
            None => None,
        };
        let value = match value {
            Some(Value::Float(value)) => value as f32,
            Some(Value::Integer(value)) => value as f32,
            Some(_) => return Err(PresetError::Syntax(format!("[{here}] {field} must be a number"))),
            None if version == 1 => return Err(missing(&here, field)),
            None => continue,
        };
        let (min, max) = if silent && acts { (neutral, neutral) } else { range };
        if !(min..=max).contains(&value) {
            return Err(PresetError::OutOfRange {
                section: here,
                field,
                value: value.to_string(),
                min: min.to_string(),
                max: max.to_string(),
            });
        }
        profile[parameter] = value;
    }
    for (section, fields) in &sections {
        let here = format!("{place}.{section}");
        match fields {
            Value::Table(fields) if known.iter().any(|p| p.spec().section == section) => {
                refuse_rest(fields, &here)?
            }
            _ => {
                return Err(PresetError::Syntax(format!(
                    "[{place}] has an unknown field `{section}`: remove it"
                )));
            }
        }
    }
    Ok(profile)
}

/// What rounding to 32 bits adds to a distance between two values.
const ROUNDING: f64 = 1e-5;

/// Compares every pair of genres, see [`Spec::spread`].
fn check_spread(profiles: &Profiles) -> Result<(), PresetError> {
    for &parameter in Parameter::ALL {
        let Spec { section, field, spread, .. } = *parameter.spec();
        for (i, a) in profiles.genres.iter().enumerate() {
            for (j, b) in profiles.genres.iter().enumerate().skip(i + 1) {
                let apart = parameter.to_domain(a[parameter]) - parameter.to_domain(b[parameter]);
                if apart.abs() > f64::from(spread) + ROUNDING {
                    return Err(PresetError::TooFarApart {
                        section,
                        field,
                        first: Genre::ALL[i].name(),
                        a: a[parameter].to_string(),
                        second: Genre::ALL[j].name(),
                        b: b[parameter].to_string(),
                    });
                }
            }
        }
    }
    Ok(())
}
