//! Examples of each verb, as its help prints them. A test runs all of them.

/// The verbs, each with command lines that work where the things are that they name.
const EXAMPLES: [(&str, &[&str]); 56] = [
    ("model list", &["stoa model list"]),
    ("model test", &["stoa model test ollama/llama3.2"]),
    (
        "space create",
        &[
            "stoa space create board --description 'What we found'",
            "stoa space create jobs --declare priority:number,blocked_by:relation:acyclic",
        ],
    ),
    ("space describe", &["stoa space describe tasks 'What is to be done' --declare due:text"]),
    ("space list", &["stoa space list"]),
    ("space show", &["stoa space show tasks"]),
    (
        "grant",
        &[
            "stoa grant tasks reviewer read",
            "stoa grant tasks lead write --delegate append --expires 7d --reason 'runs the sprint'",
        ],
    ),
    ("revoke", &["stoa revoke tasks reviewer --reason 'the review is over'"]),
    ("access", &["stoa access tasks", "stoa access --of reviewer"]),
    ("whoami", &["stoa whoami", "stoa --as reviewer whoami"]),
    ("session list", &["stoa session list --all"]),
    (
        "put",
        &[
            "stoa put tasks 'Paint the fence' --meta status=open --meta priority=5",
            "stoa put tasks @notes.md --ref blocked_by=D4NWZ0DT",
            "stoa put tasks --file photo.png --media-type image/png --annotation 'the fence'",
        ],
    ),
    ("get", &["stoa get D4NWZ0DT", "stoa get D4NWZ0DT --version 1"]),
    (
        "update",
        &[
            "stoa update D4NWZ0DT --meta status=done --if-version 2",
            "stoa update D4NWZ0DT 'Buy red paint' --expect status=open --force",
        ],
    ),
    (
        "deprecate",
        &[
            "stoa deprecate D4NWZ0DT --if-version 2 --comment 'bought'",
            "stoa deprecate D4NWZ0DT --superseded-by 3G2ARGW0 --force",
        ],
    ),
    ("erase", &["stoa erase D4NWZ0DT --comment 'asked to forget it' --yes"]),
    ("transaction", &["stoa transaction tasks changes.jsonl --comment 'plan the week'"]),
    (
        "search",
        &[
            "stoa search tasks 'colours' --meta status=open",
            "stoa search tasks --meta 'priority>=3' --order=-priority --limit 20",
            "stoa search tasks --ref blocked_by:status=done --as-of '10m ago'",
        ],
    ),
    (
        "claim",
        &[
            "stoa claim tasks --meta status=open --set status=doing --lease 10m",
            "stoa claim tasks --meta status=open --order=-priority --ref blocked_by:status=done",
        ],
    ),
    ("waits", &["stoa waits 3G2ARGW0 --ref blocked_by:status=done"]),
    ("lease acquire", &["stoa lease acquire tasks deploy/staging --lease 10m --intent 'roll out'"]),
    ("lease renew", &["stoa lease renew tasks deploy/production --token 1 --lease 1h"]),
    (
        "lease release",
        &[
            "stoa lease release tasks deploy/production --token 1",
            "stoa lease release tasks deploy/production --break --yes",
        ],
    ),
    ("lease list", &["stoa lease list tasks"]),
    ("lease watch", &["stoa lease watch tasks --cursor 0 --no-follow"]),
    (
        "subscription add",
        &[
            "stoa subscription add tasks --type atom.put --debounce 30s --expires 7d",
            "stoa subscription add notes --agent guard",
        ],
    ),
    ("subscription list", &["stoa subscription list", "stoa subscription list --agent guard"]),
    (
        "subscription edit",
        &["stoa subscription edit $(stoa subscription list -q) --meta status=open --debounce 0s"],
    ),
    (
        "subscription remove",
        &[
            "stoa subscription remove $(stoa subscription list -q)",
            "stoa subscription remove tasks --agent guard",
        ],
    ),
    ("subscription read", &["stoa subscription read $(stoa subscription list -q) --ack"]),
    ("subscription ack", &["stoa subscription ack $(stoa subscription list -q) 4"]),
    (
        "history",
        &[
            "stoa history tasks --tail 20",
            "stoa history D4NWZ0DT",
            "stoa history --newest --by reviewer",
        ],
    ),
    ("diff", &["stoa diff D4NWZ0DT", "stoa diff D4NWZ0DT 1 2"]),
    ("why", &["stoa why D4NWZ0DT"]),
    (
        "trace",
        &[
            "stoa trace --tail 20",
            "stoa trace sleeper --within 24h --json",
            "stoa trace --follow --to http://localhost:4318 --cursor-file sent",
        ],
    ),
    ("cost", &["stoa cost", "stoa cost --by hour --within 24h", "stoa cost sleeper --by model"]),
    (
        "watch",
        &["stoa watch tasks --cursor 0", "stoa watch tasks --type atom.put --tail 5 --no-follow"],
    ),
    ("research", &["stoa research 'How long does a lease last?' --files notes.md"]),
    (
        "spawn",
        &["stoa spawn 'keep watch' --name helper --instructions how --subscribe tasks \
             --spaces tasks=append"],
    ),
    ("agent list", &["stoa agent list"]),
    ("agent tree", &["stoa agent tree"]),
    ("agent show", &["stoa agent show guard"]),
    ("agent log", &["stoa agent log guard --tail 20 --code"]),
    (
        "agent say",
        &[
            "stoa agent say guard 'Is there anything new?'",
            "stoa agent say guard 'Skip the rest' --now",
        ],
    ),
    (
        "agent stop",
        &["stoa agent stop guard --reason 'not needed today'", "stoa agent stop guard --subtree"],
    ),
    (
        "agent resume",
        &["stoa agent resume sleeper", "stoa agent resume sleeper --budget thoughts=10"],
    ),
    ("agent wipe", &["stoa agent wipe guard --yes"]),
    (
        "exec",
        &[
            "stoa exec work.py --spaces tasks=write",
            "stoa exec work.py --session analyst --spaces tasks=read,notes=append",
        ],
    ),
    ("audit", &["stoa audit"]),
    ("doctor", &["stoa doctor"]),
    ("export", &["stoa export tasks --to board.jsonl"]),
    (
        "import",
        &["stoa import notes tasks.jsonl --new-ids", "stoa import tasks tasks.jsonl --merge"],
    ),
    ("backup", &["stoa backup ../stoa.backup", "stoa backup old.backup --verify"]),
    ("restore", &["stoa --data copy restore old.backup"]),
    ("trust", &["stoa trust --show", "stoa trust"]),
    ("status", &["stoa status"]),
];

/// Of verbs that need no data directory, or keep it open.
const OTHERS: [(&str, &[&str]); 4] = [
    ("serve", &["stoa serve"]),
    ("schema", &["stoa schema put"]),
    ("completions", &["stoa completions bash > stoa.bash"]),
    ("man", &["stoa man man1"]),
];

const EXIT_CODES: &str = "\
Exit codes:
  0 done, 1 the store failed, 2 invalid arguments or over a limit, 3 not found or not visible,
  4 permission denied, 5 conflict: read again and retry, 6 busy: retry, 7 the agent's code failed";

/// What stands at the end of the help of a verb.
pub(super) fn after(verb: &str) -> String {
    let mut all = EXAMPLES.iter().chain(&OTHERS);
    let examples = all.find(|it| it.0 == verb).map_or(&[][..], |it| it.1);
    let lines: Vec<String> = examples.iter().map(|it| format!("  {it}")).collect();
    match lines.len() {
        0 => EXIT_CODES.to_owned(),
        1 => format!("Example:\n{}\n\n{EXIT_CODES}", lines.join("\n")),
        _ => format!("Examples:\n{}\n\n{EXIT_CODES}", lines.join("\n")),
    }
}
