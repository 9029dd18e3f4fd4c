//! From what the user wants to what can run: the wish, then each fallback in turn, with the reasons.

use super::auto;
use super::store::{self, Loaded, ModelSource, Opened};
use super::tract::TractModel;
use crate::controls::{Backend, Quantization};
use crate::engine::Status;
use crate::model::{Format, GenreOutputs, ModelError};
use crate::rt::classic::Classic;
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
    /// It is not known yet what [`Quantization::Auto`] is here: prepare once more where there is time to measure it.
    pub provisional: bool,
}

/// What is played until [`Quantization::Auto`] has been measured.
const UNMEASURED: &str = "INT8 until FP32 and INT8 have been measured against each other here";

/// Loads and compiles what is wished for, or the best that works instead. Never fails: the rules need nothing.
/// `may_measure`: whether there is time to find out which quantization is best here, if that is not known.
pub fn prepare(wish: &Wish, may_measure: bool) -> Prepared {
    let mut problems: Vec<String> = Vec::new();
    let (chosen, provisional) = chosen_for_this_machine(wish, may_measure);
    let resolved =
        Wish { quantization: chosen.as_ref().map_or(wish.quantization, |(q, _)| *q), ..wish.clone() };
    let (recognizer, plan, installed, meta) = match network(&resolved, &mut problems) {
        Some((loaded, plan)) => {
            let recognizer = Recognizer::network(loaded.network.clone(), loaded.backend(), loaded.outputs);
            match plan {
                None => (
                    recognizer,
                    None,
                    (loaded.backend(), loaded.network.quantization()),
                    Some(loaded.meta.clone()),
                ),
                Some((remote, tract)) => {
                    let (installed, meta) =
                        ((Backend::OnnxWorker, remote.quantization), tract.meta().clone());
                    (recognizer.with_remote(remote), Some((remote, tract)), installed, Some(meta))
                }
            }
        }
        None => match classic(wish, &mut problems) {
            Some((classic, outputs)) => {
                let meta = classic.model().meta.clone();
                let recognizer = Recognizer::classic(classic, outputs);
                (recognizer, None, (Backend::Classic, Quantization::Fp32), Some(meta))
            }
            None => (Recognizer::rules(), None, (Backend::Spectral, Quantization::Fp32), None),
        },
    };
    let problem = (!problems.is_empty()).then(|| {
        let runs = match installed {
            (backend @ (Backend::Classic | Backend::Spectral), _) => backend.label().to_owned(),
            (backend, quantization) => format!("{} {}", backend.label(), quantization.label()),
        };
        format!("{}. {runs} runs instead.", problems.join(". "))
    });
    let requested = (wish.backend, wish.quantization);
    let model = meta.as_ref().map_or_else(String::new, |meta| format!("{} {}", meta.name, meta.version));
    let classes = meta.map_or_else(Vec::new, |meta| meta.classes);
    Prepared {
        recognizer: Box::new(recognizer),
        plan,
        status: Status {
            requested,
            installed,
            model,
            classes,
            choice: chosen.filter(|(q, _)| *q == installed.1).map(|(_, why)| why),
            problem,
        },
        provisional,
    }
}

/// What [`Quantization::Auto`] is on the audio thread of this machine and why, and whether that is provisional. On the worker
/// the smallest is taken.
fn chosen_for_this_machine(wish: &Wish, may_measure: bool) -> (Option<(Quantization, String)>, bool) {
    let here = matches!(wish.backend, Backend::Auto | Backend::Onnx | Backend::Tflite);
    if wish.source != ModelSource::Shipped || wish.quantization != Quantization::Auto || !here {
        return (None, false);
    }
    let format = if wish.backend == Backend::Tflite { Format::Tflite } else { Format::Onnx };
    let known = if may_measure { auto::choose } else { auto::known };
    match known(&Opened::Shipped, format) {
        None if !may_measure => (Some((Quantization::Int8, UNMEASURED.into())), true),
        chosen => (chosen, false),
    }
}

/// A model on the worker, and what the audio thread has to know of it.
pub type Remote = (RemoteModel, Arc<TractModel>);

/// The linear model, for whoever wishes for it and for whom no network can be used.
fn classic(wish: &Wish, problems: &mut Vec<String>) -> Option<(Classic, GenreOutputs)> {
    if wish.backend == Backend::Spectral {
        return None;
    }
    let loaded = store::load_classic();
    loaded.map_err(|error| problems.push(format!("the classic model cannot be used: {error}"))).ok()
}

/// The network of the audio thread and, where wished for or needed, the model of the worker. `None` leaves the linear
/// model and the rules.
///
/// The order: what is wished for; the same in another quantization, then in another format; for a file of the user's that
/// the executor does not run, the worker; then the built-in model.
fn network(wish: &Wish, problems: &mut Vec<String>) -> Option<(Arc<Loaded>, Option<Remote>)> {
    if matches!(wish.backend, Backend::Classic | Backend::Spectral) {
        return None;
    }
    let opened = wish.source.open().map_err(|missing| problems.push(missing)).ok();
    if let Some(opened) = &opened {
        let executor_first = wish.backend != Backend::OnnxWorker;
        if executor_first && let Some(loaded) = on_audio_thread(opened, wish, problems) {
            return Some((loaded, None));
        }
        // The built-in model is in files that the executor runs; only a file of the user's may need the worker.
        if (!executor_first || matches!(opened, Opened::File { .. }))
            && let Some(both) = on_worker(opened, wish, problems)
        {
            return Some(both);
        }
        if !executor_first && let Some(loaded) = on_audio_thread(opened, wish, problems) {
            return Some((loaded, None));
        }
    }
    // A file of the user's that does not work is no reason to do without a network.
    let other = !matches!(opened, Some(Opened::Shipped));
    other.then(|| on_audio_thread(&Opened::Shipped, wish, problems)).flatten().map(|loaded| (loaded, None))
}

