//! What a file system may hold when the power goes.
//!
//! The model is what ext4, XFS and btrfs promise, and no more; where they do better, the worse is
//! taken:
//!
//! - *Content.* A page of 4,096 bytes that was written since the last sync of its file is as it was
//!   then or as it was after any later write, each page for itself; a page may be torn between two of
//!   those at 512 bytes. A file's length is any that it had since then.
//! - *Names.* A directory holds what it held after some change, no later change without all earlier
//!   ones of that directory; at least those before its last fsync. An fsync of a file keeps the name
//!   it was made under, and those of the directories above it. Fdatasync keeps no name.

use crate::chance::Chance;
use crate::history::{History, Mood};
use crate::trace::{Event, bytes};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

const PAGE: u64 = 4096;
const SECTOR: usize = 512;

type Inode = usize;
type Names = BTreeMap<String, Inode>;

/// Syncs that do nothing: the control runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ignored {
    None,
    /// Of the content of any file.
    Content,
    /// Of the journals' content only.
    Journals,
}

#[derive(Debug, Default)]
struct File {
    pages: BTreeMap<u64, History<Vec<u8>>>,
    len: History<u64>,
}

#[derive(Debug)]
enum Node {
    File(File),
    Directory(History<Names>),
}

#[derive(Debug)]
struct Open {
    inode: Inode,
    at: u64,
    append: bool,
}

/// How far everything of a file was when its sync was begun.
struct Syncing {
    inode: Inode,
    pages: Vec<(u64, usize)>,
    mark: usize,
    names: bool,
}

pub(crate) struct Disk {
    root: PathBuf,
    nodes: Vec<Node>,
    /// Where a node was made or put last.
    places: HashMap<Inode, (Inode, String)>,
    open: HashMap<i64, Open>,
    syncing: HashMap<u32, Syncing>,
    /// Threads whose last write was cut short: it is the last of them, for the process is killed.
    cut_short: HashSet<u32>,
    ignored: Ignored,
    pub(crate) syncs: usize,
}

impl Disk {
    /// An empty directory.
    pub(crate) fn new(root: &Path, ignored: Ignored) -> Disk {
        Disk {
            root: root.to_owned(),
            nodes: vec![Node::Directory(History::default())],
            places: HashMap::new(),
            open: HashMap::new(),
            syncing: HashMap::new(),
            cut_short: HashSet::new(),
            ignored,
            syncs: 0,
        }
    }

    /// The process is gone, and its descriptors with it.
    pub(crate) fn died(&mut self) {
        self.open.clear();
        self.syncing.clear();
        self.cut_short.clear();
    }

    pub(crate) fn take(&mut self, event: &Event) {
        match event {
            Event::Begun { thread, call, args } => self.begun(*thread, call, args),
            Event::Returned { value, .. } if *value < 0 => {}
            Event::Returned { thread, call, args, value } => {
                self.returned(*thread, call, args, *value);
            }
        }
    }

    fn begun(&mut self, thread: u32, call: &str, args: &[String]) {
        assert!(!self.cut_short.contains(&thread), "a write is whole where it is not the last");
        let fd = || args[0].parse::<i64>().unwrap_or(-1);
        match call {
            "close" => drop(self.open.remove(&fd())),
            "write" => {
                let Some(open) = self.open.get(&fd()) else { return };
                let (inode, data) = (open.inode, bytes(&args[1]));
                let at = if open.append { *self.file(inode).len.newest() } else { open.at };
                self.write(inode, at, &data);
                if let Some(open) = self.open.get_mut(&fd()) {
                    open.at = at + data.len() as u64;
                }
            }
            "pwrite64" => {
                let Some(open) = self.open.get(&fd()) else { return };
                let (inode, at) = (open.inode, args[3].parse().expect("an offset"));
                self.write(inode, at, &bytes(&args[1]));
            }
            "fsync" | "fdatasync" => {
                let Some(open) = self.open.get(&fd()) else { return };
                let inode = open.inode;
                let (pages, mark) = match &self.nodes[inode] {
                    Node::File(file) => {
                        let pages = file.pages.iter().map(|(at, it)| (*at, it.mark()));
                        (pages.collect(), file.len.mark())
                    }
                    Node::Directory(names) => (Vec::new(), names.mark()),
                };
                let names = call == "fsync";
                self.syncing.insert(thread, Syncing { inode, pages, mark, names });
            }
            _ => {}
        }
    }

