//! What is played, before anybody plays it: parts with their notes and the movements of wheels and pedals.
//!
//! Composers and the reader of MIDI files both end here; [`super::soundfont`] and [`super::procedural`] begin here.

/// Who plays a part, in the numbers of General MIDI, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Player {
    /// A melodic program, `0..128`.
    Program(u8),
    /// A drum kit, `0..128`: 0 standard, 8 room, 16 power, 24 electronic, 25 TR-808, 32 jazz, 40 brush, 48 orchestra.
    Kit(u8),
}

/// One note, or one stroke on a drum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strike {
    /// When it begins, in seconds.
    pub at: f32,
    /// How long it is held, in seconds.
    pub seconds: f32,
    /// MIDI note number.
    pub key: u8,
    /// How hard it is struck, `0..=1`.
    pub force: f32,
}

/// A movement that concerns all notes of a part from then on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gesture {
    /// Pitch wheel, in semitones.
    Bend(f32),
    /// Channel volume, `0..=1`.
    Volume(f32),
    /// Swell, `0..=1`.
    Expression(f32),
    /// Vibrato (the modulation wheel), `0..=1`.
    Vibrato(f32),
    /// Sustain pedal down or up.
    Pedal(bool),
    /// Place from -1 (left) to 1 (right).
    Pan(f32),
}

/// What one player plays.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Who.
    pub player: Player,
    /// The notes, in any order.
    pub strikes: Vec<Strike>,
    /// Movements and when they happen, in any order.
    pub gestures: Vec<(f32, Gesture)>,
}

impl Part {
    /// An empty part.
    pub fn new(player: Player) -> Part {
        Part { player, strikes: Vec::new(), gestures: Vec::new() }
    }

    /// Adds a note. Keys outside `0..128` move by octaves into it.
    pub fn note(&mut self, at: f32, seconds: f32, key: i32, force: f32) {
        let key = if key < 0 {
            key.rem_euclid(12)
        } else if key > 127 {
            116 + key.rem_euclid(12)
        } else {
            key
        };
        let key = key.clamp(0, 127) as u8;
        self.strikes.push(Strike { at, seconds: seconds.max(0.02), key, force: force.clamp(0.02, 1.0) });
    }

    /// Strikes a drum; drums ring as long as they ring.
    pub fn hit(&mut self, at: f32, drum: u8, force: f32) {
        self.note(at, 0.12, i32::from(drum), force);
    }

    /// Makes a movement.
    pub fn gesture(&mut self, at: f32, gesture: Gesture) {
        self.gestures.push((at, gesture));
    }

    /// Bends the pitch from one interval to another, in semitones, over a time.
    pub fn glide(&mut self, at: f32, seconds: f32, from: f32, to: f32) {
        let steps = (seconds / 0.01).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let share = step as f32 / steps as f32;
            self.gesture(at + share * seconds, Gesture::Bend(from + share * (to - from)));
        }
    }

    /// Everything that happens, in the order of time; at one moment notes end first and begin last.
    pub fn events(&self) -> Vec<(f32, Event)> {
        let mut strikes: Vec<&Strike> = self.strikes.iter().collect();
        strikes.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.key.cmp(&b.key)));
        let mut events: Vec<(f32, Event)> =
            self.gestures.iter().map(|&(at, gesture)| (at, Event::Gesture(gesture))).collect();
        for (index, strike) in strikes.iter().enumerate() {
            events.push((strike.at, Event::On(strike.key, strike.force)));
            // A key that is struck again before its time is over ends there.
            let end = strike.at + strike.seconds;
            let again = strikes[index + 1..]
                .iter()
                .take_while(|later| later.at < end)
                .find(|later| later.key == strike.key)
                .map_or(end, |later| later.at);
            events.push((again, Event::Off(strike.key)));
        }
        let rank = |event: &Event| match event {
            Event::Off(_) => 0,
            Event::Gesture(_) => 1,
            Event::On(..) => 2,
        };
        events.sort_by(|a, b| a.0.total_cmp(&b.0).then(rank(&a.1).cmp(&rank(&b.1))));
        events
    }
}

/// A step of [`Part::events`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Event {
    /// A key goes down, this hard.
    On(u8, f32),
    /// A key goes up.
    Off(u8),
    /// A movement.
    Gesture(Gesture),
}

/// Keys of the General MIDI drum map.
pub mod drum {
    /// Bass drum.
    pub const KICK: u8 = 36;
    /// Side stick.
    pub const RIM: u8 = 37;
    /// Snare drum.
    pub const SNARE: u8 = 38;
    /// Clap; a slap on brush kits.
    pub const CLAP: u8 = 39;
    /// Second snare drum; a brush's swirl on brush kits.
    pub const SNARE_2: u8 = 40;
    /// Toms from the lowest to the highest.
    pub const TOMS: [u8; 6] = [41, 43, 45, 47, 48, 50];
    /// Closed hi-hat.
    pub const HAT: u8 = 42;
    /// Hi-hat closed with the foot.
    pub const FOOT: u8 = 44;
    /// Open hi-hat.
    pub const OPEN_HAT: u8 = 46;
    /// Crash cymbals.
    pub const CRASH: [u8; 2] = [49, 57];
    /// Ride cymbal.
    pub const RIDE: u8 = 51;
    /// China cymbal.
    pub const CHINA: u8 = 52;
    /// Bell of the ride cymbal.
    pub const RIDE_BELL: u8 = 53;
    /// Tambourine.
    pub const TAMBOURINE: u8 = 54;
    /// Cowbell.
    pub const COWBELL: u8 = 56;
    /// Bongos, high and low.
    pub const BONGOS: [u8; 2] = [60, 61];
    /// Congas: muted high, open high, low.
    pub const CONGAS: [u8; 3] = [62, 63, 64];
    /// Timbales, high and low.
    pub const TIMBALES: [u8; 2] = [65, 66];
    /// Cabasa.
    pub const CABASA: u8 = 69;
    /// Maracas.
    pub const MARACAS: u8 = 70;
    /// Claves.
    pub const CLAVES: u8 = 75;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_struck_again_ends_first() {
        let mut part = Part::new(Player::Program(0));
        part.note(0.0, 1.0, 60, 0.5);
        part.note(0.5, 1.0, 60, 0.7);
        part.gesture(0.5, Gesture::Pedal(true));
        let events: Vec<Event> = part.events().into_iter().map(|(_, event)| event).collect();
        let wanted = [
            Event::On(60, 0.5),
            Event::Off(60),
            Event::Gesture(Gesture::Pedal(true)),
            Event::On(60, 0.7),
            Event::Off(60),
        ];
        assert_eq!(events, wanted);
    }
}
