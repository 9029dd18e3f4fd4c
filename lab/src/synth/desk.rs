//! The mixing desk: tracks with level, place, width and send, and what a finished record has gone through: room, bus
//! compressor, tape, vinyl, a narrow band, a lossy codec.

use super::coder::squeeze;
use super::dice::{Dice, Noise};
use super::dsp::{Biquad, gain, rms, samples};
use super::mixdown::{Bus, widened};
use crate::audio::Audio;

/// One instrument's channel strip.
pub struct Track {
    /// Its dry sound.
    pub sound: Bus,
    /// Loudness while it plays, in dB relative to the other tracks.
    pub level_db: f32,
    /// Place from -1 (left) to 1 (right).
    pub pan: f32,
    /// Stereo width of the sound itself, from 0 (mono) to 1 (as it is).
    pub width: f32,
    /// How much of it goes to the room, relative to the whole mix.
    pub send: f32,
}

impl Track {
    /// A track at its place.
    pub fn new(sound: Bus, level_db: f32, pan: f32) -> Track {
        Track { sound, level_db, pan, width: 0.6, send: 1.0 }
    }

    /// The same with another width.
    pub fn wide(self, width: f32) -> Track {
        Track { width, ..self }
    }

    /// The same with another send.
    pub fn sent(self, send: f32) -> Track {
        Track { send, ..self }
    }
}

/// What happens to the whole mix.
#[derive(Clone, Copy, Debug)]
pub struct Finish {
    /// Reverberation time in seconds.
    pub t60: f32,
    /// Where the room's treble begins to fall faster, in Hz.
    pub damping_hz: f32,
    /// How loud the room is.
    pub room: f32,
    /// Ratio of the bus compressor; 1 is none.
    pub glue: f32,
    /// Drive of the tape: 0 is none, 1 is plenty.
    pub tape: f32,
    /// Whether it was cut into vinyl: crackle, rumble, mono bass.
    pub vinyl: bool,
    /// The band that is left, in Hz; `(0.0, f32::INFINITY)` is everything.
    pub band: (f32, f32),
    /// Whether everything is one channel, as on old records.
    pub mono: bool,
    /// Quality of the lossy codec that it was kept in, 0 to 1; see [`squeeze`].
    pub codec: Option<f32>,
    /// Loudness in dBFS, RMS of what is not silent.
    pub level_db: f32,
    /// Driven into a clipper (loud records) or only turned up.
    pub hard: bool,
}

impl Finish {
    /// A clean production of today at this loudness.
    pub fn clean(t60: f32, room: f32, level_db: f32) -> Finish {
        Finish {
            t60,
            damping_hz: 5000.0,
            room,
            glue: 1.5,
            tape: 0.0,
            vinyl: false,
            band: (0.0, f32::INFINITY),
            mono: false,
            codec: None,
            level_db,
            hard: false,
        }
    }

    /// Ages a production as records on the market are aged: some tape, now and then vinyl, old microphones or mono; and
    /// keeps it, whatever its age, as files are kept: one in three in a lossy codec.
    pub fn aged(mut self, age: f32, dice: &mut Dice) -> Finish {
        self.tape = if dice.chance(age) { dice.within(0.1, 0.9) } else { 0.0 };
        self.vinyl = dice.chance(0.3 * age);
        if dice.chance(0.35 * age) {
            self.band = (dice.within(40.0, 150.0), dice.within(6000.0, 13_000.0));
        }
        self.mono = dice.chance(0.25 * age);
        self.codec = dice.chance(0.33).then(|| dice.unit());
        self
    }
}

