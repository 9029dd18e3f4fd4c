//! The plugin between activation and deactivation, with a host that is only a structure.

use super::*;
use nice_plug::context::PluginApi;
use nice_plug::context::process::SendEventError;
use nice_plug::midi::PluginNoteEvent;

struct Host {
    transport: nice_plug::prelude::Transport,
    latency: std::cell::Cell<Option<u32>>,
}

impl Host {
    fn new(sample_rate: f32) -> Self {
        let mut transport = nice_plug::prelude::Transport::new(sample_rate);
        transport.playing = true;
        transport.pos_samples = Some(0);
        Self { transport, latency: std::cell::Cell::new(None) }
    }
}

impl ActivateContext<Idiom> for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute(&self, _task: ()) {}
    fn set_latency_samples(&self, samples: u32) {
        self.latency.set(Some(samples));
    }
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

impl ProcessContext<Idiom> for Host {
    fn plugin_api(&self) -> PluginApi {
        PluginApi::Clap
    }
    fn execute_background(&self, _task: ()) {}
    fn execute_gui(&self, _task: ()) {}
    fn transport(&self) -> &nice_plug::prelude::Transport {
        &self.transport
    }
    fn next_event(&mut self) -> Option<PluginNoteEvent<Idiom>> {
        None
    }
    fn try_send_event(
        &mut self,
        event: PluginNoteEvent<Idiom>,
    ) -> Result<(), (PluginNoteEvent<Idiom>, SendEventError)> {
        Err((event, SendEventError::NoOutputBuffer))
    }
    fn set_latency_samples(&self, _samples: u32) {}
    fn request_restart(&self) {}
    fn set_current_voice_capacity(&self, _capacity: u32) {}
}

fn activate(plugin: &mut Idiom, host: &mut Host, layout: usize) -> bool {
    let config = BufferConfig {
        sample_rate: host.transport.sample_rate,
        min_buffer_size: None,
        max_buffer_size: 512,
        process_mode: ProcessMode::Realtime,
    };
    let activated = plugin.activate(&Idiom::AUDIO_IO_LAYOUTS[layout], &config, host);
    plugin.reset();
    activated
}

fn process(plugin: &mut Idiom, host: &mut Host, channels: &mut [Vec<f32>]) {
    let samples = channels[0].len();
    let mut buffer = Buffer::default();
    // SAFETY: the slices live as long as `buffer` is used, and are of one length.
    unsafe {
        buffer.set_slices(samples, |slices| *slices = channels.iter_mut().map(Vec::as_mut_slice).collect());
    }
    let mut aux = AuxiliaryBuffers { inputs: &mut [], outputs: &mut [] };
    assert!(matches!(plugin.process(&mut buffer, &mut aux, host), ProcessStatus::Tail(_)));
    host.transport.pos_samples = host.transport.pos_samples.map(|position| position + samples as i64);
}

fn noise(samples: usize, channels: usize) -> Vec<Vec<f32>> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1u32 << 23) as f32 * 0.2 - 0.1
    };
    (0..channels).map(|_| (0..samples).map(|_| next()).collect()).collect()
}

#[test]
fn mono_and_stereo_are_heard_without_latency() {
    for (layout, channels) in [(0, 2), (1, 1)] {
        let mut plugin = Idiom::default();
        let mut host = Host::new(48_000.0);
        assert!(activate(&mut plugin, &mut host, layout));
        assert_eq!(host.latency.get(), Some(0));
        for _ in 0..100 {
            let mut sound = noise(480, channels);
            process(&mut plugin, &mut host, &mut sound);
            assert!(sound.iter().flatten().all(|sample| sample.is_finite()));
        }
        // One second is fifty frames.
        let snapshot = plugin.shared.handle.telemetry().snapshot();
        assert!((48..=50).contains(&snapshot.frames), "{}", snapshot.frames);
        assert_eq!(snapshot.sample_rate, 48_000.0);
        assert_eq!(plugin.shared.history.written(), 5);
        plugin.deactivate();
    }
}

#[test]
fn without_amount_the_sound_is_untouched() {
    let mut plugin = Idiom::default();
    let mut host = Host::new(44_100.0);
    // SAFETY: nothing else uses the parameter.
    unsafe { plugin.params.amount.as_ptr()._internal_set_normalized_value(0.0) };
    assert!(activate(&mut plugin, &mut host, 0));
    for _ in 0..200 {
        let sound = noise(256, 2);
        let mut processed = sound.clone();
        process(&mut plugin, &mut host, &mut processed);
        assert_eq!(processed, sound);
    }
}

#[test]
fn an_impossible_rate_passes_the_sound_and_says_so() {
    for rate in [4_000.0, 768_000.0, f32::NAN] {
        let mut plugin = Idiom::default();
        let mut host = Host::new(rate);
        assert!(activate(&mut plugin, &mut host, 0), "the host may keep the plugin");
        let sound = noise(64, 2);
        let mut processed = sound.clone();
        process(&mut plugin, &mut host, &mut processed);
        assert_eq!(processed, sound);
        let problem = plugin.shared.problem().expect("said in the window");
        assert!(problem.contains("sample rate"), "{problem}");
        // The next activation works again.
        assert!(activate(&mut plugin, &mut Host::new(48_000.0), 0));
        assert!(plugin.shared.problem().is_none_or(|problem| !problem.contains("sample rate")));
    }
}

#[test]
fn a_panic_ends_in_bypass_and_a_message_not_in_the_host() {
    let mut plugin = Idiom::default();
    let mut host = Host::new(48_000.0);
    assert!(activate(&mut plugin, &mut host, 0));
    plugin.with_engine(|_| panic!("on purpose, by a test"));
    assert!(plugin.shared.problem().is_some_and(|problem| problem.contains("passes untouched")));
    plugin.with_engine(|_| unreachable!("an engine that panicked is not called again"));
    let mut sound = noise(64, 2);
    let expected = sound.clone();
    process(&mut plugin, &mut host, &mut sound);
    assert_eq!(sound, expected);
    sound[0][3] = f32::NAN;
    process(&mut plugin, &mut host, &mut sound);
    assert_eq!(sound[0][3], 0.0);

    plugin.deactivate();
    assert!(activate(&mut plugin, &mut host, 0));
    process(&mut plugin, &mut host, &mut sound);
    assert!(plugin.shared.problem().is_none_or(|problem| !problem.contains("switched off")));
}

#[test]
fn an_instance_can_be_asked_from_outside() {
    let plugin = Idiom::default();
    plugin.shared.handle.telemetry().set_sample_rate(22_222.0);
    // Other tests have instances too; ours is one of those alive.
    let rates = (0..1_000).map_while(|instance| {
        let mut out = idiom_engine::IdiomSnapshot::EMPTY;
        // SAFETY: `out` is a whole snapshot.
        (unsafe { probe::idiom_snapshot(instance, &mut out) } == 1).then_some(out.sample_rate)
    });
    assert!(rates.collect::<Vec<_>>().contains(&22_222.0));
}
