//! What the audio side of an instance and its window share: atomics, and what only they may lock.

use crate::editor::window::Presence;
use crate::history::{History, POINT_S, Point};
use idiom_engine::{Handle, Telemetry};
use nice_plug::prelude::*;
use nice_plug_egui::RepaintNotifier;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// See the [module](self).
pub struct Shared {
    /// The engine's other side: status, telemetry, choice of backend.
    pub handle: Arc<Handle>,
    /// Whether there is a window, and its thread.
    pub presence: Arc<Presence>,
    /// The last minutes of decisions.
    pub history: History,
    /// Set from the audio thread when the window has something new to draw.
    pub repaint: RepaintNotifier,
    /// Pictures for which the audio thread still looks for news; renewed by each picture that is drawn.
    watched: AtomicU32,
    /// The track that the host says this instance is on. Main and window thread only.
    track: Mutex<Option<TrackInfo>>,
    /// The audio thread asks for a picture at most every so many thirtieths of a second.
    every: AtomicU32,
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
            presence: Arc::default(),
            history: History::default(),
            repaint: RepaintNotifier::new(),
            watched: AtomicU32::new(0),
            track: Mutex::new(None),
            every: AtomicU32::new(1),
            crashed: AtomicBool::new(false),
            refusal: Mutex::new(None),
            logged: Mutex::new(None),
        }
    }

    /// Window thread: a picture is drawn; the next one is wanted when there is news, for the next seconds, at the earliest
    /// after `every` thirtieths of a second.
    pub fn watch(&self, every: u32) {
        self.every.store(every, Relaxed);
        self.watched.store(Pace::WATCHED, Relaxed);
    }

    /// Name and colour of the track that this instance is on, if the host tells.
    pub fn track(&self) -> Option<TrackInfo> {
        self.track.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The host told something else of the track.
    pub fn track_changed(&self, track: TrackInfo) {
        *self.track.lock().unwrap_or_else(PoisonError::into_inner) = Some(track);
        self.repaint.request_repaint();
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
    /// What the last picture showed, see [`looks`].
    shown: u64,
    /// Thirtieths of a second since then.
    passed: u32,
}

impl Pace {
    /// Pictures a second.
    const PICTURES: f32 = 30.0;
    /// Pictures for which a window that does not draw is taken to be open: three seconds.
    const WATCHED: u32 = 90;
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
            shown: 0,
            passed: 0,
        }
    }

    /// A block of `samples` was processed. Says whether a picture was asked for.
    pub fn block(&mut self, samples: usize, shared: &Shared) -> bool {
        self.since_point += samples as u64;
        if self.since_point >= self.point {
            let point = Point::of(shared.handle.telemetry().decision());
            for _ in 0..(self.since_point / self.point).min(Self::MAX_POINTS) {
                shared.history.push(point);
            }
            self.since_point %= self.point;
        }
        self.since_picture += samples as u64;
        if self.since_picture < self.picture {
            return false;
        }
        self.since_picture = 0;
        let news = self.is_news(shared);
        shared.repaint.request_repaint_with(news);
        news
    }

    /// Whether the window is open and would look different now.
    fn is_news(&mut self, shared: &Shared) -> bool {
        let left = shared.watched.load(Relaxed);
        if left == 0 {
            return false;
        }
        // A picture that is drawn in between renews it.
        let _ = shared.watched.compare_exchange(left, left - 1, Relaxed, Relaxed);
        self.passed += 1;
        if self.passed < shared.every.load(Relaxed) {
            return false;
        }
        let telemetry = shared.handle.telemetry();
        let (_, level_dbfs) = telemetry.certainty_and_level();
        let moves = telemetry.tap().is_open() && level_dbfs > SPECTRUM_DBFS;
        let before = std::mem::replace(&mut self.shown, looks(telemetry));
        let news = moves || self.shown != before;
        if news {
            self.passed = 0;
        }
        news
    }
}

/// Quieter sound (dBFS) moves no spectrum that can be seen.
const SPECTRUM_DBFS: f32 = -100.0;

/// A number that changes when the window would look different: everything that it shows of the sound, in steps that can
/// be seen. Costs and counters are drawn again twice a second anyway.
fn looks(telemetry: &Telemetry) -> u64 {
    let (posterior, genre, verdict) = telemetry.decision();
    let (confidence, level_dbfs) = telemetry.certainty_and_level();
    let mix = telemetry.present_mix().unwrap_or_default();
    let tenths = |value: f32| (value * 10.0).round() as i64 as u64;
    let percent = |share: f32| (share * 100.0).round() as i64 as u64;
    let fold = |sum: u64, value: u64| (sum ^ value).wrapping_mul(0x0100_0000_01b3).rotate_left(7);
    let words = posterior.0.into_iter().map(percent).chain([
        genre.map_or(0, |genre| genre as u64 + 1),
        verdict as u64,
        percent(confidence),
        level_dbfs.round() as i64 as u64,
        percent(mix.low_cut),
        tenths(mix.gate_db),
        tenths(mix.threshold_db),
        tenths(mix.ratio),
        tenths(mix.makeup_db),
        tenths(mix.reduction_db),
        percent(mix.drive),
        percent(mix.width),
        tenths(mix.loudness_db),
        tenths(mix.limiter_db),
        tenths(mix.lufs[0]),
        tenths(mix.lufs[1]),
        percent(mix.learnt),
    ]);
    words.chain(mix.eq_db.into_iter().map(tenths)).fold(1, fold)
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

    /// No news, no picture; no window, no looking for news.
    #[test]
    fn pictures_are_asked_for_on_change_and_while_somebody_looks() {
        use idiom_engine::{Backend, Genre, Posterior, Quantization, Verdict};
        let shared = Shared::new(Arc::default());
        let mut pace = Pace::new(48_000.0);
        let mut asked =
            |shared: &Shared, blocks: usize| (0..blocks).filter(|_| pace.block(1_600, shared)).count();
        let hear = |shared: &Shared, level: f32| {
            let p = Posterior::certain(Genre::Jazz);
            let telemetry = shared.handle.telemetry();
            telemetry.set_decision(
                &p,
                Some(Genre::Jazz),
                Verdict::Recognised,
                0.9,
                level,
                Backend::Onnx,
                Quantization::Int8,
            );
        };
        hear(&shared, -20.0);
        assert_eq!(asked(&shared, 60), 0, "no window");
        shared.watch(1);
        assert_eq!(asked(&shared, 30), 1, "the first picture, and then nothing changes");
        hear(&shared, -10.0);
        assert_eq!(asked(&shared, 30), 1);
        shared.handle.telemetry().tap().look();
        shared.watch(3);
        assert_eq!(asked(&shared, 30), 10, "this page is drawn ten times a second");
        shared.watch(1);
        assert_eq!(asked(&shared, 200), 90, "a spectrum moves, until nobody has drawn for three seconds");
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
