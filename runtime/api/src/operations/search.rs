//! Finding atoms.

use crate::answer::AtomAnswer;
use crate::as_of::Moment;
use crate::caller::{Caller, Found, SearchPage};
use crate::operation::{
    Arg, ArgForm, Conditions, EffectKind, Meta, Note, Operation, Out, Quiet, RequiredRight, When,
};
use crate::problem::{Problem, ProblemKind};
use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, moment, refused};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::code::Item;
use stoa_actors::id::SpaceId;
use stoa_actors::rights::Level;
use stoa_actors::search::{HITS_DEFAULT, PageEnd, Query, SearchOrder};
use stoa_actors::value::Value;

/// Find atoms by meaning, words, metadata and the state of what they refer to
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The space's name or id
    pub space: String,
    /// Rank by meaning and words [default: order of creation]
    #[serde(default)]
    pub query: Option<String>,
    /// Only atoms whose metadata matches: status=open, 'priority>=3'
    ///
    /// =, !=, <, <=, > and >= compare numbers with numbers and texts with texts. Several conditions
    /// must all hold. An atom without the key does not match. A value is typed as with put:
    /// 'sha:="42"' is the text. A key in a map is named by its path: owner.name=ada. One of several
    /// values: 'status:={"in": ["open", "failed"]}'. A list with this element:
    /// 'tags:={"contains": "urgent"}'. One of several conditions:
    /// 'any:=[{"status": "open"}, {"priority": {">=": 3}}]'. If nothing matches because all values
    /// have another type or the key is misspelt, a note says so; with --json it is a line of its
    /// own.
    #[serde(default)]
    pub metadata: Meta,
    /// Only atoms whose references match
    ///
    /// blocked_by:status=done: every target of the relation has this value; an atom without a
    /// target matches too. With any: in front at least one target has it; with none: no target has
    /// it. <- in front of a relation reads it backwards: any:<-blocked_by:. Several values of one
    /// relation are one condition. Without a value, any target that you can read matches. A target
    /// that you cannot read does not match.
    #[serde(default)]
    pub references: Conditions,
    /// Maximum number of atoms
    #[serde(default = "hits")]
    pub limit: usize,
    /// Next page: the cursor that the last page printed, with the same query
    #[serde(default)]
    pub after: Option<String>,
    /// Include deprecated atoms
    #[serde(default)]
    pub include_deprecated: bool,
    /// Sort by this declared key; -KEY puts the highest first; several keys are used in turn;
    /// -created puts the newest first [default: created]
    #[serde(default)]
    pub order: Vec<String>,
    /// The newest first
    #[serde(default)]
    pub newest: bool,
    /// Search the space as it was then: a position in the log, a time, or '10m ago' [default: now]
    #[serde(default)]
    pub as_of: Option<When>,
}

fn hits() -> usize {
    HITS_DEFAULT
}

impl Search {
    /// All of a space, by birth, up to a limit.
    pub fn of(space: impl Into<String>, limit: usize) -> Search {
        Search { space: space.into(), limit, ..Search::default() }
    }
}

