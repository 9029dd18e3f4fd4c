//! Gate, drive, width, loudness follower and limiter, each alone, against closed forms and the `ebur128` crate.

mod mix_support;
use ebur128::{EbuR128, Mode};
use idiom_engine::rt::mix::drive::{self, Drive};
use idiom_engine::rt::mix::follower::{self, Follower, MAX_DB_PER_S};
use idiom_engine::rt::mix::gate::{self, Gate};
use idiom_engine::rt::mix::glide::{MAX_TICK, tick_length};
use idiom_engine::rt::mix::limiter::{self, Limiter};
use idiom_engine::rt::mix::loudness::Meter;
use idiom_engine::rt::mix::trim::Trim;
use idiom_engine::rt::mix::width::{self, Width};
use idiom_engine::rt::mix::{MAX_CHANNELS, Work};
use mix_support::{Noise, at_loudness, pink};
use std::f64::consts::PI;

type Stereo = [Vec<f64>; 2];

/// Runs stereo sound through a processor, tick by tick. Both ends of a tick are told: `set`, then `process`.
fn through(rate: f32, sound: &Stereo, mut tick: impl FnMut(&mut Work, usize, usize)) -> Stereo {
    let length = tick_length(rate);
    let mut out = sound.clone();
    for (index, start) in (0..sound[0].len() / length * length).step_by(length).enumerate() {
        let mut work = [[0.0; MAX_TICK]; MAX_CHANNELS];
        for (work, side) in work.iter_mut().zip(sound) {
            work[..length].copy_from_slice(&side[start..start + length]);
        }
        tick(&mut work, length, index);
        for (work, side) in work.iter().zip(&mut out) {
            side[start..start + length].copy_from_slice(&work[..length]);
        }
    }
    out
}

fn noise(samples: usize) -> Stereo {
    let mut noise = Noise(3);
    std::array::from_fn(|_| (0..samples).map(|_| 0.5 * noise.next()).collect())
}

fn tone(hz: f64, amplitude: f64, rate: f32, seconds: f64) -> Stereo {
    let samples = (seconds * f64::from(rate)) as usize;
    let side: Vec<f64> =
        (0..samples).map(|n| amplitude * (2.0 * PI * hz * n as f64 / f64::from(rate)).sin()).collect();
    [side.clone(), side]
}

fn db(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-30).log10()
}

fn rms(side: &[f64]) -> f64 {
    (side.iter().map(|x| x * x).sum::<f64>() / side.len() as f64).sqrt()
}

/// Magnitude of one frequency, through a Blackman-Harris window.
fn partial(side: &[f64], hz: f64, rate: f32) -> f64 {
    let (mut re, mut im, mut sum) = (0.0, 0.0, 0.0);
    for (n, x) in side.iter().enumerate() {
        let t = 2.0 * PI * (n as f64 + 0.5) / side.len() as f64;
        let window = 0.35875 - 0.48829 * t.cos() + 0.14128 * (2.0 * t).cos() - 0.01168 * (3.0 * t).cos();
        let angle = 2.0 * PI * hz * n as f64 / f64::from(rate);
        re += window * x * angle.cos();
        im += window * x * angle.sin();
        sum += window;
    }
    2.0 * (re * re + im * im).sqrt() / sum
}

