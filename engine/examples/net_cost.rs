//! What one frame of the network costs on this machine, for every instruction set it has:
//! `cargo run --release --example net_cost [-- MODEL.onnx ...]`. Without a file, the shipped network.

use idiom_engine::controls::Quantization;
use idiom_engine::model::{Model, shipped};
use idiom_engine::rt::net::{Kernel, Network};
use std::time::Instant;

/// Rounds; each measures every network once, so that a machine's moods hit all alike.
const ROUNDS: usize = 200;
/// Frames in a row that one measurement averages over.
const FRAMES: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let paths: Vec<String> = std::env::args().skip(1).collect();
    let mut models = Vec::new();
    if paths.is_empty() {
        for quantization in [Quantization::Fp32, Quantization::Int8] {
            models.push(Model::from_onnx(shipped::flagship(quantization))?);
        }
    }
    for path in paths {
        models.push(Model::from_onnx(&std::fs::read(&path)?).map_err(|e| format!("{path}: {e}"))?);
    }
    let mut runs = Vec::new();
    for model in &models {
        println!(
            "{} {}: {} parameters, {} multiplications a frame",
            model.meta.name,
            model.quantization().label(),
            model.parameters(),
            model.macs_per_frame()
        );
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.available()) {
            runs.push((Network::compile_for(model, kernel)?, Vec::new()));
        }
    }
    for round in 0..ROUNDS {
        for (network, times) in &mut runs {
            let column: Vec<f32> = (0..network.input().rows()).map(|i| ((i + round) as f32).sin()).collect();
            let start = Instant::now();
            for _ in 0..FRAMES {
                std::hint::black_box(network.push(std::hint::black_box(&column)));
            }
            times.push(start.elapsed().as_secs_f64() * 1e6 / FRAMES as f64);
        }
    }
    println!("{:>8} {:<14} {:>9} {:>9}", "", "instructions", "median us", "best us");
    for (network, times) in &mut runs {
        times.sort_by(f64::total_cmp);
        let (quantization, kernel) = (network.quantization().label(), network.kernel().label());
        println!("{quantization:>8} {kernel:<14} {:>9.2} {:>9.2}", times[ROUNDS / 2], times[0]);
    }
    Ok(())
}
