//! A report as a person reads it on a terminal.

use super::Report;
use std::fmt;

impl fmt::Display for Report {
    /// Confusion matrix, numbers of each class, and the numbers of the whole set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).max(6);
        write!(f, "{:>width$} ", "true")?;
        for class in &self.classes {
            write!(f, " {class:>width$}")?;
        }
        writeln!(f, " | {:>6} {:>9}", "recall", "precision")?;
        let percent =
            |share: Option<f64>| share.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share));
        for (row, class) in self.confusion.iter().zip(&self.per_class) {
            write!(f, "{:>width$} ", class.class)?;
            for count in row {
                write!(f, " {:>width$}", if *count == 0 { ".".to_owned() } else { count.to_string() })?;
            }
            writeln!(f, " | {:>6} {:>9}", percent(class.recall), percent(class.precision))?;
        }
        writeln!(f)?;
        let all = Some(self.balanced_accuracy_clip);
        writeln!(f, "balanced accuracy, clips    {:>7}  ({} clips)", percent(all), self.clips)?;
        if self.balanced_accuracy_3s.is_some() {
            let short = percent(self.balanced_accuracy_3s);
            writeln!(f, "balanced accuracy, 3 s      {short:>7}  ({} excerpts)", self.excerpts)?;
        }
        writeln!(f, "macro F1                    {:>7}", percent(Some(self.macro_f1)))?;
        write!(f, "expected calibration error  {:>7}", percent(Some(self.expected_calibration_error)))
    }
}
