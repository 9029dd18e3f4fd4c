//! The window without a screen: what stands in it, and what comes out of it when somebody touches it.

use super::menu::Menu;
use super::model::{Action, ViewModel};
use super::{controls, knob, prepare, recogniser, samples, theme, view};
use crate::params::{Dial, Switch};
use crate::state::{Choice, Size};
use egui::epaint::Shape;
use egui::{Context, Event, Id, Key, Modifiers, MouseWheelUnit, PointerButton, Pos2, RawInput, Rect, Vec2};
use idiom_engine::{Backend, Genre, Quantization};

/// A window on no screen.
struct Window {
    egui: Context,
    size: Vec2,
    modifiers: Modifiers,
    time: f64,
    texts: Vec<(String, Rect)>,
    cards: Vec<Rect>,
}

impl Window {
    fn new(size: Vec2) -> Self {
        let egui = Context::default();
        prepare(&egui);
        Self { egui, size, modifiers: Modifiers::NONE, time: 0.0, texts: Vec::new(), cards: Vec::new() }
    }

    /// One picture after `events`.
    fn draw(&mut self, model: &ViewModel, mut events: Vec<Event>) -> Vec<Action> {
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
        self.texts.clear();
        self.cards.clear();
        for clipped in &output.shapes {
            collect(&clipped.shape, &mut self.texts, &mut self.cards);
        }
        actions
    }

    fn shows(&self, text: &str) -> bool {
        self.texts.iter().any(|(shown, _)| shown.contains(text))
    }

    fn place(&self, id: Id) -> Pos2 {
        self.egui
            .read_response(id)
            .unwrap_or_else(|| panic!("nothing with the id {id:?} was drawn"))
            .rect
            .center()
    }

    fn press(&mut self, model: &ViewModel, at: Pos2, pressed: bool) -> Vec<Action> {
        let modifiers = self.modifiers;
        let button = Event::PointerButton { pos: at, button: PointerButton::Primary, pressed, modifiers };
        self.draw(model, vec![button])
    }

    /// Moves there, presses and lets go.
    fn click(&mut self, model: &ViewModel, id: Id) -> Vec<Action> {
        self.draw(model, vec![]);
        let at = self.place(id);
        self.draw(model, vec![Event::PointerMoved(at)]);
        let mut actions = self.press(model, at, true);
        actions.extend(self.press(model, at, false));
        actions
    }

