//! The user's controls: four knobs, the genre set by hand, and the switches.

use super::canvas::{Button, Canvas, columns, rows, split_x};
use super::model::{Action, ViewModel};
use super::{icons, knob};
use crate::params::{Dial, Switch};
use egui::{Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::{Genre, Mode, Uncertain};

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
    let gap = canvas.px(16.0);
    let (knobs, rest) = split_x(inner, 0.375, gap);
    let dials = [Dial::Input, Dial::Amount, Dial::Reaction, Dial::Threshold, Dial::Output];
    for (dial, place) in dials.into_iter().zip(columns(knobs, dials.len(), 0.0)) {
        knob::show(canvas, place, dial, model.dial(dial), None);
    }
    let (modes, by_hand) = split_x(rest, 0.34, gap);
    mode_buttons(canvas, modes, model);
    genre_buttons(canvas, by_hand, model);
}

/// Identity of the button that chooses what moves the mix.
pub fn mode_id(mode: Mode) -> Id {
    Id::unique(("mode", mode as u8))
}

/// Identity of the button that chooses what happens in doubt.
pub fn uncertain_id() -> Id {
    Id::unique("uncertain")
}

/// Identity of the button that writes automation.
pub fn print_id() -> Id {
    Id::unique("print")
}

/// What moves the mix, what happens in doubt, and writing it down.
pub fn mode_buttons(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let theme = canvas.theme;
    canvas.text(rect.min, Align2::LEFT_TOP, "Mode", 12.0, theme.muted);
    let learnt = model.mix().learnt;
    let hint = match model.mode {
        Mode::Learn if learnt < 1.0 => format!("listening, {:.0} %", 100.0 * learnt),
        Mode::Learn => "learnt".into(),
        _ => String::new(),
    };
    canvas.text(Pos2::new(rect.max.x, rect.min.y), Align2::RIGHT_TOP, hint, 11.0, theme.faint);
    let buttons = Rect::from_min_max(rect.min + Vec2::new(0.0, canvas.px(20.0)), rect.max);
    let gap = canvas.px(5.0);
    let mut lines = rows(buttons, 3, gap);
    let mut line = || lines.next().unwrap_or(Rect::ZERO);
    for pair in Mode::ALL.chunks(2) {
        for (mode, place) in pair.iter().copied().zip(columns(line(), 2, gap)) {
            let on = model.mode == mode;
            // What keeps the mix from following is yellow, so that nobody forgets it.
            let color = if mode == Mode::Hold { theme.warning } else { theme.control_on };
            let look =
                Button { color, size: 11.5, ..Button::words(theme, mode.label(), mode_help(mode), on) };
            if canvas.button(place, mode_id(mode), look) && !on {
                canvas.actions.push(Action::Mode(mode));
            }
        }
    }
    let mut places = columns(line(), 2, gap);
    let keeps = model.uncertain == Uncertain::Keep;
    let text = if keeps { "In doubt: keep" } else { "In doubt: ease" };
    let help = "What the mix does while no genre is likely enough: ease towards your own settings, the less likely the \
                further, or keep what the last genre asked for.";
    let look = Button { size: 10.5, ..Button::words(theme, text, help, false) };
    if canvas.button(places.next().unwrap_or(Rect::ZERO), uncertain_id(), look) {
        let other = if keeps { Uncertain::Ease } else { Uncertain::Keep };
        canvas.actions.push(Action::Uncertain(other));
    }
    let help = "Print: while it is on, the host writes what the genre does as automation of every setting (arm the \
                tracks' automation first). Switched off, the mode goes to By hand and the recorded curve plays.";
    let look =
        Button { color: theme.warning, size: 11.5, ..Button::words(theme, "Print", help, model.printing) };
    if canvas.button(places.next().unwrap_or(Rect::ZERO), print_id(), look) {
        canvas.actions.push(Action::Print(!model.printing));
    }
}

const fn mode_help(mode: Mode) -> &'static str {
    match mode {
        Mode::Follow => "The genre that is heard moves the mix, all the time.",
        Mode::Learn => {
            "Listens for some seconds, settles, and holds that. Press another mode and this one to learn again."
        }
        Mode::Hold => "Genre and mix stay as they are, whatever is heard.",
        Mode::ByHand => "Your own settings alone. The genre is recognised, but moves nothing.",
    }
}

/// One switch as a button.
pub fn switch_button(canvas: &mut Canvas<'_>, rect: Rect, switch: Switch, model: &ViewModel) {
    let on = model.switch(switch);
    // A switch that takes something away is yellow when on, so that nobody forgets it.
    let color = if switch == Switch::Bypass { canvas.theme.warning } else { canvas.theme.control_on };
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
