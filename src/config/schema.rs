//! The schema that a session works in.

use super::reader::Reader;
use super::settings::{APPLICATION_NAME, PER_DEVELOPER_SCHEMA, SCHEMA};
use super::{ConnectConfig, Schema};

/// PostgreSQL cuts longer names off.
const LONGEST_NAME: usize = 63;

/// What `schema` or `perDeveloperSchema` ask for.
pub(super) fn resolve(reader: &mut Reader) -> Option<Schema> {
    if let Some(given) = reader.find(&SCHEMA) {
        let name = reader.text_of(&SCHEMA, &given)?;
        if name.len() > LONGEST_NAME {
            return reader.reject(&SCHEMA, &given, format!("a name of at most {LONGEST_NAME} bytes"));
        }
        return Some(Schema::Named(name));
    }
    if reader.boolean(&PER_DEVELOPER_SCHEMA) != Some(true) {
        return None;
    }
    let app = reader.text(&APPLICATION_NAME).or_else(|| reader.variable("DATABRICKS_APP_NAME").map(str::to_owned));
    Some(Schema::PerDeveloper { app: app.unwrap_or_else(|| "app".to_owned()) })
}

impl Schema {
    /// The schema's name for this user.
    pub fn name(&self, user: &str) -> String {
        match self {
            Self::Named(name) => name.clone(),
            Self::PerDeveloper { app } => {
                let name = format!("{}_{}", plain(app), plain(user.split('@').next().unwrap_or(user)));
                // Plain names are ASCII.
                name.chars().take(LONGEST_NAME).collect()
            }
        }
    }
}

impl ConnectConfig {
    /// Has sessions begin in `schema`: behind the caller's own options, because later settings win.
    pub fn work_in(&mut self, schema: &str) {
        let setting = format!("-c search_path={}", escaped(&quoted(schema)));
        self.options = Some(match self.options.take() {
            Some(options) => format!("{options} {setting}"),
            None => setting,
        });
    }
}

/// Lower-case letters, digits and single underscores.
fn plain(text: &str) -> String {
    let mut name = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.ends_with('_') || name.is_empty() => {}
            _ => name.push('_'),
        }
    }
    name.trim_end_matches('_').to_owned()
}

/// An identifier as SQL quotes it, also in `search_path`.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value of the startup parameter `options`: white space ends it, a backslash takes the next character as it is. PostgreSQL documentation,
/// "Frontend/Backend Protocol", message formats, StartupMessage.
fn escaped(value: &str) -> String {
    value.chars().fold(String::new(), |mut escaped, c| {
        if c == '\\' || c.is_whitespace() {
            escaped.push('\\');
        }
        escaped.push(c);
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_developers_schema_is_a_plain_name() {
        let app = Schema::PerDeveloper { app: "My Shop!".into() };
        for (user, name) in [
            ("Jane.Doe+x@example.com", "my_shop_jane_doe_x"),
            ("\"; drop schema public; --@example.com", "my_shop_drop_schema_public"),
            ("2d3f5a6b-0000", "my_shop_2d3f5a6b_0000"),
            ("é", "my_shop_"),
        ] {
            assert_eq!(app.name(user), name);
        }
        assert_eq!(app.name(&"x".repeat(100)).len(), LONGEST_NAME);
    }

    #[test]
    fn quotes_spaces_and_backslashes_stay_part_of_the_name() {
        assert_eq!(escaped(&quoted(r#"a "b" \c"#)), r#""a\ ""b""\ \\c""#);
    }
}