#[test]
fn at_neutral_every_processor_changes_no_bit() {
    let (rate, sound) = (48_000.0, noise(9_600));
    let tick = tick_length(rate);
    let mut trim = Trim::new(tick);
    let mut gate = Gate::new(rate, tick);
    let mut drive = Drive::new(rate, tick);
    let mut width = Width::new(rate, tick);
    let mut follower = Follower::new(rate, tick);
    let mut limiter = Limiter::new(rate, tick, false);
    let out = through(rate, &sound, |work, count, _| {
        trim.set(0.0);
        trim.process(work, 2, count, 0);
        gate.set(gate::Setting { threshold_db: -20.0, ratio: 10.0, ..gate::Setting::NEUTRAL });
        gate.process(work, 2, count, 0);
        drive.set(drive::Setting { drive_db: 12.0, hz: 300.0, mix: 0.0 });
        drive.process(work, 2, count, 0);
        width.set(width::Setting { bass_hz: 300.0, ..width::Setting::NEUTRAL });
        width.process(work, 2, count, 0);
        follower.set(follower::Setting { target_lufs: -6.0, range_db: 0.0 });
        follower.process(work, 2, count, 0);
        limiter.set(limiter::Setting { ceiling_db: -12.0, ..limiter::Setting::NEUTRAL });
        limiter.process(work, 2, count, 0);
    });
    assert!(out == sound);
    // The limiter that delays does so exactly, and one that has nothing to limit is exact too.
    for share in [0.0, 1.0] {
        let mut limiter = Limiter::new(rate, tick, true);
        let late = limiter.latency();
        let setting = limiter::Setting { ceiling_db: 0.0, share, ..limiter::Setting::NEUTRAL };
        let quiet = sound.clone().map(|side| side.iter().map(|x| 0.3 * x).collect::<Vec<_>>());
        let out = through(rate, &quiet, |work, count, _| {
            limiter.set(setting);
            limiter.process(work, 2, count, 0);
        });
        assert!(out[0][late..] == quiet[0][..quiet[0].len() - late] && late > 0);
    }
}

#[test]
fn a_gate_expands_below_its_threshold_by_ratio_and_range() {
    for rate in [22_050.0, 48_000.0, 192_000.0] {
        for (level, wanted) in [(-30.0, 0.0), (-56.0, 0.0), (-65.0, -5.0), (-75.0, -12.0)] {
            let setting = gate::Setting { threshold_db: -60.0, range_db: 12.0, ..gate::Setting::NEUTRAL };
            let mut gate = Gate::new(rate, tick_length(rate));
            gate.jump(setting);
            let sound = tone(4_000.0, 10f64.powf((level + 3.01) / 20.0), rate, 1.5);
            let out = through(rate, &sound, |work, count, _| {
                gate.set(setting);
                gate.process(work, 2, count, 0);
            });
            let from = sound[0].len() - sound[0].len() / 10;
            let change = db(rms(&out[0][from..]) / rms(&sound[0][from..]));
            assert!(
                (change - wanted).abs() < 0.15,
                "{change:.2} dB at {level} dBFS, {rate} Hz, not {wanted}"
            );
        }
    }
}

#[test]
fn a_gate_closes_later_than_it_opens_and_holds() {
    let rate = 48_000.0f32;
    let setting = gate::Setting {
        threshold_db: -40.0,
        hysteresis_db: 6.0,
        range_db: 40.0,
        ratio: 10.0,
        hold_ms: 50.0,
        ..gate::Setting::NEUTRAL
    };
    // A level that falls slowly and rises again, 10 dB a second.
    let samples = 4 * 48_000;
    let level = |n: usize| -35.0 - 10.0 * (2.0 - (n as f64 / 48_000.0 - 2.0).abs());
    let side: Vec<f64> = (0..samples)
        .map(|n| 2f64.sqrt() * 10f64.powf(level(n) / 20.0) * (2.0 * PI * 3_000.0 * n as f64 / 48_000.0).sin())
        .collect();
    let sound = [side.clone(), side];
    let mut gate = Gate::new(rate, tick_length(rate));
    gate.jump(setting);
    let mut gains = Vec::new();
    through(rate, &sound, |work, count, _| {
        gate.set(setting);
        gate.process(work, 2, count, 0);
        gains.push(f64::from(gate.gain_db()));
    });
    let level_at = |tick: usize| level(32 * tick);
    let closed = gains.iter().position(|gain| *gain < -1.0).unwrap();
    let opened = closed + gains[closed..].iter().position(|gain| *gain > -1.0).unwrap();
    // Closing: 6 dB under the threshold, then 50 ms of hold (0.5 dB) and the release's first dB.
    assert!((-47.3..-46.3).contains(&level_at(closed)), "closes at {:.1} dB", level_at(closed));
    assert!((-40.4..-39.6).contains(&level_at(opened)), "opens at {:.1} dB", level_at(opened));
}

