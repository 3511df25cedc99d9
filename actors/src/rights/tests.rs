//! One small story per promise; the laws over random schedules are in `tests/rights.rs`.

use super::*;

const fn session(n: u8) -> SessionId {
    SessionId([n; 16])
}

const fn link(n: u8) -> LinkId {
    LinkId([n; 16])
}

const A: SessionId = session(1);
const B: SessionId = session(2);
const C: SessionId = session(3);
const NOW: Millis = Millis(100);
const SPACE: SpaceId = SpaceId([9; 16]);

fn space() -> Subject {
    Subject::Space(SPACE)
}

fn tool() -> Subject {
    Subject::Tool("fetch".into())
}

fn ask(n: u8, right: Right) -> RightRequest {
    RightRequest { link: link(n), alias: None, right, expires: None }
}

fn spawn(child: SessionId, asks: Vec<RightRequest>) -> Message {
    let (reason, lifetime) = ("to help".into(), Lifetime::Lasting);
    Message::Spawn { child, alias: None, asks, reason, lifetime }
}

fn share(n: u8, to: SessionId, right: Right) -> Message {
    let reason = "asked for".into();
    Message::Share { link: link(n), to, alias: None, right, expires: None, reason, note: None }
}

fn end(session: SessionId) -> Message {
    Message::End { session, reason: "done".into() }
}

fn revoke(holder: SessionId) -> Message {
    Message::Revoke { holder, subject: space(), reason: "enough".into() }
}

/// Decides and applies, as the host does.
fn tell(rights: &mut Rights, by: SessionId, message: Message) -> Result<Reply, Refusal> {
    let decision = rights.decide(by, NOW, message)?;
    for event in &decision.events {
        rights.apply(event);
    }
    decision.answer
}

/// The root spawned A, B and C; A created the space and the root was given the tool.
fn house() -> Rights {
    let mut rights = Rights::default();
    for child in [A, B, C] {
        tell(&mut rights, ROOT, spawn(child, vec![])).unwrap();
    }
    let reason = String::new();
    let alias = Some("findings".into());
    let create = Message::CreateSpace {
        space: SPACE,
        link: link(1),
        alias,
        reason,
        description: String::new(),
        declares: Declarations::default(),
    };
    tell(&mut rights, A, create).unwrap();
    let install = Message::Install { link: link(2), subject: tool(), reason: String::new() };
    tell(&mut rights, ROOT, install).unwrap();
    rights
}

#[test]
fn a_child_holds_what_was_asked_and_nothing_else() {
    let mut rights = house();
    let child = session(10);
    let asks = vec![ask(10, Right::to_use(space(), Level::Append))];
    tell(&mut rights, A, spawn(child, asks)).unwrap();
    assert_eq!(rights.level(child, &space(), NOW), Some(Level::Append));
    assert_eq!(rights.delegable(child, &space(), NOW), None);
    assert_eq!(rights.level(child, &tool(), NOW), None);
    assert_eq!(rights.chain(link(10)), [link(10), link(1)]);
    assert_eq!(rights.unborn().count(), 4);
}

#[test]
fn a_spawn_beyond_its_parent_is_refused_and_recorded() {
    let rights = house();
    let asks = vec![ask(10, Right::to_use(tool(), Level::Read))];
    let decision = rights.decide(A, NOW, spawn(session(10), asks)).unwrap();
    let asked = Right::to_use(tool(), Level::Read);
    assert_eq!(decision.answer, Err(Refusal::BeyondDelegable { asked, held: None }));
    assert!(matches!(&decision.events[..], [Event::SpawnRefused { parent: A, held: None, .. }]));
    let mut after = rights.clone();
    after.apply(&decision.events[0]);
    assert_eq!(after, rights);
}

