use super::*;
use crate::error::{self, Error};

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
