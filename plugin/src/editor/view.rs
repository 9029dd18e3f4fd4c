//! The window: its frame, and in it one of the pages. A function from a [`ViewModel`] to [`Action`]s.

use super::canvas::{Canvas, take_bottom, take_top};
use super::model::{Action, Page, ViewModel};
use super::{browser, engine, footer, genre, header, icons, knob, mix, presets, theme};
use egui::{Align, Id, Pos2, Rect, Sense, Ui, Vec2};
use idiom_engine::Mode;

/// Room between two cards in design points.
pub const GAP: f32 = 10.0;
/// Height of a banner in design points.
const BANNER: f32 = 42.0;

/// Identity of the cross that dismisses the notice.
pub fn dismiss_id() -> Id {
    Id::unique("dismiss notice")
}

/// Draws the whole window into `ui` and returns what the user did.
pub fn show(ui: &mut Ui, model: &ViewModel) -> Vec<Action> {
    let window = ui.ctx().content_rect();
    // A banner takes its place from everything else: nothing is pushed out of the window.
    let banners = [(&model.problem, false), (&model.notice, true)];
    let count = banners.iter().filter(|(text, _)| text.is_some()).count();
    let design_height = theme::DESIGN_HEIGHT + (BANNER + GAP) * count as f32;
    let scale = (window.width() / theme::DESIGN_WIDTH).min(window.height() / design_height).clamp(0.4, 4.0);
    let colors = model.look.shade.theme();
    ui.painter().rect_filled(window, 0.0, colors.background);
    let mut canvas = Canvas { ui, scale, theme: colors, actions: Vec::new() };
    let gap = canvas.px(GAP);
    let mut rest = window.shrink2(Vec2::new(canvas.px(14.0), canvas.px(12.0)));

    let header_row = take_top(&mut rest, canvas.px(30.0), gap);
    let footer_row = take_bottom(&mut rest, canvas.px(24.0), gap);
    for (text, dismissable) in banners {
        if let Some(text) = text {
            let row = take_top(&mut rest, canvas.px(BANNER), gap);
            banner(&mut canvas, row, text, dismissable);
        }
    }
    header::show(&mut canvas, header_row, model);
    match model.look.page {
        Page::Mix => mix::show(&mut canvas, rest, model),
        Page::Genre => genre::show(&mut canvas, rest, model),
        Page::Engine => engine::show(&mut canvas, rest, model),
        Page::Presets => presets::show(&mut canvas, rest, model),
    }
    footer::show(&mut canvas, footer_row, model);
    // Last, over everything else.
    header::lists(&mut canvas, header_row, model);
    // By hand the genre asks for nothing, so nothing that was turned can become a part of that.
    knob::list(&mut canvas, model.genre().filter(|_| model.mode != Mode::ByHand));
    browser::show(&mut canvas);
    canvas.actions
}

/// Something the user has to know, with a cross when it may be put away.
fn banner(canvas: &mut Canvas<'_>, rect: Rect, text: &str, dismissable: bool) {
    let (radius, colors) = (canvas.px(8.0), canvas.theme);
    canvas.painter().rect_filled(rect, radius, theme::mix(colors.card, colors.warning, 0.14));
    let edge = Rect::from_min_size(rect.min, Vec2::new(canvas.px(4.0), rect.height()));
    canvas.painter().rect_filled(edge, canvas.px(2.0), colors.warning);
    let size = canvas.px(18.0);
    let icon =
        Rect::from_center_size(Pos2::new(rect.min.x + canvas.px(24.0), rect.center().y), Vec2::splat(size));
    icons::warning(canvas.painter(), icon, colors.warning);
    let room = if dismissable { canvas.px(44.0) } else { canvas.px(14.0) };
    let words = Rect::from_min_max(
        Pos2::new(icon.max.x + canvas.px(12.0), rect.min.y),
        Pos2::new(rect.max.x - room, rect.max.y),
    );
    let place = canvas.paragraph(words, text, 12.5, colors.text, 2, Align::Center);
    canvas.explain(place, ("banner", dismissable), text);
    if dismissable {
        let at = Pos2::new(rect.max.x - canvas.px(22.0), rect.center().y);
        let cross = Rect::from_center_size(at, Vec2::splat(canvas.px(24.0)));
        let response = canvas.touch(cross, dismiss_id(), Sense::CLICK);
        let ink = if response.hovered() { colors.text } else { colors.muted };
        icons::cross(canvas.painter(), cross.shrink(canvas.px(7.0)), ink);
        if response.clicked() {
            canvas.actions.push(Action::DismissNotice);
        }
    }
}
