//! What stands at a place that somebody names.

use super::attempt::Run;
use super::draft::Place;
use super::holds::Lines;
use super::report::Citation;
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::AtomId;
use stoa_actors::search::Query;
use stoa_actors::value::Value;

/// Lines as they are cited and as they are read, and the passages that they are of.
pub(super) type Found = (Citation, Lines, Vec<AtomId>);

impl Run<'_> {
    /// What stands at a place, also where its folders are left out.
    pub(super) async fn named(
        &self,
        place: &Place,
        paths: &BTreeSet<&str>,
    ) -> Result<Option<Found>, Problem> {
        if let Some(found) = self.lines(place).await? {
            return Ok(Some(found));
        }
        let ends = |it: &&&str| {
            let rest = it.strip_suffix(place.path.as_str());
            rest.is_some_and(|it| it.ends_with('/') || place.path.starts_with('/'))
        };
        let mut near = paths.iter().filter(ends);
        match (near.next(), near.next()) {
            (Some(only), None) => {
                self.lines(&Place { path: (*only).to_owned(), ..place.clone() }).await
            }
            _ => Ok(None),
        }
    }

    /// What stands at a place.
    pub(super) async fn lines(&self, place: &Place) -> Result<Option<Found>, Problem> {
        let path = place.path.clone();
        let bound = |operator: &str, line: u64| {
            Value::Map(BTreeMap::from([(operator.to_owned(), Value::Int(line as i64))]))
        };
        let metadata = Metadata::from([
            ("kind".to_owned(), "passage".into()),
            ("path".to_owned(), Value::Text(path.clone())),
            ("first".to_owned(), bound("<=", place.last)),
            ("last".to_owned(), bound(">=", place.line)),
        ]);
        let limit = self.caller.runtime().config().limits.search.hits_max;
        let found = self.caller.search(self.sources, Query { metadata, limit, ..Query::default() });
        let mut found = found.await?;
        // A long line is in several passages, one behind the other.
        found.sort_by_key(|it| match it.read.atom.metadata.get("n") {
            Some(Value::Int(number)) => *number,
            _ => 0,
        });
        let (mut there, mut heading, mut passages) =
            (BTreeMap::<u64, String>::new(), String::new(), Vec::new());
        for hit in found {
            let Content::Text(said) = &hit.read.atom.content else { continue };
            let Some(Value::Int(first)) = hit.read.atom.metadata.get("first") else { continue };
            for (number, line) in (*first as u64..).zip(said.lines()) {
                if !(place.line..=place.last).contains(&number) {
                    continue;
                }
                let whole = there.entry(number).or_default();
                if !whole.is_empty() {
                    whole.push(' ');
                }
                whole.push_str(line);
            }
            heading.push_str(&hit.read.atom.annotation);
            heading.push('\n');
            passages.push(hit.read.atom.id);
        }
        passages.truncate(self.limits.place_passages_max);
        let blank = |it: &String| it.trim().is_empty();
        while there.first_entry().is_some_and(|it| blank(it.get())) {
            there.pop_first();
        }
        while there.last_entry().is_some_and(|it| blank(it.get())) {
            there.pop_last();
        }
        let ends = (there.keys().next().copied(), there.keys().next_back().copied());
        let (Some(line), Some(last)) = ends else { return Ok(None) };
        // A gap between two passages parts them as an empty line does.
        let lines: Vec<String> =
            (line..=last).map(|it| there.remove(&it).unwrap_or_default()).collect();
        let said: Vec<&str> = lines.iter().flat_map(|it| it.split_whitespace()).collect();
        let citation = Citation { text: said.join(" "), path, line, last };
        let text = lines.join("\n");
        Ok(Some((citation, Lines { text, heading }, passages)))
    }
}
