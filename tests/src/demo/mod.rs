//! The demo: a file in, the plugin's decisions on the screen, the processed sound and a picture out.
//!
//! * [`source`]: a sound file or the synthetic programme, in host-sized blocks.
//! * [`timeline`]: what the plugin decided, when.
//! * [`wav`]: the processed sound, written while it is made.
//! * [`session`]: the host's loop over all of it.

pub mod session;
pub mod source;
pub mod timeline;
pub mod wav;
