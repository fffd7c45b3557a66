//! PostgreSQL's tokens, as far as one must know them to see which words of a text are keywords.
//!
//! Follows `scan.l` of PostgreSQL. What it does not understand, and what depends on a setting of the session
//! (`standard_conforming_strings`), is [`Token::Unclear`].

/// A token of a statement. White space and comments are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, or a name without quotes.
    Word(&'a str),
    /// A name in double quotes.
    QuotedName,
    /// A string, a number or a parameter.
    Value,
    /// One byte of an operator or of punctuation.
    Symbol(u8),
    /// Nothing that follows can be relied on.
    Unclear,
}

pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn of(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Where in the text what has not been read begins.
    pub fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    fn advance_while(&mut self, belongs: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.at += rest.iter().position(|&byte| !belongs(byte)).unwrap_or(rest.len());
    }

    /// Skips white space and comments. False when a comment has no end.
    fn skip_space(&mut self) -> bool {
        loop {
            self.advance_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C));
            if self.rest().starts_with(b"--") {
                self.advance_while(|byte| byte != b'\n' && byte != b'\r');
            } else if self.rest().starts_with(b"/*") {
                if !self.skip_block_comment() {
                    return false;
                }
            } else {
                return true;
            }
        }
    }

    /// Block comments nest.
    fn skip_block_comment(&mut self) -> bool {
        let mut depth = 0_usize;
        loop {
            match self.rest() {
                [b'/', b'*', ..] => {
                    depth += 1;
                    self.at += 2;
                }
                [b'*', b'/', ..] => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return true;
                    }
                }
                [] => return false,
                _ => self.at += 1,
            }
        }
    }

    /// A string or a name up to its closing quote; a doubled one stands for itself.
    fn quoted(&mut self, quote: u8, backslash: Backslash) -> Token<'a> {
        self.at += 1;
        loop {
            match *self.rest() {
                [byte, next, ..] if byte == quote && next == quote => self.at += 2,
                [byte, ..] if byte == quote => {
                    self.at += 1;
                    return if quote == b'"' { Token::QuotedName } else { Token::Value };
                }
                [b'\\', ..] if backslash == Backslash::Unclear => return Token::Unclear,
                [b'\\', _, ..] if backslash == Backslash::Escapes => self.at += 2,
                [] => return Token::Unclear,
                _ => self.at += 1,
            }
        }
    }

    /// `$1`, or `$$ … $$` with or without a tag between the signs.
    fn dollar(&mut self) -> Token<'a> {
        let rest = self.rest();
        if rest.get(1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            return self.number();
        }
        let tag = rest[1..].iter().position(|&byte| !continues_word(byte) || byte == b'$').map_or(rest.len(), |length| length + 1);
        if rest.get(tag) != Some(&b'$') {
            return Token::Unclear;
        }
        let (opening, body) = rest.split_at(tag + 1);
        match body.windows(opening.len()).position(|window| window == opening) {
            Some(length) => {
                self.at += 2 * opening.len() + length;
                Token::Value
            }
            None => Token::Unclear,
        }
    }

    /// Digits, a point and an exponent. Numbers in other bases, or that run into a word (`1from`), mean different things to different versions.
    fn number(&mut self) -> Token<'a> {
        self.advance_while(|byte| byte.is_ascii_digit() || byte == b'.');
        if let [b'e' | b'E', after @ ..] = self.rest() {
            let sign = usize::from(matches!(after, [b'+' | b'-', ..]));
            if after.get(sign).is_some_and(u8::is_ascii_digit) {
                self.at += 1 + sign;
                self.advance_while(|byte| byte.is_ascii_digit());
            }
        }
        if self.rest().first().is_some_and(|&byte| continues_word(byte)) { Token::Unclear } else { Token::Value }
    }

    fn word(&mut self) -> Token<'a> {
        let start = self.at;
        self.advance_while(continues_word);
        let word = &self.text[start..self.at];
        if word.eq_ignore_ascii_case("e") && self.rest().first() == Some(&b'\'') {
            return self.quoted(b'\'', Backslash::Escapes);
        }
        Token::Word(word)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        if !self.skip_space() {
            self.at = self.text.len();
            return Some(Token::Unclear);
        }
        let token = match *self.rest().first()? {
            b'\'' => self.quoted(b'\'', Backslash::Unclear),
            b'"' => self.quoted(b'"', Backslash::Stands),
            b'$' => self.dollar(),
            byte if byte.is_ascii_digit() => self.number(),
            byte if continues_word(byte) => self.word(),
            byte if byte.is_ascii_graphic() => {
                self.at += 1;
                Token::Symbol(byte)
            }
            _ => Token::Unclear,
        };
        if token == Token::Unclear {
            self.at = self.text.len();
        }
        Some(token)
    }
}

