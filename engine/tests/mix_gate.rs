//! The gate's times, against the exponentials that they are.

use idiom_engine::rt::mix::gate::{Gate, Setting};
use idiom_engine::rt::mix::glide::{MAX_TICK, tick_length};
use idiom_engine::rt::mix::{MAX_CHANNELS, Work};

/// The gate's gain in dB at every sample: a constant goes through it, at these levels in dBFS for this many samples.
fn gains(setting: Setting, rate: f32, parts: &[(f64, usize)]) -> Vec<f64> {
    let tick = tick_length(rate);
    let mut gate = Gate::new(rate, tick);
    gate.jump(setting);
    let sound: Vec<f64> = parts
        .iter()
        .flat_map(|(level, samples)| std::iter::repeat_n(10f64.powf(level / 20.0), *samples))
        .collect();
    let mut gains = Vec::new();
    for part in sound.chunks(tick) {
        let mut work: Work = [[0.0; MAX_TICK]; MAX_CHANNELS];
        work[0][..part.len()].copy_from_slice(part);
        gate.set(setting);
        gate.process(&mut work, 1, part.len(), 0);
        gains.extend(part.iter().zip(&work[0]).map(|(x, y)| 20.0 * (y / x).log10()));
    }
    gains
}

/// Samples from the first move of the gain after `start` until it has gone 63 % of its way to `goal`.
fn time_constant(gains: &[f64], start: usize, goal: f64) -> usize {
    let from = gains[start];
    let moves = start + gains[start..].iter().position(|gain| (gain - from).abs() > 1e-3).unwrap();
    let way = (goal - from).abs() * (1.0 - (-1f64).exp());
    gains[moves..].iter().position(|gain| (gain - from).abs() >= way).unwrap()
}

#[test]
fn attack_hold_and_release_are_as_stated_at_every_rate() {
    for rate in [22_050.0f32, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        for (attack_ms, hold_ms, release_ms) in [(1.0, 50.0, 50.0), (5.0, 100.0, 200.0), (20.0, 300.0, 500.0)]
        {
            let setting = Setting {
                threshold_db: -40.0,
                hysteresis_db: 0.0,
                ratio: 10.0,
                range_db: 24.0,
                attack_ms,
                hold_ms,
                release_ms,
            };
            let ms = |samples: usize| 1_000.0 * samples as f64 / f64::from(rate);
            let second = rate as usize;
            // Closed by a level far below, which begins a second in; opened again after three more.
            let gains = gains(setting, rate, &[(-10.0, second), (-100.0, 4 * second), (-10.0, second)]);
            assert!(gains[..second].iter().all(|gain| *gain == 0.0), "open at {rate} Hz");
            let closes = ms(gains[second..].iter().position(|gain| *gain < -1e-3).unwrap());
            // The detector's exponential of 2 ms falls by the 30 dB to the threshold in 14 ms.
            let wanted = hold_ms + 2.0 * 10f64.powi(3).ln();
            assert!(
                (closes / wanted - 1.0).abs() < 0.05,
                "closes after {closes} ms, not {wanted} ms, at {rate} Hz"
            );
            let release = ms(time_constant(&gains, second, -24.0));
            assert!(
                (release / release_ms - 1.0).abs() < 0.05,
                "release {release} ms, not {release_ms}, at {rate} Hz"
            );
            assert!((gains[5 * second - 1] + 24.0).abs() < 0.05, "closed at {} dB", gains[5 * second - 1]);
            let attack = ms(time_constant(&gains, 5 * second - 1, 0.0));
            assert!(
                (attack / attack_ms - 1.0).abs() < 0.05,
                "attack {attack} ms, not {attack_ms}, at {rate} Hz"
            );
        }
    }
}
