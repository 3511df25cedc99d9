//! HTML as lines: tags out, characters decoded, scripts and navigation dropped.
//!
//! A reader of what is on disk, not a browser: it builds no tree, forgives everything, and never
//! loses count of lines, inside tags and comments included.

use super::document::{Document, DocumentLine, Mark, Start, heading};
use html_escape::decode_html_entities_to_string;

/// A `<` whose tag does not end within this is a `<`.
const TAG_BYTES_MAX: usize = 64 << 10;

/// An `&` whose name does not end within this is an `&`.
const ENTITY_BYTES_MAX: usize = 33;

/// Nothing in these is prose.
const RAW: [&str; 5] = ["script", "style", "template", "noscript", "svg"];

/// What is said around a document on every page of it.
const AROUND: [&str; 2] = ["nav", "footer"];

/// The same by its class, as generators of documentation name it.
const AROUND_CLASSES: [&str; 9] = [
    "navheader",
    "navfooter",
    "related",
    "sphinxsidebar",
    "headerlink",
    "footer",
    "toctree-wrapper",
    "breadcrumbs",
    "rst-footer-buttons",
];

/// A passage may begin before one of these.
const BLOCKS: [&str; 24] = [
    "p",
    "li",
    "dt",
    "dd",
    "tr",
    "table",
    "pre",
    "div",
    "section",
    "article",
    "blockquote",
    "ul",
    "ol",
    "dl",
    "hr",
    "main",
    "header",
    "aside",
    "figure",
    "details",
    "summary",
    "caption",
    "form",
    "body",
];

