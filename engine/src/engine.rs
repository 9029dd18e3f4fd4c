//! The engine's two faces: [`Engine`] for the audio thread, [`Handle`] for everybody else.

use crate::controls::{Backend, Controls, LimiterMode, Quantization, Transport};
use crate::link::{AudioEnd, ToAudio, ToWorker};
use crate::metrics::{Metrics, Stage, Stopwatch};
use crate::profile::live::{Change, Handed, LiveProfiles};
use crate::profile::{Parameter, Preset, Profiles};
use crate::rt::cache::CacheLimits;
use crate::rt::cache_control::CacheControl;
use crate::rt::decision::{Decision, Outcome};
use crate::rt::features::FrontEnd;
use crate::rt::features::samples::Samples;
use crate::rt::frames::{Frame, Framer};
use crate::rt::history::History;
use crate::rt::mix::MixStage;
use crate::rt::recognizer::Recognizer;
use crate::rt::remote::{Asked, Remote};
use crate::rt::slot::Slot;
use crate::rt::spectral_rules::SpectralRules;
use crate::rt::tap::Point;
use crate::rt::watch::Watch;
use crate::telemetry::Telemetry;
use crate::worker::{Instance, ModelSource};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest that an offline render waits for the worker before it goes on without. Only a worker that died takes as long.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(20);

/// Sound in seconds for which changed profiles wait for the own settings that go with them.
const HANDING_S: f32 = 0.5;

/// How the host runs the engine. A change needs a new [`Engine`] from the same [`Handle`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Config {
    /// Host sample rate in Hz, 8000..=384000.
    pub sample_rate: f32,
    /// 1 or 2.
    pub channels: usize,
    /// The host renders faster or slower than real time and may be kept waiting, so that a bounce is reproducible.
    pub offline: bool,
}

/// What runs and why, for the window and the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// What the user asked for.
    pub requested: (Backend, Quantization),
    /// What was handed to the audio thread last.
    pub installed: (Backend, Quantization),
    /// Name and version of the installed model, empty for rules.
    pub model: String,
    /// Names of the installed model's classes, in the order of its outputs; none for rules.
    pub classes: Vec<String>,
    /// Why this quantization, where [`Quantization::Auto`] chose it.
    pub choice: Option<String>,
    /// What went wrong, what runs instead, and what to do. `None` when all is as requested.
    pub problem: Option<String>,
}

/// The side of an instance that may wait and allocate: plugin main thread, window, tests.
pub struct Handle {
    instance: Arc<Instance>,
    telemetry: Arc<Telemetry>,
    cache: Arc<CacheControl>,
    profiles: Arc<LiveProfiles>,
}

impl Handle {
    /// Registers a new instance with the process's worker, starting it when this is the first.
    pub fn new() -> Handle {
        let telemetry = Arc::<Telemetry>::default();
        let instance = Instance::register(Arc::clone(&telemetry));
        Handle { instance, telemetry, cache: Arc::default(), profiles: Arc::default() }
    }

    /// Makes the audio-thread side. Allocates, and prepares the chosen model; never call it on the audio thread.
    ///
    /// Call it again for another sample rate, channel count or mode; an engine made before goes on with what it has, but
    /// is no longer served by the worker.
    pub fn start(&self, config: Config) -> Engine {
        let (recognizer, link) = self.instance.start(config.offline);
        let (telemetry, cache, profiles) = (&self.telemetry, &self.cache, &self.profiles);
        Engine::new(config, recognizer, link, Arc::clone(telemetry), Arc::clone(cache), Arc::clone(profiles))
    }

    /// Plays these profiles instead of the built-in preset that the controls name; `None` plays that again. In force
    /// from the audio thread's next block on; the mix glides there.
    pub fn set_profiles(&self, profiles: Option<Profiles>) {
        self.hand_over(profiles, Handed::default());
    }

    /// As [`set_profiles`](Self::set_profiles), for profiles into which own settings of the user's go, or that they come out
    /// of. The mix takes them over with the block that has these own settings, so that what is heard stays; if none comes,
    /// after half a second of sound.
    pub fn hand_over(&self, profiles: Option<Profiles>, handed: Handed) {
        self.profiles.set(Change { profiles, handed });
    }

