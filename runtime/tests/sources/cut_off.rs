//! Runs that are cut off.

use crate::{Place, counts, page, text};
use std::path::PathBuf;
use stoa::research::ingest;

/// Cut off after every so many files; what is there in the end is what an uninterrupted run makes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_cut_off_is_completed_by_the_next() {
    let place = Place::with(|limits| limits.writes_max = 8).await;
    for n in 0..40 {
        place.write(&format!("{n}.md"), page(1 + n % 7, &format!("file {n}")));
    }
    let whole = Place::new().await;
    let paths = [place.docs()];
    ingest(&whole.caller, whole.space, &paths, &whole.limits, &mut |_| {}).await.expect("reads");
    let expected = whole.said().await;
    let (mut cut, mut half) = (0, 0);
    for round in 0..4 {
        let (stop, mut stopped) = tokio::sync::watch::channel(false);
        let mut told = move |progress: stoa::research::IngestProgress| {
            if progress.done >= 5 + 8 * round {
                stop.send_replace(true);
            }
        };
        tokio::select! {
            biased;
            _ = stopped.wait_for(|it| *it) => cut += 1,
            done = ingest(&place.caller, place.space, &paths, &place.limits, &mut told) => {
                panic!("it came to an end: {done:?}");
            }
        }
        let files = place.all("file").await;
        half += files.iter().filter(|it| text(it, "state") == "reading").count();
    }
    assert_eq!(cut, 4);
    assert!(half > 0, "nothing was cut off half-way");
    let done = place.ingest().await.expect("reads");
    assert_eq!((done.files, done.passages), (40, expected.len()));
    assert_eq!(place.said().await, expected);
    assert_eq!(place.all("file").await.len(), 40);
    assert_eq!(counts(&place.ingest().await.expect("reads")), [40, 0, 0, 40, 0]);
    place.runtime.stop().await.expect("stops");
    whole.runtime.stop().await.expect("stops");
}

/// Cut off while changes are taken over, which are then taken back, times and all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_was_cut_off_and_undone_leaves_nothing_behind() {
    let place = Place::with(|limits| limits.writes_max = 8).await;
    let files: Vec<PathBuf> =
        (0..20).map(|n| place.write(&format!("{n}.md"), page(9, &format!("file {n}")))).collect();
    place.ingest().await.expect("reads");
    let before = place.said().await;
    let times: Vec<_> = files
        .iter()
        .map(|path| path.metadata().and_then(|it| it.modified()).expect("a time"))
        .collect();
    (0..20).for_each(|n| drop(place.write(&format!("{n}.md"), page(7, &format!("other {n}")))));
    let (stop, mut stopped) = tokio::sync::watch::channel(false);
    let mut told = move |progress: stoa::research::IngestProgress| {
        if progress.done >= 4 {
            stop.send_replace(true);
        }
    };
    let paths = [place.docs()];
    tokio::select! {
        biased;
        _ = stopped.wait_for(|it| *it) => {}
        done = ingest(&place.caller, place.space, &paths, &place.limits, &mut told) => {
            panic!("it came to an end: {done:?}");
        }
    }
    assert!(place.all("file").await.iter().any(|it| text(it, "state") == "reading"));
    for (n, time) in times.into_iter().enumerate() {
        let path = place.write(&format!("{n}.md"), page(9, &format!("file {n}")));
        let file = std::fs::File::options().append(true).open(path).expect("a file");
        file.set_modified(time).expect("a time");
    }
    place.ingest().await.expect("reads");
    assert_eq!(place.said().await, before);
    place.runtime.stop().await.expect("stops");
}
