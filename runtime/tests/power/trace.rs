//! What a process has asked of the file system, in order, as `strace` saw it.

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

/// Everything that changes a file, its name or what a descriptor stands for. What is not in here and
/// would change one is refused by [`crate::disk`], so that no change goes unseen.
const CALLS: &str = "open,openat,creat,close,close_range,dup,dup2,dup3,fcntl,lseek,write,pwrite64,\
    writev,pwritev,pwritev2,sendfile,copy_file_range,splice,truncate,ftruncate,fallocate,fsync,\
    fdatasync,sync,syncfs,sync_file_range,msync,mmap,rename,renameat,renameat2,link,linkat,symlink,\
    symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat";

/// A call is begun and returns; what is written may be on the medium once it has begun, what is
/// synced is only once that has returned.
#[derive(Debug)]
pub(crate) enum Event {
    Begun { thread: u32, call: String, args: Vec<String> },
    Returned { thread: u32, call: String, args: Vec<String>, value: i64 },
}

/// Runs a command under `strace` to its end; nothing where that is not allowed.
pub(crate) fn traced(command: &[&str], log: &Path) -> Option<Vec<Event>> {
    let status = Command::new("strace")
        .args(["-f", "-qq", "-a1", "-xx", "-s", "100000000", "--seccomp-bpf"])
        .args(["-e", &format!("trace={CALLS}"), "-e", "signal=none"])
        .arg("-o")
        .arg(log)
        .args(command)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status();
    let traced = status.is_ok_and(|it| it.success());
    let text = std::fs::read_to_string(log).unwrap_or_default();
    (traced && !text.is_empty()).then(|| events(&text))
}

fn events(text: &str) -> Vec<Event> {
    let (mut events, mut begun) = (Vec::new(), HashMap::new());
    for line in text.lines() {
        let (thread, line) = line.trim_start().split_once(' ').expect("a thread");
        let (thread, line) = (thread.parse().expect("its number"), line.trim_start());
        if line.starts_with("+++") || line.starts_with("---") {
            continue;
        }
        if let Some(resumed) = line.strip_prefix("<... ") {
            let (call, rest) = resumed.split_once(" resumed>").expect("what is resumed");
            let (asked, args): (String, Vec<String>) = begun.remove(&thread).expect("it was begun");
            assert_eq!(asked, call, "one call at a time");
            let value = value(rest);
            events.push(Event::Returned { thread, call: asked, args, value });
            continue;
        }
        let (call, rest) = line.split_once('(').unwrap_or_else(|| panic!("no call: {line:.200}"));
        let call = call.to_owned();
        // Of a thread that goes with its process in the middle of a call nothing more is said.
        let cut = [" <unfinished ...>", " <detached ...>"];
        let unfinished = cut.iter().find_map(|it| rest.strip_suffix(it));
        let given = unfinished.unwrap_or_else(|| match rest.rsplit_once(") = ") {
            Some((given, _)) => given,
            None => {
                panic!("no value: {line:.200} … {:?}", line.get(line.len().saturating_sub(60)..))
            }
        });
        let args: Vec<String> = given.trim_end_matches(',').split(", ").map(String::from).collect();
        events.push(Event::Begun { thread, call: call.clone(), args: args.clone() });
        match unfinished {
            Some(_) => drop(begun.insert(thread, (call, args))),
            None => {
                let value = value(rest);
                events.push(Event::Returned { thread, call, args, value });
            }
        }
    }
    events
}

/// What a call has returned; -1 for one that the end of the process has cut off.
fn value(rest: &str) -> i64 {
    let said = rest.rsplit_once(" = ").expect("a value").1;
    let word = said.split_whitespace().next().unwrap_or_default();
    match word.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).unwrap_or(-1),
        None => word.parse().unwrap_or(-1),
    }
}

/// The bytes of an argument.
pub(crate) fn bytes(arg: &str) -> Vec<u8> {
    let inside = arg.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
    let inside = inside.unwrap_or_else(|| panic!("no bytes: {arg:.80}"));
    let digit = |it: u8| match it {
        b'0'..=b'9' => it - b'0',
        b'a'..=b'f' => it - b'a' + 10,
        _ => panic!("no digit: {it}"),
    };
    inside.as_bytes().chunks_exact(4).map(|it| digit(it[2]) << 4 | digit(it[3])).collect()
}
