//! FlatBuffers, as far as a TFLite file needs them: reading with every offset checked, and writing.
//!
//! The format is public (<https://flatbuffers.dev/internals>): a table is a list of slots, each a number or the distance
//! to a child; a table of offsets (`vtable`) says where each slot lies and which are missing. Written by hand because the
//! schema that a chain of convolutions needs is a dozen tables, and generated code for all of TFLite is twenty thousand
//! lines; and so that every read of a hostile file is a checked one.

/// Most tables in one list: far more than any network that is played has.
const MAX_TABLES: usize = 100_000;

/// Most bytes of a text that are read.
const MAX_TEXT: usize = 64 << 10;

/// What is wrong with the bytes.
pub(super) type Flaw = &'static str;

const CUT: Flaw = "it ends too early";
const DAMAGED: Flaw = "its framing is damaged";

/// A table in a file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    bytes: &'a [u8],
    at: usize,
    vtable: usize,
    /// Bytes of the vtable.
    length: usize,
}

fn word<const N: usize>(bytes: &[u8], at: usize) -> Result<[u8; N], Flaw> {
    let end = at.checked_add(N).ok_or(CUT)?;
    bytes.get(at..end).and_then(|slice| slice.try_into().ok()).ok_or(CUT)
}

/// Follows the forward distance stored at `at`.
fn follow(bytes: &[u8], at: usize) -> Result<usize, Flaw> {
    let distance = u32::from_le_bytes(word(bytes, at)?) as usize;
    at.checked_add(distance).filter(|to| *to < bytes.len()).ok_or(CUT)
}

/// The outermost table.
pub(super) fn root(bytes: &[u8]) -> Result<Table<'_>, Flaw> {
    Table::new(bytes, follow(bytes, 0)?)
}

impl<'a> Table<'a> {
    fn new(bytes: &'a [u8], at: usize) -> Result<Table<'a>, Flaw> {
        let back = i64::from(i32::from_le_bytes(word(bytes, at)?));
        let vtable = usize::try_from(at as i64 - back).map_err(|_| DAMAGED)?;
        let length = usize::from(u16::from_le_bytes(word(bytes, vtable)?));
        if length < 4 || vtable.checked_add(length).is_none_or(|end| end > bytes.len()) {
            return Err(DAMAGED);
        }
        Ok(Table { bytes, at, vtable, length })
    }

    /// Where a slot's value lies; `None` when the slot is missing.
    fn slot(&self, slot: usize) -> Result<Option<usize>, Flaw> {
        let entry = 4 + 2 * slot;
        if entry + 2 > self.length {
            return Ok(None);
        }
        match usize::from(u16::from_le_bytes(word(self.bytes, self.vtable + entry)?)) {
            0 => Ok(None),
            offset => Ok(Some(self.at + offset)),
        }
    }

    fn scalar<T, const N: usize>(&self, slot: usize, default: T, read: fn([u8; N]) -> T) -> Result<T, Flaw> {
        self.slot(slot)?.map_or(Ok(default), |at| word(self.bytes, at).map(read))
    }

    pub fn u8(&self, slot: usize) -> Result<u8, Flaw> {
        self.scalar(slot, 0, |[byte]| byte)
    }

    pub fn u32(&self, slot: usize) -> Result<u32, Flaw> {
        self.scalar(slot, 0, u32::from_le_bytes)
    }

    pub fn i32(&self, slot: usize, default: i32) -> Result<i32, Flaw> {
        self.scalar(slot, default, i32::from_le_bytes)
    }

    pub fn f32(&self, slot: usize, default: f32) -> Result<f32, Flaw> {
        self.scalar(slot, default, f32::from_le_bytes)
    }

    pub fn table(&self, slot: usize) -> Result<Option<Table<'a>>, Flaw> {
        let Some(at) = self.slot(slot)? else { return Ok(None) };
        Table::new(self.bytes, follow(self.bytes, at)?).map(Some)
    }

