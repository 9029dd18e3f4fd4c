//! Standard MIDI files: read into parts ([`Song`]), their genre guessed from who plays, and [`arrange`]d for the desk.

pub mod arrange;

use super::score::{Gesture, Part, Player, Strike};
use anyhow::{Context, Result, bail};
use idiom_engine::Genre;
use midly::{MetaMessage, MidiMessage, Smf, Timing, TrackEventKind};
use std::collections::HashMap;
use std::ops::Range;

/// A piece of music from a MIDI file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Song {
    /// Its parts: one for every program that a channel uses.
    pub parts: Vec<Part>,
    /// When the last note ends, in seconds.
    pub seconds: f32,
}

/// Which instruments have which share of a piece's notes, `0..=1`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shares {
    /// Drums.
    pub drums: f32,
    /// Guitars, programs 24 to 31 (with 32, as the field counts from 1).
    pub guitars: f32,
    /// Overdriven and distorted guitars.
    pub distorted: f32,
    /// Piano and harpsichord.
    pub piano: f32,
    /// Bowed strings, harp, timpani, string ensembles, choir.
    pub strings: f32,
    /// Orchestral brass and woodwinds, and church organ.
    pub winds: f32,
    /// Saxophones.
    pub saxophones: f32,
    /// Synthesizers: leads, pads, effects, synth bass.
    pub synthesizers: f32,
    /// All notes.
    pub notes: usize,
}

/// A channel while a file is read.
#[derive(Clone)]
struct Channel {
    program: u8,
    bend_range: f32,
    parameter: (u8, u8),
    /// Keys that are down: start and force.
    down: HashMap<u8, (f64, f32)>,
    /// Parts by program: index into the song's parts.
    parts: HashMap<u8, usize>,
    /// Movements so far, for parts that begin later.
    gestures: Vec<(f32, Gesture)>,
}

impl Song {
    /// Reads a MIDI file.
    ///
    /// # Errors
    /// When it is no MIDI file, or one without notes.
    pub fn read(bytes: &[u8]) -> Result<Song> {
        let file = Smf::parse(bytes).context("is no MIDI file")?;
        // All tracks' events in one row, by their ticks; a stable order keeps simultaneous events as they are written.
        let mut row: Vec<(u64, TrackEventKind)> = Vec::new();
        for track in &file.tracks {
            let mut ticks = 0_u64;
            for event in track {
                ticks += u64::from(event.delta.as_int());
                row.push((ticks, event.kind));
            }
        }
        row.sort_by_key(|(ticks, _)| *ticks);
        let mut tick_s = match file.header.timing {
            Timing::Metrical(quarter) => 0.5 / f64::from(quarter.as_int().max(1)),
            Timing::Timecode(rate, subframe) => 1.0 / f64::from(rate.as_f32()) / f64::from(subframe.max(1)),
        };
        let mut song = Song::default();
        let fresh = Channel {
            program: 0,
            bend_range: 2.0,
            parameter: (127, 127),
            down: HashMap::new(),
            parts: HashMap::new(),
            gestures: Vec::new(),
        };
        let mut channels = vec![fresh; 16];
        let (mut now, mut ticks) = (0.0_f64, 0_u64);
        for (at, kind) in row {
            now += (at - ticks) as f64 * tick_s;
            ticks = at;
            match kind {
                TrackEventKind::Meta(MetaMessage::Tempo(micros)) => {
                    if let Timing::Metrical(quarter) = file.header.timing {
                        tick_s = f64::from(micros.as_int()) * 1e-6 / f64::from(quarter.as_int().max(1));
                    }
                }
                TrackEventKind::Midi { channel, message } => {
                    song.message(&mut channels, usize::from(channel.as_int()), message, now);
                }
                _ => {}
            }
        }
        // Notes that nobody ended last a second, and not beyond the piece.
        for (number, channel) in channels.iter_mut().enumerate() {
            let open: Vec<u8> = channel.down.keys().copied().collect();
            for key in open {
                let end = channel.down[&key].0 + 1.0;
                song.release(channel, number, key, end.min(now.max(channel.down[&key].0 + 0.1)));
            }
        }
        song.parts.retain(|part| !part.strikes.is_empty());
        song.parts.iter_mut().for_each(|part| part.strikes.sort_by(|a, b| a.at.total_cmp(&b.at)));
        song.seconds =
            song.parts.iter().flat_map(|part| &part.strikes).map(|s| s.at + s.seconds).fold(0.0, f32::max);
        if song.parts.is_empty() {
            bail!("holds no note");
        }
        Ok(song)
    }

