//! The whole engine: backends, cache, speed, mix.

use super::Seen;
use crate::audio::Audio;
use crate::synth;
use anyhow::{Result, ensure};
use idiom_engine::{Backend, Config, Controls, Engine, Genre, Handle, Quantization, Transport};

const RATE: u32 = 48_000;

/// An engine that renders offline with this choice.
fn engine(handle: &Handle, backend: Backend, quantization: Quantization) -> Result<Engine> {
    handle.select(backend, quantization);
    let engine = handle.start(Config { sample_rate: RATE as f32, channels: 2, offline: true });
    let status = handle.status();
    let what = format!("{} {}", backend.label(), quantization.label());
    ensure!(status.problem.is_none(), "{what}: {}", status.problem.unwrap_or_default());
    Ok(engine)
}

/// Plays a passage of the song in blocks, in place.
fn play(engine: &mut Engine, audio: &mut Audio, from: usize, block: usize, controls: &Controls) {
    let [left, right] = &mut audio.channels[..] else { return };
    let length = left.len();
    for start in (0..length).step_by(block) {
        let end = length.min(start + block);
        let transport =
            Transport { playing: true, position: Some((from + start) as i64), ..Transport::default() };
        engine.process(&mut [&mut left[start..end], &mut right[start..end]], transport, controls);
    }
}

/// Every backend answers by itself, in every quantization.
pub fn backends() -> Result<Seen> {
    let sound = synth::render(Genre::Rock, 1, 2.5, RATE);
    let mut seen = Vec::new();
    for backend in Backend::ALL {
        for quantization in Quantization::ALL {
            let handle = Handle::new();
            let mut engine = engine(&handle, backend, quantization)?;
            play(&mut engine, &mut sound.clone(), 0, 512, &Controls::default());
            let (snapshot, installed) = (handle.telemetry().snapshot(), handle.status().installed);
            let answered = (snapshot.backend, snapshot.quantization);
            let what = format!("{} {}", backend.label(), quantization.label());
            ensure!(snapshot.posterior.is_valid(), "{what}: its answer is no probability");
            ensure!(answered == installed, "{what}: {installed:?} was installed, {answered:?} answered");
            if !seen.contains(&installed) {
                seen.push(installed);
            }
        }
    }
    Ok(format!("{} kinds of answers, no fallback", seen.len()).into())
}

/// A bar that is looped is found again from its second pass on.
pub fn caching() -> Result<Seen> {
    let handle = Handle::new();
    let mut engine = engine(&handle, Backend::OnnxWorker, Quantization::Auto)?;
    // A bar at 97 bpm, which is no whole number of frames.
    let bar = synth::render(Genre::Electronic, 2, 4.0 * 60.0 / 97.0, RATE);
    let mut counts = Vec::new();
    for _ in 0..4 {
        play(&mut engine, &mut bar.clone(), 123_456, 512, &Controls::default());
        counts.push(handle.metrics().cache);
    }
    let first = counts[0];
    let last = counts[3];
    ensure!(first.misses > 0, "the first pass asked nothing");
    let (hits, misses) = (last.hits - first.hits, last.misses - first.misses);
    ensure!(10 * misses <= hits + misses, "later passes: {hits} hits, {misses} misses");
    handle.clear_cache();
    play(&mut engine, &mut bar.clone(), 123_456, 512, &Controls::default());
    ensure!(handle.metrics().cache.misses > last.misses, "a cleared cache still answers");
    Ok(format!("{hits} hits and {misses} misses from the second pass on, {} answers kept", last.entries)
        .into())
}

/// The engine keeps up with real time.
pub fn performance() -> Result<Seen> {
    let handle = Handle::new();
    let mut engine = engine(&handle, Backend::Onnx, Quantization::Auto)?;
    let mut sound = synth::render(Genre::Jazz, 3, 10.0, RATE);
    let started = std::time::Instant::now();
    play(&mut engine, &mut sound, 0, 256, &Controls::default());
    let factor = 10.0 / started.elapsed().as_secs_f64();
    // Anything near 1 cannot be used beside other plugins, and no machine in use is that slow.
    ensure!(factor > 1.0, "10 s of sound take {:.1} s", 10.0 / factor);
    let metrics = handle.metrics();
    let frame = metrics.stages.frame;
    let detail = format!(
        "{factor:.0} times faster than real time; a frame takes {:.1} us, 99 % within {:.1} us",
        frame.p50_ns as f64 / 1000.0,
        frame.p99_ns as f64 / 1000.0
    );
    Ok(Seen { detail, metrics: Some(metrics) })
}

/// The mix follows a genre, is the same for every block size, and passes the input at amount 0.
pub fn mixer_integration() -> Result<Seen> {
    let input = synth::render(Genre::Rock, 4, 4.0, RATE);
    let render = |block: usize, controls: &Controls| -> Result<Audio> {
        let handle = Handle::new();
        let mut engine = engine(&handle, Backend::Auto, Quantization::Auto)?;
        let mut sound = input.clone();
        play(&mut engine, &mut sound, 0, block, controls);
        Ok(sound)
    };
    let eager = Controls { threshold: 0.0, reaction_s: 0.2, ..Controls::default() };
    let heard = render(512, &eager)?;
    ensure!(heard != input, "what is recognised does not move the mix");
    ensure!(heard.channels.iter().flatten().all(|x| x.is_finite()), "the output is not finite");
    ensure!(heard == render(77, &eager)?, "the block size changes the output");
    ensure!(render(512, &Controls { amount: 0.0, ..eager })? == input, "amount 0 is not the input");
    let manual = Controls { manual: Some(Genre::Speech), ..eager };
    ensure!(render(512, &manual)? != heard, "a genre set by hand changes nothing");
    Ok("recognition moves the mix, the same for every block size".into())
}
