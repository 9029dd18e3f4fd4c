//! The parameters a host sees, and their ranges and texts as named functions that the window shares.

use crate::state::{FormatNumber, LoadReport, ModelSelection, PresetSelection, Selection, WindowSize};
use idiom_engine::{Controls, Genre, Handle};
use nice_plug::prelude::*;
use std::sync::Arc;

/// The four continuous parameters. Plain values are in the unit the text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dial {
    /// How far the mix moves towards the genre's profile, in percent.
    Amount,
    /// Time the mix takes to follow a change of genre, in seconds.
    Reaction,
    /// Confidence below which the genre counts as uncertain, in percent.
    Threshold,
    /// Gain after everything, in dB.
    Output,
}

impl Dial {
    /// Every dial in the order of the window.
    pub const ALL: [Dial; 4] = [Dial::Amount, Dial::Reaction, Dial::Threshold, Dial::Output];

    /// Parameter id. Never changes: states and automation lanes refer to it.
    pub const fn id(self) -> &'static str {
        match self {
            Dial::Amount => "amount",
            Dial::Reaction => "reaction",
            Dial::Threshold => "threshold",
            Dial::Output => "output",
        }
    }

    /// Name in the host's parameter list.
    pub const fn name(self) -> &'static str {
        match self {
            Dial::Amount => "Amount",
            Dial::Reaction => "Reaction",
            Dial::Threshold => "Confidence threshold",
            Dial::Output => "Output gain",
        }
    }

    /// Short name under the knob.
    pub const fn label(self) -> &'static str {
        match self {
            Dial::Amount => "Amount",
            Dial::Reaction => "Reaction",
            Dial::Threshold => "Threshold",
            Dial::Output => "Output",
        }
    }

    /// What it does, in one sentence, for the tooltip.
    pub const fn help(self) -> &'static str {
        match self {
            Dial::Amount => {
                "How far the mix moves towards the genre's profile. 0 % leaves the sound untouched."
            }
            Dial::Reaction => "How long the mix takes to follow a change of genre.",
            Dial::Threshold => "Below this confidence the last genre is held instead of following a guess.",
            Dial::Output => "Gain after everything else.",
        }
    }

    /// Unit, with the space before it.
    pub const fn unit(self) -> &'static str {
        match self {
            Dial::Amount | Dial::Threshold => " %",
            Dial::Reaction => " s",
            Dial::Output => " dB",
        }
    }

    /// Plain values from smallest to largest, and how they spread over the knob's travel.
    pub fn range(self) -> FloatRange {
        match self {
            Dial::Amount | Dial::Threshold => FloatRange::Linear { min: 0.0, max: 100.0 },
            // Most of the travel for the fast settings, where a tenth of a second is heard.
            Dial::Reaction => {
                FloatRange::Skewed { min: 0.1, max: 20.0, factor: FloatRange::skew_factor(-1.5) }
            }
            Dial::Output => FloatRange::Linear { min: -24.0, max: 24.0 },
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
            Dial::Output => 0.0,
        }
    }

    /// Where on the knob the arc begins, `0..=1`: the middle for a gain, else the left end.
    pub fn origin(self) -> f32 {
        if self == Dial::Output { self.range().normalize(0.0) } else { 0.0 }
    }

    /// The number without its unit, in the precision a person works with.
    pub fn number(self, plain: f32) -> String {
        match self {
            Dial::Amount | Dial::Threshold => format!("{:.0}", positive_zero(plain, 0)),
            Dial::Reaction if plain < 0.995 => format!("{plain:.2}"),
            Dial::Reaction => format!("{plain:.1}"),
            Dial::Output => match positive_zero(plain, 1) {
                db if db > 0.0 => format!("+{db:.1}"),
                db => format!("{db:.1}"),
            },
        }
    }

    /// Number and unit.
    pub fn text(self, plain: f32) -> String {
        self.number(plain) + self.unit()
    }

    /// The plain value a person typed: with or without the unit, with a decimal point or comma. Clamped to the
    /// range; `None` when it is not a number. Seconds may also be given as `250 ms`.
    pub fn parse(self, text: &str) -> Option<f32> {
        let text = text.trim().to_ascii_lowercase().replace(',', ".").replace('\u{2212}', "-");
        let (digits, factor) = match text.strip_suffix("ms") {
            Some(digits) if self == Dial::Reaction => (digits, 1e-3),
            _ => (text.strip_suffix(&self.unit().trim().to_ascii_lowercase()).unwrap_or(&text), 1.0),
        };
        let value: f32 = digits.trim().parse().ok()?;
        let (min, max) = self.limits();
        value.is_finite().then(|| (value * factor).clamp(min, max))
    }

    fn param(self) -> FloatParam {
        FloatParam::new(self.name(), self.default(), self.range())
            .with_unit(self.unit())
            .with_value_to_string(Arc::new(move |plain| self.number(plain)))
            .with_string_to_value(Arc::new(move |text| self.parse(text)))
    }
}

