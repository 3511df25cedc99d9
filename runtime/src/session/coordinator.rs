//! What `coordinator` can do, and the tools: an agent's calls that are not about a space.

use super::args::Args;
use super::hands::{Hands, refused};
use super::items::{self, raise};
use super::{Granted, granted};
use crate::agents::{AgentCard, SpaceAsk, SpawnAsk};
use crate::caller::Grant;
use crate::problem::Problem;
use crate::tool::{Repeat, ToolCall, ToolError};
use std::collections::BTreeMap;
use stoa_actors::atom::Content;
use stoa_actors::code::{HostCall, Item, Object, Raise};
use stoa_actors::id::{SessionId, SpaceId};
use stoa_actors::log::Hash;
use stoa_actors::rights::{DM, Level, Lifetime, Subject};
use stoa_actors::session::Budget;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

impl Hands {
    pub(super) async fn coordinate(&mut self, call: HostCall) -> Result<Item, Raise> {
        let mut args = Args::new(call);
        match args.method.as_str() {
            "spawn" => self.spawn(args).await,
            "agents" => {
                args.end()?;
                let cards = self.caller.children().await.map_err(refused)?;
                Ok(Item::List(cards.iter().map(agent).collect()))
            }
            "create_space" => {
                let name = args.text("name")?.unwrap_or_default();
                let description = args.text("description")?.unwrap_or_default();
                args.end()?;
                let id = SpaceId(self.fresh(0));
                let made = self.caller.create_space_as(id, &name, &description).await;
                made.map_err(refused)?;
                Ok(items::space(&name, id, Level::Grant))
            }
            "space" => {
                let name = args.text("name")?.unwrap_or_default();
                args.end()?;
                self.space_called(&name)
            }
            "grant" => {
                let to = args.text("agent")?.unwrap_or_default();
                let space = args.text("space")?.unwrap_or_default();
                let level = level(args.text("level")?)?.ok_or_else(|| wants_level("level="))?;
                let reason = args.text("reason")?.unwrap_or_default();
                args.end()?;
                let grant = Grant { level, delegate: None, expires_ms: None, reason };
                let cause = self.cause;
                self.caller.grant_to_agent(&space, &to, grant, cause).await.map_err(refused)?;
                Ok(Item::Value(Value::Null))
            }
            "request_access" => self.request_access(args).await,
            "stop" => {
                let name = args.text("agent")?.unwrap_or_default();
                let reason = args.text("reason")?.unwrap_or_else(|| "its parent says so".into());
                args.end()?;
                self.caller.stop_agent(&name, &reason).await.map_err(refused)?;
                Ok(Item::Value(Value::Null))
            }
            "fund" => {
                let name = match args.take("agent") {
                    Some(Item::Object(it)) if it.class == "Agent" => {
                        SessionId(it.handle.to_be_bytes()).to_string()
                    }
                    Some(Item::Value(Value::Text(name))) => name,
                    _ => return Err(raise("TypeError", "agent= takes an agent or its name")),
                };
                let budget = budget(args.take("budget").unwrap_or(Item::Value(Value::Null)))?;
                args.end()?;
                let key = Some(self.place());
                self.caller.fund(&name, budget, key).await.map_err(refused)?;
                Ok(Item::Value(Value::Null))
            }
            "__getattr__" => Err(raise("AttributeError", format!("there is no {}", args.asked()))),
            name => Err(raise(
                "AttributeError",
                format!(
                    "coordinator has no {name}; it has spawn, agents, space, create_space, \
                     grant, request_access, fund, stop"
                ),
            )),
        }
    }

