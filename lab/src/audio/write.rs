//! Writing WAV files.

use super::Audio;
use crate::files::write_atomic;
use anyhow::{Context, Result, ensure};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::path::Path;

/// How samples are stored in a WAV file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WavFormat {
    /// 32-bit floating point: exact, and nothing clips.
    Float32,
    /// 24-bit integers: what most programs expect. Samples beyond ±1 clip.
    #[default]
    Int24,
}

/// Writes a 24-bit WAV file, whole or not at all.
pub fn write_wav(path: impl AsRef<Path>, audio: &Audio) -> Result<()> {
    write_wav_as(path, audio, WavFormat::Int24)
}

/// Writes a WAV file in the given sample format, whole or not at all. Non-finite samples are written as 0.
pub fn write_wav_as(path: impl AsRef<Path>, audio: &Audio, format: WavFormat) -> Result<()> {
    let path = path.as_ref();
    ensure!(!audio.channels.is_empty(), "{}: sound without a channel cannot be written", path.display());
    let channels = u16::try_from(audio.channels.len()).context("too many channels for a WAV file")?;
    let (bits_per_sample, sample_format) = match format {
        WavFormat::Float32 => (32, SampleFormat::Float),
        WavFormat::Int24 => (24, SampleFormat::Int),
    };
    let spec = WavSpec { channels, sample_rate: audio.sample_rate, bits_per_sample, sample_format };
    write_atomic(path, |sink| -> Result<()> {
        let mut writer = WavWriter::new(sink, spec)?;
        for n in 0..audio.len() {
            for channel in &audio.channels {
                let sample = if channel[n].is_finite() { channel[n] } else { 0.0 };
                match format {
                    WavFormat::Float32 => writer.write_sample(sample)?,
                    WavFormat::Int24 => {
                        let full_scale = (1 << 23) as f32;
                        writer.write_sample(
                            (sample * full_scale).round().clamp(-full_scale, full_scale - 1.0) as i32,
                        )?;
                    }
                }
            }
        }
        writer.finalize()?;
        Ok(())
    })
    .with_context(|| format!("{}: cannot be written", path.display()))
}
