//! Models, compiled once and shared by all instances of the process.

use super::tract::TractModel;
use crate::controls::Quantization;
use crate::genre::GENRES;
use crate::model::{Model, ModelError, ModelMeta, onnx, shipped};
use crate::rt::history::FRAMES;
use crate::rt::net::Network;
use crate::rt::recognizer::RemoteModel;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSource {
    /// The one embedded in the program, in each quantization.
    #[default]
    Shipped,
    /// The bytes of an ONNX file, and the name to show for it.
    Bytes {
        /// Name to show, usually the file's.
        name: String,
        /// The file.
        bytes: Arc<[u8]>,
    },
}

impl ModelSource {
    /// The quantizations to try for a wish, in order. A file of the user's is what it is.
    pub fn quantizations(&self, wish: Quantization) -> &'static [Quantization] {
        match (self, wish) {
            (ModelSource::Bytes { .. }, _) => &[Quantization::Auto],
            (ModelSource::Shipped, Quantization::Fp32) => &[Quantization::Fp32, Quantization::Int8],
            (ModelSource::Shipped, _) => &[Quantization::Int8, Quantization::Fp32],
        }
    }

    /// Name to show in messages.
    pub fn name(&self) -> &str {
        match self {
            ModelSource::Shipped => "the built-in model",
            ModelSource::Bytes { name, .. } => name,
        }
    }

    fn bytes(&self, quantization: Quantization) -> &[u8] {
        match self {
            ModelSource::Shipped => shipped::flagship(quantization),
            ModelSource::Bytes { bytes, .. } => bytes,
        }
    }
}

/// A model that is ready to play. Cloning the network shares its weights.
pub struct Loaded {
    /// What the file says about itself.
    pub meta: ModelMeta,
    /// The compiled network, nothing heard.
    pub network: Network,
    /// Which output answers for each genre.
    pub outputs: [usize; GENRES],
}

/// Models by hash of their file. One that nobody plays any more goes when another is loaded.
type Models<T> = LazyLock<Mutex<HashMap<u64, Arc<T>>>>;

static COMPILED: Models<Loaded> = LazyLock::new(Mutex::default);
static TRACT: Models<TractModel> = LazyLock::new(Mutex::default);

/// The model of this number, loaded unless it is there already.
fn shared<T>(
    models: &Models<T>,
    id: u64,
    load: impl FnOnce() -> Result<T, ModelError>,
) -> Result<Arc<T>, ModelError> {
    let mut models = models.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = models.get(&id) {
        return Ok(Arc::clone(loaded));
    }
    let loaded = Arc::new(load()?);
    models.retain(|_, other| Arc::strong_count(other) > 1);
    models.insert(id, Arc::clone(&loaded));
    Ok(loaded)
}

/// A model for the audio thread. [`Quantization::Auto`] asks for the source's best.
///
/// # Errors
/// Says what is wrong with the file, or what in it the executor does not run.
pub fn load(source: &ModelSource, quantization: Quantization) -> Result<Arc<Loaded>, ModelError> {
    let bytes = source.bytes(quantization);
    shared(&COMPILED, fingerprint(bytes), || {
        let model = Model::from_onnx(bytes)?;
        let network = Network::compile(&model)?;
        let outputs = model.meta.genre_outputs()?;
        Ok(Loaded { meta: model.meta, network, outputs })
    })
}

/// A model for the worker.
///
/// # Errors
/// Says what is wrong with the file, or why tract does not run it.
pub fn load_tract(
    source: &ModelSource,
    quantization: Quantization,
) -> Result<(RemoteModel, Arc<TractModel>), ModelError> {
    let bytes = source.bytes(quantization);
    let id = fingerprint(bytes);
    let meta = onnx::read_meta(bytes)?;
    let outputs = meta.genre_outputs()?;
    let frames = meta.pool_frames.min(FRAMES);
    let model = shared(&TRACT, id, || TractModel::load(bytes, frames))?;
    // A file that only tract reads is played in floating point.
    let quantization = Model::from_onnx(bytes).map_or(Quantization::Fp32, |model| model.quantization());
    Ok((RemoteModel { id, input: meta.features, frames, outputs, quantization }, model))
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
fn fingerprint(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_loaded_once() {
        let first = load(&ModelSource::Shipped, Quantization::Int8).expect("the shipped model loads");
        let again = load(&ModelSource::Shipped, Quantization::Auto).expect("the shipped model loads");
        assert!(Arc::ptr_eq(&first, &again));
        let other = load(&ModelSource::Shipped, Quantization::Fp32).expect("the shipped model loads");
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(other.network.quantization(), Quantization::Fp32);
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let whole = shipped::flagship(Quantization::Int8);
        let bytes = whole[..whole.len() / 2].into();
        let source = ModelSource::Bytes { name: "half.onnx".into(), bytes };
        assert!(load(&source, Quantization::Auto).is_err());
    }
}
