//! The mix's parameters, side chain, latency and MIDI in a host.

use idiom_tests::built::{Built, State};
use idiom_tests::host::{Change, Plugin, Processor, Render, Song};
use idiom_tests::signals::{Random, difference, music, noise};
use serde_json::json;
use std::sync::atomic::Ordering::Relaxed;

fn change(plugin: &mut Plugin, name: &str, text: &str) -> Change {
    let param = plugin.param(name).unwrap();
    let value = plugin.parse(param.id, text).unwrap();
    Change { at: 0, param: param.id, value: value.unwrap_or_else(|| panic!("{name} cannot read {text:?}")) }
}

/// Plays blocks of this length with these changes, which count from the start of the sound.
fn play(processor: &mut Processor, sound: &mut [Vec<f32>], block: usize, changes: &[Change]) {
    let length = sound[0].len();
    for start in (0..length).step_by(block) {
        let end = length.min(start + block);
        let here: Vec<Change> = changes
            .iter()
            .filter(|c| (start..end).contains(&(c.at as usize)))
            .map(|c| Change { at: c.at - start as u32, ..*c })
            .collect();
        let mut slices: Vec<&mut [f32]> = sound.iter_mut().map(|c| &mut c[start..end]).collect();
        processor.process(&mut slices, Some(Song::at(start as i64)), &here).unwrap();
    }
}

/// Everything that the mix has moves in a host's automation, and the result is the same in every block size, bit for bit.
#[test]
fn automation_counts_from_its_sample_whatever_the_block_size() {
    let built = Built::load();
    let sound = vec![music(48_000, 48_000.0, 1), music(48_000, 48_000.0, 2)];
    let render = |block: usize| {
        let mut plugin = built.instance(2, Render::Offline);
        let params = plugin.params().unwrap();
        let mut random = Random::new(11);
        let mut changes: Vec<Change> = (0..200)
            .map(|_| {
                let change = params[random.between(0, params.len() - 1)].random_change(&mut random);
                Change { at: random.between(0, 47_999) as u32, ..change }
            })
            .filter(|change| params.iter().any(|p| p.id == change.param && p.automatable && !p.bypass))
            .collect();
        changes.sort_by_key(|change| change.at);
        let mut processor = plugin.activate(48_000.0, 4_096).unwrap();
        let mut output = sound.clone();
        play(&mut processor, &mut output, block, &changes);
        plugin.deactivate(processor);
        output
    };
    let whole = render(4_096);
    assert!(whole.iter().flatten().all(|x| x.is_finite()));
    assert!(difference(&whole[0], &sound[0]) > 1e-3, "nothing moves");
    for block in [64, 333] {
        let cut = render(block);
        for (a, b) in cut.iter().flatten().zip(whole.iter().flatten()) {
            assert_eq!(a.to_bits(), b.to_bits(), "in blocks of {block}");
        }
    }
}

/// The user's own setting alone, with Amount at 0, is a desk: a low shelf of 6 dB lifts the lows by 6 dB.
#[test]
fn without_amount_the_own_settings_are_in_force() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let changes = [
        change(&mut plugin, "Amount", "0 %"),
        change(&mut plugin, "Low shelf gain", "+6 dB"),
        change(&mut plugin, "Low shelf frequency", "400 Hz"),
    ];
    plugin.flush(&changes).unwrap();
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    let tone: Vec<f32> =
        (0..48_000).map(|n| 0.1 * (std::f32::consts::TAU * 50.0 * n as f32 / 48_000.0).sin()).collect();
    let mut sound = vec![tone.clone(), tone.clone()];
    play(&mut processor, &mut sound, 512, &[]);
    let level = |x: &[f32]| x[24_000..].iter().map(|x| x * x).sum::<f32>();
    let gain_db = 10.0 * (level(&sound[0]) / level(&tone)).log10();
    assert!((gain_db - 6.0).abs() < 0.1, "{gain_db} dB");
    plugin.deactivate(processor);
}

