//! From the frames of a question to the columns that a model gets: features or samples. Allocates, so it belongs to the worker.
//!
//! The columns of a window depend on nothing but its own frames, so that an answer can be kept and used again wherever the
//! same frames come: the slow level is taken from the window itself, as if it had sounded like this before. A window that
//! reaches back to a seam (see [`crate::rt::frames`]) has fewer frames than the model takes; it is repeated backwards until
//! there are enough, which is what a loop of that length sounds like.

use crate::link::Request;
use crate::model::InputKind;
use crate::rt::features::level::{SILENCE_DBFS, SlowLevel};
use crate::rt::features::mfcc::Dct;
use crate::rt::features::samples::SAMPLES;
use crate::rt::features::{MFCCS, limited};

/// `model.frames` columns, oldest first; none for a question without frames, or whose samples are no longer kept.
pub fn columns(request: &Request) -> Vec<f32> {
    match request.model.input {
        InputKind::Samples960 => samples(request).unwrap_or_default(),
        InputKind::LogMel40 | InputKind::Mfcc13 => features(request),
    }
}

/// The first of `frames` frames with which to begin going round, so that the last of `wanted` is the last of them.
fn first_of(frames: usize, wanted: usize) -> usize {
    let missing = wanted.saturating_sub(frames);
    (frames - missing % frames) % frames
}

fn samples(request: &Request) -> Option<Vec<f32>> {
    let (ring, end) = request.samples.as_ref()?;
    let (frames, wanted) = (usize::from(request.scope.frames), request.model.frames);
    let window = ring.read(*end, frames).filter(|window| !window.is_empty())?;
    let first = first_of(frames, wanted) * SAMPLES;
    Some(window.iter().cycle().skip(first).take(wanted * SAMPLES).copied().collect())
}

fn features(request: &Request) -> Vec<f32> {
    let (levelling, wanted) = (request.levelling, request.model.frames);
    let frames: Vec<_> = request.bands_db.iter().zip(&request.level_dbfs).collect();
    if frames.is_empty() {
        return Vec::new();
    }
    let sounding: Vec<f32> = frames
        .iter()
        .filter(|(_, dbfs)| **dbfs >= SILENCE_DBFS)
        .map(|(bands, _)| levelling.mean_db(bands))
        .collect();
    let mut level = match sounding.len() {
        0 => SlowLevel::new(levelling.hop_s),
        n => SlowLevel::steady(levelling.hop_s, sounding.iter().sum::<f32>() / n as f32),
    };
    let dct = Dct::new();
    let first = first_of(frames.len(), wanted);
    let mut out = Vec::with_capacity(wanted * request.model.input.rows());
    for (bands, dbfs) in frames.iter().cycle().skip(first).take(wanted) {
        let level_db = level.push(levelling.mean_db(bands), **dbfs);
        let levelled = levelling.over(bands, level_db);
        if request.model.input == InputKind::Mfcc13 {
            let mut mfcc = [0.0; MFCCS];
            dct.apply(&levelled, &mut mfcc);
            out.extend(mfcc);
        } else {
            out.extend(limited(&levelled));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rt::features::{FrontEnd, MEL_BANDS};
    use crate::rt::recognizer::RemoteModel;

    fn request(frames: usize, bands: &[f32], input: InputKind) -> Request {
        let levelling = FrontEnd::new(48_000.0).levelling();
        let mut request = Request::new(levelling);
        request.model = RemoteModel { frames, input, ..RemoteModel::NONE };
        request.bands_db.extend(bands.iter().map(|db| [*db; MEL_BANDS]));
        request.level_dbfs.extend(bands.iter().map(|_| -20.0));
        request
    }

    #[test]
    fn a_short_window_is_repeated_up_to_its_end() {
        // Far apart, so that the level hardly matters for which is which.
        let bands = [-90.0, -50.0, -10.0];
        for wanted in 3..12 {
            let columns = columns(&request(wanted, &bands, InputKind::LogMel40));
            assert_eq!(columns.len(), wanted * MEL_BANDS);
            for (back, column) in columns.chunks(MEL_BANDS).rev().enumerate() {
                let over = (column[0] * 20.0 - 50.0).round();
                let expected = bands[2 - back % 3];
                assert!((over - expected).abs() < 5.0, "{wanted} {back}: {over} {expected}");
            }
        }
    }

    #[test]
    fn a_steady_sound_lies_at_its_own_level_whatever_its_gain() {
        for gain in [-80.0, -50.0, -20.0] {
            let mel = columns(&request(20, &[gain; 20], InputKind::LogMel40));
            let mfcc = columns(&request(20, &[gain; 20], InputKind::Mfcc13));
            assert!(mel.iter().chain(&mfcc).all(|x| x.abs() < 1e-4), "{gain}");
            assert_eq!(mfcc.len(), 20 * MFCCS);
        }
        assert!(columns(&request(20, &[], InputKind::LogMel40)).is_empty());
    }

    #[test]
    fn samples_are_those_that_were_heard_and_late_ones_are_none() {
        let ring = std::sync::Arc::new(crate::rt::sample_ring::SampleRing::new(4));
        (0..9).for_each(|number| ring.push(&[number as f32; SAMPLES]));
        let mut request = request(4, &[], InputKind::Samples960);
        let mut firsts = |end, frames| {
            request.samples = Some((std::sync::Arc::clone(&ring), end));
            request.scope.frames = frames;
            columns(&request).iter().step_by(SAMPLES).copied().collect::<Vec<f32>>()
        };
        assert_eq!(firsts(9, 4), [5.0, 6.0, 7.0, 8.0]);
        assert_eq!(firsts(8, 3), [7.0, 5.0, 6.0, 7.0], "a short window is repeated up to its end");
        assert!(firsts(10, 4).is_empty(), "not there yet");
        assert!(firsts(9, 0).is_empty());
    }

    /// What the front end gives once the level has settled is what the worker makes of the same bands.
    #[test]
    fn columns_are_those_of_the_front_end() {
        let rate = 16_000.0;
        let mut front = FrontEnd::new(rate);
        let mut request = Request::new(front.levelling());
        let mut wanted = [vec![], vec![]];
        let mut state = 1u32;
        for frame in 0..3000 {
            let samples: Vec<f32> = (0..front.hop())
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    0.1 * (state as f32 / u32::MAX as f32 - 0.5)
                })
                .collect();
            let features = *front.push(&samples);
            if frame >= 2700 {
                request.bands_db.push(*front.bands_db());
                request.level_dbfs.push(features.level_dbfs);
                wanted[0].extend(features.log_mel);
                wanted[1].extend(features.mfcc);
            }
        }
        for (input, wanted) in [(InputKind::LogMel40, &wanted[0]), (InputKind::Mfcc13, &wanted[1])] {
            request.model = RemoteModel { frames: 300, input, ..RemoteModel::NONE };
            let got = columns(&request);
            assert_eq!(got.len(), wanted.len());
            // The noise's own level wanders by some tenths of a dB.
            let off = got.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 0.2, "{input:?} {off}");
        }
    }
}
