//! Hearing a clip as the plugin does: front end, then network or rules, frame by frame.

use super::{EXCERPT_SECONDS, Prediction};
use crate::dataset::genre_names;
use idiom_engine::Quantization;
use idiom_engine::model::{Model, ModelError};
use idiom_engine::rt::features::FrontEnd;
use idiom_engine::rt::net::Network;
use idiom_engine::rt::recognizer::column;
use idiom_engine::rt::spectral_rules::SpectralRules;

/// Frames at a clip's beginning that do not count towards its mean posterior, because hardly anything was heard: 0.5 s,
/// as in the engine's decision.
pub const LISTENING_FRAMES: usize = 25;

/// Something that names classes frame by frame.
#[derive(Clone)]
pub struct Listener {
    name: String,
    classes: Vec<String>,
    network: Option<Network>,
}

impl Listener {
    /// A model, run by the engine's executor.
    ///
    /// # Errors
    /// When the executor cannot run the model.
    pub fn model(model: &Model) -> Result<Listener, ModelError> {
        let network = Network::compile(model)?;
        let quantization = match network.quantization() {
            Quantization::Int8 => "INT8",
            _ => "FP32",
        };
        let name = format!("{} {} {quantization}", model.meta.name, model.meta.version);
        Ok(Listener { name, classes: model.meta.classes.clone(), network: Some(network) })
    }

    /// The rules on spectral measures, which need no model.
    pub fn rules() -> Listener {
        Listener { name: "spectral rules".into(), classes: genre_names(), network: None }
    }

    /// What it is, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the classes in the order of the probabilities.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Probability of each class after each frame of 20 ms of mono sound, frame after frame, from a fresh start.
    pub fn posteriors(&mut self, mono: &[f32], sample_rate: u32) -> Vec<f32> {
        let mut front_end = FrontEnd::new(sample_rate as f32);
        let mut rules = SpectralRules::new();
        if let Some(network) = &mut self.network {
            network.reset();
        }
        let mut posteriors = Vec::new();
        for frame in mono.chunks_exact(front_end.hop()) {
            let features = front_end.push(frame);
            match &mut self.network {
                Some(network) => {
                    posteriors.extend_from_slice(network.push(column(network.input(), features)))
                }
                None => {
                    rules.push(features);
                    posteriors.extend_from_slice(&rules.posterior().0);
                }
            }
        }
        posteriors
    }

    /// What it says about a clip whose true class is `label`, and about each 3 s of it heard alone. `None` for a clip
    /// shorter than a frame.
    pub fn judge(&mut self, label: usize, mono: &[f32], sample_rate: u32) -> Option<Prediction> {
        let classes = self.classes.len();
        let all = self.posteriors(mono, sample_rate);
        let frames = all.len().checked_div(classes)?;
        let counted = &all[classes * LISTENING_FRAMES.min(frames.checked_sub(1)?)..];
        let count = (counted.len() / classes) as f32;
        let clip = (0..classes)
            .map(|class| counted.iter().skip(class).step_by(classes).sum::<f32>() / count)
            .collect();
        let excerpt = (EXCERPT_SECONDS * f64::from(sample_rate)).round() as usize;
        let excerpts = mono
            .chunks_exact(excerpt.max(1))
            .filter_map(|sound| {
                let posteriors = self.posteriors(sound, sample_rate);
                posteriors.len().checked_sub(classes).map(|last| posteriors[last..].to_vec())
            })
            .collect();
        Some(Prediction { label, clip, excerpts })
    }
}
