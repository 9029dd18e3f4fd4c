//! What comes out of the window when somebody touches it.

use crate::desk::{Window, on, pages, window};
use crate::layout::sizes;
use egui::{Event, Modifiers, MouseWheelUnit, PointerButton, Pos2, Rect, Vec2};
use idiom_engine::profile::{Parameter, Profile};
use idiom_engine::{Backend, Genre, LimiterMode, Mode, Quantization, Section, Uncertain};
use idiom_plugin::editor::control::Control;
use idiom_plugin::editor::menu::Menu;
use idiom_plugin::editor::model::{Action, Browse, Page, Shelf, Slot, ViewModel};
use idiom_plugin::editor::theme::Shade;
use idiom_plugin::editor::{
    cache, controls, genre, header, knob, midi, presets, recogniser, samples, sections, stepper, view,
};
use idiom_plugin::library::Key;
use idiom_plugin::params::cc::{Carried, FREE};
use idiom_plugin::params::{Dial, Switch};

fn key(key: egui::Key) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE }
}

#[test]
fn dragging_a_knob_is_one_gesture_that_raises_the_value() {
    let model = samples::playing();
    let actions = window().drag(&model, knob::id(Dial::Output), Vec2::new(0.0, -60.0));
    assert_eq!(actions.first(), Some(&Action::Begin(Control::Dial(Dial::Output))));
    assert_eq!(actions.last(), Some(&Action::End(Control::Dial(Dial::Output))));
    let values: Vec<f32> = actions
        .iter()
        .filter_map(|action| {
            if let Action::Set(Control::Dial(Dial::Output), value) = action { Some(*value) } else { None }
        })
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
    model.dials = Dial::ALL.map(|dial| dial.limits().1);
    model.look.section = Some(Section::Limiter);
    for dial in Dial::ALL {
        let reset = [
            Action::Begin(Control::Dial(dial)),
            Action::Set(Control::Dial(dial), dial.default()),
            Action::End(Control::Dial(dial)),
        ];
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
            if a == b && b == c && a == Control::Dial(dial) && (value - 75.0).abs() < 1e-3),
        "{actions:?}"
    );
    window.draw(&model, vec![Event::PointerMoved(Pos2::new(1.0, 1.0))]);
    assert_eq!(window.draw(&model, vec![wheel(2.0)]), []);
}

