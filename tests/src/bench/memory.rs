//! What the plugin takes of the machine's memory, by number of instances and with its window open.
//!
//! Every number of instances gets a host process of its own, which is this program started again, so that none sees what
//! another left behind. Linux only: what a process holds is read from `/proc`.

use crate::built::State;
use crate::host::{Bundle, Plugin, Render};
use crate::signals::music;
use anyhow::{Context, Result, bail};
use idiom_engine::{Backend, Quantization};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Numbers of instances that are measured.
pub const INSTANCES: [usize; 4] = [0, 1, 10, 50];
/// Seconds of music that every instance plays before it is measured.
const SECONDS: usize = 4;
/// Time that the window gets to be opened and drawn, over and over while it plays.
const WINDOW_TIME: Duration = Duration::from_secs(6);

/// Memory of a process in kB.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resident {
    /// All that is resident, code of shared libraries included.
    pub all: u64,
    /// The part that is its own: heap, stacks, written data.
    pub own: u64,
    /// The code and constants of the libraries that belong to OpenGL and its driver.
    pub driver: u64,
    /// Names of those that make up most of it.
    pub libraries: Vec<String>,
}

impl Resident {
    /// Of a process, by its number or `self`.
    pub fn of(process: &str) -> Result<Resident> {
        let read = |what: &str| {
            let path = format!("/proc/{process}/{what}");
            std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))
        };
        let status = read("status")?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().strip_suffix("kB")?.trim().parse().ok())
                .with_context(|| format!("/proc/{process}/status has no {name}"))
        };
        let (driver, libraries) = driver(&read("smaps")?);
        Ok(Resident { all: field("VmRSS")?, own: field("RssAnon")?, driver, libraries })
    }
}

/// In the host process: makes `count` instances that play with this backend, opens the `window` of the first if asked to,
/// and prints what the process holds.
pub fn host(plugin: &Path, count: usize, backend: Backend, window: bool) -> Result<()> {
    let bundle = Bundle::load(plugin)?;
    let (rate, block) = (48_000, 512);
    let mut instances = Vec::new();
    for _ in 0..count {
        let mut plugin = bundle.instantiate()?;
        plugin.set_channels(2)?;
        plugin.set_render(Render::Realtime)?;
        let state = State::parse(&plugin.save()?)?.with_inference(backend, Quantization::Auto);
        plugin.load(&state.bytes())?;
        let processor = plugin.activate(f64::from(rate), block)?;
        instances.push((plugin, processor));
    }
    let mut sound = vec![music(SECONDS * rate as usize, f64::from(rate), 1); 2];
    for (_, processor) in &mut instances {
        processor.play(&mut sound.clone(), std::iter::repeat(block))?;
    }
    sound.clear();
    // The worker answers and frees what it got back.
    std::thread::sleep(Duration::from_millis(300));
    match instances.first_mut().filter(|_| window) {
        None => say()?,
        Some((plugin, processor)) => with_window(plugin, || {
            // In real time, so that the window has something new to draw.
            let step = Duration::from_millis(50);
            for seed in 0..WINDOW_TIME.div_duration_f32(step) as u64 {
                let length = (step.as_secs_f32() * rate as f32) as usize;
                let mut sound = vec![music(length, f64::from(rate), seed); 2];
                processor.play(&mut sound, std::iter::repeat(block))?;
                std::thread::sleep(step);
            }
            say()
        })?,
    }
    for (mut plugin, processor) in instances {
        plugin.deactivate(processor);
    }
    Ok(())
}

fn say() -> Result<()> {
    println!("{}", serde_json::to_string(&Resident::of("self")?)?);
    Ok(())
}

/// Opens the plugin's window in one of the host's, and closes it after the work.
#[cfg(target_os = "linux")]
fn with_window(plugin: &mut Plugin, work: impl FnOnce() -> Result<()>) -> Result<()> {
    let screen = crate::screen::Screen::open()?;
    let parent = screen.parent()?;
    // SAFETY: the parent stays until the plugin's window is closed.
    unsafe { plugin.open_window(parent) }?;
    let result = work();
    plugin.close_window()?;
    result
}

