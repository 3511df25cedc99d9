//! How types are stored: by a layout that stands apart from the type, and that can grow.
//!
//! A record is the number of its fields and then the fields, in the order of its layout. A case of a
//! choice is its number and then a record. So a type may rename, reorder and regroup what it holds
//! without a byte changing; and a field that is added under `grown` is absent from bytes that were
//! written before, where it has its default. A layout is changed in no other way: no field goes,
//! moves or changes its type, and no number comes to mean another case. What cannot be said so is a
//! new form of its kind ([`crate::behaviour::Behaviour::FORM`]), with an upcast from the old one.
//!
//! To formats that say names the same types give names, so that what is hashed is not the layout
//! ([`crate::digest`]).

/// Gives a type its stored layout: `record Type { fields } bytes { fields } grown { fields }`, or
/// `choice Type { 0 => Case { fields } grown { fields }, 1 => Other(inner), 2 => Bare }`. Fields under
/// `bytes` are a `Vec<u8>` that is stored in one piece. A record's fields under `derived` are not stored:
/// they are made anew from the rest, and have their default until then.
///
/// Errors when it reads: fewer fields than there always were, more than it knows, an unknown case.
#[macro_export]
macro_rules! stored {
    (record $name:ident { $($old:ident),* $(,)? }
        $(bytes { $($raw:ident),* $(,)? })? $(grown { $($new:ident),* $(,)? })?
        $(derived { $($made:ident),* $(,)? })?) => {
        const _: () = {
            use $crate::stored::serde::de::{Error, SeqAccess, Visitor};
            use $crate::stored::serde::ser::{SerializeStruct, SerializeTuple};
            use $crate::stored::serde::{Deserialize, Deserializer, Serialize, Serializer};

            const NAMES: &[&str] = &[$(stringify!($old),)* $($(stringify!($raw),)*)?
                $($(stringify!($new),)*)?];
            const COUNT: u8 = NAMES.len() as u8;

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    if to.is_human_readable() {
                        let mut out = to.serialize_struct(stringify!($name), usize::from(COUNT))?;
                        $(out.serialize_field(stringify!($old), &self.$old)?;)*
                        $($(out.serialize_field(
                            stringify!($raw),
                            $crate::stored::raw(&self.$raw),
                        )?;)*)?
                        $($(out.serialize_field(stringify!($new), &self.$new)?;)*)?
                        return out.end();
                    }
                    let mut out = to.serialize_tuple(usize::from(COUNT) + 1)?;
                    out.serialize_element(&COUNT)?;
                    $(out.serialize_element(&self.$old)?;)*
                    $($(out.serialize_element($crate::stored::raw(&self.$raw))?;)*)?
                    $($(out.serialize_element(&self.$new)?;)*)?
                    out.end()
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    struct Fields;
                    impl<'de> Visitor<'de> for Fields {
                        type Value = $name;

                        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                            f.write_str(concat!("a stored ", stringify!($name)))
                        }

                        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                            let mut left: u8 = $crate::stored::element(&mut seq)?;
                            $(let $old = $crate::stored::old(&mut seq, &mut left)?;)*
                            $($(let $raw = $crate::stored::old_raw(&mut seq, &mut left)?;)*)?
                            $($(let $new = $crate::stored::new(&mut seq, &mut left)?;)*)?
                            match left {
                                0 => Ok($name {
                                    $($old,)*
                                    $($($raw,)*)?
                                    $($($new,)*)?
                                    $($($made: Default::default(),)*)?
                                }),
                                _ => Err(A::Error::custom($crate::stored::NEWER)),
                            }
                        }
                    }
                    from.deserialize_tuple(usize::from(COUNT) + 1, Fields)
                }
            }
        };
    };

    (choice $name:ident { $(
        $number:literal => $case:ident
        $( ( $inner:ident ) )?
        $( { $($old:ident),* $(,)? } )?
        $( bytes { $($raw:ident),* $(,)? } )?
        $( grown { $($new:ident),* $(,)? } )?
    ),* $(,)? }) => {
        const _: () = {
            use $crate::stored::serde::de::{Error, SeqAccess, Visitor};
            use $crate::stored::serde::ser::{SerializeStructVariant, SerializeTuple};
            use $crate::stored::serde::{Deserialize, Deserializer, Serialize, Serializer};

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                    match self { $(
                        $crate::stored!(@case $name $case $(($inner))? $({ $($old),* })?
                            $([ $($raw),* ])? $(< $($new),* >)?) =>
                        {
                            const NAMES: &[&str] = &[$(stringify!($inner),)?
                                $($(stringify!($old),)*)? $($(stringify!($raw),)*)?
                                $($(stringify!($new),)*)?];
                            const COUNT: u8 = NAMES.len() as u8;
                            if to.is_human_readable() {
                                let mut out = to.serialize_struct_variant(
                                    stringify!($name),
                                    $number,
                                    stringify!($case),
                                    usize::from(COUNT),
                                )?;
                                $crate::stored::touch(&mut out);
                                $(out.serialize_field(stringify!($inner), $inner)?;)?
                                $($(out.serialize_field(stringify!($old), $old)?;)*)?
                                $($(out.serialize_field(stringify!($raw), $crate::stored::raw($raw))?;)*)?
                                $($(out.serialize_field(stringify!($new), $new)?;)*)?
                                return out.end();
                            }
                            let mut out = to.serialize_tuple(usize::from(COUNT) + 2)?;
                            out.serialize_element::<u16>(&$number)?;
                            out.serialize_element(&COUNT)?;
                            $(out.serialize_element($inner)?;)?
                            $($(out.serialize_element($old)?;)*)?
                            $($(out.serialize_element($crate::stored::raw($raw))?;)*)?
                            $($(out.serialize_element($new)?;)*)?
                            out.end()
                        }
                    )* }
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                    struct Cases;
                    impl<'de> Visitor<'de> for Cases {
                        type Value = $name;

                        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                            f.write_str(concat!("a stored ", stringify!($name)))
                        }

                        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<$name, A::Error> {
                            let number: u16 = $crate::stored::element(&mut seq)?;
                            let mut left: u8 = $crate::stored::element(&mut seq)?;
                            $crate::stored::touch(&mut left);
                            let made = match number {
                                $($number => {
                                    $(let $inner = $crate::stored::old(&mut seq, &mut left)?;)?
                                    $($(let $old = $crate::stored::old(&mut seq, &mut left)?;)*)?
                                    $($(let $raw = $crate::stored::old_raw(&mut seq, &mut left)?;)*)?
                                    $($(let $new = $crate::stored::new(&mut seq, &mut left)?;)*)?
                                    $crate::stored!(@case $name $case $(($inner))? $({ $($old),* })?
                                        $([ $($raw),* ])? $(< $($new),* >)?)
                                })*
                                _ => return Err(A::Error::custom($crate::stored::NEWER)),
                            };
                            match left {
                                0 => Ok(made),
                                _ => Err(A::Error::custom($crate::stored::NEWER)),
                            }
                        }
                    }
                    from.deserialize_tuple($crate::stored::ELEMENTS_MAX, Cases)
                }
            }
        };
    };

    // A case with its fields: what it is taken apart by, and what it is made by.
    (@case $name:ident $case:ident) => { $name::$case };
    (@case $name:ident $case:ident ($inner:ident)) => { $name::$case($inner) };
    (@case $name:ident $case:ident $({ $($old:ident),* })? $([ $($raw:ident),* ])?
        $(< $($new:ident),* >)?) => {
        $name::$case { $($($old,)*)? $($($raw,)*)? $($($new,)*)? }
    };
}

