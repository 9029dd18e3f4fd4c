//! `cargo xtask package`: the finished plugin as files to give away.

use crate::bundles::{self, Bundles, PLUGIN};
use crate::install::copy;
use crate::run::{Place, cargo, heading, on_path, only, run, wants_help};
use crate::system::{Need, ensure};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const HELP: &str = "\
cargo xtask package [--universal]

Builds the bundles (release) and packs them, with presets, documents and licences, into target/package:

  Linux     idiom-VERSION-linux-ARCH.tar.gz, and idiom_VERSION_ARCH.deb where dpkg-deb is there
  macOS     idiom-VERSION-macos-ARCH.tar.gz
  Windows   idiom-VERSION-windows-ARCH.zip

The .deb puts the plugin where every DAW of the machine looks: /usr/lib/clap, /usr/lib/vst3 and /usr/share/vst3/presets.
In the others INSTALL.txt says what goes where.

  --universal   for Intel and Apple processors in one (macOS; needs both targets of rustup)
";

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is packed beside the plugin, in the folders that it has here: so the documents' links lead somewhere.
const DOCUMENTS: [&str; 10] = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "CREDITS.md",
    "SECURITY.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "docs",
    "models/README.md",
    "presets",
];

const INSTALL: &str = "\
Idiom: what goes where

            CLAP/Idiom.clap                        VST3/Idiom.vst3
Linux       ~/.clap                                ~/.vst3
macOS       ~/Library/Audio/Plug-Ins/CLAP          ~/Library/Audio/Plug-Ins/VST3
Windows     %LOCALAPPDATA%\\Programs\\Common\\CLAP    %LOCALAPPDATA%\\Programs\\Common\\VST3

Presets for VST3 hosts, the folder `presets`, which becomes `Idiom/Idiom` in
Linux       ~/.vst3/presets
macOS       ~/Library/Audio/Presets
Windows     Documents\\VST3 Presets

CLAP hosts find the presets in the plugin. Afterwards let your DAW look for new plugins.

The manual is documents/docs/SUMMARY.md; the licences are in the folder `documents` too.
";

/// `cargo xtask package`
pub fn package(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{HELP}");
        return Ok(());
    }
    only(args, &["--universal"], HELP)?;
    let universal = !args.is_empty();
    if universal && !cfg!(target_os = "macos") {
        bail!("--universal is for macOS: there are no such files elsewhere");
    }
    ensure(&[Need::Compiler, Need::CMake])?;
    heading("Building the plugin (the first time takes minutes)");
    let bundles = if universal { universal_bundles(place)? } else { bundles::bundles(place, true)? };
    let home = place.target.join("package");
    let arch = if universal { "universal" } else { std::env::consts::ARCH };
    println!("{}", archive(&place.root, &bundles, &home, arch)?.display());
    if cfg!(target_os = "linux") {
        if on_path("dpkg-deb") {
            println!("{}", deb(&place.root, &bundles, &home)?.display());
        } else {
            println!("no .deb: dpkg-deb is not on this machine");
        }
    }
    Ok(())
}

