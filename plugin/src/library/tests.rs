use super::*;
use crate::editor::undo::{Setup, Value};
use crate::params::{IdiomParams, Switch};
use crate::state::Choice;
use idiom_engine::{Backend, Quantization};
use nice_plug::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A folder that goes when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("idiom-library-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        Folder(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn params() -> IdiomParams {
    IdiomParams::new(Arc::default())
}

/// Every parameter somewhere else than by default.
fn moved() -> IdiomParams {
    let params = params();
    for (i, (_, param, _)) in params.param_map().into_iter().enumerate() {
        // SAFETY: `param_map` points into `params`, which is alive.
        unsafe {
            let to = if param.default_normalized_value() > 0.5 { 0.0 } else { 1.0 };
            let to = if matches!(param, ParamPtr::FloatParam(_)) { 0.1 + 0.07 * i as f32 % 0.9 } else { to };
            param._internal_set_normalized_value(to);
        }
    }
    params.preset.choose(2);
    params.recognition.choose(Choice { backend: Backend::Classic, quantization: Quantization::Fp32 });
    params
}

#[test]
fn a_preset_comes_back_from_its_file_as_it_was_saved() {
    let folder = Folder::new();
    let moved = moved();
    let mut library = Library::open(Some(folder.0.clone()));
    assert_eq!((library.trouble(), library.entries().len()), (None, Preset::factory().len()));
    let preset = UserPreset::of(&moved, "Night \u{2013} bus/2", "For the night.", vec!["bus".into()]);
    library.save(preset.clone());
    assert_eq!(library.trouble(), None);

    let again = Library::open(Some(folder.0.clone()));
    assert_eq!(again.trouble(), None);
    assert_eq!(again.user("Night \u{2013} bus/2"), Some(&preset));
    let near = |a: &Setup, b: &Setup| {
        a.0.iter().zip(&b.0).all(|(a, b)| match (a, b) {
            (Value::Param(x, p), Value::Param(y, q)) => x == y && (p - q).abs() < 1e-5,
            (a, b) => a == b,
        })
    };
    let fresh = params();
    let setup = again.user("Night \u{2013} bus/2").unwrap().setup(&fresh).unwrap();
    assert!(near(&setup, &Setup::of(&moved)), "{setup:?}\n{:?}", Setup::of(&moved));
    assert!(!near(&setup, &Setup::of(&fresh)));
    assert!(!preset.parameters.contains_key(Switch::Bypass.id()), "the bypass is no setting");

    library.delete("Night \u{2013} bus/2");
    assert!(Library::open(Some(folder.0.clone())).user("Night \u{2013} bus/2").is_none());
}

/// Backend and quantization were no parameters when the first presets were saved.
#[test]
fn a_preset_from_before_the_backend_was_a_parameter_still_sets_it() {
    let text = "version = 1\nname = \"Old\"\nplays = \"Gentle Bus\"\n\n[inference]\nbackend = \"onnx-worker\"\n\
                quantization = \"int8\"\n\n[parameters]\namount = 40.0\n";
    let old = UserPreset::parse(text).unwrap();
    let set = old.setup(&params()).unwrap();
    let to = params();
    to.recognition.choose(Choice { backend: Backend::OnnxWorker, quantization: Quantization::Int8 });
    let expected = Setup::of(&to);
    for id in ["backend", "quantization"] {
        let value = |setup: &Setup| {
            setup.0.iter().find(|v| matches!(v, Value::Param(known, _) if known == id)).cloned()
        };
        assert_eq!(value(&set), value(&expected), "{id}");
    }
    assert_eq!(UserPreset::parse(&old.to_text()).unwrap(), old);
    assert!(!old.to_text().contains("inference"));
}

#[test]
fn names_that_look_alike_are_files_of_their_own() {
    let folder = Folder::new();
    let mut library = Library::open(Some(folder.0.clone()));
    let names = ["a/b", "a-b", "../a-b", "A-b", "\u{e4}", "nul"];
    names.iter().for_each(|name| library.save(UserPreset::of(&params(), name, "", vec![])));
    assert_eq!(fs::read_dir(folder.0.join("presets")).unwrap().count(), names.len());
    let again = Library::open(Some(folder.0.clone()));
    assert!(names.iter().all(|name| again.user(name).is_some()), "{again:?}");
}

