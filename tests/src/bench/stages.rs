//! Our own stages as cases.

use super::rounds::Case;
use crate::signals::music;
use anyhow::Result;
use idiom_engine::model::{Model, shipped};
use idiom_engine::profile::{Parameter, Preset, Profile};
use idiom_engine::rt::decision::Decision;
use idiom_engine::rt::features::FrontEnd;
use idiom_engine::rt::features::columns::Columns;
use idiom_engine::rt::mix::MixStage;
use idiom_engine::rt::net::Network;
use idiom_engine::rt::spectral_rules::SpectralRules;
use idiom_engine::{
    Backend, Config, Controls, Genre, Handle, LimiterMode, Posterior, Quantization, Transport,
};
use std::hint::black_box;

/// Sample rate of all measurements.
pub const RATE: f32 = 48_000.0;
/// Frames in the window that other engines compute at once.
pub const WINDOW: usize = 150;
/// Block lengths that are measured.
pub const BLOCKS: [usize; 7] = [32, 64, 128, 256, 512, 1024, 2048];

/// Frames that one measurement goes through.
const FRAMES: usize = 100;

/// Columns of features of two seconds of music, as the network gets them.
pub fn columns(model: &Model) -> Vec<Vec<f32>> {
    let mut front = Columns::new(model.meta.features, RATE);
    let sound = music(FRAMES * front.hop(), f64::from(RATE), 1);
    sound.chunks_exact(front.hop()).map(|frame| front.push(frame).1.to_vec()).collect()
}

/// The shipped network in both arithmetics.
pub fn models() -> Result<[(Quantization, Model); 2]> {
    let load = |q| Model::from_onnx(shipped::flagship(q)).map(|model| (q, model));
    Ok([load(Quantization::Fp32)?, load(Quantization::Int8)?])
}

/// The front end, and the Fourier transform in it alone.
pub fn front_end() -> Vec<Case> {
    let mut front = FrontEnd::new(RATE);
    let hop = front.hop();
    let sound = music(FRAMES * hop, f64::from(RATE), 1);
    let samples = sound.clone();
    let whole = Case::new("front end", 2, FRAMES, move || {
        for frame in samples.chunks_exact(hop) {
            black_box(front.push(black_box(frame)));
        }
    });
    let transform = realfft::RealFftPlanner::<f32>::new().plan_fft_forward(2 * hop);
    let (mut spectrum, mut scratch) = (transform.make_output_vec(), transform.make_scratch_vec());
    let mut input = transform.make_input_vec();
    let bare = Case::new("  its Fourier transform alone", 2, FRAMES, move || {
        for start in 0..FRAMES {
            let start = start * hop / 2 % (sound.len() - 2 * hop);
            input.copy_from_slice(&sound[start..start + 2 * hop]);
            // Lengths fit by construction, so there is nothing to report.
            transform.process_with_scratch(&mut input, &mut spectrum, &mut scratch).ok();
            black_box(&spectrum);
        }
    });
    vec![whole, bare]
}

/// The network frame by frame.
pub fn network(quantization: Quantization, model: &Model) -> Result<Case> {
    let mut network = Network::compile(model)?;
    let columns = columns(model);
    let name = format!("network {} ({})", quantization.label(), network.kernel().label());
    Ok(Case::new(name, 2, FRAMES, move || {
        for column in &columns {
            black_box(network.push(black_box(column)));
        }
    }))
}

/// Our executor over a whole window, from a reset on: what the other engines do.
pub fn window(quantization: Quantization, model: &Model) -> Result<Case> {
    let mut network = Network::compile(model)?;
    let columns = columns(model);
    let name = format!("ours, frame by frame, {}", quantization.label());
    Ok(Case::new(name, 1, 1, move || {
        network.reset();
        for column in columns.iter().cycle().take(WINDOW) {
            black_box(network.push(black_box(column)));
        }
    }))
}

/// The decision stage, and the rules that stand in for a network.
pub fn decision() -> Vec<Case> {
    let posteriors = Genre::ALL.map(|genre| {
        let mut p = Posterior::UNIFORM.0.map(|p| 0.5 * p);
        p[genre.index()] += 0.5;
        Posterior(p)
    });
    let controls = Controls::default();
    let mut decision = Decision::new();
    let decide = Case::new("decision", 10, FRAMES, move || {
        for n in 0..FRAMES {
            black_box(decision.update(black_box(&posteriors[n / 20]), -20.0, &controls));
        }
    });
    let mut front = FrontEnd::new(RATE);
    let sound = music(FRAMES * front.hop(), f64::from(RATE), 1);
    let features: Vec<_> = sound.chunks_exact(front.hop()).map(|frame| front.push(frame).clone()).collect();
    let mut rules = SpectralRules::new();
    let judge = Case::new("rules, instead of a network", 2, FRAMES, move || {
        for frame in &features {
            rules.push(black_box(frame));
            black_box(rules.posterior());
        }
    });
    vec![decide, judge]
}

