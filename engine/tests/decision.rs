//! The decision stage on scripted posteriors: one frame is 20 ms, 50 frames are a second.

use Genre::{Classical, Electronic, Jazz, Rock, Speech};
use idiom_engine::rt::decision::{Decision, Outcome};
use idiom_engine::{Controls, Genre, Mode, Posterior, Verdict};

const SECOND: usize = 50;
const LOUD: f32 = -18.0;

/// `p` on one genre, the rest spread over the others.
fn leaning(genre: Genre, p: f32) -> Posterior {
    let mut posterior = Posterior([(1.0 - p) / 4.0; 5]);
    posterior.0[genre.index()] = p;
    posterior
}

/// Feeds a posterior for some frames; returns every outcome.
fn feed(
    decision: &mut Decision,
    posterior: Posterior,
    level: f32,
    frames: usize,
    controls: &Controls,
) -> Vec<Outcome> {
    (0..frames).map(|_| decision.update(&posterior, level, controls)).collect()
}

/// A decision stage that has heard a genre clearly for five seconds.
fn sure_of(genre: Genre) -> Decision {
    let mut decision = Decision::new();
    feed(&mut decision, leaning(genre, 0.95), LOUD, 5 * SECOND, &Controls::default());
    decision
}

fn switches(outcomes: &[Outcome]) -> usize {
    outcomes.windows(2).filter(|pair| pair[0].genre != pair[1].genre).count()
}

#[test]
fn it_listens_for_half_a_second_and_then_names_a_clear_genre() {
    let mut decision = Decision::new();
    let outcomes = feed(&mut decision, leaning(Jazz, 0.9), LOUD, 2 * SECOND, &Controls::default());
    let first = outcomes.iter().position(|o| o.genre.is_some()).unwrap();
    assert_eq!(first + 1, 25, "0.5 s");
    assert!(
        outcomes[..first].iter().all(|o| o.verdict == Verdict::Listening && o.weights(0.7) == Some([0.0; 5]))
    );
    assert!(outcomes[first..].iter().all(|o| (o.genre, o.verdict) == (Some(Jazz), Verdict::Recognised)));
    assert!(
        (outcomes[first].confidence - 0.9).abs() < 1e-5,
        "the start is a plain average, not one with nothing in it"
    );
}

#[test]
fn a_muddy_beginning_does_not_keep_a_clear_genre_from_being_named_within_one_and_a_half_seconds() {
    let mut decision = Decision::new();
    feed(&mut decision, leaning(Rock, 0.5), LOUD, SECOND / 4, &Controls::default());
    let outcomes = feed(&mut decision, leaning(Classical, 0.95), LOUD, SECOND * 5 / 4, &Controls::default());
    assert_eq!(outcomes.last().unwrap().genre, Some(Classical));
    assert_eq!(switches(&outcomes), 1);
}

#[test]
fn flicker_around_the_boundary_never_switches() {
    for threshold in [0.0, 0.3, 0.7] {
        let controls = Controls { threshold, ..Controls::default() };
        let mut decision = sure_of(Rock);
        // Half a second each way, a little in favour of either, for two minutes.
        let outcomes: Vec<Outcome> = (0..120 * SECOND)
            .map(|i| {
                let (rock, jazz) = if i / 25 % 2 == 0 { (0.42, 0.54) } else { (0.54, 0.42) };
                decision.update(&Posterior([0.02, rock, jazz, 0.01, 0.01]), LOUD, &controls)
            })
            .collect();
        assert_eq!(switches(&outcomes), 0, "threshold {threshold}");
        assert_eq!(outcomes.last().unwrap().genre, Some(Rock));
    }
}

#[test]
fn a_confidence_on_the_threshold_does_not_flicker_between_recognised_and_uncertain() {
    let mut decision = sure_of(Speech);
    let changes = (0..60 * SECOND)
        .map(|i| {
            decision
                .update(
                    &leaning(Speech, if i / 10 % 2 == 0 { 0.74 } else { 0.66 }),
                    LOUD,
                    &Controls::default(),
                )
                .verdict
        })
        .collect::<Vec<_>>()
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .count();
    assert_eq!(changes, 0);
}