/// Mixes the tracks and finishes the record, cut to `seconds`.
pub fn mix(tracks: Vec<Track>, finish: &Finish, seconds: f32, dice: &mut Dice) -> Audio {
    let Some(first) = tracks.first() else {
        return Bus::new(48_000.0, seconds).master(seconds, -20.0, false);
    };
    let rate = first.sound.rate;
    let length = first.sound.sides[0].len();
    let mut dry = Bus { rate, sides: [vec![0.0; length], vec![0.0; length]] };
    let mut sent = dry.clone();
    for track in tracks {
        let loudness = track.sound.loudness();
        if loudness < 1e-7 {
            continue;
        }
        let level = 0.1 * gain(track.level_db) / loudness;
        place(&mut dry, &track, level);
        place(&mut sent, &track, level * track.send);
    }
    sent.filter(Biquad::high_pass(rate, 120.0, 0.7));
    let mut wet = sent;
    if finish.room > 0.0 {
        wet.room_only(finish.t60, finish.damping_hz, dice);
        dry.mix(&wet, finish.room);
    }
    let loudness = dry.loudness();
    if loudness > 1e-9 {
        dry.shape(|x| x * 0.1 / loudness);
    }
    if finish.glue > 1.0 {
        // The bus is at -20 dBFS now; the compressor takes the loudest few dB.
        dry.compress(-20.0, finish.glue, 0.02, 0.2);
    }
    if finish.tape > 0.0 {
        tape(&mut dry, finish.tape, dice);
    }
    if finish.vinyl {
        vinyl(&mut dry, dice);
    }
    if finish.band.0 > 0.0 {
        dry.filter(Biquad::high_pass(rate, finish.band.0, 0.7));
    }
    if finish.band.1 < 0.45 * rate {
        dry.filter(Biquad::low_pass(rate, finish.band.1, 0.54)).filter(Biquad::low_pass(
            rate,
            finish.band.1,
            1.31,
        ));
    }
    if finish.mono {
        let [left, right] = &mut dry.sides;
        for (l, r) in left.iter_mut().zip(right) {
            (*l, *r) = (0.5 * (*l + *r), 0.5 * (*l + *r));
        }
    }
    if let Some(quality) = finish.codec {
        squeeze(&mut dry, quality);
    }
    dry.master(seconds, finish.level_db, finish.hard)
}

/// Adds a stereo track: narrowed to its width, then balanced towards its place.
fn place(bus: &mut Bus, track: &Track, level: f32) {
    let angle = (track.pan.clamp(-1.0, 1.0) + 1.0) * std::f32::consts::FRAC_PI_4;
    let (left, right) = (angle.cos() * std::f32::consts::SQRT_2, angle.sin() * std::f32::consts::SQRT_2);
    let [out_left, out_right] = &mut bus.sides;
    let [in_left, in_right] = &track.sound.sides;
    for (((l, r), a), b) in out_left.iter_mut().zip(out_right).zip(in_left).zip(in_right) {
        let (wide_left, wide_right) = widened(*a, *b, track.width);
        *l += level * left * wide_left;
        *r += level * right * wide_right;
    }
}

/// Magnetic tape: soft saturation, a head bump, less treble, hiss, and the slow and fast errors of speed.
fn tape(bus: &mut Bus, drive: f32, dice: &mut Dice) {
    let rate = bus.rate;
    wow(bus, 0.0004 + 0.0012 * drive * dice.unit(), dice);
    let gain_in = 1.0 + 2.5 * drive;
    bus.shape(|x| (gain_in * 2.0 * x).tanh() / (2.0 * gain_in.sqrt()));
    bus.filter(Biquad::bell(rate, dice.within(60.0, 110.0), 1.0, 2.0 * drive));
    bus.filter(Biquad::high_shelf(rate, 7000.0, -6.0 * drive));
    let level = gain(dice.within(-78.0, -62.0));
    hiss(bus, level, dice);
}

/// A vinyl record: bass in the middle, rumble, surface noise and crackle.
fn vinyl(bus: &mut Bus, dice: &mut Dice) {
    let rate = bus.rate;
    wow(bus, 0.0008, dice);
    let length = bus.sides[0].len();
    let mut crackle = vec![0.0_f32; length];
    let density = dice.within(2.0, 25.0) / rate;
    for x in &mut crackle {
        if dice.chance(density) {
            *x = dice.noise() * dice.unit().powi(3);
        }
    }
    Biquad::low_pass(rate, 6500.0, 0.6).run(&mut crackle);
    Biquad::high_pass(rate, 700.0, 0.6).run(&mut crackle);
    let mut rumble: Vec<f32> = (0..length).map(|_| dice.noise()).collect();
    Biquad::low_pass(rate, 60.0, 0.9).run(&mut rumble);
    let level = gain(dice.within(-66.0, -54.0)) / rms(&rumble).max(1e-9);
    bus.add(0.0, &rumble, level, 0.0);
    bus.add(0.0, &crackle, dice.within(0.1, 0.5), dice.within(-0.3, 0.3));
    hiss(bus, gain(dice.within(-72.0, -60.0)), dice);
    bus.filter(Biquad::low_pass(rate, dice.within(11_000.0, 15_000.0), 0.7));
}

