//! What the drummer plays: grooves of one bar in sixteenths, fills, and how the hands vary them.

use crate::synth::dice::Dice;
use crate::synth::score::{Part, drum};

/// One bar: `X` accented, `x` played, `o` played now and then, `.` silent.
pub struct Groove {
    kick: &'static str,
    snare: &'static str,
    cymbal: &'static str,
}

/// Grooves that the recipes choose from, by index.
pub const GROOVES: [Groove; 12] = [
    // 0: straight rock.
    Groove { kick: "X.....o.X.x...o.", snare: "....X.......X...", cymbal: "X.x.X.x.X.x.X.x." },
    // 1: driving.
    Groove { kick: "X..o..x.X.x..o..", snare: "....X.......X..o", cymbal: "X.x.X.x.X.x.X.x." },
    // 2: with a pushed third beat.
    Groove { kick: "X.....x..ox.....", snare: "....X..o....X...", cymbal: "X.x.X.x.X.x.X.x." },
    // 3: quarters on an open hat or a crash.
    Groove { kick: "X.....x.X.x...x.", snare: "....X.......X...", cymbal: "X...X...X...X..." },
    // 4: punk: bass drum and snare drum in turn.
    Groove { kick: "X...X.x.X...X.x.", snare: "..X...X...X...X.", cymbal: "X.X.X.X.X.X.X.X." },
    // 5: punk at half its speed.
    Groove { kick: "X..xX...X.x.X...", snare: "....X.......X...", cymbal: "X.X.X.X.X.X.X.X." },
    // 6: double bass drum in sixteenths.
    Groove { kick: "XxxxXxxxXxxxXxxx", snare: "....X.......X...", cymbal: "X...X...X...X..." },
    // 7: gallop.
    Groove { kick: "X.xxX.xxX.xxX.xx", snare: "....X.......X...", cymbal: "X.x.X.x.X.x.X.x." },
    // 8: blast beat.
    Groove { kick: "X.X.X.X.X.X.X.X.", snare: ".X.X.X.X.X.X.X.X", cymbal: "X.X.X.X.X.X.X.X." },
    // 9: half time.
    Groove { kick: "X.....x...o...x.", snare: "........X......o", cymbal: "X.x.X.x.X.x.X.x." },
    // 10: disco beat with off-beat hats.
    Groove { kick: "X...X...X...X...", snare: "....X.......X...", cymbal: "x.X.x.X.x.X.x.X." },
    // 11: slow, with sixteenths on the hat.
    Groove { kick: "X......xX.x.....", snare: "....X.......X...", cymbal: "X.x.X.x.X.x.X.x." },
];

/// Which cymbal keeps time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// Closed hi-hat.
    Closed,
    /// Half-open hi-hat.
    Open,
    /// Ride cymbal.
    Ride,
    /// Crash cymbal, as in loud choruses.
    Crash,
}

/// Writes one bar that begins at `at`. `step` gives the time of a sixteenth within the bar.
pub fn bar(
    kit: &mut Part,
    groove: &Groove,
    time: Time,
    (first, fill): (bool, bool),
    step: impl Fn(f32) -> f32,
    dice: &mut Dice,
) {
    if first {
        kit.hit(step(0.0), *dice.pick(&drum::CRASH), 0.95);
    }
    let end = if fill { *dice.pick(&[8, 12, 12]) } else { 16 };
    let late = |dice: &mut Dice| 0.004 * dice.bell();
    let played = |pattern: &str, index: usize, dice: &mut Dice| match pattern.as_bytes()[index] {
        b'X' => Some(1.0),
        b'x' => Some(0.78),
        b'o' if dice.chance(0.4) => Some(0.6),
        _ => None,
    };
    for index in 0..end {
        let at = step(index as f32);
        if let Some(force) = played(groove.kick, index, dice) {
            kit.hit(at + late(dice), drum::KICK, 0.95 * force * dice.within(0.9, 1.05));
        }
        if let Some(force) = played(groove.snare, index, dice) {
            kit.hit(at + late(dice), drum::SNARE, 0.98 * force * dice.within(0.9, 1.03));
        }
        if let Some(force) = played(groove.cymbal, index, dice) {
            let key = match time {
                Time::Closed if index == 14 && dice.chance(0.15) => drum::OPEN_HAT,
                Time::Closed => drum::HAT,
                Time::Open => drum::OPEN_HAT,
                Time::Ride => drum::RIDE,
                Time::Crash => drum::CRASH[0],
            };
            kit.hit(at + late(dice), key, 0.8 * force * dice.within(0.85, 1.1));
        }
    }
    if fill {
        let mut place = dice.below(3) + 2;
        for index in end..16 {
            if index % 2 == 1 && dice.chance(0.3) {
                continue;
            }
            let key = if dice.chance(0.3) { drum::SNARE } else { drum::TOMS[5 - place.min(5)] };
            kit.hit(step(index as f32) + late(dice), key, dice.within(0.75, 1.0));
            if dice.chance(0.5) {
                place += 1;
            }
        }
    }
}
