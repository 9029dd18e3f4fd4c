//! From what the user wants to what can run: the wish, then each fallback in turn, with the reasons.

use super::store::{self, Loaded, ModelSource};
use super::tract::TractModel;
use crate::controls::{Backend, Quantization};
use crate::engine::Status;
use crate::model::ModelError;
use crate::rt::recognizer::{Recognizer, RemoteModel};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What the user chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// What should compute the genre.
    pub backend: Backend,
    /// In which arithmetic.
    pub quantization: Quantization,
    /// With which model.
    pub source: ModelSource,
}

/// What can run.
pub struct Prepared {
    /// For the audio thread.
    pub recognizer: Box<Recognizer>,
    /// For the worker, when the recognizer has a remote model.
    pub plan: Option<Remote>,
    /// What to tell the user.
    pub status: Status,
}

/// Loads and compiles what is wished for, or the best that works instead. Never fails: the rules need nothing.
pub fn prepare(wish: &Wish) -> Prepared {
    let mut problems: Vec<String> = Vec::new();
    let prepared = network(wish, &mut problems);
    let (recognizer, plan, installed, model) = match prepared {
        Some((loaded, plan)) => {
            let meta = plan.as_ref().map_or(&loaded.meta, |(_, tract): &Remote| tract.meta());
            let model = format!("{} {}", meta.name, meta.version);
            let quantization = loaded.network.quantization();
            let recognizer = Recognizer::network(loaded.network.clone(), loaded.outputs);
            match plan {
                None => (recognizer, None, (Backend::Onnx, quantization), model),
                Some((remote, tract)) => {
                    let installed = (Backend::OnnxWorker, remote.quantization);
                    (recognizer.with_remote(remote), Some((remote, tract)), installed, model)
                }
            }
        }
        None => (Recognizer::rules(), None, (Backend::Spectral, Quantization::Fp32), String::new()),
    };
    let problem = (!problems.is_empty()).then(|| {
        let runs = match installed {
            (Backend::Spectral, _) => Backend::Spectral.label().to_owned(),
            (backend, quantization) => format!("{} {}", backend.label(), quantization.label()),
        };
        format!("{}. {runs} runs instead.", problems.join(". "))
    });
    let requested = (wish.backend, wish.quantization);
    Prepared {
        recognizer: Box::new(recognizer),
        plan,
        status: Status { requested, installed, model, problem },
    }
}

/// A model on the worker, and what the audio thread has to know of it.
pub type Remote = (RemoteModel, Arc<TractModel>);

/// The network of the audio thread and, where wished for, the model of the worker. `None` leaves the rules.
fn network(wish: &Wish, problems: &mut Vec<String>) -> Option<(Arc<Loaded>, Option<Remote>)> {
    let Wish { backend, quantization, source } = wish;
    if *backend == Backend::Spectral {
        return None;
    }
    if *backend == Backend::OnnxWorker
        && let Some(remote) = first_that_loads(source, *quantization, problems, store::load_tract)
    {
        // While the worker has no answer, the cheapest network there is stands in. A file of the user's that only tract
        // runs is no problem then.
        let (quiet, cheapest) = (&mut Vec::new(), Quantization::Int8);
        let stand_in = first_that_loads(source, cheapest, quiet, store::load)
            .or_else(|| first_that_loads(&ModelSource::Shipped, cheapest, quiet, store::load));
        if let Some(stand_in) = stand_in {
            return Some((stand_in, Some(remote)));
        }
    }
    let chosen = first_that_loads(source, *quantization, problems, store::load).or_else(|| {
        // A file of the user's that does not work is no reason to do without a network.
        let other = *source != ModelSource::Shipped;
        other.then(|| first_that_loads(&ModelSource::Shipped, *quantization, problems, store::load)).flatten()
    })?;
    Some((chosen, None))
}

fn first_that_loads<T>(
    source: &ModelSource,
    quantization: Quantization,
    problems: &mut Vec<String>,
    load: fn(&ModelSource, Quantization) -> Result<T, ModelError>,
) -> Option<T> {
    source.quantizations(quantization).iter().find_map(|quantization| {
        let loaded = guarded(|| load(source, *quantization).map_err(|error| error.to_string()));
        let note = |error: String| {
            let problem = format!("{} cannot be used: {error}", source.name());
            // The executor and tract often say the same.
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        };
        loaded.map_err(note).ok()
    })
}

/// Turns a panic in code that reads files of others into an error.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err("it made the reader fail".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::shipped;

    fn wish(backend: Backend, quantization: Quantization) -> Wish {
        Wish { backend, quantization, ..Wish::default() }
    }

    #[test]
    fn each_backend_is_what_was_asked_for() {
        for (backend, quantization, installed) in [
            (Backend::Auto, Quantization::Auto, (Backend::Onnx, Quantization::Int8)),
            (Backend::Auto, Quantization::Fp32, (Backend::Onnx, Quantization::Fp32)),
            (Backend::Onnx, Quantization::Int8, (Backend::Onnx, Quantization::Int8)),
            (Backend::OnnxWorker, Quantization::Fp32, (Backend::OnnxWorker, Quantization::Fp32)),
            (Backend::OnnxWorker, Quantization::Auto, (Backend::OnnxWorker, Quantization::Int8)),
            (Backend::Spectral, Quantization::Auto, (Backend::Spectral, Quantization::Fp32)),
        ] {
            let prepared = prepare(&wish(backend, quantization));
            assert_eq!(prepared.status.installed, installed, "{backend:?} {quantization:?}");
            assert_eq!(prepared.status.requested, (backend, quantization));
            assert_eq!(prepared.status.problem, None);
            assert_eq!(prepared.plan.is_some(), backend == Backend::OnnxWorker);
            assert_eq!(prepared.status.model.is_empty(), backend == Backend::Spectral);
        }
    }

    #[test]
    fn a_damaged_model_falls_back_and_says_why() {
        let whole = shipped::flagship(Quantization::Fp32);
        for backend in [Backend::Auto, Backend::Onnx, Backend::OnnxWorker] {
            for damaged in [&[][..], &whole[..100], &whole[..whole.len() - 1], b"no model at all"] {
                let source = ModelSource::Bytes { name: "mine.onnx".into(), bytes: damaged.into() };
                let status = prepare(&Wish { source, ..wish(backend, Quantization::Auto) }).status;
                let problem = status.problem.expect("there is a problem");
                assert!(problem.contains("mine.onnx") && problem.contains("instead"), "{problem}");
                assert_eq!(status.installed.1, Quantization::Int8);
            }
        }
    }
}
