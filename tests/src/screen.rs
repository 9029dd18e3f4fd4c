//! A host's connection to the X screen, and windows for the plugin's to be in.

use anyhow::{Context, Result};
use x11rb::connection::Connection;
use x11rb::protocol::xproto::{ConnectionExt, CreateWindowAux, WindowClass};
use x11rb::rust_connection::RustConnection;

/// The connection.
pub struct Screen {
    /// For what else a test asks of the server.
    pub x: RustConnection,
    root: u32,
}

impl Screen {
    /// Connects to the screen that `DISPLAY` names.
    ///
    /// # Errors
    /// When there is none.
    pub fn open() -> Result<Screen> {
        let (x, number) = x11rb::connect(None).context("there is no screen")?;
        let root = x.setup().roots[number].root;
        Ok(Screen { x, root })
    }

    /// A window for the plugin's window to be in, on show. No window manager meddles with it.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn parent(&self) -> Result<u32> {
        let parent = self.x.generate_id()?;
        let (depth, class) = (x11rb::COPY_DEPTH_FROM_PARENT, WindowClass::INPUT_OUTPUT);
        let how = CreateWindowAux::new().override_redirect(1);
        self.x.create_window(depth, parent, self.root, 0, 0, 1_200, 900, 0, class, 0, &how)?;
        self.x.map_window(parent)?.check()?;
        Ok(parent)
    }
}
