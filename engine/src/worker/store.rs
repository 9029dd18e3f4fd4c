//! Models, compiled once and shared by all instances of the process.

use super::shelf::Shelf;
use super::tract::TractModel;
use super::user::UserModel;
use crate::controls::{Backend, Quantization};
use crate::model::classic::ClassicModel;
use crate::model::{Entries, Format, GenreOutputs, Model, ModelError, ModelMeta, onnx, shipped};
use crate::rt::classic::Classic;
use crate::rt::history::FRAMES;
use crate::rt::net::Network;
use crate::rt::recognizer::RemoteModel;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

/// Where a model comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ModelSource {
    /// The one embedded in the program, in each format and quantization.
    #[default]
    Shipped,
    /// The bytes of a file, and the name to show for it.
    Bytes {
        /// Name to show, usually the file's.
        name: String,
        /// The file.
        bytes: Arc<[u8]>,
    },
    /// A file of the user's, see [`super::user`].
    User(UserModel),
}

impl ModelSource {
    /// What changes when a file of the user's comes or goes; nothing for others.
    pub(super) fn traces(&self) -> super::user::Traces {
        if let ModelSource::User(model) = self { model.traces() } else { Vec::new() }
    }

    /// Gets the files together.
    ///
    /// # Errors
    /// When a file of the user's is not found; says what is missing and where it was looked for.
    pub fn open(&self) -> Result<Opened, String> {
        match self {
            ModelSource::Shipped => Ok(Opened::Shipped),
            ModelSource::Bytes { name, bytes } => {
                let (name, bytes) = (name.clone(), Arc::clone(bytes));
                Ok(Opened::File { name, bytes, sidecar: Entries::new() })
            }
            ModelSource::User(model) => {
                let found = model.find()?;
                Ok(Opened::File { name: model.name.clone(), bytes: found.bytes, sidecar: found.sidecar })
            }
        }
    }
}

/// A source whose files are at hand.
#[derive(Clone, Debug)]
pub enum Opened {
    /// See [`ModelSource::Shipped`].
    Shipped,
    /// One file.
    File {
        /// Name to show.
        name: String,
        /// The file.
        bytes: Arc<[u8]>,
        /// What the file does not say about itself.
        sidecar: Entries,
    },
}

impl Opened {
    /// Name to show in messages.
    pub fn name(&self) -> &str {
        match self {
            Opened::Shipped => "the built-in model",
            Opened::File { name, .. } => name,
        }
    }

    /// The formats that it is there in, the one that `backend` asks for first.
    pub fn formats(&self, backend: Backend) -> &'static [Format] {
        match self {
            Opened::File { bytes, .. } if Format::of(bytes) == Format::Tflite => &[Format::Tflite],
            Opened::File { .. } => &[Format::Onnx],
            Opened::Shipped if backend == Backend::Tflite => &[Format::Tflite, Format::Onnx],
            Opened::Shipped => &[Format::Onnx, Format::Tflite],
        }
    }

    /// The quantizations to try for a wish, in order. A file of the user's is what it is.
    pub fn quantizations(&self, wish: Quantization) -> &'static [Quantization] {
        use Quantization::{Auto, Fp16, Fp32, Int8};
        match (self, wish) {
            (Opened::File { .. }, _) => &[Auto],
            (_, Fp32) => &[Fp32, Fp16, Int8],
            (_, Fp16) => &[Fp16, Fp32, Int8],
            (_, Int8 | Auto) => &[Int8, Fp32, Fp16],
        }
    }

    /// The file in this format and quantization, and its sidecar.
    pub fn file(&self, format: Format, quantization: Quantization) -> (&[u8], Entries) {
        match (self, format) {
            (Opened::Shipped, Format::Onnx) => (shipped::flagship(quantization), Entries::new()),
            (Opened::Shipped, Format::Tflite) => (shipped::flagship_tflite(quantization), Entries::new()),
            (Opened::File { bytes, sidecar, .. }, _) => (bytes, sidecar.clone()),
        }
    }

    /// A number that differs for different files.
    pub fn fingerprint(&self, format: Format, quantization: Quantization) -> u64 {
        let (bytes, sidecar) = self.file(format, quantization);
        let described = sidecar.iter().flat_map(|(key, text)| [key.as_bytes(), text.as_bytes()]);
        described.fold(hash(HASH_START, bytes), hash)
    }
}

/// A model that is ready to play. Cloning the network shares its weights.
pub struct Loaded {
    /// What the file says about itself.
    pub meta: ModelMeta,
    /// The kind of file.
    pub format: Format,
    /// The compiled network, nothing heard.
    pub network: Network,
    /// Which output answers for each genre.
    pub outputs: GenreOutputs,
}

