//! What the window shows and what comes out of it, as plain data. The window is a function from one to the other, so
//! it can be drawn and tested without a host, a screen or sound.

use super::control::Control;
use super::theme::Shade;
use super::watch::Seen;
use crate::history::{History, Point};
use crate::library::{Entry, Key};
use crate::params::cc::{Carried, Routing};
use crate::params::{Dial, IdiomParams, Switch};
use crate::shared::Shared;
use crate::state::Choice;
use idiom_engine::profile::{Parameter, Preset, Profile};
use idiom_engine::rt::cache::CacheLimits;
use idiom_engine::spectrum::Spectrum;
use idiom_engine::telemetry::MixState;
use idiom_engine::worker::UserModel;
use idiom_engine::{
    Backend, Genre, LimiterMode, Metrics, Mode, Quantization, Section, Snapshot, Status, Uncertain,
};
use nice_plug::prelude::Param;
use std::path::PathBuf;
use std::sync::Arc;

/// The pages of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// The spectrum, the equalizer, the dynamics: what happens to the sound.
    #[default]
    Mix,
    /// What is heard, now and before.
    Genre,
    /// What computes the genre, where, and at what cost.
    Engine,
    /// Presets to choose from, and one's own.
    Presets,
}

impl Page {
    /// All pages, from left to right.
    pub const ALL: [Page; 4] = [Page::Mix, Page::Genre, Page::Engine, Page::Presets];

    /// Name on its tab.
    pub const fn label(self) -> &'static str {
        match self {
            Page::Mix => "Mix",
            Page::Genre => "Genre",
            Page::Engine => "Engine",
            Page::Presets => "Presets",
        }
    }

    /// How many thirtieths of a second its pictures are apart at least: meters and spectra move faster than streams and
    /// counters.
    pub const fn every(self) -> u32 {
        match self {
            Page::Mix => 1,
            Page::Genre => 2,
            Page::Engine | Page::Presets => 5,
        }
    }

    /// What it is for, in a sentence.
    pub const fn help(self) -> &'static str {
        match self {
            Page::Mix => "What Idiom does to the sound: spectrum, equalizer, dynamics, loudness.",
            Page::Genre => "What Idiom hears, how sure it is, and what it heard before.",
            Page::Engine => "What computes the genre, where it runs, and what it costs.",
            Page::Presets => "Ready-made answers to what each genre wants, and your own settings.",
        }
    }
}

/// One of two sets of settings to compare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Slot {
    /// The first.
    #[default]
    A,
    /// The second.
    B,
}

impl Slot {
    /// Its letter.
    pub const fn label(self) -> &'static str {
        match self {
            Slot::A => "A",
            Slot::B => "B",
        }
    }

    /// The one that is not in use.
    pub const fn other(self) -> Slot {
        match self {
            Slot::A => Slot::B,
            Slot::B => Slot::A,
        }
    }
}

/// Which presets the browser lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shelf {
    /// All.
    #[default]
    All,
    /// Built-in ones.
    Factory,
    /// The user's.
    Mine,
    /// Those that the user marked.
    Favourites,
}

impl Shelf {
    /// All shelves, from left to right.
    pub const ALL: [Shelf; 4] = [Shelf::All, Shelf::Factory, Shelf::Mine, Shelf::Favourites];

    /// Name on its button.
    pub const fn label(self) -> &'static str {
        match self {
            Shelf::All => "All",
            Shelf::Factory => "Factory",
            Shelf::Mine => "Mine",
            Shelf::Favourites => "Favourites",
        }
    }
}

/// How the preset browser stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Browse {
    /// What is searched for in names, sentences and tags.
    pub search: String,
    /// Which presets are listed.
    pub shelf: Shelf,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// The name being typed for a new preset.
    pub naming: Option<String>,
    /// Deleting was asked for once.
    pub deleting: bool,
}

