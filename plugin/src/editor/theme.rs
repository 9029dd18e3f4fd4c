//! Colours and sizes of the window, dark and light.
//!
//! Genres wear the Okabe-Ito colours, which people with any colour vision can tell apart (M. Okabe and K. Ito,
//! "Color Universal Design", 2008); on light ground darker ones of the same hues. Nothing is said by colour alone: each
//! genre also has its icon and its name.

use egui::{Color32, Stroke, Visuals};
use idiom_engine::Genre;
use serde::{Deserialize, Serialize};

/// Every colour of the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Theme {
    /// Behind everything.
    pub background: Color32,
    /// A card.
    pub card: Color32,
    /// A well in a card that a curve or a list stands in.
    pub well: Color32,
    /// Grid lines, tracks of meters.
    pub line: Color32,
    /// A control that can be pressed or turned, at rest.
    pub control: Color32,
    /// The same under the pointer.
    pub control_hover: Color32,
    /// The same when it is on or chosen.
    pub control_on: Color32,
    /// Text on [`control_on`](Self::control_on) and on a genre's colour.
    pub on_text: Color32,
    /// Main text.
    pub text: Color32,
    /// Secondary text: at least 7:1 against [`card`](Self::card).
    pub muted: Color32,
    /// Text that is only a hint: at least 4.5:1.
    pub faint: Color32,
    /// Something needs attention.
    pub warning: Color32,
    /// What the plugin does to the sound: curves, reduction, knobs' arcs.
    pub accent: Color32,
    /// The genres, in their order.
    pub genres: [Color32; 5],
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// Light on dark, for a dim control room.
pub static DARK: Theme = Theme {
    background: rgb(0x12151a),
    card: rgb(0x1b1f26),
    well: rgb(0x14171d),
    line: rgb(0x2c323c),
    control: rgb(0x272d36),
    control_hover: rgb(0x333b47),
    control_on: rgb(0xe8eaee),
    on_text: rgb(0x12151a),
    text: rgb(0xeef0f3),
    muted: rgb(0xa6aeba),
    faint: rgb(0x8790a0),
    warning: rgb(0xf0e442),
    accent: rgb(0xd9dde4),
    genres: [rgb(0x56b4e9), rgb(0xe06a1b), rgb(0xf0b42d), rgb(0x00a87b), rgb(0xcc79a7)],
};

/// Dark on light, for daylight.
pub static LIGHT: Theme = Theme {
    background: rgb(0xdfe2e7),
    card: rgb(0xf6f7f9),
    well: rgb(0xe9ebef),
    line: rgb(0xced3da),
    control: rgb(0xe4e7ec),
    control_hover: rgb(0xd6dae1),
    control_on: rgb(0x2b3340),
    on_text: rgb(0xffffff),
    text: rgb(0x14181f),
    muted: rgb(0x434b58),
    faint: rgb(0x626b79),
    warning: rgb(0xa15c00),
    accent: rgb(0x333c4a),
    genres: [rgb(0x0072b2), rgb(0xc44e00), rgb(0x946500), rgb(0x007a5a), rgb(0xa94c83)],
};

/// Which [`Theme`] the user chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shade {
    /// [`DARK`].
    #[default]
    Dark,
    /// [`LIGHT`].
    Light,
}

impl Shade {
    /// Its colours.
    pub fn theme(self) -> &'static Theme {
        match self {
            Shade::Dark => &DARK,
            Shade::Light => &LIGHT,
        }
    }
}

impl Theme {
    /// The colour of a genre.
    pub fn genre(&self, genre: Genre) -> Color32 {
        self.genres[genre.index()]
    }

    /// What egui's own parts (tooltips, text fields) look like.
    pub fn visuals(&self) -> Visuals {
        let mut visuals =
            if self.background == LIGHT.background { Visuals::light() } else { Visuals::dark() };
        visuals.override_text_color = Some(self.text);
        visuals.extreme_bg_color = self.well;
        visuals.window_fill = self.control;
        visuals.window_stroke = Stroke::new(1.0, self.faint);
        visuals.selection.bg_fill = mix(self.card, self.genres[0], 0.45);
        visuals
    }
}

/// The size all distances are given for, in points. A larger or smaller window scales everything.
pub const DESIGN_WIDTH: f32 = 960.0;
/// See [`DESIGN_WIDTH`].
pub const DESIGN_HEIGHT: f32 = 690.0;

/// `a` moved towards `b` by `t`, `0..=1`.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    a.lerp_to_gamma(b, t)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance of WCAG 2.
    fn luminance(color: Color32) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(color.r()) + 0.7152 * linear(color.g()) + 0.0722 * linear(color.b())
    }

    fn contrast(a: Color32, b: Color32) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn what_is_written_can_be_read_in_both_shades() {
        for (name, theme) in [("dark", &DARK), ("light", &LIGHT)] {
            for (what, ink, ground, least) in [
                ("text", theme.text, theme.card, 12.0),
                ("muted", theme.muted, theme.card, 7.0),
                ("faint", theme.faint, theme.card, 4.5),
                ("faint on the background", theme.faint, theme.background, 4.0),
                ("text on what is on", theme.on_text, theme.control_on, 10.0),
                ("text on a warning", theme.on_text, theme.warning, 4.5),
                ("text on a control", theme.text, theme.control_hover, 7.0),
            ] {
                let got = contrast(ink, ground);
                assert!(got >= least, "{name}: {what} has a contrast of {got:.2}, less than {least}");
            }
            for genre in Genre::ALL {
                let color = theme.genre(genre);
                let (word, field) = (contrast(theme.on_text, color), contrast(color, theme.card));
                assert!(word >= 4.3 && field >= 3.0, "{name} {genre:?}: {word:.2} and {field:.2}");
            }
        }
    }
}
