//! Speech: one or several people, in rooms, on the air, on the telephone or over music. Sentences of espeak-ng where the
//! studio has it; else syllables, words and phrases with the rhythm and melody of talking, in made-up words.

use super::compose;
use super::desk::{Finish, Track, mix};
use super::dice::Dice;
use super::dsp::{Biquad, rms};
use super::espeak::Voice;
use super::mixdown::Bus;
use super::studio::Studio;
use super::voice::{
    CONSONANTS, Consonant, FRAME_S, Frame, SCHWA, Speaker, VOWELS, add_consonant, say, smooth,
};
use crate::audio::Audio;
use idiom_engine::Genre;

/// Ways of speaking, as [`play`] chooses them.
pub const STYLES: [&str; 6] = ["narration", "dialogue", "broadcast", "hall", "telephone", "over music"];

/// A syllable: opening consonants, vowel (gliding to another one in a diphthong), closing consonant.
#[derive(Clone)]
struct Syllable {
    opening: Vec<Consonant>,
    vowel: usize,
    glide: Option<usize>,
    closing: Option<Consonant>,
    stressed: bool,
}

/// Who talks: one of espeak-ng's voices with sentences, or a tract of ours with made-up words.
enum Talker {
    Espeak(Voice),
    Own(Speaker, Vec<Vec<Syllable>>),
}

impl Talker {
    fn random(studio: &Studio, fast: bool, dice: &mut Dice) -> Talker {
        if studio.espeak.is_some() {
            return Talker::Espeak(Voice::random(dice));
        }
        let mut speaker = Speaker::random(dice);
        if fast {
            speaker.speed = (speaker.speed * 1.15).min(6.0);
        }
        Talker::Own(speaker, (0..70).map(|i| word(i, dice)).collect())
    }

    /// A phrase; `last` ones end a thought. Where espeak-ng fails, somebody of ours goes on.
    fn say(&mut self, studio: &Studio, last: bool, rate: f32, dice: &mut Dice) -> Vec<f32> {
        if let (Talker::Espeak(voice), Some(espeak)) = (&*self, &studio.espeak) {
            if let Some(sound) = espeak.say(&voice.sentence(dice), voice, rate) {
                return sound;
            }
            *self = Talker::random(&Studio::PROCEDURAL, false, dice);
        }
        let Talker::Own(speaker, vocabulary) = self else { return Vec::new() };
        let words = 3 + dice.below(7);
        let text: Vec<&Vec<Syllable>> = (0..words)
            .map(|_| {
                // The commonest words are used most (Zipf): the square of a uniform number favours low ranks.
                let rank = (dice.unit().powi(2) * vocabulary.len() as f32) as usize;
                &vocabulary[rank.min(vocabulary.len() - 1)]
            })
            .collect();
        say(&smooth(&phrase(&text, speaker, last, dice)), speaker, rate, dice)
    }
}

/// Speaks for `seconds` in style number `style`.
pub fn play(style: usize, studio: &Studio, dice: &mut Dice, seconds: f32, rate: f32) -> Audio {
    let people = if style == 1 { 2 + dice.below(2) } else { 1 };
    let mut talkers: Vec<Talker> = (0..people).map(|_| Talker::random(studio, style == 2, dice)).collect();
    let mut takes = vec![Bus::new(rate, seconds + 1.0); people];
    let mut at = dice.within(0.05, 0.4);
    let mut turn = dice.below(people);
    let mut phrases_left = 1 + dice.below(4);
    while at < seconds {
        phrases_left -= 1;
        let sound = talkers[turn].say(studio, phrases_left == 0, rate, dice);
        let level = 0.1 / rms(&sound).max(1e-6) * dice.within(0.85, 1.1);
        let pan = if people > 1 { 0.3 * (turn as f32 - 0.5 * (people - 1) as f32) } else { 0.0 };
        takes[turn].add(at, &sound, level, pan);
        at += sound.len() as f32 / rate;
        at += if phrases_left == 0 { dice.within(0.45, 1.1) } else { dice.within(0.1, 0.4) };
        if phrases_left == 0 {
            phrases_left = 1 + dice.below(4);
            turn = (turn + 1) % people;
        }
    }
    let mut bus = Bus::new(rate, seconds + 1.0);
    for take in &mut takes {
        take.filter(Biquad::high_pass(rate, 70.0, 0.7));
        bus.mix(take, 1.0);
    }
    hum(&mut bus, dice.within(-68.0, -52.0), dice);
    let mut tracks = Vec::new();
    if style == 5 {
        // A bed 14 to 20 dB below the voice: it is still somebody talking.
        let genre = *dice.pick(&[Genre::Electronic, Genre::Classical, Genre::Jazz]);
        let music = compose(
            genre,
            studio,
            u64::from(dice.below(1 << 30) as u32),
            f64::from(seconds + 1.0),
            rate as u32,
        );
        let mut bed = Bus::new(rate, seconds + 1.0);
        for (side, channel) in bed.sides.iter_mut().zip(&music.audio.channels) {
            side.iter_mut().zip(channel).for_each(|(out, x)| *out = *x);
        }
        tracks.push(Track::new(bed, dice.within(-20.0, -14.0), 0.0).wide(1.0).sent(0.0));
    }
    let (finish, compression) = match style {
        2 | 5 => {
            bus.filter(Biquad::bell(rate, 150.0, 0.8, 3.0)).filter(Biquad::high_shelf(rate, 3500.0, 4.0));
            let level = dice.within(-18.0, -15.0);
            (Finish { hard: true, ..Finish::clean(0.3, 0.0, level) }, (-26.0, 4.0, 0.004, 0.12))
        }
        3 => {
            let room = dice.within(0.25, 0.7);
            (Finish::clean(dice.within(0.7, 1.8), room, dice.within(-27.0, -20.0)), (-10.0, 1.0, 0.01, 0.2))
        }
        _ => {
            let room = dice.within(0.05, 0.25);
            (Finish::clean(dice.within(0.2, 0.45), room, dice.within(-25.0, -18.0)), (-24.0, 2.0, 0.01, 0.2))
        }
    };
    let (threshold, ratio, attack, release) = compression;
    bus.compress(threshold, ratio, attack, release);
    tracks.insert(0, Track::new(bus, 0.0, 0.0).wide(1.0));
    let mut finish = Finish { damping_hz: dice.within(2500.0, 5000.0), glue: 1.0, ..finish }.aged(0.25, dice);
    if style == 4 {
        finish.band = (dice.within(200.0, 350.0), dice.within(3000.0, 3800.0));
        finish.mono = true;
    }
    mix(tracks, &finish, seconds, dice)
}

