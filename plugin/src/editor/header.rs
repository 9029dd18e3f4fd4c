//! The top of the window: pages, preset, undo, A and B, the window's own menu, bypass.

use super::canvas::{Button, Canvas};
use super::controls;
use super::icons;
use super::menu::{self, Item, Menu};
use super::model::{Action, Page, Slot, ViewModel};
use super::theme::Shade;
use crate::library::Entry;
use crate::params::Switch;
use egui::{Align, Align2, CursorIcon, Id, Pos2, Rect, Role, Sense, Vec2, WidgetInfo};

/// Name of the list of presets, see [`Menu::button_id`].
pub const PRESETS: &str = "presets";
/// Name of the window's own menu.
pub const WINDOW: &str = "window";
/// Sizes that the window's menu offers, in percent.
pub const SIZES: [u16; 5] = [75, 100, 125, 150, 200];

/// Identity of a page's tab.
pub fn tab_id(page: Page) -> Id {
    Id::unique(("page", page.label()))
}

/// Identity of undo and redo.
pub fn undo_id(redo: bool) -> Id {
    Id::unique(("undo", redo))
}

/// Identity of A and B.
pub fn slot_id(slot: Slot) -> Id {
    Id::unique(("slot", slot.label()))
}

/// Identity of the button that copies one slot to the other.
pub fn copy_id() -> Id {
    Id::unique("copy slot")
}

/// Where everything of the header is.
struct Places {
    presets: Rect,
    window: Rect,
    bypass: Rect,
    undo: [Rect; 2],
    slots: [Rect; 2],
    copy: Rect,
}

fn places(canvas: &Canvas<'_>, rect: Rect) -> Places {
    let mut right = rect.max.x;
    let mut take = |width: f32, gap: f32| {
        let place =
            Rect::from_min_max(Pos2::new(right - canvas.px(width), rect.min.y), Pos2::new(right, rect.max.y));
        right = place.min.x - canvas.px(gap);
        place.shrink2(Vec2::new(0.0, canvas.px(1.0)))
    };
    let bypass = take(72.0, 6.0);
    let window = take(28.0, 14.0);
    let copy = take(52.0, 2.0);
    let b = take(26.0, 2.0);
    let a = take(26.0, 14.0);
    let redo = take(26.0, 2.0);
    let undo = take(26.0, 14.0);
    let presets = take(230.0, 0.0);
    Places { presets, window, bypass, undo: [undo, redo], slots: [a, b], copy }
}