/// Adds white noise that differs between the sides.
fn hiss(bus: &mut Bus, level: f32, dice: &mut Dice) {
    for side in &mut bus.sides {
        let mut noise = Noise::new(dice);
        side.iter_mut().for_each(|x| *x += level * noise.tick());
    }
}

/// Errors of speed by this share: one slow, one fast.
fn wow(bus: &mut Bus, share: f32, dice: &mut Dice) {
    let rate = bus.rate;
    let tau = std::f32::consts::TAU;
    let (slow, fast) = (dice.within(0.4, 0.9), dice.within(5.0, 9.0));
    let (a, b) = (share / (tau * slow), 0.3 * share / (tau * fast));
    let reach = samples(a + b, rate) as f32 + 2.0;
    for side in &mut bus.sides {
        let source = side.clone();
        for (n, out) in side.iter_mut().enumerate() {
            let t = n as f32 / rate;
            let late = reach + rate * (a * (tau * slow * t).sin() + b * (tau * fast * t).sin());
            let whole = late.ceil();
            let part = whole - late;
            let index = n as isize - whole as isize;
            let read = |i: isize| usize::try_from(i).ok().and_then(|i| source.get(i)).copied().unwrap_or(0.0);
            *out = read(index) * (1.0 - part) + read(index + 1) * part;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(level: f32, seed: u64) -> Bus {
        let mut bus = Bus::new(32_000.0, 4.0);
        let mut dice = Dice::new(seed);
        let sound: Vec<f32> = (0..128_000).map(|_| level * dice.noise()).collect();
        bus.add(0.0, &sound, 1.0, 0.0);
        bus
    }

    #[test]
    fn levels_and_places_are_those_of_the_desk_whatever_the_tracks_bring() {
        let finish = Finish { glue: 1.0, ..Finish::clean(0.3, 0.0, -20.0) };
        let balance = |a: f32, b: f32| {
            let tracks = vec![Track::new(noise(a, 1), 0.0, -1.0), Track::new(noise(b, 2), -12.0, 1.0)];
            let audio = mix(tracks, &finish, 4.0, &mut Dice::new(1));
            20.0 * (rms(&audio.channels[0]) / rms(&audio.channels[1])).log10()
        };
        for (a, b) in [(1.0, 1.0), (0.01, 3.0)] {
            let db = balance(a, b);
            assert!((db - 12.0).abs() < 0.5, "{db}");
        }
    }

    #[test]
    fn tape_vinyl_band_and_mono_do_what_they_say() {
        let finish = Finish {
            tape: 0.5,
            vinyl: true,
            mono: true,
            band: (100.0, 5000.0),
            ..Finish::clean(0.5, 0.2, -18.0)
        };
        let play =
            |finish: &Finish| mix(vec![Track::new(noise(0.3, 4), 0.0, 0.6)], finish, 4.0, &mut Dice::new(2));
        let audio = play(&finish);
        assert_eq!(audio.channels[0], audio.channels[1]);
        let treble = |audio: &Audio| {
            let mut treble = audio.channels[0].clone();
            Biquad::high_pass(32e3, 11_000.0, 0.7).run(&mut treble);
            20.0 * (rms(&treble) / rms(&audio.channels[0])).log10()
        };
        let clean = play(&Finish::clean(0.5, 0.2, -18.0));
        assert_ne!(clean.channels[0], clean.channels[1]);
        let lost = treble(&clean) - treble(&audio);
        assert!(lost > 15.0, "the band takes {lost} dB of the treble");
    }
}
