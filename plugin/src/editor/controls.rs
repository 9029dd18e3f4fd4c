//! The user's controls: four knobs, the genre set by hand, and the switches.

use super::canvas::{Button, Canvas, columns, rows};
use super::model::{Action, ViewModel};
use super::{icons, knob};
use crate::params::{Dial, Switch};
use egui::{Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::{Genre, Mode};

/// Identity of the button that sets a genre by hand, or follows what is heard.
pub fn genre_id(genre: Option<Genre>) -> Id {
    Id::unique(("genre", genre.map_or("auto", Genre::name)))
}

/// Identity of a switch's button.
pub fn switch_id(switch: Switch) -> Id {
    Id::unique(("switch", switch.id()))
}

/// The knobs of the card.
pub const KNOBS: [Dial; 4] = [Dial::Amount, Dial::Reaction, Dial::Threshold, Dial::Output];

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let inner = canvas.card(rect, "");
    let gap = canvas.px(18.0);
    let knobs_right = inner.min.x + inner.width() * 0.385;
    let switches_left = inner.max.x - inner.width() * 0.13;

    let knobs = Rect::from_min_max(inner.min, Pos2::new(knobs_right, inner.max.y));
    for (dial, place) in KNOBS.into_iter().zip(columns(knobs, 4, 0.0)) {
        knob::show(canvas, place, dial, model.dial(dial));
    }

    let by_hand = Rect::from_min_max(
        Pos2::new(knobs_right + gap, inner.min.y),
        Pos2::new(switches_left - gap, inner.max.y),
    );
    genre_buttons(canvas, by_hand, model);

    let switches = Rect::from_min_max(Pos2::new(switches_left, inner.min.y), inner.max);
    let mut places = rows(switches, 3, canvas.px(6.0));
    for button in [hold_button, print_button] {
        if let Some(place) = places.next() {
            button(canvas, place, model);
        }
    }
}

/// Identity of the button that holds genre and mix.
pub fn hold_id() -> Id {
    Id::unique("hold")
}

/// The mode Hold, and back to Follow.
pub fn hold_button(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let on = model.mode == Mode::Hold;
    let help = "Hold the present genre and mix, whatever is heard.";
    let color = canvas.theme.warning;
    let look = Button { color, ..Button::words(canvas.theme, Mode::Hold.label(), help, on) };
    if canvas.button(rect, hold_id(), look) {
        canvas.actions.push(Action::Mode(if on { Mode::Follow } else { Mode::Hold }));
    }
}

/// Identity of the button that arms Print.
pub fn print_id() -> Id {
    Id::unique("print")
}

fn print_button(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let on = model.printing;
    let help = "Write the mix as the host's automation while this is on; afterwards it plays by itself.";
    let color = canvas.theme.warning;
    let look = Button { color, ..Button::words(canvas.theme, "Print", help, on) };
    if canvas.button(rect, print_id(), look) {
        canvas.actions.push(Action::Print(!on));
    }
}

/// One switch as a button.
pub fn switch_button(canvas: &mut Canvas<'_>, rect: Rect, switch: Switch, model: &ViewModel) {
    let on = model.switch(switch);
    // A switch that takes something away is yellow when on, so that nobody forgets it.
    let color = match switch {
        Switch::Bypass => canvas.theme.warning,
        _ => canvas.theme.control_on,
    };
    let look = Button { color, ..Button::words(canvas.theme, switch.name(), switch.help(), on) };
    if canvas.button(rect, switch_id(switch), look) {
        canvas.actions.push(Action::Switch(switch, !on));
    }
}

/// The genre set by hand, or Auto.
pub fn genre_buttons(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    canvas.text(rect.min, Align2::LEFT_TOP, "Genre", 12.0, canvas.theme.muted);
    let hint = match model.manual {
        None => "follows what is heard",
        Some(_) => "set by you; Auto follows again",
    };
    canvas.text(Pos2::new(rect.max.x, rect.min.y), Align2::RIGHT_TOP, hint, 11.0, canvas.theme.faint);
    let buttons = Rect::from_min_max(rect.min + Vec2::new(0.0, canvas.px(22.0)), rect.max);
    let gap = canvas.px(5.0);
    let choices = std::iter::once(None).chain(Genre::ALL.map(Some));
    for (choice, place) in choices.zip(columns(buttons, 6, gap)) {
        let on = model.manual == choice;
        let (text, help, color, icon) = match choice {
            None => (
                "Auto",
                "Follow what is heard.".to_owned(),
                canvas.theme.control_on,
                icons::verdict(idiom_engine::Verdict::Listening),
            ),
            Some(genre) => (
                genre.label(),
                format!("Always mix for {}.", genre.name()),
                canvas.theme.genre(genre),
                icons::genre(genre),
            ),
        };
        let look = Button { color, icon: Some(icon), ..Button::words(canvas.theme, text, &help, on) };
        if canvas.button(place, genre_id(choice), look) && !on {
            canvas.actions.push(Action::Manual(choice));
        }
    }
}
