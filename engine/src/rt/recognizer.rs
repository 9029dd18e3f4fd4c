//! What turns features into a posterior: a network, or nothing, in which case the rules answer.
//!
//! A [`Recognizer`] is made by the worker, travels to the audio thread in a box, and travels back to be freed.

use super::classic::{Classic, WINDOW_FRAMES};
use super::features::Features;
use super::net::Network;
use super::sample_ring::SampleRing;
use crate::controls::{Backend, Quantization};
use crate::genre::Posterior;
use crate::model::{GenreOutputs, InputKind};
use std::sync::Arc;

/// A network that runs on the worker for this recognizer, see [`super::remote`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RemoteModel {
    /// Which model; no two models share a number.
    pub id: u64,
    /// What its columns hold.
    pub input: InputKind,
    /// Columns in a window.
    pub frames: usize,
    /// Which of its outputs answers for each genre.
    pub outputs: GenreOutputs,
    /// Its arithmetic.
    pub quantization: Quantization,
}

impl RemoteModel {
    /// Stands for no model.
    pub const NONE: RemoteModel = RemoteModel {
        id: 0,
        input: InputKind::LogMel40,
        frames: 0,
        outputs: GenreOutputs::NONE,
        quantization: Quantization::Fp32,
    };
}

/// See the [module](self).
pub struct Recognizer {
    namer: Namer,
    /// Which of its outputs answers for each genre.
    outputs: GenreOutputs,
    remote: Option<RemoteModel>,
    /// The last sound, where the model on the worker takes samples.
    heard: Option<Arc<SampleRing>>,
}

/// What gives the probabilities.
enum Namer {
    /// Nobody: the engine's rules answer.
    Rules,
    /// A network, and what running it is called.
    Network(Box<Network>, Backend),
    /// The linear model on MFCC statistics.
    Classic(Box<Classic>),
}

impl Recognizer {
    /// The rules, which the engine keeps running anyway.
    pub fn rules() -> Recognizer {
        Self::of(Namer::Rules, GenreOutputs::default())
    }

    /// A network on the audio thread, what running it is called, and which of its outputs answers for each genre.
    pub fn network(network: Network, backend: Backend, outputs: GenreOutputs) -> Recognizer {
        Self::of(Namer::Network(Box::new(network), backend), outputs)
    }

    /// The linear model on MFCC statistics, and which of its outputs answers for each genre.
    pub fn classic(classic: Classic, outputs: GenreOutputs) -> Recognizer {
        Self::of(Namer::Classic(Box::new(classic)), outputs)
    }

    fn of(namer: Namer, outputs: GenreOutputs) -> Recognizer {
        Recognizer { namer, outputs, remote: None, heard: None }
    }

    /// A model on the worker. This recognizer's own network answers while the worker does not. Allocates.
    pub fn with_remote(self, remote: RemoteModel) -> Recognizer {
        let heard = (remote.input == InputKind::Samples960).then(|| Arc::new(SampleRing::new(remote.frames)));
        Recognizer { remote: Some(remote), heard, ..self }
    }

    /// The model on the worker, if any.
    pub fn remote(&self) -> Option<RemoteModel> {
        self.remote
    }

    /// The last sound, where the model on the worker takes samples.
    pub fn heard(&self) -> Option<&Arc<SampleRing>> {
        self.heard.as_ref()
    }

    /// Whether it has to be given samples, here or for the worker.
    pub fn wants_samples(&self) -> bool {
        self.heard.is_some() || self.hears_samples()
    }

    /// Whether its own network takes samples, of which no past is kept that it could catch up on.
    pub fn hears_samples(&self) -> bool {
        matches!(&self.namer, Namer::Network(network, _) if network.input() == InputKind::Samples960)
    }

    /// Keeps the newest frame's samples for the worker, where it takes them.
    pub fn keep(&self, samples: &[f32]) {
        if let Some(heard) = &self.heard {
            heard.push(samples);
        }
    }

    /// What its own answers are made by.
    pub fn identity(&self) -> (Backend, Quantization) {
        match &self.namer {
            Namer::Network(network, backend) => (*backend, network.quantization()),
            Namer::Classic(_) => (Backend::Classic, Quantization::Fp32),
            Namer::Rules => (Backend::Spectral, Quantization::Fp32),
        }
    }

    /// Takes in one frame: its features and, where it [wants](Self::wants_samples) them, its samples. `None` when there is
    /// neither network nor linear model, or no usable answer.
    pub fn push(&mut self, features: &Features, samples: &[f32]) -> Option<Posterior> {
        let probabilities = match &mut self.namer {
            Namer::Network(network, _) => network.push(column(network.input(), features, samples)),
            Namer::Classic(classic) => classic.push(features),
            Namer::Rules => return None,
        };
        self.outputs.posterior(probabilities)
    }

    /// Whether it has answers of its own.
    pub fn answers(&self) -> bool {
        !matches!(self.namer, Namer::Rules)
    }

    /// The network's likeliest class by number, and its probability.
    pub fn top(&self) -> Option<(u16, f32)> {
        let Namer::Network(network, _) = &self.namer else { return None };
        let probabilities = network.probabilities();
        (0u16..).zip(probabilities.iter().copied()).max_by(|(_, a), (_, b)| a.total_cmp(b))
    }

    /// Frames of the past that matter for its answers.
    pub fn memory(&self) -> usize {
        match &self.namer {
            Namer::Network(network, _) => network.window_frames(),
            Namer::Classic(_) => WINDOW_FRAMES,
            Namer::Rules => 0,
        }
    }

    /// Bytes that it holds beside the weights.
    pub fn state_bytes(&self) -> usize {
        let own = match &self.namer {
            Namer::Network(network, _) => network.state_bytes(),
            Namer::Classic(_) => size_of::<Classic>(),
            Namer::Rules => 0,
        };
        own + self.heard.as_ref().map_or(0, |heard| heard.memory())
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        match &mut self.namer {
            Namer::Network(network, _) => network.reset(),
            Namer::Classic(classic) => classic.reset(),
            Namer::Rules => {}
        }
    }
}

/// The column that a model with this input takes from a frame, of which `samples` are the [samples](super::features::samples).
pub fn column<'a>(input: InputKind, features: &'a Features, samples: &'a [f32]) -> &'a [f32] {
    match input {
        InputKind::Samples960 => samples,
        InputKind::LogMel40 => &features.log_mel,
        InputKind::Mfcc13 => &features.mfcc,
    }
}
