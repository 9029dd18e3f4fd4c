//! A voice: glottal pulses and noise through the resonances of a vocal tract, after D. Klatt, "Software for a
//! cascade/parallel formant synthesizer" (1980). Speech and singing are both sequences of [`Frame`]s for it.

use super::dice::{Dice, Noise};
use super::dsp::{Sweep, samples};
use std::f32::consts::{PI, TAU};

/// Seconds from frame to frame.
pub const FRAME_S: f32 = 0.005;

/// What the tract does at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame {
    /// Pitch in Hz.
    pub f0: f32,
    /// The first three formants in Hz, for a grown man's tract.
    pub formants: [f32; 3],
    /// Level of the vocal cords, 0..1.
    pub voice: f32,
    /// Level of breath through the open glottis, 0..1.
    pub breath: f32,
    /// Level of noise made at the tongue, teeth or lips, 0..1.
    pub hiss: f32,
    /// Where that noise is centred, in Hz.
    pub hiss_hz: f32,
}

/// Who speaks.
#[derive(Clone, Copy, Debug)]
pub struct Speaker {
    /// Formants relative to a grown man's: 1.17 for a woman, 1.3 for a child.
    pub tract: f32,
    /// Mean pitch in Hz.
    pub pitch: f32,
    /// Standard range of the melody in semitones.
    pub range: f32,
    /// Share of the period in which the glottis is open, 0.4 (pressed) to 0.8 (breathy).
    pub open: f32,
    /// Breath that is always there, 0..1.
    pub breathy: f32,
    /// Irregularity of the pulses as a share of the period.
    pub jitter: f32,
    /// Syllables a second.
    pub speed: f32,
}

impl Speaker {
    /// Somebody: a man or a woman, now and then a child.
    pub fn random(dice: &mut Dice) -> Speaker {
        let (tract, pitch) = match dice.below(9) {
            0..=3 => (dice.within(0.94, 1.05), dice.within(88.0, 140.0)),
            4..=7 => (dice.within(1.12, 1.21), dice.within(170.0, 230.0)),
            _ => (dice.within(1.26, 1.36), dice.within(240.0, 300.0)),
        };
        Speaker {
            tract,
            pitch,
            range: dice.within(1.8, 4.0),
            open: dice.within(0.5, 0.7),
            breathy: dice.within(0.01, 0.06),
            jitter: dice.within(0.004, 0.012),
            speed: dice.within(3.6, 5.6),
        }
    }
}

/// A two-pole resonator with gain 1 at 0 Hz.
#[derive(Clone, Copy, Default)]
struct Resonator {
    a: f32,
    b: f32,
    c: f32,
    y: [f32; 2],
}

impl Resonator {
    fn tune(&mut self, rate: f32, hz: f32, bandwidth: f32) {
        self.c = -(-TAU * bandwidth / rate).exp();
        self.b = 2.0 * (-PI * bandwidth / rate).exp() * (TAU * (hz / rate).min(0.48)).cos();
        self.a = 1.0 - self.b - self.c;
    }

    fn tick(&mut self, x: f32) -> f32 {
        let y = self.a * x + self.b * self.y[0] + self.c * self.y[1];
        self.y = [y, self.y[0]];
        y
    }
}

