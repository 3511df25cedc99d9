//! Screens, as they are seen: snapshots, and what must hold of every one of them.

use crate::harness::Place;
use crate::{PLAIN, Set, cells, id, seen};

/// The end of an id, and when something was, in words that are the same each time.
fn masked(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut line = line.to_owned();
        let words: Vec<String> = line
            .split(|it: char| !it.is_ascii_alphanumeric())
            .filter(|it| it.len() == 8 && *it != "METADATA")
            .filter(|it| it.chars().all(|it| it.is_ascii_digit() || it.is_ascii_uppercase()))
            .map(str::to_owned)
            .collect();
        // Where in the log it stands depends on what an agent did at the same time.
        let digits = line.trim_start_matches(' ').chars().take_while(char::is_ascii_digit).count();
        if digits > 0 && line.starts_with("  ") {
            line = format!("   NN{}", &line.trim_start_matches(' ')[digits..]);
        }
        for word in words {
            line = line.replace(&word, "ID-ID-ID");
        }
        out += &ages(&line);
        out.push('\n');
    }
    out
}

/// `3 s ago` and `now` take the same room, and say the same.
fn ages(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, behind)) = age(rest) {
        let gap = behind.len() - behind.trim_start_matches(' ').len();
        let told = rest.len() - before.len() - behind.len();
        out += before;
        out += "AGO";
        // Within a table it stands in eight cells.
        out += &" ".repeat(if gap > 1 { (gap + told).saturating_sub(3) } else { gap });
        rest = behind.trim_start_matches(' ');
    }
    out + rest
}

fn age(text: &str) -> Option<(&str, &str)> {
    if let Some(at) = text.find(" s ago") {
        let digits = text[..at].chars().rev().take_while(char::is_ascii_digit).count();
        return Some((&text[..at - digits], &text[at + " s ago".len()..]));
    }
    let at = text
        .find("now ")
        .or_else(|| text.find("now,"))
        .or_else(|| text.strip_suffix("now").map(str::len))
        .filter(|at| text[..*at].chars().next_back().is_none_or(|it| it == ' '))?;
    Some((&text[..at], &text[at + "now".len()..]))
}

/// A day's work: two spaces, tasks of all kinds, a helper who has done something.
fn setting() -> Place {
    let place = Place::new();
    place.json(&["space", "create", "tasks", "--description", "What is to be done, and by whom"]);
    place.json(&["space", "create", "how", "--declare", "kind:text"]);
    let task = "Water the plants on the balcony, in the kitchen and those that stand at the window";
    let first = id(&place, &["put", "tasks", task, "--meta", "status=pending"]);
    let blocked = format!("blocked_by={first}");
    let paint = ["put", "tasks", "Paint the fence", "--meta", "status=open", "--ref", &blocked];
    let second = id(&place, &paint);
    place.json(&["update", &second, "Paint the fence green", "--force", "--comment", "green"]);
    let third = id(&place, &["put", "tasks", "日本語のとても長い題名 עברית"]);
    place.json(&["deprecate", &third, "--force", "--comment", "nobody reads it"]);
    place.json(&["grant", "tasks", "reviewer", "append"]);
    place.json(&["put", "tasks", "By somebody else", "--as", "reviewer"]);
    place.json(&["grant", "tasks", "visitor", "read"]);
    place.json(&["revoke", "tasks", "visitor", "--reason", "she has left"]);
    place.json(&["lease", "acquire", "tasks", "deploy/production", "--intent", "roll out"]);
    place.json(&["subscription", "add", "tasks", "--type", "atom.put", "--cursor", "0"]);
    let code = "```python\natom = space.put('seen')\nprint('done')\nspace.get(atom.id)\n```";
    place.json(&["put", "how", code]);
    let spawn = ["spawn", "keep watch over all that happens here and tell about it", "--name"];
    let more = ["guard", "--instructions", "how", "--spaces", "tasks=append"];
    place.json(&[&spawn[..], &more[..]].concat());
    place
}

const SCREENS: &[&[&str]] = &[
    &["space", "list"],
    &["search", "tasks"],
    &["search", "tasks", "something green", "--include-deprecated"],
    &["history", "tasks"],
    &["lease", "list", "tasks"],
    &["subscription", "list"],
    &["agent", "list"],
    &["access", "tasks"],
    &["session", "list"],
    &["agent", "log", "guard"],
    &["search", "tasks", "--meta", "status=done"],
    &["lease", "list", "how"],
];

#[test]
fn screens_read_so() {
    let place = setting();
    for width in [40, 80, 140] {
        let mut whole = String::new();
        for args in SCREENS {
            let text = seen(&place, width, PLAIN, args);
            whole += &format!("$ stoa {}\n{}\n", args.join(" "), masked(&text));
        }
        insta::assert_snapshot!(format!("screens_{width}"), whole);
    }
}

