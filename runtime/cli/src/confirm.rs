//! What cannot be undone is asked about first: a person says yes to what will be lost, and a program
//! types `--yes`.

use super::owner::Owner;
use super::resume::typed_again;
use super::screen::{self, ask_yes};
use clap::ArgMatches;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use std::io::{self, IsTerminal};
use stoa_actors::ending::shown;
use stoa_api::answer::{AgentAnswer, AgentShown, AtomAnswer, LeaseAnswer};
use stoa_api::door::{DoorRequest, Identity};
use stoa_api::operation::{Answer, AnyOperation, Line, Operation, OutItem};
use stoa_api::operations::{AgentList, AgentShow, Get, LeaseList};
use stoa_kernel::problem::{Problem, ProblemKind};

/// The flag that says yes.
pub(super) const YES: &str = "yes";

/// What of it cannot be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Everything that an atom says.
    Atom,
    /// An agent, with all under it.
    Agent,
    /// What somebody else has to itself.
    Lease,
}

/// Whether something of that name can be typed with `--yes`.
pub(super) fn asks(operation: &str) -> bool {
    matches!(operation, "erase" | "agent wipe" | "lease release")
}

fn loss(operation: &AnyOperation, typed: &ArgMatches) -> Option<Loss> {
    let flag = |name: &str| typed.try_get_one::<bool>(name).is_ok_and(|it| it == Some(&true));
    let loss = match operation.name {
        "erase" => Loss::Atom,
        "agent wipe" => Loss::Agent,
        "lease release" if flag("break") => Loss::Lease,
        _ => return None,
    };
    Some(loss).filter(|_| !flag(YES))
}

/// What is still to be asked before it is done.
pub(super) struct Question(Loss);

/// Whether something is to be asked. Where nobody can be asked it is refused, before anything is
/// done.
pub(super) fn question(
    operation: &AnyOperation,
    typed: &ArgMatches,
) -> Result<Option<Question>, Problem> {
    let Some(loss) = loss(operation, typed) else { return Ok(None) };
    if io::stdin().is_terminal() && io::stderr().is_terminal() {
        return Ok(Some(Question(loss)));
    }
    Err(unasked(match loss {
        Loss::Atom => "an erase cannot be undone",
        Loss::Agent => "a wipe cannot be undone",
        Loss::Lease => "the holder of the lease may still be working",
    }))
}

/// Asks before entries of the log are removed.
pub(super) fn loss_of_all_behind(head: &str) -> Result<(), Problem> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(unasked("the entries after that head are deleted permanently"));
    }
    let line = Line::new().plain("every entry of the log behind ").bold(head);
    screen::say(line.plain(" is removed, with all that it says"));
    match ask_yes("Go on without it?") {
        true => Ok(()),
        false => Err(unconfirmed("nothing was removed")),
    }
}

fn unconfirmed(kept: &str) -> Problem {
    let problem = Problem::new(ProblemKind::Invalid, format!("not confirmed: {kept}"));
    problem.hint(typed_again(&[], &["--yes"]))
}

/// Nobody was asked.
fn unasked(why: &str) -> Problem {
    let text = format!("{why}, and there is no terminal to confirm it; add --yes");
    Problem::new(ProblemKind::Invalid, text).hint(typed_again(&[], &["--yes"]))
}

impl Question {
    /// Says what will be lost, and asks. Where that cannot be read there is nothing to ask: the
    /// request itself says why.
    pub(super) async fn ask(
        &self,
        owner: &mut Owner<'_>,
        identity: &Identity,
        bodies: &[Json],
    ) -> Result<(), Problem> {
        let mut lost = Vec::new();
        for body in bodies {
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            lost.extend(match self.0 {
                Loss::Atom => atom(owner, identity, text("id")).await?,
                Loss::Agent => agent(owner, identity, text("agent")).await?,
                Loss::Lease => lease(owner, identity, text("space"), text("resource")).await?,
            });
        }
        if lost.is_empty() {
            return Ok(());
        }
        lost.into_iter().for_each(screen::say);
        let (question, kept) = match self.0 {
            Loss::Atom => ("Erase for good?", "nothing was erased"),
            Loss::Agent => ("Wipe?", "nobody was wiped"),
            Loss::Lease => ("Take it away?", "the lease holds"),
        };
        match ask_yes(question) {
            true => Ok(()),
            false => Err(unconfirmed(kept)),
        }
    }
}

