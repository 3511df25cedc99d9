//! A draft that a model has written becomes an answer, or is sent back.
//!
//! The one who writes the answer of a run is the run itself, never an agent: a sentence is in it only
//! if the lines that it names hold it. What they do not hold is told to the synthesiser, as an atom of
//! the space `reviews` which it follows. All that is decided here is decided from what stands in
//! spaces, so whoever goes on after a crash decides the same.

use super::attempt::{Attempt, Run};
use super::draft::{Place, Sentence, sentences};
use super::holds::lack;
use super::report::Citation;
use crate::caller::{ReadAtom, WriteOptions};
use crate::problem::Problem;
use std::collections::{BTreeMap, BTreeSet};
use stoa_actors::atom::{Content, Metadata};
use stoa_actors::id::AtomId;
use stoa_actors::search::Query;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

/// Findings that are shown where there is no answer.
const NEAREST: usize = 3;

/// A sentence that its lines hold.
struct Held {
    sentence: Sentence,
    citations: Vec<Citation>,
    passages: Vec<AtomId>,
}

/// What became of a draft.
#[derive(Default)]
struct Judged {
    held: Vec<Held>,
    /// What is said against its other sentences, each in a line.
    against: Vec<String>,
}

impl Run<'_> {
    /// Does what is to be done now, and says whether it was anything. `at_rest`: no agent is at work.
    pub(super) async fn review(&self, attempt: &Attempt, at_rest: bool) -> Result<bool, Problem> {
        let Some(reviews) = attempt.reviews else { return Ok(false) };
        let crew = self.crew(attempt).await?;
        let of_synthesis = format!("{}-synthesiser", attempt.coordinator);
        let synthesisers: Vec<_> = crew
            .iter()
            .filter(|it| it.name.as_deref().is_some_and(|it| it.starts_with(&of_synthesis)))
            .collect();
        let mut drafts = self.in_order(attempt.findings, "draft").await?;
        drafts.retain(|it| synthesisers.iter().any(|agent| agent.id == it.atom.author));
        let told = self.in_order(reviews, "objection").await?;
        let answered = |draft: &ReadAtom| {
            let id = draft.atom.id.to_string();
            told.iter().any(|it| text(it, "draft") == Some(&id))
        };
        let last = drafts.last();
        let new = last.filter(|it| !answered(it));
        if let Some(draft) = new {
            let judged = self.judge(attempt, draft).await?;
            let none = draft.atom.metadata.get("found") == Some(&Value::Bool(false));
            let sent_back = told.iter().filter(|it| text(it, "draft") != Some(""));
            let over = sent_back.count() + 1 >= self.limits.drafts_max;
            if none || over || (judged.against.is_empty() && !judged.held.is_empty()) {
                self.conclude(attempt, judged, none).await?;
            } else {
                let id = draft.atom.id.to_string();
                self.object(reviews, &id, &judged.against).await?;
            }
            return Ok(true);
        }
        if !at_rest {
            return Ok(false);
        }
        if self.close(attempt).await? {
            return Ok(true);
        }
        let waits = synthesisers.iter().any(|it| it.state == "idle");
        match last {
            // It has had its say, and says no more.
            Some(draft) => {
                let judged = self.judge(attempt, draft).await?;
                self.conclude(attempt, judged, false).await?;
            }
            None if !waits => return Ok(false),
            None if told.is_empty() => {
                let why = "there is no atom of kind `draft` in findings; put one there";
                self.object(reviews, "", &[why.to_owned()]).await?;
            }
            None => self.conclude(attempt, Judged::default(), true).await?,
        }
        Ok(true)
    }

    /// All of a kind, the oldest first.
    async fn in_order(
        &self,
        space: stoa_actors::id::SpaceId,
        kind: &str,
    ) -> Result<Vec<ReadAtom>, Problem> {
        let mut all = self.of_kind(space, kind).await?;
        all.sort_by_key(|it| (it.atom.born, it.atom.id));
        Ok(all)
    }

    async fn judge(&self, attempt: &Attempt, draft: &ReadAtom) -> Result<Judged, Problem> {
        let limits = self.limits;
        let said = words(draft);
        let mut judged = Judged::default();
        if said.len() > limits.draft_bytes_max {
            let (bytes, max) = (said.len(), limits.draft_bytes_max);
            judged.against.push(format!("it has {bytes} bytes; the limit is {max}"));
            return Ok(judged);
        }
        let found = self.of_kind(attempt.findings, "finding").await?;
        let paths: BTreeSet<&str> = found.iter().filter_map(|it| text(it, "path")).collect();
        let sentences = sentences(&said);
        let max = limits.sentences_max;
        if sentences.len() > max {
            let count = sentences.len();
            judged.against.push(format!("it has {count} sentences; the limit is {max}"));
            return Ok(judged);
        }
        let mut cited = 0;
        for sentence in sentences {
            match self.held(&sentence, &paths).await? {
                Ok(held) => {
                    cited += held
                        .citations
                        .iter()
                        .map(|it| it.text.len() + it.path.len())
                        .sum::<usize>();
                    match cited <= limits.cited_bytes_max {
                        true => judged.held.push(held),
                        false => judged.against.push(format!(
                            "\"{}\": with it the answer cites more than {} bytes; name fewer lines",
                            sentence.text, limits.cited_bytes_max
                        )),
                    }
                }
                Err(why) => judged.against.push(format!("\"{}\": {why}", sentence.text)),
            }
        }
        if judged.held.is_empty() && judged.against.is_empty() {
            judged.against.push("it says nothing".to_owned());
        }
        Ok(judged)
    }

    /// A sentence with what it cites, or why it is not to be said.
    async fn held(
        &self,
        sentence: &Sentence,
        paths: &BTreeSet<&str>,
    ) -> Result<Result<Held, String>, Problem> {
        let max = self.limits.places_max;
        if sentence.places.is_empty() {
            return Ok(Err(
                "it names no lines; write [PATH:LINE] or [PATH:LINE-LAST] behind it".into()
            ));
        }
        if sentence.places.len() > max {
            return Ok(Err(format!("it names more than {max} places; make two sentences of it")));
        }
        let (mut all, mut citations, mut passages) = (Vec::new(), Vec::new(), Vec::new());
        for place in &sentence.places {
            let count = place.last - place.line + 1;
            let max = self.limits.place_lines_max;
            if count > max {
                return Ok(Err(format!("[{place}] are {count} lines; name {max} at most")));
            }
            let Some((citation, lines, of)) = self.named(place, paths).await? else {
                return Ok(Err(format!("the sources have no [{place}]")));
            };
            let (bytes, max) = (lines.text.len(), self.limits.place_bytes_max);
            if bytes > max {
                return Ok(Err(format!("[{place}] has {bytes} bytes; the limit is {max}")));
            }
            all.push(lines);
            citations.push(citation);
            passages.extend(of);
        }
        Ok(match lack(&sentence.text, &all) {
            Some(lack) => Err(lack.to_string()),
            None => Ok(Held { sentence: sentence.clone(), citations, passages }),
        })
    }

    async fn object(
        &self,
        reviews: stoa_actors::id::SpaceId,
        draft: &str,
        against: &[String],
    ) -> Result<(), Problem> {
        let content = Content::Text(against.join("\n"));
        let metadata = Metadata::from([
            ("kind".to_owned(), "objection".into()),
            ("draft".to_owned(), Value::Text(draft.to_owned())),
        ]);
        let what = Draft { content, metadata, ..Draft::default() };
        let comment = match (draft, against.len()) {
            ("", _) => "nothing to be read yet".to_owned(),
            (_, 1) => "1 sentence is not held by its lines".to_owned(),
            (_, n) => format!("{n} sentences are not held by their lines"),
        };
        let why = WriteOptions::comment(comment).key(format!("objection {draft}"));
        self.caller.put(reviews, what, why).await.map(drop)
    }

    /// Closes the tasks of researchers that have stopped without a word. Says whether there were any.
    async fn close(&self, attempt: &Attempt) -> Result<bool, Problem> {
        let mut any = false;
        for task in self.of_kind(attempt.tasks, "task").await? {
            let id = task.atom.id.to_string();
            let research = task.atom.metadata.get("number") != Some(&Value::Int(0));
            let open = text(&task, "status") == Some("in_progress");
            if !research || !open {
                continue;
            }
            let of_it = [("kind", Value::from("closing")), ("task", Value::Text(id.clone()))];
            let metadata = of_it.into_iter().map(|(key, it)| (key.to_owned(), it)).collect();
            let query = Query { metadata, limit: 1, ..Query::default() };
            if !self.caller.search(attempt.findings, query).await?.is_empty() {
                continue;
            }
            let metadata = Metadata::from([
                ("kind".to_owned(), "closing".into()),
                ("task".to_owned(), Value::Text(id.clone())),
            ]);
            let content = Content::Text("its researcher has stopped".to_owned());
            let what = Draft { content, metadata, ..Draft::default() };
            let why =
                WriteOptions::comment("nobody is at it any more").key(format!("closing {id}"));
            self.caller.put(attempt.findings, what, why).await?;
            any = true;
        }
        Ok(any)
    }

    /// Writes the answer: what is held, or what came nearest.
    async fn conclude(&self, attempt: &Attempt, of: Judged, none: bool) -> Result<(), Problem> {
        let held = if none { Vec::new() } else { of.held };
        let found = !held.is_empty();
        let shown = |text: &str, places: &[Citation]| {
            let places: Vec<String> = places.iter().map(|it| format!("[{}]", it.place())).collect();
            format!("{text} {}", places.join(""))
        };
        let mut all: Vec<String> =
            held.iter().map(|it| shown(&it.sentence.text, &it.citations)).collect();
        let mut citations: Vec<Citation> =
            held.iter().flat_map(|it| it.citations.clone()).collect();
        if !found {
            all.push("The documents do not answer this.".to_owned());
            citations = self.nearest(attempt).await?;
            if !citations.is_empty() {
                all.push("Nearest to it:".to_owned());
            }
            all.extend(citations.iter().map(|it| shown(&it.text, std::slice::from_ref(it))));
        }
        let failed = self.of_kind(attempt.tasks, "task").await?.into_iter().filter_map(|it| {
            let failed = text(&it, "status") == Some("failed");
            it.atom.metadata.get("number").filter(|_| failed).cloned()
        });
        let failed: Vec<Value> = failed.collect();
        let sentences = held.iter().map(|it| {
            let places = it.citations.iter().map(Citation::value).collect();
            Value::Map(BTreeMap::from([
                ("text".to_owned(), Value::Text(it.sentence.text.clone())),
                ("citations".to_owned(), Value::List(places)),
            ]))
        });
        let metadata = Metadata::from([
            ("kind".to_owned(), "answer".into()),
            ("found".to_owned(), Value::Bool(found)),
            ("sentences".to_owned(), Value::List(sentences.collect())),
            ("citations".to_owned(), Value::List(citations.iter().map(Citation::value).collect())),
            ("left_out".to_owned(), Value::Int(if none { 0 } else { of.against.len() as i64 })),
            ("failed".to_owned(), Value::List(failed)),
        ]);
        let mut cites: Vec<AtomId> = held.iter().flat_map(|it| it.passages.clone()).collect();
        cites.sort_unstable();
        cites.dedup();
        let what = Draft {
            content: Content::Text(all.join("\n")),
            annotation: self.ask.question.clone(),
            metadata,
            references: BTreeMap::from([("cites".to_owned(), cites)]),
            ..Draft::default()
        };
        let why = WriteOptions::comment("the answer, held by its lines").key("answer");
        self.caller.put(attempt.findings, what, why).await.map(drop)
    }

    /// What researchers have found, as far as it stands where they say.
    async fn nearest(&self, attempt: &Attempt) -> Result<Vec<Citation>, Problem> {
        let mut all = Vec::new();
        for it in self.in_order(attempt.findings, "finding").await? {
            let number = |key: &str| match it.atom.metadata.get(key) {
                Some(Value::Int(number)) => u64::try_from(*number).ok().filter(|it| *it > 0),
                _ => None,
            };
            let (Some(path), Some(line)) = (text(&it, "path"), number("line")) else { continue };
            let last = number("last").unwrap_or(line).max(line);
            if last - line >= self.limits.place_lines_max {
                continue;
            }
            let place = Place { path: path.to_owned(), line, last };
            let Some((citation, lines, _)) = self.lines(&place).await? else { continue };
            if lines.text.len() > self.limits.place_bytes_max {
                continue;
            }
            let said = words(&it);
            let said: Vec<&str> = said.split_whitespace().collect();
            if !said.is_empty() && citation.text.contains(&said.join(" ")) {
                all.push(citation);
            }
            if all.len() == NEAREST {
                break;
            }
        }
        Ok(all)
    }
}

fn text<'a>(of: &'a ReadAtom, key: &str) -> Option<&'a str> {
    of.atom.metadata.get(key).and_then(Value::text)
}

fn words(of: &ReadAtom) -> String {
    match &of.atom.content {
        Content::Text(text) => text.clone(),
        Content::Json(value) => value.to_string(),
        _ => String::new(),
    }
}
