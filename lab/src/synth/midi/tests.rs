use super::*;
use crate::synth::dice::Dice;
use crate::synth::studio::Studio;

/// A MIDI file of one track with 96 ticks a quarter; events as (delta ticks, bytes).
fn file(events: &[(u8, &[u8])]) -> Vec<u8> {
    let mut track = Vec::new();
    for (delta, bytes) in events {
        track.push(*delta);
        track.extend(*bytes);
    }
    track.extend([0, 0xFF, 0x2F, 0]);
    let mut bytes = b"MThd\0\0\0\x06\0\0\0\x01\0\x60MTrk".to_vec();
    bytes.extend((track.len() as u32).to_be_bytes());
    bytes.extend(track);
    bytes
}

/// A song of these players with so many notes each, one every quarter second.
fn song(players: &[(Player, usize)]) -> Song {
    let parts: Vec<Part> = players
        .iter()
        .map(|&(player, count)| {
            let mut part = Part::new(player);
            (0..count).for_each(|i| part.note(0.25 * i as f32, 0.2, 50 + i as i32 % 12, 0.8));
            part
        })
        .collect();
    let seconds = parts.iter().flat_map(|p| &p.strikes).map(|s| s.at + s.seconds).fold(0.0, f32::max);
    Song { parts, seconds }
}

#[test]
fn notes_tempo_programs_and_the_wheel_are_read() {
    let song = Song::read(&file(&[
        (0, &[0xC0, 30]),
        (0, &[0xB0, 101, 0]),
        (0, &[0xB0, 100, 0]),
        (0, &[0xB0, 6, 12]),
        (0, &[0x90, 40, 127]),
        (48, &[0xE0, 0, 96]),
        (48, &[0x80, 40, 0]),
        // From here a quarter is a second.
        (0, &[0xFF, 0x51, 3, 0x0F, 0x42, 0x40]),
        (0, &[0x99, 38, 64]),
        (96, &[0x99, 38, 0]),
        (0, &[0xC0, 0]),
        (0, &[0x90, 60, 100]),
        (96, &[0x90, 60, 0]),
    ]))
    .unwrap();
    let players: Vec<Player> = song.parts.iter().map(|part| part.player).collect();
    assert_eq!(players, [Player::Program(30), Player::Kit(0), Player::Program(0)]);
    let near = |a: f32, b: f32| assert!((a - b).abs() < 1e-5, "{a} {b}");
    let first = song.parts[0].strikes[0];
    near(first.at, 0.0);
    near(first.seconds, 0.5);
    near(first.force, 1.0);
    let bent = song.parts[0].gestures.iter().find(|(at, _)| *at > 0.1).unwrap();
    near(bent.0, 0.25);
    assert_eq!(bent.1, Gesture::Bend(6.0));
    near(song.parts[1].strikes[0].at, 0.5);
    near(song.parts[2].strikes[0].at, 1.5);
    near(song.seconds, 2.5);
}

#[test]
fn broken_and_empty_files_are_refused() {
    assert!(Song::read(b"MThd").is_err());
    assert!(Song::read(b"").is_err());
    let empty = format!("{:#}", Song::read(&file(&[(0, &[0xC0, 1])])).unwrap_err());
    assert!(empty.contains("no note"), "{empty}");
}

#[test]
fn the_genre_is_told_by_who_plays_or_not_at_all() {
    let guess = |players: &[(Player, usize)]| song(players).guess();
    let (drums, guitar, piano) = (Player::Kit(0), Player::Program(30), Player::Program(0));
    assert_eq!(guess(&[(guitar, 50), (drums, 40), (Player::Program(33), 40)]), Some(Genre::Rock));
    assert_eq!(guess(&[(guitar, 15), (drums, 60), (piano, 60)]), None);
    assert_eq!(guess(&[(Player::Program(48), 60), (Player::Program(60), 30)]), Some(Genre::Classical));
    assert_eq!(guess(&[(piano, 200)]), None, "a piano may play anything");
    assert_eq!(guess(&[(Player::Program(81), 80), (drums, 40)]), Some(Genre::Electronic));
    assert_eq!(guess(&[(guitar, 5), (drums, 5)]), None, "too little to tell");
}

#[test]
fn passages_are_cut_moved_and_sped_up() {
    let mut whole = song(&[(Player::Program(30), 200), (Player::Kit(0), 100)]);
    let range = whole.passage(10.0, 0.0);
    assert!((range.end - range.start - 10.0).abs() < 1e-4 && range.end <= whole.seconds);
    // Drums play in the first half only: the passage is where both play.
    assert!(range.end < 27.0, "{range:?}");
    let cut = whole.cut(5.0..10.0);
    assert_eq!(cut.parts[0].strikes.len(), 20);
    assert!(cut.parts.iter().flat_map(|p| &p.strikes).all(|s| s.at >= 0.0 && s.at + s.seconds <= 5.001));
    let (guitar, drum) = (whole.parts[0].strikes[4], whole.parts[1].strikes[4]);
    whole.vary(-3, 2.0);
    assert_eq!(whole.parts[0].strikes[4].key, guitar.key - 3);
    assert_eq!(whole.parts[1].strikes[4].key, drum.key);
    assert!((whole.parts[0].strikes[4].at - 0.5 * guitar.at).abs() < 1e-6);
}

#[test]
fn recordings_are_the_same_for_the_same_dice_and_rock_guitars_are_amplified() {
    let song = song(&[(Player::Program(30), 12), (Player::Kit(0), 12), (Player::Program(33), 12)]);
    let play =
        |genre, seed| arrange::record(&song, genre, &Studio::PROCEDURAL, 22_050.0, &mut Dice::new(seed));
    let rock = play(Some(Genre::Rock), 1);
    assert_eq!(rock, play(Some(Genre::Rock), 1));
    assert_ne!(rock, play(Some(Genre::Rock), 2));
    assert_ne!(rock, play(None, 1));
    assert!(rock.channels.iter().flatten().all(|x| x.is_finite() && x.abs() < 0.98));
}