    fn returned(&mut self, thread: u32, call: &str, args: &[String], value: i64) {
        let fd = || args[0].parse::<i64>().unwrap_or(-1);
        let ours = self.open.contains_key(&fd());
        match call {
            "openat" => self.opened(args, value),
            "open" | "creat" if self.inside(&bytes(&args[0])).is_none() => {}
            "mkdir" => {
                if let Some((parent, name)) = self.inside(&bytes(&args[0])) {
                    self.make(parent, &name, Node::Directory(History::default()));
                }
            }
            "rename" => self.renamed(&bytes(&args[0]), &bytes(&args[1])),
            "renameat" | "renameat2" => self.renamed(&bytes(&args[1]), &bytes(&args[3])),
            "unlink" | "rmdir" => {
                if let Some((parent, name)) = self.inside(&bytes(&args[0])) {
                    self.change(parent, |names| {
                        names.remove(&name);
                    });
                }
            }
            "unlinkat" => {
                if let Some((parent, name)) = self.below(&args[0], &bytes(&args[1])) {
                    self.change(parent, |names| {
                        names.remove(&name);
                    });
                }
            }
            "write" | "pwrite64" if ours => {
                if value < bytes(&args[1]).len() as i64 {
                    self.cut_short.insert(thread);
                }
            }
            "lseek" if ours => {
                if let Some(open) = self.open.get_mut(&fd()) {
                    open.at = value as u64;
                }
            }
            "ftruncate" if ours => {
                let inode = self.open[&fd()].inode;
                self.truncate(inode, args[1].parse().expect("a length"));
            }
            "fsync" | "fdatasync" if ours => self.synced(thread),
            "fcntl" if ours => assert!(!args[1].contains("DUPFD"), "a descriptor is one"),
            "mmap" => {
                let file = args[4].parse().is_ok_and(|it| self.open.contains_key(&it));
                let writes = args[2].contains("PROT_WRITE") && args[3].contains("MAP_SHARED");
                assert!(!(file && writes), "what is written through memory is not seen");
            }
            "close" | "write" | "pwrite64" | "lseek" | "ftruncate" | "fsync" | "fdatasync"
            | "fcntl" => {}
            _ if !ours => {}
            other => panic!("{other} on a file that is watched: {args:?}"),
        }
    }

    fn opened(&mut self, args: &[String], fd: i64) {
        let Some((parent, name)) = self.below(&args[0], &bytes(&args[1])) else { return };
        let flags = &args[2];
        let found = match name.is_empty() {
            true => Some(parent),
            false => self.names(parent).newest().get(&name).copied(),
        };
        let inode = found.unwrap_or_else(|| {
            assert!(flags.contains("O_CREAT"), "{name} was not there");
            self.make(parent, &name, Node::File(File::default()))
        });
        if flags.contains("O_TRUNC") && found.is_some() {
            self.truncate(inode, 0);
        }
        let append = flags.contains("O_APPEND");
        self.open.insert(fd, Open { inode, at: 0, append });
    }

    /// The directory and the name in it of a path in the directory that is watched; no name for
    /// that directory itself.
    fn inside(&self, path: &[u8]) -> Option<(Inode, String)> {
        let path = Path::new(std::str::from_utf8(path).ok()?);
        let inside = path.strip_prefix(&self.root).ok()?;
        Some(self.walk(0, inside))
    }

    fn below(&self, directory: &str, path: &[u8]) -> Option<(Inode, String)> {
        match directory.parse::<i64>() {
            Err(_) => self.inside(path),
            Ok(fd) => {
                let base = self.open.get(&fd)?.inode;
                Some(self.walk(base, Path::new(std::str::from_utf8(path).ok()?)))
            }
        }
    }

    fn walk(&self, from: Inode, path: &Path) -> (Inode, String) {
        let parts: Vec<&str> = path.iter().map(|it| it.to_str().expect("a name")).collect();
        let Some((name, above)) = parts.split_last() else { return (from, String::new()) };
        let parent = above.iter().fold(from, |at, name| self.names(at).newest()[*name]);
        (parent, (*name).to_owned())
    }

    fn names(&self, directory: Inode) -> &History<Names> {
        match &self.nodes[directory] {
            Node::Directory(names) => names,
            Node::File(_) => panic!("a file holds no names"),
        }
    }

    fn file(&mut self, inode: Inode) -> &mut File {
        match &mut self.nodes[inode] {
            Node::File(file) => file,
            Node::Directory(_) => panic!("a directory holds no bytes"),
        }
    }

    fn change(&mut self, directory: Inode, change: impl FnOnce(&mut Names)) {
        let mut names = self.names(directory).newest().clone();
        change(&mut names);
        match &mut self.nodes[directory] {
            Node::Directory(history) => history.since.push(names),
            Node::File(_) => panic!("a file holds no names"),
        }
    }

