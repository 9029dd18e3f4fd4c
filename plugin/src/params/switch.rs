//! Every parameter that is on or off.

use idiom_engine::Section;
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;
use std::sync::Arc;

/// A parameter that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Switch {
    /// Whether a section of the mix acts.
    On(Section),
    /// Keep the genre from moving a section: it stays where it is.
    Lock(Section),
    /// Let the compressor listen to the side-chain input.
    SideChain,
    /// Send what is heard as MIDI controllers.
    MidiOut,
    /// Pass the input through untouched.
    Bypass,
}

impl Switch {
    /// Every switch in the order of the host's list.
    pub const ALL: [Switch; 17] = {
        let mut all = [Switch::Bypass; 17];
        let mut i = 0;
        while i < Section::ALL.len() {
            all[2 * i] = Switch::On(Section::ALL[i]);
            all[2 * i + 1] = Switch::Lock(Section::ALL[i]);
            i += 1;
        }
        all[14] = Switch::SideChain;
        all[15] = Switch::MidiOut;
        all
    };

    /// Its place in [`Switch::ALL`].
    pub const fn index(self) -> usize {
        match self {
            Switch::On(section) => 2 * section as usize,
            Switch::Lock(section) => 2 * section as usize + 1,
            Switch::SideChain => 14,
            Switch::MidiOut => 15,
            Switch::Bypass => 16,
        }
    }

    /// Parameter id. Never changes.
    pub const fn id(self) -> &'static str {
        match self {
            Switch::On(section) => section.name(),
            Switch::Lock(Section::Gate) => "lock.gate",
            Switch::Lock(Section::Eq) => "lock.eq",
            Switch::Lock(Section::Compressor) => "lock.compressor",
            Switch::Lock(Section::Drive) => "lock.drive",
            Switch::Lock(Section::Width) => "lock.width",
            Switch::Lock(Section::Loudness) => "lock.loudness",
            Switch::Lock(Section::Limiter) => "lock.limiter",
            Switch::SideChain => "side_chain",
            Switch::MidiOut => "midi_out",
            Switch::Bypass => "bypass",
        }
    }

    /// Name in the host's list and in the window.
    pub const fn name(self) -> &'static str {
        match self {
            Switch::On(section) => section.label(),
            Switch::Lock(Section::Gate) => "Lock gate",
            Switch::Lock(Section::Eq) => "Lock equalizer",
            Switch::Lock(Section::Compressor) => "Lock compressor",
            Switch::Lock(Section::Drive) => "Lock drive",
            Switch::Lock(Section::Width) => "Lock width",
            Switch::Lock(Section::Loudness) => "Lock loudness",
            Switch::Lock(Section::Limiter) => "Lock limiter",
            Switch::SideChain => "External side chain",
            Switch::MidiOut => "MIDI out",
            Switch::Bypass => "Bypass",
        }
    }

    /// What it does, in one sentence, for the tooltip.
    pub const fn help(self) -> &'static str {
        match self {
            Switch::On(Section::Gate) => "Whether the gate acts.",
            Switch::On(Section::Eq) => "Whether the equalizer acts.",
            Switch::On(Section::Compressor) => "Whether the compressor acts.",
            Switch::On(Section::Drive) => "Whether the drive acts.",
            Switch::On(Section::Width) => "Whether width and mono bass act.",
            Switch::On(Section::Loudness) => "Whether the loudness follower acts.",
            Switch::On(Section::Limiter) => "Whether the limiter acts. It does so whatever the Amount.",
            Switch::Lock(_) => "Keep this section where it is while the genre moves the others.",
            Switch::SideChain => {
                "Let the compressor listen to the side-chain input instead of the sound itself."
            }
            Switch::MidiOut => "Send probabilities, genre and confidence as MIDI controllers.",
            Switch::Bypass => "Pass the sound through untouched. Listening goes on.",
        }
    }

    /// Its state in a new instance.
    pub const fn default(self) -> bool {
        match self {
            Switch::On(section) => !matches!(section, Section::Limiter),
            _ => false,
        }
    }

    fn group(self) -> &'static str {
        match self {
            Switch::On(section) | Switch::Lock(section) => section.label(),
            Switch::SideChain => Section::Compressor.label(),
            Switch::MidiOut => super::cc::GROUP,
            Switch::Bypass => "",
        }
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

/// The parameters behind [`Switch::ALL`].
pub struct Switches([BoolParam; 17]);

impl Switches {
    /// The parameter behind a switch.
    pub fn get(&self, switch: Switch) -> &BoolParam {
        &self.0[switch.index()]
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self(Switch::ALL.map(Switch::param))
    }
}

// SAFETY: the pointers are to fields, which live as long as the object.
unsafe impl Params for Switches {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let entry = |switch: Switch| (switch.id().into(), self.get(switch).as_ptr(), switch.group().into());
        Switch::ALL.into_iter().map(entry).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_switch_is_at_its_place() {
        for (place, switch) in Switch::ALL.into_iter().enumerate() {
            assert_eq!(switch.index(), place, "{switch:?}");
            assert_eq!(Switches::default().get(switch).name(), switch.name());
        }
        assert!(Switches::default().get(Switch::Bypass).flags().contains(ParamFlags::BYPASS));
    }
}
