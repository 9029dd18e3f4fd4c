//! Where things are, and running other programs.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folders every command needs to know.
pub struct Place {
    /// Where the user stood when typing the command; relative arguments mean this folder.
    pub started_in: PathBuf,
    /// Folder of the workspace's `Cargo.toml`. It is the current folder from here on.
    pub root: PathBuf,
    /// Cargo's target folder.
    pub target: PathBuf,
}

impl Place {
    /// Finds the workspace and changes into it.
    pub fn find() -> Result<Place> {
        let started_in = std::env::current_dir().context("the current folder does not exist")?;
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
            .context("CARGO_MANIFEST_DIR is not set: call this program as `cargo xtask`")?;
        let root =
            Path::new(&manifest).parent().context("xtask lies outside of the workspace")?.to_path_buf();
        std::env::set_current_dir(&root).with_context(|| format!("cannot change into {}", root.display()))?;
        let target = match std::env::var_os("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        Ok(Place { started_in, root, target })
    }

    /// Path of a program that cargo built in `profile` (`debug` or `release`).
    pub fn program(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

/// Prints a heading, so that a reader of a long log sees what goes on.
pub fn heading(text: &str) {
    println!("\n==> {text}");
}

/// Runs a command to its end and fails, naming it, when it cannot start or fails.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command.status().with_context(|| format!("cannot run `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed ({status})");
    }
    Ok(())
}

/// Runs a command and returns what it printed, or `None` when it cannot start or fails.
pub fn output(program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|arg| arg.to_string_lossy().into_owned()));
    words.join(" ")
}

/// The cargo that called us.
pub fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Whether `program` is somewhere on the search path.
pub fn on_path(program: &str) -> bool {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::var_os("PATH")
        .is_some_and(|paths| std::env::split_paths(&paths).any(|dir| dir.join(&name).is_file()))
}

/// Whether the user asks what a command does.
pub fn wants_help(args: &[String]) -> bool {
    args.iter().any(|arg| arg == "--help" || arg == "-h")
}

/// Fails on arguments that are not in `known`.
pub fn only(args: &[String], known: &[&str], help: &str) -> Result<()> {
    match args.iter().find(|arg| !known.contains(&arg.as_str())) {
        Some(arg) => bail!("'{arg}' is not an option here\n\n{help}"),
        None => Ok(()),
    }
}
