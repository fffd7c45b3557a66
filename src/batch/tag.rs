//! Command tags.

/// The command tags that cross as a number.
pub const COMMANDS: [&str; 16] = [
    "SELECT",
    "INSERT",
    "UPDATE",
    "DELETE",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SET",
    "CREATE",
    "DROP",
    "ALTER",
    "SHOW",
    "MERGE",
    "START",
    "SAVEPOINT",
    "TRUNCATE",
];

/// A command tag as node-postgres reads it: the first word, and up to two numbers behind it.
pub(super) struct Tag<'a> {
    pub command: &'a str,
    pub oid: Option<f64>,
    pub rows: Option<f64>,
}

impl<'a> Tag<'a> {
    pub fn parse(tag: &'a str) -> Self {
        let mut words = tag.split(' ');
        let command = words.next().unwrap_or_default();
        let mut numbers = words.map_while(|word| word.parse().ok());
        match (numbers.next(), numbers.next()) {
            (oid, Some(rows)) => Self { command, oid, rows: Some(rows) },
            (rows, None) => Self { command, oid: None, rows },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_read_as_node_postgres_reads_them() {
        for (tag, command, oid, rows) in [
            ("INSERT 0 5", "INSERT", Some(0.0), Some(5.0)),
            ("SELECT 1", "SELECT", None, Some(1.0)),
            ("CREATE TABLE", "CREATE", None, None),
            ("BEGIN", "BEGIN", None, None),
            ("SELECT 123456789012", "SELECT", None, Some(123_456_789_012.0)),
            ("", "", None, None),
        ] {
            let parsed = Tag::parse(tag);
            assert_eq!((parsed.command, parsed.oid, parsed.rows), (command, oid, rows), "{tag}");
        }
    }
}