/// The noise of a room and of a microphone, this many dB below full scale.
fn hum(bus: &mut Bus, db: f32, dice: &mut Dice) {
    let mut noise: Vec<f32> = (0..bus.sides[0].len()).map(|_| dice.noise()).collect();
    Biquad::low_pass(bus.rate, dice.within(300.0, 3000.0), 0.5).run(&mut noise);
    let level = super::dsp::gain(db) / rms(&noise).max(1e-9);
    bus.add(0.0, &noise, level, 0.0);
}

/// A word of the vocabulary; low ranks are short function words.
fn word(rank: usize, dice: &mut Dice) -> Vec<Syllable> {
    let count = if rank < 14 { 1 } else { 1 + dice.below(4).min(2) };
    let stress = dice.below(count);
    (0..count)
        .map(|i| {
            let stressed = i == stress && rank >= 14;
            let mut opening = Vec::new();
            if dice.chance(0.88) {
                let first = *dice.pick(&CONSONANTS);
                opening.push(first);
                if matches!(first, Consonant::Stop { .. }) && dice.chance(0.2) {
                    // Stops join with l and r.
                    opening.push(CONSONANTS[14 + dice.below(2)]);
                }
            }
            let vowel = if stressed {
                dice.below(SCHWA)
            } else if dice.chance(0.6) {
                SCHWA
            } else {
                dice.below(SCHWA)
            };
            let glide = (stressed && dice.chance(0.35)).then(|| [0, 1, 7][dice.below(3)]);
            let closing = dice.chance(0.5).then(|| *dice.pick(&CONSONANTS[..16]));
            Syllable { opening, vowel, glide, closing, stressed }
        })
        .collect()
}

/// A phrase: the melody sinks from word to word, stressed syllables rise above it, the last one falls or asks.
fn phrase(words: &[&Vec<Syllable>], speaker: &Speaker, last: bool, dice: &mut Dice) -> Vec<Frame> {
    let total: usize = words.iter().map(|word| word.len()).sum();
    let question = last && dice.chance(0.15);
    let stretch = 4.6 / speaker.speed;
    let mut frames = Vec::new();
    let mut spoken = 0;
    let start = dice.within(0.5, 1.3);
    for (index, word) in words.iter().enumerate() {
        for syllable in word.iter() {
            let share = spoken as f32 / total.max(1) as f32;
            spoken += 1;
            let accent = if syllable.stressed { dice.within(0.4, 1.3) } else { 0.0 };
            let end = if spoken + 1 < total || !last {
                0.0
            } else if question {
                2.2
            } else {
                -1.6
            };
            let semitones = speaker.range * (start - 1.6 * share + accent + end) + 0.25 * dice.bell();
            let f0 = speaker.pitch * (semitones / 12.0).exp2();
            let vowel = VOWELS[syllable.vowel];
            for &consonant in &syllable.opening {
                add_consonant(&mut frames, consonant, f0, vowel, stretch * dice.within(0.8, 1.2));
            }
            let long = if syllable.stressed { dice.within(0.12, 0.19) } else { dice.within(0.055, 0.09) };
            let drawl = if spoken == total { 1.5 } else { 1.0 };
            let count = (long * stretch * drawl / FRAME_S) as usize;
            let force = if syllable.stressed { 1.0 } else { dice.within(0.55, 0.8) } * (1.0 - 0.35 * share);
            for i in 0..count {
                let t = i as f32 / count.max(1) as f32;
                let target = syllable.glide.map_or(vowel, |glide| VOWELS[glide]);
                let moved = ((t - 0.35) / 0.5).clamp(0.0, 1.0) * 0.8;
                let rise = 0.5 * accent * (std::f32::consts::PI * t).sin() + 0.5 * end * (t - 0.5);
                frames.push(Frame {
                    f0: f0 * (speaker.range * 0.5 * rise / 12.0).exp2(),
                    formants: [0, 1, 2].map(|k| vowel[k] + moved * (target[k] - vowel[k])),
                    voice: force,
                    hiss_hz: 3000.0,
                    ..Frame::default()
                });
            }
            if let Some(consonant) = syllable.closing {
                add_consonant(&mut frames, consonant, f0, vowel, 0.85 * stretch);
            }
        }
        if index + 1 < words.len() && dice.chance(0.12) {
            // A small breath between two words.
            let silence = Frame { f0: speaker.pitch, formants: VOWELS[SCHWA], ..Frame::default() };
            frames.extend(std::iter::repeat_n(silence, (dice.within(0.05, 0.2) / FRAME_S) as usize));
        }
    }
    frames
}
