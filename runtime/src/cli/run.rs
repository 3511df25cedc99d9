//! From what was typed to a request, and from the answers to the terminal.

use super::args::{Args, BaseArgs, BodyArgs, SpaceVerb, Verb, WhyArgs};
use super::pairs::{conditions, metadata, pair, references};
use super::{json, print};
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use stoa_actors::atom::Content;
use stoa_actors::code::Ending;
use stoa_actors::id::{AtomId, Millis, Position};
use stoa_actors::limits::Limits;
use stoa_actors::rights::Level;
use stoa_actors::search::{Order, Query};
use stoa_actors::space::{Draft, Expect, Filter, Patch};
use stoa_actors::value::Value;
use stoa_runtime::caller::{Grant, HistoryQuery, Why};
use stoa_runtime::config::Config;
use stoa_runtime::door::{Answer, AuditAsk, Call, Door, ExecAsk, Reached, Request, perform, reach};
use stoa_runtime::problem::{Kind, Problem};
use stoa_runtime::runtime::{Runtime, kinds};
use stoa_runtime::store;

pub(crate) async fn run(args: Args) -> Result<(), Problem> {
    let data = data_directory(args.data.clone())?;
    let config = Config::at(&data);
    match &args.verb {
        Verb::Doctor { accept_loss } => return doctor(&config, accept_loss.as_deref(), args.json),
        Verb::Serve => {}
        verb if !makes_directory(verb) && !data.join("format").exists() => {
            let text = format!("there is no stoa data in {}", data.display());
            return Err(Problem::new(Kind::Unknown, text).hint("stoa space create NAME"));
        }
        _ => {}
    }
    let serving = matches!(args.verb, Verb::Serve);
    let mut out = Out { json: args.json || matches!(args.verb, Verb::Watch { .. }), failed: None };
    let acting_as = args.acting_as;
    let request = match args.verb {
        Verb::Serve => None,
        verb => Some(Request { acting_as, call: call(verb)? }),
    };
    match reach(config, kinds()).await? {
        Reached::Client(_) if serving => {
            Err(Problem::new(Kind::Busy, "another process serves this directory already")
                .hint("stoa status"))
        }
        Reached::Client(mut client) => match request {
            Some(request) => {
                client.ask(&request, |answer| out.tell(&answer)).await?;
                out.end()
            }
            None => Ok(()),
        },
        Reached::Owner(runtime, door) => own(runtime, door, request, out).await,
    }
}

/// This process has the directory: its own verb first, then it stays for those who came.
async fn own(
    runtime: Runtime,
    door: Door,
    request: Option<Request>,
    mut out: Out,
) -> Result<(), Problem> {
    let done = tokio::select! {
        done = answer(&runtime, request, &mut out) => done,
        error = runtime.run() => Err(error.into()),
        () = interrupted() => Ok(()),
    };
    tokio::select! {
        () = door.close() => {}
        _ = runtime.run() => {}
        () = interrupted() => {}
    }
    let stopped = runtime.stop().await;
    done?;
    stopped?;
    out.end()
}

async fn answer(runtime: &Runtime, request: Option<Request>, out: &mut Out) -> Result<(), Problem> {
    let Some(request) = request else {
        if io::stderr().is_terminal() {
            let text = "serving; interrupt to stop";
            drop(writeln!(anstream::stderr(), "{text}"));
        }
        return std::future::pending().await;
    };
    let (answers, mut ready) = tokio::sync::mpsc::channel(64);
    let work = perform(runtime, request, answers);
    let print = async {
        while let Some(answer) = ready.recv().await {
            out.tell(&answer).map_err(|error| Problem::new(Kind::Store, error))?;
        }
        Ok(())
    };
    let (done, printed) = tokio::join!(work, print);
    done.and(printed)
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}

struct Out {
    json: bool,
    /// What makes the command fail although it was answered.
    failed: Option<Problem>,
}

impl Out {
    fn tell(&mut self, answer: &Answer) -> io::Result<()> {
        let mut to = anstream::stdout().lock();
        if self.json {
            writeln!(to, "{}", json::answer(answer))?;
        } else {
            print::answer(&mut to, answer)?;
        }
        to.flush()?;
        match answer {
            Answer::Outcome(outcome) => {
                if let Some(notice) = &outcome.notice {
                    drop(writeln!(anstream::stderr(), "note: {notice}"));
                }
                if let Ending::Failed { traceback, .. } = &outcome.ending {
                    self.failed = Some(
                        Problem::new(Kind::Action, traceback.trim_end())
                            .hint("stoa exec FILE --spaces NAME=LEVEL --json"),
                    );
                }
            }
            Answer::Audited(audited) if !audited.breaches.is_empty() => {
                let text = format!("{} laws do not hold", audited.breaches.len());
                self.failed = Some(Problem::new(Kind::Store, text).hint("stoa doctor"));
            }
            _ => {}
        }
        Ok(())
    }

