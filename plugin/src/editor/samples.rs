//! Moments in the life of the window, for its tests and for drawing it without a host.

use super::model::ViewModel;
use crate::history::{Point, SHOWN};
use crate::params::{Dial, Switch};
use idiom_engine::telemetry::MixState;
use idiom_engine::{Backend, Genre, Posterior, Quantization, Snapshot, Verdict};

/// Named moments that together show every state the window can be in.
pub fn all() -> Vec<(&'static str, ViewModel)> {
    let verdict = |verdict: Verdict| {
        let mut model = playing();
        model.snapshot.verdict = verdict;
        model
    };
    let mut uncertain = verdict(Verdict::Uncertain);
    uncertain.snapshot.posterior = Posterior([0.1, 0.36, 0.3, 0.2, 0.04]);
    uncertain.snapshot.confidence = 0.3;
    let mut silent = verdict(Verdict::Silent);
    silent.snapshot.level_dbfs = f32::NEG_INFINITY;
    let mut frozen = verdict(Verdict::Frozen);
    frozen.switches = Switch::ALL.map(|switch| switch == Switch::Freeze);
    let mut manual = verdict(Verdict::Manual);
    manual.manual = Some(Genre::Jazz);
    let mut listening = verdict(Verdict::Listening);
    listening.snapshot.genre = None;
    let mut bypassed = playing();
    bypassed.switches = [true; 4];
    let mut neutral = playing();
    neutral.dials = [0.0; 4];
    let mut problem = playing();
    problem.problem =
        Some("The model could not be loaded, and rules on the spectrum run instead: reinstall Idiom.".into());
    problem.notice =
        Some("The saved state is damaged: 2 settings could not be read and kept the value before.".into());
    vec![
        ("empty", empty()),
        ("playing", playing()),
        ("uncertain", uncertain),
        ("silent", silent),
        ("frozen", frozen),
        ("manual", manual),
        ("listening", listening),
        ("bypassed", bypassed),
        ("neutral", neutral),
        ("problem", problem),
        ("hostile", hostile()),
    ]
}

/// A new instance that heard nothing yet.
pub fn empty() -> ViewModel {
    ViewModel {
        dials: Dial::ALL.map(Dial::default),
        switches: [false, true, true, false],
        ..ViewModel::default()
    }
}

/// Jazz, recognised, after some rock.
pub fn playing() -> ViewModel {
    let history: Vec<_> = (0..SHOWN)
        .map(|i| {
            let share = (i as f32 / 40.0 - 2.5).clamp(0.0, 1.0);
            let ripple = 0.1 * (i as f32 / 7.0).sin().abs();
            let posterior =
                [0.02, 0.85 - 0.8 * share - ripple / 2.0, 0.05 + 0.8 * share - ripple / 2.0, ripple, 0.08];
            let genre = if share < 0.7 { Genre::Rock } else { Genre::Jazz };
            let sure = !(0.3..=0.7).contains(&share);
            Point {
                posterior: posterior.map(|p: f32| (p.max(0.0) * 255.0) as u8),
                genre: Some(genre).filter(|_| i > 10),
                verdict: if i < 10 {
                    Verdict::Listening
                } else if sure {
                    Verdict::Recognised
                } else {
                    Verdict::Uncertain
                },
            }
        })
        .collect();
    let mut model = empty();
    model.snapshot = Snapshot {
        frames: 5_000,
        posterior: Posterior([0.02, 0.03, 0.88, 0.03, 0.04]),
        genre: Some(Genre::Jazz),
        verdict: Verdict::Recognised,
        confidence: 0.88,
        level_dbfs: -18.4,
        cost_ns: [9_800, 10_300, 15_600, 88_000],
        backend: Backend::Onnx,
        quantization: Quantization::Int8,
        cache: [0, 0],
        cache_entries: 0,
        swaps: 1,
        sample_rate: 48_000.0,
        mix: MixState {
            eq_db: [1.2, -0.8, 0.5, 1.6],
            eq_hz: [110.0, 420.0, 3_500.0, 9_000.0],
            eq_q: [0.71, 0.8, 0.8, 0.71],
            threshold_db: -22.0,
            ratio: 1.6,
            attack_ms: 25.0,
            release_ms: 180.0,
            makeup_db: 1.0,
            reduction_db: -2.3,
            ..MixState::default()
        },
    };
    model.status.model = "Idiom flagship 1".into();
    model.history = history;
    model
}

/// Numbers that no engine should send; the window must stand them.
fn hostile() -> ViewModel {
    let mut model = playing();
    model.snapshot.posterior = Posterior([f32::NAN, f32::INFINITY, -1.0, 2.0, 0.0]);
    model.snapshot.confidence = f32::NAN;
    model.snapshot.level_dbfs = f32::NAN;
    model.snapshot.cost_ns = [u64::MAX; 4];
    model.snapshot.sample_rate = f32::INFINITY;
    model.snapshot.mix.eq_db = [f32::NAN, 1e9, -1e9, 0.0];
    model.snapshot.mix.eq_hz = [0.0, -1.0, f32::INFINITY, 1.0];
    model.snapshot.mix.reduction_db = f32::NEG_INFINITY;
    model.dials = [f32::NAN, 1e9, -5.0, f32::INFINITY];
    model.problem = Some("x".repeat(5_000));
    model.notice = Some("word ".repeat(500));
    model.status.model = "m".repeat(500);
    model
}
