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
