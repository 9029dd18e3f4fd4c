//! What the plugin takes of the machine's memory, by number of instances and with its window open.
//!
//! Every number of instances gets a host process of its own, which is this program started again, so that none sees what
//! another left behind. Linux only: what a process holds is read from `/proc`.

use crate::built::State;
use crate::host::{Bundle, Render};
use crate::signals::music;
use anyhow::{Context, Result, bail};
use idiom_engine::{Backend, Quantization};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Numbers of instances that are measured.
pub const INSTANCES: [usize; 4] = [0, 1, 10, 50];
/// Seconds of music that every instance plays before it is measured.
const SECONDS: usize = 4;
/// Time that the standalone program gets to open its window and draw.
const WINDOW_TIME: Duration = Duration::from_secs(8);

/// Memory of a process in kB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resident {
    /// All that is resident, code of shared libraries included.
    pub all: u64,
    /// The part that is its own: heap, stacks, written data.
    pub own: u64,
}

impl Resident {
    /// Of this process, or of another one by its id.
    pub fn of(process: Option<u32>) -> Result<Resident> {
        let path = format!("/proc/{}/status", process.map_or("self".into(), |id| id.to_string()));
        let text = std::fs::read_to_string(&path).with_context(|| format!("{path} cannot be read"))?;
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|value| value.trim().strip_suffix("kB")?.trim().parse().ok())
                .with_context(|| format!("{path} has no {name}"))
        };
        Ok(Resident { all: field("VmRSS")?, own: field("RssAnon")? })
    }

    fn parse(line: &str) -> Option<Resident> {
        let (all, own) = line.trim().split_once(' ')?;
        Some(Resident { all: all.parse().ok()?, own: own.parse().ok()? })
    }
}

/// In the host process: makes `count` instances that play with this backend, and prints what the process holds.
pub fn host(plugin: &Path, count: usize, backend: Backend) -> Result<()> {
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
    let Resident { all, own } = Resident::of(None)?;
    println!("{all} {own}");
    for (mut plugin, processor) in instances {
        plugin.deactivate(processor);
    }
    Ok(())
}

/// What a host with so many instances holds.
pub fn instances(plugin: &Path, count: usize, backend: Backend) -> Result<Resident> {
    let name = serde_json::to_string(&backend)?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["--host", &count.to_string(), "--backend", name.trim_matches('"'), "--plugin"]).arg(plugin);
    let output = command.stdin(Stdio::null()).output().context("the host process cannot be started")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some(resident) = text.lines().last().and_then(Resident::parse).filter(|_| output.status.success())
    else {
        bail!("the host process failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    };
    Ok(resident)
}

/// The standalone program with its window open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// The whole process.
    pub resident: Resident,
    /// Resident code and data of the graphics driver's libraries, in kB.
    pub driver: u64,
}

/// Starts the standalone program without a sound card, lets it open its window, and looks at it.
pub fn window(program: &Path) -> Result<Window> {
    let child = Command::new(program)
        .args(["-b", "dummy"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let mut child = Ended(child);
    std::thread::sleep(WINDOW_TIME);
    if let Some(status) = child.0.try_wait()? {
        bail!("{} ended ({status})", program.display());
    }
    let id = child.0.id();
    let maps = std::fs::read_to_string(format!("/proc/{id}/smaps"))?;
    Ok(Window { resident: Resident::of(Some(id))?, driver: driver(&maps) })
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Resident kB of the libraries that belong to OpenGL, from `/proc/PID/smaps`.
fn driver(smaps: &str) -> u64 {
    const LIBRARIES: [&str; 8] =
        ["libLLVM", "gallium", "_dri.so", "libGL", "libEGL", "libglapi", "libdrm", "libz3"];
    let (mut sum, mut counts) = (0, false);
    for line in smaps.lines() {
        let mut words = line.split_whitespace();
        match words.next() {
            Some("Rss:") if counts => sum += words.next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0),
            // A mapping begins with its range of addresses and ends with its file.
            Some(first) if first.contains('-') && !first.ends_with(':') => {
                counts = LIBRARIES.iter().any(|name| line.contains(name));
            }
            _ => {}
        }
    }
    sum
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
7f10-7f20 rw-p 00000000 00:00 0
Rss:                 500 kB
7f20-7f30 r--p 00000000 08:01 13 /usr/lib/x86_64-linux-gnu/dri/swrast_dri.so
Rss:                  30 kB
";
        assert_eq!(driver(smaps), 40_030);
        assert_eq!(Resident::parse("12 7\n"), Some(Resident { all: 12, own: 7 }));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_holds_something() {
        let resident = Resident::of(None).unwrap();
        assert!(resident.own > 100 && resident.all > resident.own, "{resident:?}");
    }
}
