use super::*;
use crate::eval::{Prediction, evaluate};
use tiny_skia::Pixmap;

/// How many pixels of a picture have this colour, exactly.
fn count(path: &Path, ink: Ink) -> usize {
    let picture = Pixmap::load_png(path).unwrap();
    picture.pixels().iter().filter(|p| (p.red(), p.green(), p.blue()) == (ink.0, ink.1, ink.2)).count()
}

#[test]
fn a_timeline_shows_each_class_for_as_long_as_it_lasts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("timeline.png");
    let classes = ["speech", "rock"].map(String::from);
    // A quarter of the time speech, the rest rock.
    let probabilities: Vec<f32> =
        (0..400).flat_map(|i| if i < 100 { [1.0, 0.0] } else { [0.0, 1.0] }).collect();
    let waveform: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.1).sin()).collect();
    let verdicts = [Span { from: 0.0, to: 2.0, text: "uncertain".into(), class: None }];
    let shown = Timeline {
        title: "A title",
        seconds: 8.0,
        classes: &classes,
        probabilities: &probabilities,
        waveform: &waveform,
        truth: &[],
        verdicts: &verdicts,
    };
    timeline(&path, &shown).unwrap();
    let (speech, rock) = (count(&path, class_ink(0).tint(0.85)), count(&path, class_ink(1).tint(0.85)));
    let share = speech as f32 / (speech + rock) as f32;
    assert!((0.22..0.28).contains(&share), "{speech} and {rock} pixels");
    // One class at a time fills the whole height: 772 by 220 units at two pixels a unit, less labels and grid lines.
    let whole = 772 * 2 * 220 * 2;
    assert!((whole * 95 / 100..=whole).contains(&(speech + rock)), "{} of {whole} pixels", speech + rock);
    assert!(timeline(&path, &Timeline { probabilities: &[0.5; 3], ..shown.clone() }).is_err());
    assert!(timeline(&path, &Timeline { seconds: 0.0, ..shown }).is_err());
}

#[test]
fn a_confusion_matrix_is_darkest_where_the_clips_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("confusion.png");
    let classes = ["a", "b"].map(String::from);
    let said = |label: usize, clip: [f32; 2]| Prediction { label, clip: clip.to_vec(), excerpts: Vec::new() };
    let report = evaluate(&classes, &[said(0, [0.9, 0.1]), said(0, [0.8, 0.2]), said(1, [0.3, 0.7])]);
    confusion(&path, "Two classes", &report).unwrap();
    let full = count(&path, Ink(0x00, 0x5a, 0x8c));
    // Two full cells of 132 by 132 pixels, less what is written on them.
    assert!((28_000..2 * 132 * 132).contains(&full), "{full}");
}
