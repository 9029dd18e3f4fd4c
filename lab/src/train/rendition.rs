//! The same recording as another room, codec, player and sampling rate would deliver it: what can be varied in the sound
//! itself only. What is as good in the features is varied there, see [`super::augment`].

use crate::audio::Audio;
use crate::features::ClipFeatures;
use crate::synth::coder;
use crate::synth::dice::Dice;
use crate::synth::mixdown::{Bus, widened};
use sha2::{Digest, Sha256};
use std::sync::OnceLock;

/// Rates that a sound may be played at, in Hz.
const RATES: [u32; 5] = [16_000, 22_050, 32_000, 44_100, 48_000];

/// Columns of another rendition of `audio`, as the seed decides. It lasts as long as the original, frame for frame; one
/// that is too short for a frame has none.
pub fn another(audio: &Audio, seed: u64) -> ClipFeatures {
    let mut dice = Dice::new(seed);
    let (left, right) = match &audio.channels[..] {
        [] => return ClipFeatures::default(),
        [mono] => (mono, mono),
        [left, right, ..] => (left, right),
    };
    let mut bus = Bus { rate: audio.sample_rate as f32, sides: [left.clone(), right.clone()] };
    if dice.chance(0.5) {
        place(&mut bus, dice.within(0.0, 1.6), dice.within(-0.4, 0.4));
    }
    if dice.chance(0.5) {
        let (t60, damping_hz) = (dice.within(0.15, 1.2), dice.within(2_000.0, 9_000.0));
        let level = dice.within(0.1, 0.7);
        bus.room(t60, damping_hz, level, &mut dice);
    }
    if dice.chance(0.5) {
        coder::squeeze(&mut bus, dice.unit());
    }
    let mono = Audio::new(audio.sample_rate, bus.sides.into()).mono();
    let played = Audio::new(audio.sample_rate, vec![mono]).at_rate(*dice.pick(&RATES));
    ClipFeatures::of_sound(&played.channels[0], played.sample_rate)
}

/// Hash of a rendition of a fixed sound: changes when what is done to sounds does.
pub fn fingerprint() -> &'static [u8] {
    static FINGERPRINT: OnceLock<Vec<u8>> = OnceLock::new();
    FINGERPRINT.get_or_init(|| {
        let mut dice = Dice::new(0);
        let noise = || (0..12_000).map(|_| 0.1 * dice.noise()).collect();
        let sound = Audio::new(48_000, std::iter::repeat_with(noise).take(2).collect());
        let mut hash = Sha256::new();
        for seed in 0..8 {
            another(&sound, seed).log_mel.iter().for_each(|value| hash.update(value.to_le_bytes()));
        }
        hash.finalize().to_vec()
    })
}

/// Makes the stage `width` times as wide and turns it to one side, which moves the balance of what is heard in mono.
fn place(bus: &mut Bus, width: f32, turn: f32) {
    let [left, right] = &mut bus.sides;
    for (l, r) in left.iter_mut().zip(right) {
        let (wide_left, wide_right) = widened(*l, *r, width);
        (*l, *r) = ((1.0 - turn) * wide_left, (1.0 + turn) * wide_right);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth;
    use idiom_engine::Genre;

    #[test]
    fn a_rendition_is_the_same_music_frame_for_frame_and_never_the_same_columns() {
        let audio = synth::render(Genre::Rock, 1, 4.0, 44_100);
        let original = ClipFeatures::of_sound(&audio.mono(), 44_100);
        let mut changed = 0;
        for seed in 0..12 {
            let features = another(&audio, seed);
            assert_eq!(features, another(&audio, seed));
            assert!(features.frames().abs_diff(original.frames()) <= 1, "{} frames", features.frames());
            assert!(features.log_mel.iter().all(|x| x.is_finite()));
            assert_ne!(features.log_mel, original.log_mel);
            // Correlation over time and bands: it is still that music.
            let n = features.log_mel.len().min(original.log_mel.len());
            let mean = |x: &[f32]| x.iter().sum::<f32>() / x.len() as f32;
            let (a, b) = (&features.log_mel[..n], &original.log_mel[..n]);
            let (ma, mb) = (mean(a), mean(b));
            let product = |x: &[f32], mx: f32, y: &[f32], my: f32| -> f32 {
                x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
            };
            let same = product(a, ma, b, mb) / (product(a, ma, a, ma) * product(b, mb, b, mb)).sqrt();
            assert!(same > 0.5, "seed {seed}: {same}");
            changed += usize::from(same < 0.98);
            println!("seed {seed}: {same}");
        }
        assert!(changed >= 4, "only {changed} of 12 sound different");
    }

    #[test]
    fn what_has_no_samples_has_no_columns() {
        assert_eq!(another(&Audio::new(48_000, Vec::new()), 1).frames(), 0);
        assert_eq!(another(&Audio::new(48_000, vec![vec![0.1; 10]]), 1).frames(), 0);
    }
}