/// Reads HTML. What it leaves out as navigation it leaves in if that is never closed.
pub(crate) fn read(text: &str) -> Document {
    let mut reader = Reader::new(text, Around::Dropped);
    if !reader.run() {
        reader = Reader::new(text, Around::Kept);
        reader.run();
    }
    reader.done()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Around {
    Dropped,
    Kept,
}

struct Reader<'a> {
    rest: &'a str,
    around: Around,
    document: Document,
    /// The element that is left out, and how many of its name are open in it.
    dropping: Option<(String, usize)>,
    /// `<pre>` that are open: white space counts.
    kept: usize,
    /// A heading whose end is not reached: its level, where it began and what it says so far.
    section: Option<(u8, usize, usize, String)>,
    titling: bool,
    title: String,
    first: Option<String>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str, around: Around) -> Self {
        let document = Document { title: None, lines: vec![DocumentLine::default()] };
        Reader {
            rest: text.strip_suffix('\n').unwrap_or(text),
            around,
            document,
            dropping: None,
            kept: 0,
            section: None,
            titling: false,
            title: String::new(),
            first: None,
        }
    }

    /// Whether everything that was left out came to its end.
    fn run(&mut self) -> bool {
        while let Some(at) = self.rest.find('<') {
            self.say(&self.rest[..at]);
            self.rest = &self.rest[at..];
            if let Some(comment) = self.rest.strip_prefix("<!--") {
                let end = comment.find("-->").map_or(self.rest.len(), |it| it + 7);
                self.pass(end);
            } else if let Some(end) = tag_end(self.rest) {
                let tag = &self.rest[..end];
                self.pass(end);
                self.tag(tag);
            } else {
                self.say("<");
                self.rest = &self.rest[1..];
            }
        }
        self.say(self.rest);
        self.rest = "";
        self.dropping.is_none()
    }

    fn done(mut self) -> Document {
        for line in &mut self.document.lines {
            line.text.truncate(line.text.trim_end().len());
            let end = line.text.len();
            line.marks.iter_mut().for_each(|mark| mark.at = mark.at.min(end));
        }
        let title = heading(&self.title);
        self.document.title = Some(title).filter(|it| !it.is_empty()).or(self.first);
        self.document
    }

    /// Goes past markup: only its line ends count.
    fn pass(&mut self, end: usize) {
        let (passed, rest) = self.rest.split_at(end);
        self.rest = rest;
        passed.bytes().filter(|it| *it == b'\n').for_each(|_| self.line());
    }

    fn line(&mut self) {
        self.document.lines.push(DocumentLine::default());
        if let Some((.., said)) = &mut self.section {
            said.push(' ');
        }
    }

    fn tag(&mut self, tag: &str) {
        let (closes, name) = name(tag);
        if !closes && RAW.contains(&&*name) && !tag.ends_with("/>") {
            let end = raw_end(self.rest, &name);
            return self.pass(end);
        }
        if self.drops(tag, closes, &name) {
            return;
        }
        match &*name {
            "title" => self.titling = !closes,
            "pre" => {
                self.kept = if closes { self.kept.saturating_sub(1) } else { self.kept + 1 };
                self.mark(Start::Block);
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.section_ends();
                if !closes {
                    self.gap();
                    let line = self.document.lines.len() - 1;
                    let at = self.document.last().text.len();
                    let level = name.as_bytes()[1] - b'0';
                    self.section = Some((level, line, at, String::new()));
                }
            }
            "br" | "td" | "th" => self.gap(),
            name if BLOCKS.contains(&name) => self.mark(Start::Block),
            _ => {}
        }
    }

    /// Whether the tag is in, opens or closes something that is left out.
    fn drops(&mut self, tag: &str, closes: bool, name: &str) -> bool {
        if let Some((dropped, depth)) = &mut self.dropping {
            if *dropped == name && !tag.ends_with("/>") {
                *depth = if closes { *depth - 1 } else { *depth + 1 };
                if *depth == 0 {
                    self.dropping = None;
                }
            }
            return true;
        }
        let drops = self.around == Around::Dropped && !closes && around(tag, name);
        if drops {
            self.dropping = Some((name.to_owned(), 1));
        }
        drops
    }

    fn section_ends(&mut self) {
        let Some((level, line, at, said)) = self.section.take() else { return };
        let heading = heading(&said);
        if heading.is_empty() {
            return;
        }
        self.first.get_or_insert_with(|| heading.clone());
        self.document.lines[line].marks.push(Mark { at, what: Start::Section { level, heading } });
        self.mark(Start::Block);
    }

    fn mark(&mut self, what: Start) {
        self.gap();
        let line = self.document.last();
        let at = line.text.len();
        if line.marks.last().is_none_or(|mark| mark.at != at) {
            line.marks.push(Mark { at, what });
        }
    }

    /// Words on both sides of a tag that breaks lines are two words.
    fn gap(&mut self) {
        let kept = self.kept > 0;
        let text = &mut self.document.last().text;
        if !kept && !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
        }
    }

    fn say(&mut self, text: &str) {
        let mut pieces = text.split('\n');
        if let Some(first) = pieces.next() {
            self.words(first);
        }
        for piece in pieces {
            self.line();
            self.words(piece);
        }
    }

    fn words(&mut self, piece: &str) {
        if self.dropping.is_some() || piece.is_empty() {
            return;
        }
        let decoded = decode(piece.trim_end_matches('\r'));
        if self.titling {
            self.title.push_str(&decoded);
            self.title.push(' ');
            return;
        }
        if let Some((.., said)) = &mut self.section {
            said.push_str(&decoded);
        }
        let kept = self.kept > 0;
        let text = &mut self.document.last().text;
        for c in decoded.chars() {
            // A character reference may stand for a line end; a line of the file is one line.
            let blank = c.is_whitespace() || c == '\u{200b}';
            match c {
                '\n' | '\r' => text.push(' '),
                _ if kept => text.push(c),
                _ if blank && (text.is_empty() || text.ends_with(' ')) => {}
                _ if blank => text.push(' '),
                _ => text.push(c),
            }
        }
    }
}

