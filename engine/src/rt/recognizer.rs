//! What turns features into a posterior: a network, or nothing, in which case the rules answer.
//!
//! A [`Recognizer`] is made by the worker, travels to the audio thread in a box, and travels back to be freed.

use super::classic::{Classic, WINDOW_FRAMES};
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
    namer: Namer,
    /// Which of its outputs answers for each genre.
    outputs: GenreOutputs,
    remote: Option<RemoteModel>,
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
        Recognizer { namer: Namer::Rules, outputs: GenreOutputs::default(), remote: None }
    }

    /// A network on the audio thread, what running it is called, and which of its outputs answers for each genre.
    pub fn network(network: Network, backend: Backend, outputs: GenreOutputs) -> Recognizer {
        Recognizer { namer: Namer::Network(Box::new(network), backend), outputs, remote: None }
    }

    /// The linear model on MFCC statistics, and which of its outputs answers for each genre.
    pub fn classic(classic: Classic, outputs: GenreOutputs) -> Recognizer {
        Recognizer { namer: Namer::Classic(Box::new(classic)), outputs, remote: None }
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
        match &self.namer {
            Namer::Network(network, backend) => (*backend, network.quantization()),
            Namer::Classic(_) => (Backend::Classic, Quantization::Fp32),
            Namer::Rules => (Backend::Spectral, Quantization::Fp32),
        }
    }

    /// Takes in one frame. `None` when there is neither network nor linear model, or no usable answer.
    pub fn push(&mut self, features: &Features) -> Option<Posterior> {
        let probabilities = match &mut self.namer {
            Namer::Network(network, _) => network.push(column(network.input(), features)),
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

    /// Frames of the past that matter for its answers, about.
    pub fn memory(&self) -> usize {
        match &self.namer {
            Namer::Network(network, _) => network.pool_frames(),
            Namer::Classic(_) => WINDOW_FRAMES,
            Namer::Rules => 0,
        }
    }

    /// Bytes that it holds beside the weights.
    pub fn state_bytes(&self) -> usize {
        match &self.namer {
            Namer::Network(network, _) => network.state_bytes(),
            Namer::Classic(_) => size_of::<Classic>(),
            Namer::Rules => 0,
        }
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

/// The column that a model with this input takes from a frame.
pub fn column(input: InputKind, features: &Features) -> &[f32] {
    match input {
        InputKind::LogMel40 => &features.log_mel,
        InputKind::Mfcc13 => &features.mfcc,
    }
}
