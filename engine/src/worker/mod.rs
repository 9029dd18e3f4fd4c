//! The worker's room: one thread for all instances of the process.
//!
//! It prepares models, hands them to the audio thread, frees what comes back, and answers the audio thread's questions. It
//! wakes by itself every [`TICK`] while there are instances and ends with the last one. The audio thread never waits for it
//! and never wakes it; the choice of another model does. Backend and quantization are host parameters, which a host may set
//! on its audio thread: they are plain atomics, and seen within a [`TICK`].

pub mod auto;
mod intake;
pub mod prepare;
mod shelf;
pub mod store;
pub mod tract;
pub mod user;
pub mod window;

pub use prepare::Wish;
pub use store::ModelSource;
pub use user::UserModel;

use crate::controls::{Backend, Quantization};
use crate::engine::Status;
use crate::genre::Posterior;
use crate::link::{AudioEnd, Choices, MAX_CHANGES, Request, ToAudio, ToWorker, WorkerEnd, link};
use crate::rt::recognizer::Recognizer;
use crate::telemetry::Telemetry;
use prepare::{Prepared, Remote, guarded, prepare};
use std::sync::atomic::{AtomicU8, Ordering::AcqRel, Ordering::Acquire};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};
use user::Traces;

/// How often the worker looks for messages: a question is answered within this and the model's own time.
pub const TICK: Duration = Duration::from_millis(10);

/// How often a model that was missing is looked for.
const RETRY: Duration = Duration::from_secs(1);

/// What the worker keeps for the engine that is running.
struct Running {
    end: WorkerEnd,
    /// Recognizers that were sent and for which none has come back yet.
    changes: usize,
    /// The models that questions may be about: the present one and the one before.
    plans: [Option<Remote>; 2],
}

impl Running {
    fn add_plan(&mut self, plan: Option<Remote>) {
        if plan.is_some() {
            self.plans.rotate_right(1);
            self.plans[0] = plan;
        }
    }
}

/// An instance as the worker and its handle see it. No lock is ever taken by the audio thread.
pub struct Instance {
    /// [`Wish::backend`] and [`Wish::quantization`] by their numbers.
    backend: AtomicU8,
    quantization: AtomicU8,
    /// [`Wish::source`].
    source: Mutex<ModelSource>,
    status: Mutex<Status>,
    /// Why the worker's model has no answers at present.
    failure: Mutex<Option<String>>,
    /// When the wish is looked at again whose model was missing or not usable, and what its places held then.
    retry: Mutex<Option<(Instant, Traces)>>,
    running: Mutex<Option<Running>>,
    choices: Arc<Choices>,
    telemetry: Arc<Telemetry>,
}

/// All instances, and the thread that serves them while there are any.
#[derive(Default)]
struct Registry {
    instances: Vec<Weak<Instance>>,
    worker: Option<Thread>,
}

