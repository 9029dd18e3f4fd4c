//! Notes, scales, chords and voice leading. Pitches are MIDI note numbers: 69 is A at 440 Hz.

use super::dice::Dice;

/// Major scale, in semitones.
pub const MAJOR: &[i32] = &[0, 2, 4, 5, 7, 9, 11];
/// Natural minor scale.
pub const MINOR: &[i32] = &[0, 2, 3, 5, 7, 8, 10];
/// Harmonic minor scale.
pub const HARMONIC_MINOR: &[i32] = &[0, 2, 3, 5, 7, 8, 11];
/// Dorian mode.
pub const DORIAN: &[i32] = &[0, 2, 3, 5, 7, 9, 10];
/// Mixolydian mode.
pub const MIXOLYDIAN: &[i32] = &[0, 2, 4, 5, 7, 9, 10];
/// Locrian mode.
pub const LOCRIAN: &[i32] = &[0, 1, 3, 5, 6, 8, 10];
/// Half-whole diminished scale.
pub const DIMINISHED: &[i32] = &[0, 1, 3, 4, 6, 7, 9, 10];
/// Minor pentatonic scale.
pub const PENTATONIC: &[i32] = &[0, 3, 5, 7, 10];

/// Frequency of a pitch in Hz.
pub fn hz(pitch: f32) -> f32 {
    440.0 * ((pitch - 69.0) / 12.0).exp2()
}

/// Semitones of a scale degree above the root; degrees below 0 and beyond the scale go to other octaves.
pub fn degree(scale: &[i32], degree: i32) -> i32 {
    let size = scale.len() as i32;
    scale[degree.rem_euclid(size) as usize] + 12 * degree.div_euclid(size)
}

/// The triad on a scale degree, as semitones above the tonic.
pub fn triad(scale: &[i32], root: i32) -> [i32; 3] {
    [0, 2, 4].map(|third| degree(scale, root + third))
}

/// The pitch with this pitch class (`0..12`) that lies closest to `near`.
pub fn nearest(class: i32, near: i32) -> i32 {
    near + (class - near + 6).rem_euclid(12) - 6
}

/// A jazz chord: root pitch class, kind, and length in beats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Pitch class of the root, `0..12`.
    pub root: i32,
    /// What is built on it.
    pub quality: Quality,
    /// How long it lasts.
    pub beats: f32,
}

/// Kinds of four-note chords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Major seventh.
    Major,
    /// Minor seventh.
    Minor,
    /// Dominant seventh.
    Dominant,
    /// Half-diminished.
    HalfDiminished,
    /// Diminished seventh.
    Diminished,
}

impl Quality {
    /// Root, third, fifth and seventh in semitones.
    pub fn tones(self) -> [i32; 4] {
        match self {
            Quality::Major => [0, 4, 7, 11],
            Quality::Minor => [0, 3, 7, 10],
            Quality::Dominant => [0, 4, 7, 10],
            Quality::HalfDiminished => [0, 3, 6, 10],
            Quality::Diminished => [0, 3, 6, 9],
        }
    }

    /// Rootless voicing for the left hand: third, seventh and tensions.
    pub fn voicing(self) -> [i32; 4] {
        match self {
            Quality::Major => [4, 7, 11, 14],
            Quality::Minor => [3, 7, 10, 14],
            Quality::Dominant => [4, 9, 10, 14],
            Quality::HalfDiminished => [3, 6, 10, 12],
            Quality::Diminished => [3, 6, 9, 14],
        }
    }

    /// The scale to improvise with.
    pub fn scale(self) -> &'static [i32] {
        match self {
            Quality::Major => MAJOR,
            Quality::Minor => DORIAN,
            Quality::Dominant => MIXOLYDIAN,
            Quality::HalfDiminished => LOCRIAN,
            Quality::Diminished => DIMINISHED,
        }
    }
}

/// The close voicing of these pitch classes within `low..=high` that moves least from `before`. Without a chord before,
/// the one nearest to the middle of the range.
pub fn voice_lead(before: &[i32], classes: &[i32], low: i32, high: i32) -> Vec<i32> {
    let mut best: Option<(i32, Vec<i32>)> = None;
    for inversion in 0..classes.len() {
        for octave in 0..11 {
            let mut voices: Vec<i32> = Vec::with_capacity(classes.len());
            for step in 0..classes.len() {
                let class = classes[(inversion + step) % classes.len()].rem_euclid(12);
                let floor = voices.last().map_or(12 * octave, |&v: &i32| v + 1);
                voices.push(floor + (class - floor).rem_euclid(12));
            }
            if voices.iter().any(|v| !(low..=high).contains(v)) {
                continue;
            }
            let cost: i32 = if before.len() == voices.len() {
                before.iter().zip(&voices).map(|(a, b)| (a - b).abs()).sum()
            } else {
                voices.iter().map(|v| (v - (low + high) / 2).abs()).sum()
            };
            if best.as_ref().is_none_or(|(least, _)| cost < *least) {
                best = Some((cost, voices));
            }
        }
    }
    best.map_or_else(|| classes.iter().map(|&c| nearest(c, (low + high) / 2)).collect(), |(_, voices)| voices)
}

/// A melody as scale degrees: small steps, now and then a leap that turns back, drawn towards `home`.
pub struct Melody {
    /// Present degree.
    pub at: i32,
    home: i32,
    reach: i32,
    last_step: i32,
}

impl Melody {
    /// A melody around `home`, staying within `reach` degrees of it.
    pub fn new(home: i32, reach: i32) -> Melody {
        Melody { at: home, home, reach, last_step: 0 }
    }

    /// The next degree.
    pub fn next(&mut self, dice: &mut Dice) -> i32 {
        let mut step = match dice.below(10) {
            0 => 0,
            1..=4 => 1,
            5..=7 => 2,
            8 => 3,
            _ => 4,
        };
        let pull = (self.at - self.home) as f32 / self.reach.max(1) as f32;
        // A leap is answered by a step in the other direction, as counterpoint teaches.
        let down = if self.last_step.abs() > 2 { self.last_step > 0 } else { dice.chance(0.5 + 0.5 * pull) };
        if self.last_step.abs() > 2 {
            step = step.min(1);
        }
        self.last_step = if down { -step } else { step };
        self.at = (self.at + self.last_step).clamp(self.home - self.reach, self.home + self.reach);
        self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_and_pitches_are_those_of_the_keyboard() {
        assert_eq!([-1, 0, 2, 7, 9].map(|d| degree(MAJOR, d)), [-1, 0, 4, 12, 16]);
        assert_eq!(triad(MAJOR, 1), [2, 5, 9]);
        assert_eq!((nearest(0, 61), nearest(11, 60), nearest(6, 60)), (60, 59, 54));
        assert!((hz(69.0) - 440.0).abs() < 1e-3 && (hz(57.0) - 220.0).abs() < 1e-3);
    }

    #[test]
    fn voices_move_little() {
        let c_major = voice_lead(&[], &[0, 4, 7], 55, 79);
        let f_major = voice_lead(&c_major, &[5, 9, 0], 55, 79);
        let moved: i32 = c_major.iter().zip(&f_major).map(|(a, b)| (a - b).abs()).sum();
        assert!(moved <= 3, "{c_major:?} {f_major:?}");
        assert!(f_major.iter().all(|v| [5, 9, 0].contains(&v.rem_euclid(12))));
    }
}
