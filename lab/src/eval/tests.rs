use super::clip::judge;
use super::*;
use crate::audio::{Audio, write_wav};
use crate::dataset::Dataset;
use crate::synth;
use idiom_engine::model::classic::ClassicModel;
use idiom_engine::model::shipped::{classic, flagship};
use idiom_engine::model::{Model, random};
use idiom_engine::rt::features::hop_at;
use idiom_engine::worker::ModelSource;
use idiom_engine::{Backend, Config, Controls, Genre, Handle, Quantization, Transport};

fn shipped(quantization: Quantization) -> Listener {
    Listener::model(&Model::from_onnx(flagship(quantization)).unwrap()).unwrap()
}

/// Speech, then jazz, then silence.
fn programme() -> Vec<f32> {
    let mut sound = synth::render(Genre::Speech, 2, 5.0, 48_000).mono();
    sound.extend(synth::render(Genre::Jazz, 3, 5.0, 48_000).mono());
    sound.extend(vec![0.0; 48_000]);
    sound
}

#[test]
fn a_sound_is_heard_as_the_plugin_hears_it() {
    let sound = programme();
    let hop = hop_at(48_000.0);
    for (backend, quantization, mut listener) in [
        (Backend::Onnx, Quantization::Fp32, shipped(Quantization::Fp32)),
        (Backend::Onnx, Quantization::Int8, shipped(Quantization::Int8)),
        (
            Backend::OnnxWorker,
            Quantization::Fp32,
            Listener::worker(ModelSource::Shipped, Quantization::Fp32).unwrap(),
        ),
        (Backend::Classic, Quantization::Auto, Listener::classic(ClassicModel::read(classic()).unwrap())),
        (Backend::Spectral, Quantization::Auto, Listener::rules()),
    ] {
        let outcomes = listener.hear(&sound, 48_000).outcomes;
        assert_eq!(outcomes.len(), 550, "{}", listener.name());
        let handle = Handle::new();
        handle.select(backend, quantization);
        let mut engine = handle.start(Config { sample_rate: 48_000.0, channels: 1, offline: true });
        for (frame, outcome) in outcomes.iter().enumerate() {
            let mut block = sound[frame * hop..(frame + 1) * hop].to_vec();
            let transport =
                Transport { playing: true, position: Some((frame * hop) as i64), ..Transport::default() };
            engine.process(&mut [&mut block], transport, &Controls::default());
            let seen = handle.telemetry().snapshot();
            assert_eq!(
                (seen.posterior, seen.genre, seen.verdict),
                (outcome.posterior, outcome.genre, outcome.verdict),
                "{}, frame {frame}",
                listener.name()
            );
        }
    }
}

