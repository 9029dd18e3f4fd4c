//! Model cards: what a shipped model's card says about its files, kept true by a command and a test.

use crate::files;
use anyhow::{Context, Result, ensure};
use idiom_engine::model::classic::ClassicModel;
use idiom_engine::model::{Entries, Model};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// Endings of the names of model files.
const MODEL_FILES: [&str; 3] = [".onnx", ".tflite", ".weights.json"];

/// The cards in a folder: every JSON file that is no model.
///
/// # Errors
/// When the folder cannot be listed, or a model file belongs to no card.
pub fn cards(folder: &Path) -> Result<Vec<PathBuf>> {
    let names = names(folder)?;
    let is_model = |name: &String| MODEL_FILES.iter().any(|ending| name.ends_with(ending));
    let cards: Vec<&String> =
        names.iter().filter(|name| name.ends_with(".json") && !is_model(name)).collect();
    for model in names.iter().filter(|name| is_model(name)) {
        let card = format!("{}.json", stem(model));
        ensure!(cards.contains(&&card), "{}: there is no card {card} for it", folder.join(model).display());
    }
    Ok(cards.into_iter().map(|name| folder.join(name)).collect())
}

/// What a card has to say about its model's files: parameters, multiply-adds, what is looked back on, and each file's size
/// and SHA-256.
///
/// # Errors
/// When a file cannot be read, there is none, or the files do not hold one and the same model.
pub fn facts(card: &Path) -> Result<Map<String, Value>> {
    let folder = card.parent().unwrap_or(Path::new("."));
    let name = card.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let mut facts = Map::new();
    let mut list = Map::new();
    for file in
        names(folder)?.into_iter().filter(|file| stem(file) == name && *file != format!("{name}.json"))
    {
        let path = folder.join(&file);
        let bytes = std::fs::read(&path).with_context(|| format!("{}: cannot be read", path.display()))?;
        let found = of_file(&file, &bytes).with_context(|| path.display().to_string())?;
        for (key, value) in found {
            let known = facts.entry(key.clone()).or_insert_with(|| value.clone());
            ensure!(*known == value, "{}: `{key}` is {value}, in another file {known}", path.display());
        }
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        list.insert(file, json!({ "bytes": bytes.len(), "sha256": sum }));
    }
    ensure!(!list.is_empty(), "{}: there is no model file {name}.*", card.display());
    facts.insert("files".into(), Value::Object(list));
    Ok(facts)
}

/// Facts that all files of a model share.
fn of_file(file: &str, bytes: &[u8]) -> Result<Vec<(String, Value)>> {
    let (meta, parameters, multiply_adds, looks_back) = if file.ends_with(".weights.json") {
        let model = ClassicModel::read(bytes)?;
        let (parameters, frames) = (model.parameters(), model.meta.pool_frames);
        (model.meta, parameters, parameters, frames)
    } else {
        let model = Model::read(bytes, &Entries::new())?;
        let numbers = (model.parameters(), model.macs_per_frame(), model.receptive_field());
        (model.meta, numbers.0, numbers.1, numbers.2)
    };
    Ok(vec![
        ("model".into(), json!(meta.name)),
        ("version".into(), json!(meta.version)),
        ("classes".into(), json!(meta.classes)),
        ("parameters".into(), json!(parameters)),
        ("multiply_adds_per_frame".into(), json!(multiply_adds)),
        ("receptive_field_frames".into(), json!(looks_back)),
    ])
}

/// Brings the facts in every card of a folder up to date, and leaves the rest as it is. Gives the cards that changed.
///
/// # Errors
/// As [`cards`] and [`facts`]; also when a card is no JSON object, or cannot be written.
pub fn update(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut changed = Vec::new();
    for card in cards(folder)? {
        let before = read(&card)?;
        let mut after = before.clone();
        after.extend(facts(&card)?);
        if after != before {
            let mut text = serde_json::to_vec_pretty(&after)?;
            text.push(b'\n');
            files::write_bytes(&card, &text)
                .with_context(|| format!("{}: cannot be written", card.display()))?;
            changed.push(card);
        }
    }
    Ok(changed)
}

/// A card as it is.
///
/// # Errors
/// When it cannot be read, or is no JSON object.
pub fn read(card: &Path) -> Result<Map<String, Value>> {
    let text = std::fs::read(card).with_context(|| format!("{}: cannot be read", card.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{}: is no model card", card.display()))
}

/// `flagship` of `flagship.fp32.onnx`.
fn stem(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}

/// Names of the files in a folder, sorted.
fn names(folder: &Path) -> Result<Vec<String>> {
    let unreadable = || format!("{}: cannot be listed", folder.display());
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        names.extend(entry.with_context(unreadable)?.file_name().into_string());
    }
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every card must tell besides.
    const TOLD: [&str; 6] = ["input", "output", "training", "evaluation", "teachers", "credits"];

    #[test]
    fn every_shipped_model_has_a_card_that_tells_the_truth_about_its_files() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        let cards = cards(&folder).unwrap();
        let readable = std::fs::read_to_string(folder.join("README.md")).unwrap();
        for card in &cards {
            let says = read(card).unwrap();
            for (key, is) in facts(card).unwrap() {
                let name = card.display();
                assert_eq!(says.get(&key), Some(&is), "{name}: `{key}`; run: idiom card models");
            }
            for key in TOLD {
                assert!(says.contains_key(key), "{}: says nothing of `{key}`", card.display());
            }
            let heading = format!("## {}\n", says["model"].as_str().unwrap());
            assert!(readable.contains(&heading), "models/README.md has no section on it: {heading}");
        }
        assert!(cards.len() >= 3, "{cards:?}");
    }

    #[test]
    fn a_card_is_brought_up_to_date_and_keeps_what_it_tells() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        std::fs::write(place("classic.weights.json"), idiom_engine::model::shipped::classic()).unwrap();
        let error = cards(folder.path()).unwrap_err().to_string();
        assert!(error.contains("no card classic.json"), "{error}");
        std::fs::write(place("classic.json"), r#"{ "parameters": 1, "told": "by a person" }"#).unwrap();
        assert_eq!(update(folder.path()).unwrap(), [place("classic.json")]);
        let card = read(&place("classic.json")).unwrap();
        assert_eq!((&card["parameters"], &card["told"]), (&json!(265), &json!("by a person")));
        assert_eq!(
            card["files"]["classic.weights.json"]["bytes"],
            json!(idiom_engine::model::shipped::classic().len())
        );
        assert!(update(folder.path()).unwrap().is_empty(), "nothing is left to change");
    }
}
