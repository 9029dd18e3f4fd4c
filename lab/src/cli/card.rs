//! `idiom card`: brings the model cards up to date.

use crate::cards;
use anyhow::Result;
use std::path::PathBuf;

/// Bring what model cards say about their files up to date.
///
/// Every model NAME.*.onnx, NAME.*.tflite or NAME.weights.json in the folder has a card NAME.json. Its parameters,
/// multiply-adds, sizes and SHA-256 are written anew; what it tells besides stays.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  idiom card models     after a model was made anew")]
pub struct CardArgs {
    /// The folder.
    #[arg(default_value = "models")]
    pub folder: PathBuf,
}

/// Runs the command.
pub fn run(args: &CardArgs) -> Result<()> {
    let changed = cards::update(&args.folder)?;
    for card in &changed {
        println!("{}: brought up to date", card.display());
    }
    if changed.is_empty() {
        println!("{}: every card is up to date", args.folder.display());
    }
    Ok(())
}
