//! `cargo xtask bench`: what a frame and a block cost, in one run with other engines, and what instances take of memory.

use anyhow::Result;
use clap::Parser;
use idiom_engine::model::Model;
use idiom_engine::{Backend, Quantization};
use idiom_tests::bench::chain;
use idiom_tests::bench::loading::{self, Format};
use idiom_tests::bench::memory::{self, INSTANCES, Resident};
use idiom_tests::bench::peers;
use idiom_tests::bench::rounds::{self, Case};
use idiom_tests::bench::stages::{self, BLOCKS, RATE, WINDOW};
use idiom_tests::built;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Measures what a frame and a block cost, in one run with other engines, and what instances take of memory.
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Args {
    /// Interleaved rounds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rounds: u32,
    /// Measure memory only.
    #[arg(long)]
    memory: bool,
    /// Measure only how long a host waits for a scan and for an instance.
    #[arg(long)]
    loading: bool,
    /// The plugin's library, for example target/bundled/Idiom.clap.
    #[arg(long)]
    plugin: Option<PathBuf>,
    /// Be the host of so many instances and print what they take; this program calls itself like that.
    #[arg(long, hide = true)]
    host: Option<usize>,
    /// Be a host that scans, in this format; this program calls itself like that.
    #[arg(long, hide = true)]
    load: Option<String>,
    /// With the window of the first one open.
    #[arg(long, hide = true)]
    window: bool,
    /// Backend of these instances.
    #[arg(long, hide = true, default_value = "auto")]
    backend: String,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let plugin = args.plugin.clone().map_or_else(built::path, Ok);
    if let Some(count) = args.host {
        let backend: Backend = serde_json::from_value(args.backend.as_str().into())?;
        return memory::host(&plugin?, count, backend, args.window);
    }
    if let Some(format) = &args.load {
        return loading::child(&plugin?, if format == "clap" { Format::Clap } else { Format::Vst3 });
    }
    if args.loading {
        println!("{}\n", machine());
        return show_loading(&plugin?);
    }
    if args.memory {
        println!("{}\n", machine());
        return show_memory(&plugin?);
    }
    let (mut skipped, mut notes) = (Vec::new(), Vec::new());
    let models = stages::models()?;

    let mut frame = stages::front_end();
    for (quantization, model) in &models {
        frame.push(stages::network(*quantization, model)?);
    }
    frame.extend(stages::decision());
    let mix: Vec<Case> = BLOCKS.iter().map(|block| stages::mix(*block)).collect();
    let engine: Vec<Case> = BLOCKS.iter().map(|block| stages::engine(*block, Quantization::Auto)).collect();
    let processors = chain::cases();
    let other_chains = match other_chains() {
        Ok(cases) => cases,
        Err(error) => {
            skipped.push(format!("fundsp: {error:#}"));
            Vec::new()
        }
    };
    let silent: Vec<Case> = BLOCKS.iter().map(|block| stages::mix_after_silence(*block)).collect();
    let mut window = Vec::new();
    for (quantization, model) in &models {
        window.push(stages::window(*quantization, model)?);
        match peers::tract(*quantization, model) {
            Ok(case) => window.push(case),
            Err(error) => skipped.push(format!("tract, {}: {error:#}", quantization.label())),
        }
    }
    match python(&models) {
        Ok((cases, remarks, differences)) => {
            window.extend(cases);
            skipped.extend(remarks);
            notes = differences;
        }
        Err(why) => skipped.push(format!("ONNX Runtime and LiteRT: {why}")),
    }

    // Engines take over their backend a moment after they were told; that is not to be measured.
    std::thread::sleep(Duration::from_millis(500));
    let parts = [frame.len(), mix.len(), engine.len(), processors.len(), other_chains.len(), silent.len()];
    let mut all: Vec<Case> = frame.into_iter().chain(mix).chain(engine).collect();
    all.extend(processors.into_iter().chain(other_chains).chain(silent).chain(window));
    let started = Instant::now();
    let bar = indicatif::ProgressBar::new(u64::from(args.rounds));
    rounds::run(&mut all, args.rounds as usize, |round| bar.set_position(round as u64))?;
    bar.finish_and_clear();

    println!("{}", machine());
    println!(
        "{} interleaved rounds in {:.0} s; medians, one thread\n",
        args.rounds,
        started.elapsed().as_secs_f64()
    );
    let (frame, rest) = all.split_at(parts[0]);
    let (mix, rest) = rest.split_at(parts[1]);
    let (engine, rest) = rest.split_at(parts[2]);
    let (processors, rest) = rest.split_at(parts[3]);
    let (other_chains, rest) = rest.split_at(parts[4]);
    let (silent, window) = rest.split_at(parts[5]);
    show_frame(frame);
    show_blocks(mix, engine);
    show_processors(processors, other_chains, silent);
    show_windows(frame, window, models[1].1.macs_per_frame());
    if let Err(error) = plugin.and_then(|plugin| show_loading(&plugin).and_then(|()| show_memory(&plugin))) {
        skipped.push(format!("loading and memory: {error:#}"));
    }
    notes.iter().for_each(|what| println!("note: {what}"));
    skipped.iter().for_each(|why| println!("left out: {why}"));
    Ok(())
}

