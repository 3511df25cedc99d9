//! What is searched for.

use clap::Args as ClapArgs;
use clap::builder::NonEmptyStringValueParser;

/// Where, and what.
#[derive(ClapArgs, Debug)]
pub(crate) struct SearchArgs {
    /// The space's name, or its id
    pub(crate) space: String,
    /// Rank by meaning and words [default: the order of birth]
    pub(crate) query: Option<String>,
    /// Only atoms whose metadata says so: status=pending, 'priority>=3'
    ///
    /// =, !=, <, <=, > and >= compare numbers with numbers and texts with texts; several of one
    /// key must all hold. An atom without the key does not fit. A value is typed as with put:
    /// 'sha:="42"' is the text. A key in a map is named by its path: owner.name=ada. One of several
    /// values: 'status:={"in": ["pending", "failed"]}'. A list with this element:
    /// 'tags:={"contains": "urgent"}'. One of several conditions:
    /// 'any:=[{"status": "open"}, {"priority": {">=": 3}}]'. Where nothing is found because all
    /// values are of another type, or the key is misspelt, a note says so, with --json as a line of
    /// its own.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) meta: Vec<String>,
    /// Only atoms whose references fit
    ///
    /// Every target of the relation must have this value, which holds also where there is no
    /// target: blocked_by:status=completed. With any: in front at least one must, with none:
    /// not one may. A relation after <- is read from its other end: any:<-blocked_by:. Several
    /// values of one relation are one condition; none at all fits whatever you can read. What
    /// you cannot read does not fit.
    #[arg(long = "ref", value_name = "RELATION:KEY=VALUE")]
    pub(crate) references: Vec<String>,
    /// At most so many atoms
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Go on behind a page: the cursor told with its last hit, and the same query
    #[arg(long, value_name = "CURSOR", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) after: Option<String>,
    /// Also atoms that are deprecated
    #[arg(long)]
    pub(crate) include_deprecated: bool,
    /// The last that was put comes first
    #[arg(long, conflicts_with = "query")]
    pub(crate) newest: bool,
    /// In the space as it was then: a position in the log, a time, or '10m ago'
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
}
