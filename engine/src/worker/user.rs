//! Models of the user's: picked once, found again when the session is opened, on this machine or another.
//!
//! What a session keeps of a model is its [`UserModel`]: name, SHA-256 and the place it was picked from. Picking one also
//! copies it, and the sidecar beside it, into the user's data folder, so that it is still there when the original has gone.
//! It is looked for in that folder, at its place, and under its name in the folder's top, in this order; a file counts only
//! when its SHA-256 is right.
//!
//! The sidecar is a JSON object in a file of the model's name with the ending `.json`. It says what the model file does not
//! say about itself, see `docs/MODEL_FORMAT.md`.

use super::store::{self, Opened};
use crate::controls::Quantization;
use crate::model::{Entries, Format, MAX_FILE_BYTES, ModelMeta, onnx, tflite};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Largest sidecar that is read, in bytes.
const MAX_SIDECAR_BYTES: usize = 1 << 20;

/// The identity of a model of the user's, as a session keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserModel {
    /// The file's name, e.g. `mine.onnx`.
    pub name: String,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// Where it was picked.
    pub path: PathBuf,
}

/// Size and time of what lies at a model's places.
pub(super) type Traces = Vec<Option<(u64, Option<std::time::SystemTime>)>>;

/// A model that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file.
    pub bytes: Arc<[u8]>,
    /// What its sidecar says.
    pub sidecar: Entries,
    /// Where it lay.
    pub path: PathBuf,
}

/// The folder for copies: `$IDIOM_MODELS`, else `idiom/models` in the user's data folder. `None` when the system has no
/// such folder.
pub fn folder() -> Option<PathBuf> {
    match std::env::var_os("IDIOM_MODELS") {
        Some(folder) if !folder.is_empty() => Some(PathBuf::from(folder)),
        _ => Some(dirs::data_dir()?.join("idiom").join("models")),
    }
}

/// Picks a model: reads it, checks that it can run on the audio thread or on the worker, and copies it into `folder`,
/// usually [`folder()`]. Slow; not for the audio thread.
///
/// # Errors
/// Says what is wrong with the file or its sidecar. That no copy could be made is no error: the file itself is there.
pub fn pick(path: &Path, folder: Option<&Path>) -> Result<UserModel, String> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| format!("{}: is no file", path.display()))?;
    let bytes = read(path, MAX_FILE_BYTES)?;
    let sidecar = read_sidecar(path)?;
    check(&name, &bytes, &sidecar)?;
    // The place must mean the same from wherever the session is opened.
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let model = UserModel { name, sha256: digest(&bytes), path };
    if let Some(folder) = folder {
        model.copy_to(folder, &bytes).ok();
    }
    Ok(model)
}

/// Whether anything here runs the file.
fn check(name: &str, bytes: &[u8], sidecar: &Entries) -> Result<(), String> {
    let opened = Opened::File { name: name.into(), bytes: bytes.into(), sidecar: sidecar.clone() };
    let format = Format::of(bytes);
    let executor = store::load(&opened, format, Quantization::Auto).map(drop);
    let Err(error) = executor else { return Ok(()) };
    let worker = store::load_tract(&opened, Quantization::Auto).map(drop);
    match (format, worker) {
        (_, Ok(())) => Ok(()),
        (Format::Tflite, Err(_)) => Err(format!("{name}: {error}")),
        (Format::Onnx, Err(worker)) if worker.to_string() == error.to_string() => {
            Err(format!("{name}: {error}"))
        }
        (Format::Onnx, Err(worker)) => Err(format!("{name}: {error}. And on the worker: {worker}")),
    }
}

/// What a file says about itself together with its sidecar.
///
/// # Errors
/// When the file is no model file, or something that is needed is missing or wrong.
pub fn describe(bytes: &[u8], sidecar: &Entries) -> Result<ModelMeta, String> {
    let meta = match Format::of(bytes) {
        Format::Onnx => onnx::read_meta(bytes, sidecar),
        Format::Tflite => tflite::read_meta(bytes, sidecar),
    };
    meta.map_err(|error| error.to_string())
}

impl UserModel {
    /// Finds the model again, see the [module](self).
    ///
    /// # Errors
    /// Says what is missing, where it was looked for, and what to do.
    pub fn find(&self) -> Result<Found, String> {
        self.find_in(folder().as_deref())
    }

