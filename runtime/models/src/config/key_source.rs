//! Where a key is, and how it is got: when it is needed first, and kept in memory alone.

use std::path::PathBuf;
use stoa_endpoint::Key;

/// Where a key is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// It wants none.
    None,
    /// Here, or lacking.
    Held(Key),
    /// In this variable of the environment, which nobody has looked at yet.
    Variable(String),
    /// In this file, and all of it but blanks around.
    File(PathBuf),
    /// What this command says, and all of it but blanks around.
    Command(Vec<String>),
}

impl KeySource {
    /// Looks into the environment, where the key is to be there.
    #[must_use]
    pub fn looked_up(self, environment: impl Fn(&str) -> Option<String>) -> KeySource {
        match self {
            KeySource::Variable(name) => {
                let found = environment(&name).filter(|it| !it.trim().is_empty());
                KeySource::Held(match found {
                    Some(secret) => Key::new(secret.trim()),
                    None => Key::lacking(name),
                })
            }
            source => source,
        }
    }
}

#[cfg(feature = "http")]
mod getting {
    use super::KeySource;
    use crate::fault::{Fault, FaultKind};
    use rustix::fs::{Mode, OFlags};
    use std::fs::File;
    use std::io::Read;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::process::Stdio;
    use std::time::Duration;
    use stoa_endpoint::Key;
    use tokio::io::AsyncReadExt;
    use tokio::process::Command;
    use tokio::time::timeout;

    /// Bytes of a key, with the blanks around it.
    const KEY_BYTES_MAX: usize = 64 << 10;

    /// How long a command may take to say one.
    const COMMAND_MS_MAX: u64 = 10_000;

    impl KeySource {
        /// The key, as it is now; nothing where none is wanted.
        ///
        /// Errors: [`FaultKind::Key`], with where it was looked for and never with what was found.
        pub async fn key(&self) -> Result<Option<Key>, Fault> {
            let found = match self {
                KeySource::None => return Ok(None),
                KeySource::Held(key) => return Ok(Some(key.clone())),
                KeySource::Variable(name) => return Ok(Some(Key::lacking(name))),
                KeySource::File(path) => {
                    read(path).map_err(|why| format!("key_file {}: {why}", path.display()))
                }
                KeySource::Command(words) => {
                    let name = words.first().cloned().unwrap_or_default();
                    said(words).await.map_err(|why| format!("key_command {name}: {why}"))
                }
            };
            let found = found.and_then(|bytes| key_of(&bytes));
            found.map(Some).map_err(|text| Fault::new(FaultKind::Key, text))
        }

        /// Whether it may be another one another time.
        pub fn may_change(&self) -> bool {
            matches!(self, KeySource::File(_) | KeySource::Command(_))
        }
    }

    fn key_of(bytes: &[u8]) -> Result<Key, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "what it says is no text")?;
        match text.trim() {
            "" => Err("it says nothing".to_owned()),
            text => Ok(Key::new(text)),
        }
    }

    fn read(path: &Path) -> Result<Vec<u8>, String> {
        let why = |error: std::io::Error| error.to_string();
        // A pipe in its place is not waited for.
        let file = rustix::fs::open(
            path,
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        );
        let file = File::from(file.map_err(|error| std::io::Error::from(error).to_string())?);
        let known = file.metadata().map_err(why)?;
        if !known.is_file() {
            return Err("it is no file".to_owned());
        }
        if known.mode() & 0o077 != 0 {
            return Err(format!("others can read it; chmod 600 {}", path.display()));
        }
        let mut bytes = Vec::new();
        file.take(KEY_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(why)?;
        fits(bytes)
    }

    fn fits(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        match bytes.len() > KEY_BYTES_MAX {
            true => Err(format!("more than {KEY_BYTES_MAX} bytes")),
            false => Ok(bytes),
        }
    }

    async fn said(words: &[String]) -> Result<Vec<u8>, String> {
        let [program, arguments @ ..] = words else { return Err("it names no program".into()) };
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            // What it complains of may have the key in it.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut bytes = Vec::new();
        let all = async {
            if let Some(out) = child.stdout.take() {
                let mut out = out.take(KEY_BYTES_MAX as u64 + 1);
                out.read_to_end(&mut bytes).await.map_err(|error| error.to_string())?;
            }
            let bytes = fits(std::mem::take(&mut bytes))?;
            let ended = child.wait().await.map_err(|error| error.to_string())?;
            if ended.success() { Ok(bytes) } else { Err(ended.to_string()) }
        };
        let within = Duration::from_millis(COMMAND_MS_MAX);
        let late = || Err(format!("it did not end within {COMMAND_MS_MAX} ms"));
        timeout(within, all).await.unwrap_or_else(|_| late())
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use std::os::unix::fs::PermissionsExt;
        use stoa_endpoint::Secret;

        async fn secret(of: KeySource) -> Result<String, String> {
            match of.key().await.map_err(|fault| fault.text)?.unwrap().secret() {
                Secret::Held(secret) => Ok(secret.to_owned()),
                Secret::Lacking(name) => Ok(format!("lacks {name}")),
            }
        }

        fn command(words: &[&str]) -> KeySource {
            KeySource::Command(words.iter().map(|it| (*it).to_owned()).collect())
        }

        #[tokio::test]
        async fn a_key_is_what_a_file_says() {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("key");
            let from = || secret(KeySource::File(path.clone()));
            assert!(from().await.unwrap_err().contains("No such file"));
            std::fs::write(&path, "  sesame\n").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
            assert!(from().await.unwrap_err().contains("chmod 600"), "others can read it");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            assert_eq!(from().await.unwrap(), "sesame");
            std::fs::write(&path, " \n").unwrap();
            assert!(from().await.unwrap_err().contains("says nothing"));
            std::fs::write(&path, "x".repeat(KEY_BYTES_MAX + 1)).unwrap();
            assert!(from().await.unwrap_err().contains("more than"));
            std::fs::write(&path, b"sesame\xff").unwrap();
            let error = from().await.unwrap_err();
            assert!(error.contains("no text") && !error.contains("sesame"), "{error}");
            assert!(
                secret(KeySource::File(dir.path().into())).await.unwrap_err().contains("no file")
            );
        }

        #[tokio::test]
        async fn a_key_is_what_a_command_says() {
            assert_eq!(secret(command(&["echo", "sesame"])).await.unwrap(), "sesame");
            // The words are words: no shell reads them.
            assert_eq!(secret(command(&["echo", "$HOME;ls"])).await.unwrap(), "$HOME;ls");
            assert!(secret(command(&["false"])).await.unwrap_err().contains("exit status"));
            assert!(secret(command(&["true"])).await.unwrap_err().contains("says nothing"));
            assert!(secret(command(&["/no/such"])).await.unwrap_err().contains("No such file"));
            let error =
                secret(command(&["sh", "-c", "echo sesame; echo sesame >&2; exit 3"])).await;
            assert!(!error.unwrap_err().contains("sesame"));
            assert!(
                secret(command(&["cat", "/dev/zero"])).await.unwrap_err().contains("more than")
            );
        }

        #[tokio::test]
        async fn a_key_is_in_the_environment_of_whoever_looks() {
            let of = |found: Option<&str>| {
                let found = found.map(str::to_owned);
                secret(KeySource::Variable("KEY".into()).looked_up(move |_| found.clone()))
            };
            assert_eq!(of(Some(" sesame\n")).await.unwrap(), "sesame");
            assert_eq!(of(None).await.unwrap(), "lacks KEY");
            assert_eq!(of(Some(" ")).await.unwrap(), "lacks KEY");
        }
    }
}
