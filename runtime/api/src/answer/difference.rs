//! What two versions of an atom differ in.

use crate::caller::{Caller, Difference};
use crate::envelope::instant;
use crate::operation::{Answer, Line, Page, Plain, Tone};
use crate::unified;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use stoa_actors::difference::{ComparedVersion as Version, InUse};
use stoa_actors::ending::shown;
use stoa_actors::value::Value;

/// One of the two versions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Edition {
    /// The number of the version.
    pub version: u64,
    /// The session that wrote it.
    pub author: String,
    /// What the caller calls that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author_name: Option<String>,
    /// When it was written, as RFC 3339.
    pub at: String,
}

/// How something was, and how it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Pair {
    /// In the one version.
    pub from: Plain,
    /// In the other.
    pub to: Plain,
}

/// The lines that two contents differ in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LineDiff {
    /// In the form of `diff -u`.
    pub diff: String,
}

/// The references that came and went, each as its relation and its target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct References {
    /// Those that came.
    pub added: Vec<(String, String)>,
    /// Those that went.
    pub dropped: Vec<(String, String)>,
}

/// What two versions of an atom differ in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceAnswer {
    /// The id of the atom.
    pub id: String,
    /// The one version.
    pub from: Edition,
    /// The version that it is compared with.
    pub to: Edition,
    /// There is no difference.
    pub same: bool,
    /// In the content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<LineDiff>,
    /// In what it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotation: Option<Pair>,
    /// In its metadata; null is a key that is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<BTreeMap<String, Pair>>,
    /// In what it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
    /// In how often it was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Pair>,
    /// In whether it is out of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deprecated: Option<Pair>,
    /// The atom to read instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub superseded_by: Option<String>,
}

fn pair(from: impl Into<Value>, to: impl Into<Value>) -> Pair {
    Pair { from: Plain(from.into()), to: Plain(to.into()) }
}

impl DifferenceAnswer {
    /// As the caller sees it.
    pub fn of(caller: &Caller, it: &Difference) -> DifferenceAnswer {
        let edition = |it: &Version| Edition {
            version: it.version,
            author: it.author.to_string(),
            author_name: caller.name_of(it.author),
            at: instant(it.at),
        };
        let value = |it: &Option<Value>| it.clone().unwrap_or(Value::Null);
        let metadata = it.metadata.iter();
        let metadata: BTreeMap<_, _> = metadata
            .map(|(key, (before, after))| (key.clone(), pair(value(before), value(after))))
            .collect();
        let references = |all: &[stoa_actors::atom::Reference]| {
            all.iter().map(|it| (it.relation.clone(), it.target.to_string())).collect()
        };
        let moved = !it.added.is_empty() || !it.dropped.is_empty();
        DifferenceAnswer {
            id: it.id.to_string(),
            from: edition(&it.from),
            to: edition(&it.to),
            same: it.is_none(),
            content: it.content.as_ref().map(|(one, two)| LineDiff { diff: unified(one, two) }),
            annotation: it.annotation.as_ref().map(|(one, two)| pair(one.as_str(), two.as_str())),
            metadata: (!metadata.is_empty()).then_some(metadata),
            references: moved.then(|| References {
                added: references(&it.added),
                dropped: references(&it.dropped),
            }),
            attempts: it.attempts.map(|(one, two)| pair(one as i64, two as i64)),
            deprecated: it.deprecated.map(|(one, two)| pair(one != InUse::Yes, two != InUse::Yes)),
            superseded_by: match it.deprecated {
                Some((_, InUse::No(by))) => by.map(|id| id.to_string()),
                _ => None,
            },
        }
    }
}

impl Answer for DifferenceAnswer {
    fn show(&self, to: &mut Page) {
        let (from, until) = (to.time(&self.from.at), to.time(&self.to.at));
        let edition = |tone: Tone, sign: &str, of: &Edition, at: String| {
            let line = Line::new().piece(tone, format!("{sign} version {}", of.version));
            let by = of.author_name.as_deref().unwrap_or_else(|| shown(&of.author));
            line.dim(format!("  {at}, by {by}"))
        };
        to.line(Line::new().bold(shown(&self.id)));
        to.line(edition(Tone::Bad, "---", &self.from, from));
        to.line(edition(Tone::Good, "+++", &self.to, until));
        let mut line = |gone: bool, what: String| {
            let (tone, sign) = if gone { (Tone::Bad, '-') } else { (Tone::Good, '+') };
            to.line(Line::new().piece(tone, format!("{sign} {what}")));
        };
        let plain = |it: &Value| it.text().map_or_else(|| it.to_string(), str::to_owned);
        if let Some(it) = &self.annotation {
            line(true, format!("about {}", plain(&it.from.0)));
            line(false, format!("about {}", plain(&it.to.0)));
        }
        if let Some(it) = &self.attempts {
            line(true, format!("attempts {}", it.from.0));
            line(false, format!("attempts {}", it.to.0));
        }
        for (key, it) in self.metadata.iter().flatten() {
            for (gone, Plain(value)) in [(true, &it.from), (false, &it.to)] {
                if *value != Value::Null {
                    line(gone, format!("{key} {value}"));
                }
            }
        }
        if let Some(it) = &self.references {
            it.dropped.iter().for_each(|it| line(true, format!("{} -> {}", it.0, shown(&it.1))));
            it.added.iter().for_each(|it| line(false, format!("{} -> {}", it.0, shown(&it.1))));
        }
        if let Some(it) = &self.deprecated {
            let see = self
                .superseded_by
                .as_ref()
                .map_or(String::new(), |id| format!(", see {}", shown(id)));
            match (&it.from.0, &it.to.0) {
                (_, Value::Bool(true)) => line(false, format!("deprecated{see}")),
                _ => line(true, "deprecated".to_owned()),
            }
        }
        if self.same {
            to.line(Line::new().dim("they say the same"));
        }
        for line in self.content.iter().flat_map(|it| it.diff.split_terminator('\n')) {
            to.verbatim(
                match line.as_bytes().first() {
                    Some(b'-') => Tone::Bad,
                    Some(b'+') => Tone::Good,
                    Some(b'@') => Tone::Dim,
                    _ => Tone::Plain,
                },
                line,
            );
        }
    }
}
