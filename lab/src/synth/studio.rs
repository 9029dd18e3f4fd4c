//! Where parts are played: by a SoundFont where there is one, by the procedural instruments otherwise.

use super::dice::Dice;
use super::mixdown::Bus;
use super::procedural;
use super::score::Part;
use super::soundfont::Font;

/// The instruments at hand.
#[derive(Clone, Default)]
pub struct Studio {
    /// Sampled instruments; without them, and for players that they lack, the procedural ones play.
    pub font: Option<Font>,
}

impl Studio {
    /// A studio of procedural instruments only: it sounds the same on every machine.
    pub const PROCEDURAL: Studio = Studio { font: None };

    /// A studio with one of these SoundFonts, as the seed decides; the procedural one if there is none.
    pub fn draw(fonts: &[Font], seed: u64) -> Studio {
        let mut dice = Dice::new(seed ^ 0x5F0E_4F0E);
        Studio { font: (!fonts.is_empty()).then(|| dice.pick(fonts).clone()) }
    }

    /// What a manifest calls it.
    pub fn name(&self) -> &str {
        self.font.as_ref().map_or("procedural", |font| &font.name)
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
