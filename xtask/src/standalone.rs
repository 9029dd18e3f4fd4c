//! The part of `cargo xtask test` that runs the standalone program: with its window on a screen that nobody sees, on no
//! sound card, through ALSA and through JACK, both set up for the test alone.

use crate::bundles::{self, PLUGIN};
use crate::run::{Place, run};
use crate::screen::Screen;
use crate::system::{Need, ensure};
use crate::test::{Environment, Report, workspace};
use anyhow::{Context, Result, bail, ensure};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest that a program may take to show that it works.
const PATIENCE: Duration = Duration::from_secs(30);

/// Builds the program and runs it on each kind of sound system.
pub fn test(place: &Place, environment: &Environment, report: &mut Report) {
    if let Err(error) = ensure(&[Need::Sound]) {
        return report.skip("standalone program", format!("{error:#}"));
    }
    let feature = format!("{PLUGIN}/standalone");
    let built = report.step("Build the standalone program", |_| {
        let mut cargo = workspace("build", environment);
        run(cargo.args(["--features", &feature, "--bin", "idiom-standalone"]))?;
        bundles::forget_standalone_library(place, "debug");
        Ok(())
    });
    if built.is_none() {
        return;
    }
    if let Err(error) = ensure(&[Need::Window, Need::Xvfb]) {
        return report.skip("running the standalone program, which opens a window", format!("{error:#}"));
    }
    let program = place.program("debug", "idiom-standalone");
    report.step("Run the standalone program on a dummy sound card", |_| dummy(&program));
    let home = place.target.join("standalone-test");
    report.step("Run the standalone program through ALSA", |_| alsa(&program, &home.join("alsa")));
    match ensure(&[Need::Jack]) {
        Ok(()) => {
            report.step("Run the standalone program through JACK", |report| {
                jack(&program, &home.join("jack"), report)
            });
        }
        Err(error) => report.skip("standalone program through JACK", format!("{error:#}")),
    }
}

