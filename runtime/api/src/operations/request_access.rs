//! Asking one's parent for a right.

use crate::session::items::raise;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, level, refused, wants_level};
use stoa_actors::atom::Content;
use stoa_actors::space::Draft;
use stoa_actors::value::Value;

/// One atom in the space that it shares with its parent, who answers by granting it, or by a word
/// there.
pub(super) const REQUEST_ACCESS: Method = Method {
    on: On::Coordinator,
    name: "request_access",
    takes: &["space", "level", "reason=''", "comment=None", "key=None"],
    does: Does::Writes,
    call: |api, _, args| called(api, args),
};

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let space = args.text("space")?.filter(|it| !it.trim().is_empty());
        let space = space.ok_or_else(|| raise("TypeError", "space= takes a name or an id"))?;
        let level = level(args.text("level")?)?.ok_or_else(|| wants_level("level="))?;
        let reason = args.text("reason")?.unwrap_or_default();
        let charter = api.caller.charter_of(api.caller.session()).map_err(refused)?;
        let Some(charter) = charter else {
            return Err(raise(
                "PermissionError",
                "this session shares no space with a parent to ask in; it has what it was given",
            ));
        };
        let why = api.why(&mut args, "request access")?;
        let why = api.keyed(why, &());
        let metadata = [
            ("kind".to_owned(), Value::from("access-request")),
            ("level".to_owned(), Value::Text(level.to_string())),
            ("space".to_owned(), Value::Text(space)),
        ];
        let content = Content::Text(reason);
        let draft = Draft { content, metadata: metadata.into(), ..Draft::default() };
        let written = api.caller.put(charter.dm, draft, why).await.map_err(refused)?;
        let read = api.caller.get_version(written.id, written.version).await.map_err(refused)?;
        Ok(api.note(&read))
    })
}
