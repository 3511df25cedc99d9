//! Reading a part of what is too long for one answer.

use crate::session::items;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};
use stoa_actors::atom::Content;
use stoa_actors::code::Item;

/// A part of a text in characters, or of bytes.
pub(super) const READ: Method = Method {
    on: On::Space,
    name: "read",
    takes: &["id", "start=0", "end=None", "version=None"],
    does: Does::Looks,
    call: |api, _, args| called(api, args),
};

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let start = args.number("start")?.unwrap_or(0) as usize;
        let end = args.number("end")?.map_or(usize::MAX, |it| it as usize);
        let read = match args.number("version")? {
            Some(version) => api.caller.get_version(id, version).await,
            None => api.caller.get(id).await,
        };
        let atom = read.map_err(refused)?.atom;
        let room = api.fit.bytes();
        if let Content::Bytes { bytes, .. } = &atom.content {
            let end = end.min(bytes.len()).max(start.min(bytes.len()));
            let part = &bytes[start.min(bytes.len())..end];
            ends_early(api, part.len() > room, start + room);
            return Ok(Item::Bytes(part[..part.len().min(room)].to_vec()));
        }
        let text = items::whole_text(&atom.content);
        let part = text.chars().skip(start).take(end.saturating_sub(start)).collect::<String>();
        let kept = part.floor_char_boundary(room);
        ends_early(api, kept < part.len(), start + part[..kept].chars().count());
        Ok(items::text(&part[..kept]))
    })
}

fn ends_early(api: &mut HostApi, early: bool, next: usize) {
    if early {
        api.notice(format!("read() ended early, for one answer; start={next} goes on"));
    }
}
