//! The virtual environment with the pinned reference implementations.

use crate::run::{Place, heading};
use crate::system::python;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Makes `target/reference-venv` with the packages of `lab/reference/requirements.txt`, unless it is there
/// already, and returns its Python.
pub fn environment(place: &Place) -> Result<PathBuf> {
    let pinned = place.root.join("lab/reference/requirements.txt");
    let wanted =
        std::fs::read_to_string(&pinned).with_context(|| format!("cannot read {}", pinned.display()))?;
    let home = place.target.join("reference-venv");
    let program = if cfg!(windows) { home.join("Scripts/python.exe") } else { home.join("bin/python") };
    // Written last: an environment without it, or with another list, is made anew.
    let stamp = home.join("installed-requirements.txt");
    if program.exists() && std::fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(program);
    }
    heading("Preparing Python with the reference implementations");
    quiet(Command::new(python()).args(["-m", "venv", "--clear"]).arg(&home))?;
    quiet(
        Command::new(&program)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&pinned),
    )?;
    std::fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(program)
}

/// Runs a command; its words are shown only when it fails.
fn quiet(command: &mut Command) -> Result<()> {
    let shown = crate::run::shown(command);
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("cannot run `{shown}`"))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = words.lines().rev().take(5).collect();
        bail!("`{shown}` failed: {}", last.into_iter().rev().collect::<Vec<_>>().join(" / "));
    }
    Ok(())
}
