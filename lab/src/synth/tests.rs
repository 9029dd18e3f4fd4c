use super::*;
use crate::synth::studio::Studio;

/// Every style of every genre.
fn all() -> impl Iterator<Item = (Genre, usize)> {
    Genre::ALL.into_iter().flat_map(|genre| (0..styles(genre).len()).map(move |style| (genre, style)))
}

#[test]
fn every_style_sounds_is_finite_and_is_not_clipped() {
    for (genre, style) in all() {
        let piece = compose_style(genre, style, &Studio::PROCEDURAL, 5, 6.0, 32_000);
        let name = piece.style;
        assert_eq!((piece.audio.channels.len(), piece.audio.len()), (2, 192_000), "{name}");
        let samples: Vec<f32> = piece.audio.channels.concat();
        assert!(samples.iter().all(|x| x.is_finite() && x.abs() < 0.98), "{name}");
        let level = 20.0 * dsp::rms(&samples).log10();
        assert!((-36.0..-7.0).contains(&level), "{name}: {level} dBFS");
        let silent = samples.chunks(32_000).filter(|second| dsp::rms(second) < 1e-4).count();
        assert!(silent <= 2, "{name}: {silent} of 12 seconds are silent");
    }
}

#[test]
fn a_seed_gives_the_same_samples_and_another_one_others() {
    for genre in Genre::ALL {
        let first = compose(genre, &Studio::PROCEDURAL, 11, 2.0, 22_050);
        assert_eq!(first, compose(genre, &Studio::PROCEDURAL, 11, 2.0, 22_050), "{genre:?}");
        assert_ne!(first.audio, compose(genre, &Studio::PROCEDURAL, 12, 2.0, 22_050).audio, "{genre:?}");
    }
}

#[test]
fn seeds_reach_every_style() {
    for genre in Genre::ALL {
        let mut missing: Vec<&str> = styles(genre).to_vec();
        for seed in 0..120 {
            missing.retain(|&name| name != styles(genre)[style_of(genre, seed)]);
        }
        assert!(missing.is_empty(), "{genre:?}: no seed up to 120 gives {missing:?}");
    }
}

#[test]
fn odd_rates_and_lengths_are_served() {
    for genre in Genre::ALL {
        for (rate, seconds) in [(8_000, 0.1), (11_025, 1.3), (96_000, 0.5)] {
            let audio = render(genre, 3, seconds, rate);
            assert_eq!(audio.len(), (seconds * f64::from(rate)).round() as usize, "{genre:?} at {rate} Hz");
            assert!(audio.channels.iter().flatten().all(|x| x.is_finite()), "{genre:?} at {rate} Hz");
        }
    }
}

#[test]
fn styles_of_a_genre_differ_for_one_seed() {
    for genre in Genre::ALL {
        let mut heard = Vec::new();
        for style in 0..styles(genre).len() {
            let piece = compose_style(genre, style, &Studio::PROCEDURAL, 3, 1.0, 8_000);
            assert!(!heard.contains(&piece.audio), "{} sounds like another style", piece.style);
            heard.push(piece.audio);
        }
    }
}

#[test]
fn espeak_speaks_the_same_for_the_same_seed_and_in_other_words_than_ours() {
    let Some(espeak) = espeak::Espeak::installed() else {
        println!("SKIPPED: espeak_speaks: espeak-ng is not installed here");
        return;
    };
    let studio = Studio { espeak: Some(espeak), ..Studio::default() };
    for style in 0..styles(Genre::Speech).len() {
        let speak = |studio: &Studio| compose_style(Genre::Speech, style, studio, 4, 3.0, 16_000);
        let piece = speak(&studio);
        assert_eq!(piece, speak(&studio), "{}", piece.style);
        assert_ne!(piece.audio, speak(&Studio::PROCEDURAL).audio, "{}", piece.style);
        assert!(dsp::rms(&piece.audio.channels[0]) > 0.005, "{}: nothing is heard", piece.style);
    }
}