impl Operation for Search {
    const NAME: &'static str = "search";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::at("query", ArgForm::Text),
        Arg::flag("meta", "metadata", ArgForm::Wanted, "KEY=VALUE"),
        Arg::flag("ref", "references", ArgForm::Conditions, "RELATION:KEY=VALUE"),
        Arg::flag("limit", "limit", ArgForm::Number, "N"),
        Arg::flag("after", "after", ArgForm::Text, "CURSOR"),
        Arg::switch("include-deprecated", "include_deprecated"),
        Arg::flag("order", "order", ArgForm::Texts, "KEY").conflicts(&["query", "newest"]),
        Arg::switch("newest", "newest").conflicts(&["query"]),
        Arg::flag("as-of", "as_of", ArgForm::Text, "MOMENT"),
    ]];
    const METHODS: &'static [Method] = &[Method {
        on: On::Space,
        name: "search",
        takes: &[
            "query=None",
            "metadata={}",
            "references={}",
            "limit=20",
            "include_deprecated=False",
            "order='oldest'",
            "after=None",
            "as_of=None",
        ],
        does: Does::LooksUnless(&["as_of"]),
        call: called,
    }];
    const NONE: &'static str = "no matches";
    const QUIET: Quiet = Quiet::Field("/id");
    type Answer = AtomAnswer;

    /// In pieces: what is held in memory at once does not grow with what is asked for.
    async fn perform(self, caller: &Caller, out: &Out<AtomAnswer>) -> Result<(), Problem> {
        let space = caller.resolve(&self.space)?;
        if (self.newest || self.query.is_some()) && !self.order.is_empty() {
            let text = "a search has one order: --order, --newest, or the query";
            return Err(Problem::new(ProblemKind::Invalid, text).hint("--help"));
        }
        let bytes_max = caller.runtime().config().read_piece_bytes;
        // All pieces look at one moment.
        let as_of = match self.as_of {
            Some(when) => {
                let position = caller.runtime().moment(when.moment()?).await?;
                Some(Moment::Position(position))
            }
            None => None,
        };
        let query = Query {
            text: self.query,
            metadata: self.metadata.0,
            references: self.references.0,
            limit: self.limit,
            include_deprecated: self.include_deprecated,
            order: match (self.newest, self.order.is_empty()) {
                (true, _) => SearchOrder::Newest,
                (false, true) => SearchOrder::Oldest,
                (false, false) => {
                    SearchOrder::By(self.order.iter().filter_map(|it| it.parse().ok()).collect())
                }
            },
            after: None,
        };
        let (mut left, mut told_of_move, mut after) = (query.limit, false, self.after);
        let first = after.is_none() && as_of.is_none();
        loop {
            let piece = Query { limit: left, ..query.clone() };
            let SearchPage { hits, mut next, moved } =
                caller.page_within(space, piece, after.as_deref(), as_of, bytes_max).await?;
            if hits.is_empty() && first && left == query.limit {
                out.mismatches(caller, space, &query.metadata).await?;
            }
            if moved && !std::mem::replace(&mut told_of_move, true) {
                let text =
                    "the space has changed since that page; some atoms may be missing or repeated";
                out.note(Note::all(text)).await?;
            }
            left = left.saturating_sub(hits.len());
            let on = next.take_if(|_| left > 0 && !hits.is_empty());
            let last = hits.len().saturating_sub(1);
            for (n, found) in hits.into_iter().enumerate() {
                let next = if n == last { next.take() } else { None };
                let more = next
                    .as_ref()
                    .map(|next| format!("there may be more; for the next page add --after {next}"));
                out.tell(AtomAnswer::found(caller, &found, next)).await?;
                if let Some(more) = more {
                    out.aside(more).await?;
                }
            }
            match on {
                Some(cursor) => after = Some(cursor),
                None => return Ok(()),
            }
        }
    }
}

fn called(api: &mut HostApi, space: SpaceId, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let query = Query {
            text: args.text("query")?,
            metadata: args.take("metadata").map(items::metadata).transpose()?.unwrap_or_default(),
            references: args
                .take("references")
                .map(items::conditions)
                .transpose()?
                .unwrap_or_default(),
            limit: args.number("limit")?.map_or(HITS_DEFAULT, |it| it as usize),
            include_deprecated: args.truth("include_deprecated")?,
            order: match args.take("order") {
                Some(Item::Value(Value::Text(word))) if word == "newest" => SearchOrder::Newest,
                Some(Item::Value(Value::Text(word))) if word == "oldest" => SearchOrder::Oldest,
                by => match super::shared::order(by)? {
                    by if by.is_empty() => SearchOrder::Oldest,
                    by => SearchOrder::By(by),
                },
            },
            after: match args.said("after") {
                Some(hit) => Some(PageEnd { id: items::id(&hit)?, score: None }),
                None => None,
            },
        };
        let as_of = moment(&mut args)?;
        let wanted = query.metadata.clone();
        let found = api.caller.looked(space, query, as_of).await.map_err(refused)?;
        if found.hits.is_empty() && as_of.is_none() {
            api.remark(space, &wanted).await?;
        }
        let hit = |it: Found| (it.read.atom, it.read.position, Some(it.score));
        let hits = found.hits.into_iter().map(hit).collect();
        // An older version is no base for a change.
        let (items, told, all) = api.list(hits, as_of.is_none());
        if told < all || found.cut {
            let text = "search() ended early, for one answer; after=hits[-1] goes on";
            api.notice(text.to_owned());
        }
        Ok(items)
    })
}
