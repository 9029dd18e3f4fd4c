//! The compressor against closed forms: static curve, time constants, linking, automatic make-up.

mod mix_support;
use idiom_engine::profile::{Parameter, Profile, Profiles};
use idiom_engine::rt::mix::compressor::{Compressor, Setting};
use idiom_engine::rt::mix::glide::{MAX_TICK, tick_length};
use idiom_engine::rt::mix::{MAX_CHANNELS, MixStage};
use idiom_engine::{Controls, LimiterMode};
use mix_support::sine;

const DETECTOR_MS: f64 = 5.0;

const SETTING: Setting = Setting {
    threshold_db: -20.0,
    slope: 0.75,
    knee_db: 6.0,
    detector_ms: DETECTOR_MS,
    attack_ms: 10.0,
    release_ms: 100.0,
    auto_makeup: 0.0,
    ..Setting::NEUTRAL
};

/// The gain in dB of the left channel at every sample of a signal.
fn gains(setting: Setting, rate: f32, left: &[f64], right: &[f64]) -> Vec<f32> {
    both_gains(setting, rate, left, right).into_iter().map(|[left, _]| left).collect()
}

/// The gains in dB of both channels at every sample of a signal.
fn both_gains(setting: Setting, rate: f32, left: &[f64], right: &[f64]) -> Vec<[f32; 2]> {
    let tick = tick_length(rate);
    let channels = if right.is_empty() { 1 } else { 2 };
    let mut compressor = Compressor::new(rate, tick);
    compressor.jump(setting);
    let mut gains = Vec::new();
    for (start, part) in (0..).step_by(tick).zip(left.chunks(tick)) {
        let mut heard = [[0.0; MAX_TICK]; MAX_CHANNELS];
        heard[0][..part.len()].copy_from_slice(part);
        if let Some(part) = right.get(start..start + part.len()) {
            heard[1][..part.len()].copy_from_slice(part);
        }
        compressor.set(setting);
        let [left, right] = compressor.hear(&heard, channels, part.len(), 0);
        let pairs = left.iter().zip(right).take(part.len());
        gains.extend(pairs.map(|(left, right)| [left, right].map(|gain| 20.0 * gain.log10())));
    }
    gains
}

/// A square wave: its mean square is the same at every sample, so its level is exact.
fn square(level_db: f64, samples: usize) -> Vec<f64> {
    let amplitude = 10f64.powf(level_db / 20.0);
    (0..samples).map(|n| if n / 24 % 2 == 0 { amplitude } else { -amplitude }).collect()
}

/// Output level by the textbook curve (Giannoulis, Massberg & Reiss 2012, eq. 4).
fn curve(x: f64, threshold: f64, ratio: f64, knee: f64) -> f64 {
    if 2.0 * (x - threshold) <= -knee {
        x
    } else if 2.0 * (x - threshold).abs() <= knee {
        x + (1.0 / ratio - 1.0) * (x - threshold + knee / 2.0).powi(2) / (2.0 * knee)
    } else {
        threshold + (x - threshold) / ratio
    }
}

#[test]
fn the_static_curve_is_the_textbooks_within_a_tenth_of_a_decibel() {
    for rate in [22_050.0, 48_000.0, 192_000.0] {
        for (ratio, knee) in [(1.0, 6.0), (1.5, 0.0), (2.0, 6.0), (4.0, 12.0), (20.0, 3.0)] {
            let setting = Setting { slope: 1.0 - 1.0 / ratio, knee_db: knee, ..SETTING };
            for level in (-50..=0).step_by(2).map(f64::from) {
                let input = square(level, (0.5 * rate) as usize);
                let out = level + f64::from(*gains(setting, rate, &input, &[]).last().unwrap());
                let want = curve(level, -20.0, ratio, knee);
                assert!((out - want).abs() < 0.1, "{ratio}:1 knee {knee} at {level}: {out:.3} not {want:.3}");
            }
        }
    }
}

