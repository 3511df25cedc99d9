//! What can be asked of a data directory: each operation in one file of [`crate::operations`], and
//! every surface made of what it says there. The socket carries its request and its answers as JSON;
//! the command line is made of its [`Arg`]s and the words on its fields; `stoa schema` prints what
//! its types are; code in the sandbox calls its [`Method`]s.
//!
//! [`Method`]: crate::session::Method

mod arg;
mod ask;
mod field;
mod out;
mod page;
mod table;
mod times;

pub use arg::{Arg, ArgForm, BASE, BODY, Needed, WHY};
pub(crate) use ask::{base, targets, why};
pub use field::{
    Conditions, LevelName, Meta, Packed, Plain, SpaceRight, Span, Targets, Units, When, content,
    some,
};
pub use out::{Answers, Note, Out, OutItem, Progress, Ready, answers};
pub(crate) use out::{Told, told};
pub use page::{Block, Line, Page, Tone};
pub use table::{Align, Column, Give, TableRow, TextTable};
pub use times::Times;

use crate::caller::Caller;
use crate::host::Boxed;
use crate::problem::{Problem, ProblemKind};
use crate::session::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use stoa_actors::rights::Level;

/// What an operation does to what is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectKind {
    /// It only looks.
    Reads,
    /// It changes something: sent again after a lost answer, it wants the same key.
    Writes,
}

/// What it takes to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequiredRight {
    /// A level on the space that it names, or on that of the atom.
    On(Level),
    /// What is asked for must be the caller's own: an agent under it, a subscription of its.
    Own,
    /// Anybody who may ask at all; it is told of what it may see.
    Any,
    /// The owner of the directory alone, whatever rights a session holds: why, and what it types.
    Owner(&'static str, &'static str),
}

/// Who is told answers as JSON Lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonLines {
    /// Who asks for them, with `--json`.
    Asked,
    /// Whoever is no terminal: it tells what happens, entry by entry.
    Piped,
    /// Everybody: it is a file.
    Always,
}

/// What is left of an answer with `--quiet`: what was asked for, and no word about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// All that people are shown.
    Shown,
    /// One field of it: mostly its id.
    Field(&'static str),
    /// One id; nothing of an answer that has none.
    Id(&'static str),
    /// Nothing: that it was done is told by the exit code.
    Nothing,
}

/// One operation. The type is its request, as it is written in JSON; its documentation is its help.
pub trait Operation: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Its name, as it is typed: `space create`.
    const NAME: &'static str;
    /// Whether it changes anything.
    const EFFECT: EffectKind;
    /// What it takes.
    const RIGHT: RequiredRight;
    /// What is typed for it, in groups.
    const ARGS: &'static [&'static [Arg]];
    /// How code calls it.
    const METHODS: &'static [Method] = &[];
    /// Who is told its answers as JSON Lines without having asked for it.
    const LINES: JsonLines = JsonLines::Asked;
    /// What people are told where there is no answer.
    const NONE: &'static str = "";
    /// What is left of an answer with `--quiet`.
    const QUIET: Quiet = Quiet::Shown;
    /// It makes the directory where there is none.
    const MAKES: bool = false;
    /// It can be typed.
    const TYPED: bool = true;
    /// One answer of those that it gives.
    type Answer: Answer;

    /// Does it, and tells what comes of it.
    fn perform(
        self,
        caller: &Caller,
        out: &Out<Self::Answer>,
    ) -> impl Future<Output = Result<(), Problem>> + Send;
}

/// What is told, as data and to people.
pub trait Answer: Serialize + DeserializeOwned + JsonSchema + Send + Sync + 'static {
    /// Shows the answer to people; programs get its JSON.
    fn show(&self, to: &mut Page);

    /// What makes the command fail although it was answered.
    fn failure(&self) -> Option<Problem> {
        None
    }
}

/// What does not name the type of an operation.
pub struct AnyOperation {
    /// Its name, as it is typed.
    pub name: &'static str,
    /// Whether it changes anything.
    pub effect: EffectKind,
    /// What it takes.
    pub right: RequiredRight,
    /// What is typed for it.
    pub args: &'static [&'static [Arg]],
    /// How code calls it.
    pub methods: &'static [Method],
    /// Who is told its answers as JSON Lines without having asked for it.
    pub lines: JsonLines,
    /// What people are told where there is no answer.
    pub none: &'static str,
    /// What is left of an answer with `--quiet`.
    pub quiet: Quiet,
    /// It makes the directory where there is none.
    pub makes: bool,
    /// It can be typed.
    pub typed: bool,
    request: fn(&mut SchemaGenerator) -> Schema,
    answer: fn(&mut SchemaGenerator) -> Schema,
    shown: fn(&[u8], &mut Page) -> Result<Option<Problem>, Problem>,
    perform: Perform,
}

