//! Undo and redo over everything that the window changes.
//!
//! A step knows what it changed from and to. Hosts take a new value when it suits them, so nothing is read back.

use crate::editor::model::Slot;
use crate::params::IdiomParams;
use crate::state::Played;
use idiom_engine::profile::Parameter;
use idiom_engine::worker::UserModel;
use nice_plug::prelude::*;

/// Most steps that are kept.
const DEPTH: usize = 200;
/// Steps of one control that follow each other within this time, in seconds, are one: a turn of the wheel.
const TOGETHER_S: f64 = 0.8;

/// A value of something that the window can change.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A host parameter by its id, normalized.
    Param(String, f32),
    /// The preset that plays, with its profiles where they were changed.
    Preset(Played),
    /// The preset that plays, and own settings (normalized) that went into its profiles or came out of them.
    Kept(Played, Vec<(Parameter, f32)>),
    /// The user's own model, or none for the built-in one.
    Model(Option<UserModel>),
    /// Which of A and B is heard.
    Slot(Slot),
    /// What the other one of A and B holds; nothing before it was used.
    Aside(Option<Box<Setup>>),
}

impl Value {
    /// Whether both are values of one thing.
    pub fn is_of(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Param(a, _), Value::Param(b, _)) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// A change with its name.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What was done, for a person.
    pub name: String,
    /// Values before.
    pub before: Vec<Value>,
    /// Values after, of the same things in the same order.
    pub after: Vec<Value>,
}

/// The steps that were done and undone.
#[derive(Clone, Debug, Default)]
pub struct Undo {
    done: Vec<Step>,
    undone: Vec<Step>,
    /// When the last step was done, in seconds.
    last_s: f64,
}

impl Undo {
    /// A step was done at this time in seconds. What was undone before is lost.
    pub fn push(&mut self, mut step: Step, now_s: f64) {
        if step.before == step.after {
            return;
        }
        self.undone.clear();
        let soon = now_s - self.last_s < TOGETHER_S;
        self.last_s = now_s;
        if let Some(last) = self.done.last_mut().filter(|last| soon && last.after.len() == 1) {
            let same = step.before.len() == 1 && step.before[0].is_of(&last.after[0]);
            if same && last.name == step.name {
                last.after = std::mem::take(&mut step.after);
                return;
            }
        }
        self.done.push(step);
        if self.done.len() > DEPTH {
            self.done.remove(0);
        }
    }

    /// Takes the last step back; returns the values to set.
    pub fn undo(&mut self) -> Option<Vec<Value>> {
        let step = self.done.pop()?;
        let values = step.before.clone();
        self.undone.push(step);
        self.last_s = f64::NEG_INFINITY;
        Some(values)
    }

    /// Does the step again that was taken back last; returns the values to set.
    pub fn redo(&mut self) -> Option<Vec<Value>> {
        let step = self.undone.pop()?;
        let values = step.after.clone();
        self.done.push(step);
        self.last_s = f64::NEG_INFINITY;
        Some(values)
    }

    /// What would be taken back next, and what would be done again.
    pub fn names(&self) -> [Option<String>; 2] {
        [&self.done, &self.undone].map(|steps| steps.last().map(|step| step.name.clone()))
    }
}

/// Everything that the sound depends on: what A and B hold, and, but for the model, what a user's preset saves.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup(pub Vec<Value>);

impl Setup {
    /// Of an instance, without the bypass: that is for listening, not a setting.
    pub fn of(params: &IdiomParams) -> Setup {
        let mut values: Vec<Value> = params
            .param_map()
            .into_iter()
            .filter(|(id, ..)| id != crate::params::Switch::Bypass.id())
            // SAFETY: `param_map` points into `params`, which is alive.
            .map(|(id, param, _)| Value::Param(id, unsafe { param.unmodulated_normalized_value() }))
            .collect();
        values.push(Value::Preset(params.preset.played()));
        values.push(Value::Model(params.model.get()));
        Setup(values)
    }

    /// This with another value of one thing.
    pub fn with(&self, value: Value) -> Setup {
        let change = |old: &Value| if old.is_of(&value) { value.clone() } else { old.clone() };
        Setup(self.0.iter().map(change).collect())
    }

    /// Whether anything is set otherwise, beyond what a file's decimals round.
    pub fn differs(&self, other: &Setup) -> bool {
        self.0.len() != other.0.len()
            || self.0.iter().zip(&other.0).any(|pair| match pair {
                (Value::Param(a, x), Value::Param(b, y)) => a != b || (x - y).abs() > 1e-4,
                (a, b) => a != b,
            })
    }

    /// The step from this to another.
    pub fn step_to(&self, to: &Setup, name: String) -> Step {
        let mut step = Step { name, before: Vec::new(), after: Vec::new() };
        for before in &self.0 {
            if let Some(after) = to.0.iter().find(|after| after.is_of(before) && *after != before) {
                step.before.push(before.clone());
                step.after.push(after.clone());
            }
        }
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, from: f32, to: f32) -> Step {
        let value = |v| vec![Value::Param(id.into(), v)];
        Step { name: id.into(), before: value(from), after: value(to) }
    }

    #[test]
    fn steps_come_back_in_order_and_a_new_one_forgets_the_undone() {
        let mut undo = Undo::default();
        undo.push(step("a", 0.0, 1.0), 0.0);
        undo.push(step("b", 0.2, 0.4), 0.1);
        undo.push(step("b", 0.4, 0.4), 0.1);
        assert_eq!(undo.names(), [Some("b".into()), None]);
        assert_eq!(undo.undo(), Some(step("b", 0.2, 0.4).before));
        assert_eq!(undo.undo(), Some(step("a", 0.0, 1.0).before));
        assert_eq!(undo.undo(), None);
        assert_eq!(undo.redo(), Some(step("a", 0.0, 1.0).after));
        undo.push(step("c", 0.0, 1.0), 9.0);
        assert_eq!(undo.names(), [Some("c".into()), None]);
        assert_eq!(undo.redo(), None);
    }

    #[test]
    fn a_turn_of_the_wheel_is_one_step_and_the_stack_has_an_end() {
        let mut undo = Undo::default();
        for notch in 0..5 {
            undo.push(step("a", notch as f32 * 0.1, (notch + 1) as f32 * 0.1), 10.0 + f64::from(notch) * 0.1);
        }
        undo.push(step("a", 0.5, 0.6), 60.0);
        assert_eq!(undo.undo(), Some(vec![Value::Param("a".into(), 0.5)]));
        assert_eq!(undo.undo(), Some(vec![Value::Param("a".into(), 0.0)]));
        assert_eq!(undo.undo(), None);
        (0..2 * DEPTH).for_each(|n| undo.push(step("a", n as f32, n as f32 + 1.0), n as f64 * 10.0));
        assert_eq!((0..).take_while(|_| undo.undo().is_some()).count(), DEPTH);
    }

    #[test]
    fn a_setup_holds_every_parameter_but_the_bypass() {
        let params = IdiomParams::new(std::sync::Arc::default());
        let setup = Setup::of(&params);
        assert_eq!(setup.0.len(), params.param_map().len() - 1 + 2);
        let mut other = setup.clone();
        other.0[0] = Value::Param("amount".into(), 0.25);
        let step = setup.step_to(&other, "B".into());
        assert_eq!((step.before.len(), step.after), (1, vec![Value::Param("amount".into(), 0.25)]));
    }
}
