//! The continuous parameters of the whole: Amount, Reaction, gains.

use super::unit::Unit;
use nice_plug::prelude::*;
use std::sync::Arc;

/// A continuous parameter of the whole. Plain values are in the unit the text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dial {
    /// How far the mix moves towards the genre's profile, in percent.
    Amount,
    /// Time the mix takes to follow a change of genre, in seconds.
    Reaction,
    /// Confidence below which the genre counts as uncertain, in percent.
    Threshold,
    /// Gain after everything but the limiter, in dB.
    Output,
    /// Gain before everything, in dB.
    Input,
    /// Highest peak that leaves the limiter, in dBTP.
    Ceiling,
}

impl Dial {
    /// Every dial: first those that are always in the window.
    pub const ALL: [Dial; 6] =
        [Dial::Amount, Dial::Reaction, Dial::Threshold, Dial::Output, Dial::Input, Dial::Ceiling];

    /// Parameter id. Never changes: states and automation lanes refer to it.
    pub const fn id(self) -> &'static str {
        match self {
            Dial::Amount => "amount",
            Dial::Reaction => "reaction",
            Dial::Threshold => "threshold",
            Dial::Output => "output",
            Dial::Input => "input",
            Dial::Ceiling => "ceiling",
        }
    }

    /// Name in the host's parameter list.
    pub const fn name(self) -> &'static str {
        match self {
            Dial::Amount => "Amount",
            Dial::Reaction => "Reaction",
            Dial::Threshold => "Confidence threshold",
            Dial::Output => "Output gain",
            Dial::Input => "Input gain",
            Dial::Ceiling => "Limiter ceiling",
        }
    }

    /// Short name under the knob.
    pub const fn label(self) -> &'static str {
        match self {
            Dial::Amount => "Amount",
            Dial::Reaction => "Reaction",
            Dial::Threshold => "Threshold",
            Dial::Output => "Output",
            Dial::Input => "Input",
            Dial::Ceiling => "Ceiling",
        }
    }

    /// What it does, in one sentence, for the tooltip.
    pub const fn help(self) -> &'static str {
        match self {
            Dial::Amount => {
                "How far the mix moves towards the genre's profile. At 0 % only your own settings are in force."
            }
            Dial::Reaction => "How long the mix takes to follow a change of genre.",
            Dial::Threshold => "Below this confidence the last genre is held instead of following a guess.",
            Dial::Output => "Gain after everything but the limiter.",
            Dial::Input => "Gain before everything. What is recognised does not depend on it.",
            Dial::Ceiling => "The highest peak that leaves the limiter.",
        }
    }

    /// Its unit.
    pub const fn kind(self) -> Unit {
        match self {
            Dial::Amount | Dial::Threshold => Unit::Percent,
            Dial::Reaction => Unit::Seconds,
            Dial::Output | Dial::Input => Unit::Gain,
            Dial::Ceiling => Unit::Decibels,
        }
    }

    /// Unit, with the space before it.
    pub const fn unit(self) -> &'static str {
        self.kind().suffix()
    }

    /// Plain values from smallest to largest, and how they spread over the knob's travel.
    pub fn range(self) -> FloatRange {
        match self {
            Dial::Amount | Dial::Threshold => FloatRange::Linear { min: 0.0, max: 100.0 },
            // Most of the travel for the fast settings, where a tenth of a second is heard.
            Dial::Reaction => {
                FloatRange::Skewed { min: 0.1, max: 20.0, factor: FloatRange::skew_factor(-1.5) }
            }
            Dial::Output | Dial::Input => FloatRange::Linear { min: -24.0, max: 24.0 },
            Dial::Ceiling => FloatRange::Linear { min: -24.0, max: 0.0 },
        }
    }

    /// Smallest and largest plain value.
    pub fn limits(self) -> (f32, f32) {
        (self.range().unnormalize(0.0), self.range().unnormalize(1.0))
    }

    /// Plain value of a new instance and of a reset knob.
    pub const fn default(self) -> f32 {
        match self {
            Dial::Amount => 100.0,
            Dial::Reaction => 2.0,
            Dial::Threshold => 70.0,
            Dial::Output | Dial::Input => 0.0,
            Dial::Ceiling => -1.0,
        }
    }

    /// Where on the knob the arc begins, `0..=1`: the middle for a gain, else the left end.
    pub fn origin(self) -> f32 {
        if self.kind() == Unit::Gain { self.range().normalize(0.0) } else { 0.0 }
    }

    /// The number without its unit, in the precision a person works with.
    pub fn number(self, plain: f32) -> String {
        self.kind().number(plain)
    }

    /// Number and unit.
    pub fn text(self, plain: f32) -> String {
        self.kind().text(plain)
    }

    /// The plain value a person typed, see [`Unit::parse`], clamped to the range.
    pub fn parse(self, text: &str) -> Option<f32> {
        let (min, max) = self.limits();
        self.kind().parse(text).map(|value| value.clamp(min, max))
    }

    pub(super) fn param(self) -> FloatParam {
        FloatParam::new(self.name(), self.default(), self.range())
            .with_unit(self.unit())
            .with_value_to_string(Arc::new(move |plain| self.number(plain)))
            .with_string_to_value(Arc::new(move |text| self.parse(text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a host shows can be typed back, at any place of the range, and shows the same again.
    #[test]
    fn texts_round_trip() {
        for dial in Dial::ALL {
            for step in 0..=200 {
                let plain = dial.range().unnormalize(step as f32 / 200.0);
                let text = dial.text(plain);
                let back = dial.parse(&text).unwrap_or_else(|| panic!("{dial:?} cannot read {text:?}"));
                assert_eq!(dial.text(back), text, "{dial:?}");
                assert_eq!(dial.text(dial.parse(&dial.number(plain)).unwrap()), text, "{dial:?}");
            }
        }
        assert_eq!(Dial::Amount.parse("400 %"), Some(100.0));
    }
}
