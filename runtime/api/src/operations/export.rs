//! A space as a file.

use crate::backup::{Copied, Copying};
use crate::caller::Caller;
use crate::envelope::{ended, exported, line};
use crate::operation::{
    Answer, Arg, ArgForm, EffectKind, JsonLines, Operation, Out, Page, Progress, RequiredRight,
};
use crate::problem::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use stoa_actors::rights::Level;

/// Export a space as JSON Lines: every version of every atom, in order
///
/// The first line describes the space; the last line marks the end. Authors, times, references,
/// media and idempotency keys are included. Subscriptions, leases and permissions are not. Use
/// import to read the file into another data directory.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The space's name or id
    pub space: String,
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ExportLine(pub Json);

impl Answer for ExportLine {
    fn show(&self, to: &mut Page) {
        to.lines(self.0.to_string());
    }
}

impl Operation for Export {
    const NAME: &'static str = "export";
    const EFFECT: EffectKind = EffectKind::Reads;
    const RIGHT: RequiredRight = RequiredRight::On(Level::Read);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("space", ArgForm::Text),
        Arg::flag("to", "to", ArgForm::LocalPath, "FILE")
            .about("The file to write; it must not exist [default: stdout]"),
    ]];
    const LINES: JsonLines = JsonLines::Always;
    type Answer = ExportLine;

    async fn perform(self, caller: &Caller, out: &Out<ExportLine>) -> Result<(), Problem> {
        let mut export = caller.export(caller.resolve(&self.space)?).await?;
        out.tell(ExportLine(exported(export.exported()))).await?;
        let mut events = 0;
        while let Some(piece) = export.piece().await? {
            events += piece.len() as u64;
            out.all(piece.iter().map(|it| ExportLine(line(it)))).await?;
            let (done, of) = export.so_far()?;
            out.now(Progress::Copied(Copied { how: Copying::Export, done, of }));
        }
        out.tell(ExportLine(ended(events))).await
    }
}
