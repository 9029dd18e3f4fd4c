//! A model of the user's own, kept with the session: its name, its SHA-256 and where it was picked. The engine finds the
//! file again, see [`idiom_engine::worker::user`].

use idiom_engine::Handle;
use idiom_engine::worker::ModelSource;
use idiom_engine::worker::UserModel;
use idiom_engine::worker::user::{folder, pick};
use nice_plug::params::persist::PersistentField;
use nice_plug::prelude::*;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The user's model, or none for the built-in one. Main and window thread only.
pub struct ModelSelection {
    handle: Arc<Handle>,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    /// What plays and is saved.
    model: Option<UserModel>,
    /// Why the file that was picked last does not play. What is wrong with one that does is in the engine's status.
    refusal: Option<String>,
}

impl ModelSelection {
    /// The built-in model, as the engine begins.
    pub fn new(handle: Arc<Handle>) -> Self {
        Self { handle, present: Mutex::default() }
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The user's model.
    pub fn get(&self) -> Option<UserModel> {
        self.present().model.clone()
    }

    /// Why the file that was picked last was refused.
    pub fn message(&self) -> Option<String> {
        self.present().refusal.clone()
    }

    /// The user has read that.
    pub fn dismiss(&self) {
        self.present().refusal = None;
    }

    /// Plays the model in this file; one that nothing here can run leaves the model before, and a message.
    pub fn pick(&self, path: &Path) {
        match pick(path, folder().as_deref()) {
            Ok(model) => self.play(Some(model)),
            Err(error) => {
                let refusal = format!("{error}. The model before plays on.");
                nice_warn!("Model: {refusal}");
                self.present().refusal = Some(refusal);
            }
        }
    }

    /// Plays a model, or the built-in one.
    pub fn play(&self, model: Option<UserModel>) {
        self.handle.select_model(model.clone().map_or(ModelSource::Shipped, ModelSource::User));
        *self.present() = Present { model, refusal: None };
    }
}

impl PersistentField<'_, Option<UserModel>> for ModelSelection {
    fn set(&self, loaded: Option<UserModel>) {
        self.play(loaded);
    }

    fn map<F: Fn(&Option<UserModel>) -> R, R>(&self, f: F) -> R {
        f(&self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::model::shipped;
    use idiom_engine::{Config, Quantization};

    #[test]
    fn a_file_that_nothing_can_run_leaves_the_model_before() {
        let home = std::env::temp_dir().join(format!("idiom-own-model-{}", std::process::id()));
        std::fs::create_dir_all(&home).unwrap();
        let good = home.join("mine.onnx");
        std::fs::write(&good, shipped::flagship(Quantization::Fp32)).unwrap();
        let selection = ModelSelection::new(Arc::default());
        let model = pick(&good, None).expect("the shipped model can be picked");
        selection.play(Some(model.clone()));
        for (name, bytes) in [("bad.onnx", Some(&b"no model"[..])), ("missing.onnx", None)] {
            let bad = home.join(name);
            bytes.map(|bytes| std::fs::write(&bad, bytes).unwrap());
            selection.pick(&bad);
            let message = selection.message().expect("said in the window");
            assert!(message.contains(name) && message.contains("plays on"), "{message}");
            assert_eq!(selection.get(), Some(model.clone()));
        }
        let saved = selection.map(|model| serde_json::to_string(model).unwrap());
        let other = ModelSelection::new(Arc::default());
        other.set(serde_json::from_str(&saved).unwrap());
        assert_eq!((other.get(), other.message()), (Some(model), None));
        other.set(None);
        assert_eq!(other.get(), None);
        std::fs::remove_dir_all(home).unwrap();
    }

    #[test]
    fn a_session_whose_model_is_missing_says_which_keeps_it_and_plays_on() {
        let handle = Arc::<Handle>::default();
        let selection = ModelSelection::new(Arc::clone(&handle));
        let nowhere = std::env::temp_dir().join("idiom-nowhere").join("mine.onnx");
        let model = UserModel { name: "mine.onnx".into(), sha256: "ab".repeat(32), path: nowhere.clone() };
        selection.set(Some(model.clone()));
        let _engine = handle.start(Config { sample_rate: 48_000.0, channels: 2, offline: false });
        let problem = handle.status().problem.expect("it is missing");
        for word in ["mine.onnx", "abababababab", &nowhere.display().to_string(), "runs instead"] {
            assert!(problem.contains(word), "`{word}` is not in `{problem}`");
        }
        assert!(!handle.status().model.is_empty(), "the built-in network plays");
        assert_eq!(selection.get(), Some(model), "the session is saved with it again");
    }
}
