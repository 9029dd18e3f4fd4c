//! Idiom without a host: `idiom-standalone -b jack`, `-b alsa`, or `-b dummy` for no sound at all.

use idiom_plugin::Idiom;
use nice_plug::prelude::*;

fn main() {
    if !nice_export_standalone::<Idiom>() {
        std::process::exit(1);
    }
}
