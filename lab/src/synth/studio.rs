//! Where parts are played: by a SoundFont where there is one, by the procedural instruments otherwise.

use super::dice::Dice;
use super::espeak::Espeak;
use super::mixdown::Bus;
use super::procedural;
use super::score::Part;
use super::soundfont::Font;
use idiom_engine::Genre;

/// The instruments and voices at hand.
#[derive(Clone, Default)]
pub struct Studio {
    /// Sampled instruments; without them, and for players that they lack, the procedural ones play.
    pub font: Option<Font>,
    /// The program that speaks; without it, speech has no words.
    pub espeak: Option<Espeak>,
}

impl Studio {
    /// A studio of procedural instruments only: it sounds the same on every machine.
    pub const PROCEDURAL: Studio = Studio { font: None, espeak: None };

    /// A studio with one of these SoundFonts, as the seed decides, and with procedural instruments if there is none; its
    /// speech is espeak-ng's where that is given.
    pub fn draw(fonts: &[Font], espeak: Option<&Espeak>, seed: u64) -> Studio {
        let mut dice = Dice::new(seed ^ 0x5F0E_4F0E);
        Studio { font: (!fonts.is_empty()).then(|| dice.pick(fonts).clone()), espeak: espeak.cloned() }
    }

    /// What a manifest calls its instruments.
    pub fn name(&self) -> &str {
        self.font.as_ref().map_or("procedural", |font| &font.name)
    }

    /// What a manifest calls those who play this genre.
    pub fn players(&self, genre: Genre) -> &str {
        match genre {
            Genre::Speech => self.espeak.as_ref().map_or("procedural", |espeak| &espeak.name),
            // Machines are synthesized, whatever samples there are.
            Genre::Electronic => "procedural",
            _ => self.name(),
        }
    }

    /// Plays a part for `seconds`, dry. What the procedural instruments leave to chance, the dice decide; they are thrown
    /// once whoever plays.
    pub fn play(&self, part: &Part, rate: f32, seconds: f32, dice: &mut Dice) -> Bus {
        let mut own = dice.part();
        match &self.font {
            Some(font) if font.has(part.player) => font.play(part, rate, seconds),
            _ => procedural::play(part, rate, seconds, &mut own),
        }
    }
}
