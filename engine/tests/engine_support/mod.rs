//! What the engine's tests share: a programme to listen to, and ways to play it.
#![allow(dead_code)]

pub mod samples;

use idiom_engine::worker::auto::{self, Measurement};
use idiom_engine::{Backend, Config, Controls, Engine, Handle, Quantization, Transport};

/// Every backend with every quantization that makes a difference.
pub const CHOICES: [(Backend, Quantization); 10] = [
    (Backend::Auto, Quantization::Auto),
    (Backend::Onnx, Quantization::Fp32),
    (Backend::Onnx, Quantization::Int8),
    (Backend::Tflite, Quantization::Int8),
    (Backend::Onnx, Quantization::Fp16),
    (Backend::OnnxWorker, Quantization::Fp32),
    (Backend::OnnxWorker, Quantization::Int8),
    (Backend::OnnxWorker, Quantization::Auto),
    (Backend::Classic, Quantization::Auto),
    (Backend::Spectral, Quantization::Auto),
];

/// One of each kind, for tests that take long.
pub const KINDS: [(Backend, Quantization); 5] = [
    (Backend::Onnx, Quantization::Fp32),
    (Backend::Auto, Quantization::Auto),
    (Backend::OnnxWorker, Quantization::Int8),
    (Backend::Classic, Quantization::Auto),
    (Backend::Spectral, Quantization::Auto),
];

/// A small generator of the same numbers each time (xorshift64*), uniform in -1..1.
pub struct Noise(u64);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> f32 {
        self.bits();
        (self.0 >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    }

    pub fn below(&mut self, limit: usize) -> usize {
        self.bits() as usize % limit
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33
    }
}

/// Stereo sound with something of everything: syllables, a chord with a beat, noise bursts, a quiet passage. 2 s each.
pub fn programme(rate: f32, seconds: f32) -> [Vec<f32>; 2] {
    let mut noise = Noise::new(5);
    let mut out = [vec![], vec![]];
    for i in 0..(rate * seconds) as usize {
        let t = i as f32 / rate;
        let tone = |hz: f32| (std::f32::consts::TAU * hz * t).sin();
        let beat = (-8.0 * (t * 2.0).fract()).exp();
        let n = noise.next();
        let (left, right) = match (t / 2.0) as usize % 4 {
            0 => {
                let syllable = tone(4.0).max(0.0);
                let voice = syllable * (0.2 * tone(140.0) + 0.1 * tone(560.0) + 0.05 * n);
                (voice, voice)
            }
            1 => {
                let chord = 0.1 * (tone(220.0) + tone(277.2) + tone(329.6));
                (chord + 0.4 * beat * tone(55.0), chord + 0.3 * beat * n)
            }
            2 => (0.3 * n * beat, 0.2 * tone(880.0) * (1.0 - beat)),
            _ => (0.02 * tone(440.0), 0.02 * tone(660.0)),
        };
        out[0].push(left);
        out[1].push(right);
    }
    out
}

/// From now on Auto is INT8, whatever the machine.
pub fn auto_is_int8() {
    auto::measure_by(|_, _| Measurement { speedup: 2.0, agreement: 1.0 }, None);
}

/// A running stereo engine with this choice in force from the first frame on.
pub fn engine(handle: &Handle, rate: f32, offline: bool, choice: (Backend, Quantization)) -> Engine {
    auto_is_int8();
    handle.select(choice.0, choice.1);
    let engine = handle.start(Config { sample_rate: rate, channels: 2, offline });
    let status = handle.status();
    assert_eq!(status.problem, None);
    assert_eq!(status.requested, choice);
    engine
}

/// Controls under which the mix moves on little evidence.
pub fn eager() -> Controls {
    Controls { threshold: 0.1, reaction_s: 0.2, ..Controls::default() }
}

/// Where a block starts, in a song that starts at 0.
pub fn at(position: usize) -> Transport {
    Transport { playing: true, position: Some(position as i64), loop_start: None }
}

/// Plays all of `sound` in place; `size` gives the next block's length, `see` is called after each block with its end.
pub fn play(
    engine: &mut Engine,
    sound: &mut [Vec<f32>; 2],
    controls: &Controls,
    mut size: impl FnMut() -> usize,
    mut see: impl FnMut(usize),
) {
    let [left, right] = sound;
    let mut start = 0;
    while start < left.len() {
        let end = left.len().min(start + size());
        let mut channels = [&mut left[start..end], &mut right[start..end]];
        engine.process(&mut channels, at(start), controls);
        see(end);
        start = end;
    }
}
