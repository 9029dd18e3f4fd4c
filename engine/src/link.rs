//! The two one-way rings between the audio thread and the worker, and nothing else between them.
//!
//! Pushing and popping neither allocates, locks nor waits. What is sent is boxed: recognizers are made and freed by the
//! worker, and the one [`Request`] of an engine travels back and forth, so that neither end of the audio thread allocates.
//! A ring can't overflow, because at most one request and [`MAX_CHANGES`] recognizers are on their way at a time.

use crate::genre::Posterior;
use crate::rt::cache::Scope;
use crate::rt::features::{Levelling, MEL_BANDS};
use crate::rt::history::FRAMES;
use crate::rt::recognizer::{Recognizer, RemoteModel};
use crate::rt::sample_ring::SampleRing;
use crate::rt::sketch::{CELLS, Sketch};
use rtrb::{Consumer, Producer, RingBuffer};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::thread::Thread;

/// Recognizers that the worker has sent and not had one back for, at most. Two, so that a second change can displace a
/// first one that is still catching up.
pub const MAX_CHANGES: usize = 2;

/// Messages that fit a ring.
const CAPACITY: usize = 8;

/// A window for the worker to classify, and its answer.
pub struct Request {
    /// The model to ask.
    pub model: RemoteModel,
    /// Under what the answer is kept.
    pub scope: Scope,
    /// What the window sounds like.
    pub sketch: Sketch,
    /// Number of the frame after the window's last.
    pub end: u64,
    /// How bands become columns.
    pub levelling: Levelling,
    /// Bands in dB of each frame, oldest first, as many as there are: up to the model's window. Room for the largest window
    /// is reserved.
    pub bands_db: Vec<[f32; MEL_BANDS]>,
    /// Level of each frame in dBFS.
    pub level_dbfs: Vec<f32>,
    /// For a model that takes samples: where they are, and the number there of the frame after the window's last. The worker
    /// takes it out, so that the audio thread never drops the last of its owners.
    pub samples: Option<(Arc<SampleRing>, u64)>,
    /// Set by the worker; `None` when the model failed.
    pub answer: Option<Posterior>,
}

impl Request {
    /// Bytes that one holds.
    pub const MEMORY: usize = FRAMES * (size_of::<[f32; MEL_BANDS]>() + size_of::<f32>());

    /// An empty request with room for every window. Allocates.
    pub fn new(levelling: Levelling) -> Request {
        let model = RemoteModel::NONE;
        Request {
            model,
            scope: Scope { model: model.id, rate: 0, frames: 0 },
            sketch: Sketch([0; CELLS]),
            end: 0,
            levelling,
            bands_db: Vec::with_capacity(FRAMES),
            level_dbfs: Vec::with_capacity(FRAMES),
            samples: None,
            answer: None,
        }
    }
}

/// What the worker sends.
pub enum ToAudio {
    /// Takes over from the present recognizer.
    Install(Box<Recognizer>),
    /// A request comes back, answered.
    Answer(Box<Request>),
}

/// What the audio thread sends.
pub enum ToWorker {
    /// No longer in charge: to be freed.
    Return(Box<Recognizer>),
    /// To be answered.
    Infer(Box<Request>),
}

/// Which choice the user made last, and which the worker has dealt with. Lets an offline render wait for a choice.
#[derive(Debug, Default)]
pub struct Choices {
    made: AtomicU64,
    settled: AtomicU64,
}

impl Choices {
    /// The user chose.
    pub fn make(&self) {
        self.made.fetch_add(1, Release);
    }

    /// Number of the last choice.
    pub fn made(&self) -> u64 {
        self.made.load(Acquire)
    }

    /// The worker has dealt with choice `number`: what follows from it has been sent.
    pub fn settle(&self, number: u64) {
        self.settled.store(number, Release);
    }

    /// Whether nothing is left to be dealt with.
    pub fn all_settled(&self) -> bool {
        self.settled.load(Acquire) >= self.made()
    }
}

/// The audio thread's end.
pub struct AudioEnd {
    incoming: Consumer<ToAudio>,
    outgoing: Producer<ToWorker>,
    choices: Arc<Choices>,
    worker: Option<Thread>,
}

/// The worker's end.
pub struct WorkerEnd {
    /// What the audio thread sent.
    pub incoming: Consumer<ToWorker>,
    /// What the audio thread will get.
    pub outgoing: Producer<ToAudio>,
}

/// Two rings and their ends. Allocates. `worker` is woken only by [`AudioEnd::wake_worker`].
pub fn link(choices: Arc<Choices>, worker: Option<Thread>) -> (AudioEnd, WorkerEnd) {
    let (to_audio, from_worker) = RingBuffer::new(CAPACITY);
    let (to_worker, from_audio) = RingBuffer::new(CAPACITY);
    let audio = AudioEnd { incoming: from_worker, outgoing: to_worker, choices, worker };
    (audio, WorkerEnd { incoming: from_audio, outgoing: to_audio })
}

impl AudioEnd {
    /// The next message, if one is there.
    pub fn receive(&mut self) -> Option<ToAudio> {
        self.incoming.pop().ok()
    }

    /// Sends a message. Gives it back when the ring is full.
    pub fn send(&mut self, message: ToWorker) -> Result<(), ToWorker> {
        self.outgoing.push(message).map_err(|rtrb::PushError::Full(message)| message)
    }

    /// Messages that the worker has not taken yet.
    pub fn queued(&self) -> usize {
        CAPACITY.saturating_sub(self.outgoing.slots())
    }

    /// The user's choices, see [`Choices`].
    pub fn choices(&self) -> &Choices {
        &self.choices
    }

    /// Wakes the worker, which is a system call: only for offline rendering. In real time it wakes by itself.
    pub fn wake_worker(&self) {
        if let Some(worker) = &self.worker {
            worker.unpark();
        }
    }
}