fn on_audio_thread(opened: &Opened, wish: &Wish, problems: &mut Vec<String>) -> Option<Arc<Loaded>> {
    let formats = opened.formats(wish.backend).iter();
    let variants =
        formats.flat_map(|format| opened.quantizations(wish.quantization).iter().map(move |q| (*format, *q)));
    first_that_loads(opened, variants, problems, |(format, q)| store::load(opened, format, q))
}

/// While the worker has no answer, the cheapest network there is stands in. A file of the user's that only tract runs is no
/// problem then.
fn on_worker(
    opened: &Opened,
    wish: &Wish,
    problems: &mut Vec<String>,
) -> Option<(Arc<Loaded>, Option<Remote>)> {
    let quantizations = opened.quantizations(wish.quantization).iter().copied();
    let remote = first_that_loads(opened, quantizations, problems, |q| store::load_tract(opened, q))?;
    let (quiet, cheapest) = (&mut Vec::new(), Wish { quantization: Quantization::Int8, ..Wish::default() });
    let stand_in = on_audio_thread(opened, &cheapest, quiet)
        .or_else(|| on_audio_thread(&Opened::Shipped, &cheapest, quiet));
    stand_in.map(|stand_in| (stand_in, Some(remote)))
}

fn first_that_loads<V, T>(
    opened: &Opened,
    variants: impl IntoIterator<Item = V>,
    problems: &mut Vec<String>,
    load: impl Fn(V) -> Result<T, ModelError>,
) -> Option<T> {
    variants.into_iter().find_map(|variant| {
        let loaded = guarded(|| load(variant).map_err(|error| error.to_string()));
        let note = |error: String| {
            let problem = format!("{} cannot be used: {error}", opened.name());
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

    /// The same on every machine.
    fn measure() {
        auto::measure_by(|_, _| auto::Measurement { speedup: 1.94, agreement: 0.996 }, None);
    }

    #[test]
    fn what_auto_chose_is_explained_and_what_the_user_chose_is_not() {
        measure();
        let status = prepare(&wish(Backend::Tflite, Quantization::Auto), true).status;
        assert_eq!(status.choice.as_deref(), Some("INT8: 1.9x faster here than FP32, agreement 99.6 %"));
        for (backend, quantization) in [
            (Backend::Onnx, Quantization::Int8),
            (Backend::OnnxWorker, Quantization::Auto),
            (Backend::Spectral, Quantization::Auto),
        ] {
            assert_eq!(prepare(&wish(backend, quantization), true).status.choice, None);
        }
    }

    #[test]
    fn each_backend_is_what_was_asked_for() {
        measure();
        for (backend, quantization, installed) in [
            (Backend::Auto, Quantization::Auto, (Backend::Onnx, Quantization::Int8)),
            (Backend::Auto, Quantization::Fp32, (Backend::Onnx, Quantization::Fp32)),
            (Backend::Onnx, Quantization::Int8, (Backend::Onnx, Quantization::Int8)),
            (Backend::Onnx, Quantization::Fp16, (Backend::Onnx, Quantization::Fp16)),
            (Backend::Tflite, Quantization::Auto, (Backend::Tflite, Quantization::Int8)),
            (Backend::Tflite, Quantization::Fp16, (Backend::Tflite, Quantization::Fp16)),
            (Backend::Tflite, Quantization::Fp32, (Backend::Tflite, Quantization::Fp32)),
            (Backend::OnnxWorker, Quantization::Fp16, (Backend::OnnxWorker, Quantization::Fp16)),
            (Backend::OnnxWorker, Quantization::Fp32, (Backend::OnnxWorker, Quantization::Fp32)),
            (Backend::OnnxWorker, Quantization::Auto, (Backend::OnnxWorker, Quantization::Int8)),
            (Backend::Classic, Quantization::Auto, (Backend::Classic, Quantization::Fp32)),
            (Backend::Spectral, Quantization::Auto, (Backend::Spectral, Quantization::Fp32)),
        ] {
            let prepared = prepare(&wish(backend, quantization), true);
            assert_eq!(prepared.status.installed, installed, "{backend:?} {quantization:?}");
            assert_eq!(prepared.status.requested, (backend, quantization));
            assert_eq!(prepared.status.problem, None);
            assert_eq!(prepared.plan.is_some(), backend == Backend::OnnxWorker);
            assert_eq!(prepared.status.model.is_empty(), backend == Backend::Spectral);
        }
    }

    #[test]
    fn a_damaged_model_falls_back_and_says_why() {
        measure();
        let whole = shipped::flagship(Quantization::Fp32);
        for backend in [Backend::Auto, Backend::Onnx, Backend::OnnxWorker] {
            for damaged in [&[][..], &whole[..100], &whole[..whole.len() - 1], b"no model at all"] {
                let source = ModelSource::Bytes { name: "mine.onnx".into(), bytes: damaged.into() };
                let status = prepare(&Wish { source, ..wish(backend, Quantization::Auto) }, true).status;
                let problem = status.problem.expect("there is a problem");
                assert!(problem.contains("mine.onnx") && problem.contains("instead"), "{problem}");
                assert_eq!(status.installed.1, Quantization::Int8);
            }
        }
    }
}