#[test]
fn a_spawn_asked_again_is_answered_again() {
    let mut rights = house();
    let decision = rights.decide(ROOT, NOW, spawn(A, vec![])).unwrap();
    assert_eq!(decision, RightsDecision::nothing(Reply::Spawned { child: A }));
    let taken = tell(&mut rights, B, spawn(A, vec![]));
    assert_eq!(taken, Err(Refusal::SessionTaken(A)));
}

#[test]
fn a_coordinator_hands_on_what_it_may_not_touch() {
    let mut rights = house();
    let coordinator = session(10);
    let asks = vec![ask(10, Right::to_delegate(space(), Level::Write))];
    tell(&mut rights, A, spawn(coordinator, asks)).unwrap();
    assert_eq!(rights.level(coordinator, &space(), NOW), None);
    let asks = vec![ask(11, Right::to_use(space(), Level::Write))];
    tell(&mut rights, coordinator, spawn(session(11), asks)).unwrap();
    assert_eq!(rights.level(session(11), &space(), NOW), Some(Level::Write));
    let beyond = tell(&mut rights, coordinator, share(12, B, Right::to_use(space(), Level::Read)));
    assert!(matches!(beyond, Err(Refusal::MayNotShare(_))));
}

#[test]
fn who_uses_a_space_at_grant_shares_it_but_makes_no_delegate_bit() {
    let mut rights = house();
    tell(&mut rights, A, share(10, B, Right::to_use(space(), Level::Grant))).unwrap();
    tell(&mut rights, B, share(11, C, Right::to_use(space(), Level::Grant))).unwrap();
    let more = share(12, C, Right::to_delegate(space(), Level::Read));
    assert!(matches!(tell(&mut rights, B, more), Err(Refusal::MayNotShare(_))));
    let asks = vec![ask(13, Right::to_use(space(), Level::Read))];
    let by_use = tell(&mut rights, B, spawn(session(10), asks));
    assert!(matches!(by_use, Err(Refusal::BeyondDelegable { held: None, .. })));
}

#[test]
fn revoking_takes_what_rests_on_it() {
    let mut rights = house();
    tell(&mut rights, A, share(10, B, Right::to_use(space(), Level::Grant))).unwrap();
    tell(&mut rights, B, share(11, C, Right::to_use(space(), Level::Read))).unwrap();
    assert_eq!(tell(&mut rights, C, revoke(B)), Err(Refusal::NothingToRevoke));
    // B's own right rests on A's: revoking that would leave the space to nobody.
    assert_eq!(tell(&mut rights, B, revoke(A)), Err(Refusal::NothingToRevoke));
    let links = vec![link(10), link(11)];
    assert_eq!(tell(&mut rights, A, revoke(B)), Ok(Reply::Revoked { links }));
    assert_eq!(rights.level(C, &space(), NOW), None);
    assert_eq!(rights.level(A, &space(), NOW), Some(Level::Grant));
}

#[test]
fn an_expiry_is_inherited_and_never_outlived() {
    let mut rights = house();
    let until = Some(Millis(200));
    let right = Right::to_use(space(), Level::Grant);
    let lend = |n, expires| Message::Share {
        link: link(n),
        to: C,
        alias: None,
        right: Right::to_use(space(), Level::Read),
        expires,
        reason: String::new(),
        note: None,
    };
    let reason = String::new();
    let to_b = Message::Share {
        link: link(10),
        to: B,
        alias: None,
        right,
        expires: until,
        reason,
        note: None,
    };
    tell(&mut rights, A, to_b).unwrap();
    let granted = Reply::Granted { link: link(11), expires: until };
    assert_eq!(tell(&mut rights, B, lend(11, None)), Ok(granted));
    let late = tell(&mut rights, B, lend(12, Some(Millis(201))));
    assert!(matches!(late, Err(Refusal::OutlivesBasis { until: Millis(200), .. })));
    assert_eq!(rights.level(C, &space(), Millis(199)), Some(Level::Read));
    assert_eq!(rights.level(C, &space(), Millis(200)), None);
    assert_eq!(rights.next_expiry(), until);
    let swept = rights.decide(ROOT, Millis(200), Message::Expire).unwrap();
    assert_eq!(swept.events, [Event::Expired { links: vec![link(10), link(11)] }]);
}

