//! What can be leased in a space, and what it is called.

use crate::id::AtomId;
use crate::name;

/// What can be leased in a space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resource {
    /// One of its atoms. While it is leased only the holder can change it.
    Atom(AtomId),
    /// Whatever the space's convention calls so: a path, an environment. What is done with it
    /// outside is for its users to keep apart; writes can be made to depend on its token.
    Name(String),
}

impl Resource {
    /// An atom if it reads as its id, else whatever is called so.
    ///
    /// A name is read as a path: `./src/app`, `src//app`, `src/x/../app` and `src/app/` are
    /// `src/app`. What has `://` in it is an address and stays as it is.
    pub fn named(name: &str) -> Resource {
        name.parse().map_or_else(|_| Resource::Name(path(name)), Resource::Atom)
    }

    /// In the form in which names are kept and compared.
    pub(super) fn composed(self) -> Resource {
        match self {
            Resource::Name(name) => Resource::Name(path(&name)),
            atom => atom,
        }
    }
}

fn path(name: &str) -> String {
    let name = name::composed(name);
    if !name.contains('/') || name.contains("://") {
        return name.into_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|it| *it != "..") => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let root = if name.starts_with('/') { "/" } else { "" };
    match format!("{root}{}", parts.join("/")) {
        path if path.is_empty() => ".".to_owned(),
        path => path,
    }
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Resource::Atom(id) => write!(f, "atom {id}"),
            Resource::Name(name) => write!(f, "{name:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_name() {
        for same in ["src/app", "./src/app", "src//app", "src/app/", "src/x/../app", "src/./app"] {
            assert_eq!(Resource::named(same), Resource::Name("src/app".into()), "{same}");
        }
        for (said, name) in [
            ("/etc//x/", "/etc/x"),
            ("/", "/"),
            ("./", "."),
            ("../x/", "../x"),
            ("a/..", "."),
            ("https://host//a/", "https://host//a/"),
            ("deploy", "deploy"),
            ("e\u{301}", "é"),
            ("", ""),
        ] {
            assert_eq!(Resource::named(said), Resource::Name(name.into()), "{said}");
        }
    }
}
