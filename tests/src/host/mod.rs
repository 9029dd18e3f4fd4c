//! A CLAP host without a window, on clack-host.
//!
//! [`Bundle`] is a loaded library, [`Plugin`] an instance of the plugin in it (main thread), [`Processor`] that
//! instance while it is active (audio thread). The types follow CLAP's rules on threads: a [`Plugin`] stays on the
//! thread that made it, a [`Processor`] may be sent to another one and comes back to be deactivated.

mod bundle;
mod callbacks;
mod desk;
mod plugin;
mod presets;
mod processor;

pub use bundle::{Bundle, Descriptor};
pub use desk::{Page, Port};
pub use plugin::{Param, Plugin};
pub use presets::Listed;
pub use processor::{Change, Processor, Song};

use clack_extensions::render::RenderMode;

/// Whether the host renders in real time or as fast as it can.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Render {
    /// On stage: nothing may wait.
    #[default]
    Realtime,
    /// A bounce: the result must be reproducible.
    Offline,
}

impl From<Render> for RenderMode {
    fn from(render: Render) -> RenderMode {
        match render {
            Render::Realtime => RenderMode::Realtime,
            Render::Offline => RenderMode::Offline,
        }
    }
}
