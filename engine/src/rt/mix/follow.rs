//! From decisions to the weights the mix goes to: follow, learn or hold, what to do in doubt, and calm.
//!
//! Speech over music and a quick change of clips make the decision swing. Following every swing would pump, so the
//! follower remembers how much its weights have moved lately ([`Follow::calm`]), and the more that is, the longer the
//! mix takes: material that keeps alternating ends near its average, while a single change is followed at the speed the
//! user set.

use crate::controls::{Controls, Mode, Uncertain};
use crate::genre::GENRES;
use crate::rt::decision::Outcome;
use crate::telemetry::Verdict;

/// Length of a frame in seconds.
const FRAME_S: f32 = 0.020;

/// Sound that is listened to when learning, in seconds: about the length of a phrase or four bars.
pub const LEARN_S: f32 = 8.0;

/// Time constant in seconds of the memory for how much the weights moved.
const MEMORY_S: f32 = 20.0;

/// Changes from one genre to another that do not count as restless.
const FREE_CHANGES: f32 = 1.2;

/// How much the reaction lengthens with each remembered change beyond those, and at most.
const SLOWER_PER_CHANGE: f32 = 1.5;
const MAX_CALM: f32 = 12.0;

/// See the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    weights: [f32; GENRES],
    /// Genre changes in the memory; 1 is one full change.
    changes: f32,
    /// Sum of the learnt weights, over this many frames.
    learnt: [f32; GENRES],
    learnt_frames: u32,
}

impl Follow {
    /// A follower that has heard nothing.
    pub fn new() -> Follow {
        Follow { weights: [0.0; GENRES], changes: 0.0, learnt: [0.0; GENRES], learnt_frames: 0 }
    }

    /// Takes in a frame's outcome and returns the weight of each genre's profile.
    pub fn update(&mut self, outcome: &Outcome, controls: &Controls) -> [f32; GENRES] {
        self.changes *= (-FRAME_S / MEMORY_S).exp();
        let by_hand = outcome.verdict == Verdict::Manual;
        let learn = controls.mode == Mode::Learn && !by_hand;
        if !learn {
            (self.learnt, self.learnt_frames) = ([0.0; GENRES], 0);
        }
        let keep = outcome.verdict == Verdict::Uncertain
            && outcome.genre.is_some()
            && controls.uncertain == Uncertain::Keep;
        let wanted = match outcome.weights(controls.threshold) {
            _ if keep => None,
            Some(weights) if learn => self.learn(weights, outcome.verdict),
            weights => weights,
        };
        if let Some(wanted) = wanted {
            let wanted = wanted.map(|w| if w.is_finite() { w.clamp(0.0, 1.0) } else { 0.0 });
            let moved: f32 = wanted.iter().zip(&self.weights).map(|(a, b)| (a - b).abs()).sum();
            // What one genre gains another one loses. A genre set by hand is the user's own move.
            if !by_hand {
                self.changes += 0.5 * moved;
            }
            self.weights = wanted;
        }
        self.weights
    }

    /// The mean of the weights over [`LEARN_S`] of sound, then that for good.
    fn learn(&mut self, weights: [f32; GENRES], verdict: Verdict) -> Option<[f32; GENRES]> {
        if verdict == Verdict::Listening || self.learnt_frames >= Self::learn_frames() {
            return None;
        }
        self.learnt_frames += 1;
        self.learnt.iter_mut().zip(weights).for_each(|(sum, w)| *sum += if w.is_finite() { w } else { 0.0 });
        Some(self.learnt.map(|sum| sum / self.learnt_frames as f32))
    }

    fn learn_frames() -> u32 {
        (LEARN_S / FRAME_S).round() as u32
    }

    /// How far learning has come, `0..=1`; 0 when it is off.
    pub fn learnt(&self) -> f32 {
        self.learnt_frames as f32 / Self::learn_frames() as f32
    }

    /// The weights last aimed at.
    pub fn weights(&self) -> &[f32; GENRES] {
        &self.weights
    }

    /// By what factor the mix should take longer than the user set, `1..=12`, because the genre has kept changing.
    pub fn calm(&self) -> f32 {
        (1.0 + SLOWER_PER_CHANGE * (self.changes - FREE_CHANGES).max(0.0)).min(MAX_CALM)
    }
}

impl Default for Follow {
    fn default() -> Self {
        Self::new()
    }
}
