//! What computes the genre, and how much of the worker's answers is kept. For setting up: they cannot be automated.
//!
//! A host may set a parameter on any thread, its audio thread included; each goes to the engine from there
//! ([`Handle::select_backend`] and its neighbours wait for nobody).

use super::{BackendChoice, QuantizationChoice};
use crate::state::Choice;
use idiom_engine::Handle;
use idiom_engine::rt::cache::{CacheLimits, MOST_ENTRIES};
use nice_plug::prelude::*;
use std::sync::Arc;

/// Longest time to live in minutes: four hours.
const LONGEST_MINUTES: i32 = 240;

/// See the [module](self).
#[derive(Params)]
pub struct Recognition {
    /// The backend asked for.
    #[id = "backend"]
    pub backend: EnumParam<BackendChoice>,
    /// The arithmetic asked for.
    #[id = "quantization"]
    pub quantization: EnumParam<QuantizationChoice>,
    /// How many of the worker's answers are kept; 0 keeps none.
    #[id = "cache.size"]
    pub cache_size: IntParam,
    /// For how many minutes of sound an answer is kept.
    #[id = "cache.minutes"]
    pub cache_minutes: IntParam,
}

/// Smallest and largest plain value of a whole number of this group; `None` for another id.
pub fn limits(id: &str) -> Option<(i32, i32)> {
    match id {
        "cache.size" => Some((0, MOST_ENTRIES as i32)),
        "cache.minutes" => Some((1, LONGEST_MINUTES)),
        _ => None,
    }
}

/// A whole number with its unit, which may be left out when it is typed.
fn number(name: &str, id: &str, default: i32, unit: &'static str) -> IntParam {
    let (min, max) = limits(id).expect("a number of this group");
    IntParam::new(name, default, IntRange::Linear { min, max })
        .with_unit(unit)
        .with_string_to_value(Arc::new(move |text| {
            let digits = text.trim().strip_suffix(unit.trim()).unwrap_or(text);
            digits.trim().parse::<i32>().ok().map(|value| value.clamp(min, max))
        }))
        .non_automatable()
}

fn entries(answers: i32) -> usize {
    answers.max(0) as usize
}

fn seconds(minutes: i32) -> f32 {
    minutes as f32 * 60.0
}

impl Recognition {
    /// Defaults, which are the engine's too; changes go to `handle`.
    pub fn new(handle: &Arc<Handle>) -> Self {
        let told = || Arc::clone(handle);
        let (backend, quantization, size, minutes) = (told(), told(), told(), told());
        let limits = CacheLimits::default();
        Self {
            backend: EnumParam::new("Backend", BackendChoice::Auto)
                .with_callback(Arc::new(move |choice: BackendChoice| backend.select_backend(choice.into())))
                .non_automatable(),
            quantization: EnumParam::new("Quantization", QuantizationChoice::Auto)
                .with_callback(Arc::new(move |choice: QuantizationChoice| {
                    quantization.select_quantization(choice.into());
                }))
                .non_automatable(),
            cache_size: number("Cache size", "cache.size", limits.room() as i32, " answers")
                .with_callback(Arc::new(move |answers| size.set_cache_entries(entries(answers)))),
            cache_minutes: number("Cache time", "cache.minutes", (limits.ttl_s / 60.0) as i32, " min")
                .with_callback(Arc::new(move |time| minutes.set_cache_ttl_s(seconds(time)))),
        }
    }

    /// What is asked for to compute the genre.
    pub fn choice(&self) -> Choice {
        Choice { backend: self.backend.value().into(), quantization: self.quantization.value().into() }
    }

    /// What is asked for of the cache.
    pub fn cache_limits(&self) -> CacheLimits {
        CacheLimits::answers(entries(self.cache_size.value()), seconds(self.cache_minutes.value()))
    }

    /// Asks for another backend and arithmetic, without a host.
    #[cfg(test)]
    pub(crate) fn choose(&self, Choice { backend, quantization }: Choice) {
        // SAFETY: the pointers are to fields of `self`.
        unsafe {
            let to = self.backend.preview_normalized(backend.into());
            self.backend.as_ptr()._internal_set_normalized_value(to);
            let to = self.quantization.preview_normalized(quantization.into());
            self.quantization.as_ptr()._internal_set_normalized_value(to);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use idiom_engine::{Backend, Quantization};

    #[test]
    fn what_a_host_sets_goes_to_the_engine_and_the_defaults_are_its_own() {
        let handle = Arc::new(Handle::new());
        let params = Recognition::new(&handle);
        assert_eq!(params.choice(), Choice::default());
        assert_eq!(params.cache_limits(), handle.cache_limits());
        let choice = Choice { backend: Backend::Classic, quantization: Quantization::Fp16 };
        params.choose(choice);
        assert_eq!(
            (params.choice(), handle.status().requested),
            (choice, (Backend::Classic, Quantization::Fp16))
        );
        for (text, minutes, entries) in [("5 min", 5, 128), ("90", 90, 0), ("999999", 240, 2_048)] {
            let set = |param: &IntParam, text: &str| {
                let to = param.string_to_normalized_value(text).expect("a number");
                // SAFETY: the pointer is to a parameter that is alive.
                unsafe { param.as_ptr()._internal_set_normalized_value(to) };
            };
            set(&params.cache_minutes, text);
            set(&params.cache_size, &format!("{entries} answers"));
            assert_eq!((params.cache_minutes.value(), params.cache_size.value()), (minutes, entries));
            assert_eq!(handle.cache_limits(), params.cache_limits());
            assert_eq!(handle.cache_limits().room(), entries as usize);
        }
        assert_eq!(params.cache_size.string_to_normalized_value("many"), None);
    }
}
