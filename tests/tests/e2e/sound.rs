//! Sound through the plugin: block sizes, rates, channels, offline and in real time.

use idiom_tests::built::Built;
use idiom_tests::host::{Change, Render, Song};
use idiom_tests::signals::{blocks, difference, music};

fn stereo(seconds: f64, sample_rate: f64) -> Vec<Vec<f32>> {
    let length = (seconds * sample_rate) as usize;
    vec![music(length, sample_rate, 1), music(length, sample_rate, 2)]
}

#[test]
fn a_bounce_is_the_same_twice_and_at_any_block_size() {
    let built = Built::load();
    let sound = stereo(6.0, 44_100.0);
    let once = built.play(&sound, 44_100.0, Render::Offline, std::iter::repeat(512));
    assert!(difference(&once[0], &sound[0]) > 1e-3, "the mix does nothing, so this test would show nothing");
    let again = built.play(&sound, 44_100.0, Render::Offline, std::iter::repeat(512));
    assert!(once == again, "two bounces differ by {}", difference(&once[0], &again[0]));
    let sizes: [Box<dyn Iterator<Item = usize>>; 5] = [
        Box::new(std::iter::repeat(64)),
        Box::new(std::iter::repeat(441)),
        Box::new(std::iter::repeat(8192)),
        Box::new(blocks(8192, 7)),
        Box::new(std::iter::repeat(1).take(5000).chain(blocks(2000, 8))),
    ];
    for (index, sizes) in sizes.into_iter().enumerate() {
        let other = built.play(&sound, 44_100.0, Render::Offline, sizes);
        for (a, b) in once.iter().zip(&other) {
            assert!(a == b, "block sizes no. {index} change the result by {}", difference(a, b));
        }
    }
}

#[test]
fn it_listens_at_every_rate() {
    let built = Built::load();
    for sample_rate in [
        8_000.0, 11_025.0, 16_000.0, 22_050.0, 32_000.0, 44_100.0, 48_000.0, 88_200.0, 96_000.0, 176_400.0,
        192_000.0,
    ] {
        let mut plugin = built.instance(2, Render::Offline);
        let mut processor = plugin.activate(sample_rate, 1000).unwrap();
        let mut sound = stereo(3.0, sample_rate);
        processor.play(&mut sound, blocks(1000, 3)).unwrap();
        let snapshot = built.bundle.snapshot(0).unwrap();
        assert_eq!(f64::from(snapshot.sample_rate), sample_rate);
        assert!(
            (147..=151).contains(&snapshot.frames),
            "{} frames in 3 s at {sample_rate} Hz",
            snapshot.frames
        );
        let sum: f32 = snapshot.posterior.iter().sum();
        assert!((sum - 1.0).abs() < 1e-3, "{:?} at {sample_rate} Hz", snapshot.posterior);
        assert!((-50.0..0.0).contains(&snapshot.level_dbfs), "{} dBFS", snapshot.level_dbfs);
        assert!(sound.iter().flatten().all(|x| x.is_finite()));
        plugin.deactivate(processor);
    }
}

/// One sample late would already be a latency that the plugin does not report.
#[test]
fn nothing_is_delayed() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Offline);
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    let mut sound = vec![vec![0.0; 4096]; 2];
    (sound[0][1000], sound[1][1000]) = (0.5, 0.5);
    processor.play(&mut sound, std::iter::repeat(512)).unwrap();
    for channel in &sound {
        let peak = (0..channel.len()).max_by(|a, b| channel[*a].abs().total_cmp(&channel[*b].abs())).unwrap();
        assert_eq!(peak, 1000);
        assert!(channel[..1000].iter().all(|x| x.abs() < 1e-6), "something comes before the impulse");
    }
    plugin.deactivate(processor);
}

#[test]
fn amount_zero_and_bypass_give_back_the_input_bit_for_bit() {
    let built = Built::load();
    let sound = stereo(4.0, 48_000.0);
    for (name, value) in [("Amount", 0.0), ("Bypass", 1.0)] {
        let mut plugin = built.instance(2, Render::Offline);
        let param = plugin.param(name).unwrap();
        plugin.flush(&[Change { at: 0, param: param.id, value }]).unwrap();
        assert_eq!(plugin.value(param.id).unwrap(), value);
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        let mut out = sound.clone();
        processor.play(&mut out, std::iter::repeat(512)).unwrap();
        assert!(built.bundle.snapshot(0).unwrap().frames > 190, "listening goes on at {name} {value}");
        // A switch of bypass fades over some milliseconds, the beginning is left to it.
        for (a, b) in out.iter().zip(&sound) {
            assert!(a[4800..] == b[4800..], "{name} {value} changes the sound by {}", difference(a, b));
        }
        plugin.deactivate(processor);
    }
}

#[test]
fn a_manual_genre_moves_the_sound_and_differs_from_another_one() {
    let built = Built::load();
    let sound = stereo(4.0, 48_000.0);
    let mut results = Vec::new();
    for genre in ["Speech", "Classical"] {
        let mut plugin = built.instance(2, Render::Offline);
        let param = plugin.param("Genre").unwrap();
        let value = plugin.parse(param.id, genre).unwrap().unwrap();
        plugin.flush(&[Change { at: 0, param: param.id, value }]).unwrap();
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        let mut out = sound.clone();
        processor.play(&mut out, std::iter::repeat(512)).unwrap();
        assert!(difference(&out[0], &sound[0]) > 1e-3, "{genre} leaves the sound alone");
        assert_eq!(built.bundle.snapshot(0).unwrap().verdict, idiom_engine::Verdict::Manual as u32);
        plugin.deactivate(processor);
        results.push(out);
    }
    assert!(difference(&results[0][0], &results[1][0]) > 1e-3, "speech and classical sound the same");
}

#[test]
fn mono_is_what_stereo_is_with_two_equal_sides() {
    let built = Built::load();
    let side = music(4 * 48_000, 48_000.0, 5);
    let mono = built.play(&[side.clone()], 48_000.0, Render::Offline, std::iter::repeat(480));
    let stereo = built.play(&[side.clone(), side.clone()], 48_000.0, Render::Offline, std::iter::repeat(480));
    assert_eq!(mono.len(), 1);
    assert!(difference(&mono[0], &side) > 1e-3, "the mix does nothing in mono");
    for channel in &stereo {
        assert!(difference(&mono[0], channel) < 1e-5, "mono differs by {}", difference(&mono[0], channel));
    }
}

#[test]
fn the_song_may_jump_stop_and_have_no_position() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    let songs = [
        None,
        Some(Song { playing: false, position: 0 }),
        Some(Song::at(-96_000)),
        Some(Song::at(1 << 40)),
        Some(Song::at(3)),
        Some(Song::at(i64::MIN / (1 << 32))),
    ];
    let sound = music(48_000, 48_000.0, 9);
    let before = built.bundle.snapshot(0).unwrap().frames;
    for (index, song) in songs.into_iter().cycle().take(600).enumerate() {
        let start = index * 64 % 40_000;
        let mut block = [sound[start..start + 441].to_vec(), sound[start..start + 441].to_vec()];
        let [left, right] = &mut block;
        processor.process(&mut [left, right], song, &[]).unwrap();
        assert!(block.iter().flatten().all(|x| x.is_finite()));
    }
    // Five seconds of sound; a jump may cost the frame it falls into, but not the listening.
    processor.play(&mut [sound.clone(), sound.clone()], std::iter::repeat(512)).unwrap();
    let frames = built.bundle.snapshot(0).unwrap().frames - before;
    assert!(frames >= 45, "only {frames} frames");
    plugin.deactivate(processor);
}
