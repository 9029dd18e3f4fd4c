//! The window: where everything stands. A function from a [`ViewModel`] to [`Action`]s.

use super::canvas::Canvas;
use super::menu::{Item, Menu};
use super::model::{Action, ViewModel};
use super::{bars, controls, icons, mix, now, recogniser, river, theme};
use crate::params::Switch;
use egui::{Align, Align2, Id, Pos2, Rect, Sense, Ui, Vec2};
use idiom_engine::profile::Preset;

/// Room between two cards in design points.
const GAP: f32 = 10.0;
/// Height of a banner in design points.
const BANNER: f32 = 42.0;

/// Name of the menu of presets, see [`Menu::button_id`].
pub const PRESETS: &str = "presets";

/// Identity of the cross that dismisses the notice.
pub fn dismiss_id() -> Id {
    Id::unique("dismiss notice")
}

/// Draws the whole window into `ui` and returns what the user did.
pub fn show(ui: &mut Ui, model: &ViewModel) -> Vec<Action> {
    let window = ui.ctx().content_rect();
    // A banner takes its place from everything else: nothing is pushed out of the window.
    let banners = usize::from(model.problem.is_some()) + usize::from(model.notice.is_some());
    let design_height = theme::DESIGN_HEIGHT + (BANNER + GAP) * banners as f32;
    let scale = (window.width() / theme::DESIGN_WIDTH).min(window.height() / design_height).clamp(0.4, 4.0);
    ui.painter().rect_filled(window, 0.0, theme::BACKGROUND);
    let mut canvas = Canvas { ui, scale, actions: Vec::new() };
    let gap = canvas.px(GAP);
    let mut rest = window.shrink(canvas.px(14.0));

    let mut take = |height: f32| {
        let row = Rect::from_min_size(rest.min, Vec2::new(rest.width(), height));
        rest.min.y += height + gap;
        row
    };
    let header_row = take(canvas.px(30.0));
    let banner_height = canvas.px(BANNER);
    let problem_row = model.problem.is_some().then(|| take(banner_height));
    let notice_row = model.notice.is_some().then(|| take(banner_height));
    let controls_height = canvas.px(118.0);
    let height = (rest.height() - controls_height - 3.0 * gap).max(0.0);
    // What is left over is shared out: most to the card that says most.
    let heard_row = Rect::from_min_size(rest.min, Vec2::new(rest.width(), height * 0.35));
    rest.min.y = heard_row.max.y + gap;
    let river_row = Rect::from_min_size(rest.min, Vec2::new(rest.width(), height * 0.27));
    rest.min.y = river_row.max.y + gap;
    let controls_row = Rect::from_min_size(rest.min, Vec2::new(rest.width(), controls_height));
    rest.min.y = controls_row.max.y + gap;

    let items: Vec<Item<'_>> =
        Preset::factory().iter().map(|preset| Item { name: &preset.name, about: &preset.summary }).collect();
    let presets = Menu {
        name: PRESETS,
        place: header(&mut canvas, header_row, model),
        items: &items,
        chosen: model.preset,
        help: "The preset: what each genre asks of the mix. Kept with the session; the mix glides to another one.",
    };
    let stepped = presets.button(&mut canvas);
    if let (Some(row), Some(text)) = (problem_row, &model.problem) {
        banner(&mut canvas, row, text, false);
    }
    if let (Some(row), Some(text)) = (notice_row, &model.notice) {
        banner(&mut canvas, row, text, true);
    }
    let (left, right) = split(heard_row, 0.5, gap);
    now::show(&mut canvas, left, model);
    bars::show(&mut canvas, right, model);
    river::show(&mut canvas, river_row, model);
    controls::show(&mut canvas, controls_row, model);
    let (left, right) = split(rest, 0.57, gap);
    mix::show(&mut canvas, left, model);
    recogniser::show(&mut canvas, right, model);
    // Last, over everything else.
    let chosen = stepped.or(presets.list(&mut canvas)).filter(|preset| *preset != model.preset);
    canvas.actions.extend(chosen.map(Action::Preset));
    canvas.actions
}