#[test]
fn what_cannot_be_read_is_named_and_left_alone() {
    let folder = Folder::new();
    fs::create_dir_all(folder.0.join("presets")).unwrap();
    let good = UserPreset::of(&params(), "Good", "", vec![]).to_text();
    let twice = good.clone();
    let big = "#".repeat(MAX_BYTES as usize + 1);
    for (file, text, reason) in [
        ("broken.toml", "version = 1\nname = ", "broken.toml"),
        ("newer.toml", "version = 9\nname = \"x\"", "newer Idiom (format 9)"),
        ("other.toml", "name = \"x\"", "no `version = 2`"),
        ("nameless.toml", &good.replace("\"Good\"", "\" \""), "1 to 60 characters"),
        ("big.toml", &big, "65537 bytes"),
        ("good.toml", &good, ""),
        ("good2.toml", &twice, "another preset called \"Good\""),
    ] {
        fs::write(folder.0.join("presets").join(file), text).unwrap();
        let library = Library::open(Some(folder.0.clone()));
        let trouble = library.trouble().unwrap_or_default();
        assert!(reason.is_empty() || trouble.contains(reason), "{file}: {trouble}");
    }
    fs::write(folder.0.join("window.toml"), "shade = 7").unwrap();
    let library = Library::open(Some(folder.0.clone()));
    assert!(library.trouble().unwrap().contains("window.toml"));
    assert!(library.user("Good").is_some());
    assert_eq!(fs::read_dir(folder.0.join("presets")).unwrap().count(), 7, "nothing is deleted");

    let mut odd = UserPreset::of(&params(), "Odd", "", vec![]);
    odd.parameters.insert("genre".into(), toml::Value::String("Polka".into()));
    assert!(odd.setup(&params()).unwrap_err().contains("\"genre\""));
    odd.parameters.clear();
    assert!(odd.setup(&params()).is_ok(), "what is left out is as in a new instance");
    odd.parameters.insert("wobble".into(), toml::Value::Float(1.0));
    assert!(odd.setup(&params()).unwrap_err().contains("\"wobble\""));
    odd.parameters.clear();
    odd.plays = "Opera House".into();
    assert!(odd.setup(&params()).unwrap_err().contains("Opera House"));
}

#[test]
fn favourites_and_the_shade_are_remembered() {
    let folder = Folder::new();
    let mut library = Library::open(Some(folder.0.clone()));
    library.mark(&Key::factory(3), true);
    library.set_shade(Shade::Light);
    let mut again = Library::open(Some(folder.0.clone()));
    assert_eq!(again.shade(), Shade::Light);
    let marked: Vec<bool> = again.entries().iter().map(|entry| entry.favourite).collect();
    assert_eq!(marked.iter().filter(|m| **m).count(), 1);
    assert!(marked[3]);
    again.mark(&Key::factory(3), false);
    assert!(Library::open(Some(folder.0.clone())).entries().iter().all(|entry| !entry.favourite));
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let folder = Folder::new();
    fs::write(&folder.0, "a file where a folder should be").unwrap();
    let mut library = Library::open(Some(folder.0.clone()));
    library.save(UserPreset::of(&params(), "Mine", "", vec![]));
    let trouble = library.trouble().expect("said").to_owned();
    assert!(trouble.contains("\"Mine\" was not saved") && trouble.contains("IDIOM_FOLDER"), "{trouble}");
    assert!(library.user("Mine").is_none());
    fs::remove_file(&folder.0).unwrap();
    let mut nowhere = Library::open(None);
    nowhere.set_shade(Shade::Light);
    assert!(nowhere.trouble().is_some() && nowhere.shade() == Shade::Light);
}

#[test]
fn every_factory_preset_can_be_found_by_a_tag() {
    for entry in Library::open(None).entries() {
        assert!(!entry.tags.is_empty(), "{:?} has no tag", entry.key);
        assert!(entry.key.index().is_some_and(|index| Key::factory(index) == entry.key));
    }
}