/// Rounds to `digits` and turns -0 into 0, so that no text reads "-0".
fn positive_zero(value: f32, digits: i32) -> f32 {
    let scale = 10f32.powi(digits);
    let rounded = (value * scale).round() / scale;
    if rounded == 0.0 { 0.0 } else { rounded }
}

/// The switches: every parameter that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switch {
    /// Hold the present genre and mix.
    Freeze,
    /// Whether the equalizer acts.
    Eq,
    /// Whether the compressor acts.
    Compressor,
    /// Pass the input through untouched.
    Bypass,
}

impl Switch {
    /// Every switch in the order of the host's list.
    pub const ALL: [Switch; 4] = [Switch::Freeze, Switch::Eq, Switch::Compressor, Switch::Bypass];

    /// Parameter id. Never changes.
    pub const fn id(self) -> &'static str {
        match self {
            Switch::Freeze => "freeze",
            Switch::Eq => "eq",
            Switch::Compressor => "compressor",
            Switch::Bypass => "bypass",
        }
    }

    /// Name in the host's list and in the window.
    pub const fn name(self) -> &'static str {
        match self {
            Switch::Freeze => "Freeze",
            Switch::Eq => "Equalizer",
            Switch::Compressor => "Compressor",
            Switch::Bypass => "Bypass",
        }
    }

    /// What it does, in one sentence, for the tooltip.
    pub const fn help(self) -> &'static str {
        match self {
            Switch::Freeze => "Hold the present genre and mix, whatever is heard.",
            Switch::Eq => "Let the genre move the equalizer.",
            Switch::Compressor => "Let the genre move the compressor.",
            Switch::Bypass => "Pass the sound through untouched. Listening goes on.",
        }
    }

    /// State of a new instance.
    pub const fn default(self) -> bool {
        matches!(self, Switch::Eq | Switch::Compressor)
    }

    fn param(self) -> BoolParam {
        let param = BoolParam::new(self.name(), self.default());
        if self == Switch::Bypass {
            return param.make_bypass();
        }
        param
            .with_value_to_string(Arc::new(|on| String::from(if on { "On" } else { "Off" })))
            .with_string_to_value(Arc::new(|text| match text.trim().to_ascii_lowercase().as_str() {
                "on" | "true" | "yes" | "1" => Some(true),
                "off" | "false" | "no" | "0" => Some(false),
                _ => None,
            }))
    }
}

/// Parameter id of the manual genre.
pub const GENRE_ID: &str = "genre";

/// The genre parameter: follow what is heard, or one genre set by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum GenreChoice {
    /// Follow the recognition.
    #[id = "auto"]
    Auto,
    /// Always [`Genre::Speech`].
    #[id = "speech"]
    Speech,
    /// Always [`Genre::Rock`].
    #[id = "rock"]
    Rock,
    /// Always [`Genre::Jazz`].
    #[id = "jazz"]
    Jazz,
    /// Always [`Genre::Electronic`].
    #[id = "electronic"]
    Electronic,
    /// Always [`Genre::Classical`].
    #[id = "classical"]
    Classical,
}

impl From<GenreChoice> for Option<Genre> {
    fn from(choice: GenreChoice) -> Self {
        match choice {
            GenreChoice::Auto => None,
            GenreChoice::Speech => Some(Genre::Speech),
            GenreChoice::Rock => Some(Genre::Rock),
            GenreChoice::Jazz => Some(Genre::Jazz),
            GenreChoice::Electronic => Some(Genre::Electronic),
            GenreChoice::Classical => Some(Genre::Classical),
        }
    }
}

