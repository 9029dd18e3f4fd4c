//! The `idiom` command.
