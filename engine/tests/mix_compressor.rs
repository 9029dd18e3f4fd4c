//! The compressor against closed forms: static curve, time constants, linking, automatic make-up.

mod mix_support;
use idiom_engine::rt::mix::compressor::{Compressor, DETECTOR_S, Setting};
use idiom_engine::rt::mix::glide::tick_length;
use mix_support::sine;

const SETTING: Setting = Setting {
    threshold_db: -20.0,
    slope: 0.75,
    knee_db: 6.0,
    attack_ms: 10.0,
    release_ms: 100.0,
    makeup_db: 0.0,
    auto_makeup: 0.0,
};

/// The gain in dB at every sample of a signal.
fn gains(setting: Setting, rate: f32, left: &[f64], right: &[f64]) -> Vec<f32> {
    let tick = tick_length(rate);
    let mut compressor = Compressor::new(rate, tick);
    compressor.jump(setting);
    let mut gains = vec![0.0; left.len()];
    for start in (0..left.len()).step_by(tick) {
        let end = left.len().min(start + tick);
        compressor.set(setting);
        let right = if right.is_empty() { right } else { &right[start..end] };
        compressor.gain([&left[start..end], right], &mut gains[start..end], 0);
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
            let slack = 1_000.0 * DETECTOR_S;
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
