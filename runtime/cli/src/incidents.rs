//! What goes wrong with the agents that this process runs, while it does.

use super::screen::{Screen, note};
use super::table::Sheet;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use stoa_api::answer::IncidentAnswer;
use stoa_api::operation::{Answer, Page, Times};
use stoa_kernel::runtime::Runtime;

/// How they are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// To people, on standard error.
    People,
    /// As JSON Lines beside answers, on standard error.
    Aside,
    /// As JSON Lines, which are all that is printed.
    Lines,
}

impl Told {
    /// Beside the answers of a verb.
    pub(super) fn beside(json: bool) -> Told {
        if json { Told::Aside } else { Told::People }
    }

    /// Tells of all that there is, and goes on until it is dropped.
    pub(super) async fn tell_on(self, runtime: &Runtime) {
        loop {
            self.tell(runtime);
            runtime.incident().await;
        }
    }

    /// Tells of all that there is now.
    pub(super) fn tell(self, runtime: &Runtime) {
        let (incidents, lost) = runtime.incidents();
        if lost > 0 && self == Told::People {
            note(format!("note: {lost} incidents are left out here: `stoa agent list`"));
        }
        for incident in &incidents {
            let answer = IncidentAnswer::of(runtime, incident);
            // Where nobody can be told there is nobody to tell that to.
            drop(match self {
                Told::People => {
                    let mut to = Screen::aside();
                    let times = match to.is_seen() {
                        true => Times::clock(Timestamp::now(), TimeZone::system()),
                        false => Times::Exact,
                    };
                    let mut page = Page::default().with_times(times);
                    answer.show(&mut page);
                    to.page(page, &mut Sheet::default())
                }
                Told::Aside => json(&mut Screen::aside(), &answer),
                Told::Lines => json(&mut Screen::out(), &answer),
            });
        }
    }
}

fn json(to: &mut Screen, answer: &IncidentAnswer) -> std::io::Result<()> {
    let line = serde_json::to_value(answer).map_err(std::io::Error::other)?;
    to.json(&line)?;
    to.flush()
}