    /// Chooses what computes the genre. Returns at once; the worker prepares it and the audio thread takes it over
    /// without a gap. May be called before [`Handle::start`], and on any thread, the audio thread included.
    pub fn select(&self, backend: Backend, quantization: Quantization) {
        self.select_backend(backend);
        self.select_quantization(quantization);
    }

    /// Chooses the backend alone, as [`select`](Self::select) does.
    pub fn select_backend(&self, backend: Backend) {
        self.instance.choose_backend(backend);
    }

    /// Chooses the arithmetic alone, as [`select`](Self::select) does.
    pub fn select_quantization(&self, quantization: Quantization) {
        self.instance.choose_quantization(quantization);
    }

    /// Chooses the model, as [`select`](Self::select) chooses what runs it. A model that cannot be used is reported in
    /// [`status`](Self::status), and the built-in one is played. Not for the audio thread.
    pub fn select_model(&self, source: ModelSource) {
        self.instance.choose_source(source);
    }

    /// Limits of the cache of the worker's answers. In force from the audio thread's next frame on.
    pub fn set_cache_limits(&self, limits: CacheLimits) {
        self.cache.set_limits(limits);
    }

    /// How many of the worker's answers to keep at most. As [`set_cache_limits`](Self::set_cache_limits), on any thread.
    pub fn set_cache_entries(&self, entries: usize) {
        self.cache.set_entries(entries);
    }

    /// For how many seconds of sound to keep an answer. As [`set_cache_limits`](Self::set_cache_limits), on any thread.
    pub fn set_cache_ttl_s(&self, ttl_s: f32) {
        self.cache.set_ttl_s(ttl_s);
    }

    /// The limits that were set last.
    pub fn cache_limits(&self) -> CacheLimits {
        self.cache.limits()
    }

    /// Forgets the worker's answers, at the audio thread's next frame.
    pub fn clear_cache(&self) {
        self.cache.clear();
    }

    /// What runs and why.
    pub fn status(&self) -> Status {
        let mut status = self.instance.status();
        if status.problem.is_none() {
            status.problem = self.telemetry.trouble().message().map(str::to_owned);
        }
        status
    }

    /// The likeliest class of the network on the audio thread by its name in the file, and its probability, `0..=1`;
    /// `None` while there is none. A model may know other classes than the genres.
    pub fn top_class(&self) -> Option<(String, f32)> {
        let (class, probability) = self.telemetry.top_class()?;
        let name = self.instance.status().classes.get(usize::from(class))?.clone();
        Some((name, probability))
    }

    /// What the instance cost and how well it did since it was made. [`Metrics::to_json`] exports it.
    pub fn metrics(&self) -> Metrics {
        self.telemetry.metrics()
    }

    /// What the audio thread tells.
    pub fn telemetry(&self) -> &Arc<Telemetry> {
        &self.telemetry
    }
}

impl Default for Handle {
    fn default() -> Self {
        Self::new()
    }
}

/// The audio-thread side of an instance. After [`Handle::start`] nothing in it allocates, locks or waits
/// (waiting is allowed only when [`Config::offline`] is set).
pub struct Engine {
    config: Config,
    framer: Framer,
    listener: Listener,
    mix: MixStage,
    /// The profiles that play, when they are not those of the built-in preset that the controls name.
    own_profiles: Option<Profiles>,
    /// The built-in preset in use, `None` while another one's profiles play.
    preset: Option<usize>,
    /// Profiles that were edited or loaded while playing, and which change of them was taken over last.
    live: Arc<LiveProfiles>,
    live_seen: u64,
    /// A change that waits for own settings, and the samples that it waits for at most.
    waiting: Option<(Change, usize)>,
    /// What the last frame was taken for.
    outcome: Outcome,
    telemetry: Arc<Telemetry>,
}

/// Everything from a frame to a decision.
struct Listener {
    offline: bool,
    front: FrontEnd,
    samples: Samples,
    history: History,
    slot: Slot,
    rules: SpectralRules,
    watch: Watch,
    remote: Remote,
    decision: Decision,
    link: AudioEnd,
    /// A recognizer on its way back that found the ring full; none is taken over before it is gone.
    leaving: Option<Box<Recognizer>>,
    /// The last answer came from what the user chose, not from a stand-in.
    as_chosen: bool,
    telemetry: Arc<Telemetry>,
}

