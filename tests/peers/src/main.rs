//! A mix chain of the crate `fundsp`, comparable with Idiom's, measured when asked.
//!
//! Says `case NAME, LABEL` for everything that it can measure, then `ready -`, and from then on answers each number of a case
//! with the microseconds that a second of stereo sound at 48 kHz takes.

use fundsp::prelude64::*;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

#[path = "../../src/signals.rs"]
#[allow(dead_code)]
mod signals;

/// Sample rate in Hz.
const RATE: f64 = 48_000.0;

/// Samples in one measurement, in blocks of as many as fundsp takes at once.
const SAMPLES: usize = 24_000 / MAX_BUFFER_SIZE * MAX_BUFFER_SIZE;

/// Name of the case that is all in a row: no gate, no loudness follower and no true peaks, for fundsp has none.
const WHOLE: &str = "low cut and four bands and compressor and drive and width and limiter in a row";

/// A node of two inputs and two outputs, and its name.
type Case = (&'static str, Box<dyn AudioUnit>);

fn gain(db: f32) -> f32 {
    10f32.powf(db / 20.0)
}

/// One channel of the equalizer: a low cut and four bands, as in Idiom's own measurement.
fn bands() -> An<impl AudioNode<Inputs = U1, Outputs = U1>> {
    highpass_hz(30.0, 0.707)
        >> lowshelf_hz(80.0, 0.707, gain(1.5))
        >> bell_hz(400.0, 0.8, gain(-2.0))
        >> bell_hz(3_000.0, 0.8, gain(1.0))
        >> highshelf_hz(9_000.0, 0.707, gain(1.5))
}

/// Both channels' louder one, followed, makes the gain of both: 2.5:1 above -30 dB.
fn compressor() -> An<impl AudioNode<Inputs = U2, Outputs = U2>> {
    let key = map(|x: &Frame<f32, U2>| x[0].abs().max(x[1].abs()))
        >> afollow(0.02, 0.15)
        >> map(|level: &Frame<f32, U1>| {
            let over = 20.0 * (level[0] + 1e-10).log10() + 30.0;
            10f32.powf(-0.6 * over.max(0.0) / 20.0)
        });
    (multipass::<U2>() ^ key) >> map(|x: &Frame<f32, U3>| (x[0] * x[2], x[1] * x[2]))
}

/// A tanh at twice the rate; fundsp has no more.
fn drive() -> An<impl AudioNode<Inputs = U1, Outputs = U1>> {
    oversample(shape(Tanh(2.0)))
}

fn width() -> An<impl AudioNode<Inputs = U2, Outputs = U2>> {
    map(|x: &Frame<f32, U2>| {
        let (mid, side) = (0.5 * (x[0] + x[1]), 0.55 * (x[0] - x[1]));
        (mid + side, mid - side)
    })
}

fn cases() -> Vec<Case> {
    let equalizer = || bands() | bands();
    let drives = || drive() | drive();
    vec![
        (WHOLE, Box::new(equalizer() >> compressor() >> drives() >> width() >> limiter_stereo(0.002, 0.08))),
        ("low cut and four bands", Box::new(equalizer())),
        ("compressor", Box::new(compressor())),
        ("drive at twice the rate", Box::new(drives())),
        ("limiter with look-ahead", Box::new(limiter_stereo(0.002, 0.08))),
    ]
}

fn main() {
    let sound = [1, 2].map(|seed| signals::music(SAMPLES, RATE, seed));
    let mut cases = cases();
    for (name, node) in &mut cases {
        node.set_sample_rate(RATE);
        node.allocate();
        println!("case fundsp 0.23, {name}");
    }
    println!("ready -");
    let (mut input, mut output) = (BufferVec::new(2), BufferVec::new(2));
    for line in std::io::stdin().lock().lines().map_while(Result::ok) {
        let Some((_, node)) = line.trim().parse().ok().and_then(|index: usize| cases.get_mut(index)) else {
            return;
        };
        let started = Instant::now();
        for start in (0..SAMPLES).step_by(MAX_BUFFER_SIZE) {
            for (channel, side) in sound.iter().enumerate() {
                input.channel_f32_mut(channel).copy_from_slice(&side[start..start + MAX_BUFFER_SIZE]);
            }
            node.process(MAX_BUFFER_SIZE, &input.buffer_ref(), &mut output.buffer_mut());
            black_box(&output);
        }
        println!("{}", started.elapsed().as_secs_f64() * 1e6 * RATE / SAMPLES as f64);
        std::io::stdout().flush().ok();
    }
}
