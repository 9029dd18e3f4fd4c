//! Music and speech from a seed: composes each genre, plays it with sampled or procedural instruments, and mixes it.
//!
//! For tests, demonstrations and as additional training material. One module a genre decides what is played. Rock, jazz
//! and classical music are written as parts ([`score`]) that a [`studio`] plays: a SoundFont ([`soundfont`]) where there is
//! one, else the [`procedural`] players. Electronic music uses the machines in [`instruments`], speech [`espeak`] or, without
//! it, [`voice`]. [`desk`] mixes and finishes all of them. [`midi`] reads files into the same parts. The same seed, length,
//! sample rate, SoundFont and program give the
//! same samples, bit for bit, on one platform; another platform's mathematical library may round sines and exponentials
//! differently in the last bit.
//!
//! Measured on what it makes, a model says more about this generator than about music: scores on it are synthetic scores.

pub mod classical;
pub mod coder;
pub mod desk;
pub mod dice;
pub mod dsp;
pub mod electronic;
pub mod espeak;
pub mod instruments;
pub mod jazz;
pub mod midi;
pub mod mixdown;
pub mod nothing;
pub mod procedural;
pub mod rock;
pub mod score;
pub mod soundfont;
pub mod speech;
pub mod studio;
pub mod theory;
pub mod voice;

use crate::audio::Audio;
use dice::Dice;
use idiom_engine::Genre;
use studio::Studio;

/// A rendered piece and what it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The sound: stereo, below full scale.
    pub audio: Audio,
    /// The kind within its genre, one of [`styles`].
    pub style: &'static str,
}

/// The kinds of a genre that the generator knows.
pub fn styles(genre: Genre) -> &'static [&'static str] {
    match genre {
        Genre::Speech => &speech::STYLES,
        Genre::Rock => &rock::STYLES,
        Genre::Jazz => &jazz::STYLES,
        Genre::Electronic => &electronic::STYLES,
        Genre::Classical => &classical::STYLES,
    }
}

/// Renders `seconds` of a genre in stereo with procedural instruments; the seed decides everything else: style, tempo,
/// key, form, players and mix.
///
/// `sample_rate` is kept to 8000..=192000 Hz and `seconds` to 0.1..=3600.
pub fn render(genre: Genre, seed: u64, seconds: f64, sample_rate: u32) -> Audio {
    compose(genre, &Studio::PROCEDURAL, seed, seconds, sample_rate).audio
}

/// Renders like [`render`] in a studio and says what style it is.
pub fn compose(genre: Genre, studio: &Studio, seed: u64, seconds: f64, sample_rate: u32) -> Piece {
    compose_style(genre, style_of(genre, seed), studio, seed, seconds, sample_rate)
}

/// The style that a seed chooses, an index into [`styles`].
pub fn style_of(genre: Genre, seed: u64) -> usize {
    Dice::new(seed ^ (genre.index() as u64) << 56).below(styles(genre).len())
}

/// Renders a chosen style, an index into [`styles`].
///
/// # Panics
/// When there is no such style.
pub fn compose_style(
    genre: Genre,
    style: usize,
    studio: &Studio,
    seed: u64,
    seconds: f64,
    sample_rate: u32,
) -> Piece {
    let name = styles(genre)[style];
    let rate = sample_rate.clamp(8_000, 192_000);
    let seconds = seconds.clamp(0.1, 3600.0);
    let mut dice =
        Dice::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (genre.index() as u64 * 16 + style as u64));
    let (length, rate) = (seconds as f32, rate as f32);
    let mut audio = match genre {
        Genre::Speech => speech::play(style, studio, &mut dice, length, rate),
        Genre::Rock => rock::play(style, studio, &mut dice, length, rate),
        Genre::Jazz => jazz::play(style, studio, &mut dice, length, rate),
        Genre::Electronic => electronic::play(style, &mut dice, length, rate),
        Genre::Classical => classical::play(style, studio, &mut dice, length, rate),
    };
    // The genres reckon in single precision, which is a sample or two off in long pieces.
    let length = (seconds * f64::from(rate)).round() as usize;
    audio.channels.iter_mut().for_each(|channel| channel.resize(length, 0.0));
    Piece { audio, style: name }
}

#[cfg(test)]
mod tests;
