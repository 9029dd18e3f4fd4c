//! Shows Idiom's window without a host, to work on its looks. In one of its sample states, or live on a WAV file that
//! is run through the engine (silently) in real time, or `SPEED` times faster:
//!
//! ```text
//! cargo run -p idiom-plugin --example window -- uncertain
//! cargo run -p idiom-plugin --example window -- song.wav [SPEED]
//! ```

use egui::{Context, Pos2};
use idiom_engine::{Config, Handle, Transport};
use idiom_plugin::editor::model::{Page, Slot, ViewModel};
use idiom_plugin::editor::rest::Rest;
use idiom_plugin::editor::session::{NoHost, Session};
use idiom_plugin::editor::theme::Shade;
use idiom_plugin::editor::{header, knob, prepare, presets, samples, view};
use idiom_plugin::params::{Dial, IdiomParams};
use idiom_plugin::shared::{Pace, Shared};
use idiom_plugin::state::Size;
use nice_plug::editor::dpi::LogicalSize;
use nice_plug_egui::baseview::HandlerError;
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Samples handed to the engine at a time.
const BLOCK: usize = 512;

/// What was said last.
#[derive(Default)]
struct Told {
    /// Where controls are.
    places: HashMap<String, Pos2>,
    /// A value is being typed.
    typing: bool,
}

enum Show {
    Sample(Box<ViewModel>),
    Live {
        params: Arc<IdiomParams>,
        shared: Arc<Shared>,
        session: Box<Session>,
        /// What was said of controls, if that is wanted.
        told: Option<Told>,
        rest: Rest,
        /// What the last picture showed.
        shown: Option<Box<ViewModel>>,
    },
}

impl App for Show {
    fn build(&mut self, egui: Context, _frame: &mut Frame) -> Result<(), HandlerError> {
        prepare(&egui, Shade::default());
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut Frame) {
        match self {
            Show::Sample(model) => {
                for action in view::show(ui, model) {
                    println!("{action:?}");
                }
            }
            Show::Live { params, shared, session, told, rest, shown } => {
                let now_s = ui.input(|input| input.time);
                let model = session.model(params, shared, now_s);
                prepare(ui.ctx(), model.look.shade);
                for action in view::show(ui, &model) {
                    println!("{action:?}");
                    session.perform(&action, params, shared, &NoHost, now_s);
                }
                if let Some(told) = told {
                    tell(ui, told);
                }
                shared.watch(model.look.page.every());
                let same = shown.as_deref() == Some(&model);
                if let Some(after) = rest.drawn(now_s, same, None) {
                    ui.ctx().request_repaint_after(after);
                }
                *shown = Some(Box::new(model));
            }
        }
    }
}

/// Prints where controls are, in pixels, and whether a field takes what is typed, when that has changed: `place knob.amount
/// 71 582`, `typing true`. For programs that move the mouse.
fn tell(ui: &egui::Ui, told: &mut Told) {
    let pages = Page::ALL.map(|page| (format!("page.{}", page.label()), header::tab_id(page)));
    let knobs = Dial::ALL.map(|dial| (format!("knob.{}", dial.id()), knob::id(dial)));
    let others = [
        ("undo", header::undo_id(false)),
        ("redo", header::undo_id(true)),
        ("slot.B", header::slot_id(Slot::B)),
        ("search", presets::search_id()),
    ];
    let others = others.map(|(name, id)| (name.to_owned(), id));
    for (name, id) in pages.into_iter().chain(knobs).chain(others) {
        let Some(response) = ui.ctx().read_response(id) else { continue };
        let at = response.rect.center() * ui.ctx().pixels_per_point();
        if told.places.get(&name) != Some(&at) {
            println!("place {name} {:.0} {:.0}", at.x, at.y);
            told.places.insert(name, at);
        }
    }
    let typing = ui.ctx().egui_wants_keyboard_input();
    if typing != std::mem::replace(&mut told.typing, typing) {
        println!("typing {typing}");
    }
}

/// Runs a WAV file through a new instance's engine on a thread of its own, again and again.
fn play(path: &str, speed: f64) -> Result<Show, Box<dyn std::error::Error>> {
    let mut reader = hound::WavReader::open(path)?;
    let spec = reader.spec();
    let samples: Vec<f32> = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>()?,
        hound::SampleFormat::Int => {
            let full = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
            reader.samples::<i32>().map(|sample| sample.map(|s| s as f32 / full)).collect::<Result<_, _>>()?
        }
    };
    let channels = usize::from(spec.channels);
    let handle = Arc::new(Handle::new());
    let params = Arc::new(IdiomParams::new(Arc::clone(&handle)));
    let shared = Arc::new(Shared::new(Arc::clone(&handle)));
    let show = Show::Live {
        params: Arc::clone(&params),
        shared: Arc::clone(&shared),
        session: Box::default(),
        told: std::env::var_os("IDIOM_PLACES").map(|_| Told::default()),
        rest: Rest::default(),
        shown: None,
    };
    std::thread::spawn(move || {
        let sample_rate = spec.sample_rate as f32;
        let mut engine = handle.start(Config { sample_rate, channels: 2, offline: false });
        let mut pace = Pace::new(sample_rate);
        let (started, mut position) = (Instant::now(), 0i64);
        for block in samples.chunks_exact(BLOCK * channels).cycle() {
            let mut left: Vec<f32> = block.iter().step_by(channels).copied().collect();
            let mut right: Vec<f32> = block.iter().skip(channels - 1).step_by(channels).copied().collect();
            let transport = Transport { playing: true, position: Some(position), loop_start: None };
            engine.process(&mut [&mut left, &mut right], transport, &params.controls());
            pace.block(BLOCK, &shared);
            position += BLOCK as i64;
            let due = started + Duration::from_secs_f64(position as f64 / f64::from(sample_rate) / speed);
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    });
    Ok(show)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let what = args.next().unwrap_or_else(|| "playing".into());
    let samples = samples::all();
    let show = match samples.iter().find(|(name, _)| *name == what) {
        Some((_, model)) => Show::Sample(Box::new(model.clone())),
        None if what.ends_with(".wav") => {
            let speed = args.next().and_then(|text| text.parse().ok()).unwrap_or(1.0);
            play(&what, speed)?
        }
        None => {
            let names: Vec<_> = samples.iter().map(|(name, _)| *name).collect();
            return Err(format!("{what:?} is neither a .wav file nor one of {}", names.join(", ")).into());
        }
    };
    let side = |name: &str, default: u16| {
        std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let size = LogicalSize::new(
        f64::from(side("IDIOM_WIDTH", Size::DEFAULT.width)),
        f64::from(side("IDIOM_HEIGHT", Size::DEFAULT.height)),
    );
    let mut settings = EguiWindowSettings::new().with_title("Idiom").with_size(size);
    if let Show::Live { shared, .. } = &show {
        settings = settings
            .with_repaint_notifier(shared.repaint.clone())
            .with_repaint_poll_interval(Duration::from_millis(33));
    }
    EguiWindow::create(settings, show)?.run_until_closed()?;
    Ok(())
}
