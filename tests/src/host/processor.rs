//! An active instance, on the audio thread.

use super::callbacks::Handlers;
use anyhow::{Context, Result, ensure};
use clack_extensions::params::PluginParams;
use clack_extensions::tail::{PluginTail, TailLength};
use clack_host::events::event_types::{ParamValueEvent, TransportEvent, TransportFlags};
use clack_host::events::spaces::CoreEventSpace;
use clack_host::events::{Event, EventFlags, Pckn, UnknownEvent};
use clack_host::prelude::*;
use clack_host::utils::{BeatTime, SecondsTime};

/// A parameter change within a block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Sample within the block.
    pub at: u32,
    /// Which parameter.
    pub param: ClapId,
    /// Its new plain value.
    pub value: f64,
}

impl Change {
    pub(super) fn event(self) -> ParamValueEvent {
        ParamValueEvent::new(self.at, self.param, Pckn::match_all(), self.value)
    }
}

/// Where the song is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Song {
    /// Whether the transport runs.
    pub playing: bool,
    /// Position of the block's first sample from the start of the song, in samples.
    pub position: i64,
}

impl Song {
    /// The transport runs, at this sample.
    pub fn at(position: i64) -> Song {
        Song { playing: true, position }
    }

    fn event(self, sample_rate: f64) -> TransportEvent {
        let flags = TransportFlags::HAS_SECONDS_TIMELINE | TransportFlags::HAS_TEMPO;
        TransportEvent {
            header: EventHeader::new_core(0, EventFlags::empty()),
            flags: if self.playing { flags | TransportFlags::IS_PLAYING } else { flags },
            song_pos_beats: BeatTime::from_int(0),
            song_pos_seconds: SecondsTime::from_float(self.position as f64 / sample_rate),
            tempo: 120.0,
            tempo_inc: 0.0,
            loop_start_beats: BeatTime::from_int(0),
            loop_end_beats: BeatTime::from_int(0),
            loop_start_seconds: SecondsTime::from_int(0),
            loop_end_seconds: SecondsTime::from_int(0),
            bar_start: BeatTime::from_int(0),
            bar_number: 0,
            time_signature_numerator: 4,
            time_signature_denominator: 4,
        }
    }
}

/// An active instance, on the audio thread. [`Processor::process`] itself neither allocates nor waits.
pub struct Processor {
    inner: PluginAudioProcessor<Handlers>,
    sample_rate: f64,
    /// Copy of the input, one vector a channel, as long as the largest block: hosts give the plugin separate
    /// buffers for input and output.
    input: Vec<Vec<f32>>,
    /// The same for the side-chain input; empty where the plugin has none.
    side_chain: Vec<Vec<f32>>,
    input_ports: AudioPorts,
    output_ports: AudioPorts,
    events: EventBuffer,
    events_out: EventBuffer,
    steady: u64,
}

impl Processor {
    pub(super) fn new(
        stopped: StoppedPluginAudioProcessor<Handlers>,
        sample_rate: f64,
        channels: usize,
        side_chains: usize,
        max_block: usize,
    ) -> Processor {
        let mut events = EventBuffer::with_capacity(256);
        let mut events_out = EventBuffer::with_capacity(256);
        // The buffers grow when first used; do that here and not on the audio thread.
        if let Some(id) = ClapId::from_raw(0) {
            let filler = Change { at: 0, param: id, value: 0.0 }.event();
            for buffer in [&mut events, &mut events_out] {
                (0..256).for_each(|_| buffer.push(&filler));
                buffer.clear();
            }
        }
        Processor {
            inner: PluginAudioProcessor::Stopped(stopped),
            sample_rate,
            input: vec![vec![0.0; max_block]; channels],
            side_chain: vec![vec![0.0; max_block]; channels * side_chains.min(1)],
            input_ports: AudioPorts::with_capacity(2 * channels, 2),
            output_ports: AudioPorts::with_capacity(channels, 1),
            events,
            events_out,
            steady: 0,
        }
    }

    /// Tells the plugin that blocks will follow. [`Processor::process`] does it when nobody did.
    pub fn start(&mut self) -> Result<()> {
        self.inner.ensure_processing_started().context("the plugin cannot start processing")?;
        Ok(())
    }

    /// Tells the plugin that no blocks will follow for now.
    pub fn stop(&mut self) {
        self.inner.ensure_processing_stopped();
    }

    /// Asks the plugin to forget what it heard.
    pub fn reset(&mut self) {
        self.inner.reset();
    }

    /// Sets parameters without sound.
    pub fn flush(&mut self, changes: &[Change]) -> Result<()> {
        let params: PluginParams =
            self.inner.shared_plugin_handle().get_extension().context("the plugin has no parameters")?;
        self.events.clear();
        changes.iter().for_each(|change| self.events.push(&change.event()));
        self.events_out.clear();
        let (events, out) = (self.events.as_input(), &mut self.events_out.as_output());
        params.flush_active(&mut self.inner.plugin_handle(), &events, out);
        Ok(())
    }

