//! What is made of one labelled clip: as a whole, in excerpts heard alone, and by the decision stage.

use super::listen::Listener;
use super::steady::Steady;
use super::{EXCERPT_SECONDS, LISTENING_FRAMES, LISTENING_SECONDS, Prediction};
use idiom_engine::Genre;

/// What was made of a clip.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The whole, and its excerpts of 3 s.
    pub prediction: Prediction,
    /// The class named after each of [`LISTENING_SECONDS`], for every excerpt of that length.
    pub after: [Vec<usize>; LISTENING_SECONDS.len()],
    /// What the decision stage did; `None` when the classes are not the five genres.
    pub steady: Option<Steady>,
}

/// Hears a clip whose true class is `label`. `None` for a clip shorter than a frame.
pub fn judge(listener: &mut Listener, label: usize, mono: &[f32], sample_rate: u32) -> Option<Judged> {
    let classes = listener.classes().len();
    let heard = listener.hear(mono, sample_rate);
    let clip = over_all(&heard.posteriors, classes)?;
    let samples = |seconds: f64| ((seconds * f64::from(sample_rate)).round() as usize).max(1);
    let mut excerpts = Vec::new();
    let after = LISTENING_SECONDS.map(|seconds| {
        // A clip that is nearly as long as the excerpt, as most are for the longest, stands for one.
        let whole = mono.len() < samples(seconds) && mono.len() >= samples(0.5 * seconds) && seconds > 10.0;
        let length = if whole { mono.len() } else { samples(seconds) };
        let said: Vec<Vec<f32>> = mono
            .chunks_exact(length)
            .filter_map(|sound| {
                let posteriors = listener.hear(sound, sample_rate).posteriors;
                // The network itself looks back on three seconds; over longer times its answers are averaged.
                if seconds > EXCERPT_SECONDS {
                    over_all(&posteriors, classes)
                } else {
                    posteriors.len().checked_sub(classes).map(|last| posteriors[last..].to_vec())
                }
            })
            .collect();
        let named = said.iter().map(|p| named(p)).collect();
        if seconds == EXCERPT_SECONDS {
            excerpts = said;
        }
        named
    });
    let genre = Genre::from_name(&listener.classes()[label]);
    let steady = genre.filter(|_| listener.names_genres()).map(|genre| Steady::of(&heard.outcomes, genre));
    Some(Judged { prediction: Prediction { label, clip, excerpts }, after, steady })
}

/// The class that a sound as a whole is named; `None` for one shorter than a frame.
pub fn name_whole(listener: &mut Listener, mono: &[f32], sample_rate: u32) -> Option<usize> {
    let classes = listener.classes().len();
    over_all(&listener.hear(mono, sample_rate).posteriors, classes).map(|clip| named(&clip))
}

/// Mean probabilities over all frames but the first half second, in which hardly anything was heard.
fn over_all(posteriors: &[f32], classes: usize) -> Option<Vec<f32>> {
    let frames = posteriors.len().checked_div(classes)?;
    let counted = &posteriors[classes * LISTENING_FRAMES.min(frames.checked_sub(1)?)..];
    let count = (counted.len() / classes) as f32;
    Some((0..classes).map(|class| counted.iter().skip(class).step_by(classes).sum::<f32>() / count).collect())
}

/// The likeliest class; the first wins a tie.
pub fn named(probabilities: &[f32]) -> usize {
    super::report::likeliest(probabilities).0
}
