//! [cursor] in its pure half: a wake counts exactly what its subscriber has not seen, from where
//! to where, whatever is quoted; and there is one of it.

mod laws {
    pub(crate) mod cases;
    pub(crate) mod subscribers;
    pub(crate) mod terms;
}

use proptest::prelude::*;
use proptest::test_runner::Config;
use stoa_actors::id::{Position, SessionId, SpaceId};
use stoa_actors::space::{Notice, Wake};

const ME: SessionId = SessionId([1; 16]);

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    /// `None` takes the pending wake, `Some` is somebody's change.
    #[test]
    fn no_change_is_missed_and_none_is_counted_twice(
        steps in proptest::collection::vec(proptest::option::weighted(0.8, (0..3u8, 0..9u16)), 0..80),
        quoted_max in 0..5usize,
    ) {
        let (mut pending, mut at) = (None, 0u64);
        // Naive: everything of others since the last taking.
        let mut unseen: Vec<Notice> = Vec::new();
        for step in steps.into_iter().chain([None]) {
            match step {
                Some((who, hop)) => {
                    at += 1;
                    let by = SessionId([who; 16]);
                    let comment = format!("change {at}");
                    let position = Position(at);
                    let notice = Notice { space: SpaceId([9; 16]), position, by, comment, hop };
                    Wake::coalesce(&mut pending, ME, &notice, quoted_max);
                    if by != ME {
                        unseen.push(notice);
                    }
                }
                None => {
                    let taken: Option<Wake> = pending.take();
                    prop_assert_eq!(taken.is_some(), !unseen.is_empty());
                    if let Some(wake) = taken {
                        prop_assert_eq!(wake.count, unseen.len() as u64);
                        prop_assert_eq!(Some(wake.first), unseen.first().map(|it| it.position));
                        prop_assert_eq!(Some(wake.last), unseen.last().map(|it| it.position));
                        prop_assert_eq!(Some(wake.hop), unseen.iter().map(|it| it.hop).max());
                        let quoted: Vec<String> =
                            unseen.iter().take(quoted_max).map(|it| it.comment.clone()).collect();
                        prop_assert_eq!(wake.comments, quoted);
                    }
                    unseen.clear();
                }
            }
        }
    }
}

#[test]
fn what_is_told_on_terms_is_told_in_time() {
    let config = Config { cases: 600, failure_persistence: None, ..Config::default() };
    laws::terms::hold(config, 43).unwrap_or_else(|breach| panic!("{breach}"));
}

#[test]
fn no_subscriber_takes_anothers_place_or_outlives_its_right() {
    let config = Config { cases: 2_000, failure_persistence: None, ..Config::default() };
    assert_eq!(laws::subscribers::hold(config, 47), Ok(()));
}
