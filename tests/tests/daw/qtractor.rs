//! Qtractor, on a screen that nobody sees: the CLAP plugin in a session, its window opened, a control moved with the mouse
//! wheel, the session saved, opened again, another control moved, saved again.

use anyhow::{Context, Result, bail, ensure};
use idiom_tests::built::{self, Built};
use idiom_tests::host::Render;
use idiom_tests::skipped;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that anything may take to appear.
const PATIENCE: Duration = Duration::from_secs(60);
/// The large knobs are in a row in this part of the window's height, and at its left.
const ROW: f64 = 0.86;
/// Pixels from one place where the wheel is turned to the next; a knob is larger.
const STEP: usize = 30;
/// Seconds in which the window sees where the mouse is, and that the wheel was turned.
const PAUSE_S: f64 = 0.035;

#[test]
fn qtractor_opens_the_window_and_keeps_what_was_set_in_it() {
    let place = |name: &str| {
        let why =
            || std::env::var(format!("{name}_MISSING")).unwrap_or("`cargo xtask daw` installs it".into());
        std::env::var(name).map_err(|_| why())
    };
    let (program, screen) = match (place("IDIOM_QTRACTOR"), place("IDIOM_QTRACTOR_SCREEN")) {
        (Ok(program), Ok(screen)) => (program, screen),
        (Err(why), _) | (_, Err(why)) => return skipped("the CLAP plugin in Qtractor", &why),
    };
    let home = std::env::temp_dir().join(format!("idiom-qtractor-{}", std::process::id()));
    let stage = Stage::new(home, &screen).unwrap();
    let defaults: BTreeMap<String, f64> = {
        let built = Built::load();
        let params = built.instance(2, Render::Realtime).params().unwrap();
        params.into_iter().map(|param| (param.name, param.default)).collect()
    };
    let up = stage.visit(&program, 4).unwrap();
    // What went to its end might have gone farther.
    let moved: Vec<&String> =
        up.keys().filter(|name| (up[*name] - defaults[*name]).abs() > 1e-3 && up[*name] < 0.999).collect();
    assert!(!moved.is_empty(), "the mouse wheel moved nothing: {up:?}, as {defaults:?}");
    println!("the wheel moved {moved:?}");
    // Turned back in the reopened session, everything is as in a new instance: so it began where it was left.
    let down = stage.visit(&program, 5).unwrap();
    for name in moved {
        assert!((down[name] - defaults[name]).abs() < 1e-3, "{name}: {} became {}", up[name], down[name]);
    }
}

/// A program that runs beside the test; it is asked to end when dropped, so that it takes its traces with it.
struct Running(Child);

