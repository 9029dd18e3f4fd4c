//! The page of presets: a browser with search, tags and favourites, and what the loaded one asks for.

use super::canvas::{Button, Canvas, columns, rows, split_x, take_bottom, take_top};
use super::curve::{asked, gain_db};
use super::model::{Action, Browse, Shelf, ViewModel};
use super::{icons, view};
use crate::library::{Entry, Key, LONGEST_NAME};
use egui::{Align, Align2, CursorIcon, Event, Id, Pos2, Rect, Role, Sense, Shape, Stroke, Vec2, WidgetInfo};
use idiom_engine::Genre;
use idiom_engine::profile::Preset;

/// Identity of a preset's line.
pub fn row_id(key: &Key) -> Id {
    Id::unique(("preset row", key))
}

/// Identity of the star of a preset's line.
pub fn star_id(key: &Key) -> Id {
    Id::unique(("preset star", key))
}

/// Identity of a shelf's button.
pub fn shelf_id(shelf: Shelf) -> Id {
    Id::unique(("shelf", shelf.label()))
}

/// Identity of a tag's button.
pub fn tag_id(tag: &str) -> Id {
    Id::unique(("tag", tag))
}

/// Identity of the field that is searched by.
pub fn search_id() -> Id {
    Id::unique("preset search")
}

/// Identity of the field that a new preset's name is typed in.
pub fn name_id() -> Id {
    Id::unique("preset name")
}

/// Identity of a button below: `save`, `replace`, `delete`, `keep` or `cancel`.
pub fn button_id(what: &str) -> Id {
    Id::unique(("preset button", what))
}

/// Draws the page.
pub fn show(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let (left, right) = split_x(rect, 0.5, canvas.px(view::GAP));
    browser(canvas, left, model);
    details(canvas, right, model);
}

fn browse(canvas: &mut Canvas<'_>, model: &ViewModel, change: impl FnOnce(&mut Browse)) {
    let mut browse = model.look.browse.clone();
    change(&mut browse);
    canvas.actions.push(Action::Browse(browse));
}

fn browser(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let now = &model.look.browse;
    let mut rest = canvas.card(rect, "");
    let gap = canvas.px(8.0);
    let search = take_top(&mut rest, canvas.px(28.0), gap);
    let typed = canvas.field(search, search_id(), &now.search, "Search names, uses, tags", "Search presets");
    if let Some(text) = typed.text {
        browse(canvas, model, |browse| browse.search = text);
    } else if typed.escape && !now.search.is_empty() {
        browse(canvas, model, |browse| browse.search.clear());
    }
    let shelves = take_top(&mut rest, canvas.px(24.0), gap);
    for (shelf, place) in Shelf::ALL.into_iter().zip(columns(shelves, 4, canvas.px(5.0))) {
        let on = now.shelf == shelf;
        if canvas.button(place, shelf_id(shelf), Button::words(colors, shelf.label(), "", on)) && !on {
            browse(canvas, model, |browse| browse.shelf = shelf);
        }
    }
    let mut tags: Vec<&String> = model.presets.iter().flat_map(|entry| &entry.tags).collect();
    tags.sort();
    tags.dedup();
    let (mut x, height) = (rest.min.x, canvas.px(20.0));
    let mut y = rest.min.y;
    for tag in tags {
        let width = canvas.width(tag, 10.5) + canvas.px(14.0);
        if x + width > rest.max.x {
            (x, y) = (rest.min.x, y + height + canvas.px(4.0));
        }
        let place = Rect::from_min_size(Pos2::new(x, y), Vec2::new(width, height));
        x = place.max.x + canvas.px(4.0);
        let on = now.tag.as_ref() == Some(tag);
        let look = Button { size: 10.5, ..Button::words(colors, tag, "Only presets with this tag.", on) };
        if canvas.button(place, tag_id(tag), look) {
            browse(canvas, model, |browse| browse.tag = (!on).then(|| tag.clone()));
        }
    }
    rest.min.y = y + height + gap;
    list(canvas, rest, model);
}

