//! Moments in the life of the window, for its tests and for drawing it without a host.

use super::card;
use super::model::{Look, ViewModel};
use super::watch::Seen;
use crate::history::{Point, SHOWN};
use crate::library::{Entry, Key, Library};
use crate::params::{Dial, Switch};
use idiom_engine::metrics::{BUCKETS, CacheMetrics, Cost, Queue};
use idiom_engine::profile::{Parameter, Preset};
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
        ("midi setup", midi_setup()),
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

/// Three minutes of a programme: somebody talks, a band plays, then another one, with some doubt between the two.
fn past() -> Vec<Point> {
    let parts = [(0.02, Genre::Speech), (0.26, Genre::Rock), (0.62, Genre::Jazz)];
    let (mut genre, mut points) = (None, Vec::with_capacity(SHOWN));
    for i in 0..SHOWN {
        let share = i as f32 / SHOWN as f32;
        // What each genre has of the sound, never quite still.
        let mut posterior: [f32; 5] = std::array::from_fn(|k| {
            let t = i as f32 / (9.0 + 4.0 * k as f32) + 1.7 * k as f32;
            0.03 + 0.03 * (t.sin() + (2.7 * t).sin() * 0.6).abs() + 0.02 * (7.3 * t).sin().abs()
        });
        posterior[Genre::Electronic.index()] += 0.35 * (-((share - 0.615) / 0.03).powi(2)).exp();
        for (k, (from, leads)) in parts.iter().enumerate() {
            let to = parts.get(k + 1).map_or(2.0, |(next, _)| *next);
            let rise = |at: f32| 1.0 / (1.0 + (-(share - at) / 0.008).exp());
            posterior[leads.index()] += 0.9 * (rise(*from) - rise(to));
        }
        let sum: f32 = posterior.iter().sum();
        posterior.iter_mut().for_each(|p| *p /= sum);
        let (heard, most) = Posterior(posterior).top();
        if most >= 0.7 {
            genre = Some(heard);
        }
        let verdict = match genre {
            None => Verdict::Listening,
            Some(_) if most < 0.7 => Verdict::Uncertain,
            Some(_) => Verdict::Recognised,
        };
        points.push(Point { posterior: posterior.map(|p| (p * 255.0) as u8), genre, verdict });
    }
    points
}

/// Jazz, recognised, after talk and some rock; the mix has come most of the way.
pub fn playing() -> ViewModel {
    use Parameter::{HighDb, HighHz, HighQ, LowDb, LowHz, LowQ, MidDb, MidHz, MidQ};
    use Parameter::{PresenceDb, PresenceHz, PresenceQ};
    let profiles = &Preset::factory()[0].profiles.genres;
    let (from, to) = (&profiles[Genre::Rock.index()], &profiles[Genre::Jazz.index()]);
    let mut values = *to;
    for &parameter in Parameter::ALL {
        values[parameter] = to[parameter] + 0.3 * (from[parameter] - to[parameter]);
    }
    let band = |parameters: [Parameter; 4]| parameters.map(|parameter| values[parameter]);
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
            eq_db: band([LowDb, MidDb, PresenceDb, HighDb]),
            eq_hz: band([LowHz, MidHz, PresenceHz, HighHz]),
            eq_q: band([LowQ, MidQ, PresenceQ, HighQ]),
            threshold_db: values[Parameter::Threshold],
            ratio: values[Parameter::Ratio],
            attack_ms: values[Parameter::Attack],
            release_ms: values[Parameter::Release],
            makeup_db: 1.0,
            reduction_db: -2.3,
            gate_db: -0.4,
            low_cut: values[Parameter::LowCut],
            low_cut_hz: values[Parameter::LowCutHz],
            drive: values[Parameter::DriveMix],
            width: values[Parameter::Width],
            loudness_db: 1.8,
            lufs: [-17.2, -18.9],
            limiter_db: 0.0,
            calm: 1.0,
            values,
            ..MixState::default()
        },
    };
    // What is shipped, as its card says.
    model.status.model =
        card::of(Backend::Onnx).map_or_else(String::new, |card| format!("{} {}", card.model, card.version));
    model.history = past();
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

/// MIDI out is set up, with two values on one controller.
fn midi_setup() -> ViewModel {
    let mut model = playing();
    model.look.midi_setup = true;
    model.switches[Switch::MidiOut.index()] = true;
    model.midi.numbers = [102, 103, 104, 102, 20, 107, 108];
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
