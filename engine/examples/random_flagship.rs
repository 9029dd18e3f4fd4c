//! Writes ONNX files of a network with random weights and the shipped network's shape, for measuring:
//! `cargo run --example random_flagship -- FOLDER` writes `FOLDER/flagship.{fp32,int8}.onnx`.

use idiom_engine::model::{onnx_write, random};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).ok_or("which folder?")?;
    let model = random::flagship(1);
    println!("{} parameters, {} multiplications a frame", model.parameters(), model.macs_per_frame());
    println!("{} frames of receptive field", model.receptive_field());
    for (name, model) in [("fp32", &model), ("int8", &random::quantized(&model))] {
        let path = format!("{folder}/flagship.{name}.onnx");
        std::fs::write(&path, onnx_write::write(model)?)?;
        println!("{path}");
    }
    Ok(())
}