    /// `spawn(task, instructions, spaces, tools, secrets, model, budget, subscribe, name)`.
    async fn spawn(&mut self, mut args: Args) -> Result<Item, Raise> {
        if self.lifetime == Lifetime::OneAction {
            return Err(raise(
                "PermissionError",
                "this session ends with the action, and a child's rights would end with it; \
                 run the code in a named session: stoa exec FILE --session NAME",
            ));
        }
        let task = args.text("task")?.unwrap_or_default();
        let instructions = match args.take("instructions") {
            Some(Item::Object(space)) if space.class == "Space" => {
                Some(SpaceId(space.handle.to_be_bytes()).to_string())
            }
            Some(Item::Value(Value::Text(name))) => Some(name),
            Some(Item::Value(Value::Null)) | None => None,
            Some(_) => return Err(raise("TypeError", "instructions= takes a space or its name")),
        };
        let spaces = args.take("spaces").map(space_asks).transpose()?.unwrap_or_default();
        let tools = names(&mut args, "tools")?;
        let secrets = names(&mut args, "secrets")?;
        let model = args.text("model")?;
        let budget = args.take("budget").map(budget).transpose()?.unwrap_or_default();
        let follows = names(&mut args, "subscribe")?;
        let name = args.text("name")?;
        args.end()?;
        let ask =
            SpawnAsk { task, name, instructions, spaces, tools, secrets, model, follows, budget };
        let mut made = 0;
        let fresh = || {
            made += 1;
            self.fresh(made)
        };
        let spawned = self.caller.spawn_with(ask, self.cause, fresh).await.map_err(refused)?;
        Ok(agent(&spawned))
    }

    /// `space(name)`: any space that it may use, by its name or id.
    fn space_called(&self, name: &str) -> Result<Item, Raise> {
        let space = self.caller.resolve(name).map_err(refused)?;
        let holding = self.caller.holding(Subject::Space(space)).and_then(granted);
        let Granted { alias, space, level, .. } =
            holding.ok_or_else(|| refused(Problem::no_space(name)))?;
        Ok(items::space(&alias, space, level))
    }

    /// `request_access(space, level, reason)`: one atom in the space that it shares with its parent,
    /// who answers by granting it, or by a word there.
    async fn request_access(&mut self, mut args: Args) -> Result<Item, Raise> {
        let space = args.text("space")?.filter(|it| !it.trim().is_empty());
        let space = space.ok_or_else(|| raise("TypeError", "space= takes a name or an id"))?;
        let level = level(args.text("level")?)?.ok_or_else(|| wants_level("level="))?;
        let reason = args.text("reason")?.unwrap_or_default();
        let charter = self.caller.charter_of(self.caller.session()).map_err(refused)?;
        let Some(charter) = charter else {
            return Err(raise(
                "PermissionError",
                "this session shares no space with a parent to ask in; it has what it was given",
            ));
        };
        let why = self.why(&mut args, "request access")?;
        let why = self.keyed(why, &());
        args.end()?;
        let metadata = [
            ("kind".to_owned(), Value::from("access-request")),
            ("level".to_owned(), Value::Text(level.to_string())),
            ("space".to_owned(), Value::Text(space)),
        ];
        let content = Content::Text(reason);
        let draft = Draft { content, metadata: metadata.into(), ..Draft::default() };
        let written = self.caller.put(charter.dm, draft, why).await.map_err(refused)?;
        let read = self.caller.get_version(written.id, written.version).await.map_err(refused)?;
        Ok(self.note(&read))
    }

    /// What the session has left to spend; `None` for a unit without a bound.
    pub(super) async fn budget(&self, call: HostCall) -> Result<Item, Raise> {
        Args::new(call).end()?;
        let left = self.caller.left().await.map_err(refused)?;
        let unit = |(name, left): (&str, Option<u64>)| {
            (name.to_owned(), left.map_or(Value::Null, |left| Value::Int(left as i64)))
        };
        Ok(Item::Value(Value::Map(left.units().map(unit).into())))
    }

    /// An id that this very call draws again when it is made again.
    pub(super) fn fresh(&self, number: u64) -> [u8; 16] {
        let name = format!("{} {} {number}", self.caller.session(), self.place());
        let mut id = [0; 16];
        id.copy_from_slice(&Hash::of(name.as_bytes()).0[..16]);
        id
    }

    pub(super) async fn tool(&mut self, call: HostCall, asked: Hash) -> Result<Item, Raise> {
        let subject = Subject::Tool(call.name.clone());
        if !self.caller.holds(&subject) {
            return Err(raise("NameError", format!("name '{}' is not defined", call.name)));
        }
        self.caller.runtime.needs_trust(&subject).map_err(refused)?;
        let tool = self.caller.runtime.tool(&call.name).ok_or_else(|| {
            raise("RuntimeError", format!("tool {} is not configured here", call.name))
        })?;
        let call = ToolCall {
            key: format!("{}-{}", self.caller.session(), self.place()),
            args: call.args.into_iter().map(items::value).collect::<Result<_, _>>()?,
            kwargs: call
                .kwargs
                .into_iter()
                .map(|(name, item)| Ok((name, items::value(item)?)))
                .collect::<Result<BTreeMap<_, _>, Raise>>()?,
        };
        if let Some(notes) = &self.notes {
            notes.intend(self.calls, asked).await?;
        }
        let said = tool.call(call).await;
        said.map(Item::Value).map_err(|ToolError(why)| raise("RuntimeError", why))
    }