impl Engine {
    fn new(
        config: Config,
        recognizer: Box<Recognizer>,
        link: AudioEnd,
        telemetry: Arc<Telemetry>,
        cache: Arc<CacheControl>,
        live: Arc<LiveProfiles>,
    ) -> Engine {
        let front = FrontEnd::new(config.sample_rate);
        telemetry.set_sample_rate(config.sample_rate);
        let engine = Engine {
            framer: Framer::new(front.hop()),
            mix: MixStage::new(
                config.sample_rate,
                config.channels,
                &Preset::factory()[0].profiles,
                LimiterMode::ZeroLatency,
            ),
            own_profiles: None,
            preset: Some(0),
            live,
            live_seen: 0,
            waiting: None,
            outcome: Outcome::default(),
            listener: Listener {
                offline: config.offline,
                remote: Remote::new(&front, cache),
                samples: Samples::new(front.hop()),
                front,
                history: History::new(),
                slot: Slot::new(recognizer),
                rules: SpectralRules::new(),
                watch: Watch::default(),
                decision: Decision::new(),
                link,
                leaving: None,
                as_chosen: false,
                telemetry: Arc::clone(&telemetry),
            },
            config,
            telemetry,
        };
        engine.listener.count_memory();
        engine
    }

    /// The same engine with this limiter, before its first block. Not for the audio thread.
    pub fn with_limiter(mut self, limiter: LimiterMode) -> Engine {
        let profiles = self.own_profiles.unwrap_or(Preset::factory()[0].profiles);
        self.mix = MixStage::new(self.config.sample_rate, self.config.channels, &profiles, limiter);
        self
    }

    /// The same engine with these profiles instead of a built-in preset's. Not for the audio thread.
    pub fn with_profiles(mut self, profiles: &Profiles) -> Engine {
        self.mix.set_profiles(profiles);
        self.own_profiles = Some(*profiles);
        self
    }

    /// Samples by which the output is later than the input: the limiter's look-ahead, or 0. It never changes.
    pub fn latency(&self) -> usize {
        self.mix.latency()
    }

    /// Analyses one block and mixes it in place.
    ///
    /// `channels` holds one slice a channel, all of one length, any length from 0 up.
    /// Whatever the input holds (NaN, infinities, denormals), the output is finite.
    pub fn process(&mut self, channels: &mut [&mut [f32]], transport: Transport, controls: &Controls) {
        self.process_keyed(channels, &[], transport, controls);
    }

    /// As [`process`](Self::process), with an external side-chain input that the compressor can listen to
    /// ([`Controls::external_key`]): one slice a channel, as long as the block, or none.
    pub fn process_keyed(
        &mut self,
        channels: &mut [&mut [f32]],
        side_chain: &[&[f32]],
        transport: Transport,
        controls: &Controls,
    ) {
        let length = channels.iter().map(|channel| channel.len()).min().unwrap_or(0);
        if length == 0 {
            return;
        }
        let mut watch = Stopwatch::start();
        let mut frames_ns = 0;
        for sample in channels.iter_mut().flat_map(|channel| channel.iter_mut()) {
            if !sample.is_finite() {
                *sample = 0.0;
            }
        }
        self.telemetry.tap().pass(Point::Before, channels, length);
        self.listener.receive();
        self.choose_preset(controls, length);
        let heard = channels.len().min(self.config.channels.clamp(1, 2));

        // The block is cut where frames end, so that a decision is in force from the sample after its frame on, whatever
        // the block size. A frame is heard before the mix overwrites it.
        if let Some(frame) = self.framer.begin_block(transport) {
            let (outcome, ns) = self.listener.hear(frame, controls);
            frames_ns += ns;
            self.take(outcome, controls);
        }
        let mut start = 0;
        while start < length {
            let end = length.min(start + self.framer.run());
            let outcome = match self.framer.push(channels.get(..heard).unwrap_or(&[]), start, end) {
                Some(frame) => Some(self.listener.hear(frame, controls)),
                None => None,
            };
            self.mix.process(channels, side_chain, start, end, controls);
            if let Some((outcome, ns)) = outcome {
                frames_ns += ns;
                self.take(outcome, controls);
            }
            start = end;
        }
        self.telemetry.tap().pass(Point::After, channels, length);
        self.telemetry.set_mix(self.mix.state());
        let (meters, block_ns) = (self.telemetry.meters(), watch.lap());
        meters.time(Stage::Mix, block_ns.saturating_sub(frames_ns));
        meters.time(Stage::Block, block_ns);
        if !self.config.offline && block_ns as f64 * 1e-9 * f64::from(self.config.sample_rate) > length as f64
        {
            meters.count_late_block();
        }
    }

