//! Whole files or none: a reader never sees a half-written file, whatever interrupts the writer.

use std::fs::{self, File};
use std::io::{self, BufWriter, Seek, Write};
use std::path::Path;

/// What [`write_atomic`] hands to the closure that fills the file.
pub type Sink<'a> = BufWriter<&'a mut File>;

/// Fills a temporary file beside `path` through `fill` and renames it to `path` when it is complete.
///
/// The folder of `path` is made if it is missing. When `fill` fails, or the process is interrupted, `path` is left
/// as it was; a failed `fill` also removes the temporary file.
pub fn write_atomic<E: From<io::Error>>(
    path: &Path,
    fill: impl FnOnce(&mut Sink<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mut temporary = tempfile::Builder::new().prefix(".idiom-").suffix(".part").tempfile_in(folder)?;
    {
        let mut sink = BufWriter::new(temporary.as_file_mut());
        fill(&mut sink)?;
        sink.flush()?;
    }
    // A temporary file is private to its maker; the finished one gets the usual rights.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        temporary.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    temporary.as_file_mut().rewind()?;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Writes `bytes` to `path`, whole or not at all.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_atomic(path, |sink| sink.write_all(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_remains() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/file.txt");
        write_bytes(&path, b"old").unwrap();
        let failed = write_atomic(&path, |sink| {
            sink.write_all(b"half of the new")?;
            Err(io::Error::other("disk full"))
        });
        assert_eq!(failed.unwrap_err().to_string(), "disk full");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        write_bytes(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
}