#[cfg(not(target_os = "linux"))]
fn with_window(_plugin: &mut Plugin, _work: impl FnOnce() -> Result<()>) -> Result<()> {
    bail!("memory is read from /proc, on Linux only")
}

/// What a host with so many instances holds, of which the first has its window open or not.
pub fn instances(plugin: &Path, count: usize, backend: Backend, window: bool) -> Result<Resident> {
    let name = serde_json::to_string(&backend)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--host", &count.to_string(), "--backend", name.trim_matches('"'), "--plugin"]).arg(plugin);
    if window {
        command.arg("--window");
    }
    // What the window keeps for all sessions is not to be the user's.
    let folder = std::env::temp_dir().join(format!("idiom-bench-{}", std::process::id()));
    command.env("IDIOM_FOLDER", &folder);
    let output = command.stdin(Stdio::null()).output();
    std::fs::remove_dir_all(folder).ok();
    let output = output.context("the host process cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let held = text.lines().last().and_then(|line| serde_json::from_str(line).ok());
    let Some(resident) = held.filter(|_| output.status.success()) else {
        bail!("the host process failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    };
    Ok(resident)
}

/// What glxgears holds with a window as large as ours, which draws some triangles with the same driver and does nothing else.
///
/// # Errors
/// When it is not installed, or does not open a window.
pub fn gears(size: &str) -> Result<Resident> {
    let mut command = Command::new("glxgears");
    command.args(["-geometry", size]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().context("glxgears (package mesa-utils) cannot be started")?;
    std::thread::sleep(WINDOW_TIME);
    let ended = child.try_wait()?;
    let resident = Resident::of(&child.id().to_string());
    child.kill().ok();
    child.wait()?;
    match ended {
        Some(status) => bail!("glxgears ended ({status})"),
        None => resident,
    }
}

/// Resident kB of the libraries that belong to OpenGL, from `/proc/PID/smaps`, and the names of those with more than 1 MB.
/// What they write, frame buffers and compiled shaders among it, is not among it: it lies in the process's own memory.
fn driver(smaps: &str) -> (u64, Vec<String>) {
    const LIBRARIES: [&str; 9] =
        ["libLLVM", "gallium", "_dri.so", "libGL", "libEGL", "libglapi", "libdrm", "libz3", "nvidia"];
    let mut sums: Vec<(String, u64)> = Vec::new();
    let mut counts = false;
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Rss:") if counts => {
                let kb = words.next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0);
                sums.last_mut().into_iter().for_each(|(_, sum)| *sum += kb);
            }
            // A mapping begins with its range of addresses and ends with its file.
            Some(first) if first.contains('-') && !first.ends_with(':') => {
                let file = line.rsplit('/').next().unwrap_or_default();
                counts = line.contains('/') && LIBRARIES.iter().any(|name| file.contains(name));
                if counts && sums.last().is_none_or(|(name, _)| name != file) {
                    sums.push((file.to_owned(), 0));
                }
            }
            _ => {}
        }
    }
    let large = sums.iter().filter(|(_, kb)| *kb > 1024).map(|(name, _)| name.clone());
    (sums.iter().map(|(_, kb)| kb).sum(), large.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_drivers_share_is_found_among_the_mappings() {
        let smaps = "\
55d0-55e0 r-xp 00000000 08:01 11 /opt/idiom-standalone
Rss:                 900 kB
7f00-7f10 r-xp 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/libLLVM-15.so.1
Rss:               40000 kB
Pss:               40000 kB
7f08-7f10 rw-p 00000000 08:01 12 /usr/lib/x86_64-linux-gnu/libLLVM-15.so.1
Rss:                 100 kB
7f10-7f20 rw-p 00000000 00:00 0
Rss:                 500 kB
7f20-7f30 r--p 00000000 08:01 13 /usr/lib/x86_64-linux-gnu/dri/swrast_dri.so
Rss:                  30 kB
";
        assert_eq!(driver(smaps), (40_130, vec!["libLLVM-15.so.1".to_owned()]));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_holds_something() {
        let resident = Resident::of("self").unwrap();
        assert!(resident.own > 100 && resident.all > resident.own, "{resident:?}");
        assert_eq!(resident.driver, 0, "nothing is drawn here");
    }
}
