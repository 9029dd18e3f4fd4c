//! Answers from a model on the worker: looked up in the cache, or asked for.
//!
//! A window is the frames up to now, as many as the model takes, but never from before a seam (see [`super::frames`]). Its
//! answer hence belongs to one passage of the song and is the same on every pass of a loop, whatever the loop's length and
//! whatever was played before. What is in force is made up of both: as far as the window reaches back it counts, and for the
//! rest of the model's time the answer that was in force at the seam. So a jump is followed as fast as if one window had
//! reached across it, and half a second after a loop's beginning does not decide alone.
//!
//! Every window is looked up. A known answer is in force at once. When none was known for half a second, the window goes to the
//! worker; the audio thread never waits for it, unless the host renders offline: then the answer is waited for, so that a
//! bounce does not depend on the worker's speed. While there is no answer the recognizer's own network answers.

use super::cache::{AnswerCache, Scope};
use super::cache_control::{CacheControl, Obeyed};
use super::features::FrontEnd;
use super::history::History;
use super::recognizer::RemoteModel;
use super::sample_ring::SampleRing;
use crate::genre::Posterior;
use crate::link::{AudioEnd, Request, ToWorker};
use crate::metrics::Meters;
use std::sync::Arc;

/// Frames between questions: 0.5 s. A window has at least as many, but for a passage that is shorter as a whole.
pub const PERIOD_FRAMES: u64 = 25;

/// Frames for which an answer counts, if no other comes: 1.5 s. Then the worker is late.
const PATIENCE_FRAMES: u64 = 3 * PERIOD_FRAMES;

/// An answer in force.
#[derive(Clone, Copy)]
struct Answer {
    posterior: Posterior,
    /// Number of the frame after its window's last.
    end: u64,
}

/// Whom to ask: a model on the worker and, where it takes samples, what it is to hear.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The model.
    pub model: RemoteModel,
    /// The last sound, the newest frame included.
    pub heard: Option<&'a Arc<SampleRing>>,
}

impl From<RemoteModel> for Asked<'_> {
    /// A model that takes features.
    fn from(model: RemoteModel) -> Self {
        Asked { model, heard: None }
    }
}

/// See the [module](self).
pub struct Remote {
    cache: AnswerCache,
    control: Arc<CacheControl>,
    obeyed: Obeyed,
    /// Sample rate in Hz, as bits.
    rate: u32,
    /// The one request, while it is here.
    spare: Option<Box<Request>>,
    /// Number of the model that all below is about.
    model: u64,
    answer: Option<Answer>,
    /// What was in force at the last seam.
    base: Option<Posterior>,
    /// What was in force at the seam before the window that was asked about.
    asked_base: Option<Posterior>,
    /// Frames of the present passage.
    passage: u64,
    /// Whether the present passage has had an answer or a question.
    considered: bool,
    /// Frame at which an answer was found or asked for last, and at which that was counted last.
    taken: u64,
    counted: u64,
}

impl Remote {
    /// Knows nothing yet. Allocates.
    pub fn new(front: &FrontEnd, control: Arc<CacheControl>) -> Remote {
        Remote {
            cache: AnswerCache::new(control.limits()),
            control,
            obeyed: Obeyed::default(),
            rate: front.sample_rate().to_bits(),
            spare: Some(Box::new(Request::new(front.levelling()))),
            model: RemoteModel::NONE.id,
            answer: None,
            base: None,
            asked_base: None,
            passage: 0,
            considered: false,
            taken: 0,
            counted: 0,
        }
    }

    /// After a frame: looks up, or asks when it is time. `fresh` is the frame's, see [`super::frames::Frame`]. Returns
    /// whether a question was sent. `threshold` is the user's confidence below which a genre is uncertain.
    pub fn step(
        &mut self,
        asked_of: Asked<'_>,
        history: &History,
        fresh: u32,
        threshold: f32,
        link: &mut AudioEnd,
        meters: &Meters,
    ) -> bool {
        let model = asked_of.model;
        self.obeyed.follow(&self.control, &mut self.cache);
        let now = history.count();
        self.cache.sweep(now);
        if model.id != self.model {
            self.model = model.id;
            self.forget();
        }
        // The front end looks at two hops, so the first fresh frame still holds something from before the seam.
        let passage = u64::from(fresh.saturating_sub(1)).min(history.heard());
        // Samples are kept only since the model was chosen.
        let passage = asked_of.heard.map_or(passage, |heard| passage.min(heard.count()));
        let mut asked = false;
        if passage <= self.passage && self.passage > 0 {
            // A passage has ended. One that was too short for a question is asked about now, as a whole.
            if !self.considered {
                meters.count_cache(false);
                asked = self.ask(asked_of, history, now - 1, self.passage, link);
            }
            self.base = self.answer(model, now);
            self.considered = false;
        }
        self.passage = passage;
        let frames = passage.min(model.frames as u64);
        if asked || frames == 0 {
            meters.set_cache_entries(self.cache.len());
            return asked;
        }
        let due = now.saturating_sub(self.taken) >= PERIOD_FRAMES;
        let known = history
            .sketch(now, frames as usize)
            .and_then(|sketch| self.cache.get(self.scope(model, frames), &sketch, threshold, now));
        if let Some(posterior) = known {
            let posterior = blend(&posterior, self.base.as_ref(), frames, model);
            self.answer = Some(Answer { posterior, end: now });
            (self.taken, self.considered) = (now, true);
            // Steady sound is found at every frame; a hit is half a second that needs no question.
            if now.saturating_sub(self.counted) >= PERIOD_FRAMES {
                // What comes a little early is made up for, so that a hit every 24 frames counts every time but one.
                self.counted = (self.counted + PERIOD_FRAMES).max(now - PERIOD_FRAMES);
                meters.count_cache(true);
            }
        } else if due && frames >= PERIOD_FRAMES.min(model.frames as u64) {
            (self.taken, self.counted, self.considered) = (now, now, true);
            meters.count_cache(false);
            if self.is_waiting() {
                meters.count_late_answer();
            }
            asked = self.ask(asked_of, history, now, frames, link);
        }
        meters.set_cache_entries(self.cache.len());
        asked
    }

