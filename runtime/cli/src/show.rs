//! From answers to the terminal: as JSON Lines, or as people see them.

use super::look::look;
use super::progress::Progress;
use super::screen::{Screen, note, out_is_seen, unwritten};
use super::table::Sheet;
use super::typed::flag;
use super::{carry, resume};
use clap::ArgMatches;
use clap::parser::ValueSource;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value as Json;
use std::io;
use stoa_api::operation::{Answer, AnyOperation, JsonLines, OutItem, Page, Quiet, Times};
use stoa_api::operations::SubscriptionAck;
use stoa_kernel::problem::Problem;

/// What is printed of the answers to one command line.
pub(super) struct Out {
    /// Whose answers they are.
    pub(super) operation: &'static AnyOperation,
    /// JSON Lines, and not for people.
    json: bool,
    /// They were asked for.
    asked: bool,
    /// It stays, and prints what happens as it happens.
    follows: bool,
    /// Code is shown whole.
    code: bool,
    /// Where an export goes that does not go to stdout.
    file: Option<carry::Into>,
    progress: Progress,
    sheet: Sheet,
    /// Answers that were told, and words about them.
    told: u64,
    /// Up to where a subscription is printed.
    pub(super) read: Option<SubscriptionAck>,
    /// Up to where what happens is printed.
    pub(super) seen: resume::Seen,
    /// What makes the command fail although it was answered.
    failed: Option<Problem>,
    /// Whoever read the answers has enough, like `head`: no failure.
    pub(super) hung_up: bool,
    /// The answer is not printed yet: a better one may come.
    hold: bool,
    held: Vec<Vec<u8>>,
}

/// What is told up to a cursor can be acknowledged.
const SUBSCRIPTION_READ: &str = "subscription read";

/// So many of the last entries a person is shown who has not said how many.
const SHOWN: u64 = 100;

/// What a person is shown of what happened: the last of it, unless it is said from where to begin.
pub(super) fn shown(operation: &AnyOperation, typed: &ArgMatches, json: bool, body: &mut Json) {
    let happens = matches!(operation.name, "history" | "agent log" | "trace");
    let is_typed = |name: &str| typed.value_source(name) == Some(ValueSource::CommandLine);
    let said = |name: &&str| typed.try_contains_id(name).is_ok_and(|_| is_typed(name));
    let begins = ["after", "limit", "tail", "newest"].iter().any(said);
    let traced = operation.name == "trace";
    let begins = begins || traced && ["cursor", "follow", "within"].iter().any(said);
    if happens && !json && !begins && out_is_seen() {
        body["tail"] = SHOWN.into();
    }
    // Who looks is told why something failed; what goes on elsewhere has nobody's words in it unasked.
    if traced && !json && out_is_seen() {
        body["reasons"] = true.into();
    }
}

/// Whether a verb stays until it is interrupted.
pub(super) fn follows(operation: &AnyOperation, typed: &ArgMatches) -> bool {
    match operation.name {
        "watch" | "lease watch" => !flag(typed, "no-follow"),
        _ => flag(typed, "follow") || flag(typed, "live"),
    }
}

impl Out {
    pub(super) fn new(
        operation: &'static AnyOperation,
        typed: &ArgMatches,
        file: Option<carry::Into>,
        json: bool,
    ) -> Out {
        let asked = json;
        let json = match operation.lines {
            JsonLines::Asked => json,
            JsonLines::Piped => json || !(out_is_seen() || look().quiet),
            JsonLines::Always => true,
        };
        Out {
            operation,
            json,
            asked,
            follows: follows(operation, typed),
            code: flag(typed, "code"),
            file,
            progress: Progress::new(),
            sheet: Sheet::default(),
            told: 0,
            read: None,
            seen: resume::Seen::default(),
            failed: None,
            hung_up: false,
            hold: false,
            held: Vec::new(),
        }
    }

    /// Whether JSON was asked for.
    pub(super) fn is_json(&self) -> bool {
        self.asked
    }

    /// Keeps the next answers instead of printing them.
    pub(super) fn hold(&mut self) {
        self.hold = true;
    }

    /// What is kept.
    pub(super) fn held<A: Answer>(&self) -> Vec<A> {
        self.held.iter().filter_map(|it| serde_json::from_slice(it).ok()).collect()
    }

    /// Prints other answers than those that are kept.
    pub(super) fn print_instead(&mut self, answers: Vec<Vec<u8>>) -> io::Result<()> {
        self.held = answers;
        self.release()
    }

    /// Prints what is kept.
    pub(super) fn release(&mut self) -> io::Result<()> {
        self.hold = false;
        std::mem::take(&mut self.held).iter().try_for_each(|json| self.answer(json))
    }