/// What is not a harmonic of the tone but a fold of one, at most 20 kHz, relative to the tone.
fn worst_alias_db(rate: f32, hz: f64, drive_db: f64) -> f64 {
    let samples = 16_384;
    let hz = ((hz * samples as f64 / f64::from(rate)).round() + 0.37) * f64::from(rate) / samples as f64;
    let sound = tone(hz, 1.0, rate, 0.5 + samples as f64 / f64::from(rate));
    let setting = drive::Setting { drive_db, hz: 20.0, mix: 1.0 };
    let mut drive = Drive::new(rate, tick_length(rate));
    drive.jump(setting);
    let out = through(rate, &sound, |work, count, _| {
        drive.set(setting);
        drive.process(work, 2, count, 0);
    });
    let start = out[0].len() - samples - 256;
    let part = &out[0][start..start + samples];
    let rate64 = f64::from(rate);
    let bins = 8.0 * rate64 / samples as f64;
    let folds = (2..60).map(|k| f64::from(k) * hz).filter(|h| *h > rate64 / 2.0).filter_map(|h| {
        let fold = (h % rate64).min(rate64 - h % rate64);
        let near_harmonic = (0..60).any(|k| (f64::from(k) * hz - fold).abs() < bins);
        (!near_harmonic && fold < 20_000.0).then(|| partial(part, fold, rate))
    });
    db(folds.fold(0.0, f64::max) / partial(part, hz, rate))
}

#[test]
fn drive_folds_nothing_back_above_minus_90_db() {
    for rate in [44_100.0, 48_000.0, 96_000.0] {
        for hz in [1_000.0, 3_000.0, 5_000.0, 7_000.0, 10_000.0, 15_000.0] {
            let worst = worst_alias_db(rate, hz, 12.0);
            assert!(worst < -90.0, "{hz} Hz at {rate}: {worst:.1} dB");
        }
    }
}

#[test]
fn drive_adds_the_same_harmonics_at_every_rate_and_leaves_the_level() {
    for drive_db in [0.0, 6.0, 12.0] {
        let seen: Vec<f64> = [22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0]
            .into_iter()
            .map(|rate| {
                let sound = tone(1_000.0, 0.5, rate, 1.5);
                let setting = drive::Setting { drive_db, hz: 20.0, mix: 1.0 };
                let mut drive = Drive::new(rate, tick_length(rate));
                drive.jump(setting);
                let out = through(rate, &sound, |work, count, _| {
                    drive.set(setting);
                    drive.process(work, 2, count, 0);
                });
                let second = &out[0][rate as usize / 2..rate as usize];
                let level = db(partial(second, 1_000.0, rate) / 0.5);
                assert!(level.abs() < 0.05, "the tone itself moves by {level:.3} dB at {rate} Hz");
                db(partial(second, 3_000.0, rate))
            })
            .collect();
        assert!(seen.iter().all(|x| (x - seen[0]).abs() < 0.5), "third harmonic by rate: {seen:.2?}");
        assert!(seen[0] > -70.0 + 2.0 * drive_db, "{seen:?}");
    }
}

#[test]
fn width_never_changes_the_mono_sum_and_takes_the_bass_out_of_the_side() {
    let rate = 48_000.0;
    let run = |setting: width::Setting, sound: &Stereo| {
        let mut width = Width::new(rate, tick_length(rate));
        width.jump(setting);
        through(rate, sound, |work, count, _| {
            width.set(setting);
            width.process(work, 2, count, 0);
        })
    };
    let sound = noise(48_000);
    let wide = run(width::Setting { width: 1.6, mono_bass: 1.0, bass_hz: 150.0 }, &sound);
    for n in 0..48_000 {
        let change = wide[0][n] + wide[1][n] - sound[0][n] - sound[1][n];
        assert!(change.abs() < 1e-12, "the sum moves by {change}");
    }
    let side = |hz: f64, setting| {
        let left = tone(hz, 0.5, rate, 1.0)[0].clone();
        let sound = [left.clone(), left.iter().map(|x| -x).collect()];
        let out = run(setting, &sound);
        db(rms(&out[0][24_000..]) / rms(&sound[0][24_000..]))
    };
    let setting = width::Setting { width: 1.5, mono_bass: 1.0, bass_hz: 120.0 };
    assert!((side(5_000.0, setting) - 3.52).abs() < 0.02);
    assert!(
        (side(120.0, setting) - 0.51).abs() < 0.05,
        "half the power at the corner: {}",
        side(120.0, setting)
    );
    assert!(side(30.0, setting) < -20.0);
    assert!(side(5_000.0, width::Setting { width: 0.0, ..setting }) < -200.0);
}

