//! The `idiom` command: one module a subcommand, and what they share.
//!
//! Results go to standard output, progress and remarks to standard error. Exit codes: 0 done, 1 failed, 2 wrong usage,
//! 130 interrupted.

mod analyze;
mod card;
mod clips;
mod compare;
mod eval;
mod export;
mod learn_target;
mod optimize;
mod process;
mod render;
mod selftest;
mod synth;
#[cfg(feature = "train")]
pub mod train;

use crate::interrupt::{self, Interrupted};
use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "idiom",
    version,
    about = "Idiom's workshop: make, train, shrink and judge the models that recognise genres",
    after_help = "Run `idiom COMMAND --help` for a command's options and examples."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Synth(synth::Args),
    Render(render::Args),
    Eval(eval::Args),
    Process(process::Args),
    LearnTarget(learn_target::Args),
    Analyze(analyze::Args),
    Optimize(optimize::Args),
    Compare(compare::Args),
    Card(card::CardArgs),
    #[command(after_help = EXPORT_EXAMPLES)]
    Export(export::ExportArgs),
    Selftest(selftest::Args),
    #[cfg(feature = "train")]
    #[command(after_help = TRAIN_EXAMPLES)]
    Train(train::TrainArgs),
}

const EXPORT_EXAMPLES: &str = "Examples:
  idiom export                every file of the networks in models/, from their FP32 and INT8 files
  idiom export trained        the same in another folder";

#[cfg(feature = "train")]
const TRAIN_EXAMPLES: &str = "Examples:
  idiom train --data recordings --out trained           the flagship's configuration
  idiom train --data recordings --extra rendered --soft-labels teacher.csv --out trained
  idiom train --data recordings --folds 5 --out folds   cross-validation, no artist on both sides
  idiom train --data recordings --classic --out trained the linear model on MFCC statistics

Started again with the same arguments, an interrupted training goes on from its checkpoint.";

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    interrupt::install();
    let outcome = match cli.command {
        Command::Synth(args) => synth::run(&args),
        Command::Render(args) => render::run(&args),
        Command::Eval(args) => eval::run(args),
        Command::Process(args) => process::run(&args),
        Command::LearnTarget(args) => learn_target::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Optimize(args) => optimize::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Card(args) => card::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Selftest(args) => selftest::run(&args),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(&args),
    };
    exit_code(outcome)
}

fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("idiom: {error}");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("idiom: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("idiom "), "{} has no example in its help", command.get_name());
        }
    }
}
