//! Words by what they do in a sentence: those that say nothing of its matter, those that deny, those
//! that count, and those that mean the same. English, with what is most frequent in German, French and
//! Spanish.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// A language by its place in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Language(usize);

/// May be there without standing in the lines: they join and point, and claim nothing alone. What
/// decides a claim (`all`, `only`, `must`, `before`, `or`) is none of them.
const LIGHT: [&str; 4] = [
    "a about also although am an and are as at be because been being by can come comes describe \
     describes did do does doing document documents e.g each etc explain explains for from further \
     furthermore get gets give gives had happen happens has have having he her here his how however \
     i i.e if in into is it its itself let like make makes me mean means moreover my named namely of \
     on our please say says she so some state states such than that the their them then there \
     therefore these they thing things this those through thus to too use used uses using via was \
     way we were what when where which while who whom whose why with would you your",
    "aber als am auch auf bei da damit dann das dass dem den denn der des die dies diese dieser \
     dieses doch durch ein eine einem einen einer eines er es für hat haben hier ihr im in ist mit \
     noch sein sich sie sind so um und uns von war was wenn werden wie wird wir z.b zu zum zur",
    "au aux avec ce ces cet cette dans de des du elle en est et eux il ils je la le les leur lui mais \
     même nous on où par pour qu que qui sa se ses son sont sur un une vous à été être",
    "al como con cual de del el ella ellos en era es esta este esto está están fue ha han hay la las \
     le les lo los mi para pero por porque que se ser si su sus también tiene un una uno y ya",
];

/// Words for 0 to 20, of each language in order.
const COUNTED: [&str; 4] = [
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen \
     sixteen seventeen eighteen nineteen twenty",
    "null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn \
     sechzehn siebzehn achtzehn neunzehn zwanzig",
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize \
     dix-sept dix-huit dix-neuf vingt",
    "cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince \
     dieciséis diecisiete dieciocho diecinueve veinte",
];

const MORE: [(&str, u64); 11] = [
    ("twice", 2),
    ("thirty", 30),
    ("forty", 40),
    ("fifty", 50),
    ("sixty", 60),
    ("seventy", 70),
    ("eighty", 80),
    ("ninety", 90),
    ("hundred", 100),
    ("thousand", 1_000),
    ("million", 1_000_000),
];

const DENIES: &str = "not no never none nobody nothing nowhere neither nor without cannot unless \
    except excluding unable hardly barely off \
    nicht kein keine keinen keinem keiner nie niemals niemand nichts ohne weder außer \
    ne pas jamais aucun aucune rien sans \
    nunca ningún ninguna ninguno nada nadie sin tampoco \
    不 没 無 无 非 未";

/// Words of a line may stand for one another. None is wider than another of its line.
const SAME: [&str; 41] = [
    "must require required requires need needs needed",
    "all every",
    "may might allowed allows permitted permits",
    "refuse refused refuses reject rejected rejects deny denied denies",
    "begin began begun begins start started starts",
    "delete deleted deletes remove removed removes",
    "create created creates creating made make",
    "keep kept keeps retain retained preserve preserved",
    "show shown shows showed display displayed displays",
    "big large",
    "maximum max most",
    "minimum least",
    "percent % percentage",
    "write wrote written writes writing",
    "send sent",
    "hold held",
    "run ran running",
    "find found",
    "lose lost loses losing",
    "choose chose chosen",
    "stand stood",
    "know knew known",
    "see saw seen",
    "build built",
    "leave left",
    "go went gone goes",
    "speak spoke spoken",
    "break broke broken",
    "become became",
    "rise rose risen rising",
    "fall fell fallen",
    "grow grew grown",
    "pay paid",
    "tell told",
    "bring brought",
    "buy bought",
    "catch caught",
    "think thought",
    "take took taken",
    "draw drew drawn",
    "lead led",
];

/// The same behind a number.
const UNITS: [&str; 8] = [
    "millisecond milliseconds ms",
    "second seconds sec s",
    "minute minutes min m",
    "hour hours h hr",
    "day days d",
    "kilobyte kilobytes kb",
    "megabyte megabytes mb",
    "gigabyte gigabytes gb",
];

/// What may be done, and what has to be: under a denial each says something else.
const MODES: &str = "must need needs required requires may can should have allowed muss darf soll";

/// What a word may end in and be nearly the same: `accelerate`, `acceleration`. `higher` is not `high`.
const ENDINGS: [&str; 19] = [
    "s", "es", "n", "en", "e", "em", "ly", "al", "ion", "ation", "ition", "ment", "ness", "ance",
    "ence", "ity", "ive", "able", "ible",
];

fn set(words: &'static str) -> HashSet<&'static str> {
    words.split_whitespace().collect()
}

fn groups(lines: &[&'static str]) -> HashMap<&'static str, usize> {
    let group =
        |(at, line): (usize, &&'static str)| line.split_whitespace().map(move |it| (it, at));
    lines.iter().enumerate().flat_map(group).collect()
}

static LIGHT_SETS: LazyLock<[HashSet<&str>; 4]> = LazyLock::new(|| LIGHT.map(set));
static DENIES_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(DENIES));
static MODES_SET: LazyLock<HashSet<&str>> = LazyLock::new(|| set(MODES));
static SAME_GROUPS: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| groups(&SAME));
static UNIT_GROUPS: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| groups(&UNITS));

impl Language {
    /// Whose light words a text has most of.
    pub(super) fn of<'a>(words: impl Iterator<Item = &'a str>) -> Language {
        let mut counts = [0; 4];
        for word in words {
            for (at, set) in LIGHT_SETS.iter().enumerate() {
                counts[at] += usize::from(set.contains(word));
            }
        }
        // The first of those that have most: English before others.
        Language((0..4).rev().max_by_key(|it| counts[*it]).unwrap_or(0))
    }

    pub(super) fn is_light(self, word: &str) -> bool {
        // A Japanese or Chinese particle: what carries the matter is written with others.
        let particle = |it: char| {
            matches!(it, '\u{3040}'..='\u{309F}') || "的是了在和与也就把被要会".contains(it)
        };
        LIGHT_SETS[self.0].contains(word) || word.chars().all(particle)
    }

    /// The number that a word is.
    pub(super) fn number(self, word: &str) -> Option<u64> {
        let counted = COUNTED[self.0].split_whitespace().position(|it| it == word);
        let more = || MORE.iter().find(|it| it.0 == word).map(|it| it.1);
        counted.map(|it| it as u64).or_else(more)
    }
}

/// Whether a word denies what stands beside it.
pub(super) fn denies(word: &str) -> bool {
    word.ends_with("n't") || word.ends_with("n’t") || DENIES_SET.contains(word)
}

/// Whether a word says what may be or has to be.
pub(super) fn is_mode(word: &str) -> bool {
    MODES_SET.contains(word)
}

/// Which words a word may stand for: those of the same number.
pub(super) fn group(word: &str) -> Option<usize> {
    SAME_GROUPS.get(word).copied()
}

/// The same for a unit behind a number.
pub(super) fn unit(word: &str) -> Option<usize> {
    UNIT_GROUPS.get(word).copied()
}

/// Whether one stem is the other with another ending.
pub(super) fn akin(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let bare = short.trim_end_matches(['e', 'y', 'i']);
    let rest = long.strip_prefix(short).or_else(|| long.strip_prefix(bare));
    bare.chars().count() >= 4 && rest.is_some_and(|it| ENDINGS.contains(&it))
}
