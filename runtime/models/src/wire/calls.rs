//! Calls of tools that come in pieces, from servers that number them as they like.

use crate::reply::{Call, Delta};

/// Calls in the order in which they begin, each with the number that its server gave it.
#[derive(Default)]
pub(super) struct Calls(Vec<(Option<u64>, Call)>);

/// A piece of a call.
pub(super) struct Piece<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Option<&'a str>,
    pub(super) name: Option<&'a str>,
    pub(super) arguments: &'a str,
}

impl Calls {
    /// Takes a piece. One with another id or another name than the call of its number begins a call;
    /// one without a number goes on with the last, unless it has an id of its own.
    pub(super) fn take(&mut self, piece: &Piece<'_>, out: &mut Vec<Delta>) {
        let known = match piece.index {
            Some(_) => self.0.iter().rposition(|(index, _)| *index == piece.index),
            None => self.0.len().checked_sub(1),
        };
        let goes_on = known.filter(|at| {
            let call = &self.0[*at].1;
            let same =
                |said: Option<&str>, is: &str| said.is_none_or(|it| it == is || is.is_empty());
            same(piece.id, &call.id) && same(piece.name, &call.name)
        });
        let at = goes_on.unwrap_or_else(|| {
            self.0.push((piece.index, Call::default()));
            self.0.len() - 1
        });
        let call = &mut self.0[at].1;
        if call.id.is_empty() {
            call.id = piece.id.unwrap_or_default().to_owned();
        }
        if let Some(name) = piece.name.filter(|_| call.name.is_empty()) {
            call.name = name.to_owned();
            out.push(Delta::CallBegun(name.to_owned()));
        }
        if !piece.arguments.is_empty() {
            call.arguments.push_str(piece.arguments);
            out.push(Delta::Arguments(piece.arguments.to_owned()));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them. One without arguments is called with none.
    pub(super) fn all(self) -> Vec<Call> {
        let whole = |mut call: Call| {
            if call.arguments.trim().is_empty() {
                call.arguments = "{}".to_owned();
            }
            call
        };
        self.0.into_iter().map(|(_, call)| whole(call)).collect()
    }
}
