//! What stands in the window, and that it can be read.

use crate::desk::{Window, pages, window};
use egui::{Pos2, Rect, Vec2};
use idiom_plugin::editor::samples;
use idiom_plugin::state::Size;

/// Sizes that a window may have, and two that no host should ask for.
pub fn sizes() -> [Vec2; 5] {
    let size = |size: Size| Vec2::new(f32::from(size.width), f32::from(size.height));
    let odd = [Vec2::new(720.0, 1400.0), Vec2::new(2000.0, 480.0)];
    [size(Size::MIN), size(Size::DEFAULT), size(Size::MAX), odd[0], odd[1]]
}

#[test]
fn every_state_is_drawn_on_every_page_at_every_size() {
    for size in sizes() {
        for (name, model) in samples::all() {
            for (page, model) in pages(&model) {
                let mut window = Window::new(size);
                for _ in 0..3 {
                    assert_eq!(
                        window.draw(&model, vec![]),
                        [],
                        "{name} acts by itself at {size} on {page:?}"
                    );
                }
                assert!(window.shows("Idiom") && window.shows(page.label()), "{name} at {size} on {page:?}");
            }
        }
    }
}

#[test]
fn the_track_is_named_where_the_host_tells() {
    let mut model = samples::playing();
    let mut window = window();
    window.draw(&model, vec![]);
    assert!(!window.shows("Vocal bus"));
    model.track = Some(("Vocal bus".into(), Some([200, 80, 40])));
    window.draw(&model, vec![]);
    assert!(window.shows("Vocal bus"));
}

/// What is written stays within the window and within its card, and runs into nothing else that is written.
#[test]
fn everything_that_is_written_can_be_read() {
    let mut wrong = Vec::new();
    for (name, model) in samples::all().into_iter().filter(|(name, _)| *name != "hostile") {
        for size in sizes() {
            for (page, model) in pages(&model) {
                let mut window = Window::new(size);
                window.draw(&model, vec![]);
                window.draw(&model, vec![]);
                assert!(window.cards.len() > 1, "{name} on {page:?}");
                let inside = Rect::from_min_size(Pos2::ZERO, size).expand(0.5);
                for (i, (text, rect)) in window.texts.iter().enumerate() {
                    let mut complain = |what: String| {
                        wrong.push(format!("{name} on {page:?} at {size}: {text:?} at {rect} {what}"));
                    };
                    if !inside.contains_rect(*rect) {
                        complain("leaves the window".into());
                    }
                    for card in &window.cards {
                        if card.expand(-0.5).intersects(*rect) && !card.expand(0.5).contains_rect(*rect) {
                            complain(format!("leaves its card {card}"));
                        }
                    }
                    for (other, place) in &window.texts[i + 1..] {
                        let overlap = rect.shrink(0.5).intersect(place.shrink(0.5));
                        if overlap.is_positive() {
                            complain(format!("meets {other:?} at {overlap}"));
                        }
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} faults, first:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
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
            &[
                "0.05 % of 20 ms",
                "99 % 16 \u{b5}s",
                "max 88 \u{b5}s",
                "1.5 : 1",
                "-2.3",
                "INT8: 2.1x faster here",
            ],
        ),
        ("uncertain", &["Uncertain: nothing is 70 % likely (best guess Rock, 36 %). Jazz is held."]),
        ("silent", &["Silence. Jazz is held", "-\u{221e}"]),
        ("frozen", &["Frozen by you. Idiom hears Jazz (88 %)"]),
        ("manual", &["Set by you. Idiom hears Jazz", "Auto follows again"]),
        ("listening", &["Listening", "The first seconds decide"]),
        ("bypassed", &["the sound is untouched", "Mix (bypassed)"]),
        ("neutral", &["Amount is 0 %: nothing is changed"]),
        ("missing model", &["reinstall Idiom", "Runs spectral rules"]),
        ("problem", &["engine failed and was switched off", "saved state is damaged"]),
        ("midi setup", &["CC 107", "not sent: Speech has it", "Channel", "0 to 127"]),
        ("own model", &["a-model-of-mine", "It tells apart: rock, rain, wind"]),
    ];
    let samples = samples::all();
    for (name, texts) in expected {
        let (_, model) = samples.iter().find(|(sample, _)| sample == name).expect("a known sample");
        let mut shown = Vec::new();
        for (_, model) in pages(model) {
            let mut window = window();
            window.draw(&model, vec![]);
            window.draw(&model, vec![]);
            shown.extend(window.texts);
        }
        for text in *texts {
            assert!(
                shown.iter().any(|(shown, _)| shown.contains(text)),
                "{name} does not say {text:?}: {shown:?}"
            );
        }
    }
}