    fn drag(&mut self, model: &ViewModel, id: Id, by: Vec2) -> Vec<Action> {
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

fn window() -> Window {
    Window::new(Vec2::new(960.0, 690.0))
}

fn collect(shape: &Shape, texts: &mut Vec<(String, Rect)>, cards: &mut Vec<Rect>) {
    match shape {
        Shape::Text(text) => texts.push((text.galley.text().to_owned(), text.visual_bounding_rect())),
        Shape::Rect(rect) if rect.fill == theme::CARD => cards.push(rect.rect),
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect(shape, texts, cards)),
        _ => {}
    }
}

fn sizes() -> [Vec2; 5] {
    let size = |size: Size| Vec2::new(f32::from(size.width), f32::from(size.height));
    let odd = [Vec2::new(720.0, 1400.0), Vec2::new(2000.0, 480.0)];
    [size(Size::MIN), size(Size::DEFAULT), size(Size::MAX), odd[0], odd[1]]
}

#[test]
fn every_state_is_drawn_at_every_size() {
    for size in sizes() {
        for (name, model) in samples::all() {
            let mut window = Window::new(size);
            for _ in 0..3 {
                assert_eq!(window.draw(&model, vec![]), [], "{name} acts by itself at {size}");
            }
            assert!(window.shows("Idiom") && window.shows("Recogniser"), "{name} at {size}");
        }
    }
}

/// What is written stays within the window, and within its card.
#[test]
fn no_text_leaves_its_card() {
    for size in sizes() {
        for (name, model) in samples::all().into_iter().filter(|(name, _)| *name != "hostile") {
            let mut window = Window::new(size);
            window.draw(&model, vec![]);
            window.draw(&model, vec![]);
            assert_eq!(window.cards.len(), 6);
            let inside = Rect::from_min_size(Pos2::ZERO, size).expand(0.5);
            for (text, rect) in &window.texts {
                assert!(inside.contains_rect(*rect), "{name} at {size}: {text:?} is at {rect}");
                for card in &window.cards {
                    let apart = !card.intersects(*rect);
                    assert!(
                        apart || card.contains_rect(*rect),
                        "{name} at {size}: {text:?} leaves its card: {rect}"
                    );
                }
            }
        }
    }
}

/// Nor does any text run into another one.
#[test]
fn no_text_covers_another() {
    for (name, model) in samples::all().into_iter().filter(|(name, _)| *name != "hostile") {
        for size in sizes() {
            let mut window = Window::new(size);
            window.draw(&model, vec![]);
            window.draw(&model, vec![]);
            for (i, (text, rect)) in window.texts.iter().enumerate() {
                for (other, place) in &window.texts[i + 1..] {
                    let overlap = rect.shrink(0.5).intersect(place.shrink(0.5));
                    assert!(
                        !overlap.is_positive(),
                        "{name} at {size}: {text:?} and {other:?} meet at {overlap}"
                    );
                }
            }
        }
    }
}

#[test]
fn each_state_says_in_words_what_goes_on() {
    let expected: &[(&str, &[&str])] = &[
        (
            "empty",
            &["No sound yet", "Press play in your host", "Choosing what runs best here", "A frame has 20 ms"],
        ),
        (
            "playing",
            &["Jazz", "Recognised, 88 % sure", "88 %", "Runs ONNX in INT8 on the audio thread", "48.0 kHz"],
        ),
        (
            "playing",
            &["10 \u{b5}s: 0.05 % of its 20 ms", "99 % 16 \u{b5}s", "max 88 \u{b5}s", "1.6 : 1", "-2.3 dB"],
        ),
        ("uncertain", &["Uncertain: nothing is 70 % likely (best guess Rock, 36 %). Jazz is held."]),
        ("silent", &["Silence. Jazz is held", "-\u{221e}"]),
        ("frozen", &["Frozen by you. Idiom hears Jazz (88 %)"]),
        ("manual", &["Set by you. Idiom hears Jazz", "Auto follows again"]),
        ("listening", &["Listening", "The first seconds decide"]),
        ("bypassed", &["the sound is untouched", "Mix (bypassed)"]),
        ("neutral", &["Amount is 0 %: nothing is changed"]),
        ("problem", &["reinstall Idiom", "saved state is damaged"]),
    ];
    let samples = samples::all();
    for (name, texts) in expected {
        let (_, model) = samples.iter().find(|(sample, _)| sample == name).expect("a known sample");
        let mut window = window();
        window.draw(model, vec![]);
        window.draw(model, vec![]);
        for text in *texts {
            assert!(window.shows(text), "{name} does not say {text:?}: {:?}", window.texts);
        }
    }
}

#[test]
fn dragging_a_knob_is_one_gesture_that_raises_the_value() {
    let model = samples::playing();
    let actions = window().drag(&model, knob::id(Dial::Output), Vec2::new(0.0, -60.0));
    assert_eq!(actions.first(), Some(&Action::Begin(Dial::Output)));
    assert_eq!(actions.last(), Some(&Action::End(Dial::Output)));
    let values: Vec<f32> = actions
        .iter()
        .filter_map(|action| if let Action::Set(Dial::Output, value) = action { Some(*value) } else { None })
        .collect();
    assert_eq!(values.len(), actions.len() - 2, "{actions:?}");
    assert!(values.is_sorted() && values[0] > 0.0, "{values:?}");
    // 180 points are 48 dB; the first 6 only decide that this is a drag and no click.
    let last = values[values.len() - 1];
    assert!((last - 54.0 / 180.0 * 48.0).abs() < 0.1, "{last}");
}

#[test]
fn shift_makes_a_drag_ten_times_finer_and_the_ends_hold() {
    let model = samples::playing();
    let last = |by: f32, shift: bool| {
        let mut window = window();
        window.modifiers.shift = shift;
        let actions = window.drag(&model, knob::id(Dial::Output), Vec2::new(0.0, by));
        match actions[actions.len() - 2] {
            Action::Set(_, value) => value,
            ref other => panic!("{other:?}"),
        }
    };
    assert!((last(-60.0, true) - 5.4 / 180.0 * 48.0).abs() < 0.02);
    assert_eq!(last(-500.0, false), 24.0);
    assert_eq!(last(500.0, false), -24.0);
}

#[test]
fn a_double_click_and_a_ctrl_click_reset() {
    let mut model = samples::playing();
    model.dials = [10.0, 5.0, 20.0, 3.0];
    for dial in Dial::ALL {
        let reset = [Action::Begin(dial), Action::Set(dial, dial.default()), Action::End(dial)];
        let mut twice = window();
        assert_eq!(twice.click(&model, knob::id(dial)), []);
        assert_eq!(twice.click(&model, knob::id(dial)), reset);
        let mut ctrl = window();
        ctrl.modifiers = Modifiers::COMMAND;
        assert_eq!(ctrl.click(&model, knob::id(dial)), reset);
    }
}

#[test]
fn the_wheel_steps_a_knob_under_the_pointer() {
    let model = samples::playing();
    let mut window = window();
    window.draw(&model, vec![]);
    let at = window.place(knob::id(Dial::Threshold));
    window.draw(&model, vec![Event::PointerMoved(at)]);
    let wheel = |delta: f32| Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: Vec2::new(0.0, delta),
        modifiers: Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    };
    let actions = window.draw(&model, vec![wheel(2.0)]);
    let dial = Dial::Threshold;
    assert!(
        matches!(actions[..], [Action::Begin(a), Action::Set(b, value), Action::End(c)]
            if a == dial && b == dial && c == dial && (value - 75.0).abs() < 1e-3),
        "{actions:?}"
    );
    window.draw(&model, vec![Event::PointerMoved(Pos2::new(1.0, 1.0))]);
    assert_eq!(window.draw(&model, vec![wheel(2.0)]), []);
}

