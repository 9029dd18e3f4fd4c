use super::*;

fn ramp(sample_rate: u32, channels: usize, len: usize) -> Audio {
    let channel = |c: usize| (0..len).map(|n| ((n * (c + 3)) % 997) as f32 / 997.0 * 1.8 - 0.9).collect();
    Audio::new(sample_rate, (0..channels).map(channel).collect())
}

#[test]
fn wav_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ramp.wav");
    for (rate, channels) in [(8_000, 1), (44_100, 2), (96_000, 6)] {
        let audio = ramp(rate, channels, 5_000);
        write_wav_as(&path, &audio, WavFormat::Float32).unwrap();
        assert_eq!(read(&path).unwrap(), audio, "{rate} Hz {channels} channels");
        write_wav(&path, &audio).unwrap();
        let back = read(&path).unwrap();
        assert_eq!((back.sample_rate, back.channels.len(), back.len()), (rate, channels, 5_000));
        for (a, b) in audio.channels.iter().flatten().zip(back.channels.iter().flatten()) {
            assert!((a - b).abs() <= 0.51 / 8_388_608.0, "{a} {b}");
        }
    }
}

#[test]
fn a_truncated_wav_gives_what_is_there_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.wav");
    write_wav(&path, &ramp(16_000, 1, 32_000)).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let audio = read(&path).unwrap();
    assert!((15_000..=16_100).contains(&audio.len()), "{}", audio.len());
    let damage = audio.damage.expect("the damage is reported");
    assert!(damage.contains("1.0") || damage.contains("middle"), "{damage}");
}

#[test]
fn errors_name_the_file_and_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.wav");
    let text = folder.path().join("text.mp3");
    let empty = folder.path().join("empty.flac");
    std::fs::write(&text, "no sound here, only words, and then some more words ".repeat(100)).unwrap();
    std::fs::write(&empty, "").unwrap();
    for path in [&missing, &text, &empty, &folder.path().to_path_buf()] {
        let error = read(path).expect_err("cannot be read").to_string();
        assert!(error.starts_with(path.to_str().unwrap()), "{error}");
        assert!(error.len() > path.to_str().unwrap().len() + 20, "{error}");
    }
    assert!(matches!(read(&missing), Err(AudioError::Open { .. })));
    assert!(matches!(read(&empty), Err(AudioError::Format { .. })));
}

#[test]
fn mono_is_the_mean_and_stereo_keeps_the_sides() {
    let audio = Audio::new(48_000, vec![vec![1.0, 0.0], vec![0.0, 0.5]]);
    assert_eq!(audio.mono(), vec![0.5, 0.25]);
    assert_eq!(audio.stereo(), [vec![1.0, 0.0], vec![0.0, 0.5]]);
    let surround = Audio::new(48_000, (0..6).map(|c| vec![if c == 0 { 1.0 } else { 0.0 }]).collect());
    let [left, right] = surround.stereo();
    assert!(left[0] > 0.2 && right[0] == 0.0);
    let loud = Audio::new(48_000, vec![vec![1.0]; 6]);
    assert!(loud.stereo().iter().flatten().all(|x| (x - 1.0).abs() < 1e-6));
}
