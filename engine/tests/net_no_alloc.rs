//! Playing a network allocates nothing, on any instruction set.

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use idiom_engine::model::random::{self, Rng};
use idiom_engine::rt::net::{Kernel, Network};

// In release builds the crate checks nothing; the test then only plays.
#[cfg(debug_assertions)]
#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;
#[cfg(not(debug_assertions))]
const _: Option<AllocDisabler> = None;

#[test]
fn playing_and_resetting_allocate_nothing() {
    let fp32 = random::flagship(50);
    let int8 = random::quantized(&fp32);
    let mut rng = Rng(51);
    let columns: Vec<f32> = (0..200 * 40).map(|_| 3.0 * rng.signed()).collect();
    let mixed = random::mixed(52, |layer| matches!(layer, 0 | 3 | 4));
    for model in [&fp32, &int8, &mixed] {
        for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.available()) {
            let mut network = Network::compile_for(model, kernel).expect("a valid model");
            let sum = assert_no_alloc(|| {
                let mut sum = 0.0;
                for column in columns.chunks_exact(40) {
                    sum += network.push(column).iter().sum::<f32>();
                }
                network.push(&[f32::NAN; 40]);
                network.push(&[]);
                network.reset();
                sum
            });
            assert!((sum - 200.0).abs() < 1e-2, "{}: probabilities sum to {sum}", kernel.label());
        }
    }
}
