//! When to draw without having been asked.
//!
//! Whoever changes something asks for a picture: the audio thread, the host, the mouse. What the worker does while no
//! sound comes, such as loading a model, asks for none: so the window looks for it now and then, the more seldom the longer
//! nothing has changed.
//!
//! At most one such picture is under way. A picture that is asked for in advance is drawn for certain, whatever was drawn
//! meanwhile: were each picture to ask for one in half a second, then thirty pictures a second while the sound plays would
//! go on as thirty a second for ever after it has stopped.

use std::time::Duration;

/// Seconds until the first look, and after any change.
const FIRST_S: f64 = 0.5;
/// Seconds between two looks when nothing has changed for long.
const LONGEST_S: f64 = 4.0;
/// Seconds by which a picture may come before its time.
const EARLY_S: f64 = 0.02;

/// See the [module](self).
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// Seconds from one look to the next.
    pause_s: f64,
    /// When the picture that is under way comes.
    due_s: f64,
}

impl Default for Rest {
    fn default() -> Self {
        Self { pause_s: FIRST_S, due_s: f64::NEG_INFINITY }
    }
}

impl Rest {
    /// A picture was drawn at a time in seconds, the `same` as the one before; another is wanted after `busy` at the latest,
    /// if that is given. Says after which time to ask for one, if it has to be asked for.
    pub fn drawn(&mut self, now_s: f64, same: bool, busy: Option<Duration>) -> Option<Duration> {
        // A picture that was drawn for another reason says nothing of how long things stand still.
        let looked = now_s + EARLY_S >= self.due_s;
        self.pause_s = match (same, looked) {
            (false, _) => FIRST_S,
            (true, true) => (self.pause_s * 2.0).min(LONGEST_S),
            (true, false) => self.pause_s,
        };
        let pause_s = busy.map_or(self.pause_s, |busy| busy.as_secs_f64());
        if !looked && self.due_s <= now_s + pause_s {
            return None;
        }
        self.due_s = now_s + pause_s;
        Some(Duration::from_secs_f64(pause_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window as baseview has it: every picture that was asked for in advance is drawn.
    #[derive(Default)]
    struct Desk {
        rest: Rest,
        /// When pictures come that were asked for.
        asked: Vec<f64>,
    }

    impl Desk {
        /// Pictures from one time to another, with `news` every thirtieth of a second or none.
        fn pictures(&mut self, from_s: f64, to_s: f64, news: bool) -> usize {
            let mut drawn = 0;
            for step in 0..((to_s - from_s) * 1e3) as usize {
                let now_s = from_s + step as f64 * 1e-3;
                let due = self.asked.iter().filter(|at| **at <= now_s).count();
                self.asked.retain(|at| *at > now_s);
                let told = news && step % 33 == 0;
                if due > 0 || told {
                    drawn += 1;
                    self.asked
                        .extend(self.rest.drawn(now_s, !told, None).map(|after| now_s + after.as_secs_f64()));
                }
            }
            drawn
        }
    }

    #[test]
    fn pictures_end_with_the_news() {
        let mut desk = Desk::default();
        let playing = desk.pictures(0.0, 10.0, true);
        assert!((300..=325).contains(&playing), "{playing} pictures in ten seconds of sound");
        assert!(desk.asked.len() <= 1, "{} pictures are under way", desk.asked.len());
        let settling = desk.pictures(10.0, 20.0, false);
        assert!((2..=6).contains(&settling), "{settling} pictures in the first ten seconds of silence");
        let still = desk.pictures(20.0, 120.0, false);
        assert!((20..=25).contains(&still), "{still} pictures in a hundred seconds of silence");
        // And it wakes up again.
        assert!(desk.pictures(120.0, 121.0, true) >= 30);
    }

    #[test]
    fn what_is_wanted_soon_comes_soon_and_not_twice() {
        let mut rest = Rest::default();
        assert_eq!(rest.drawn(0.0, false, None), Some(Duration::from_secs_f64(FIRST_S)));
        let soon = Duration::from_millis(33);
        assert_eq!(rest.drawn(0.1, false, Some(soon)), Some(soon));
        assert_eq!(rest.drawn(0.105, false, Some(soon)), None);
        assert_eq!(rest.drawn(0.11, false, None), None, "the one that comes will ask again");
        assert!(rest.drawn(0.133, false, None).is_some());
    }
}