#[test]
fn a_clear_change_is_one_switch_within_a_second() {
    for (from, to) in [(Speech, Rock), (Electronic, Classical), (Jazz, Speech)] {
        let mut decision = sure_of(from);
        let outcomes = feed(&mut decision, leaning(to, 0.9), LOUD, 10 * SECOND, &Controls::default());
        assert_eq!(switches(&outcomes), 1);
        let at = outcomes.iter().position(|o| o.genre == Some(to)).unwrap();
        assert!(at < SECOND, "after {at} frames");
        assert_eq!(outcomes.last().unwrap().verdict, Verdict::Recognised);
    }
}

#[test]
fn a_genre_is_held_for_a_second_and_a_half() {
    let mut decision = Decision::new();
    // Clear in itself, but alternating faster than anyone could mix by.
    let outcomes: Vec<Outcome> = (0..60 * SECOND)
        .map(|i| decision.update(&leaning([Rock, Jazz][i / 55 % 2], 0.98), LOUD, &Controls::default()))
        .collect();
    let mut held = 0;
    for pair in outcomes.windows(2) {
        held += 1;
        if pair[0].genre != pair[1].genre {
            assert!(pair[0].genre.is_none() || held >= 75, "held for {held} frames");
            held = 0;
        }
    }
    assert!(switches(&outcomes) > 10, "it does follow");
}

