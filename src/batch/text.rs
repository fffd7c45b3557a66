//! The texts of a batch, in chunks that become one JavaScript string each.
//!
//! Chunks are brought into one of V8's own two representations here, on the runtime thread: the JavaScript thread then only copies.

use std::collections::TryReserveError;

use encoding_rs::mem;

/// The longest chunk that holds more than one text, in bytes of UTF-8. A substring keeps its parent alive, and a parent with a character
/// beyond Latin-1 takes two bytes per character: this keeps every kept value below 8 KiB.
pub const MAX_CHUNK: usize = 3_840;

/// What becomes one JavaScript string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunk<'a> {
    Latin1(&'a [u8]),
    Utf16(&'a [u16]),
}

impl Chunk<'_> {
    /// In UTF-16 units.
    #[allow(clippy::len_without_is_empty, reason = "none is empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::Latin1(text) => text.len(),
            Self::Utf16(text) => text.len(),
        }
    }
}

#[derive(Clone, Copy)]
enum Encoding {
    Latin1,
    Utf16,
}

/// A text that cannot become a JavaScript string.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It is longer than JavaScript's longest.
    TooLong,
    /// There is no memory for it.
    NoMemory,
}

impl From<TryReserveError> for Unfit {
    fn from(_: TryReserveError) -> Self {
        Self::NoMemory
    }
}

#[derive(Default)]
pub(super) struct Text {
    /// The chunk that texts are added to, as UTF-8.
    open: Vec<u8>,
    /// Its length in UTF-16 units.
    open_units: usize,
    /// The contents of all chunks before it, one behind another.
    latin1: Vec<u8>,
    utf16: Vec<u16>,
    /// Their encodings and ends.
    chunks: Vec<(Encoding, usize)>,
}

/// A place in the text.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// The chunk.
    pub chunk: usize,
    /// Where in it, in UTF-16 units.
    pub unit: usize,
    open: usize,
}

impl Text {
    /// Appends a text; returns its length in UTF-16 units, `longest` at most. Bytes that are not UTF-8 become U+FFFD, as in Node.js.
    pub fn push(&mut self, text: &[u8], longest: usize) -> Result<i32, Unfit> {
        if text.len() > MAX_CHUNK {
            return self.push_long(text, longest);
        }
        let units = if text.is_ascii() {
            self.append(text);
            text.len()
        } else {
            let text = String::from_utf8_lossy(text);
            self.append(text.as_bytes());
            // One unit per character, two where UTF-8 takes four bytes.
            text.bytes().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
        };
        self.open_units += units;
        Ok(units as i32)
    }

    /// A text in a chunk of its own, converted where it lies.
    fn push_long(&mut self, text: &[u8], longest: usize) -> Result<i32, Unfit> {
        // Known before memory is spent on it: each character has one byte that does not continue another.
        if text.len() > longest && text.iter().filter(|byte| **byte & 0xC0 != 0x80).count() > longest {
            return Err(Unfit::TooLong);
        }
        self.finish();
        let length = convert(text, &mut self.latin1, &mut self.utf16, &mut self.chunks)?;
        match i32::try_from(length) {
            Ok(units) if length <= longest => Ok(units),
            _ => Err(Unfit::TooLong),
        }
    }

    /// Appends bytes as one character each.
    pub fn push_bytes(&mut self, bytes: &[u8], longest: usize) -> Result<i32, Unfit> {
        if bytes.len() > longest {
            return Err(Unfit::TooLong);
        }
        if bytes.len() > MAX_CHUNK / 2 {
            self.finish();
            self.latin1.try_reserve(bytes.len())?;
            self.latin1.extend_from_slice(bytes);
            self.chunks.push((Encoding::Latin1, self.latin1.len()));
        } else {
            self.append(mem::decode_latin1(bytes).as_bytes());
            self.open_units += bytes.len();
        }
        i32::try_from(bytes.len()).map_err(|_| Unfit::TooLong)
    }

