//! The `idiom` command line: one module a command.
