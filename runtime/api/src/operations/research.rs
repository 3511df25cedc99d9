//! Answering a question from documents.

use crate::answer::ReportAnswer;
use crate::caller::Caller;
use crate::operation::{Arg, ArgForm, EffectKind, Needed, Operation, Out, Progress, RequiredRight};
use crate::problem::Problem;
use crate::research::{READS, RESEARCH, ResearchAsk, ResearchLimits, research};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Answer a question from documents; each sentence names its file and line
///
/// The files become passages in a space. A coordinator splits the question into tasks and starts
/// researchers, who may read the sources and add findings, and nothing else. A synthesiser writes
/// one answer from the findings. After an interruption, the same command resumes. Asked again over
/// the same files, it returns the stored answer. If the documents hold no answer, it says so and
/// shows the nearest passages.
///
/// With --model, a model reads and writes. Each sentence of its answer is compared with the lines that
/// it names; one that they do not hold goes back to it, and is left out in the end.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Research {
    /// The question in words, - for stdin, or @FILE [default: stdin if it is piped]
    pub question: String,
    /// Files and folders: Markdown, text, reStructuredText, HTML, man pages, source code
    pub files: Vec<PathBuf>,
    /// Number of researchers
    #[serde(default = "three")]
    pub agents: usize,
    /// Who reads and writes: `recipe` quotes, a model answers in words that its lines are checked to hold
    #[serde(default = "recipe")]
    pub model: String,
    /// Start again, even if there is an answer
    #[serde(default)]
    pub fresh: bool,
}

fn three() -> usize {
    3
}

fn recipe() -> String {
    "recipe".to_owned()
}

const QUESTION: Needed =
    Needed { what: "the question", hint: "stoa research 'QUESTION' --files FILES" };

impl Operation for Research {
    const NAME: &'static str = "research";
    const EFFECT: EffectKind = EffectKind::Writes;
    const RIGHT: RequiredRight = RequiredRight::Owner(READS, RESEARCH);
    const ARGS: &'static [&'static [Arg]] = &[&[
        Arg::at("question", ArgForm::Long(QUESTION)),
        Arg::flag("files", "files", ArgForm::Documents, "PATH"),
        Arg::flag("agents", "agents", ArgForm::Number, "N"),
        Arg::flag("model", "model", ArgForm::Text, "NAME"),
        Arg::switch("fresh", "fresh"),
    ]];
    const MAKES: bool = true;
    type Answer = ReportAnswer;

    async fn perform(self, caller: &Caller, out: &Out<ReportAnswer>) -> Result<(), Problem> {
        let Research { question, files: paths, agents, model, fresh } = self;
        let ask = ResearchAsk { question, paths, agents, model, fresh };
        let looking = out.to.clone();
        let mut look = move |doing| looking.say_now(Progress::Doing(doing));
        out.tell(research(caller, &ask, &ResearchLimits::default(), &mut look).await?.into()).await
    }
}