    fn make(&mut self, parent: Inode, name: &str, node: Node) -> Inode {
        if name.is_empty() {
            return parent;
        }
        let inode = self.nodes.len();
        self.nodes.push(node);
        self.places.insert(inode, (parent, name.to_owned()));
        self.change(parent, |names| {
            names.insert(name.to_owned(), inode);
        });
        inode
    }

    fn renamed(&mut self, from: &[u8], to: &[u8]) {
        let (Some((old, name)), Some((new, to))) = (self.inside(from), self.inside(to)) else {
            return;
        };
        assert_eq!(old, new, "nothing is moved between directories");
        let inode = self.names(old).newest()[&name];
        self.places.insert(inode, (new, to.clone()));
        self.change(old, |names| {
            names.remove(&name);
            names.insert(to, inode);
        });
    }

    fn write(&mut self, inode: Inode, at: u64, data: &[u8]) {
        let file = self.file(inode);
        let end = at + data.len() as u64;
        let mut from = at;
        while from < end {
            let (page, inside) = (from / PAGE, (from % PAGE) as usize);
            let count = (PAGE as usize - inside).min((end - from) as usize);
            let history = file.pages.entry(page).or_insert_with(|| History {
                sure: vec![0; PAGE as usize],
                since: Vec::new(),
                dropped: 0,
            });
            let mut next = history.newest().clone();
            let piece = (from - at) as usize;
            next[inside..inside + count].copy_from_slice(&data[piece..piece + count]);
            history.since.push(next);
            from += count as u64;
        }
        if end > *file.len.newest() {
            file.len.since.push(end);
        }
    }

    fn truncate(&mut self, inode: Inode, len: u64) {
        let file = self.file(inode);
        for (page, history) in &mut file.pages {
            let kept = len.saturating_sub(page * PAGE).min(PAGE) as usize;
            if history.newest()[kept..].iter().any(|it| *it != 0) {
                let mut next = history.newest().clone();
                next[kept..].fill(0);
                history.since.push(next);
            }
        }
        file.len.since.push(len);
    }

    fn synced(&mut self, thread: u32) {
        let Some(Syncing { inode, pages, mark, names }) = self.syncing.remove(&thread) else {
            return;
        };
        self.syncs += 1;
        let named = self.places.get(&inode).is_some_and(|(_, name)| name.ends_with(".jnl"));
        match &mut self.nodes[inode] {
            Node::Directory(history) => history.keep(mark),
            Node::File(file) => {
                let ignored = match self.ignored {
                    Ignored::None => false,
                    Ignored::Content => true,
                    Ignored::Journals => named,
                };
                if !ignored {
                    for (page, mark) in pages {
                        file.pages.get_mut(&page).expect("it was written").keep(mark);
                    }
                    file.len.keep(mark);
                }
            }
        }
        let mut inode = inode;
        while let Some((parent, name)) = self.places.get(&inode).filter(|_| names) {
            let Node::Directory(history) = &mut self.nodes[*parent] else { return };
            let there = |it: &Names| it.get(name) == Some(&inode);
            if !there(&history.sure)
                && let Some(at) = history.since.iter().position(there)
            {
                history.keep(history.dropped + at + 1);
            }
            inode = *parent;
        }
    }

    /// Makes a directory that the file system may hold if the power goes now.
    pub(crate) fn image(&self, to: &Path, mood: Mood, chance: &mut Chance) {
        self.put_directory(0, to, mood, chance);
    }

    fn put_directory(&self, inode: Inode, to: &Path, mood: Mood, chance: &mut Chance) {
        std::fs::create_dir_all(to).expect("a directory");
        for (name, inode) in self.names(inode).pick(mood, chance) {
            let to = to.join(name);
            match &self.nodes[*inode] {
                Node::Directory(_) => self.put_directory(*inode, &to, mood, chance),
                Node::File(file) => file.put(&to, mood, chance),
            }
        }
    }
}

impl File {
    fn put(&self, to: &Path, mood: Mood, chance: &mut Chance) {
        let out = std::fs::File::create(to).expect("a file");
        let len = *self.len.pick(mood, chance);
        out.set_len(len).expect("a length");
        for (page, history) in &self.pages {
            let mut bytes = history.pick(mood, chance).clone();
            if matches!(mood, Mood::Coin) && chance.below(8) == 0 {
                let other = history.pick(mood, chance);
                let from = SECTOR * chance.below(PAGE / SECTOR as u64) as usize;
                bytes[from..].copy_from_slice(&other[from..]);
            }
            let count = len.saturating_sub(page * PAGE).min(PAGE) as usize;
            out.write_all_at(&bytes[..count], page * PAGE).expect("it is written");
        }
    }
}
