//! Units of parameters: how a number is written, and what a person may type for it.

/// The unit of a continuous parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// A number of percent.
    Percent,
    /// A share, `0..=1` or more, shown in percent.
    Share,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Hertz.
    Hertz,
    /// A gain in decibels, with its sign.
    Gain,
    /// A level or an amount of decibels.
    Decibels,
    /// LUFS.
    Loudness,
    /// A ratio to one.
    Ratio,
    /// A number without a unit.
    Plain,
}

impl Unit {
    /// Unit with the space before it, as hosts put it after the number.
    pub const fn suffix(self) -> &'static str {
        match self {
            Unit::Percent | Unit::Share => " %",
            Unit::Seconds => " s",
            Unit::Milliseconds => " ms",
            Unit::Hertz => " Hz",
            Unit::Gain | Unit::Decibels => " dB",
            Unit::Loudness => " LUFS",
            Unit::Ratio => " : 1",
            Unit::Plain => "",
        }
    }

    /// The number without its unit, in the precision a person works with.
    pub fn number(self, plain: f32) -> String {
        match self {
            Unit::Percent | Unit::Hertz => fixed(plain, 0),
            Unit::Share => fixed(100.0 * plain, 0),
            Unit::Seconds if plain < 0.995 => fixed(plain, 2),
            Unit::Milliseconds if plain < 0.995 => fixed(plain, 2),
            Unit::Milliseconds if plain >= 9.95 => fixed(plain, 0),
            Unit::Seconds | Unit::Milliseconds | Unit::Decibels | Unit::Loudness => fixed(plain, 1),
            Unit::Ratio | Unit::Plain => fixed(plain, 2),
            Unit::Gain => match fixed(plain, 1) {
                text if text.starts_with('-') || text == "0.0" => text,
                text => format!("+{text}"),
            },
        }
    }

    /// Number and unit.
    pub fn text(self, plain: f32) -> String {
        self.number(plain) + self.suffix()
    }

    /// The plain value a person typed: with or without the unit, with a decimal point or comma, seconds and
    /// milliseconds for each other, `1.2k` for Hz; `None` when it is not a number.
    pub fn parse(self, text: &str) -> Option<f32> {
        let text = text.trim().to_ascii_lowercase().replace(',', ".").replace('\u{2212}', "-");
        let others: &[(&str, f32)] = match self {
            Unit::Seconds => &[("ms", 1e-3)],
            Unit::Milliseconds => &[("ms", 1.0), ("s", 1e3)],
            Unit::Hertz => &[("khz", 1e3), ("k", 1e3)],
            Unit::Ratio => &[(":1", 1.0)],
            Unit::Share => &[("%", 0.01)],
            _ => &[],
        };
        let own = self.suffix().trim().to_ascii_lowercase();
        let (digits, factor) =
            others.iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor))).unwrap_or(
                (text.strip_suffix(&own).unwrap_or(&text), if self == Unit::Share { 0.01 } else { 1.0 }),
            );
        let value: f32 = digits.trim().parse().ok()?;
        value.is_finite().then_some(value * factor)
    }
}

/// A number with so many decimals, in which no rounded zero reads "-0".
fn fixed(value: f32, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(digits) if digits.chars().all(|c| c == '0' || c == '.') => digits.to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        for (unit, plain, text) in [
            (Unit::Gain, -0.01, "0.0 dB"),
            (Unit::Gain, 1.25, "+1.2 dB"),
            (Unit::Decibels, -18.0, "-18.0 dB"),
            (Unit::Share, 0.355, "36 %"),
            (Unit::Percent, 40.4, "40 %"),
            (Unit::Seconds, 0.25, "0.25 s"),
            (Unit::Milliseconds, 0.1, "0.10 ms"),
            (Unit::Milliseconds, 5.0, "5.0 ms"),
            (Unit::Milliseconds, 150.0, "150 ms"),
            (Unit::Hertz, 3_500.0, "3500 Hz"),
            (Unit::Ratio, 2.5, "2.50 : 1"),
            (Unit::Loudness, -16.0, "-16.0 LUFS"),
            (Unit::Plain, 0.8, "0.80"),
        ] {
            assert_eq!(unit.text(plain), text);
        }
    }

    #[test]
    fn people_may_type_as_they_like() {
        for (unit, text, plain) in [
            (Unit::Percent, " 40", 40.0),
            (Unit::Percent, "40%", 40.0),
            (Unit::Gain, "-3,5 dB", -3.5),
            (Unit::Gain, "\u{2212}6 db", -6.0),
            (Unit::Gain, "+2", 2.0),
            (Unit::Seconds, "250 ms", 0.25),
            (Unit::Seconds, "1.5s", 1.5),
            (Unit::Milliseconds, "0.2 s", 200.0),
            (Unit::Milliseconds, "20", 20.0),
            (Unit::Hertz, "1.2k", 1_200.0),
            (Unit::Hertz, "1.2 kHz", 1_200.0),
            (Unit::Hertz, "80 Hz", 80.0),
            (Unit::Ratio, "4:1", 4.0),
            (Unit::Ratio, "1.5 : 1", 1.5),
            (Unit::Share, "50 %", 0.5),
            (Unit::Share, "50", 0.5),
            (Unit::Loudness, "-14 LUFS", -14.0),
        ] {
            let read = unit.parse(text).unwrap_or_else(|| panic!("{unit:?} cannot read {text:?}"));
            assert!((read - plain).abs() <= 1e-5 * plain.abs(), "{text:?} is read as {read}");
        }
        for nonsense in ["", "loud", "nan", "inf", "1e99", "%"] {
            assert_eq!(Unit::Percent.parse(nonsense), None, "{nonsense:?}");
        }
    }
}