#[doc(hidden)]
pub use serde;
use serde::Deserialize;
use serde::de::{Error, SeqAccess};

/// What is said of a record with more fields, or a choice with more cases, than this build knows.
#[doc(hidden)]
pub const NEWER: &str = "it was written by a newer stoa";
/// Numbers and fields of one case.
#[doc(hidden)]
pub const ELEMENTS_MAX: usize = 2 + 64;

#[doc(hidden)]
pub fn element<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(seq: &mut A) -> Result<T, A::Error> {
    seq.next_element()?.ok_or_else(|| A::Error::custom("it is cut short"))
}

/// Lets what a bare case does not change be declared like what the others do.
#[doc(hidden)]
pub fn touch<T>(_: &mut T) {}

/// A field that was always there.
#[doc(hidden)]
pub fn old<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    seq: &mut A,
    left: &mut u8,
) -> Result<T, A::Error> {
    *left = left.checked_sub(1).ok_or_else(|| A::Error::custom("it is cut short"))?;
    element(seq)
}

/// Bytes in one piece.
#[doc(hidden)]
pub fn raw(bytes: &[u8]) -> &serde_bytes::Bytes {
    serde_bytes::Bytes::new(bytes)
}

/// The same, as they are read.
#[doc(hidden)]
pub fn old_raw<'de, A: SeqAccess<'de>>(seq: &mut A, left: &mut u8) -> Result<Vec<u8>, A::Error> {
    old::<A, serde_bytes::ByteBuf>(seq, left).map(serde_bytes::ByteBuf::into_vec)
}