static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// A poisoned lock is used all the same: each value is replaced as a whole, so it is never half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Instance {
    /// A new instance, registered with the worker, which is started if this is the first. What goes wrong is counted in
    /// `telemetry`.
    pub fn register(telemetry: Arc<Telemetry>) -> Arc<Instance> {
        let instance = Arc::new(Instance {
            backend: AtomicU8::new(Backend::default() as u8),
            quantization: AtomicU8::new(Quantization::default() as u8),
            source: Mutex::default(),
            status: Mutex::default(),
            failure: Mutex::default(),
            retry: Mutex::default(),
            running: Mutex::new(None),
            choices: Arc::default(),
            telemetry,
        });
        let mut registry = lock(&REGISTRY);
        registry.instances.push(Arc::downgrade(&instance));
        if registry.worker.is_none() {
            // Without a thread there are still the models that `start` prepares.
            registry.worker = start_worker();
        }
        instance
    }

    /// Another backend is wished for. Any thread, the audio thread too.
    pub fn choose_backend(&self, backend: Backend) {
        self.choose(&self.backend, backend as u8);
    }

    /// Another arithmetic is wished for. Any thread, the audio thread too.
    pub fn choose_quantization(&self, quantization: Quantization) {
        self.choose(&self.quantization, quantization as u8);
    }

    fn choose(&self, place: &AtomicU8, index: u8) {
        if place.swap(index, AcqRel) != index {
            self.choices.make();
        }
    }

    /// Another model is wished for; wakes the worker. Not for the audio thread.
    pub fn choose_source(&self, source: ModelSource) {
        if std::mem::replace(&mut *lock(&self.source), source.clone()) == source {
            return;
        }
        self.choices.make();
        if let Some(worker) = &lock(&REGISTRY).worker {
            worker.unpark();
        }
    }

    fn requested(&self) -> (Backend, Quantization) {
        (
            Backend::from_index(self.backend.load(Acquire)).unwrap_or_default(),
            Quantization::from_index(self.quantization.load(Acquire)).unwrap_or_default(),
        )
    }

    fn wish(&self) -> Wish {
        let (backend, quantization) = self.requested();
        Wish { backend, quantization, source: lock(&self.source).clone() }
    }

    /// What runs and why.
    pub fn status(&self) -> Status {
        let mut status = Status { requested: self.requested(), ..lock(&self.status).clone() };
        let failure = lock(&self.failure).clone();
        // That a file needs the worker at all may be said already.
        status.problem = match (status.problem, failure) {
            (Some(problem), Some(failure)) => Some(format!("{problem} {failure}")),
            (problem, failure) => problem.or(failure),
        };
        status
    }

    /// Prepares what is wished for and links a new engine to the worker; a previous engine is on its own from now on.
    /// `offline`: whether the engine may be kept waiting. Otherwise what takes time to find out is left to the worker.
    pub fn start(&self, offline: bool) -> (Box<Recognizer>, AudioEnd) {
        let mut running = lock(&self.running);
        let worker = lock(&REGISTRY).worker.clone();
        let (audio, end) = link(Arc::clone(&self.choices), worker);
        let (number, prepared) = self.prepare(offline);
        let mut new = Running { end, changes: 0, plans: [None, None] };
        new.add_plan(prepared.plan);
        *running = Some(new);
        *lock(&self.status) = prepared.status;
        if prepared.provisional {
            self.choices.make();
        }
        self.choices.settle(number);
        (prepared.recognizer, audio)
    }

    /// Prepares the present wish; also gives the number of the choice it stands for.
    fn prepare(&self, may_measure: bool) -> (u64, Prepared) {
        // The number first: what is chosen in between is looked at once more.
        let (number, wish) = (self.choices.made(), self.wish());
        // Before it is looked for, so that one that comes meanwhile is noticed.
        let traces = wish.source.traces();
        let prepared = prepare(&wish, may_measure);
        if prepared.status.problem.is_some() {
            self.telemetry.meters().count_fallback();
        }
        let again = prepared.status.problem.is_some() && !traces.is_empty();
        *lock(&self.retry) = again.then(|| (Instant::now() + RETRY, traces));
        *lock(&self.failure) = None;
        (number, prepared)
    }

    /// Worker: everything there is to do for this instance now.
    fn serve(&self) {
        let mut guard = lock(&self.running);
        let Some(running) = guard.as_mut() else { return };
        while let Ok(message) = running.end.incoming.pop() {
            match message {
                ToWorker::Return(recognizer) => {
                    drop(recognizer);
                    running.changes = running.changes.saturating_sub(1);
                }
                ToWorker::Infer(mut request) => {
                    request.answer = self.answer(&request, &running.plans);
                    request.samples = None;
                    // There is one request and it was here: its place in the ring is free.
                    let _ = running.end.outgoing.push(ToAudio::Answer(request));
                }
            }
        }
        if running.changes >= MAX_CHANGES || (self.choices.all_settled() && !self.is_worth_a_retry()) {
            return;
        }
        let (number, prepared) = self.prepare(true);
        running.add_plan(prepared.plan);
        running.changes +=
            usize::from(running.end.outgoing.push(ToAudio::Install(prepared.recognizer)).is_ok());
        *lock(&self.status) = prepared.status;
        self.choices.settle(number);
    }

    /// Whether a model that could not be used has come back, or another file has come to its place.
    fn is_worth_a_retry(&self) -> bool {
        let mut retry = lock(&self.retry);
        let Some((due, before)) = retry.as_mut() else { return false };
        if Instant::now() < *due {
            return false;
        }
        *due = Instant::now() + RETRY;
        let now = lock(&self.source).traces();
        now != std::mem::replace(before, now.clone())
    }

    /// Runs the model on the request's window. A failure is reported in the status until there is an answer again, and the
    /// audio thread goes on with its own network.
    fn answer(&self, request: &Request, plans: &[Option<Remote>]) -> Option<Posterior> {
        let (model, plan) = plans.iter().flatten().find(|(model, _)| model.id == request.model.id)?;
        let columns = window::columns(request);
        if columns.is_empty() {
            // The worker was so late that the sound has gone; the next question comes in half a second.
            return None;
        }
        let run = guarded(|| plan.run(&columns).map_err(|error| error.to_string()));
        let answer = run.and_then(|probabilities| {
            model.outputs.posterior(&probabilities).ok_or("its answer is no probability".into())
        });
        *lock(&self.failure) = answer.as_ref().err().map(|error: &String| {
            format!("The worker's model failed: {error}. The network on the audio thread runs instead.")
        });
        answer.ok()
    }
}

/// Starts the worker and waits until it runs. From then on it holds thread-local values of this library, which keep
/// the library loaded until it has ended; a host that loads, makes an instance and unloads at once would otherwise take
/// the code away from under a thread that is about to begin.
fn start_worker() -> Option<Thread> {
    let (runs, running) = std::sync::mpsc::channel();
    let worker = std::thread::Builder::new().name("idiom worker".into()).spawn(move || {
        let _ = runs.send(());
        work();
    });
    let thread = worker.ok()?.thread().clone();
    running.recv().ok()?;
    Some(thread)
}

/// The worker thread.
fn work() {
    loop {
        let instances: Vec<Arc<Instance>> = {
            let mut registry = lock(&REGISTRY);
            registry.instances.retain(|instance| instance.strong_count() > 0);
            if registry.instances.is_empty() {
                // Under the registry's lock, so that a new instance either is seen here or starts a new thread.
                registry.worker = None;
                return;
            }
            registry.instances.iter().filter_map(Weak::upgrade).collect()
        };
        instances.iter().for_each(|instance| instance.serve());
        drop(instances);
        std::thread::park_timeout(TICK);
    }
}
