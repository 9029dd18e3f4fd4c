//! `cargo xtask daw`: the built plugin in real DAWs, driven by script.

use crate::bundles;
use crate::run::{Place, heading, only, run, wants_help};
use crate::screen::Screen;
use crate::system::{Need, ensure};
use crate::test::{Environment, Report, workspace};
use crate::window;
use anyhow::Result;
use std::path::PathBuf;

const HELP: &str = "\
cargo xtask daw

Builds the plugin (test profile) and tests its bundles in DAWs, which it installs where it may:

  Ardour      without a window: the VST3 plugin on a track, parameters and backend set, exported, reopened
  Qtractor    on a screen that nobody sees: the CLAP plugin in a session, its window opened, a knob moved, reopened
  a window    on a screen that nobody sees: opened and closed a hundred times; clicked, dragged, turned and typed into

`cargo xtask test` does what needs no window. What cannot run here is named with its reason.
";

/// `cargo xtask daw`
pub fn daw(place: &Place, args: &[String]) -> Result<()> {
    if wants_help(args) {
        print!("{HELP}");
        return Ok(());
    }
    only(args, &[], HELP)?;
    ensure(&[Need::Compiler, Need::CMake])?;
    let (mut report, mut environment) = (Report::new(), Environment::new());
    without_window(&mut environment);
    let _screen = with_window(&mut environment);
    // Not needed here; but with it everything is built as `cargo xtask test` does it, and not once more.
    crate::test::sanitizer(&mut environment, &mut report);
    heading("Building the plugin (the first time takes minutes)");
    run(workspace("build", &environment).args(["--all-targets"]))?;
    let bundles = bundles::test_bundles(place)?;
    environment.push(("IDIOM_CLAP", bundles.clap_library()));
    environment.push(("IDIOM_VST3", bundles.vst3_library()));
    report.step("Tests in DAWs", |_| {
        run(workspace("test", &environment).args(["--test", "daw", "--", "--show-output"]))
    });
    window::test(place, &environment, &mut report);
    report.finish()
}

fn reason(error: anyhow::Error) -> PathBuf {
    format!("{error:#}").replace('\n', " ").into()
}

/// Installs the DAW that needs no window, and tells the tests where it is, or why it is missing.
pub fn without_window(environment: &mut Environment) {
    match ensure(&[Need::Ardour]) {
        Ok(()) => environment.push(("IDIOM_ARDOUR", "ardour7-lua".into())),
        Err(error) => environment.push(("IDIOM_ARDOUR_MISSING", reason(error))),
    }
}

/// Installs the DAW that is used by mouse and opens a screen for it, and tells the tests where they are, or why they are
/// missing. The screen is there until it is dropped.
fn with_window(environment: &mut Environment) -> Option<Screen> {
    match ensure(&[Need::Qtractor]) {
        Ok(()) => environment.push(("IDIOM_QTRACTOR", "qtractor".into())),
        Err(error) => environment.push(("IDIOM_QTRACTOR_MISSING", reason(error))),
    }
    match ensure(&[Need::Xvfb, Need::Window]).and_then(|()| Screen::open()) {
        Ok(screen) => {
            environment.push(("IDIOM_SCREEN", PathBuf::from(&screen.name)));
            Some(screen)
        }
        Err(error) => {
            environment.push(("IDIOM_SCREEN_MISSING", reason(error)));
            None
        }
    }
}
