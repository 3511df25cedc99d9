//! Changing an atom.

use crate::answer::{AtomAnswer, UndeclaredAnswer};
use crate::caller::Caller;
use crate::operation::{
    Arg, ArgForm, BASE, BODY, EffectKind, Meta, Needed, Operation, Out, Plain, Quiet,
    RequiredRight, Targets, WHY, base, content, some, targets, why,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::id::{AtomId, SpaceId};
use stoa_actors::rights::Level;
use stoa_actors::space::{Expect, Fence, Patch};

/// Change an atom; unspecified fields stay unchanged
///
/// Give --if-version with the version you have read, so that nobody's change is lost, or --force.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The atom's id
    pub id: String,
    /// The content as text, - for stdin, or @FILE [default: unchanged; stdin if it is piped]
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
    pub annotation: Option<String>,
    /// Metadata. KEY=VALUE: true, false, null and plain numbers are values of their own, all else is
    /// text. KEY:=JSON: any value, 'sha:="42"', 'tags:=["a", "b"]'. null removes the key
    #[serde(default)]
    pub metadata: Meta,
    /// A reference to another atom: blocked_by=ID; an update replaces all references of that relation
    #[serde(default)]
    pub references: Targets,
    /// Remove this reference, or all references of this relation
    #[serde(default)]
    pub unref: Vec<String>,
    /// Only if its metadata matches: status=open, 'tries<3'; null for a key that it must not have
    #[serde(default)]
    pub expect: Meta,
    /// Reset its count of attempts, so that it can be claimed again
    #[serde(default)]
    pub retry: bool,
    /// Only while you hold this lease, which goes on: its resource and its token
    #[serde(default)]
    pub under: Vec<String>,
    /// The version you have read; if the atom has another one, nothing changes (exit code 5)
    #[serde(default)]
    pub if_version: Option<u64>,
    /// Skip the version check
    #[serde(default)]
    pub force: bool,
    /// Why the change is made; shown in the history and to followers of the space
    #[serde(default)]
    pub comment: Option<String>,
    /// Idempotency key: a repeated command with the same key takes effect once
    #[serde(default)]
    pub key: Option<String>,
}

const CHANGED: Needed = Needed { what: "the change", hint: "stoa update ID 'TEXT' --if-version N" };

impl Operation for Update {
    const NAME: &'static str = "update";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Write);
    const ARGS: &'static [&'static [Arg]] = &[
        &[Arg::at("id", ArgForm::Text), Arg::at("content", ArgForm::ContentText(CHANGED))],
        BODY,
        &[
            Arg::flag("unref", "unref", ArgForm::EachText, "RELATION[=ID]"),
            Arg::flag("expect", "expect", ArgForm::Wanted, "KEY=VALUE"),
            Arg::switch("retry", "retry"),
            Arg::flag("under", "under", ArgForm::EachText, "RESOURCE=TOKEN"),
        ],
        BASE,
        WHY,
    ];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "update",
        takes: &[
            "id",
            "content=None",
            "annotation=None",
            "metadata={}",
            "references={}",
            "media_type=None",
            "expect={}",
            "if_version=None",
            "force=False",
            "comment=None",
            "key=None",
        ],
        does: Does::Writes,
        call: |api, _, args| called(api, args),
    }];
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let id = caller.atom_id(&self.id).await?;
        let expect = match self.expect.0.is_empty() {
            true => base(id, self.if_version, self.force)?,
            // The version is not needed where the metadata is what must hold.
            false => self.if_version.map_or(Expect::Any, Expect::Version),
        };
        let mut why = why(self.comment, self.key, || format!("update {}", self.id))?;
        if !self.under.is_empty() {
            let space = caller.get(id).await?.atom.space;
            for text in &self.under {
                why.fences.push(fence(caller, space, text).await?);
            }
        }
        let patch = Patch {
            expect: self.expect.0,
            content: content(self.content, self.json, self.base64, self.media_type)?,
            annotation: self.annotation,
            metadata: self.metadata.0,
            references: targets(caller, self.references).await?,
            attempts: self.retry.then_some(0),
            embedding: None,
        };
        let (patch, unref) = unreferenced(caller, patch, &self.unref).await?;
        let patch = caller.unreferenced(id, patch, &unref, &why).await?;
        let said = vec![(patch.metadata.clone(), patch.relations())];
        let written = caller.update(id, expect, patch, why).await?;
        let read = caller.get_version(id, written.version).await?;
        let undeclared = UndeclaredAnswer::of(caller, read.atom.space, said).await?;
        out.tell(AtomAnswer::written(caller, &read).await?.with(undeclared)).await
    }
}

/// The patch without these relations, and the single references that are to go.
async fn unreferenced(
    caller: &Caller,
    mut patch: Patch,
    texts: &[String],
) -> Result<(Patch, Vec<(String, AtomId)>), Problem> {
    let mut single = Vec::new();
    for text in texts {
        let (relation, id) = match text.split_once('=') {
            Some((relation, id)) => (relation, Some(id)),
            None => (text.as_str(), None),
        };
        if relation.is_empty() {
            let problem =
                Problem::new(ProblemKind::Invalid, format!("--unref {text:?} names no relation"));
            return Err(problem.hint("--unref RELATION"));
        }
        if patch.references.get(relation).is_some_and(|targets| !targets.is_empty()) {
            let text = format!("--ref and --unref of {relation:?} together; --ref alone replaces");
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
        }
        match id {
            Some(id) => single.push((relation.to_owned(), caller.atom_id(id).await?)),
            None => drop(patch.references.insert(relation.to_owned(), Vec::new())),
        }
    }
    Ok((patch, single))
}

/// `RESOURCE=TOKEN`; the name of a resource may hold a `=` itself.
async fn fence(caller: &Caller, space: SpaceId, text: &str) -> Result<Fence, Problem> {
    let parts = text.rsplit_once('=').filter(|(name, _)| !name.is_empty());
    let token = parts.and_then(|(name, token)| Some((name, token.parse().ok()?)));
    let (name, token) = token.ok_or_else(|| {
        Problem::new(ProblemKind::Invalid, format!("--under {text:?} is not RESOURCE=TOKEN"))
            .hint("stoa lease list SPACE --json")
    })?;
    Ok(Fence { resource: caller.resource(space, name).await?, token })
}

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let content = args.said("content");
        let annotation = args.text("annotation")?;
        let metadata = args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default();
        let references = api.references(args.take("references"), &Default::default()).await?;
        let media_type = args.text("media_type")?;
        let says = args.take("expect").map(items::metadata).transpose()?.unwrap_or_default();
        let expect = api.expect(id, &mut args)?;
        let mut why = api.why(&mut args, "update")?;
        api.rest_on(id, &mut why);
        let why = api.keyed(why, &expect);
        let content = content.map(|it| items::content(it, media_type)).transpose()?;
        let patch =
            Patch { expect: says, content, annotation, metadata, references, ..Patch::default() };
        let written = match api.caller.update(id, expect, patch, why).await {
            Ok(written) => written,
            Err(problem) => return Err(api.conflict(id, problem).await),
        };
        let read = api.caller.get_version(id, written.version).await.map_err(refused)?;
        Ok(api.note(&read))
    })
}
