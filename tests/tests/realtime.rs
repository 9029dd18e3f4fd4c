//! The real-time sanitizer over the whole CLAP process path: host call, wrapper, engine.
//!
//! The plugin is linked into this program, so that the sanitizer's runtime, linked in too, sees every allocation,
//! lock and system call it makes while a block is processed. `cargo xtask test` turns it on.

use idiom_engine::{Backend, Quantization};
use idiom_tests::built::State;
use idiom_tests::host::{Bundle, Change, Plugin, Processor, Render, Song};
use idiom_tests::signals::{Random, blocks, music, noise};
use idiom_tests::skipped;
use std::process::Command;
use std::time::{Duration, Instant};

/// Whether the sanitizer's runtime is linked in; its build script reads the same variable.
const SANITIZED: bool = option_env!("RTSAN_ENABLE").is_some();
/// Exit code of a program that the sanitizer stops.
const VIOLATION: i32 = 43;

fn linked() -> Bundle {
    // SAFETY: both belong to the plugin that is linked into this program.
    unsafe { Bundle::linked(&idiom_plugin::clap_entry::clap_entry, idiom_plugin::probe::idiom_snapshot) }
        .expect("the linked plugin")
}

/// One block under the sanitizer.
fn block(processor: &mut Processor, audio: &mut [&mut [f32]], song: Option<Song>, changes: &[Change]) {
    rtsan_standalone::realtime_enter();
    let result = processor.process(audio, song, changes);
    rtsan_standalone::realtime_exit();
    result.expect("processing");
}

/// Sound under the sanitizer, from song position `at` on; gives back the position after it.
fn play(
    processor: &mut Processor,
    sound: &mut [Vec<f32>],
    sizes: impl Iterator<Item = usize>,
    at: i64,
) -> i64 {
    let (mut at, mut sizes) = (at, sizes);
    let (mut start, length) = (0, sound[0].len());
    while start < length {
        let end = (start + sizes.next().expect("endless")).min(length);
        let mut audio: Vec<&mut [f32]> = sound.iter_mut().map(|channel| &mut channel[start..end]).collect();
        block(processor, &mut audio, Some(Song::at(at)), &[]);
        at += (end - start) as i64;
        start = end;
    }
    at
}

/// Random values for random parameters, as automation would bring them.
fn automation(plugin: &mut Plugin, random: &mut Random) -> Vec<Change> {
    let params = plugin.params().expect("parameters");
    (0..8).map(|_| params[random.between(0, params.len() - 1)].random_change(random)).collect()
}

#[test]
fn the_process_path_never_allocates_locks_or_calls_the_system() {
    if !SANITIZED {
        // Runs all the same: without the sanitizer it shows at least that nothing panics.
        skipped(
            "real-time sanitizer over the CLAP process path",
            "this test was built without RTSAN_ENABLE; `cargo xtask test` sets it",
        );
    }
    let bundle = linked();
    let mut random = Random::new(3);
    for (channels, sample_rate) in [(2, 48_000.0), (1, 44_100.0), (2, 96_000.0)] {
        let mut plugin = bundle.instantiate().expect("an instance");
        plugin.set_channels(channels).expect("the layout");
        plugin.set_render(Render::Realtime).expect("the render mode");
        let state = State::parse(&plugin.save().expect("the state")).expect("the state's layout");
        let mut processor = plugin.activate(sample_rate, 4096).expect("activation");
        processor.start().expect("the start");

        // Music, silence and what is not a number, in blocks of any size.
        let length = (2.0 * sample_rate) as usize;
        for sound in [
            music(length, sample_rate, 1),
            vec![0.0; length / 2],
            vec![f32::NAN; length / 4],
            noise(length / 2, 1e-40, 2),
        ] {
            play(&mut processor, &mut vec![sound; channels], blocks(4096, 5), 0);
        }
        // Automation, jumps, and every backend taking over while it plays.
        let mut position = -4800;
        for backend in [Backend::Spectral, Backend::OnnxWorker, Backend::Onnx, Backend::Auto] {
            for quantization in [Quantization::Int8, Quantization::Fp32] {
                plugin.load(&state.clone().with_inference(backend, quantization).bytes()).expect("the state");
                let started = Instant::now();
                let mut rounds = 0;
                let arrived = |instance: &Bundle| {
                    let now = instance.snapshot(0).expect("a snapshot");
                    now.backend == backend as u32 || backend == Backend::Auto
                };
                while rounds < 6 || !arrived(&bundle) {
                    assert!(started.elapsed() < Duration::from_secs(60), "{backend:?} never took over");
                    let mut sound = vec![music(length / 8, sample_rate, 4); channels];
                    position = play(&mut processor, &mut sound, blocks(1024, rounds), position);
                    let changes = automation(&mut plugin, &mut random);
                    let mut short = vec![vec![0.1; 64]; channels];
                    let mut audio: Vec<&mut [f32]> = short.iter_mut().map(Vec::as_mut_slice).collect();
                    block(&mut processor, &mut audio, Some(Song::at(position)), &changes);
                    position += 64;
                    std::thread::sleep(Duration::from_millis(5));
                    rounds += 1;
                }
                position += 1_000_000;
            }
        }
        let snapshot = bundle.snapshot(0).expect("a snapshot");
        assert!(snapshot.frames > 200, "only {} frames were analysed", snapshot.frames);
        plugin.deactivate(processor);
    }
}

/// The test above could pass because the sanitizer sleeps. This one plants an allocation in a process of its own,
/// and that process must be stopped.
#[test]
fn an_allocation_in_the_process_path_is_caught() {
    const PLANT: &str = "IDIOM_PLANT_ALLOCATION";
    if std::env::var_os(PLANT).is_some() {
        rtsan_standalone::realtime_enter();
        let planted = std::hint::black_box(Vec::<u8>::with_capacity(4096));
        rtsan_standalone::realtime_exit();
        println!("not caught: {}", planted.capacity());
        return;
    }
    let name = "an_allocation_in_the_process_path_is_caught";
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", name, "--nocapture"])
        .env(PLANT, "1")
        .output()
        .expect("this program runs");
    let words = String::from_utf8_lossy(&output.stderr);
    if SANITIZED {
        assert_eq!(output.status.code(), Some(VIOLATION), "{words}");
        assert!(words.contains("RealtimeSanitizer"), "{words}");
    } else {
        skipped(
            "real-time sanitizer over the CLAP process path",
            "this test was built without RTSAN_ENABLE; `cargo xtask test` sets it",
        );
        assert!(output.status.success(), "{words}");
    }
}
