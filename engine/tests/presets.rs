//! Preset files: what is shipped reads, what is wrong is refused with its place and the remedy.

use idiom_engine::Genre;
use idiom_engine::profile::{Preset, PresetError};

const DEFAULT: &str = include_str!("../../presets/default.toml");

fn refusal(from: &str, to: &str) -> PresetError {
    assert!(DEFAULT.contains(from), "{from} is in the preset");
    Preset::parse(&DEFAULT.replacen(from, to, 1)).expect_err("refused")
}

#[test]
fn the_factory_presets_read_and_say_why() {
    let presets = Preset::factory();
    assert_eq!(presets[0].name, "Genre Follow");
    assert!(presets.len() >= 3);
    for preset in presets {
        assert!(preset.summary.len() > 20, "{}", preset.name);
        assert!(preset.why.iter().all(|why| why.len() > 30 && why.ends_with('.')), "{}", preset.name);
    }
    let mut names: Vec<_> = presets.iter().map(|preset| &preset.name).collect();
    names.dedup();
    assert_eq!(names.len(), presets.len());
}

/// Every file in the folder is built in.
#[test]
fn no_preset_lies_about_unused() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../presets");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let preset = Preset::parse(&std::fs::read_to_string(&path).unwrap());
        let preset = preset.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(Preset::factory().contains(&preset), "{} is not built in", path.display());
        files += 1;
    }
    assert_eq!(files, Preset::factory().len());
}

#[test]
fn the_settings_follow_practice() {
    for preset in Preset::factory() {
        let of = |genre: Genre| preset.profiles.genres[genre.index()];
        let (speech, classical) = (of(Genre::Speech), of(Genre::Classical));
        assert!(
            speech.eq.low_db < -2.0 && speech.eq.mid_db > 1.0,
            "{}: rumble out, presence in",
            preset.name
        );
        for genre in Genre::ALL {
            let c = of(genre).compressor;
            assert!(c.ratio <= speech.compressor.ratio, "{}: speech is levelled most", preset.name);
            assert!(c.ratio >= classical.compressor.ratio, "{}: classical is levelled least", preset.name);
        }
    }
}

#[test]
fn a_newer_version_is_refused_as_such_even_with_fields_unknown_here() {
    let error = refusal("version = 1", "version = 2\nreverb = true");
    assert_eq!(error, PresetError::Newer { found: 2 });
    assert!(error.to_string().contains("newer version") && error.to_string().contains("update"), "{error}");
}

#[test]
fn no_version_or_a_senseless_one_is_refused() {
    for version in ["", "version = 0", "version = -3", "version = \"1\"", "version = 1.5"] {
        assert_eq!(refusal("version = 1", version), PresetError::NoVersion, "{version}");
    }
}

#[test]
fn a_number_out_of_range_is_refused_with_genre_field_and_range() {
    let error = refusal("ratio = 3.0", "ratio = 40").to_string();
    assert_eq!(error, "[speech.compressor] ratio = 40 is out of range: use 1 to 20");
    let error = refusal("mid_hz = 280.0", "mid_hz = nan").to_string();
    assert!(error.contains("[electronic.eq] mid_hz = NaN") && error.contains("100 to 10000"), "{error}");
    let error = refusal("ratio = 1.0", "ratio = 2.0").to_string();
    assert_eq!(
        error, "[neutral.compressor] ratio = 2 is out of range: use 1 to 1",
        "neutral must be neutral"
    );
}

#[test]
fn a_field_unknown_missing_or_of_another_type_is_refused_by_name() {
    for (from, to, names) in [
        ("knee_db = 8.0", "knee_db = 8.0\nsidechain = true", "sidechain"),
        ("knee_db = 8.0", "", "knee_db"),
        ("knee_db = 8.0", "knee_db = \"soft\"", "knee_db"),
        ("[jazz]", "[blues]", "jazz"),
        ("name = \"Genre Follow\"", "", "name"),
    ] {
        let error = refusal(from, to);
        assert!(matches!(error, PresetError::Syntax(_)), "{error:?}");
        assert!(error.to_string().contains(names), "{error}");
    }
    assert_eq!(refusal("name = \"Genre Follow\"", "name = \"  \""), PresetError::Text("name"));
}

/// Cut anywhere, with any byte changed: an error or a preset, never a panic.
#[test]
fn damaged_files_never_panic() {
    let last_field = DEFAULT.rfind("makeup_db").unwrap();
    for (end, _) in DEFAULT.char_indices() {
        let cut = Preset::parse(&DEFAULT[..end]);
        assert!(cut.is_err() || end > last_field, "cut at {end}");
    }
    for i in (0..DEFAULT.len()).step_by(3) {
        for byte in [b'[', b'"', b'9', b'=', 0] {
            let mut bytes = DEFAULT.as_bytes().to_vec();
            bytes[i] = byte;
            if let Ok(text) = String::from_utf8(bytes) {
                let _ = Preset::parse(&text);
            }
        }
    }
    assert!(Preset::parse("").is_err());
    assert_eq!(Preset::parse(&" ".repeat(1 << 20)), Err(PresetError::TooLarge(1 << 20)));
}
