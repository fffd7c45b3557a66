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

#[test]
fn a_failure_crosses_with_all_it_knows_and_nothing_secret() {
    let error = Error::new(error::Kind::Connection, "connect ECONNREFUSED").with_code("ECONNREFUSED").with_hint("is it running?");
    let mut batch = Batch::default();
    batch.error(7, &error);
    assert_eq!(batch.words()[..2], [7, ERROR]);
    batch.finish();
    let Some(Chunk::Latin1(text)) = batch.chunks().next() else { panic!("no text") };
    let value: serde_json::Value = serde_json::from_slice(text).unwrap();
    assert_eq!(value["code"], "ECONNREFUSED");
    assert_eq!(value["kind"], "connection");
    assert_eq!(value["hint"], "is it running?");
}
