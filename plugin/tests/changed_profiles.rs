//! A profile that was changed while its genre played is part of what was heard, so it is part of a preset of the user's.

use idiom_engine::Genre;
use idiom_engine::profile::{Parameter, Preset};
use idiom_plugin::editor::undo::{Setup, Value};
use idiom_plugin::library::{Library, UserPreset, VERSION};
use idiom_plugin::params::IdiomParams;
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
    let plain = UserPreset { profiles: None, ..preset.clone() };
    play(&fresh, &plain.setup(&fresh).unwrap());
    assert_eq!(fresh.preset.preset(), Preset::factory()[2]);
}

#[test]
fn profiles_that_cannot_be_read_are_refused_with_the_reason() {
    let preset = UserPreset::of(&params(), "Damaged", "", vec![]);
    for (text, reason) in [
        ("version = 2\nname = ", "its profiles: preset cannot be read"),
        ("version = 99", "its profiles: preset is from a newer version"),
    ] {
        let damaged = UserPreset { profiles: Some(text.into()), ..preset.clone() };
        let why = damaged.setup(&params()).expect_err("refused");
        assert!(why.contains(reason), "{why}");
    }
    let newer = preset.to_text().replace("version = 1", &format!("version = {}", VERSION + 1));
    assert!(UserPreset::parse(&newer).unwrap_err().contains("newer Idiom"));
}