fn show_loading(plugin: &Path) -> Result<()> {
    println!("What a host waits for, ms (may take)    scan (20)   first instance (10)   another one (10)");
    for (name, format) in [("CLAP", Format::Clap), ("VST3", Format::Vst3)] {
        let loading = loading::measure(plugin, format)?;
        let [scan, first, another] =
            [loading.scan, loading.first, loading.instance].map(|time| time.as_secs_f64() * 1e3);
        println!("  {name:<36} {scan:>10.2}  {first:>20.2}  {another:>17.2}");
    }
    println!();
    Ok(())
}

fn show_memory(plugin: &Path) -> Result<()> {
    let mb = |kb: u64| kb as f64 / 1024.0;
    println!("Memory of a host process, MB                 resident   its own   an instance more");
    let row = |name: &str, resident: &Resident, more: Option<f64>| {
        let (all, own) = (mb(resident.all), mb(resident.own));
        println!(
            "  {name:<40} {all:>10.1}  {own:>8.1}  {:>17}",
            more.map_or(String::new(), |m| format!("{m:.2}"))
        );
    };
    let more = |now: &Resident, before: &Resident, instances: usize| {
        mb(now.all.saturating_sub(before.all)) / instances as f64
    };
    let mut before: Option<(usize, Resident)> = None;
    for count in INSTANCES {
        let resident = memory::instances(plugin, count, Backend::Auto, false)?;
        let name = match count {
            0 => "the plugin loaded, no instance".into(),
            1 => "1 instance playing, model and worker".into(),
            n => format!("{n} instances"),
        };
        row(&name, &resident, before.as_ref().map(|(fewer, less)| more(&resident, less, count - fewer)));
        before = Some((count, resident));
    }
    let none = memory::instances(plugin, 0, Backend::OnnxWorker, false)?;
    let worker = memory::instances(plugin, 1, Backend::OnnxWorker, false)?;
    row("1 instance with ONNX on worker (tract)", &worker, Some(more(&worker, &none, 1)));
    match std::env::var("IDIOM_SCREEN_MISSING") {
        Ok(why) => println!("  left out: with its window open: {why}"),
        Err(_) => show_window_memory(plugin)?,
    }
    println!();
    Ok(())
}

/// What a host holds with a window open, how much of it are the graphics driver's libraries, and what a program holds that
/// only draws.
fn show_window_memory(plugin: &Path) -> Result<()> {
    let show = |name: &str, Resident { all, own, driver, libraries }: Resident| {
        let [all, own, driver] = [all, own, driver].map(|kb| kb as f64 / 1024.0);
        println!("  {name:<40} {all:>10.1}  {own:>8.1}");
        println!("    of that the graphics driver's libraries {driver:.1} ({})", libraries.join(", "));
        all
    };
    let one = show("1 instance, its window open", memory::instances(plugin, 1, Backend::Auto, true)?);
    show("10 instances, one window open", memory::instances(plugin, 10, Backend::Auto, true)?);
    // As large as the window is at first.
    match memory::gears("960x690") {
        Ok(gears) => {
            let gears = show("glxgears, which only draws, as large", gears);
            println!("    what 1 instance, its window and its host hold beyond that {:.1}", one - gears);
        }
        Err(error) => println!("  left out: a program that only draws: {error:#}"),
    }
    Ok(())
}

