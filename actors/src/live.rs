//! What is said while a model is asked: told to who looks on, bounded, and kept nowhere.
//!
//! Nothing of it may be acted upon. What was said counts when the agent's log has it; of a request that
//! comes to nothing all of it is withdrawn. Whoever reads too slowly misses what there is no room for,
//! and is told how much that was.

use std::collections::VecDeque;

/// What is told while a model is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LivePart {
    /// The model is asked.
    Asked,
    /// More of its text.
    Text(String),
    /// More of its reasoning.
    Reasoning(String),
    /// It calls a tool of this name.
    Call(String),
    /// More of the arguments of that call, as JSON.
    Arguments(String),
    /// What was said since it was asked is in the agent's log now.
    Kept,
    /// What was said since it was asked counts for nothing, for this reason.
    Withdrawn(String),
    /// So many bytes were said here that the reader has missed.
    Missed(u64),
}

impl LivePart {
    fn text(&self) -> Option<&str> {
        match self {
            LivePart::Text(text)
            | LivePart::Reasoning(text)
            | LivePart::Call(text)
            | LivePart::Arguments(text) => Some(text),
            _ => None,
        }
    }

    /// Takes in what comes right behind it, where that is more of the same.
    fn more(&mut self, next: &LivePart) -> bool {
        match (self, next) {
            (LivePart::Text(text), LivePart::Text(more))
            | (LivePart::Reasoning(text), LivePart::Reasoning(more))
            | (LivePart::Arguments(text), LivePart::Arguments(more)) => text.push_str(more),
            _ => return false,
        }
        true
    }
}

/// A part, and where the agent was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The turn in which it was said.
    pub turn: u64,
    /// The step of the turn.
    pub step: u32,
    /// What was said.
    pub part: LivePart,
}

/// Where a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveCursor {
    number: u64,
    bytes: u64,
}

/// What one agent's model has said last, as far as there is room.
#[derive(Clone, Debug)]
pub struct LiveBuffer {
    held: VecDeque<(LiveCursor, Live)>,
    held_bytes: usize,
    bytes_max: usize,
    /// Behind all that was said.
    end: LiveCursor,
    /// The request whose end nobody knows.
    open: Option<Open>,
    /// Requests so far.
    requests: u64,
    /// Where the last of them begins, and at which turn and step.
    asked: Option<(LiveCursor, (u64, u32))>,
}

/// A request that is under way.
#[derive(Clone, Copy, Debug)]
struct Open {
    number: u64,
    /// The turn and the step.
    of: (u64, u32),
    begins: LiveCursor,
}

/// What a part takes besides its text, about.
const PART_BYTES: usize = 64;

/// A longer text is taken in pieces: the oldest of it goes first.
const PIECE_BYTES: usize = 1 << 10;

impl LiveBuffer {
    /// One with room for so many bytes, and for one part at least.
    pub fn new(bytes_max: usize) -> LiveBuffer {
        let end = LiveCursor { number: 0, bytes: 0 };
        let (held, held_bytes, open, requests, asked) = (VecDeque::new(), 0, None, 0, None);
        LiveBuffer { held, held_bytes, bytes_max, end, open, requests, asked }
    }

    /// A model is asked at this step; the number of the request. What was said before it, and was not
    /// kept, counts for nothing.
    pub fn ask(&mut self, turn: u64, step: u32) -> u64 {
        self.withdraw("it is asked again");
        let (of, begins) = ((turn, step), self.end);
        self.requests += 1;
        self.open = Some(Open { number: self.requests, of, begins });
        self.asked = Some((begins, of));
        self.push(of, LivePart::Asked);
        self.requests
    }

    /// Something is said in a request. Once another is under way, or its end is known, nobody hears that.
    pub fn say(&mut self, request: u64, part: LivePart) {
        let Some(Open { of: at, .. }) = self.open.filter(|it| it.number == request) else { return };
        match part {
            LivePart::Text(text) => self.pieces(at, &text, LivePart::Text),
            LivePart::Reasoning(text) => self.pieces(at, &text, LivePart::Reasoning),
            LivePart::Arguments(text) => self.pieces(at, &text, LivePart::Arguments),
            LivePart::Call(mut name) => {
                name.truncate(name.floor_char_boundary(PIECE_BYTES));
                self.push(at, LivePart::Call(name));
            }
            LivePart::Asked | LivePart::Kept | LivePart::Withdrawn(_) | LivePart::Missed(_) => {}
        }
    }

    /// What was said since it was asked is kept.
    pub fn keep(&mut self) {
        if let Some(open) = self.open.take() {
            self.push(open.of, LivePart::Kept);
        }
    }

