//! What the audio side of an instance and its window share: atomics, and what only they may lock.

use crate::history::{History, POINT_S, Point};
use idiom_engine::Handle;
use nice_plug::prelude::*;
use nice_plug_egui::RepaintNotifier;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// See the [module](self).
pub struct Shared {
    /// The engine's other side: status, telemetry, choice of backend.
    pub handle: Arc<Handle>,
    /// The last minutes of decisions.
    pub history: History,
    /// Set from the audio thread when the window has something new to draw.
    pub repaint: RepaintNotifier,
    /// The engine panicked; sound passes untouched until the host activates the plugin again.
    crashed: AtomicBool,
    /// Why there is no engine, from the last activation. Main and window thread only.
    refusal: Mutex<Option<String>>,
    /// The problem that was logged last, so that each is logged once. Main and window thread only.
    logged: Mutex<Option<String>>,
}

impl Shared {
    /// For a new instance.
    pub fn new(handle: Arc<Handle>) -> Self {
        Self {
            handle,
            history: History::default(),
            repaint: RepaintNotifier::new(),
            crashed: AtomicBool::new(false),
            refusal: Mutex::new(None),
            logged: Mutex::new(None),
        }
    }

    /// Any thread: the engine panicked.
    pub fn report_crash(&self) {
        self.crashed.store(true, Relaxed);
        self.repaint.request_repaint();
    }

    /// Main thread: a new activation, with the reason if it got no engine.
    pub fn activated(&self, refusal: Option<String>) {
        self.crashed.store(false, Relaxed);
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
        self.repaint.request_repaint();
    }

    /// What the user has to know about this instance, the gravest first. Main or window thread. A problem that was
    /// not there before is logged.
    pub fn problem(&self) -> Option<String> {
        let problem = self.present_problem();
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        if *logged != problem {
            if let Some(text) = &problem {
                nice_warn!("{text}");
            }
            logged.clone_from(&problem);
        }
        problem
    }

    fn present_problem(&self) -> Option<String> {
        if self.crashed.load(Relaxed) {
            return Some(
                "Idiom's engine failed and was switched off: the sound passes untouched. Switch the plugin off and on \
                 in the host to start it again, and please report this with the log."
                    .into(),
            );
        }
        let refusal = self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone();
        refusal.or_else(|| self.handle.status().problem)
    }
}

/// Audio thread: decides when the next history point and the next picture are due.
#[derive(Debug)]
pub struct Pace {
    /// Samples from one history point to the next.
    point: u64,
    /// Samples from one picture to the next.
    picture: u64,
    since_point: u64,
    since_picture: u64,
}

impl Pace {
    /// Pictures a second.
    const PICTURES: f32 = 30.0;
    /// Most points written for one block, for a host that sends minutes at once.
    const MAX_POINTS: u64 = 64;

    /// At a sample rate in Hz.
    pub fn new(sample_rate: f32) -> Self {
        let samples = |seconds: f32| (seconds * sample_rate).round().max(1.0) as u64;
        Self {
            point: samples(POINT_S),
            picture: samples(1.0 / Self::PICTURES),
            since_point: 0,
            since_picture: 0,
        }
    }

    /// A block of `samples` was processed.
    pub fn block(&mut self, samples: usize, shared: &Shared) {
        self.since_point += samples as u64;
        if self.since_point >= self.point {
            let point = Point::of(shared.handle.telemetry().decision());
            for _ in 0..(self.since_point / self.point).min(Self::MAX_POINTS) {
                shared.history.push(point);
            }
            self.since_point %= self.point;
        }
        self.since_picture += samples as u64;
        if self.since_picture >= self.picture {
            self.since_picture = 0;
            shared.repaint.request_repaint();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_the_time_whatever_the_block() {
        for block in [1, 32, 441, 8_192, 48_000] {
            let shared = Shared::new(Arc::default());
            let mut pace = Pace::new(48_000.0);
            for _ in 0..480_000 / block {
                pace.block(block, &shared);
            }
            let samples = 480_000 / block * block;
            assert_eq!(shared.history.written() as usize, samples / 9_600, "{block} samples");
        }
        let shared = Shared::new(Arc::default());
        Pace::new(8_000.0).block(usize::MAX / 2, &shared);
        assert_eq!(shared.history.written(), Pace::MAX_POINTS);
    }

    #[test]
    fn the_gravest_problem_is_told_until_the_next_activation() {
        let shared = Shared::new(Arc::default());
        let calm = shared.problem();
        shared.activated(Some("no engine".into()));
        assert_eq!(shared.problem().as_deref(), Some("no engine"));
        shared.report_crash();
        assert!(shared.problem().is_some_and(|text| text.contains("passes untouched")));
        shared.activated(None);
        assert_eq!(shared.problem(), calm);
    }
}