    /// The elements of a list of `N`-byte elements; nothing when it is missing.
    fn list<const N: usize>(&self, slot: usize) -> Result<&'a [[u8; N]], Flaw> {
        let Some(at) = self.slot(slot)? else { return Ok(&[]) };
        let at = follow(self.bytes, at)?;
        let count = u32::from_le_bytes(word(self.bytes, at)?) as usize;
        let length = count.checked_mul(N).ok_or(CUT)?;
        let start = at + 4;
        let end = start.checked_add(length).ok_or(CUT)?;
        Ok(self.bytes.get(start..end).ok_or(CUT)?.as_chunks().0)
    }

    pub fn bytes(&self, slot: usize) -> Result<&'a [u8], Flaw> {
        self.list::<1>(slot).map(<[[u8; 1]]>::as_flattened)
    }

    /// Text, cut off at [`MAX_TEXT`]: many parts of a file may share one long text.
    pub fn text(&self, slot: usize) -> Result<String, Flaw> {
        let bytes = self.bytes(slot)?;
        Ok(String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_TEXT)]).into_owned())
    }

    pub fn i32s(&self, slot: usize) -> Result<impl ExactSizeIterator<Item = i32> + use<'a>, Flaw> {
        self.list(slot).map(|list| list.iter().map(|word| i32::from_le_bytes(*word)))
    }

    pub fn i64s(&self, slot: usize) -> Result<impl ExactSizeIterator<Item = i64> + use<'a>, Flaw> {
        self.list(slot).map(|list| list.iter().map(|word| i64::from_le_bytes(*word)))
    }

    pub fn f32s(&self, slot: usize) -> Result<impl ExactSizeIterator<Item = f32> + use<'a>, Flaw> {
        self.list(slot).map(|list| list.iter().map(|word| f32::from_le_bytes(*word)))
    }

    pub fn tables(&self, slot: usize) -> Result<Vec<Table<'a>>, Flaw> {
        let list = self.list::<4>(slot)?;
        if list.len() > MAX_TABLES {
            return Err("it has more parts than any model needs");
        }
        let Some(at) = self.slot(slot)? else { return Ok(Vec::new()) };
        let first = follow(self.bytes, at)? + 4;
        (0..list.len()).map(|i| Table::new(self.bytes, follow(self.bytes, first + 4 * i)?)).collect()
    }
}

/// For tests that damage a file at a known place.
#[cfg(test)]
impl Table<'_> {
    /// Where a slot's number lies.
    pub fn place(&self, slot: usize) -> usize {
        self.slot(slot).unwrap().expect("that slot")
    }

    /// Where the first element of a slot's list lies.
    pub fn first(&self, slot: usize) -> usize {
        follow(self.bytes, self.place(slot)).unwrap() + 4
    }
}

/// What a slot holds, for writing.
pub(super) enum Value {
    U8(u8),
    U32(u32),
    I32(i32),
    F32(f32),
    Text(String),
    Bytes(Vec<u8>),
    I32s(Vec<i32>),
    I64s(Vec<i64>),
    F32s(Vec<f32>),
    Table(Slots),
    Tables(Vec<Slots>),
}

/// A table to be written: slot numbers and what they hold. A missing slot has the schema's default.
pub(super) type Slots = Vec<(usize, Value)>;

/// The bytes of a file with this outermost table. The same table always gives the same bytes.
pub(super) fn write(identifier: &[u8; 4], root: &Slots) -> Vec<u8> {
    let mut bytes = vec![0; 4];
    bytes.extend(identifier);
    let at = table(&mut bytes, root);
    point(&mut bytes, 0, at);
    bytes
}

/// Fills up so that what comes `ahead` bytes later is aligned to `to`.
fn align(bytes: &mut Vec<u8>, to: usize, ahead: usize) {
    let free = (bytes.len() + ahead).next_multiple_of(to) - ahead;
    bytes.resize(free, 0);
}

/// Stores at `from` how far ahead `to` lies.
fn point(bytes: &mut [u8], from: usize, to: usize) {
    // A file that is written is far below 4 GiB: see MAX_WEIGHTS.
    bytes[from..from + 4].copy_from_slice(&((to - from) as u32).to_le_bytes());
}

