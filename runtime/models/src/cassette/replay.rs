//! Replaying: the answer to a request is the recorded one of the same agent, turn and step that was
//! asked the same.

use super::file::read;
use super::names::{NamedRequest, Renames, RequestDifference, difference};
use super::{AnswerEnd, CassetteError, CassetteHeader, Exchange, kind_of};
use crate::fault::{Fault, FaultKind};
use crate::reply::ModelReply;
use crate::request::Place;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Answers from a cassette.
#[derive(Debug)]
pub struct Replay {
    header: CassetteHeader,
    left: Mutex<BTreeMap<Place, Vec<Exchange>>>,
    places: Vec<Place>,
    /// Agents that have asked something else: what came of that, first.
    strayed: Mutex<BTreeMap<String, Fault>>,
}

impl Replay {
    /// Reads a cassette.
    ///
    /// Errors: it cannot be read, is none, or was changed since it was recorded.
    pub fn open(path: &Path) -> Result<Replay, CassetteError> {
        let broken = |error| CassetteError::File { path: path.to_owned(), error };
        let file = File::open(path).map_err(broken)?;
        let content = read(path, &file)?.ok_or_else(|| CassetteError::Garbled {
            path: path.to_owned(),
            line: 1,
            why: "it is empty".to_owned(),
        })?;
        let places = content.exchanges.iter().map(|it| it.place.clone()).collect();
        let mut left: BTreeMap<Place, Vec<Exchange>> = BTreeMap::new();
        for exchange in content.exchanges {
            left.entry(exchange.place.clone()).or_default().push(exchange);
        }
        Ok(Replay {
            header: content.header,
            left: Mutex::new(left),
            places,
            strayed: Mutex::default(),
        })
    }

    /// How the run began that is on it.
    pub fn header(&self) -> &CassetteHeader {
        &self.header
    }

    /// The recorded exchanges that nobody has asked for.
    pub fn left(&self) -> usize {
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        left.values().map(Vec::len).sum()
    }

    /// The answer to a request. Each is given once.
    ///
    /// Errors: [`FaultKind::Cassette`]: there is none, with what differs where it was another request.
    /// An agent that has asked something else once is told the same from then on: all that follows is
    /// of another run.
    pub fn answer(&self, place: &Place, provider: &str, request: &Json) -> Result<Played, Fault> {
        let mut strayed = self.strayed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(first) = strayed.get(&place.agent) {
            return Err(first.clone());
        }
        let answer = self.found(place, provider, request);
        if let Err(fault) = &answer {
            strayed.insert(place.agent.clone(), fault.clone());
        }
        answer
    }

    fn found(&self, place: &Place, provider: &str, request: &Json) -> Result<Played, Fault> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let recorded = left.get_mut(place).filter(|it| !it.is_empty());
        let Some(recorded) = recorded else { return Err(self.nothing_left(place)) };
        let now = NamedRequest::of(request);
        let mut differs = None;
        let mut found = None;
        for (at, exchange) in recorded.iter().enumerate() {
            let was = NamedRequest::of(&exchange.request);
            if exchange.provider == provider && was.json == now.json {
                found = Some((at, Renames::between(&was, &now)));
                break;
            }
            differs.get_or_insert((exchange.provider.clone(), was));
        }
        // Another agent may have found out meanwhile that it is not to be asked for.
        if found.is_none() {
            let now = without_include(&now);
            found = recorded.iter().enumerate().find_map(|(at, exchange)| {
                let was = without_include(&NamedRequest::of(&exchange.request));
                let same = exchange.provider == provider && was.json == now.json;
                same.then(|| (at, Renames::between(&was, &now)))
            });
        }
        match (found, differs) {
            (Some((at, renames)), _) => Ok(Played::of(recorded.remove(at), renames)),
            (None, Some((was, _))) if was != provider => Err(Fault::new(
                FaultKind::Cassette,
                format!("{place}: it has asked {provider}, and on the cassette it has asked {was}"),
            )),
            (None, Some((_, was))) => Err(other(place, difference(&was.json, &now.json))),
            (None, None) => Err(self.nothing_left(place)),
        }
    }

    fn nothing_left(&self, place: &Place) -> Fault {
        let known = self.places.iter().filter(|it| it.agent == place.agent).max();
        let text = match known {
            Some(last) if last < place => format!("the last request of it is {last}"),
            Some(_) => "what was asked there is used up".to_owned(),
            None if self.places.is_empty() => "it has no request at all".to_owned(),
            None => {
                let mut all: Vec<&str> = self.places.iter().map(|it| it.agent.as_str()).collect();
                all.sort_unstable();
                all.dedup();
                all.truncate(AGENTS_SHOWN);
                format!("it has requests of {}", all.join(", "))
            }
        };
        Fault::new(FaultKind::Cassette, format!("{place} is not on the cassette; {text}"))
    }
}

/// Agents that are named where one is not there.
const AGENTS_SHOWN: usize = 8;

fn without_include(of: &NamedRequest) -> NamedRequest {
    let mut of = of.clone();
    if let Some(fields) = of.json.as_object_mut() {
        fields.remove("include");
    }
    of
}

fn other(place: &Place, differs: Option<RequestDifference>) -> Fault {
    let RequestDifference { pointer, was, is } = differs.unwrap_or(RequestDifference {
        pointer: String::new(),
        was: String::new(),
        is: String::new(),
    });
    let text = format!("{place}: the request differs at {pointer}: recorded {was}, now {is}");
    Fault::new(FaultKind::Cassette, text)
}

/// A recorded answer, as it is given again.
#[derive(Debug)]
pub struct Played {
    /// The status; nothing where the connection failed before there was one.
    pub status: Option<u16>,
    /// The headers that were kept.
    pub headers: Vec<(String, String)>,
    /// How long it took when it was recorded.
    pub took_ms: u64,
    /// And until the first of it came.
    pub first_ms: u64,
    pieces: std::vec::IntoIter<Vec<u8>>,
    end: AnswerEnd,
    renames: Renames,
}

impl Played {
    fn of(exchange: Exchange, renames: Renames) -> Played {
        let first_ms = exchange.pieces.first().map_or(0, |it| it.ms);
        let pieces: Vec<Vec<u8>> =
            exchange.pieces.iter().filter_map(|it| it.bytes.bytes()).collect();
        let pieces = pieces.into_iter();
        let Exchange { status, headers, took_ms, end, .. } = exchange;
        Played { status, headers, took_ms, first_ms, pieces, end, renames }
    }

    /// The next bytes; nothing at its end.
    ///
    /// Errors: how the connection failed. One that nobody waited for says nothing more, for ever.
    pub async fn piece(&mut self) -> Result<Option<Vec<u8>>, Fault> {
        if let Some(piece) = self.pieces.next() {
            return Ok(Some(piece));
        }
        match &self.end {
            AnswerEnd::Whole => Ok(None),
            AnswerEnd::Cancelled => std::future::pending().await,
            AnswerEnd::Broken { kind, text, paid } => {
                Err(Fault { paid: *paid, ..Fault::new(kind_of(kind), text) })
            }
        }
    }

    /// A reply with the names of this run.
    pub fn renamed(&self, mut reply: ModelReply) -> ModelReply {
        if self.renames.is_empty() {
            return reply;
        }
        reply.text = self.renames.text(&reply.text);
        reply.reasoning = self.renames.text(&reply.reasoning);
        for call in &mut reply.calls {
            call.arguments = self.renames.text(&call.arguments);
        }
        reply.blocks.iter_mut().for_each(|it| self.renames.json(it));
        reply
    }
}
