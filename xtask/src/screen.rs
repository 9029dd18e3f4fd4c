//! A screen for windows that nobody looks at.

use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// An X server without a screen; ends when dropped.
pub struct Screen {
    server: std::process::Child,
    /// What `DISPLAY` has to be for programs on it.
    pub name: String,
}

impl Screen {
    /// Starts the server and waits until it is ready.
    pub fn open() -> Result<Screen> {
        // The server picks a free number itself and writes it to the file descriptor it is given.
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1600x1000x24",
                "+extension",
                "GLX",
                "-nolisten",
                "tcp",
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run Xvfb")?;
        let mut line = String::new();
        BufReader::new(server.stdout.take().context("no output")?).read_line(&mut line)?;
        if line.trim().is_empty() {
            server.kill().ok();
            server.wait().ok();
            bail!("Xvfb did not start");
        }
        Ok(Screen { server, name: format!(":{}", line.trim()) })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.server.kill().ok();
        self.server.wait().ok();
    }
}
