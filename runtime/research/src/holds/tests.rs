use super::*;
use proptest::prelude::*;

const BREAD: &str = "Yeast needs warmth. The dough must rest for two hours before it is\nshaped, or the crumb stays dense.";
const LIMITS: &str = "- `steered_max` is 16, `turns_max` is 1,000; more is refused.\n- A session waits 10m at most.\n- Nothing acknowledged is lost.";
const KEYS: &str = "If no key is set, the provider is not asked.\nKeys are read from the environment, but never from a file.\nA trusted directory may name a command.";
const TABLE: &str = "| limit | value |\n| steps of a turn | 30 |\n| calls of a step | 200 |";
const BROT: &str =
    "Der Teig muss zwei Stunden ruhen, bevor er geformt wird.\nSalz ist kein Treibmittel.";
const PAIN: &str = "La pâte repose deux heures. Le sel n'est pas un levain.";
const MIAN: &str = "面团休息两小时。盐不是酵母。";

const ON: &str = "The cache is not used. Python is not required. Node is required.\nNot all tests run on CI.\nThe password must not contain spaces.\nDebug logging is off by default.\nAll platforms except Windows are supported.\nA missing key is not an error and the file is skipped.";
const PAIRS: &str = "steered_max: 16\nturns_max: 1000\nsteps_max = 30\ncalls_max = 200";
const COUNTS: &str = "The dough rests 2 hours at 25 degrees.\n1. Add 30 g of salt\n2. Knead it\n3. Wait 1,5 hours at -18 degrees.\nTake two hundred grams, and five million grains.\nEach step has 200 calls.";
const CELLS: &str = "| Platform | Supported |\n| Windows | no |\n| Linux | yes |";
const NAMES: &str = "The license is Apache. AES is used. Workers restart. Boil the water. Vitamin B helps. A token or a password is required. The entry is replayed.";

fn lines(text: &str, heading: &str) -> [Lines; 1] {
    [Lines { text: text.to_owned(), heading: heading.to_owned() }]
}

#[test]
fn what_keeps_to_the_words_of_its_lines_is_held() {
    let held = [
        (BREAD, "The dough must rest two hours before it is shaped."),
        (BREAD, "Before it is shaped, the dough has to rest for 2 hours."),
        (BREAD, "Dough needs two hours of rest before shaping."),
        (BREAD, "Warmth is what yeast requires."),
        (LIMITS, "`steered_max` is 16 and `turns_max` is 1000."),
        (LIMITS, "More than 16 (`steered_max`) are refused."),
        (LIMITS, "A session waits at most 10 minutes."),
        (LIMITS, "What is acknowledged is never lost."),
        (KEYS, "Without a key, the provider is not asked."),
        (KEYS, "Keys come from the environment, never from a file."),
        (KEYS, "Keys are read from the environment."),
        (KEYS, "A command may be named by trusted directories."),
        (TABLE, "A turn has 30 steps, and a step 200 calls."),
        (BROT, "Bevor er geformt wird, muss der Teig 2 Stunden ruhen."),
        (BROT, "Salz ist kein Treibmittel."),
        (PAIN, "Le sel n'est pas un levain."),
        (PAIN, "La pâte repose deux heures."),
        (MIAN, "面团要休息两小时。"),
        (ON, "The cache isn't used."),
        (ON, "Python is not required."),
        (ON, "Node is required."),
        (ON, "The file is skipped."),
        (ON, "Debug logging is off by default."),
        (PAIRS, "`steered_max` is 16."),
        (PAIRS, "`turns_max` (1,000) and `calls_max`: 200."),
        (PAIRS, "The `steps_max` is 30."),
        (COUNTS, "The dough rests 2 hours at 25 degrees."),
        (COUNTS, "Add 30 g of salt."),
        (COUNTS, "Wait 1.5 hours at -18 degrees."),
        (COUNTS, "200 grams and 5 million grains are taken."),
        (NAMES, "AES is used, and the license is Apache."),
        (NAMES, "A password or a token is required."),
        (NAMES, "The license is Apache's, i.e. workers restart."),
    ];
    let refused = held.map(|(text, said)| (said, lack(said, &lines(text, ""))));
    let refused: Vec<_> = refused.into_iter().filter(|it| it.1.is_some()).collect();
    assert_eq!(refused, []);
}

/// It refuses too much rather than too little: who says it so is told why, and can say it nearer to
/// the lines.
#[test]
fn what_is_right_in_other_words_is_refused() {
    let free = [
        (BREAD, "The crumb stays dense if the dough doesn't rest."),
        (BREAD, "Skip the resting and you get a dense crumb."),
        (LIMITS, "A seventeenth one is turned away."),
    ];
    for (text, said) in free {
        assert!(lack(said, &lines(text, "")).is_some(), "{said}");
    }
}

