//! The file of a user's preset.

use crate::editor::undo::{Setup, Value};
use crate::params::{IdiomParams, own};
use crate::state::{Choice, Played};
use idiom_engine::profile::Preset;
use nice_plug::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the format that this build writes. Raised when an older Idiom could misread a newer file.
///
/// 2 added [`UserPreset::profiles`]. A preset without them is written as format 1, which says all of it.
pub const VERSION: u32 = 2;

/// A preset of the user's own: settings of the window and the factory preset whose profiles it plays.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserPreset {
    /// The format that it needs, at most [`VERSION`].
    pub version: u32,
    /// Its name.
    pub name: String,
    /// A sentence on when to use it.
    #[serde(default)]
    pub about: String,
    /// Words to find it by.
    #[serde(default)]
    pub tags: Vec<String>,
    /// Name of the built-in preset whose profiles it plays.
    pub plays: String,
    /// Profiles that were changed, in place of the built-in preset's: a preset file of the engine's format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profiles: Option<String>,
    /// What computes the genre, in files from before that was among the parameters.
    #[serde(default, skip_serializing)]
    inference: Option<Choice>,
    /// Host parameters by their ids: numbers in the unit that the host shows, other settings by the words it shows.
    #[serde(default)]
    pub parameters: BTreeMap<String, toml::Value>,
}

impl UserPreset {
    /// What plays now, under a name.
    pub fn of(params: &IdiomParams, name: &str, about: &str, tags: Vec<String>) -> UserPreset {
        let played = params.preset.played();
        let mut preset = UserPreset {
            version: if played.own.is_some() { VERSION } else { 1 },
            name: name.into(),
            about: about.into(),
            tags,
            plays: Preset::factory().get(played.built_in).map_or("", |preset| &preset.name).to_owned(),
            profiles: played.own.map(|own| own.to_text()),
            inference: None,
            parameters: BTreeMap::new(),
        };
        let map = params.param_map();
        for value in Setup::of(params).0 {
            let Value::Param(id, normalized) = value else { continue };
            let Some((_, param, _)) = map.iter().find(|(known, ..)| *known == id) else { continue };
            // SAFETY: `param_map` points into `params`, which is alive.
            let value = unsafe {
                match param {
                    ParamPtr::FloatParam(_) => {
                        // As short as the number that reads back the same.
                        let plain = param.preview_plain(normalized);
                        toml::Value::Float(plain.to_string().parse().unwrap_or(f64::from(plain)))
                    }
                    _ => toml::Value::String(param.normalized_value_to_string(normalized, false)),
                }
            };
            preset.parameters.insert(id, value);
        }
        preset
    }

    /// The settings to make, for `params`: what the file does not name is as in a new instance.
    ///
    /// # Errors
    /// Names what this Idiom does not know.
    pub fn setup(&self, params: &IdiomParams) -> Result<Setup, String> {
        let mut setup = Setup::of(params);
        let map = params.param_map();
        if let Some(id) = self.parameters.keys().find(|id| !map.iter().any(|(known, ..)| known == *id)) {
            return Err(format!("there is no parameter {id:?}; update Idiom"));
        }
        let plays = Preset::factory().iter().position(|preset| preset.name == self.plays);
        let plays =
            plays.ok_or_else(|| format!("there is no built-in preset {:?}; update Idiom", self.plays))?;
        let own = self.profiles.as_deref().map(Preset::parse).transpose();
        let own = own.map_err(|error| format!("its profiles: {error}"))?;
        for value in &mut setup.0 {
            match value {
                Value::Preset(played) => *played = Played { built_in: plays, own: own.clone() },
                // The user's own model is a file of this machine's, and a preset goes to others.
                Value::Model(_) => {}
                // These are the window's, and in no setup.
                Value::Kept(..) | Value::Slot(_) | Value::Aside(_) => {}
                Value::Param(id, normalized) => {
                    let Some((_, param, _)) = map.iter().find(|(known, ..)| known == id) else { continue };
                    // SAFETY: as above.
                    let read = unsafe {
                        match self.parameters.get(id) {
                            None => Some(param.default_normalized_value()),
                            Some(toml::Value::Float(plain)) if plain.is_finite() => {
                                Some(param.preview_normalized(*plain as f32))
                            }
                            Some(toml::Value::Integer(plain)) => {
                                Some(param.preview_normalized(*plain as f32))
                            }
                            Some(toml::Value::String(text)) => param.string_to_normalized_value(text),
                            Some(_) => None,
                        }
                    };
                    let read = read.ok_or_else(|| {
                        format!(
                            "parameter {id:?} cannot be {}",
                            self.parameters.get(id).map_or(String::new(), |v| v.to_string())
                        )
                    })?;
                    *normalized = read.clamp(0.0, 1.0);
                }
            }
        }
        Ok(setup)
    }

    /// What it sets, to show to a person.
    pub fn facts(&self) -> Vec<(String, String)> {
        let shown = |value: &toml::Value| match value {
            toml::Value::Float(number) => format!("{:.1}", number),
            toml::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        // What is not moved is no news.
        let moved = |(id, value): &(&String, &toml::Value)| {
            let neutral = own::by_id(id).map(|parameter| f64::from(parameter.spec().neutral));
            neutral.is_none_or(|neutral| value.as_float().is_none_or(|v| (v - neutral).abs() > 1e-4))
        };
        let fact = |(id, value): (&String, &toml::Value)| (id.replace(['_', '.'], " "), shown(value));
        self.parameters.iter().filter(moved).map(fact).collect()
    }

    /// The file's text.
    pub fn to_text(&self) -> String {
        // Text, numbers and plain enums: there is nothing that cannot be written.
        let body = toml::to_string_pretty(self).unwrap_or_default();
        format!("# A preset for Idiom. Copy it to another computer's folder to use it there.\n\n{body}")
    }

    /// Reads a file's text.
    ///
    /// # Errors
    /// Says what cannot be read, and where.
    pub fn parse(text: &str) -> Result<UserPreset, String> {
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
        match table.get("version").and_then(toml::Value::as_integer) {
            Some(version) if version > i64::from(VERSION) => {
                return Err(format!("written by a newer Idiom (format {version}); update Idiom to use it"));
            }
            Some(1..) => {}
            _ => return Err(format!("no `version = {VERSION}` at its top: not a preset of Idiom's window")),
        }
        let mut preset: UserPreset = toml::from_str(text).map_err(|error| error.to_string())?;
        if let Some(Choice { backend, quantization }) = preset.inference.take() {
            for (id, label) in [("backend", backend.label()), ("quantization", quantization.label())] {
                preset.parameters.entry(id.into()).or_insert_with(|| label.into());
            }
        }
        let name = preset.name.trim();
        if name.is_empty() || name.chars().count() > super::LONGEST_NAME {
            return Err(format!("its name has to have 1 to {} characters", super::LONGEST_NAME));
        }
        Ok(preset)
    }
}
