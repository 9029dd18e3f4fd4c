//! `.vstpreset` files: a state in a container that every VST3 host reads.
//!
//! Layout (VST 3 SDK, "Preset Format"): `VST3`, a version, the class id as 32 hexadecimal digits, the place of the list;
//! then the chunks; then the list, which names each chunk by four letters with its place and size. Numbers are
//! little-endian.

use anyhow::{Context, Result, ensure};

/// Bytes before the first chunk.
const HEADER: usize = 48;

/// A preset of the class `class_id` (32 hexadecimal digits) with a component's state.
pub fn file(class_id: &str, state: &[u8]) -> Vec<u8> {
    file_with_info(class_id, state, "")
}

/// The same with a description in XML, see [`info`]; none if it is empty.
pub fn file_with_info(class_id: &str, state: &[u8], info: &str) -> Vec<u8> {
    let chunks: Vec<(&[u8; 4], &[u8])> = [(b"Comp", state), (b"Info", info.as_bytes())]
        .into_iter()
        .filter(|(_, content)| !content.is_empty())
        .collect();
    let end = HEADER + chunks.iter().map(|(_, content)| content.len()).sum::<usize>();
    let mut bytes =
        [b"VST3", &1i32.to_le_bytes(), class_id.as_bytes(), &(end as i64).to_le_bytes()[..]].concat();
    chunks.iter().for_each(|(_, content)| bytes.extend_from_slice(content));
    bytes.extend_from_slice(b"List");
    bytes.extend_from_slice(&(chunks.len() as i32).to_le_bytes());
    let mut at = HEADER;
    for (name, content) in chunks {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(&(at as i64).to_le_bytes());
        bytes.extend_from_slice(&(content.len() as i64).to_le_bytes());
        at += content.len();
    }
    bytes
}

/// Name of the file of a preset, on every system: hosts show it without its ending.
pub fn file_name(preset: &str) -> String {
    let forbidden = |c: char| "\\/:*?\"<>|".contains(c) || c.is_control();
    format!("{}.vstpreset", preset.replace(": ", " - ").replace(forbidden, "-"))
}

/// What hosts show of a preset.
pub fn info(name: &str, comment: &str, categories: &str) -> String {
    let attribute = |id: &str, value: &str| {
        let value =
            value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        format!("<Attribute id=\"{id}\" value=\"{value}\" type=\"string\" flags=\"writeProtected\"/>")
    };
    let attributes = [
        ("MediaType", "VstPreset"),
        ("Name", name),
        ("Comment", comment),
        ("PlugInName", "Idiom"),
        ("PlugInVendor", "Idiom"),
        ("PlugInCategory", categories),
    ]
    .map(|(id, value)| attribute(id, value));
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><MetaInfo>{}</MetaInfo>", attributes.concat())
}

/// Class id and component state of a preset file.
///
/// # Errors
/// When it is no preset file, or cut.
pub fn read(bytes: &[u8]) -> Result<(String, Vec<u8>)> {
    let word = |at: usize| Some(i64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?) as usize);
    ensure!(bytes.starts_with(b"VST3\x01\0\0\0"), "it does not begin as a VST3 preset of version 1 does");
    let class_id = String::from_utf8_lossy(bytes.get(8..40).context("cut within its head")?).into_owned();
    let list = word(40).context("cut within its head")?;
    ensure!(bytes.get(list..list + 4) == Some(b"List"), "its list is not where the head says");
    let count = bytes.get(list + 4..list + 8).context("cut within its list")?;
    let count = u32::from_le_bytes(count.try_into()?) as usize;
    for entry in (0..count).map(|index| list + 8 + 20 * index) {
        let name = bytes.get(entry..entry + 4).context("cut within its list")?;
        let (at, size) = (word(entry + 4), word(entry + 12));
        if name == b"Comp" {
            let at = at.context("cut within its list")?;
            let end = at + size.context("cut within its list")?;
            return Ok((class_id, bytes.get(at..end).context("its state is cut")?.to_vec()));
        }
    }
    anyhow::bail!("there is no component state in it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_allowed_everywhere() {
        assert_eq!(file_name("Start: Jazz"), "Start - Jazz.vstpreset");
        assert_eq!(file_name("a/b\\c?:*"), "a-b-c---.vstpreset");
    }

    #[test]
    fn what_is_written_can_be_read_and_a_cut_file_is_refused() {
        let class = "0123456789ABCDEF0123456789ABCDEF";
        let bytes = file_with_info(class, b"{\"state\":1}", &info("A & B", "\"loud\"", "Fx|EQ"));
        assert_eq!(read(&bytes).unwrap(), (class.to_owned(), b"{\"state\":1}".to_vec()));
        assert_eq!(read(&file(class, b"x")).unwrap().1, b"x");
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains("A &amp; B") && text.contains("&quot;loud&quot;"));
        for length in 0..bytes.len() {
            // The list ends with the entry of the description, which `read` does not need.
            let result = read(&bytes[..length]);
            assert!(result.is_err() || length >= bytes.len() - 20, "{length} bytes are accepted");
        }
    }
}
