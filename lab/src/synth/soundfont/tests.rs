use super::*;
use crate::synth::dsp::rms;

/// A chunk of a RIFF file.
fn chunk(id: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = id.as_bytes().to_vec();
    bytes.extend((body.len() as u32).to_le_bytes());
    bytes.extend(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
    bytes
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.resize(20, 0);
    bytes
}

fn words(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// A SoundFont with one instrument: a looped sine at A 440 Hz, as program 0.
fn sine_font() -> Vec<u8> {
    const PERIOD: usize = 100;
    let length = 40 * PERIOD;
    let sample: Vec<u8> = (0..length + 46)
        .flat_map(|n| {
            let angle = std::f32::consts::TAU * n as f32 / PERIOD as f32;
            ((if n < length { 0.5 * angle.sin() } else { 0.0 } * 32767.0) as i16).to_le_bytes()
        })
        .collect();
    let info = [
        b"INFO".to_vec(),
        chunk("ifil", &words(&[2, 1])),
        chunk("isng", b"EMU8000\0"),
        chunk("INAM", b"sine\0\0"),
    ]
    .concat();
    let samples = [b"sdta".to_vec(), chunk("smpl", &sample)].concat();
    let preset =
        |text: &str, program: u16, bag: u16| [name(text), words(&[program, 0, bag]), vec![0; 12]].concat();
    let instrument = |text: &str, bag: u16| [name(text), words(&[bag])].concat();
    let header = |text: &str, end: u32, rate: u32| {
        let mut bytes = name(text);
        let period = PERIOD as u32;
        for value in [0, end, 10 * period, 30 * period, rate] {
            bytes.extend(if end == 0 { 0_u32 } else { value }.to_le_bytes());
        }
        bytes.extend([69, 0]);
        bytes.extend(words(&[0, 1]));
        bytes
    };
    // Generators: 41 instrument, 54 sample modes (1: loop), 53 sample.
    let presets = [
        b"pdta".to_vec(),
        chunk("phdr", &[preset("sine", 0, 0), preset("EOP", 0, 1)].concat()),
        chunk("pbag", &words(&[0, 0, 1, 0])),
        chunk("pmod", &[0; 10]),
        chunk("pgen", &words(&[41, 0, 0, 0])),
        chunk("inst", &[instrument("sine", 0), instrument("EOI", 1)].concat()),
        chunk("ibag", &words(&[0, 0, 2, 0])),
        chunk("imod", &[0; 10]),
        chunk("igen", &words(&[54, 1, 53, 0, 0, 0])),
        chunk("shdr", &[header("sine", length as u32, 44_000), header("EOS", 0, 0)].concat()),
    ]
    .concat();
    let body =
        [b"sfbk".to_vec(), chunk("LIST", &info), chunk("LIST", &samples), chunk("LIST", &presets)].concat();
    chunk("RIFF", &body)
}

fn font() -> Font {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sine.sf2");
    std::fs::write(&path, sine_font()).unwrap();
    Font::open(&path).unwrap()
}

/// Frequency of a sound by its upward zero crossings.
fn pitch(sound: &[f32], rate: f32) -> f32 {
    let rises = sound.windows(2).filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0).count();
    rises as f32 * rate / sound.len() as f32
}

#[test]
fn notes_sound_at_their_time_and_pitch_and_the_wheel_bends_them() {
    let font = font();
    assert!(font.has(Player::Program(0)) && !font.has(Player::Program(1)) && !font.has(Player::Kit(0)));
    assert!(!font.is_general());
    let mut part = Part::new(Player::Program(0));
    part.note(0.5, 2.0, 69, 0.8);
    part.gesture(1.5, Gesture::Bend(12.0));
    // 8 kHz is below what the player itself can do.
    for rate in [44_100.0, 8_000.0] {
        let bus = font.play(&part, rate, 3.0);
        let second = |from: f32, to: f32| &bus.sides[0][samples(from, rate)..samples(to, rate)];
        assert!(rms(second(0.0, 0.45)) < 1e-6, "something sounds before the note");
        assert!(rms(second(0.6, 1.4)) > 1e-3);
        assert!((pitch(second(0.6, 1.4), rate) - 440.0).abs() < 4.0, "{}", pitch(second(0.6, 1.4), rate));
        assert!((pitch(second(1.6, 2.4), rate) - 880.0).abs() < 6.0, "{}", pitch(second(1.6, 2.4), rate));
        assert!(rms(second(2.8, 3.0)) < 0.1 * rms(second(0.6, 1.4)), "the note does not end");
    }
    assert_eq!(font.play(&part, 44_100.0, 3.0).sides, font.play(&part, 44_100.0, 3.0).sides);
}

#[test]
fn what_is_no_soundfont_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.sf2");
    let whole = sine_font();
    for bytes in [&b"RIFF"[..], b"not a soundfont at all", &whole[..whole.len() - 60], &whole[..200]] {
        std::fs::write(&path, bytes).unwrap();
        let error = format!("{:#}", Font::open(&path).err().expect("a broken file was accepted"));
        assert!(error.contains("broken.sf2") && error.contains("SoundFont 2"), "{error}");
    }
    let error = format!("{:#}", choose(&[folder.path().join("none.sf2")]).err().unwrap());
    assert!(error.contains("none.sf2: cannot be opened"), "{error}");
}

#[test]
fn an_installed_soundfont_plays_every_genre_to_the_bit() {
    use crate::synth::{compose, studio::Studio};
    let Some(font) = installed().iter().filter_map(|path| Font::open(path).ok()).find(Font::is_general)
    else {
        println!(
            "SKIPPED: an_installed_soundfont_plays_every_genre_to_the_bit: no General MIDI SoundFont is installed"
        );
        return;
    };
    let studio = Studio { font: Some(font), ..Studio::default() };
    for genre in [idiom_engine::Genre::Rock, idiom_engine::Genre::Jazz] {
        let piece = compose(genre, &studio, 4, 2.0, 22_050);
        assert_eq!(piece, compose(genre, &studio, 4, 2.0, 22_050), "{genre:?}");
        assert_ne!(piece.audio, compose(genre, &Studio::PROCEDURAL, 4, 2.0, 22_050).audio, "{genre:?}");
        assert!(piece.audio.channels.iter().flatten().all(|x| x.is_finite() && x.abs() < 0.98));
    }
}