    /// A call that was made before a crash, perhaps.
    pub(super) async fn tool_again(&mut self, call: HostCall, asked: Hash) -> Result<Item, Raise> {
        let repeat = self.caller.runtime.tool(&call.name).map(|it| it.repeat());
        let name = call.name.clone();
        let answer = match repeat {
            Some(Repeat::SameKey) => self.tool(call, asked).await,
            Some(Repeat::Ask) | None => Err(raise(
                "RuntimeError",
                format!("{name}() was cut off by a crash; whether it took effect is not known"),
            )),
        };
        if let Some(notes) = &self.notes {
            notes.answered(self.calls, asked, &answer, true).await?;
        }
        answer
    }
}

/// An agent as its parent's code sees it.
fn agent(card: &AgentCard) -> Item {
    Item::Object(Object {
        class: "Agent".into(),
        handle: u128::from_be_bytes(card.id.0),
        fields: vec![
            ("id".into(), items::text(card.id)),
            ("name".into(), items::text(card.name.as_deref().unwrap_or_default())),
            ("state".into(), items::text(&card.state)),
            (DM.into(), items::space(DM, card.dm, Level::Grant)),
        ],
    })
}

fn names(args: &mut Args, name: &str) -> Result<Vec<String>, Raise> {
    let wrong = || raise("TypeError", format!("{name}= takes a list of names"));
    match args.take(name).map(items::value).transpose()? {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(list)) => {
            list.iter().map(|it| it.text().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// `{"findings": "append"}`, or `{"findings": {"use": "append", "delegate": "read"}}`.
fn space_asks(item: Item) -> Result<Vec<SpaceAsk>, Raise> {
    let wrong =
        || raise("TypeError", "spaces= takes a dict, {\"findings\": \"append\"} for instance");
    let pairs = match item {
        Item::Value(Value::Map(map)) => map.into_iter().collect(),
        Item::Map(pairs) => {
            let plain = |(key, item)| Ok((key, items::value(item)?));
            pairs.into_iter().map(plain).collect::<Result<Vec<_>, Raise>>()?
        }
        Item::Value(Value::Null) => Vec::new(),
        _ => return Err(wrong()),
    };
    let ask = |(alias, asked): (String, Value)| {
        let (use_, delegate) = match asked {
            Value::Text(text) => (level(Some(text))?, None),
            Value::Map(mut both) => {
                let mut of = |key: &str| match both.remove(key) {
                    None | Some(Value::Null) => Ok(None),
                    Some(Value::Text(text)) => level(Some(text)),
                    Some(_) => Err(wants_level(key)),
                };
                (of("use")?, of("delegate")?)
            }
            _ => return Err(wrong()),
        };
        Ok(SpaceAsk { alias, space: None, use_, delegate })
    };
    pairs.into_iter().map(ask).collect()
}

/// `20` for so many thoughts, or `{"thoughts": 20, "tokens": 50000}`.
fn budget(item: Item) -> Result<Budget, Raise> {
    let wrong = || {
        raise(
            "TypeError",
            "budget= takes thoughts as a number, or a dict, {\"thoughts\": 20, \"tokens\": 50000} for instance",
        )
    };
    let number = |value: &Value| match value {
        Value::Null => Ok(None),
        Value::Int(n) => u64::try_from(*n).map(Some).map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    match items::value(item)? {
        Value::Map(mut units) => {
            let mut unit = |name| number(&units.remove(name).unwrap_or(Value::Null));
            let budget = Budget { thoughts: unit("thoughts")?, tokens: unit("tokens")? };
            if units.is_empty() { Ok(budget) } else { Err(wrong()) }
        }
        thoughts => Ok(Budget { thoughts: number(&thoughts)?, tokens: None }),
    }
}

fn level(text: Option<String>) -> Result<Option<Level>, Raise> {
    text.map(|it| it.parse().map_err(|error| raise("ValueError", error))).transpose()
}

fn wants_level(what: &str) -> Raise {
    raise("TypeError", format!("{what} takes read, append, write or grant"))
}