#[test]
fn ending_a_session_ends_what_it_gave() {
    let mut rights = house();
    tell(&mut rights, A, share(10, B, Right::to_use(space(), Level::Read))).unwrap();
    assert_eq!(tell(&mut rights, B, end(A)), Err(Refusal::NotYoursToEnd(A)));
    assert_eq!(tell(&mut rights, ROOT, end(ROOT)), Err(Refusal::RootStays));
    tell(&mut rights, ROOT, end(A)).unwrap();
    assert_eq!(rights.level(B, &space(), NOW), None);
    assert_eq!(tell(&mut rights, A, Message::Expire), Err(Refusal::NoSuchSession(A)));
    assert_eq!(rights.names(A).count(), 0);
}

#[test]
fn a_forbidden_name_and_an_unknown_one_sound_the_same() {
    let mut rights = house();
    let alias = Some("findings".to_owned());
    let right = Right::to_use(space(), Level::Read);
    let reason = String::new();
    let to_b =
        Message::Share { link: link(10), to: B, alias, right, expires: None, reason, note: None };
    tell(&mut rights, A, to_b).unwrap();
    assert_eq!(rights.resolve(B, "findings", NOW), Ok(SPACE));
    tell(&mut rights, A, revoke(B)).unwrap();
    let forbidden = rights.resolve(B, "findings", NOW).unwrap_err();
    assert_eq!(rights.resolve(C, "findings", NOW), Err(forbidden));
}

#[test]
fn a_shared_space_takes_the_next_free_alias_and_keeps_the_one_it_has() {
    let mut rights = house();
    let own = SpaceId([8; 16]);
    let alias = Some("findings".to_owned());
    let reason = String::new();
    let create = Message::CreateSpace {
        space: own,
        link: link(5),
        alias: alias.clone(),
        reason,
        description: String::new(),
        declares: Declarations::default(),
    };
    tell(&mut rights, B, create).unwrap();
    for n in [10, 11] {
        let right = Right::to_use(space(), Level::Read);
        let (alias, reason) = (alias.clone(), String::new());
        let to_b = Message::Share {
            link: link(n),
            to: B,
            alias,
            right,
            expires: None,
            reason,
            note: None,
        };
        tell(&mut rights, A, to_b).unwrap();
    }
    let names: Vec<_> = rights.names(B).collect();
    let expected = [("findings", Named::Space(own)), ("findings-2", Named::Space(SPACE))];
    assert_eq!(names, expected);
    let aliases = rights.holdings(B, NOW).into_iter().map(|h| h.alias.unwrap());
    assert_eq!(aliases.collect::<Vec<_>>(), ["findings", "findings-2"]);
}

/// The table as the host keeps it.
fn decide(table: &mut RightsTable, by: SessionId, message: Message) -> Vec<Event> {
    let mut rights = Rights::default();
    table.exchange(&mut rights);
    let events = rights.decide(by, NOW, message).unwrap().events;
    events.iter().for_each(|event| rights.apply(event));
    table.exchange(&mut rights);
    events.iter().for_each(|event| table.hide(event));
    events
}

#[test]
fn readers_see_a_loss_when_it_is_decided_and_a_gain_when_it_is_durable() {
    let mut table = RightsTable::new(house());
    let read = Right::to_use(space(), Level::Read);
    let alias = Some("work".to_owned());
    let reason = String::new();
    let (right, expires) = (read, None);
    let share = Message::Share { link: link(10), to: B, alias, right, expires, reason, note: None };
    let given = decide(&mut table, A, share);
    assert_eq!(table.level(B, &space(), NOW), None);
    assert_eq!((table.named(B, "work"), table.links().count()), (None, 2));
    let taken = decide(&mut table, A, revoke(B));
    given.iter().for_each(|event| table.show(event));
    assert_eq!(table.level(B, &space(), NOW), None);
    assert_eq!(table.named(B, "work"), Some(Named::Space(SPACE)));
    taken.iter().for_each(|event| table.show(event));
    let born = decide(&mut table, B, spawn(session(10), vec![]));
    assert_eq!(table.birth(session(10)), None);
    assert!(!table.governs(B, session(10)));
    born.iter().for_each(|event| table.show(event));
    assert_eq!(table.birth(session(10)).and_then(|it| it.parent), Some(B));
    decide(&mut table, ROOT, end(A));
    assert_eq!(table.level(A, &space(), NOW), None);
}