#[test]
fn what_the_lines_do_not_say_is_refused() {
    let refused = [
        (BREAD, "The dough must rest for three hours before it is shaped."),
        (BREAD, "The dough must rest for 20 hours before it is shaped."),
        (BREAD, "The dough must rest for two days before it is shaped."),
        (BREAD, "The dough must not rest before it is shaped."),
        (BREAD, "The dough must rest for two hours after it is shaped."),
        (BREAD, "Salt needs warmth."),
        (BREAD, "Yeast always needs warmth."),
        (LIMITS, "`steered_max` is 1,000."),
        (LIMITS, "`turns_max` is 16."),
        (LIMITS, "`steered_min` is 16."),
        (LIMITS, "More than 17 are refused."),
        (LIMITS, "What is acknowledged is lost."),
        (LIMITS, "A session waits 10 hours at most."),
        (LIMITS, "A session waits 10 minutes at least."),
        (KEYS, "If a key is set, the provider is not asked."),
        (KEYS, "Keys are read from a file."),
        (KEYS, "Keys are never read from the environment."),
        (KEYS, "A trusted directory must name a command."),
        (KEYS, "The provider is asked."),
        (TABLE, "A step has 30 calls."),
        (TABLE, "A turn has 200 steps."),
        (BROT, "Salz ist ein Treibmittel."),
        (BROT, "Der Teig muss drei Stunden ruhen."),
        (PAIN, "Le sel est un levain."),
        (MIAN, "盐是酵母。"),
        (BREAD, "Yes."),
        (BREAD, "No."),
        (BREAD, "It does."),
        (ON, "The cache is used."),
        (KEYS, "The cache is not used."),
        (BREAD, "Yeast is not in need of warmth."),
        (ON, "Python is required."),
        (ON, "Node is not required."),
        (ON, "No tests run on CI."),
        (ON, "The password need not contain spaces."),
        (ON, "Debug logging is on by default."),
        (ON, "Windows is supported."),
        (ON, "The file is not skipped."),
        (KEYS, "Keys are never read from the environment or a file."),
        (PAIRS, "`turns_max` is 16."),
        (PAIRS, "`steps_max` is 200."),
        (PAIRS, "`steered_max`: 1,000"),
        (PAIRS, "It is 1,000."),
        (LIMITS, "The limit `steered_max` (1,000) is refused."),
        (COUNTS, "The dough rests 25 hours at 2 degrees."),
        (COUNTS, "Add 2 g of salt."),
        (COUNTS, "Wait 15 hours."),
        (COUNTS, "Wait at 18 degrees."),
        (COUNTS, "Take two grams."),
        (COUNTS, "Each step has one call."),
        (CELLS, "Windows is supported."),
        (NAMES, "The license is MIT."),
        (NAMES, "DES is used."),
        (NAMES, "Workers die."),
        (NAMES, "Pour the water."),
        (NAMES, "Vitamin A helps."),
        (NAMES, "The entry is replaced."),
    ];
    let held = refused.into_iter().filter(|(text, said)| lack(said, &lines(text, "")).is_none());
    assert_eq!(held.map(|it| it.1).collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_heading_holds_words_and_decides_nothing_of_numbers() {
    assert_eq!(lack("The World keeps 30 kills.", &lines("It keeps 30 kills.", "The World")), None);
    assert!(lack("The World keeps 30 kills.", &lines("It keeps 30 kills.", "")).is_some());
    assert!(lack("Windows is supported.", &lines("- Windows", "Not supported")).is_some());
    assert_eq!(
        lack("Windows is not supported.", &lines("- Windows is not", "Not supported")),
        None
    );
    assert_eq!(lack("Whatever it is.", &[]), Some(Lack::Words(vec!["Whatever".to_owned()])));
}

#[test]
fn why_is_told_so_that_it_can_be_mended() {
    let told = |said: &str, text: &str| lack(said, &lines(text, "")).unwrap().to_string();
    assert_eq!(told("Salt needs 5 grams.", BREAD), "the lines do not have `Salt`, `5`, `grams`");
    assert_eq!(told("`turns_max` is 16.", LIMITS), "in the lines `16` stands by something else");
    assert_eq!(
        told("Keys are read from a file.", KEYS),
        "the lines deny `file`, and the sentence does not"
    );
    assert_eq!(
        told("Keys are never read from the environment.", KEYS),
        "the sentence denies `Keys`, and the lines do not"
    );
}

proptest! {
    /// Each sentence is held by itself, and by no line without one of its words.
    #[test]
    fn a_sentence_is_held_by_itself_and_not_without_a_word_of_it(
        said in prop::collection::vec("[b-df-hj-np-tv-z]{3}[aeou][b-df-hj-np-tv-z]{4}", 2..9),
        gone in any::<prop::sample::Index>(),
        count in 1_000u32..100_000,
    ) {
        let text = format!("{} {count}.", said.join(" "));
        prop_assert_eq!(lack(&text, &lines(&text, "")), None);
        let at = gone.index(said.len());
        let alike = |it: &&String| !words::akin(&said[at], it) && said[at][..4] != it[..4];
        let rest: Vec<&str> = said.iter().filter(alike).map(String::as_str).collect();
        let less = format!("{} {count}.", rest.join(" "));
        prop_assert!(lack(&text, &lines(&less, "")).is_some());
        let other = text.replace(&count.to_string(), &(count + 1).to_string());
        prop_assert_eq!(lack(&other, &lines(&text, "")), Some(Lack::Words(vec![(count + 1).to_string()])));
    }

    #[test]
    fn whatever_is_said_is_judged(said in "\\PC{0,80}", text in "(?s).{0,200}") {
        let _ = lack(&said, &lines(&text, ""));
        prop_assert_eq!(lack("", &lines(&text, "")), Some(Lack::Nothing));
    }
}
