//! The built plugin in real DAWs. `cargo xtask daw` installs them and runs this.

mod ardour;
mod qtractor;
mod window;
