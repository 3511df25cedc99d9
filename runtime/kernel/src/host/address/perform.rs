//! Who does what an actor asks to be done outside.

use stoa_actors::behaviour::{Behaviour, EffectId};

/// A future without a name.
pub use stoa_sandbox::Boxed;

/// Does what an actor asks to be done outside.
///
/// The host starts each effect once its events are durable, and keeps it over restarts of the
/// actor. After a crash of the process, [`Behaviour::resume`] says what is still owed, so an
/// effect may be performed again: it must be harmless twice, or ask the world first.
pub trait Perform<B: Behaviour>: Send + Sync + 'static {
    /// Does it, in the future that it returns: until that it must not wait. The message, if any, goes to the actor with the key `effect-ID`, until it is
    /// answered. What is a message to another actor is not performed: the host delivers it.
    fn perform(&self, id: EffectId, effect: B::Effect) -> Boxed<'static, Option<B::Message>>;

    /// These events are durable. On the thread that acknowledges: must not wait, nor take long.
    fn happened(&self, _events: &[B::Event]) {}

    /// Others have written to its stream, or what it had written is not in there: what was heard of
    /// it by [`Perform::happened`] is not all. Must not wait.
    fn led_astray(&self) {}

    /// The actor died too often, and is kept out of service. Must not wait.
    fn quarantined(&self, _why: &str) {}
}

impl<B, F> Perform<B> for F
where
    B: Behaviour,
    F: Fn(EffectId, B::Effect) -> Boxed<'static, Option<B::Message>> + Send + Sync + 'static,
{
    fn perform(&self, id: EffectId, effect: B::Effect) -> Boxed<'static, Option<B::Message>> {
        self(id, effect)
    }
}

/// The performer of a kind that has no effects, or none that are not messages.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl<B: Behaviour> Perform<B> for Nothing {
    fn perform(&self, id: EffectId, _: B::Effect) -> Boxed<'static, Option<B::Message>> {
        Box::pin(async move {
            tracing::error!(kind = B::KIND, effect = id, "nobody performs this");
            None
        })
    }
}