/// The mix of a rock track with every section in use, whatever is recognised.
fn controls() -> Controls {
    let mut base = Profile::NEUTRAL;
    (base[Parameter::GateRange], base[Parameter::TargetRange]) = (12.0, 6.0);
    Controls { manual: Some(Genre::Rock), base, limiter: true, ..Controls::default() }
}

/// A mix stage with the true-peak limiter that is on its way to that mix, which is what it stays at.
fn mix_stage() -> MixStage {
    let mut mix = MixStage::new(RATE, 2, &Preset::factory()[0].profiles, LimiterMode::LookAhead);
    let controls = controls();
    mix.set_target(&Decision::new().update(&Posterior::certain(Genre::Rock), -20.0, &controls), &controls);
    mix
}

/// The mix stage alone, one block of stereo.
pub fn mix(block: usize) -> Case {
    let (mut mix, controls) = (mix_stage(), controls());
    let blocks = Blocks::new(block);
    let repeats = blocks.repeats;
    let mut sound = blocks;
    Case::new(format!("mix {block}"), 1, repeats, move || {
        sound.each(|channels| {
            mix.process(channels, &[], 0, block, &controls);
        });
    })
}

/// The mix stage on silence after music, when nothing may be left to compute with; its unit is a second of sound.
pub fn mix_after_silence(block: usize) -> Case {
    let (mut mix, controls) = (mix_stage(), controls());
    let mut sound = [music(RATE as usize, f64::from(RATE), 1), music(RATE as usize, f64::from(RATE), 2)];
    let [left, right] = &mut sound;
    mix.process(&mut [left, right], &[], 0, RATE as usize, &controls);
    // The slowest to die away is a compressor's release.
    for _ in 0..15 {
        let [left, right] = &mut sound;
        (left.fill(0.0), right.fill(0.0));
        mix.process(&mut [left, right], &[], 0, RATE as usize, &controls);
    }
    let mut silence = [vec![0.0; block], vec![0.0; block]];
    Case::external(format!("whole mix in silence, blocks of {block}"), move || {
        let blocks = 24_000 / block;
        let started = std::time::Instant::now();
        for _ in 0..blocks {
            let [left, right] = &mut silence;
            mix.process(&mut [left, right], &[], 0, block, &controls);
            black_box(&silence);
        }
        Ok(started.elapsed().as_secs_f64() * 1e6 * f64::from(RATE) / (blocks * block) as f64)
    })
}

/// The whole engine, one block of stereo: frames, features, network, decision, mix.
pub fn engine(block: usize, quantization: Quantization) -> Case {
    let handle = Handle::new();
    handle.select(Backend::Onnx, quantization);
    let config = Config { sample_rate: RATE, channels: 2, offline: false };
    let mut engine = handle.start(config).with_limiter(LimiterMode::LookAhead);
    let controls = controls();
    let mut sound = Blocks::new(block);
    let repeats = sound.repeats;
    let mut position = 0;
    Case::new(format!("engine {block}"), 1, repeats, move || {
        // The handle has to live as long as its engine.
        let _ = &handle;
        sound.each(|channels| {
            engine.process(
                channels,
                Transport { playing: true, position: Some(position), loop_start: None },
                &controls,
            );
            position += block as i64;
        });
    })
}

/// Half a second of stereo music in blocks. Each block is copied before it is processed, as a host does.
struct Blocks {
    sound: [Vec<f32>; 2],
    copy: [Vec<f32>; 2],
    block: usize,
    repeats: usize,
}

impl Blocks {
    fn new(block: usize) -> Blocks {
        let repeats = 24_000 / block;
        let side = |seed| music(repeats * block, f64::from(RATE), seed);
        let copy = [vec![0.0; block], vec![0.0; block]];
        Blocks { sound: [side(1), side(2)], copy, block, repeats }
    }

    fn each(&mut self, mut work: impl FnMut(&mut [&mut [f32]])) {
        for n in 0..self.repeats {
            let range = n * self.block..(n + 1) * self.block;
            for (copy, sound) in self.copy.iter_mut().zip(&self.sound) {
                copy.copy_from_slice(&sound[range.clone()]);
            }
            let [left, right] = &mut self.copy;
            work(&mut [left, right]);
            black_box(&self.copy);
        }
    }
}
