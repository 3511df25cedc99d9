//! One file as it is at one moment: read whole, unpacked, and told from what is no text.

use super::walk::{Reason, Seen};
use crate::limits::SourceLimits;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use stoa_actors::log::Hash;
use stoa_documents::{Document, DocumentKind};

/// What was read.
pub(super) struct Source {
    /// The file when it was read, which may be after it was found.
    pub(super) seen: Seen,
    /// Of its bytes, as they are on disk.
    pub(super) hash: String,
    /// What it says.
    pub(super) document: Document,
}

/// Bytes that say whether a file is text, before the rest of it is read.
const PROBE_BYTES: usize = 8 << 10;

/// Of a hundred bytes of a text in an old encoding, so many are above ASCII at most.
const HIGH_PERCENT_MAX: usize = 15;

/// Of a thousand characters of a text, so many control a terminal at most.
const CONTROL_PERMILLE_MAX: usize = 5;

/// Reads a document. Its lines are those of the file, of the unpacked one if it is packed.
///
/// Errors: why there is nothing to read. Blocks.
pub fn document(path: &Path, limits: &SourceLimits) -> Result<Document, Reason> {
    read(path, limits).map(|source| source.document)
}

pub(super) fn read(path: &Path, limits: &SourceLimits) -> Result<Source, Reason> {
    let (seen, bytes) = steady(limits.file_tries_max, || look(path), || whole(path, limits))?;
    let hash = Hash::of(&bytes).to_string();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) { unpacked(&bytes, limits)? } else { bytes };
    let text = text(bytes)?;
    let kind = DocumentKind::of(&text, name.strip_suffix(".gz").unwrap_or(&name));
    let document = stoa_documents::read(&text, kind);
    Ok(Source { seen, hash, document })
}

/// Reads between two looks that see the same; again if they do not.
fn steady<T>(
    tries_max: u32,
    mut look: impl FnMut() -> Result<(Seen, u64), Reason>,
    mut read: impl FnMut() -> Result<T, Reason>,
) -> Result<(Seen, T), Reason> {
    for _ in 0..tries_max {
        let before = look()?;
        let found = read()?;
        if look()? == before {
            return Ok((before.0, found));
        }
    }
    Err(Reason::Changing(tries_max))
}

fn look(path: &Path) -> Result<(Seen, u64), Reason> {
    let it = std::fs::metadata(path).map_err(|error| Reason::of(&error))?;
    Ok((Seen::of(path, &it)?, it.ino()))
}

fn whole(path: &Path, limits: &SourceLimits) -> Result<Vec<u8>, Reason> {
    let failed = |error: std::io::Error| Reason::of(&error);
    let mut file = File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.by_ref().take(PROBE_BYTES as u64).read_to_end(&mut bytes).map_err(failed)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) && bytes.contains(&0) {
        return Err(Reason::Binary);
    }
    let max = limits.file_bytes_max;
    file.take(max as u64 + 1 - bytes.len().min(max) as u64)
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    if bytes.len() > max { Err(Reason::Large { max }) } else { Ok(bytes) }
}

fn unpacked(packed: &[u8], limits: &SourceLimits) -> Result<Vec<u8>, Reason> {
    let max = limits.unpacked_bytes_max;
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(packed).take(max as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Reason::Unreadable(format!("cannot be unpacked: {error}")))?;
    if bytes.len() > max { Err(Reason::Large { max }) } else { Ok(bytes) }
}

/// Bytes as text: UTF-8, with a little damage if need be, or Latin-1 if that is what they must be.
fn text(bytes: Vec<u8>) -> Result<String, Reason> {
    if bytes.contains(&0) {
        return Err(Reason::Binary);
    }
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => old(error.as_bytes())?,
    };
    let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
    let odd = |c: &char| c.is_control() && !"\n\r\t\u{c}\u{8}\u{1b}\u{85}".contains(*c);
    let controls = text.chars().filter(odd).count();
    if controls * 1_000 > text.len() * CONTROL_PERMILLE_MAX {
        Err(Reason::Binary)
    } else {
        Ok(text)
    }
}

fn old(bytes: &[u8]) -> Result<String, Reason> {
    let (mut wrong, mut right) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        wrong += usize::from(!chunk.invalid().is_empty());
        right += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
    }
    // Some bytes of rubbish in what is otherwise UTF-8.
    if wrong * 10 < right {
        return Ok(String::from_utf8_lossy(bytes).into_owned());
    }
    let high = bytes.iter().filter(|byte| !byte.is_ascii()).count();
    if high * 100 > bytes.len() * HIGH_PERCENT_MAX {
        return Err(Reason::Binary);
    }
    Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn limits() -> SourceLimits {
        SourceLimits::default()
    }

    fn seen(size: u64) -> Result<(Seen, u64), Reason> {
        Ok((Seen { path: "a".into(), size, mtime: 0 }, 0))
    }

    #[test]
    fn a_file_that_changes_while_it_is_read_is_read_again() {
        let mut sizes = [1, 2, 2, 2].into_iter();
        let mut reads = 0;
        let look = || seen(sizes.next().expect("a look"));
        let read = || {
            reads += 1;
            Ok(reads)
        };
        let (at, found) = steady(3, look, read).expect("it settles");
        assert_eq!((at.size, found), (2, 2));
        let mut size = 0;
        let look = || {
            size += 1;
            seen(size)
        };
        assert_eq!(steady(3, look, || Ok(())), Err(Reason::Changing(3)));
        assert_eq!(size, 6, "two looks a try");
    }

    #[test]
    fn old_encodings_are_read_and_binaries_are_not() {
        assert_eq!(
            text(b"caf\xe9 au lait, s'il vous pla\xeet".to_vec()).as_deref(),
            Ok("café au lait, s'il vous plaît")
        );
        let damaged = "é".repeat(40).into_bytes();
        let damaged = [&damaged[..], b"\xff", &damaged[..]].concat();
        assert_eq!(text(damaged).map(|it| it.matches('\u{fffd}').count()), Ok(1));
        assert_eq!(text(vec![b'a', 0]), Err(Reason::Binary));
        assert_eq!(text((128..=255).collect()), Err(Reason::Binary));
        assert_eq!(text((1..32).collect()), Err(Reason::Binary));
        assert_eq!(text("\u{feff}bom".into()).as_deref(), Ok("bom"));
    }

    #[test]
    fn packed_files_are_unpacked_up_to_a_limit() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("ls.1.gz");
        let file = File::create(&path).expect("a file");
        let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::default());
        packer.write_all(b".TH LS 1\n.SH NAME\nls \\- list\n").expect("write");
        packer.finish().expect("finish");
        let found = document(&path, &limits()).expect("a page");
        assert_eq!(found.line(3), Some("ls - list"));
        let small = SourceLimits { unpacked_bytes_max: 8, ..limits() };
        assert_eq!(document(&path, &small), Err(Reason::Large { max: 8 }));
        std::fs::write(&path, b"\x1f\x8bno such thing").expect("write");
        assert!(matches!(document(&path, &limits()), Err(Reason::Unreadable(_))));
        let small = SourceLimits { file_bytes_max: 3, ..limits() };
        std::fs::write(&path, "four").expect("write");
        assert_eq!(document(&path, &small), Err(Reason::Large { max: 3 }));
        std::fs::write(&path, "abc").expect("write");
        assert!(document(&path, &small).is_ok());
    }
}
