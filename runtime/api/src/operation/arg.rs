//! What is typed for an operation: which field of its request it fills, and how it is read. What a
//! field is for is said once, on the field.

/// How what is typed becomes a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ArgForm {
    /// A text, taken as it is.
    Text,
    /// Several texts: the flag again, or with commas in one.
    Texts,
    /// Several texts: the flag again.
    EachText,
    /// Ids: at least one, several in a row.
    Ids,
    /// JSON, one value a line: a file, `-` for stdin, or what is piped in.
    JsonLines(Needed),
    /// A text that may be long: `-` for stdin, `@FILE` for a file; without it, what is piped in.
    Long(Needed),
    /// The same, and nothing is read where it is not typed.
    Also(Needed),
    /// A whole number.
    Number,
    /// True where it is typed.
    Switch,
    /// `KEY=VALUE` and `KEY:=JSON`.
    Pairs,
    /// `KEY=VALUE` as a condition: with `!=`, `<`, `<=`, `>` and `>=` as well.
    Wanted,
    /// `RELATION:KEY=VALUE`, a condition on what is referred to.
    Conditions,
    /// References to add or drop, each `RELATION=ID`.
    References,
    /// `RELATION=ID`, or `RELATION` for any.
    Relations,
    /// `NAME=LEVEL[:LEVEL]`, with commas.
    Spaces,
    /// `UNIT=N`, with commas.
    Budget,
    /// A path of this process, as the owner's process is to know it.
    Path,
    /// Files and folders that are there.
    Documents,
    /// Python: a file, `-` for stdin, or what is piped in.
    Code,
    /// The content of an atom, as text.
    ContentText(Needed),
    /// The content of an atom from a file.
    ContentFile,
    /// The content of an atom as JSON.
    ContentJson,
    /// That the content is bytes, and of which type.
    ContentType,
    /// For the command line alone: a switch.
    Local,
    /// For the command line alone: a text.
    LocalText,
    /// For the command line alone: a path.
    LocalPath,
}

/// What an operation needs a text for, and what to type when there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// What the text is to it: `the task`.
    pub what: &'static str,
    /// What to type.
    pub hint: &'static str,
}

/// One argument of a verb, as the command line takes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arg {
    /// The field that it fills.
    pub field: &'static str,
    /// The flag that stands before it; nothing where its place says which it is.
    pub flag: Option<&'static str>,
    /// How it is read.
    pub how: ArgForm,
    /// What stands for the value in the help.
    pub shape: &'static str,
    /// What it is for, where that is not on the field.
    pub about: Option<&'static str>,
    /// Flags and fields that cannot be typed with it.
    pub conflicts: &'static [&'static str],
    /// The flag or field that it wants beside it.
    pub requires: Option<&'static str>,
    /// It must be typed, unless this one is.
    pub unless: Option<&'static str>,
}

impl Arg {
    const fn new(field: &'static str, flag: Option<&'static str>, how: ArgForm) -> Arg {
        let (about, requires, unless) = (None, None, None);
        Arg { field, flag, how, shape: "", about, conflicts: &[], requires, unless }
    }

    /// One that is known by its place.
    pub const fn at(field: &'static str, how: ArgForm) -> Arg {
        Arg::new(field, None, how)
    }

    /// One behind a flag, with what stands for its value in the help.
    pub const fn flag(
        flag: &'static str,
        field: &'static str,
        how: ArgForm,
        shape: &'static str,
    ) -> Arg {
        Arg { shape, ..Arg::new(field, Some(flag), how) }
    }

    /// A flag without a value.
    pub const fn switch(flag: &'static str, field: &'static str) -> Arg {
        Arg::new(field, Some(flag), ArgForm::Switch)
    }

    /// Says what it is for, where that is not on the field.
    #[must_use]
    pub const fn about(self, about: &'static str) -> Arg {
        Arg { about: Some(about), ..self }
    }

    /// Says what cannot be typed with it.
    #[must_use]
    pub const fn conflicts(self, conflicts: &'static [&'static str]) -> Arg {
        Arg { conflicts, ..self }
    }

    /// Says what it wants beside it.
    #[must_use]
    pub const fn requires(self, requires: &'static str) -> Arg {
        Arg { requires: Some(requires), ..self }
    }

    /// Says instead of what it must be typed.
    #[must_use]
    pub const fn unless(self, unless: &'static str) -> Arg {
        Arg { unless: Some(unless), ..self }
    }

    /// What it goes by.
    pub fn name(&self) -> &'static str {
        self.flag.unwrap_or(self.field)
    }
}

/// What an atom says, but for its text.
pub const BODY: &[Arg] = &[
    Arg::flag("file", "content", ArgForm::ContentFile, "PATH")
        .about("The content from a file, or - for stdin")
        .conflicts(&["content"]),
    Arg::flag("json-content", "json", ArgForm::ContentJson, "JSON")
        .about("The content as JSON, - for stdin, or @FILE")
        .conflicts(&["content", "file", "media-type"]),
    Arg::flag("media-type", "media_type", ArgForm::ContentType, "TYPE"),
    Arg::flag("annotation", "annotation", ArgForm::Text, "TEXT"),
    Arg::flag("meta", "metadata", ArgForm::Pairs, "KEY=VALUE"),
    Arg::flag("ref", "references", ArgForm::References, "RELATION=ID"),
];

/// What goes with every change.
pub const WHY: &[Arg] = &[
    Arg::flag("comment", "comment", ArgForm::Text, "TEXT"),
    Arg::flag("key", "key", ArgForm::Text, "KEY"),
];

/// Which version a change is based on.
pub const BASE: &[Arg] = &[
    Arg::flag("if-version", "if_version", ArgForm::Number, "N").conflicts(&["force"]),
    Arg::switch("force", "force"),
];
