//! The parameters a host sees, with names, units, ranges and texts that the window shares.
//!
//! * [`dial`]: continuous ones of the whole; [`switch`]: on or off; [`choice`]: one of several.
//! * [`own`]: the user's own setting of everything that a genre moves.
//! * [`cc`]: MIDI controllers out.
//! * [`recognition`]: what computes the genre.
//!
//! Ids are named here once and never change: states and automation refer to them.

pub mod cc;
pub mod choice;
pub mod dial;
pub mod own;
pub mod recognition;
pub mod switch;
pub mod unit;

pub use choice::{
    BackendChoice, GenreChoice, LimiterChoice, ModeChoice, QuantizationChoice, UncertainChoice,
};
pub use dial::Dial;
pub use own::Own;
pub use recognition::Recognition;
pub use switch::{Switch, Switches};
pub use unit::Unit;

use crate::state::{FormatNumber, LoadReport, ModelSelection, PresetSelection, WindowSize};
use cc::Controllers;
use idiom_engine::profile::Parameter;
use idiom_engine::{Controls, Handle, LimiterMode, Section};
use nice_plug::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

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
    /// What moves the mix: Follow, Learn, Hold or by hand.
    #[id = "mode"]
    pub mode: EnumParam<ModeChoice>,
    /// What the mix does in doubt.
    #[id = "uncertain"]
    pub uncertain: EnumParam<UncertainChoice>,
    /// See [`Dial::Input`].
    #[id = "input"]
    pub input: FloatParam,
    /// See [`Dial::Output`].
    #[id = "output"]
    pub output: FloatParam,
    /// See [`Dial::Ceiling`].
    #[id = "ceiling"]
    pub ceiling: FloatParam,
    /// Which limiter: without latency, or for true peaks.
    #[id = "limiter.kind"]
    pub limiter: EnumParam<LimiterChoice>,
    /// See [`Switch`].
    #[nested]
    pub switches: Switches,
    /// The user's own setting of everything that a genre moves.
    #[nested]
    pub own: Own,
    /// MIDI controllers out.
    #[nested]
    pub cc: Controllers,
    /// What computes the genre.
    #[nested(group = "Recognition")]
    pub recognition: Recognition,

    /// The mix is being written into [`own`](Self::own) as automation. Set by [`crate::print`] only.
    pub printing: AtomicBool,

    /// The layout number of the state, see [`crate::state::FORMAT`].
    #[persist = "format"]
    pub format: FormatNumber,
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
    /// Defaults for a new instance whose choices go to `handle`.
    pub fn new(handle: Arc<Handle>) -> Self {
        Self {
            amount: Dial::Amount.param(),
            reaction: Dial::Reaction.param(),
            threshold: Dial::Threshold.param(),
            genre: EnumParam::new("Genre", GenreChoice::Auto),
            mode: EnumParam::new("Mode", ModeChoice::Follow),
            uncertain: EnumParam::new("When uncertain", UncertainChoice::Ease),
            input: Dial::Input.param(),
            output: Dial::Output.param(),
            ceiling: Dial::Ceiling.param(),
            limiter: EnumParam::new("Limiter kind", LimiterChoice::ZeroLatency).non_automatable(),
            switches: Switches::default(),
            own: Own::default(),
            cc: Controllers::default(),
            recognition: Recognition::new(&handle),
            printing: AtomicBool::new(false),
            format: FormatNumber,
            model: ModelSelection::new(Arc::clone(&handle)),
            preset: PresetSelection::new(handle),
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
            Dial::Input => &self.input,
            Dial::Ceiling => &self.ceiling,
        }
    }

    /// The parameter behind a switch.
    pub fn switch(&self, switch: Switch) -> &BoolParam {
        self.switches.get(switch)
    }

    /// The parameter behind the user's own setting of what a genre moves.
    pub fn own(&self, parameter: Parameter) -> &FloatParam {
        self.own.get(parameter)
    }

    /// Which limiter the next activation is to have.
    pub fn limiter_mode(&self) -> LimiterMode {
        self.limiter.value().into()
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
        let on = |switch: Switch| self.switch(switch).value();
        Controls {
            preset: self.preset.get(),
            amount: self.amount.value() / 100.0,
            reaction_s: self.reaction.value(),
            threshold: self.threshold.value() / 100.0,
            uncertain: self.uncertain.value().into(),
            manual: self.genre.value().into(),
            mode: self.mode.value().into(),
            base: self.own.profile(),
            input_db: self.input.value(),
            gate: on(Switch::On(Section::Gate)),
            eq: on(Switch::On(Section::Eq)),
            compressor: on(Switch::On(Section::Compressor)),
            drive: on(Switch::On(Section::Drive)),
            width: on(Switch::On(Section::Width)),
            loudness: on(Switch::On(Section::Loudness)),
            limiter: on(Switch::On(Section::Limiter)),
            ceiling_db: self.ceiling.value(),
            hold_base: self.printing.load(Relaxed),
            locks: Section::ALL.map(|section| on(Switch::Lock(section))),
            external_key: on(Switch::SideChain),
            output_db: self.output.value(),
            bypass: on(Switch::Bypass),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn params() -> IdiomParams {
        IdiomParams::new(Arc::default())
    }

    #[test]
    fn defaults_are_those_of_the_engine() {
        assert_eq!(params().controls(), Controls::default());
        assert_eq!(params().limiter_mode(), LimiterMode::default());
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

    /// Ids of the first states must stay; all must differ, also as the 31-bit number that hosts see.
    #[test]
    fn ids_are_stable_and_differ() {
        let params = params();
        let map = params.param_map();
        let ids: BTreeSet<&str> = map.iter().map(|(id, ..)| id.as_str()).collect();
        assert_eq!(ids.len(), map.len());
        for id in [
            "amount",
            "reaction",
            "threshold",
            "genre",
            "mode",
            "uncertain",
            "input",
            "output",
            "ceiling",
            "limiter.kind",
            "gate",
            "eq",
            "compressor",
            "drive",
            "width",
            "loudness",
            "limiter",
            "lock.eq",
            "side_chain",
            "midi_out",
            "bypass",
            "gate.threshold_db",
            "eq.low_db",
            "compressor.mix",
            "loudness.target_lufs",
            "limiter.release_ms",
            "cc.channel",
            "cc.speech",
            "cc.winner",
            "cc.confidence",
            "backend",
            "quantization",
            "cache.size",
            "cache.minutes",
        ] {
            assert!(ids.contains(id), "{id}");
        }
        let hash =
            |id: &str| id.bytes().fold(0u32, |hash, c| hash.wrapping_mul(31).wrapping_add(u32::from(c))) << 1;
        assert_eq!(ids.iter().map(|id| hash(id)).collect::<BTreeSet<_>>().len(), ids.len());
        for dial in Dial::ALL {
            assert_eq!(params.dial(dial).name(), dial.name());
            assert_eq!(params.dial(dial).default_plain_value(), dial.default());
        }
    }
}
