//! Options that do not exist, and what may have been meant; options that cannot be read, or that the facade could not use.

use super::found::{describe, is_function, unreadable};
use super::reader::Reader;
use super::settings::{FACADE_FUNCTIONS, FACADE_OPTIONS, settings};
use crate::error::Problem;
use crate::setting::Setting;

/// Names every option that `createLakebasePool()` does not know.
pub(super) fn report(reader: &mut Reader) {
    for (name, _) in reader.options() {
        if known().any(|option| option == name) {
            continue;
        }
        let expected = match nearest(name) {
            Some(option) => format!("a known option: did you mean {option}?"),
            None => "a known option: docs/options.md of lakebase-native lists them".into(),
        };
        let shown: String = name.chars().take(60).collect();
        reader.report(Problem { option: Some(shown), variable: None, found: Some("an unknown option".into()), expected });
    }
}

/// Names the options that are to be functions, and are not.
pub(super) fn report_unusable(reader: &mut Reader) {
    for (name, value) in reader.options() {
        if FACADE_FUNCTIONS.contains(&name) && !is_function(value) {
            let (found, expected) = (Some(describe(value, false)), "a function".into());
            reader.report(Problem { option: Some(name.into()), variable: None, found, expected });
        }
    }
}

/// Names the options that could not be read, of those that `matter`; they count as not given. Those of the facade need no reading.
pub(super) fn report_unreadable(reader: &mut Reader, matter: impl Fn(&Setting) -> bool) {
    for (name, value) in reader.options() {
        let Some(setting) = settings().find(|setting| setting.option == name).filter(|setting| matter(setting)) else { continue };
        if let Some(found) = unreadable(value) {
            let variable = setting.variables.first().map(|&name| name.into());
            reader.report(Problem { option: Some(name.into()), variable, found: Some(found.into()), expected: "a plain value".into() });
        }
    }
}

fn known() -> impl Iterator<Item = &'static str> {
    settings().map(|setting| setting.option).chain(FACADE_OPTIONS.iter().copied())
}

/// The closest option at most two slips away. Case and underscores do not count: `statementTimeout`, `SSLMODE`.
fn nearest(name: &str) -> Option<&'static str> {
    let plain = |name: &str| name.to_ascii_lowercase().replace(['_', '-'], "");
    let given = plain(name);
    // A typo keeps most of a name; two slips in a word of four letters make another word.
    let slips = (given.chars().count() / 3).min(2);
    known()
        .map(|option| (strsim::damerau_levenshtein(&given, &plain(option)), option))
        .filter(|&(distance, _)| distance <= slips)
        .min()
        .map(|(_, option)| option)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_misses_find_their_option() {
        for (name, option) in [
            ("maxx", Some("max")),
            ("endpont", Some("endpoint")),
            ("sslmode", Some("sslMode")),
            ("statementTimeout", Some("statement_timeout")),
            ("idleTimeoutMilis", Some("idleTimeoutMillis")),
            ("databrickHost", Some("databricksHost")),
            ("hots", Some("host")),
            ("workspaceClient", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(name), option, "{name}");
        }
    }
}
