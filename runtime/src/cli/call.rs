//! From what was typed to a request.

use super::args::{
    AgentVerb, BaseArgs, ClaimArgs, CopyVerb, DiffArgs, HistoryArgs, LeaseVerb, SearchArgs,
    SpaceVerb, Verb, WhyArgs,
};
use super::find;
use super::input::{
    Also, budget, document, draft, fence, metadata, patch, source, space_level, span, spawn_ask,
    unreferenced,
};
use super::stdin::Needed;
use super::subscriptions::subscription;
use stoa_actors::id::{AtomId, Position};
use stoa_actors::search::{Order, Query};
use stoa_actors::space::{Expect, Fence, Filter, Patch, Resource, Wanted};
use stoa_runtime::caller::{ClaimAsk, Grant, HistoryQuery, Why};
use stoa_runtime::door::{AgentCall, AuditAsk, Call, ExecAsk, HistoryCall, LeaseCall};
use stoa_runtime::moment::Moment;
use stoa_runtime::problem::{Kind, Problem};
use stoa_runtime::research::ResearchAsk;

/// What is asked of the owner.
pub(super) fn call(verb: Verb) -> Result<Call, Problem> {
    Ok(match verb {
        Verb::Space(SpaceVerb::Create { name, description }) => {
            Call::CreateSpace { name, description: described(description)? }
        }
        Verb::Space(SpaceVerb::Describe { name: space, description }) => {
            const ABOUT: Needed =
                Needed { what: "the description", hint: "stoa space describe NAME 'TEXT'" };
            Call::Describe { space, description: ABOUT.text(description)? }
        }
        Verb::Space(SpaceVerb::List) => Call::Spaces,
        Verb::Space(SpaceVerb::Show { name }) => Call::Space { name },
        Verb::Grant { space, session: to, level, delegate, expires, reason } => {
            let lasts = |text: &String| span(text, "--expires");
            let expires_ms = expires.as_ref().map(lasts).transpose()?;
            Call::Grant { space, to, grant: Grant { level, delegate, expires_ms, reason } }
        }
        Verb::Revoke { space, session: from, reason } => Call::Revoke { space, from, reason },
        Verb::Put { space, body, why } => {
            let comment = format!("put into {space}");
            Call::Put { space, draft: draft(body)?, why: self::why(why, comment) }
        }
        Verb::Get { id, version, as_of } => Call::Get { id, version, as_of: moment(as_of)? },
        Verb::Update { id, body, unref, expect: says, under, base, why } => {
            let says = find::wanted(&says, "--expect")?;
            let version = if says.is_empty() { expect(id, &base)? } else { loose(&base) };
            let (expect, mut why) = (version, self::why(why, format!("update {id}")));
            why.fences = under.iter().map(|it| fence(it)).collect::<Result<_, _>>()?;
            let also = if unref.is_empty() { Also::Nothing } else { Also::More };
            let (patch, unref) = unreferenced(patch(body, also)?, &unref)?;
            let patch = Patch { expect: says, ..patch };
            Call::Update { id, expect, patch, unref, why }
        }
        Verb::Deprecate { id, superseded_by, base, why } => {
            let (expect, why) = (expect(id, &base)?, self::why(why, format!("deprecate {id}")));
            Call::Deprecate { id, expect, superseded_by, why }
        }
        Verb::Erase { id, if_version, why } => {
            let expect = if_version.map_or(Expect::Any, Expect::Version);
            Call::Erase { id, expect, why: self::why(why, format!("erase {id}")) }
        }
        Verb::Claim(args) => claim(args)?,
        Verb::Lease(verb) => lease_call(verb)?,
        Verb::Subscription(verb) => Call::Subscription(subscription(verb)?),
        Verb::History(args) => history(args)?,
        Verb::Diff(DiffArgs { id, from, to }) => Call::Difference { id, from, to },
        Verb::Search(args) => search(args)?,
        Verb::Watch { space, cursor, no_follow, types, meta } => {
            let (after, follow) = (cursor.map(Position), !no_follow);
            let filter =
                Filter { types, metadata: find::wanted(&meta, "--meta")?, ..Filter::default() };
            match space {
                Some(space) => Call::Watch { space, after, filter, follow },
                None => Call::WatchAll { after, follow },
            }
        }
        spawn @ Verb::Spawn { .. } => Call::Spawn(Box::new(spawn_ask(spawn)?)),
        Verb::Agent(verb) => Call::Agent(agent_call(verb)?),
        Verb::Research { question, files, agents, model, fresh } => {
            const QUESTION: Needed =
                Needed { what: "the question", hint: "stoa research 'QUESTION' --files PATH" };
            let question = QUESTION.text(question)?;
            let paths = files.iter().map(|it| document(it)).collect::<Result<_, _>>()?;
            Call::Research(Box::new(ResearchAsk { question, paths, agents, model, fresh }))
        }
        Verb::Exec { file, spaces, session } => {
            let spaces = spaces.iter().map(|it| space_level(it)).collect::<Result<_, _>>()?;
            Call::Exec(ExecAsk { source: source(file.as_deref())?, spaces, session })
        }
        Verb::Status => Call::Status,
        Verb::Audit => Call::Audit(AuditAsk::Whole),
        Verb::Copy(CopyVerb::Export { space, .. }) => Call::Export { space },
        Verb::Copy(CopyVerb::Backup { target, .. }) => {
            let failed = |error| Problem::new(Kind::Invalid, format!("no such path: {error}"));
            let target = std::path::absolute(&target).map_err(failed)?;
            Call::Backup { target }
        }
        Verb::Copy(CopyVerb::Restore { .. } | CopyVerb::Import { .. })
        | Verb::Doctor { .. }
        | Verb::Trust { .. }
        | Verb::Serve => {
            unreachable!("not asked of an owner")
        }
    })
}