    /// Adds to the open chunk, or to a new one if the text does not fit into it.
    fn append(&mut self, text: &[u8]) {
        if !self.open.is_empty() && self.open.len() + text.len() > MAX_CHUNK {
            self.finish();
        }
        self.open.extend_from_slice(text);
    }

    /// Ends the open chunk.
    pub fn finish(&mut self) {
        if self.open.is_empty() {
            return;
        }
        if convert(&self.open, &mut self.latin1, &mut self.utf16, &mut self.chunks).is_err() {
            // A few kilobytes that cannot be had: the chunk is empty, and who reads from it finds out.
            self.chunks.push((Encoding::Latin1, self.latin1.len()));
        }
        self.open.clear();
        self.open_units = 0;
    }

    /// All finished chunks.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        let (mut latin1, mut utf16) = (0, 0);
        self.chunks.iter().map(move |(encoding, end)| match encoding {
            Encoding::Latin1 => Chunk::Latin1(&self.latin1[std::mem::replace(&mut latin1, *end)..*end]),
            Encoding::Utf16 => Chunk::Utf16(&self.utf16[std::mem::replace(&mut utf16, *end)..*end]),
        })
    }

    /// Where the next text begins: in the open chunk, or in the one after it.
    pub fn mark(&self) -> Mark {
        Mark { chunk: self.chunks.len(), unit: self.open_units, open: self.open.len() }
    }

    /// Goes back to `mark`. The chunk that was open then may have been finished since.
    pub fn truncate(&mut self, mark: Mark) {
        if self.chunks.len() > mark.chunk {
            let reopened = match self.chunks().nth(mark.chunk) {
                Some(chunk) if mark.open > 0 => reopen(chunk),
                _ => Vec::new(),
            };
            self.open = reopened;
            self.chunks.truncate(mark.chunk);
            let end_of =
                |wanted: fn(&Encoding) -> bool| self.chunks.iter().rev().find(|(encoding, _)| wanted(encoding)).map_or(0, |(_, end)| *end);
            let (latin1, utf16) = (end_of(|e| matches!(e, Encoding::Latin1)), end_of(|e| matches!(e, Encoding::Utf16)));
            self.latin1.truncate(latin1);
            self.utf16.truncate(utf16);
        }
        self.open.truncate(mark.open);
        self.open_units = mark.unit;
    }
}

/// Adds `text` as one chunk; returns its length.
fn convert(text: &[u8], latin1: &mut Vec<u8>, utf16: &mut Vec<u16>, chunks: &mut Vec<(Encoding, usize)>) -> Result<usize, TryReserveError> {
    if matches!(mem::check_utf8_for_latin1_and_bidi(text), mem::Latin1Bidi::Latin1) {
        let begin = latin1.len();
        latin1.try_reserve(text.len())?;
        latin1.resize(begin + text.len(), 0);
        let written = mem::convert_utf8_to_latin1_lossy(text, &mut latin1[begin..]);
        latin1.truncate(begin + written);
        chunks.push((Encoding::Latin1, latin1.len()));
        Ok(written)
    } else {
        let begin = utf16.len();
        // The converter wants one unit more than the text can have.
        utf16.try_reserve(text.len() + 1)?;
        utf16.resize(begin + text.len() + 1, 0);
        let written = mem::convert_utf8_to_utf16(text, &mut utf16[begin..]);
        utf16.truncate(begin + written);
        chunks.push((Encoding::Utf16, utf16.len()));
        Ok(written)
    }
}

