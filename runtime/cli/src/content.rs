//! What an atom is to say: typed, in a file, or piped in.

use super::screen::note;
use super::stdin::{self, utf8};
use super::value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::ArgMatches;
use serde_json::{Map, Value as Json, json};
use std::path::PathBuf;
use stoa_api::operation::{AnyOperation, ArgForm, Needed};
use stoa_kernel::envelope::from_value;
use stoa_kernel::problem::Problem;

/// What was typed of it.
pub(super) struct Body {
    text: Option<String>,
    file: Option<PathBuf>,
    json: Option<String>,
    media_type: Option<String>,
}

impl Body {
    pub(super) fn of(typed: &ArgMatches) -> Body {
        Body {
            text: typed.get_one::<String>("content").cloned(),
            file: typed.get_one::<PathBuf>("file").cloned(),
            json: typed.get_one::<String>("json-content").cloned(),
            media_type: typed.get_one::<String>("media-type").cloned(),
        }
    }

    /// Puts it into a request. What is new cannot do without; a change of something else can.
    pub(super) fn fill(
        &self,
        entry: &AnyOperation,
        typed: &ArgMatches,
        body: &mut Map<String, Json>,
    ) -> Result<(), Problem> {
        let mut args = entry.args.iter().copied().flatten();
        let Some(needed) = args.find_map(|it| match it.how {
            ArgForm::ContentText(needed) => Some(needed),
            _ => None,
        }) else {
            return Ok(());
        };
        let flag = |name: &str| typed.try_get_one::<bool>(name).is_ok_and(|it| it == Some(&true));
        let said = |names: &[&str]| names.iter().any(|it| typed.contains_id(it));
        let new = !entry.args.iter().copied().flatten().any(|it| it.field == "if_version");
        let about = typed.get_one::<String>("annotation").is_some_and(|it| !it.is_empty() || !new);
        let more = about || said(&["meta", "ref"]);
        let content = match self.typed(&needed)? {
            None if new || self.media_type.is_some() => Some(self.piped(&needed, false)?),
            None if !more && !said(&["unref"]) && !flag("retry") => {
                Some(self.piped(&needed, false)?)
            }
            None => {
                if stdin::has_something() {
                    note("note: the content stays as it is; with - it is what is piped in");
                }
                None
            }
            content => content,
        };
        if new && !more && content == Some(Content::Text(String::new())) {
            return Err(stdin::lacking(&needed));
        }
        match content {
            Some(Content::Text(text)) => drop(body.insert("content".into(), json!(text))),
            Some(Content::Json(value)) => drop(body.insert("json".into(), value)),
            Some(Content::Bytes(bytes)) => {
                body.insert("base64".into(), json!(STANDARD.encode(bytes)));
                body.insert("media_type".into(), json!(self.media_type));
            }
            None => {}
        }
        Ok(())
    }

    /// The content that is typed or in a file; nothing where neither is named.
    fn typed(&self, needed: &Needed) -> Result<Option<Content>, Problem> {
        if let Some(typed) = &self.json {
            let text = match typed.as_str() {
                "-" => utf8(stdin::bytes(needed, true)?, "stoa put SPACE --json-content JSON")?,
                typed => stdin::text(needed, Some(typed.to_owned()))?,
            };
            if text.trim().is_empty() {
                return Err(stdin::lacking(needed));
            }
            return Ok(Some(Content::Json(from_value(&value::parse(&text)?))));
        }
        let text = self.text.as_deref();
        let bytes = match (text, &self.file) {
            (Some("-"), _) => return self.piped(needed, true).map(Some),
            (_, Some(path)) if path.as_os_str() == "-" => {
                return self.piped(needed, true).map(Some);
            }
            (Some(text), _) => match stdin::named(text) {
                Ok(text) => return self.content(text.as_bytes().to_vec()).map(Some),
                Err(path) => stdin::named_file(&path, needed.hint)?,
            },
            (None, Some(path)) => stdin::file(path, "stoa put SPACE --file PATH")?,
            (None, None) => return Ok(None),
        };
        self.content(bytes).map(Some)
    }

    /// What came from stdin, if it says anything: a text of blanks is what a failed command leaves.
    fn piped(&self, needed: &Needed, asked: bool) -> Result<Content, Problem> {
        let content = self.content(stdin::bytes(needed, asked)?)?;
        match &content {
            Content::Text(text) if text.trim().is_empty() => Err(stdin::lacking(needed)),
            _ => Ok(content),
        }
    }

    fn content(&self, bytes: Vec<u8>) -> Result<Content, Problem> {
        if self.media_type.is_some() {
            return Ok(Content::Bytes(bytes));
        }
        let hint = "stoa put SPACE --file PATH --media-type application/octet-stream";
        utf8(bytes, hint).map(Content::Text)
    }
}

#[derive(PartialEq)]
enum Content {
    Text(String),
    Json(Json),
    Bytes(Vec<u8>),
}
