//! Nothing on the audio thread allocates or frees: every stage, every message, every block size, changes while playing.

mod engine_support;

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use engine_support::{CHOICES, Noise, at, engine, programme, samples};
use idiom_engine::model::{onnx_write, random, tflite_write};
use idiom_engine::profile::{Parameter, Preset, Profile};
use idiom_engine::rt::cache::{AnswerCache, Scope};
use idiom_engine::rt::features::{Features, FrontEnd};
use idiom_engine::rt::frames::Framer;
use idiom_engine::rt::history::History;
use idiom_engine::rt::net::Network;
use idiom_engine::rt::recognizer::Recognizer;
use idiom_engine::rt::slot::Slot;
use idiom_engine::rt::spectral_rules::SpectralRules;
use idiom_engine::rt::tap::Point;
use idiom_engine::rt::watch::{Trouble, Watch};
use idiom_engine::worker::ModelSource;
use idiom_engine::{
    Backend, CacheLimits, Config, Controls, Engine, Genre, Handle, LimiterMode, Mode, Posterior, Transport,
    Uncertain,
};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// One block without an allocation.
fn process(engine: &mut Engine, block: &mut [Vec<f32>; 2], transport: Transport, controls: &Controls) {
    let [left, right] = block;
    let key = right.clone();
    assert_no_alloc(|| {
        engine.process_keyed(&mut [&mut left[..], &mut right[..]], &[&key], transport, controls);
    });
}

/// Own settings all over their ranges.
fn restless_base(round: usize) -> Profile {
    let share = |i: usize| ((i * 7 + round) % 11) as f32 / 10.0;
    Profile::from_values(std::array::from_fn(|i| {
        let (min, max) = Parameter::ALL[i].spec().range;
        min + (max - min) * share(i)
    }))
}

/// Controls that change with every block.
fn restless(round: usize) -> Controls {
    Controls {
        amount: (round % 11) as f32 / 10.0,
        reaction_s: 0.1 + (round % 7) as f32,
        threshold: (round % 5) as f32 / 5.0,
        manual: Genre::from_index(round % 17),
        mode: Mode::ALL[round / 13 % 4],
        eq: round % 3 != 0,
        compressor: round % 4 != 0,
        output_db: (round % 9) as f32 - 4.0,
        bypass: round % 19 == 0,
        preset: round % 23,
        uncertain: if round % 2 == 0 { Uncertain::Ease } else { Uncertain::Keep },
        base: restless_base(round),
        input_db: (round % 7) as f32 - 3.0,
        gate: round % 5 != 0,
        drive: round % 6 != 0,
        width: round % 7 != 0,
        loudness: round % 8 != 0,
        limiter: round % 3 == 0,
        hold_base: round % 6 == 0,
        ceiling_db: -((round % 5) as f32),
        locks: std::array::from_fn(|section| (round + section) % 10 == 0),
        external_key: round % 2 == 0,
    }
}

#[test]
fn every_block_size_rate_and_backend() {
    for rate in [8_000.0, 44_100.0, 48_000.0, 192_000.0] {
        let sound = programme(rate, 1.0);
        for choice in CHOICES {
            let handle = Handle::new();
            let mut engine = engine(&handle, rate, false, choice);
            if choice == CHOICES[0] {
                engine = engine.with_limiter(LimiterMode::LookAhead);
            }
            let sizes = [0, 1, 2, 3, 16, 31, 32, 64, 441, 480, 512, 960, 1024, 2048, 4096, 8191, 8192];
            for (round, size) in sizes.into_iter().cycle().take(60).enumerate() {
                let mut block =
                    sound.each_ref().map(|c| c.iter().copied().cycle().take(size).collect::<Vec<_>>());
                let transport = match round % 4 {
                    0 => Transport::default(),
                    1 => at(round * 512),
                    2 => Transport {
                        position: Some(-77 * round as i64),
                        loop_start: Some(-900),
                        playing: true,
                    },
                    _ => Transport { playing: true, ..Transport::default() },
                };
                process(&mut engine, &mut block, transport, &restless(round));
                if round % 25 == 24 {
                    assert_no_alloc(|| engine.reset());
                }
            }
        }
    }
}

