//! A profile that was changed while its genre played is part of what was heard, so it is part of a preset of the user's.

use idiom_engine::profile::{Parameter, Preset};
use idiom_engine::{Backend, Config, Genre, Handle, Quantization, Section, Transport};
use idiom_plugin::editor::control::Control;
use idiom_plugin::editor::model::Action;
use idiom_plugin::editor::session::{Host, NoHost, Session};
use idiom_plugin::editor::undo::{Setup, Value};
use idiom_plugin::library::{Library, UserPreset, VERSION};
use idiom_plugin::params::{Dial, IdiomParams, Switch};
use idiom_plugin::shared::Shared;
use nice_plug::params::internals::ParamPtr;
use nice_plug::prelude::*;
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn params() -> IdiomParams {
    IdiomParams::new(Arc::default())
}

/// Makes what a setup says of the preset, as the window does.
fn play(params: &IdiomParams, setup: &Setup) {
    let preset = setup.0.iter().find_map(|value| match value {
        Value::Preset(played) => Some(played),
        _ => None,
    });
    params.preset.set_played(preset.expect("a setup says which preset plays"));
}

#[test]
fn changed_profiles_are_kept_in_the_file_and_come_back() {
    let folder = Folder(std::env::temp_dir().join(format!("idiom-profiles-{}", std::process::id())));
    let changed = params();
    changed.preset.choose(2);
    assert_eq!(UserPreset::of(&changed, "Plain", "", vec![]).version, 1, "older versions read that");
    changed.preset.edit(Genre::Jazz, Parameter::HighDb, 2.5, 0.5);
    let edited = changed.preset.preset();
    assert_ne!(edited.profiles, Preset::factory()[2].profiles, "nothing was changed");
    let mut library = Library::open(Some(folder.0.clone()));
    library.save(UserPreset::of(&changed, "Brighter jazz", "", vec![]));
    assert_eq!(library.trouble(), None);

    let again = Library::open(Some(folder.0.clone()));
    assert_eq!(again.trouble(), None);
    let preset = again.user("Brighter jazz").expect("it was saved");
    assert_eq!(preset.version, VERSION);
    let fresh = params();
    let setup = preset.setup(&fresh).expect("it can be loaded");
    assert!(!setup.differs(&Setup::of(&changed)), "what is loaded counts as changed");
    play(&fresh, &setup);
    assert_eq!((fresh.preset.get(), fresh.preset.is_own()), (2, true));
    assert_eq!(fresh.preset.preset(), edited);

    // A preset without changed profiles afterwards plays the built-in ones.
    let mut plain = preset.clone();
    plain.profiles = None;
    play(&fresh, &plain.setup(&fresh).unwrap());
    assert_eq!(fresh.preset.preset(), Preset::factory()[2]);
}

/// Turned while jazz plays, then kept for jazz: the sum of own setting and profile stays, and it can be taken back.
#[test]
fn what_was_turned_is_kept_for_the_genre_that_plays() {
    let handle = Arc::new(Handle::new());
    let (params, shared) = (IdiomParams::new(Arc::clone(&handle)), Shared::new(handle));
    let mut session = Session::with_folder(None);
    let mut now_s = 0.0;
    let mut act = |action: Action| {
        now_s += 2.0;
        session.perform(&action, &params, &shared, &NoHost, now_s);
    };
    let jazz = |parameter: Parameter| params.preset.preset().profiles.genres[Genre::Jazz.index()][parameter];
    let own = |parameter: Parameter| params.own(parameter).value();
    let set = |parameter: Parameter, value: f32| {
        let control = Control::Own(parameter);
        [Action::Begin(control), Action::Set(control, value), Action::End(control)]
    };
    let built_in = params.preset.preset();

    set(Parameter::HighDb, 1.5).into_iter().for_each(&mut act);
    let before = jazz(Parameter::HighDb);
    act(Action::Keep(Parameter::HighDb, Genre::Jazz));
    assert!((jazz(Parameter::HighDb) - before - 1.5).abs() < 1e-3, "{} dB", jazz(Parameter::HighDb));
    assert_eq!(own(Parameter::HighDb), 0.0);
    assert_eq!(params.preset.preset().profiles.genres[0], built_in.profiles.genres[0], "speech is as it was");
    act(Action::Undo);
    assert_eq!((params.preset.preset(), own(Parameter::HighDb)), (built_in.clone(), 1.5));
    act(Action::Redo);
    assert_eq!(own(Parameter::HighDb), 0.0);

    // Octaves add to octaves, and half the Amount needs twice as much of the profile.
    act(Action::Begin(Control::Dial(Dial::Amount)));
    act(Action::Set(Control::Dial(Dial::Amount), 50.0));
    act(Action::End(Control::Dial(Dial::Amount)));
    let (neutral, before) = (Parameter::MidHz.spec().neutral, jazz(Parameter::MidHz));
    set(Parameter::MidHz, 1.2 * neutral).into_iter().for_each(&mut act);
    act(Action::Keep(Parameter::MidHz, Genre::Jazz));
    assert!((jazz(Parameter::MidHz) / before - 1.44).abs() < 1e-3, "{} Hz", jazz(Parameter::MidHz));
    assert!((own(Parameter::MidHz) / neutral - 1.0).abs() < 1e-6);

    // What the other genres do not allow stays the user's own.
    let before = jazz(Parameter::LowDb);
    set(Parameter::LowDb, 11.0).into_iter().for_each(&mut act);
    act(Action::Keep(Parameter::LowDb, Genre::Jazz));
    let (gone, left) = (jazz(Parameter::LowDb) - before, own(Parameter::LowDb));
    assert!(left > 1.0 && gone > 1.0 && (left + 0.5 * gone - 11.0).abs() < 1e-2, "{gone} and {left} dB");
    act(Action::Keep(Parameter::EqTrim, Genre::Jazz));
    act(Action::Keep(Parameter::LowDb, Genre::Jazz));
    assert!((own(Parameter::LowDb) - left).abs() < 1e-2, "no more fits");
}

