//! Putting the bundles into the user's plugin folders, and taking them out.

use crate::bundles;
use crate::run::{Place, only, wants_help};
use crate::system::{Need, ensure};
use anyhow::{Context, Result};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

const INSTALL: &str = "\
cargo xtask install

Builds the bundles (release) and copies them into your plugin folders, and the built-in presets to where VST3 hosts
look for them (CLAP hosts find them in the plugin):

  Linux     ~/.clap, ~/.vst3 and ~/.vst3/presets/Idiom/Idiom
  macOS     ~/Library/Audio/Plug-Ins/CLAP and .../VST3, ~/Library/Audio/Presets/Idiom/Idiom
  Windows   %LOCALAPPDATA%\\Programs\\Common\\CLAP and ...\\VST3, Documents\\VST3 Presets\\Idiom\\Idiom

An older Idiom there is replaced in one step; a DAW that runs keeps the old one until it is restarted.
";

/// `cargo xtask install`
pub fn install(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{INSTALL}");
        return Ok(());
    }
    only(args, &[], INSTALL)?;
    ensure(&[Need::Compiler, Need::CMake])?;
    let bundles = bundles::bundles(place, true)?;
    let folders = folders()?;
    for (bundle, folder) in [(&bundles.clap, &folders[0]), (&bundles.vst3, &folders[1])] {
        let to = put(bundle, folder)?;
        println!("installed {}", to.display());
    }
    let presets = presets_folder()?;
    for file in files(&bundles.presets)? {
        put(&file, &presets)?;
    }
    println!("installed {}", presets.display());
    println!("Rescan the plugins in your DAW, then look for \"Idiom\" among the effects.");
    Ok(())
}

const UNINSTALL: &str = "\
cargo xtask uninstall

Removes Idiom.clap and Idiom.vst3 from your plugin folders, and the presets that came with them. Presets that you made
and projects are left alone.
";

/// `cargo xtask uninstall`
pub fn uninstall(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{UNINSTALL}");
        return Ok(());
    }
    only(args, &[], UNINSTALL)?;
    for (folder, name) in folders()?.iter().zip(["Idiom.clap", "Idiom.vst3"]) {
        let bundle = folder.join(name);
        if remove(&bundle)? {
            println!("removed {}", bundle.display());
        } else {
            println!("not there: {}", bundle.display());
        }
    }
    remove_presets(&presets_folder()?, &factory_presets(&place.root)?)
}

/// Takes the presets that came with Idiom out of their folder `Idiom/Idiom`, and both folders when nothing else is in them.
fn remove_presets(folder: &Path, names: &[String]) -> Result<()> {
    for name in names {
        let file = folder.join(name);
        if remove(&file)? {
            println!("removed {}", file.display());
        }
    }
    for folder in folder.ancestors().take(2) {
        // A folder that holds something of the user's cannot be removed in this way.
        if fs::remove_dir(folder).is_ok() {
            println!("removed {}", folder.display());
        }
    }
    Ok(())
}

/// File names of the presets that come with Idiom; `resources` of the tests names them in the same way.
fn factory_presets(root: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for file in files(&root.join("presets"))? {
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let name = text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        let name = name.with_context(|| format!("{} has no name", file.display()))?;
        names.push(format!("{}.vstpreset", name.replace(": ", " - ")));
    }
    Ok(names)
}

/// The files in a folder, in order.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("cannot read {}", folder.display());
    let entries = fs::read_dir(folder).with_context(doing)?;
    let mut files: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>().with_context(doing)?;
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

/// Where VST3 hosts look for the user's presets of Idiom.
fn presets_folder() -> Result<PathBuf> {
    let variable = if cfg!(windows) { "USERPROFILE" } else { "HOME" };
    let home = std::env::var_os(variable).with_context(|| format!("{variable} is not set"))?;
    let place = if cfg!(windows) {
        "Documents/VST3 Presets"
    } else if cfg!(target_os = "macos") {
        "Library/Audio/Presets"
    } else {
        ".vst3/presets"
    };
    Ok(Path::new(&home).join(place).join("Idiom/Idiom"))
}

/// The user's CLAP and VST3 folders.
fn folders() -> Result<[PathBuf; 2]> {
    let variable = if cfg!(windows) { "LOCALAPPDATA" } else { "HOME" };
    let home = std::env::var_os(variable).with_context(|| format!("{variable} is not set"))?;
    let home = Path::new(&home);
    Ok(if cfg!(windows) {
        ["CLAP", "VST3"].map(|format| home.join("Programs").join("Common").join(format))
    } else if cfg!(target_os = "macos") {
        ["CLAP", "VST3"].map(|format| home.join("Library/Audio/Plug-Ins").join(format))
    } else {
        [".clap", ".vst3"].map(|folder| home.join(folder))
    })
}

