//! The texts of a batch, in chunks that become one JavaScript string each.
//!
//! Chunks are brought into one of V8's own two representations here, on the runtime thread: the JavaScript thread then only copies.

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

#[derive(Clone, Copy)]
enum Encoding {
    Latin1,
    Utf16,
}

#[derive(Default)]
pub(super) struct Text {
    /// The chunk that texts are added to, as UTF-8.
    open: Vec<u8>,
    /// The contents of all chunks before it, one behind another.
    latin1: Vec<u8>,
    utf16: Vec<u16>,
    /// Their encodings and ends.
    chunks: Vec<(Encoding, usize)>,
}

/// A place to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    chunks: usize,
    open: usize,
}

impl Text {
    /// Appends a text; returns its length in UTF-16 units. Bytes that are not UTF-8 become U+FFFD, as in Node.js.
    pub fn push(&mut self, text: &[u8]) -> i32 {
        if text.is_ascii() {
            self.start(text.len());
            self.open.extend_from_slice(text);
            return text.len() as i32;
        }
        let text = String::from_utf8_lossy(text);
        self.start(text.len());
        self.open.extend_from_slice(text.as_bytes());
        // One unit per character, two where UTF-8 takes four bytes.
        text.bytes().map(|byte| i32::from(byte & 0xC0 != 0x80) + i32::from(byte >= 0xF0)).sum()
    }

    /// Appends bytes as hexadecimal digits.
    pub fn push_hex(&mut self, bytes: &[u8]) -> i32 {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.start(bytes.len() * 2);
        self.open.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
        (bytes.len() * 2) as i32
    }

    /// Appends bytes as one character each, in a chunk of their own.
    pub fn push_bytes(&mut self, bytes: &[u8]) -> i32 {
        self.finish();
        self.latin1.extend_from_slice(bytes);
        self.chunks.push((Encoding::Latin1, self.latin1.len()));
        bytes.len() as i32
    }

    /// Begins a new chunk where `length` more bytes do not fit into this one.
    fn start(&mut self, length: usize) {
        if !self.open.is_empty() && self.open.len() + length > MAX_CHUNK {
            self.finish();
        }
    }

    /// Ends the open chunk.
    pub fn finish(&mut self) {
        if self.open.is_empty() {
            return;
        }
        match mem::check_utf8_for_latin1_and_bidi(&self.open) {
            mem::Latin1Bidi::Latin1 => {
                let begin = self.latin1.len();
                self.latin1.resize(begin + self.open.len(), 0);
                let written = mem::convert_utf8_to_latin1_lossy(&self.open, &mut self.latin1[begin..]);
                self.latin1.truncate(begin + written);
                self.chunks.push((Encoding::Latin1, self.latin1.len()));
            }
            mem::Latin1Bidi::LeftToRight | mem::Latin1Bidi::Bidi => {
                let begin = self.utf16.len();
                // The converter wants one unit more than the text can have.
                self.utf16.resize(begin + self.open.len() + 1, 0);
                let written = mem::convert_utf8_to_utf16(&self.open, &mut self.utf16[begin..]);
                self.utf16.truncate(begin + written);
                self.chunks.push((Encoding::Utf16, self.utf16.len()));
            }
        }
        self.open.clear();
    }

    /// All finished chunks.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        let (mut latin1, mut utf16) = (0, 0);
        self.chunks.iter().map(move |(encoding, end)| match encoding {
            Encoding::Latin1 => Chunk::Latin1(&self.latin1[std::mem::replace(&mut latin1, *end)..*end]),
            Encoding::Utf16 => Chunk::Utf16(&self.utf16[std::mem::replace(&mut utf16, *end)..*end]),
        })
    }

    pub fn mark(&self) -> Mark {
        Mark { chunks: self.chunks.len(), open: self.open.len() }
    }

    /// Goes back to `mark`. The chunk that was open then may have been finished since.
    pub fn truncate(&mut self, mark: Mark) {
        if self.chunks.len() > mark.chunks {
            let reopened = match self.chunks().nth(mark.chunks) {
                Some(Chunk::Latin1(text)) => mem::decode_latin1(text).into_owned().into_bytes(),
                Some(Chunk::Utf16(text)) => String::from_utf16_lossy(text).into_bytes(),
                None => Vec::new(),
            };
            self.open = reopened;
            self.chunks.truncate(mark.chunks);
            let end_of =
                |wanted: fn(&Encoding) -> bool| self.chunks.iter().rev().find(|(encoding, _)| wanted(encoding)).map_or(0, |(_, end)| *end);
            let (latin1, utf16) = (end_of(|e| matches!(e, Encoding::Latin1)), end_of(|e| matches!(e, Encoding::Utf16)));
            self.latin1.truncate(latin1);
            self.utf16.truncate(utf16);
        }
        self.open.truncate(mark.open);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
        text.push(b"short");
        text.push(&vec![b'x'; MAX_CHUNK + 1]);
        text.push(b"short");
        let lengths: Vec<_> = strings(&mut text).iter().map(Vec::len).collect();
        assert_eq!(lengths, [5, MAX_CHUNK + 1, 5]);
    }

    #[test]
    fn bytes_that_are_not_utf8_become_replacement_characters() {
        let mut text = Text::default();
        assert_eq!(text.push(b"a\xffb"), 3);
        assert_eq!(String::from_utf16(&strings(&mut text)[0]).unwrap(), "a\u{fffd}b");
    }

    #[test]
    fn only_characters_beyond_latin1_cost_two_bytes() {
        let mut text = Text::default();
        assert_eq!(text.push("Zürich".as_bytes()), 6);
        text.finish();
        assert!(matches!(text.chunks().next(), Some(Chunk::Latin1(b"Z\xfcrich"))));
    }

    proptest! {
        /// A reader that knows only lengths and chunks finds every text again.
        #[test]
        fn texts_never_cross_chunks(texts in proptest::collection::vec(".{0,2000}", 0..40)) {
            let mut packed = Text::default();
            let lengths: Vec<_> = texts.iter().map(|text| packed.push(text.as_bytes()) as usize).collect();
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
                expected.push(text.as_bytes());
                packed.push(text.as_bytes());
            }
            let mark = packed.mark();
            for text in &after {
                packed.push(text.as_bytes());
            }
            packed.truncate(mark);
            prop_assert_eq!(strings(&mut packed), strings(&mut expected));
        }
    }
}
