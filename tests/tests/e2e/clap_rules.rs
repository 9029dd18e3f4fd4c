//! What CLAP asks of every plugin, and what the usual validators look for, as far as no other test here looks for it.

use idiom_tests::built::{Built, State};
use idiom_tests::host::{Change, Plugin, Render, Song};
use idiom_tests::signals::{Random, music, noise};
use std::collections::BTreeSet;

#[test]
fn ids_are_unique_and_the_same_in_every_instance() {
    let built = Built::load();
    let ids =
        |plugin: &mut Plugin| -> Vec<u32> { plugin.params().unwrap().iter().map(|p| p.id.get()).collect() };
    let mut first = built.instance(2, Render::Realtime);
    let expected = ids(&mut first);
    assert_eq!(expected.iter().collect::<BTreeSet<_>>().len(), expected.len(), "two parameters of one id");
    // Projects and automation refer to these: none may ever go or change. Newer parameters come on top.
    for (name, id) in [
        ("Amount", 733_630_552),
        ("Reaction", 1_279_973_929),
        ("Confidence threshold", 602_006_635),
        ("Genre", 98_240_899),
        ("Equalizer", 3_244),
        ("Compressor", 1_778_034_885),
        ("Output gain", 1_141_971_201),
        ("Bypass", 773_352_680),
    ] {
        assert_eq!(first.param(name).unwrap().id.get(), id, "{name}");
    }
    assert_eq!(ids(&mut built.instance(1, Render::Offline)), expected);
}

/// A parameter is in the manual by its name, or with the others of its group.
#[test]
fn the_manual_has_every_parameter() {
    let manual = include_str!("../../../docs/manual/src/controls.md");
    let built = Built::load();
    for param in built.instance(2, Render::Realtime).params().unwrap() {
        let group = param.module.rsplit('/').next().unwrap_or_default();
        let named = |name: &str| !name.is_empty() && manual.contains(&format!("| {name} |"));
        assert!(
            named(&param.name) || named(group),
            "{} of {:?} is not in controls.md",
            param.name,
            param.module
        );
    }
}

#[test]
fn features_are_named_once_and_say_what_kind_of_plugin_it_is() {
    let built = Built::load();
    let features = &built.bundle.descriptors().unwrap()[0].features;
    assert_eq!(features.iter().collect::<BTreeSet<_>>().len(), features.len(), "{features:?}");
    let kinds = ["instrument", "audio-effect", "note-effect", "note-detector", "analyzer"];
    assert!(features.iter().any(|feature| kinds.contains(&feature.as_str())), "{features:?}");
}

#[test]
fn values_and_texts_beyond_their_range_are_no_harm() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    for param in plugin.params().unwrap() {
        for value in [f64::NAN, f64::INFINITY, -1e300, 1e300, param.max + 1.0, param.min - 1.0] {
            // Any text, or none: but no crash.
            let _ = plugin.text(param.id, value);
        }
        for text in ["", " ", "%", "nan", "inf", "-", "1e999", "\u{1F3B8}", "hologram"] {
            if let Some(value) = plugin.parse(param.id, text).unwrap() {
                assert!((param.min..=param.max).contains(&value), "{}: {text:?} is {value}", param.name);
            }
        }
    }
}

/// Parameters set at random, with sound: the same state as set without, and the same again after a save and a load in
/// streams that carry few bytes at a time.
#[test]
fn states_of_random_parameters_can_be_reproduced() {
    let built = Built::load();
    let mut random = Random::new(31);
    for _ in 0..10 {
        let mut plugin = built.instance(2, Render::Realtime);
        let changes = plugin.random_changes(&mut random).unwrap();
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        let mut sound = [noise(512, 0.5, 1), noise(512, 0.5, 2)];
        let [left, right] = &mut sound;
        processor.process(&mut [left, right], Some(Song::at(0)), &changes).unwrap();
        let saved = plugin.save().unwrap();
        for bytes in [1, 3, 17] {
            assert_eq!(plugin.save_in_pieces(bytes).unwrap().len(), saved.len());
            let mut other = built.instance(2, Render::Realtime);
            other.load_in_pieces(&saved, bytes).unwrap();
            assert_eq!(
                State::parse(&other.save().unwrap()).unwrap(),
                State::parse(&saved).unwrap(),
                "{bytes} bytes at a time"
            );
        }
        plugin.deactivate(processor);
    }
}

/// An event of a namespace that the plugin cannot know is none of its business, whatever else it looks like.
#[test]
fn events_of_another_namespace_are_ignored() {
    let built = Built::load();
    let mut random = Random::new(32);
    let mut plugin = built.instance(2, Render::Realtime);
    let before = State::parse(&plugin.save().unwrap()).unwrap();
    let changes = plugin.random_changes(&mut random).unwrap();
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    processor.process_foreign(&changes).unwrap();
    assert_eq!(State::parse(&plugin.save().unwrap()).unwrap(), before);
    plugin.deactivate(processor);
}

/// Filters that ring for ever would end in numbers so small that they slow down everything behind them.
#[test]
fn hardly_a_denormal_comes_out_when_the_sound_ends() {
    let built = Built::load();
    for genre in ["Speech", "Rock", "Jazz", "Electronic", "Classical"] {
        let mut plugin = built.instance(2, Render::Realtime);
        let param = plugin.param("Genre").unwrap();
        let value = plugin.parse(param.id, genre).unwrap().unwrap();
        plugin.flush(&[Change { at: 0, param: param.id, value }]).unwrap();
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        let mut sound = vec![music(48_000, 48_000.0, 5); 2];
        sound.iter_mut().for_each(|channel| channel.resize(10 * 48_000, 0.0));
        processor.play(&mut sound, std::iter::repeat(512)).unwrap();
        let small = sound.iter().flatten().filter(|x| x.is_subnormal()).count();
        // What has died away is set to zero at the beginning of each tick (32 samples), so a few may pass.
        assert!(small <= 64, "{genre}: {small} denormals after the sound");
        plugin.deactivate(processor);
    }
}

#[test]
fn ports_are_one_main_pair_whose_width_the_layout_says() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    for channels in [2, 1, 2] {
        plugin.set_channels(channels).unwrap();
        for input in [true, false] {
            let ports = plugin.ports(input).unwrap();
            let main: Vec<_> = ports.iter().filter(|port| port.main).collect();
            assert_eq!(main.len(), 1, "{ports:?}");
            assert_eq!(main[0].channels, channels);
            assert!(ports.iter().all(|port| !port.name.is_empty()), "{ports:?}");
            let ids: BTreeSet<u32> = ports.iter().map(|port| port.id).collect();
            assert_eq!(ids.len(), ports.len(), "two ports of one id");
        }
    }
}