    /// Sends the `frames` frames before frame `end` to the worker. While the last question is still out, none is asked.
    fn ask(
        &mut self,
        Asked { model, heard }: Asked<'_>,
        history: &History,
        end: u64,
        frames: u64,
        link: &mut AudioEnd,
    ) -> bool {
        let mut frames = frames.min(model.frames as u64);
        let mut samples = None;
        if let Some(heard) = heard {
            let end = heard.count().saturating_sub(history.count() - end);
            frames = frames.min(end);
            samples = Some((Arc::clone(heard), end));
        }
        let Some(sketch) = history.sketch(end, frames as usize) else { return false };
        let scope = self.scope(model, frames);
        let Some(mut request) = self.spare.take() else { return false };
        (request.model, request.scope, request.sketch) = (model, scope, sketch);
        (request.end, request.answer) = (end, None);
        request.bands_db.clear();
        request.level_dbfs.clear();
        request.samples = samples;
        for entry in history.window(end, frames as usize) {
            if request.bands_db.len() < request.bands_db.capacity() {
                request.bands_db.push(entry.bands_db);
                request.level_dbfs.push(entry.features.level_dbfs);
            }
        }
        self.asked_base = self.base;
        match link.send(ToWorker::Infer(request)) {
            Ok(()) => true,
            Err(ToWorker::Infer(mut request)) => {
                // The recognizer owns it too, so nothing is freed here.
                request.samples = None;
                self.spare = Some(request);
                false
            }
            Err(ToWorker::Return(_)) => false,
        }
    }

    /// A request came back. An answer that comes too late to be in force is kept for the next time.
    pub fn take_back(&mut self, request: Box<Request>, now: u64) {
        if let Some(answer) = request.answer.filter(Posterior::is_valid) {
            self.cache.put(request.scope, &request.sketch, answer, now);
            let newest = self.answer.is_none_or(|present| request.end > present.end);
            if request.model.id == self.model && newest {
                let frames = u64::from(request.scope.frames);
                let posterior = blend(&answer, self.asked_base.as_ref(), frames, request.model);
                self.answer = Some(Answer { posterior, end: request.end });
                if now.saturating_sub(request.end) > self.passage {
                    // The window lies before the last seam.
                    self.base = Some(posterior);
                }
            }
        }
        self.spare = Some(request);
    }

    /// Bytes that the cache and the request hold.
    pub fn memory(&self) -> usize {
        self.cache.memory() + Request::MEMORY
    }

    /// Whether a question is out.
    pub fn is_waiting(&self) -> bool {
        self.spare.is_none()
    }

    /// The answer of this model that is in force at frame `now`.
    pub fn answer(&self, model: RemoteModel, now: u64) -> Option<Posterior> {
        let answer = self.answer.filter(|_| model.id == self.model)?;
        (now.saturating_sub(answer.end) <= PATIENCE_FRAMES).then_some(answer.posterior)
    }

    /// Forgets what was heard, and with `answers` also what was answered.
    pub fn reset(&mut self, answers: bool) {
        self.forget();
        if answers {
            self.cache.clear();
        }
    }

    fn forget(&mut self) {
        (self.answer, self.base, self.asked_base) = (None, None, None);
        (self.passage, self.considered) = (0, false);
    }

    fn scope(&self, model: RemoteModel, frames: u64) -> Scope {
        Scope { model: model.id, rate: self.rate, frames: frames as u16 }
    }
}

/// A window's answer, and for the time that the model looks back further than the window, what was in force before it.
fn blend(answer: &Posterior, base: Option<&Posterior>, frames: u64, model: RemoteModel) -> Posterior {
    let share = (frames as f32 / model.frames.max(1) as f32).min(1.0);
    let base = base.unwrap_or(answer);
    Posterior(std::array::from_fn(|i| base.0[i] + share * (answer.0[i] - base.0[i])))
}
