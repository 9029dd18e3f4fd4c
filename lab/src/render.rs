//! Playing sound through the whole engine offline, as the plugin does in a bounce, and noting what it decides.

use crate::interrupt;
use anyhow::{Result, ensure};
use idiom_engine::profile::Profiles;
use idiom_engine::telemetry::MixState;
use idiom_engine::{Config, Controls, Engine, Genre, Handle, LimiterMode, Posterior, Transport, Verdict};

/// How a render is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// The user's controls, the same for the whole length.
    pub controls: Controls,
    /// Profiles other than those of a built-in preset.
    pub profiles: Option<Profiles>,
    /// The limiter at the end of the chain.
    pub limiter: LimiterMode,
}

/// What is in force after a frame of 20 ms.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// End of the frame in seconds from the beginning.
    pub seconds: f64,
    /// Smoothed probability of each genre.
    pub posterior: Posterior,
    /// The genre in force.
    pub genre: Option<Genre>,
    /// What is made of the sound.
    pub verdict: Verdict,
    /// Smoothed probability of the genre in force.
    pub confidence: f32,
    /// The mix settings in force.
    pub mix: MixState,
}

/// An engine that renders offline, fed with as much sound at a time as is at hand.
pub struct Renderer {
    handle: Handle,
    engine: Engine,
    controls: Controls,
    sample_rate: u32,
    channels: usize,
    /// Samples played so far.
    position: i64,
}

impl Renderer {
    /// An engine for a sample rate in Hz and 1 or 2 channels.
    ///
    /// # Errors
    /// When the engine does not work at this rate, or with so many channels.
    pub fn new(sample_rate: u32, channels: usize, settings: &Settings) -> Result<Renderer> {
        ensure!(
            (8_000..=384_000).contains(&sample_rate),
            "{sample_rate} Hz is outside of what is mixed (8000 to 384000 Hz): convert it first"
        );
        ensure!(
            (1..=2).contains(&channels),
            "it has {channels} channels, and only mono and stereo are mixed: fold it down first"
        );
        let handle = Handle::new();
        let config = Config { sample_rate: sample_rate as f32, channels, offline: true };
        let mut engine = handle.start(config).with_limiter(settings.limiter);
        if let Some(profiles) = &settings.profiles {
            engine = engine.with_profiles(profiles);
        }
        Ok(Renderer { handle, engine, controls: settings.controls, sample_rate, channels, position: 0 })
    }

    /// Samples by which the output is later than the input.
    pub fn latency(&self) -> usize {
        self.engine.latency()
    }

    /// Plays sound in place, one vector a channel, all of one length; `note` hears of every frame that ends in it.
    pub fn play(&mut self, sound: &mut [Vec<f32>], mut note: impl FnMut(Moment)) -> Result<()> {
        let length = sound.first().map_or(0, Vec::len);
        // The blocks do not change the result; these give one note a frame.
        let block = (f64::from(self.sample_rate) * 0.020).round() as usize;
        let mut start = 0;
        while start < length {
            interrupt::check()?;
            let end = length.min(start + block);
            let transport = Transport { playing: true, position: Some(self.position), loop_start: None };
            let mut slices: Vec<&mut [f32]> =
                sound.iter_mut().take(self.channels).map(|channel| &mut channel[start..end]).collect();
            let before = self.handle.telemetry().snapshot().frames;
            self.engine.process(&mut slices, transport, &self.controls);
            self.position += (end - start) as i64;
            let seen = self.handle.telemetry().snapshot();
            if seen.frames > before {
                note(Moment {
                    seconds: self.position as f64 / f64::from(self.sample_rate),
                    posterior: seen.posterior,
                    genre: seen.genre,
                    verdict: seen.verdict,
                    confidence: seen.confidence,
                    mix: seen.mix,
                });
            }
            start = end;
        }
        Ok(())
    }

    /// Plays a whole sound in place and takes the latency out, so that the result is as long as the sound and in time.
    pub fn play_whole(&mut self, sound: &mut [Vec<f32>], mut note: impl FnMut(Moment)) -> Result<()> {
        let latency = self.latency();
        sound.iter_mut().for_each(|channel| channel.extend(std::iter::repeat_n(0.0, latency)));
        self.play(sound, &mut note)?;
        sound.iter_mut().for_each(|channel| drop(channel.drain(..latency)));
        Ok(())
    }
}
