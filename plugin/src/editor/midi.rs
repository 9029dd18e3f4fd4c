//! The set-up of MIDI out: which controller carries what, on which channel, and what each sends now.

use super::canvas::{Button, Canvas, columns, rows, take_top};
use super::icons;
use super::model::{Action, ViewModel};
use super::stepper::Stepper;
use crate::midi_out::value;
use crate::params::Switch;
use crate::params::cc::{Carried, FREE};
use egui::{Align, Align2, Id, Pos2, Rect, Vec2};
use idiom_engine::Genre;

/// Identity of the button that opens the set-up.
pub fn setup_id() -> Id {
    Id::unique("midi setup")
}

/// Identity of the button that closes it.
pub fn done_id() -> Id {
    Id::unique("midi setup done")
}

/// Draws the button that opens and closes the set-up.
pub fn button(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let open = model.look.midi_setup;
    let help = "Which controller carries what, and on which channel.";
    let look = Button {
        size: 11.5,
        name: Some("Set up MIDI out"),
        ..Button::words(canvas.theme, "Set up", help, open)
    };
    if canvas.button(rect, setup_id(), look) {
        canvas.actions.push(Action::MidiSetup(!open));
    }
}

/// What a controller carries, and which of its values mean what.
fn meaning(carried: Carried) -> (&'static str, String) {
    match carried {
        Carried::Probability(genre) => {
            (genre.label(), format!("How likely {} is: 0 is not at all, 127 is certain.", genre.name()))
        }
        Carried::Winner => {
            let genres = Genre::ALL.map(|genre| format!("{} {}", 25 * (genre.index() + 1), genre.name()));
            ("Genre in force", format!("0 is none, {}.", genres.join(", ")))
        }
        Carried::Confidence => {
            ("Confidence", "How likely the genre in force is: 0 is not at all, 127 is certain.".into())
        }
    }
}

/// Draws the card.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let inner = canvas.card(rect, "MIDI out: what is heard, as controllers");
    let head = |right: f32, width: f32| {
        let top = rect.min.y + canvas.px(9.0);
        Rect::from_min_size(
            Pos2::new(rect.max.x - canvas.px(right + width), top),
            Vec2::new(canvas.px(width), canvas.px(22.0)),
        )
    };
    let (done, channel) = (head(14.0, 64.0), head(98.0, 150.0));
    let look =
        Button { size: 11.5, ..Button::words(colors, "Done", "Back to the last three minutes.", false) };
    if canvas.button(done, done_id(), look) {
        canvas.actions.push(Action::MidiSetup(false));
    }
    let now = i32::from(model.midi.channel) + 1;
    let stepper = Stepper {
        id: "midi channel",
        name: "Channel",
        value: &now.to_string(),
        help: "The MIDI channel that all of them go to.",
        name_width: 60.0,
    };
    if let Some(more) = stepper.show(canvas, channel) {
        let next = if more { now + 1 } else { now - 1 };
        canvas.actions.extend((1..=16).contains(&next).then_some(Action::MidiChannel(next)));
    }

    let places: Vec<Rect> = columns(inner, 2, canvas.px(36.0)).collect();
    let [left, right] = places[..] else { return };
    let (genres, rest) = Carried::ALL.split_at(Genre::ALL.len());
    for (carried, row) in genres.iter().zip(rows(left, genres.len(), canvas.px(2.0))) {
        line(canvas, row, *carried, model);
    }
    for (carried, row) in rest.iter().zip(rows(right, genres.len(), canvas.px(2.0))) {
        line(canvas, row, *carried, model);
    }
    let mut words = right;
    let height = right.height() / genres.len() as f32;
    take_top(&mut words, height * rest.len() as f32, canvas.px(4.0));
    let text = "The bar is what each sends now, 0 to 127, when it changes and at most twenty times a second. Only controllers \
                that MIDI gives no meaning can be chosen, so nothing moves that you have not connected.";
    let text = if model.switch(Switch::MidiOut) {
        text.to_owned()
    } else {
        format!("Off: switch MIDI out on below to send. {text}")
    };
    canvas.paragraph(words, text, 11.0, colors.faint, 4, Align::Center);
}

/// Something that is sent: its icon, its name, what it sends now, and its controller.
fn line(canvas: &mut Canvas<'_>, row: Rect, carried: Carried, model: &ViewModel) {
    let colors = canvas.theme;
    let (name, help) = meaning(carried);
    let icon = Rect::from_center_size(
        Pos2::new(row.min.x + canvas.px(8.0), row.center().y),
        Vec2::splat(canvas.px(15.0)),
    );
    let color = match carried {
        Carried::Probability(genre) => {
            icons::genre(genre)(canvas.painter(), icon, colors.genre(genre));
            colors.genre(genre)
        }
        Carried::Winner | Carried::Confidence => {
            let verdict = match carried {
                Carried::Winner => idiom_engine::Verdict::Listening,
                _ => idiom_engine::Verdict::Recognised,
            };
            icons::verdict(verdict)(canvas.painter(), icon, colors.muted);
            colors.accent
        }
    };
    let set = Rect::from_min_max(Pos2::new(row.max.x - canvas.px(118.0), row.min.y), row.max);
    let words = Rect::from_min_max(
        Pos2::new(icon.max.x + canvas.px(9.0), row.min.y),
        Pos2::new(icon.max.x + canvas.px(105.0), row.max.y),
    );
    canvas.label(words, name, 12.5, colors.text, Align::Min);

    let place = Carried::ALL.iter().position(|one| *one == carried).unwrap_or_default();
    let number = model.midi.numbers[place];
    let taken = model.midi.numbers[..place].iter().position(|other| *other == number);
    let now = Rect::from_min_max(
        Pos2::new(words.max.x, row.min.y),
        Pos2::new(set.min.x - canvas.px(14.0), row.max.y),
    );
    if let Some(other) = taken {
        let text = format!("not sent: {} has it", meaning(Carried::ALL[other]).0);
        canvas.label(now, text, 11.0, colors.warning, Align::Max);
    } else {
        let heard = &model.snapshot;
        let sent = if model.has_heard() {
            value(carried, &heard.posterior, heard.genre, heard.confidence)
        } else {
            0
        };
        let digits = canvas.px(30.0);
        let track = Rect::from_center_size(
            Pos2::new((now.min.x + now.max.x - digits) / 2.0, now.center().y),
            Vec2::new(now.width() - digits, canvas.px(6.0)),
        );
        canvas.painter().rect_filled(track, canvas.px(3.0), colors.line);
        if sent > 0 {
            let mut bar = track;
            bar.set_width((track.width() * f32::from(sent) / 127.0).max(canvas.px(6.0)));
            canvas.painter().rect_filled(bar, canvas.px(3.0), color);
        }
        let at = Pos2::new(now.max.x, now.center().y);
        canvas.text(at, Align2::RIGHT_CENTER, sent.to_string(), 11.5, colors.muted);
    }
    canvas.explain(Rect::from_min_max(row.min, now.max), ("midi", name), &help);

    let (id, full) = (carried.id(), carried.name());
    let stepper =
        Stepper { id: &id, name: &full, value: &format!("CC {number}"), help: &help, name_width: 0.0 };
    if let Some(more) = stepper.show(canvas, set) {
        let at = FREE.iter().position(|free| *free == number).unwrap_or_default() as i32;
        let next = if more { at + 1 } else { at - 1 };
        let possible = (0..FREE.len() as i32).contains(&next);
        canvas.actions.extend(possible.then_some(Action::Controller(carried, next)));
    }
}