#[test]
fn a_value_can_be_typed_and_left_alone() {
    let model = samples::playing();
    let select_all = Event::Key {
        key: egui::Key::A,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::COMMAND,
    };
    let field = knob::id(Dial::Reaction).with("typed");
    for (typed, end, expected) in [
        ("0,5", egui::Key::Enter, Some(0.5)),
        ("250 ms", egui::Key::Enter, Some(0.25)),
        ("soon", egui::Key::Enter, None),
        ("7", egui::Key::Escape, None),
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
                    [
                        Action::Begin(Control::Dial(dial)),
                        Action::Set(Control::Dial(dial), value),
                        Action::End(Control::Dial(dial))
                    ],
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
    window.click(&model, controls::switch_id(Switch::Bypass));
    window.drag(&model, knob::id(Dial::Amount), Vec2::new(0.0, -20.0));
    assert!(!window.egui.egui_wants_keyboard_input());
    let space = Event::Key {
        key: egui::Key::Space,
        physical_key: None,
        pressed: true,
        repeat: false,
        modifiers: Modifiers::NONE,
    };
    let tab = Event::Key {
        key: egui::Key::Tab,
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
        // Where it stands.
        let mut model = model.clone();
        match switch {
            Switch::SideChain => model.look.section = Some(Section::Compressor),
            Switch::MidiOut => model.look.page = Page::Genre,
            _ => {}
        }
        let actions = window().click(&model, controls::switch_id(switch));
        assert_eq!(actions, [Action::Switch(switch, !model.switch(switch))]);
    }
    for genre in Genre::ALL {
        assert_eq!(window().click(&model, controls::genre_id(Some(genre))), [Action::Manual(Some(genre))]);
    }
    assert_eq!(window().click(&model, controls::genre_id(None)), [], "Auto is on already");
    let model = on(&model, Page::Engine);
    for backend in Backend::ALL.into_iter().filter(|b| *b != Backend::Auto) {
        assert_eq!(window().click(&model, recogniser::backend_id(backend)), [Action::Backend(backend)]);
    }
    for quantization in [Quantization::Fp32, Quantization::Fp16, Quantization::Int8] {
        let click = window().click(&model, recogniser::quantization_id(quantization));
        assert_eq!(click, [Action::Quantization(quantization)]);
    }
    let (_, problem) =
        samples::all().into_iter().find(|(name, _)| *name == "problem").expect("a known sample");
    assert_eq!(window().click(&problem, view::dismiss_id()), [Action::DismissNotice]);
}

#[test]
fn the_header_opens_pages_undoes_and_compares() {
    let mut model = samples::playing();
    for page in Page::ALL {
        let expected = if page == Page::Mix { vec![] } else { vec![Action::Page(page)] };
        assert_eq!(window().click(&model, header::tab_id(page)), expected);
    }
    assert_eq!(window().click(&model, header::undo_id(false)), [], "there is nothing to undo");
    model.look.undo = Some("Amount".into());
    model.look.redo = Some("Output gain".into());
    assert_eq!(window().click(&model, header::undo_id(false)), [Action::Undo]);
    assert_eq!(window().click(&model, header::undo_id(true)), [Action::Redo]);
    assert_eq!(window().click(&model, header::slot_id(Slot::A)), [], "A plays already");
    assert_eq!(window().click(&model, header::slot_id(Slot::B)), [Action::Slot(Slot::B)]);
    assert_eq!(window().click(&model, header::copy_id()), [Action::CopySlot]);

    let line = |index| Menu::item_id(header::WINDOW, index);
    let expected = [Action::Shade(Shade::Dark), Action::Shade(Shade::Light)]
        .into_iter()
        .chain(header::SIZES.map(Action::Resize));
    for (index, action) in expected.enumerate() {
        let mut window = window();
        assert_eq!(window.click(&model, Menu::button_id(header::WINDOW)), []);
        assert_eq!(window.click(&model, line(index)), [action]);
    }
}

#[test]
fn what_is_heard_is_compared_with_the_genre_set_by_hand() {
    let mut model = on(&samples::playing(), Page::Genre);
    assert_eq!(window().click(&model, genre::compare_id()), [], "nothing was set by hand yet");
    model.look.by_hand = Some(Genre::Rock);
    assert_eq!(window().click(&model, genre::compare_id()), [Action::Manual(Some(Genre::Rock))]);
    model.manual = Some(Genre::Rock);
    assert_eq!(window().click(&model, genre::compare_id()), [Action::Manual(None)]);
}

#[test]
fn a_right_click_on_a_knob_offers_what_can_be_done() {
    let model = samples::playing();
    for (dial, min, max) in Dial::ALL.map(|dial| (dial, dial.limits().0, dial.limits().1)) {
        let to = |value| {
            vec![
                Action::Begin(Control::Dial(dial)),
                Action::Set(Control::Dial(dial), value),
                Action::End(Control::Dial(dial)),
            ]
        };
        for (line, expected) in
            [(0, to(dial.default())), (1, vec![]), (2, to(min)), (3, to(max)), (4, vec![])]
        {
            let mut window = window();
            let Some(at) = window.find(&model, knob::id(dial)) else { continue };
            window.draw(&model, vec![Event::PointerMoved(at)]);
            for pressed in [true, false] {
                let button = PointerButton::Secondary;
                let modifiers = Modifiers::NONE;
                window.draw(&model, vec![Event::PointerButton { pos: at, button, pressed, modifiers }]);
            }
            assert_eq!(window.click(&model, Menu::item_id(knob::MENU, line)), expected, "{dial:?} {line}");
            window.draw(&model, vec![]);
            assert_eq!(window.egui.egui_wants_keyboard_input(), line == 1, "{dial:?} {line}");
        }
    }
}

/// Only what was turned, and only while a genre plays.
#[test]
fn what_was_turned_can_be_kept_for_the_genre_that_plays() {
    let mut tried = 0;
    for &parameter in Parameter::ALL.iter().filter(|parameter| **parameter != Parameter::EqTrim) {
        let mut playing = samples::playing();
        playing.own = Profile::NEUTRAL;
        let genre = playing.genre().unwrap();
        let mut turned = playing.clone();
        turned.own[parameter] = parameter.spec().range.1;
        let mut silent = turned.clone();
        silent.snapshot.genre = None;
        for (model, expected) in
            [(&turned, vec![Action::Keep(parameter, genre)]), (&playing, vec![]), (&silent, vec![])]
        {
            let mut window = window();
            let Some(at) = window.find(model, knob::id(parameter)) else { continue };
            window.draw(model, vec![Event::PointerMoved(at)]);
            for pressed in [true, false] {
                let button = PointerButton::Secondary;
                let modifiers = Modifiers::NONE;
                window.draw(model, vec![Event::PointerButton { pos: at, button, pressed, modifiers }]);
            }
            window.draw(model, vec![]);
            let item = Menu::item_id(knob::MENU, 5);
            let listed = window.find(model, item).is_some();
            assert_eq!(listed, !expected.is_empty(), "{parameter:?}");
            if listed {
                assert_eq!(window.click(model, item), expected, "{parameter:?}");
                tried += 1;
            }
        }
    }
    assert!(tried > 0, "no knob of a section is shown");
}

#[test]
fn a_preset_is_chosen_from_the_list_or_by_a_step_and_a_click_beside_the_list_only_closes_it() {
    let mut model = samples::playing();
    (model.preset, model.loaded) = (1, Some(Key::factory(1)));
    let (button, line) = (Menu::button_id(header::PRESETS), |index| Menu::item_id(header::PRESETS, index));
    let mut window = window();
    window.draw(&model, vec![]);
    assert!(window.shows("Gentle Bus") && !window.shows("Streaming Polish"));
    assert_eq!(window.click(&model, button), []);
    window.draw(&model, vec![]);
    let factory = idiom_engine::profile::Preset::factory();
    assert!(factory.iter().all(|preset| window.shows(&preset.name)), "{:?}", window.texts);
    assert_eq!(window.click(&model, line(3)), [Action::Load(Key::factory(3))]);
    window.draw(&model, vec![]);
    assert!(!window.shows("Streaming Polish"), "the list is still open");

    window.click(&model, button);
    let freeze = controls::switch_id(Switch::Bypass);
    assert_eq!(window.click(&model, freeze), [], "a click beside the list does more than close it");
    assert_eq!(window.click(&model, freeze), [Action::Switch(Switch::Bypass, true)]);

    assert_eq!(window.click(&model, button.with("forward")), [Action::Load(Key::factory(2))]);
    model.loaded = Some(Key::factory(0));
    assert_eq!(window.click(&model, button.with("back")), [Action::Load(Key::factory(factory.len() - 1))]);
}

/// However many presets there are, each can be reached in the smallest window.
#[test]
fn the_list_of_presets_fits_the_window() {
    let model = samples::playing();
    for size in sizes() {
        let mut window = Window::new(size);
        window.click(&model, Menu::button_id(header::PRESETS));
        window.draw(&model, vec![]);
        let inside = Rect::from_min_size(Pos2::ZERO, size);
        for index in 0..idiom_engine::profile::Preset::factory().len() {
            let rect = window.egui.read_response(Menu::item_id(header::PRESETS, index)).unwrap().rect;
            assert!(inside.contains_rect(rect), "line {index} at {size} is at {rect}");
        }
    }
}

#[test]
fn presets_are_searched_marked_loaded_saved_and_deleted_on_their_page() {
    let model = on(&samples::playing(), Page::Presets);
    let browse = |change: fn(&mut Browse)| {
        let mut browse = Browse::default();
        change(&mut browse);
        Action::Browse(browse)
    };
    for entry in model.presets.iter().skip(1).take(12) {
        assert_eq!(window().click(&model, presets::row_id(&entry.key)), [Action::Load(entry.key.clone())]);
        let mark = Action::Favourite(entry.key.clone(), true);
        assert_eq!(window().click(&model, presets::star_id(&entry.key)), [mark]);
    }
    assert_eq!(window().click(&model, presets::row_id(&Key::factory(0))), [], "it plays already");
    let click = |what: &str| window().click(&model, presets::button_id(what));
    assert_eq!(window().click(&model, presets::shelf_id(Shelf::Mine)), [browse(|b| b.shelf = Shelf::Mine)]);
    let tag = window().click(&model, presets::tag_id("loudness"));
    assert_eq!(tag, [browse(|b| b.tag = Some("loudness".into()))]);
    assert_eq!(click("save"), [browse(|b| b.naming = Some(String::new()))]);
    assert_eq!((click("replace"), click("delete")), (vec![], vec![]), "factory presets stay as they are");

    let mut typing = window();
    assert_eq!(typing.click(&model, presets::search_id()), []);
    assert!(typing.egui.egui_wants_keyboard_input());
    assert_eq!(typing.draw(&model, vec![Event::Text("pod".into())]), [browse(|b| b.search = "pod".into())]);
    typing.draw(&model, vec![key(egui::Key::Escape)]);
    assert!(!typing.egui.egui_wants_keyboard_input(), "the keyboard is the host's again");

    let mut naming = model.clone();
    naming.look.browse.naming = Some("Evening".into());
    let mut typing = window();
    typing.draw(&naming, vec![]);
    typing.draw(&naming, vec![]);
    assert!(typing.egui.egui_wants_keyboard_input(), "the name can be typed at once");
    assert_eq!(typing.draw(&naming, vec![key(egui::Key::Enter)]), [Action::Save("Evening".into())]);
    assert_eq!(window().click(&naming, presets::button_id("keep")), [Action::Save("Evening".into())]);
    assert_eq!(window().click(&naming, presets::button_id("cancel")), [browse(|_| {})]);
    naming.look.browse.naming = Some(" ".into());
    assert_eq!(window().click(&naming, presets::button_id("keep")), [], "a preset has a name");

    let mut own = samples::own_preset();
    own.look.page = Page::Presets;
    own.edited = true;
    let name = String::from("Late show");
    assert_eq!(window().click(&own, presets::button_id("replace")), [Action::Save(name.clone())]);
    assert_eq!(window().click(&own, presets::button_id("delete")), [browse(|b| b.deleting = true)]);
    own.look.browse.deleting = true;
    assert_eq!(window().click(&own, presets::button_id("delete")), [Action::Delete(name)]);
}

/// Every setting that a genre moves has a knob on its section's page, with the user's own value; the mix does not move it.
#[test]
fn every_setting_has_a_knob_in_its_section() {
    let mut model = samples::playing();
    for section in Section::ALL {
        let open = Action::Section(section);
        let expected = if section == Section::Eq { vec![] } else { vec![open] };
        assert_eq!(window().click(&samples::playing(), sections::tab_id(section)), expected);
        model.look.section = Some(section);
        for parameter in Parameter::ALL.iter().copied().filter(|p| p.section() == section) {
            let control = Control::Own(parameter);
            let actions = window().drag(&model, knob::id(control), Vec2::new(0.0, -20.0));
            assert_eq!(actions.first(), Some(&Action::Begin(control)), "{parameter:?}");
            let up = matches!(actions[..], [_, .., Action::Set(c, value), Action::End(_)]
                if c == control && value > control.default());
            let (_, most) = control.limits();
            assert!(up || control.default() == most, "{parameter:?}: {actions:?}");
        }
    }
    model.look.section = Some(Section::Limiter);
    let click = |id| window().click(&model, id);
    let ahead = LimiterMode::LookAhead;
    assert_eq!(click(sections::limiter_id(ahead)), [Action::Limiter(ahead)]);
    assert_eq!(click(sections::limiter_id(LimiterMode::ZeroLatency)), [], "it is that already");
}

#[test]
fn the_mode_is_chosen_and_the_mix_is_printed() {
    let mut model = samples::playing();
    for mode in Mode::ALL {
        let expected = if mode == Mode::Follow { vec![] } else { vec![Action::Mode(mode)] };
        assert_eq!(window().click(&model, controls::mode_id(mode)), expected);
    }
    let genre = on(&model, Page::Genre);
    assert_eq!(window().click(&genre, controls::mode_id(Mode::Hold)), [Action::Mode(Mode::Hold)]);
    assert_eq!(window().click(&model, controls::uncertain_id()), [Action::Uncertain(Uncertain::Keep)]);
    assert_eq!(window().click(&model, controls::print_id()), [Action::Print(true)]);
    (model.uncertain, model.printing) = (Uncertain::Keep, true);
    assert_eq!(window().click(&model, controls::uncertain_id()), [Action::Uncertain(Uncertain::Ease)]);
    assert_eq!(window().click(&model, controls::print_id()), [Action::Print(false)]);
}

#[test]
fn the_cache_is_limited_and_cleared() {
    let model = on(&samples::playing(), Page::Engine);
    assert_eq!(window().click(&model, cache::clear_id()), [Action::ClearCache]);
    for (more, entries, minutes) in [(false, 512, 15), (true, 2048, 60)] {
        let click = |what: &str| window().click(&model, stepper::id(what, more));
        assert_eq!(click(cache::SIZE), [Action::CacheSize(entries)]);
        assert_eq!(click(cache::TIME), [Action::CacheMinutes(minutes)]);
    }
}

#[test]
fn midi_out_is_set_up_where_it_is_switched_on() {
    let mut model = on(&samples::playing(), Page::Genre);
    assert_eq!(window().click(&model, midi::setup_id()), [Action::MidiSetup(true)]);
    model.look.midi_setup = true;
    assert_eq!(window().click(&model, midi::setup_id()), [Action::MidiSetup(false)]);
    assert_eq!(window().click(&model, midi::done_id()), [Action::MidiSetup(false)]);
    let click = |model: &ViewModel, what: &str, more| window().click(model, stepper::id(what, more));
    assert_eq!(click(&model, "midi channel", true), [Action::MidiChannel(2)]);
    assert_eq!(click(&model, "midi channel", false), [], "there is no channel 0");
    for (i, carried) in Carried::ALL.into_iter().enumerate() {
        for (more, by) in [(true, 1), (false, -1)] {
            let place = FREE.iter().position(|free| *free == model.midi.numbers[i]).unwrap() as i32 + by;
            assert_eq!(click(&model, &carried.id(), more), [Action::Controller(carried, place)]);
        }
    }
    model.midi.numbers[1] = model.midi.numbers[0];
    (model.midi.numbers[2], model.midi.numbers[3]) = (FREE[0], FREE[FREE.len() - 1]);
    model.midi.channel = 15;
    let mut seen = window();
    seen.draw(&model, vec![]);
    assert!(seen.shows("not sent: Speech has it") && seen.shows("CC 3") && seen.shows("CC 119"));
    assert_eq!(click(&model, "midi channel", true), []);
    assert_eq!(click(&model, "cc.jazz", false), [], "the first");
    assert_eq!(click(&model, "cc.electronic", true), [], "the last");
    // The wheel, over the name as well as over the buttons.
    let mut window = window();
    window.draw(&model, vec![]);
    let at = window.place(stepper::id("cc.speech", true)) - Vec2::new(60.0, 0.0);
    window.draw(&model, vec![Event::PointerMoved(at)]);
    let wheel = Event::MouseWheel {
        unit: MouseWheelUnit::Line,
        delta: Vec2::new(0.0, 1.0),
        modifiers: Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    };
    let speech = Carried::Probability(Genre::Speech);
    assert_eq!(window.draw(&model, vec![wheel]), [Action::Controller(speech, 23)]);
}

/// Those who cannot see the window hear what each control is called, as screen readers get it.
#[test]
fn every_control_has_a_name() {
    for (name, model) in samples::all() {
        for (page, model) in pages(&model) {
            let mut window = window();
            window.egui.enable_accesskit();
            window.draw(&model, vec![]);
            window.draw(&model, vec![]);
            let controls = window.controls();
            assert!(controls.len() > 12, "{name} {page:?}: {controls:?}");
            for (role, label) in controls {
                assert!(!label.trim().is_empty(), "{name} {page:?}: a {role} without a name");
            }
        }
    }
}