impl Browse {
    /// Whether a preset is listed.
    pub fn lists(&self, entry: &Entry) -> bool {
        let shelf = match self.shelf {
            Shelf::All => true,
            Shelf::Factory => matches!(entry.key, Key::Factory(_)),
            Shelf::Mine => matches!(entry.key, Key::User(_)),
            Shelf::Favourites => entry.favourite,
        };
        let tag = self.tag.as_ref().is_none_or(|tag| entry.tags.contains(tag));
        let mut words = self.search.split_whitespace().map(str::to_lowercase);
        let text = format!("{} {} {}", entry.name, entry.about, entry.tags.join(" ")).to_lowercase();
        shelf && tag && words.all(|word| text.contains(&word))
    }
}

/// How the window stands: what of it is no property of the plugin's sound.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// The page that is open.
    pub page: Page,
    /// Dark or light.
    pub shade: Shade,
    /// What undo would take back.
    pub undo: Option<String>,
    /// What redo would do again.
    pub redo: Option<String>,
    /// Which of A and B plays.
    pub slot: Slot,
    /// The genre that was set by hand last.
    pub by_hand: Option<Genre>,
    /// Size of the window in percent of the design's.
    pub percent: u16,
    /// The preset browser.
    pub browse: Browse,
    /// The set-up of MIDI controllers lies over the page.
    pub midi_setup: bool,
    /// The section whose settings are shown; the equalizer before another one was opened.
    pub section: Option<Section>,
}

/// Everything the window shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ViewModel {
    /// How the window stands.
    pub look: Look,
    /// What the engine does now.
    pub snapshot: Snapshot,
    /// Which model runs where.
    pub status: Status,
    /// The last minute, oldest first, [`POINT_S`](crate::history::POINT_S) apart.
    pub history: Vec<Point>,
    /// Plain value of each dial, in the order of [`Dial::ALL`].
    pub dials: [f32; Dial::ALL.len()],
    /// State of each switch, in the order of [`Switch::ALL`].
    pub switches: [bool; Switch::ALL.len()],
    /// What moves the mix.
    pub mode: Mode,
    /// The mix is being written as automation.
    pub printing: bool,
    /// The user's own setting of everything that a genre moves.
    pub own: Profile,
    /// What the mix does in doubt.
    pub uncertain: Uncertain,
    /// The limiter.
    pub limiter: LimiterMode,
    /// The genre set by hand.
    pub manual: Option<Genre>,
    /// Number of the preset that plays, in [`Preset::factory`](idiom_engine::profile::Preset::factory).
    pub preset: usize,
    /// The user's own preset that plays in its place: with profiles that were changed.
    pub own_preset: Option<Box<Preset>>,
    /// What computes the genre, as the user asked.
    pub choice: Choice,
    /// The user's own model, `None` for the built-in one.
    pub own_model: Option<UserModel>,
    /// What the instance cost and how well it did since it was made.
    pub metrics: Metrics,
    /// How often a frame took how long in the last half minute, by bucket of [`idiom_engine::metrics`].
    pub latency: Vec<u64>,
    /// What backends cost while they ran here.
    pub costs: Vec<Seen>,
    /// All presets, built-in and own ones.
    pub presets: Arc<Vec<Entry>>,
    /// The one that was loaded last.
    pub loaded: Option<Key>,
    /// Something was changed since.
    pub edited: bool,
    /// Where the user's presets are.
    pub presets_folder: String,
    /// What could not be read or written there.
    pub trouble: Option<String>,
    /// The spectrum before and after, while its page is open.
    pub spectrum: Option<Spectrum>,
    /// Limits of the cache of the worker's answers.
    pub cache_limits: CacheLimits,
    /// Where MIDI controllers go.
    pub midi: Routing,
    /// Name, and colour as red, green and blue, of the track that this instance is on, if the host tells.
    pub track: Option<(String, Option<[u8; 3]>)>,
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
            look: Look::default(),
            snapshot: shared.handle.telemetry().snapshot(),
            status: shared.handle.status(),
            history: history.recent(),
            dials: Dial::ALL.map(|dial| params.dial(dial).unmodulated_plain_value()),
            switches: Switch::ALL.map(|switch| params.switch(switch).value()),
            mode: params.mode.value().into(),
            printing: params.controls().hold_base,
            own: params.own.profile(),
            uncertain: params.uncertain.value().into(),
            limiter: params.limiter_mode(),
            manual: params.genre.value().into(),
            preset: params.preset.get(),
            own_preset: params.preset.played().own.map(Box::new),
            choice: params.recognition.choice(),
            own_model: params.model.get(),
            metrics: shared.handle.metrics(),
            latency: Vec::new(),
            costs: Vec::new(),
            presets: Arc::default(),
            loaded: None,
            edited: false,
            presets_folder: String::new(),
            trouble: None,
            spectrum: None,
            cache_limits: params.recognition.cache_limits(),
            midi: params.cc.routing(),
            track: shared.track().map(|track| {
                let colour = track.color().map(|colour| colour.rgba());
                (track.name().to_owned(), colour.map(|(red, green, blue, _)| [red, green, blue]))
            }),
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
        self.switches[switch.index()]
    }

    /// Whether anything was heard yet.
    pub fn has_heard(&self) -> bool {
        self.snapshot.frames > 0
    }

    /// Whether the mix changes the sound at all.
    pub fn acts(&self) -> bool {
        !self.switch(Switch::Bypass) && self.dial(Dial::Amount) > 0.0
    }

    /// What the preset asks for the genre in force.
    pub fn asked(&self) -> Option<&Profile> {
        self.plays().profiles.genres.get(self.genre()?.index())
    }

    /// The built-in preset that plays, or in whose place one of the user's own does.
    pub fn built_in(&self) -> &'static Preset {
        let presets = Preset::factory();
        presets.get(self.preset).unwrap_or(&presets[0])
    }

    /// The preset that plays.
    pub fn plays(&self) -> &Preset {
        self.own_preset.as_deref().unwrap_or(self.built_in())
    }

    /// The genre in force.
    pub fn genre(&self) -> Option<Genre> {
        self.snapshot.genre.filter(|_| self.has_heard())
    }

    /// The mix settings in force.
    pub fn mix(&self) -> &MixState {
        &self.snapshot.mix
    }
}