    fn message(&mut self, channels: &mut [Channel], number: usize, message: MidiMessage, now: f64) {
        let channel = &mut channels[number];
        let at = now as f32;
        match message {
            MidiMessage::NoteOn { key, vel } if vel.as_int() > 0 => {
                self.release(channel, number, key.as_int(), now);
                channel.down.insert(key.as_int(), (now, f32::from(vel.as_int()) / 127.0));
            }
            MidiMessage::NoteOn { key, .. } | MidiMessage::NoteOff { key, .. } => {
                self.release(channel, number, key.as_int(), now);
            }
            MidiMessage::ProgramChange { program } => channel.program = program.as_int(),
            MidiMessage::PitchBend { bend } => {
                let share = (f32::from(bend.0.as_int()) - 8192.0) / 8192.0;
                self.gesture(channel, at, Gesture::Bend(share * channel.bend_range));
            }
            MidiMessage::Controller { controller, value } => {
                let share = f32::from(value.as_int()) / 127.0;
                match controller.as_int() {
                    1 => self.gesture(channel, at, Gesture::Vibrato(share)),
                    6 if channel.parameter == (0, 0) => {
                        channel.bend_range = f32::from(value.as_int()).clamp(0.0, 24.0);
                    }
                    7 => self.gesture(channel, at, Gesture::Volume(share)),
                    10 => self.gesture(channel, at, Gesture::Pan(2.0 * share - 1.0)),
                    11 => self.gesture(channel, at, Gesture::Expression(share)),
                    64 => self.gesture(channel, at, Gesture::Pedal(value.as_int() >= 64)),
                    98 | 99 => channel.parameter = (127, 127),
                    100 => channel.parameter.1 = value.as_int(),
                    101 => channel.parameter.0 = value.as_int(),
                    _ => {}
                }
            }
            MidiMessage::Aftertouch { .. } | MidiMessage::ChannelAftertouch { .. } => {}
        }
    }

    fn gesture(&mut self, channel: &mut Channel, at: f32, gesture: Gesture) {
        channel.gestures.push((at, gesture));
        for &part in channel.parts.values() {
            self.parts[part].gesture(at, gesture);
        }
    }

    fn release(&mut self, channel: &mut Channel, number: usize, key: u8, now: f64) {
        let Some((start, force)) = channel.down.remove(&key) else { return };
        let player =
            if number == 9 { Player::Kit(channel.program) } else { Player::Program(channel.program) };
        let part = *channel.parts.entry(channel.program).or_insert_with(|| {
            self.parts.push(Part { gestures: channel.gestures.clone(), ..Part::new(player) });
            self.parts.len() - 1
        });
        let seconds = ((now - start) as f32).max(0.02);
        self.parts[part].strikes.push(Strike { at: start as f32, seconds, key, force });
    }

    /// Who plays how much.
    pub fn shares(&self) -> Shares {
        let mut shares =
            Shares { notes: self.parts.iter().map(|part| part.strikes.len()).sum(), ..Shares::default() };
        for part in &self.parts {
            let share = part.strikes.len() as f32 / shares.notes.max(1) as f32;
            match part.player {
                Player::Kit(_) => shares.drums += share,
                Player::Program(program) => {
                    let count = match program {
                        0..=3 | 6 => &mut shares.piano,
                        24..=31 => &mut shares.guitars,
                        19 | 56..=61 | 68..=75 => &mut shares.winds,
                        40..=49 | 52 | 53 => &mut shares.strings,
                        64..=67 => &mut shares.saxophones,
                        38 | 39 | 50 | 51 | 54 | 62 | 63 | 80..=103 => &mut shares.synthesizers,
                        _ => continue,
                    };
                    *count += share;
                    if program == 29 || program == 30 {
                        shares.distorted += share;
                    }
                }
            }
        }
        shares
    }

