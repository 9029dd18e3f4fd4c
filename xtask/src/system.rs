//! What Idiom needs from the system: looked for first, installed where that is allowed, else named.

use crate::run::{heading, on_path, output};
use anyhow::{Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};

/// Something that has to be on the machine and does not come through cargo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A C compiler and linker: every Rust program is linked with it, libopus is compiled with it.
    Compiler,
    /// CMake, for libopus.
    CMake,
    /// pkg-config and the headers of ALSA and JACK, for the standalone program only.
    Sound,
    /// A JACK server and its example clients, to play through JACK where there is no sound card.
    Jack,
    /// Python with virtual environments, for checks against reference implementations.
    Python,
    /// An X server without a screen, to open windows where there is none.
    Xvfb,
    /// The libraries a window is drawn with.
    Window,
    /// A program that moves the mouse, and one that takes pictures of a screen.
    Hand,
    /// Sampled instruments, for the programme that the demo composes itself.
    SoundFont,
    /// Ardour 7, which runs scripts without a window.
    Ardour,
    /// Qtractor with all that it wants around it: a sound server, a window manager, and a hand that moves the mouse.
    Qtractor,
}

impl Need {
    /// What it is and what for.
    pub fn label(self) -> &'static str {
        match self {
            Need::Compiler => "a C compiler (links every program, compiles libopus)",
            Need::CMake => "CMake (configures libopus)",
            Need::Sound => {
                "pkg-config and the headers of ALSA and JACK (the standalone program plays through them)"
            }
            Need::Jack => "a JACK server and its tools (the standalone program is played through them)",
            Need::Python => "Python 3 with venv (checks against reference implementations)",
            Need::Xvfb => "Xvfb (opens windows where there is no screen)",
            Need::Hand => "xdotool and ImageMagick (a real window is clicked and dragged, and pictured)",
            Need::Window => "X11 and OpenGL libraries (the window is drawn with them)",
            Need::SoundFont => "a SoundFont (instruments of the programme that the demo composes)",
            Need::Ardour => "Ardour 7 (the VST3 plugin is tested in it)",
            Need::Qtractor => "Qtractor, JACK, openbox and xdotool (the CLAP plugin is tested in it)",
        }
    }

    fn present(self) -> bool {
        match self {
            Need::Compiler => on_path("cc") && on_path("make"),
            Need::CMake => on_path("cmake"),
            Need::Sound => output("pkg-config", &["--exists", "alsa", "jack"]).is_some(),
            Need::Jack => ["jackd", "jack_lsp", "jack_metro", "jack_rec"].into_iter().all(on_path),
            Need::Python => output(python(), &["-c", "import venv, ensurepip"]).is_some(),
            Need::Xvfb => on_path("Xvfb"),
            Need::Hand => on_path("xdotool") && on_path("import"),
            Need::Window => ["libX11.so.6", "libX11-xcb.so.1", "libxcb.so.1", "libGL.so.1", "libEGL.so.1"]
                .iter()
                .all(|name| library_present(name)),
            Need::SoundFont => ["/usr/share/sounds/sf2", "/usr/share/soundfonts"]
                .iter()
                .filter_map(|folder| Path::new(folder).read_dir().ok())
                .flatten()
                .any(|entry| entry.is_ok_and(|e| e.path().extension().is_some_and(|ending| ending == "sf2"))),
            Need::Ardour => on_path("ardour7-lua"),
            Need::Qtractor => ["qtractor", "jackd", "jack_lsp", "jack_transport", "openbox", "xdotool"]
                .into_iter()
                .all(on_path),
        }
    }

    fn packages(self, manager: Manager) -> &'static [&'static str] {
        match (self, manager) {
            (Need::Compiler, Manager::Apt) => &["build-essential"],
            (Need::Compiler, Manager::Dnf) => &["gcc", "gcc-c++", "make"],
            (Need::Compiler, Manager::Pacman) => &["base-devel"],
            (Need::CMake, _) => &["cmake"],
            (Need::Sound, Manager::Apt) => &["pkg-config", "libasound2-dev", "libjack-jackd2-dev"],
            (Need::Sound, Manager::Dnf) => {
                &["pkgconf-pkg-config", "alsa-lib-devel", "pipewire-jack-audio-connection-kit-devel"]
            }
            (Need::Sound, Manager::Pacman) => &["pkgconf", "alsa-lib", "jack2"],
            (Need::Jack, Manager::Apt) => &["jackd2"],
            (Need::Jack, Manager::Dnf) => {
                &["jack-audio-connection-kit", "jack-audio-connection-kit-example-clients"]
            }
            (Need::Jack, Manager::Pacman) => &["jack2", "jack-example-tools"],
            (Need::Python, Manager::Apt) => &["python3", "python3-venv"],
            (Need::Python, Manager::Dnf) => &["python3"],
            (Need::Python, Manager::Pacman) => &["python"],
            (Need::Xvfb, Manager::Apt) => &["xvfb"],
            (Need::Xvfb, Manager::Dnf) => &["xorg-x11-server-Xvfb"],
            (Need::Xvfb, Manager::Pacman) => &["xorg-server-xvfb"],
            (Need::Hand, Manager::Dnf) => &["xdotool", "ImageMagick"],
            (Need::Hand, _) => &["xdotool", "imagemagick"],
            (Need::Window, Manager::Apt) => {
                &["libx11-6", "libx11-xcb1", "libxcb1", "libgl1", "libegl1", "libgl1-mesa-dri"]
            }
            (Need::Window, Manager::Dnf) => &["libX11", "libX11-xcb", "libxcb", "mesa-libGL", "mesa-libEGL"],
            (Need::Window, Manager::Pacman) => &["libx11", "libxcb", "mesa"],
            (Need::SoundFont, Manager::Apt) => &["timgm6mb-soundfont"],
            (Need::SoundFont, Manager::Dnf) => &["fluid-soundfont-gm"],
            (Need::SoundFont, Manager::Pacman) => &["soundfont-fluid"],
            (Need::Ardour, Manager::Apt) => &["ardour"],
            (Need::Ardour, Manager::Dnf) => &["ardour7"],
            (Need::Ardour, Manager::Pacman) => &["ardour"],
            (Need::Qtractor, Manager::Apt) => &["qtractor", "jackd2", "openbox", "xdotool"],
            (Need::Qtractor, Manager::Dnf) => &[
                "qtractor",
                "jack-audio-connection-kit",
                "jack-audio-connection-kit-example-clients",
                "openbox",
                "xdotool",
            ],
            (Need::Qtractor, Manager::Pacman) => {
                &["qtractor", "jack2", "jack-example-tools", "openbox", "xdotool"]
            }
        }
    }
}