    /// What was said since it was asked counts for nothing. Nothing where that was kept.
    pub fn withdraw(&mut self, why: &str) {
        if let Some(open) = self.open.take() {
            let why = &why[..why.floor_char_boundary(PIECE_BYTES)];
            self.push(open.of, LivePart::Withdrawn(why.to_owned()));
        }
    }

    /// The same, where this request is under way.
    pub fn give_up(&mut self, request: u64, why: &str) {
        if self.open.is_some_and(|it| it.number == request) {
            self.withdraw(why);
        }
    }

    /// Whether a model is asked, and nobody knows what comes of it.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Where a reader begins: with the request that is under way.
    pub fn begin(&self) -> LiveCursor {
        self.open.map_or(self.end, |it| it.begins)
    }

    /// Behind all that was said.
    pub fn end(&self) -> LiveCursor {
        self.end
    }

    /// All that was said behind a cursor, and moves it there.
    pub fn read(&self, cursor: &mut LiveCursor) -> Vec<Live> {
        let mut told: Vec<Live> = Vec::new();
        if let Some((first, live)) = self.held.front()
            && cursor.number < first.number
        {
            // That what was told before it counts for nothing is not missed.
            let asked =
                self.asked.filter(|it| (cursor.number..first.number).contains(&it.0.number));
            let asked = asked.map(|(_, (turn, step))| Live { turn, step, part: LivePart::Asked });
            told.extend(asked);
            let missed = LivePart::Missed(first.bytes - cursor.bytes);
            told.push(Live { part: missed, ..*live });
            *cursor = *first;
        }
        let from = self.held.partition_point(|(at, _)| at.number < cursor.number);
        for (_, live) in self.held.range(from..) {
            let same = |it: &&mut Live| (it.turn, it.step) == (live.turn, live.step);
            let joined = told.last_mut().filter(same).is_some_and(|it| it.part.more(&live.part));
            if !joined {
                told.push(live.clone());
            }
        }
        *cursor = self.end;
        told
    }

    fn pieces(&mut self, at: (u64, u32), mut text: &str, part: fn(String) -> LivePart) {
        while !text.is_empty() {
            let (piece, rest) = text.split_at(text.floor_char_boundary(PIECE_BYTES));
            self.push(at, part(piece.to_owned()));
            text = rest;
        }
    }

