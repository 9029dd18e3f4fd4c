//! From a MIDI song to a record: who stands where, guitars through amplifiers, and a mix that differs with the dice.

use super::Song;
use crate::audio::Audio;
use crate::synth::desk::{Finish, Track, mix};
use crate::synth::dice::Dice;
use crate::synth::instruments::amp::{Amp, Cabinet, bass_box};
use crate::synth::mixdown::Bus;
use crate::synth::score::{Part, Player};
use crate::synth::studio::Studio;
use idiom_engine::Genre;

/// Plays a song in a studio; the dice decide the mix. What is not told by the file (amplifiers, room, loudness) follows
/// the genre; without one, it is mixed as popular music where there are drums and as chamber music where there are none.
pub fn record(song: &Song, genre: Option<Genre>, studio: &Studio, rate: f32, dice: &mut Dice) -> Audio {
    let seconds = song.seconds;
    let drums = song.shares().drums > 0.02;
    let rock = genre == Some(Genre::Rock);
    let mut rig = Rig::random(dice);
    let tight = dice.within(0.0, 1.0);
    let mut tracks = Vec::new();
    for (index, part) in song.parts.iter().enumerate() {
        let part = match part.player {
            // The bank's own distortion is one sample a note; a chord through one amplifier growls. A clean guitar goes
            // into it, for one part in five the bank's distorted one stays.
            Player::Program(29 | 30) if rock && !dice.chance(0.2) => {
                Part { player: Player::Program(*dice.pick(&[27, 27, 26])), ..part.clone() }
            }
            _ => part.clone(),
        };
        let original = song.parts[index].player;
        let mut sound = studio.play(&part, rate, seconds + 2.0, dice);
        let loudness = 20.0 * sound.loudness().max(1e-7).log10();
        let trim = 1.5 * dice.bell();
        let track = match original {
            Player::Kit(_) => {
                if rock {
                    sound.compress(loudness - 2.0, dice.within(1.5, 4.0), 0.01, 0.12);
                }
                Track::new(sound, loudness + trim + if rock { dice.within(0.0, 4.0) } else { 0.0 }, 0.0)
                    .wide(0.9)
            }
            Player::Program(program @ 26..=31) if rock => {
                let place = rig.place(program, dice);
                let hot = program >= 29;
                let amp = rig.amp(hot, tight, dice);
                amplify(&mut sound, &amp);
                let level = loudness + trim + if hot { dice.within(0.0, 4.0) } else { 0.0 };
                Track::new(sound, level, place).wide(0.0).sent(0.6)
            }
            Player::Program(32..=39) => {
                if rock || drums {
                    let (drive, treble) = (dice.within(0.8, 3.0), dice.within(1200.0, 4500.0));
                    sound.sides.iter_mut().for_each(|side| bass_box(side, rate, drive, treble));
                }
                Track::new(sound, loudness + trim, 0.0).wide(0.2).sent(0.3)
            }
            Player::Program(_) => Track::new(sound, loudness + trim, 0.0).wide(1.0),
        };
        tracks.push(track);
    }
    let finish = match genre {
        Some(Genre::Rock) => Finish {
            glue: dice.within(1.5, 4.0),
            hard: true,
            ..Finish::clean(dice.within(0.4, 1.4), dice.within(0.05, 0.3), dice.within(-15.0, -8.5))
                .aged(0.4, dice)
        },
        Some(Genre::Electronic) => Finish {
            glue: dice.within(1.5, 3.0),
            hard: true,
            ..Finish::clean(dice.within(0.6, 2.0), dice.within(0.05, 0.3), dice.within(-13.0, -9.0))
        },
        Some(Genre::Jazz) => {
            Finish::clean(dice.within(0.5, 1.5), dice.within(0.1, 0.4), dice.within(-23.0, -15.0))
                .aged(0.6, dice)
        }
        None if drums => {
            Finish::clean(dice.within(0.5, 1.8), dice.within(0.1, 0.3), dice.within(-18.0, -11.0))
                .aged(0.4, dice)
        }
        _ => {
            let t60 = dice.within(1.0, 2.8);
            Finish {
                glue: 1.0,
                ..Finish::clean(t60, dice.within(0.2, 0.7), dice.within(-27.0, -17.0)).aged(0.3, dice)
            }
        }
    };
    mix(tracks, &finish, seconds, dice)
}

/// The guitarists' places and equipment.
struct Rig {
    cabinet: Cabinet,
    side: f32,
    drive: f32,
}

impl Rig {
    fn random(dice: &mut Dice) -> Rig {
        let side = if dice.chance(0.5) { 1.0 } else { -1.0 };
        // Drives from crunch to metal, evenly on a logarithmic scale.
        let drive = 6.0 * 12f32.powf(dice.unit());
        Rig { cabinet: Cabinet::random(dice.chance(0.25), dice), side, drive }
    }

    /// Guitars stand left and right in turn; clean ones closer to the middle.
    fn place(&mut self, program: u8, dice: &mut Dice) -> f32 {
        self.side = -self.side;
        self.side * if program >= 29 { dice.within(0.4, 1.0) } else { dice.within(0.1, 0.7) }
    }

    fn amp(&self, hot: bool, tight: f32, dice: &mut Dice) -> Amp {
        Amp {
            drive: if hot { self.drive * dice.within(0.7, 1.4) } else { dice.within(0.3, 3.0) },
            tight_hz: 60.0 + 120.0 * tight,
            middle_db: dice.within(-5.0, 4.0),
            treble_db: dice.within(-2.0, 4.0),
            cabinet: self.cabinet,
        }
    }
}

/// Plays a track, as one signal, through an amplifier.
pub fn amplify(sound: &mut Bus, amp: &Amp) {
    let rate = sound.rate;
    let [left, right] = &mut sound.sides;
    left.iter_mut().zip(right.iter()).for_each(|(l, r)| *l = 0.5 * (*l + r));
    amp.play(left, rate);
    right.copy_from_slice(left);
}
