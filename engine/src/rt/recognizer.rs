//! What turns features into a posterior: a network, or nothing, in which case the rules answer.
//!
//! A [`Recognizer`] is made by the worker, travels to the audio thread in a box, and travels back to be freed.

use super::features::Features;
use super::net::Network;
use crate::controls::{Backend, Quantization};
use crate::genre::Posterior;
use crate::model::{GenreOutputs, InputKind};

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
    network: Option<Network>,
    /// What running the network is called.
    backend: Backend,
    /// Which of the network's outputs answers for each genre.
    outputs: GenreOutputs,
    remote: Option<RemoteModel>,
}

impl Recognizer {
    /// The rules, which the engine keeps running anyway.
    pub fn rules() -> Recognizer {
        Recognizer {
            network: None,
            backend: Backend::Spectral,
            outputs: GenreOutputs::default(),
            remote: None,
        }
    }

    /// A network on the audio thread, what running it is called, and which of its outputs answers for each genre.
    pub fn network(network: Network, backend: Backend, outputs: GenreOutputs) -> Recognizer {
        Recognizer { network: Some(network), backend, outputs, remote: None }
    }

    /// A model on the worker. This recognizer's own network answers while the worker does not.
    pub fn with_remote(self, remote: RemoteModel) -> Recognizer {
        Recognizer { remote: Some(remote), ..self }
    }

    /// The model on the worker, if any.
    pub fn remote(&self) -> Option<RemoteModel> {
        self.remote
    }

    /// What its own answers are made by.
    pub fn identity(&self) -> (Backend, Quantization) {
        match &self.network {
            Some(network) => (self.backend, network.quantization()),
            None => (Backend::Spectral, Quantization::Fp32),
        }
    }

    /// Takes in one frame. `None` when there is no network, or it has no usable answer.
    pub fn push(&mut self, features: &Features) -> Option<Posterior> {
        let network = self.network.as_mut()?;
        self.outputs.posterior(network.push(column(network.input(), features)))
    }

    /// Frames of the past that matter for its answers, about.
    pub fn memory(&self) -> usize {
        self.network.as_ref().map_or(0, Network::pool_frames)
    }

    /// Bytes that its network holds beside the weights.
    pub fn state_bytes(&self) -> usize {
        self.network.as_ref().map_or(0, Network::state_bytes)
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        if let Some(network) = &mut self.network {
            network.reset();
        }
    }
}

/// The column that a model with this input takes from a frame.
pub fn column(input: InputKind, features: &Features) -> &[f32] {
    match input {
        InputKind::LogMel40 => &features.log_mel,
        InputKind::Mfcc13 => &features.mfcc,
    }
}