/// The package managers we can speak to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manager {
    Apt,
    Dnf,
    Pacman,
}

impl Manager {
    fn find() -> Option<Manager> {
        [("apt-get", Manager::Apt), ("dnf", Manager::Dnf), ("pacman", Manager::Pacman)]
            .into_iter()
            .find_map(|(program, manager)| on_path(program).then_some(manager))
    }

    /// The commands that install `packages`, in order.
    fn install(self, packages: &[&str]) -> Vec<Vec<String>> {
        let words = |line: &str| {
            let mut words: Vec<String> = line.split(' ').map(String::from).collect();
            words.extend(packages.iter().map(|p| p.to_string()));
            words
        };
        match self {
            Manager::Apt => vec![
                vec!["apt-get".into(), "update".into()],
                words("apt-get install -y --no-install-recommends"),
            ],
            Manager::Dnf => vec![words("dnf install -y")],
            Manager::Pacman => vec![words("pacman -Sy --needed --noconfirm")],
        }
    }
}

/// Whether we may install packages, and what to put before the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Root,
    Sudo,
    None,
}

impl Right {
    fn find() -> Right {
        if output("id", &["-u"]).as_deref() == Some("0") {
            Right::Root
        } else if output("sudo", &["-n", "true"]).is_some() {
            Right::Sudo
        } else {
            Right::None
        }
    }
}

