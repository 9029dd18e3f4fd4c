//! Pages of knobs for controllers in CLAP hosts, made of the parameters as the host sees them: a page a group, in their
//! order, and a further one where a group has more than eight. So a new parameter is on a page without being put there.

use crate::clap_entry::original;
use clap_sys::ext::params::{CLAP_EXT_PARAMS, CLAP_PARAM_IS_HIDDEN, clap_param_info, clap_plugin_params};
use clap_sys::ext::remote_controls::{
    CLAP_EXT_REMOTE_CONTROLS, CLAP_EXT_REMOTE_CONTROLS_COMPAT, CLAP_REMOTE_CONTROLS_COUNT,
    clap_plugin_remote_controls, clap_remote_controls_page,
};
use clap_sys::id::{CLAP_INVALID_ID, clap_id};
use nice_plug::wrapper::clap::clap_plugin;
use std::ffi::{CStr, c_char, c_void};

static PAGES: clap_plugin_remote_controls =
    clap_plugin_remote_controls { count: Some(count), get: Some(get) };

/// The extension, if `id` is one of its names.
pub fn extension(id: &CStr) -> Option<*const c_void> {
    [CLAP_EXT_REMOTE_CONTROLS, CLAP_EXT_REMOTE_CONTROLS_COMPAT]
        .contains(&id)
        .then(|| std::ptr::from_ref(&PAGES).cast())
}

/// Name and parameters of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Page {
    name: String,
    knobs: Vec<clap_id>,
}

/// The pages for parameters with their groups.
fn pages(params: &[(clap_id, String)]) -> Vec<Page> {
    let mut groups: Vec<(&str, Vec<clap_id>)> = Vec::new();
    for (id, group) in params {
        match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, ids)) => ids.push(*id),
            None => groups.push((group, vec![*id])),
        }
    }
    let page = |name: &str, number: usize, knobs: &[clap_id]| {
        let name = if name.is_empty() { "Main" } else { name };
        let name = if number == 0 { name.to_owned() } else { format!("{name} {}", number + 1) };
        Page { name, knobs: knobs.to_vec() }
    };
    groups
        .iter()
        .flat_map(|(name, ids)| {
            ids.chunks(CLAP_REMOTE_CONTROLS_COUNT)
                .enumerate()
                .map(move |(number, knobs)| page(name, number, knobs))
        })
        .collect()
}

/// The pages of a plugin.
///
/// # Safety
/// A living plugin of ours; main thread.
unsafe fn pages_of(plugin: *const clap_plugin) -> Vec<Page> {
    let mut listed = Vec::new();
    // SAFETY: nice-plug answers with a `clap_plugin_params` that lives as long as the plugin, and its functions are
    // called as a host calls them; all bit patterns of the structure are valid.
    unsafe {
        let Some(params) = original(plugin, CLAP_EXT_PARAMS).cast::<clap_plugin_params>().as_ref() else {
            return Vec::new();
        };
        let (Some(count), Some(get_info)) = (params.count, params.get_info) else { return Vec::new() };
        for index in 0..count(plugin) {
            let mut info: clap_param_info = std::mem::zeroed();
            if get_info(plugin, index, &mut info) && info.flags & CLAP_PARAM_IS_HIDDEN == 0 {
                let group = CStr::from_ptr(info.module.as_ptr()).to_string_lossy().into_owned();
                listed.push((info.id, group));
            }
        }
    }
    pages(&listed)
}

unsafe extern "C" fn count(plugin: *const clap_plugin) -> u32 {
    // SAFETY: the host's pointer to a living plugin.
    unsafe { pages_of(plugin) }.len() as u32
}

unsafe extern "C" fn get(
    plugin: *const clap_plugin,
    index: u32,
    out: *mut clap_remote_controls_page,
) -> bool {
    // SAFETY: the host's pointer to a living plugin.
    let pages = unsafe { pages_of(plugin) };
    let Some(page) = pages.get(index as usize).filter(|_| !out.is_null()) else { return false };
    let mut param_ids = [CLAP_INVALID_ID; CLAP_REMOTE_CONTROLS_COUNT];
    param_ids.iter_mut().zip(&page.knobs).for_each(|(place, id)| *place = *id);
    let whole = clap_remote_controls_page {
        section_name: chars("Idiom"),
        page_id: index + 1,
        page_name: chars(&page.name),
        param_ids,
        is_for_preset: false,
    };
    // SAFETY: not null, and the host's to write to.
    unsafe { out.write(whole) };
    true
}

/// Text in a fixed array, cut at a character's end and ended by a null.
fn chars<const N: usize>(text: &str) -> [c_char; N] {
    let mut out = [0; N];
    let end = (0..N.min(text.len() + 1)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    out.iter_mut().zip(&text.as_bytes()[..end]).for_each(|(place, byte)| *place = *byte as c_char);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_a_group_and_another_where_it_is_full() {
        let mut params: Vec<(clap_id, String)> = (0..9).map(|id| (id, String::new())).collect();
        params.insert(3, (100, "Gate".into()));
        params.push((101, "Gate".into()));
        let pages = pages(&params);
        let names: Vec<&str> = pages.iter().map(|page| page.name.as_str()).collect();
        assert_eq!(names, ["Main", "Main 2", "Gate"]);
        assert_eq!(pages[1].knobs, [8]);
        assert_eq!(pages[2].knobs, [100, 101]);
    }

    #[test]
    fn texts_are_cut_between_characters_and_end_with_a_null() {
        assert_eq!(chars::<4>("abc"), [97, 98, 99, 0]);
        assert_eq!(chars::<4>("abcd"), [97, 98, 99, 0]);
        assert_eq!(chars::<4>("ab\u{e4}"), [97, 98, 0, 0]);
    }
}