/// The bundles for both kinds of processors; the files beside the VST3 bundle are those of a bundle for this machine.
fn universal_bundles(place: &Place) -> Result<Bundles> {
    let single = bundles::bundles(place, true)?;
    let kept = place.target.join("package/resources");
    fresh(&kept)?;
    copy(&single.vst3.join("Contents/Resources"), &kept)?;
    for target in ["x86_64-apple-darwin", "aarch64-apple-darwin"] {
        run(cargo().args(["build", "--release", "-p", PLUGIN, "--lib", "--target", target]))?;
    }
    nice_plug_xtask::bundle(&place.target, PLUGIN, &["--release".into()], true)?;
    copy(&kept, &single.vst3.join("Contents/Resources"))?;
    Ok(single)
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Copies a file or folder, and makes the folders above it.
fn put(from: &Path, to: &Path) -> Result<()> {
    let doing = || format!("cannot copy {} to {}", from.display(), to.display());
    fs::create_dir_all(to.parent().with_context(doing)?).with_context(doing)?;
    copy(from, to).with_context(doing)
}

fn documents(root: &Path, to: &Path) -> Result<()> {
    DOCUMENTS.iter().try_for_each(|name| put(&root.join(name), &to.join(name)))
}

/// The archive for a person to unpack.
fn archive(root: &Path, bundles: &Bundles, home: &Path, arch: &str) -> Result<PathBuf> {
    let system = std::env::consts::OS;
    let name = format!("idiom-{VERSION}-{system}-{arch}");
    let stage = home.join(&name);
    fresh(&stage)?;
    put(&bundles.clap, &stage.join("CLAP/Idiom.clap"))?;
    put(&bundles.vst3, &stage.join("VST3/Idiom.vst3"))?;
    put(&bundles.presets, &stage.join("presets"))?;
    documents(root, &stage.join("documents"))?;
    fs::write(stage.join("INSTALL.txt"), INSTALL)?;
    let file = home.join(format!("{name}.{}", if cfg!(windows) { "zip" } else { "tar.gz" }));
    let mut tar = Command::new("tar");
    // The tar of Windows makes a zip when the file is called so.
    if cfg!(windows) {
        tar.arg("-a")
    } else {
        tar.arg("-z")
    };
    run(tar.arg("-c").arg("-f").arg(&file).arg("-C").arg(home).arg(&name))?;
    fs::remove_dir_all(&stage)?;
    Ok(file)
}

/// The package for Debian, Ubuntu and their relatives.
fn deb(root: &Path, bundles: &Bundles, home: &Path) -> Result<PathBuf> {
    let arch = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let stage = home.join("deb");
    fresh(&stage)?;
    put(&bundles.clap, &stage.join("usr/lib/clap/Idiom.clap"))?;
    put(&bundles.vst3, &stage.join("usr/lib/vst3/Idiom.vst3"))?;
    put(&bundles.presets, &stage.join("usr/share/vst3/presets/Idiom/Idiom"))?;
    let doc = stage.join("usr/share/doc/idiom");
    documents(root, &doc)?;
    let licence =
        |name: &str| fs::read_to_string(root.join(name)).with_context(|| format!("cannot read {name}"));
    fs::write(
        doc.join("copyright"),
        format!(
            "Idiom, by the Idiom developers. Under either of these licences, as you like; CREDITS.md names what it stands on.\n\n\
             {}\n\n{}\n",
            licence("LICENSE-MIT")?,
            licence("LICENSE-APACHE")?
        ),
    )?;
    let library = fs::read(bundles.clap_library())?;
    fs::create_dir_all(stage.join("DEBIAN"))?;
    fs::write(
        stage.join("DEBIAN/control"),
        format!(
            "Package: idiom\nVersion: {VERSION}\nSection: sound\nPriority: optional\nArchitecture: {arch}\n\
             Maintainer: The Idiom developers <idiom@localhost>\nInstalled-Size: {}\n\
             Depends: libc6 (>= {}), libgcc-s1\n\
             Recommends: libx11-6, libx11-xcb1, libxcb1, libgl1, libegl1\n\
             Description: hears the genre of what plays and moves its mix towards it\n \
             An audio plugin (CLAP and VST3) that recognises speech, rock, jazz, electronic and classical music while it\n \
             plays, and moves gate, equalizer, compressor, drive, width and loudness towards what the genre wants.\n \
             Everything happens on your machine.\n",
            library.len() * 2 / 1024,
            glibc(&library)
        ),
    )?;
    let file = home.join(format!("idiom_{VERSION}_{arch}.deb"));
    run(Command::new("dpkg-deb").args(["--build", "--root-owner-group"]).arg(&stage).arg(&file))?;
    fs::remove_dir_all(&stage)?;
    Ok(file)
}

/// The newest version of the C library that a program asks for: its symbols' versions stand in it as `GLIBC_2.34`.
fn glibc(library: &[u8]) -> String {
    const WORD: &[u8] = b"GLIBC_";
    let versions =
        library.windows(WORD.len()).enumerate().filter(|(_, word)| *word == WORD).filter_map(|(at, _)| {
            let text: String = library[at + WORD.len()..]
                .iter()
                .map(|byte| *byte as char)
                .take_while(|c| c.is_ascii_digit() || *c == '.')
                .collect();
            let (major, rest) = text.split_once('.')?;
            Some((major.parse::<u32>().ok()?, rest.split('.').next()?.parse::<u32>().ok()?))
        });
    let (major, minor) = versions.max().unwrap_or((2, 17));
    format!("{major}.{minor}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::output;

    /// Small files in the places of the bundles.
    fn fake(home: &Path) -> Bundles {
        fresh(home).unwrap();
        let bundles = Bundles::under(home);
        for (file, content) in [
            (bundles.clap_library(), "clap GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0"),
            (bundles.vst3_library(), "vst3"),
            (bundles.vst3.join("Contents/Resources/moduleinfo.json"), "{}"),
            (bundles.presets.join("Start - Jazz.vstpreset"), "preset"),
        ] {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        bundles
    }

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn the_archive_holds_everything_under_one_folder() {
        let home = std::env::temp_dir().join(format!("idiom-archive-{}", std::process::id()));
        let bundles = fake(&home.join("target"));
        let file = archive(&root(), &bundles, &home.join("out"), "test").unwrap();
        let listed = output("tar", &["-tf", &file.to_string_lossy()]).unwrap();
        for name in [
            "CLAP/Idiom.clap",
            "VST3/Idiom.vst3/Contents/Resources/moduleinfo.json",
            "presets/Start - Jazz.vstpreset",
            "INSTALL.txt",
            "LICENSE-MIT",
            "CREDITS.md",
            "documents/docs/SUMMARY.md",
        ] {
            assert!(listed.lines().any(|line| line.ends_with(name)), "{name} is not in {listed}");
        }
        let top = format!("idiom-{VERSION}-{}-test/", std::env::consts::OS);
        assert!(listed.lines().all(|line| line.starts_with(&top)), "{listed}");
        assert_eq!(fs::read_dir(home.join("out")).unwrap().count(), 1, "the unpacked folder is left");
        fs::remove_dir_all(home).unwrap();
    }

    /// Installed into a folder that stands for the root of a machine.
    #[test]
    fn the_deb_installs_where_hosts_look() {
        if !on_path("dpkg-deb") {
            return println!("SKIPPED: the Debian package: dpkg-deb is not on this machine");
        }
        let home = std::env::temp_dir().join(format!("idiom-deb-{}", std::process::id()));
        let bundles = fake(&home.join("target"));
        let file = deb(&root(), &bundles, &home.join("out")).unwrap();
        let (file, machine) = (file.to_string_lossy().into_owned(), home.join("machine"));
        let info = output("dpkg-deb", &["--info", &file]).unwrap();
        assert!(info.contains("Package: idiom") && info.contains("libc6 (>= 2.34)"), "{info}");
        let listed = output("dpkg-deb", &["--contents", &file]).unwrap();
        assert!(listed.lines().all(|line| line.contains("root/root")), "{listed}");
        output("dpkg-deb", &["--extract", &file, &machine.to_string_lossy()]).unwrap();
        for (name, original) in [
            ("usr/lib/clap/Idiom.clap", bundles.clap.clone()),
            (
                "usr/share/vst3/presets/Idiom/Idiom/Start - Jazz.vstpreset",
                bundles.presets.join("Start - Jazz.vstpreset"),
            ),
        ] {
            assert_eq!(fs::read(machine.join(name)).unwrap(), fs::read(original).unwrap(), "{name}");
        }
        let inside = bundles.vst3_library();
        let inside = inside.strip_prefix(&bundles.vst3).unwrap();
        assert!(machine.join("usr/lib/vst3/Idiom.vst3").join(inside).exists());
        let doc = machine.join("usr/share/doc/idiom");
        assert!(doc.join("copyright").exists());
        let missing = crate::documents::missing(&doc);
        assert!(missing.is_empty(), "{}", missing.join("\n"));
        fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn the_c_librarys_version_is_the_newest_that_is_asked_for() {
        assert_eq!(glibc(b"..GLIBC_2.2.5\0GLIBC_2.34\0GLIBC_2.9\0GLIBC_PRIVATE\0"), "2.34");
        assert_eq!(glibc(b"nothing"), "2.17");
    }
}
