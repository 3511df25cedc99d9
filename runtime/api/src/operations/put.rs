//! Putting an atom into a space.

use crate::answer::{AtomAnswer, UndeclaredAnswer};
use crate::caller::Caller;
use crate::operation::{
    Arg, ArgForm, BODY, EffectKind, Meta, Needed, Operation, Out, Plain, Quiet, RequiredRight,
    Targets, WHY, content, some, targets, why,
};
use crate::problem::Problem;
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

/// Add an atom (a record) to a space
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Put {
    /// The space's name or id
    pub space: String,
    /// The content as text, - for stdin, or @FILE [default: stdin if it is piped]
    #[serde(default)]
    pub content: Option<String>,
    /// The content as JSON
    #[serde(default, deserialize_with = "some", skip_serializing_if = "Option::is_none")]
    pub json: Option<Plain>,
    /// The content as bytes
    #[serde(default)]
    pub base64: Option<String>,
    /// Store the content as bytes of this type: image/png
    #[serde(default)]
    pub media_type: Option<String>,
    /// A description in words, used by searches
    #[serde(default)]
    pub annotation: String,
    /// Metadata. KEY=VALUE: true, false, null and plain numbers are values of their own, all else is
    /// text. KEY:=JSON: any value, 'sha:="42"', 'tags:=["a", "b"]'. null removes the key
    #[serde(default)]
    pub metadata: Meta,
    /// A reference to another atom: blocked_by=ID; an update replaces all references of that relation
    #[serde(default)]
    pub references: Targets,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

const NEW: Needed = Needed { what: "the atom", hint: "stoa put SPACE 'TEXT'" };

impl Operation for Put {
    const NAME: &'static str = "put";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Append);
    const ARGS: &'static [&'static [Arg]] = &[
        &[Arg::at("space", ArgForm::Text), Arg::at("content", ArgForm::ContentText(NEW))],
        BODY,
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "put",
        takes: &[
            "content=''",
            "annotation=''",
            "metadata={}",
            "references={}",
            "media_type=None",
            "comment=None",
            "key=None",
        ],
        does: Does::Writes,
        call: called,
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let space = caller.resolve(&self.space)?;
        let content = content(self.content, self.json, self.base64, self.media_type)?;
        let metadata = self.metadata.0.into_iter().filter(|(_, it)| *it != Value::Null);
        let draft = Draft {
            content: content.unwrap_or_default(),
            annotation: self.annotation,
            metadata: metadata.collect(),
            references: targets(caller, self.references).await?,
            ..Draft::default()
        };
        let why = why(self.comment, self.key, || format!("put into {}", self.space))?;
        let relations = draft.references.keys().cloned().collect();
        let undeclared =
            UndeclaredAnswer::of(caller, space, vec![(draft.metadata.clone(), relations)]).await?;
        let written = caller.put(space, draft, why).await?;
        let read = caller.get_version(written.id, written.version).await?;
        out.tell(AtomAnswer::written(caller, &read).await?.with(undeclared)).await
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let content = args.take("content");
        let annotation = args.text("annotation")?.unwrap_or_default();
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references = api.references(args.take("references"), &Default::default()).await?;
        let media_type = args.text("media_type")?;
        let why = api.why(&mut args, "put")?;
        let why = api.keyed(why, &());
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let content = content.unwrap_or_default();
        let draft = Draft { content, annotation, metadata, references, ..Draft::default() };
        let written = api.caller.put(space, draft, why).await.map_err(refused)?;
        let read = api.caller.get_version(written.id, written.version).await;
        Ok(api.note(&read.map_err(refused)?))
    })
}
