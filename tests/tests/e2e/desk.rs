//! What surrounds the plugin in a DAW: its presets in the host's browser, controller pages, the track, how long it rings.

use idiom_engine::profile::{FACTORY_FILES, Preset};
use idiom_tests::built::{Built, State};
use idiom_tests::host::{Bundle, Change, Render};
use idiom_tests::signals::noise;
use std::collections::BTreeSet;

fn playing(plugin: &mut idiom_tests::host::Plugin) -> String {
    let state = State::parse(&plugin.save().unwrap()).unwrap();
    let field: serde_json::Value =
        serde_json::from_str(state.0["fields"]["preset"].as_str().unwrap()).unwrap();
    field["name"].as_str().unwrap().to_owned()
}

#[test]
fn hosts_list_every_built_in_preset_and_load_it() {
    let built = Built::load();
    let listed = built.bundle.presets(usize::MAX).unwrap();
    let id = &built.bundle.descriptors().unwrap()[0].id;
    assert_eq!(listed.len(), FACTORY_FILES.len());
    let keys: BTreeSet<&str> = listed.iter().map(|preset| preset.key.as_str()).collect();
    assert_eq!(keys.len(), listed.len(), "two presets of one key");
    assert_eq!(built.bundle.presets(3).unwrap(), listed[..3], "a host that has seen enough");
    let mut plugin = built.instance(2, Render::Realtime);
    for (one, preset) in listed.iter().zip(Preset::factory()).rev() {
        assert_eq!((&one.name, &one.description, &one.plugin), (&preset.name, &preset.summary, id));
        assert!(one.factory && !one.creators.is_empty(), "{one:?}");
        plugin.load_preset(&one.key).unwrap();
        assert_eq!(playing(&mut plugin), preset.name);
    }
    let answers = plugin.requests().presets.lock().unwrap().clone();
    let expected: Vec<Result<String, String>> = listed.iter().rev().map(|one| Ok(one.key.clone())).collect();
    assert_eq!(answers, expected, "the host is told of every one");
}

#[test]
fn a_preset_that_is_not_there_is_refused_with_a_reason_and_the_one_before_plays_on() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    plugin.load_preset("gentle-bus").unwrap();
    let before = playing(&mut plugin);
    for key in ["hologram", "", "gentle-bus.toml", "../gentle-bus"] {
        assert!(plugin.load_preset(key).is_err(), "{key:?} is loaded");
        assert_eq!(playing(&mut plugin), before);
        let answer = plugin.requests().presets.lock().unwrap().pop().unwrap().unwrap_err();
        assert!(answer.starts_with(key) && answer.contains("no such preset"), "{answer}");
    }
}

/// A preset as the window saves it: some settings, and the built-in preset that plays.
const EVENING: &str = r#"
version = 1
name = "Evening"
about = "Softer after nine."
plays = "Gentle Bus"

[parameters]
amount = 37.5
mode = "Hold"
gate = "Off"
"#;

#[test]
fn a_preset_of_the_users_is_told_to_hosts_and_loaded_from_its_file() {
    // Where the user's presets are is read from the environment, which is another process's to set.
    let folder = std::env::temp_dir().join(format!("idiom-user-presets-{}", std::process::id()));
    let Some(given) = std::env::var_os("IDIOM_TEST_PRESETS") else {
        std::fs::create_dir_all(folder.join("presets")).unwrap();
        std::fs::write(folder.join("presets/evening.toml"), EVENING).unwrap();
        std::fs::write(folder.join("presets/broken.toml"), "version = 1\nname = 7").unwrap();
        let name = "desk::a_preset_of_the_users_is_told_to_hosts_and_loaded_from_its_file";
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .envs([("IDIOM_TEST_PRESETS", &folder), ("IDIOM_FOLDER", &folder)])
            .output()
            .unwrap();
        std::fs::remove_dir_all(&folder).ok();
        let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {words}", output.status);
        return;
    };
    let folder = std::path::PathBuf::from(given).join("presets");
    let built = Built::load();
    let (folders, endings) = built.bundle.preset_folders().unwrap();
    assert_eq!((folders, endings), (vec![folder.display().to_string()], vec!["toml".to_owned()]));
    let evening = built.bundle.preset_in(&folder.join("evening.toml")).unwrap();
    assert_eq!((evening.name.as_str(), evening.description.as_str()), ("Evening", "Softer after nine."));
    assert!(!evening.factory, "{evening:?}");

    let mut plugin = built.instance(2, Render::Realtime);
    let input = plugin.param("Input gain").unwrap();
    plugin.flush(&[Change { at: 0, param: input.id, value: input.min }]).unwrap();
    plugin.load_preset_file(&folder.join("evening.toml")).unwrap();
    let state = State::parse(&plugin.save().unwrap()).unwrap();
    let params = &state.0["params"];
    assert_eq!(params["amount"], serde_json::json!({ "f32": 37.5 }));
    assert_eq!(params["mode"], serde_json::json!({ "string": "hold" }));
    assert_eq!(params["gate"], serde_json::json!({ "bool": false }));
    assert_eq!(
        params["input"],
        serde_json::json!({ "f32": 0.0 }),
        "what it does not name is as in a new instance"
    );
    assert_eq!(playing(&mut plugin), "Gentle Bus");
    assert!(plugin.load_preset_file(&folder.join("broken.toml")).is_err());
    assert!(plugin.load_preset_file(&folder.join("gone.toml")).is_err());
    assert_eq!(State::parse(&plugin.save().unwrap()).unwrap(), state, "a bad file changes nothing");
}

