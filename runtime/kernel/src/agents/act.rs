//! One action of an agent's turn: its Python, with its rights as they are now.

use super::past::entry_of;
use super::shown::began_before;
use crate::problem::Problem;
use crate::runtime::Runtime;
use crate::sandbox::Action;
use crate::session::{self, BUDGET, HostApi, Kept, Notebook, Slot, globals, items, near, seed};
use std::time::Duration;
use stoa_actors::code::{ActionEnd, ActionOutcome, Item};
use stoa_actors::id::{SessionId, SpaceId};
use stoa_actors::log::{Cause, Hash};
use stoa_actors::rights::{Lifetime, Subject};
use stoa_actors::session::{AgentSpec, Effect, Observation};
use stoa_actors::value::Value;

/// Runs what the model said. After a crash it is the same run again, with the answers that are
/// noted, until the first call that has none.
pub(super) async fn act(
    runtime: &Runtime,
    session: SessionId,
    effect: Effect,
) -> Result<Observation, Problem> {
    let Effect::Act { turn, step, code, at, cause, notes, after, brief } = effect else {
        unreachable!("the performer hands on nothing else")
    };
    let cause = within_turn(runtime, session, cause)?;
    let one = runtime.turn_of(session);
    let _one = one.lock().await;
    let kept = Kept::of(runtime, session)?;
    let before = kept.after(after);
    let lost = after.is_some() && before.is_none();
    let before = before.unwrap_or_default();
    let (name, attempt) = (format!("t{}s{step}", brief.first), format!("t{turn}s{step}"));
    let mut action = Action::new(code);
    action.limits = runtime.shared().config.action.clone();
    action.dump = before.dump;
    action.now = at;
    action.seed = seed(&Hash::of(format!("{session} {name}").as_bytes()).0[..16]);
    let (globals, more) = names(runtime, session, &brief.charter, &brief.wakes);
    action.globals = globals;
    action.functions = tools(runtime, session);
    let notebook = Notebook { address: runtime.agent(session)?, turn, step, known: notes };
    let caller = runtime.caller(session);
    let mut api = HostApi::new(
        caller,
        (name, attempt),
        (before.seen, before.leases),
        cause,
        Some(notebook),
        Lifetime::Lasting,
    );
    let run = runtime.runner()?;
    let left = Duration::from_millis(brief.left.ms.unwrap_or(u64::MAX / 2));
    let outcome = match tokio::time::timeout(left, run.run(action, &mut api)).await {
        Ok(outcome) => outcome,
        // What it has done until then is done; what it has defined is gone.
        Err(_) => {
            let text = "TimeoutError: the seconds of your budget are used up".to_owned();
            return Ok(Observation { text, failed: Some("TimeoutError".to_owned()) });
        }
    };
    api.tell_of_more(more, &outcome);
    let outcome = api.told_besides(outcome);
    let (seen, leases) = api.seen();
    let slot = Slot { action: Some((turn, step)), dump: outcome.dump.clone(), seen, leases };
    kept.keep_with_what_follows(runtime, session, slot)?;
    let max = runtime.shared().config.limits.session.observation_bytes_max;
    Ok(observation(outcome, lost, max))
}

/// What is written in a turn that nobody else has set off comes of that turn.
fn within_turn(runtime: &Runtime, session: SessionId, cause: Cause) -> Result<Cause, Problem> {
    if cause.root.is_some() {
        return Ok(cause);
    }
    let store = runtime.store();
    let last = store.last_seq(session.stream())?;
    let Some((_, began)) = began_before(store, session, last)? else { return Ok(cause) };
    Ok(Cause { root: Some(entry_of(store, session, began)?.body.id), ..cause })
}