#[test]
fn a_clip_and_its_excerpts_are_judged_by_what_is_heard() {
    let sound = synth::render(Genre::Speech, 2, 7.0, 48_000).mono();
    for mut listener in [shipped(Quantization::Fp32), Listener::rules()] {
        let posteriors = listener.hear(&sound, 48_000).posteriors;
        assert_eq!(posteriors.len(), 350 * 5, "{}", listener.name());
        for posterior in posteriors.chunks(5) {
            assert!((posterior.iter().sum::<f32>() - 1.0).abs() < 1e-3, "{posterior:?}");
        }
        let judged = judge(&mut listener, 0, &sound, 48_000).unwrap();
        assert_eq!(judged.after.each_ref().map(Vec::len), [14, 7, 2, 0, 0]);
        let prediction = judged.prediction;
        assert_eq!(prediction.excerpts.len(), 2);
        // The first 3 s heard alone are the first 3 s of the whole.
        assert_eq!(prediction.excerpts[0], posteriors[149 * 5..150 * 5]);
        let mean: f32 = posteriors[LISTENING_FRAMES * 5..].iter().step_by(5).sum::<f32>() / 325.0;
        assert!((prediction.clip[0] - mean).abs() < 1e-5);
        assert!(judge(&mut listener, 0, &sound[..900], 48_000).is_none(), "shorter than a frame");
        let short = judge(&mut listener, 0, &sound[..960], 48_000).unwrap().prediction;
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
    std::fs::write(folder.path().join("rock/empty.mp3"), "").unwrap();
    write_wav(folder.path().join("rock/short.wav"), &Audio::new(16_000, vec![vec![0.1; 100]])).unwrap();
    let dataset = Dataset::open(folder.path()).unwrap();
    let noise = folder.path().join("speech");
    let options = Options { starts: true, nothing: true, nothing_folder: Some(noise), robustness: true };
    let evaluation = run(&Listener::rules(), &dataset, &options).unwrap();
    assert_eq!((evaluation.report.clips, evaluation.report.excerpts), (2, 2));
    assert_eq!(evaluation.left_out.len(), 3);
    for name in ["broken.wav", "empty.mp3", "short.wav"] {
        assert!(evaluation.left_out.iter().any(|reason| reason.contains(name)), "{:?}", evaluation.left_out);
    }
    assert_eq!(evaluation.starts.as_ref().map(|starts| starts.starts), Some(1));
    assert_eq!(evaluation.steady.as_ref().map(|steady| (steady.minutes * 60.0).round()), Some(8.0));
    let nothing = evaluation.nothing.as_ref().unwrap();
    assert_eq!((nothing.kinds.len(), nothing.seconds), (8, 768.0));
    assert_eq!(evaluation.nothing_folder.as_ref().unwrap().kinds[0].kind, "a.wav");
    for one in &evaluation.robustness {
        assert!(one.clips == 2 || one.remark.is_some(), "{one:?}");
        // What is softer by a factor is the same to the front end, and so is the mean of two equal channels.
        if one.change == "mono" {
            assert_eq!(one.agree, Some(1.0));
        }
    }
    let json: serde_json::Value = serde_json::to_value(&evaluation).unwrap();
    assert!(json["balanced_accuracy_clip"].is_f64() && json["model"] == "spectral rules", "{json}");
    let back: Evaluation = serde_json::from_value(json).unwrap();
    assert_eq!(back, evaluation);
    let text = evaluation.to_string();
    for part in ["balanced accuracy", "electronic", "wrong switches", "After a cut", "gain -18 dB", "3 files"]
    {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

#[test]
fn what_is_named_wrong_is_listed_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for (genre, name) in [(Genre::Speech, "speech/right.wav"), (Genre::Speech, "classical/wrong.wav")] {
        write_wav(folder.path().join(name), &synth::render(genre, 1, 4.0, 48_000)).unwrap();
    }
    let dataset = Dataset::open(folder.path()).unwrap();
    let evaluation = run(&shipped(Quantization::Int8), &dataset, &Options::default()).unwrap();
    let [mistake] = &evaluation.mistakes[..] else { panic!("{:?}", evaluation.mistakes) };
    assert!(mistake.file.ends_with("classical/wrong.wav"), "{mistake:?}");
    assert_eq!((mistake.class.as_str(), mistake.named.as_str()), ("classical", "speech"));
    assert!(mistake.probability > 0.5, "{mistake:?}");
    assert!(evaluation.to_string().contains("instead of classical"), "{evaluation}");
}

#[test]
fn any_classes_will_do_if_the_model_knows_them() {
    let folder = tempfile::tempdir().unwrap();
    for (genre, name) in [(Genre::Speech, "polka/a.wav"), (Genre::Rock, "waltz/b.wav")] {
        write_wav(folder.path().join(name), &synth::render(genre, 1, 1.5, 16_000)).unwrap();
    }
    let mut model = random::flagship(3);
    model.meta.classes = ["waltz", "polka", "tango", "foxtrot", "samba"].map(String::from).into();
    let listener = Listener::model(&model).unwrap();
    let dataset = Dataset::open_as(folder.path(), listener.classes()).unwrap();
    let options = Options { starts: true, nothing: true, ..Options::default() };
    let evaluation = run(&listener, &dataset, &options).unwrap();
    assert_eq!(evaluation.report.confusion[0].iter().sum::<usize>(), 1);
    assert_eq!(evaluation.report.per_class[1].clips, 1);
    assert!(evaluation.steady.is_none() && evaluation.starts.is_none() && evaluation.nothing.is_none());

    let dataset = Dataset::open(folder.path()).unwrap();
    let error = run(&Listener::rules(), &dataset, &options).unwrap_err().to_string();
    assert!(error.contains("polka") && error.contains("classical"), "{error}");
}
