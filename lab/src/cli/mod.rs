//! The `idiom` command.

/// Runs the command that the process's arguments name.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::FAILURE
}
