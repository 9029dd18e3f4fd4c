//! From single notes to a finished mix: stereo buses, room, compressor and loudness.

use super::dice::Dice;
use super::dsp::{Biquad, gain, samples};
use crate::audio::Audio;

/// A stereo track that notes are placed on.
#[derive(Clone)]
pub struct Bus {
    /// Samples a second.
    pub rate: f32,
    /// Left and right.
    pub sides: [Vec<f32>; 2],
}

impl Bus {
    /// Silence of this length.
    pub fn new(rate: f32, seconds: f32) -> Bus {
        let silence = vec![0.0; samples(seconds, rate)];
        Bus { rate, sides: [silence.clone(), silence] }
    }

    /// Adds a mono sound at a time, with a gain and a place from -1 (left) to 1 (right), at equal power. What lies
    /// outside the bus is cut off.
    pub fn add(&mut self, at: f32, sound: &[f32], gain: f32, pan: f32) {
        let angle = (pan.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
        let start = (at * self.rate).round() as isize;
        let skip = (-start).max(0) as usize;
        let first = start.max(0) as usize;
        for (side, share) in self.sides.iter_mut().zip([angle.cos(), angle.sin()]) {
            let share = share * gain;
            for (out, x) in side.iter_mut().skip(first).zip(sound.iter().skip(skip)) {
                *out += share * x;
            }
        }
    }

    /// Adds another bus.
    pub fn mix(&mut self, other: &Bus, gain: f32) {
        for (side, other) in self.sides.iter_mut().zip(&other.sides) {
            side.iter_mut().zip(other).for_each(|(out, x)| *out += gain * x);
        }
    }

    /// Filters both sides.
    pub fn filter(&mut self, filter: Biquad) -> &mut Bus {
        self.sides.iter_mut().for_each(|side| filter.run(side));
        self
    }

    /// Shapes every sample.
    pub fn shape(&mut self, shape: impl Fn(f32) -> f32) -> &mut Bus {
        self.sides.iter_mut().flatten().for_each(|x| *x = shape(*x));
        self
    }

    /// Multiplies by a gain that depends on time in seconds.
    pub fn ride(&mut self, gain: impl Fn(f32) -> f32) -> &mut Bus {
        let rate = self.rate;
        for n in 0..self.sides[0].len() {
            let gain = gain(n as f32 / rate);
            self.sides.iter_mut().for_each(|side| side[n] *= gain);
        }
        self
    }

    /// Adds an echo that returns every `seconds`, each time weaker by `feedback` and on the other side.
    pub fn echo(&mut self, seconds: f32, feedback: f32, level: f32) -> &mut Bus {
        let delay = samples(seconds, self.rate).max(1);
        let mut line = self.clone();
        line.filter(Biquad::high_pass(self.rate, 250.0, 0.7))
            .filter(Biquad::low_pass(self.rate, 4500.0, 0.7));
        let mut wet = [vec![0.0; line.sides[0].len()], vec![0.0; line.sides[0].len()]];
        for n in delay..line.sides[0].len() {
            for side in 0..2 {
                wet[side][n] = line.sides[1 - side][n - delay] + feedback * wet[1 - side][n - delay];
            }
        }
        for (side, wet) in self.sides.iter_mut().zip(&wet) {
            side.iter_mut().zip(wet).for_each(|(x, w)| *x += level * w);
        }
        self
    }

    /// Adds reverberation: `t60` seconds to fall by 60 dB, `damping_hz` where the treble begins to fall faster.
    pub fn room(&mut self, t60: f32, damping_hz: f32, level: f32, dice: &mut Dice) -> &mut Bus {
        let wet = reverberate(self, t60, damping_hz, dice);
        self.mix(&wet, level);
        self
    }

    /// Becomes what a room makes of it, without the direct sound; the parameters are those of [`Bus::room`].
    pub fn room_only(&mut self, t60: f32, damping_hz: f32, dice: &mut Dice) -> &mut Bus {
        *self = reverberate(self, t60, damping_hz, dice);
        self
    }

    /// Compresses both sides alike: above `threshold_db` (RMS over 10 ms), `ratio` to 1, with attack and release in
    /// seconds.
    pub fn compress(&mut self, threshold_db: f32, ratio: f32, attack: f32, release: f32) -> &mut Bus {
        let keep = |seconds: f32| (-1.0 / (seconds * self.rate)).exp();
        let (detect, attack, release) = (keep(0.010), keep(attack), keep(release));
        let (mut power, mut reduction) = (0.0_f32, 0.0_f32);
        for n in 0..self.sides[0].len() {
            let present = 0.5 * self.sides.iter().map(|side| side[n] * side[n]).sum::<f32>();
            power = detect * power + (1.0 - detect) * present;
            let over = 10.0 * (power + 1e-12).log10() - threshold_db;
            let wanted = over.max(0.0) * (1.0 - 1.0 / ratio);
            let keep = if wanted > reduction { attack } else { release };
            reduction = keep * reduction + (1.0 - keep) * wanted;
            let g = gain(-reduction);
            self.sides.iter_mut().for_each(|side| side[n] *= g);
        }
        self
    }

    /// The finished sound: cut to `seconds`, brought to `level_db` (RMS of what is not silent, in dBFS) and kept below
    /// -0.3 dBFS. `hard` masters are driven into a soft clipper, gentle ones are turned down instead.
    pub fn master(mut self, seconds: f32, level_db: f32, hard: bool) -> Audio {
        let length = samples(seconds, self.rate);
        let subsonic = Biquad::high_pass(self.rate, 25.0, 0.7);
        self.filter(subsonic);
        self.sides.iter_mut().for_each(|side| {
            side.resize(length, 0.0);
            side.iter_mut().filter(|x| !x.is_finite()).for_each(|x| *x = 0.0);
        });
        let loudness = self.loudness();
        let ceiling = gain(-0.3);
        let mut level = if loudness > 0.0 { gain(level_db) / loudness } else { 0.0 };
        if hard {
            // The clipper takes loudness away; two rounds bring it back.
            for _ in 0..2 {
                let mut trial = self.clone();
                trial.shape(|x| soft_clip(x * level, ceiling));
                level *= (gain(level_db) / trial.loudness().max(1e-6)).min(2.0);
            }
            self.shape(|x| soft_clip(x * level, ceiling));
        } else {
            let peak = self.sides.iter().flatten().fold(0.0_f32, |peak, x| peak.max(x.abs()));
            level = level.min(ceiling / peak.max(1e-9));
            self.shape(|x| x * level);
        }
        let fade = samples(0.02, self.rate).min(length / 2);
        for side in &mut self.sides {
            for n in 0..fade {
                let share = n as f32 / fade as f32;
                side[n] *= share;
                side[length - 1 - n] *= share;
            }
        }
        Audio::new(self.rate as u32, self.sides.into())
    }

    /// RMS over the 0.4 s blocks within 30 dB of the loudest one.
    pub fn loudness(&self) -> f32 {
        let block = samples(0.4, self.rate).max(1);
        let powers: Vec<f32> = self.sides[0]
            .chunks(block)
            .zip(self.sides[1].chunks(block))
            .map(|(l, r)| l.iter().chain(r).map(|x| x * x).sum::<f32>() / (2 * l.len()) as f32)
            .collect();
        let loudest = powers.iter().copied().fold(0.0, f32::max);
        let audible: Vec<f32> = powers.into_iter().filter(|&p| p > 1e-3 * loudest).collect();
        (audible.iter().sum::<f32>() / audible.len().max(1) as f32).sqrt()
    }
}

/// A sample of both sides with the stage `width` times as wide.
pub fn widened(left: f32, right: f32, width: f32) -> (f32, f32) {
    let (mid, side) = (0.5 * (left + right), 0.5 * (left - right) * width);
    (mid + side, mid - side)
}

/// Straight up to two thirds of `ceiling`, then bending towards it.
fn soft_clip(x: f32, ceiling: f32) -> f32 {
    let knee = 0.66 * ceiling;
    let over = x.abs() - knee;
    if over <= 0.0 { x } else { x.signum() * (knee + (ceiling - knee) * (over / (ceiling - knee)).tanh()) }
}

/// Feedback delay network of eight lines through a Hadamard matrix (Jot & Chaigne 1991), with early reflections.
fn reverberate(dry: &Bus, t60: f32, damping_hz: f32, dice: &mut Dice) -> Bus {
    const LINES: usize = 8;
    let rate = dry.rate;
    // Longer rooms have longer ways between walls; lengths are spread so that no two are alike.
    let size = (t60 / 2.0).sqrt().clamp(0.25, 1.5);
    let base = [0.0297, 0.0371, 0.0411, 0.0437, 0.0533, 0.0617, 0.0719, 0.0793];
    let delays = base.map(|s| samples(s * size * dice.within(0.92, 1.08), rate).max(2));
    let losses = delays.map(|d| gain(-60.0 * d as f32 / rate / t60));
    let pole = (-std::f32::consts::TAU * (damping_hz / rate).min(0.45)).exp();
    let mut lines = delays.map(|d| vec![0.0_f32; d]);
    let mut position = [0_usize; LINES];
    let mut damp = [0.0_f32; LINES];
    let taps: Vec<(usize, usize, f32)> = (0..10)
        .map(|i| {
            let seconds = size * dice.within(0.006, 0.080);
            (
                i % 2,
                samples(seconds, rate).max(1),
                0.5 * gain(-200.0 * seconds) * if dice.chance(0.5) { 1.0 } else { -1.0 },
            )
        })
        .collect();
    let predelay = samples(0.012 * size, rate);
    let mut wet = dry.clone();
    for n in 0..dry.sides[0].len() {
        let mut out = [0.0; LINES];
        for i in 0..LINES {
            damp[i] = (1.0 - pole) * lines[i][position[i]] + pole * damp[i];
            out[i] = damp[i] * losses[i];
        }
        let early = n.checked_sub(predelay).map_or([0.0; 2], |m| [dry.sides[0][m], dry.sides[1][m]]);
        let mut mixed = out;
        let mut span = 1;
        while span < LINES {
            for i in (0..LINES).step_by(2 * span) {
                for j in i..i + span {
                    (mixed[j], mixed[j + span]) = (mixed[j] + mixed[j + span], mixed[j] - mixed[j + span]);
                }
            }
            span *= 2;
        }
        for i in 0..LINES {
            lines[i][position[i]] = early[i % 2] + mixed[i] / (LINES as f32).sqrt();
            position[i] = (position[i] + 1) % delays[i];
        }
        for side in 0..2 {
            wet.sides[side][n] = 0.35 * (out[side] + out[side + 2] - out[side + 4] + out[side + 6]);
            for &(to, delay, level) in &taps {
                if to == side && n >= delay {
                    wet.sides[side][n] += level * dry.sides[side][n - delay];
                }
            }
        }
    }
    wet
}

#[cfg(test)]
mod tests {
    use super::super::dsp::rms;
    use super::*;