#[test]
fn the_compressor_hears_the_side_chain_when_it_may() {
    let built = Built::load();
    let sound = vec![noise(24_000, 0.05, 1), noise(24_000, 0.05, 2)];
    let render = |switch: &str, key: f32| {
        let mut plugin = built.instance(2, Render::Realtime);
        let changes = [
            change(&mut plugin, "Amount", "0 %"),
            change(&mut plugin, "Compressor ratio", "8 : 1"),
            change(&mut plugin, "Compressor threshold", "-30 dB"),
            change(&mut plugin, "Equalizer", "off"),
            change(&mut plugin, "External side chain", switch),
        ];
        plugin.flush(&changes).unwrap();
        let mut processor = plugin.activate(48_000.0, 500).unwrap();
        // The side chain speaks up after a quarter of a second.
        let mut output: Vec<Vec<f32>> = sound.iter().map(|channel| channel[..12_000].to_vec()).collect();
        play(&mut processor, &mut output, 500, &[]);
        let loud = noise(500, key, 3);
        processor.side_chain().iter_mut().for_each(|channel| channel.copy_from_slice(&loud));
        let mut output: Vec<Vec<f32>> = sound.iter().map(|channel| channel[12_000..].to_vec()).collect();
        play(&mut processor, &mut output, 500, &[]);
        plugin.deactivate(processor);
        output
    };
    assert_eq!(render("off", 0.0), render("off", 0.5), "it is off, yet heard");
    let (silent, loud) = (render("on", 0.0), render("on", 0.5));
    assert!(difference(&silent[0], &loud[0]) > 1e-3, "a loud side chain changes nothing");
}

/// A key of level L above threshold T takes (1 - 1/R)(L - T) dB off, here and for as long as it lasts.
#[test]
fn a_side_chain_ducks_by_what_level_threshold_and_ratio_say() {
    let built = Built::load();
    let tone = |hz: f32, amplitude: f32, length: usize| -> Vec<f32> {
        (0..length).map(|n| amplitude * (std::f32::consts::TAU * hz * n as f32 / 48_000.0).sin()).collect()
    };
    for (level, threshold, ratio) in [(-20.0f64, -30.0, 4.0), (-10.0, -40.0, 2.0), (-50.0, -30.0, 8.0)] {
        let mut plugin = built.instance(2, Render::Realtime);
        let changes = [
            change(&mut plugin, "Amount", "0 %"),
            change(&mut plugin, "Compressor ratio", &format!("{ratio} : 1")),
            change(&mut plugin, "Compressor threshold", &format!("{threshold} dB")),
            change(&mut plugin, "External side chain", "on"),
        ];
        plugin.flush(&changes).unwrap();
        let mut processor = plugin.activate(48_000.0, 480).unwrap();
        // Whole periods in a block; a sine's RMS lies 3 dB under its peak, and 2 kHz far above the side chain's low cut.
        let key = tone(2_000.0, 2f32.sqrt() * 10f32.powf(level as f32 / 20.0), 480);
        processor.side_chain().iter_mut().for_each(|channel| channel.copy_from_slice(&key));
        let sound = tone(400.0, 0.01, 4 * 48_000);
        let mut output = vec![sound.clone(), sound.clone()];
        play(&mut processor, &mut output, 480, &[]);
        plugin.deactivate(processor);
        let power = |x: &[f32]| x[x.len() - 48_000..].iter().map(|x| f64::from(*x).powi(2)).sum::<f64>();
        let wanted = -(1.0 - 1.0 / ratio) * (level - threshold).max(0.0);
        for channel in &output {
            let gain = 10.0 * (power(channel) / power(&sound)).log10();
            assert!(
                (gain - wanted).abs() < 0.1,
                "{gain:.2} dB, not {wanted:.2}: key {level} dB, {threshold} dB, {ratio}:1"
            );
        }
    }
}

#[test]
fn the_latency_is_that_of_the_chosen_limiter_and_constant() {
    let built = Built::load();
    for (rate, samples) in [(44_100.0, 88), (48_000.0, 96), (96_000.0, 192)] {
        let mut plugin = built.instance(2, Render::Realtime);
        let processor = plugin.activate(rate, 512).unwrap();
        assert_eq!(plugin.latency(), 0, "tracking has none");
        plugin.deactivate(processor);
        let choose = [change(&mut plugin, "Limiter kind", "True peak")];
        plugin.flush(&choose).unwrap();
        let mut processor = plugin.activate(rate, 512).unwrap();
        assert_eq!(plugin.latency(), samples, "at {rate} Hz");
        // The wrapper tells the host of the new latency in its own way.
        plugin.idle();
        plugin.requests().restart.store(false, Relaxed);
        let switch = [change(&mut plugin, "Limiter", "on"), change(&mut plugin, "Amount", "0 %")];
        // An impulse comes out as late as promised, whether or not the limiter is on.
        let mut sound = vec![vec![0.0; 2_048]; 2];
        sound.iter_mut().for_each(|channel| channel[100] = 0.25);
        play(&mut processor, &mut sound, 512, &[switch[1]]);
        let at = sound[0].iter().position(|x| x.abs() > 0.1);
        assert_eq!(at, Some(100 + samples as usize));
        assert!(!plugin.requests().restart.load(Relaxed));
        play(&mut processor, &mut vec![vec![0.0; 2_048]; 2], 512, &[switch[0]]);
        assert_eq!(plugin.latency(), samples);
        assert!(!plugin.requests().restart.load(Relaxed));
        // Another choice while it plays asks the host for a new activation, and until then nothing changes.
        let back = [change(&mut plugin, "Limiter kind", "Zero latency")];
        play(&mut processor, &mut vec![vec![0.0; 2_048]; 2], 512, &back);
        plugin.idle();
        assert_eq!(plugin.latency(), samples);
        assert!(plugin.requests().restart.load(Relaxed), "the host is not asked");
        plugin.deactivate(processor);
        let processor = plugin.activate(rate, 512).unwrap();
        assert_eq!(plugin.latency(), 0);
        plugin.deactivate(processor);
    }
}

