//! Decoding with Symphonia, and libopus for Opus.

use super::Audio;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::codecs::registry::CodecRegistry;
use symphonia::core::errors::Error as Symphonia;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

/// Why a sound file could not be read. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The file is missing or may not be read.
    #[error("{}: cannot be opened: {cause}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The content is no known sound format.
    #[error(
        "{}: not a sound file that can be read ({reason}); \
         WAV, AIFF, FLAC, MP3, AAC/M4A, Ogg Vorbis, Opus, ALAC, CAF and Matroska are", path.display()
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader found.
        reason: String,
    },
    /// There is a container, but no sound in it.
    #[error("{}: holds no audio track", path.display())]
    NoTrack {
        /// The file.
        path: PathBuf,
    },
    /// The container is known, the codec in it is not.
    #[error("{}: its audio codec cannot be decoded ({reason}); convert it to WAV or FLAC", path.display())]
    Codec {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// The file was opened, but not one sample could be decoded.
    #[error("{}: not one sample could be decoded{}", path.display(), reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The first problem, if there was one.
        reason: Option<String>,
    },
}

/// Reads a whole sound file at its own rate with its own channels.
///
/// A truncated or damaged file gives what could be decoded, and [`Audio::damage`] says what is missing.
pub fn read(path: impl AsRef<Path>) -> Result<Audio, AudioError> {
    let mut reader = Reader::open(path.as_ref())?;
    let mut audio = Audio { sample_rate: reader.sample_rate(), ..Audio::default() };
    while let Some(block) = reader.next_block()? {
        audio.channels.resize(block.len(), Vec::new());
        for (all, new) in audio.channels.iter_mut().zip(block) {
            all.extend_from_slice(new);
        }
    }
    audio.damage = reader.damage().map(str::to_owned);
    Ok(audio)
}

fn codecs() -> &'static CodecRegistry {
    static CODECS: OnceLock<CodecRegistry> = OnceLock::new();
    CODECS.get_or_init(|| {
        let mut registry = CodecRegistry::new();
        symphonia::default::register_enabled_codecs(&mut registry);
        registry.register_audio_decoder::<symphonia_adapter_libopus::OpusDecoder>();
        registry
    })
}

/// Reads a sound file block by block, for files too large to hold.
pub struct Reader {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    sample_rate: u32,
    channels: usize,
    /// Samples a channel that the container promises, where it does.
    promised: Option<u64>,
    delivered: u64,
    block: Vec<Vec<f32>>,
    /// A block that was decoded while opening, to learn rate and channels, and is not delivered yet.
    pending: bool,
    damage: Option<String>,
    finished: bool,
}

impl Reader {
    /// Opens a file and decodes its first block, so that rate and channel count are those of the samples.
    pub fn open(path: impl AsRef<Path>) -> Result<Reader, AudioError> {
        let path = path.as_ref().to_path_buf();
        let open = |cause| AudioError::Open { path: path.clone(), cause };
        let file = File::open(&path).map_err(open)?;
        if file.metadata().map_err(open)?.is_dir() {
            return Err(open(std::io::Error::from(std::io::ErrorKind::IsADirectory)));
        }
        let mut hint = Hint::new();
        if let Some(extension) = path.extension().and_then(|e| e.to_str()) {
            hint.with_extension(extension);
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, FormatOptions::default(), MetadataOptions::default())
            .map_err(|error| AudioError::Format { path: path.clone(), reason: reason(&error) })?;
        let (track, decoder, promised) = start_track(&*format, &path)?;
        let mut reader = Reader {
            path,
            format,
            decoder,
            track,
            sample_rate: 0,
            channels: 0,
            promised,
            delivered: 0,
            block: Vec::new(),
            pending: false,
            damage: None,
            finished: false,
        };
        reader.pending = reader.decode_block();
        if !reader.pending {
            return Err(AudioError::Empty { path: reader.path, reason: reader.damage });
        }
        Ok(reader)
    }

