//! Drums and cymbals: sines that fall in pitch, filtered noise, and clouds of modes for metal.

use crate::synth::dice::{Dice, Noise};
use crate::synth::dsp::{Biquad, Mode, samples};
use std::f32::consts::TAU;

/// A bass drum: `hz` where its pitch comes to rest, `click` the beater's treble (0..1), `seconds` to fall by 60 dB.
pub fn kick(rate: f32, hz: f32, seconds: f32, click: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let mut phase = 0.0_f32;
    let mut beater = Biquad::band_pass(rate, 3200.0, 0.7);
    (0..samples(seconds, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let sweep = hz * (1.0 + 5.0 * (-t / 0.012).exp() + 0.9 * (-t / 0.05).exp());
            phase = (phase + sweep / rate).fract();
            let body = (TAU * phase).sin() * (-6.9 * t / seconds).exp() * (t / 0.001).min(1.0);
            let click = click * (beater.tick(noise.tick()) * 2.5 * (-t / 0.004).exp());
            (1.6 * body).tanh() * 0.9 + click
        })
        .collect()
}

/// A snare drum: two modes of the head, the rattle of the wires, and its brightness from 0 to 1.
pub fn snare(rate: f32, hz: f32, rattle_s: f32, bright: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let mut wires = Biquad::high_pass(rate, 900.0 + 1500.0 * bright, 0.7);
    let mut top = Biquad::low_pass(rate, 6000.0 + 8000.0 * bright, 0.7);
    let mut head = [(1.0, 0.55), (1.59, 0.35), (2.14, 0.2), (2.65, 0.12)]
        .map(|(ratio, level)| Mode::new(rate, hz * ratio * dice.within(0.99, 1.01), level, 0.18));
    (0..samples(2.2 * rattle_s, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let tone: f32 = head.iter_mut().map(Mode::tick).sum();
            let rattle = top.tick(wires.tick(noise.tick()));
            let stick = if t < 0.003 { 0.6 * noise.tick() } else { 0.0 };
            (tone + stick + rattle * (0.75 * (-6.9 * t / rattle_s).exp() + 0.5 * (-t / 0.012).exp())) * 0.8
        })
        .collect()
}

/// A brush sweeping over or tapping a snare drum.
pub fn brush(rate: f32, seconds: f32, tap: bool, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let mut low = Biquad::high_pass(rate, 700.0, 0.6);
    let mut high = Biquad::low_pass(rate, dice.within(4500.0, 7000.0), 0.6);
    (0..samples(seconds, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let shape = if tap {
                (-t / 0.035).exp()
            } else {
                (std::f32::consts::PI * t / seconds).sin().powi(2) * 0.4
            };
            high.tick(low.tick(noise.tick())) * shape
        })
        .collect()
}

/// A tom of this pitch.
pub fn tom(rate: f32, hz: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let mut phase = 0.0_f32;
    let mut overtones = [1.5, 1.98, 2.44].map(|ratio| Mode::new(rate, hz * ratio, 0.18, 0.25));
    (0..samples(0.7, rate))
        .map(|n| {
            let t = n as f32 / rate;
            phase = (phase + hz * (1.0 + 0.35 * (-t / 0.06).exp()) / rate).fract();
            let stick = 0.5 * noise.tick() * (-t / 0.003).exp();
            let modes: f32 = overtones.iter_mut().map(Mode::tick).sum();
            ((TAU * phase).sin() * (-6.9 * t / 0.65).exp() + modes + stick) * 0.8
        })
        .collect()
}

/// What kind of cymbal is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cymbal {
    /// Two small cymbals pressed together.
    ClosedHat,
    /// Two small cymbals, apart.
    OpenHat,
    /// Hats closed with the foot.
    FootHat,
    /// A large cymbal struck with the tip of the stick: a ping over a wash.
    Ride,
    /// A cymbal struck with the shaft.
    Crash,
}

/// A stroke on a cymbal.
pub fn cymbal(rate: f32, kind: Cymbal, dice: &mut Dice) -> Vec<f32> {
    let (lowest, t60, wash, wash_t60, ping): (f32, f32, f32, f32, f32) = match kind {
        Cymbal::ClosedHat => (3000.0, 0.10, 0.9, 0.09, 0.4),
        Cymbal::OpenHat => (2600.0, 0.60, 0.9, 0.55, 0.3),
        Cymbal::FootHat => (2200.0, 0.08, 0.7, 0.07, 0.1),
        Cymbal::Ride => (700.0, 1.5, 0.35, 1.1, 0.9),
        Cymbal::Crash => (500.0, 1.9, 1.0, 1.5, 0.2),
    };
    // The modes of a plate grow denser with frequency; chance places them.
    let mut modes: Vec<Mode> = (0..64)
        .map(|i| {
            let share = (i as f32 + dice.unit()) / 64.0;
            let hz = lowest * (15_000.0 / lowest).powf(share);
            let life = t60 * (1.2 - 0.8 * share) * dice.within(0.6, 1.3);
            Mode::new(rate, hz.min(0.48 * rate), dice.within(0.02, 0.07) * (0.25 + 0.75 * share), life)
        })
        .collect();
    let mut noise = Noise::new(dice);
    let mut hiss = Biquad::high_pass(rate, if kind == Cymbal::Ride { 5000.0 } else { 5800.0 }, 0.7);
    let mut tip = Biquad::band_pass(rate, dice.within(3500.0, 5200.0), 1.2);
    (0..samples(t60.max(wash_t60) * 0.9, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let metal: f32 = modes.iter_mut().map(Mode::tick).sum();
            let hiss = hiss.tick(noise.tick()) * wash * 0.5 * (-6.9 * t / wash_t60).exp();
            let swell = if kind == Cymbal::Crash { (t / 0.008).min(1.0) } else { 1.0 };
            (metal + hiss) * swell + ping * tip.tick(noise.tick()) * (-t / 0.006).exp()
        })
        .collect()
}

/// A kettledrum.
pub fn timpani(rate: f32, hz: f32, force: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    // Ratios of the preferred modes of a kettledrum (Rossing 1982).
    let mut modes: Vec<Mode> =
        [(1.0, 1.0, 2.4), (1.5, 0.6, 1.8), (1.98, 0.4, 1.4), (2.44, 0.25, 1.0), (0.85, 0.5, 0.3)]
            .into_iter()
            .map(|(ratio, level, t60)| Mode::new(rate, hz * ratio, level, t60))
            .collect();
    let mut felt = Biquad::low_pass(rate, 300.0 + 900.0 * force, 0.7);
    (0..samples(2.2, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let stick = 1.5 * felt.tick(noise.tick()) * (-t / 0.02).exp();
            force * (t / 0.003).min(1.0) * (modes.iter_mut().map(Mode::tick).sum::<f32>() + stick)
        })
        .collect()
}

/// A clap of hands or its machine: four bursts of noise.
pub fn clap(rate: f32, dice: &mut Dice) -> Vec<f32> {
    let mut noise = Noise::new(dice);
    let mut band = Biquad::band_pass(rate, 1300.0, 0.9);
    (0..samples(0.3, rate))
        .map(|n| {
            let t = n as f32 / rate;
            let bursts: f32 = [0.0, 0.011, 0.021, 0.032]
                .iter()
                .map(|&start| if t >= start { (-(t - start) / 0.006).exp() } else { 0.0 })
                .sum();
            let tail = if t > 0.032 { 0.7 * (-(t - 0.032) / 0.05).exp() } else { 0.0 };
            band.tick(noise.tick()) * (bursts + tail)
        })
        .collect()
}