/// A field that older bytes do not have.
#[doc(hidden)]
pub fn new<'de, A: SeqAccess<'de>, T: Deserialize<'de> + Default>(
    seq: &mut A,
    left: &mut u8,
) -> Result<T, A::Error> {
    if *left == 0 { Ok(T::default()) } else { old(seq, left) }
}

#[cfg(test)]
mod tests {
    use crate::codec;

    #[derive(Clone, Debug, PartialEq)]
    struct Task {
        text: String,
        weight: u64,
    }
    stored!(record Task { text, weight });

    /// The same, later.
    #[derive(Clone, Debug, PartialEq)]
    struct Grown {
        tags: Vec<String>,
        weight: u64,
        text: String,
        due: Option<u64>,
    }
    stored!(record Grown { text, weight } grown { due, tags });

    #[derive(Clone, Debug, PartialEq)]
    enum Event {
        Put(Task),
        Moved { from: u8, to: u8 },
        Closed,
    }
    stored!(choice Event { 0 => Put(task), 1 => Moved { from, to }, 7 => Closed });

    #[derive(Clone, Debug, PartialEq)]
    struct Picture {
        pixels: Vec<u8>,
        name: String,
    }
    stored!(record Picture { name } bytes { pixels });

    /// What is counted is not stored.
    #[derive(Clone, Debug, PartialEq)]
    struct Counted {
        text: String,
        letters: usize,
    }
    stored!(record Counted { text } derived { letters });

    #[derive(Clone, Debug, PartialEq)]
    enum GrownEvent {
        Closed,
        Moved { why: String, to: u8, from: u8 },
        Put(Grown),
        Opened,
    }
    stored!(choice GrownEvent {
        0 => Put(task), 1 => Moved { from, to } grown { why }, 7 => Closed, 8 => Opened,
    });

    fn task() -> Task {
        Task { text: "dig".into(), weight: 3 }
    }

    #[test]
    fn what_is_stored_reads_as_what_it_was() {
        for event in [Event::Put(task()), Event::Moved { from: 1, to: 2 }, Event::Closed] {
            let bytes = codec::encode(1, &vec![event.clone(), event.clone()]).unwrap();
            assert_eq!(codec::decode::<Vec<Event>>(1, &bytes).unwrap(), [event.clone(), event]);
        }
    }

    #[test]
    fn bytes_are_stored_in_one_piece() {
        let picture = Picture { pixels: vec![0, 255, 254, 7], name: "a".into() };
        let bytes = codec::encode(1, &picture).unwrap();
        assert_eq!(bytes, [1, 2, 1, b'a', 4, 0, 255, 254, 7]);
        assert_eq!(codec::decode::<Picture>(1, &bytes).unwrap(), picture);
    }

    #[test]
    fn what_is_derived_is_not_stored() {
        let bytes = codec::encode(1, &Counted { text: "dig".into(), letters: 3 }).unwrap();
        assert_eq!(bytes, [1, 1, 3, b'd', b'i', b'g']);
        let back = codec::decode::<Counted>(1, &bytes).unwrap();
        assert_eq!(back, Counted { text: "dig".into(), letters: 0 });
    }

    #[test]
    fn a_type_that_has_grown_reads_what_was_stored_before() {
        let before =
            vec![Event::Closed, Event::Put(task()), Event::Moved { from: 1, to: 2 }, Event::Closed];
        let bytes = codec::encode(1, &before).unwrap();
        let grown = Grown { text: "dig".into(), weight: 3, due: None, tags: Vec::new() };
        let after = [
            GrownEvent::Closed,
            GrownEvent::Put(grown),
            GrownEvent::Moved { from: 1, to: 2, why: String::new() },
            GrownEvent::Closed,
        ];
        assert_eq!(codec::decode::<Vec<GrownEvent>>(1, &bytes).unwrap(), after);
    }

    #[test]
    fn what_is_newer_or_cut_short_is_refused() {
        let grown = Grown { text: "dig".into(), weight: 3, due: Some(9), tags: Vec::new() };
        for newer in [GrownEvent::Opened, GrownEvent::Put(grown.clone())] {
            let bytes = codec::encode(1, &newer).unwrap();
            let refused = codec::decode::<Event>(1, &bytes).unwrap_err().to_string();
            assert!(refused.contains("newer stoa"), "{refused}");
        }
        assert!(codec::decode::<Task>(1, &codec::encode(1, &grown).unwrap()).is_err());
        let short = codec::encode(1, &(1u8, "dig")).unwrap();
        let refused = codec::decode::<Task>(1, &short).unwrap_err().to_string();
        assert!(refused.contains("cut short"), "{refused}");
        let bytes = codec::encode(1, &task()).unwrap();
        assert!((1..bytes.len()).all(|end| codec::decode::<Task>(1, &bytes[..end]).is_err()));
    }
}