#[test]
fn controller_pages_hold_every_parameter_once() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let pages = plugin.pages().unwrap();
    let ids: BTreeSet<u32> = pages.iter().map(|page| page.id.get()).collect();
    assert_eq!(ids.len(), pages.len(), "two pages of one id");
    assert!(pages.iter().all(|page| !page.name.is_empty() && !page.section.is_empty()), "{pages:?}");
    assert!(pages.iter().all(|page| page.knobs.iter().any(Option::is_some)), "an empty page in {pages:?}");
    let mut knobs: Vec<u32> = pages.iter().flat_map(|page| page.knobs).flatten().map(|id| id.get()).collect();
    let mut params: Vec<u32> = plugin.params().unwrap().iter().map(|param| param.id.get()).collect();
    knobs.sort_unstable();
    params.sort_unstable();
    assert_eq!(knobs, params);
}

/// Only what is linked into this program lets a test look inside.
#[test]
fn the_track_is_known_when_the_host_tells_and_when_it_changes() {
    let _alone = Built::load();
    // SAFETY: both belong to the plugin that is linked into this program.
    let bundle =
        unsafe { Bundle::linked(&idiom_plugin::clap_entry::clap_entry, idiom_plugin::probe::idiom_snapshot) }
            .unwrap();
    let mut plugin = bundle.instantiate().unwrap();
    let track = || idiom_plugin::instances::nth(0).unwrap().shared.track();
    assert!(track().is_none(), "nobody told");
    for (name, colour) in [("Vocal bus", [200, 80, 40]), ("", [0, 0, 0]), ("主音轨", [1, 2, 3])] {
        plugin.set_track(name, colour).unwrap();
        let track = track().expect("told");
        let (red, green, blue, _) = track.color().expect("with a colour").rgba();
        assert_eq!((track.name(), [red, green, blue]), (name, colour));
    }
}

/// After the tail that the plugin reports nothing is heard any more, whatever the preset and the genre; and sound that
/// is still there before its end shows that the tail is not there for nothing.
#[test]
fn it_rings_no_longer_than_it_says() {
    let built = Built::load();
    let rate = 48_000;
    let mut ringing = 0.0f32;
    for (file, _) in FACTORY_FILES {
        for genre in ["Speech", "Rock", "Jazz", "Electronic", "Classical"] {
            let mut plugin = built.instance(2, Render::Offline);
            plugin.load_preset(file).unwrap();
            let param = plugin.param("Genre").unwrap();
            let value = plugin.parse(param.id, genre).unwrap().unwrap();
            plugin.flush(&[Change { at: 0, param: param.id, value }]).unwrap();
            let mut processor = plugin.activate(f64::from(rate), 512).unwrap();
            let mut sound = vec![noise(rate as usize / 2, 0.9, 3), noise(rate as usize / 2, 0.9, 4)];
            sound.iter_mut().for_each(|channel| channel.resize(rate as usize * 3 / 2, 0.0));
            processor.play(&mut sound, std::iter::repeat(512)).unwrap();
            let tail = processor.tail().expect("a finite tail") as usize;
            assert!((1..rate as usize).contains(&tail), "a tail of {tail} samples");
            plugin.deactivate(processor);
            let end = rate as usize / 2;
            let loudest = |from: usize, to: usize| {
                sound.iter().flat_map(|channel| &channel[from..to]).fold(0.0f32, |max, x| max.max(x.abs()))
            };
            let after = 20.0 * loudest(end + tail, sound[0].len()).max(1e-9).log10();
            assert!(after < -100.0, "{file}, {genre}: {after:.0} dBFS after the tail");
            ringing = ringing.max(loudest(end + 480, end + tail));
        }
    }
    assert!(ringing > 1e-5, "nothing rings after 10 ms, so no tail is needed");
}
