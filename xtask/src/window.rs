//! The part of `cargo xtask test` and `cargo xtask daw` that touches a real window: opened on a screen that nobody sees,
//! clicked, dragged, turned and typed into by a program. What comes out of it is checked, and pictures are left in `target/window`.

use crate::run::{Place, run};
use crate::screen::Screen;
use crate::system::{Need, ensure};
use crate::test::{Environment, Report, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest that the window may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Builds the example that shows the window, and touches it.
pub fn test(place: &Place, environment: &Environment, report: &mut Report) {
    if let Err(error) = ensure(&[Need::Window, Need::Xvfb, Need::Hand]) {
        return report.skip("clicking and dragging in the real window", format!("{error:#}"));
    }
    let built = report.step("Build the example that shows the window", |_| {
        run(workspace("build", environment).args(["--example", "window"]))
    });
    if built.is_some() {
        let program = place.target.join("debug/examples/window");
        let pictures = place.target.join("window");
        report.step("Click, drag, turn and type in the real window", |_| touch(&program, &pictures));
    }
}

/// The window, and the hand.
struct Desk {
    program: Child,
    lines: Receiver<String>,
    /// Where each control is, in pixels.
    places: HashMap<String, (i32, i32)>,
    screen: Screen,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.program.kill().ok();
        self.program.wait().ok();
    }
}

impl Desk {
    fn open(program: &Path, sound: &Path, folder: &Path) -> Result<Desk> {
        let screen = Screen::open()?;
        let mut program = Command::new(program)
            .arg(sound)
            .env("DISPLAY", &screen.name)
            .env("IDIOM_PLACES", "1")
            .env("IDIOM_FOLDER", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let (send, lines) = channel();
        let out = program.stdout.take().context("no output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(|line| line.ok()) {
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Desk { program, lines, places: HashMap::new(), screen })
    }

    /// Reads what the window says until a line begins with `wanted`; notes places on the way.
    fn expect(&mut self, wanted: &str) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            let Ok(line) = self.lines.recv_timeout(Duration::from_millis(200)) else {
                if let Some(status) = self.program.try_wait()? {
                    bail!("the window closed ({status}) before it said {wanted:?}");
                }
                continue;
            };
            if let ["place", name, x, y] = line.split(' ').collect::<Vec<_>>()[..] {
                self.places.insert(name.into(), (x.parse()?, y.parse()?));
            }
            if line.starts_with(wanted) {
                return Ok(());
            }
        }
        bail!("the window did not say {wanted:?} within {PATIENCE:?}")
    }

    /// Nothing is said for a second, but where things are.
    fn silent(&mut self) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(1) {
            if let Ok(line) = self.lines.recv_timeout(Duration::from_millis(100)) {
                ensure!(line.starts_with("place "), "the window said {line:?} to a key that is the host's");
            }
        }
        Ok(())
    }

    fn tool(&self, name: &str, args: &[&str]) -> Result<()> {
        run(Command::new(name).args(args).env("DISPLAY", &self.screen.name))
    }

    fn hand(&self, args: &[&str]) -> Result<()> {
        self.tool("xdotool", args)
    }

    fn over(&mut self, control: &str) -> Result<()> {
        if !self.places.contains_key(control) {
            self.expect(&format!("place {control} "))?;
        }
        let (x, y) = self.places[control];
        // The window sees where the mouse is with its next picture.
        self.hand(&["mousemove", "--sync", &x.to_string(), &y.to_string(), "sleep", "0.3"])
    }

    fn click(&mut self, control: &str, expected: &str) -> Result<()> {
        self.over(control)?;
        self.hand(&["click", "1"])?;
        self.expect(expected)
    }

    fn picture(&self, path: &Path) -> Result<()> {
        // What was asked for is drawn by then.
        std::thread::sleep(Duration::from_millis(800));
        self.tool(
            "import",
            &["-window", "root", "-crop", "960x690+0+0", "+repage", &path.to_string_lossy()],
        )?;
        let bytes = std::fs::metadata(path)?.len();
        ensure!(bytes > 10_000, "{} has {bytes} bytes: there is nothing in the window", path.display());
        Ok(())
    }
}

fn touch(program: &Path, pictures: &Path) -> Result<()> {
    std::fs::create_dir_all(pictures).with_context(|| format!("cannot make {}", pictures.display()))?;
    let folder = pictures.join("user");
    std::fs::remove_dir_all(&folder).ok();
    let sound = pictures.join("sound.wav");
    std::fs::write(&sound, wave()).with_context(|| format!("cannot write {}", sound.display()))?;
    let mut desk = Desk::open(program, &sound, &folder)?;

    desk.over("knob.amount")?;
    desk.hand(&["sleep", "0.3", "mousedown", "1", "sleep", "0.3"])?;
    for _ in 0..6 {
        desk.hand(&["mousemove_relative", "--sync", "--", "0", "8", "sleep", "0.05"])?;
    }
    desk.hand(&["mouseup", "1"])?;
    for part in ["Begin(", "Set(", "End("] {
        desk.expect(part)?;
    }
    desk.over("knob.reaction")?;
    desk.hand(&["click", "4"])?;
    desk.expect("End(")?;
    desk.click("undo", "Undo")?;
    desk.click("redo", "Redo")?;
    desk.click("slot.B", "Slot(B)")?;
    desk.hand(&["key", "space"])?;
    desk.silent()?;
    desk.picture(&pictures.join("mix.png"))?;
    for page in ["Genre", "Engine", "Presets"] {
        desk.click(&format!("page.{page}"), &format!("Page({page})"))?;
        desk.picture(&pictures.join(format!("{}.png", page.to_lowercase())))?;
    }
    desk.click("search", "typing true")?;
    for letter in ["p", "o", "d"] {
        // One by one: what is typed between two pictures is one change.
        desk.hand(&["type", letter])?;
        desk.expect("Browse(")?;
    }
    desk.hand(&["key", "Escape"])?;
    desk.expect("Browse(")?;
    std::fs::remove_dir_all(&folder).ok();
    println!("pictures of the pages are in {}", pictures.display());
    Ok(())
}

/// Ten seconds of a chord that swells, 16-bit stereo at 48 kHz, as a WAV file.
fn wave() -> Vec<u8> {
    let (rate, seconds) = (48_000u32, 10u32);
    let sample = |i: u32| {
        let t = f64::from(i) / f64::from(rate);
        let chord: f64 =
            [220.0, 277.2, 329.6, 440.0].iter().map(|hz| (t * hz * std::f64::consts::TAU).sin()).sum();
        (chord * 0.12 * (0.6 + 0.4 * (t * 3.0).sin()) * 32_767.0) as i16
    };
    let bytes = rate * seconds * 4;
    let mut file = Vec::with_capacity(bytes as usize + 44);
    file.extend(b"RIFF");
    file.extend((bytes + 36).to_le_bytes());
    file.extend(b"WAVEfmt ");
    file.extend(16u32.to_le_bytes());
    file.extend([1u16, 2].map(u16::to_le_bytes).concat());
    file.extend([rate, rate * 4].map(u32::to_le_bytes).concat());
    file.extend([4u16, 16].map(u16::to_le_bytes).concat());
    file.extend(b"data");
    file.extend(bytes.to_le_bytes());
    file.extend((0..rate * seconds).flat_map(|i| [sample(i), sample(i)].map(i16::to_le_bytes).concat()));
    file
}