fn reference(rate: f32, channels: u32, mode: Mode) -> EbuR128 {
    EbuR128::new(channels, rate as u32, mode).unwrap()
}

#[test]
fn momentary_and_short_term_loudness_are_those_of_the_reference() {
    for rate in [22_050.0f32, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        let samples = 6 * rate as usize;
        let loud: Vec<Vec<f32>> = (1..3).map(|seed| pink(seed, rate.into(), samples)).collect();
        let mut meter = Meter::new(rate);
        let mut judge = reference(rate, 2, Mode::M | Mode::S);
        let step = (rate / 10.0).round() as usize;
        for part in 0..60 {
            // The level changes all the time.
            let gain = 0.2 * (1.0 + (part as f32 * 0.7).sin()) + 0.01;
            let sides: Vec<Vec<f32>> = loud
                .iter()
                .map(|side| side[part * step..(part + 1) * step].iter().map(|x| gain * x).collect())
                .collect();
            judge.add_frames_planar_f32(&[&sides[0], &sides[1]]).unwrap();
            for start in (0..step).step_by(MAX_TICK) {
                let end = step.min(start + MAX_TICK);
                let mut work = [[0.0; MAX_TICK]; MAX_CHANNELS];
                for (work, side) in work.iter_mut().zip(&sides) {
                    work.iter_mut().zip(&side[start..end]).for_each(|(w, x)| *w = f64::from(*x));
                }
                meter.push(&work, 2, end - start);
            }
            if part >= 30 {
                let (m, s) = (judge.loudness_momentary().unwrap(), judge.loudness_shortterm().unwrap());
                assert!(
                    (meter.momentary() - m).abs() < 0.1,
                    "momentary {} not {m} at {rate}",
                    meter.momentary()
                );
                assert!(
                    (meter.short_term() - s).abs() < 0.1,
                    "short-term {} not {s} at {rate}",
                    meter.short_term()
                );
            }
        }
    }
}

/// Sound through the follower, and its gain at the end of each tick.
fn followed(rate: f32, sound: &Stereo, setting: follower::Setting) -> (Stereo, Vec<f64>) {
    let mut follower = Follower::new(rate, tick_length(rate));
    let mut gains = Vec::new();
    let out = through(rate, sound, |work, count, _| {
        follower.set(setting);
        follower.process(work, 2, count, 0);
        gains.push(f64::from(follower.gain_db()));
    });
    (out, gains)
}

#[test]
fn the_follower_reaches_its_target_within_0_3_lu_and_never_leaves_its_bounds() {
    for rate in [44_100.0f32, 48_000.0, 96_000.0] {
        let samples = 20 * rate as usize;
        let base: Vec<Vec<f32>> = (1..3).map(|seed| pink(seed, rate.into(), samples)).collect();
        for (lufs, wanted) in [(-30.0, -23.0), (-19.0, -23.0), (-40.0, -28.0)] {
            let mut judge = reference(rate, 2, Mode::S);
            judge.add_frames_planar_f32(&[&base[0], &base[1]]).unwrap();
            let gain = 10f64.powf((lufs - judge.loudness_shortterm().unwrap()) / 20.0);
            let sound: Stereo =
                std::array::from_fn(|i| base[i].iter().map(|x| gain * f64::from(*x)).collect());
            let (out, gains) =
                followed(rate, &sound, follower::Setting { target_lufs: -23.0, range_db: 12.0 });
            let mut judge = reference(rate, 2, Mode::S);
            judge.add_frames_planar_f64(&[&out[0], &out[1]]).unwrap();
            let got = judge.loudness_shortterm().unwrap();
            assert!((got - wanted).abs() < 0.3, "{got:.2} LUFS from {lufs} at {rate} Hz, not {wanted}");
            assert!(gains.iter().all(|gain| gain.abs() <= 12.0));
            let most = MAX_DB_PER_S * f64::from(tick_length(rate) as u32) / f64::from(rate);
            assert!(gains.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= most + 1e-5));
        }
    }
}

