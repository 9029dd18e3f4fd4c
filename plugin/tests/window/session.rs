//! What the window does to a plugin, carried out without a host: undo, A and B, presets, the cache.

use idiom_engine::model::shipped;
use idiom_engine::profile::Parameter;
use idiom_engine::{Backend, Genre, Handle, LimiterMode, Mode, Quantization, Section, Uncertain};
use idiom_plugin::editor::control::Control;
use idiom_plugin::editor::model::{Action, Browse, Page, Shelf, Slot, ViewModel};
use idiom_plugin::editor::session::{NoHost, Session};
use idiom_plugin::editor::theme::Shade;
use idiom_plugin::library::Key;
use idiom_plugin::params::cc::Carried;
use idiom_plugin::params::{Dial, IdiomParams, Switch};
use idiom_plugin::shared::Shared;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A plugin with a window and no host.
struct Plugin {
    params: IdiomParams,
    shared: Shared,
    session: Session,
    folder: PathBuf,
    now_s: f64,
}

impl Plugin {
    fn new() -> Plugin {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("idiom-window-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(name);
        let handle = Arc::new(Handle::new());
        let (params, shared) = (IdiomParams::new(Arc::clone(&handle)), Shared::new(handle));
        Plugin { params, shared, session: Session::with_folder(Some(folder.clone())), folder, now_s: 0.0 }
    }

    fn act(&mut self, actions: impl IntoIterator<Item = Action>) {
        for action in actions {
            self.now_s += 1.0;
            self.session.perform(&action, &self.params, &self.shared, &NoHost, self.now_s);
        }
    }

    fn turn(&mut self, dial: Dial, to: f32) {
        let control = Control::Dial(dial);
        self.act([Action::Begin(control), Action::Set(control, to), Action::End(control)]);
    }

    fn model(&mut self) -> ViewModel {
        self.now_s += 1.0;
        self.session.model(&self.params, &self.shared, self.now_s)
    }

    fn amount(&mut self) -> f32 {
        self.model().dial(Dial::Amount)
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn every_change_can_be_taken_back_and_done_again() {
    let mut plugin = Plugin::new();
    let first = plugin.model();
    let changes: Vec<(&str, Vec<Action>)> = vec![
        (
            "Amount",
            vec![
                Action::Begin(Control::Dial(Dial::Amount)),
                Action::Set(Control::Dial(Dial::Amount), 30.0),
                Action::End(Control::Dial(Dial::Amount)),
            ],
        ),
        ("Low shelf gain", {
            let control = Control::Own(Parameter::LowDb);
            vec![Action::Begin(control), Action::Set(control, 3.0), Action::End(control)]
        }),
        ("Lock gate", vec![Action::Switch(Switch::Lock(Section::Gate), true)]),
        ("Mode", vec![Action::Mode(Mode::Hold)]),
        ("When uncertain", vec![Action::Uncertain(Uncertain::Keep)]),
        ("Limiter kind", vec![Action::Limiter(LimiterMode::LookAhead)]),
        ("Genre", vec![Action::Manual(Some(Genre::Rock))]),
        ("Backend", vec![Action::Backend(Backend::Classic)]),
        ("Quantization", vec![Action::Quantization(Quantization::Fp32)]),
        ("Cache size", vec![Action::CacheSize(256)]),
        ("Cache time", vec![Action::CacheMinutes(5)]),
        ("MIDI channel", vec![Action::MidiChannel(16)]),
        ("Controller of jazz", vec![Action::Controller(Carried::Probability(Genre::Jazz), 0)]),
        ("Preset Streaming Polish", vec![Action::Load(Key::factory(2))]),
    ];
    let sound = |model: &ViewModel| {
        let choices = (model.manual, model.preset, model.choice, model.mode, model.uncertain, model.limiter);
        (model.dials, model.switches, model.own, choices, model.cache_limits, model.midi)
    };
    let mut states = vec![sound(&first)];
    for (name, actions) in &changes {
        plugin.act(actions.clone());
        let model = plugin.model();
        assert_eq!(model.look.undo.as_deref(), Some(*name));
        assert_ne!(sound(&model), *states.last().unwrap(), "{name} changes nothing");
        states.push(sound(&model));
    }
    for (i, state) in states.iter().enumerate().rev().skip(1) {
        plugin.act([Action::Undo]);
        let model = plugin.model();
        assert_eq!(sound(&model), *state, "undo {i}");
        assert_eq!(model.look.redo.as_deref(), Some(changes[i].0));
    }
    plugin.act([Action::Undo]);
    assert_eq!((sound(&plugin.model()), plugin.model().look.undo), (states[0], None));
    for state in &states[1..] {
        plugin.act([Action::Redo]);
        assert_eq!(sound(&plugin.model()), *state);
    }
    plugin.act([Action::Undo, Action::Switch(Switch::Bypass, true)]);
    assert_eq!(plugin.model().look.redo, None, "a new change forgets what was undone");
}

#[test]
fn a_and_b_hold_settings_of_their_own() {
    let mut plugin = Plugin::new();
    plugin.turn(Dial::Amount, 80.0);
    plugin.act([Action::Slot(Slot::B)]);
    assert_eq!(plugin.amount(), 80.0, "B begins as a copy");
    plugin.turn(Dial::Amount, 20.0);
    plugin.act([Action::Manual(Some(Genre::Jazz)), Action::Slot(Slot::A)]);
    assert_eq!((plugin.amount(), plugin.model().manual, plugin.model().look.slot), (80.0, None, Slot::A));
    plugin.act([Action::Slot(Slot::B)]);
    assert_eq!((plugin.amount(), plugin.model().manual), (20.0, Some(Genre::Jazz)));
    plugin.act([Action::CopySlot, Action::Slot(Slot::A)]);
    assert_eq!((plugin.amount(), plugin.model().manual), (20.0, Some(Genre::Jazz)), "copied to A");
    // The bypass is for listening and stays.
    plugin.act([Action::Switch(Switch::Bypass, true), Action::Slot(Slot::B)]);
    assert!(plugin.model().switch(Switch::Bypass));
}

#[test]
fn a_picked_model_is_taken_back_and_belongs_to_a_or_b() {
    let mut plugin = Plugin::new();
    std::fs::create_dir_all(&plugin.folder).unwrap();
    // SAFETY: nothing in this program reads the environment but through the standard library, which locks it.
    unsafe { std::env::set_var("IDIOM_MODELS", plugin.folder.join("models")) };
    let file = plugin.folder.join("mine.onnx");
    std::fs::write(&file, shipped::flagship(Quantization::Fp32)).unwrap();
    let name = |plugin: &mut Plugin| plugin.model().own_model.map(|model| model.name);
    let mine = Some("mine.onnx".to_owned());
    plugin.act([Action::OpenModel(file)]);
    assert_eq!((name(&mut plugin), plugin.model().look.undo.as_deref()), (mine.clone(), Some("Model")));
    let nowhere = plugin.folder.join("none.onnx");
    plugin.act([Action::OpenModel(nowhere), Action::Undo]);
    assert_eq!(name(&mut plugin), None, "one that was refused is no step");
    plugin.act([Action::Redo]);
    assert_eq!(name(&mut plugin), mine);
    plugin.act([Action::Slot(Slot::B), Action::BuiltInModel]);
    assert_eq!(name(&mut plugin), None);
    plugin.act([Action::Slot(Slot::A)]);
    assert_eq!(name(&mut plugin), mine, "A keeps it");
    plugin.act([Action::Slot(Slot::B)]);
    assert_eq!(name(&mut plugin), None, "B keeps the built-in one");
}

#[test]
fn switching_and_copying_a_and_b_can_be_taken_back() {
    let mut plugin = Plugin::new();
    let heard = |plugin: &mut Plugin| (plugin.amount(), plugin.model().look.slot);
    plugin.turn(Dial::Amount, 80.0);
    plugin.act([Action::Slot(Slot::B)]);
    plugin.turn(Dial::Amount, 20.0);
    plugin.act([Action::Slot(Slot::A)]);
    assert_eq!(plugin.model().look.undo.as_deref(), Some("Switch to A"));
    plugin.act([Action::Undo]);
    assert_eq!(heard(&mut plugin), (20.0, Slot::B));
    plugin.act([Action::Undo, Action::Undo]);
    assert_eq!(heard(&mut plugin), (80.0, Slot::A), "as before B was used");
    plugin.act([Action::Redo, Action::Redo, Action::Redo]);
    assert_eq!(heard(&mut plugin), (80.0, Slot::A));
    // B still holds its own after all that, also when a copy over it is taken back.
    plugin.act([Action::CopySlot]);
    assert_eq!(plugin.model().look.undo.as_deref(), Some("Copy to B"));
    plugin.act([Action::Slot(Slot::B)]);
    assert_eq!(heard(&mut plugin), (80.0, Slot::B));
    plugin.act([Action::Undo, Action::Undo, Action::Slot(Slot::B)]);
    assert_eq!(heard(&mut plugin), (20.0, Slot::B));
}

#[test]
fn a_preset_is_saved_loaded_changed_and_deleted() {
    let mut plugin = Plugin::new();
    plugin.turn(Dial::Amount, 55.0);
    plugin.act([Action::Load(Key::factory(1)), Action::Save("Evening".into())]);
    let mine = Key::User("Evening".into());
    let model = plugin.model();
    assert_eq!((model.loaded.as_ref(), model.edited, model.trouble.as_deref()), (Some(&mine), false, None));
    plugin.turn(Dial::Amount, 10.0);
    assert!(plugin.model().edited);
    plugin.act([Action::Load(Key::factory(0))]);
    assert_eq!(
        (plugin.model().preset, plugin.amount()),
        (0, 10.0),
        "a factory preset leaves the knobs alone"
    );
    plugin.act([Action::Load(mine.clone())]);
    assert_eq!((plugin.model().preset, plugin.amount(), plugin.model().edited), (1, 55.0, false));
    plugin.act([Action::Undo]);
    assert_eq!((plugin.model().preset, plugin.amount()), (0, 10.0));

    plugin.act([Action::Favourite(mine.clone(), true)]);
    let mut other = Plugin::new();
    other.session = Session::with_folder(Some(plugin.folder.clone()));
    let model = other.model();
    let entry = model.presets.iter().find(|entry| entry.key == mine).expect("another instance has it");
    assert!(entry.favourite && !entry.facts.is_empty());
    let listed = |browse: Browse| model.presets.iter().filter(|e| browse.lists(e)).count();
    assert_eq!(listed(Browse { shelf: Shelf::Mine, ..Browse::default() }), 1);
    assert_eq!(listed(Browse { shelf: Shelf::Favourites, ..Browse::default() }), 1);
    assert_eq!(listed(Browse { search: "evening".into(), ..Browse::default() }), 1);
    assert!(listed(Browse { tag: Some("master".into()), ..Browse::default() }) >= 2);
    assert_eq!(listed(Browse { search: "polka".into(), ..Browse::default() }), 0);

    plugin.act([Action::Delete("Evening".into())]);
    assert!(plugin.model().presets.iter().all(|entry| entry.key != mine));
    plugin.act([Action::Load(mine)]);
    assert_eq!(plugin.amount(), 10.0, "what is gone is not loaded");
}

#[test]
fn the_window_stands_as_it_was_left() {
    let mut plugin = Plugin::new();
    plugin.act([Action::Page(Page::Engine), Action::Shade(Shade::Light), Action::Resize(150)]);
    let model = plugin.model();
    assert_eq!((model.look.page, model.look.shade), (Page::Engine, Shade::Light));
    assert_eq!(plugin.session.take_resize(), Some(150));
    assert_eq!(plugin.session.take_resize(), None);
    plugin.act([
        Action::CacheSize(256),
        Action::CacheMinutes(1),
        Action::MidiSetup(true),
        Action::ClearCache,
    ]);
    let limits = plugin.shared.handle.cache_limits();
    assert_eq!((limits.room(), limits.ttl_s), (256, 60.0), "the engine is told");
    assert_eq!(plugin.model().cache_limits, limits);
    assert!(plugin.model().look.midi_setup);
    // The genre that was set by hand is remembered for comparing.
    plugin.act([Action::Manual(Some(Genre::Speech)), Action::Manual(None)]);
    assert_eq!((plugin.model().manual, plugin.model().look.by_hand), (None, Some(Genre::Speech)));
}

/// Only the page with the spectrum has the audio thread copy sound for it.
#[test]
fn the_analyser_is_fed_only_while_its_page_is_open() {
    let mut plugin = Plugin::new();
    let tap_is_open = |plugin: &Plugin| plugin.shared.handle.telemetry().tap().is_open();
    plugin.act([Action::Page(Page::Genre)]);
    assert!(plugin.model().spectrum.is_none() && !tap_is_open(&plugin));
    plugin.act([Action::Page(Page::Mix)]);
    assert!(plugin.model().spectrum.is_some() && tap_is_open(&plugin));
}
