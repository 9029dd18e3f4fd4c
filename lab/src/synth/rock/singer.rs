//! A singer without words: nonsense syllables on a melody, through a compressor.

use crate::synth::dice::Dice;
use crate::synth::dsp::rms;
use crate::synth::mixdown::Bus;
use crate::synth::theory::{Melody, PENTATONIC, degree, hz};
use crate::synth::voice::{CONSONANTS, FRAME_S, Frame, Speaker, VOWELS, add_consonant, say, smooth};

/// Somebody with a strong voice.
pub fn somebody(dice: &mut Dice) -> Speaker {
    Speaker { open: 0.5, breathy: 0.05, ..Speaker::random(dice) }
}

/// A bar of singing, from `at`, around the chord's root.
pub fn bar(track: &mut Bus, singer: &Speaker, at: f32, beat: f32, root: i32, high: bool, dice: &mut Dice) {
    let octave = if singer.pitch > 150.0 { 24 } else { 12 };
    let mut melody = Melody::new(if high { 5 } else { 2 }, 4);
    let mut frames: Vec<Frame> = Vec::new();
    let bar = 4.0 * beat;
    let begin = if dice.chance(0.4) { beat * 0.5 } else { 0.0 };
    let mut time = begin;
    while time < bar - 0.3 {
        let beats = *dice.pick(&[0.5, 0.5, 1.0, 1.0, 1.5]);
        let seconds = f32::min(beats * beat, bar - time);
        let f0 = hz((root + octave + degree(PENTATONIC, melody.next(dice))) as f32);
        let vowel = VOWELS[[2, 3, 4, 5, 8][dice.below(5)]];
        let before = frames.len();
        add_consonant(&mut frames, *dice.pick(&CONSONANTS), f0, vowel, 0.8);
        let used = frames.len() - before;
        for i in 0..((seconds / FRAME_S) as usize).saturating_sub(used) {
            let t = i as f32 * FRAME_S;
            let vibrato = 0.35 * ((t - 0.25) / 0.3).clamp(0.0, 1.0) * (std::f32::consts::TAU * 5.6 * t).sin();
            let scoop = -1.2 * (-t / 0.06).exp();
            frames.push(Frame {
                f0: f0 * ((vibrato + scoop) / 12.0).exp2(),
                formants: vowel,
                voice: 1.0,
                breath: 0.05,
                hiss: 0.0,
                hiss_hz: 3000.0,
            });
        }
        time += seconds;
        if dice.chance(0.15) {
            break;
        }
    }
    let sound = say(&smooth(&frames), singer, track.rate, dice);
    let level = 0.14 / rms(&sound).max(1e-6);
    track.add(at + begin, &sound, level, 0.0);
}
