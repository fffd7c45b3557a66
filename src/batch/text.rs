//! The texts of a batch, in chunks that become one JavaScript string each.

/// The longest chunk that holds more than one text, in bytes of UTF-8. A substring keeps its parent alive, and a parent with a character
/// beyond Latin-1 takes two bytes per character: this keeps every kept value below 8 KiB.
pub const MAX_CHUNK: usize = 3_840;

/// UTF-8 bytes of one JavaScript string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    pub bytes: &'a [u8],
    /// Every byte is ASCII, so it may cross as Latin-1.
    pub ascii: bool,
}

#[derive(Default)]
pub(super) struct Text {
    bytes: Vec<u8>,
    /// Ends of all chunks but the last, and whether they are ASCII.
    ends: Vec<(usize, bool)>,
    /// The last chunk holds more than ASCII.
    mixed: bool,
}

/// A place to go back to.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    bytes: usize,
    chunks: usize,
    mixed: bool,
}

impl Text {
    /// Appends a text; returns its length in UTF-16 units. Bytes that are not UTF-8 become U+FFFD, as in Node.js.
    pub fn push(&mut self, text: &[u8]) -> i32 {
        if text.is_ascii() {
            self.start(text.len());
            self.bytes.extend_from_slice(text);
            return text.len() as i32;
        }
        let text = String::from_utf8_lossy(text);
        self.start(text.len());
        self.mixed = true;
        self.bytes.extend_from_slice(text.as_bytes());
        text.chars().map(char::len_utf16).sum::<usize>() as i32
    }

    /// Appends bytes as hexadecimal digits.
    pub fn push_hex(&mut self, bytes: &[u8]) -> i32 {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        self.start(bytes.len() * 2);
        self.bytes.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
        (bytes.len() * 2) as i32
    }

    /// Begins a new chunk where `length` more bytes do not fit into this one.
    fn start(&mut self, length: usize) {
        let begin = self.ends.last().map_or(0, |(end, _)| *end);
        let used = self.bytes.len() - begin;
        if used > 0 && used + length > MAX_CHUNK {
            self.ends.push((self.bytes.len(), !self.mixed));
            self.mixed = false;
        }
    }

    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'_>> {
        let last = (self.bytes.len(), !self.mixed);
        let mut begin = 0;
        self.ends.iter().copied().chain([last]).map(move |(end, ascii)| {
            let chunk = Chunk { bytes: &self.bytes[begin..end], ascii };
            begin = end;
            chunk
        })
    }

    pub fn mark(&self) -> Mark {
        Mark { bytes: self.bytes.len(), chunks: self.ends.len(), mixed: self.mixed }
    }

    pub fn truncate(&mut self, mark: Mark) {
        self.bytes.truncate(mark.bytes);
        self.ends.truncate(mark.chunks);
        self.mixed = mark.mixed;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_longer_than_a_chunk_has_one_of_its_own() {
        let mut text = Text::default();
        text.push(b"short");
        text.push(&vec![b'x'; MAX_CHUNK + 1]);
        text.push(b"short");
        let lengths: Vec<_> = text.chunks().map(|chunk| chunk.bytes.len()).collect();
        assert_eq!(lengths, [5, MAX_CHUNK + 1, 5]);
    }

    #[test]
    fn bytes_that_are_not_utf8_become_replacement_characters() {
        let mut text = Text::default();
        assert_eq!(text.push(b"a\xffb"), 3);
        assert_eq!(text.chunks().next().unwrap().bytes, "a\u{fffd}b".as_bytes());
    }

    proptest! {
        /// A reader that knows only lengths and chunks finds every text again.
        #[test]
        fn texts_never_cross_chunks(texts in proptest::collection::vec(".{0,2000}", 0..40)) {
            let mut packed = Text::default();
            let lengths: Vec<_> = texts.iter().map(|text| packed.push(text.as_bytes()) as usize).collect();
            let chunks: Vec<Vec<u16>> =
                packed.chunks().map(|chunk| std::str::from_utf8(chunk.bytes).unwrap().encode_utf16().collect()).collect();
            let (mut chunk, mut at) = (0, 0);
            for (text, length) in texts.iter().zip(lengths) {
                if length > 0 && at == chunks[chunk].len() {
                    (chunk, at) = (chunk + 1, 0);
                }
                prop_assert_eq!(&String::from_utf16(&chunks[chunk][at..at + length]).unwrap(), text);
                at += length;
            }
            for chunk in packed.chunks() {
                prop_assert_eq!(chunk.ascii, chunk.bytes.is_ascii());
            }
        }

        #[test]
        fn going_back_leaves_no_trace(before in ".{0,5000}", after in proptest::collection::vec(".{0,5000}", 0..4)) {
            let mut packed = Text::default();
            packed.push(before.as_bytes());
            let expected: Vec<_> = packed.chunks().map(|chunk| (chunk.bytes.to_vec(), chunk.ascii)).collect();
            let mark = packed.mark();
            for text in &after {
                packed.push(text.as_bytes());
            }
            packed.truncate(mark);
            let found: Vec<_> = packed.chunks().map(|chunk| (chunk.bytes.to_vec(), chunk.ascii)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
