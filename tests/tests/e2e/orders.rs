//! Every order of calls that a host may choose.

use idiom_tests::built::{Built, State};
use idiom_tests::host::{Change, Plugin, Processor, Render};
use idiom_tests::signals::{Random, music, noise};
use std::sync::atomic::Ordering::Relaxed;

#[test]
fn fifty_instances_are_made_play_and_go_in_any_order() {
    let built = Built::load();
    let mut random = Random::new(50);
    let mut running: Vec<(Plugin, Option<Processor>)> = (0..50)
        .map(|index| {
            let mut plugin = built.instance(1 + index % 2, Render::Realtime);
            let rate = [44_100.0, 48_000.0, 96_000.0][index % 3];
            // Every fifth stays inactive.
            let processor = (index % 5 != 0).then(|| plugin.activate(rate, 64 << (index % 4)).unwrap());
            (plugin, processor)
        })
        .collect();
    assert!(built.bundle.snapshot(49).is_some() && built.bundle.snapshot(50).is_none());
    for (plugin, processor) in &mut running {
        let Some(processor) = processor else { continue };
        let mut sound = vec![noise(6_000, 0.5, 1); plugin.channels()];
        processor.play(&mut sound, std::iter::repeat(64)).unwrap();
        assert!(sound.iter().flatten().all(|x| x.is_finite()));
    }
    while !running.is_empty() {
        let (mut plugin, processor) = running.swap_remove(random.between(0, running.len() - 1));
        if let Some(processor) = processor {
            plugin.deactivate(processor);
        }
        drop(plugin);
        // Those that are left go on.
        if let Some((plugin, Some(processor))) = running.last_mut() {
            let mut sound = vec![noise(512, 0.5, 2); plugin.channels()];
            processor.play(&mut sound, std::iter::repeat(64)).unwrap();
        }
    }
    assert!(built.bundle.snapshot(0).is_none(), "an instance is left behind");
}

/// Calls in random order, among them those that change nothing; the host sees to it that each is allowed.
#[test]
fn no_order_of_calls_breaks_it() {
    let built = Built::load();
    for seed in 0..8 {
        let mut random = Random::new(seed);
        let mut plugin = built.instance(2, Render::Realtime);
        let params = plugin.params().unwrap();
        let mut saved = plugin.save().unwrap();
        let mut active: Option<(Processor, usize)> = None;
        for _ in 0..250 {
            let param = &params[random.between(0, params.len() - 1)];
            let change = param.random_change(&mut random);
            match (random.between(0, 11), active.as_mut()) {
                (0 | 1, None) => {
                    let rate = [8_000.0, 44_100.0, 48_000.0, 88_200.0, 192_000.0][random.between(0, 4)];
                    let block = [1, 17, 64, 512, 4096][random.between(0, 4)];
                    active = Some((plugin.activate(rate, block).unwrap(), block));
                }
                (0, Some(_)) => {
                    let (processor, _) = active.take().unwrap();
                    plugin.deactivate(processor);
                }
                (2, Some((processor, _))) => processor.start().unwrap(),
                (3, Some((processor, _))) => processor.stop(),
                (4, Some((processor, _))) => processor.reset(),
                (5, Some((processor, _))) => processor.flush(&[change]).unwrap(),
                (5 | 6, None) => plugin.flush(&[change]).unwrap(),
                (6, Some((processor, block))) => {
                    let mut sound = vec![music(random.between(0, 3_000), 48_000.0, seed); 2];
                    let block = *block;
                    let sizes = std::iter::from_fn(|| Some(random.between(1, block)));
                    processor.play(&mut sound, sizes).unwrap();
                    assert!(sound.iter().flatten().all(|x| x.is_finite()));
                }
                (7, _) => saved = plugin.save().unwrap(),
                (8, _) => plugin.load(&saved).unwrap(),
                (9, _) => {
                    let render = [Render::Realtime, Render::Offline][random.between(0, 1)];
                    plugin.set_render(render).unwrap();
                }
                (10, None) => plugin.set_channels(2).unwrap(),
                (11, _) => {
                    assert!(plugin.value(param.id).is_ok());
                    // The limiter with look-ahead may have been chosen.
                    assert!(plugin.latency() <= 192_000 / 500);
                }
                _ => plugin.idle(),
            }
        }
        // And after all that it listens as a new one does.
        if let Some((processor, _)) = active.take() {
            plugin.deactivate(processor);
        }
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        processor.play(&mut vec![music(48_000, 48_000.0, 3); 2], std::iter::repeat(512)).unwrap();
        assert!(built.bundle.snapshot(0).unwrap().frames >= 48, "seed {seed}: it does not listen");
        plugin.deactivate(processor);
    }
}

