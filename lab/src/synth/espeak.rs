//! Speech with words, by the program espeak-ng where it is installed: made-up sentences in English and numbers in many
//! languages (every voice reads digits in its own), by many speakers.

use super::dice::Dice;
use crate::audio;
use std::process::{Command, Stdio};
use std::sync::Arc;

/// Voices that read English.
const ENGLISH: [&str; 6] = ["en-gb", "en-us", "en-gb-scotland", "en-gb-x-rp", "en-us", "en-029"];
/// Voices that read numbers in their own language.
const OTHERS: [&str; 16] =
    ["de", "fr", "es", "it", "pt", "nl", "sv", "pl", "ru", "tr", "hu", "fi", "ro", "id", "el", "cs"];
/// Who speaks: men and women.
const PEOPLE: [&str; 12] =
    ["+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m7", "+f1", "+f2", "+f3", "+f4", "+f5"];

const WHO: [&str; 14] = [
    "the old engineer",
    "my sister",
    "a visitor",
    "our neighbour",
    "the committee",
    "every student",
    "nobody",
    "the report",
    "this small town",
    "the captain",
    "she",
    "he",
    "the people in the room",
    "one of them",
];
const DOES: [&str; 14] = [
    "remembered",
    "described",
    "could not explain",
    "is looking for",
    "will never forget",
    "had already seen",
    "bought and sold",
    "promised us",
    "was reading about",
    "carefully measured",
    "asked about",
    "walked past",
    "has written",
    "quietly changed",
];
const WHAT: [&str; 14] = [
    "the long way home",
    "three different answers",
    "a letter from the coast",
    "the price of bread",
    "a machine that nobody needs",
    "how the weather turned",
    "the second half of the story",
    "an open window",
    "the history of the river",
    "what was said yesterday",
    "a very simple rule",
    "the last train",
    "thirty-seven pages",
    "the noise in the street",
];
const WHEN: [&str; 10] = [
    "",
    "",
    ", but not today",
    " before the winter",
    ", as far as I know",
    " in nineteen eighty-four",
    ", and then stopped",
    " for no reason at all",
    " when the others had gone",
    ", if you ask me",
];

/// The program, known to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Espeak {
    /// What it calls itself.
    pub name: Arc<str>,
}

/// One speaker's voice.
#[derive(Clone, Debug)]
pub struct Voice {
    name: String,
    english: bool,
    /// Pitch 0 to 99, words a minute, and how much the pitch moves (0 to 99).
    pitch: u32,
    speed: u32,
    range: u32,
}

impl Voice {
    /// Somebody.
    pub fn random(dice: &mut Dice) -> Voice {
        let english = dice.chance(0.6);
        let language = if english { dice.pick(&ENGLISH) } else { dice.pick(&OTHERS) };
        Voice {
            name: format!("{language}{}", dice.pick(&PEOPLE)),
            english,
            pitch: 25 + dice.below(50) as u32,
            speed: 125 + dice.below(75) as u32,
            range: 35 + dice.below(50) as u32,
        }
    }

    /// Something for it to say.
    pub fn sentence(&self, dice: &mut Dice) -> String {
        if self.english {
            let end = *dice.pick(&[".", ".", ".", "?", "!"]);
            let (who, does) = (*dice.pick(&WHO), *dice.pick(&DOES));
            format!("{who} {does} {}{}{end}", dice.pick(&WHAT), dice.pick(&WHEN))
        } else {
            let numbers: Vec<String> =
                (0..2 + dice.below(4)).map(|_| (1 + dice.below(3000)).to_string()).collect();
            format!("{}.", numbers.join(", "))
        }
    }
}

impl Espeak {
    /// The program, if it is installed.
    pub fn installed() -> Option<Espeak> {
        let answer = Command::new("espeak-ng").arg("--version").stdin(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&answer.stdout);
        let version = text.split(':').nth(1)?.split_whitespace().next()?.to_owned();
        answer.status.success().then(|| Espeak { name: format!("espeak-ng {version}").into() })
    }

    /// A sentence at this rate. `None` when the program fails, as it does where a voice is missing.
    pub fn say(&self, text: &str, voice: &Voice, rate: f32) -> Option<Vec<f32>> {
        let folder = tempfile::tempdir().ok()?;
        let file = folder.path().join("said.wav");
        let number = |option: &str, value: u32| [option.to_owned(), value.to_string()];
        let done = Command::new("espeak-ng")
            .args(["-v", &voice.name, "-w"])
            .arg(&file)
            .args(number("-p", voice.pitch))
            .args(number("-s", voice.speed))
            .args(number("-P", voice.range))
            .arg(text)
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        done.ok().filter(|status| status.success())?;
        let sound = audio::read(&file).ok()?;
        Some(sound.at_rate(rate as u32).mono()).filter(|sound| sound.iter().any(|x| x.abs() > 1e-4))
    }
}