    /// What the last frame was taken for: probabilities, the genre in force, how sure that is.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    fn take(&mut self, outcome: Outcome, controls: &Controls) {
        self.mix.set_target(&outcome, controls);
        self.outcome = outcome;
    }

    fn choose_preset(&mut self, controls: &Controls, length: usize) {
        if let Some(change) = self.live.take(&mut self.live_seen) {
            self.waiting = Some((change, (HANDING_S * self.config.sample_rate) as usize));
        }
        if let Some((change, patience)) = &mut self.waiting {
            if change.handed.iter().flatten().all(|(parameter, own)| is_set(controls, *parameter, *own)) {
                self.take_profiles(Some(controls));
            } else if *patience < length {
                self.take_profiles(None);
            } else {
                *patience -= length;
            }
        }
        let wanted = controls.preset;
        if Some(wanted) == self.preset || self.own_profiles.is_some() {
            return;
        }
        // The list was made when the engine was, so this only looks it up.
        let presets = Preset::factory();
        if let Some(preset) = presets.get(wanted).or(presets.first()) {
            self.mix.set_profiles(&preset.profiles);
        }
        self.preset = Some(wanted);
    }

    /// Plays the profiles that were waiting; with controls, own settings go into them.
    fn take_profiles(&mut self, controls: Option<&Controls>) {
        let Some((change, _)) = self.waiting.take() else { return };
        (self.own_profiles, self.preset) = (change.profiles, None);
        if let Some(controls) = controls {
            self.mix.hand_over(&change.handed, controls);
        }
        if let Some(profiles) = &self.own_profiles {
            self.mix.set_profiles(profiles);
        }
    }

    /// Forgets what was heard: the next block is a new beginning.
    pub fn reset(&mut self) {
        self.framer.reset();
        self.listener.reset();
        self.mix.reset();
        self.outcome = Outcome::default();
    }
}

/// Whether the user's own setting of a parameter is this, as near as hosts keep it.
fn is_set(controls: &Controls, parameter: Parameter, own: f32) -> bool {
    let (low, high) = parameter.domain_range();
    (parameter.to_domain(controls.base[parameter]) - parameter.to_domain(own)).abs() < 1e-4 * (high - low)
}

impl Listener {
    /// Takes in what the worker sent. Offline, waits until the user's last choice has come.
    fn receive(&mut self) {
        if self.offline && !self.link.choices().all_settled() {
            let started = Instant::now();
            // Taking in one change lets the worker send the next.
            while !self.link.choices().all_settled() && started.elapsed() < OFFLINE_PATIENCE {
                self.take_messages();
                self.link.wake_worker();
                std::thread::sleep(Duration::from_micros(100));
            }
        }
        self.take_messages();
    }

    fn take_messages(&mut self) {
        self.telemetry.meters().set_queue(self.link.queued());
        if let Some(leaving) = self.leaving.take() {
            self.send_back(leaving);
        }
        while self.leaving.is_none() {
            match self.link.receive() {
                Some(ToAudio::Install(recognizer)) => {
                    if let Some(replaced) = self.slot.install(recognizer, &self.history) {
                        self.send_back(replaced);
                    }
                }
                Some(ToAudio::Answer(request)) => self.remote.take_back(request, self.history.count()),
                None => return,
            }
        }
    }

    fn send_back(&mut self, recognizer: Box<Recognizer>) {
        if let Err(ToWorker::Return(recognizer)) = self.link.send(ToWorker::Return(recognizer)) {
            self.leaving = Some(recognizer);
        }
    }

