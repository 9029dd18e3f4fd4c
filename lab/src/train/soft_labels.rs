//! A teacher's table: what a large network says about each second of each sound.
//!
//! A CSV file with a header and the columns `file` (absolute path), `start_s`, `end_s`, `fold` and, for each class,
//! `p_CLASS`. Rows with an empty `fold` are for training on everything. Rows with a number are for that round of
//! cross-validation: the teacher that wrote them has not seen the labels of the clips that are tested there.
//!
//! Columns `h_NAME`, filled in the rows with an empty `fold`, are hints: what the teacher hears besides our classes, as
//! numbers of mean 0 and variance 1. The network learns to guess them too (Romero et al., "FitNets: Hints for Thin Deep
//! Nets", 2015); no label is in them, so they hold in every round.
//! `lab/teachers/README.md` says how such tables are made.

use super::sounds::{Library, canonical};
use anyhow::{Context, Result, ensure};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Rows of one sound: the middle of the stretch in seconds, and a distribution over the classes.
type Rows = Vec<(f32, Vec<f32>)>;

/// The table; see the [module](self).
#[derive(Clone, Debug, Default)]
pub struct SoftLabels {
    rows: HashMap<Option<usize>, HashMap<PathBuf, Rows>>,
    hints: HashMap<PathBuf, Rows>,
    hint_count: usize,
}

impl SoftLabels {
    /// Reads a table for these classes.
    pub fn read(path: &Path, classes: &[String]) -> Result<SoftLabels> {
        let name = path.display();
        let mut reader = csv::Reader::from_path(path).with_context(|| format!("{name}: cannot be read"))?;
        let header = reader.headers().with_context(|| format!("{name}, line 1: no header"))?.clone();
        let column = |wanted: &str| {
            header
                .iter()
                .position(|h| h == wanted)
                .with_context(|| format!("{name}, line 1: no column `{wanted}`"))
        };
        let (file, start, end, fold) =
            (column("file")?, column("start_s")?, column("end_s")?, column("fold")?);
        let probabilities =
            classes.iter().map(|class| column(&format!("p_{class}"))).collect::<Result<Vec<_>>>()?;
        let hint_columns: Vec<usize> =
            header.iter().enumerate().filter(|(_, name)| name.starts_with("h_")).map(|(i, _)| i).collect();
        let mut hints: HashMap<PathBuf, Rows> = HashMap::new();
        let mut rows: HashMap<Option<usize>, HashMap<PathBuf, Rows>> = HashMap::new();
        let mut paths: HashMap<String, PathBuf> = HashMap::new();
        for record in reader.records() {
            let record = record.with_context(|| format!("{name}: a line cannot be read"))?;
            let line = record.position().map_or(0, csv::Position::line);
            let number = |column: usize| -> Result<f32> {
                let text = record.get(column).unwrap_or("").trim();
                let number: Option<f32> = text.parse().ok().filter(|x: &f32| x.is_finite());
                number.with_context(|| format!("{name}, line {line}: `{text}` is no number"))
            };
            let fold = match record.get(fold).unwrap_or("") {
                "" => None,
                text => Some(
                    text.parse()
                        .with_context(|| format!("{name}, line {line}: fold `{text}` is no number"))?,
                ),
            };
            let mut p = probabilities.iter().map(|&c| number(c)).collect::<Result<Vec<f32>>>()?;
            let sum: f32 = p.iter().sum();
            ensure!(
                p.iter().all(|&p| p >= 0.0) && (sum - 1.0).abs() < 0.02,
                "{name}, line {line}: the probabilities add up to {sum}, not to 1"
            );
            p.iter_mut().for_each(|p| *p /= sum);
            let text = record.get(file).unwrap_or("");
            let path = paths.entry(text.to_owned()).or_insert_with(|| canonical(Path::new(text)));
            let middle = 0.5 * (number(start)? + number(end)?);
            if fold.is_none() && !hint_columns.is_empty() {
                let row = hint_columns.iter().map(|&c| number(c)).collect::<Result<Vec<f32>>>()?;
                hints.entry(path.clone()).or_default().push((middle, row));
            }
            rows.entry(fold).or_default().entry(path.clone()).or_default().push((middle, p));
        }
        ensure!(!rows.is_empty(), "{name}: holds no row");
        Ok(SoftLabels { rows, hints, hint_count: hint_columns.len() })
    }

