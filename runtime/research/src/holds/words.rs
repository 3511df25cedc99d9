//! Words by what they do in a sentence: those that say nothing of its matter, those that deny, and
//! those that mean the same. English, with what is most frequent in German, French and Spanish.

/// May be there without standing in the lines: they join and point, and claim nothing alone. What
/// decides a claim (`all`, `only`, `must`, `before`, `more`) is none of them.
const LIGHT: &str = "a about also although am an and are as at be because been being both but by can \
    come comes could describe describes did do does doing document documents each either explain \
    explains for from further furthermore get gets give gives had happen happens has have having he \
    her here his how however i if in including into is it its itself let like make makes me mean \
    means moreover my named namely of on one or other our please say says she should so some state \
    states such than that the their them then there therefore these they thing things this those \
    through thus to too use used uses using via was way we were what when where whereas whether \
    which while who whom whose why will with would yes you your \
    aber als am an auch auf aus bei bis da damit dann das dass dem den denn der des die dies diese \
    dieser dieses doch durch ein eine einem einen einer eines er es für hat haben hier ihr im in ist \
    mit nach noch oder sein sich sie sind so um und uns unter von vor war was wenn werden wie wird \
    wir wird zu zum zur über \
    au aux avec ce ces cet cette dans de des du elle en est et eux il ils je la le les leur lui mais \
    même nous on ou où par pour qu que qui sa se ses son sont sur un une vous à été être \
    al como con cual de del desde el ella ellos en entre era es esta este esto está están fue ha han \
    hay la las le les lo los más mi muy o para pero por porque que se ser si sobre son su sus también \
    tiene un una uno y ya";

pub(super) fn light(word: &str) -> bool {
    // A Japanese or Chinese particle: what carries the matter is written with others.
    let particle = |it: char| {
        matches!(it, '\u{3040}'..='\u{309F}') || "的是了在和与或也就把被要会".contains(it)
    };
    word.chars().all(particle) || LIGHT.split_whitespace().any(|it| it == word)
}

const DENIES: &str = "not no never none nobody nothing nowhere neither nor without cannot \
    nicht kein keine keinen keinem keiner nie niemals niemand nichts ohne weder \
    ne pas jamais aucun aucune rien sans ni non \
    nunca ningún ninguna ninguno nada nadie sin tampoco \
    不 没 無 无 非 未";

/// Whether a word denies what follows it.
pub(super) fn denies(word: &str) -> bool {
    word.ends_with("n't") || word.ends_with("n’t") || DENIES.split_whitespace().any(|it| it == word)
}

/// Words of a line may stand for one another. None is wider than another of its line.
const SAME: [&str; 52] = [
    "must require required requires need needs needed",
    "all every",
    "may might allow allowed allows permit permitted permits",
    "refuse refused refuses reject rejected rejects deny denied denies",
    "begin began begun begins start started starts",
    "delete deleted deletes remove removed removes",
    "create created creates creating made make",
    "keep kept keeps retain retained preserve preserved",
    "show shown shows showed display displayed displays",
    "big large",
    "maximum max most",
    "minimum min least",
    "millisecond ms",
    "second sec s",
    "minute minutes min m",
    "hour h hr",
    "day d",
    "kilobyte kb",
    "megabyte mb",
    "gigabyte gb",
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
    "give gave given",
    "read reads reading",
    "draw drew drawn",
    "lead led",
    "lie lay lain",
];

/// Whether two words are of one line. They are in lower case.
pub(super) fn same(one: &str, other: &str) -> bool {
    SAME.iter().any(|line| {
        let has = |word: &str| line.split_whitespace().any(|it| it == word);
        has(one) && has(other)
    })
}

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

/// The number that a word is.
pub(super) fn number(word: &str) -> Option<u64> {
    let counted = COUNTED.iter().find_map(|it| it.split_whitespace().position(|it| it == word));
    let more = || MORE.iter().find(|it| it.0 == word).map(|it| it.1);
    counted.map(|it| it as u64).or_else(more)
}
