//! The workshop beside the plugin: read and make audio, train, quantize, export and evaluate genre models.
//!
//! Features and inference come from [`idiom_engine`], so what is trained here is what plays there.

pub mod cli;
