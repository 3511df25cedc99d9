//! A file that has its name only once it is whole.

use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A file that is being written beside its target. Without [`AtomicFile::publish`] nothing is left of it;
/// what a killed process leaves is written over by the next part of the same name. It is private to
/// its owner, whatever the umask is.
#[derive(Debug)]
pub struct AtomicFile {
    target: PathBuf,
    part: PathBuf,
    /// What is written into.
    pub file: File,
    published: bool,
}

impl AtomicFile {
    /// Begins. Errors: [`ErrorKind::AlreadyExists`] where something has the name,
    /// [`ErrorKind::ResourceBusy`] while another process writes it,
    /// [`ErrorKind::PermissionDenied`] where somebody else has put a file or a link in its place.
    pub fn begin(target: &Path) -> io::Result<AtomicFile> {
        if fs::symlink_metadata(target).is_ok() {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let name = target.file_name().ok_or(ErrorKind::InvalidFilename)?.to_string_lossy();
        let part = target.with_file_name(format!(".{name}.stoa-part"));
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
        // In a folder that others can write, the name may be a link to what is not ours to change.
        let file = options.custom_flags(OFlags::NOFOLLOW.bits() as i32).open(&part)?;
        let found = file.metadata()?;
        if found.uid() != rustix::process::geteuid().as_raw() || !found.is_file() {
            return Err(ErrorKind::PermissionDenied.into());
        }
        if found.mode() & 0o077 != 0 {
            file.set_permissions(fs::Permissions::from_mode(0o600))?;
        }
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::ResourceBusy.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let made = AtomicFile { target: target.to_owned(), part, file, published: false };
        made.file.set_len(0)?;
        Ok(made)
    }

    /// Where it is to be.
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Where it is until then.
    pub(crate) fn path(&self) -> &Path {
        &self.part
    }

    /// Gives it its name, for good, once all of it is on the medium.
    pub fn publish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        match fs::hard_link(&self.part, &self.target) {
            Ok(()) => fs::remove_file(&self.part)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error),
            // Not every file system has links.
            Err(_) if fs::symlink_metadata(&self.target).is_ok() => {
                return Err(ErrorKind::AlreadyExists.into());
            }
            Err(_) => fs::rename(&self.part, &self.target)?,
        }
        self.published = true;
        let parent = self.target.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.published {
            drop(fs::remove_file(&self.part));
        }
    }
}
