//! An answer that was worked out from documents.

use crate::operation::{Answer, Line, Page};
use crate::research::{AnswerSentence, AnswerSource, Citation, Report};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use stoa_actors::printable::count;

/// An answer that was worked out from documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportAnswer {
    /// What was asked.
    pub question: String,
    /// Whether the documents hold an answer.
    pub found: bool,
    /// The answer, each sentence with its place; or that there is none, and what came nearest.
    pub text: String,
    /// What it says, sentence by sentence; nothing where there is no answer.
    pub sentences: Vec<AnswerSentence>,
    /// Where its sentences stand, or what came nearest.
    pub citations: Vec<Citation>,
    /// Sentences of a model that the lines they name do not hold.
    pub left_out: u64,
    /// Where it comes from.
    pub how: AnswerSource,
    /// The coordinator's name, and the beginning of the names of its spaces and agents.
    pub run: String,
    /// Agents that took part.
    pub agents: u64,
    /// Tasks, all closed.
    pub tasks: u64,
    /// Findings that the researchers wrote.
    pub findings: u64,
    /// Tasks whose researchers failed.
    pub failed: u64,
    /// Files that were read, now or before.
    pub files: u64,
    /// Passages of those files.
    pub passages: u64,
    /// Files that were not, and why.
    pub skipped: Vec<(String, String)>,
}

impl From<Report> for ReportAnswer {
    fn from(it: Report) -> Self {
        let skipped = it.skipped.iter();
        ReportAnswer {
            question: it.question,
            found: it.found,
            text: it.text,
            sentences: it.sentences,
            citations: it.citations,
            left_out: it.left_out,
            how: it.how,
            run: it.run,
            agents: it.agents,
            tasks: it.tasks,
            findings: it.findings,
            failed: it.failed,
            files: it.files,
            passages: it.passages,
            skipped: skipped.map(|(it, why)| (it.display().to_string(), why.clone())).collect(),
        }
    }
}

/// Skipped files that are named.
const SKIPPED_SHOWN: usize = 5;

impl Answer for ReportAnswer {
    fn show(&self, to: &mut Page) {
        let mut text = self.text.clone();
        for it in &self.citations {
            let (from, near) = (format!("[{}:", it.path), format!("[{}:", to.near(&it.path)));
            text = text.replace(&from, &near);
        }
        to.prose(text.trim_end());
        let how = match self.how {
            AnswerSource::Worked => "worked out now",
            AnswerSource::Resumed => "gone on with after an interruption",
            AnswerSource::Stored => {
                "the stored answer; the documents are unchanged (--fresh asks anew)"
            }
        };
        let ReportAnswer { agents, tasks, findings, files, passages, run, .. } = self;
        let mut say = |text: String| to.aside(Line::new().dim(text));
        say(String::new());
        match self.left_out {
            0 => {}
            1 => say("1 sentence was left out: the lines it names do not hold it".to_owned()),
            n => say(format!("{n} sentences were left out: the lines they name do not hold them")),
        }
        say(format!(
            "{how}: {}, {}, {} of {} in {}; see: stoa agent log {run}",
            count(*agents, "agent", "agents"),
            count(*tasks, "task", "tasks"),
            count(*findings, "finding", "findings"),
            count(*files, "file", "files"),
            count(*passages, "passage", "passages"),
        ));
        let skipped = self.skipped.iter().take(SKIPPED_SHOWN);
        let near: Vec<String> = skipped.clone().map(|(path, _)| to.near(path)).collect();
        let mut say = |text: String| to.aside(Line::new().dim(text));
        for (path, (_, why)) in near.iter().zip(skipped) {
            say(format!("skipped {path}: {why}"));
        }
        if let Some(more @ 1..) = self.skipped.len().checked_sub(SKIPPED_SHOWN) {
            say(format!("and {more} more; --json lists them"));
        }
    }
}
