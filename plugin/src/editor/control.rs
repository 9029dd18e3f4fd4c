//! A continuous host parameter, as a knob turns it: one of the whole ([`Dial`]), or the user's own setting of something that
//! a genre moves ([`own`]).

use crate::params::{Dial, IdiomParams, own};
use idiom_engine::profile::Parameter;
use nice_plug::prelude::*;

/// See the [module](self).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Control {
    /// Amount, Reaction, gains.
    Dial(Dial),
    /// The base of something that a genre moves.
    Own(Parameter),
}

impl From<Dial> for Control {
    fn from(dial: Dial) -> Self {
        Control::Dial(dial)
    }
}

impl From<Parameter> for Control {
    fn from(parameter: Parameter) -> Self {
        Control::Own(parameter)
    }
}

impl Control {
    /// The host parameter.
    pub fn param(self, params: &IdiomParams) -> &FloatParam {
        match self {
            Control::Dial(dial) => params.dial(dial),
            Control::Own(parameter) => params.own(parameter),
        }
    }

    /// The host parameter's id.
    pub fn id(self) -> String {
        match self {
            Control::Dial(dial) => dial.id().into(),
            Control::Own(parameter) => own::id(parameter),
        }
    }

    /// Name in the host's list.
    pub fn name(self) -> &'static str {
        match self {
            Control::Dial(dial) => dial.name(),
            Control::Own(parameter) => parameter.spec().name,
        }
    }

    /// Short name over the knob. A section's knobs stand under its name.
    pub fn label(self) -> &'static str {
        match self {
            Control::Dial(dial) => dial.label(),
            Control::Own(parameter) => short(parameter),
        }
    }

    /// What it does.
    pub fn help(self) -> String {
        match self {
            Control::Dial(dial) => dial.help().into(),
            Control::Own(parameter) => format!(
                "{}\n\nThe knob is your own setting; the genre adds what its profile asks for. The ring shows what is in \
                 force.",
                parameter.help()
            ),
        }
    }

    /// Plain value of a new instance and of a reset knob.
    pub fn default(self) -> f32 {
        match self {
            Control::Dial(dial) => dial.default(),
            Control::Own(parameter) => parameter.spec().neutral,
        }
    }

    /// Plain values from smallest to largest, and how they spread over the knob's travel.
    pub fn range(self) -> FloatRange {
        match self {
            Control::Dial(dial) => dial.range(),
            Control::Own(parameter) => own::range(parameter),
        }
    }

    /// Smallest and largest plain value.
    pub fn limits(self) -> (f32, f32) {
        (self.range().unnormalize(0.0), self.range().unnormalize(1.0))
    }

    /// Where on the knob the arc begins, `0..=1`.
    pub fn origin(self) -> f32 {
        match self {
            Control::Dial(dial) => dial.origin(),
            Control::Own(parameter) => self.range().normalize(parameter.spec().neutral),
        }
    }

    /// The number without its unit.
    pub fn number(self, plain: f32) -> String {
        match self {
            Control::Dial(dial) => dial.number(plain),
            Control::Own(parameter) => own::unit(parameter).number(plain),
        }
    }

    /// Number and unit.
    pub fn text(self, plain: f32) -> String {
        match self {
            Control::Dial(dial) => dial.text(plain),
            Control::Own(parameter) => own::unit(parameter).text(plain),
        }
    }

    /// The plain value a person typed, clamped to the range.
    pub fn parse(self, text: &str) -> Option<f32> {
        match self {
            Control::Dial(dial) => dial.parse(text),
            Control::Own(parameter) => own::parse(parameter, text),
        }
    }
}

/// The name of a parameter under the name of its section.
fn short(parameter: Parameter) -> &'static str {
    use Parameter::*;
    match parameter {
        GateThreshold | Threshold => "Threshold",
        GateRange | TargetRange => "Range",
        GateRatio | Ratio => "Ratio",
        GateHysteresis => "Hysteresis",
        GateAttack | Attack => "Attack",
        GateHold => "Hold",
        GateRelease | Release | LimiterRelease => "Release",
        LowCut => "Low cut",
        LowCutHz => "Cut at",
        LowHz => "Low at",
        LowDb => "Low",
        LowQ => "Low Q",
        MidHz => "Mid at",
        MidDb => "Mid",
        MidQ => "Mid Q",
        PresenceHz => "Pres. at",
        PresenceDb => "Presence",
        PresenceQ => "Pres. Q",
        HighHz => "High at",
        HighDb => "High",
        HighQ => "High Q",
        EqTrim => "Trim",
        Knee => "Knee",
        Detector => "Detector",
        AutoRelease => "Auto rel.",
        KeyHz => "Key from",
        Link => "Link",
        CompressorMix | DriveMix => "Mix",
        Makeup => "Make-up",
        DriveGain => "Gain",
        DriveHz => "From",
        Width => "Width",
        MonoBass => "Mono bass",
        BassHz => "Below",
        Target => "Target",
    }
}
