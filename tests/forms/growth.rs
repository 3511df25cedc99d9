//! What has grown reads what was stored before. Each type here is a copy of a stored one with a field
//! more, as a later build would have it; it reads the bytes that today's type is written as.

use stoa_actors::atom::Atom;
use stoa_actors::atom::{Content, Deprecation, Embedding, Metadata, Reference};
use stoa_actors::codec;
use stoa_actors::id::{AgentId, AtomId, EventId, LinkId, Millis, SessionId, SpaceId};
use stoa_actors::log::{Answered, Body, Cause, Hash};
use stoa_actors::rights::{Effect, Event, Level, Link, Right, Subject};
use stoa_actors::space::Declarations;
use stoa_actors::stored;
use stoa_actors::value::Value;

/// Declares a grown copy of a record, how it is made of today's, and that it reads today's bytes.
macro_rules! grown {
    ($test:ident: $old:ty => $new:ident { $($field:ident: $kind:ty),* $(,)? } + $more:ident: $its:ty
        [$($raw:ident)?] $value:expr) => {
        #[derive(Debug, PartialEq)]
        struct $new {
            /// First in the type, last in the layout.
            $more: $its,
            $($field: $kind,)*
            $($raw: Vec<u8>,)?
        }
        stored!(record $new { $($field),* } bytes { $($raw)? } grown { $more });

        #[test]
        fn $test() {
            let today: $old = $value;
            let bytes = codec::encode(1, &today).unwrap();
            let later: $new = codec::decode(1, &bytes).unwrap();
            let known = today.clone();
            let expected = $new {
                $more: <$its>::default(),
                $($field: known.$field,)*
                $($raw: known.$raw,)?
            };
            assert_eq!(later, expected);
            let newer = codec::encode(1, &later).unwrap();
            let refused = codec::decode::<$old>(1, &newer).unwrap_err().to_string();
            assert!(refused.contains("newer stoa"), "{refused}");
        }
    };
}

pub(crate) use grown;

fn atom() -> Atom {
    Atom {
        id: AtomId([1; 16]),
        space: SpaceId([2; 16]),
        version: 3,
        born: 4,
        author: SessionId([5; 16]),
        at: Millis(6),
        content: Content::Bytes { media_type: "image/png".into(), bytes: vec![0, 255] },
        annotation: "seven".into(),
        metadata: [("a".to_owned(), Value::Int(8))].into(),
        references: vec![Reference { relation: "see".into(), target: AtomId([9; 16]) }],
        embedding: Some(Embedding { fingerprint: 1, scale: 0.5, dims: vec![1, 2] }),
        deprecated: Some(Deprecation { superseded_by: None }),
        attempts: 7,
    }
}

fn link() -> Link {
    Link {
        id: LinkId([1; 16]),
        from: SessionId([0; 16]),
        to: SessionId([2; 16]),
        right: Right::whole(Subject::Tool("fetch".into())),
        basis: None,
        expires: Some(Millis(9)),
        reason: "because".into(),
    }
}

fn answered() -> Answered {
    Answered { key: "once".into(), form: 1, request: Hash([7; 32]), reply: vec![1, 0] }
}

fn body() -> Body {
    Body {
        id: EventId([8; 16]),
        at: Millis(7),
        kind: "space".into(),
        by: SessionId([3; 16]),
        agent: Some(AgentId([4; 16])),
        cause: Cause { root: None, hop: 3 },
        comment: "why".into(),
        answers: Some(answered()),
        events: vec![1, 0],
    }
}

grown!(an_atom: Atom => GrownAtom {
    id: AtomId, space: SpaceId, version: u64, born: u64, author: SessionId, at: Millis,
    content: Content, annotation: String, metadata: Metadata, references: Vec<Reference>,
    embedding: Option<Embedding>, deprecated: Option<Deprecation>, attempts: u64,
} + language: Option<String> [] atom());

grown!(a_reference: Reference => GrownReference { relation: String, target: AtomId }
    + weight: u64 [] Reference { relation: "see".into(), target: AtomId([9; 16]) });

