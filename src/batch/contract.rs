//! What both languages count on, written from Rust's side into `ts/contract.ts`. `LAKEBASE_WRITE_CONTRACT=1 cargo test contract` writes it anew.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::kind::{Decoding, Kind};
use super::{COMMANDS, ERROR, EVENT, Event, RESPONSE, SENT, TUNNEL, flags};
use crate::error::Kind as ErrorKind;

/// Type OIDs are below this in PostgreSQL's catalogue (`FirstGenbkiObjectId`).
const FIRST_FREE_OID: u32 = 10_000;

#[test]
fn both_languages_count_on_the_same() {
    let expected = contract();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("ts/contract.ts");
    if std::env::var_os("LAKEBASE_WRITE_CONTRACT").is_some() {
        std::fs::write(&file, &expected).expect("the contract can be written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(found == expected, "ts/contract.ts is out of date: LAKEBASE_WRITE_CONTRACT=1 cargo test contract writes it");
}

fn contract() -> String {
    let mut out = String::from(
        "/**\n * What Rust and TypeScript count on together. Written from src/batch by `LAKEBASE_WRITE_CONTRACT=1 cargo test contract`; that test \
         fails while\n * the two differ.\n */\n",
    );
    section(&mut out, "Kinds of a batch's frames.");
    for (name, value) in [("RESPONSE", RESPONSE), ("ERROR", ERROR), ("EVENT", EVENT), ("TUNNEL", TUNNEL), ("SENT", SENT)] {
        constant(&mut out, name, value);
    }
    section(&mut out, "Bits of a query's flags. The low six say which types may cross as something else than their text.");
    for (name, value) in [("EXTENDED", flags::EXTENDED), ("BINARY", flags::BINARY), ("GROW", flags::GROW)] {
        constant(&mut out, name, value);
    }
    constant(&mut out, "ALL_DECODED", Decoding::ALL.bits());
    section(&mut out, "Types whose values Rust decodes: the bit, and the type's OID.");
    out.push_str("export const decoded = [\n");
    for (bit, oid) in decoded() {
        writeln!(out, "  [{bit}, {oid}],").unwrap();
    }
    out.push_str("] as const\n");
    section(&mut out, "How a column crosses.");
    out.push_str("export const enum Kind {\n");
    for kind in Kind::ALL {
        writeln!(out, "  {kind:?} = {},", kind as u8).unwrap();
    }
    out.push_str("}\n");
    section(&mut out, "Command tags that cross as a number.");
    list(&mut out, "export const commands = [", &COMMANDS, "] as const");
    section(&mut out, "Kinds of errors.");
    let kinds: Vec<_> = ErrorKind::ALL.iter().map(|kind| text(&serde_json::to_value(kind).unwrap())).collect();
    writeln!(out, "export type ErrorKind =\n  | '{}'", kinds.join("'\n  | '")).unwrap();
    section(&mut out, "Events, and the names of what each tells.");
    out.push_str("export interface EventFields {\n");
    for event in Event::samples() {
        let Value::Object(mut fields) = serde_json::to_value(&event).unwrap() else { panic!("an event is an object") };
        let name = text(&fields.remove("event").unwrap());
        let names: Vec<_> = fields.keys().map(|name| format!("'{name}'")).collect();
        writeln!(out, "  {name}: {}", if names.is_empty() { "never".to_owned() } else { names.join(" | ") }).unwrap();
    }
    out.push_str("}\n");
    out
}

fn section(out: &mut String, what: &str) {
    writeln!(out, "\n/** {what} */").unwrap();
}

fn constant(out: &mut String, name: &str, value: impl std::fmt::Display) {
    writeln!(out, "export const {name} = {value}").unwrap();
}

fn list(out: &mut String, open: &str, words: &[&str], close: &str) {
    writeln!(out, "{open}").unwrap();
    words.iter().for_each(|word| writeln!(out, "  '{word}',").unwrap());
    writeln!(out, "{close}").unwrap();
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// Every type of the catalogue that does not cross as text, with its bit.
fn decoded() -> Vec<(u8, u32)> {
    let bits = (0..8).map(|bit| 1 << bit).filter(|bit| Decoding::ALL.bits() & bit != 0);
    bits.flat_map(|bit| (1..FIRST_FREE_OID).filter(move |oid| Decoding::from_bits(bit).kind(*oid) != Kind::Text).map(move |oid| (bit, oid)))
        .collect()
}