/// A host that begins a bounce while the plugin plays: it is asked to restart it, and then the result is that of a
/// bounce from the beginning, to the bit.
#[test]
fn a_bounce_in_the_middle_of_playing_is_like_any_other_bounce() {
    let built = Built::load();
    let sound = vec![music(3 * 48_000, 48_000.0, 1); 2];
    let bounce = |plugin: &mut Plugin| {
        let mut out = sound.clone();
        let mut processor = plugin.activate(48_000.0, 512).unwrap();
        processor.play(&mut out, std::iter::repeat(512)).unwrap();
        plugin.deactivate(processor);
        out
    };
    let mut other = built.instance(2, Render::Offline);
    let eager = [other.param("Confidence threshold"), other.param("Reaction")]
        .map(|param| param.unwrap())
        .map(|param| Change { at: 0, param: param.id, value: param.min });
    other.flush(&eager).unwrap();
    let expected = bounce(&mut other);
    assert!(expected[0] != sound[0], "the mix does nothing");
    let mut plugin = built.instance(2, Render::Realtime);
    plugin.flush(&eager).unwrap();
    let mut processor = plugin.activate(48_000.0, 512).unwrap();
    for round in 0..3 {
        plugin.set_render(Render::Realtime).unwrap();
        processor.play(&mut vec![noise(20_000, 0.3, round); 2], std::iter::repeat(333)).unwrap();
        plugin.requests().restart.store(false, Relaxed);
        plugin.set_render(Render::Realtime).unwrap();
        assert!(!plugin.requests().restart.load(Relaxed), "nothing changed, and it wants to be restarted");
        plugin.set_render(Render::Offline).unwrap();
        assert!(plugin.requests().restart.load(Relaxed), "it goes on in real time");
        plugin.deactivate(processor);
        assert!(bounce(&mut plugin) == expected, "round {round}");
        plugin.set_render(Render::Realtime).unwrap();
        processor = plugin.activate(48_000.0, 512).unwrap();
    }
    plugin.deactivate(processor);
}

/// Parameters that are set without sound (inactive, active, stopped) are in force as if they came with a block, and the
/// state is the same.
#[test]
fn parameters_arrive_with_and_without_processing() {
    let built = Built::load();
    let mut random = Random::new(12);
    for _ in 0..5 {
        let mut first = built.instance(2, Render::Realtime);
        let changes = first.random_changes(&mut random).unwrap();
        first.flush(&changes).unwrap();
        let expected = State::parse(&first.save().unwrap()).unwrap();
        let mut second = built.instance(2, Render::Realtime);
        assert_ne!(State::parse(&second.save().unwrap()).unwrap(), expected);
        let mut processor = second.activate(48_000.0, 512).unwrap();
        processor.flush(&changes).unwrap();
        assert_eq!(State::parse(&second.save().unwrap()).unwrap(), expected, "active, not processing");
        second.deactivate(processor);
        for length in [0, 64] {
            let mut third = built.instance(2, Render::Realtime);
            let mut processor = third.activate(48_000.0, 512).unwrap();
            let mut block = [vec![0.1; length], vec![0.1; length]];
            let [left, right] = &mut block;
            processor.process(&mut [left, right], None, &changes).unwrap();
            assert_eq!(State::parse(&third.save().unwrap()).unwrap(), expected, "{length} samples");
            third.deactivate(processor);
        }
    }
}