/// Copies `bundle` into `folder`. The copy is made beside its place and then renamed into it, so that a host never
/// sees half a bundle and a failure leaves the old one in place.
fn put(bundle: &Path, folder: &Path) -> Result<PathBuf> {
    let name = bundle.file_name().context("a bundle has a name")?.to_string_lossy().into_owned();
    let to = folder.join(&name);
    let [fresh, old] = ["new", "old"].map(|word| folder.join(format!(".{name}.{word}")));
    let doing = || format!("cannot install {} as {}", bundle.display(), to.display());
    fs::create_dir_all(folder).with_context(doing)?;
    remove(&fresh)?;
    remove(&old)?;
    copy(bundle, &fresh).with_context(doing)?;
    if to.is_dir() {
        // A folder cannot be renamed over a full folder.
        fs::rename(&to, &old).with_context(doing)?;
    }
    if let Err(error) = fs::rename(&fresh, &to) {
        if old.exists() {
            fs::rename(&old, &to).with_context(doing)?;
        }
        return Err(error).with_context(doing);
    }
    remove(&old)?;
    Ok(to)
}

/// Copies a file, or a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    if !from.is_dir() {
        return fs::copy(from, to).map(drop);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// Removes a file or folder; tells whether there was one.
fn remove(path: &Path) -> Result<bool> {
    let result = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot remove {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("idiom-install-{name}-{}", std::process::id()));
        fs::remove_dir_all(&dir).ok();
        fs::create_dir_all(&dir).unwrap();
        dir
    }

    #[test]
    fn presets_that_come_with_idiom_are_known_by_their_files() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let names = factory_presets(&root).unwrap();
        assert!(names.contains(&"Genre Follow.vstpreset".into()), "{names:?}");
        assert!(names.iter().all(|name| !name.contains(['/', ':', '\\', '?', '*'])), "{names:?}");
        assert_eq!(names.len(), fs::read_dir(root.join("presets")).unwrap().count());
    }

    #[test]
    fn a_bundle_that_is_a_folder_replaces_an_older_one_whole() {
        let dir = scratch("folder");
        let (bundle, folder) = (dir.join("Idiom.vst3"), dir.join("plugins"));
        fs::create_dir_all(bundle.join("Contents/old")).unwrap();
        fs::write(bundle.join("Contents/old/a.so"), "1").unwrap();
        put(&bundle, &folder).unwrap();
        fs::remove_dir_all(bundle.join("Contents/old")).unwrap();
        fs::write(bundle.join("Contents/b.so"), "2").unwrap();
        let to = put(&bundle, &folder).unwrap();
        assert_eq!(fs::read_to_string(to.join("Contents/b.so")).unwrap(), "2");
        assert!(!to.join("Contents/old").exists(), "a file of the older bundle is left");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "something temporary is left");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_bundle_that_is_a_file_replaces_an_older_one_and_can_be_removed() {
        let dir = scratch("file");
        let (bundle, folder) = (dir.join("Idiom.clap"), dir.join("plugins"));
        for content in ["1", "2"] {
            fs::write(&bundle, content).unwrap();
            let to = put(&bundle, &folder).unwrap();
            assert_eq!(fs::read_to_string(to).unwrap(), content);
        }
        assert!(remove(&folder.join("Idiom.clap")).unwrap());
        assert!(!remove(&folder.join("Idiom.clap")).unwrap());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn presets_go_with_their_folders_unless_the_user_has_some_there() {
        let dir = scratch("presets");
        let names = factory_presets(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..")).unwrap();
        let (home, folder) = (dir.join("presets"), dir.join("presets/Idiom/Idiom"));
        let fill = || {
            fs::create_dir_all(&folder).unwrap();
            names.iter().for_each(|name| fs::write(folder.join(name), "").unwrap());
        };
        fill();
        remove_presets(&folder, &names).unwrap();
        assert_eq!(fs::read_dir(&home).unwrap().count(), 0, "Idiom's folders are left");
        remove_presets(&folder, &names).unwrap();
        assert!(home.exists(), "the folder of all plugins' presets is not ours");

        fill();
        fs::write(folder.join("Mine.vstpreset"), "").unwrap();
        remove_presets(&folder, &names).unwrap();
        let left: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["Mine.vstpreset"]);
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_missing_bundle_leaves_the_installed_one_alone() {
        let dir = scratch("missing");
        let (bundle, folder) = (dir.join("Idiom.clap"), dir.join("plugins"));
        fs::write(&bundle, "1").unwrap();
        let to = put(&bundle, &folder).unwrap();
        fs::remove_file(&bundle).unwrap();
        let error = format!("{:#}", put(&bundle, &folder).unwrap_err());
        assert!(error.contains("Idiom.clap"), "{error}");
        assert_eq!(fs::read_to_string(to).unwrap(), "1");
        fs::remove_dir_all(dir).unwrap();
    }
}
