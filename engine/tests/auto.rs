//! What the quantization Auto is on a machine on which nothing was measured yet. Alone in its process, because what was
//! measured belongs to the process.

use idiom_engine::Quantization;
use idiom_engine::worker::Wish;
use idiom_engine::worker::prepare::prepare;

#[test]
fn what_is_not_measured_yet_is_provisional_and_then_remembered() {
    let file = std::env::temp_dir().join(format!("idiom-auto-{}.json", std::process::id()));
    // SAFETY: nothing in this program reads the environment but through the standard library, which locks it.
    unsafe { std::env::set_var("IDIOM_AUTO", &file) };
    let wish = Wish::default();
    let first = prepare(&wish, false);
    assert!(first.provisional && first.status.choice.is_some_and(|why| why.contains("until")));
    assert_eq!((first.status.installed.1, first.status.problem), (Quantization::Int8, None));
    let then = prepare(&wish, true);
    assert!(!then.provisional && then.status.choice.is_some_and(|why| why.contains("agreement")));
    assert!(!prepare(&wish, false).provisional, "it is known now");
    assert!(std::fs::read_to_string(&file).is_ok_and(|text| text.contains("speedup")), "and written down");
    std::fs::remove_file(&file).ok();
}
