//! The place of the recognizer, where one takes over from another without a gap.
//!
//! A new recognizer has heard nothing, and its first answers would be guesses. So the old one goes on while the new one is
//! fed the remembered frames, a few for each new one, and takes over when it has caught up.

use super::features::Features;
use super::history::History;
use super::recognizer::Recognizer;
use crate::genre::Posterior;

/// Remembered frames that a new recognizer is fed for each new one, besides that one. Catching up on 4 s takes a second, in
/// which a frame costs six networks instead of one: still a small part of the time that a frame has.
const CATCH_UP: usize = 4;

struct Incoming {
    recognizer: Box<Recognizer>,
    /// The next frame it has to hear.
    next: u64,
}

/// See the [module](self).
pub struct Slot {
    current: Box<Recognizer>,
    incoming: Option<Incoming>,
}

impl Slot {
    /// With a recognizer that is in charge from the first frame on.
    pub fn new(current: Box<Recognizer>) -> Slot {
        Slot { current, incoming: None }
    }

    /// The recognizer in charge.
    pub fn current(&self) -> &Recognizer {
        &self.current
    }

    /// Whether one is about to take over, which makes frames dearer than they will be.
    pub fn is_changing(&self) -> bool {
        self.incoming.is_some()
    }

    /// Lets the recognizer in charge forget what it heard, because it is to hear nothing for a while.
    pub fn forget(&mut self) {
        self.current.reset();
    }

    /// Whether anyone has to be given samples.
    pub fn wants_samples(&self) -> bool {
        self.current.wants_samples()
            || self.incoming.as_ref().is_some_and(|incoming| incoming.recognizer.wants_samples())
    }

    /// A new recognizer comes. Returns one that has to go at once: the one that was about to take over, if any.
    pub fn install(&mut self, recognizer: Box<Recognizer>, history: &History) -> Option<Box<Recognizer>> {
        // Of samples no past is kept: who hears them begins with the next frame.
        let wanted = if recognizer.hears_samples() { 0 } else { recognizer.memory() };
        let wanted = wanted.min(super::history::FRAMES) as u64;
        let incoming = Incoming { next: history.count() - wanted.min(history.heard()), recognizer };
        self.incoming.replace(incoming).map(|waiting| waiting.recognizer)
    }

    /// Takes in the newest frame, which `history` holds already, and its samples where they are
    /// [wanted](Self::wants_samples). Gives the answer of the recognizer in charge, and the
    /// previous one if one has just taken over. One that `rests` hears nothing and has no answer.
    pub fn push(
        &mut self,
        features: &Features,
        samples: &[f32],
        history: &History,
        rests: bool,
    ) -> (Option<Posterior>, Option<Box<Recognizer>>) {
        self.current.keep(samples);
        let answer = if rests { None } else { self.current.push(features, samples) };
        let Some(incoming) = &mut self.incoming else { return (answer, None) };
        incoming.recognizer.keep(samples);
        let mut new_answer = None;
        for _ in 0..=CATCH_UP {
            if incoming.next >= history.count() {
                break;
            }
            // What is no longer kept is passed over.
            if let Some(remembered) = history.get(incoming.next) {
                new_answer = incoming.recognizer.push(remembered, samples);
            }
            incoming.next += 1;
        }
        if incoming.next < history.count() {
            return (answer, None);
        }
        match self.incoming.take() {
            Some(ready) => (new_answer, Some(std::mem::replace(&mut self.current, ready.recognizer))),
            None => (answer, None),
        }
    }

    /// Forgets everything heard, and lets a waiting recognizer take over, as there is nothing left to catch up on.
    /// Returns the previous one.
    pub fn reset(&mut self) -> Option<Box<Recognizer>> {
        let previous =
            self.incoming.take().map(|ready| std::mem::replace(&mut self.current, ready.recognizer));
        self.current.reset();
        previous
    }
}
