//! Sampled instruments: SoundFont 2 files, found on the system or named by the user, played by rustysynth.

use super::dsp::{Biquad, samples};
use super::mixdown::Bus;
use super::score::{Event, Gesture, Part, Player};
use anyhow::{Context, Result, anyhow, ensure};
use rustysynth::{SoundFont, Synthesizer, SynthesizerSettings};
use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where systems keep SoundFonts. `~` is the home folder.
const FOLDERS: [&str; 8] = [
    "/usr/share/sounds/sf2",
    "/usr/share/soundfonts",
    "/usr/local/share/sounds/sf2",
    "/usr/local/share/soundfonts",
    "~/.local/share/sounds/sf2",
    "~/.local/share/soundfonts",
    "~/Library/Audio/Sounds/Banks",
    "C:\\soundfonts",
];

/// A SoundFont with this share of the melodic programs of General MIDI is fit to play everything.
const WHOLE_SET: usize = 100;

/// The range of semitones of the pitch wheel that players are set to.
const BEND_RANGE: f32 = 12.0;

/// The player's own lowest sample rate.
const LOWEST_RATE: f32 = 16_000.0;

/// A bank of sampled instruments.
#[derive(Clone)]
pub struct Font {
    sounds: Arc<SoundFont>,
    /// Presets as (bank, program); bank 128 holds the drum kits.
    presets: Arc<HashSet<(i32, i32)>>,
    /// Its file's name without the ending.
    pub name: String,
}

impl Font {
    /// Reads a SoundFont 2 file.
    ///
    /// # Errors
    /// When the file cannot be read or is no SoundFont 2; names the file and what is wrong.
    pub fn open(path: &Path) -> Result<Font> {
        let shown = path.display();
        let file = File::open(path).with_context(|| format!("{shown}: cannot be opened"))?;
        // The parser trusts sizes in the file; a damaged one may make it panic.
        let parsed = std::panic::catch_unwind(|| SoundFont::new(&mut BufReader::new(file)));
        let sounds = parsed
            .map_err(|_| anyhow!("the file is damaged"))
            .and_then(|result| result.map_err(|error| anyhow!("{error}")))
            .with_context(|| {
                format!("{shown}: is no SoundFont 2 file that can be played (.sf2 is needed)")
            })?;
        let presets: HashSet<(i32, i32)> =
            sounds.get_presets().iter().map(|p| (p.get_bank_number(), p.get_patch_number())).collect();
        ensure!(!presets.is_empty(), "{shown}: holds no instrument");
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Font { sounds: Arc::new(sounds), presets: Arc::new(presets), name })
    }

    /// Whether it holds this player. A kit that is missing is played by the standard kit.
    pub fn has(&self, player: Player) -> bool {
        match player {
            Player::Program(program) => self.presets.contains(&(0, i32::from(program))),
            Player::Kit(_) => self.presets.contains(&(128, 0)),
        }
    }

    /// Whether it is a bank of General MIDI instruments.
    pub fn is_general(&self) -> bool {
        let programs = (0..128).filter(|&program| self.has(Player::Program(program))).count();
        programs >= WHOLE_SET && self.has(Player::Kit(0))
    }

    /// Plays a part for `seconds`, dry. The same part gives the same samples, bit for bit.
    ///
    /// # Panics
    /// When `rate` is above 192 kHz.
    pub fn play(&self, part: &Part, rate: f32, seconds: f32) -> Bus {
        let times = (LOWEST_RATE / rate).ceil().max(1.0);
        let inner = rate * times;
        let mut settings = SynthesizerSettings::new(inner as i32);
        settings.enable_reverb_and_chorus = false;
        settings.maximum_polyphony = 160;
        let mut machine = Synthesizer::new(&self.sounds, &settings).expect("the settings are within range");
        let channel = match part.player {
            Player::Program(program) => {
                machine.process_midi_message(0, 0xC0, i32::from(program), 0);
                0
            }
            Player::Kit(kit) => {
                machine.process_midi_message(9, 0xC0, i32::from(kit), 0);
                9
            }
        };
        // Registered parameter 0 is the range of the pitch wheel.
        for (controller, value) in [(0x65, 0), (0x64, 0), (0x06, BEND_RANGE as i32), (0x26, 0)] {
            machine.process_midi_message(channel, 0xB0, controller, value);
        }
        let mut bus = Bus::new(inner, seconds);
        let [left, right] = &mut bus.sides;
        let mut done = 0;
        for (at, event) in part.events() {
            let until = samples(at, inner).min(left.len());
            if until > done {
                machine.render(&mut left[done..until], &mut right[done..until]);
                done = until;
            }
            send(&mut machine, channel, event);
        }
        machine.render(&mut left[done..], &mut right[done..]);
        if times > 1.0 { thin(bus, rate, times as usize, seconds) } else { bus }
    }
}