    fn push(&mut self, (turn, step): (u64, u32), part: LivePart) {
        let at = self.end;
        let bytes = part.text().map_or(0, str::len);
        self.end = LiveCursor { number: at.number + 1, bytes: at.bytes + bytes as u64 };
        self.held_bytes += bytes + PART_BYTES;
        self.held.push_back((at, Live { turn, step, part }));
        while self.held_bytes > self.bytes_max && self.held.len() > 1 {
            if let Some((_, gone)) = self.held.pop_front() {
                self.held_bytes -= gone.part.text().map_or(0, str::len) + PART_BYTES;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Debug)]
    enum Op {
        Ask,
        Say(LivePart),
        Keep,
        Withdraw,
        Read,
    }

    fn op() -> impl Strategy<Value = Op> {
        let words = prop_oneof![6 => "[a-zäß ]{1,12}", 1 => "[a-zß]{1500}"];
        let said = (words, 0..3u8).prop_map(|(text, kind)| match kind {
            0 => LivePart::Text(text),
            1 => LivePart::Reasoning(text),
            _ => LivePart::Arguments(text),
        });
        prop_oneof![
            2 => Just(Op::Ask),
            12 => said.prop_map(Op::Say),
            1 => Just(Op::Keep),
            1 => Just(Op::Withdraw),
            4 => Just(Op::Read),
        ]
    }

    /// All that was said, as one list of letters and marks, without bounds.
    #[derive(Default)]
    struct Naive {
        said: Vec<(String, LivePart)>,
        open: bool,
        asked: u64,
    }

    impl Naive {
        fn push(&mut self, part: LivePart) {
            let label = format!("{}", self.asked);
            match &part {
                LivePart::Text(text) | LivePart::Reasoning(text) | LivePart::Arguments(text) => {
                    for letter in text.chars() {
                        let one = letter.to_string();
                        let one = match part {
                            LivePart::Text(_) => LivePart::Text(one),
                            LivePart::Reasoning(_) => LivePart::Reasoning(one),
                            _ => LivePart::Arguments(one),
                        };
                        self.said.push((label.clone(), one));
                    }
                }
                _ => self.said.push((label, part)),
            }
        }

        fn take(&mut self, op: &Op) {
            match op {
                Op::Ask => {
                    if std::mem::replace(&mut self.open, true) {
                        self.push(LivePart::Withdrawn("it is asked again".into()));
                    }
                    self.asked += 1;
                    self.push(LivePart::Asked);
                }
                Op::Say(part) if self.open => self.push(part.clone()),
                Op::Keep if std::mem::take(&mut self.open) => self.push(LivePart::Kept),
                Op::Withdraw if std::mem::take(&mut self.open) => {
                    self.push(LivePart::Withdrawn("no".into()));
                }
                _ => {}
            }
        }
    }

    fn letters(told: &[Live]) -> Vec<(String, LivePart)> {
        let mut naive = Naive::default();
        for live in told {
            naive.asked = live.turn;
            naive.push(live.part.clone());
        }
        naive.said
    }

    proptest! {
        /// A reader is told everything in its order, but for what it has missed, of which it is told
        /// how much that was; and no more is held than there is room for.
        #[test]
        fn a_reader_knows_what_it_has_not_missed(
            ops in prop::collection::vec(op(), 1..80),
            bytes_max in prop::sample::select(&[1usize, 400, 4_000, 1_000_000][..]),
        ) {
            let (mut buffer, mut naive) = (LiveBuffer::new(bytes_max), Naive::default());
            let mut request = 0;
            let (mut cursor, mut read) = (buffer.begin(), 0);
            for op in &ops {
                naive.take(op);
                match op {
                    Op::Ask => {
                        let before = std::mem::replace(&mut request, buffer.ask(naive.asked, 1));
                        // Whoever speaks for the request before is not heard, nor ends this one.
                        buffer.say(before, LivePart::Text("late".into()));
                        buffer.give_up(before, "late");
                    }
                    Op::Say(part) => buffer.say(request, part.clone()),
                    Op::Keep => buffer.keep(),
                    Op::Withdraw => buffer.give_up(request, "no"),
                    Op::Read => {
                        let mut told = buffer.read(&mut cursor);
                        let again = matches!(told.get(1).map(|it| &it.part), Some(LivePart::Missed(_)));
                        let again = again.then(|| told.remove(0));
                        let missed = told.iter().filter_map(|it| match it.part {
                            LivePart::Missed(bytes) => Some(bytes),
                            _ => None,
                        });
                        let missed: Vec<u64> = missed.collect();
                        prop_assert!(missed.len() <= 1);
                        let whole: Vec<Live> =
                            told.iter().filter(|it| !matches!(it.part, LivePart::Missed(_))).cloned().collect();
                        let told_letters = letters(&whole);
                        let all = &naive.said[read..];
                        prop_assert!(all.ends_with(&told_letters), "{:?} of {:?}", told, all);
                        let gone = &all[..all.len() - told_letters.len()];
                        let last = all.iter().rposition(|it| it.1 == LivePart::Asked);
                        let last = last.and_then(|at| gone.get(at));
                        let again = again.map(|it| (it.turn.to_string(), it.part));
                        prop_assert_eq!(last, again.as_ref(), "what it is behind is told");
                        let gone_bytes: usize =
                            gone.iter().filter_map(|it| it.1.text()).map(str::len).sum();
                        prop_assert_eq!(missed.first().copied().unwrap_or(0), gone_bytes as u64);
                        prop_assert_eq!(missed.is_empty(), gone.is_empty());
                        if bytes_max == 1_000_000 {
                            prop_assert!(gone.is_empty(), "there was room for all");
                        }
                        read = naive.said.len();
                    }
                }
                prop_assert!(buffer.held_bytes <= bytes_max.max(PIECE_BYTES + PART_BYTES));
                prop_assert_eq!(buffer.is_open(), naive.open);
            }
            // Who comes late begins with what is being said.
            let mut late = buffer.begin();
            let told = buffer.read(&mut late);
            let first = told.first().map(|it| &it.part);
            match naive.open {
                true => prop_assert_eq!(first, Some(&LivePart::Asked)),
                false => prop_assert_eq!(first, None),
            }
        }
    }

    #[test]
    fn nobody_hears_what_is_said_before_a_model_is_asked() {
        let mut buffer = LiveBuffer::new(1_000);
        let mut cursor = buffer.begin();
        buffer.say(0, LivePart::Text("x".into()));
        buffer.keep();
        buffer.withdraw("no");
        assert_eq!(buffer.read(&mut cursor), []);
        let request = buffer.ask(3, 2);
        buffer.say(request, LivePart::Text("he".into()));
        buffer.say(request, LivePart::Text("llo".into()));
        buffer.say(request, LivePart::Call("python".into()));
        buffer.withdraw("cut off");
        buffer.keep();
        let parts: Vec<LivePart> = buffer.read(&mut cursor).into_iter().map(|it| it.part).collect();
        let said = LivePart::Text("hello".into());
        let withdrawn = LivePart::Withdrawn("cut off".into());
        assert_eq!(parts, [LivePart::Asked, said, LivePart::Call("python".into()), withdrawn]);
    }
}