/// The lines, as many as fit; the wheel moves them.
fn list(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let entries: Vec<&Entry> = model.presets.iter().filter(|entry| model.look.browse.lists(entry)).collect();
    if entries.is_empty() {
        let text = match model.look.browse.shelf {
            Shelf::Mine => "Nothing of yours yet: set up a sound and press Save as.",
            Shelf::Favourites => "Nothing marked yet: press a star.",
            _ => "Nothing fits.",
        };
        canvas.paragraph(rect, text, 12.5, colors.muted, 3, Align::Min);
        return;
    }
    let height = canvas.px(27.0);
    let id = Id::unique("preset list");
    let over = canvas.touch(rect, id, Sense::HOVER).contains_pointer();
    let most = (height * entries.len() as f32 - rect.height()).max(0.0);
    let turned: f32 = canvas.ui.input(|input| {
        let turn = |event: &Event| match event {
            Event::MouseWheel { delta, unit: egui::MouseWheelUnit::Point, .. } => delta.y,
            Event::MouseWheel { delta, .. } => delta.y * 40.0,
            _ => 0.0,
        };
        if over { input.events.iter().map(turn).sum() } else { 0.0 }
    });
    let offset = canvas.ui.data_mut(|data| {
        let offset = data.get_temp_mut_or(id, 0.0f32);
        *offset = (*offset - turned).clamp(0.0, most);
        *offset
    });
    for (i, entry) in entries.iter().enumerate() {
        let row = Rect::from_min_size(
            Pos2::new(rect.min.x, rect.min.y + i as f32 * height - offset),
            Vec2::new(rect.width() - canvas.px(8.0), height - canvas.px(2.0)),
        );
        // Only whole lines: half a name is none.
        if row.min.y >= rect.min.y - 0.5 && row.max.y <= rect.max.y + 0.5 {
            line(canvas, row, entry, model);
        }
    }
    if most > 0.0 {
        let whole = height * entries.len() as f32;
        let bar = Rect::from_min_size(
            Pos2::new(rect.max.x - canvas.px(4.0), rect.min.y + rect.height() * offset / whole),
            Vec2::new(canvas.px(4.0), rect.height() * rect.height() / whole),
        );
        canvas.painter().rect_filled(bar, canvas.px(2.0), colors.control_hover);
    }
}

fn line(canvas: &mut Canvas<'_>, row: Rect, entry: &Entry, model: &ViewModel) {
    let colors = canvas.theme;
    let on = model.loaded.as_ref() == Some(&entry.key);
    let response = canvas.touch(row, row_id(&entry.key), Sense::CLICK);
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, on, &entry.name));
    let fill = match (on, response.hovered()) {
        (true, _) => colors.control_on,
        (false, true) => colors.control_hover,
        (false, false) => colors.well,
    };
    canvas.painter().rect_filled(row, canvas.px(5.0), fill);
    let (ink, soft) = if on { (colors.on_text, colors.on_text) } else { (colors.text, colors.faint) };
    let badge = if matches!(entry.key, Key::Factory(_)) { "Factory" } else { "Mine" };
    let at = Pos2::new(row.max.x - canvas.px(8.0), row.center().y);
    let badge = canvas.text(at, Align2::RIGHT_CENTER, badge, 10.0, soft);
    let star = Rect::from_min_size(row.min, Vec2::splat(row.height()));
    let name = Rect::from_min_max(
        Pos2::new(star.max.x + canvas.px(2.0), row.min.y),
        Pos2::new(badge.min.x - canvas.px(8.0), row.max.y),
    );
    let name = canvas.label(name, &entry.name, 13.0, ink, Align::Min);
    let tags = Rect::from_min_max(
        Pos2::new(name.max.x + canvas.px(12.0), row.min.y),
        Pos2::new(badge.min.x - canvas.px(10.0), row.max.y),
    );
    if tags.width() > canvas.px(30.0) {
        canvas.label(tags, entry.tags.join(", "), 10.0, soft, Align::Max);
    }
    if response.clicked() && (!on || model.edited) {
        canvas.actions.push(Action::Load(entry.key.clone()));
    }
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text(&entry.about);
    let response = canvas.touch(star, star_id(&entry.key), Sense::CLICK);
    let label = format!("Favourite: {}", entry.name);
    response.widget_info(|| WidgetInfo::selected(Role::CheckBox, true, entry.favourite, &label));
    let tint = if entry.favourite || response.hovered() { ink } else { soft.gamma_multiply(0.7) };
    icons::star(canvas.painter(), star.shrink(canvas.px(6.5)), tint, entry.favourite);
    if response.clicked() {
        canvas.actions.push(Action::Favourite(entry.key.clone(), !entry.favourite));
    }
    response.on_hover_cursor(CursorIcon::PointingHand).on_hover_text("Favourite: listed on its own shelf.");
}