    fn end(self) -> Result<(), Problem> {
        self.failed.map_or(Ok(()), Err)
    }
}

fn makes_directory(verb: &Verb) -> bool {
    matches!(verb, Verb::Space(SpaceVerb::Create { .. }) | Verb::Exec { .. })
}

fn data_directory(given: Option<PathBuf>) -> Result<PathBuf, Problem> {
    if let Some(given) = given {
        return Ok(given);
    }
    let here = std::env::current_dir()
        .map_err(|error| Problem::new(Kind::Store, format!("no working directory: {error}")))?;
    let upward = here.ancestors().map(|it| it.join(".stoa")).find(|it| it.is_dir());
    Ok(upward.unwrap_or_else(|| here.join(".stoa")))
}

fn doctor(config: &Config, accept_loss: Option<&str>, as_json: bool) -> Result<(), Problem> {
    let mut to = anstream::stdout().lock();
    let written = match accept_loss {
        None => {
            let entries = store::rebuild(config, &kinds())?;
            if as_json {
                writeln!(to, "{}", serde_json::json!({"rebuilt_from_entries": entries}))
            } else {
                writeln!(to, "everything derived is derived anew from {entries} entries")
            }
        }
        Some(head) => {
            let loss = store::accept_loss(config, head, &kinds()).map_err(|error| {
                let hint = match &error {
                    store::AcceptError::OtherHead { head, .. } => {
                        format!("stoa doctor --accept-loss {head}")
                    }
                    _ => "stoa audit".to_owned(),
                };
                Problem::new(Kind::Invalid, error).hint(hint)
            })?;
            if as_json {
                let (kept, breach) = (loss.kept.to_string(), loss.breach.to_string());
                let removed = loss.removed;
                writeln!(
                    to,
                    "{}",
                    serde_json::json!({"kept": kept, "removed": removed, "breach": breach})
                )
            } else {
                writeln!(
                    to,
                    "going on from {}; {} entries behind it are removed",
                    loss.kept, loss.removed
                )
            }
        }
    };
    written.map_err(|error| Problem::new(Kind::Store, error))
}

fn call(verb: Verb) -> Result<Call, Problem> {
    Ok(match verb {
        Verb::Space(SpaceVerb::Create { name, description }) => {
            Call::CreateSpace { name, description }
        }
        Verb::Space(SpaceVerb::List) => Call::Spaces,
        Verb::Space(SpaceVerb::Show { name }) => Call::Space { name },
        Verb::Grant { space, session: to, level, delegate, expires, reason } => {
            let expires = expires.as_deref().map(after).transpose()?;
            Call::Grant { space, to, grant: Grant { level, delegate, expires, reason } }
        }
        Verb::Revoke { space, session: from, reason } => Call::Revoke { space, from, reason },
        Verb::Put { space, body, why } => {
            let comment = format!("put into {space}");
            Call::Put { space, draft: draft(body)?, why: self::why(why, comment) }
        }
        Verb::Get { id, version } => Call::Get { id, version },
        Verb::Update { id, body, base, why } => {
            let (expect, why) = (expect(id, &base)?, self::why(why, format!("update {id}")));
            Call::Update { id, expect, patch: patch(body)?, why }
        }
        Verb::Deprecate { id, superseded_by, base, why } => {
            let (expect, why) = (expect(id, &base)?, self::why(why, format!("deprecate {id}")));
            Call::Deprecate { id, expect, superseded_by, why }
        }
        Verb::History { of, after, limit } => match of.parse::<AtomId>() {
            Ok(id) => Call::AtomHistory { id },
            Err(_) => {
                Call::History { space: of, query: HistoryQuery { after: Position(after), limit } }
            }
        },
        Verb::Search {
            space,
            query: text,
            meta,
            references,
            limit,
            include_deprecated,
            newest,
        } => {
            let order = if newest { Order::Newest } else { Order::Oldest };
            let (metadata, references) = (metadata(&meta)?, conditions(&references)?);
            let query = Query { text, metadata, references, limit, include_deprecated, order };
            Call::Search { space, query }
        }
        Verb::Watch { space, cursor, no_follow, types, meta } => {
            let filter = Filter { types, metadata: metadata(&meta)? };
            Call::Watch { space, after: cursor.map(Position), filter, follow: !no_follow }
        }
        Verb::Exec { file, spaces, session } => {
            let spaces = spaces.iter().map(|it| space_level(it)).collect::<Result<_, _>>()?;
            Call::Exec(ExecAsk { source: source(&file)?, spaces, session })
        }
        Verb::Status => Call::Status,
        Verb::Audit => Call::Audit(AuditAsk::Whole),
        Verb::Doctor { .. } | Verb::Serve => unreachable!("not asked of an owner"),
    })
}