#[test]
fn the_follower_leaves_pauses_alone() {
    let rate = 48_000.0;
    let talk = at_loudness((1..3).map(|seed| pink(seed, 48_000.0, 10 * 48_000)).collect(), -26.0);
    let mut sound: Stereo = std::array::from_fn(|i| talk[i].iter().map(|x| f64::from(*x)).collect());
    let talking = sound[0].len();
    for side in &mut sound {
        // Room noise 45 dB below, then true silence, then talk again.
        let more: Vec<f64> = side[..4 * 48_000].iter().map(|x| 0.0056 * x).collect();
        side.extend(more);
        side.extend(vec![0.0; 4 * 48_000]);
        let again = side[..2 * 48_000].to_vec();
        side.extend(again);
    }
    let (_, gains) = followed(rate, &sound, follower::Setting { target_lufs: -20.0, range_db: 10.0 });
    let (before, after) = (gains[talking / 32 - 1], gains.last().unwrap());
    assert!((before - 6.0).abs() < 0.5, "{before}");
    assert!(gains[talking / 32..].iter().all(|gain| (gain - before).abs() < 0.6), "{before} to {after}");
}

/// Sounds that have their peaks between the samples, jump, or are nothing but peaks. Up to +6 dBFS.
fn hostile(rate: f32) -> Vec<(&'static str, Stereo)> {
    let samples = rate as usize;
    let same = |f: &mut dyn FnMut(usize) -> f64| {
        let side: Vec<f64> = (0..samples).map(f).collect();
        [side.clone(), side]
    };
    let at = |hz: f64, n: usize| 2.0 * PI * hz * n as f64 / f64::from(rate);
    let quarter = f64::from(rate) / 4.0;
    let mut noise = Noise(11);
    let mut white = noise.next();
    let mut clicks = Noise(5);
    vec![
        (
            "a tone at a quarter of the rate, between its samples",
            same(&mut |n| 2.0 * (at(quarter, n) + PI / 4.0).sin()),
        ),
        ("square wave", same(&mut |n| if at(441.0, n).sin() >= 0.0 { 1.9 } else { -1.9 })),
        ("white noise", same(&mut |_| 2.0 * noise.next())),
        (
            "held noise",
            same(&mut |n| {
                if n % 7 == 0 {
                    white = 1.8 * clicks.next();
                }
                white
            }),
        ),
        ("single clicks", same(&mut |n| if n % 1_500 == 700 { 2.0 } else { 0.0 })),
        (
            "alternating full scale in bursts",
            same(&mut |n| if n / 500 % 2 == 0 { if n % 2 == 0 { 1.5 } else { -1.5 } } else { 0.1 }),
        ),
        (
            "sweep",
            same(&mut |n| {
                let t = n as f64 / f64::from(rate);
                1.7 * (2.0 * PI * (50.0 * t + 9_000.0 * t * t)).sin()
            }),
        ),
        ("bass with treble on top", same(&mut |n| at(60.0, n).sin() + 0.9 * at(9_999.0, n).sin())),
        (
            "tones that start and stop",
            same(&mut |n| if n / 3_000 % 2 == 0 { 2.0 * (at(11_025.0, n) + 0.8).sin() } else { 0.0 }),
        ),
    ]
}