/// What a backslash between quotes is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Backslash {
    /// A character like others.
    Stands,
    /// It takes the next character with it.
    Escapes,
    /// One of the two, as `standard_conforming_strings` has it.
    Unclear,
}

/// All bytes of characters beyond ASCII belong to words.
fn continues_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Token::{QuotedName, Symbol, Unclear, Value, Word};
    use super::*;

    fn tokens(text: &str) -> Vec<Token<'_>> {
        Tokens::of(text).collect()
    }

    #[test]
    fn words_names_and_values_are_told_apart() {
        assert_eq!(tokens("a \"b c\" 'd e' $1 1.5e-3"), [Word("a"), QuotedName, Value, Value, Value]);
        assert_eq!(tokens("größe$1 _x"), [Word("größe$1"), Word("_x")]);
        assert_eq!(tokens("a.b(c)"), [Word("a"), Symbol(b'.'), Word("b"), Symbol(b'('), Word("c"), Symbol(b')')]);
        assert_eq!(tokens("x'1f' n'a' date '2020-01-01'"), [Word("x"), Value, Word("n"), Value, Word("date"), Value]);
    }

    #[test]
    fn quotes_end_where_postgres_ends_them() {
        assert_eq!(tokens("'it''s' a"), [Value, Word("a")]);
        assert_eq!(tokens(r#""a""b" c"#), [QuotedName, Word("c")]);
        assert_eq!(tokens(r#""a\" c"#), [QuotedName, Word("c")]);
        assert_eq!(tokens(r"E'it\'s' a"), [Value, Word("a")]);
        assert_eq!(tokens(r"e'\\' a"), [Value, Word("a")]);
        assert_eq!(tokens("$$it's$$ a"), [Value, Word("a")]);
        assert_eq!(tokens("$a$ $$ $b$ $a$ b"), [Value, Word("b")]);
        assert_eq!(tokens("$é$ ' $é$ b"), [Value, Word("b")]);
    }

    #[test]
    fn comments_are_nothing_wherever_they_stand() {
        assert_eq!(tokens("a--b\nc"), [Word("a"), Word("c")]);
        assert_eq!(tokens("a--b\rc"), [Word("a"), Word("c")]);
        assert_eq!(tokens("1+--2\n3"), [Value, Symbol(b'+'), Value]);
        assert_eq!(tokens("a/* b /* c */ d */e"), [Word("a"), Word("e")]);
        assert_eq!(tokens("a */*b*/ c"), [Word("a"), Symbol(b'*'), Word("c")]);
        assert_eq!(tokens("'--' a"), [Value, Word("a")]);
    }

    #[test]
    fn what_cannot_be_told_is_unclear_and_the_last_token() {
        for text in
            ["'a", "\"a", "E'a\\'", "$$a", "$a$ a $b$", "/* a", "/* /* */", r"'a\' b", "1from", "0x1F", "1_000", "$1a", "$", "a\u{0}"]
        {
            assert_eq!(tokens(text).last(), Some(&Unclear), "{text:?}");
            assert_eq!(tokens(text).iter().filter(|&&token| token == Unclear).count(), 1, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(text in any::<String>()) {
            prop_assert!(tokens(&text).len() <= text.len());
        }

        #[test]
        fn texts_of_delimiters_are_read_to_their_end(text in r#"[-'"$/*\\eE;a1.é( \n\x00]{0,40}"#) {
            prop_assert!(tokens(&text).len() <= text.len());
        }

        #[test]
        fn what_stands_between_quotes_is_one_token(inside in any::<String>()) {
            let inside = inside.replace(['\\', '\0'], "");
            let string = format!("'{}' a", inside.replace('\'', "''"));
            prop_assert_eq!(tokens(&string), [Value, Word("a")]);
            let name = format!("\"{}\" a", inside.replace('"', "\"\""));
            prop_assert_eq!(tokens(&name), [QuotedName, Word("a")]);
        }
    }
}