#[test]
fn no_line_is_wider_than_its_terminal() {
    let place = setting();
    let long = "אבג דהו ".repeat(40);
    place.json(&["put", "tasks", &long, "--annotation", &"長い".repeat(80)]);
    place.json(&["put", "tasks", &"x".repeat(300), "--meta", &format!("k={}", "y".repeat(90))]);
    let widths: [(u16, &[Set], usize); 6] = [
        (40, PLAIN, 40),
        (20, PLAIN, 20),
        (3, PLAIN, 20),
        (0, PLAIN, 80),
        (120, &[Set("NO_COLOR", "1"), Set("COLUMNS", "60")], 60),
        (90, &[Set("NO_COLOR", "1"), Set("COLUMNS", "99999999999")], 90),
    ];
    for (width, set, most) in widths {
        for args in SCREENS {
            let text = seen(&place, width, set, args);
            let wide: Vec<&str> = text.lines().filter(|it| cells(it) > most).collect();
            assert!(wide.is_empty(), "{args:?} at {width}: {wide:#?}");
        }
    }
    let whole = seen(&place, 40, PLAIN, &["search", "tasks", "--no-trunc"]);
    assert!(whole.contains(&"長い".repeat(80)) && whole.contains(&"y".repeat(90)), "{whole}");
}

#[test]
fn who_is_no_terminal_gets_everything_with_tabs_between() {
    let place = setting();
    let long = "長い ".repeat(100);
    place.json(&["put", "tasks", "a\ttab\nand more", "--annotation", &long]);
    let found = place.stoa(&["search", "tasks"]).out;
    let lines: Vec<Vec<&str>> = found.lines().map(|it| it.split('\t').collect()).collect();
    assert!(lines.len() >= 4 && lines.iter().all(|it| it.len() == 7), "{found}");
    assert!(found.contains(long.trim_end()) && !found.contains('…'), "{found}");
    assert_eq!(lines[0][0], "", "nothing was searched for, so nothing fits better");
    let ranked = place.stoa(&["search", "tasks", "green"]).out;
    assert!(ranked.lines().all(|it| it.split('\t').next() != Some("")), "{ranked}");
    let spaces = place.stoa(&["space", "list"]).out;
    assert!(spaces.lines().any(|it| it.starts_with("tasks\tgrant\t")), "{spaces}");
    // What happens is JSON Lines there, and times are those of programs everywhere.
    for args in [&["history", "tasks"][..], &["agent", "log", "guard"]] {
        assert_eq!(place.stoa(args).lines(), place.json(args), "{args:?}");
    }
    let leases = place.stoa(&["lease", "list", "tasks"]).out;
    assert!(leases.contains("Z\t") && !leases.contains(" m"), "{leases}");
}

#[test]
fn a_terminal_that_can_do_little_is_asked_for_little() {
    let place = setting();
    let build_server = &[Set("TERM", "dumb"), Set("CI", "true")];
    for set in [&[Set("TERM", "dumb")][..], build_server, &[Set("NO_COLOR", "1")]] {
        for args in SCREENS {
            let text = seen(&place, 80, set, args);
            assert!(!text.contains('\u{1b}'), "{args:?}: {text:?}");
        }
    }
    let coloured = seen(&place, 80, &[], &["history", "tasks"]);
    assert!(coloured.contains("\u{1b}[36matom.put\u{1b}[0m"), "new: {coloured:?}");
    assert!(coloured.contains("\u{1b}[31matom.deprecated\u{1b}[0m"), "out of use: {coloured:?}");
    let never = seen(&place, 80, &[], &["--color", "never", "history", "tasks"]);
    assert!(!never.contains('\u{1b}'), "{never:?}");
    let piped = place.stoa(&["space", "list", "--color=always"]).out;
    assert!(piped.contains("\u{1b}[1mtasks\u{1b}[0m\t"), "{piped:?}");
    let wrong = place.stoa(&["space", "list", "--color", "perhaps"]);
    assert_eq!(wrong.code, 2, "{wrong:?}");
}

#[test]
fn agents_are_a_tree() {
    let place = Place::new();
    place.json(&["space", "create", "how"]);
    let below = "coordinator.spawn('below', name=f'{task}-{n}', instructions='how')";
    let code =
        format!("```python\nif task != 'below':\n    for n in range(2):\n        {below}\n```");
    place.json(&["put", "how", &code]);
    for name in ["one", "two"] {
        let spaces = ["--instructions", "how", "--spaces", "how=read:read"];
        place.json(&[&["spawn", name, "--name", name][..], &spaces[..]].concat());
    }
    let tree = seen(&place, 80, PLAIN, &["agent", "tree"]);
    let rows = tree.lines().filter(|it| !it.starts_with("note: "));
    let drawn: Vec<&str> = rows.filter_map(|it| it.split("  ").next()).collect();
    let two = ["NAME", "one", "├─ one-0", "└─ one-1", "two", "├─ two-0", "└─ two-1"];
    assert_eq!(drawn, two, "{tree}");
}