    /// Sends a block of silence with parameter changes in a namespace of events that nobody knows.
    pub fn process_foreign(&mut self, changes: &[Change]) -> Result<()> {
        let mut foreign: Vec<_> = changes.iter().map(|change| *change.event().as_raw()).collect();
        foreign.iter_mut().for_each(|event| event.header.space_id = 0xb33f);
        self.events.clear();
        for event in &foreign {
            // SAFETY: the header is the beginning of a whole event of the size that it says.
            self.events.push(unsafe { UnknownEvent::from_raw(std::ptr::from_ref(event).cast()) });
        }
        let length = self.input.first().map_or(0, Vec::len);
        let mut silence = vec![vec![0.0; length]; self.input.len()];
        let mut audio: Vec<&mut [f32]> = silence.iter_mut().map(Vec::as_mut_slice).collect();
        self.process_events(&mut audio, None)
    }

    /// For how many samples the plugin says that it is heard after the sound has ended; `None` when for ever.
    pub fn tail(&mut self) -> Option<u32> {
        let tail = self.inner.shared_plugin_handle().get_extension::<PluginTail>()?;
        match tail.get(&self.inner.plugin_handle()) {
            TailLength::Finite(samples) => Some(samples),
            TailLength::Infinite => None,
        }
    }

    /// What the side-chain input hears from the next block on, one vector a channel, as long as the largest block:
    /// silence unless it is filled.
    pub fn side_chain(&mut self) -> &mut [Vec<f32>] {
        &mut self.side_chain
    }

    /// The MIDI messages that the last block sent, with their samples within it.
    pub fn midi(&self) -> Vec<(u32, [u8; 3])> {
        let midi = |event: &UnknownEvent| match event.as_core_event() {
            Some(CoreEventSpace::Midi(midi)) => Some((midi.time(), midi.data())),
            _ => None,
        };
        self.events_out.iter().filter_map(midi).collect()
    }

    pub(super) fn into_stopped(self) -> StoppedPluginAudioProcessor<Handlers> {
        self.inner.into_stopped()
    }

    /// Processes one block in place: `audio` holds one slice a channel, all of one length up to the largest block.
    ///
    /// # Errors
    /// When channel count or length do not fit, or the plugin reports an error.
    pub fn process(
        &mut self,
        audio: &mut [&mut [f32]],
        song: Option<Song>,
        changes: &[Change],
    ) -> Result<()> {
        let length = audio.first().map_or(0, |channel| channel.len());
        ensure!(audio.len() == self.input.len(), "{} channels, not {}", audio.len(), self.input.len());
        for (copy, channel) in self.input.iter_mut().zip(audio.iter()) {
            ensure!(channel.len() == length && length <= copy.len(), "a block that does not fit");
            copy[..length].copy_from_slice(channel);
        }
        self.events.clear();
        changes.iter().for_each(|change| self.events.push(&change.event()));
        self.process_events(audio, song)
    }

    /// Processes one block, whose input and events are in their places.
    fn process_events(&mut self, audio: &mut [&mut [f32]], song: Option<Song>) -> Result<()> {
        let length = audio.first().map_or(0, |channel| channel.len());
        self.events_out.clear();
        let transport = song.map(|song| song.event(self.sample_rate));

        let ports = 1 + usize::from(!self.side_chain.is_empty());
        let inputs = self.input_ports.with_input_buffers(
            [&mut self.input, &mut self.side_chain].into_iter().take(ports).map(|port| AudioPortBuffer {
                latency: 0,
                channels: AudioPortBufferType::f32_input_only(
                    port.iter_mut().map(|channel| InputChannel::variable(&mut channel[..length])),
                ),
            }),
        );
        let mut outputs = self.output_ports.with_output_buffers([AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_output_only(audio.iter_mut().map(|channel| &mut **channel)),
        }]);
        let started = self.inner.ensure_processing_started()?;
        started.process(
            &inputs,
            &mut outputs,
            &self.events.as_input(),
            &mut self.events_out.as_output(),
            Some(self.steady),
            transport.as_ref(),
        )?;
        self.steady += length as u64;
        Ok(())
    }

    /// Processes whole channels in place, in blocks of the lengths that `blocks` gives, as a song that plays from
    /// its start.
    pub fn play(&mut self, channels: &mut [Vec<f32>], blocks: impl IntoIterator<Item = usize>) -> Result<()> {
        let length = channels.first().map_or(0, Vec::len);
        let mut blocks = blocks.into_iter();
        let mut start = 0;
        while start < length {
            let end = (start + blocks.next().context("too few blocks")?).min(length);
            let mut block: Vec<&mut [f32]> = channels.iter_mut().map(|c| &mut c[start..end]).collect();
            self.process(&mut block, Some(Song::at(start as i64)), &[])?;
            start = end;
        }
        Ok(())
    }
}
