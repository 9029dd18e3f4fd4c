//! What the drummer plays in each feel.

use super::band::Band;
use crate::synth::score::{Player, drum};

impl Band<'_> {
    fn hit(&mut self, at: f32, key: u8, force: f32) {
        let (late, force) = (0.6 * self.late(), force * self.dice.within(0.85, 1.1));
        if let Some(kit) = &mut self.kit {
            kit.hit(at + late, key, force);
        }
    }

    /// Ride, foot and comments of a swinging drummer, or brushes.
    pub(super) fn swing_drums(&mut self, at: f32, beats: usize) {
        let brushes = self.kit.as_ref().is_some_and(|kit| kit.player == Player::Kit(40));
        for eighth in 0..2 * beats {
            let time = at + self.eighth(eighth);
            let (beat, off) = (eighth / 2, eighth % 2 == 1);
            // Ding, ding-a, ding, ding-a; brushes play it on the snare drum.
            let skip = off && beat % 2 == 0;
            if !skip || self.dice.chance(0.06) {
                let force = if off {
                    0.42
                } else if beat % 2 == 1 {
                    0.68
                } else {
                    0.56
                };
                let key = if brushes { drum::SNARE } else { drum::RIDE };
                self.hit(time, key, force);
            }
            if brushes && !off && beat % 2 == 0 {
                self.hit(time, drum::SNARE_2, 0.45);
            }
            if !off {
                self.hit(time, drum::KICK, 0.22);
                if beat % 2 == 1 {
                    self.hit(time, drum::FOOT, 0.55);
                }
            }
            if self.dice.chance(if off { 0.14 } else { 0.04 }) {
                let force = self.dice.within(0.25, 0.6);
                self.hit(time, drum::SNARE, force);
            } else if off && self.dice.chance(0.05) {
                self.hit(time, drum::KICK, 0.6);
            }
        }
        if self.dice.chance(0.03) {
            self.hit(at, drum::CRASH[0], 0.6);
        }
    }

    /// The same in three.
    pub(super) fn waltz_drums(&mut self, at: f32, beats: usize) {
        for beat in 0..beats {
            let time = at + beat as f32 * self.beat;
            self.hit(time, drum::RIDE, if beat == 0 { 0.65 } else { 0.5 });
            if beat == 1 {
                let skip = time + self.swing * self.beat;
                self.hit(skip, drum::RIDE, 0.4);
            }
            match beat {
                0 => self.hit(time, drum::KICK, 0.4),
                _ => self.hit(time, drum::FOOT, 0.5),
            }
            if self.dice.chance(0.15) {
                let time = time + self.swing * self.beat;
                self.hit(time, drum::SNARE, 0.35);
            }
        }
    }

    /// Brushes that swirl, or a soft ride.
    pub(super) fn ballad_drums(&mut self, at: f32, beats: usize) {
        for beat in 0..beats {
            let time = at + beat as f32 * self.beat;
            let brushes = self.kit.as_ref().is_some_and(|kit| kit.player == Player::Kit(40));
            self.hit(time, if brushes { drum::SNARE_2 } else { drum::RIDE }, 0.45);
            if beat % 2 == 1 {
                self.hit(time, drum::FOOT, 0.45);
                if self.dice.chance(0.4) {
                    let skip = time + self.swing * self.beat;
                    self.hit(skip, if brushes { drum::SNARE } else { drum::RIDE }, 0.35);
                }
            } else {
                self.hit(time, drum::KICK, 0.25);
            }
        }
    }

    /// Straight eighths, the clave on the rim.
    pub(super) fn bossa_drums(&mut self, at: f32, beats: usize) {
        for eighth in 0..2 * beats {
            let time = at + self.eighth(eighth);
            self.hit(time, drum::HAT, if eighth % 2 == 0 { 0.5 } else { 0.38 });
            if [0, 3, 6].contains(&(eighth % 8)) || (eighth % 8 == 5 && self.dice.chance(0.2)) {
                self.hit(time, drum::RIM, 0.6);
            }
            if [0, 3, 4, 7].contains(&(eighth % 8)) {
                self.hit(time, drum::KICK, if eighth % 4 == 0 { 0.5 } else { 0.38 });
            }
        }
    }

    /// Bell, congas, clave and maracas.
    pub(super) fn latin_drums(&mut self, at: f32, beats: usize) {
        for eighth in 0..2 * beats {
            let time = at + self.eighth(eighth);
            let place = eighth % 8;
            if place % 2 == 0 || place == 3 || place == 7 {
                self.hit(
                    time,
                    if beats > 2 { drum::RIDE_BELL } else { drum::COWBELL },
                    if place % 4 == 0 { 0.7 } else { 0.5 },
                );
            }
            if place == 3 {
                self.hit(time, drum::KICK, 0.5);
            }
            if place == 6 && self.dice.chance(0.5) {
                self.hit(time, drum::TIMBALES[0], 0.5);
            }
            let conga = match place {
                2 => Some((drum::CONGAS[0], 0.75)),
                6 | 7 => Some((drum::CONGAS[1], 0.7)),
                5 => Some((drum::CONGAS[2], 0.5)),
                _ => None,
            };
            let clave = [0, 3, 6].contains(&place);
            let late = self.late();
            if let Some(percussion) = &mut self.percussion {
                if let Some((key, force)) = conga {
                    percussion.hit(time + late, key, force);
                }
                if clave {
                    percussion.hit(time, drum::CLAVES, 0.5);
                }
                percussion.hit(time + 0.5 * late, drum::MARACAS, if place % 2 == 0 { 0.45 } else { 0.3 });
            }
        }
    }

    /// A parade: bass drum on all four, press rolls on the snare drum.
    pub(super) fn two_beat_drums(&mut self, at: f32, beats: usize) {
        for eighth in 0..2 * beats {
            let time = at + self.eighth(eighth);
            let (beat, off) = (eighth / 2, eighth % 2 == 1);
            if !off {
                self.hit(time, drum::KICK, if beat % 2 == 0 { 0.65 } else { 0.4 });
                self.hit(time, drum::SNARE, if beat % 2 == 1 { 0.6 } else { 0.3 });
                if beat % 2 == 1 && self.dice.chance(0.3) {
                    self.hit(time, drum::CRASH[1], 0.35);
                }
            } else if beat % 2 == 1 || self.dice.chance(0.4) {
                self.hit(time, drum::SNARE, 0.35);
            }
        }
    }

    /// Sixteenths with a backbeat and ghost notes.
    pub(super) fn funk_drums(&mut self, at: f32, beats: usize) {
        for sixteenth in 0..4 * beats {
            let time = at + 0.25 * sixteenth as f32 * self.beat;
            let place = sixteenth % 16;
            self.hit(
                time,
                drum::HAT,
                if place % 4 == 0 {
                    0.7
                } else if place % 2 == 0 {
                    0.5
                } else {
                    0.33
                },
            );
            if place == 4 || place == 12 {
                self.hit(time, drum::SNARE, 0.85);
            } else if place % 2 == 1 && self.dice.chance(0.2) {
                self.hit(time, drum::SNARE, 0.25);
            }
            if [0, 7, 10].contains(&place) || (place % 2 == 0 && place % 4 != 0 && self.dice.chance(0.15)) {
                self.hit(time, drum::KICK, 0.8);
            }
        }
    }
}