impl Running {
    fn start(command: &mut Command, log: &Path) -> Result<Running> {
        let log = std::fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Running(command.spawn().with_context(|| format!("{command:?} cannot be run"))?))
    }

    fn alive(&mut self) -> Result<()> {
        match self.0.try_wait()? {
            Some(status) => bail!("it ended with {status}"),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        Command::new("kill").arg(self.0.id().to_string()).status().ok();
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(5) {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A home with the plugin in it, a sound server without a sound card, and a window manager.
struct Stage {
    home: PathBuf,
    screen: String,
    server: String,
    _beside: Vec<Running>,
}

impl Drop for Stage {
    fn drop(&mut self) {
        self._beside.clear();
        std::fs::remove_dir_all(&self.home).ok();
    }
}

impl Stage {
    fn new(home: PathBuf, screen: &str) -> Result<Stage> {
        std::fs::remove_dir_all(&home).ok();
        std::fs::create_dir_all(home.join(".clap"))?;
        std::fs::copy(built::path()?, home.join(".clap/Idiom.clap"))?;
        let sequencer = home.join("sequencer.so");
        std::fs::write(home.join("sequencer.c"), include_str!("sequencer.c"))?;
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-o"])
            .args([&sequencer, &home.join("sequencer.c")])
            .output()
            .context("cc cannot be run")?;
        ensure!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
        let clap = home.join(".clap/Idiom.clap").display().to_string();
        std::fs::write(home.join("session.qtr"), include_str!("session.qtr").replace("@CLAP@", &clap))?;
        let server = format!("idiom-qtractor-{}", std::process::id());
        let mut stage = Stage { home, screen: screen.to_owned(), server, _beside: Vec::new() };
        let mut jack = stage.command("jackd");
        // On a busy machine a client may be late by seconds, and stays one all the same.
        jack.args(["-n", &stage.server, "-r", "-t", "20000", "-d", "dummy", "-r", "48000", "-p", "1024"]);
        for mut command in [jack, stage.command("openbox")] {
            let log = stage.home.join("beside.log");
            stage._beside.push(Running::start(&mut command, &log)?);
        }
        stage.until("JACK's ports", || {
            Ok(stage.words("jack_lsp", &[])?.filter(|ports| ports.contains("system:playback_1")))
        })?;
        Ok(stage)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("HOME", &self.home).env("DISPLAY", &self.screen).env("JACK_DEFAULT_SERVER", &self.server);
        command.env("JACK_NO_START_SERVER", "1").env("JACK_NO_AUDIO_RESERVATION", "1");
        for variable in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "WAYLAND_DISPLAY"] {
            command.env_remove(variable);
        }
        command
    }

    /// What a program prints, `None` when it fails.
    fn words(&self, program: &str, args: &[&str]) -> Result<Option<String>> {
        let output = self.command(program).args(args).stdin(Stdio::null()).output()?;
        Ok(output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned()))
    }

    fn until<T>(&self, what: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(found) = look()? {
                return Ok(found);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        bail!("{PATIENCE:?} passed without {what}")
    }

    /// The hand on mouse and keyboard.
    fn hand(&self, words: &str) -> Result<String> {
        let words: Vec<&str> = words.split(' ').collect();
        self.words("xdotool", &words)?.with_context(|| format!("xdotool {words:?} failed"))
    }

    /// Number of the window whose name matches, if it is there within `patience`.
    fn find(&self, name: &str, patience: Duration) -> Result<Option<String>> {
        let started = Instant::now();
        loop {
            let found = self.words("xdotool", &["search", "--onlyvisible", "--name", name])?;
            let number = found.and_then(|numbers| numbers.lines().next_back().map(String::from));
            if number.is_some() || started.elapsed() > patience {
                return Ok(number);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Starts JACK's transport, which Qtractor follows.
    fn roll(&self) -> Result<()> {
        let mut hand = self.command("jack_transport");
        let mut hand = hand.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        hand.stdin.take().context("no input")?.write_all(b"play\nquit\n")?;
        ensure!(hand.wait()?.success(), "jack_transport failed");
        Ok(())
    }

    /// Opens the session in Qtractor and the plugin's window in it, turns the mouse wheel (4: up, 5: down) over a row of
    /// knobs, saves, and gives back the parameters that the session file then holds.
    fn visit(&self, program: &str, wheel: u32) -> Result<BTreeMap<String, f64>> {
        let session = self.home.join("session.qtr");
        let mut qtractor = self.command(program);
        qtractor.env("LD_PRELOAD", self.home.join("sequencer.so")).arg(&session);
        let mut qtractor = Running::start(&mut qtractor, &self.home.join("qtractor.log"))?;
        let main = self.find("session[.]qtr", PATIENCE)?.context("Qtractor opens no window")?;
        self.until("Qtractor's ports", || {
            qtractor.alive()?;
            Ok(self.words("jack_lsp", &[])?.filter(|ports| ports.contains("Qtractor:")))
        })?;
        // The transport runs: while it stands still, Qtractor hands on nothing of what is set in a window.
        self.roll()?;
        // In a window that was never moved, the first track's list of plugins is at a fixed place.
        let idiom = self.until("the plugin's window", || {
            let list = format!("mousemove --window {main} 175 180 sleep 0.3 click --repeat 2 --delay 100 1");
            self.hand(&format!("windowactivate --sync {main} {list}"))?;
            self.find("^Idiom - ", Duration::from_secs(15))
        })?;
        self.hand(&format!("windowactivate --sync {idiom} sleep 1"))?;
        let geometry = self.hand(&format!("getwindowgeometry --shell {idiom}"))?;
        let side = |name: &str| {
            let line = geometry.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|number| number.parse::<u32>().ok()).context("a window without a size")
        };
        let (width, height) = (side("WIDTH=")?, side("HEIGHT=")?);
        let y = (f64::from(height) * ROW) as u32;
        let turns: Vec<String> = (20..width / 2)
            .step_by(STEP)
            .map(|x| {
                format!("mousemove --window {idiom} {x} {y} sleep {PAUSE_S} click {wheel} sleep {PAUSE_S}")
            })
            .collect();
        self.hand(&turns.join(" "))?;
        let read =
            || -> Result<BTreeMap<String, f64>> { Ok(parameters(&std::fs::read_to_string(&session)?)) };
        let (before, mut last) = (read()?, read()?);
        // What was turned arrives one by one; it is all there when another look brings nothing more.
        self.until("what the wheel moved in the saved session", || {
            self.hand(&format!("windowactivate --sync {main} sleep 0.5 key ctrl+s sleep 1"))?;
            let now = read()?;
            Ok((now != before && now == std::mem::replace(&mut last, now.clone())).then_some(()))
        })?;
        qtractor.alive()?;
        Ok(last)
    }
}

/// The plugin's parameters in a session file: `<param name="Amount" index="0">0.5</param>`, the attributes in any order.
fn parameters(session: &str) -> BTreeMap<String, f64> {
    let lines = session.lines().filter_map(|line| line.trim().strip_prefix("<param "));
    lines
        .filter_map(|line| {
            let (attributes, rest) = line.split_once('>')?;
            let name = attributes.split_once("name=\"")?.1.split_once('"')?.0;
            Some((name.to_owned(), rest.strip_suffix("</param>")?.parse().ok()?))
        })
        .collect()
}