#[test]
fn a_full_scale_sine_counts_as_minus_3_dbfs() {
    let input: Vec<f64> = sine(997.0, 1.0, 48_000.0, 24_000).iter().map(|&x| f64::from(x)).collect();
    let out = -3.01 + f64::from(*gains(SETTING, 48_000.0, &input, &[]).last().unwrap());
    let want = curve(-3.01, -20.0, 4.0, 6.0);
    assert!((out - want).abs() < 0.1, "{out:.3} instead of {want:.3}");
}

/// Milliseconds after the step until the gain has gone 63 % of the way from its value there to its last one.
fn time_constant_ms(gains: &[f32], step: usize, rate: f32) -> f32 {
    let (from, to) = (gains[step - 1], gains[gains.len() - 1]);
    let goal = from + (to - from) * (1.0 - (-1.0f32).exp());
    let reached = gains[step..].iter().position(|&g| (g - from).abs() >= (goal - from).abs()).unwrap();
    1_000.0 * reached as f32 / rate
}

#[test]
fn attack_and_release_take_their_time_behind_the_detector() {
    for rate in [44_100.0, 96_000.0] {
        let second = rate as usize;
        for (attack_ms, release_ms) in [(10.0, 100.0), (30.0, 300.0), (100.0, 600.0)] {
            let setting = Setting { attack_ms, release_ms, ..SETTING };
            let mut input = square(-40.0, second);
            input.extend(square(0.0, 2 * second));
            let attack = time_constant_ms(&gains(setting, rate, &input, &[]), second, rate) as f64;
            // The detector's 5 ms is an exponential in power: 40 dB up, it is within 3 dB after less than 4 ms.
            let slack = DETECTOR_MS;
            assert!(
                (0.95 * attack_ms..1.05 * attack_ms + slack).contains(&attack),
                "attack {attack:.1} ms instead of {attack_ms} ms at {rate} Hz"
            );
            let mut input = square(0.0, 2 * second);
            input.extend(square(-40.0, 4 * second));
            let release = time_constant_ms(&gains(setting, rate, &input, &[]), 2 * second, rate) as f64;
            // Downwards the same exponential falls 4.34 dB in 5 ms: about 20 ms more until the threshold is passed.
            assert!(
                (0.95 * release_ms..1.05 * release_ms + 5.0 * slack).contains(&release),
                "release {release:.1} ms instead of {release_ms} ms at {rate} Hz"
            );
        }
    }
}

#[test]
fn the_louder_channel_rules_both() {
    let loud = square(-6.0, 24_000);
    let soft = square(-40.0, 24_000);
    let alone = gains(SETTING, 48_000.0, &loud, &[]);
    assert_eq!(alone, gains(SETTING, 48_000.0, &loud, &soft));
    assert_eq!(alone, gains(SETTING, 48_000.0, &soft, &loud));
    assert!(*alone.last().unwrap() < -9.0);
}

#[test]
fn with_a_peak_detector_attack_and_release_are_exact_at_every_rate() {
    for rate in [22_050.0f32, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        let second = rate as usize;
        for (attack_ms, release_ms) in [(1.0, 50.0), (10.0, 100.0), (50.0, 400.0)] {
            let setting = Setting { attack_ms, release_ms, detector_ms: 0.01, ..SETTING };
            let mut input = square(-40.0, second / 2);
            input.extend(square(0.0, second));
            let attack = f64::from(time_constant_ms(&gains(setting, rate, &input, &[]), second / 2, rate));
            assert!(
                (attack / attack_ms - 1.0).abs() < 0.05,
                "attack {attack} ms for {attack_ms} at {rate} Hz"
            );
            let mut input = square(0.0, second);
            input.extend(square(-40.0, 3 * second));
            let release = f64::from(time_constant_ms(&gains(setting, rate, &input, &[]), second, rate));
            assert!(
                (release / release_ms - 1.0).abs() < 0.05,
                "release {release} ms for {release_ms} at {rate} Hz"
            );
        }
    }
}

