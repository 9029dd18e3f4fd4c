//! What the instances in this bundle decide, cost and say in their windows, for programs that load it without a window.
//! See [`idiom_engine::telemetry_c`] for the C declarations of the snapshot and the metrics; the third function is
//!
//! ```c
//! uint32_t idiom_message(uint32_t instance, char *out, uint32_t capacity); // bytes of the whole message, 0 = none
//! ```

use crate::instances;
use idiom_engine::{IdiomSnapshot, Telemetry};
use std::ffi::c_char;

/// Fills `out` with what the instance number `instance` does now and returns 1; 0 is the oldest instance alive.
/// Returns 0, and leaves `out` alone, when there is no such instance or `out` is null.
///
/// `out->size` says how many bytes the caller knows (0: as many as this bundle does); no more are written, and
/// afterwards it says how many were.
///
/// # Safety
/// `out` is null, or points to at least `out->size` writable bytes ([`IdiomSnapshot::SIZE`] if that is 0) aligned
/// for an [`IdiomSnapshot`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn idiom_snapshot(instance: u32, out: *mut IdiomSnapshot) -> u32 {
    let instance = instances::nth(instance as usize);
    // SAFETY: the caller promises the same of `out`.
    u32::from(instance.is_some_and(|one| unsafe { fill(one.shared.handle.telemetry(), out) }))
}

/// Writes what the banners of instance number `instance` say, or would say in an open window, to `out`: UTF-8, one
/// line a banner, ended by a null byte, cut to `capacity` bytes with it. Returns how many bytes the whole message has
/// without the null; 0 when there is nothing to say or no such instance.
///
/// # Safety
/// `out` is null, or valid for writing `capacity` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn idiom_message(instance: u32, out: *mut c_char, capacity: u32) -> u32 {
    let banners = instances::nth(instance as usize)
        .map(|one| [one.shared.problem(), one.params.notice()])
        .unwrap_or_default();
    let message = banners.into_iter().flatten().collect::<Vec<_>>().join("\n");
    if !out.is_null() && capacity > 0 {
        let count = message.len().min(capacity as usize - 1);
        // SAFETY: `count` bytes and the null fit into `capacity`, which the caller promises are there.
        unsafe {
            std::ptr::copy_nonoverlapping(message.as_ptr(), out.cast::<u8>(), count);
            out.add(count).write(0);
        }
    }
    message.len() as u32
}

/// Writes what the instance number `instance` cost so far as JSON ([`idiom_engine::Metrics`]), ended by a zero, to `out` if
/// its `size` bytes are enough, and returns how many it takes. Returns 0 when there is no such instance.
///
/// # Safety
/// `out` is null, or points to at least `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn idiom_metrics(instance: u32, out: *mut u8, size: u32) -> u32 {
    let Some(one) = instances::nth(instance as usize) else { return 0 };
    let mut text = one.shared.handle.metrics().to_json().into_bytes();
    text.push(0);
    if !out.is_null() && text.len() <= size as usize {
        // SAFETY: `size` bytes are writable, and no more are written.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), out, text.len()) };
    }
    text.len() as u32
}

