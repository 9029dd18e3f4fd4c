//! How long a host waits: to scan the plugin (load the library and ask what is in it), and to make an instance.
//!
//! Every scan gets a process of its own, which is this program started again: what was loaded once is loaded faster.

use crate::host::Bundle;
use crate::vst3_host::Module;
use anyhow::{Context, Result, bail};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Processes that scan.
const SCANS: usize = 15;
/// Instances that each of them makes.
const INSTANCES: usize = 8;

/// The format to load the library as; it holds both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CLAP.
    Clap,
    /// VST3.
    Vst3,
}

/// Medians over all processes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loading {
    /// Loading the library and reading its description.
    pub scan: Duration,
    /// The first instance of a process.
    pub first: Duration,
    /// Each other one.
    pub instance: Duration,
}

/// In the child process: scans, makes instances, and prints the times in nanoseconds, the scan's first.
pub fn child(plugin: &Path, format: Format) -> Result<()> {
    let started = Instant::now();
    let mut times = Vec::new();
    match format {
        Format::Clap => {
            let bundle = Bundle::load(plugin)?;
            bundle.descriptors()?;
            times.push(started.elapsed());
            instantiate(&mut times, || bundle.instantiate())?;
        }
        Format::Vst3 => {
            let module = Module::load(plugin)?;
            module.describe()?;
            times.push(started.elapsed());
            instantiate(&mut times, || module.instantiate())?;
        }
    }
    let times: Vec<String> = times.iter().map(|time| time.as_nanos().to_string()).collect();
    println!("{}", times.join(" "));
    Ok(())
}

/// Makes instances that live beside each other, and notes the time of each.
fn instantiate<T>(times: &mut Vec<Duration>, make: impl Fn() -> Result<T>) -> Result<()> {
    let mut alive = Vec::new();
    for _ in 0..INSTANCES {
        let started = Instant::now();
        alive.push(make()?);
        times.push(started.elapsed());
    }
    Ok(())
}

/// Measures in child processes.
pub fn measure(plugin: &Path, format: Format) -> Result<Loading> {
    let (mut scans, mut firsts, mut others) = (Vec::new(), Vec::new(), Vec::new());
    let name = if format == Format::Clap { "clap" } else { "vst3" };
    for _ in 0..SCANS {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--load", name, "--plugin"]).arg(plugin);
        let output =
            command.stdin(Stdio::null()).output().context("the scanning process cannot be started")?;
        if !output.status.success() {
            bail!("scanning failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().context("nothing was measured")?;
        let mut times = line.split(' ').filter_map(|time| Some(Duration::from_nanos(time.parse().ok()?)));
        scans.push(times.next().context("no time of the scan")?);
        firsts.push(times.next().context("no time of an instance")?);
        others.extend(times);
    }
    Ok(Loading { scan: median(&mut scans), first: median(&mut firsts), instance: median(&mut others) })
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        let mut times = [5, 1, 9, 2, 7].map(Duration::from_millis);
        assert_eq!(median(&mut times), Duration::from_millis(5));
        assert_eq!(median(&mut []), Duration::ZERO);
    }
}