fn details(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let mut rest = canvas.card(rect, "");
    let below = take_bottom(&mut rest, canvas.px(62.0), canvas.px(8.0));
    buttons(canvas, below, model);
    let Some(entry) = model.presets.iter().find(|entry| Some(&entry.key) == model.loaded.as_ref()) else {
        return;
    };
    let title = take_top(&mut rest, canvas.px(26.0), canvas.px(2.0));
    let name = if model.edited { format!("{} (changed)", entry.name) } else { entry.name.clone() };
    canvas.label(title, name, 20.0, colors.text, Align::Min);
    if !entry.about.is_empty() {
        let about = take_top(&mut rest, canvas.px(48.0), canvas.px(8.0));
        canvas.paragraph(about, &entry.about, 12.5, colors.muted, 3, Align::Min);
    }
    if let (Key::User(_), false) = (&entry.key, entry.facts.is_empty()) {
        let facts = take_top(&mut rest, canvas.px(112.0), canvas.px(8.0));
        own(canvas, facts, entry);
    }
    let line = take_top(&mut rest, canvas.px(16.0), canvas.px(4.0));
    let text = match entry.key {
        Key::Factory(_) => "What each genre gets".to_owned(),
        Key::User(_) => format!("What each genre gets: the profiles of {}", model.plays().name),
    };
    canvas.label(line, text, 12.0, colors.muted, Align::Min);
    for (genre, row) in Genre::ALL.into_iter().zip(rows(rest, 5, canvas.px(6.0))) {
        let changed =
            model.plays().profiles.genres[genre.index()] != model.built_in().profiles.genres[genre.index()];
        genre_row(canvas, row, genre, model.plays(), changed);
    }
}

/// What a preset of the user's own sets.
fn own(canvas: &Canvas<'_>, rect: Rect, entry: &Entry) {
    let colors = canvas.theme;
    let per_column = (rect.height() / canvas.px(15.0)) as usize;
    for (column, place) in columns(rect, 3, canvas.px(14.0)).enumerate() {
        for (i, (name, value)) in entry.facts.iter().skip(column * per_column).take(per_column).enumerate() {
            let row = Rect::from_min_size(
                place.min + Vec2::new(0.0, i as f32 * canvas.px(15.0)),
                Vec2::new(place.width(), canvas.px(15.0)),
            );
            let right = canvas.label(row, value, 10.5, colors.text, Align::Max);
            let left = Rect::from_min_max(row.min, Pos2::new(right.min.x - canvas.px(4.0), row.max.y));
            canvas.label(left, name, 10.5, colors.faint, Align::Min);
        }
    }
}

/// A genre: its curve, why it is so, and whether it was changed.
fn genre_row(canvas: &Canvas<'_>, row: Rect, genre: Genre, preset: &Preset, changed: bool) {
    let colors = canvas.theme;
    let color = colors.genre(genre);
    let (words, curve) = split_x(row, 0.77, canvas.px(12.0));
    let icon = Rect::from_min_size(words.min, Vec2::splat(canvas.px(15.0)));
    icons::genre(genre)(canvas.painter(), icon, color);
    let mut text = Rect::from_min_max(Pos2::new(icon.max.x + canvas.px(8.0), words.min.y), words.max);
    let name = take_top(&mut text, canvas.px(16.0), canvas.px(1.0));
    let title = if changed { format!("{} (changed)", genre.label()) } else { genre.label().to_owned() };
    canvas.label(name, title, 12.5, colors.text, Align::Min);
    let why = &preset.why[genre.index()];
    let fits = ((text.height() / canvas.px(13.5)) as usize).clamp(1, 4);
    let place = canvas.paragraph(text, why, 10.5, colors.muted, fits, Align::Min);
    canvas.explain(place, ("why", genre.name()), why);

    let painter = canvas.painter().with_clip_rect(curve);
    painter.rect_filled(curve, canvas.px(4.0), colors.well);
    painter.hline(curve.x_range(), curve.center().y, Stroke::new(1.0, colors.line));
    if let Some(profile) = preset.profiles.genres.get(genre.index()) {
        let eq = asked(profile);
        let line: Vec<Pos2> = (0..=48)
            .map(|i| {
                let share = i as f32 / 48.0;
                let db = gain_db(&eq, 20.0 * 1_000f32.powf(share)).clamp(-9.0, 9.0);
                Pos2::new(curve.min.x + curve.width() * share, curve.center().y - db / 18.0 * curve.height())
            })
            .collect();
        painter.add(Shape::line(line, Stroke::new(canvas.px(1.8), color)));
    }
}

