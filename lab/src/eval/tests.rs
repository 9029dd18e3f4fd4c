use super::*;
use crate::audio::write_wav;
use crate::dataset::Dataset;
use crate::synth;
use idiom_engine::model::Model;
use idiom_engine::model::shipped::flagship;
use idiom_engine::{Genre, Quantization};

#[test]
fn a_clip_is_heard_as_the_engine_hears_it() {
    let sound = synth::render(Genre::Speech, 2, 7.0, 48_000).mono();
    let model = Model::from_onnx(flagship(Quantization::Fp32)).unwrap();
    for mut listener in [Listener::model(&model).unwrap(), Listener::rules()] {
        let posteriors = listener.posteriors(&sound, 48_000);
        assert_eq!(posteriors.len(), 350 * 5, "{}", listener.name());
        for posterior in posteriors.chunks(5) {
            assert!((posterior.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{posterior:?}");
        }
        let prediction = listener.judge(0, &sound, 48_000).unwrap();
        assert_eq!(prediction.excerpts.len(), 2);
        // The first 3 s heard alone are the first 3 s of the whole.
        assert_eq!(prediction.excerpts[0], posteriors[149 * 5..150 * 5]);
        let mean: f32 = posteriors[LISTENING_FRAMES * 5..].iter().step_by(5).sum::<f32>() / 325.0;
        assert!((prediction.clip[0] - mean).abs() < 1e-5);
        assert!(listener.judge(0, &sound[..900], 48_000).is_none(), "shorter than a frame");
        let short = listener.judge(0, &sound[..960], 48_000).unwrap();
        assert_eq!((short.clip.len(), short.excerpts.len()), (5, 0));
    }
}

#[test]
fn a_set_is_run_and_what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (genre, name) in [(Genre::Speech, "speech/a.wav"), (Genre::Rock, "rock/b.wav")] {
        write_wav(folder.path().join(name), &synth::render(genre, 1, 4.0, 16_000)).unwrap();
    }
    std::fs::write(folder.path().join("rock/broken.wav"), "no sound").unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    let evaluation = run(&Listener::rules(), &dataset).unwrap();
    assert_eq!((evaluation.report.clips, evaluation.report.excerpts), (2, 2));
    assert_eq!(evaluation.left_out.len(), 1);
    assert!(evaluation.left_out[0].contains("broken.wav"), "{:?}", evaluation.left_out);
    let json: serde_json::Value = serde_json::to_value(&evaluation).unwrap();
    assert!(json["balanced_accuracy_clip"].is_f64() && json["model"] == "spectral rules", "{json}");
    let text = evaluation.report.to_string();
    assert!(text.contains("balanced accuracy") && text.contains("electronic"), "{text}");
}

#[test]
fn a_set_with_other_classes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    write_wav(folder.path().join("polka/a.wav"), &synth::render(Genre::Speech, 1, 0.5, 16_000)).unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    let error = run(&Listener::rules(), &dataset).unwrap_err().to_string();
    assert!(error.contains("polka") && error.contains("classical"), "{error}");
}
