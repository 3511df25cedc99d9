use super::*;

/// Who has taken nothing for so long is stalled: at once, or never.
const fn at_once() -> Duration {
    Duration::ZERO
}

const fn never() -> Duration {
    Duration::from_secs(3_600)
}
const LARGE: usize = 4 * STRIDE_BYTES;

/// Room for three large ones, and a rest for small ones.
fn ceiling(stalled: Duration) -> Arc<Ceiling> {
    Ceiling::new(14 * STRIDE_BYTES, stalled)
}

async fn soon<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(Duration::from_millis(200), work).await.ok()
}

#[tokio::test]
async fn who_is_slow_stays_until_somebody_waits_for_its_room() {
    let ceiling = ceiling(at_once());
    let places: Vec<_> = (0..4).map(|_| ceiling.enter()).collect();
    let mut held = Vec::new();
    for place in &places[..3] {
        held.push(place.hold(LARGE).await);
        place.waits();
    }
    assert!(soon(places[0].sent_away()).await.is_none(), "nobody waits");
    places[0].waits();
    places[2].waits();
    // The one in the middle has taken nothing for the longest time.
    let waiting = tokio::spawn({
        let last = places[3].clone();
        async move { last.hold(LARGE).await }
    });
    assert!(soon(places[1].sent_away()).await.is_some());
    assert!(!waiting.is_finished() && ceiling.bytes() == 3 * LARGE);
    held.remove(1);
    let fourth = soon(waiting).await.unwrap().unwrap();
    assert!(soon(places[0].sent_away()).await.is_none(), "one was enough");
    assert_eq!(ceiling.bytes(), 3 * LARGE);
    drop((held, fourth));
    assert_eq!(ceiling.bytes(), 0);
}

#[tokio::test]
async fn who_has_taken_something_lately_is_not_sent_away() {
    let ceiling = ceiling(never());
    let (slow, waits) = (ceiling.enter(), ceiling.enter());
    let held = [slow.hold(LARGE).await, slow.hold(LARGE).await, slow.hold(LARGE).await];
    slow.waits();
    let waiting = tokio::spawn(async move { waits.hold(LARGE).await });
    assert!(soon(slow.sent_away()).await.is_none() && !waiting.is_finished());
    drop(held);
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_this_process_is_at_work_on_stalls_nobody() {
    let ceiling = ceiling(at_once());
    let (asks, waits) = (ceiling.enter(), ceiling.enter());
    let held = [asks.hold(LARGE).await, asks.hold(LARGE).await, asks.hold(LARGE).await];
    let waiting = tokio::spawn({
        let waits = waits.clone();
        async move { waits.hold(LARGE).await }
    });
    assert!(
        soon(asks.sent_away()).await.is_none() && !waiting.is_finished(),
        "it was told nothing"
    );
    waiting.abort();
    asks.waits();
    asks.at_work();
    let waiting = tokio::spawn(async move { waits.hold(LARGE).await });
    assert!(soon(asks.sent_away()).await.is_none() && !waiting.is_finished());
    drop(held);
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_took_something_before_anybody_looked_stays_and_is_looked_at_again() {
    let ceiling = ceiling(Duration::from_millis(20));
    let (late, waits) = (ceiling.enter(), ceiling.enter());
    let held = [late.hold(LARGE).await, late.hold(LARGE).await, late.hold(LARGE).await];
    late.waits();
    let waiting = tokio::spawn(async move { waits.hold(LARGE).await });
    tokio::time::sleep(Duration::from_millis(60)).await;
    // It is to go, and has taken a piece before it was told.
    late.waits();
    late.at_work();
    assert!(soon(late.sent_away()).await.is_none() && !waiting.is_finished());
    // Who waits has not been forgotten.
    late.waits();
    assert!(soon(late.sent_away()).await.is_some());
    drop(held);
    soon(waiting).await.unwrap().unwrap();
}

#[tokio::test]
async fn what_is_small_is_not_behind_what_is_large() {
    let ceiling = ceiling(never());
    let (first, waits, small) = (ceiling.enter(), ceiling.enter(), ceiling.enter());
    let _held = [first.hold(LARGE).await, first.hold(LARGE).await, first.hold(LARGE).await];
    let waiting = tokio::spawn(async move { waits.hold(LARGE).await });
    tokio::task::yield_now().await;
    assert!(soon(small.hold(100)).await.is_some());
    assert!(small.try_hold(LARGE).is_none());
    waiting.abort();
}

#[tokio::test]
async fn one_that_is_larger_than_all_there_is_waits_until_it_is_alone() {
    let ceiling = ceiling(never());
    let (first, huge) = (ceiling.enter(), ceiling.enter());
    let held = first.hold(100).await;
    let waiting = tokio::spawn(async move { huge.hold(100 * LARGE).await });
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(held);
    let huge = soon(waiting).await.unwrap().unwrap();
    assert!(first.try_hold(100).is_none());
    drop(huge);
    assert!(first.try_hold(100).is_some());
}