#[test]
fn a_name_given_again_is_not_seen_before_its_time() {
    let mut table = RightsTable::new(house());
    let name = |session| Message::Name { alias: "mate".into(), named: Named::Session(session) };
    let first = decide(&mut table, A, name(B));
    decide(&mut table, A, Message::Unname { alias: "mate".into() });
    decide(&mut table, A, name(C));
    first.iter().for_each(|event| table.show(event));
    assert_eq!(table.named(A, "mate"), None);
}

#[test]
fn places_of_what_ended_are_taken_again() {
    let mut rights = house();
    let before = rights.clone();
    for _ in 0..3 {
        for n in 10..90 {
            let alias = Some(format!("lent by {n}"));
            let right = Right::to_use(space(), Level::Read);
            let (reason, expires) = (format!("reason {n}"), Some(Millis(NOW.0 + u64::from(n))));
            let to_b =
                Message::Share { link: link(n), to: B, alias, right, expires, reason, note: None };
            tell(&mut rights, A, to_b).unwrap();
        }
        tell(&mut rights, A, revoke(B)).unwrap();
        // The first of them was given a name; the space has one since.
        tell(&mut rights, B, Message::Unname { alias: "lent by 10".into() }).unwrap();
        assert_eq!(rights, before);
    }
    assert_eq!(rights.next_expiry(), None);
}

#[test]
fn limits_refuse() {
    let mut rights = house();
    let reason = "x".repeat(1_025);
    let long = Message::RevokeLink { link: link(1), reason };
    assert_eq!(
        tell(&mut rights, A, long),
        Err(Refusal::ReasonTooLong { bytes: 1_025, max: 1_024 })
    );
    let read = || Right::to_use(space(), Level::Read);
    let asks = (0..=64).map(|n| ask(n + 100, read())).collect();
    let too_many = Err(Refusal::TooManyAsks { asked: 65, max: 64 });
    assert_eq!(tell(&mut rights, A, spawn(session(10), asks)), too_many);
    let named = Message::Name { alias: String::new(), named: Named::Space(SPACE) };
    assert_eq!(tell(&mut rights, A, named), Err(Refusal::BadName { bytes: 0, max: 128 }));
    for alias in [SPACE.to_string(), SPACE.to_string().to_lowercase()] {
        let named = Message::Name { alias: alias.clone(), named: Named::Space(SPACE) };
        assert_eq!(tell(&mut rights, A, named), Err(Refusal::NameLikeId(alias)));
    }
    let nothing = Right { subject: tool(), use_: None, delegate: None };
    assert_eq!(tell(&mut rights, ROOT, share(10, B, nothing)), Err(Refusal::EmptyRight(tool())));
    let append = Right::to_use(tool(), Level::Append);
    assert_eq!(tell(&mut rights, ROOT, share(10, B, append)), Err(Refusal::LevelUnknown(tool())));
    let mut parent = ROOT;
    for n in 100..164 {
        tell(&mut rights, parent, spawn(session(n), vec![])).unwrap();
        parent = session(n);
    }
    let too_deep = Err(Refusal::TooDeep { max: 64 });
    assert_eq!(tell(&mut rights, parent, spawn(session(200), vec![])), too_deep);
}

