//! Presets of one's own: files in the user's folder, what is a favourite, and what the window looks like everywhere.
//!
//! A preset is a small TOML file that people can read, copy and share: the host parameters by their ids, the factory
//! preset whose profiles it plays, and what computes the genre. A file that cannot be read is named with the reason and left
//! alone. Files are written whole or not at all.

mod file;

pub use file::{UserPreset, VERSION};

use crate::editor::theme::Shade;
use idiom_engine::profile::{FACTORY_FILES, Preset};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Longest file that is read, in bytes. Real ones have less than one thousand.
const MAX_BYTES: u64 = 64 * 1024;
/// Most characters of a name.
pub const LONGEST_NAME: usize = 60;

/// Which preset.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Key {
    /// One that is built in, by the name of its file.
    Factory(String),
    /// One of the user's, by its name.
    User(String),
}

impl Key {
    /// The built-in preset of this number in [`Preset::factory`].
    pub fn factory(index: usize) -> Key {
        Key::Factory(FACTORY_FILES.get(index).map_or("", |(file, _)| file).to_owned())
    }

    /// Number in [`Preset::factory`], of a built-in one.
    pub fn index(&self) -> Option<usize> {
        match self {
            Key::Factory(name) => FACTORY_FILES.iter().position(|(file, _)| file == name),
            Key::User(_) => None,
        }
    }
}

/// A preset in the browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Which.
    pub key: Key,
    /// Its name.
    pub name: String,
    /// A sentence on when to use it.
    pub about: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Whether the user marked it.
    pub favourite: bool,
    /// What a preset of the user's sets: names and values.
    pub facts: Vec<(String, String)>,
}

/// What is remembered for all sessions.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Settings {
    shade: Shade,
    favourites: BTreeSet<Key>,
}

/// See the [module](self). Main or window thread: it reads and writes files.
#[derive(Debug, Default)]
pub struct Library {
    /// `None` where the system names no folder: then nothing is kept.
    folder: Option<PathBuf>,
    settings: Settings,
    user: Vec<UserPreset>,
    /// What could not be read or written.
    trouble: Option<String>,
}

impl Library {
    /// Reads everything in `folder`, which need not be there.
    pub fn open(folder: Option<PathBuf>) -> Library {
        let mut library = Library { folder, ..Library::default() };
        library.read();
        library
    }

    /// The user's folder: `IDIOM_FOLDER`, or where the system keeps such things.
    pub fn default_folder() -> Option<PathBuf> {
        let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let home = || set("HOME");
        set("IDIOM_FOLDER").or_else(|| {
            if cfg!(windows) {
                set("APPDATA").map(|folder| folder.join("Idiom"))
            } else if cfg!(target_os = "macos") {
                home().map(|home| home.join("Library/Application Support/Idiom"))
            } else {
                let data = set("XDG_DATA_HOME").or_else(|| home().map(|home| home.join(".local/share")));
                data.map(|folder| folder.join("idiom"))
            }
        })
    }

    /// Where the user's presets are.
    pub fn presets_folder(&self) -> Option<PathBuf> {
        self.folder.as_deref().map(Library::presets_in)
    }

    /// Where the presets are in a user's folder.
    pub fn presets_in(folder: &Path) -> PathBuf {
        folder.join("presets")
    }

