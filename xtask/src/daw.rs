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

`cargo xtask test` runs these too, among all others. What cannot run here is named with its reason.
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
    let _screens = prepare(&mut environment);
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

/// Installs the DAWs and opens a screen for each test that uses one, and tells the tests where they are, or why they are
/// missing. The screens are there until they are dropped.
pub fn prepare(environment: &mut Environment) -> Vec<Screen> {
    let daws = [
        (Need::Ardour, "IDIOM_ARDOUR", "IDIOM_ARDOUR_MISSING", "ardour7-lua"),
        (Need::Qtractor, "IDIOM_QTRACTOR", "IDIOM_QTRACTOR_MISSING", "qtractor"),
    ];
    for (need, found, missing, program) in daws {
        match ensure(&[need]) {
            Ok(()) => environment.push((found, program.into())),
            Err(error) => environment.push((missing, reason(error))),
        }
    }
    // Two: what is clicked in one test is not to be covered by another's window.
    let screens = [
        ("IDIOM_SCREEN", "IDIOM_SCREEN_MISSING"),
        ("IDIOM_QTRACTOR_SCREEN", "IDIOM_QTRACTOR_SCREEN_MISSING"),
    ];
    let opened = screens.map(|(found, missing)| {
        match ensure(&[Need::Xvfb, Need::Window]).and_then(|()| Screen::open()) {
            Ok(screen) => {
                environment.push((found, PathBuf::from(&screen.name)));
                Some(screen)
            }
            Err(error) => {
                environment.push((missing, reason(error)));
                None
            }
        }
    });
    opened.into_iter().flatten().collect()
}
