use std::sync::Arc;

use super::*;
use crate::error::{self, Error};
use crate::wire::{Field, Response, RowDescription, Rows, StatementResult};

const JSON: u32 = 114;
const TEXT: u32 = 25;
const INT: u32 = 23;

/// A result of columns of these types.
fn result(types: &[u32], rows: &[&[Option<&str>]]) -> StatementResult {
    let field = |type_id: &u32| Field {
        name: "column".into(),
        table_id: 0,
        column_id: 0,
        type_id: *type_id,
        type_size: -1,
        type_modifier: -1,
        binary: false,
    };
    let description = RowDescription {
        wire: types.iter().flat_map(|type_id| type_id.to_be_bytes()).collect::<Vec<_>>().into(),
        fields: types.iter().map(field).collect(),
    };
    let mut result = StatementResult { columns: Some(Arc::new(description)), tag: Some("SELECT 1".into()), ..StatementResult::default() };
    for cells in rows {
        let mut body = (cells.len() as i16).to_be_bytes().to_vec();
        for cell in *cells {
            body.extend(cell.map_or(-1, |cell| cell.len() as i32).to_be_bytes());
            body.extend(cell.unwrap_or_default().as_bytes());
        }
        result.rows.push(&body);
    }
    result
}

fn packed(results: Vec<StatementResult>, longest: usize) -> (Batch, Vec<String>) {
    let (mut batch, mut shapes) = (Batch::new(longest), Shapes::default());
    let response = Response { results, transaction_status: b'T', connection: 9 };
    batch.response(7, &response, Decoding::ALL, &mut shapes);
    batch.finish();
    let texts = batch
        .chunks()
        .map(|chunk| match chunk {
            Chunk::Latin1(text) => text.iter().map(|byte| char::from(*byte)).collect(),
            Chunk::Utf16(text) => String::from_utf16(text).unwrap(),
        })
        .collect();
    (batch, texts)
}

/// Every frame's words, header included.
fn frames(batch: &Batch) -> Vec<&[i32]> {
    let (mut words, mut frames) = (batch.words(), Vec::new());
    while !words.is_empty() {
        let (frame, rest) = words.split_at(words[LENGTH] as usize);
        frames.push(frame);
        words = rest;
    }
    frames
}

/// The error that a failed result tells, which has the text to itself.
fn refusal(result: &[i32], texts: &[String]) -> serde_json::Value {
    assert_eq!(result[0], -2);
    let text = texts.last().unwrap();
    serde_json::from_str(&text[text.len() - result[1] as usize..]).unwrap()
}

#[test]
fn a_failure_crosses_with_all_it_knows_and_nothing_secret() {
    let error = Error::new(error::Kind::Connection, "connect ECONNREFUSED").with_code("ECONNREFUSED").with_hint("is it running?");
    let mut batch = Batch::default();
    batch.error(7, &error);
    assert_eq!(batch.words()[..3], [7, ERROR, 8]);
    batch.finish();
    let Some(Chunk::Latin1(text)) = batch.chunks().next() else { panic!("no text") };
    let value: serde_json::Value = serde_json::from_slice(text).unwrap();
    assert_eq!(value["code"], "ECONNREFUSED");
    assert_eq!(value["kind"], "connection");
    assert_eq!(value["hint"], "is it running?");
}

#[test]
fn every_frame_says_where_the_next_one_and_its_own_text_begin() {
    let mut batch = Batch::default();
    batch.sent(1, 5);
    batch.tunnel(2, b"abc");
    batch.event(3, &Event::Done);
    batch.tunnel(4, &[b'x'; 10_000]);
    batch.event(5, &Event::ForgetShapes);
    batch.finish();
    let headers: Vec<_> = frames(&batch).iter().map(|frame| (frame[0], frame[3], frame[4], frame[5], frame[7])).collect();
    assert_eq!(headers, [(1, 0, 0, 5, 0), (2, 0, 0, 3, 0), (3, 0, 3, 16, 0), (4, 0, 19, 10_000, 2), (5, 2, 0, 24, 2)]);
}

