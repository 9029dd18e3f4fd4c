//! Whatever comes in, what goes out is finite, and the engine recovers.

mod engine_support;

use engine_support::{KINDS, Noise, at, eager, engine, play, programme};
use idiom_engine::profile::{PARAMETERS, Profile};
use idiom_engine::{Config, Controls, Genre, Handle, Mode, Transport, Uncertain};

const RATE: f32 = 48_000.0;

/// Sounds that no host should send, half a second each.
fn horrors() -> Vec<(&'static str, Vec<f32>)> {
    let mut noise = Noise::new(9);
    let samples = RATE as usize / 2;
    let all = |x: f32| vec![x; samples];
    let mut anything = || f32::from_bits((noise.below(1 << 16) as u32) << 16 | noise.below(1 << 16) as u32);
    vec![
        ("NaN", all(f32::NAN)),
        ("infinity", all(f32::INFINITY)),
        ("minus infinity", all(f32::NEG_INFINITY)),
        ("the largest number", all(f32::MAX)),
        (
            "alternating extremes",
            (0..samples).map(|i| if i % 2 == 0 { f32::MAX } else { f32::MIN }).collect(),
        ),
        ("denormals", all(1e-40)),
        ("the smallest number", all(f32::from_bits(1))),
        ("silence", all(0.0)),
        ("minus zero", all(-0.0)),
        ("a DC offset", all(1.0)),
        ("one impulse", (0..samples).map(|i| if i == 100 { 1e9 } else { 0.0 }).collect()),
        ("any bits", (0..samples).map(|_| anything()).collect()),
    ]
}

#[test]
fn the_output_is_finite_and_the_answer_recovers() {
    for choice in KINDS {
        let (early, clean) = {
            let handle = Handle::new();
            let mut engine = engine(&handle, RATE, true, choice);
            let mut early = None;
            let mut sound = programme(RATE, 20.0);
            play(
                &mut engine,
                &mut sound,
                &eager(),
                || 480,
                |end| {
                    if end == 5 * 48_000 {
                        early = Some(handle.telemetry().snapshot());
                    }
                },
            );
            (early.expect("blocks end there"), handle.telemetry().snapshot())
        };
        let handle = Handle::new();
        let mut engine = engine(&handle, RATE, true, choice);
        for (name, sound) in horrors() {
            let mut sound = [sound.clone(), sound];
            play(&mut engine, &mut sound, &eager(), || 333, |_| {});
            assert!(sound.iter().flatten().all(|x| x.is_finite()), "{choice:?} {name}");
            let seen = handle.telemetry().snapshot();
            assert!(seen.posterior.is_valid() && seen.confidence.is_finite(), "{choice:?} {name}: {seen:?}");
        }
        // The slow level that the columns count from forgets with a time constant of 3 s.
        let mut sound = programme(RATE, 20.0);
        play(&mut engine, &mut sound, &eager(), || 480, |_| {});
        assert!(sound.iter().flatten().all(|x| x.is_finite()));
        let hurt = handle.telemetry().snapshot();
        assert_eq!(hurt.backend, clean.backend);
        for genre in Genre::ALL {
            let (a, b) = (hurt.posterior.of(genre), clean.posterior.of(genre));
            assert!((a - b).abs() < 0.05, "{choice:?} {genre:?}: {a} after horrors, {b} without");
        }
        // And a reset forgets them altogether.
        engine.reset();
        let mut sound = programme(RATE, 5.0);
        play(&mut engine, &mut sound, &eager(), || 480, |_| {});
        let again = handle.telemetry().snapshot();
        assert_eq!(again.posterior, early.posterior, "{choice:?}");
        assert_eq!((again.genre, again.verdict), (early.genre, early.verdict));
    }
}

#[test]
fn strange_blocks_controls_and_transports_do_no_harm() {
    let handle = Handle::new();
    let mut noise = Noise::new(3);
    for channels in [0, 1, 2, 3, 1_000_000] {
        let mut engine = handle.start(Config { sample_rate: RATE, channels, offline: false });
        for round in 0..300 {
            let mut buffers: Vec<Vec<f32>> = (0..round % 5)
                // Not even of one length.
                .map(|channel| {
                    (0..noise.below(700) * usize::from(round % 7 != 0) + channel)
                        .map(|_| noise.next())
                        .collect()
                })
                .collect();
            let shortest = buffers.iter().map(Vec::len).min().unwrap_or(0);
            let mut slices: Vec<&mut [f32]> = buffers.iter_mut().map(|b| &mut b[..]).collect();
            let position =
                [None, Some(i64::MIN), Some(i64::MAX), Some(-5), Some(round as i64 * 64)][round % 5];
            let odd = [f32::NAN, f32::INFINITY, -1e30, 0.0, 1.0][round % 5];
            let controls = Controls {
                amount: odd,
                reaction_s: odd,
                threshold: odd,
                output_db: odd,
                manual: Genre::from_index(round % 7),
                mode: Mode::ALL[round % 4],
                eq: round % 2 == 0,
                compressor: round % 4 == 0,
                bypass: round % 11 == 0,
                preset: round % 40,
                uncertain: if round % 2 == 0 { Uncertain::Keep } else { Uncertain::Ease },
                base: Profile::from_values([odd; PARAMETERS]),
                input_db: odd,
                gate: round % 3 != 0,
                drive: round % 5 != 0,
                width: round % 7 != 0,
                loudness: round % 2 == 1,
                limiter: round % 6 < 3,
                ceiling_db: odd,
                hold_base: round % 3 == 1,
                locks: std::array::from_fn(|section| (round >> (section % 4)) % 2 == 1),
                external_key: round % 9 < 5,
            };
            engine.process(
                &mut slices,
                Transport { playing: round % 2 == 0, position, loop_start: position.map(|p| p / 2) },
                &controls,
            );
            assert!(
                buffers.iter().all(|b| b[..shortest].iter().all(|x| x.is_finite())),
                "{channels} {round}"
            );
            if round % 100 == 99 {
                engine.reset();
            }
        }
    }
}

#[test]
fn every_sample_rate_plays() {
    for rate in [8_000.0, 11_025.0, 22_050.0, 44_100.0, 88_200.0, 192_000.0, 384_000.0] {
        let handle = Handle::new();
        let mut engine = handle.start(Config { sample_rate: rate, channels: 2, offline: true });
        let mut sound = programme(rate, 2.5);
        play(&mut engine, &mut sound, &eager(), || 8192, |_| {});
        assert!(sound.iter().flatten().all(|x| x.is_finite()));
        let frames = handle.telemetry().snapshot().frames as f32;
        assert!((frames - 125.0).abs() <= 1.0, "{rate}: {frames}");
    }
}

#[test]
fn a_dropped_handle_leaves_the_engine_playing() {
    let handle = Handle::new();
    let mut engine = handle.start(Config { sample_rate: RATE, channels: 2, offline: false });
    let telemetry = std::sync::Arc::clone(handle.telemetry());
    drop(handle);
    let (mut left, mut right) = (vec![0.1; 96_000], vec![0.1; 96_000]);
    engine.process(&mut [&mut left, &mut right], at(0), &eager());
    assert_eq!(telemetry.snapshot().frames, 100);
}
