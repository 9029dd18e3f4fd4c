//! Picture tests: every page in every state, drawn in memory and compared with the pictures in `plugin/pictures`, and
//! the manual's pictures.
//!
//! `IDIOM_PICTURES=accept cargo test --test window` replaces them with what is drawn now; look at them
//! before keeping them. A failure leaves the new picture in `target/pictures`.

use crate::desk::Window;
use crate::raster::{Picture, Raster};
use egui::{Context, Pos2, RawInput, Rect, Vec2};
use idiom_engine::profile::Parameter;
use idiom_engine::{Genre, Section};
use idiom_plugin::editor::model::{Page, ViewModel};
use idiom_plugin::editor::theme::Shade;
use idiom_plugin::editor::{prepare, samples, view};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// How far a colour may be off before a pixel counts as another one: rounding differs between processors.
const NEAR: u8 = 24;
/// Share of the pixels that may be others.
const SHARE: f64 = 2e-3;

/// The window's picture, at `scale` pixels a point.
pub fn draw(model: &ViewModel, size: Vec2, scale: f32) -> Picture {
    let egui = Context::default();
    prepare(&egui, model.look.shade);
    egui.set_pixels_per_point(scale);
    let mut raster = Raster::default();
    let mut picture = None;
    // Fonts are there from the second frame on.
    for frame in 0..3 {
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
            time: Some(f64::from(frame) * 0.1),
            ..RawInput::default()
        };
        let output = egui.run_ui(input, |ui| {
            view::show(ui, model);
        });
        raster.update(&output.textures_delta);
        if frame < 2 {
            continue;
        }
        let primitives = egui.tessellate(output.shapes, output.pixels_per_point);
        let pixels = |points: f32| (points * output.pixels_per_point).round() as usize;
        picture = Some(raster.draw(&primitives, pixels(size.x), pixels(size.y), output.pixels_per_point));
    }
    picture.expect("drawn")
}

fn write(path: &Path, picture: &Picture) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for pictures");
    let mut encoder = png::Encoder::new(
        File::create(path).expect("a file for the picture"),
        picture.width as u32,
        picture.height as u32,
    );
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    let opaque: Vec<u8> =
        picture.bytes.chunks_exact(4).flat_map(|pixel| pixel[..3].iter().copied()).collect();
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&opaque)).expect("a PNG file");
}

fn read(path: &Path) -> Option<Picture> {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).ok()?)).read_info().ok()?;
    let mut bytes = vec![0; reader.output_buffer_size()?];
    let info = reader.next_frame(&mut bytes).ok()?;
    let bytes = bytes[..info.buffer_size()].chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    Some(Picture { width: info.width as usize, height: info.height as usize, bytes })
}