/// An open window's analyser is fed without an allocation, and the sound is what it is without one.
#[test]
fn somebody_looks_at_the_spectrum() {
    let sound = programme(48_000.0, 1.0);
    let render = |looks: bool| {
        let handle = Handle::new();
        let mut engine = engine(&handle, 48_000.0, false, CHOICES[0]);
        let mut out = Vec::new();
        for (round, start) in (0..sound[0].len() - 512).step_by(512).enumerate() {
            if looks && round % 20 == 0 {
                handle.telemetry().tap().look();
            }
            let mut block = sound.each_ref().map(|c| c[start..start + 512].to_vec());
            process(&mut engine, &mut block, at(start), &Controls::default());
            out.extend_from_slice(&block[0]);
        }
        let mut kept = vec![0.0; 16_384];
        let heard = handle.telemetry().tap().recent(Point::After, &mut kept);
        assert_eq!(heard, looks);
        assert!(!looks || kept.iter().any(|sample| *sample != 0.0));
        out
    };
    assert_eq!(render(true), render(false));
}

#[test]
fn changes_while_playing_and_questions_to_the_worker() {
    let handle = Handle::new();
    let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: false });
    let song = programme(48_000.0, 4.0);
    let mut noise = Noise::new(2);
    let started = Instant::now();
    let (mut position, mut round) = (0, 0);
    let all_happened = |handle: &Handle| {
        let seen = handle.telemetry().snapshot();
        seen.swaps >= 8 && seen.cache[0] >= 8 && seen.cache[1] >= 8
    };
    while !all_happened(&handle) && started.elapsed() < Duration::from_secs(60) {
        // A change every six seconds of sound; the worker backends are where the cache is used.
        if round % 600 == 0 {
            let (backend, quantization) = CHOICES[(round / 600) % CHOICES.len()];
            // Host parameters, which a host may set on its audio thread.
            assert_no_alloc(|| {
                handle.select(backend, quantization);
                handle.set_cache_entries(1 + (round / 600) % 40);
                handle.set_cache_ttl_s(60.0);
            });
        }
        if round % 1700 == 0 {
            handle.clear_cache();
        }
        if round % 500 == 0 {
            handle.set_profiles((round % 1000 == 0).then(|| Preset::factory()[3].profiles));
        }
        if round % 500 == 250 {
            // With an own setting that is there, and with one that never comes.
            let own = if round % 1000 == 250 { 0.0 } else { 3.0 };
            let handed = [Some((Parameter::LowDb, own)), None];
            handle.hand_over(Some(Preset::factory()[5].profiles), handed);
        }
        // A loop of 4 s. The engine runs some hundred times faster than real time, so the worker gets a moment.
        let end = song[0].len().min(position + 400 + noise.below(200));
        let mut block = song.each_ref().map(|channel| channel[position..end].to_vec());
        process(&mut engine, &mut block, at(position), &Controls::default());
        position = if end == song[0].len() { 0 } else { end };
        round += 1;
        if round % 4 == 0 {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    let seen = handle.telemetry().snapshot();
    assert!(all_happened(&handle), "swaps {} cache {:?}", seen.swaps, seen.cache);
}

#[test]
fn each_stage_by_itself() {
    let mut sound = programme(48_000.0, 2.0);
    let mut front = FrontEnd::new(48_000.0);
    let mut framer = Framer::new(front.hop());
    let mut history = History::new();
    let mut rules = SpectralRules::new();
    let limits = CacheLimits { entries: 64, ttl_s: 20.0, ..CacheLimits::default() };
    let mut cache = AnswerCache::new(limits);
    let [left, right] = &mut sound;
    let length = left.len();
    let channels: &[&mut [f32]] = &[left, right];
    let mut features = Features::default();
    assert_no_alloc(|| {
        framer.begin_block(at(13));
        let mut start = 0;
        while start < length {
            let end = length.min(start + framer.run());
            if let Some(frame) = framer.push(channels, start, end) {
                features = *front.push(frame.samples);
                history.push(&features, front.bands_db());
                rules.push(&features);
            }
            start = end;
        }
        // Far more different sketches than the cache holds, many times over, and limits that change.
        let mut sketch = history.sketch(history.count(), 90).unwrap_or_else(|| std::process::abort());
        let mut random = 1u64;
        for now in 0..20_000 {
            random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            sketch.0[(random >> 40) as usize % 4] = 20 * ((random >> 50) % 10) as i16;
            let scope = Scope { model: random >> 63, rate: 1, frames: 90 };
            cache.put(scope, &sketch, Posterior::certain(Genre::Jazz), now);
            sketch.0[5] ^= 1;
            cache.get(scope, &sketch, 0.7, now);
            cache.sweep(now);
            if now % 1000 == 0 {
                cache.set_limits(CacheLimits { entries: (now / 100) as usize, ..limits });
            }
        }
        cache.clear();
        front.reset();
        framer.reset();
        history.reset();
    });
    assert!(rules.posterior().is_valid());
}

/// Classes that are no genres, a network that rests, and a model whose file comes back while playing.
#[test]
fn files_of_the_user() {
    let mut model = random::flagship(70);
    model.meta.classes = ["rain", "rock", "wind", "speech", "traffic"].map(String::from).to_vec();
    let [onnx, tflite] = [onnx_write::write(&model).unwrap(), tflite_write::write(&model).unwrap()];
    let mut sound = programme(48_000.0, 2.0);
    for bytes in [onnx, tflite] {
        let handle = Handle::new();
        handle.select_model(ModelSource::Bytes { name: "weather".into(), bytes: bytes.into() });
        let mut engine = engine(&handle, 48_000.0, false, CHOICES[0]);
        process(&mut engine, &mut sound, at(0), &Controls::default());
        assert!(handle.top_class().is_some());
    }
    // Those that take samples, one after the other: on the worker, on the audio thread, and at a rate that has to be
    // converted. The sound that a question was about must not be freed where the next one is asked.
    let handle = Handle::new();
    let mut engine = handle.start(Config { sample_rate: 44_100.0, channels: 2, offline: false });
    let mut position = 0;
    for bytes in [
        samples::described(&[Some(1), None], 48_000),
        onnx_write::write(&samples::chain()).unwrap(),
        samples::described(&[Some(1), Some(960)], 960),
    ] {
        let swaps = handle.telemetry().snapshot().swaps;
        handle.select_model(ModelSource::Bytes { name: "tones".into(), bytes: bytes.into() });
        let started = Instant::now();
        // An answer counts for a second and a half, so not much is played before the worker gets a moment.
        loop {
            let end = position + 8820;
            let mut block = sound.each_ref().map(|channel| channel[position..end].to_vec());
            process(&mut engine, &mut block, at(position), &Controls::default());
            position = end % 88_200;
            let seen = handle.telemetry().snapshot();
            if seen.swaps > swaps && seen.backend == handle.status().installed.0 {
                break;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it never answers");
            std::thread::sleep(Duration::from_millis(15));
        }
    }
    let network = Network::compile(&model).unwrap();
    let outputs = model.meta.genre_outputs().unwrap();
    let mut slot = Slot::new(Box::new(Recognizer::network(network, Backend::Onnx, outputs)));
    let (mut watch, history, features) = (Watch::default(), History::new(), Features::default());
    assert_no_alloc(|| {
        for frame in 0..2000 {
            let rests = watch.rests();
            let (answer, _) = slot.push(&features, &[], &history, rests);
            if !rests && watch.note(answer.is_some(), if frame < 500 { 20_000_000 } else { 1000 }) {
                slot.forget();
            }
        }
    });
    assert_eq!(watch.trouble(), Trouble::None);
}
