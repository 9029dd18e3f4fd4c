//! Hearing a sound as the plugin does: front end, then what names the classes, then the decision stage, frame by frame.

use crate::dataset::genre_names;
use idiom_engine::genre::{GENRES, Posterior};
use idiom_engine::model::classic::ClassicModel;
use idiom_engine::model::{InputKind, Model, ModelError};
use idiom_engine::rt::classic::Classic;
use idiom_engine::rt::decision::{Decision, Outcome};
use idiom_engine::rt::features::columns::Columns;
use idiom_engine::rt::features::hop_at;
use idiom_engine::rt::net::Network;
use idiom_engine::rt::spectral_rules::SpectralRules;
use idiom_engine::worker::store::{self, ModelSource};
use idiom_engine::{Backend, Config, Controls, Handle, Quantization, Transport};
use std::sync::Arc;

/// Something that names classes frame by frame.
#[derive(Clone)]
pub struct Listener {
    name: String,
    classes: Vec<String>,
    /// Which output answers for each genre; `None` when the classes are not the five genres.
    genres: Option<[usize; GENRES]>,
    namer: Namer,
}

/// What turns a frame's features into probabilities.
#[derive(Clone)]
enum Namer {
    /// A network in the engine's executor.
    Network(Box<Network>),
    /// A model on the worker, heard through the whole engine.
    Worker(ModelSource, Quantization),
    /// The linear model on MFCC statistics.
    Classic(Box<Classic>),
    /// The rules on spectral measures.
    Rules,
}

/// What was made of a sound.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// Probability of each class after each frame of 20 ms, frame after frame.
    pub posteriors: Vec<f32>,
    /// What the decision stage made of each frame, with the plugin's default controls; empty when the classes are not
    /// the five genres.
    pub outcomes: Vec<Outcome>,
}

impl Listener {
    /// A model, run by the engine's executor.
    ///
    /// # Errors
    /// When the executor cannot run the model.
    pub fn model(model: &Model) -> Result<Listener, ModelError> {
        let network = Network::compile(model)?;
        let meta = &model.meta;
        Ok(Listener {
            name: format!("{} {} {}", meta.name, meta.version, network.quantization().label()),
            classes: meta.classes.clone(),
            genres: meta.genre_outputs()?.all(),
            namer: Namer::Network(Box::new(network)),
        })
    }

    /// A model on the worker, run by tract; heard through the whole engine, with its cache and the network that stands in
    /// while there is no answer. The probabilities are those that the plugin shows, smoothed over 0.4 s.
    ///
    /// # Errors
    /// When tract cannot run the model, or its classes are not the five genres.
    pub fn worker(source: ModelSource, quantization: Quantization) -> Result<Listener, ModelError> {
        let (_, model) = {
            let opened = source.open().map_err(|detail| ModelError::Tract { detail })?;
            store::load_tract(&opened, quantization)?
        };
        let meta = model.meta();
        let name = format!("{} {} {} on worker", meta.name, meta.version, quantization.label());
        Ok(Listener::of_genres(name, Namer::Worker(source, quantization)))
    }

    /// A linear model on MFCC statistics.
    pub fn classic(model: ClassicModel) -> Listener {
        Listener {
            name: format!("{} {}", model.meta.name, model.meta.version),
            classes: model.meta.classes.clone(),
            genres: model.meta.genre_outputs().ok().and_then(|outputs| outputs.all()),
            namer: Namer::Classic(Box::new(Classic::new(Arc::new(model)))),
        }
    }

    /// The rules on spectral measures, which need no model.
    pub fn rules() -> Listener {
        Listener::of_genres(Backend::Spectral.label().to_lowercase(), Namer::Rules)
    }

    /// Of what answers in the order of the genres.
    fn of_genres(name: String, namer: Namer) -> Listener {
        Listener { name, classes: genre_names(), genres: Some(std::array::from_fn(|i| i)), namer }
    }

    /// What it is, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Names of the classes in the order of the probabilities.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Whether the classes are the five genres, so that the decision stage can follow.
    pub fn names_genres(&self) -> bool {
        self.genres.is_some()
    }

    /// Hears mono sound from a fresh start.
    pub fn hear(&mut self, mono: &[f32], sample_rate: u32) -> Heard {
        let mut input = InputKind::LogMel40;
        match &mut self.namer {
            Namer::Worker(source, quantization) => {
                return by_engine(source, *quantization, mono, sample_rate);
            }
            Namer::Network(network) => {
                network.reset();
                input = network.input();
            }
            Namer::Classic(classic) => classic.reset(),
            Namer::Rules => {}
        }
        let mut front_end = Columns::new(input, sample_rate as f32);
        let (mut rules, mut decision) = (SpectralRules::new(), Decision::new());
        let mut heard = Heard::default();
        for frame in mono.chunks_exact(front_end.hop()) {
            let (features, column) = front_end.push(frame);
            rules.push(features);
            let by_rules = rules.posterior();
            let probabilities = match &mut self.namer {
                Namer::Network(network) => network.push(column),
                Namer::Classic(classic) => classic.push(features),
                Namer::Worker(..) | Namer::Rules => &by_rules.0,
            };
            if let Some(outputs) = self.genres {
                let posterior = Posterior(outputs.map(|output| probabilities[output]));
                // As in the engine: where there is no usable answer, the rules answer.
                let posterior = if posterior.is_valid() { posterior } else { by_rules };
                heard.outcomes.push(decision.update(&posterior, features.level_dbfs, &Controls::default()));
            }
            heard.posteriors.extend_from_slice(probabilities);
        }
        heard
    }
}

/// Plays the sound through an engine that bounces offline with this model on the worker.
fn by_engine(source: &ModelSource, quantization: Quantization, mono: &[f32], sample_rate: u32) -> Heard {
    let handle = Handle::new();
    handle.select_model(source.clone());
    handle.select(Backend::OnnxWorker, quantization);
    let mut engine = handle.start(Config { sample_rate: sample_rate as f32, channels: 1, offline: true });
    let mut heard = Heard::default();
    let hop = hop_at(sample_rate as f32);
    for (index, frame) in mono.chunks_exact(hop).enumerate() {
        let transport =
            Transport { playing: true, position: Some((index * hop) as i64), ..Transport::default() };
        engine.process(&mut [&mut frame.to_vec()], transport, &Controls::default());
        let seen = handle.telemetry().snapshot();
        heard.posteriors.extend_from_slice(&seen.posterior.0);
        heard.outcomes.push(Outcome {
            posterior: seen.posterior,
            genre: seen.genre,
            verdict: seen.verdict,
            confidence: seen.confidence,
        });
    }
    heard
}