/// Makes sure that all `needs` are met: installs what is missing where that is allowed.
///
/// # Errors
/// Names what is missing and the one line to type.
pub fn ensure(needs: &[Need]) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return ensure_elsewhere(needs);
    }
    let missing: Vec<Need> = needs.iter().copied().filter(|need| !need.present()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.iter().map(|need| format!("  - {}", need.label())).collect::<Vec<_>>().join("\n");
    let Some(manager) = Manager::find() else {
        bail!(
            "this machine lacks\n{names}\nInstall it with your system's package manager, then run this again."
        );
    };
    let packages: Vec<&str> = missing.iter().flat_map(|need| need.packages(manager)).copied().collect();
    let commands = manager.install(&packages);
    let line = commands.iter().map(|c| format!("sudo {}", c.join(" "))).collect::<Vec<_>>().join(" && ");
    let right = Right::find();
    if right == Right::None {
        bail!("this machine lacks\n{names}\nInstall it with this line, then run this again:\n\n  {line}\n");
    }
    heading(&format!("Installing {}", packages.join(" ")));
    for command in commands {
        let mut words = command.iter();
        let mut call = match right {
            Right::Sudo => {
                let mut sudo = Command::new("sudo");
                sudo.args(["-n", "env", "DEBIAN_FRONTEND=noninteractive"]).args(words);
                sudo
            }
            _ => {
                let mut call = Command::new(words.next().map_or("", |w| w));
                call.env("DEBIAN_FRONTEND", "noninteractive").args(words);
                call
            }
        };
        // An index that cannot be refreshed is no reason to stop: the package may be known already.
        let status = call.stdin(Stdio::null()).status();
        if !status.as_ref().is_ok_and(|s| s.success()) {
            eprintln!("warning: `{}` did not succeed", command.join(" "));
        }
    }
    let still: Vec<String> =
        missing.iter().filter(|need| !need.present()).map(|need| format!("  - {}", need.label())).collect();
    if still.is_empty() {
        return Ok(());
    }
    bail!(
        "after installing, this machine still lacks\n{}\nTry by hand, then run this again:\n\n  {line}\n",
        still.join("\n")
    )
}

/// Other systems bring their libraries along; only the tools can be missing, and are named.
fn ensure_elsewhere(needs: &[Need]) -> Result<()> {
    let remedy = if cfg!(target_os = "macos") {
        "install Apple's command line tools (`xcode-select --install`) and, with Homebrew, `brew install cmake python`"
    } else {
        "install Visual Studio's C++ build tools, CMake (`winget install Kitware.CMake`) and Python (`winget install Python.Python.3.12`)"
    };
    for need in needs {
        let present = match need {
            Need::Compiler => cfg!(windows) || on_path("cc"),
            Need::CMake | Need::Python => need.present(),
            Need::Xvfb | Need::Hand => bail!("windows without a screen are tested on Linux only"),
            Need::Jack => bail!("JACK is tested on Linux only"),
            Need::Ardour | Need::Qtractor => bail!("DAWs are scripted on Linux only"),
            Need::Sound | Need::Window | Need::SoundFont => true,
        };
        if !present {
            bail!("this machine lacks {}: {remedy}, then run this again", need.label());
        }
    }
    Ok(())
}

/// The Python to make virtual environments with; `PYTHON` overrides.
pub fn python() -> String {
    std::env::var("PYTHON").unwrap_or_else(|_| if cfg!(windows) { "python".into() } else { "python3".into() })
}

fn library_present(name: &str) -> bool {
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    [format!("/usr/lib/{triple}"), format!("/lib/{triple}"), "/usr/lib64".into(), "/usr/lib".into()]
        .iter()
        .any(|dir| Path::new(dir).join(name).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_need_has_a_package_everywhere() {
        let needs = [
            Need::Compiler,
            Need::CMake,
            Need::Sound,
            Need::Jack,
            Need::Python,
            Need::Xvfb,
            Need::Window,
            Need::SoundFont,
            Need::Ardour,
            Need::Qtractor,
        ];
        for manager in [Manager::Apt, Manager::Dnf, Manager::Pacman] {
            for need in needs {
                assert!(!need.packages(manager).is_empty(), "{need:?} {manager:?}");
            }
        }
    }

    #[test]
    fn apt_refreshes_its_index_before_it_installs() {
        let commands = Manager::Apt.install(&["cmake", "xvfb"]);
        assert_eq!(commands[0].join(" "), "apt-get update");
        assert_eq!(commands[1].join(" "), "apt-get install -y --no-install-recommends cmake xvfb");
    }
}
