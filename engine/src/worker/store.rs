//! Models, compiled once and shared by all instances of the process.

use crate::controls::Quantization;
use crate::genre::GENRES;
use crate::model::{Model, ModelError, ModelMeta, shipped};
use crate::rt::net::Network;
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
    /// Number that no other model has: a hash of the file.
    pub id: u64,
    /// The file.
    pub bytes: Arc<[u8]>,
}

/// Models by hash of their file. One that nobody plays any more goes when another is loaded.
static MODELS: LazyLock<Mutex<HashMap<u64, Arc<Loaded>>>> = LazyLock::new(Mutex::default);

/// Reads and compiles a model, or hands out the one that is there already. [`Quantization::Auto`] asks for the source's best.
///
/// # Errors
/// Says what is wrong with the file.
pub fn load(source: &ModelSource, quantization: Quantization) -> Result<Arc<Loaded>, ModelError> {
    let bytes = source.bytes(quantization);
    let id = fingerprint(bytes);
    let mut models = MODELS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(loaded) = models.get(&id) {
        return Ok(Arc::clone(loaded));
    }
    let model = Model::from_onnx(bytes)?;
    let network = Network::compile(&model)?;
    let outputs = model.meta.genre_outputs()?;
    let loaded = Arc::new(Loaded { meta: model.meta, network, outputs, id, bytes: bytes.into() });
    models.retain(|_, other| Arc::strong_count(other) > 1);
    models.insert(id, Arc::clone(&loaded));
    Ok(loaded)
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
        assert_ne!(first.id, other.id);
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