/// Lets a speaker say the frames.
pub fn say(frames: &[Frame], speaker: &Speaker, rate: f32, dice: &mut Dice) -> Vec<f32> {
    let length = samples(frames.len() as f32 * FRAME_S, rate);
    let control = samples(0.001, rate).max(1);
    let mut tract = [Resonator::default(); 6];
    let mut noise = Noise::new(dice);
    let mut teeth = Sweep::default();
    let (mut phase, mut jitter, mut shimmer) = (0.0_f32, 1.0_f32, 1.0_f32);
    let mut tilt = 0.0_f32;
    let soften = (-TAU * 2800.0 / rate).exp();
    let mut now = Frame::default();
    let top = 0.46 * rate;
    let mut out = Vec::with_capacity(length);
    for n in 0..length {
        if n % control == 0 {
            now = between(frames, n as f32 / rate / FRAME_S);
            let f = now.formants.map(|f| f * speaker.tract);
            let tuned = [
                (f[0], 55.0 + 0.06 * f[0]),
                (f[1], 60.0 + 0.03 * f[1]),
                (f[2], 90.0 + 0.03 * f[2]),
                (3500.0 * speaker.tract, 220.0),
                (4500.0 * speaker.tract, 300.0),
                (5600.0 * speaker.tract, 500.0),
            ];
            for (resonator, (hz, bandwidth)) in tract.iter_mut().zip(tuned) {
                // A resonance above the rate's reach is widened until it does nothing.
                resonator.tune(rate, hz.min(top), if hz > top { 0.3 * rate } else { bandwidth });
            }
        }
        phase += now.f0 * jitter / rate;
        if phase >= 1.0 {
            phase = phase.fract();
            jitter = 1.0 + speaker.jitter * dice.bell();
            shimmer = 1.0 + 3.0 * speaker.jitter * dice.bell();
        }
        // Flow derivative of Rosenberg's glottal pulse: rises gently, closes abruptly.
        let (rise, open) = (0.68 * speaker.open, speaker.open);
        let pulse = if phase < rise {
            0.5 * (PI * phase / rise).sin()
        } else if phase < open {
            -(0.5 * PI * (phase - rise) / (open - rise)).sin() * 1.45
        } else {
            0.0
        };
        tilt = soften * tilt + (1.0 - soften) * pulse;
        let white = noise.tick();
        let opening = if phase < open { 1.0 } else { 0.35 };
        let source = now.voice * shimmer * tilt
            + white * (0.16 * now.breath + speaker.breathy * now.voice * opening * 0.5);
        let mouth = tract.iter_mut().fold(source, |x, resonator| resonator.tick(x));
        let hiss = teeth.tick(white, rate, now.hiss_hz.max(200.0), 1.1).band * now.hiss * 0.35;
        out.push(mouth + hiss);
    }
    out
}

fn between(frames: &[Frame], at: f32) -> Frame {
    let Some(last) = frames.len().checked_sub(1) else { return Frame::default() };
    let (a, b) = (frames[(at as usize).min(last)], frames[(at as usize + 1).min(last)]);
    let share = at.fract();
    let mix = |a: f32, b: f32| a + share * (b - a);
    Frame {
        f0: mix(a.f0, b.f0),
        formants: [0, 1, 2].map(|i| mix(a.formants[i], b.formants[i])),
        voice: mix(a.voice, b.voice),
        breath: mix(a.breath, b.breath),
        hiss: mix(a.hiss, b.hiss),
        hiss_hz: mix(a.hiss_hz, b.hiss_hz),
    }
}

/// Formants of the vowels of American English, men's means (Peterson & Barney 1952), and schwa.
pub const VOWELS: [[f32; 3]; 11] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [530.0, 1840.0, 2480.0],
    [660.0, 1720.0, 2410.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [440.0, 1020.0, 2240.0],
    [300.0, 870.0, 2240.0],
    [640.0, 1190.0, 2390.0],
    [490.0, 1350.0, 1690.0],
    [500.0, 1500.0, 2500.0],
];

/// Index of schwa in [`VOWELS`].
pub const SCHWA: usize = 10;

/// A consonant: what the tract does and for how long.
#[derive(Clone, Copy, Debug)]
pub enum Consonant {
    /// Closed, then released with a burst.
    Stop {
        /// Where the second formant comes from.
        locus: f32,
        /// Centre of the burst's noise in Hz.
        burst_hz: f32,
        /// Whether the cords swing through the closure.
        voiced: bool,
    },
    /// Noise at a narrow place.
    Fricative {
        /// Centre of the noise in Hz.
        hz: f32,
        /// Level of the noise.
        level: f32,
        /// Whether the cords swing too.
        voiced: bool,
    },
    /// A voiced consonant with its own formants (nasal, liquid, glide).
    Sonorant {
        /// Formants in Hz.
        formants: [f32; 3],
        /// Level of the voice.
        level: f32,
    },
    /// Breath alone.
    Breath,
}