fn buttons(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) {
    let colors = canvas.theme;
    let now = &model.look.browse;
    let mut rest = rect;
    let row = take_top(&mut rest, canvas.px(28.0), canvas.px(6.0));
    let (text, ink) = match &model.trouble {
        Some(trouble) => (trouble.clone(), colors.text),
        None if model.presets_folder.is_empty() => {
            ("The system names no folder for presets.".into(), colors.faint)
        }
        None => (format!("Yours are files in {}", model.presets_folder), colors.faint),
    };
    let place = canvas.paragraph(rest, &text, 10.5, ink, 2, Align::Min);
    canvas.explain(place, "presets folder", &text);

    if let Some(name) = &now.naming {
        let (field, pair) = split_x(row, 0.62, canvas.px(6.0));
        if !canvas.ui.memory(|memory| memory.has_focus(name_id()))
            && !canvas.ui.data(|d| d.get_temp(name_id()).unwrap_or(false))
        {
            canvas.ui.memory_mut(|memory| memory.request_focus(name_id()));
            canvas.ui.data_mut(|data| data.insert_temp(name_id(), true));
        }
        let typed = canvas.field(field, name_id(), name, "Name of the preset", "Preset name");
        let name = typed.text.as_ref().unwrap_or(name).clone();
        let good = !name.trim().is_empty() && name.chars().count() <= LONGEST_NAME;
        let mut places = columns(pair, 2, canvas.px(6.0));
        let mut place = || places.next().unwrap_or(Rect::ZERO);
        let help = "Keeps all settings that play now as a file of yours.";
        let look = Button { enabled: good, ..Button::words(colors, "Save", help, false) };
        let save = canvas.button(place(), button_id("keep"), look);
        let look = Button::words(colors, "Cancel", "", false);
        let cancel = canvas.button(place(), button_id("cancel"), look);
        if (save || typed.enter) && good {
            forget_focus(canvas);
            canvas.actions.push(Action::Save(name.trim().to_owned()));
        } else if cancel || typed.escape {
            forget_focus(canvas);
            browse(canvas, model, |browse| browse.naming = None);
        } else if let Some(text) = typed.text {
            browse(canvas, model, |browse| browse.naming = Some(text));
        }
        return;
    }
    let own = match &model.loaded {
        Some(Key::User(name)) => Some(name.clone()),
        _ => None,
    };
    let mut places = columns(row, 3, canvas.px(6.0));
    let mut place = || places.next().unwrap_or(Rect::ZERO);
    let look =
        Button::words(colors, "Save as\u{2026}", "Keep what plays now as a preset of your own.", false);
    if canvas.button(place(), button_id("save"), look) {
        let name = own.clone().unwrap_or_default();
        browse(canvas, model, |browse| browse.naming = Some(name));
    }
    let enabled = own.is_some() && model.edited;
    let look = Button {
        enabled,
        ..Button::words(colors, "Update", "Put what plays now into the loaded preset.", false)
    };
    if let (true, Some(name)) = (canvas.button(place(), button_id("replace"), look), &own) {
        canvas.actions.push(Action::Save(name.clone()));
    }
    let text = if now.deleting { "Really delete" } else { "Delete" };
    let look = Button {
        enabled: own.is_some(),
        color: colors.warning,
        ..Button::words(
            colors,
            text,
            "Deletes the loaded preset's file, after a second click.",
            now.deleting && own.is_some(),
        )
    };
    if let (true, Some(name)) = (canvas.button(place(), button_id("delete"), look), own) {
        if now.deleting {
            canvas.actions.push(Action::Delete(name));
        } else {
            browse(canvas, model, |browse| browse.deleting = true);
        }
    }
}

/// The next name that is typed takes the keyboard again.
fn forget_focus(canvas: &mut Canvas<'_>) {
    canvas.ui.data_mut(|data| data.remove::<bool>(name_id()));
    canvas.ui.memory_mut(|memory| memory.surrender_focus(name_id()));
}
