//! The user's own setting of everything that a genre moves.
//!
//! As in a synthesizer, a parameter has a base value, which is the user's or the automation's, and a modulated one. The
//! genre adds what its profile asks for beyond neutral, scaled by Amount, in the domain in which it is heard: dB to
//! dB, octaves to octaves. At its default, neutral, a parameter does what the profile says; at Amount 0 it does what it
//! shows. What is in force is told by [`MixState::values`](idiom_engine::telemetry::MixState::values).

use super::unit::Unit;
use idiom_engine::profile::parameter::Domain;
use idiom_engine::profile::{PARAMETERS, Parameter, Profile};
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;
use std::sync::Arc;

/// Parameter id: section and field of the preset file, which never change.
pub fn id(parameter: Parameter) -> String {
    let spec = parameter.spec();
    format!("{}.{}", spec.section, spec.field)
}

/// The parameter with this id.
pub fn by_id(id: &str) -> Option<Parameter> {
    let (section, field) = id.split_once('.')?;
    Parameter::ALL.iter().copied().find(|p| p.spec().section == section && p.spec().field == field)
}

/// The unit, which the ending of the field names.
pub fn unit(parameter: Parameter) -> Unit {
    let spec = parameter.spec();
    let (field, (min, _)) = (spec.field, spec.range);
    match field.rsplit('_').next() {
        Some("db") if spec.acts && min < 0.0 => Unit::Gain,
        Some("db") => Unit::Decibels,
        Some("hz") => Unit::Hertz,
        Some("ms") => Unit::Milliseconds,
        Some("lufs") => Unit::Loudness,
        Some("ratio") => Unit::Ratio,
        Some("q") => Unit::Plain,
        // Shares of an effect, and the width.
        _ => Unit::Share,
    }
}

/// Plain values from smallest to largest; what is heard by its logarithm has its geometric mean in the middle.
pub fn range(parameter: Parameter) -> FloatRange {
    let spec = parameter.spec();
    let (min, max) = spec.range;
    match spec.domain {
        Domain::Plain => FloatRange::Linear { min, max },
        Domain::Log | Domain::Slope => {
            let middle = ((min * max).sqrt() - min) / (max - min);
            FloatRange::Skewed { min, max, factor: 0.5f32.ln() / middle.ln() }
        }
    }
}

/// The plain value a person typed, clamped to the range.
pub fn parse(parameter: Parameter, text: &str) -> Option<f32> {
    let (min, max) = parameter.spec().range;
    unit(parameter).parse(text).map(|value| value.clamp(min, max))
}

fn param(parameter: Parameter) -> FloatParam {
    let unit = unit(parameter);
    let spec = parameter.spec();
    FloatParam::new(spec.name, spec.neutral, range(parameter))
        .with_unit(unit.suffix())
        .with_value_to_string(Arc::new(move |plain| unit.number(plain)))
        .with_string_to_value(Arc::new(move |text| parse(parameter, text)))
}

/// One host parameter for each [`Parameter`].
pub struct Own(Vec<FloatParam>);

impl Own {
    /// The host parameter of the user's own setting.
    pub fn get(&self, parameter: Parameter) -> &FloatParam {
        &self.0[parameter as usize]
    }

    /// The user's own settings. Audio thread safe.
    pub fn profile(&self) -> Profile {
        let mut values = [0.0; PARAMETERS];
        values.iter_mut().zip(&self.0).for_each(|(value, param)| *value = param.value());
        Profile::from_values(values)
    }
}

impl Default for Own {
    fn default() -> Self {
        Self(Parameter::ALL.iter().map(|&parameter| param(parameter)).collect())
    }
}

// SAFETY: the pointers are into a vector that never changes, and live as long as the object.
unsafe impl Params for Own {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let entry = |&parameter: &Parameter| {
            (id(parameter), self.get(parameter).as_ptr(), parameter.section().label().to_owned())
        };
        Parameter::ALL.iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_of_a_profile_is_there_and_neutral() {
        let own = Own::default();
        assert_eq!(own.profile(), Profile::NEUTRAL);
        for &parameter in Parameter::ALL {
            assert_eq!(by_id(&id(parameter)), Some(parameter));
            let (param, spec) = (own.get(parameter), parameter.spec());
            assert_eq!(param.name(), spec.name);
            // A host that sets the default by its normalized value keeps the sound untouched.
            let back = param.preview_plain(param.default_normalized_value());
            assert!((back - spec.neutral).abs() <= 1e-5 * spec.neutral.abs(), "{parameter:?}: {back}");
            assert!(!spec.acts || back == spec.neutral, "{parameter:?}: {back}");
        }
    }

    #[test]
    fn units_are_those_of_a_mixing_desk() {
        for (parameter, text) in [
            (Parameter::Threshold, "-18.0 dB"),
            (Parameter::LowDb, "0.0 dB"),
            (Parameter::Ratio, "1.00 : 1"),
            (Parameter::GateRatio, "2.00 : 1"),
            (Parameter::Attack, "20 ms"),
            (Parameter::HighHz, "8000 Hz"),
            (Parameter::LowCut, "0 %"),
            (Parameter::Width, "100 %"),
            (Parameter::DriveHz, "20 Hz"),
            (Parameter::Target, "-18.0 LUFS"),
            (Parameter::MidQ, "0.80"),
        ] {
            assert_eq!(unit(parameter).text(parameter.spec().neutral), text, "{parameter:?}");
        }
    }
}
