//! The `idiom` command.

fn main() -> std::process::ExitCode {
    idiom_lab::cli::main()
}
