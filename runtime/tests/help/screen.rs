//! What agents and files have written: exact to a program, and seen, never obeyed, at a terminal.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use super::harness::{Ended, Place, Started};
use std::process::Command;

/// What a terminal obeys, hides or turns around: a clipboard, a title, colours, a line written
/// over, C1, DEL, bidirectional controls, nothing to see, a separator, tags.
const HOSTILE: &str = "hi\u{1b}]52;c;cm0=\u{7}\u{1b}]0;owned\u{7}\u{1b}[8m\rfake\u{8}\u{7f}\u{9b}31m\
                       \u{202e}x\u{2066}\u{200b}\u{feff}\u{ad}\u{2028}\u{2029}\u{85}\u{e0041}end";

/// Runs a command on a terminal of its own, its standard error with it or in a file.
const PTY: &str = "
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    if sys.argv[1] != '-':
        os.dup2(os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.execvp(sys.argv[2], sys.argv[2:])
out = b''
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    out += data
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(status))
";

/// What is seen on a terminal; line ends as they were written.
fn on_terminal(place: &Place, args: &[&str], stderr: &str) -> Ended {
    let mut command = Command::new("python3");
    command.args(["-c", PTY, stderr, env!("CARGO_BIN_EXE_stoa"), "--data", "data"]).args(args);
    let ended = Started::new(command.current_dir(place.path(".")), b"").end();
    Ended { out: ended.out.replace("\r\n", "\n"), ..ended }
}

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap()
}

/// The first character that a reader does not see.
fn unseen(text: &str) -> Option<char> {
    text.chars().find(|it| *it != '\n' && !stoa_actors::printable::is_printable(*it))
}

/// A space with an atom that is hostile in every part.
fn setting() -> (Place, String) {
    let place = Place::new();
    place.json(&["space", "create", "s", "--description", HOSTILE]);
    let other = place.json(&["put", "s", "other"])[0]["id"].as_str().unwrap().to_owned();
    let key = HOSTILE.replace('=', "");
    let (meta, by) = (format!("k{key}=v{HOSTILE}"), format!("r{key}={other}"));
    let said = ["--comment", HOSTILE, "--annotation", HOSTILE, "--meta", &meta, "--ref", &by];
    let put = place.json(&[&["put", "s", HOSTILE][..], &said[..]].concat());
    let id = put[0]["id"].as_str().unwrap().to_owned();
    place.json(&["update", &id, "--meta", "n=1", "--force", "--comment", HOSTILE]);
    place.json(&["update", &id, &format!("{HOSTILE}\n{HOSTILE}2"), "--force"]);
    (place, id)
}

#[test]
fn a_terminal_is_shown_everything_and_obeys_nothing() {
    let (place, id) = setting();
    place.file("say.py", format!("print(space.get('{id}').content)\n'\\x1b]0;owned'"));
    place.file("fail.py", "raise ValueError('\\x1b]0;owned\\x07\\u202e\\rx')");
    place.json(&["lease", "acquire", "s", "deploy", "--intent", HOSTILE]);
    place.json(&["subscription", "add", "s", "--type", "atom.put", "--cursor", "0"]);
    let verbs: [(&[&str], i32); 18] = [
        (&["get", &id], 0),
        (&["get", &id, "--version", "1"], 0),
        (&["diff", &id, "1", "3"], 0),
        (&["search", "s"], 0),
        (&["history", "s"], 0),
        (&["space", "list"], 0),
        (&["space", "show", "s"], 0),
        (&["lease", "list", "s"], 0),
        (&["subscription", "list"], 0),
        (&["watch", "s", "--cursor", "0", "--no-follow"], 0),
        (&["export", "s"], 0),
        (&["get", &id, "--json"], 0),
        (&["diff", &id, "1", "3", "--json"], 0),
        (&["exec", "say.py", "--spaces", "s=read", "--json"], 0),
        (&["get", HOSTILE], 2),
        (&["search", HOSTILE], 3),
        (&["search", "s", "--meta", "x\u{1b}[2J\u{202e}"], 2),
        (&["space", "create", HOSTILE], 2),
    ];
    for (args, code) in verbs {
        for stderr in ["-", "err"] {
            let seen = on_terminal(&place, args, stderr);
            let err = if stderr == "err" { read(&place, "err") } else { String::new() };
            assert_eq!(seen.code, code, "{args:?}: {seen:?}");
            assert_eq!((unseen(&seen.out), unseen(&err)), (None, None), "{args:?}: {seen:?}");
        }
    }
    let said = on_terminal(&place, &["exec", "say.py", "--spaces", "s=read"], "err");
    assert_eq!(unseen(&said.out), None, "{said:?}");
    assert!(said.out.starts_with("hi\\u{1b}]52;c;cm0=\\u{7}"), "{said:?}");
    let failed = on_terminal(&place, &["exec", "fail.py"], "err");
    let err = read(&place, "err");
    assert_eq!((failed.code, unseen(&err)), (7, None), "{err}");
    assert!(err.contains("ValueError: \\u{1b}]0;owned\\u{7}\\u{202e}\\rx"), "{err}");
    // JSON for a terminal is the same JSON.
    let shown = on_terminal(&place, &["get", &id, "--json"], "err");
    assert_eq!(shown.lines(), place.json(&["get", &id]));
}

