//! What a picture of the window costs before the graphics driver gets it, on each page while music plays: to look at the
//! instance, to lay the page out, and to make triangles of it. `cargo xtask bench` runs this.
//!
//! ```text
//! cargo run --release -p idiom-plugin --example pictures -- [PICTURES]
//! ```

use egui::{Context, Pos2, RawInput, Rect, Vec2};
use idiom_engine::{Config, Handle, Transport};
use idiom_plugin::editor::model::{Action, Page};
use idiom_plugin::editor::session::{NoHost, Session};
use idiom_plugin::editor::theme::Shade;
use idiom_plugin::editor::{prepare, view};
use idiom_plugin::params::IdiomParams;
use idiom_plugin::shared::Shared;
use idiom_plugin::state::Size;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// In Hz.
const RATE: f32 = 48_000.0;
/// Samples from one picture to the next at thirty a second.
const BLOCK: usize = 1_600;

/// Median time of each part of a picture, in microseconds.
struct Cost {
    look: f64,
    layout: f64,
    triangles: f64,
    /// Corners of triangles in the last picture.
    vertices: usize,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pictures: usize = std::env::args().nth(1).map_or(Ok(300), |text| text.parse())?;
    println!("A picture of the window, us              look   layout   triangles   vertices   of a core");
    for page in Page::ALL {
        let Cost { look, layout, triangles, vertices } = measure(page, pictures.max(1));
        let a_second = 30.0 / f64::from(page.every());
        let share = (look + layout + triangles) * a_second * 1e-4;
        println!(
            "  {:<34} {look:>8.0} {layout:>8.0} {triangles:>11.0} {vertices:>10}   {share:>5.2} %  at {a_second:.0} a second",
            page.label()
        );
    }
    Ok(())
}

fn measure(page: Page, pictures: usize) -> Cost {
    let handle = Arc::new(Handle::new());
    let params = IdiomParams::new(Arc::clone(&handle));
    let shared = Shared::new(Arc::clone(&handle));
    let mut engine = handle.start(Config { sample_rate: RATE, channels: 2, offline: false });
    let mut session = Session::with_folder(None);
    session.perform(&Action::Page(page), &params, &shared, &NoHost, 0.0);
    let egui = Context::default();
    prepare(&egui, Shade::default());
    let size = Vec2::new(f32::from(Size::DEFAULT.width), f32::from(Size::DEFAULT.height));
    let mut times: [Vec<Duration>; 3] = Default::default();
    let (mut position, mut vertices) = (0usize, 0);
    // The first ones load fonts and fill caches.
    let warm = 30;
    for picture in 0..warm + pictures {
        let mut left: Vec<f32> = (position..position + BLOCK).map(sample).collect();
        let mut right = left.clone();
        let transport = Transport { playing: true, position: Some(position as i64), loop_start: None };
        engine.process(&mut [&mut left, &mut right], transport, &params.controls());
        position += BLOCK;

        let now_s = position as f64 / f64::from(RATE);
        let started = Instant::now();
        let model = session.model(&params, &shared, now_s);
        let looked = Instant::now();
        let input = RawInput {
            screen_rect: Some(Rect::from_min_size(Pos2::ZERO, size)),
            time: Some(now_s),
            focused: true,
            ..RawInput::default()
        };
        let output = egui.run_ui(input, |ui| drop(view::show(ui, &model)));
        let laid_out = Instant::now();
        let primitives = egui.tessellate(output.shapes, output.pixels_per_point);
        let finished = Instant::now();
        vertices = primitives
            .iter()
            .map(|part| match &part.primitive {
                egui::epaint::Primitive::Mesh(mesh) => mesh.vertices.len(),
                egui::epaint::Primitive::Callback(_) => 0,
            })
            .sum();
        if picture >= warm {
            times[0].push(looked - started);
            times[1].push(laid_out - looked);
            times[2].push(finished - laid_out);
        }
    }
    let [look, layout, triangles] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() * 1e6
    });
    Cost { look, layout, triangles, vertices }
}

/// A chord that swells, with a beat and some noise: everything in the window moves.
fn sample(index: usize) -> f32 {
    let t = index as f32 / RATE;
    let tone = |hz: f32| (t * hz * std::f32::consts::TAU).sin();
    let chord = tone(110.0) + tone(220.0) + tone(277.2) + tone(329.6) + tone(1_760.0);
    let noise = ((index as u32).wrapping_mul(2_654_435_761) >> 16) as f32 / 32_768.0 - 1.0;
    let beat = (-(t * 2.0).fract() * 12.0).exp();
    0.1 * chord * (0.6 + 0.4 * (t * 1.7).sin()) + 0.2 * noise * beat
}
