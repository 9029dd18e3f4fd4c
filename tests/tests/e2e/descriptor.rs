//! What a host sees before a sound is played.

use idiom_tests::built::Built;
use idiom_tests::host::Render;
use std::collections::BTreeSet;

#[test]
fn the_bundle_holds_one_effect_that_says_what_it_is() {
    let built = Built::load();
    let descriptors = built.bundle.descriptors().unwrap();
    assert_eq!(descriptors.len(), 1);
    let idiom = &descriptors[0];
    assert_eq!(idiom.name, "Idiom");
    assert!(idiom.id.contains('.') && !idiom.id.contains(' '), "{}", idiom.id);
    assert!(!idiom.vendor.is_empty());
    assert_eq!(idiom.version, env!("CARGO_PKG_VERSION"));
    for feature in ["audio-effect", "stereo", "mono"] {
        assert!(idiom.features.iter().any(|f| f == feature), "{feature} is not in {:?}", idiom.features);
    }
    assert!(built.bundle.has_snapshot(), "the bundle does not export idiom_snapshot");
}

#[test]
fn every_parameter_has_a_name_of_its_own_and_a_text_that_can_be_typed_back() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let params = plugin.params().unwrap();
    let names: BTreeSet<&str> = params.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names.len(), params.len(), "two parameters of one name in {names:?}");
    assert_eq!(params.iter().filter(|p| p.bypass).count(), 1, "one bypass for the host");
    for param in &params {
        assert!(!param.name.is_empty() && param.min < param.max, "{param:?}");
        assert!((param.min..=param.max).contains(&param.default), "{param:?}");
        assert_eq!(plugin.value(param.id).unwrap(), param.default, "{}", param.name);
        for step in 0..=10 {
            let mut value = param.min + (param.max - param.min) * f64::from(step) / 10.0;
            if param.stepped {
                value = value.round();
            }
            let text = plugin.text(param.id, value).unwrap();
            assert!(!text.is_empty(), "{} has no text at {value}", param.name);
            let back = plugin.parse(param.id, &text).unwrap();
            let back = back.unwrap_or_else(|| panic!("{} does not understand its own '{text}'", param.name));
            assert_eq!(plugin.text(param.id, back).unwrap(), text, "{}", param.name);
        }
    }
}

#[test]
fn the_controls_of_a_mixing_engineer_are_there_with_their_units() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    for (name, unit) in
        [("Amount", " %"), ("Reaction", " s"), ("Confidence threshold", " %"), ("Output gain", " dB")]
    {
        let param = plugin.param(name).unwrap();
        assert!(param.automatable, "{name} cannot be automated");
        let text = plugin.text(param.id, param.default).unwrap();
        assert!(text.ends_with(unit), "{name} reads '{text}', without{unit}");
    }
    for (name, first) in [
        ("Genre", "Auto"),
        ("Mode", "Follow"),
        ("Equalizer", "Off"),
        ("Compressor", "Off"),
        ("Bypass", "Off"),
    ] {
        let param = plugin.param(name).unwrap();
        assert!(param.stepped, "{name} is not a choice");
        assert_eq!(plugin.text(param.id, param.min).unwrap(), first);
    }
}

#[test]
fn no_latency_at_any_rate() {
    let built = Built::load();
    for sample_rate in [8_000.0, 44_100.0, 48_000.0, 192_000.0] {
        let mut plugin = built.instance(2, Render::Realtime);
        let processor = plugin.activate(sample_rate, 512).unwrap();
        assert_eq!(plugin.latency(), 0, "at {sample_rate} Hz");
        plugin.deactivate(processor);
    }
}
