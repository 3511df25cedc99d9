//! The imports at the top of an action. `time` and `random` are ours and need none, but whoever
//! writes Python imports them out of habit.

use std::borrow::Cow;

/// The modules [`super::ambient`] plays.
pub(super) const PLAYED: [&str; 2] = ["time", "random"];

/// The source without the imports of modules that are already there; line by line, so that every
/// line keeps its number. Looks no further than the first line that is neither import, comment nor
/// empty: beyond it could be inside of a string.
pub(super) fn without_played(source: &str) -> Cow<'_, str> {
    let mut lines = Vec::new();
    let mut rest = source;
    let mut changed = false;
    while let Some((line, after)) = rest.split_once('\n').or(Some((rest, ""))) {
        if rest.is_empty() || !is_preamble(line) {
            break;
        }
        let line = rewritten(line).map_or(Cow::Borrowed(line), |line| {
            changed = true;
            Cow::Owned(line)
        });
        lines.push(line);
        rest = after;
    }
    if !changed {
        return Cow::Borrowed(source);
    }
    lines.push(Cow::Borrowed(rest));
    Cow::Owned(lines.join("\n"))
}

fn is_preamble(line: &str) -> bool {
    let begins = |word: &str| line.starts_with(word) && !line.ends_with(['\\', '(']);
    line.trim().is_empty() || line.starts_with('#') || begins("import ") || begins("from ")
}

/// `import json, time as t` as `import json; t = time`, if it imports one of ours.
fn rewritten(line: &str) -> Option<String> {
    let names = line.strip_prefix("import ")?.split('#').next()?;
    if names.contains(';') {
        return None;
    }
    let (mut left, mut bound) = (Vec::new(), Vec::new());
    for name in names.split(',').map(str::trim) {
        match name.split_once(" as ") {
            Some((module, alias)) if PLAYED.contains(&module.trim()) => {
                bound.push(format!("{} = {}", alias.trim(), module.trim()));
            }
            None if PLAYED.contains(&name) => bound.push(format!("{name} = {name}")),
            _ => left.push(name),
        }
    }
    if bound.is_empty() {
        return None;
    }
    if !left.is_empty() {
        bound.insert(0, format!("import {}", left.join(", ")));
    }
    Some(bound.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_imports_at_the_top_are_taken_out() {
        for (source, expected) in [
            ("import time", "time = time"),
            ("import time\nimport random\nx = 1", "time = time\nrandom = random\nx = 1"),
            (
                "# why\n\nimport json, time as t  # clock\nt.time()",
                "# why\n\nimport json; t = time\nt.time()",
            ),
            (
                "from json import dumps\nimport random\n",
                "from json import dumps\nrandom = random\n",
            ),
        ] {
            assert_eq!(without_played(source).trim_end(), expected.trim_end(), "{source}");
        }
        for same in [
            "",
            "\n",
            "import json\nimport re",
            "x = '''\nimport time\n'''",
            "from time import sleep",
            "import timeit",
            "import json; import time",
            "def f():\n    import time",
        ] {
            assert_eq!(without_played(same), same);
        }
    }
}