#[test]
fn a_json_column_longer_than_the_longest_string_crosses_in_several_arrays() {
    let value = format!("\"{}\"", "x".repeat(1_998));
    let rows: Vec<_> = (0..7).map(|_| [Some(value.as_str()), Some("1")]).collect();
    let rows: Vec<_> = rows.iter().map(|row| &row[..]).collect();
    let (batch, texts) = packed(vec![result(&[JSON, INT], &rows)], 5_000);
    let frame = frames(&batch)[1];
    // Behind both headers: four parts of two values, but the last.
    assert_eq!(frame[16..21], [4, 4_003, 4_003, 4_003, 2_002]);
    let values: usize =
        texts.iter().filter(|text| text.starts_with("[\"x")).map(|text| serde_json::from_str::<Vec<String>>(text).unwrap().len()).sum();
    assert_eq!(values, 7);
}

#[test]
fn a_json_value_as_long_as_the_longest_string_crosses_as_text() {
    let value = format!("\"{}\"", "x".repeat(4_998));
    let (batch, texts) = packed(vec![result(&[JSON], &[&[Some(&value)]])], 5_000);
    let frame = *frames(&batch).last().unwrap();
    assert_eq!((frame[9], frame[16]), (1, 5_000));
    assert!(texts.contains(&value));
}

#[test]
fn a_value_longer_than_the_longest_string_is_an_error_of_its_result_only() {
    let long = "x".repeat(5_001);
    for type_id in [TEXT, JSON] {
        let results = vec![result(&[INT], &[&[Some("1")]]), result(&[type_id], &[&[Some(&long)]]), result(&[INT], &[&[Some("2")]])];
        let (batch, texts) = packed(results, 5_000);
        let frame = *frames(&batch).last().unwrap();
        assert_eq!((frame[1], frame[5], frame[6]), (RESPONSE | i32::from(b'T') << 8, 3, 9));
        // Two words of rows behind the first header, none behind the second.
        assert_eq!(refusal(&frame[18..], &texts)["code"], "RESULT_TOO_LARGE");
        assert_eq!((frame[26], frame[34]), (frame[8], 2));
    }
}

#[test]
fn a_json_column_with_a_value_that_is_no_json_crosses_as_text() {
    for values in [["1,2", "\"x", "y\""], ["[1", "2]", "3,4"], ["{\"a\":1", "\"b\":2}", "3,4"], ["", "1", "2"]] {
        let rows = values.map(|value| [Some(value)]);
        let (batch, texts) = packed(vec![result(&[JSON], &[&rows[0], &rows[1], &rows[2]])], LONGEST);
        let frame = *frames(&batch).last().unwrap();
        // One word for each text and one of padding.
        assert_eq!([16, 18, 20].map(|at| frame[at]), values.map(|value| value.len() as i32));
        assert!(texts[0].ends_with(&values.concat()));
    }
}

#[test]
fn rows_that_do_not_fit_their_description_are_an_error_of_their_result_only() {
    let results = vec![result(&[INT, INT], &[&[Some("1")]]), result(&[INT], &[&[Some("1")]])];
    let (batch, texts) = packed(results, LONGEST);
    let frame = *frames(&batch).last().unwrap();
    assert_eq!(refusal(&frame[8..], &texts)["kind"], "protocol");
    assert_eq!((frame[17], frame[24]), (1, 1));
}

#[test]
fn shapes_are_forgotten_before_their_columns_fill_the_memory() {
    let (mut batch, mut shapes) = (Batch::default(), Shapes::default());
    for number in 0..30 {
        let mut types = vec![TEXT; 10_000];
        types[0] = 1_000_000 + number;
        let response = Response { results: vec![result(&types, &[])], transaction_status: b'I', connection: 1 };
        batch.response(1, &response, Decoding::ALL, &mut shapes);
    }
    batch.finish();
    let text: Vec<u8> = batch.chunks().flat_map(|chunk| if let Chunk::Latin1(text) = chunk { text.to_vec() } else { Vec::new() }).collect();
    let forgotten = String::from_utf8(text).unwrap().matches("forgetShapes").count();
    assert_eq!(forgotten, 1);
}

#[test]
fn no_rows_are_reserved_that_have_not_come() {
    let mut rows = Rows::default();
    (0..1_000_000).for_each(|_| rows.push(&[0, 0]));
    // 60,000 columns for each of a million rows: 240 GB.
    let results = vec![StatementResult { rows, ..result(&vec![INT; 60_000], &[]) }];
    let (batch, texts) = packed(results, LONGEST);
    assert_eq!(refusal(&frames(&batch).last().unwrap()[8..], &texts)["kind"], "protocol");
    assert!(batch.into_words().capacity() < 2_000_000);
}
