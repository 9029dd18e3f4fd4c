//! What goes wrong with answers while playing, and when it is over.
//!
//! A network may give numbers that are no probabilities, take longer than its time, or, on the worker, not answer. Another
//! answers meanwhile; which, is for the caller to do. This says when, and what to tell the user. The trouble ends by itself
//! when its cause has gone.

/// Longest that a frame's network may take, in nanoseconds: half of the 20 ms that the whole host has for it.
const LIMIT_NS: u64 = 10_000_000;
/// Frames in a row over the limit until a network rests (0.5 s). A thread that was only interrupted is not late so often.
const PATIENCE_FRAMES: u32 = 25;
/// Frames that a network rests before it is tried again: 10 s.
const REST_FRAMES: u32 = 500;
/// Frames without an answer of the worker's, when one could be there, until that is called late (2 s).
const LATE_FRAMES: u32 = 100;

/// What is wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Trouble {
    /// Nothing.
    #[default]
    None = 0,
    /// The network's answer is no probability (not a number, negative, not summing to 1).
    Unusable = 1,
    /// The network takes more than its time.
    Slow = 2,
    /// The worker does not answer in time.
    Late = 3,
}

impl Trouble {
    /// The trouble with this number.
    pub fn from_index(index: u8) -> Trouble {
        [Trouble::None, Trouble::Unusable, Trouble::Slow, Trouble::Late]
            .into_iter()
            .find(|trouble| *trouble as u8 == index)
            .unwrap_or_default()
    }

    /// What to tell the user; `None` when there is nothing.
    pub const fn message(self) -> Option<&'static str> {
        match self {
            Trouble::None => None,
            Trouble::Unusable => Some(
                "The network's answers are not usable (not a number, or no probabilities). Spectral rules answer until they are.",
            ),
            Trouble::Slow => Some(
                "The network takes more than half of a frame's time on this machine. Spectral rules answer; it is tried again every ten seconds. Choose INT8 or a smaller model.",
            ),
            Trouble::Late => Some(
                "The worker does not answer in time. The network on the audio thread answers until it does.",
            ),
        }
    }
}

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub struct Watch {
    slow: u32,
    resting: u32,
    unanswered: u32,
    unusable: bool,
}

impl Watch {
    /// Whether the network is to be left alone in this frame. Called once a frame.
    pub fn rests(&mut self) -> bool {
        self.resting = self.resting.saturating_sub(1);
        self.resting > 0
    }

    /// The network has answered, or not usably, in this time. Returns whether it rests from now on; what it remembers
    /// is then of no use.
    pub fn note(&mut self, usable: bool, cost_ns: u64) -> bool {
        self.unusable = !usable;
        self.slow = if cost_ns > LIMIT_NS { self.slow + 1 } else { 0 };
        if self.slow < PATIENCE_FRAMES {
            return false;
        }
        (self.slow, self.resting) = (0, REST_FRAMES + 1);
        true
    }

    /// Whether the worker's answer is in force in this frame, while one could be.
    pub fn note_worker(&mut self, answered: bool) {
        self.unanswered = if answered { 0 } else { self.unanswered.saturating_add(1) };
    }

    /// What is wrong now.
    pub fn trouble(&self) -> Trouble {
        if self.resting > 0 {
            Trouble::Slow
        } else if self.unusable {
            Trouble::Unusable
        } else if self.unanswered > LATE_FRAMES {
            Trouble::Late
        } else {
            Trouble::None
        }
    }

    /// Another network: nothing is known of it.
    pub fn reset(&mut self) {
        *self = Watch::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_network_rests_and_is_tried_again() {
        let mut watch = Watch::default();
        for _ in 0..PATIENCE_FRAMES - 1 {
            assert!(!watch.rests() && !watch.note(true, LIMIT_NS + 1));
        }
        // An interruption now and then is nothing.
        assert!(!watch.note(true, 1000));
        for _ in 0..PATIENCE_FRAMES - 1 {
            assert!(!watch.note(true, 10 * LIMIT_NS));
        }
        assert_eq!(watch.trouble(), Trouble::None);
        assert!(watch.note(true, LIMIT_NS + 1));
        assert_eq!(watch.trouble(), Trouble::Slow);
        assert_eq!((0..2000).take_while(|_| watch.rests()).count() as u32, REST_FRAMES);
        assert_eq!(watch.trouble(), Trouble::None);
        assert!(!watch.note(true, 1000));
        assert_eq!(watch.trouble(), Trouble::None, "it recovers");
    }

    #[test]
    fn unusable_answers_are_told_while_they_last() {
        let mut watch = Watch::default();
        watch.note(false, 1000);
        assert_eq!(watch.trouble(), Trouble::Unusable);
        watch.note(true, 1000);
        assert_eq!(watch.trouble(), Trouble::None);
    }

    #[test]
    fn a_worker_is_late_only_after_a_while() {
        let mut watch = Watch::default();
        (0..LATE_FRAMES).for_each(|_| watch.note_worker(false));
        assert_eq!(watch.trouble(), Trouble::None);
        watch.note_worker(false);
        assert_eq!(watch.trouble(), Trouble::Late);
        watch.note_worker(true);
        assert_eq!(watch.trouble(), Trouble::None);
    }

    #[test]
    fn every_trouble_has_words_and_a_number() {
        for trouble in [Trouble::None, Trouble::Unusable, Trouble::Slow, Trouble::Late] {
            assert_eq!(Trouble::from_index(trouble as u8), trouble);
            assert_eq!(trouble.message().is_none(), trouble == Trouble::None);
        }
        assert_eq!(Trouble::from_index(99), Trouble::None);
    }
}