/// # Safety
/// As for [`idiom_snapshot`].
unsafe fn fill(telemetry: &Telemetry, out: *mut IdiomSnapshot) -> bool {
    if out.is_null() {
        return false;
    }
    let mut snapshot = IdiomSnapshot::from(&telemetry.snapshot());
    // SAFETY: `out` is valid for a `u32` at its beginning. `addr_of!` makes no reference to the whole structure,
    // which may be shorter than ours.
    let known = unsafe { std::ptr::addr_of!((*out).size).read() };
    snapshot.size = if known == 0 { IdiomSnapshot::SIZE } else { known.min(IdiomSnapshot::SIZE) };
    // SAFETY: at most `known` bytes are written, which the caller promises are there; the source has SIZE bytes.
    unsafe {
        let source = std::ptr::from_ref(&snapshot).cast::<u8>();
        std::ptr::copy_nonoverlapping(source, out.cast::<u8>(), snapshot.size as usize);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_can_be_asked_and_its_message_fits_where_it_is_put() {
        let plugin = crate::Idiom::default();
        plugin.params.report.unreadable();
        let mut snapshot = IdiomSnapshot::EMPTY;
        // SAFETY: `snapshot` is a whole one.
        assert_eq!(unsafe { idiom_snapshot(0, &mut snapshot) }, 1, "somebody is the oldest");
        // Other tests have instances too; ours is one of those alive.
        let mut out = [0x55u8; 16];
        let found = (0..1_000).any(|instance| {
            // SAFETY: two bytes fewer than there are.
            let length = unsafe { idiom_message(instance, out.as_mut_ptr().cast(), 14) };
            length > 100 && out.starts_with(b"The saved sta\0")
        });
        assert!(found, "{out:?}");
        assert_eq!(out[14..], [0x55; 2], "written beyond its end");
        // SAFETY: null is allowed.
        assert_eq!(unsafe { idiom_message(u32::MAX, std::ptr::null_mut(), 7) }, 0);
    }

    #[test]
    fn callers_of_every_age_get_what_they_know() {
        let telemetry = Telemetry::default();
        telemetry.set_sample_rate(48_000.0);
        let mut whole = IdiomSnapshot { size: 0, ..IdiomSnapshot::EMPTY };
        let mut newer = IdiomSnapshot { size: 4096, ..IdiomSnapshot::EMPTY };
        // Built when the structure ended after `frames`: the rest is somebody else's memory.
        let mut older = IdiomSnapshot { size: 16, level_dbfs: 123.0, ..IdiomSnapshot::EMPTY };
        // SAFETY: none of them is shorter than what is written to it.
        unsafe {
            assert!(
                fill(&telemetry, &mut whole) && fill(&telemetry, &mut newer) && fill(&telemetry, &mut older)
            );
            assert!(!fill(&telemetry, std::ptr::null_mut()));
        }
        assert_eq!(
            (whole.size, whole.sample_rate, whole.level_dbfs),
            (IdiomSnapshot::SIZE, 48_000.0, -120.0)
        );
        assert_eq!(newer, whole);
        assert_eq!((older.size, older.sample_rate, older.level_dbfs), (16, 0.0, 123.0));
    }

    #[test]
    fn nobody_is_asked_beyond_the_list_or_without_a_place_for_the_answer() {
        let mut out = IdiomSnapshot::EMPTY;
        // SAFETY: null and a whole snapshot are both allowed.
        unsafe {
            assert_eq!(idiom_snapshot(u32::MAX, &mut out), 0);
            assert_eq!(idiom_snapshot(0, std::ptr::null_mut()), 0);
            assert_eq!(idiom_metrics(u32::MAX, std::ptr::null_mut(), 0), 0);
        }
        assert_eq!(out, IdiomSnapshot::EMPTY);
    }

    #[test]
    fn metrics_are_written_where_they_fit() {
        let _plugin = crate::Idiom::default();
        let mut out = vec![7; 1 << 16];
        // SAFETY: no more bytes are named than there are.
        let needed = unsafe {
            assert!(idiom_metrics(0, std::ptr::null_mut(), 0) > 100);
            assert!(idiom_metrics(0, out.as_mut_ptr(), 1) > 100);
            assert_eq!(out[0], 7, "too small a place is left alone");
            idiom_metrics(0, out.as_mut_ptr(), 1 << 16) as usize
        };
        assert_eq!((out[needed - 1], out[needed]), (0, 7));
        let json = std::str::from_utf8(&out[..needed - 1]).expect("text");
        let metrics: idiom_engine::Metrics = serde_json::from_str(json).expect("metrics");
        assert!(metrics.stages.block.max_ns < u64::MAX);
    }
}
