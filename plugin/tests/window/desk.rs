//! A window on no screen, and a hand that touches it.

use egui::epaint::Shape;
use egui::{Context, Event, Id, Modifiers, PointerButton, Pos2, RawInput, Rect, Vec2};
use idiom_plugin::editor::model::{Action, Page, ViewModel};
use idiom_plugin::editor::theme::{DARK, Shade};
use idiom_plugin::editor::{prepare, view};

/// A window on no screen.
pub struct Window {
    /// Its egui.
    pub egui: Context,
    size: Vec2,
    /// Keys that are held.
    pub modifiers: Modifiers,
    time: f64,
    /// What is written, and where.
    pub texts: Vec<(String, Rect)>,
    /// The cards.
    pub cards: Vec<Rect>,
    /// What a screen reader gets.
    tree: Option<egui::accesskit::TreeUpdate>,
}

impl Window {
    pub fn new(size: Vec2) -> Self {
        let egui = Context::default();
        prepare(&egui, Shade::default());
        Self {
            egui,
            size,
            modifiers: Modifiers::NONE,
            time: 0.0,
            texts: Vec::new(),
            cards: Vec::new(),
            tree: None,
        }
    }

    /// One picture after `events`.
    pub fn draw(&mut self, model: &ViewModel, mut events: Vec<Event>) -> Vec<Action> {
        self.time += 0.02;
        events.insert(0, Event::ModifiersChanged(self.modifiers));
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, self.size)),
            time: Some(self.time),
            focused: true,
            events,
            ..RawInput::default()
        };
        let mut actions = Vec::new();
        let output = self.egui.run_ui(input, |ui| actions = view::show(ui, model));
        let shapes = output.shapes;
        self.tree = output.platform_output.accesskit_update;
        self.texts.clear();
        self.cards.clear();
        for clipped in &shapes {
            collect(&clipped.shape, &mut self.texts, &mut self.cards);
        }
        actions
    }

    /// Role and name of each control, as a screen reader gets them.
    pub fn controls(&self) -> Vec<(String, String)> {
        use egui::accesskit::Role;
        let nodes = self.tree.iter().flat_map(|tree| &tree.nodes);
        let controls = nodes.filter(|(_, node)| {
            matches!(
                node.role(),
                Role::Button | Role::RadioButton | Role::CheckBox | Role::Slider | Role::TextInput
            )
        });
        controls
            .map(|(_, node)| (format!("{:?}", node.role()), node.label().unwrap_or_default().to_owned()))
            .collect()
    }

    pub fn shows(&self, text: &str) -> bool {
        self.texts.iter().any(|(shown, _)| shown.contains(text))
    }

    pub fn place(&self, id: Id) -> Pos2 {
        self.egui
            .read_response(id)
            .unwrap_or_else(|| panic!("nothing with the id {id:?} was drawn"))
            .rect
            .center()
    }

    pub fn press(&mut self, model: &ViewModel, at: Pos2, pressed: bool) -> Vec<Action> {
        let modifiers = self.modifiers;
        let button = Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers };
        self.draw(model, vec![button])
    }

    /// Where something is, if it is shown.
    pub fn find(&mut self, model: &ViewModel, id: Id) -> Option<Pos2> {
        self.draw(model, vec![]);
        self.egui.read_response(id).map(|response| response.rect.center())
    }

    /// Moves there, presses and lets go.
    pub fn click(&mut self, model: &ViewModel, id: Id) -> Vec<Action> {
        self.draw(model, vec![]);
        let at = self.place(id);
        self.draw(model, vec![Event::PointerMoved(at)]);
        let mut actions = self.press(model, at, true);
        actions.extend(self.press(model, at, false));
        actions
    }

    pub fn drag(&mut self, model: &ViewModel, id: Id, by: Vec2) -> Vec<Action> {
        self.draw(model, vec![]);
        let at = self.place(id);
        self.draw(model, vec![Event::PointerMoved(at)]);
        let mut actions = self.press(model, at, true);
        for step in 1..=10 {
            actions.extend(self.draw(model, vec![Event::PointerMoved(at + by * step as f32 / 10.0)]));
        }
        actions.extend(self.press(model, at + by, false));
        actions
    }
}

/// A window of the usual size.
pub fn window() -> Window {
    Window::new(Vec2::new(960.0, 690.0))
}

fn collect(shape: &Shape, texts: &mut Vec<(String, Rect)>, cards: &mut Vec<Rect>) {
    match shape {
        Shape::Text(text) if text.galley.text().trim().is_empty() => {}
        Shape::Text(text) => texts.push((text.galley.text().to_owned(), text.visual_bounding_rect())),
        Shape::Rect(rect) if rect.fill == DARK.card => cards.push(rect.rect),
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, texts, cards)),
        _ => {}
    }
}

/// A state on each page.
pub fn pages(model: &ViewModel) -> impl Iterator<Item = (Page, ViewModel)> {
    let model = model.clone();
    Page::ALL.into_iter().map(move |page| (page, on(&model, page)))
}

/// A state on one page.
pub fn on(model: &ViewModel, page: Page) -> ViewModel {
    let mut model = model.clone();
    model.look.page = page;
    model
}