    fn read(&mut self) {
        let Some(folder) = self.folder.clone() else { return };
        let mut trouble = Vec::new();
        match read_text(&folder.join("window.toml")) {
            Ok(text) => match toml::from_str(&text) {
                Ok(settings) => self.settings = settings,
                Err(error) => trouble.push(format!("window.toml: {}", error.message())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => trouble.push(format!("window.toml: {error}")),
        }
        let files = fs::read_dir(Library::presets_in(&folder)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = files.map(|file| file.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match read_preset(&path) {
                Ok(preset) if self.user.iter().any(|known| known.name == preset.name) => {
                    trouble.push(format!("{name}: there is another preset called {:?}", preset.name));
                }
                Ok(preset) => self.user.push(preset),
                Err(why) => trouble.push(format!("{name}: {why}")),
            }
        }
        if !trouble.is_empty() {
            self.trouble = Some(format!(
                "In {}, what cannot be read is left alone. {}.",
                folder.display(),
                trouble.join(". ")
            ));
        }
    }

    /// What could not be read or written, for the window.
    pub fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Says what went wrong with a preset.
    pub fn complain(&mut self, trouble: String) {
        self.trouble = Some(trouble);
    }

    /// All presets: built-in ones first, then the user's by name.
    pub fn entries(&self) -> Vec<Entry> {
        let favourite = |key: &Key| self.settings.favourites.contains(key);
        let built_in = Preset::factory().iter().enumerate().map(|(index, preset)| {
            let key = Key::factory(index);
            Entry {
                favourite: favourite(&key),
                tags: factory_tags(&key).iter().map(|tag| (*tag).to_owned()).collect(),
                key,
                name: preset.name.clone(),
                about: preset.summary.clone(),
                facts: Vec::new(),
            }
        });
        let own = self.user.iter().map(|preset| {
            let key = Key::User(preset.name.clone());
            Entry {
                favourite: favourite(&key),
                key,
                name: preset.name.clone(),
                about: preset.about.clone(),
                tags: preset.tags.clone(),
                facts: preset.facts(),
            }
        });
        built_in.chain(own).collect()
    }

    /// The user's preset of this name.
    pub fn user(&self, name: &str) -> Option<&UserPreset> {
        self.user.iter().find(|preset| preset.name == name)
    }

    /// Keeps a preset, in place of one of the same name.
    pub fn save(&mut self, preset: UserPreset) {
        let kept = self
            .presets_folder()
            .ok_or_else(no_folder)
            .and_then(|folder| write_whole(&folder.join(file_name(&preset.name)), &preset.to_text()));
        self.note(kept, &format!("The preset {:?} was not saved", preset.name));
        if self.trouble.is_none() {
            self.user.retain(|known| known.name != preset.name);
            self.user.push(preset);
            self.user.sort_by_key(|preset| preset.name.to_lowercase());
        }
    }

    /// Deletes the user's preset of this name.
    pub fn delete(&mut self, name: &str) {
        let gone = self.presets_folder().ok_or_else(no_folder).and_then(|folder| {
            match fs::remove_file(folder.join(file_name(name))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        self.note(gone, &format!("The preset {name:?} was not deleted"));
        if self.trouble.is_none() {
            self.user.retain(|known| known.name != name);
            self.mark(&Key::User(name.to_owned()), false);
        }
    }

    /// Marks a favourite, or no longer.
    pub fn mark(&mut self, key: &Key, favourite: bool) {
        let changed = if favourite {
            self.settings.favourites.insert(key.clone())
        } else {
            self.settings.favourites.remove(key)
        };
        if changed {
            self.keep_settings();
        }
    }

    /// Dark or light.
    pub fn shade(&self) -> Shade {
        self.settings.shade
    }

    /// Chooses dark or light.
    pub fn set_shade(&mut self, shade: Shade) {
        self.settings.shade = shade;
        self.keep_settings();
    }

    fn keep_settings(&mut self) {
        let text = toml::to_string(&self.settings).map_err(io::Error::other);
        let kept = text.and_then(|text| {
            let folder = self.folder.clone().ok_or_else(no_folder)?;
            write_whole(&folder.join("window.toml"), &text)
        });
        self.note(kept, "Favourites and colours are not remembered");
    }

    fn note(&mut self, done: io::Result<()>, what: &str) {
        self.trouble = done.err().map(|error| {
            let folder = self.folder.as_ref().map_or_else(String::new, |f| f.display().to_string());
            format!("{what}: {error}. Check that {folder} can be written, or set IDIOM_FOLDER to a folder that can.")
        });
    }
}

fn no_folder() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the system names no folder for it")
}

/// A file name for a preset's name: what is no letter or digit becomes a dash, so that it is a file on every system.
fn file_name(name: &str) -> String {
    let safe: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .take(LONGEST_NAME)
        .collect();
    // Two names that only differ in signs are two files.
    let sum =
        name.bytes().fold(0xcbf2_9ce4u32, |sum, byte| (sum ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}-{sum:08x}.toml", safe.trim_matches('-'))
}

/// Reads a user's preset.
///
/// # Errors
/// Says why the file is none.
pub fn read_preset(path: &Path) -> Result<UserPreset, String> {
    read_text(path).map_err(|error| error.to_string()).and_then(|text| UserPreset::parse(&text))
}

fn read_text(path: &Path) -> io::Result<String> {
    let length = fs::metadata(path)?.len();
    if length > MAX_BYTES {
        return Err(io::Error::other(format!("{length} bytes are more than the {MAX_BYTES} of any preset")));
    }
    fs::read_to_string(path)
}

/// Writes beside the place and moves there.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or_else(no_folder)?;
    fs::create_dir_all(folder)?;
    let part = path.with_extension(format!("part{}", std::process::id()));
    let written = fs::File::create(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&part, path));
    if moved.is_err() {
        let _ = fs::remove_file(&part);
    }
    moved
}

/// Words to find a built-in preset by.
pub fn factory_tags(key: &Key) -> &'static [&'static str] {
    let Key::Factory(file) = key else { return &[] };
    match file.as_str() {
        "default" => &["mix bus", "any genre"],
        "gentle-bus" => &["mix bus", "any genre", "subtle"],
        "streaming-polish" => &["mix bus", "streaming"],
        "mastering-safe" => &["master", "subtle"],
        "streaming-master" => &["master", "streaming", "loudness"],
        "broadcast-r128" => &["broadcast", "loudness"],
        "podcast-with-music" => &["speech", "streaming", "loudness"],
        "audiobook" | "lecture-and-meeting" => &["speech", "loudness"],
        "film-dialogue" => &["speech", "broadcast", "loudness"],
        "dj-and-live" => &["live", "loudness"],
        "stem-cleanup" => &["repair"],
        "start-speech" => &["start", "speech"],
        "start-rock" | "start-jazz" | "start-electronic" | "start-classical" => &["start"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests;
