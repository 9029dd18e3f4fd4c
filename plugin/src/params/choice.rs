//! Every parameter that is one of several.

use idiom_engine::{Genre, LimiterMode, Mode, Uncertain};
use nice_plug::prelude::*;

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

/// What moves the mix, see [`Mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum ModeChoice {
    /// See [`Mode::Follow`].
    #[id = "follow"]
    Follow,
    /// See [`Mode::Learn`].
    #[id = "learn"]
    Learn,
    /// See [`Mode::Hold`].
    #[id = "hold"]
    Hold,
    /// See [`Mode::ByHand`].
    #[id = "by-hand"]
    #[name = "By hand"]
    ByHand,
}

impl From<ModeChoice> for Mode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Follow => Mode::Follow,
            ModeChoice::Learn => Mode::Learn,
            ModeChoice::Hold => Mode::Hold,
            ModeChoice::ByHand => Mode::ByHand,
        }
    }
}

impl From<Mode> for ModeChoice {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Follow => ModeChoice::Follow,
            Mode::Learn => ModeChoice::Learn,
            Mode::Hold => ModeChoice::Hold,
            Mode::ByHand => ModeChoice::ByHand,
        }
    }
}

/// What the mix does while no genre is likely enough, see [`Uncertain`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum UncertainChoice {
    /// See [`Uncertain::Ease`].
    #[id = "ease"]
    #[name = "Ease to neutral"]
    Ease,
    /// See [`Uncertain::Keep`].
    #[id = "keep"]
    #[name = "Keep"]
    Keep,
}

impl From<UncertainChoice> for Uncertain {
    fn from(choice: UncertainChoice) -> Self {
        match choice {
            UncertainChoice::Ease => Uncertain::Ease,
            UncertainChoice::Keep => Uncertain::Keep,
        }
    }
}

impl From<Uncertain> for UncertainChoice {
    fn from(uncertain: Uncertain) -> Self {
        match uncertain {
            Uncertain::Ease => UncertainChoice::Ease,
            Uncertain::Keep => UncertainChoice::Keep,
        }
    }
}

/// Which limiter is at the end of the chain, see [`LimiterMode`]. The choice decides the reported latency and counts
/// from the next activation on; the plugin asks the host for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum LimiterChoice {
    /// See [`LimiterMode::ZeroLatency`].
    #[id = "zero-latency"]
    #[name = "Zero latency"]
    ZeroLatency,
    /// See [`LimiterMode::LookAhead`].
    #[id = "look-ahead"]
    #[name = "True peak"]
    LookAhead,
}

impl From<LimiterChoice> for LimiterMode {
    fn from(choice: LimiterChoice) -> Self {
        match choice {
            LimiterChoice::ZeroLatency => LimiterMode::ZeroLatency,
            LimiterChoice::LookAhead => LimiterMode::LookAhead,
        }
    }
}

impl From<LimiterMode> for LimiterChoice {
    fn from(mode: LimiterMode) -> Self {
        match mode {
            LimiterMode::ZeroLatency => LimiterChoice::ZeroLatency,
            LimiterMode::LookAhead => LimiterChoice::LookAhead,
        }
    }
}

/// The ids under which a state keeps the value of a choice parameter; `None` when there is no such parameter.
pub fn ids(parameter: &str) -> Option<&'static [&'static str]> {
    match parameter {
        "genre" => GenreChoice::ids(),
        "mode" => ModeChoice::ids(),
        "uncertain" => UncertainChoice::ids(),
        "limiter.kind" => LimiterChoice::ids(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_those_of_the_engine_in_its_order() {
        let labels: Vec<_> = Genre::ALL.iter().map(|genre| genre.label()).collect();
        assert_eq!(GenreChoice::variants()[0], "Auto");
        assert_eq!(GenreChoice::variants()[1..], labels[..]);
        for choice in std::iter::once(None).chain(Genre::ALL.map(Some)) {
            assert_eq!(Option::<Genre>::from(GenreChoice::from(choice)), choice);
        }
        for (mode, label) in Mode::ALL.into_iter().zip(ModeChoice::variants()) {
            assert_eq!(Mode::from(ModeChoice::from(mode)), mode);
            assert_eq!(mode.label(), *label);
        }
        for uncertain in [Uncertain::Ease, Uncertain::Keep] {
            assert_eq!(Uncertain::from(UncertainChoice::from(uncertain)), uncertain);
        }
        for mode in [LimiterMode::ZeroLatency, LimiterMode::LookAhead] {
            assert_eq!(LimiterMode::from(LimiterChoice::from(mode)), mode);
        }
    }
}
