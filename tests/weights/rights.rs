//! What the rights are asked.

use super::draw::Draw;
use super::sessions::{ask, right, spawn, subject};
use super::spaces::declares;
use stoa_actors::id::LinkId;
use stoa_actors::rights::{GrantNote, Lifetime, Message, Named};

pub(crate) const CASES: usize = 14;

/// One more case does not compile here, and is then drawn.
pub(crate) fn case(message: &Message) -> usize {
    match message {
        Message::Install { .. } => 0,
        Message::CreateSpace { .. } => 1,
        Message::Spawn { .. } => 2,
        Message::SpawnAgent(_) => 3,
        Message::ConfirmBirth { .. } => 4,
        Message::Wipe { .. } => 5,
        Message::Delivered { .. } => 6,
        Message::Share { .. } => 7,
        Message::Revoke { .. } => 8,
        Message::RevokeLink { .. } => 9,
        Message::Name { .. } => 10,
        Message::Unname { .. } => 11,
        Message::End { .. } => 12,
        Message::Expire => 13,
    }
}

pub(crate) fn message(n: usize, draw: &mut Draw) -> Message {
    let (link, session, reason) = (LinkId([7; 16]), draw.session(), draw.text());
    match n {
        0 => Message::Install { link, subject: subject(draw), reason },
        1 => {
            let (space, alias) = (draw.space(), draw.maybe(Draw::text));
            let (description, declares) = (draw.text(), declares(draw));
            Message::CreateSpace { space, link, alias, reason, description, declares }
        }
        2 => {
            let (alias, asks) = (draw.maybe(Draw::text), draw.list(ask));
            Message::Spawn { child: session, alias, asks, reason, lifetime: Lifetime::Lasting }
        }
        3 => Message::SpawnAgent(Box::new(spawn(draw))),
        4 => Message::ConfirmBirth { session },
        5 => Message::Wipe { session, reason },
        6 => Message::Delivered { id: 7, refused: draw.maybe(Draw::text) },
        7 => {
            let (alias, right) = (draw.maybe(Draw::text), right(draw));
            let note = draw.maybe(|it| {
                let (space, text) = (it.space(), it.text());
                Box::new(GrantNote { space, text, metadata: it.metadata() })
            });
            Message::Share { link, to: session, alias, right, expires: None, reason, note }
        }
        8 => Message::Revoke { holder: session, subject: subject(draw), reason },
        9 => Message::RevokeLink { link, reason },
        10 => Message::Name { alias: draw.text(), named: Named::Session(session) },
        11 => Message::Unname { alias: draw.text() },
        12 => Message::End { session, reason },
        _ => Message::Expire,
    }
}