    /// One frame from samples to a decision.
    /// Also says how long it took, in ns.
    fn hear(&mut self, frame: Frame<'_>, controls: &Controls) -> (Outcome, u64) {
        let mut watch = Stopwatch::start();
        let features = *self.front.push(frame.samples);
        self.samples.push(frame.samples);
        let samples = if self.slot.wants_samples() { self.samples.column() } else { &[] };
        let front_ns = watch.lap();
        self.history.push(&features, self.front.bands_db());
        self.rules.push(&features);

        // Offline there is time for any network, and what is played must not depend on the machine's speed.
        let rests = !self.offline && self.watch.rests();
        let changing = self.slot.is_changing();
        let mut asked = Stopwatch::start();
        let (answer, previous) = self.slot.push(&features, samples, &self.history, rests);
        if !rests && !changing && self.slot.current().answers() {
            let cost = if self.offline { 0 } else { asked.lap() };
            if self.watch.note(answer.is_some(), cost) {
                self.slot.forget();
            }
        }
        if let Some(previous) = previous {
            self.took_over(previous);
        }
        self.telemetry.set_top_class(self.slot.current().top().filter(|_| answer.is_some()));
        let mut by = self.slot.current().identity();
        let mut chosen = by;
        let mut posterior = answer;
        if let Some(model) = self.slot.current().remote() {
            chosen = (Backend::OnnxWorker, model.quantization);
            let meters = self.telemetry.meters();
            let asked = self.remote.step(
                Asked { model, heard: self.slot.current().heard() },
                &self.history,
                frame.fresh,
                controls.threshold,
                &mut self.link,
                meters,
            );
            if self.offline && asked {
                self.wait_for_answer();
            }
            if let Some(answer) = self.remote.answer(model, self.history.count()) {
                by = chosen;
                posterior = Some(answer);
                self.telemetry.set_top_class(None);
            }
            if !self.offline && self.history.heard() > model.frames as u64 {
                self.watch.note_worker(by.0 == Backend::OnnxWorker);
            }
        }
        self.telemetry.set_trouble(self.watch.trouble());
        let posterior = posterior.unwrap_or_else(|| {
            by = (Backend::Spectral, Quantization::Fp32);
            self.rules.posterior()
        });
        // What has not answered yet is not failing.
        if self.as_chosen && by != chosen {
            self.telemetry.meters().count_fallback();
        }
        self.as_chosen = by == chosen;
        let network_ns = watch.lap();
        let outcome = self.decision.update(&posterior, features.level_dbfs, controls);
        let decision_ns = watch.lap();
        self.telemetry.set_decision(
            &outcome.posterior,
            outcome.genre,
            outcome.verdict,
            outcome.confidence,
            features.level_dbfs,
            by.0,
            by.1,
        );
        let meters = self.telemetry.meters();
        meters.time(Stage::FrontEnd, front_ns);
        meters.time(Stage::Network, network_ns);
        meters.time(Stage::Decision, decision_ns);
        let frame_ns = front_ns + network_ns + decision_ns;
        self.telemetry.count_frame(frame_ns);
        (outcome, frame_ns)
    }

    /// Offline only: until the question is answered.
    fn wait_for_answer(&mut self) {
        let started = Instant::now();
        while self.remote.is_waiting() && started.elapsed() < OFFLINE_PATIENCE {
            self.link.wake_worker();
            std::thread::sleep(Duration::from_micros(50));
            self.take_messages();
        }
    }

    fn reset(&mut self) {
        self.front.reset();
        self.samples.reset();
        self.history.reset();
        self.rules.reset();
        // Cached answers belong to a sound, not to a time, and stay; but nearly the same sound may share one, and a bounce
        // must not depend on the one before.
        self.remote.reset(self.offline);
        self.watch.reset();
        self.decision.reset();
        self.as_chosen = false;
        if let Some(previous) = self.slot.reset() {
            self.took_over(previous);
        }
    }

    /// A new recognizer is in charge; the previous one goes.
    fn took_over(&mut self, previous: Box<Recognizer>) {
        self.watch.reset();
        self.as_chosen = false;
        self.telemetry.meters().count_swap();
        self.count_memory();
        self.send_back(previous);
    }

    fn count_memory(&self) {
        let bytes = self.front.memory()
            + self.samples.memory()
            + self.history.memory()
            + self.remote.memory()
            + self.slot.current().state_bytes();
        self.telemetry.meters().set_memory(bytes);
    }
}