/// Appends a table and its children; gives back where it begins.
fn table(bytes: &mut Vec<u8>, slots: &Slots) -> usize {
    let count = slots.iter().map(|(slot, _)| slot + 1).max().unwrap_or(0);
    let mut offsets = vec![0u16; count];
    // The distance to the vtable comes first, then words, then single bytes.
    let mut size = 4u16;
    let single = |value: &Value| matches!(value, Value::U8(_));
    for pass_single in [false, true] {
        for (slot, _) in slots.iter().filter(|(_, value)| single(value) == pass_single) {
            offsets[*slot] = size;
            size += if pass_single { 1 } else { 4 };
        }
    }
    let length = 4 + 2 * count;
    align(bytes, 4, length);
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(size.to_le_bytes());
    bytes.extend(offsets.iter().flat_map(|offset| offset.to_le_bytes()));
    let at = bytes.len();
    bytes.extend((length as i32).to_le_bytes());
    bytes.resize(at + usize::from(size), 0);
    for (slot, value) in slots {
        let from = at + usize::from(offsets[*slot]);
        let child = match value {
            Value::U8(v) => {
                bytes[from] = *v;
                continue;
            }
            Value::U32(v) => {
                bytes[from..from + 4].copy_from_slice(&v.to_le_bytes());
                continue;
            }
            Value::I32(v) => {
                bytes[from..from + 4].copy_from_slice(&v.to_le_bytes());
                continue;
            }
            Value::F32(v) => {
                bytes[from..from + 4].copy_from_slice(&v.to_le_bytes());
                continue;
            }
            Value::Text(text) => {
                let at = list(bytes, 1, text.len(), text.bytes());
                bytes.push(0);
                at
            }
            // Kernels read tensors with vector instructions; the schema asks for 16.
            Value::Bytes(v) => list(bytes, 16, v.len(), v.iter().copied()),
            Value::I32s(v) => list(bytes, 4, v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
            Value::I64s(v) => list(bytes, 8, v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
            Value::F32s(v) => list(bytes, 4, v.len(), v.iter().flat_map(|v| v.to_le_bytes())),
            Value::Table(child) => table(bytes, child),
            Value::Tables(children) => {
                let at = list(bytes, 4, children.len(), std::iter::repeat_n(0, 4 * children.len()));
                for (i, child) in children.iter().enumerate() {
                    let to = table(bytes, child);
                    point(bytes, at + 4 + 4 * i, to);
                }
                at
            }
        };
        point(bytes, from, child);
    }
    at
}

/// Appends a list whose first element is aligned to `to`; gives back where its count lies.
fn list(bytes: &mut Vec<u8>, to: usize, count: usize, elements: impl Iterator<Item = u8>) -> usize {
    align(bytes, to.max(4), 4);
    let at = bytes.len();
    bytes.extend((count as u32).to_le_bytes());
    bytes.extend(elements);
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<u8> {
        let child = |n| vec![(0, Value::U32(n)), (2, Value::Text(format!("child {n}")))];
        let root = vec![
            (0, Value::U8(7)),
            (1, Value::I32(-5)),
            (3, Value::F32(0.5)),
            (4, Value::Bytes(vec![1, 2, 3])),
            (5, Value::I64s(vec![-1, 1 << 40])),
            (6, Value::Tables(vec![child(1), child(2)])),
            (7, Value::Table(child(3))),
            (8, Value::F32s(vec![1.0, -2.0])),
            (9, Value::I32s(vec![9, -9])),
        ];
        write(b"TEST", &root)
    }

    #[test]
    fn what_is_written_is_read_back() {
        let bytes = example();
        assert_eq!(&bytes[4..8], b"TEST");
        let root = root(&bytes).unwrap();
        assert_eq!((root.u8(0), root.i32(1, 0), root.i32(2, 11)), (Ok(7), Ok(-5), Ok(11)));
        assert_eq!((root.f32(3, 0.0), root.f32(40, 1.5)), (Ok(0.5), Ok(1.5)));
        assert_eq!(root.bytes(4), Ok(&[1, 2, 3][..]));
        assert_eq!(root.i64s(5).unwrap().collect::<Vec<_>>(), [-1, 1 << 40]);
        assert_eq!(root.f32s(8).unwrap().collect::<Vec<_>>(), [1.0, -2.0]);
        assert_eq!(root.i32s(9).unwrap().collect::<Vec<_>>(), [9, -9]);
        let children = root.tables(6).unwrap();
        let read: Vec<_> = children.iter().map(|child| (child.u32(0), child.text(2))).collect();
        assert_eq!(read, [(Ok(1), Ok("child 1".into())), (Ok(2), Ok("child 2".into()))]);
        assert_eq!(root.table(7).unwrap().unwrap().u32(0), Ok(3));
        assert!(root.table(2).unwrap().is_none() && root.tables(33).unwrap().is_empty());
        // Numbers of a list lie where vector instructions want them.
        let data = bytes.windows(3).position(|w| w == [1, 2, 3]).unwrap();
        assert!(data.is_multiple_of(16));
    }

    #[test]
    fn whatever_the_bytes_reading_ends_with_a_value_or_a_flaw() {
        let whole = example();
        let read_all = |bytes: &[u8]| -> Result<(), Flaw> {
            let root = root(bytes)?;
            root.u8(0)?;
            root.bytes(4)?;
            root.i64s(5)?.for_each(drop);
            for child in root.tables(6)? {
                child.text(2)?;
            }
            root.table(7).map(drop)
        };
        read_all(&whole).unwrap();
        for length in 0..whole.len() {
            let _ = read_all(&whole[..length]);
        }
        assert!(read_all(&whole[..20]).is_err());
        for at in 0..whole.len() {
            for value in [0, 1, 0x7F, 0x80, 0xFF] {
                let mut damaged = whole.clone();
                damaged[at] = value;
                let _ = read_all(&damaged);
            }
        }
    }
}
