//! How soon a genre is recognised after another one: clips of different genres, cut hard one after the other.

use super::listen::Listener;
use super::steady::{median, seconds};
use crate::audio;
use crate::features::progress_bar;
use crate::interrupt;
use anyhow::Result;
use idiom_engine::rt::decision::Outcome;
use idiom_engine::{Genre, Verdict};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Seconds of each clip, from its middle.
const PASSAGE_SECONDS: usize = 10;
/// Clips in a programme. The first one's start is not counted.
const PASSAGES: usize = 9;
/// Sample rate of the programmes.
const RATE: u32 = 48_000;
/// Most clips that are used, spread evenly over a larger set.
const MOST_CLIPS: usize = 540;
/// Within this many seconds a genre should be recognised.
pub const WANTED_SECONDS: f64 = 1.5;

/// How soon genres are recognised after a hard cut from another genre.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StartsReport {
    /// Starts that count. Those at which the new genre was in force already, wrongly, do not.
    pub starts: usize,
    /// Median of the seconds until the new genre is recognised. `None` when that does not happen in half of the passages.
    pub first_correct_s: Option<f64>,
    /// Share of the starts after which it is recognised within 1.5 s.
    pub within_1_5_s: f64,
    /// Share of the starts after which it is not recognised at all within the passage of 10 s.
    pub never: f64,
}

/// Plays programmes of the clips, given with their genres. Clips that cannot be read are passed over. `None` when no two
/// genres follow each other.
pub fn starts(listener: &Listener, clips: &[(&Path, Genre)]) -> Result<Option<StartsReport>> {
    let step = clips.len().div_ceil(MOST_CLIPS).max(1);
    let clips: Vec<(&Path, Genre)> = clips.iter().copied().step_by(step).collect();
    let order = alternating(&clips.iter().map(|clip| clip.1).collect::<Vec<_>>());
    let bar = progress_bar(order.len() as u64, "starts");
    let times = order
        .par_chunks(PASSAGES)
        .map(|programme| {
            let mut sound = Vec::new();
            let mut passages = Vec::new();
            for &clip in programme {
                interrupt::check()?;
                if let Some(passage) = passage(clips[clip].0) {
                    sound.extend(passage);
                    passages.push((clips[clip].1, sound.len()));
                }
                bar.inc(1);
            }
            Ok(measure(&listener.clone().hear(&sound, RATE).outcomes, &passages))
        })
        .collect::<Result<Vec<Vec<f64>>>>();
    bar.finish_and_clear();
    let times: Vec<f64> = times?.into_iter().flatten().collect();
    let share = |count: usize| count as f64 / times.len() as f64;
    Ok((!times.is_empty()).then(|| StartsReport {
        starts: times.len(),
        first_correct_s: median(&times),
        within_1_5_s: share(times.iter().filter(|time| **time <= WANTED_SECONDS).count()),
        never: share(times.iter().filter(|time| time.is_infinite()).count()),
    }))
}

/// An order of clips in which neighbours differ in genre as long as that is possible; the same for the same genres.
fn alternating(genres: &[Genre]) -> Vec<usize> {
    let mut waiting: Vec<Vec<usize>> = Genre::ALL
        .map(|genre| (0..genres.len()).filter(|&clip| genres[clip] == genre).collect::<Vec<usize>>())
        .into();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    waiting.iter_mut().for_each(|clips| clips.shuffle(&mut random));
    let mut kinds: Vec<usize> = (0..waiting.len()).collect();
    let mut order: Vec<usize> = Vec::with_capacity(genres.len());
    for _ in 0..genres.len() {
        let last = order.last().map(|&clip| genres[clip].index());
        // Among those with as many waiting, any may come next, so that every genre follows every other.
        kinds.shuffle(&mut random);
        let next = kinds
            .iter()
            .copied()
            .max_by_key(|&kind| (Some(kind) != last && !waiting[kind].is_empty(), waiting[kind].len()));
        order.extend(next.and_then(|kind| waiting[kind].pop()));
    }
    order
}

/// Whole frames from the middle of a clip; `None` when it cannot be read or is shorter than 3 s.
fn passage(path: &Path) -> Option<Vec<f32>> {
    let mut sound = audio::read(path).ok()?;
    sound.channels = vec![sound.mono()];
    let wanted = PASSAGE_SECONDS * sound.sample_rate as usize;
    let first = sound.len().saturating_sub(wanted) / 2;
    let channel = &sound.channels[0];
    sound.channels[0] = channel[first..channel.len().min(first + wanted)].to_vec();
    if sound.seconds() < 3.0 {
        return None;
    }
    let mut mono = sound.at_rate(RATE).channels.swap_remove(0);
    mono.truncate(mono.len() - mono.len() % (RATE as usize / 50));
    Some(mono)
}

/// Seconds from each cut between different genres to the new genre's recognition; infinite where it does not come.
/// `passages` holds each one's genre and the sample where it ends.
fn measure(outcomes: &[Outcome], passages: &[(Genre, usize)]) -> Vec<f64> {
    let frame = |sample: usize| (sample / (RATE as usize / 50)).min(outcomes.len());
    passages
        .windows(2)
        .filter(|pair| pair[0].0 != pair[1].0)
        .filter_map(|pair| {
            let ((_, start), (genre, end)) = (pair[0], pair[1]);
            let (start, end) = (frame(start), frame(end));
            let before = start.checked_sub(1).and_then(|last| outcomes.get(last));
            if before.is_some_and(|before| before.genre == Some(genre)) {
                return None;
            }
            let right = |o: &Outcome| o.verdict == Verdict::Recognised && o.genre == Some(genre);
            let found = outcomes[start..end].iter().position(right);
            Some(found.map_or(f64::INFINITY, |frames| seconds(frames + 1)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_while_they_can() {
        let counts = [(Genre::Speech, 7), (Genre::Rock, 5), (Genre::Jazz, 6), (Genre::Classical, 3)];
        let genres: Vec<Genre> = counts.into_iter().flat_map(|(genre, count)| vec![genre; count]).collect();
        let order = alternating(&genres);
        assert_eq!(order, alternating(&genres));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..genres.len()).collect::<Vec<_>>());
        assert!(order.windows(2).all(|pair| genres[pair[0]] != genres[pair[1]]), "{order:?}");
        assert_eq!(alternating(&[Genre::Rock; 3]).len(), 3, "one genre alone follows itself");
    }

    #[test]
    fn times_count_from_the_cut() {
        let of = |genre, verdict, frames| {
            vec![Outcome { genre: Some(genre), verdict, ..Outcome::default() }; frames]
        };
        let outcomes = [
            of(Genre::Speech, Verdict::Recognised, 500),
            of(Genre::Speech, Verdict::Uncertain, 60),
            of(Genre::Jazz, Verdict::Uncertain, 14),
            of(Genre::Jazz, Verdict::Recognised, 426),
            of(Genre::Rock, Verdict::Recognised, 500),
            of(Genre::Rock, Verdict::Recognised, 500),
        ]
        .concat();
        let hop = RATE as usize / 50;
        let passages = [Genre::Speech, Genre::Jazz, Genre::Speech, Genre::Rock]
            .iter()
            .enumerate()
            .map(|(i, genre)| (*genre, 500 * hop * (i + 1)));
        let times = measure(&outcomes, &passages.collect::<Vec<_>>());
        // Jazz after 75 frames; speech never; rock was in force before it began.
        assert_eq!(times, [1.5, f64::INFINITY]);
    }
}
