//! What the window shows and what comes out of it, as plain data. The window is a function from one to the other, so
//! it can be drawn and tested without a host, a screen or sound.

use crate::history::{History, Point};
use crate::params::{Dial, IdiomParams, Switch};
use crate::shared::Shared;
use crate::state::Choice;
use idiom_engine::telemetry::MixState;
use idiom_engine::{Genre, Snapshot, Status};
use nice_plug::prelude::Param;

/// Everything the window shows.
#[derive(Clone, Debug, Default)]
pub struct ViewModel {
    /// What the engine does now.
    pub snapshot: Snapshot,
    /// Which model runs where.
    pub status: Status,
    /// The last minute, oldest first, [`POINT_S`](crate::history::POINT_S) apart.
    pub history: Vec<Point>,
    /// Plain value of each dial, in the order of [`Dial::ALL`].
    pub dials: [f32; 4],
    /// State of each switch, in the order of [`Switch::ALL`].
    pub switches: [bool; 4],
    /// The genre set by hand.
    pub manual: Option<Genre>,
    /// Number of the preset that plays, in [`Preset::factory`](idiom_engine::profile::Preset::factory).
    pub preset: usize,
    /// What computes the genre, as the user asked.
    pub choice: Choice,
    /// Something is wrong: what, what happens instead, what to do.
    pub problem: Option<String>,
    /// The state loaded last had something to say.
    pub notice: Option<String>,
}

impl ViewModel {
    /// What is true of an instance now. Window thread.
    pub fn of(params: &IdiomParams, shared: &Shared) -> ViewModel {
        let history: &History = &shared.history;
        ViewModel {
            snapshot: shared.handle.telemetry().snapshot(),
            status: shared.handle.status(),
            history: history.recent(),
            dials: Dial::ALL.map(|dial| params.dial(dial).unmodulated_plain_value()),
            switches: Switch::ALL.map(|switch| params.switch(switch).value()),
            manual: params.genre.value().into(),
            preset: params.preset.get(),
            choice: params.selection.get(),
            problem: shared.problem(),
            notice: params.notice(),
        }
    }

    /// Plain value of a dial.
    pub fn dial(&self, dial: Dial) -> f32 {
        Dial::ALL.iter().zip(self.dials).find(|(d, _)| **d == dial).map_or(0.0, |(_, value)| value)
    }

    /// Whether a switch is on.
    pub fn switch(&self, switch: Switch) -> bool {
        Switch::ALL.iter().zip(self.switches).any(|(s, on)| *s == switch && on)
    }

    /// Whether anything was heard yet.
    pub fn has_heard(&self) -> bool {
        self.snapshot.frames > 0
    }

    /// The mix settings in force.
    pub fn mix(&self) -> &MixState {
        &self.snapshot.mix
    }
}

/// What the user did.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Took hold of a dial.
    Begin(Dial),
    /// Moved a dial to a plain value; between [`Action::Begin`] and [`Action::End`].
    Set(Dial, f32),
    /// Let go of a dial.
    End(Dial),
    /// Threw a switch.
    Switch(Switch, bool),
    /// Set the genre by hand, or `None` to follow what is heard.
    Manual(Option<Genre>),
    /// Chose the preset of this number.
    Preset(usize),
    /// Chose what computes the genre.
    Choose(Choice),
    /// Has read the notice about the loaded state.
    DismissNotice,
}