impl Loaded {
    /// The backend that playing it is.
    pub fn backend(&self) -> Backend {
        match self.format {
            Format::Onnx => Backend::Onnx,
            Format::Tflite => Backend::Tflite,
        }
    }
}

/// Most bytes of model files whose models are kept, of each kind: all quantizations of the built-in one and several of the
/// user's, so that trying one after the other loads each once.
const KEPT_BYTES: usize = 8 << 20;

/// Models by hash of their file.
type Models<T> = LazyLock<Mutex<Shelf<T>>>;

static COMPILED: Models<Loaded> = LazyLock::new(|| Mutex::new(Shelf::new(KEPT_BYTES)));
static TRACT: Models<TractModel> = LazyLock::new(|| Mutex::new(Shelf::new(KEPT_BYTES)));

fn lock<T>(models: &Models<T>) -> MutexGuard<'_, Shelf<T>> {
    models.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A model for the audio thread. [`Quantization::Auto`] takes a file as it is.
///
/// # Errors
/// Says what is wrong with the file, or what in it the executor does not run.
pub fn load(source: &Opened, format: Format, quantization: Quantization) -> Result<Arc<Loaded>, ModelError> {
    let (bytes, sidecar) = source.file(format, quantization);
    lock(&COMPILED).get_or_load(source.fingerprint(format, quantization), bytes.len(), || {
        let model = Model::read(bytes, &sidecar)?;
        let network = Network::compile(&model)?;
        let outputs = model.meta.genre_outputs()?;
        Ok(Loaded { meta: model.meta, format, network, outputs })
    })
}

/// The linear model of the backend Classic, nothing heard.
///
/// # Errors
/// When the file that was built in is damaged.
pub fn load_classic() -> Result<(Classic, GenreOutputs), ModelError> {
    static MODEL: LazyLock<Result<Arc<ClassicModel>, ModelError>> =
        LazyLock::new(|| ClassicModel::read(shipped::classic()).map(Arc::new));
    let model = MODEL.clone()?;
    let outputs = model.meta.genre_outputs()?;
    Ok((Classic::new(model), outputs))
}

/// A model for the worker.
///
/// # Errors
/// Says what is wrong with the file, or why tract does not run it. A TFLite file it never runs.
pub fn load_tract(
    source: &Opened,
    quantization: Quantization,
) -> Result<(RemoteModel, Arc<TractModel>), ModelError> {
    if source.formats(Backend::OnnxWorker).first() == Some(&Format::Tflite) {
        let detail = "it is a TFLite file, and the worker runs ONNX; export it as ONNX".into();
        return Err(ModelError::Tract { detail });
    }
    let (bytes, sidecar) = source.file(Format::Onnx, quantization);
    let id = source.fingerprint(Format::Onnx, quantization);
    let meta = onnx::read_meta(bytes, &sidecar)?;
    let outputs = meta.genre_outputs()?;
    // A file that only tract reads is played in floating point, and says itself how many frames it takes.
    let known = Model::read(bytes, &sidecar).ok();
    let quantization = known.as_ref().map_or(Quantization::Fp32, Model::quantization);
    let frames = known.map_or(meta.pool_frames, |model| model.window_frames()).min(FRAMES);
    let model = lock(&TRACT).get_or_load(id, bytes.len(), || TractModel::load(bytes, &sidecar, frames))?;
    Ok((RemoteModel { id, input: meta.features, frames, outputs, quantization }, model))
}

/// Start value of [`hash`].
const HASH_START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
fn hash(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_loaded_once() {
        let load = |format, quantization| load(&Opened::Shipped, format, quantization).expect("it loads");
        let first = load(Format::Onnx, Quantization::Int8);
        assert!(Arc::ptr_eq(&first, &load(Format::Onnx, Quantization::Auto)));
        let other = load(Format::Onnx, Quantization::Fp32);
        assert!(!Arc::ptr_eq(&first, &other));
        assert_eq!(other.network.quantization(), Quantization::Fp32);
        let tflite = load(Format::Tflite, Quantization::Int8);
        assert_eq!((tflite.format, &tflite.meta), (Format::Tflite, &first.meta));
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        for (format, whole) in [
            (Format::Onnx, shipped::flagship(Quantization::Int8)),
            (Format::Tflite, shipped::flagship_tflite(Quantization::Int8)),
        ] {
            let bytes = whole[..whole.len() / 2].into();
            let source = ModelSource::Bytes { name: "half".into(), bytes }.open().expect("at hand");
            assert!(load(&source, format, Quantization::Auto).is_err());
            assert!(load_tract(&source, Quantization::Auto).is_err());
        }
    }
}