#[test]
fn controllers_are_sent_when_asked_for_on_their_channel_and_not_too_often() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let seconds = |processor: &mut Processor, count: usize, changes: &[Change]| {
        let mut messages = Vec::new();
        for round in 0..count * 100 {
            let mut block = vec![music(480, 48_000.0, round as u64); 2];
            let changes = if round == 0 { changes } else { &[] };
            let mut slices: Vec<&mut [f32]> = block.iter_mut().map(|c| &mut c[..]).collect();
            processor.process(&mut slices, Some(Song::at(round as i64 * 480)), changes).unwrap();
            messages.extend(processor.midi());
        }
        messages
    };
    let mut processor = plugin.activate(48_000.0, 480).unwrap();
    assert_eq!(seconds(&mut processor, 1, &[]), [], "it is off until it is switched on");
    let changes = [
        change(&mut plugin, "MIDI out", "on"),
        change(&mut plugin, "MIDI channel", "5"),
        change(&mut plugin, "Controller of the genre", "CC 20"),
        change(&mut plugin, "Confidence threshold", "0 %"),
    ];
    let messages = seconds(&mut processor, 4, &changes);
    let numbers = [102, 103, 104, 105, 106, 20, 108];
    for (_, [status, number, value]) in &messages {
        assert_eq!(*status, 0xb4, "a control change on channel 5");
        assert!(numbers.contains(number) && *value <= 127, "controller {number}");
    }
    for number in numbers {
        let count = messages.iter().filter(|(_, message)| message[1] == number).count();
        assert!((1..=81).contains(&count), "controller {number} was sent {count} times in 4 s");
    }
    let last = |number: u8| messages.iter().rev().find(|(_, m)| m[1] == number).map(|(_, m)| m[2]).unwrap();
    let snapshot = built.bundle.snapshot(0).unwrap();
    assert_eq!(i32::from(last(20)), 25 * (snapshot.genre + 1), "the genre in force");
    for (genre, p) in snapshot.posterior.iter().enumerate() {
        let sent = f32::from(last(102 + genre as u8)) / 127.0;
        assert!((sent - p).abs() < 0.1, "probability {p} was sent as {sent}");
    }
    let off = [change(&mut plugin, "MIDI out", "off")];
    assert_eq!(seconds(&mut processor, 1, &off), []);
    plugin.deactivate(processor);
}

#[test]
fn a_session_of_the_first_version_plays_as_it_did() {
    let built = Built::load();
    let mut plugin = built.instance(2, Render::Realtime);
    let moved = [change(&mut plugin, "Low shelf gain", "+6 dB"), change(&mut plugin, "Limiter", "on")];
    plugin.flush(&moved).unwrap();
    let old = State(json!({
        "version": "0.1.0",
        "params": {
            "amount": { "f32": 50.0 }, "bypass": { "bool": false }, "compressor": { "bool": false },
            "eq": { "bool": true }, "freeze": { "bool": true }, "genre": { "string": "jazz" },
            "output": { "f32": -3.5 }, "reaction": { "f32": 1.0 }, "threshold": { "f32": 60.0 },
        },
        "fields": { "format": "1", "preset": r#"{"name":"Gentle Bus","version":2}"# },
    }));
    plugin.load(&old.bytes()).unwrap();
    for (name, text) in [
        ("Amount", "50 %"),
        ("Mode", "Hold"),
        ("Compressor", "Off"),
        ("Low shelf gain", "0.0 dB"),
        ("Limiter", "Off"),
        ("Output gain", "-3.5 dB"),
    ] {
        let id = plugin.param(name).unwrap().id;
        let value = plugin.value(id).unwrap();
        assert_eq!(plugin.text(id, value).unwrap(), text, "{name}");
    }
}