    /// Samples a second, the same for the whole file.
    pub fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Number of channels, the same for the whole file.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Samples a channel that the file's header promises, where it does. For progress bars; may be wrong.
    pub fn promised_len(&self) -> Option<u64> {
        self.promised
    }

    /// What was wrong with the file so far, when not all of it could be decoded.
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// The next samples, one vector a channel, or `None` at the end.
    pub fn next_block(&mut self) -> Result<Option<&[Vec<f32>]>, AudioError> {
        if self.pending {
            self.pending = false;
        } else if !self.decode_block() {
            return Ok(None);
        }
        Ok(Some(&self.block))
    }

    /// Decodes until there is a block with samples in it; false at the end.
    fn decode_block(&mut self) -> bool {
        while !self.finished {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                // A chained stream begins again, with a new header, in the middle of the file.
                Err(Symphonia::ResetRequired) => match start_track(&*self.format, &self.path) {
                    Ok((track, decoder, _)) => {
                        (self.track, self.decoder, self.promised) = (track, decoder, None);
                        continue;
                    }
                    Err(error) => {
                        self.note(format!("a new stream begins that cannot be decoded: {error}"));
                        break;
                    }
                },
                Err(error) => {
                    self.note(reason(&error));
                    break;
                }
            };
            if packet.track_id != self.track {
                continue;
            }
            let problem = match self.decoder.decode(&packet) {
                Ok(decoded) if decoded.frames() == 0 => continue,
                Ok(decoded) => {
                    let (rate, channels) = (decoded.spec().rate(), decoded.num_planes());
                    if self.sample_rate == 0 {
                        (self.sample_rate, self.channels) = (rate, channels);
                    }
                    if (rate, channels) == (self.sample_rate, self.channels) {
                        decoded.copy_to_vecs_planar(&mut self.block);
                        self.delivered += self.block.first().map_or(0, Vec::len) as u64;
                        return true;
                    }
                    self.finished = true;
                    format!("changes to {rate} Hz with {channels} channels; what follows is left out")
                }
                // A broken packet is skipped, as players do.
                Err(error) => reason(&error),
            };
            self.note(problem);
        }
        if !std::mem::replace(&mut self.finished, true) {
            self.note_missing();
        }
        false
    }

    /// Remembers the first problem and where it was.
    fn note(&mut self, problem: String) {
        let at = self.delivered as f64 / f64::from(self.sample_rate.max(1));
        self.damage.get_or_insert_with(|| format!("damaged at {at:.2} s: {problem}"));
    }

    /// A file that ends early is truncated even when no packet was broken. A tenth of a second is allowed for, because
    /// headers count encoder delay and padding differently.
    fn note_missing(&mut self) {
        let Some(promised) = self.promised else { return };
        if self.delivered + u64::from(self.sample_rate / 10) < promised {
            let seconds = |samples: u64| samples as f64 / f64::from(self.sample_rate.max(1));
            let (got, of) = (seconds(self.delivered), seconds(promised));
            self.damage.get_or_insert_with(|| format!("truncated: {got:.2} s of {of:.2} s could be decoded"));
        }
    }
}

type StartedTrack = (u32, Box<dyn AudioDecoder>, Option<u64>);

fn start_track(format: &dyn FormatReader, path: &Path) -> Result<StartedTrack, AudioError> {
    let no_track = || AudioError::NoTrack { path: path.to_path_buf() };
    let track = format
        .default_track(TrackType::Audio)
        .or_else(|| format.first_track(TrackType::Audio))
        .ok_or_else(no_track)?;
    let Some(CodecParameters::Audio(parameters)) = &track.codec_params else { return Err(no_track()) };
    let decoder = codecs()
        .make_audio_decoder(parameters, &AudioDecoderOptions::default())
        .map_err(|error| AudioError::Codec { path: path.to_path_buf(), reason: reason(&error) })?;
    Ok((track.id, decoder, track.num_frames))
}

fn reason(error: &Symphonia) -> String {
    match error {
        Symphonia::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            "the file ends in the middle".to_owned()
        }
        other => other.to_string(),
    }
}
