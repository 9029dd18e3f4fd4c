//! What has to be there: optimizer, factory content, mixer, configuration.

use super::{Seen, models};
use anyhow::{Context, Result, ensure};
use idiom_engine::model::{Model, random, shipped};
use idiom_engine::profile::Preset;
use idiom_engine::rt::decision::{Decision, Outcome};
use idiom_engine::rt::mix::MixStage;
use idiom_engine::{Backend, CacheLimits, Controls, Genre, LimiterMode, Quantization, Verdict};

/// The optimizer makes a valid INT8 network of an FP32 one.
pub fn optimizer() -> Result<Seen> {
    let model = random::flagship(1);
    let mut rng = random::Rng(2);
    let window: Vec<f32> = (0..40 * 40).map(|_| rng.signed()).collect();
    let small = models::int8(&model, vec![window])?;
    small.validate()?;
    ensure!(small.quantization() == Quantization::Int8, "an INT8 network was asked for");
    Ok(format!("{} layers made INT8", small.layers.len()).into())
}

/// The shipped models and presets are whole.
pub fn factory() -> Result<Seen> {
    let mut parameters = 0;
    for quantization in [Quantization::Fp32, Quantization::Int8] {
        let model = Model::from_onnx(shipped::flagship(quantization))
            .with_context(|| format!("the shipped {} model", quantization.label()))?;
        ensure!(model.quantization() == quantization, "the {} model is none", quantization.label());
        model.meta.genre_outputs()?;
        parameters = model.parameters();
    }
    let presets = Preset::factory();
    ensure!(!presets.is_empty(), "there is no preset");
    Ok(format!("2 models of {parameters} parameters, {} presets", presets.len()).into())
}

/// The mixer leaves the sound alone at neutral, to the bit, and changes it for every genre.
pub fn mixer() -> Result<Seen> {
    let mut rng = random::Rng(3);
    let input: Vec<f32> = (0..96_000).map(|_| 0.3 * rng.signed()).collect();
    let mix = |outcome: &Outcome, controls: &Controls| {
        let mut mix = MixStage::new(48_000.0, 1, &Preset::factory()[0].profiles, LimiterMode::ZeroLatency);
        let mut sound = input.clone();
        for start in (0..sound.len()).step_by(960) {
            mix.set_target(outcome, controls);
            mix.process(&mut [&mut sound], &[], start, start + 960, controls);
        }
        sound
    };
    let controls = Controls { reaction_s: 0.1, ..Controls::default() };
    let neutral = Decision::new().update(&idiom_engine::Posterior::UNIFORM, -20.0, &controls);
    ensure!(mix(&neutral, &controls) == input, "neutral is not the input");
    for genre in Genre::ALL {
        let outcome = Outcome { genre: Some(genre), verdict: Verdict::Manual, ..Outcome::default() };
        let sound = mix(&outcome, &controls);
        ensure!(sound != input, "{} changes nothing", genre.label());
        ensure!(sound.iter().all(|x| x.is_finite()), "{} gives numbers that are none", genre.label());
    }
    Ok("neutral is the input bit for bit; every genre is heard".into())
}

/// What is configured can be written and read, and what is wrong is refused.
pub fn configuration() -> Result<Seen> {
    for backend in Backend::ALL {
        for quantization in Quantization::ALL {
            let text = serde_json::to_string(&(backend, quantization))?;
            ensure!(
                serde_json::from_str::<(Backend, Quantization)>(&text)? == (backend, quantization),
                "{text}"
            );
        }
    }
    let limits = CacheLimits::default();
    ensure!(serde_json::from_str::<CacheLimits>(&serde_json::to_string(&limits)?)? == limits, "cache limits");
    ensure!(limits.room() > 0, "the cache has no room");
    for wrong in ["", "version = 1", "version = 999", "no preset"] {
        ensure!(Preset::parse(wrong).is_err(), "'{wrong}' passes for a preset");
    }
    let choices = Backend::ALL.len() * Quantization::ALL.len();
    Ok(format!("{choices} choices of backend and quantization, limits, presets").into())
}
