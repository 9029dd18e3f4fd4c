use super::names::artist_names;
use super::*;
use std::collections::{BTreeSet, HashSet};
use std::fs;

fn with_manifest(header: &str, rows: &[&str]) -> (tempfile::TempDir, Result<Dataset>) {
    let folder = tempfile::tempdir().unwrap();
    for row in rows {
        let file = folder.path().join(row.split(',').next().unwrap());
        if !row.starts_with("missing") {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "sound").unwrap();
        }
    }
    let text = format!("{header}\n{}\n", rows.join("\n"));
    fs::write(folder.path().join("MANIFEST.csv"), text).unwrap();
    let dataset = Dataset::open(folder.path());
    (folder, dataset)
}

#[test]
fn a_manifest_gives_labels_artists_and_weights() {
    let (folder, dataset) = with_manifest(
        "file,genre,title,artist,source_repo,licence,label_confidence",
        &["a/1.wav,Jazz,Blue,Trio (T.),here,CC0,low", "a/2.wav,jazz,Blue,Trio,here,CC0,0.9", "a/3.wav,,,,,,"],
    );
    let dataset = dataset.unwrap();
    assert_eq!(dataset.classes, ["speech", "rock", "jazz", "electronic", "classical"]);
    let [one, two, three] = dataset.clips.as_slice() else { panic!("three clips") };
    assert_eq!(one.path, folder.path().join("a/1.wav"));
    assert_eq!((one.label, two.label, three.label), (Some(2), Some(2), None));
    assert_eq!((one.weight, two.weight, three.weight), (0.5, 0.9, 1.0));
    assert_eq!((one.group == two.group, one.group == three.group), (true, false));
    assert_eq!((one.piece.as_str(), three.piece.as_str(), one.source.as_str()), ("Blue", "3", "here"));
    assert_eq!(dataset.counts(), [0, 0, 2, 0, 0]);
    assert_eq!((one.share, two.share, three.share), (1.0, 1.0, 1.0), "the artists are written differently");
}

#[test]
fn excerpts_of_one_piece_share_its_weight() {
    let (_folder, dataset) = with_manifest(
        "file,genre,title,artist",
        &["1.wav,rock,Song,Band", "2.wav,rock,Song,Band", "3.wav,rock,Other,Band"],
    );
    let shares: Vec<f32> = dataset.unwrap().clips.iter().map(|clip| clip.share).collect();
    assert_eq!(shares, [0.5, 0.5, 1.0]);
}

#[test]
fn errors_name_line_column_and_what_is_allowed() {
    let header = "file,genre,label_confidence";
    let cases: [(&str, &[&str], &[&str]); 5] = [
        (header, &["1.wav,jazz,high", "2.wav,polka,high"], &["line 3", "`genre`", "polka", "classical"]),
        (header, &["missing.wav,jazz,high"], &["line 2", "`file`", "missing.wav"]),
        (header, &["1.wav,jazz,perhaps"], &["line 2", "`label_confidence`", "perhaps", "medium"]),
        ("file,style", &["1.wav,jazz"], &["line 1", "`genre`", "style"]),
        (header, &[], &["holds no clip"]),
    ];
    for (header, rows, expected) in cases {
        let (_folder, dataset) = with_manifest(header, rows);
        let error = format!("{:#}", dataset.unwrap_err());
        for part in expected {
            assert!(error.contains(part), "`{part}` is not in: {error}");
        }
    }
    let error = format!("{:#}", Dataset::open("/nowhere/at/all").unwrap_err());
    assert!(error.contains("/nowhere/at/all"), "{error}");
}

#[test]
fn a_folder_data_set_groups_by_file_name() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["rock/band__1.wav", "rock/band__2.WAV", "rock/deep/show-1.ogg", "rock/show-2.ogg"];
    for file in
        files.iter().chain(&["jazz/jazz.0001.mp3", "jazz/jazz.0002.mp3", "jazz/notes.txt", "jazz/.x.wav"])
    {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "sound").unwrap();
    }
    let dataset = Dataset::open(folder.path()).unwrap();
    assert_eq!(dataset.classes.len(), 5);
    assert_eq!(dataset.counts(), [0, 4, 2, 0, 0]);
    let groups: HashSet<usize> = dataset.clips.iter().map(|clip| clip.group).collect();
    assert_eq!(groups.len(), 4, "band, show, and two clips that stand alone: {:?}", dataset.clips);

    fs::create_dir(folder.path().join("polka")).unwrap();
    assert_eq!(Dataset::open(folder.path()).unwrap().classes, ["jazz", "polka", "rock"]);
    let error = Dataset::open_as(folder.path(), &genre_names()).unwrap_err().to_string();
    assert!(error.contains("polka") && error.contains("electronic"), "{error}");
}

#[test]
fn names_of_one_artist_are_recognised() {
    assert_eq!(artist_names("Spring  Spring (Julie Damsgaard)"), ["spring spring", "julie damsgaard"]);
    assert_eq!(artist_names("J. S. Bach / Kimiko Ishizaka"), ["kimiko ishizaka"]);
    assert_eq!(artist_names("Band feat. Guest"), ["band", "guest"]);
    assert!(artist_names("  ").is_empty());
}

#[test]
fn no_artist_is_in_two_folds_and_classes_are_balanced() {
    let artists = [
        ("A", 7),
        ("B (b)", 5),
        ("b", 4),
        ("C", 3),
        ("D", 3),
        ("E", 2),
        ("F", 2),
        ("G", 1),
        ("H", 1),
        ("I", 1),
    ];
    let mut rows = Vec::new();
    for (name, count) in artists {
        for n in 0..count {
            for genre in ["rock", "jazz"] {
                rows.push(format!("{genre}-{}-{n}.wav,{genre},{name} {genre}", name.replace(' ', "")));
            }
        }
    }
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let (_folder, dataset) = with_manifest("file,genre,artist", &rows);
    let dataset = dataset.unwrap();
    let folds = dataset.folds(3, 7).unwrap();
    assert_eq!(folds, dataset.folds(3, 7).unwrap(), "the same seed gives the same folds");
    let mut tested = BTreeSet::new();
    for fold in &folds {
        let groups = |clips: &[usize]| clips.iter().map(|&i| dataset.clips[i].group).collect::<HashSet<_>>();
        assert!(groups(&fold.train).is_disjoint(&groups(&fold.test)));
        assert_eq!(fold.train.len() + fold.test.len(), dataset.clips.len());
        for label in [1, 2] {
            let count = fold.test.iter().filter(|&&i| dataset.clips[i].label == Some(label)).count();
            assert!((7..=13).contains(&count), "{count} of 29 clips of class {label} in one of three folds");
        }
        assert!(fold.test.iter().all(|&clip| tested.insert(clip)), "a clip is tested once");
    }
    assert_eq!(tested.len(), dataset.clips.len());
    let error = format!("{:#}", dataset.folds(100, 0).unwrap_err());
    assert!(error.contains("100 folds") && error.contains("groups"), "{error}");
}