fn decode(piece: &str) -> String {
    let mut out = String::with_capacity(piece.len());
    let mut rest = piece;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let most = rest.floor_char_boundary(ENTITY_BYTES_MAX);
        let end = rest[..most].find(';').map_or(1, |it| it + 1);
        decode_html_entities_to_string(&rest[..end], &mut out);
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// Where a tag ends, quoted `>` apart; nothing if this is none.
fn tag_end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let opens = match bytes.get(1)? {
        b'/' => bytes.get(2)?.is_ascii_alphabetic(),
        b'!' | b'?' => true,
        other => other.is_ascii_alphabetic(),
    };
    if !opens {
        return None;
    }
    let mut quote = None;
    for (at, byte) in bytes.iter().enumerate().take(TAG_BYTES_MAX).skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            // No tag holds another; and no run of `<` is looked through again for each of them.
            (None, b'<') => return None,
            (None, b'"' | b'\'') if bytes[at - 1] == b'=' => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    None
}

fn name(tag: &str) -> (bool, String) {
    let inner = tag.trim_start_matches('<');
    let closes = inner.starts_with('/');
    let inner = inner.trim_start_matches('/');
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    (closes, inner[..end].to_ascii_lowercase())
}

/// Where the end tag of a raw element begins; the end of the text if there is none.
fn raw_end(text: &str, name: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find("</") {
        let from = at + found + 2;
        if text.get(from..from + name.len()).is_some_and(|it| it.eq_ignore_ascii_case(name)) {
            return from - 2;
        }
        at = from;
    }
    text.len()
}

fn around(tag: &str, name: &str) -> bool {
    if tag.ends_with("/>") {
        return false;
    }
    let classes = attribute(tag, "class=").unwrap_or_default();
    AROUND.contains(&name)
        || attribute(tag, "role=") == Some("navigation")
        || (["div", "a", "ul", "table", "p"].contains(&name)
            && classes.split_whitespace().any(|it| AROUND_CLASSES.contains(&it)))
}

fn attribute<'a>(tag: &'a str, key: &str) -> Option<&'a str> {
    let at = tag.find(key).filter(|at| tag[..*at].ends_with(char::is_whitespace))?;
    let value = &tag[at + key.len()..];
    match value.chars().next()? {
        quote @ ('"' | '\'') => value[1..].split(quote).next(),
        _ => value.split(|c: char| c.is_whitespace() || c == '>').next(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> Vec<String> {
        read(html).lines.into_iter().map(|line| line.text).collect()
    }

    #[test]
    fn tags_go_and_lines_stay() {
        let html = "<p>one &lt;b&gt; <b>t</b>wo<br>three\n<!-- a\nb --><a\nhref='>'>four</a>\n";
        assert_eq!(text(html), ["one <b> two three", "", "", "four"].map(str::to_owned));
        assert_eq!(text("a < b && c &nosuch; d"), ["a < b && c &nosuch; d".to_owned()]);
        assert_eq!(text("<pre>  a\n    b</pre>\n  c"), ["  a", "    b", "c"].map(str::to_owned));
    }

    #[test]
    fn scripts_and_navigation_go() {
        let html = "<head><title>T &amp;\n t</title><style>x</style></head>\
                    <nav>n<nav>m</nav>o</nav><script>if (a</b) {\n}</script>body\
                    <div class=\"x related\"><div>a</div>b</div>";
        let document = read(html);
        assert_eq!(document.title.as_deref(), Some("T & t"));
        assert_eq!(document.lines.len(), 3);
        assert_eq!(document.line(3), Some("body"));
        // Navigation that is never closed is no reason to lose what follows.
        assert_eq!(text("<nav>a<p>b"), ["a b".to_owned()]);
    }

    #[test]
    fn headings_are_sections() {
        let document = read("<h1>One<a class=headerlink>¶</a></h1>\n<h2>T\nwo</h2><p>x");
        let marks: Vec<&Start> =
            document.lines.iter().flat_map(|line| &line.marks).map(|mark| &mark.what).collect();
        let section = |level, heading: &str| Start::Section { level, heading: heading.into() };
        let sections: Vec<&&Start> = marks.iter().filter(|it| ***it != Start::Block).collect();
        assert_eq!(sections, [&&section(1, "One"), &&section(2, "T wo")]);
        assert_eq!(document.title.as_deref(), Some("One"));
        assert_eq!(document.line(3), Some("wo x"));
    }
}