#[test]
fn the_limits_are_those_of_the_delivery() {
    let rights = house();
    let limits = RightsLimits { reason_bytes_max: 3, ancestors_max: 1, ..RightsLimits::default() };
    let said = rights.decide_within(&limits, A, NOW, spawn(session(10), vec![]));
    assert_eq!(said, Err(Refusal::ReasonTooLong { bytes: 7, max: 3 }));
    let limits = RightsLimits { reason_bytes_max: 7, ..limits };
    let said = rights.decide_within(&limits, A, NOW, spawn(session(10), vec![]));
    assert_eq!(said, Err(Refusal::TooDeep { max: 1 }));
    assert!(rights.decide_within(&limits, ROOT, NOW, spawn(session(10), vec![])).is_ok());
}

#[test]
fn a_chain_of_links_has_an_end() {
    let mut rights = house();
    let mut parent = ROOT;
    for n in 100..163 {
        let asks = vec![ask(n, Right::whole(tool()))];
        tell(&mut rights, parent, spawn(session(n), asks)).unwrap();
        parent = session(n);
    }
    assert_eq!(rights.chain(link(162)).len(), 64);
    let asks = vec![ask(200, Right::to_use(tool(), Level::Read))];
    let beyond = tell(&mut rights, parent, spawn(session(200), asks));
    assert_eq!(beyond, Err(Refusal::ChainTooLong { subject: tool(), max: 64 }));
}

#[test]
fn a_snapshot_gives_back_the_whole_table() {
    let mut rights = house();
    tell(&mut rights, A, share(10, B, Right::to_use(space(), Level::Grant))).unwrap();
    let config = bincode::config::standard();
    let bytes = bincode::serde::encode_to_vec(&rights, config).unwrap();
    let (back, read): (Rights, usize) = bincode::serde::decode_from_slice(&bytes, config).unwrap();
    assert_eq!((back, read), (rights, bytes.len()));
}

#[test]
fn a_holder_holds_so_much_and_no_more() {
    let limits = RightsLimits { links_per_holder_max: 8, ..RightsLimits::default() };
    let mut rights = house();
    let mut to_b = |n| {
        let decision = rights.decide_within(
            &limits,
            ROOT,
            NOW,
            share(n, B, Right::to_use(tool(), Level::Read)),
        )?;
        decision.events.iter().for_each(|event| rights.apply(event));
        decision.answer
    };
    for n in 100..108 {
        to_b(n).unwrap();
    }
    assert_eq!(to_b(108), Err(Refusal::TooManyLinks { holder: B, max: 8 }));
    // One that is taken away makes room for another.
    let message = Message::RevokeLink { link: link(100), reason: String::new() };
    tell(&mut rights, ROOT, message).unwrap();
    assert!(tell(&mut rights, ROOT, share(109, B, Right::to_use(tool(), Level::Read))).is_ok());
}

#[test]
#[should_panic(expected = "the log of rights cannot go on")]
fn a_broken_log_is_not_read_on() {
    house().apply(&Event::Expired { links: vec![link(77)] });
}

#[test]
fn the_name_of_an_ended_session_is_free_again() {
    let mut rights = Rights::default();
    let spawn = |child, alias: &str| {
        let alias = Some(alias.to_owned());
        let (asks, reason, lifetime) = (vec![], String::new(), Lifetime::Lasting);
        Message::Spawn { child, alias, asks, reason, lifetime }
    };
    let mut told = |by, message| tell(&mut rights, by, message).map(drop);
    assert_eq!(told(ROOT, spawn(A, "amy")), Ok(()));
    assert!(told(ROOT, spawn(B, "amy")).is_err());
    assert_eq!(told(ROOT, Message::End { session: A, reason: String::new() }), Ok(()));
    assert_eq!(told(ROOT, spawn(B, "amy")), Ok(()));
    assert_eq!(rights.resolve_session(ROOT, "amy"), Ok(B));
    assert_eq!(rights.names(ROOT).count(), 1);
}
