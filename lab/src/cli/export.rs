//! `idiom export`: every file of a network that is shipped.

use crate::export;
use anyhow::Result;
use std::path::PathBuf;

/// Make the FP16 and TFLite files of the networks in a folder.
///
/// For every NAME.fp32.onnx writes NAME.fp16.onnx, NAME.fp32.tflite and NAME.fp16.tflite, and for every NAME.int8.onnx
/// beside it NAME.int8.tflite. To be run after either of the two was made anew.
#[derive(clap::Args, Debug)]
pub struct ExportArgs {
    /// The folder.
    #[arg(default_value = "models")]
    pub folder: PathBuf,
}

/// Runs the command.
pub fn run(args: &ExportArgs) -> Result<()> {
    for file in export::folder(&args.folder)? {
        println!("{}: {} bytes", file.path.display(), file.bytes);
    }
    Ok(())
}