fn send(machine: &mut Synthesizer, channel: i32, event: Event) {
    let seven = |x: f32| (127.0 * x.clamp(0.0, 1.0)).round() as i32;
    let mut control = |number: i32, value: i32| machine.process_midi_message(channel, 0xB0, number, value);
    match event {
        Event::On(key, force) => machine.note_on(channel, i32::from(key), seven(force).max(1)),
        Event::Off(key) => machine.note_off(channel, i32::from(key)),
        Event::Gesture(Gesture::Volume(x)) => control(0x07, seven(x)),
        Event::Gesture(Gesture::Expression(x)) => control(0x0B, seven(x)),
        Event::Gesture(Gesture::Vibrato(x)) => control(0x01, seven(x)),
        Event::Gesture(Gesture::Pedal(down)) => control(0x40, if down { 127 } else { 0 }),
        Event::Gesture(Gesture::Pan(x)) => control(0x0A, seven(0.5 + 0.5 * x)),
        Event::Gesture(Gesture::Bend(semitones)) => {
            let wheel = (8192.0 + 8191.0 * (semitones / BEND_RANGE).clamp(-1.0, 1.0)).round() as i32;
            machine.process_midi_message(channel, 0xE0, wheel & 0x7F, wheel >> 7);
        }
    }
}

/// Takes every `times`-th sample after a low-pass filter.
fn thin(mut bus: Bus, rate: f32, times: usize, seconds: f32) -> Bus {
    for q in [0.54, 1.31] {
        // The two sections of a Butterworth filter of fourth order.
        bus.filter(Biquad::low_pass(bus.rate, 0.42 * rate, q));
    }
    let mut thinned = Bus::new(rate, seconds);
    for (out, side) in thinned.sides.iter_mut().zip(&bus.sides) {
        out.iter_mut().zip(side.iter().step_by(times)).for_each(|(out, x)| *out = *x);
    }
    thinned
}

/// The SoundFont 2 files in the folders where systems keep them, sorted by name, each once.
pub fn installed() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = FOLDERS
        .iter()
        .filter_map(|folder| match folder.strip_prefix("~/") {
            Some(rest) => dirs::home_dir().map(|home| home.join(rest)),
            None => Some(PathBuf::from(folder)),
        })
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .filter_map(|entry| entry.ok()?.path().canonicalize().ok())
        .filter(|path| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("sf2")))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// Reads the SoundFonts that the user names; without names, those that are installed and play all of General MIDI.
///
/// # Errors
/// When one that was named cannot be used. Installed ones that cannot be used are left out with a remark.
pub fn choose(named: &[PathBuf]) -> Result<Vec<Font>> {
    if !named.is_empty() {
        return named.iter().map(|path| Font::open(path)).collect();
    }
    let mut fonts = Vec::new();
    for path in installed() {
        match Font::open(&path) {
            Ok(font) if font.is_general() => fonts.push(font),
            Ok(_) => eprintln!("{}: left out, it does not hold all of General MIDI", path.display()),
            Err(error) => eprintln!("left out: {error:#}"),
        }
    }
    Ok(fonts)
}

#[cfg(test)]
mod tests;
