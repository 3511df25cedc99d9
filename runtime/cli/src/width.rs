//! How many cells of a terminal a text takes, and how it is cut and broken to fit.

use std::borrow::Cow;
use stoa_api::operation::Tone;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What stands for what is cut off.
pub(super) const CUT: &str = "…";

/// Pieces of one line, each of one tone.
pub(super) type Pieces<'a> = Vec<(Tone, Cow<'a, str>)>;

/// Cells that a text takes: of each character as it is drawn alone, so that a line never takes more.
pub(super) fn cells(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The same of a line.
pub(super) fn cells_of(pieces: &[(Tone, Cow<'_, str>)]) -> usize {
    pieces.iter().map(|(_, text)| cells(text)).sum()
}

/// As much of a line as fits, with a mark where something is cut off. No character is halved.
pub(super) fn cut<'a>(pieces: &[(Tone, Cow<'a, str>)], most: usize) -> Pieces<'a> {
    if cells_of(pieces) <= most {
        return pieces.to_vec();
    }
    let (mut out, mut left) = (Pieces::new(), most.saturating_sub(cells(CUT)));
    for (tone, text) in pieces {
        let mut kept = 0;
        let mut full = false;
        for it in text.graphemes(true) {
            let wide = it.width();
            if wide > left {
                full = true;
                break;
            }
            (left, kept) = (left - wide, kept + it.len());
        }
        let head = text[..kept].trim_end_matches(' ');
        match full {
            true if most == 0 => return out,
            true => {
                out.push((*tone, Cow::Owned(format!("{head}{CUT}"))));
                return out;
            }
            false => out.push((*tone, text.clone())),
        }
    }
    out
}

/// A line broken at its words, so that none takes more than so many cells where its words do not.
pub(super) fn wrapped<'a>(pieces: &[(Tone, Cow<'a, str>)], most: usize) -> Vec<Pieces<'a>> {
    if cells_of(pieces) <= most {
        return vec![pieces.to_vec()];
    }
    let whole: String = pieces.iter().map(|(_, text)| &**text).collect();
    let of_tone = |(tone, text): &(Tone, Cow<'a, str>)| {
        let tone = *tone;
        text.chars().map(move |it| (tone, it)).collect::<Vec<_>>()
    };
    let mut rest = pieces.iter().flat_map(of_tone).peekable();
    let mut tone_of = |it: char| {
        // Blanks at a break are left out, and an indent is added; all else is there in order.
        while it != ' ' && rest.next_if(|(_, at)| *at == ' ').is_some() {}
        rest.next_if(|(_, at)| *at == it).map_or(Tone::Plain, |(tone, _)| tone)
    };
    let line = |line: String| {
        let mut out = Pieces::new();
        for it in line.chars() {
            let tone = tone_of(it);
            match out.last_mut() {
                Some((last, text)) if *last == tone => text.to_mut().push(it),
                _ => out.push((tone, Cow::Owned(it.to_string()))),
            }
        }
        out
    };
    lines(&whole, most).into_iter().map(line).collect()
}

/// A text with its lines broken at words. What is indented stays so.
pub(super) fn prose(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    for (number, line) in text.split('\n').enumerate() {
        if number > 0 {
            out.push('\n');
        }
        out += &lines(line, most).join("\n");
    }
    out
}

fn lines(text: &str, most: usize) -> Vec<String> {
    if cells(text) <= most {
        return vec![text.to_owned()];
    }
    let indent: String = text.chars().take_while(|it| *it == ' ').collect();
    let indent = if indent.len() * 2 > most { String::new() } else { indent };
    let options = textwrap::Options::new(most.max(1))
        .break_words(false)
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
        .subsequent_indent(&indent);
    textwrap::wrap(text, options).into_iter().map(Cow::into_owned).collect()
}