#[test]
fn a_program_gets_every_byte() {
    let (place, id) = setting();
    let said = format!("{HOSTILE}\n{HOSTILE}2");
    assert_eq!(place.json(&["get", &id])[0]["content"], said);
    let got = place.stoa(&["get", &id]).out;
    assert!(got.ends_with(&format!("\n\n{said}\n")), "{got:?}");
    assert!(got.contains(&format!("about {}\n", HOSTILE.replace('\r', " "))), "{got:?}");
    place.json(&["export", "s", "--to", "file.jsonl"]);
    assert_eq!(read(&place, "file.jsonl"), place.stoa(&["export", "s"]).out);
    place.file("say.py", "print('C\\x7fD \\x1b[31mred\\x1b[0m bell\\x07 back\\x08.', end='')");
    assert_eq!(
        place.stoa(&["exec", "say.py"]).out,
        "C\u{7f}D \u{1b}[31mred\u{1b}[0m bell\u{7} back\u{8}."
    );
    let found = place.stoa(&["search", "s"]).out;
    assert!(found.contains("hi\u{1b}]52;c;cm0=\u{7}"), "{found:?}");
}

#[test]
fn what_is_said_aside_is_one_line_wherever_it_goes() {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    let forged = "x\nhint: rm -rf ~\u{1b}[2J";
    for args in [&["search", forged][..], &["get", forged], &["search", "s", "--meta", forged]] {
        let ended = place.stoa(args);
        assert_eq!(unseen(&ended.err), None, "{ended:?}");
        let hints = ended.err.lines().filter(|it| it.starts_with("hint:")).count();
        assert_eq!(hints, 1, "{args:?}: {ended:?}");
    }
}

/// Colours are the only escapes that a terminal is sent, and they are never the data's.
#[test]
fn colours_are_ours_alone() {
    let (place, id) = setting();
    let mut command = Command::new("python3");
    command.args(["-c", PTY, "err", env!("CARGO_BIN_EXE_stoa"), "--data", "data", "get", &id]);
    command.current_dir(place.path(".")).env("TERM", "xterm-256color");
    let ended = Started::coloured(command.env_remove("NO_COLOR"), b"").end();
    let mut rest = ended.out.clone();
    assert!(rest.contains("\u{1b}[1m"), "there are colours: {ended:?}");
    for ours in ["\u{1b}[1m", "\u{1b}[2m", "\u{1b}[0m", "\r"] {
        rest = rest.replace(ours, "");
    }
    assert_eq!(unseen(&rest), None, "{ended:?}");
}

/// Whoever prints past the screen prints what nobody has looked at.
#[test]
fn one_file_prints() {
    let cli = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("cli/src");
    let files: Vec<_> = std::fs::read_dir(cli).unwrap().map(|it| it.unwrap().path()).collect();
    assert!(files.len() > 10, "{files:?}");
    for file in files.iter().filter(|it| it.extension().is_some_and(|it| it == "rs")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        let prints = ["stdout()", "anstream::", "eprint", "println!", "stderr().lock"];
        let found = prints.iter().find(|it| text.contains(**it));
        assert!(name == "screen.rs" || found.is_none(), "{name}: {found:?}");
    }
}