fn reopen(chunk: Chunk) -> Vec<u8> {
    match chunk {
        Chunk::Latin1(text) => mem::decode_latin1(text).into_owned().into_bytes(),
        Chunk::Utf16(text) => String::from_utf16_lossy(text).into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONGEST: usize = 100_000;

    fn strings(text: &mut Text) -> Vec<Vec<u16>> {
        text.finish();
        text.chunks()
            .map(|chunk| match chunk {
                Chunk::Latin1(text) => text.iter().map(|byte| u16::from(*byte)).collect(),
                Chunk::Utf16(text) => text.to_vec(),
            })
            .collect()
    }

    #[test]
    fn a_text_longer_than_a_chunk_has_one_of_its_own() {
        let mut text = Text::default();
        text.push(b"short", LONGEST).unwrap();
        text.push(&vec![b'x'; MAX_CHUNK + 1], LONGEST).unwrap();
        text.push(b"short", LONGEST).unwrap();
        let lengths: Vec<_> = strings(&mut text).iter().map(Vec::len).collect();
        assert_eq!(lengths, [5, MAX_CHUNK + 1, 5]);
    }

    #[test]
    fn bytes_that_are_not_utf8_become_replacement_characters() {
        let mut text = Text::default();
        assert_eq!(text.push(b"a\xffb", LONGEST), Ok(3));
        assert_eq!(String::from_utf16(&strings(&mut text)[0]).unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn only_characters_beyond_latin1_cost_two_bytes() {
        let mut text = Text::default();
        assert_eq!(text.push("Zürich".as_bytes(), LONGEST), Ok(6));
        text.finish();
        assert!(matches!(text.chunks().next(), Some(Chunk::Latin1(b"Z\xfcrich"))));
    }

    #[test]
    fn what_is_longer_than_the_longest_string_is_refused_and_leaves_the_rest_readable() {
        let mut text = Text::default();
        text.push(b"before", LONGEST).unwrap();
        let mark = text.mark();
        // As many bytes, but half as many characters.
        assert_eq!(text.push("é".repeat(5_000).as_bytes(), 5_000), Ok(5_000));
        for (long, longest) in [("x".repeat(5_001), 5_000), ("€".repeat(5_001), 5_000), ("🚀".repeat(2_501), 5_000)] {
            assert_eq!(text.push(long.as_bytes(), longest), Err(Unfit::TooLong));
        }
        assert_eq!(text.push_bytes(&[255; 5_001], 5_000), Err(Unfit::TooLong));
        text.truncate(mark);
        text.push(b" after", LONGEST).unwrap();
        assert_eq!(String::from_utf16(&strings(&mut text)[0]).unwrap(), "before after");
    }

    #[test]
    fn bytes_are_one_character_each() {
        let (bytes, mut text) = ((0..=255).collect::<Vec<u8>>(), Text::default());
        assert_eq!(text.push_bytes(&bytes, LONGEST), Ok(256));
        assert_eq!(text.push("€".as_bytes(), LONGEST), Ok(1));
        let expected: Vec<u16> = bytes.iter().map(|byte| u16::from(*byte)).chain([0x20AC]).collect();
        assert_eq!(strings(&mut text)[0], expected);
    }

    proptest! {
        /// A reader that knows only lengths and chunks finds every text again.
        #[test]
        fn texts_never_cross_chunks(texts in proptest::collection::vec(".{0,2000}", 0..40)) {
            let mut packed = Text::default();
            let lengths: Vec<_> = texts.iter().map(|text| packed.push(text.as_bytes(), LONGEST).unwrap() as usize).collect();
            let chunks = strings(&mut packed);
            let (mut chunk, mut at) = (0, 0);
            for (text, length) in texts.iter().zip(lengths) {
                if length > 0 && at == chunks[chunk].len() {
                    (chunk, at) = (chunk + 1, 0);
                }
                let found = if length == 0 { &[][..] } else { &chunks[chunk][at..at + length] };
                prop_assert_eq!(&String::from_utf16(found).unwrap(), text);
                at += length;
            }
        }

        #[test]
        fn going_back_leaves_no_trace(before in proptest::collection::vec(".{0,3000}", 0..3), after in proptest::collection::vec(".{0,3000}", 0..4)) {
            let (mut expected, mut packed) = (Text::default(), Text::default());
            for text in &before {
                expected.push(text.as_bytes(), LONGEST).unwrap();
                packed.push(text.as_bytes(), LONGEST).unwrap();
            }
            let mark = packed.mark();
            for text in &after {
                packed.push(text.as_bytes(), LONGEST).unwrap();
            }
            packed.truncate(mark);
            prop_assert_eq!(strings(&mut packed), strings(&mut expected));
        }
    }
}