/// Draws it.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let (theme, at) = (canvas.theme, places(canvas, rect));
    let size = canvas.px(22.0);
    let mark = Rect::from_min_size(Pos2::new(rect.min.x, rect.center().y - size / 2.0), Vec2::splat(size));
    icons::mark(canvas.painter(), mark, theme);
    let name = Pos2::new(mark.max.x + canvas.px(9.0), rect.center().y);
    let name = canvas.text(name, Align2::LEFT_CENTER, "Idiom", 19.0, theme.text);

    let mut left = name.max.x + canvas.px(16.0);
    let room = at.presets.min.x - canvas.px(12.0) - left;
    for page in Page::ALL {
        let width = room / Page::ALL.len() as f32;
        tab(
            canvas,
            Rect::from_min_size(Pos2::new(left, rect.min.y), Vec2::new(width, rect.height())),
            page,
            model,
        );
        left += width;
    }

    let position = model.presets.iter().position(|entry| Some(&entry.key) == model.loaded.as_ref());
    let name = position.and_then(|at| model.presets.get(at)).map_or("", |entry| entry.name.as_str());
    let name = if model.edited { format!("{name} *") } else { name.to_owned() };
    let help =
        "The preset: what each genre asks of the mix. Kept with the session; the mix glides to another one.";
    let step = menu::chooser(canvas, at.presets, PRESETS, &name, help);
    let count = model.presets.len();
    if let (Some(by), 1..) = (step, count) {
        let next = (position.unwrap_or(0) + count).saturating_add_signed(by) % count;
        canvas.actions.extend(model.presets.get(next).map(|entry| Action::Load(entry.key.clone())));
    }

    let look = &model.look;
    for (place, redo) in at.undo.into_iter().zip([false, true]) {
        let (step, name) = if redo { (&look.redo, "Redo") } else { (&look.undo, "Undo") };
        let help = match step {
            Some(step) => format!("{name}: {step}"),
            None => format!("Nothing to {}.", name.to_lowercase()),
        };
        let icon = if redo { icons::redo } else { icons::undo };
        let look = Button { enabled: step.is_some(), ..Button::icon(theme, icon, name, &help) };
        if canvas.button(place, undo_id(redo), look) {
            canvas.actions.push(if redo { Action::Redo } else { Action::Undo });
        }
    }
    for (place, slot) in at.slots.into_iter().zip([Slot::A, Slot::B]) {
        let on = look.slot == slot;
        let help = "Two sets of all settings to compare. The one that is not used begins as a copy.";
        if canvas.button(place, slot_id(slot), Button::words(theme, slot.label(), help, on)) && !on {
            canvas.actions.push(Action::Slot(slot));
        }
    }
    let copy = format!("{} to {}", look.slot.label(), look.slot.other().label());
    let help = format!(
        "Copy what plays now ({}) to {}, to go on from here and compare.",
        look.slot.label(),
        look.slot.other().label()
    );
    let button = Button {
        size: 11.5,
        name: Some("Copy to the other slot"),
        ..Button::words(theme, &copy, &help, false)
    };
    if canvas.button(at.copy, copy_id(), button) {
        canvas.actions.push(Action::CopySlot);
    }
    let button = Button::icon(theme, icons::gear, "Window", "The window: dark or light, and its size.");
    if canvas.button(at.window, Menu::button_id(WINDOW), button) {
        let open = menu::is_open(canvas, WINDOW);
        menu::set_open(canvas, WINDOW, !open);
    }
    controls::switch_button(canvas, at.bypass, Switch::Bypass, model);
}

fn tab(canvas: &mut Canvas<'_>, rect: Rect, page: Page, model: &ViewModel) {
    let (theme, on) = (canvas.theme, model.look.page == page);
    let response = canvas.touch(rect, tab_id(page), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, on, page.label()));
    let ink = if on || response.hovered() { theme.text } else { theme.muted };
    let word = canvas.label(rect, page.label(), 13.5, ink, Align::Center);
    if on {
        let line = Rect::from_min_max(
            Pos2::new(word.min.x, rect.max.y - canvas.px(3.0)),
            Pos2::new(word.max.x, rect.max.y - canvas.px(1.0)),
        );
        canvas.painter().rect_filled(line, canvas.px(1.0), theme.text);
    }
    if response.clicked() && !on {
        canvas.actions.push(Action::Page(page));
    }
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(page.help());
}

/// Draws what is open of the header's lists, over everything else.
pub fn lists(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let at = places(canvas, rect);
    if menu::is_open(canvas, PRESETS) {
        let item = |entry: &Entry| Item {
            name: if entry.favourite { format!("{} (favourite)", entry.name) } else { entry.name.clone() },
            about: entry.about.clone(),
            chosen: Some(&entry.key) == model.loaded.as_ref(),
        };
        let items: Vec<Item> = model.presets.iter().map(item).collect();
        let list = Menu { name: PRESETS, place: at.presets, width: 400.0, items: &items };
        let chosen = list.list(canvas).and_then(|index| model.presets.get(index));
        canvas.actions.extend(chosen.map(|entry| Action::Load(entry.key.clone())));
    }
    let shade = model.look.shade;
    let mut items = vec![Item::new("Dark", shade == Shade::Dark), Item::new("Light", shade == Shade::Light)];
    items.extend(SIZES.map(|size| Item::new(format!("{size} %"), model.look.percent == size)));
    let window = Menu { name: WINDOW, place: at.window, width: 130.0, items: &items };
    match window.list(canvas) {
        Some(0) => canvas.actions.push(Action::Shade(Shade::Dark)),
        Some(1) => canvas.actions.push(Action::Shade(Shade::Light)),
        Some(size) => canvas.actions.extend(SIZES.get(size - 2).map(|size| Action::Resize(*size))),
        None => {}
    }
}
