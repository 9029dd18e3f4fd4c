//! A WAV file that is written while the sound is made.

use anyhow::{Context, Result};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

/// A WAV file can say at most this many bytes of itself.
const LARGEST: u64 = u32::MAX as u64 - 4096;

/// A 24-bit WAV file under way. It has its name only once it is whole.
pub struct Writer {
    inner: Option<WavWriter<BufWriter<File>>>,
    unfinished: PathBuf,
    path: PathBuf,
    bytes: u64,
}

impl Writer {
    /// Begins a file.
    pub fn create(path: &Path, channels: usize, sample_rate: u32) -> Result<Writer> {
        let unfinished = path.with_extension("wav.unfinished");
        let channels = u16::try_from(channels)?;
        let spec = WavSpec { channels, sample_rate, bits_per_sample: 24, sample_format: SampleFormat::Int };
        let inner = WavWriter::create(&unfinished, spec)
            .with_context(|| format!("{}: cannot be written", unfinished.display()))?;
        Ok(Writer { inner: Some(inner), unfinished, path: path.to_path_buf(), bytes: 0 })
    }

    /// Appends a block; gives `false` once the file has reached the largest size a WAV file can have.
    pub fn write(&mut self, channels: &[&mut [f32]]) -> Result<bool> {
        let length = channels.first().map_or(0, |c| c.len());
        let more = 3 * (length * channels.len()) as u64;
        if self.bytes + more > LARGEST {
            return Ok(false);
        }
        let Some(inner) = &mut self.inner else { return Ok(false) };
        for n in 0..length {
            for channel in channels {
                let full_scale = f32::from(i16::MAX) * 256.0;
                let value = (channel[n] * full_scale).round().clamp(-full_scale, full_scale);
                inner
                    .write_sample(value as i32)
                    .with_context(|| format!("{}: cannot be written", self.unfinished.display()))?;
            }
        }
        self.bytes += more;
        Ok(true)
    }

    /// Completes the file and gives it its name.
    pub fn finish(mut self) -> Result<PathBuf> {
        if let Some(inner) = self.inner.take() {
            inner.finalize().with_context(|| format!("{}: cannot be written", self.unfinished.display()))?;
        }
        std::fs::rename(&self.unfinished, &self.path)
            .with_context(|| format!("{}: cannot be written", self.path.display()))?;
        Ok(self.path.clone())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // After `finish` there is nothing under this name any more.
        self.inner = None;
        std::fs::remove_file(&self.unfinished).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_has_its_name_and_a_broken_off_one_leaves_nothing() {
        let dir = std::env::temp_dir().join(format!("idiom-wav-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let path = dir.join("a.wav");
        let (mut left, mut right) = ([0.5, -1.0, 2.0], [0.0, 1.0, -2.0]);
        let mut writer = Writer::create(&path, 2, 48_000).unwrap();
        assert!(writer.write(&[&mut left, &mut right]).unwrap());
        drop(writer);
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), 0);
        let mut writer = Writer::create(&path, 2, 48_000).unwrap();
        writer.write(&[&mut left, &mut right]).unwrap();
        writer.finish().unwrap();
        let audio = idiom_lab::audio::read(&path).unwrap();
        assert_eq!((audio.len(), audio.channels.len(), audio.sample_rate), (3, 2, 48_000));
        assert!((audio.channels[0][0] - 0.5).abs() < 1e-4 && audio.channels[0][2] > 0.999);
        std::fs::remove_dir_all(dir).unwrap();
    }
}
