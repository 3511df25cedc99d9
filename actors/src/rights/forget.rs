//! What goes out of the table: links that have ended, names that are taken, and sessions that end.

use super::Rights;
use super::arena::RowId;
use super::row::{Kind, NameRow, On};
use crate::id::{LinkId, Millis, SessionId};
use crate::mutant::planted;

impl Rights {
    pub(super) fn forget(&mut self, links: &[LinkId]) {
        for id in links {
            let Some(place) = self.links.find(id) else { continue };
            let row = *self.links.get(place);
            let links = &self.links;
            let held = |it: RowId| (links.get(it).held_as(), it) < (row.held_as(), place);
            self.held.remove(place, held);
            if row.basis.is_some() {
                let rests = |it: RowId| (links.get(it).basis, it) < (row.basis, place);
                self.resting.remove(place, rests);
            }
            self.links.take(id);
            self.expiring.remove(&(row.expires, *id));
            self.sessions.get_mut(row.to).links -= 1;
            self.texts.release(row.reason);
            self.release(row.on());
        }
    }

    fn release(&mut self, (kind, of): On) {
        match kind {
            // Every space there ever was is known, so that none is made twice.
            Kind::Space => {}
            Kind::Tool | Kind::Secret | Kind::Model => self.texts.release(of),
        }
    }

    pub(super) fn close(&mut self, session: SessionId, at: Millis) {
        let Some(place) = self.sessions.find(&session) else { return };
        if !planted("rights.end_keeps_names") {
            let names = self.names.from(&(place, None)).map(|(_, row)| *row);
            let names: Vec<NameRow> = names.take_while(|row| row.holder == place).collect();
            names.into_iter().for_each(|row| self.drop_name(row));
        }
        self.sessions.get_mut(place).ended = at;
        self.charters.remove(&place);
        self.doomed.remove(&place);
        self.pass_away(place);
    }

    pub(super) fn uncall(&mut self, holder: SessionId, alias: &str) {
        let key = self.sessions.find(&holder).zip(self.texts.find(alias));
        let found = key.and_then(|(holder, text)| self.names.find(&(holder, Some(text))));
        if let Some(place) = found {
            self.drop_name(*self.names.get(place));
        }
    }

    fn drop_name(&mut self, row: NameRow) {
        if let Some(place) = self.names.find(&(row.holder, Some(row.text))) {
            self.unlist(place);
        }
        self.names.take(&(row.holder, Some(row.text)));
        self.sessions.get_mut(row.holder).names -= 1;
        self.texts.release(row.text);
    }
}
