//! What a life leaves behind to come back to.

use super::*;
use crate::behaviour::Anyone;
use crate::id::{LinkId, RIGHTS, ROOT, SpaceId};
use crate::rights::{Message, Rights};
use crate::space::Declarations;
use crate::world::{Disk, WorldKinds};

/// Found by reading: every thousand entries the whole state was written again, so a birth
/// among 50,000 agents cost 40 kB of log; and past 24 MB not at all, in silence.
#[test]
fn snapshots_take_no_more_than_the_log_and_a_load_reads_no_more_than_the_state() {
    let (disk, mut rights) =
        (Disk::new(WorldKinds::default().with::<Rights>()), Incarnation::unborn(RIGHTS));
    let limits = Limits { snapshot_entries: 10, ..Limits::default() };
    let (mut log, mut kept, mut last, mut since) = (0, 0, 0, 0);
    let mut made = 0;
    for n in 0..4_000u128 {
        let (space, link) = (SpaceId(n.to_be_bytes()), LinkId((n + 1).to_be_bytes()));
        let reason = "because".to_owned();
        let (alias, description, declares) = (None, String::new(), Declarations::default());
        let create = Message::CreateSpace { space, link, alias, reason, description, declares };
        let ask = Request::new(ROOT, create);
        let step = rights.deliver(
            ask,
            HostContext {
                now: Millis(1),
                fresh: &mut || [1; 16],
                durable: &disk,
                durable_seq: rights.seq(),
                authority: &Anyone,
                limits: &limits,
            },
        );
        let append = step.append.unwrap();
        log += append.body.len();
        since += append.body.len();
        if let Some(state) = append.snapshot {
            made += 1;
            (kept, last, since) = (kept + state.len(), state.len(), 0);
            let again = Incarnation::<Rights>::restore(RIGHTS, append.seq, &state).unwrap();
            assert_eq!((again.seq(), again.behind_snapshot()), (append.seq, 0));
            rights = again;
        }
        assert!(since <= 2 * last + 20 * append.body.len(), "{since} after {last}");
    }
    assert!(made > 5 && kept <= log, "{made} snapshots, {kept} bytes beside {log}");
}