/// Share of pixels that are others.
fn difference(a: &Picture, b: &Picture) -> f64 {
    if (a.width, a.height) != (b.width, b.height) {
        return 1.0;
    }
    let other = |(a, b): (&[u8], &[u8])| a.iter().zip(b).any(|(a, b)| a.abs_diff(*b) > NEAR);
    let count = a.bytes.chunks_exact(4).zip(b.bytes.chunks_exact(4)).filter(|pair| other(*pair)).count();
    count as f64 / (a.width * a.height) as f64
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares each picture with the one that is kept in this folder, or keeps it there.
fn check(folder: &Path, pictures: Vec<(String, Picture)>) {
    let accept = std::env::var("IDIOM_PICTURES").is_ok_and(|value| value == "accept");
    let mut wrong = Vec::new();
    for (name, picture) in pictures {
        let kept = folder.join(format!("{name}.png"));
        if accept {
            write(&kept, &picture);
            continue;
        }
        let off = read(&kept).map_or(1.0, |kept| difference(&kept, &picture));
        if off > SHARE {
            let new = root().join("../target/pictures").join(format!("{name}.png"));
            write(&new, &picture);
            wrong.push(format!(
                "{name}: {:.2} % of the pixels are others, see {}",
                off * 100.0,
                new.display()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\nIf that is how the window should look, run the test again with IDIOM_PICTURES=accept.",
        wrong.join("\n")
    );
}

/// States that are drawn on every page.
const STATES: [&str; 6] = ["empty", "playing", "uncertain", "frozen", "missing model", "problem"];

fn state(name: &str) -> ViewModel {
    let found = samples::all().into_iter().find(|(sample, _)| *sample == name);
    found.unwrap_or_else(|| panic!("there is no sample {name:?}")).1
}

fn on(name: &str, page: Page, shade: Shade) -> ViewModel {
    let mut model = state(name);
    (model.look.page, model.look.shade) = (page, shade);
    model
}

#[test]
fn every_page_looks_as_it_should_in_every_state() {
    let size = Vec2::new(960.0, 690.0);
    let mut pictures = Vec::new();
    for page in Page::ALL {
        for name in STATES {
            let file = format!("{}-{}", page.label().to_lowercase(), name.replace(' ', "-"));
            pictures.push((file, draw(&on(name, page, Shade::Dark), size, 0.75)));
        }
        let file = format!("{}-playing-light", page.label().to_lowercase());
        pictures.push((file, draw(&on("playing", page, Shade::Light), size, 0.75)));
    }
    pictures.push(("genre-midi-setup".into(), draw(&on("midi setup", Page::Genre, Shade::Dark), size, 0.75)));
    check(&root().join("pictures"), pictures);
}

/// The pictures of the manual and of the README, and no others: none is of an older window.
#[test]
fn the_manual_shows_the_window_as_it_is() {
    let folder = root().join("../docs/manual/src/images");
    let pages = Page::ALL.map(|page| (page.label().to_lowercase(), "playing", page, None));
    let others = [
        ("midi", "midi setup", Page::Genre, None),
        ("uncertain", "uncertain", Page::Genre, None),
        ("compressor", "playing", Page::Mix, Some(Section::Compressor)),
    ];
    let all =
        pages.into_iter().chain(others.map(|(name, state, page, open)| (name.into(), state, page, open)));
    let mut pictures = Vec::new();
    for (name, state, page, open) in all {
        let mut model = on(state, page, Shade::Dark);
        model.look.section = open;
        pictures.push((name, draw(&model, Vec2::new(960.0, 690.0), 1.0)));
    }
    let mut names: Vec<String> = pictures.iter().map(|(name, _)| format!("{name}.png")).collect();
    check(&folder, pictures);
    let mut there: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    there.sort();
    assert_eq!(there, names);
}

/// Of a preset whose profiles were changed, the page of presets shows the changed ones: the curve, and that it was changed.
#[test]
fn the_page_of_presets_shows_profiles_as_they_play() {
    let mut model = on("playing", Page::Presets, Shade::Dark);
    let size = Vec2::new(960.0, 690.0);
    let built_in = draw(&model, size, 1.0);
    let mut own = model.built_in().clone();
    model.own_preset = Some(Box::new(own.clone()));
    assert_eq!(draw(&model, size, 1.0), built_in, "a preset that is the built-in one looks like it");
    own.profiles.edit(Genre::Jazz, Parameter::HighDb, 6.0);
    model.own_preset = Some(Box::new(own));
    let mut window = Window::new(size);
    window.draw(&model, vec![]);
    window.draw(&model, vec![]);
    let place = |text: &str| window.texts.iter().find(|(shown, _)| shown == text).map(|(_, rect)| *rect);
    let jazz = place("Jazz (changed)").expect("it says what was changed");
    assert!(place("Rock (changed)").is_none());
    let changed = draw(&model, size, 1.0);
    let rows = |top: f32, bottom: f32| {
        let row = 4 * built_in.width;
        // The curve is right of the words.
        let curve = |y: usize| y * row + row * 4 / 5..(y + 1) * row;
        (top as usize..bottom as usize).any(|y| built_in.bytes[curve(y)] != changed.bytes[curve(y)])
    };
    assert!(rows(jazz.min.y, jazz.min.y + 40.0), "the curve is not the changed one");
    assert!(!rows(0.0, jazz.min.y - 10.0), "others' curves changed");
}

/// A larger window and a display with more pixels show the same picture, larger.
#[test]
fn pictures_are_crisp_on_dense_displays() {
    let model = on("playing", Page::Genre, Shade::Dark);
    let plain = draw(&model, Vec2::new(960.0, 690.0), 1.0);
    let dense = draw(&model, Vec2::new(960.0, 690.0), 2.0);
    let large = draw(&model, Vec2::new(1920.0, 1380.0), 1.0);
    assert_eq!((dense.width, dense.height), (2 * plain.width, 2 * plain.height));
    assert_eq!((large.width, large.height), (dense.width, dense.height));
    // Edges are as steep as in the small picture, not smeared over twice the pixels.
    let steepest = |picture: &Picture| {
        let rows = picture.bytes.chunks_exact(4 * picture.width);
        rows.flat_map(|row| row.chunks_exact(4).zip(row.chunks_exact(4).skip(1)))
            .filter(|(a, b)| a[1].abs_diff(b[1]) > 120)
            .count()
    };
    assert!(steepest(&dense) > steepest(&plain) * 3 / 2, "{} and {}", steepest(&dense), steepest(&plain));
    assert!(difference(&dense, &large) < 0.12, "{}", difference(&dense, &large));
}

/// Looks at any sample: `IDIOM_SHOW="playing genre light 1.5" cargo test ... pictures_on_demand`.
#[test]
fn pictures_on_demand() {
    let Ok(wanted) = std::env::var("IDIOM_SHOW") else { return };
    for wanted in wanted.split(',') {
        let mut words = wanted.split_whitespace();
        let mut word = || words.next().unwrap_or_default();
        let (name, page, shade, scale) = (word(), word(), word(), word());
        let page = Page::ALL.into_iter().find(|p| p.label().eq_ignore_ascii_case(page)).unwrap_or_default();
        let shade = if shade == "light" { Shade::Light } else { Shade::Dark };
        let model = on(&name.replace('-', " "), page, shade);
        let picture = draw(&model, Vec2::new(960.0, 690.0), scale.parse().unwrap_or(1.0));
        let file = format!("show-{name}-{}.png", page.label().to_lowercase());
        write(&root().join("../target/pictures").join(file), &picture);
    }
}