fn why(args: WhyArgs, default: String) -> Why {
    Why { comment: args.comment.unwrap_or(default), key: args.key, ..Why::default() }
}

fn expect(id: AtomId, base: &BaseArgs) -> Result<Expect, Problem> {
    match (base.if_version, base.force) {
        (Some(version), _) => Ok(Expect::Version(version)),
        (None, true) => Ok(Expect::Any),
        (None, false) => {
            let text = "say which version you have read, so that nobody's change is lost";
            Err(Problem::new(Kind::Invalid, text)
                .hint(format!("stoa get {id}, then --if-version N (or --force)")))
        }
    }
}

fn draft(body: BodyArgs) -> Result<Draft, Problem> {
    Ok(Draft {
        content: content(&body)?.unwrap_or_default(),
        annotation: body.annotation.clone().unwrap_or_default(),
        metadata: metadata(&body.meta)?.into_iter().filter(|(_, it)| *it != Value::Null).collect(),
        references: references(&body.references)?,
        embedding: None,
    })
}

fn patch(body: BodyArgs) -> Result<Patch, Problem> {
    Ok(Patch {
        content: content(&body)?,
        annotation: body.annotation.clone(),
        metadata: metadata(&body.meta)?,
        references: references(&body.references)?,
        embedding: None,
    })
}

fn content(body: &BodyArgs) -> Result<Option<Content>, Problem> {
    if let Some(text) = &body.json_content {
        return Ok(Some(Content::Json(json::parse(text)?)));
    }
    let bytes = match (&body.text, &body.file) {
        (Some(dash), _) if dash == "-" => read(io::stdin().lock(), "stdin")?,
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(path)) => {
            let file = std::fs::File::open(path).map_err(|error| {
                let text = format!("cannot read {}: {error}", path.display());
                Problem::new(Kind::Invalid, text).hint("stoa put SPACE --file PATH")
            })?;
            read(file, &path.display().to_string())?
        }
        (None, None) => return Ok(None),
    };
    if let Some(media_type) = &body.media_type {
        return Ok(Some(Content::Bytes { media_type: media_type.clone(), bytes }));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Problem::new(Kind::Invalid, format!("the content is not UTF-8 text (byte {at})"))
            .hint("stoa put SPACE --file PATH --media-type application/octet-stream")
    })?;
    Ok(Some(Content::Text(text)))
}

fn read(from: impl Read, name: &str) -> Result<Vec<u8>, Problem> {
    let max = Limits::default().content_bytes_max;
    let mut bytes = Vec::new();
    from.take(max as u64 + 1).read_to_end(&mut bytes).map_err(|error| {
        Problem::new(Kind::Invalid, format!("cannot read {name}: {error}"))
            .hint("stoa put SPACE --file PATH")
    })?;
    if bytes.len() > max {
        let text = format!("{name} is larger than an atom may be ({max} bytes)");
        return Err(Problem::new(Kind::Invalid, text).hint("split -b 8M FILE, and put the parts"));
    }
    Ok(bytes)
}

fn space_level(text: &str) -> Result<(String, Level), Problem> {
    let (name, level) = pair(text, "--spaces", "NAME=LEVEL")?;
    let level = level.parse().map_err(|error| {
        Problem::new(Kind::Invalid, error).hint(format!("--spaces {name}=read"))
    })?;
    Ok((name.to_owned(), level))
}

/// Python source, from a file or stdin.
fn source(file: &Path) -> Result<String, Problem> {
    let name = file.display().to_string();
    let bytes = if name == "-" {
        read(io::stdin().lock(), "stdin")?
    } else {
        let open = std::fs::File::open(file).map_err(|error| {
            Problem::new(Kind::Invalid, format!("cannot read {name}: {error}"))
                .hint("stoa exec FILE --spaces NAME=LEVEL")
        })?;
        read(open, &name)?
    };
    String::from_utf8(bytes).map_err(|_| {
        Problem::new(Kind::Invalid, format!("{name} is not UTF-8 text"))
            .hint("stoa exec FILE --spaces NAME=LEVEL")
    })
}

/// The moment so long from now.
fn after(text: &str) -> Result<Millis, Problem> {
    let bad = || {
        Problem::new(Kind::Invalid, format!("{text:?} is not a time like 90s, 10m, 2h or 7d"))
            .hint("--expires 10m")
    };
    let unit = text.chars().last().ok_or_else(bad)?;
    let count: u64 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| bad())?;
    let second = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(bad()),
    };
    let ms = count.checked_mul(second * 1_000).filter(|it| *it > 0).ok_or_else(bad)?;
    let now = jiff::Timestamp::now().as_millisecond() as u64;
    Ok(Millis(now.checked_add(ms).ok_or_else(bad)?))
}