type Perform = for<'a> fn(&'a Caller, &'a [u8], Answers) -> Boxed<'a, Result<(), Problem>>;

impl AnyOperation {
    /// That of an operation.
    pub const fn of<O: Operation>() -> AnyOperation {
        AnyOperation {
            name: O::NAME,
            effect: O::EFFECT,
            right: O::RIGHT,
            args: O::ARGS,
            methods: O::METHODS,
            lines: O::LINES,
            none: O::NONE,
            quiet: O::QUIET,
            makes: O::MAKES,
            typed: O::TYPED,
            request: |generator| O::json_schema(generator),
            answer: |generator| O::Answer::json_schema(generator),
            shown: |json, page| {
                let answer: O::Answer = serde_json::from_str(fitting(O::NAME, json)?)
                    .map_err(|error| invalid(O::NAME, &error))?;
                answer.show(page);
                Ok(answer.failure())
            },
            perform: |caller, body, answers| {
                Box::pin(async move {
                    let request: O = decode(O::NAME, body)?;
                    request.perform(caller, &Out::new(answers)).await
                })
            },
        }
    }

    /// What it is for, in one line.
    pub fn about(&self) -> String {
        let schema = self.request();
        let text = schema.get("description").and_then(|it| it.as_str()).unwrap_or_default();
        let first = text.split("\n\n").next().unwrap_or_default();
        first.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The JSON schema of its request.
    pub fn request(&self) -> Schema {
        whole(self.request)
    }

    /// The JSON schema of one answer.
    pub fn answer(&self) -> Schema {
        whole(self.answer)
    }

    /// An answer for people, and what makes the command fail although it was answered.
    pub fn show(&self, json: &[u8], page: &mut Page) -> Result<Option<Problem>, Problem> {
        (self.shown)(json, page)
    }

    /// Does it for a caller who may ask.
    ///
    /// Errors: [`ProblemKind::Forbidden`] for what is the owner's alone; [`ProblemKind::Invalid`] for a body that
    /// does not fit its schema; and what the operation itself says.
    pub async fn perform(
        &self,
        caller: &Caller,
        body: &[u8],
        answers: Answers,
    ) -> Result<(), Problem> {
        if let RequiredRight::Owner(why, hint) = self.right {
            caller.is_owner(why, hint)?;
        }
        (self.perform)(caller, body, answers).await
    }
}

fn whole(of: fn(&mut SchemaGenerator) -> Schema) -> Schema {
    let settings = schemars::generate::SchemaSettings::draft2020_12().with(|it| {
        it.inline_subschemas = true;
        it.meta_schema = None;
    });
    of(&mut settings.into_generator())
}

/// Characters of the path of a field that are told.
const PATH_CHARS: usize = 80;

/// A body of an operation.
fn decode<T: DeserializeOwned>(name: &str, json: &[u8]) -> Result<T, Problem> {
    let mut from = serde_json::Deserializer::from_str(fitting(name, json)?);
    let value = serde_path_to_error::deserialize(&mut from).map_err(|it| misfit(name, &it))?;
    from.end().map_err(|error| invalid(name, &error))?;
    Ok(value)
}

/// The text of a body or an answer. No number in it is rounded to make it fit.
fn fitting<'a>(name: &str, json: &'a [u8]) -> Result<&'a str, Problem> {
    let text = std::str::from_utf8(json).map_err(|error| invalid(name, &error))?;
    crate::envelope::fits(text).map_err(|error| invalid(name, &error))?;
    Ok(text)
}

fn misfit(name: &str, error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let (path, why) = (error.path().to_string(), error.inner().to_string());
    // Where in the JSON it stands is of no use to who has typed something else.
    let why = why.split(" at line ").next().unwrap_or_default();
    let path: String = path.chars().take(PATH_CHARS).collect();
    if path == "." { invalid(name, &why) } else { invalid(name, &format!("{path}: {why}")) }
}

fn invalid(name: &str, why: &dyn std::fmt::Display) -> Problem {
    Problem::new(ProblemKind::Invalid, format!("{name}: {why}")).hint("--help")
}
