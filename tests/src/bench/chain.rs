//! What each processor of the mix chain costs, and all in a row; the same equalizer from the `biquad` crate, and a chain
//! from the `fundsp` crate, which is a program of its own (`tests/peers`).

use super::rounds::Case;
use super::stages::RATE;
use crate::signals::music;
use anyhow::{Context, Result};
use biquad::{Biquad, Coefficients, DirectForm2Transposed, ToHertz, Type};
use idiom_engine::rt::mix::compressor::{self, Compressor};
use idiom_engine::rt::mix::drive::{self, Drive};
use idiom_engine::rt::mix::eq::{Band, SHELF_Q, Shape, process_row};
use idiom_engine::rt::mix::follower::{self, Follower};
use idiom_engine::rt::mix::gate::{self, Gate};
use idiom_engine::rt::mix::glide::{MAX_TICK, tick_length};
use idiom_engine::rt::mix::limiter::{self, Limiter};
use idiom_engine::rt::mix::width::{self, Width};
use idiom_engine::rt::mix::{MAX_CHANNELS, Work};
use idiom_lab::optimize::peers::Peers;
use std::cell::RefCell;
use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

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

/// The processors, each at a setting at which it acts.
#[derive(Clone)]
struct Row {
    gate: Gate,
    bands: [Band; 5],
    compressor: Compressor,
    drive: Drive,
    width: Width,
    follower: Follower,
    limiter: Limiter,
    /// By what the frequencies of the moving bands are multiplied.
    hz: f64,
}

impl Row {
    fn new() -> Row {
        let length = tick_length(RATE);
        Row {
            gate: Gate::new(RATE, length),
            bands: BANDS.map(|(shape, _)| Band::new(shape, RATE, length)),
            compressor: Compressor::new(RATE, length),
            drive: Drive::new(RATE, length),
            width: Width::new(RATE, length),
            follower: Follower::new(RATE, length),
            limiter: Limiter::new(RATE, length, true),
            hz: 1.0,
        }
    }

    fn gate(&mut self, work: &mut Work, count: usize) {
        self.gate.set(gate::Setting { range_db: 12.0, ..gate::Setting::NEUTRAL });
        self.gate.process(work, 2, count, 0);
    }

    fn equalizer(&mut self, work: &mut Work, count: usize) {
        for (band, (_, [hz, gain, q])) in self.bands.iter_mut().zip(BANDS) {
            band.set([hz * self.hz, gain, q]);
        }
        process_row(&mut self.bands, work, 2, count, 0);
    }

    fn moving_equalizer(&mut self, work: &mut Work, count: usize) {
        self.hz = if self.hz > 1.5 { 1.0 } else { self.hz * 1.000_1 };
        self.equalizer(work, count);
    }

    fn compressor(&mut self, work: &mut Work, count: usize) {
        self.compressor.set(compressor::Setting {
            threshold_db: -30.0,
            slope: 0.6,
            ..compressor::Setting::NEUTRAL
        });
        self.compressor.process(work, None, 2, count, 0);
    }

    fn drive(&mut self, work: &mut Work, count: usize) {
        self.drive.set(drive::Setting { drive_db: 6.0, hz: 20.0, mix: 0.3 });
        self.drive.process(work, 2, count, 0);
    }

    fn width(&mut self, work: &mut Work, count: usize) {
        self.width.set(width::Setting { width: 1.1, mono_bass: 1.0, bass_hz: 120.0 });
        self.width.process(work, 2, count, 0);
    }

    fn follower(&mut self, work: &mut Work, count: usize) {
        self.follower.set(follower::Setting { target_lufs: -18.0, range_db: 6.0 });
        self.follower.process(work, 2, count, 0);
    }

    fn limiter(&mut self, work: &mut Work, count: usize) {
        self.limiter.set(limiter::Setting { ceiling_db: -6.0, release_ms: 80.0, share: 1.0 });
        self.limiter.process(work, 2, count, 0);
    }

    fn all(&mut self, work: &mut Work, count: usize) {
        self.gate(work, count);
        self.equalizer(work, count);
        self.compressor(work, count);
        self.drive(work, count);
        self.width(work, count);
        self.follower(work, count);
        self.limiter(work, count);
    }
}

/// Every processor while it acts, all in a row, and the equalizer of the `biquad` crate.
pub fn cases() -> Vec<Case> {
    let parts: [(&str, fn(&mut Row, &mut Work, usize)); 9] = [
        (WHOLE, Row::all),
        ("gate", Row::gate),
        ("low cut and four bands, at rest", Row::equalizer),
        ("low cut and four bands, all moving", Row::moving_equalizer),
        ("compressor", Row::compressor),
        ("drive at four times the rate", Row::drive),
        ("width", Row::width),
        ("loudness follower", Row::follower),
        ("true-peak limiter with look-ahead, limiting", Row::limiter),
    ];
    let mut cases = vec![case("copying, which is in all of these", |_, _| ())];
    for (name, part) in parts {
        let mut row = Row::new();
        cases.push(case(name, move |work, count| part(&mut row, work, count)));
    }
    cases.push(biquads());
    cases
}

/// Name of the case that is all processors in a row.
pub const WHOLE: &str = "all of the following in a row, all acting";

/// What the program of `tests/peers` measures, in the same unit.
pub fn peers(program: &Path) -> Result<Vec<Case>> {
    let peers = Peers::run(Command::new(program)).context("see tests/peers")?;
    let names: Vec<String> =
        peers.cases().iter().map(|case| format!("{}: {}", case.engine, case.label)).collect();
    let peers = Rc::new(RefCell::new(peers));
    let case = |(index, name)| {
        let peers = Rc::clone(&peers);
        Case::external(name, move || peers.borrow_mut().ask(index))
    };
    Ok(names.into_iter().enumerate().map(case).collect())
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
