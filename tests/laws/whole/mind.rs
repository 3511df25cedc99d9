//! What the agents of the scene do, by the task that they were given.

use super::scene::{WORKERS, child, dm, id, task_space};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use stoa_actors::atom::Metadata;
use stoa_actors::id::{LinkId, SessionId};
use stoa_actors::outbox::Outgoing;
use stoa_actors::rights::{AgentSpawn, Level, Right, RightRequest, Subject};
use stoa_actors::search::{CREATED, OrderBy};
use stoa_actors::session::{
    AgentSpec, Billing, Budget, CallBound, FollowSpec, FoundVersion, Message, ModelError,
    Observation, PassingKind, Recorded, Session, Spent, Thought, Transfer, TransferKind,
};
use stoa_actors::space::{
    self, ClaimPredicate, ClaimRequest, Draft, Expect, Fence, Mutation, Patch, Resource, Space,
};
use stoa_actors::world::{Mind, Move, Situation};

pub(crate) const LEAD: &str = "lead";
pub(crate) const WORK: &str = "work";

/// The most that a call takes.
const BOUND: CallBound = CallBound { tokens: 9, money: Some(90), ms: 500 };

/// What providers have billed, by agent.
pub(crate) type Bills = Rc<RefCell<BTreeMap<SessionId, Spent>>>;

#[derive(Default)]
pub(crate) struct Acts(pub(crate) Bills);

impl Acts {
    /// Its provider bills what it was asked, whatever becomes of the answer.
    fn bills(&self, of: &Situation, tokens: u64) -> (u64, u64) {
        let money = tokens * 7;
        let call = Spent { thoughts: 1, tokens, money, ..Spent::default() };
        let mut bills = self.0.borrow_mut();
        let bill = bills.entry(of.me).or_default();
        *bill = bill.plus(call);
        (tokens, money)
    }
}

fn seen(text: &str) -> Move {
    Move::End(Observation { text: text.to_owned(), failed: None })
}

impl Mind for Acts {
    fn most(&mut self, _: &Situation) -> CallBound {
        BOUND
    }

    fn think(&mut self, of: &Situation) -> Result<Thought, ModelError> {
        // Now and then a provider asks to wait, or fails in a way that passes.
        let kind = match of.at.0 % 13 {
            0 => Some(PassingKind::Limited),
            1 => Some(PassingKind::Failed),
            // Or what it is to be told is too much for it.
            2 => return Err(ModelError::full("too much")),
            _ => None,
        };
        if let Some(kind) = kind {
            let wait_ms = of.at.0.is_multiple_of(2).then_some(of.at.0 % 1_000);
            return Err(ModelError::passing(kind, wait_ms, "later"));
        }
        // Now and then a model says nothing, also when the code before has leased something.
        let silent = of.turn + u64::from(of.me.0[15]) + 3 * u64::from(of.step - 1);
        if of.step <= 2 && silent.is_multiple_of(7) {
            self.bills(of, BOUND.tokens);
            return Err(ModelError::new("no answer").billed(Billing::Unknown));
        }
        let (tokens, money) = self.bills(of, 1 + of.at.0 % BOUND.tokens);
        let code = (of.step == 1).then(|| of.task.clone());
        let text = if of.step == 1 { String::new() } else { format!("turn {}", of.turn) };
        Ok(Thought { text, code, tokens, money, ..Thought::default() })
    }

    fn sum_up(&mut self, of: &Situation) -> Result<Thought, ModelError> {
        match of.at.0 % 5 {
            0 => Err(ModelError::new("no answer")),
            1 => Err(ModelError::passing(PassingKind::Limited, None, "later")),
            2 => Ok(Thought::default()),
            _ => {
                let (tokens, money) = self.bills(of, 2);
                Ok(Thought { text: "so far".to_owned(), tokens, money, ..Thought::default() })
            }
        }
    }

    fn act(&mut self, of: &Situation, code: &str, answers: &[Recorded]) -> Move {
        match code {
            LEAD => lead(of, answers.len()),
            _ => work(of, answers),
        }
    }
}