    /// The same with the folder for copies named.
    ///
    /// # Errors
    /// As [`UserModel::find`].
    pub fn find_in(&self, folder: Option<&Path>) -> Result<Found, String> {
        let mut seen = Vec::new();
        for path in self.places(folder) {
            let bytes = match read(&path, MAX_FILE_BYTES) {
                Ok(bytes) => bytes,
                Err(error) => {
                    seen.push(error);
                    continue;
                }
            };
            let found = digest(&bytes);
            if found != self.sha256 {
                seen.push(format!("{}: is another file (SHA-256 {}...)", path.display(), short(&found)));
                continue;
            }
            let sidecar = read_sidecar(&path)?;
            if let Some(folder) = folder.filter(|folder| !path.starts_with(folder)) {
                let _ = UserModel { path: path.clone(), ..self.clone() }.copy_to(folder, &bytes);
            }
            return Ok(Found { bytes: bytes.into(), sidecar, path });
        }
        Err(format!(
            "{} (SHA-256 {}...) is missing: {}. Put the file back to one of these places, or pick the model again",
            self.name,
            short(&self.sha256),
            seen.join("; ")
        ))
    }

    /// Where it may lie, in the order in which it is looked for.
    fn places(&self, folder: Option<&Path>) -> Vec<PathBuf> {
        let mut places = Vec::new();
        // A state is anyone's text: what is no plain file name or no digest must not lead out of the folder.
        let plain = Path::new(&self.name).file_name().is_some_and(|name| *name == *self.name);
        let digest = self.sha256.len() == 64 && self.sha256.bytes().all(|b| b.is_ascii_hexdigit());
        if let Some(folder) = folder.filter(|_| plain && digest) {
            places.push(folder.join(&self.sha256).join(&self.name));
        }
        if !self.path.as_os_str().is_empty() {
            places.push(self.path.clone());
        }
        if let Some(folder) = folder.filter(|_| plain) {
            places.push(folder.join(&self.name));
        }
        places
    }

    /// What changes when the model is put to, or taken from, one of its places.
    pub(super) fn traces(&self) -> Traces {
        let trace =
            |path: PathBuf| std::fs::metadata(path).ok().map(|file| (file.len(), file.modified().ok()));
        let places = self.places(folder().as_deref());
        places.into_iter().flat_map(|path| [sidecar_path(&path), path]).map(trace).collect()
    }

    /// Copies the model and the sidecar beside it.
    fn copy_to(&self, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let folder = folder.join(&self.sha256);
        std::fs::create_dir_all(&folder)?;
        let to = folder.join(&self.name);
        write_whole(&to, bytes)?;
        let sidecar = sidecar_path(&self.path);
        if sidecar.exists() {
            let text = read(&sidecar, MAX_SIDECAR_BYTES).map_err(std::io::Error::other)?;
            write_whole(&sidecar_path(&to), &text)?;
        }
        Ok(())
    }
}

/// The sidecar's place for a model file's.
pub fn sidecar_path(model: &Path) -> PathBuf {
    model.with_extension("json")
}

/// The sidecar beside a model file, as `idiom.*` entries; none when there is no such file.
fn read_sidecar(model: &Path) -> Result<Entries, String> {
    let path = sidecar_path(model);
    if !path.exists() {
        return Ok(Entries::new());
    }
    let text = read(&path, MAX_SIDECAR_BYTES)?;
    sidecar(&text).map_err(|problem| format!("{}: {problem}; see docs/MODEL_FORMAT.md", path.display()))
}

/// The entries of a sidecar's text. A list becomes its elements with commas between. A JSON file of another kind beside
/// the model, one without any known key, counts as none.
fn sidecar(text: &[u8]) -> Result<Entries, String> {
    use serde_json::Value;
    let value: serde_json::Map<String, Value> =
        serde_json::from_slice(text).map_err(|error| format!("is no JSON object ({error})"))?;
    let plain = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let mut entries = Entries::new();
    for key in ["format", "model", "version", "features", "classes", "pool_frames"] {
        let text = match value.get(key) {
            None => continue,
            Some(Value::Array(list)) if key == "classes" => {
                let names: Option<Vec<String>> = list.iter().map(plain).collect();
                names
                    .filter(|names| names.iter().all(|name| !name.contains(',')))
                    .map(|names| names.join(","))
            }
            Some(value) => plain(value),
        };
        let text =
            text.ok_or_else(|| format!("`{key}` is neither text nor a number nor a list of class names"))?;
        entries.insert(format!("idiom.{key}"), text);
    }
    if !entries.is_empty() {
        entries.entry("idiom.format".into()).or_insert_with(|| crate::model::FORMAT.to_string());
    }
    Ok(entries)
}

/// A whole file of at most `most` bytes.
fn read(path: &Path, most: usize) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    if file.metadata().is_ok_and(|file| !file.is_file()) {
        return Err(format!("{}: is no file", path.display()));
    }
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() > most {
        return Err(format!("{}: is larger than the {most} bytes that are read", path.display()));
    }
    Ok(bytes)
}

/// A reader never sees half a file: it is written beside its place and moved there.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension(format!("part{}", std::process::id()));
    let written = std::fs::File::create(&part)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| std::fs::rename(&part, path));
    if written.is_err() {
        std::fs::remove_file(&part).ok();
    }
    written
}

/// SHA-256 in hexadecimal digits.
fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