#[test]
fn prose_is_broken_at_words_and_data_is_not() {
    let place = Place::new();
    place.json(&["space", "create", "s"]);
    let words = "wonderful sentences of several words each ".repeat(12);
    let text = format!("{words}\n    indented {words}");
    let atom = id(&place, &["put", "s", &text]);
    let got = seen(&place, 40, PLAIN, &["get", &atom]);
    let body = got.split_once("\n\n").unwrap().1;
    assert!(body.lines().all(|it| cells(it) <= 40), "{got}");
    assert!(body.lines().any(|it| it.starts_with("    ") && it.contains("several")), "{got}");
    let joined: Vec<&str> = body.split_whitespace().collect();
    assert_eq!(joined, text.split_whitespace().collect::<Vec<_>>());
    assert!(place.stoa(&["get", &atom]).out.ends_with(&format!("\n\n{text}\n")));
    let wrong = seen_with_error(&place, &["search", "s", "--after", "no cursor of a page"]);
    assert!(wrong.lines().all(|it| cells(it) <= 40 || it.starts_with("hint:")), "{wrong}");
}

fn seen_with_error(place: &Place, args: &[&str]) -> String {
    let (text, code) = crate::Terminal::begin(place, 40, PLAIN, args).end();
    assert_ne!(code, 0, "{text}");
    text
}

#[test]
fn nothing_of_the_progress_stays() {
    let place = setting();
    let text = seen(&place, 80, PLAIN, &["export", "tasks", "--to", "tasks.jsonl"]);
    // What is left on the line when all that was written over it is gone.
    let left = text.rsplit('\r').next().unwrap_or_default().replace("\u{1b}[2K", "");
    assert!(left.trim().starts_with("exported ") && left.lines().count() == 1, "{text:?}");
    let dumb = seen(&place, 80, &[Set("TERM", "dumb")], &["export", "tasks", "--to", "again"]);
    assert!(dumb.starts_with("exported ") && !dumb.contains('\u{1b}'), "{dumb:?}");
}

#[test]
fn only_what_was_asked_for_is_printed_where_it_is_to_be_quiet() {
    let place = setting();
    let quiet = |args: &[&str]| {
        let ended = place.stoa(&[args, &["-q"]].concat());
        assert_eq!((ended.code, &*ended.err), (0, ""), "{args:?}: {ended:?}");
        ended.out
    };
    let put = quiet(&["put", "tasks", "quietly"]);
    let atom = put.trim_end();
    assert_eq!((put.lines().count(), atom.len()), (1, 26), "{put:?}");
    assert_eq!(quiet(&["get", atom]), "quietly\n");
    let found = quiet(&["search", "tasks", "--limit", "2"]);
    assert!(found.lines().count() == 2 && found.lines().all(|it| it.len() == 26), "{found}");
    assert_eq!(quiet(&["search", "tasks", "--meta", "status=done"]), "");
    assert_eq!(quiet(&["revoke", "tasks", "reviewer"]), "");
    assert_eq!(quiet(&["export", "tasks", "--to", "quiet.jsonl"]), "");
    assert_eq!(quiet(&["lease", "list", "tasks"]), "deploy/production\n");
    let json = place.stoa(&["put", "tasks", "x", "-q", "--json"]);
    assert_eq!(json.lines()[0]["content"], "x");
}

#[test]
fn an_error_shows_ids_as_tables_do_and_whole_to_programs() {
    let place = setting();
    let atom = id(&place, &["put", "tasks", "x"]);
    let update = ["update", &atom, "y", "--if-version", "9"];
    let on_terminal = seen_with_error(&place, &update);
    let words = on_terminal.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = |id: &str| format!("atom {id} is at version 1, not 9");
    assert!(words.contains(&said(&atom[18..])), "{on_terminal}");
    assert!(place.stoa(&update).err.contains(&said(&atom)));
    let whole = seen_with_error(&place, &[&update[..], &["--no-trunc"]].concat());
    assert!(whole.contains(&atom), "{whole}");
}

#[test]
fn an_imported_version_says_who_wrote_it_first_and_an_expiry_names_nobody() {
    let place = Place::new();
    place.json(&["space", "create", "tasks"]);
    place.json(&["grant", "tasks", "ann", "write"]);
    place.json(&["put", "tasks", "x", "--as", "ann"]);
    place.stoa(&["export", "tasks", "--to", "tasks.jsonl"]);
    place.json(&["space", "create", "copy"]);
    place.json(&["import", "copy", "tasks.jsonl", "--new-ids"]);
    let line = |kind: &str| {
        let all = seen(&place, 200, PLAIN, &["history", "copy"]);
        let of = all.lines().find(|it| it.contains(kind)).map(str::to_owned);
        of.unwrap_or_else(|| panic!("{kind}: {all}"))
    };
    let imported = line("atom.imported");
    assert!(imported.contains("first written by ann, "), "{imported}");
    place.json(&["grant", "copy", "bob", "read", "--expires", "1s"]);
    let access = ["access", "copy", "--of", "bob"];
    let started = std::time::Instant::now();
    while !place.json(&access).is_empty() {
        assert!(started.elapsed() < crate::LIMIT, "it does not expire");
    }
    // What has expired is recorded by the next one who changes something of rights.
    place.json(&["grant", "copy", "carl", "read"]);
    let expired = line("right.expired");
    let who = expired.split_whitespace().take_while(|it| *it != "right.expired").last();
    assert_eq!(who, Some("-"), "{expired}");
}