#[test]
fn a_programme_dependent_release_is_quick_after_a_peak_and_slow_after_a_passage() {
    let setting = Setting { auto_release: 1.0, detector_ms: 0.01, attack_ms: 1.0, ..SETTING };
    let release = |loud_ms: usize| {
        let mut input = square(-40.0, 48_000);
        input.extend(square(0.0, 48 * loud_ms));
        let step = input.len();
        input.extend(square(-40.0, 5 * 48_000));
        time_constant_ms(&gains(setting, 48_000.0, &input, &[]), step, 48_000.0)
    };
    let (peak, passage) = (release(10), release(5_000));
    assert!((100.0..130.0).contains(&peak), "{peak} ms after a peak");
    assert!((250.0..=500.0).contains(&passage), "{passage} ms after a passage");
}

#[test]
fn unlinked_channels_go_their_own_way_and_half_linked_ones_halfway() {
    let (loud, soft) = (square(0.0, 48_000), square(-40.0, 48_000));
    let last = |link| both_gains(Setting { link, ..SETTING }, 48_000.0, &loud, &soft)[47_999];
    let [left, right] = last(0.0);
    assert!((left + 15.0).abs() < 0.1 && right.abs() < 0.01, "{left} and {right} dB");
    let [left, right] = last(0.5);
    assert!((left + 15.0).abs() < 0.1 && (right + 7.5).abs() < 0.1, "{left} and {right} dB");
}

#[test]
fn parallel_compression_adds_the_untouched_sound() {
    let input = square(0.0, 48_000);
    let gain = *gains(Setting { mix: 0.25, ..SETTING }, 48_000.0, &input, &[]).last().unwrap();
    let wanted = 20.0 * (0.75 + 0.25 * 10f32.powf(-15.0 / 20.0)).log10();
    assert!((gain - wanted).abs() < 0.02, "{gain} instead of {wanted} dB");
}

#[test]
fn an_external_side_chain_moves_the_sound_and_rumble_does_not() {
    let tick = tick_length(48_000.0);
    let reduction = |key_level: f64, key_hz: f64, corner: f64| {
        let mut compressor = Compressor::new(48_000.0, tick);
        let setting = Setting { key_hz: corner, external: 1.0, ..SETTING };
        compressor.jump(setting);
        let key = sine(key_hz, 10f64.powf(key_level / 20.0), 48_000.0, 48_000);
        for part in key.chunks_exact(tick) {
            let mut side = [[0.0; 256]; 2];
            let mut work = [[0.01; 256]; 2];
            for (n, x) in part.iter().enumerate() {
                side[0][n] = f64::from(*x);
                side[1][n] = f64::from(*x);
            }
            compressor.set(setting);
            compressor.process(&mut work, Some(&side), 2, tick, 0);
        }
        compressor.reduction_db()
    };
    assert!(reduction(0.0, 1_000.0, 90.0) < -11.0);
    assert!(reduction(-60.0, 1_000.0, 90.0) > -0.01, "the sound itself would not be compressed");
    let (low, high) = (reduction(0.0, 50.0, 20.0), reduction(0.0, 50.0, 400.0));
    assert!(low < -11.0 && high > -1.0, "{low} dB at 20 Hz, {high} dB at 400 Hz");
}

/// The whole mix stage with an external side chain: in dB, what the sound gains after a second.
fn ducked(base: Profile, key: &[f32], controls: &Controls) -> f64 {
    let mut stage = MixStage::new(48_000.0, 2, &Profiles::default(), LimiterMode::ZeroLatency);
    let controls = Controls { base, external_key: true, ..*controls };
    let sound = sine(440.0, 0.01, 48_000.0, key.len());
    let mut output = [sound.clone(), sound.clone()];
    let mut slices: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[..]).collect();
    stage.process(&mut slices, &[key], 0, key.len(), &controls);
    let power = |x: &[f32]| x[x.len() - 4_800..].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
    10.0 * (power(&output[0]) / power(&sound)).log10()
}