#[test]
fn doubt_keeps_the_genre_on_show_and_eases_the_mix() {
    let mut decision = sure_of(Classical);
    let last = *feed(&mut decision, leaning(Electronic, 0.4), LOUD, 5 * SECOND, &Controls::default())
        .last()
        .unwrap();
    assert_eq!((last.genre, last.verdict), (Some(Classical), Verdict::Uncertain));
    let share: f32 = last.weights(0.7).unwrap().iter().sum();
    assert!((share - 0.4 / 0.7).abs() < 0.01, "{share}");
    // On the threshold, easing has not begun: no step where the verdict changes.
    let at = Outcome { posterior: leaning(Rock, 0.7), verdict: Verdict::Uncertain, ..last };
    assert!((at.weights(0.7).unwrap().iter().sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn nothing_likely_from_the_start_is_uncertain_without_a_genre() {
    let mut decision = Decision::new();
    let last =
        *feed(&mut decision, Posterior::UNIFORM, LOUD, 5 * SECOND, &Controls::default()).last().unwrap();
    assert_eq!((last.genre, last.verdict), (None, Verdict::Uncertain));
    assert_eq!(last.weights(0.7), Some([0.0; 5]), "the sound is left alone");
}

#[test]
fn silence_holds_everything() {
    let mut decision = sure_of(Jazz);
    let before = decision.update(&leaning(Jazz, 0.95), LOUD, &Controls::default());
    let outcomes = feed(&mut decision, leaning(Speech, 0.99), -80.0, 60 * SECOND, &Controls::default());
    assert!(outcomes.iter().all(|o| o.posterior == before.posterior && o.genre == Some(Jazz)));
    assert!(
        outcomes[..14].iter().all(|o| o.verdict == Verdict::Recognised),
        "a gap between words is no silence"
    );
    assert!(outcomes[15..].iter().all(|o| o.verdict == Verdict::Silent && o.weights(0.7).is_none()));
    let back = feed(&mut decision, leaning(Speech, 0.99), LOUD, SECOND, &Controls::default());
    assert_ne!(back[0].verdict, Verdict::Silent, "sound ends it at once");
    assert_eq!(back.last().unwrap().genre, Some(Speech));
}

#[test]
fn silence_from_the_start_is_silent_without_a_genre() {
    let mut decision = Decision::new();
    for level in [-120.0, f32::NEG_INFINITY] {
        let last = *feed(&mut decision, leaning(Rock, 0.99), level, 5 * SECOND, &Controls::default())
            .last()
            .unwrap();
        assert_eq!((last.genre, last.verdict), (None, Verdict::Silent));
    }
}

#[test]
fn a_pianissimo_is_music_after_a_quiet_tutti_and_a_pause_after_a_loud_master() {
    let verdict_at = |peak: f32, then: f32| {
        let mut decision = Decision::new();
        feed(&mut decision, leaning(Classical, 0.9), peak, 40 * SECOND, &Controls::default());
        feed(&mut decision, leaning(Classical, 0.9), then, 2 * SECOND, &Controls::default())
            .last()
            .unwrap()
            .verdict
    };
    assert_eq!(verdict_at(-24.0, -61.0), Verdict::Recognised);
    assert_eq!(verdict_at(-9.0, -61.0), Verdict::Silent);
    assert_eq!(verdict_at(-24.0, -66.0), Verdict::Silent, "below the floor nothing is music");
    assert_eq!(verdict_at(0.0, -51.0), Verdict::Recognised, "above the ceiling everything is sound");
}

#[test]
fn a_level_that_hovers_on_the_gate_does_not_flutter() {
    let mut decision = Decision::new();
    feed(&mut decision, leaning(Rock, 0.9), -9.0, 10 * SECOND, &Controls::default());
    feed(&mut decision, leaning(Rock, 0.9), -70.0, SECOND, &Controls::default());
    let hover: Vec<Outcome> = (0..20 * SECOND)
        .map(|i| {
            decision.update(
                &leaning(Rock, 0.9),
                if i % 40 < 20 { -54.0 } else { -56.0 },
                &Controls::default(),
            )
        })
        .collect();
    assert!(hover.iter().all(|o| o.verdict == Verdict::Silent));
}

#[test]
fn garbage_is_ignored() {
    let mut decision = sure_of(Electronic);
    let before = decision.update(&leaning(Electronic, 0.95), LOUD, &Controls::default());
    let nan = f32::NAN;
    for p in [[nan; 5], [f32::INFINITY, 0.0, 0.0, 0.0, 0.0], [-1.0, 2.0, 0.0, 0.0, 0.0], [0.0; 5], [1.0; 5]] {
        for outcome in feed(&mut decision, Posterior(p), LOUD, SECOND, &Controls::default()) {
            assert_eq!(outcome, before);
        }
    }
    for level in [nan, f32::INFINITY] {
        for outcome in feed(&mut decision, leaning(Electronic, 0.95), level, SECOND, &Controls::default()) {
            assert_eq!((outcome.genre, outcome.verdict), (Some(Electronic), Verdict::Recognised));
        }
    }
    // It recovers: the infinite level did not lift the silence gate for good.
    let soft = feed(&mut decision, leaning(Rock, 0.95), -50.0, 2 * SECOND, &Controls::default());
    assert_eq!(soft.last().unwrap().genre, Some(Rock));
    let odd = Controls { threshold: nan, ..Controls::default() };
    assert_eq!(feed(&mut decision, leaning(Rock, 0.95), LOUD, 1, &odd)[0].verdict, Verdict::Uncertain);
}

#[test]
fn freeze_holds_what_is_on_show_and_letting_go_shows_the_present() {
    let mut decision = sure_of(Rock);
    let controls = Controls { mode: Mode::Hold, ..Controls::default() };
    let frozen = feed(&mut decision, leaning(Speech, 0.95), LOUD, 10 * SECOND, &controls);
    assert!(
        frozen.iter().all(|o| (o.genre, o.verdict, o.weights(0.7)) == (Some(Rock), Verdict::Frozen, None))
    );
    let last = frozen.last().unwrap();
    assert_eq!(last.posterior.top().0, Speech, "what is heard is still shown");
    assert_eq!(last.confidence, last.posterior.of(Rock));
    let after = decision.update(&leaning(Speech, 0.95), LOUD, &Controls::default());
    assert_eq!((after.genre, after.verdict), (Some(Speech), Verdict::Recognised));
}

#[test]
fn a_genre_set_by_hand_wins_over_all_and_the_hearing_goes_on() {
    let mut decision = Decision::new();
    let controls = Controls { manual: Some(Jazz), mode: Mode::Hold, ..Controls::default() };
    let outcome = *feed(&mut decision, leaning(Rock, 0.9), LOUD, 2 * SECOND, &controls).last().unwrap();
    assert_eq!((outcome.genre, outcome.verdict), (Some(Jazz), Verdict::Manual));
    assert_eq!(outcome.weights(0.7), Some(Posterior::certain(Jazz).0));
    assert!((outcome.confidence - 0.025).abs() < 1e-3 && outcome.posterior.top().0 == Rock);
    let after = decision.update(&leaning(Rock, 0.9), LOUD, &Controls::default());
    assert_eq!((after.genre, after.verdict), (Some(Rock), Verdict::Recognised));
}

#[test]
fn after_a_reset_it_has_heard_nothing() {
    let mut decision = sure_of(Rock);
    decision.reset();
    let outcome = decision.update(&leaning(Rock, 0.9), LOUD, &Controls::default());
    assert_eq!((outcome.genre, outcome.verdict), (None, Verdict::Listening));
}
