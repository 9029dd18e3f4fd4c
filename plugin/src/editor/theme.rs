//! Colours and sizes of the window.
//!
//! Genres wear the Okabe-Ito colours, which people with any colour vision can tell apart (M. Okabe and K. Ito,
//! "Color Universal Design", 2008). Nothing is said by colour alone: each genre also has its icon and its name.

use egui::Color32;
use idiom_engine::Genre;

/// Behind everything.
pub const BACKGROUND: Color32 = Color32::from_rgb(0x12, 0x15, 0x1a);
/// A card.
pub const CARD: Color32 = Color32::from_rgb(0x1b, 0x1f, 0x26);
/// A card's edge, grid lines, tracks of meters.
pub const LINE: Color32 = Color32::from_rgb(0x2c, 0x32, 0x3c);
/// A control that can be pressed or turned, at rest.
pub const CONTROL: Color32 = Color32::from_rgb(0x27, 0x2d, 0x36);
/// The same under the pointer.
pub const CONTROL_HOVER: Color32 = Color32::from_rgb(0x33, 0x3b, 0x47);
/// The same when it is on or chosen.
pub const CONTROL_ON: Color32 = Color32::from_rgb(0xe8, 0xea, 0xee);
/// Text on [`CONTROL_ON`].
pub const ON_TEXT: Color32 = Color32::from_rgb(0x12, 0x15, 0x1a);
/// Main text.
pub const TEXT: Color32 = Color32::from_rgb(0xee, 0xf0, 0xf3);
/// Secondary text: 7:1 against [`CARD`].
pub const MUTED: Color32 = Color32::from_rgb(0xa6, 0xae, 0xba);
/// Text that is only a hint.
pub const FAINT: Color32 = Color32::from_rgb(0x7c, 0x85, 0x93);
/// Something needs attention (Okabe-Ito yellow).
pub const WARNING: Color32 = Color32::from_rgb(0xf0, 0xe4, 0x42);
/// What the plugin does to the sound: curves, reduction, knobs' arcs.
pub const ACCENT: Color32 = Color32::from_rgb(0xd9, 0xdd, 0xe4);

/// The size all distances are given for, in points. A larger or smaller window scales everything.
pub const DESIGN_WIDTH: f32 = 960.0;
/// See [`DESIGN_WIDTH`].
pub const DESIGN_HEIGHT: f32 = 690.0;

/// The colour of a genre.
pub const fn genre(genre: Genre) -> Color32 {
    match genre {
        Genre::Speech => Color32::from_rgb(0x56, 0xb4, 0xe9),
        Genre::Rock => Color32::from_rgb(0xe0, 0x6a, 0x1b),
        Genre::Jazz => Color32::from_rgb(0xf0, 0xb4, 0x2d),
        Genre::Electronic => Color32::from_rgb(0x00, 0xa8, 0x7b),
        Genre::Classical => Color32::from_rgb(0xcc, 0x79, 0xa7),
    }
}

/// `a` moved towards `b` by `t`, `0..=1`.
pub fn mix(a: Color32, b: Color32, t: f32) -> Color32 {
    a.lerp_to_gamma(b, t)
}
