//! Ctrl-C as a question that long work asks, so that it ends between two whole files.

use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// The user asked to stop. The command line ends with exit code 130 on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted; files that were finished are kept")]
pub struct Interrupted;

/// From now on the first Ctrl-C (or SIGTERM) sets a flag that [`check`] reports; a second one ends the process at
/// once. Call it once, at the start of a program.
pub fn install() {
    let handler = || {
        if REQUESTED.swap(true, SeqCst) {
            std::process::exit(130);
        }
        eprintln!("\nstopping; press Ctrl-C again to stop at once");
    };
    if let Err(error) = ctrlc::set_handler(handler) {
        eprintln!("Ctrl-C will stop at once, the handler could not be installed: {error}");
    }
}

/// Whether the user asked to stop.
pub fn requested() -> bool {
    REQUESTED.load(SeqCst)
}

/// An error as soon as the user asked to stop; call it between steps of long work.
pub fn check() -> Result<(), Interrupted> {
    if requested() { Err(Interrupted) } else { Ok(()) }
}
