//! Preset files: what is shipped reads, what is wrong is refused with its place and the remedy.

use idiom_engine::Genre;
use idiom_engine::profile::{FACTORY_FILES, PRESET_VERSION, Parameter, Preset, PresetError, Profile};

const DEFAULT: &str = include_str!("../../presets/default.toml");

/// The default preset as it was written in format 1.
const FORMAT_1: &str = include_str!("data/format-1.toml");

fn refusal(from: &str, to: &str) -> PresetError {
    refusal_in(FORMAT_1, from, to)
}

fn refusal_in(text: &str, from: &str, to: &str) -> PresetError {
    assert!(text.contains(from), "{from} is in the preset");
    Preset::parse(&text.replacen(from, to, 1)).expect_err("refused")
}

#[test]
fn the_factory_presets_read_and_say_why() {
    let presets = Preset::factory();
    assert_eq!(presets[0].name, "Genre Follow");
    assert!(presets.len() >= 15, "{}", presets.len());
    for preset in presets {
        assert!(preset.summary.len() > 20, "{}", preset.name);
        assert!(preset.why.iter().all(|why| why.len() > 30 && why.ends_with('.')), "{}", preset.name);
    }
    let names: std::collections::BTreeSet<_> = presets.iter().map(|preset| &preset.name).collect();
    assert_eq!(names.len(), presets.len());
    for ((file, text), preset) in FACTORY_FILES.iter().zip(presets) {
        assert!(text.contains(&format!("version = {PRESET_VERSION}")), "{file} is of an old format");
        assert_eq!(Preset::built_in(file), Some(preset));
        assert_eq!(Preset::built_in(&preset.name.to_uppercase()), Some(preset));
    }
    assert_eq!(Preset::built_in("no such"), None);
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
        for genre in Genre::ALL {
            let ratio = of(genre)[Parameter::Ratio];
            assert!(ratio <= speech[Parameter::Ratio], "{}: speech is levelled most", preset.name);
            assert!(ratio >= classical[Parameter::Ratio], "{}: classical is levelled least", preset.name);
            assert!(of(genre)[Parameter::Makeup] == 0.0, "{}: make-up is automatic", preset.name);
        }
        let cut = speech[Parameter::LowDb] < -2.0 || speech[Parameter::LowCut] > 0.5;
        // Consonants lie above 1.5 kHz; a bell below takes out mud or boom.
        let bells = [(Parameter::MidHz, Parameter::MidDb), (Parameter::PresenceHz, Parameter::PresenceDb)];
        let high = bells.into_iter().filter(|(hz, _)| speech[*hz] > 1_500.0);
        let presence: f32 = high.map(|(_, db)| speech[db]).sum();
        assert!(cut && presence > 0.5, "{}: rumble out, presence in", preset.name);
        assert!(
            of(Genre::Electronic)[Parameter::Width] >= of(Genre::Speech)[Parameter::Width],
            "{}",
            preset.name
        );
    }
}

#[test]
fn a_preset_of_format_1_loads_and_asks_for_what_it_asked_for() {
    let preset = Preset::parse(FORMAT_1).unwrap();
    let speech = preset.profiles.genres[Genre::Speech.index()];
    let wanted = [
        (Parameter::LowHz, 110.0),
        (Parameter::LowDb, -5.0),
        (Parameter::MidHz, 3_000.0),
        (Parameter::HighDb, -0.5),
        (Parameter::EqTrim, -0.27),
        (Parameter::Ratio, 3.0),
        (Parameter::Release, 140.0),
    ];
    for (parameter, value) in wanted {
        assert_eq!(speech[parameter], value, "{parameter:?}");
    }
    for parameter in [Parameter::LowCut, Parameter::GateRange, Parameter::DriveMix, Parameter::TargetRange] {
        assert_eq!(speech[parameter], 0.0, "what format 1 did not know is neutral");
    }
    // What is computed now is near what was measured then, compressor included.
    let computed = idiom_engine::profile::trim::loudness_trim_db(&speech);
    assert!((computed + 0.27).abs() < 0.35, "{computed}");
}

#[test]
fn what_a_file_of_format_2_leaves_out_is_neutral() {
    let genre = |name: &str| format!("[{name}]\nwhy = \"Because.\"\n");
    let text = format!(
        "version = 2\nname = \"N\"\nsummary = \"S\"\n{}[rock.eq]\nlow_db = 2\n{}",
        ["speech", "rock"].map(genre).concat(),
        ["jazz", "electronic", "classical"].map(genre).concat()
    );
    let preset = Preset::parse(&text).unwrap();
    assert_eq!(preset.profiles.genres[Genre::Jazz.index()], Profile::NEUTRAL);
    let rock = preset.profiles.genres[Genre::Rock.index()];
    assert_eq!(rock[Parameter::LowDb], 2.0);
    assert!((-1.0..-0.05).contains(&rock[Parameter::EqTrim]), "{}", rock[Parameter::EqTrim]);
    let error = refusal_in(&text, "low_db = 2", "low_db = 2\ntrim_db = 1");
    assert!(error.to_string().contains("trim_db"), "{error}");
    let error = refusal_in(&text, "low_db = 2", "low_db = -11").to_string();
    assert!(error.contains("eq.low_db is 0 for speech and -11 for rock"), "{error}");
}

#[test]
fn a_written_preset_reads_back() {
    for preset in Preset::factory() {
        let text = preset.to_text();
        let back = Preset::parse(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", preset.name));
        assert_eq!((&back.name, &back.summary, &back.why), (&preset.name, &preset.summary, &preset.why));
        for (a, b) in back.profiles.genres.iter().zip(&preset.profiles.genres) {
            for &parameter in Parameter::ALL {
                assert!((a[parameter] - b[parameter]).abs() < 1e-2, "{}: {parameter:?}", preset.name);
            }
        }
    }
}

#[test]
fn a_newer_version_is_refused_as_such_even_with_fields_unknown_here() {
    let error = refusal("version = 1", "version = 3\nreverb = true");
    assert_eq!(error, PresetError::Newer { found: 3 });
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
    let last_field = FORMAT_1.rfind("makeup_db").unwrap();
    for (end, _) in FORMAT_1.char_indices() {
        let cut = Preset::parse(&FORMAT_1[..end]);
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

/// The manual names every field with its range, and every built-in preset.
#[test]
fn the_manual_is_complete() {
    let manual = include_str!("../../docs/PRESETS.md");
    for parameter in Parameter::ALL.iter().filter(|parameter| **parameter != Parameter::EqTrim) {
        let spec = parameter.spec();
        let row = manual.lines().filter(|line| line.contains(parameter.help()));
        let row = row.into_iter().next().unwrap_or_else(|| panic!("{parameter:?} is missing"));
        assert!(row.starts_with(&format!("| `{}` |", spec.field)), "{row}");
        assert!(row.contains(&format!("{} to {}", spec.range.0, spec.range.1)), "{row}: {:?}", spec.range);
    }
    for ((file, _), preset) in FACTORY_FILES.iter().zip(Preset::factory()) {
        assert!(manual.contains(&format!("| `{file}` | {} | {} |", preset.name, preset.summary)), "{file}");
    }
}