    #[test]
    fn a_room_falls_by_60_db_in_its_time() {
        let mut bus = Bus::new(48_000.0, 2.0);
        bus.add(0.0, &[1.0], 1.0, 0.0);
        let wet = reverberate(&bus, 1.0, 20_000.0, &mut Dice::new(3));
        let level = |at: f32| 20.0 * rms(&wet.sides[0][samples(at, 48e3)..samples(at + 0.1, 48e3)]).log10();
        let fall = level(0.3) - level(0.8);
        assert!((26.0..36.0).contains(&fall), "fell by {fall} dB in half the time");
    }

    #[test]
    fn masters_have_the_wanted_level_and_never_clip() {
        for (hard, level) in [(true, -10.0), (false, -24.0)] {
            let mut bus = Bus::new(44_100.0, 3.0);
            let mut dice = Dice::new(1);
            let noise: Vec<f32> = (0..132_300).map(|_| dice.noise() * 20.0).collect();
            bus.add(0.0, &noise, 1.0, 0.3);
            let audio = bus.master(2.5, level, hard);
            assert_eq!((audio.len(), audio.sample_rate), (110_250, 44_100));
            let both = 10.0 * (0.5 * audio.channels.iter().map(|c| rms(c).powi(2)).sum::<f32>()).log10();
            assert!((both - level).abs() < 1.0, "{both} for {level}");
            assert!(audio.channels.iter().flatten().all(|x| x.abs() < 0.97));
        }
    }

    #[test]
    fn sounds_are_placed_and_cut() {
        let mut bus = Bus::new(1000.0, 0.01);
        bus.add(-0.002, &[1.0, 2.0, 3.0, 4.0], 1.0, -1.0);
        bus.add(0.008, &[5.0, 6.0, 7.0], 1.0, -1.0);
        assert_eq!(bus.sides[0], [3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0, 6.0]);
        assert!(bus.sides[1].iter().all(|x| x.abs() < 1e-6));
    }
}