grown!(a_deprecation: Deprecation => GrownDeprecation { superseded_by: Option<AtomId> }
    + why: String [] Deprecation { superseded_by: Some(AtomId([9; 16])) });

grown!(an_embedding: Embedding => GrownEmbedding { fingerprint: u32, scale: f32 }
    + model: String[dims] Embedding { fingerprint: 1, scale: 0.5, dims: vec![1, 255] });

grown!(a_right: Right => GrownRight {
    subject: Subject, use_: Option<Level>, delegate: Option<Level>,
} + scope: Vec<String> [] Right::whole(Subject::Secret("key".into())));

grown!(a_link: Link => GrownLink {
    id: LinkId, from: SessionId, to: SessionId, right: Right, basis: Option<LinkId>,
    expires: Option<Millis>, reason: String,
} + seen: bool [] link());

grown!(a_cause: Cause => GrownCause { root: Option<EventId>, hop: u16 }
    + agents: Vec<SessionId> [] Cause { root: Some(EventId([1; 16])), hop: 300 });

grown!(an_answer: Answered => GrownAnswered { key: String, form: u8, request: Hash }
    + until: Option<Millis>[reply] answered());

grown!(a_body: Body => GrownBody {
    id: EventId, at: Millis, kind: String, by: SessionId, agent: Option<AgentId>, cause: Cause,
    comment: String, answers: Option<Answered>,
} + trace: Option<String>[events] body());

/// A tool with a scope, and an event that says more: no case is added for either.
#[test]
fn rights_to_tools_with_a_scope() {
    #[derive(Debug, PartialEq)]
    enum Later {
        Secret { handle: String },
        Tool { scope: Vec<String>, name: String },
        Space(SpaceId),
        Model(String),
    }
    stored!(choice Later {
        0 => Space(space), 1 => Tool { name } grown { scope }, 2 => Secret { handle }, 3 => Model(name),
    });
    let today = [
        Subject::Tool("fetch".into()),
        Subject::Secret("key".into()),
        Subject::Space(SpaceId([2; 16])),
        Subject::Model("m".into()),
    ];
    let later: [Later; 4] = codec::decode(1, &codec::encode(1, &today).unwrap()).unwrap();
    let tool = Later::Tool { name: "fetch".into(), scope: Vec::new() };
    let secret = Later::Secret { handle: "key".into() };
    assert_eq!(later, [tool, secret, Later::Space(SpaceId([2; 16])), Later::Model("m".into())]);
}

#[test]
fn an_event_of_the_rights() {
    #[derive(Debug, PartialEq)]
    enum Later {
        Expired { at: Option<Millis>, links: Vec<LinkId> },
        Shared { link: Link, alias: Option<String>, told: bool },
    }
    stored!(choice Later {
        5 => Shared { link, alias } grown { told }, 7 => Expired { links } grown { at },
    });
    let today = vec![
        Event::Shared { link: link(), alias: Some("board".into()) },
        Event::Expired { links: vec![LinkId([1; 16])] },
    ];
    let later: Vec<Later> = codec::decode(1, &codec::encode(1, &today).unwrap()).unwrap();
    let shared = Later::Shared { link: link(), alias: Some("board".into()), told: false };
    assert_eq!(later, [shared, Later::Expired { links: vec![LinkId([1; 16])], at: None }]);
}

/// A description that was owed before spaces could declare is owed still.
#[test]
fn a_description_that_is_owed() {
    #[derive(Debug, PartialEq)]
    enum Before {
        Describe { space: SpaceId, by: SessionId, text: String },
    }
    stored!(choice Before { 2 => Describe { space, by, text } });
    let (space, by, text) = (SpaceId([2; 16]), SessionId([3; 16]), "a convention".to_owned());
    let before = Before::Describe { space, by, text: text.clone() };
    let now: Effect = codec::decode(1, &codec::encode(1, &before).unwrap()).unwrap();
    assert_eq!(now, Effect::Describe { space, by, text, declares: Declarations::default() });
}