pub(crate) fn spawn(parent: SessionId, n: usize) -> AgentSpawn {
    let (me, dm) = (child(parent, n), dm(parent, n));
    let link = |what| LinkId(id(what, parent, n));
    let asks = vec![RightRequest {
        link: link(3),
        alias: Some("tasks".to_owned()),
        right: Right::to_use(Subject::Space(task_space()), Level::Write),
        expires: None,
    }];
    let charter = AgentSpec {
        parent,
        task: WORK.to_owned(),
        instructions: None,
        model: "recipe".to_owned(),
        dm,
        first: Some(task_space()),
        follows: [dm, task_space()].map(|it| (it, FollowSpec::default())).into(),
        memory: Vec::new(),
        root: None,
    };
    AgentSpawn {
        child: me,
        alias: Some(format!("worker {n}")),
        asks,
        dm_links: [link(4), link(5)],
        charter: Arc::new(charter),
        budget: Budget {
            thoughts: Some(60),
            tokens: Some(600),
            money: Some(6_000),
            ms: Some(100_000_000),
            spawns: Some(0),
            ..Budget::default()
        },
        reason: "to work".to_owned(),
    }
}

/// Brings up its workers in the first turns, and hands each a little more.
fn lead(of: &Situation, done: usize) -> Move {
    let me = |message| Outgoing::new::<Session>(of.me.stream(), of.me, message);
    if of.turn > 2 || done >= 2 * WORKERS {
        return seen("they work");
    }
    let n = done / 2;
    Move::Call(match done % 2 {
        0 => me(Message::Spawn(Box::new(spawn(of.me, n)))),
        _ => {
            let budget = Budget::thoughts(3);
            me(Message::Lend(Transfer {
                child: child(of.me, n),
                budget,
                when: TransferKind::Later,
            }))
        }
    })
}

pub(crate) fn says(status: &str) -> Metadata {
    [("status".to_owned(), status.into())].into()
}

/// Claims a task and does it, until there is none.
fn work(of: &Situation, answers: &[Recorded]) -> Move {
    let Some(space) = of.space else { return seen("no space") };
    let call = |message| Move::Call(Outgoing::new::<Space>(space.stream(), of.me, message));
    let claim = || {
        let wanted = ClaimPredicate { metadata: says("open"), ..ClaimPredicate::default() };
        let (set, intent) = (says("doing"), "to do it".to_owned());
        let order = vec![OrderBy::ascending("rank"), OrderBy::descending(CREATED)];
        // More than anybody fails: each task is done in the end.
        let (attempts_max, exhausted) = (Some(1_000), says("given up"));
        let claim = ClaimRequest {
            wanted,
            set,
            ttl_ms: 300,
            intent,
            order,
            attempts_max,
            exhausted,
            ..ClaimRequest::default()
        };
        call(space::Message::Claim(Box::new(claim)))
    };
    // The last task is still its own then: if the turn fails it is given back.
    if answers.len() >= 9 {
        return seen("enough for now");
    }
    match answers.last() {
        None => claim(),
        // What is claimed has its version and its token.
        Some(Recorded::Atoms(claimed)) => match &claimed[..] {
            [FoundVersion { id: atom, .. }, FoundVersion { version: token, .. }] => {
                let resource = Resource::Atom(*atom);
                let fence = Fence { resource: resource.clone(), token: *token };
                let patch = Patch { metadata: says("done"), ..Patch::default() };
                let update =
                    Mutation::Update { id: *atom, expect: Expect::Any, patch: Box::new(patch) };
                let release = Mutation::Release { resource, token: Some(*token), undo: false };
                let note =
                    Mutation::Put(Box::new(Draft { metadata: says("noted"), ..Draft::default() }));
                call(space::Message::Transact {
                    mutations: vec![update, release, note],
                    fences: vec![fence],
                })
            }
            _ => seen("nothing to do"),
        },
        // Done, or too late for it.
        Some(_) => claim(),
    }
}
