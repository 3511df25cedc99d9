//! Bringing up an agent.

use crate::agents::{SpaceAsk, SpawnAsk};
use crate::answer::AgentAnswer;
use crate::caller::Caller;
use crate::operation::{
    Arg, ArgForm, EffectKind, Needed, Operation, Out, Quiet, RequiredRight, SpaceRight, Units,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items::{self, raise};
use crate::session::{
    Args, CallFuture, Does, HostApi, Method, On, budget, level, refused, wants_level,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::{Item, Raise};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Lifetime;
use stoa_actors::value::Value;

/// Start an agent with exactly the permissions given here
///
/// Its first turn begins at once. The atoms of its instruction space tell it how to behave (its
/// system prompt). Its model thinks; it acts by Python. It is woken by changes in the spaces it
/// subscribes to and in the space it shares with you. The model `recipe` needs no network: it runs
/// the ```python block of the instructions on every wake. If no other process serves the directory,
/// this one runs until every agent is at rest. If you interrupt it, the agents resume with the next
/// stoa spawn or stoa serve.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spawn {
    /// The task in words, - for stdin, or @FILE [default: stdin if it is piped]
    pub task: String,
    /// The name of the agent [default: none; it is called by its id]
    #[serde(default)]
    pub name: Option<String>,
    /// The space with its instructions; the agent may read it [default: none]
    #[serde(default)]
    pub instructions: Option<String>,
    /// Spaces that are searched at each of its turns for what may be of use in it; it may read them.
    /// What is found is told to its model [default: none]
    #[serde(default)]
    pub memory: Vec<String>,
    /// Its permissions: SPACE=LEVEL, and :LEVEL for what it may delegate:
    /// tasks=write:append,notes=read [default: none]
    #[serde(default)]
    pub spaces: Vec<SpaceRight>,
    /// The tools it may call [default: none]
    #[serde(default)]
    pub tools: Vec<String>,
    /// The secrets that tools may use for it [default: none]
    #[serde(default)]
    pub secrets: Vec<String>,
    /// The model that thinks for it: PROVIDER/NAME (anthropic/…, openai/…, ollama/…), or the name of a
    /// configured one; see stoa model list [default: recipe]
    #[serde(default)]
    pub model: Option<String>,
    /// Spaces whose changes wake it [default: none]
    #[serde(default)]
    pub subscribe: Vec<String>,
    /// What it and its children may spend: money=1.50,tokens=50000,seconds=600 [default: no limit]
    #[serde(default)]
    pub budget: Units,
}

const TASK: Needed = Needed { what: "the task", hint: "stoa spawn TASK --instructions SPACE" };

impl Operation for Spawn {
    const NAME: &'static str = "spawn";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("task", ArgForm::Long(TASK)),
        Arg::flag("name", "name", ArgForm::Text, "NAME"),
        Arg::flag("instructions", "instructions", ArgForm::Text, "SPACE"),
        Arg::flag("memory", "memory", ArgForm::Texts, "SPACE"),
        Arg::flag("spaces", "spaces", ArgForm::Spaces, "NAME=LEVEL[:LEVEL]"),
        Arg::flag("tools", "tools", ArgForm::Texts, "NAME"),
        Arg::flag("secrets", "secrets", ArgForm::Texts, "NAME"),
        Arg::flag("model", "model", ArgForm::Text, "NAME"),
        Arg::flag("subscribe", "subscribe", ArgForm::Texts, "NAME"),
        Arg::flag("budget", "budget", ArgForm::Budget, "UNIT=N"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Coordinator,
        name: "spawn",
        takes: &[
            "task",
            "instructions=None",
            "spaces={}",
            "tools=[]",
            "secrets=[]",
            "model=None",
            "budget=None",
            "subscribe=[]",
            "name=None",
            "memory=[]",
        ],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AgentAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AgentAnswer>) -> Result<(), Problem> {
        if self.task.is_empty() || self.name.as_deref() == Some("") {
            let text = "a task and a name cannot be empty";
            return Err(Problem::new(ProblemKind::Invalid, text).hint(TASK.hint));
        }
        let space = |it: SpaceRight| SpaceAsk {
            alias: it.space,
            space: None,
            use_: it.level.map(|it| it.0),
            delegate: it.delegate.map(|it| it.0),
        };
        let ask = SpawnAsk {
            task: self.task,
            name: self.name,
            instructions: self.instructions,
            memory: self.memory,
            spaces: self.spaces.into_iter().map(space).collect(),
            tools: self.tools,
            secrets: self.secrets,
            model: self.model,
            models: Vec::new(),
            follows: self.subscribe,
            budget: self.budget.into(),
        };
        caller.runtime().start_agents().await?;
        let card = caller.spawn(ask).await?;
        out.tell(AgentAnswer::of(caller, card, 0)).await
    }
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        if api.lifetime == Lifetime::OneAction {
            return Err(raise(
                "PermissionError",
                "this session ends with the action, and a child's rights would end with it; \
                 run the code in a named session: stoa exec FILE --session NAME",
            ));
        }
        let task = args.text("task")?.unwrap_or_default();
        let instructions = match args.said("instructions") {
            Some(Item::Object(space)) if space.class == "Space" => {
                Some(SpaceId(space.handle.to_be_bytes()).to_string())
            }
            Some(Item::Value(Value::Text(name))) => Some(name),
            None => None,
            Some(_) => return Err(raise("TypeError", "instructions= takes a space or its name")),
        };
        let spaces = args.take("spaces").map(space_asks).transpose()?.unwrap_or_default();
        let tools = args.texts("tools")?;
        let secrets = args.texts("secrets")?;
        let model = args.text("model")?;
        let budget = args.take("budget").map(budget).transpose()?.unwrap_or_default();
        let follows = args.texts("subscribe")?;
        let name = args.text("name")?;
        let memory = args.texts("memory")?;
        let ask = SpawnAsk {
            task,
            name,
            instructions,
            memory,
            spaces,
            tools,
            secrets,
            model,
            models: Vec::new(),
            follows,
            budget,
        };
        let mut made = 0;
        let fresh = || {
            made += 1;
            api.fresh(made)
        };
        let spawned = api.caller.spawn_with(ask, api.cause, fresh).await.map_err(refused)?;
        Ok(super::agent_item(&spawned))
    })
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
