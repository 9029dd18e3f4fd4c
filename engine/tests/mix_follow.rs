//! What the mix follows: learning, holding, doubt, and calm when the genre keeps changing.

mod mix_support;
use idiom_engine::rt::decision::Outcome;
use idiom_engine::rt::mix::follow::{Follow, LEARN_S};
use idiom_engine::{Controls, Genre, Mode, Posterior, Uncertain, Verdict};
use mix_support::surely;

const FRAMES_PER_S: usize = 50;

#[test]
fn learning_settles_on_the_mean_of_what_it_heard_and_stays() {
    let controls = Controls { mode: Mode::Learn, ..Controls::default() };
    let mut follow = Follow::new();
    let frames = (LEARN_S * FRAMES_PER_S as f32) as usize;
    for frame in 0..frames {
        // A quarter of the time it hears jazz; silence and the beginning do not count.
        follow.update(&Outcome::default(), &controls);
        follow.update(&Outcome { verdict: Verdict::Silent, ..surely(Genre::Speech) }, &controls);
        assert_eq!(follow.learnt(), frame as f32 / frames as f32);
        follow.update(&surely(if frame % 4 == 0 { Genre::Jazz } else { Genre::Rock }), &controls);
    }
    let learnt = *follow.weights();
    assert_eq!(follow.learnt(), 1.0);
    assert!((learnt[Genre::Jazz.index()] - 0.25).abs() < 0.01, "{learnt:?}");
    for _ in 0..1_000 {
        assert_eq!(follow.update(&surely(Genre::Speech), &controls), learnt);
    }
    assert_eq!(
        follow.update(&surely(Genre::Speech), &Controls::default()),
        Posterior::certain(Genre::Speech).0
    );
    assert_eq!(follow.learnt(), 0.0, "switched off and on, it learns again");
}

#[test]
fn in_doubt_the_mix_eases_or_keeps_as_the_user_says() {
    let doubt = Outcome {
        posterior: Posterior([0.3, 0.2, 0.2, 0.2, 0.1]),
        verdict: Verdict::Uncertain,
        confidence: 0.3,
        ..surely(Genre::Speech)
    };
    let mut follow = Follow::new();
    follow.update(&surely(Genre::Speech), &Controls::default());
    let eased = follow.update(&doubt, &Controls::default());
    assert!(eased.iter().sum::<f32>() < 0.5, "{eased:?}");
    let mut follow = Follow::new();
    let keep = Controls { uncertain: Uncertain::Keep, ..Controls::default() };
    let before = follow.update(&surely(Genre::Speech), &keep);
    assert_eq!(follow.update(&doubt, &keep), before);
}

#[test]
fn one_change_is_followed_at_once_and_a_restless_genre_calmly() {
    let controls = Controls::default();
    let mut follow = Follow::new();
    let mut hear = |genre, seconds: usize| {
        for _ in 0..seconds * FRAMES_PER_S {
            follow.update(&surely(genre), &controls);
        }
        follow.calm()
    };
    assert_eq!(hear(Genre::Rock, 60), 1.0);
    assert_eq!(hear(Genre::Jazz, 1), 1.0, "a single change");
    hear(Genre::Jazz, 60);
    let mut calm = 1.0;
    for _ in 0..10 {
        hear(Genre::Speech, 2);
        calm = hear(Genre::Rock, 2);
    }
    assert!(calm > 6.0, "{calm}");
    assert_eq!(hear(Genre::Rock, 60), 1.0, "and it forgets");
    // A genre set by hand is the user's own move.
    let mut follow = Follow::new();
    for round in 0..100 {
        follow.update(&Outcome { verdict: Verdict::Manual, ..surely(Genre::ALL[round % 5]) }, &controls);
    }
    assert_eq!(follow.calm(), 1.0);
}