/// The answers to a question that may be refused.
async fn told<O: Operation>(
    owner: &mut Owner<'_>,
    identity: &Identity,
    operation: &O,
) -> Result<Vec<O::Answer>, Problem>
where
    O::Answer: Answer + DeserializeOwned,
{
    let mut all = Vec::new();
    let mut keep = |said: &OutItem| {
        all.extend(said.answer::<O::Answer>());
        Ok(())
    };
    match owner.ask(DoorRequest::of(identity.clone(), operation)?, &mut keep).await {
        Err(problem) if problem.kind == ProblemKind::Busy => Err(problem),
        _ => Ok(all),
    }
}

/// Characters of what an atom says that stand for all of it.
const TITLE_CHARS: usize = 60;

async fn atom(
    owner: &mut Owner<'_>,
    identity: &Identity,
    id: String,
) -> Result<Vec<Line>, Problem> {
    let get = Get { id: vec![id], ..Get::default() };
    let found: Vec<AtomAnswer> = told(owner, identity, &get).await?;
    let line = |it: &AtomAnswer| {
        let versions = match it.version {
            1 => "1 version".to_owned(),
            many => format!("{many} versions"),
        };
        let by = it.author_name.as_deref().unwrap_or_else(|| shown(&it.author));
        let title: String = it.title().chars().take(TITLE_CHARS).collect();
        let line = Line::new().bold(shown(&it.id));
        line.plain(format!("  {title}  ")).dim(format!("{versions}, the last by {by}"))
    };
    Ok(found.iter().map(line).collect())
}

async fn agent(
    owner: &mut Owner<'_>,
    identity: &Identity,
    agent: String,
) -> Result<Vec<Line>, Problem> {
    let found = told(owner, identity, &AgentShow::one(agent)).await?;
    let found: Vec<AgentAnswer> = found.into_iter().filter_map(AgentShown::agent).collect();
    let all: Vec<AgentAnswer> = told(owner, identity, &AgentList::default()).await?;
    let line = |it: &AgentAnswer| {
        let (mut under, mut next) = (0, vec![it.id.clone()]);
        while let Some(id) = next.pop() {
            let children = all.iter().filter(|it| it.parent == id);
            next.extend(children.map(|it| it.id.clone()).inspect(|_| under += 1));
        }
        let name = it.name.as_deref().unwrap_or_else(|| shown(&it.id));
        let task: String = it.task.chars().take(TITLE_CHARS).collect();
        let with = match under {
            0 => String::new(),
            1 => " and 1 agent under it".to_owned(),
            many => format!(" and {many} agents under it"),
        };
        let line = Line::new().bold(name).plain(format!("{with}  {task}  "));
        line.dim(format!("{}, {} turns", it.state, it.turns))
    };
    Ok(found.iter().map(line).collect())
}

async fn lease(
    owner: &mut Owner<'_>,
    identity: &Identity,
    space: String,
    resource: String,
) -> Result<Vec<Line>, Problem> {
    let all: Vec<LeaseAnswer> = told(owner, identity, &LeaseList { space }).await?;
    let wanted = |it: &LeaseAnswer| {
        it.resource == resource
            || it.of == "atom" && it.resource.ends_with(&resource.to_ascii_uppercase())
    };
    let line = |it: &LeaseAnswer| {
        let by = it.holder_name.as_deref().unwrap_or_else(|| shown(&it.holder));
        let what = if it.of == "atom" { shown(&it.resource) } else { &it.resource };
        let line = Line::new().bold(what).plain(format!("  held by {by}  {}  ", it.intent));
        line.dim(format!("until {}", it.until))
    };
    Ok(all.iter().filter(|it| wanted(it)).map(line).collect())
}
