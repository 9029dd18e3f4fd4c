//! What one frame of the network costs on this machine, for every instruction set it has:
//! `cargo run --release --example net_cost [-- MODEL.onnx ...]`. Without a file, the shipped network. Then how many frames one
//! core gets through a second when it hears several streams, one after another and side by side.

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
    for model in &models {
        streams(model)?;
    }
    Ok(())
}

/// Streams that are heard together.
const STREAMS: [usize; 6] = [1, 2, 4, 8, 16, 32];

/// Frames a second of one core, streams one after another and side by side, measured in turns.
fn streams(model: &Model) -> Result<(), Box<dyn std::error::Error>> {
    let network = Network::compile(model)?;
    println!("{} {}: frames a second of one core", model.meta.name, network.quantization().label());
    println!("{:>8} {:>14} {:>14} {:>8}", "streams", "one by one", "side by side", "ratio");
    let column: Vec<f32> = (0..network.input().rows()).map(|i| (i as f32).sin()).collect();
    for count in STREAMS {
        let mut networks = vec![network.clone(); count];
        let columns = vec![column.as_slice(); count];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..FRAMES.div_ceil(count) {
                for network in &mut networks {
                    std::hint::black_box(network.push(std::hint::black_box(&column)));
                }
            }
            times[0].push(start.elapsed().as_secs_f64());
            let start = Instant::now();
            for _ in 0..FRAMES.div_ceil(count) {
                Network::push_side_by_side(
                    std::hint::black_box(&mut networks),
                    std::hint::black_box(&columns),
                );
            }
            times[1].push(start.elapsed().as_secs_f64());
        }
        let frames = (FRAMES.div_ceil(count) * count) as f64;
        let [alone, together] = times.map(|mut times| {
            times.sort_by(f64::total_cmp);
            frames / times[ROUNDS / 2]
        });
        println!("{count:>8} {alone:>14.0} {together:>14.0} {:>7.2}x", together / alone);
    }
    Ok(())
}
