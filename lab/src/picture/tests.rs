use super::*;
use crate::eval::{
    Agreement, Evaluation, Kind, ListeningPoint, NothingReport, Prediction, StartsReport, SteadyReport,
    evaluate,
};
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

/// An evaluation of two classes, with everything measured or with nothing but names.
fn evaluation(everything: bool) -> Evaluation {
    let classes = ["a", "b"].map(String::from);
    let said = |label: usize, clip: [f32; 2]| Prediction {
        label,
        clip: clip.to_vec(),
        excerpts: vec![clip.to_vec(); usize::from(everything)],
    };
    let report = evaluate(&classes, &[said(0, [0.9, 0.1]), said(0, [0.8, 0.2]), said(1, [0.3, 0.7])]);
    let share = |kind: &str, claimed| Kind { kind: kind.into(), seconds: 8.0, claimed };
    let nothing =
        NothingReport { seconds: 16.0, claimed: 0.5, kinds: vec![share("hum", 0.0), share("tones", 1.0)] };
    let agreement = |agree: Option<f64>| Agreement {
        change: "gain".into(),
        clips: 3,
        remark: agree.is_none().then(|| "no ffmpeg".into()),
        agree,
    };
    Evaluation {
        model: "Two classes".into(),
        data: "somewhere".into(),
        left_out: Vec::new(),
        damaged: Vec::new(),
        mistakes: Vec::new(),
        report,
        listening: vec![ListeningPoint { seconds: 3.0, excerpts: 3, balanced_accuracy: Some(1.0) }],
        steady: everything.then(|| SteadyReport { right: 0.5, wrong: 0.25, ..SteadyReport::default() }),
        starts: everything.then(|| StartsReport { starts: 2, never: 1.0, ..StartsReport::default() }),
        nothing: everything.then_some(nothing),
        nothing_folder: None,
        robustness: if everything {
            vec![agreement(Some(1.0)), agreement(Some(0.9)), agreement(None)]
        } else {
            Vec::new()
        },
    }
}

#[test]
fn an_evaluation_is_drawn_with_what_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let [small, large] = [false, true].map(|everything| {
        let path = folder.path().join(format!("{everything}.png"));
        report(&path, &evaluation(everything)).unwrap();
        path
    });
    // Two full cells of 74 by 56 units at two pixels a unit, less what is written on them, and the listening point.
    let full = count(&small, Ink(0x00, 0x5a, 0x8c));
    assert!((28_000..2 * 4 * 72 * 54).contains(&full), "{full}");
    let height = |path: &Path| Pixmap::load_png(path).unwrap().height();
    assert!(height(&large) > height(&small) + 400, "what was not measured takes no room");
    // Half of the time is right: a bar of half of a column of 502 units, 26 high.
    let right = count(&large, Ink(0x00, 0x9e, 0x73));
    assert!((4 * 240 * 26..4 * 265 * 26).contains(&right), "{right}");
    let nobody = Evaluation { report: evaluate(&[], &[]), ..evaluation(false) };
    assert!(report(&small, &nobody).is_err());
}
