//! Who asks.

use crate::answer::count;
use crate::caller::{Caller, OWNER};
use crate::operation::{
    Answer, Arg, EffectKind, LevelName, Line, Operation, Out, Page, Quiet, RequiredRight,
};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::ending::shown;
use stoa_actors::id::ROOT;
use stoa_actors::rights::Subject;

/// Show your identity and your permissions
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Whoami {}

/// A session, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WhoamiAnswer {
    /// The id of the session that asks.
    pub id: String,
    /// What it is called: by itself, or by who brought it up.
    pub name: Option<String>,
    /// It is the owner of the directory, who has every right.
    pub owner: bool,
    /// Who brought it up.
    pub parent: Option<String>,
    /// What that one is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_name: Option<String>,
    /// What it may do, by its own names for the spaces.
    pub spaces: BTreeMap<String, Option<LevelName>>,
    /// The tools that it may call.
    pub tools: Vec<String>,
    /// The secrets that tools may use for it.
    pub secrets: Vec<String>,
    /// The models that may think for it.
    pub models: Vec<String>,
}

impl Answer for WhoamiAnswer {
    fn show(&self, to: &mut Page) {
        let name = self.name.as_deref().unwrap_or_else(|| shown(&self.id));
        let line = Line::new().bold(name).plain("  ").dim(shown(&self.id));
        to.line(match (&self.parent, self.owner) {
            (_, true) => line.plain("  the owner of this directory, with every permission"),
            (Some(parent), _) => {
                let parent = self.parent_name.as_deref().unwrap_or_else(|| shown(parent));
                line.plain(format!("  started by {parent}"))
            }
            (None, _) => line,
        });
        let mut shown = |what: &str, names: &[String]| {
            if !names.is_empty() {
                to.line(Line::new().dim(format!("{what:<8}")).plain(names.join(", ")));
            }
        };
        shown("tools", &self.tools);
        shown("secrets", &self.secrets);
        shown("models", &self.models);
        for (name, level) in &self.spaces {
            let level = level.map_or("-".to_owned(), |it| it.0.to_string());
            to.line(Line::new().dim(format!("{level:<8}")).plain(name));
        }
        if self.spaces.is_empty() {
            to.line(Line::new().dim(count(0, "space", "spaces")));
        }
    }
}

impl Operation for Whoami {
    const NAME: &'static str = "whoami";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::Any;
    const ARGS: &'static [&'static [Arg]] = &[];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = WhoamiAnswer;

    async fn perform(self, caller: &Caller, out: &Out<WhoamiAnswer>) -> Result<(), Problem> {
        let own = caller.session();
        let (parent, name) = caller.birth_name(own);
        let mut answer = WhoamiAnswer {
            id: own.to_string(),
            name: name.or_else(|| (own == ROOT).then(|| OWNER.to_owned())),
            owner: own == ROOT,
            parent: parent.map(|it| it.to_string()),
            parent_name: parent.and_then(|it| caller.name_of(it)),
            spaces: BTreeMap::new(),
            tools: Vec::new(),
            secrets: Vec::new(),
            models: Vec::new(),
        };
        for held in caller.holdings() {
            match held.subject {
                Subject::Space(space) => {
                    let name = held.alias.unwrap_or_else(|| space.to_string());
                    answer.spaces.insert(name, held.use_.map(LevelName));
                }
                Subject::Tool(name) => answer.tools.push(name),
                Subject::Secret(name) => answer.secrets.push(name),
                Subject::Model(name) => answer.models.push(name),
            }
        }
        out.tell(answer).await
    }
}