    /// All sounds that the table names, sorted.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let mut files: Vec<&Path> =
            self.rows.values().flat_map(|sounds| sounds.keys()).map(PathBuf::as_path).collect();
        files.sort();
        files.dedup();
        files.into_iter()
    }

    /// Whether there are rows for this round of cross-validation (`None`: for training on everything).
    pub fn covers(&self, fold: Option<usize>) -> bool {
        self.rows.contains_key(&fold)
    }

    /// How many hints a row has.
    pub fn hint_count(&self) -> usize {
        self.hint_count
    }

    /// Gives each sound of the library what the table says about it in this round.
    pub fn apply(&self, fold: Option<usize>, library: &mut Library) {
        let empty = HashMap::new();
        let sounds = self.rows.get(&fold).unwrap_or(&empty);
        for sound in library.labelled.iter_mut().chain(&mut library.unlabelled) {
            let path = canonical(&sound.path);
            sound.soft = sounds.get(&path).map(per_second).unwrap_or_default();
            sound.hints = self.hints.get(&path).map(per_second).unwrap_or_default();
        }
    }
}

/// One row a second: that whose middle is nearest.
fn per_second(rows: &Rows) -> Vec<Vec<f32>> {
    let seconds = rows.iter().map(|row| row.0).fold(0.0, f32::max) as usize + 1;
    let nearest = |second: usize| {
        let middle = second as f32 + 0.5;
        let distance = |row: &(f32, Vec<f32>)| (row.0 - middle).abs();
        rows.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).map(|row| row.1.clone())
    };
    (0..seconds).filter_map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::sounds::Sound;

    #[test]
    fn rows_reach_the_sounds_of_their_fold_and_nonsense_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let sound = folder.path().join("a.wav");
        std::fs::write(&sound, "").unwrap();
        let table = folder.path().join("table.csv");
        let header = "file,start_s,end_s,fold,p_b,p_a,h_0\n";
        let path = sound.display();
        std::fs::write(
            &table,
            format!("{header}{path},0,1,,0.9,0.1,1.5\n{path},1,2,,0.2,0.8,-1\n{path},0,2,1,0.5,0.5,\n"),
        )
        .unwrap();
        let classes = ["a".to_owned(), "b".to_owned()];
        let labels = SoftLabels::read(&table, &classes).unwrap();
        assert_eq!(labels.files().collect::<Vec<_>>(), [canonical(&sound)]);
        assert!(labels.covers(None) && labels.covers(Some(1)) && !labels.covers(Some(0)));
        let unlabelled = vec![Sound { path: sound.clone(), ..Sound::default() }];
        let mut library = Library { unlabelled, ..Library::default() };
        labels.apply(None, &mut library);
        assert_eq!(library.unlabelled[0].soft, [[0.1, 0.9], [0.8, 0.2]]);
        assert_eq!(
            (labels.hint_count(), library.unlabelled[0].hints_between(0.0, 60.0)),
            (1, Some(vec![0.25]))
        );
        let mean = library.unlabelled[0].soft_between(0.0, 60.0).unwrap();
        assert!((mean[0] - 0.45).abs() < 1e-6 && (mean[1] - 0.55).abs() < 1e-6, "{mean:?}");
        labels.apply(Some(1), &mut library);
        assert_eq!(library.unlabelled[0].soft_between(20.0, 30.0), Some(vec![0.5, 0.5]));
        assert_eq!(library.unlabelled[0].hints, [[1.5], [-1.0]], "hints hold in every round");
        labels.apply(Some(0), &mut library);
        assert_eq!(library.unlabelled[0].soft_between(20.0, 30.0), None);

        std::fs::write(&table, format!("{header}{path},0,1,,0.9,0.4,0\n")).unwrap();
        let message = format!("{:#}", SoftLabels::read(&table, &classes).unwrap_err());
        assert!(message.contains("line 2") && message.contains("1.3"), "{message}");
    }
}