#[test]
fn a_value_can_be_typed_and_left_alone() {
    let model = samples::playing();
    let key = |key: Key| Event::Key {
        key,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let select_all = Event::Key {
        key: Key::A,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::COMMAND,
    };
    let field = knob::id(Dial::Reaction).with("typed");
    for (typed, end, expected) in [
        ("0,5", Key::Enter, Some(0.5)),
        ("250 ms", Key::Enter, Some(0.25)),
        ("soon", Key::Enter, None),
        ("7", Key::Escape, None),
    ] {
        let mut window = window();
        assert_eq!(window.click(&model, field), []);
        assert_eq!(window.draw(&model, vec![]), []);
        assert!(window.egui.egui_wants_keyboard_input(), "the field has the keyboard");
        assert_eq!(window.draw(&model, vec![select_all.clone(), Event::Text(typed.into())]), []);
        let mut actions = window.draw(&model, vec![key(end)]);
        actions.extend(window.draw(&model, vec![]));
        let dial = Dial::Reaction;
        match expected {
            Some(value) => {
                assert_eq!(
                    actions,
                    [Action::Begin(dial), Action::Set(dial, value), Action::End(dial)],
                    "{typed}"
                );
            }
            None => assert_eq!(actions, [], "{typed}"),
        }
        assert!(!window.egui.egui_wants_keyboard_input(), "{typed}: the keyboard is the host's again");
    }
}

/// The space bar starts and stops the host's transport. Nothing in the window may take it.
#[test]
fn the_space_bar_stays_with_the_host() {
    let model = samples::playing();
    let mut window = window();
    window.click(&model, controls::switch_id(Switch::Freeze));
    window.drag(&model, knob::id(Dial::Amount), Vec2::new(0.0, -20.0));
    assert!(!window.egui.egui_wants_keyboard_input());
    let space = Event::Key {
        key: Key::Space,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let tab = Event::Key {
        key: Key::Tab,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    for _ in 0..5 {
        assert_eq!(window.draw(&model, vec![tab.clone()]), []);
        assert_eq!(window.draw(&model, vec![space.clone()]), []);
    }
}

#[test]
fn each_button_says_what_it_is_for() {
    let model = samples::playing();
    for switch in Switch::ALL {
        let actions = window().click(&model, controls::switch_id(switch));
        assert_eq!(actions, [Action::Switch(switch, !model.switch(switch))]);
    }
    for genre in Genre::ALL {
        assert_eq!(window().click(&model, controls::genre_id(Some(genre))), [Action::Manual(Some(genre))]);
    }
    assert_eq!(window().click(&model, controls::genre_id(None)), [], "Auto is on already");
    for backend in Backend::ALL.into_iter().filter(|b| *b != Backend::Auto) {
        let chosen = Choice { backend, quantization: Quantization::Auto };
        assert_eq!(window().click(&model, recogniser::backend_id(backend)), [Action::Choose(chosen)]);
    }
    for quantization in [Quantization::Fp32, Quantization::Fp16, Quantization::Int8] {
        let chosen = Choice { backend: Backend::Auto, quantization };
        assert_eq!(
            window().click(&model, recogniser::quantization_id(quantization)),
            [Action::Choose(chosen)]
        );
    }
    let (_, problem) =
        samples::all().into_iter().find(|(name, _)| *name == "problem").expect("a known sample");
    assert_eq!(window().click(&problem, view::dismiss_id()), [Action::DismissNotice]);
}

#[test]
fn a_preset_is_chosen_from_the_list_or_by_a_step_and_a_click_beside_the_list_only_closes_it() {
    let mut model = samples::playing();
    model.preset = 1;
    let (button, line) = (Menu::button_id(view::PRESETS), |index| Menu::item_id(view::PRESETS, index));
    let mut window = window();
    window.draw(&model, vec![]);
    assert!(window.shows("Gentle Bus") && !window.shows("Streaming Polish"));
    assert_eq!(window.click(&model, button), []);
    window.draw(&model, vec![]);
    let factory = idiom_engine::profile::Preset::factory();
    assert!(factory.iter().all(|preset| window.shows(&preset.name)), "{:?}", window.texts);
    assert_eq!(window.click(&model, line(3)), [Action::Preset(3)]);
    window.draw(&model, vec![]);
    assert!(!window.shows("Streaming Polish"), "the list is still open");

    window.click(&model, button);
    let freeze = controls::switch_id(Switch::Freeze);
    assert_eq!(window.click(&model, freeze), [], "a click beside the list does more than close it");
    assert_eq!(window.click(&model, freeze), [Action::Switch(Switch::Freeze, true)]);

    assert_eq!(window.click(&model, button.with("forward")), [Action::Preset(2)]);
    model.preset = 0;
    assert_eq!(window.click(&model, button.with("back")), [Action::Preset(factory.len() - 1)]);
}

/// However many presets there are, each can be reached in the smallest window.
#[test]
fn the_list_of_presets_fits_the_window() {
    let model = samples::playing();
    for size in sizes() {
        let mut window = Window::new(size);
        window.click(&model, Menu::button_id(view::PRESETS));
        window.draw(&model, vec![]);
        let inside = Rect::from_min_size(Pos2::ZERO, size);
        for index in 0..idiom_engine::profile::Preset::factory().len() {
            let rect = window.egui.read_response(Menu::item_id(view::PRESETS, index)).unwrap().rect;
            assert!(inside.contains_rect(rect), "line {index} at {size} is at {rect}");
        }
    }
}