impl From<Option<Genre>> for GenreChoice {
    fn from(genre: Option<Genre>) -> Self {
        match genre {
            None => GenreChoice::Auto,
            Some(Genre::Speech) => GenreChoice::Speech,
            Some(Genre::Rock) => GenreChoice::Rock,
            Some(Genre::Jazz) => GenreChoice::Jazz,
            Some(Genre::Electronic) => GenreChoice::Electronic,
            Some(Genre::Classical) => GenreChoice::Classical,
        }
    }
}

/// Everything that a host saves with its session: parameters, and the persisted fields of [`crate::state`].
#[derive(Params)]
pub struct IdiomParams {
    /// See [`Dial::Amount`].
    #[id = "amount"]
    pub amount: FloatParam,
    /// See [`Dial::Reaction`].
    #[id = "reaction"]
    pub reaction: FloatParam,
    /// See [`Dial::Threshold`].
    #[id = "threshold"]
    pub threshold: FloatParam,
    /// Follow the recognition, or a genre set by hand.
    #[id = "genre"]
    pub genre: EnumParam<GenreChoice>,
    /// See [`Switch::Freeze`].
    #[id = "freeze"]
    pub freeze: BoolParam,
    /// See [`Switch::Eq`].
    #[id = "eq"]
    pub eq: BoolParam,
    /// See [`Switch::Compressor`].
    #[id = "compressor"]
    pub compressor: BoolParam,
    /// See [`Dial::Output`].
    #[id = "output"]
    pub output: FloatParam,
    /// See [`Switch::Bypass`]; the host's own bypass button.
    #[id = "bypass"]
    pub bypass: BoolParam,

    /// The layout number of the state, see [`crate::state::FORMAT`].
    #[persist = "format"]
    pub format: FormatNumber,
    /// Backend and quantization the user chose.
    #[persist = "inference"]
    pub selection: Selection,
    /// The preset that plays. Not a parameter: a host that automates or remembers parameters by number would play another
    /// preset once more are built in.
    #[persist = "preset"]
    pub preset: PresetSelection,
    /// A model of the user's own, in place of the built-in one.
    #[persist = "model"]
    pub model: ModelSelection,
    /// Size of the window in logical points.
    #[persist = "window"]
    pub window: WindowSize,
    /// What was wrong with the state loaded last. Saved as "nothing", and filled anew by each load.
    #[persist = "report"]
    pub report: LoadReport,
}

impl IdiomParams {
    /// Defaults for a new instance whose backend choices go to `handle`.
    pub fn new(handle: Arc<Handle>) -> Self {
        Self {
            amount: Dial::Amount.param(),
            reaction: Dial::Reaction.param(),
            threshold: Dial::Threshold.param(),
            genre: EnumParam::new("Genre", GenreChoice::Auto),
            freeze: Switch::Freeze.param(),
            eq: Switch::Eq.param(),
            compressor: Switch::Compressor.param(),
            output: Dial::Output.param(),
            bypass: Switch::Bypass.param(),
            format: FormatNumber,
            model: ModelSelection::new(Arc::clone(&handle)),
            selection: Selection::new(handle),
            preset: PresetSelection::default(),
            window: WindowSize::default(),
            report: LoadReport::default(),
        }
    }

    /// The parameter behind a dial.
    pub fn dial(&self, dial: Dial) -> &FloatParam {
        match dial {
            Dial::Amount => &self.amount,
            Dial::Reaction => &self.reaction,
            Dial::Threshold => &self.threshold,
            Dial::Output => &self.output,
        }
    }

    /// The parameter behind a switch.
    pub fn switch(&self, switch: Switch) -> &BoolParam {
        match switch {
            Switch::Freeze => &self.freeze,
            Switch::Eq => &self.eq,
            Switch::Compressor => &self.compressor,
            Switch::Bypass => &self.bypass,
        }
    }

