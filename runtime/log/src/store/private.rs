//! A data directory is private to its owner: 0700, its files 0600, whatever the umask is and
//! whatever was there before.

use super::ignored::IGNORED;
use super::open::{BEGUN, RESTORING, file_error};
use crate::failure::StoreError;
use std::fs::{self, FileType, Metadata, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::Path;

/// What stoa keeps in a data directory, and what each is.
const OWN: [(&str, Is); 10] = [
    ("lock", Is::File),
    ("db", Is::Folder),
    ("witness", Is::File),
    ("format", Is::File),
    (BEGUN, Is::File),
    (RESTORING, Is::File),
    ("stoa.sock", Is::Socket),
    ("scrub", Is::File),
    ("scrub.new", Is::File),
    ("identity", Is::File),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Is {
    File,
    Folder,
    Socket,
    Link,
    Other,
}

impl Is {
    fn of(found: FileType) -> Is {
        match () {
            () if found.is_file() => Is::File,
            () if found.is_dir() => Is::Folder,
            () if found.is_socket() => Is::Socket,
            () if found.is_symlink() => Is::Link,
            () => Is::Other,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Is::File => "a file",
            Is::Folder => "a folder",
            Is::Socket => "a socket",
            Is::Link => "a symbolic link",
            Is::Other => "no file",
        }
    }
}

/// Refuses a directory in which something else has a name that stoa needs. It is not removed: it
/// may be somebody's.
pub(super) fn nothing_in_the_way(data: &Path) -> Result<(), StoreError> {
    for (name, wanted) in OWN {
        let path = data.join(name);
        let Ok(found) = fs::symlink_metadata(&path) else { continue };
        let found = Is::of(found.file_type());
        if found != wanted {
            let (found, wanted) = (found.name(), wanted.name());
            return Err(StoreError::InTheWay { path, found, wanted });
        }
    }
    Ok(())
}
/// Written by hand. Its mode says who else can have written it, so it stays as it is.
const SETTINGS: &str = "config.toml";
/// The engine's folders are three deep; what is deeper is not its own.
const FOLDERS_DEPTH_MAX: u32 = 8;
const OTHERS: u32 = 0o077;
const STICKY: u32 = 0o1000;

/// Makes a directory private. One that holds other people's or other programs' files is refused,
/// with what to type: to change it could break what is not stoa's.
pub(super) fn close_directory(data: &Path) -> Result<(), StoreError> {
    let cannot = || file_error("cannot look at", data);
    let found = fs::metadata(data).map_err(cannot())?;
    let own = rustix::process::geteuid().as_raw();
    if found.uid() != own {
        return Err(StoreError::Foreign { path: data.to_owned(), owner: found.uid(), own });
    }
    let mode = found.mode() & 0o7777;
    if mode & OTHERS == 0 {
        return Ok(());
    }
    let exposed = || StoreError::Exposed { path: data.to_owned(), mode };
    if !is_own(data, mode).map_err(cannot())? {
        return Err(exposed());
    }
    close(data, &found, 0o700).map_err(|_| exposed())?;
    // Some file systems have no modes, and say that they have changed them.
    let found = fs::metadata(data).map_err(cannot())?;
    if found.mode() & OTHERS == 0 { Ok(()) } else { Err(exposed()) }
}

/// It is stoa's already, or there is nothing else in it. What everybody may put files into, like
/// `/tmp`, is never stoa's while there is something else in it.
fn is_own(data: &Path, mode: u32) -> io::Result<bool> {
    if mode & STICKY == 0 && data.join("format").exists() {
        return Ok(true);
    }
    for entry in fs::read_dir(data)? {
        let name = entry?.file_name();
        if name != SETTINGS && name != IGNORED && !OWN.iter().any(|it| name == it.0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes everything private that stoa keeps in a directory. Only who holds the lock may.
pub(super) fn close_files(data: &Path) -> Result<(), StoreError> {
    let names = OWN.iter().map(|it| it.0).chain([IGNORED]);
    names.into_iter().try_for_each(|name| close_below(&data.join(name), FOLDERS_DEPTH_MAX))
}

fn close_below(path: &Path, depth: u32) -> Result<(), StoreError> {
    let cannot = |error: io::Error| file_error("cannot make private", path)(error);
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot(error)),
    };
    if found.is_symlink() || depth == 0 {
        return Ok(());
    }
    close(path, &found, if found.is_dir() { 0o700 } else { 0o600 }).map_err(cannot)?;
    if found.is_dir() {
        for entry in fs::read_dir(path).map_err(cannot)? {
            close_below(&entry.map_err(cannot)?.path(), depth - 1)?;
        }
    }
    Ok(())
}

fn close(path: &Path, found: &Metadata, mode: u32) -> io::Result<()> {
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    fs::set_permissions(path, Permissions::from_mode(mode))
}
