//! Moments in the life of the window, for its tests and for drawing it without a host.

use super::model::{Look, ViewModel};
use super::watch::Seen;
use crate::history::{Point, SHOWN};
use crate::library::{Entry, Key, Library};
use crate::params::{Dial, Switch};
use idiom_engine::metrics::{BUCKETS, CacheMetrics, Cost, Queue};
use idiom_engine::profile::Preset;
use idiom_engine::spectrum::{POINTS, Spectrum, hertz};
use idiom_engine::telemetry::MixState;
use idiom_engine::worker::UserModel;
use idiom_engine::{Backend, Genre, Metrics, Mode, Posterior, Quantization, Snapshot, Verdict};
use std::sync::Arc;

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
    frozen.mode = Mode::Hold;
    let mut manual = verdict(Verdict::Manual);
    manual.manual = Some(Genre::Jazz);
    manual.look.by_hand = Some(Genre::Jazz);
    let mut listening = verdict(Verdict::Listening);
    listening.snapshot.genre = None;
    let mut bypassed = playing();
    bypassed.switches = Switch::ALL.map(|_| true);
    let mut neutral = playing();
    neutral.dials = Dial::ALL.map(|_| 0.0);
    let mut missing = playing();
    missing.problem =
        Some("The model could not be loaded, and rules on the spectrum run instead: reinstall Idiom.".into());
    missing.snapshot.backend = Backend::Spectral;
    missing.snapshot.quantization = Quantization::Fp32;
    missing.status.model.clear();
    missing.status.installed = (Backend::Spectral, Quantization::Fp32);
    missing.metrics.fallbacks = 1;
    let mut problem = playing();
    problem.problem =
        Some("Idiom's engine failed and was switched off: the sound passes untouched. Switch the plugin off and on in the \
              host to start it again, and please report this with the log.".into());
    problem.notice =
        Some("The saved state is damaged: 2 settings could not be read and kept the value before.".into());
    let mut own_model = playing();
    own_model.own_model = Some(UserModel {
        name: "a-model-of-mine-with-a-name-that-is-too-long-for-its-button.onnx".into(),
        sha256: "0123456789abcdef".repeat(4),
        path: "/models/mine.onnx".into(),
    });
    own_model.status.model = "mine 3".into();
    own_model.status.classes = ["rock", "rain", "wind"].map(str::to_owned).into();
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
        ("missing model", missing),
        ("problem", problem),
        ("own model", own_model),
        ("own preset", own_preset()),
        ("hostile", hostile()),
    ]
}

/// A new instance that heard nothing yet.
pub fn empty() -> ViewModel {
    ViewModel {
        dials: Dial::ALL.map(Dial::default),
        switches: Switch::ALL.map(Switch::default),
        look: Look { percent: 100, ..Look::default() },
        presets: Arc::new(Library::open(None).entries()),
        loaded: Some(Key::factory(0)),
        presets_folder: "~/.local/share/idiom/presets".into(),
        ..ViewModel::default()
    }
}

/// Jazz, recognised, after some rock.
pub fn playing() -> ViewModel {
    let history: Vec<_> = (0..SHOWN)
        .map(|i| {
            let share = (i as f32 / 120.0 - 2.5).clamp(0.0, 1.0);
            let ripple = 0.1 * (i as f32 / 21.0).sin().abs();
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
            gate_db: -0.4,
            low_cut: 1.0,
            low_cut_hz: 32.0,
            drive: 0.12,
            width: 1.06,
            loudness_db: 1.8,
            lufs: [-17.2, -18.9],
            limiter_db: 0.0,
            calm: 1.0,
            values: Preset::factory()[0].profiles.genres[Genre::Rock.index()],
            ..MixState::default()
        },
    };
    model.status.model = "flagship 2026.11.2".into();
    model.history = history;
    model.spectrum = Some(spectrum());
    model.metrics = metrics();
    model.latency = (0..BUCKETS).map(|i| (900.0 * (-(i as f32 - 27.0).powi(2) / 9.0).exp()) as u64).collect();
    model.latency[39] = 1;
    let seen = |backend, quantization, p50_ns| Seen { backend, quantization, p50_ns };
    model.costs = vec![
        seen(Backend::Onnx, Quantization::Int8, 10_300),
        seen(Backend::Classic, Quantization::Fp32, 5_100),
    ];
    model.status.classes = Genre::ALL.map(|genre| genre.name().to_owned()).into();
    model.status.choice = Some("INT8: 2.1x faster here than FP32, agreement 99.3 %".into());
    model
}

/// A preset of the user's own is loaded.
pub fn own_preset() -> ViewModel {
    let mut model = playing();
    model.track = Some(("Lead vocals of the second chorus".into(), Some([200, 80, 40])));
    let mut entries = model.presets.as_ref().clone();
    let key = Key::User("Late show".into());
    let fact = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    entries.push(Entry {
        key: key.clone(),
        name: "Late show".into(),
        about: String::new(),
        tags: vec!["radio".into()],
        favourite: true,
        facts: [("amount", "64.0"), ("reaction", "1.5"), ("threshold", "70.0"), ("genre", "Auto")]
            .map(fact)
            .into(),
    });
    model.presets = Arc::new(entries);
    model.loaded = Some(key);
    model.edited = true;
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
    let odd = [f32::NAN, 1e9, -5.0, f32::INFINITY, f32::NEG_INFINITY];
    model.dials = std::array::from_fn(|i| odd[i % odd.len()]);
    model.problem = Some("x".repeat(5_000));
    model.notice = Some("word ".repeat(500));
    model.status.model = "m".repeat(500);
    model
}

/// Something like a band: a bass, a hump, a fall, some lines.
fn spectrum() -> Spectrum {
    let level = |i: usize, lift: f32| {
        let hz = hertz(i);
        let fall = -34.0 - 4.2 * (hz / 120.0).log2().abs().powf(1.15);
        let lines =
            7.0 * ((i as f32) * 0.55).sin() * (1.0 - i as f32 / POINTS as f32) + 2.5 * (i as f32 * 1.9).sin();
        let end = if hz > 15_000.0 { -0.004 * (hz - 15_000.0) } else { 0.0 };
        fall + lines + end + lift * (hz / 3_000.0).log2().clamp(-2.0, 2.0)
    };
    Spectrum {
        before: std::array::from_fn(|i| level(i, 0.0)),
        after: std::array::from_fn(|i| level(i, 1.2) + 1.5),
    }
}

/// An hour of work.
fn metrics() -> Metrics {
    let mut metrics = Metrics { frames: 5_000, sample_rate: 48_000.0, swaps: 1, ..Metrics::default() };
    let cost = |p50_ns: u64| Cost { count: 5_000, p50_ns, p99_ns: p50_ns * 3 / 2, max_ns: p50_ns * 8 };
    metrics.stages.front_end = cost(3_200);
    metrics.stages.network = cost(6_400);
    metrics.stages.decision = cost(300);
    metrics.stages.frame = Cost { count: 5_000, p50_ns: 10_300, p99_ns: 15_600, max_ns: 88_000 };
    metrics.stages.mix = cost(21_000);
    metrics.stages.block = cost(29_000);
    metrics.cache =
        CacheMetrics { hits: 412, misses: 96, hit_rate: 412.0 / 508.0, entries: 96, bytes: 60_000 };
    metrics.worker_queue = Queue { depth: 0, most: 2 };
    metrics.memory_bytes = 812_000;
    metrics
}
