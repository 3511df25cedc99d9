//! Random schedules: who asks for what, in small numbers that are read against what exists by
//! then, so that a cut-down schedule still means something.

use proptest::prelude::*;
use stoa_actors::rights::{Level, Lifetime};

/// A right as asked for. `held` picks among what the asker has, so that asks are often within it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) subject: u8,
    pub(crate) held: bool,
    pub(crate) use_: Option<Level>,
    pub(crate) delegate: Option<Level>,
    /// Relative to now; 0 has passed already.
    pub(crate) expires: Option<u8>,
    pub(crate) alias: Option<u8>,
}

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Install {
        by: u8,
        name: u8,
    },
    Create {
        by: u8,
        alias: Option<u8>,
    },
    Spawn {
        by: u8,
        alias: Option<u8>,
        asks: Vec<Asked>,
        lifetime: Lifetime,
    },
    /// The same for an agent. `false` charters the child of somebody else.
    SpawnAgent {
        by: u8,
        alias: Option<u8>,
        asks: Vec<Asked>,
        own: bool,
    },
    /// The last spawn again, by the same asker, whatever has become of it by then.
    Again,
    Share {
        by: u8,
        to: u8,
        asked: Asked,
    },
    Revoke {
        by: u8,
        holder: u8,
        subject: u8,
        held: bool,
    },
    RevokeLink {
        by: u8,
        link: u8,
    },
    Name {
        by: u8,
        alias: u8,
        space: u8,
    },
    Unname {
        by: u8,
        alias: u8,
    },
    End {
        by: u8,
        session: u8,
    },
    Wait {
        ms: u8,
    },
    Expire,
    Confirm {
        session: u8,
    },
    /// The process dies: state comes back from the events, then from a snapshot of them.
    Restart,
}

/// An op, and how many events the shared table hears as durable after it.
pub(crate) type Step = (Op, u8);

fn level() -> impl Strategy<Value = Option<Level>> {
    prop_oneof![
        2 => Just(None),
        3 => Just(Some(Level::Read)),
        1 => Just(Some(Level::Append)),
        1 => Just(Some(Level::Write)),
        3 => Just(Some(Level::Grant)),
    ]
}

fn asked() -> impl Strategy<Value = Asked> {
    let expires = prop_oneof![3 => Just(None), 2 => (0u8..60).prop_map(Some)];
    let alias = proptest::option::of(0u8..3);
    (any::<u8>(), prop::bool::weighted(0.8), level(), level(), expires, alias).prop_map(
        |(subject, held, use_, delegate, expires, alias)| Asked {
            subject,
            held,
            use_,
            delegate,
            expires,
            alias,
        },
    )
}

fn op() -> impl Strategy<Value = Op> {
    let alias = || proptest::option::of(0u8..3);
    let who = any::<u8>;
    prop_oneof![
        1 => (0u8..8, 0u8..2).prop_map(|(by, name)| Op::Install { by, name }),
        2 => (who(), alias()).prop_map(|(by, alias)| Op::Create { by, alias }),
        6 => (who(), alias(), prop::collection::vec(asked(), 0..4), prop::bool::weighted(0.25))
            .prop_map(|(by, alias, asks, once)| {
                let lifetime = if once { Lifetime::OneAction } else { Lifetime::Lasting };
                // Mostly without a name, with which it is refused.
                let alias = alias.filter(|n| !once || *n == 0);
                Op::Spawn { by, alias, asks, lifetime }
            }),
        5 => (who(), alias(), prop::collection::vec(asked(), 0..3), prop::bool::weighted(0.9))
            .prop_map(|(by, alias, asks, own)| Op::SpawnAgent { by, alias, asks, own }),
        2 => Just(Op::Again),
        8 => (who(), who(), asked()).prop_map(|(by, to, asked)| Op::Share { by, to, asked }),
        3 => (who(), who(), any::<u8>(), any::<bool>())
            .prop_map(|(by, holder, subject, held)| Op::Revoke { by, holder, subject, held }),
        3 => (who(), any::<u8>()).prop_map(|(by, link)| Op::RevokeLink { by, link }),
        1 => (who(), 0u8..3, any::<u8>())
            .prop_map(|(by, alias, space)| Op::Name { by, alias, space }),
        1 => (who(), 0u8..3).prop_map(|(by, alias)| Op::Unname { by, alias }),
        2 => (who(), who()).prop_map(|(by, session)| Op::End { by, session }),
        3 => (1u8..30).prop_map(|ms| Op::Wait { ms }),
        1 => Just(Op::Expire),
        1 => who().prop_map(|session| Op::Confirm { session }),
        1 => Just(Op::Restart),
    ]
}

/// A house to begin with, then up to `steps_max` steps.
pub(crate) fn schedule(steps_max: usize) -> impl Strategy<Value = Vec<Step>> {
    let begin = [
        (Op::Install { by: 0, name: 0 }, 1),
        (Op::Create { by: 0, alias: Some(0) }, 1),
        (Op::Spawn { by: 0, alias: None, asks: vec![], lifetime: Lifetime::Lasting }, 1),
        (Op::Create { by: 1, alias: Some(0) }, 1),
    ];
    // Mostly the table lags, so that what is taken is often taken before it was seen.
    let durable = prop_oneof![5 => Just(0u8), 2 => Just(1), 1 => 2u8..16];
    prop::collection::vec((op(), durable), steps_max / 2..=steps_max)
        .prop_map(move |steps| begin.iter().cloned().chain(steps).collect())
}