/// `space`, `spaces`, `coordinator`, `dm`, `task`, `me` and `wakes`; and whether there are more
/// spaces.
fn names(
    runtime: &Runtime,
    of: SessionId,
    charter: &AgentSpec,
    wakes: &[stoa_actors::space::Wake],
) -> (Vec<(String, Item)>, bool) {
    let nearest = charter.first.into_iter().chain([charter.dm]);
    let nearest: Vec<SpaceId> = nearest.chain(wakes.iter().map(|it| it.space)).collect();
    let caller = runtime.caller(of);
    let (mut granted, more) = near(&caller, of, &nearest);
    granted.sort_by(|one, other| one.alias.cmp(&other.alias));
    // The DM space is no work space: it comes last, and never is `space` unless it is all there is.
    granted.sort_by_key(|it| (Some(it.space) != charter.first, it.space == charter.dm));
    let mut names = globals(&granted);
    let alias = |space| match granted.iter().find(|it| it.space == space) {
        Some(it) => Some(it.alias.clone()),
        // Beyond those that it is handed: what opens it.
        None => caller.holding(Subject::Space(space)).and_then(session::granted).map(|it| it.alias),
    };
    if let Some(dm) = granted.iter().find(|it| it.space == charter.dm) {
        names.push(("dm".into(), items::space(&dm.alias, dm.space, dm.level)));
    }
    names.push(("task".into(), items::text(&charter.task)));
    names.push(("me".into(), items::text(of)));
    let wake = |wake: &stoa_actors::space::Wake| {
        let comments = wake.comments.iter().map(|it| Value::Text(it.clone())).collect();
        Item::Value(Value::Map(
            [
                ("space".to_owned(), alias(wake.space).map_or(Value::Null, Value::Text)),
                ("count".to_owned(), Value::Int(wake.count as i64)),
                ("cursor".to_owned(), Value::Int(wake.first.0.saturating_sub(1) as i64)),
                ("comments".to_owned(), Value::List(comments)),
            ]
            .into(),
        ))
    };
    names.push(("wakes".into(), Item::List(wakes.iter().map(wake).collect())));
    (names, more)
}

/// The tools that the session may use, and what tells it what is left.
fn tools(runtime: &Runtime, session: SessionId) -> Vec<String> {
    let shared = runtime.shared();
    let (now, rights) = (shared.clock.now(), shared.rights.read());
    let tools = rights.tools_held(session, now).filter_map(|it| match (it.subject, it.use_) {
        (Subject::Tool(name), Some(_)) => Some(name),
        _ => None,
    });
    tools.chain([BUDGET.to_owned()]).collect()
}

/// What the model is shown of it. Of what is too long the printed text is cut: how the action ended
/// is told whole, as far as it fits alone.
fn observation(outcome: ActionOutcome, lost: bool, max: usize) -> Observation {
    let (mut end, failed) = match outcome.ending {
        ActionEnd::Done { value } => (value.unwrap_or_default(), None),
        ActionEnd::Failed { class, traceback } => (traceback, Some(class)),
    };
    let notice = outcome.notice.or_else(|| {
        lost.then(|| "the variables of earlier actions are gone; define them anew".to_owned())
    });
    let mut text = notice.map_or_else(String::new, |notice| format!("note: {notice}\n"));
    end.truncate(end.floor_char_boundary(max));
    let room = max.saturating_sub(end.len() + text.len());
    if outcome.printed.len() <= room {
        text.push_str(&outcome.printed);
    } else {
        text.push_str(&outcome.printed[..outcome.printed.floor_char_boundary(room)]);
        text.push_str("\n… cut here\n");
    }
    text.push_str(&end);
    Observation { text, failed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Found by a recipe that prints for ever: what ended it was cut off behind what it had printed.
    #[test]
    fn how_an_action_ended_is_told_however_much_it_printed() {
        let outcome = |printed: &str, ending| ActionOutcome {
            ending,
            printed: printed.to_owned(),
            dump: None,
            notice: None,
        };
        let failed = || {
            let (class, traceback) = ("TimeoutError".to_owned(), "TimeoutError: 5 s".to_owned());
            ActionEnd::Failed { class, traceback }
        };
        let cut = observation(outcome(&"ü".repeat(100), failed()), false, 60);
        assert_eq!(cut.text, format!("{}\n… cut here\nTimeoutError: 5 s", "ü".repeat(21)));
        let whole = observation(outcome("x\n", failed()), true, 1_000);
        let note = "note: the variables of earlier actions are gone; define them anew";
        assert_eq!(whole.text, format!("{note}\nx\nTimeoutError: 5 s"));
        let value = ActionEnd::Done { value: Some("y".repeat(100)) };
        let value = observation(outcome("x", value), false, 60);
        assert_eq!(value.text, format!("\n… cut here\n{}", "y".repeat(60)));
    }
}
