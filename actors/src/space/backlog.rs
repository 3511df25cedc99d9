//! Reading a subscription page by page: the pure half of whoever pulls one. However long the
//! backlog is, this holds one wake and a few numbers.

use super::{Change, Wake};
use crate::id::{Millis, Position, SessionId};
use serde::{Deserialize, Serialize};

/// What a subscription has to tell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pulled {
    /// What others did, the oldest first; none when there is a marker.
    pub changes: Vec<Change>,
    /// One marker for all of it where it was too much: exactly what is skipped by going on.
    pub marker: Option<Wake>,
    /// Up to here everything of interest is in this.
    pub cursor: Position,
}

/// What is of interest between a reader's cursor and the end of what was read. Each entry is counted
/// once, not once a page.
#[derive(Clone, Debug)]
pub struct Backlog {
    reader: SessionId,
    quoted_max: usize,
    cursor: Position,
    counted: Position,
    count: u64,
    /// All that is counted; nothing once a part of it was told.
    marker: Option<Wake>,
    times: Option<(Millis, Millis)>,
}

impl Backlog {
    /// Nothing is counted yet. A marker quotes at most so many comments.
    pub fn new(reader: SessionId, cursor: Position, quoted_max: usize) -> Backlog {
        let (counted, count) = (cursor, 0);
        Backlog { reader, quoted_max, cursor, counted, count, marker: None, times: None }
    }

    /// Everything up to here was told, skipped, or of no interest.
    pub fn cursor(&self) -> Position {
        self.cursor
    }

    /// Where the next piece to be counted begins.
    pub fn counted(&self) -> Position {
        self.counted
    }

    /// Takes in the changes after [`Backlog::counted`], up to a position.
    pub fn count(&mut self, changes: Vec<Change>, upto: Position) {
        for change in changes.into_iter().filter(|it| it.by != self.reader) {
            let (since, latest) = self.times.unwrap_or((change.at, change.at));
            self.times = Some((since.min(change.at), latest.max(change.at)));
            if self.count == 0 || self.marker.is_some() {
                Wake::coalesce(&mut self.marker, self.reader, &change.notice(), self.quoted_max);
            }
            self.count += 1;
        }
        self.counted = upto;
        if self.count == 0 {
            self.cursor = upto;
        }
    }

    /// Whether the next page is the same whatever else there is.
    pub fn is_enough(&self, limit: usize, lag_max: usize) -> bool {
        lag_max == usize::MAX && self.count >= limit as u64
    }

    /// When the first and the last of what is of interest was; nothing when there is none.
    pub fn times(&self) -> Option<(Millis, Millis)> {
        self.times.filter(|_| self.count > 0)
    }

    /// Whether there is more than a reader wants told one by one.
    pub fn lags(&self, lag_max: usize) -> bool {
        self.count > lag_max as u64
    }

    /// One marker for all that is counted. Nothing when a part of it was told: then it is to be
    /// counted anew from the cursor on, and asked again.
    pub fn skip(&mut self) -> Option<Pulled> {
        let Some(marker) = self.marker.take() else {
            *self = Backlog::new(self.reader, self.cursor, self.quoted_max);
            return None;
        };
        (self.cursor, self.count, self.times) = (self.counted, 0, None);
        Some(Pulled { changes: Vec::new(), marker: Some(marker), cursor: self.cursor })
    }

    /// A page: the changes after the cursor, up to a position.
    pub fn tell(&mut self, mut changes: Vec<Change>, upto: Position) -> Pulled {
        changes.retain(|it| it.by != self.reader);
        let known = changes.iter().filter(|it| it.position <= self.counted).count() as u64;
        self.count = if upto >= self.counted { 0 } else { self.count.saturating_sub(known) };
        self.counted = self.counted.max(upto);
        self.marker = None;
        // The rest is no older than what was told last.
        let told = changes.last().map(|it| it.at);
        self.times = self.times.map(|(since, latest)| (told.unwrap_or(since).max(since), latest));
        if self.count == 0 {
            self.times = None;
        }
        self.cursor = upto;
        Pulled { changes, marker: None, cursor: upto }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, SpaceId};

    const ME: SessionId = SessionId([1; 16]);
    const OTHER: SessionId = SessionId([2; 16]);

