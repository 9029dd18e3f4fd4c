//! Writing presets in the present format.

use super::read::PRESET_VERSION;
use super::{Parameter, Preset, Profile};
use crate::genre::Genre;
use std::fmt::Write;

impl Preset {
    /// The preset as a file of the present format. What is neutral is left out.
    pub fn to_text(&self) -> String {
        let mut text = format!(
            "version = {PRESET_VERSION}\nname = {}\nsummary = {}\n",
            quoted(&self.name),
            quoted(&self.summary)
        );
        for ((genre, why), profile) in Genre::ALL.iter().zip(&self.why).zip(&self.profiles.genres) {
            // Writing to a text cannot fail.
            write!(text, "\n[{}]\nwhy = {}\n", genre.name(), quoted(why)).ok();
            write_profile(&mut text, genre.name(), profile);
        }
        text
    }
}

fn write_profile(text: &mut String, genre: &str, profile: &Profile) {
    let mut section = "";
    for &parameter in Parameter::ALL {
        let spec = parameter.spec();
        if profile[parameter] == spec.neutral || parameter == Parameter::EqTrim {
            continue;
        }
        if spec.section != section {
            section = spec.section;
            write!(text, "\n[{genre}.{section}]\n").ok();
        }
        // Three decimals are finer than any of them is heard.
        let number = f64::from((profile[parameter] * 1_000.0).round()) / 1_000.0;
        writeln!(text, "{} = {number:?}", spec.field).ok();
    }
}

/// A text as TOML writes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