/// A key at level L above the threshold T takes (1 - 1/R)(L - T) dB off the sound, as long as it lasts: no make-up.
#[test]
fn an_external_side_chain_ducks_by_the_static_curve() {
    for seconds in [1, 12] {
        for (level, threshold, ratio) in [
            (-20.0f64, -30.0, 4.0),
            (-20.0, -30.0, 20.0),
            (-9.0, -18.0, 2.0),
            (-12.0, -40.0, 1.5),
            (-50.0, -30.0, 8.0),
        ] {
            let mut base = Profile::NEUTRAL;
            base[Parameter::Threshold] = threshold as f32;
            base[Parameter::Ratio] = ratio as f32;
            // A sine's RMS lies 3 dB under its peak. It lies far above the side chain's low cut.
            let key = sine(2_000.0, 2f64.sqrt() * 10f64.powf(level / 20.0), 48_000.0, seconds * 48_000);
            let gain = ducked(base, &key, &Controls::default());
            let wanted = curve(level, threshold, ratio, 6.0) - level;
            assert!(
                (gain - wanted).abs() < 0.1,
                "{gain:.2} dB, not {wanted:.2}, after {seconds} s of a key of {level} dB over {threshold} dB at {ratio}:1"
            );
            let silent = ducked(base, &vec![0.0; key.len()], &Controls::default());
            assert!(silent.abs() < 1e-6, "{silent} dB without a key");
        }
    }
}

/// The make-up that had been in force leaves with the own sound and comes back with it, within a tenth of a second, and
/// nothing of the key has become the programme.
#[test]
fn the_automatic_make_up_makes_way_for_an_external_side_chain_and_returns() {
    let mut base = Profile::NEUTRAL;
    base[Parameter::Threshold] = -30.0;
    base[Parameter::Ratio] = 4.0;
    let mut stage = MixStage::new(48_000.0, 2, &Profiles::default(), LimiterMode::ZeroLatency);
    let key = sine(2_000.0, 1.0, 48_000.0, 96_000);
    let mut play = |external_key: bool| {
        let sound = sine(2_000.0, 0.1 * 2f64.sqrt(), 48_000.0, 96_000);
        let mut output = [sound.clone(), sound.clone()];
        let mut slices: Vec<&mut [f32]> = output.iter_mut().map(|c| &mut c[..]).collect();
        stage.process(
            &mut slices,
            &[&key],
            0,
            96_000,
            &Controls { base, external_key, ..Controls::default() },
        );
        let power = |x: &[f32]| x[14_400..].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        10.0 * (power(&output[0]) / power(&sound)).log10()
    };
    assert!(play(false).abs() < 0.1, "made up for");
    // (1 - 1/4) (-3 + 30)
    assert!((play(true) + 20.25).abs() < 0.1, "ducked");
    assert!(play(false).abs() < 0.2, "made up for again");
}

#[test]
fn automatic_make_up_leaves_a_steady_level_where_it_was() {
    for level in [-40.0, -24.0, -18.0, -6.0, 0.0] {
        let setting = Setting { auto_makeup: 1.0, ..SETTING };
        let gains = gains(setting, 48_000.0, &square(level, 480_000), &[]);
        assert!(gains.last().unwrap().abs() < 0.05, "{} dB at {level} dBFS", gains.last().unwrap());
    }
}

#[test]
fn a_short_loud_event_does_not_raise_what_follows_by_much() {
    let setting = Setting { auto_makeup: 1.0, ..SETTING };
    let mut input = square(-18.0, 480_000);
    input.extend(square(0.0, 24_000));
    input.extend(square(-18.0, 96_000));
    let gains = gains(setting, 48_000.0, &input, &[]);
    assert!((0.1..1.0).contains(gains.last().unwrap()), "{} dB", gains.last().unwrap());
}

#[test]
fn it_recovers_from_absurd_input_within_a_second() {
    let mut input = vec![f64::from(f32::MAX); 4_800];
    input.extend(square(-30.0, 48_000));
    let gains = gains(SETTING, 48_000.0, &input, &[]);
    assert!(gains.iter().all(|g| g.is_finite()));
    assert!(gains.last().unwrap().abs() < 0.1, "{} dB", gains.last().unwrap());
}
