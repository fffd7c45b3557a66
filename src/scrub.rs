//! Takes secrets out of texts that others wrote: a server, or a proxy on the way, may quote what it was sent, in whatever form.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

const PLACEHOLDER: &str = "[redacted]";
/// A shorter secret may be a part of a text by chance.
const MIN_LENGTH: usize = 8;
/// So may one of letters alone that is not longer than the words of a message ("authentication").
const MAX_WORD: usize = 16;

/// Secrets, and what is public beside them.
#[derive(Default)]
pub struct Scrub {
    public: Vec<String>,
    secrets: Vec<Hidden>,
}

struct Hidden {
    secret: String,
    /// The forms of each of its characters.
    characters: Vec<Vec<String>>,
    /// Its bytes in Base64 as they stand inside a longer text: without the digits that neighbouring bytes have a share in.
    base64: Vec<String>,
    /// Taken out only where it stands alone between quotation marks or behind `=`. In the midst of a text the gap would not hide it but say
    /// which word it is.
    quoted_only: bool,
}

impl Scrub {
    /// `public`: values that messages are to show, such as the user's name.
    pub fn new(public: &[&str]) -> Self {
        Self { public: public.iter().map(|value| (*value).to_owned()).collect(), secrets: Vec::new() }
    }

    /// Hides `secret` from now on. Nothing is hidden that is empty, or public.
    pub fn add(&mut self, secret: &str) {
        let known = self.public.iter().any(|value| value == secret) || self.secrets.iter().any(|hidden| hidden.secret == secret);
        if secret.is_empty() || known {
            return;
        }
        let length = secret.chars().count();
        let quoted_only = length < MIN_LENGTH
            || (length <= MAX_WORD && secret.chars().all(char::is_alphabetic))
            || self.public.iter().any(|value| value.contains(secret));
        let base64 = if quoted_only { Vec::new() } else { embedded_base64(secret.as_bytes()) };
        self.secrets.push(Hidden { secret: secret.to_owned(), characters: secret.chars().map(forms).collect(), base64, quoted_only });
        // Longest first, so that no part of a longer one is left over.
        self.secrets.sort_by_key(|hidden| std::cmp::Reverse(hidden.secret.len()));
    }

    /// `text` without the secrets.
    pub fn clean(&self, text: &str) -> String {
        let mut cleaned = text.to_owned();
        for hidden in &self.secrets {
            cleaned = hidden.remove_from(cleaned);
        }
        cleaned
    }
}

impl Hidden {
    fn remove_from(&self, mut text: String) -> String {
        let mut at = 0;
        while at < text.len() {
            let found = self.end(&text, at).filter(|&end| !self.quoted_only || stands_alone(&text, at, end));
            let Some(end) = found else {
                at += char_length(&text, at);
                continue;
            };
            text.replace_range(at..end, PLACEHOLDER);
            at += PLACEHOLDER.len();
        }
        for form in &self.base64 {
            let mut from = 0;
            while let Some(found) = text[from..].find(form.as_str()).map(|found| from + found) {
                let is_digit = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
                let start = text[..found].rfind(|c| !is_digit(c)).map_or(0, |before| before + char_length(&text, before));
                let end = text[found..].find(|c| !is_digit(c)).map_or(text.len(), |behind| found + behind);
                text.replace_range(start..end, PLACEHOLDER);
                from = start + PLACEHOLDER.len();
            }
        }
        text
    }

    /// Where the secret that begins at `at` ends, each of its characters in any of its forms.
    fn end(&self, text: &str, at: usize) -> Option<usize> {
        let mut ends = vec![at];
        for forms in &self.characters {
            let begins = |end: usize| forms.iter().filter(move |form| begins_with(&text[end..], form)).map(move |form| end + form.len());
            ends = ends.into_iter().flat_map(begins).collect();
            if ends.is_empty() {
                return None;
            }
            ends.sort_unstable();
            ends.dedup();
        }
        ends.last().copied()
    }
}

fn begins_with(text: &str, form: &str) -> bool {
    // The digits of an escape may be in lower or upper case.
    let is_escape = form.len() > 2 && form.starts_with(['%', '\\']);
    text.get(..form.len()).is_some_and(|start| start == form || (is_escape && start.eq_ignore_ascii_case(form)))
}

/// A character as it is, percent-encoded, and as JSON and SQL write it in a string.
fn forms(char: char) -> Vec<String> {
    let mut utf8 = [0; 4];
    let percent = char.encode_utf8(&mut utf8).bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut utf16 = [0; 2];
    let unicode = char.encode_utf16(&mut utf16).iter().map(|unit| format!("\\u{unit:04x}")).collect();
    let escape = match char {
        '\n' => Some('n'),
        '\r' => Some('r'),
        '\t' => Some('t'),
        '\u{8}' => Some('b'),
        '\u{c}' => Some('f'),
        '"' | '\'' | '\\' | '/' => Some(char),
        _ => None,
    };
    let mut forms = vec![char.to_string(), percent, unicode];
    forms.extend(escape.map(|escape| format!("\\{escape}")));
    forms.extend(matches!(char, '"' | '\'').then(|| format!("{char}{char}")));
    forms.extend((char == ' ').then(|| "+".to_owned()));
    forms
}

