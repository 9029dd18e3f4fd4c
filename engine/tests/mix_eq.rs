//! Each band of the equalizer against its analogue prototype.

mod mix_support;
use idiom_engine::rt::mix::MAX_CHANNELS;
use idiom_engine::rt::mix::eq::{Band, SHELF_Q, Shape};
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

#[test]
fn the_response_is_the_prototypes_within_a_tenth_of_a_decibel_up_to_a_tenth_of_the_rate() {
    for rate in [22_050.0, 44_100.0, 48_000.0, 96_000.0, 192_000.0] {
        let hz: Vec<f64> = (0..20).map(|i| 20.0 * (rate / 200.0f64).powf(f64::from(i) / 19.0)).collect();
        for shape in SHAPES.into_iter().chain([Shape::HighPass]) {
            for db in [-12.0, -6.0, 3.0, 6.0, 12.0] {
                for f0 in [80.0, 300.0, rate / 40.0] {
                    let q = if shape == Shape::Bell { 0.8 } else { SHELF_Q };
                    let setting = [f0, db, q];
                    for (hz, got) in hz.iter().zip(measured_db(shape, setting, rate, &hz)) {
                        let want = prototype_db(shape, setting, *hz);
                        assert!(
                            (got - want).abs() < 0.1,
                            "{shape:?} {setting:?} at {rate}: {got:.3} dB instead of {want:.3} dB at {hz:.0} Hz"
                        );
                    }
                }
            }
        }
    }
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