/// What the user did.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Make what the user has turned this to a part of what the preset asks for this genre.
    Keep(Parameter, Genre),
    /// Took hold of a control.
    Begin(Control),
    /// Moved a control to a plain value; between [`Action::Begin`] and [`Action::End`].
    Set(Control, f32),
    /// Let go of a control.
    End(Control),
    /// Threw a switch.
    Switch(Switch, bool),
    /// Chose what moves the mix.
    Mode(Mode),
    /// Armed Print, or ended it.
    Print(bool),
    /// Set the genre by hand, or `None` to follow what is heard.
    Manual(Option<Genre>),
    /// Loads a preset.
    Load(Key),
    /// The preset browser stands differently.
    Browse(Browse),
    /// Marked a preset as a favourite, or no longer.
    Favourite(Key, bool),
    /// Keeps what plays as a preset of this name.
    Save(String),
    /// Deletes the user's preset of this name.
    Delete(String),
    /// Chose what computes the genre.
    Backend(Backend),
    /// Chose in which arithmetic.
    Quantization(Quantization),
    /// Chose how many of the worker's answers are kept.
    CacheSize(i32),
    /// Chose for how many minutes of sound an answer is kept.
    CacheMinutes(i32),
    /// Chose the MIDI channel, `1..=16`.
    MidiChannel(i32),
    /// Chose the controller of something that is sent, by its place in [`FREE`](crate::params::cc::FREE).
    Controller(Carried, i32),
    /// Opened or closed the set-up of MIDI controllers.
    MidiSetup(bool),
    /// Has read the notice about the loaded state.
    DismissNotice,
    /// Chose what the mix does in doubt.
    Uncertain(Uncertain),
    /// Chose the limiter.
    Limiter(LimiterMode),
    /// Opened the settings of a section.
    Section(Section),
    /// Opened a page.
    Page(Page),
    /// Chose dark or light.
    Shade(Shade),
    /// Wants the window at this many percent of its design size.
    Resize(u16),
    /// Took the last change back.
    Undo,
    /// Did the change again that was taken back last.
    Redo,
    /// Plays this set of settings.
    Slot(Slot),
    /// Copied the settings that play into the other slot.
    CopySlot,
    /// Wants the worker's answers forgotten.
    ClearCache,
    /// Chose a model file of their own.
    OpenModel(PathBuf),
    /// Chose the built-in model.
    BuiltInModel,
}
