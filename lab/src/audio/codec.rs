//! Sound after a lossy codec, by way of the ffmpeg program.

use super::{Audio, WavFormat, read, write_wav_as};
use anyhow::{Context, Result, bail};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// A lossy codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// MPEG-1/2 layer III, by LAME.
    Mp3,
    /// Opus.
    Opus,
}

impl Codec {
    /// Name to show to a person.
    pub const fn label(self) -> &'static str {
        match self {
            Codec::Mp3 => "MP3",
            Codec::Opus => "Opus",
        }
    }

    /// ffmpeg's encoder and the ending of its files.
    const fn encoder(self) -> (&'static str, &'static str) {
        match self {
            Codec::Mp3 => ("libmp3lame", "mp3"),
            Codec::Opus => ("libopus", "opus"),
        }
    }

    /// Why the codec cannot be used here; `None` where it can.
    pub fn missing(self) -> Option<String> {
        static ENCODERS: OnceLock<Option<String>> = OnceLock::new();
        let encoders = ENCODERS.get_or_init(|| {
            let output =
                Command::new("ffmpeg").args(["-hide_banner", "-encoders"]).stdin(Stdio::null()).output();
            output.ok().map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        });
        match encoders {
            None => Some("there is no ffmpeg on this machine; install it and run this again".into()),
            Some(list) if list.contains(self.encoder().0) => None,
            Some(_) => Some(format!("this machine's ffmpeg was built without {}", self.encoder().0)),
        }
    }

    /// Encodes and decodes. Lossy codecs may add some milliseconds of silence at the ends.
    ///
    /// # Errors
    /// When ffmpeg is missing or fails; what it says is part of the error.
    pub fn apply(self, sound: &Audio, kbit_s: u32) -> Result<Audio> {
        if let Some(reason) = self.missing() {
            bail!("{}: {reason}", self.label());
        }
        let (encoder, ending) = self.encoder();
        let folder = tempfile::tempdir().context("no temporary folder can be made")?;
        let (plain, coded) = (folder.path().join("plain.wav"), folder.path().join(format!("coded.{ending}")));
        write_wav_as(&plain, sound, WavFormat::Float32)?;
        let output = Command::new("ffmpeg")
            .args(["-hide_banner", "-nostdin", "-loglevel", "error", "-threads", "1", "-i"])
            .arg(&plain)
            // The number of channels, because a WAV file's layout of one channel may read as "left", which Opus refuses.
            .args(["-c:a", encoder, "-b:a", &format!("{kbit_s}k"), "-ac", &sound.channels.len().to_string()])
            .arg(&coded)
            .stdin(Stdio::null())
            .output()
            .context("ffmpeg cannot be run")?;
        if !output.status.success() {
            bail!(
                "ffmpeg cannot encode {}: {}",
                self.label(),
                String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default()
            );
        }
        Ok(read(&coded)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coded_tone_is_still_that_tone_and_not_to_the_bit() {
        let wave = |n: u32| 0.3 * (std::f32::consts::TAU * 440.0 * n as f32 / 48_000.0).sin();
        for (codec, channels) in [(Codec::Mp3, 1), (Codec::Mp3, 2), (Codec::Opus, 1), (Codec::Opus, 2)] {
            let sound = Audio::new(48_000, vec![(0..96_000).map(wave).collect(); channels]);
            if let Some(reason) = codec.missing() {
                println!("SKIPPED: a coded {} tone: {reason}", codec.label());
                continue;
            }
            let coded = codec.apply(&sound, 64).unwrap();
            assert_eq!(coded.sample_rate, 48_000);
            assert!((coded.seconds() - 2.0).abs() < 0.1, "{}", coded.seconds());
            let rms = |x: &[f32]| (x.iter().map(|x| x * x).sum::<f32>() / x.len() as f32).sqrt();
            let (before, after) = (&sound.channels[0][20_000..60_000], &coded.channels[0][20_000..60_000]);
            assert!((rms(after) / rms(before) - 1.0).abs() < 0.05, "{}", codec.label());
            let crossings = after.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
            assert!((crossings as f32 - 2.0 * 440.0 * 40_000.0 / 48_000.0).abs() < 8.0, "{crossings}");
            assert_ne!(before, after);
        }
    }
}
