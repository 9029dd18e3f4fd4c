//! Each band of the equalizer against its analogue prototype.

mod mix_support;
use idiom_engine::rt::mix::MAX_CHANNELS;
use idiom_engine::rt::mix::eq::{Band, SHELF_Q, Shape};
use idiom_engine::rt::mix::eq_design::{Coefficients, design};
use idiom_engine::rt::mix::glide::{MAX_TICK, tick_length};
use std::f64::consts::PI;

/// Gain in dB of the band's impulse response at each frequency.
fn measured_db(shape: Shape, setting: [f64; 3], rate: f64, hz: &[f64]) -> Vec<f64> {
    let tick = tick_length(rate as f32);
    let mut band = Band::new(shape, rate as f32, tick);
    band.jump(setting);
    let mut impulse = vec![0.0; (rate as usize / 4 / tick) * tick];
    impulse[0] = 1.0;
    for part in impulse.chunks_mut(tick) {
        let mut work = [[0.0; MAX_TICK]; MAX_CHANNELS];
        work[0][..tick].copy_from_slice(part);
        band.set(setting);
        band.process(&mut work, 1, tick, 0);
        part.copy_from_slice(&work[0][..tick]);
    }
    hz.iter()
        .map(|hz| {
            let w = 2.0 * PI * hz / rate;
            let (re, im) = impulse.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, h)| {
                (re + h * (w * n as f64).cos(), im - h * (w * n as f64).sin())
            });
            10.0 * (re * re + im * im).log10()
        })
        .collect()
}

/// Gain in dB of the analogue prototype H(s), s = j f / f0.
fn prototype_db(shape: Shape, [f0, db, q]: [f64; 3], hz: f64) -> f64 {
    let a = 10f64.powf(db / 40.0);
    let w = hz / f0;
    // Numerator and denominator as (real, imaginary) at s = jw.
    let root = a.sqrt() / q;
    let (num, den) = match shape {
        Shape::Bell => ((1.0 - w * w, w * a / q), (1.0 - w * w, w / (a * q))),
        Shape::LowShelf => ((a * (a - w * w), a * root * w), (1.0 - a * w * w, root * w)),
        Shape::HighPass => ((w * w, 0.0), (1.0 - w * w, w / q)),
        Shape::HighShelf => ((a * (1.0 - a * w * w), a * root * w), (a - w * w, root * w)),
    };
    let power = |(re, im): (f64, f64)| re * re + im * im;
    10.0 * (power(num) / power(den)).log10()
}

const SHAPES: [Shape; 3] = [Shape::LowShelf, Shape::Bell, Shape::HighShelf];

/// Largest difference from the prototype in dB, up to 16 kHz and at most 0.36 of the rate.
fn worst_db(shape: Shape, setting: [f64; 3], rate: f64) -> f64 {
    let top = 16_000f64.min(0.363 * rate);
    let hz: Vec<f64> = (0..24).map(|i| 20.0 * (top / 20.0).powf(f64::from(i) / 23.0)).collect();
    let measured = measured_db(shape, setting, rate, &hz);
    hz.iter()
        .zip(measured)
        .map(|(hz, got)| (got - prototype_db(shape, setting, *hz)).abs())
        .fold(0.0, f64::max)
}

/// The coefficients alone, over the whole range of settings; what the filter makes of them is tested below.
#[test]
fn the_design_is_the_prototypes_within_a_tenth_of_a_decibel_up_to_16_khz() {
    let mut worst = 0.0f64;
    for rate in [44_100.0, 48_000.0, 88_200.0, 96_000.0, 192_000.0] {
        for shape in SHAPES {
            for f0 in (0..30).map(|i| 20.0 * 800f64.powf(f64::from(i) / 29.0)) {
                for q in (0..9).map(|i| match shape {
                    Shape::Bell => 0.2 * 40f64.powf(f64::from(i) / 8.0),
                    _ => 0.66 * (1.0f64 / 0.66).powf(f64::from(i) / 8.0),
                }) {
                    for db in [-12.0, -6.0, -0.5, 0.01, 3.0, 12.0] {
                        let setting = [f0, db, q];
                        let Coefficients { g, k, m } = design(shape, setting, rate);
                        for i in 0..60 {
                            let hz = 20.0 * 800f64.powf(f64::from(i) / 59.0);
                            let error = response_db(g, k, m, hz / rate) - prototype_db(shape, setting, hz);
                            worst = worst.max(error.abs());
                            assert!(
                                error.abs() < 0.1,
                                "{shape:?} {setting:.2?} at {rate}: {error:.3} dB off at {hz:.0} Hz"
                            );
                        }
                    }
                }
            }
        }
    }
    println!("worst error up to 16 kHz: {worst:.4} dB");
}

