//! Requests that wait for a commit.

use super::{Request, Urgency};
use crate::limits::LogConfig;
use std::collections::VecDeque;

#[derive(Default)]
pub(super) struct Gathered {
    requests: VecDeque<Request>,
    bytes: usize,
    /// One of them asks for a sync.
    urgent: bool,
}

impl Gathered {
    pub(super) fn push(&mut self, request: Request) {
        self.urgent |= match &request {
            Request::Append { urgency, .. } => *urgency == Urgency::Synced,
            Request::Beside(_) => false,
            Request::Behind { .. } | Request::Begin { .. } => true,
            Request::Hurry | Request::Stop | Request::Bell => true,
        };
        self.bytes += bytes(&request);
        self.requests.push_back(request);
    }

    /// What is lazy is to be written as well.
    pub(super) fn hurry(&mut self) {
        self.urgent |= !self.requests.is_empty();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Whether one commit takes no more.
    pub(super) fn is_full(&self, config: &LogConfig) -> bool {
        self.requests.len() >= config.commit_entries_max || self.bytes >= config.commit_bytes_max
    }

    /// Whether there is reason for a commit.
    pub(super) fn is_due(&self, config: &LogConfig) -> bool {
        let full =
            self.requests.len() >= config.lazy_entries_max || self.bytes >= config.commit_bytes_max;
        !self.requests.is_empty() && (self.urgent || full)
    }

    /// What the next commit takes.
    pub(super) fn take(&mut self, config: &LogConfig) -> VecDeque<Request> {
        if self.requests.len() <= config.commit_entries_max && self.bytes <= config.commit_bytes_max
        {
            return self.take_all();
        }
        let (mut taken, mut room) = (VecDeque::new(), config.commit_bytes_max);
        while taken.len() < config.commit_entries_max && room > 0 {
            let Some(request) = self.requests.pop_front() else { break };
            let bytes = bytes(&request);
            room = room.saturating_sub(bytes);
            self.bytes -= bytes;
            taken.push_back(request);
        }
        self.urgent &= !self.requests.is_empty();
        taken
    }

    pub(super) fn take_all(&mut self) -> VecDeque<Request> {
        (self.bytes, self.urgent) = (0, false);
        std::mem::take(&mut self.requests)
    }
}

fn bytes(request: &Request) -> usize {
    match request {
        Request::Append { append, .. } => append.weight(),
        Request::Beside(it) => it.bytes(),
        _ => 0,
    }
}