    /// Whether it stays until it is interrupted.
    pub(super) fn follows(&self) -> bool {
        self.follows
    }

    pub(super) fn tell(&mut self, said: &OutItem) -> io::Result<()> {
        match said {
            OutItem::Progress(it) => {
                self.progress.show(it);
                Ok(())
            }
            OutItem::Note(it) => {
                self.told += 1;
                self.progress.clear();
                if look().quiet {
                    return Ok(());
                }
                match (&it.json, self.json) {
                    (Some(line), true) => self.written(|to, _| to.json_text(line))?,
                    // Who gets JSON without having asked for it may be a person at a pipe.
                    (None, true) if self.asked => return Ok(()),
                    (None, true) => {}
                    (_, false) => self.written(Screen::close)?,
                }
                note(format!("note: {}", it.text));
                Ok(())
            }
            OutItem::Answer(json) => self.answer(json),
        }
    }

    fn answer(&mut self, json: &[u8]) -> io::Result<()> {
        if self.hold {
            self.held.push(json.to_owned());
            return Ok(());
        }
        self.told += 1;
        if let Some(file) = &mut self.file {
            return file.line(json);
        }
        let parsed = (self.follows || self.operation.name == SUBSCRIPTION_READ || look().quiet)
            .then(|| serde_json::from_slice::<Json>(json).unwrap_or_default());
        if let Some(it) = &parsed
            && !self.seen.is_new(it)
        {
            return Ok(());
        }
        self.progress.clear();
        let mut page = self.page();
        let failed = self.operation.show(json, &mut page).map_err(io::Error::other)?;
        self.failed = failed.or(self.failed.take());
        match (self.json, &parsed) {
            (true, _) => {
                let text = String::from_utf8_lossy(json).into_owned();
                self.written(|to, _| to.json_text(&text))?;
            }
            (false, Some(it)) if look().quiet => self.quiet(it, page)?,
            (false, _) => self.written(|to, sheet| to.page(page, sheet))?,
        }
        if self.follows {
            self.written(Screen::sheet)?;
        }
        if self.operation.name == SUBSCRIPTION_READ {
            self.read = parsed.and_then(|it| {
                let (id, cursor) = (it["read"].as_str()?.to_owned(), it["cursor"].as_u64()?);
                Some(SubscriptionAck { id, cursor })
            });
        }
        Ok(())
    }

    /// What was asked for, and no word about it.
    fn quiet(&mut self, it: &Json, page: Page) -> io::Result<()> {
        let field = match self.operation.quiet {
            Quiet::Shown => None,
            Quiet::Nothing => return Ok(()),
            Quiet::Field(name) => Some(it.pointer(name).cloned().unwrap_or_default()),
            Quiet::Id(name) => match it.pointer(name).filter(|it| !it.is_null()) {
                None => return Ok(()),
                Some(id) => Some(id.clone()),
            },
        };
        match field {
            None | Some(Json::Null) => self.written(|to, sheet| to.page(page, sheet)),
            Some(Json::String(text)) => self.written(|to, _| to.whole_lines(&text)),
            Some(other) => self.written(|to, _| to.whole_lines(&other.to_string())),
        }
    }

    fn page(&self) -> Page {
        let here = Page::at(std::env::current_dir().unwrap_or_default());
        let times = match out_is_seen() {
            false => Times::Exact,
            true if self.follows => Times::clock(Timestamp::now(), TimeZone::system()),
            true => Times::ago(Timestamp::now(), TimeZone::system()),
        };
        let mut page = here.with_times(times);
        page.code = self.code;
        page
    }

    fn written(
        &mut self,
        write: impl FnOnce(&mut Screen, &mut Sheet) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut to = Screen::out();
        let written = write(&mut to, &mut self.sheet).and_then(|()| to.flush());
        self.hung_up |= written.as_ref().is_err_and(|it| it.kind() == io::ErrorKind::BrokenPipe);
        written
    }

    /// Prints what is held still, and says where there was nothing to print.
    pub(super) fn end(mut self, done: Result<(), Problem>, json: bool) -> Result<(), Problem> {
        self.progress.clear();
        let drawn = self.written(Screen::close).map_err(unwritten);
        if self.hung_up {
            return Ok(());
        }
        done.and(drawn).and(self.failed.take().map_or(Ok(()), Err))?;
        if self.told == 0 && !self.json && !look().quiet && !self.operation.none.is_empty() {
            note(self.operation.none);
        }
        self.file.map_or(Ok(()), |file| file.publish(json))
    }
}