    /// What the piece may be by who plays it; `None` where that does not tell. Rock: guitars over a fifth and drums over
    /// a tenth of the notes. Classical: no drums, guitars or synthesizers to speak of, and an orchestra's instruments;
    /// a piano alone is not enough, it may play anything. Electronic: synthesizers over half of what is not drums.
    pub fn guess(&self) -> Option<Genre> {
        let s = self.shares();
        let pitched = (1.0 - s.drums).max(1e-6);
        if s.notes < 60 {
            None
        } else if s.guitars > 0.2 && s.drums > 0.1 {
            Some(Genre::Rock)
        } else if s.drums > 0.08 && s.synthesizers / pitched > 0.5 {
            Some(Genre::Electronic)
        } else if s.drums < 0.02
            && s.guitars + s.saxophones + s.synthesizers < 0.05
            && s.strings + s.winds > 0.35
            && s.strings + s.winds + s.piano > 0.8
        {
            Some(Genre::Classical)
        } else {
            None
        }
    }

    /// A passage of this length in which much is played: the start is drawn among the passages with at least four
    /// fifths of the busiest one's notes and its rarest kind of player. `draw` is uniform in `0..1`.
    pub fn passage(&self, seconds: f32, draw: f32) -> Range<f32> {
        if self.seconds <= seconds {
            return 0.0..self.seconds;
        }
        let starts: Vec<f32> =
            (0..).map(|i| 2.0 * i as f32).take_while(|s| s + seconds <= self.seconds).collect();
        let weight = |start: f32| -> f32 {
            let within = |part: &Part| {
                part.strikes.iter().filter(|s| s.at >= start && s.at < start + seconds).count() as f32
            };
            self.parts.iter().map(|part| within(part).sqrt()).sum()
        };
        let weights: Vec<f32> = starts.iter().map(|&start| weight(start)).collect();
        let most = weights.iter().copied().fold(0.0, f32::max);
        let busy: Vec<f32> =
            starts.iter().zip(&weights).filter(|(_, w)| **w >= 0.8 * most).map(|(s, _)| *s).collect();
        let start = busy[((draw * busy.len() as f32) as usize).min(busy.len() - 1)];
        start..start + seconds
    }

    /// The notes that sound within `range`, moved to begin at 0; movements before it take effect at 0.
    pub fn cut(&self, range: Range<f32>) -> Song {
        let parts = self
            .parts
            .iter()
            .map(|part| Part {
                player: part.player,
                strikes: part
                    .strikes
                    .iter()
                    .filter(|s| s.at < range.end && s.at + s.seconds > range.start)
                    .filter(|s| s.at >= range.start || !matches!(part.player, Player::Kit(_)))
                    .map(|s| {
                        let end = (s.at + s.seconds).min(range.end);
                        let at = s.at.max(range.start);
                        Strike { at: at - range.start, seconds: end - at, ..*s }
                    })
                    .collect(),
                gestures: part
                    .gestures
                    .iter()
                    .filter(|(at, _)| *at < range.end)
                    .map(|&(at, gesture)| ((at - range.start).max(0.0), gesture))
                    .collect(),
            })
            .filter(|part| !part.strikes.is_empty())
            .collect();
        Song { parts, seconds: range.end - range.start }
    }

    /// Moves all pitched parts by semitones and plays `tempo` times as fast.
    pub fn vary(&mut self, semitones: i32, tempo: f32) {
        for part in &mut self.parts {
            for strike in &mut part.strikes {
                strike.at /= tempo;
                strike.seconds /= tempo;
                if matches!(part.player, Player::Program(_)) {
                    strike.key = (i32::from(strike.key) + semitones).clamp(0, 127) as u8;
                }
            }
            part.gestures.iter_mut().for_each(|(at, _)| *at /= tempo);
        }
        self.seconds /= tempo;
    }
}

#[cfg(test)]
mod tests;