/// A host that sets parameters some blocks after it was told.
#[derive(Default)]
struct LateHost(RefCell<Vec<(ParamPtr, f32)>>);

impl Host for LateHost {
    fn begin(&self, _param: ParamPtr) {}

    fn set(&self, param: ParamPtr, normalized: f32) {
        self.0.borrow_mut().push((param, normalized));
    }

    fn end(&self, _param: ParamPtr) {}
}

impl LateHost {
    fn catch_up(&self) {
        self.0.borrow_mut().drain(..).for_each(|(param, to)| NoHost.set(param, to));
    }
}

/// What is heard stays through Keep and its undo, whichever of profile and own setting comes first to the engine.
#[test]
fn the_level_stays_through_keep() {
    let handle = Arc::new(Handle::new());
    handle.select(Backend::Spectral, Quantization::Auto);
    let (params, shared) = (IdiomParams::new(Arc::clone(&handle)), Shared::new(Arc::clone(&handle)));
    let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: false });
    let (mut session, host) = (Session::with_folder(None), LateHost::default());
    // By hand, so that the genre is beyond doubt; and what follows loudness is not to hide anything.
    for (param, to) in [
        (params.genre.as_ptr(), params.genre.preview_normalized(Some(Genre::Jazz).into())),
        (params.switch(Switch::On(Section::Loudness)).as_ptr(), 0.0),
    ] {
        NoHost.set(param, to);
    }
    let tone: Vec<f32> =
        (0..480).map(|n| 0.3 * (std::f32::consts::TAU * 200.0 * n as f32 / 48_000.0).sin()).collect();
    let mut level_db = |blocks: usize, each: &mut dyn FnMut(usize)| -> Vec<f32> {
        let mut block = |n| {
            each(n);
            let (mut left, mut right) = (tone.clone(), tone.clone());
            engine.process(&mut [&mut left, &mut right], Transport::default(), &params.controls());
            10.0 * left.iter().map(|x| x * x).sum::<f32>().log10()
        };
        (0..blocks).map(&mut block).collect()
    };
    for (parameter, own) in [(Parameter::LowDb, 3.0), (Parameter::MidHz, 600.0), (Parameter::Ratio, 2.0)] {
        let param = params.own(parameter);
        NoHost.set(param.as_ptr(), param.preview_normalized(own));
        let heard = level_db(800, &mut |_| ())[799];
        let mut now_s = 0.0;
        for (action, late) in
            [(Action::Keep(parameter, Genre::Jazz), 0), (Action::Undo, 5), (Action::Redo, 12)]
        {
            now_s += 2.0;
            session.perform(&action, &params, &shared, &host, now_s);
            let levels = level_db(300, &mut |n| {
                if n == late {
                    host.catch_up()
                }
            });
            let moved = levels.iter().map(|level| (level - heard).abs()).fold(0.0, f32::max);
            assert!(
                moved < 0.1,
                "{parameter:?}, {action:?}, {late} blocks late: the level moves by {moved} dB"
            );
        }
        assert_ne!(params.preset.preset().profiles, Preset::factory()[0].profiles, "nothing was kept");
    }
}

#[test]
fn profiles_that_cannot_be_read_are_refused_with_the_reason() {
    let preset = UserPreset::of(&params(), "Damaged", "", vec![]);
    for (text, reason) in [
        ("version = 2\nname = ", "its profiles: preset cannot be read"),
        ("version = 99", "its profiles: preset is from a newer version"),
    ] {
        let mut damaged = preset.clone();
        damaged.profiles = Some(text.into());
        let why = damaged.setup(&params()).expect_err("refused");
        assert!(why.contains(reason), "{why}");
    }
    let newer = preset.to_text().replace("version = 1", &format!("version = {}", VERSION + 1));
    assert!(UserPreset::parse(&newer).unwrap_err().contains("newer Idiom"));
}
