//! MIDI controllers out: the channel, and which controller carries what.

use idiom_engine::Genre;
use idiom_engine::genre::GENRES;
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;
use std::sync::Arc;

/// Group in the host's list.
pub const GROUP: &str = "MIDI out";

/// How many values are sent: a probability a genre, the genre in force, the confidence.
pub const VALUES: usize = GENRES + 2;

/// The controllers that may be used: those which the MIDI standard gives no meaning. What hosts and instruments
/// connect by default is not among them (1 is often an instrument's first parameter, 7 a fader, 64 the pedal), so
/// nothing moves unless somebody connected it.
pub const FREE: [u8; 40] = {
    let blocks = [(3, 3), (9, 9), (14, 15), (20, 31), (85, 90), (102, 119)];
    let (mut free, mut count, mut block) = ([0; 40], 0, 0);
    while block < blocks.len() {
        let (mut number, last) = blocks[block];
        while number <= last {
            free[count] = number;
            count += 1;
            number += 1;
        }
        block += 1;
    }
    assert!(count == 40);
    free
};

/// Place of controller 102 in [`FREE`], from where the defaults count.
const FIRST: usize = 22;

/// What a MIDI controller carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Carried {
    /// The probability of a genre: 0 is none, 127 is certain.
    Probability(Genre),
    /// The genre in force: 0 for none, then 25, 50, 75, 100, 125 in the order of [`Genre::ALL`].
    Winner,
    /// The confidence in the genre in force: 0..=127.
    Confidence,
}

impl Carried {
    /// Everything that is sent, in its order.
    pub const ALL: [Carried; VALUES] = [
        Carried::Probability(Genre::ALL[0]),
        Carried::Probability(Genre::ALL[1]),
        Carried::Probability(Genre::ALL[2]),
        Carried::Probability(Genre::ALL[3]),
        Carried::Probability(Genre::ALL[4]),
        Carried::Winner,
        Carried::Confidence,
    ];

    /// Parameter id of its controller. Never changes.
    pub fn id(self) -> String {
        match self {
            Carried::Probability(genre) => format!("cc.{}", genre.name()),
            Carried::Winner => "cc.winner".into(),
            Carried::Confidence => "cc.confidence".into(),
        }
    }

    /// Name in the host's list.
    pub fn name(self) -> String {
        match self {
            Carried::Probability(genre) => format!("Controller of {}", genre.name()),
            Carried::Winner => "Controller of the genre".into(),
            Carried::Confidence => "Controller of the confidence".into(),
        }
    }
}

/// Parameter id of the channel.
pub const CHANNEL_ID: &str = "cc.channel";

/// Smallest and largest plain value of a parameter of this group; `None` for another id.
pub fn limits(id: &str) -> Option<(i32, i32)> {
    if id == CHANNEL_ID {
        return Some((1, 16));
    }
    Carried::ALL.into_iter().any(|carried| carried.id() == id).then_some((0, FREE.len() as i32 - 1))
}

/// What is sent on which channel and controllers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Routing {
    /// Channel, `0..=15`.
    pub channel: u8,
    /// Controller numbers, in the order of [`Carried::ALL`].
    pub numbers: [u8; VALUES],
}

impl Default for Routing {
    /// Of a new instance.
    fn default() -> Self {
        Controllers::default().routing()
    }
}

/// The parameters of this group. They are for setting up and cannot be automated.
pub struct Controllers {
    /// MIDI channel, `1..=16`.
    pub channel: IntParam,
    numbers: [IntParam; VALUES],
}

impl Controllers {
    /// The parameter of a controller: its plain value is a place in [`FREE`].
    pub fn number(&self, carried: Carried) -> &IntParam {
        let place = Carried::ALL.iter().position(|c| *c == carried).unwrap_or_default();
        &self.numbers[place]
    }

    /// What goes where. Audio thread safe.
    pub fn routing(&self) -> Routing {
        let mut numbers = [FREE[0]; VALUES];
        for (number, param) in numbers.iter_mut().zip(&self.numbers) {
            *number = FREE[(param.value().max(0) as usize).min(FREE.len() - 1)];
        }
        Routing { channel: (self.channel.value().clamp(1, 16) - 1) as u8, numbers }
    }
}

impl Default for Controllers {
    fn default() -> Self {
        let mut place = FIRST as i32 - 1;
        let numbers = Carried::ALL.map(|carried| {
            place += 1;
            IntParam::new(carried.name(), place, IntRange::Linear { min: 0, max: FREE.len() as i32 - 1 })
                .with_value_to_string(Arc::new(|place| {
                    format!("CC {}", FREE[(place.max(0) as usize).min(FREE.len() - 1)])
                }))
                .with_string_to_value(Arc::new(|text| {
                    let digits = text.trim().trim_start_matches(['c', 'C']).trim();
                    let number: u8 = digits.parse().ok()?;
                    FREE.iter().position(|free| *free == number).map(|place| place as i32)
                }))
                .non_automatable()
        });
        Self {
            channel: IntParam::new("MIDI channel", 1, IntRange::Linear { min: 1, max: 16 }).non_automatable(),
            numbers,
        }
    }
}

// SAFETY: the pointers are to fields, which live as long as the object.
unsafe impl Params for Controllers {
    fn param_map(&self) -> Vec<(String, ParamPtr, String)> {
        let mut map = vec![(CHANNEL_ID.to_owned(), self.channel.as_ptr(), GROUP.to_owned())];
        map.extend(
            Carried::ALL
                .iter()
                .zip(&self.numbers)
                .map(|(carried, param)| (carried.id(), param.as_ptr(), GROUP.to_owned())),
        );
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_controllers_without_a_meaning_can_be_chosen() {
        // The MIDI 1.0 table of controllers: bank, wheel, breath, foot, portamento, data, volume, balance, pan,
        // expression, effects; general purpose; their fine halves; switches and sound controllers; RPN; mode messages.
        for used in
            [0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12, 13, 16, 19, 32, 38, 63, 64, 74, 84, 91, 96, 101, 120, 127]
        {
            assert!(!FREE.contains(&used), "{used}");
        }
        assert!(FREE.is_sorted());
        let routing = Controllers::default().routing();
        assert_eq!(routing, Routing { channel: 0, numbers: [102, 103, 104, 105, 106, 107, 108] });
    }

    #[test]
    fn numbers_are_typed_as_they_are_read() {
        let controllers = Controllers::default();
        let param = controllers.number(Carried::Winner);
        let typed = |text: &str| param.string_to_normalized_value(text).map(|n| param.preview_plain(n));
        assert_eq!(typed("CC 20"), Some(4));
        assert_eq!(typed("20"), Some(4));
        assert_eq!(typed("CC 1"), None, "the wheel is not free");
    }
}