/// Whether the piece of `text` is all of it, a word in quotation marks, or a value behind `=`.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let is_quote = |c: char| "\"'`“”‘’«»„".contains(c);
    let (before, behind) = (text[..start].chars().next_back(), text[end..].chars().next());
    match (before, behind) {
        (None, None) => true,
        (Some(before), Some(behind)) if is_quote(before) => is_quote(behind),
        (Some('='), behind) => behind.is_none_or(|behind| behind.is_whitespace() || ",;&)".contains(behind)),
        _ => false,
    }
}

fn char_length(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(1, char::len_utf8)
}

/// Both alphabets, at the three offsets at which the bytes can lie in the groups of three that Base64 encodes.
fn embedded_base64(bytes: &[u8]) -> Vec<String> {
    let mut forms = Vec::new();
    for offset in 0..3 {
        let padded: Vec<u8> = std::iter::repeat_n(0, offset).chain(bytes.iter().copied()).collect();
        let shared_before = (offset * 8).div_ceil(6);
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let mut form = engine.encode(&padded);
            if !padded.len().is_multiple_of(3) {
                form.pop();
            }
            forms.push(form.split_off(shared_before));
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    use super::*;

    fn scrub(secret: &str) -> Scrub {
        let mut scrub = Scrub::new(&["postgres", "jane.doe@example.com"]);
        scrub.add(secret);
        scrub
    }

    #[test]
    fn every_form_of_a_secret_is_taken_out() {
        let secret = "p@ss \"wörd\"/1\\2'";
        let json = serde_json::to_string(secret).unwrap();
        let all = percent_encoding::utf8_percent_encode(secret, percent_encoding::NON_ALPHANUMERIC).to_string();
        for form in [
            secret.to_owned(),
            all.clone(),
            all.to_lowercase(),
            // As encodeURIComponent, URL and a form write it.
            "p%40ss%20%22w%C3%B6rd%22%2F1%5C2'".into(),
            "p%40ss+%22w%c3%b6rd%22/1%5C2%27".into(),
            json.trim_matches('"').to_owned(),
            json.replace('ö', "\\u00F6").trim_matches('"').to_owned(),
            // In an SQL string.
            secret.replace('\'', "''"),
            STANDARD.encode(secret),
            URL_SAFE_NO_PAD.encode(secret),
            STANDARD.encode(format!("x:{secret}")),
            STANDARD.encode(format!("jane:{secret}\n")),
        ] {
            let cleaned = scrub(secret).clean(&format!("it was <{form}>, twice: {form}"));
            assert_eq!(cleaned, "it was <[redacted]>, twice: [redacted]", "{form}");
        }
    }

    #[test]
    fn a_short_secret_or_a_word_is_taken_out_where_it_is_quoted_and_leaves_the_text_readable() {
        let text = "password authentication failed for user \"postgres\"";
        for secret in ["a", "on", "user", "password", "authentication", "failed", "postgres", "jane.doe"] {
            assert_eq!(scrub(secret).clean(text), text, "{secret}");
        }
        for (text, cleaned) in [
            ("wrong password \"on\"", "wrong password \"[redacted]\""),
            ("password='on' is wrong", "password='[redacted]' is wrong"),
            ("password=on, sslmode=off", "password=[redacted], sslmode=off"),
            ("password=on", "password=[redacted]"),
            ("«on»", "«[redacted]»"),
            ("on", "[redacted]"),
        ] {
            assert_eq!(scrub("on").clean(text), cleaned);
        }
        assert_eq!(scrub("on").clean("connection of \"onto\" on 'one' no=one"), "connection of \"onto\" on 'one' no=one");
        assert_eq!(scrub("jane.doe").clean("user \"jane.doe@example.com\""), "user \"jane.doe@example.com\"");
        assert_eq!(scrub("authentication").clean("\"authentication\""), "\"[redacted]\"");
    }

    #[test]
    fn what_is_public_stays() {
        assert_eq!(scrub("jane.doe@example.com").clean("user \"jane.doe@example.com\""), "user \"jane.doe@example.com\"");
        assert_eq!(scrub("").clean("text"), "text");
    }

    #[test]
    fn a_secret_inside_of_another_leaves_no_rest() {
        let mut scrub = scrub("secret-0123");
        scrub.add("secret-0123-and-more");
        assert_eq!(scrub.clean("<secret-0123-and-more> <secret-0123>"), "<[redacted]> <[redacted]>");
    }

    proptest! {
        #[test]
        fn any_text_is_cleaned_and_of_a_long_secret_nothing_is_left(before: String, secret in "[!-~]{17,40}", behind: String) {
            let cleaned = scrub(&secret).clean(&format!("{before}{secret}{behind}"));
            prop_assert!(!cleaned.contains(&secret));
        }

        #[test]
        fn any_secret_is_looked_for(text: String, secret: String) {
            let _ = scrub(&secret).clean(&text);
        }
    }
}
