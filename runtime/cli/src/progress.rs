//! How far a piece of work is, on one line that is written over; nothing where nobody looks on.

use super::look::{look, writes_over};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use stoa_api::operation::Progress as Of;
use stoa_kernel::backup::{Copied, Copying};
use stoa_kernel::search::IndexCard;
use stoa_research::ResearchStep;

pub(super) struct Progress(ProgressBar);

impl Progress {
    pub(super) fn new() -> Progress {
        let shown = std::io::stderr().is_terminal() && writes_over() && !look().quiet;
        let target = if shown {
            ProgressDrawTarget::stderr_with_hz(10)
        } else {
            ProgressDrawTarget::hidden()
        };
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {msg}");
        let bar = ProgressBar::with_draw_target(None, target);
        Progress(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner())))
    }

    /// What is waited for.
    pub(super) fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
        self.0.enable_steady_tick(std::time::Duration::from_millis(100));
    }

    pub(super) fn show(&self, of: &Of) {
        match of {
            Of::Doing(doing) => self.doing(doing),
            Of::Making(index) => self.making(index),
            Of::Copied(copied) => self.copied(copied),
        }
    }

    fn making(&self, index: &IndexCard) {
        let IndexCard { entries, of, .. } = index;
        self.0.set_message(format!("making the index: {entries} of {of} entries are read"));
        self.0.tick();
    }

    fn doing(&self, doing: &ResearchStep) {
        self.0.set_message(match doing {
            ResearchStep::Reading { files, done, passages } => {
                format!("reading: {done} of {files} files, {passages} passages")
            }
            ResearchStep::Working { agents, running, tasks, closed, findings } => format!(
                "{agents} agents, {running} at work; {closed} of {tasks} tasks done; {findings} findings"
            ),
        });
        self.0.tick();
    }

    pub(super) fn copied(&self, copied: &Copied) {
        let Copied { how, done, of } = copied;
        let how = match how {
            Copying::Backup => "writing",
            Copying::Verify => "proving",
            Copying::Restore => "restoring",
            Copying::Export => "exporting",
            Copying::Import => "importing",
        };
        let percent = done.saturating_mul(100).checked_div(*of).unwrap_or(0);
        self.0.set_message(format!("{how}: {done} of {of} entries, {percent} %"));
        self.0.tick();
    }

    pub(super) fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    /// However the work ends, nothing of the line stays.
    fn drop(&mut self) {
        self.clear();
    }
}
