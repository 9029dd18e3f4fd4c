//! A model of the user's own is chosen.

use crate::desk::{on, window};
use egui::{Event, Key, Modifiers};
use idiom_engine::worker::UserModel;
use idiom_plugin::editor::model::{Action, Page};
use idiom_plugin::editor::{browser, samples};

#[test]
fn a_model_file_is_chosen_from_the_list_or_by_its_path() {
    let folder = std::env::temp_dir().join(format!("idiom-choose-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("deeper")).unwrap();
    std::fs::write(folder.join("deeper/mine.onnx"), "").unwrap();
    let mut model = on(&samples::playing(), Page::Engine);
    let own = UserModel { name: "old.onnx".into(), sha256: "0".repeat(64), path: folder.join("old.onnx") };
    model.own_model = Some(own);
    let mut window = window();
    assert_eq!(window.click(&model, browser::own_id()), []);
    window.draw(&model, vec![]);
    assert!(window.shows("Choose a model") && window.shows("deeper"), "{:?}", window.texts);
    assert_eq!(window.click(&model, browser::line_id(0)), [], "a folder is opened");
    window.draw(&model, vec![]);
    let chosen = Action::OpenModel(folder.join("deeper/mine.onnx"));
    assert_eq!(window.click(&model, browser::line_id(0)), [chosen]);
    window.draw(&model, vec![]);
    assert!(!window.shows("Choose a model"), "the list is still open");

    window.click(&model, browser::own_id());
    window.click(&model, browser::path_id());
    let key = |key: Key, modifiers: Modifiers| Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers,
    };
    let paste = Event::Paste("/somewhere/else.tflite".into());
    window.draw(&model, vec![key(Key::A, Modifiers::COMMAND), paste]);
    let mut actions = window.draw(&model, vec![key(Key::Enter, Modifiers::NONE)]);
    actions.extend(window.draw(&model, vec![]));
    assert_eq!(actions, [Action::OpenModel("/somewhere/else.tflite".into())]);
    assert_eq!(window.click(&model, browser::built_in_id()), [Action::BuiltInModel]);
    model.own_model = None;
    assert_eq!(window.click(&model, browser::built_in_id()), [], "it plays already");
    std::fs::remove_dir_all(folder).unwrap();
}
