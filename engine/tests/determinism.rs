//! Offline, the same file gives the same output to the bit, whatever the blocks, however often.

mod engine_support;

use engine_support::{KINDS, Noise, at, eager, engine, play, programme};
use idiom_engine::{Backend, Config, Handle, Quantization, Snapshot, Transport};

fn render(choice: (Backend, Quantization), mut size: impl FnMut() -> usize) -> ([Vec<f32>; 2], Snapshot) {
    let handle = Handle::new();
    let mut engine = engine(&handle, 48_000.0, true, choice);
    let mut sound = programme(48_000.0, 6.0);
    play(&mut engine, &mut sound, &eager(), &mut size, |_| {});
    let snapshot = handle.telemetry().snapshot();
    // Only what was measured with a clock may differ.
    (sound, Snapshot { cost_ns: [0; 4], ..snapshot })
}

#[test]
fn block_size_and_repetition_do_not_matter() {
    let input = programme(48_000.0, 6.0);
    for choice in KINDS {
        let (wanted, decided) = render(choice, || 512);
        assert!(wanted != input, "{choice:?}: the mix does something, or this shows nothing: {decided:?}");
        assert_eq!(decided.frames, 6 * 50);
        let mut noise = Noise::new(1);
        let mut sizes: Vec<(&str, Box<dyn FnMut() -> usize>)> = vec![
            ("512 again", Box::new(|| 512)),
            ("1", Box::new(|| 1)),
            ("8192", Box::new(|| 8192)),
            ("changing", Box::new(move || noise.below(3000))),
        ];
        for (name, size) in &mut sizes {
            let (got, snapshot) = render(choice, size);
            assert_eq!(snapshot, decided, "{choice:?}, blocks of {name}");
            let same =
                got.iter().flatten().zip(wanted.iter().flatten()).all(|(a, b)| a.to_bits() == b.to_bits());
            assert!(same, "{choice:?}, blocks of {name}");
        }
    }
}

#[test]
fn the_worker_has_answered_every_question_of_an_offline_render() {
    let (_, snapshot) = render((Backend::OnnxWorker, Quantization::Fp32), || 1024);
    assert!(snapshot.cache[1] >= 3, "questions were asked: {:?}", snapshot.cache);
    assert_eq!(snapshot.backend, Backend::OnnxWorker);
    assert_eq!(snapshot.quantization, Quantization::Fp32);
}

#[test]
fn a_loop_is_heard_the_same_way_on_every_pass_and_found_in_the_cache() {
    let handle = Handle::new();
    let mut engine = engine(&handle, 48_000.0, true, (Backend::OnnxWorker, Quantization::Int8));
    // A bar at 113 bpm: no multiple of a frame.
    let bar = (48_000.0 * 240.0 / 113.0) as usize;
    let song = programme(48_000.0, 4.0);
    let mut hits = vec![];
    for _ in 0..8 {
        let before = handle.telemetry().snapshot().cache;
        let mut start = 0;
        while start < bar {
            let end = bar.min(start + 512);
            let mut block = song.each_ref().map(|channel| channel[start..end].to_vec());
            let [left, right] = &mut block;
            let transport = at(777_000 + start);
            engine.process(&mut [left, right], transport, &eager());
            start = end;
        }
        let after = handle.telemetry().snapshot().cache;
        hits.push((after[0] - before[0], after[1] - before[1]));
    }
    assert!(hits[0].1 >= 3, "the first pass is asked about: {hits:?}");
    assert!(hits[1..].iter().all(|(hit, miss)| *hit >= 3 && *miss == 0), "{hits:?}");
}

#[test]
fn a_choice_made_while_rendering_offline_is_in_force_from_the_next_block_on() {
    let render = || {
        let handle = Handle::new();
        let mut engine = engine(&handle, 44_100.0, true, (Backend::Spectral, Quantization::Auto));
        let mut sound = programme(44_100.0, 6.0);
        let mut chosen = false;
        play(
            &mut engine,
            &mut sound,
            &eager(),
            || 441,
            |end| {
                if end > 100_000 && !chosen {
                    chosen = true;
                    // Two at once: the first never takes over.
                    handle.select(Backend::Onnx, Quantization::Int8);
                    handle.select(Backend::Onnx, Quantization::Fp32);
                }
            },
        );
        let snapshot = handle.telemetry().snapshot();
        assert_eq!((snapshot.backend, snapshot.quantization), (Backend::Onnx, Quantization::Fp32));
        sound
    };
    assert!(render() == render());
}

#[test]
fn a_handle_starts_again_at_another_rate() {
    let handle = Handle::new();
    for (rate, channels) in [(48_000.0, 2), (44_100.0, 1), (96_000.0, 2)] {
        let before = handle.telemetry().snapshot().frames;
        let mut engine = handle.start(Config { sample_rate: rate, channels, offline: true });
        let mut sound = programme(rate, 1.0);
        let [left, right] = &mut sound;
        let mut both = [&mut left[..], &mut right[..]];
        engine.process(&mut both[..channels], Transport::default(), &eager());
        let snapshot = handle.telemetry().snapshot();
        assert_eq!((snapshot.frames - before, snapshot.sample_rate), (50, rate));
    }
}