    fn change(at: u64, by: SessionId) -> Change {
        Change {
            position: Position(at),
            id: EventId([at as u8; 16]),
            at: Millis(at * 10),
            space: SpaceId([9; 16]),
            kind: "atom.put".into(),
            by,
            comment: format!("comment {at}"),
            key: None,
            atom: None,
            lease: None,
            right: None,
            hop: 0,
            root: None,
            origin: None,
        }
    }

    /// All entries, one a position; every third is the reader's own.
    fn log(from: u64, upto: u64) -> Vec<Change> {
        let by = |at: u64| if at.is_multiple_of(3) { ME } else { OTHER };
        (from..=upto).map(|at| change(at, by(at))).collect()
    }

    /// Reads to the end as a reader does, in pieces of `piece` and pages of `limit`.
    fn read(end: u64, piece: u64, limit: usize, lag_max: usize) -> (Vec<u64>, Vec<Wake>, usize) {
        let mut backlog = Backlog::new(ME, Position(0), 2);
        let (mut told, mut markers, mut counted) = (Vec::new(), Vec::new(), 0);
        loop {
            while backlog.counted().0 < end && !backlog.is_enough(limit, lag_max) {
                let upto = (backlog.counted().0 + piece).min(end);
                let part = log(backlog.counted().0 + 1, upto);
                counted += part.len();
                backlog.count(part, Position(upto));
            }
            if backlog.times().is_none() {
                assert_eq!(backlog.cursor(), Position(end));
                return (told, markers, counted);
            }
            if backlog.lags(lag_max) {
                let Some(pulled) = backlog.skip() else { continue };
                markers.extend(pulled.marker);
                continue;
            }
            let from = backlog.cursor().0 + 1;
            let mut upto = from;
            let others = |upto| log(from, upto).iter().filter(|it| it.by != ME).count();
            while upto < end && others(upto) < limit {
                upto += 1;
            }
            let pulled = backlog.tell(log(from, upto), Position(upto));
            told.extend(pulled.changes.iter().map(|it| it.position.0));
        }
    }

    #[test]
    fn pages_tell_each_change_of_others_once_and_count_each_entry_once() {
        let all: Vec<u64> = (1..=200).filter(|at| at % 3 != 0).collect();
        for (piece, limit) in [(1, 1), (7, 3), (50, 10), (200, 1), (3, 500)] {
            for lag_max in [1_000, usize::MAX] {
                let (told, markers, counted) = read(200, piece, limit, lag_max);
                assert_eq!((told, markers.len()), (all.clone(), 0), "{piece} {limit}");
                assert!(counted <= 200, "{counted} entries were counted");
            }
        }
    }

    #[test]
    fn a_backlog_that_is_too_long_is_one_exact_marker() {
        let (told, markers, _) = read(200, 7, 10, 20);
        assert_eq!(told, [0; 0]);
        let [marker] = &*markers else { panic!("{markers:?}") };
        assert_eq!((marker.first, marker.last), (Position(1), Position(200)));
        assert_eq!((marker.count, marker.comments.len()), (134, 2));
    }

    #[test]
    fn what_was_told_is_in_no_marker() {
        let mut backlog = Backlog::new(ME, Position(0), 2);
        backlog.count(log(1, 10), Position(10));
        let first = backlog.tell(log(1, 4), Position(4));
        assert_eq!(first.changes.len(), 3);
        backlog.count(log(11, 40), Position(40));
        assert!(backlog.lags(20));
        assert_eq!(backlog.skip(), None, "a part of it was told");
        assert_eq!(backlog.counted(), Position(4));
        backlog.count(log(5, 40), Position(40));
        let skipped = backlog.skip().and_then(|it| it.marker).unwrap();
        assert_eq!((skipped.first, skipped.last, skipped.count), (Position(5), Position(40), 24));
        assert_eq!((backlog.times(), backlog.cursor()), (None, Position(40)));
    }

    #[test]
    fn what_comes_while_a_page_is_read_is_told_once() {
        let mut backlog = Backlog::new(ME, Position(0), 2);
        backlog.count(log(1, 10), Position(10));
        let page = backlog.tell(log(1, 14), Position(14));
        assert_eq!(page.changes.len(), 10);
        assert_eq!((backlog.times(), backlog.counted()), (None, Position(14)));
        backlog.count(log(15, 16), Position(16));
        assert_eq!(backlog.times(), Some((Millis(160), Millis(160))));
    }
}