    /// What the state that was loaded last has to say, for the window.
    pub fn notice(&self) -> Option<String> {
        let notices = [self.report.message(), self.preset.message(), self.model.message()];
        let notices: Vec<String> = notices.into_iter().flatten().collect();
        (!notices.is_empty()).then(|| notices.join(" "))
    }

    /// The user has read the notice.
    pub fn dismiss_notice(&self) {
        self.report.dismiss();
        self.preset.dismiss();
        self.model.dismiss();
    }

    /// What the engine needs for the next block. Audio thread safe.
    pub fn controls(&self) -> Controls {
        Controls {
            amount: self.amount.value() / 100.0,
            reaction_s: self.reaction.value(),
            threshold: self.threshold.value() / 100.0,
            manual: self.genre.value().into(),
            freeze: self.freeze.value(),
            eq: self.eq.value(),
            compressor: self.compressor.value(),
            preset: self.preset.get(),
            output_db: self.output.value(),
            bypass: self.bypass.value(),
            ..Controls::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> IdiomParams {
        IdiomParams::new(Arc::default())
    }

    #[test]
    fn defaults_are_those_of_the_engine() {
        assert_eq!(params().controls(), Controls::default());
    }

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
    }

    #[test]
    fn hosts_read_and_write_the_same_texts() {
        let params = params();
        for (id, param, _) in params.param_map() {
            for step in 0..=20 {
                let normalized = step as f32 / 20.0;
                // SAFETY: `param_map` points into `params`, which is alive.
                let (text, back) = unsafe {
                    let text = param.normalized_value_to_string(normalized, true);
                    let back = param.string_to_normalized_value(&text);
                    (text, back)
                };
                let back = back.unwrap_or_else(|| panic!("{id} cannot read {text:?}"));
                // SAFETY: as above.
                assert_eq!(unsafe { param.normalized_value_to_string(back, true) }, text, "{id}");
            }
        }
    }

    #[test]
    fn people_may_type_as_they_like() {
        assert_eq!(Dial::Amount.parse(" 40"), Some(40.0));
        assert_eq!(Dial::Amount.parse("40%"), Some(40.0));
        assert_eq!(Dial::Amount.parse("400 %"), Some(100.0));
        assert_eq!(Dial::Output.parse("-3,5 dB"), Some(-3.5));
        assert_eq!(Dial::Output.parse("\u{2212}6 db"), Some(-6.0));
        assert_eq!(Dial::Output.parse("+2"), Some(2.0));
        assert_eq!(Dial::Reaction.parse("250 ms"), Some(0.25));
        assert_eq!(Dial::Reaction.parse("1.5s"), Some(1.5));
        for nonsense in ["", "loud", "nan", "inf", "1e99", "%"] {
            assert_eq!(Dial::Amount.parse(nonsense), None, "{nonsense:?}");
        }
        assert_eq!(Dial::Output.text(-0.01), "0.0 dB");
    }

    #[test]
    fn ids_and_ranges_are_those_of_the_parameters() {
        let params = params();
        let ids: Vec<_> = params.param_map().into_iter().map(|(id, ..)| id).collect();
        for dial in Dial::ALL {
            assert!(ids.iter().any(|id| id == dial.id()));
            assert_eq!(params.dial(dial).name(), dial.name());
            assert_eq!(params.dial(dial).default_plain_value(), dial.default());
        }
        for switch in Switch::ALL {
            assert!(ids.iter().any(|id| id == switch.id()));
            assert_eq!(params.switch(switch).name(), switch.name());
        }
        assert!(ids.iter().any(|id| id == GENRE_ID));
        assert_eq!(ids.len(), Dial::ALL.len() + Switch::ALL.len() + 1);
        assert!(params.bypass.flags().contains(ParamFlags::BYPASS));
    }

    #[test]
    fn the_genre_parameter_is_auto_and_the_genres_in_order() {
        let labels: Vec<_> = Genre::ALL.iter().map(|genre| genre.label()).collect();
        assert_eq!(GenreChoice::variants()[0], "Auto");
        assert_eq!(GenreChoice::variants()[1..], labels[..]);
        for choice in std::iter::once(None).chain(Genre::ALL.map(Some)) {
            assert_eq!(Option::<Genre>::from(GenreChoice::from(choice)), choice);
        }
    }
}
