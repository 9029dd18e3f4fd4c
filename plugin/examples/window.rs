//! Shows Idiom's window in one of its states, without a host or sound, to work on its looks:
//!
//! ```text
//! cargo run -p idiom-plugin --example window -- uncertain 960 640
//! ```

use idiom_plugin::editor::model::ViewModel;
use idiom_plugin::editor::{prepare, samples, view};
use idiom_plugin::state::Size;
use nice_plug_egui::baseview::HandlerError;
use nice_plug_egui::{App, EguiWindow, EguiWindowSettings, Frame};

struct Show(ViewModel);

impl App for Show {
    fn build(&mut self, egui: egui::Context, _frame: &mut Frame) -> Result<(), HandlerError> {
        prepare(&egui);
        Ok(())
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut Frame) {
        for action in view::show(ui, &self.0) {
            println!("{action:?}");
        }
    }
}

fn main() {
    let mut args = std::env::args().skip(1);
    let name = args.next().unwrap_or_else(|| "playing".into());
    let mut side = |default: u16| args.next().and_then(|text| text.parse().ok()).unwrap_or(default);
    let (width, height) = (side(Size::DEFAULT.width), side(Size::DEFAULT.height));
    let samples = samples::all();
    let Some((_, model)) = samples.iter().find(|(sample, _)| *sample == name) else {
        let names: Vec<_> = samples.iter().map(|(name, _)| *name).collect();
        eprintln!("There is no state {name:?}. The states are: {}.", names.join(", "));
        std::process::exit(2);
    };
    let size = nice_plug::editor::dpi::LogicalSize::new(f64::from(width), f64::from(height));
    let settings = EguiWindowSettings::new().with_title("Idiom").with_size(size);
    let window =
        EguiWindow::create(settings, Show(model.clone())).expect("a window needs a display with OpenGL");
    window.run_until_closed().expect("the window ran");
}