/// Gain in dB of a state variable filter at a frequency as a share of the rate: s = j tan(w/2) / g.
fn response_db(g: f64, k: f64, m: [f64; 3], share: f64) -> f64 {
    let w = (PI * share).tan() / g;
    // (1 + m0) + (m1 s + m2) / (s² + k s + 1)
    let (re, im) = (1.0 - w * w, k * w);
    let norm = re * re + im * im;
    let (above_re, above_im) = (m[2], m[1] * w);
    let total_re = 1.0 + m[0] + (above_re * re + above_im * im) / norm;
    let total_im = (above_im * re - above_re * im) / norm;
    10.0 * (total_re * total_re + total_im * total_im).log10()
}

#[test]
fn the_filter_has_the_designed_response() {
    for rate in [22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        for shape in SHAPES {
            for setting in
                [[80.0, -12.0, 0.7], [1_000.0, 6.0, 0.9], [7_900.0, 12.0, 0.8], [14_000.0, -9.0, 0.7]]
            {
                // What lies beyond half the rate is another filter than asked for, whatever its design.
                if setting[0] > 0.5 * rate {
                    continue;
                }
                let worst = worst_db(shape, setting, rate);
                // Below 44.1 kHz, 16 kHz cannot be reached; what is left is as good as it gets.
                let bound = if rate < 44_100.0 { 0.2 } else { 0.1 };
                assert!(worst < bound, "{shape:?} {setting:?} at {rate}: {worst:.3} dB");
            }
        }
        for hz in [20.0, 80.0, 200.0, 400.0] {
            let worst = worst_db(Shape::HighPass, [hz, 1.0, SHELF_Q], rate);
            assert!(worst < 0.1, "low cut at {hz} Hz at {rate}: {worst:.3} dB");
        }
    }
}

#[test]
fn half_a_low_cut_is_halfway_between_the_sound_and_the_whole() {
    let half = measured_db(Shape::HighPass, [100.0, 0.5, SHELF_Q], 48_000.0, &[1.0, 10_000.0]);
    assert!((half[0] + 6.02).abs() < 0.05 && half[1].abs() < 0.01, "{half:?}");
}

#[test]
fn at_its_own_frequency_a_band_has_its_gain_at_every_rate() {
    for rate in [22_050.0, 44_100.0, 96_000.0] {
        for f0 in [100.0, 1_000.0, 9_000.0] {
            let at = |shape, q| measured_db(shape, [f0, 6.0, q], rate, &[f0])[0];
            assert!((at(Shape::Bell, 1.5) - 6.0).abs() < 0.01, "bell at {f0} Hz, rate {rate}");
            assert!((at(Shape::LowShelf, SHELF_Q) - 3.0).abs() < 0.01, "low shelf at {f0} Hz, rate {rate}");
            assert!((at(Shape::HighShelf, SHELF_Q) - 3.0).abs() < 0.01, "high shelf at {f0} Hz, rate {rate}");
        }
    }
}

#[test]
fn a_frequency_above_nyquist_is_brought_below_it_and_stays_stable() {
    for shape in SHAPES {
        let db = measured_db(shape, [20_000.0, 12.0, 0.7], 8_000.0, &[50.0, 1_000.0, 3_000.0]);
        assert!(db.iter().all(|db| db.is_finite() && (-0.1..12.1).contains(db)), "{shape:?}: {db:?}");
    }
}

#[test]
fn at_0_db_a_band_changes_no_bit() {
    let mut noise = mix_support::Noise(7);
    for shape in SHAPES {
        let mut band = Band::new(shape, 48_000.0, 32);
        for _ in 0..100 {
            let input: [[f64; MAX_TICK]; MAX_CHANNELS] =
                std::array::from_fn(|_| std::array::from_fn(|_| noise.next()));
            let mut output = input;
            band.set([200.0, 0.0, 0.7]);
            band.process(&mut output, 2, 32, 0);
            assert!(
                input.iter().flatten().zip(output.iter().flatten()).all(|(a, b)| a.to_bits() == b.to_bits())
            );
        }
    }
}