/// A program that runs beside the test; it is asked to end when dropped, and has to. A JACK server that is only killed
/// keeps its place among the eight that a machine may have.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> Result<Running> {
        let shown = crate::run::shown(command);
        let child = command.stdin(Stdio::null()).spawn().with_context(|| format!("cannot run `{shown}`"))?;
        Ok(Running(child))
    }

    /// Calls `done` now and then until it gives something.
    fn until<T>(&mut self, what: &str, mut done: impl FnMut() -> Result<Option<T>>) -> Result<T> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(found) = done()? {
                return Ok(found);
            }
            if let Some(status) = self.0.try_wait()? {
                bail!("it should run until it is closed, but ended ({status}) before {what}");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        bail!("{PATIENCE:?} passed without {what}")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        Command::new("kill").arg(self.0.id().to_string()).status().ok();
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(5) {
            if matches!(self.0.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

fn dummy(program: &Path) -> Result<()> {
    let screen = Screen::open()?;
    let mut idiom = Running::start(Command::new(program).args(["-b", "dummy"]).env("DISPLAY", &screen.name))?;
    std::thread::sleep(Duration::from_secs(5));
    if let Some(status) = idiom.0.try_wait()? {
        bail!("`{} -b dummy` should run until it is closed, but ended ({status})", program.display());
    }
    println!("it ran for five seconds with its window open");
    Ok(())
}

/// Two ALSA devices of our own: one plays a file in, the other writes to a file what it is given. Neither keeps time, so
/// sound flows as fast as it can.
fn alsa(program: &Path, home: &Path) -> Result<()> {
    std::fs::remove_dir_all(home).ok();
    std::fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
    let (sound_in, sound_out) = (home.join("in.raw"), home.join("out.raw"));
    // A minute of a tone of 375 Hz: 32-bit floating point, which the program prefers, stereo at 48 kHz.
    let frame = |i: u32| {
        let sample = (0.25 * (f64::from(i) * std::f64::consts::TAU / 128.0).sin()) as f32;
        [sample.to_le_bytes(), sample.to_le_bytes()].concat()
    };
    std::fs::write(&sound_in, (0..128).flat_map(frame).collect::<Vec<u8>>().repeat(48_000 * 60 / 128))?;
    let device = |name: &str, hint: &str, infile: &Path, file: &Path| {
        let (infile, file) = (infile.display(), file.display());
        format!(
            "pcm.{name} {{\n type file\n slave.pcm null\n file \"{file}\"\n infile \"{infile}\"\n format raw\n \
             hint {{ show on description {hint} }}\n}}\n"
        )
    };
    let nowhere = Path::new("/dev/null");
    let settings = device("!default", "IdiomOut", nowhere, &sound_out)
        + &device("idiom_in", "IdiomIn", &sound_in, nowhere);
    std::fs::write(home.join(".asoundrc"), settings)?;
    let screen = Screen::open()?;
    // The shell limits how large the file can grow, in blocks of 512 bytes.
    let script = "ulimit -f 1000000 && exec \"$0\" -b alsa --input-device IdiomIn";
    let mut idiom = Running::start(
        Command::new("sh").args(["-c", script]).arg(program).env("DISPLAY", &screen.name).env("HOME", home),
    )?;
    let loud = idiom.until("half a second of the tone was played", || {
        let mut bytes = Vec::new();
        if let Ok(file) = std::fs::File::open(&sound_out) {
            file.take(64 << 20).read_to_end(&mut bytes)?;
        }
        let samples = bytes.chunks_exact(4).map(|s| f32::from_le_bytes([s[0], s[1], s[2], s[3]]));
        let loud = samples.filter(|sample| sample.abs() > 0.1).count();
        Ok((loud > 48_000).then_some(loud))
    })?;
    println!("it played the tone that came in: {loud} samples louder than 0.1");
    drop(idiom);
    std::fs::remove_dir_all(home).ok();
    Ok(())
}

/// A JACK server without a sound card, a metronome into Idiom, a recorder behind it.
fn jack(program: &Path, home: &Path, report: &mut Report) -> Result<()> {
    std::fs::remove_dir_all(home).ok();
    std::fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
    let server_name = format!("idiom-test-{}", std::process::id());
    let tool = |name: &str, args: &[&str]| {
        let mut command = Command::new(name);
        command.args(args).env("JACK_DEFAULT_SERVER", &server_name).env("JACK_NO_START_SERVER", "1");
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    };
    let log = home.join("jackd.log");
    let mut server = tool("jackd", &["-n", &server_name, "-r", "-d", "dummy", "-r", "48000", "-p", "512"]);
    server.env("JACK_NO_AUDIO_RESERVATION", "1").stdout(std::fs::File::create(&log)?);
    let mut server = Running::start(&mut server)?;
    let ports = || {
        let out = tool("jack_lsp", &["-c"]).stdout(Stdio::piped()).stdin(Stdio::null()).output()?;
        Ok::<_, anyhow::Error>(String::from_utf8_lossy(&out.stdout).into_owned())
    };
    if let Err(error) = server.until("its ports appeared", || Ok(ports()?.contains("system:").then_some(())))
    {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        let last = log.lines().last().unwrap_or("it says nothing").to_owned();
        report.skip("standalone program through JACK", format!("jackd does not start here: {error}; {last}"));
        return Ok(());
    }
    let mut metronome = Running::start(&mut tool("jack_metro", &["-b", "240"]))?;
    let click = metronome.until("its port appeared", || {
        Ok(ports()?.lines().find(|line| line.starts_with("metro:")).map(String::from))
    })?;
    let screen = Screen::open()?;
    let mut idiom = tool(&program.to_string_lossy(), &["-b", "jack", "--connect-jack-inputs", &click]);
    idiom.env("DISPLAY", &screen.name).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    let mut idiom = Running::start(&mut idiom)?;
    let port = idiom.until("its outputs were connected", || {
        let ports = ports()?;
        // Below a port stand the ports it is connected with, indented.
        let connected = ports.lines().zip(ports.lines().skip(1)).find(|(port, below)| {
            port.starts_with("idiom:output") && below.trim_start().starts_with("system:playback")
        });
        Ok(connected.map(|(port, _)| port.to_owned()))
    })?;
    let recording = home.join("recording.wav");
    run(&mut tool("jack_rec", &["-f", &recording.to_string_lossy(), "-d", "3", "-b", "16", &port]))?;
    let loud = loudest(&recording)?;
    ensure!(loud > 0.05, "the metronome does not come through Idiom: the loudest sample at {port} is {loud}");
    ensure!(idiom.0.try_wait()?.is_none(), "Idiom ended while it was recorded");
    println!("it played the metronome, up to {loud:.2} of full scale");
    std::fs::remove_dir_all(home).ok();
    Ok(())
}

/// Largest sample of a 16-bit WAV file, over full scale.
fn loudest(path: &PathBuf) -> Result<f32> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let data = bytes.windows(4).position(|word| word == b"data").context("no sound in the recording")?;
    let samples = bytes[data + 8..].chunks_exact(2).map(|s| i16::from_le_bytes([s[0], s[1]]));
    Ok(samples.map(|s| f32::from(s.unsigned_abs()) / 32_768.0).fold(0.0, f32::max))
}
