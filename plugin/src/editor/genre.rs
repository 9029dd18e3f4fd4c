//! The page of what is heard: the genre, the probabilities, the past, and the genre set by hand.

use super::canvas::{Button, Canvas, split_x, take_bottom, take_top};
use super::model::{Action, ViewModel};
use super::{bars, controls, icons, knob, midi, now, river, view};
use crate::params::{Dial, Switch};
use egui::{Align, Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::{Genre, Mode, Verdict};

/// Identity of the button that compares what is heard with the genre set by hand.
pub fn compare_id() -> Id {
    Id::unique("compare genre")
}

/// Draws the page.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let gap = canvas.px(view::GAP);
    let mut rest = rect;
    let by_hand = take_bottom(&mut rest, canvas.px(122.0), gap);
    let height = rest.height() * 0.46;
    let heard = take_top(&mut rest, height, gap);
    let (left, right) = split_x(heard, 0.54, gap);
    now::show(canvas, left, model);
    bars::show(canvas, right, model);
    // In the place of the past: set up once, and then out of the way.
    if model.look.midi_setup {
        midi::show(canvas, rest, model);
    } else {
        river::show(canvas, rest, model);
    }
    hand(canvas, by_hand, model);
}

fn hand(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(rect, "");
    let gap = canvas.px(18.0);
    let (left, right) = split_x(inner, 0.53, gap);
    controls::genre_buttons(canvas, left, model);
    let (middle, knobs) = split_x(right, 0.48, gap);
    compare(canvas, middle, model);
    let (threshold, reaction) = split_x(knobs, 0.5, 0.0);
    knob::show(canvas, threshold, Dial::Threshold, model.dial(Dial::Threshold), None);
    knob::show(canvas, reaction, Dial::Reaction, model.dial(Dial::Reaction), None);
}

/// What is heard against what was set by hand, and freezing.
fn compare(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let theme = canvas.theme;
    canvas.text(rect.min, Align2::LEFT_TOP, "Compare", 12.0, theme.muted);
    let mut rest = Rect::from_min_max(rect.min + Vec2::new(0.0, canvas.px(22.0)), rect.max);
    let height = (rest.height() - canvas.px(10.0)) / 3.0;
    let row = take_top(&mut rest, height, canvas.px(5.0));
    let other = model.look.by_hand;
    let text = match (model.manual, other) {
        (Some(_), _) => "Hear Auto".into(),
        (None, Some(genre)) => format!("Hear {}", genre.label()),
        (None, None) => "Hear manual".into(),
    };
    let help = match other {
        Some(genre) => format!(
            "Changes between the genre that is heard and {}, which was set by hand last: what does the recognition \
             do for this sound?",
            genre.label()
        ),
        None => "Set a genre by hand first; then this changes between it and what is heard.".into(),
    };
    let look = Button { enabled: other.is_some(), ..Button::words(theme, &text, &help, false) };
    if canvas.button(row, compare_id(), look) {
        let to = if model.manual.is_some() { None } else { other };
        canvas.actions.push(Action::Manual(to));
    }
    let row = take_top(&mut rest, height, canvas.px(5.0));
    let on = model.mode == Mode::Hold;
    let help = "Genre and mix stay as they are, whatever is heard.";
    let look = Button { color: theme.warning, ..Button::words(theme, "Hold", help, on) };
    if canvas.button(row, controls::mode_id(Mode::Hold), look) {
        canvas.actions.push(Action::Mode(if on { Mode::Follow } else { Mode::Hold }));
    }
    let (switch, setup) = split_x(rest, 0.62, canvas.px(5.0));
    controls::switch_button(canvas, switch, Switch::MidiOut, model);
    midi::button(canvas, setup, model);
}

/// The icon and the words of what is in force, for other pages.
pub fn badge(canvas: &Canvas<'_>, rect: Rect, genre: Option<Genre>, verdict: Verdict) {
    let theme = canvas.theme;
    let icon = Rect::from_min_size(
        Pos2::new(rect.min.x, rect.center().y - canvas.px(7.0)),
        Vec2::splat(canvas.px(14.0)),
    );
    let (name, color) = match genre {
        Some(genre) => (genre.label(), theme.genre(genre)),
        None => (verdict.label(), theme.faint),
    };
    match genre {
        Some(genre) => icons::genre(genre)(canvas.painter(), icon, color),
        None => icons::verdict(verdict)(canvas.painter(), icon, color),
    }
    let words = Rect::from_min_max(Pos2::new(icon.max.x + canvas.px(6.0), rect.min.y), rect.max);
    canvas.label(words, name, 12.0, theme.text, Align::Min);
}