fn split(rect: Rect, share: f32, gap: f32) -> (Rect, Rect) {
    let width = (rect.width() - gap) * share;
    let left = Rect::from_min_size(rect.min, Vec2::new(width, rect.height()));
    (left, Rect::from_min_max(Pos2::new(left.max.x + gap, rect.min.y), rect.max))
}

/// Returns the room for the menu of presets.
fn header(canvas: &mut Canvas<'_>, rect: Rect, model: &ViewModel) -> Rect {
    let size = canvas.px(24.0);
    let mark = Rect::from_min_size(Pos2::new(rect.min.x, rect.center().y - size / 2.0), Vec2::splat(size));
    icons::mark(canvas.painter(), mark);
    let name = Pos2::new(mark.max.x + canvas.px(10.0), rect.center().y);
    let name = canvas.text(name, Align2::LEFT_CENTER, "Idiom", 21.0, theme::TEXT);
    let at = Pos2::new(name.max.x + canvas.px(14.0), rect.center().y + canvas.px(2.0));
    canvas.text(at, Align2::LEFT_CENTER, "hears the genre, moves the mix", 13.0, theme::FAINT);
    let bypass = Rect::from_min_max(
        Pos2::new(rect.max.x - canvas.px(88.0), rect.min.y + canvas.px(1.0)),
        rect.max - Vec2::new(0.0, canvas.px(1.0)),
    );
    controls::switch_button(canvas, bypass, Switch::Bypass, model);
    if model.snapshot.sample_rate > 0.0 {
        let rate = format!("{:.1} kHz", model.snapshot.sample_rate / 1_000.0);
        let at = Pos2::new(bypass.min.x - canvas.px(14.0), rect.center().y);
        canvas.text(at, Align2::RIGHT_CENTER, rate, 12.0, theme::FAINT);
    }
    let width = canvas.px(290.0);
    Rect::from_min_max(
        Pos2::new(bypass.min.x - canvas.px(90.0) - width, bypass.min.y),
        Pos2::new(bypass.min.x - canvas.px(90.0), bypass.max.y),
    )
}

/// Something the user has to know, with a cross when it may be put away.
fn banner(canvas: &mut Canvas<'_>, rect: Rect, text: &str, dismissable: bool) {
    let radius = canvas.px(8.0);
    canvas.painter().rect_filled(rect, radius, theme::mix(theme::CARD, theme::WARNING, 0.14));
    let edge = Rect::from_min_size(rect.min, Vec2::new(canvas.px(4.0), rect.height()));
    canvas.painter().rect_filled(edge, canvas.px(2.0), theme::WARNING);
    let size = canvas.px(18.0);
    let icon =
        Rect::from_center_size(Pos2::new(rect.min.x + canvas.px(24.0), rect.center().y), Vec2::splat(size));
    icons::warning(canvas.painter(), icon, theme::WARNING);
    let room = if dismissable { canvas.px(44.0) } else { canvas.px(14.0) };
    let words = Rect::from_min_max(
        Pos2::new(icon.max.x + canvas.px(12.0), rect.min.y),
        Pos2::new(rect.max.x - room, rect.max.y),
    );
    let place = canvas.paragraph(words, text, 12.5, theme::TEXT, 2, Align::Center);
    let whole = canvas.touch(place, Id::unique(("banner", dismissable)), Sense::HOVER);
    whole.on_hover_text(text);
    if dismissable {
        let at = Pos2::new(rect.max.x - canvas.px(22.0), rect.center().y);
        let cross = Rect::from_center_size(at, Vec2::splat(canvas.px(24.0)));
        let response = canvas.touch(cross, dismiss_id(), Sense::CLICK);
        let ink = if response.hovered() { theme::TEXT } else { theme::MUTED };
        icons::cross(canvas.painter(), cross.shrink(canvas.px(7.0)), ink);
        if response.clicked() {
            canvas.actions.push(Action::DismissNotice);
        }
    }
}