#[test]
fn no_true_peak_exceeds_the_ceiling_by_a_tenth_of_a_decibel() {
    for rate in [44_100.0f32, 48_000.0, 96_000.0] {
        for (name, sound) in hostile(rate) {
            for (ceiling_db, release_ms) in [(-1.0, 20.0), (-6.0, 200.0)] {
                let setting = limiter::Setting { ceiling_db, release_ms, share: 1.0 };
                let mut limiter = Limiter::new(rate, tick_length(rate), true);
                limiter.jump(setting);
                let out = through(rate, &sound, |work, count, _| {
                    limiter.set(setting);
                    limiter.process(work, 2, count, 0);
                });
                let whole = out[0].len() / tick_length(rate) * tick_length(rate);
                let mut judge = reference(rate, 2, Mode::TRUE_PEAK);
                judge.add_frames_planar_f64(&[&out[0][..whole], &out[1][..whole]]).unwrap();
                let peak = db(judge.true_peak(0).unwrap());
                assert!(peak < ceiling_db + 0.1, "{name} at {rate} Hz: {peak:.2} dBTP over {ceiling_db}");
                let loudest = out[0][..whole].iter().fold(0.0f64, |a, x| a.max(x.abs()));
                assert!(db(loudest) > ceiling_db - 8.0, "{name}: limited to {:.1} dBFS only", db(loudest));
            }
        }
    }
}

#[test]
fn without_latency_the_sample_peak_is_held() {
    for rate in [44_100.0f32, 192_000.0] {
        for (name, sound) in hostile(rate) {
            let setting = limiter::Setting { ceiling_db: -1.0, release_ms: 50.0, share: 1.0 };
            let mut limiter = Limiter::new(rate, tick_length(rate), false);
            limiter.jump(setting);
            assert_eq!(limiter.latency(), 0);
            let out = through(rate, &sound, |work, count, _| {
                limiter.set(setting);
                limiter.process(work, 2, count, 0);
            });
            let whole = out[0].len() / tick_length(rate) * tick_length(rate);
            let peak = out[0][..whole].iter().fold(0.0f64, |a, x| a.max(x.abs()));
            assert!(db(peak) <= -1.0, "{name} at {rate} Hz: {:.2} dBFS", db(peak));
        }
    }
}

#[test]
fn the_latency_is_the_same_time_at_every_rate() {
    for rate in [8_000.0f32, 22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0, 384_000.0] {
        let limiter = Limiter::new(rate, tick_length(rate), true);
        // 2 ms to the nearest sample.
        assert_eq!(limiter.latency(), (0.002 * rate).round() as usize, "at {rate} Hz");
    }
}

#[test]
fn after_silence_nothing_small_remains_to_be_computed_with() {
    let rate = 48_000.0;
    let tick = tick_length(rate);
    let mut sound = noise(48_000);
    sound.iter_mut().for_each(|side| side.extend(vec![0.0; 10 * 48_000]));
    let mut gate = Gate::new(rate, tick);
    let mut drive = Drive::new(rate, tick);
    let mut width = Width::new(rate, tick);
    let mut follower = Follower::new(rate, tick);
    let mut limiter = Limiter::new(rate, tick, true);
    let out = through(rate, &sound, |work, count, _| {
        gate.set(gate::Setting { range_db: 20.0, ..gate::Setting::NEUTRAL });
        gate.process(work, 2, count, 0);
        drive.set(drive::Setting { drive_db: 6.0, hz: 100.0, mix: 0.5 });
        drive.process(work, 2, count, 0);
        width.set(width::Setting { width: 1.2, mono_bass: 1.0, bass_hz: 120.0 });
        width.process(work, 2, count, 0);
        follower.set(follower::Setting { target_lufs: -18.0, range_db: 6.0 });
        follower.process(work, 2, count, 0);
        limiter.set(limiter::Setting { share: 1.0, ..limiter::Setting::NEUTRAL });
        limiter.process(work, 2, count, 0);
    });
    let tail = &out[0][6 * 48_000..];
    assert!(
        tail.iter().all(|x| *x == 0.0),
        "something below {:e} goes on",
        tail.iter().fold(0.0f64, |a, x| a.max(x.abs()))
    );
}
