//! What was measured, as a person reads it on a terminal.

use super::{Evaluation, Mistake, NothingReport, Report};
use std::fmt;

fn percent(share: Option<f64>) -> String {
    share.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

impl fmt::Display for Report {
    /// Confusion matrix, numbers of each class, and the numbers of the whole set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.classes.iter().map(|class| class.chars().count()).max().unwrap_or(0).max(6);
        write!(f, "{:>width$} ", "true")?;
        for class in &self.classes {
            write!(f, " {class:>width$}")?;
        }
        writeln!(f, " | {:>7} {:>9}", "recall", "precision")?;
        for (row, class) in self.confusion.iter().zip(&self.per_class) {
            write!(f, "{:>width$} ", class.class)?;
            for count in row {
                write!(f, " {:>width$}", if *count == 0 { ".".to_owned() } else { count.to_string() })?;
            }
            writeln!(f, " | {:>7} {:>9}", percent(class.recall), percent(class.precision))?;
        }
        writeln!(f)?;
        let line = |f: &mut fmt::Formatter<'_>, what: &str, share: Option<f64>, note: String| {
            let end = if note.is_empty() { String::new() } else { format!("  ({note})") };
            writeln!(f, "{what:<34} {:>7}{end}", percent(share))
        };
        let clips = Some(self.balanced_accuracy_clip);
        line(f, "balanced accuracy, clips", clips, format!("{} clips", self.clips))?;
        if self.balanced_accuracy_3s.is_some() {
            let note = format!("{} excerpts", self.excerpts);
            line(f, "balanced accuracy, 3 s", self.balanced_accuracy_3s, note)?;
        }
        if self.speech_against_rest_3s.is_some() {
            line(f, "speech against the rest, 3 s", self.speech_against_rest_3s, String::new())?;
        }
        line(f, "macro F1, clips", Some(self.macro_f1), String::new())?;
        line(f, "expected calibration error, clips", Some(self.expected_calibration_error), String::new())?;
        if self.expected_calibration_error_3s.is_some() {
            line(f, "expected calibration error, 3 s", self.expected_calibration_error_3s, String::new())?;
        }
        Ok(())
    }
}

impl fmt::Display for Evaluation {
    /// The report, then listening time, decisions, sounds of nothing and robustness, as far as they were measured.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {}\n\n{}", self.model, self.data, self.report)?;
        write_mistakes(f, &self.mistakes)?;
        writeln!(f, "Balanced accuracy after listening for")?;
        for point in &self.listening {
            let (time, right) = (format!("{} s", point.seconds), percent(point.balanced_accuracy));
            writeln!(f, "  {time:>6} {right:>8}  ({} excerpts)", point.excerpts)?;
        }
        if let Some(steady) = &self.steady {
            writeln!(f, "\nDecisions while a clip plays ({:.1} minutes)", steady.minutes)?;
            writeln!(f, "  wrong switches a minute        {:>6.2}", steady.wrong_switches_per_minute)?;
            writeln!(f, "  first genre named is right     {:>8}", percent(steady.first_decision_right))?;
            writeln!(f, "  first correct, after silence   {:>8}", time(steady.first_correct_s))?;
            for (what, share) in
                [("right", steady.right), ("wrong", steady.wrong), ("uncertain", steady.uncertain)]
            {
                writeln!(f, "  time {what:<9}                 {:>8}", percent(Some(share)))?;
            }
        }
        if let Some(starts) = &self.starts {
            writeln!(f, "\nAfter a cut from another genre ({} cuts)", starts.starts)?;
            writeln!(f, "  first correct (median)         {:>8}", time(starts.first_correct_s))?;
            writeln!(f, "  within 1.5 s                   {:>8}", percent(Some(starts.within_1_5_s)))?;
            writeln!(f, "  not within 10 s                {:>8}", percent(Some(starts.never)))?;
        }
        let nothing = [("Generated sounds", &self.nothing), ("The folder's sounds", &self.nothing_folder)];
        for (what, report) in nothing {
            if let Some(report) = report {
                write_nothing(f, what, report)?;
            }
        }
        if !self.robustness.is_empty() {
            writeln!(f, "\nNamed as the original is, when played with")?;
            for one in &self.robustness {
                write!(f, "  {:<28} {:>8}", one.change, percent(one.agree))?;
                match &one.remark {
                    Some(remark) => writeln!(f, "  ({remark})")?,
                    None => writeln!(f)?,
                }
            }
        }
        if !self.left_out.is_empty() || !self.damaged.is_empty() {
            let (left_out, damaged) = (self.left_out.len(), self.damaged.len());
            writeln!(f, "\n{left_out} files were left out, {damaged} are damaged and were judged in part.")?;
        }
        Ok(())
    }
}

/// How many mistakes are listed; all of them are in the JSON.
const LISTED: usize = 15;

fn write_mistakes(f: &mut fmt::Formatter<'_>, mistakes: &[Mistake]) -> fmt::Result {
    if mistakes.is_empty() {
        return Ok(());
    }
    writeln!(f, "Named wrong, the surest first")?;
    for one in mistakes.iter().take(LISTED) {
        let named = format!("{} {:.0} %", one.named, 100.0 * one.probability);
        writeln!(f, "  {named:<18} instead of {:<11} {}", one.class, one.file.display())?;
    }
    match mistakes.len().saturating_sub(LISTED) {
        0 => writeln!(f),
        more => writeln!(f, "  and {more} more (--json lists all)\n"),
    }
}

fn time(seconds: Option<f64>) -> String {
    seconds.map_or("never".to_owned(), |seconds| format!("{seconds:.2} s"))
}

fn write_nothing(f: &mut fmt::Formatter<'_>, what: &str, report: &NothingReport) -> fmt::Result {
    let (claimed, seconds) = (percent(Some(report.claimed)), report.seconds);
    writeln!(f, "\n{what} of nothing: a genre is claimed in {claimed} of {seconds:.0} s")?;
    for kind in report.kinds.iter().filter(|kind| kind.claimed > 0.0) {
        writeln!(f, "  {:<28} {:>8}", kind.kind, percent(Some(kind.claimed)))?;
    }
    Ok(())
}
