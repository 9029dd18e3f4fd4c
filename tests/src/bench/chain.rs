//! What each processor of the mix chain costs, and the same equalizer from the `biquad` crate.

use super::rounds::Case;
use super::stages::RATE;
use crate::signals::music;
use biquad::{Biquad, Coefficients, DirectForm2Transposed, ToHertz, Type};
use idiom_engine::rt::mix::compressor::{self, Compressor};
use idiom_engine::rt::mix::drive::{self, Drive};
use idiom_engine::rt::mix::eq::{Band, SHELF_Q, Shape};
use idiom_engine::rt::mix::follower::{self, Follower};
use idiom_engine::rt::mix::gate::{self, Gate};
use idiom_engine::rt::mix::glide::{MAX_TICK, tick_length};
use idiom_engine::rt::mix::limiter::{self, Limiter};
use idiom_engine::rt::mix::width::{self, Width};
use idiom_engine::rt::mix::{MAX_CHANNELS, Work};
use std::hint::black_box;

/// Ticks in one measurement: half a second.
const TICKS: usize = 750;

/// Frequency in Hz, gain in dB and Q of the measured equalizer's low cut and four bands.
const BANDS: [(Shape, [f64; 3]); 5] = [
    (Shape::HighPass, [30.0, 1.0, SHELF_Q]),
    (Shape::LowShelf, [80.0, 1.5, SHELF_Q]),
    (Shape::Bell, [400.0, -2.0, 0.8]),
    (Shape::Bell, [3_000.0, 1.0, 0.8]),
    (Shape::HighShelf, [9_000.0, 1.5, SHELF_Q]),
];

/// A case of half a second of stereo in ticks; its unit is a second of sound.
fn case(name: &str, mut tick: impl FnMut(&mut Work, usize) + 'static) -> Case {
    let length = tick_length(RATE);
    let sides = [music(TICKS * length, f64::from(RATE), 1), music(TICKS * length, f64::from(RATE), 2)];
    Case::external(name, move || {
        let started = std::time::Instant::now();
        for n in 0..TICKS {
            let mut work = [[0.0; MAX_TICK]; MAX_CHANNELS];
            for (work, side) in work.iter_mut().zip(&sides) {
                for (work, x) in work.iter_mut().zip(&side[n * length..(n + 1) * length]) {
                    *work = f64::from(*x);
                }
            }
            tick(&mut work, length);
            black_box(&work);
        }
        let sound_s = (TICKS * length) as f64 / f64::from(RATE);
        Ok(started.elapsed().as_secs_f64() * 1e6 / sound_s)
    })
}

/// Every processor while it acts, and the equalizer of the `biquad` crate.
pub fn cases() -> Vec<Case> {
    let length = tick_length(RATE);
    let mut gate = Gate::new(RATE, length);
    let mut bands = BANDS.map(|(shape, _)| Band::new(shape, RATE, length));
    let mut moving = bands.clone();
    let mut hz = 1.0;
    let mut compressor = Compressor::new(RATE, length);
    let mut drive = Drive::new(RATE, length);
    let mut width = Width::new(RATE, length);
    let mut follower = Follower::new(RATE, length);
    let mut limiter = Limiter::new(RATE, length, true);
    vec![
        case("copying, which is in all of these", |_, _| ()),
        case("gate", move |work, count| {
            gate.set(gate::Setting { range_db: 12.0, ..gate::Setting::NEUTRAL });
            gate.process(work, 2, count, 0);
        }),
        case("low cut and four bands, at rest", move |work, count| {
            for (band, (_, setting)) in bands.iter_mut().zip(BANDS) {
                band.set(setting);
                band.process(work, 2, count, 0);
            }
        }),
        case("low cut and four bands, all moving", move |work, count| {
            hz = if hz > 1.5 { 1.0 } else { hz * 1.000_1 };
            for (band, (_, [f, gain, q])) in moving.iter_mut().zip(BANDS) {
                band.set([f * hz, gain, q]);
                band.process(work, 2, count, 0);
            }
        }),
        case("compressor", move |work, count| {
            let setting =
                compressor::Setting { threshold_db: -30.0, slope: 0.6, ..compressor::Setting::NEUTRAL };
            compressor.set(setting);
            compressor.process(work, None, 2, count, 0);
        }),
        case("drive", move |work, count| {
            drive.set(drive::Setting { drive_db: 6.0, hz: 20.0, mix: 0.3 });
            drive.process(work, 2, count, 0);
        }),
        case("width", move |work, count| {
            width.set(width::Setting { width: 1.1, mono_bass: 1.0, bass_hz: 120.0 });
            width.process(work, 2, count, 0);
        }),
        case("loudness follower", move |work, count| {
            follower.set(follower::Setting { target_lufs: -18.0, range_db: 6.0 });
            follower.process(work, 2, count, 0);
        }),
        case("limiter with look-ahead", move |work, count| {
            limiter.set(limiter::Setting { ceiling_db: -6.0, release_ms: 80.0, share: 1.0 });
            limiter.process(work, 2, count, 0);
        }),
        biquads(),
    ]
}

/// The same low cut and four bands from the `biquad` crate: fixed coefficients, bilinear, 64 bit.
fn biquads() -> Case {
    let filter = |(shape, [hz, gain, q]): (Shape, [f64; 3])| {
        let kind = match shape {
            Shape::HighPass => Type::HighPass,
            Shape::LowShelf => Type::LowShelf(gain),
            Shape::Bell => Type::PeakingEQ(gain),
            Shape::HighShelf => Type::HighShelf(gain),
        };
        let made = Coefficients::<f64>::from_params(kind, f64::from(RATE).hz(), hz.hz(), q);
        DirectForm2Transposed::<f64>::new(made.expect("frequencies lie below half the rate"))
    };
    let mut filters = BANDS.map(|band| [filter(band), filter(band)]);
    case("the same bands at rest, crate biquad", move |work, count| {
        for filters in &mut filters {
            for (filter, samples) in filters.iter_mut().zip(work.iter_mut()) {
                samples.iter_mut().take(count).for_each(|x| *x = filter.run(*x));
            }
        }
    })
}