/// What the program of `tests/peers` measures, if it could be built.
fn other_chains() -> Result<Vec<Case>> {
    let Some(program) = std::env::var_os("IDIOM_PEERS") else {
        let why = std::env::var("IDIOM_PEERS_MISSING").unwrap_or_else(|_| "IDIOM_PEERS is not set".into());
        anyhow::bail!("{why}");
    };
    chain::peers(Path::new(&program))
}

fn python(models: &[(Quantization, Model)]) -> Result<(Vec<Case>, Vec<String>, Vec<String>)> {
    let Some(python) = std::env::var_os("IDIOM_PYTHON") else {
        let why = std::env::var("IDIOM_PYTHON_MISSING").unwrap_or_else(|_| "IDIOM_PYTHON is not set".into());
        anyhow::bail!("{why}");
    };
    peers::python(Path::new(&python), models)
}

fn show_frame(cases: &[Case]) {
    println!("One frame (20 ms at {RATE} Hz)           median us     p90 us   share of the frame");
    for case in cases {
        println!(
            "  {:<36} {:>9.2}  {:>9.2}  {:>10.4} %",
            case.name,
            case.median(),
            case.quantile(0.9),
            case.median() / 200.0
        );
    }
    println!(
        "  the front end costs {:.2} times its Fourier transform\n",
        cases[0].median() / cases[1].median()
    );
}

fn show_blocks(mix: &[Case], engine: &[Case]) {
    println!("One block, stereo                  mix us  share of a core   whole engine us  share of a core");
    for ((block, mix), engine) in BLOCKS.iter().zip(mix).zip(engine) {
        let share = |case: &Case| 100.0 * case.median() / (*block as f64 / f64::from(RATE) * 1e6);
        println!(
            "  {block:>5} samples               {:>8.2}  {:>13.3} %  {:>15.2}  {:>13.3} %",
            mix.median(),
            share(mix),
            engine.median(),
            share(engine)
        );
    }
    println!();
}

fn show_processors(processors: &[Case], other_chains: &[Case], silent: &[Case]) {
    println!("The mix's processors while they act, stereo, {RATE} Hz                     share of a core");
    // The unit of these cases is a second of sound.
    let share = |case: &Case| case.median() / 1e4;
    for case in processors.iter().chain(other_chains).chain(silent) {
        println!("  {:<80} {:>7.3} %", case.name, share(case));
    }
    let whole = processors.iter().find(|case| case.name == chain::WHOLE);
    if let (Some(ours), Some(theirs)) = (whole, other_chains.first()) {
        println!("  {}: {:.2} times all of ours", theirs.name, theirs.median() / ours.median());
    }
    println!();
}

fn show_windows(frame: &[Case], window: &[Case], macs: usize) {
    // Front end, network, decision: all of the analysis, with the slower network of the two.
    let analysis = |q: &str| {
        let network = frame.iter().find(|case| case.name.starts_with(&format!("network {q}")));
        frame[0].median() + network.map_or(f64::NAN, Case::median) + frame[4].median()
    };
    let frame_cost = |q: &str| {
        frame.iter().find(|c| c.name.starts_with(&format!("network {q}"))).map_or(f64::NAN, Case::median)
    };
    println!("The same network over a window of {WINDOW} frames ({macs} multiplications a frame)");
    println!("                                      median us  against our window  against our frame");
    for case in window {
        let q = if case.name.ends_with("INT8") { "INT8" } else { "FP32" };
        let ours = window.iter().find(|c| c.name.starts_with("ours") && c.name.ends_with(q));
        println!(
            "  {:<34} {:>10.1}  {:>17.2}x  {:>16.1}x",
            case.name,
            case.median(),
            case.median() / ours.map_or(f64::NAN, Case::median),
            case.median() / frame_cost(q)
        );
    }
    println!();
    for q in ["FP32", "INT8"] {
        println!("  whole analysis of a frame, {q}: {:.2} us (front end, network, decision)", analysis(q));
    }
    if let Some(lite) = window.iter().find(|case| case.name.starts_with("LiteRT")) {
        println!("  that is 1/{:.0} of one window in LiteRT (FP32)", lite.median() / analysis("FP32"));
    }
    println!();
}

/// Processor and system, as far as they say.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model =
        info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let instructions = idiom_engine::rt::net::Kernel::detect().label();
    format!(
        "{}, {cores} cores, {} {}, instructions used: {instructions}",
        model.unwrap_or("unknown processor"),
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