/// Consonants of English with rough formant loci (Delattre, Liberman & Cooper 1955) and noise bands.
pub const CONSONANTS: [Consonant; 19] = {
    use Consonant::{Breath, Fricative, Sonorant, Stop};
    [
        Stop { locus: 850.0, burst_hz: 900.0, voiced: true },
        Stop { locus: 1750.0, burst_hz: 3800.0, voiced: true },
        Stop { locus: 2200.0, burst_hz: 1900.0, voiced: true },
        Stop { locus: 850.0, burst_hz: 1000.0, voiced: false },
        Stop { locus: 1750.0, burst_hz: 4200.0, voiced: false },
        Stop { locus: 2100.0, burst_hz: 2000.0, voiced: false },
        Fricative { hz: 6200.0, level: 0.8, voiced: false },
        Fricative { hz: 6200.0, level: 0.75, voiced: false },
        Fricative { hz: 3000.0, level: 0.75, voiced: false },
        Fricative { hz: 5000.0, level: 0.25, voiced: false },
        Fricative { hz: 5800.0, level: 0.4, voiced: true },
        Fricative { hz: 4000.0, level: 0.18, voiced: true },
        Sonorant { formants: [270.0, 1000.0, 2200.0], level: 0.45 },
        Sonorant { formants: [270.0, 1600.0, 2500.0], level: 0.45 },
        Sonorant { formants: [360.0, 1150.0, 2650.0], level: 0.7 },
        Sonorant { formants: [340.0, 1150.0, 1550.0], level: 0.7 },
        Sonorant { formants: [300.0, 700.0, 2200.0], level: 0.7 },
        Sonorant { formants: [280.0, 2200.0, 2950.0], level: 0.7 },
        Breath,
    ]
};

/// Adds a consonant at this pitch; `next` are the formants of the vowel that follows (or came before).
pub fn add_consonant(frames: &mut Vec<Frame>, consonant: Consonant, f0: f32, next: [f32; 3], stretch: f32) {
    let mut hold = |seconds: f32, frame: Frame| {
        let count = (seconds * stretch / FRAME_S).round().max(1.0) as usize;
        frames.extend(std::iter::repeat_n(Frame { f0, ..frame }, count));
    };
    let quiet = Frame { formants: next, hiss_hz: 3000.0, ..Frame::default() };
    match consonant {
        Consonant::Stop { locus, burst_hz, voiced } => {
            let formants = [260.0, 0.5 * (locus + next[1]), next[2]];
            let bar = if voiced { 0.12 } else { 0.0 };
            hold(
                if voiced { 0.05 } else { 0.065 },
                Frame { formants: [180.0, locus, 2400.0], voice: bar, ..quiet },
            );
            let burst = if voiced { 0.45 } else { 0.75 };
            hold(0.01, Frame { formants, hiss: burst, hiss_hz: burst_hz, breath: 0.3, ..quiet });
            if voiced {
                hold(0.015, Frame { formants, voice: 0.6, ..quiet });
            } else {
                hold(0.035, Frame { formants, breath: 0.7, hiss: 0.1, hiss_hz: burst_hz, ..quiet });
            }
        }
        Consonant::Fricative { hz, level, voiced } => {
            let formants = [300.0, 0.5 * (1700.0 + next[1]), next[2]];
            let (seconds, voice) = if voiced { (0.07, 0.35) } else { (0.10, 0.0) };
            hold(seconds, Frame { formants, voice, hiss: level, hiss_hz: hz, ..quiet });
        }
        Consonant::Sonorant { formants, level } => hold(0.065, Frame { formants, voice: level, ..quiet }),
        Consonant::Breath => hold(0.06, Frame { breath: 0.8, ..quiet }),
    }
}

/// Lets the tract move as flesh does: formants glide over about 50 ms, levels over about 15 ms.
pub fn smooth(frames: &[Frame]) -> Vec<Frame> {
    let mean = |at: usize, reach: usize, value: &dyn Fn(&Frame) -> f32| {
        let range = &frames[at.saturating_sub(reach)..(at + reach + 1).min(frames.len())];
        range.iter().map(value).sum::<f32>() / range.len() as f32
    };
    (0..frames.len())
        .map(|at| Frame {
            f0: mean(at, 4, &|f| f.f0),
            formants: [0, 1, 2].map(|i| mean(at, 5, &|f| f.formants[i])),
            voice: mean(at, 1, &|f| f.voice),
            breath: mean(at, 1, &|f| f.breath),
            hiss: mean(at, 1, &|f| f.hiss),
            hiss_hz: frames[at].hiss_hz,
        })
        .collect()
}