/// What a space is for: as typed, or `-` for stdin.
fn described(text: String) -> Result<String, Problem> {
    const ABOUT: Needed =
        Needed { what: "the description", hint: "stoa space create NAME --description 'TEXT'" };
    if text == "-" { ABOUT.text(Some(text)) } else { Ok(text) }
}

fn claim(args: ClaimArgs) -> Result<Call, Problem> {
    let ClaimArgs { space, query, meta, references, set, lease, intent, why } = args;
    let wanted = Wanted {
        metadata: find::wanted(&meta, "--meta")?,
        references: find::conditions(&references)?,
    };
    let (set, lease_ms) = (metadata(&set, "--set")?, span(&lease, "--lease")?);
    let ask = ClaimAsk { query, wanted, set, lease_ms, intent, ..ClaimAsk::default() };
    let ask = Box::new(ask);
    let why = self::why(why, format!("claim from {space}"));
    Ok(Call::Claim { space, ask, why })
}

fn lease_call(verb: LeaseVerb) -> Result<Call, Problem> {
    Ok(Call::Lease(match verb {
        LeaseVerb::Acquire { space, resource, lease, intent, why } => {
            let (lease_ms, resource) = (span(&lease, "--lease")?, Resource::named(&resource));
            let why = self::why(why, format!("acquire {resource}"));
            LeaseCall::Acquire { space, resource, lease_ms, intent, why }
        }
        LeaseVerb::Renew { space, resource, token, lease, why } => {
            let (lease_ms, resource) = (span(&lease, "--lease")?, Resource::named(&resource));
            let why = self::why(why, format!("renew {resource}"));
            LeaseCall::Renew { space, fence: Fence { resource, token }, lease_ms, why }
        }
        LeaseVerb::Release { space, resource, token, break_it: _, undo, why } => {
            let resource = Resource::named(&resource);
            let why = self::why(why, format!("release {resource}"));
            LeaseCall::Release { space, resource, token, undo, why }
        }
        LeaseVerb::List { space } => LeaseCall::List { space },
        LeaseVerb::Watch { space, cursor, no_follow } => {
            let types = ["acquired", "renewed", "released", "expired", "broken"];
            let types = types.map(|it| format!("lease.{it}")).to_vec();
            let filter = Filter { types, ..Filter::default() };
            let after = cursor.map(Position);
            return Ok(Call::Watch { space, after, filter, follow: !no_follow });
        }
    }))
}

/// The version is not needed where the metadata is what must hold.
fn loose(base: &BaseArgs) -> Expect {
    base.if_version.map_or(Expect::Any, Expect::Version)
}

fn agent_call(verb: AgentVerb) -> Result<AgentCall, Problem> {
    Ok(match verb {
        AgentVerb::List => AgentCall::List,
        AgentVerb::Tree => AgentCall::Tree,
        AgentVerb::Show { agent: name } => AgentCall::Show { name },
        AgentVerb::Log { agent: name, after, limit, follow } => {
            AgentCall::Log { name, after: Position(after), limit, follow }
        }
        AgentVerb::Say { agent: name, text } => {
            const TEXT: Needed = Needed { what: "the text", hint: "stoa agent say AGENT 'TEXT'" };
            AgentCall::Say { name, text: TEXT.text(text)? }
        }
        AgentVerb::Stop { agent: name, reason } => AgentCall::Stop { name, reason },
        AgentVerb::Resume { agent: name, budget } => {
            AgentCall::Resume { name, budget: budget.as_deref().map(self::budget).transpose()? }
        }
        AgentVerb::Wipe { agent: name, reason } => AgentCall::Wipe { name, reason },
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
            let text = "say which version you have read with --if-version N, so that nobody's \
                        change is lost, or --force";
            Err(Problem::new(Kind::Invalid, text).hint(format!("stoa get {id}")))
        }
    }
}

fn search(args: SearchArgs) -> Result<Call, Problem> {
    let SearchArgs {
        space,
        query: text,
        meta,
        references,
        limit,
        include_deprecated,
        newest,
        after,
        as_of,
    } = args;
    let order = if newest { Order::Newest } else { Order::Oldest };
    let (metadata, references) = (find::wanted(&meta, "--meta")?, find::conditions(&references)?);
    let query = Query { text, metadata, references, limit, include_deprecated, order, after: None };
    Ok(Call::Search { space, query, after, as_of: moment(as_of)? })
}

fn history(args: HistoryArgs) -> Result<Call, Problem> {
    let HistoryArgs { of, after, before, as_of, limit, newest, by, comment } = args;
    let (after, before, as_of) = (Position(after), before.map(Position), moment(as_of)?);
    let query = HistoryQuery { after, before, as_of, limit, newest, by: None, comment };
    Ok(Call::History(HistoryCall { of, by, query }))
}

fn moment(text: Option<String>) -> Result<Option<Moment>, Problem> {
    text.map(|it| it.parse()).transpose()
}
