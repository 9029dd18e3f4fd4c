//! What is heard, as MIDI controllers: for lights, other plugins, and recording.
//!
//! Off unless the user switches it on ([`Switch::MidiOut`](crate::params::Switch::MidiOut)). Values are sent when they
//! change, at most [`RATE_HZ`] times a second.

use crate::params::cc::{Carried, Routing, VALUES};
use idiom_engine::rt::decision::Outcome;
use idiom_engine::{Genre, Posterior};
use nice_plug::prelude::*;

/// How often a controller is sent at most: 7 controllers at this rate take less than a twentieth of a MIDI cable.
pub const RATE_HZ: f32 = 20.0;

/// Sends controllers. Audio thread.
#[derive(Debug)]
pub struct MidiOut {
    /// Samples between two messages of one controller, and until the next may be sent.
    interval: usize,
    wait: usize,
    /// What was sent last on which channel and controller.
    sent: [Option<(u8, u8, u8)>; VALUES],
}

impl MidiOut {
    /// For a sample rate in Hz.
    pub fn new(sample_rate: f32) -> Self {
        let interval = if sample_rate > RATE_HZ { (sample_rate / RATE_HZ) as usize } else { 1 };
        Self { interval, wait: 0, sent: [None; VALUES] }
    }

    /// Nothing was sent yet: the next block tells everything.
    pub fn reset(&mut self) {
        (self.wait, self.sent) = (0, [None; VALUES]);
    }

    /// Once a block of `samples`: hands what is to be sent to `send`, which says whether that worked.
    pub fn block<S>(
        &mut self,
        samples: usize,
        outcome: &Outcome,
        routing: &Routing,
        mut send: impl FnMut(NoteEvent<S>) -> bool,
    ) {
        if self.wait >= samples {
            self.wait -= samples;
            return;
        }
        let timing = self.wait as u32;
        for (i, carried) in Carried::ALL.into_iter().enumerate() {
            let number = routing.numbers[i];
            // Of two values on one controller the first one goes; both would only make it jitter.
            if routing.numbers[..i].contains(&number) {
                continue;
            }
            let message = (
                routing.channel,
                number,
                value(carried, &outcome.posterior, outcome.genre, outcome.confidence),
            );
            if self.sent[i] == Some(message) {
                continue;
            }
            let (channel, cc, value) = message;
            let value = f32::from(value) / 127.0;
            if send(NoteEvent::MidiCC { timing, channel, cc, value }) {
                self.sent[i] = Some(message);
            }
        }
        // Counted from when these were due, whatever the block size.
        self.wait = (self.wait + self.interval).max(samples) - samples;
    }
}

/// A controller's value, `0..=127`, while these are the probabilities, the genre in force and the confidence in it.
pub fn value(carried: Carried, posterior: &Posterior, genre: Option<Genre>, confidence: f32) -> u8 {
    let share = |share: f32| (127.0 * share.clamp(0.0, 1.0)).round() as u8;
    match carried {
        Carried::Probability(genre) => share(posterior.of(genre)),
        Carried::Winner => genre.map_or(0, |genre| 25 * (genre.index() as u8 + 1)),
        Carried::Confidence => share(confidence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::cc::Controllers;

    fn jazz(confidence: f32) -> Outcome {
        Outcome {
            posterior: Posterior([0.1, 0.1, 0.6, 0.1, 0.1]),
            genre: Some(Genre::Jazz),
            confidence,
            ..Outcome::default()
        }
    }

    /// What a block sends, as channel, controller and value.
    fn block(out: &mut MidiOut, samples: usize, outcome: &Outcome, routing: &Routing) -> Vec<(u8, u8, u8)> {
        let mut sent = Vec::new();
        out.block(samples, outcome, routing, |event: NoteEvent<()>| {
            if let NoteEvent::MidiCC { timing, channel, cc, value } = event {
                assert!((timing as usize) < samples);
                sent.push((channel, cc, (127.0 * value).round() as u8));
            }
            true
        });
        sent
    }

    #[test]
    fn everything_is_told_once_and_then_what_changes() {
        let (mut out, mut routing) = (MidiOut::new(48_000.0), Controllers::default().routing());
        let first = block(&mut out, 2_400, &jazz(0.5), &routing);
        let expected = [(102, 13), (103, 13), (104, 76), (105, 13), (106, 13), (107, 75), (108, 64)];
        assert_eq!(first, expected.map(|(cc, value)| (0, cc, value)));
        assert_eq!(block(&mut out, 2_400, &jazz(0.5), &routing), []);
        assert_eq!(block(&mut out, 2_400, &jazz(0.75), &routing), [(0, 108, 95)]);
        routing.numbers[6] = 20;
        assert_eq!(
            block(&mut out, 2_400, &jazz(0.75), &routing),
            [(0, 20, 95)],
            "on another controller anew"
        );
        routing.numbers[5] = 20;
        assert_eq!(block(&mut out, 2_400, &jazz(0.25), &routing), [(0, 20, 75)], "one controller, one value");
        out.reset();
        assert_eq!(block(&mut out, 2_400, &jazz(0.25), &routing).len(), 6);
    }

    #[test]
    fn the_rate_is_limited_whatever_the_block_size() {
        let routing = Controllers::default().routing();
        for size in [1, 37, 512, 2_399, 8_192] {
            let mut out = MidiOut::new(48_000.0);
            let (mut messages, mut samples) = (0, 0);
            while samples < 480_000 {
                let restless = jazz(if samples / size % 2 == 0 { 0.2 } else { 0.9 });
                messages += block(&mut out, size, &restless, &routing).iter().filter(|m| m.1 == 108).count();
                samples += size;
            }
            assert!(messages > 0 && messages <= 201, "{messages} in 10 s in blocks of {size}");
        }
    }

    #[test]
    fn what_could_not_be_sent_is_sent_later() {
        let (mut out, routing) = (MidiOut::new(48_000.0), Controllers::default().routing());
        out.block(512, &jazz(0.5), &routing, |_: NoteEvent<()>| false);
        assert_eq!(block(&mut out, 4_800, &jazz(0.5), &routing).len(), 7);
    }
}
