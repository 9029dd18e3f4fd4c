//! Answers from a model on the worker: looked up in the cache, or asked for.
//!
//! Every half second the last window's fingerprint is looked up. A known answer is in force at once; otherwise the window
//! goes to the worker, and until the answer comes the recognizer's own network answers. The audio thread never waits,
//! unless the host renders offline: then the answer is waited for, so that a bounce does not depend on the worker's speed.

use super::cache::{AnswerCache, CAPACITY, TTL_FRAMES};
use super::history::History;
use super::recognizer::{RemoteModel, column};
use crate::genre::Posterior;
use crate::link::{AudioEnd, Request, ToWorker};
use crate::telemetry::Telemetry;

/// Frames between questions: 0.5 s.
pub const PERIOD_FRAMES: i64 = 25;

/// See the [module](self).
pub struct Remote {
    cache: AnswerCache,
    /// The one request, while it is here.
    spare: Option<Box<Request>>,
    /// The answer in force and the model that gave it.
    answer: Option<(u64, Posterior)>,
    /// Frame of the last question.
    asked_at: u64,
}

impl Remote {
    /// Knows nothing yet. Allocates.
    pub fn new() -> Remote {
        let nobody = RemoteModel {
            id: 0,
            input: crate::model::InputKind::LogMel40,
            frames: 0,
            outputs: crate::model::GenreOutputs::default(),
            quantization: crate::controls::Quantization::Fp32,
        };
        Remote {
            cache: AnswerCache::new(CAPACITY, TTL_FRAMES),
            spare: Some(Box::new(Request::new(nobody))),
            answer: None,
            asked_at: 0,
        }
    }

    /// After a frame: looks up or asks when it is time. `index` is the frame's place on the song's grid, so that questions
    /// fall on the same frames on every pass of a loop. Returns whether a question was sent.
    pub fn step(
        &mut self,
        model: RemoteModel,
        history: &History,
        index: i64,
        link: &mut AudioEnd,
        telemetry: &Telemetry,
    ) -> bool {
        let now = history.count();
        if index.rem_euclid(PERIOD_FRAMES) != 0 || history.heard() < model.frames as u64 {
            return false;
        }
        self.asked_at = now;
        let print = history.print(model.frames, model.id);
        let known = self.cache.get(print, now);
        telemetry.count_cache(known.is_some());
        self.answer = known.map(|answer| (model.id, answer));
        if known.is_some() {
            return false;
        }
        // While the last question is still out, none is asked.
        let Some(mut request) = self.spare.take() else { return false };
        request.print = print;
        request.model = model;
        request.frame = now;
        request.answer = None;
        request.columns.clear();
        for features in history.last(model.frames) {
            let column = column(model.input, features);
            if request.columns.len() + column.len() <= request.columns.capacity() {
                request.columns.extend_from_slice(column);
            }
        }
        match link.send(ToWorker::Infer(request)) {
            Ok(()) => true,
            Err(ToWorker::Infer(request)) => {
                self.spare = Some(request);
                false
            }
            Err(ToWorker::Return(_)) => false,
        }
    }

    /// A request came back. An answer that comes too late for its half second is kept for the next time.
    pub fn take_back(&mut self, request: Box<Request>, now: u64) {
        if let Some(answer) = request.answer.filter(Posterior::is_valid) {
            self.cache.put(request.print, answer, now);
            if request.frame == self.asked_at {
                self.answer = Some((request.model.id, answer));
            }
        }
        self.spare = Some(request);
    }

    /// Whether a question is out.
    pub fn is_waiting(&self) -> bool {
        self.spare.is_none()
    }

    /// The answer of this model that is in force.
    pub fn answer(&self, model: RemoteModel) -> Option<Posterior> {
        self.answer.filter(|(id, _)| *id == model.id).map(|(_, answer)| answer)
    }

    /// Forgets what was heard, and with `answers` also what was answered.
    pub fn reset(&mut self, answers: bool) {
        self.answer = None;
        if answers {
            self.cache.clear();
        }
    }
}

impl Default for Remote {
    fn default() -> Self {
        Self::new()
    }
}
