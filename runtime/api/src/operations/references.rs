//! What an atom refers to, and what refers to it.

use crate::caller::Referred;
use crate::session::{Args, CallFuture, Does, HostApi, Method, On, refused};

/// By relation; behind `<-` it is read from its other end.
pub(super) const REFERENCES: Method = Method {
    on: On::Space,
    name: "references",
    takes: &["id", "relation=None", "skip=0"],
    does: Does::Looks,
    call: |api, _, args| called(api, args),
};

fn called(api: &mut HostApi, mut args: Args) -> CallFuture<'_> {
    Box::pin(async move {
        let id = api.id(&mut args).await?;
        let relation = args.text("relation")?;
        let skip = args.number("skip")?.unwrap_or(0) as usize;
        let referred = match relation.as_deref().map(|it| (it, it.strip_prefix("<-"))) {
            Some((_, Some(reverse))) => {
                let reverse = Some(reverse).filter(|it| !it.is_empty());
                api.caller.sources(id, reverse, skip).await
            }
            other => api.caller.targets(id, other.map(|(it, _)| it), skip).await,
        };
        let Referred { found, next } = referred.map_err(refused)?;
        let hits = found.into_iter().map(|(_, it)| (it.atom, it.position, None));
        let (items, told, all) = api.list(hits.collect(), true);
        if told < all || next.is_some() {
            let skip = if told < all { skip + told } else { next.unwrap_or_default() };
            api.notice(format!("references() ended early, for one answer; skip={skip} goes on"));
        }
        Ok(items)
    })
}
