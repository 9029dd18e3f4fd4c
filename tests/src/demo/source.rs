//! Where the sound comes from: decoded piece by piece, handed out in blocks of the host's size.

use anyhow::{Context, Result};
use idiom_engine::Genre;
use idiom_lab::audio::{Audio, Reader};
use idiom_lab::picture::Span;
use idiom_lab::synth::{self, soundfont, studio::Studio};
use std::path::Path;

/// Seconds of each passage of the synthetic programme.
const PASSAGE_SECONDS: f64 = 20.0;
/// What is composed for each genre. A showpiece, not a measurement: chosen among the first few for being clear, whoever plays.
const SEEDS: [u64; idiom_engine::genre::GENRES] = [2, 3, 2, 7, 3];
/// Sample rate of the synthetic programme.
const PROGRAMME_RATE: u32 = 48_000;

/// Sound in blocks of any size.
pub struct Source {
    pieces: Pieces,
    /// Samples a second.
    pub sample_rate: u32,
    /// 1 or 2; files with more are mixed down to two.
    pub channels: usize,
    /// Samples a channel there will be, where it is known.
    pub promised: Option<u64>,
    /// What it is, for the first line of the report.
    pub name: String,
    /// Decoded and not handed out yet.
    queue: Vec<Vec<f32>>,
    /// How much of the queue was handed out.
    taken: usize,
}

enum Pieces {
    File(Box<Reader>),
    /// Who plays, and the genres that are still to come, the next one last.
    Programme(Studio, Vec<Genre>),
}

impl Source {
    /// Opens a sound file.
    ///
    /// # Errors
    /// Names the file and why it cannot be read.
    pub fn file(path: &Path) -> Result<Source> {
        let reader = Reader::open(path)?;
        let channels = reader.channels().clamp(1, 2);
        let kind = match reader.channels() {
            1 => "mono".to_string(),
            2 => "stereo".to_string(),
            many => format!("{many} channels, mixed to stereo"),
        };
        Ok(Source {
            sample_rate: reader.sample_rate(),
            channels,
            promised: reader.promised_len(),
            name: format!("{} ({} Hz, {kind})", path.display(), reader.sample_rate()),
            pieces: Pieces::File(Box::new(reader)),
            queue: vec![Vec::new(); channels],
            taken: 0,
        })
    }

    /// The synthetic programme: one passage for each genre, played by the first SoundFont that is installed.
    pub fn programme() -> Result<Source> {
        let studio = Studio { font: soundfont::choose(&[])?.into_iter().next(), ..Studio::default() };
        let order = Genre::ALL.map(Genre::label).join(", ");
        let length = Genre::ALL.len() as u64 * (PASSAGE_SECONDS * f64::from(PROGRAMME_RATE)) as u64;
        Ok(Source {
            sample_rate: PROGRAMME_RATE,
            channels: 2,
            promised: Some(length),
            name: format!(
                "a synthetic programme, {PASSAGE_SECONDS} s each of {order}; instruments: {}",
                studio.name()
            ),
            pieces: Pieces::Programme(studio, Genre::ALL.into_iter().rev().collect()),
            queue: vec![Vec::new(); 2],
            taken: 0,
        })
    }

    /// The next piece of decoded sound, or `None` at the end.
    fn next_piece(&mut self) -> Result<Option<Audio>> {
        Ok(match &mut self.pieces {
            Pieces::File(reader) => {
                reader.next_block()?.map(|block| Audio::new(self.sample_rate, block.to_vec()))
            }
            Pieces::Programme(studio, genres) => {
                let play = |genre: Genre| {
                    synth::compose(genre, studio, SEEDS[genre.index()], PASSAGE_SECONDS, PROGRAMME_RATE).audio
                };
                genres.pop().map(play)
            }
        })
    }

    /// Fills `block`, one vector a channel, with up to `length` samples; fewer only at the end, none after it.
    pub fn next_block(&mut self, block: &mut [Vec<f32>], length: usize) -> Result<()> {
        while self.queue[0].len() - self.taken < length {
            let Some(piece) = self.next_piece()? else { break };
            for queue in &mut self.queue {
                queue.drain(..self.taken);
            }
            self.taken = 0;
            match self.queue.as_mut_slice() {
                [mono] => mono.extend(piece.mono()),
                sides => {
                    for (queue, side) in sides.iter_mut().zip(piece.stereo()) {
                        queue.extend(side);
                    }
                }
            }
        }
        let end = (self.taken + length).min(self.queue[0].len());
        for (out, queue) in block.iter_mut().zip(&self.queue) {
            out.clear();
            out.extend_from_slice(queue.get(self.taken..end).context("channels of different length")?);
        }
        self.taken = end;
        Ok(())
    }

    /// What really plays, as far as it is known, up to `seconds`.
    pub fn truth(&self, seconds: f64) -> Vec<Span> {
        let Pieces::Programme(..) = self.pieces else { return Vec::new() };
        let spans = Genre::ALL.into_iter().map(|genre| {
            let from = genre.index() as f64 * PASSAGE_SECONDS;
            let to = (from + PASSAGE_SECONDS).min(seconds);
            Span { from, to, text: genre.name().to_string(), class: Some(genre.index()) }
        });
        spans.filter(|span| span.from < span.to).collect()
    }

    /// What was wrong with the file so far.
    pub fn damage(&self) -> Option<&str> {
        match &self.pieces {
            Pieces::File(reader) => reader.damage(),
            Pieces::Programme(..) => None,
        }
    }
}
