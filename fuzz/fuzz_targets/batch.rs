//! Rows of any bytes, whole or not, in columns of the types that are read.
#![no_main]

use arbitrary::Arbitrary;
use lakebase_native::batch::{Batch, Decoding, EVENT, MAX_CHUNK, RESPONSE, Shapes};
use lakebase_native::wire::fuzzing;
use libfuzzer_sys::fuzz_target;

const TYPES: [u32; 14] = [16, 17, 20, 21, 23, 25, 26, 114, 700, 701, 1082, 1114, 1184, 3802];

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    columns: Vec<(u8, bool)>,
    decoding: u8,
    longest: u16,
    rows: Vec<Row<'a>>,
}

#[derive(Arbitrary, Debug)]
enum Row<'a> {
    Cells(Vec<Option<&'a [u8]>>),
    Bytes(&'a [u8]),
}

fuzz_target!(|input: Input| {
    let types: Vec<_> = input.columns.iter().map(|&(kind, binary)| (TYPES[usize::from(kind) % TYPES.len()], binary)).collect();
    let bodies: Vec<_> = input.rows.iter().map(body).collect();
    let response = fuzzing::response(&types, &bodies.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let longest = MAX_CHUNK + usize::from(input.longest);
    let (mut batch, mut shapes) = (Batch::new(longest), Shapes::default());
    batch.response(7, &response, Decoding::from_bits(input.decoding), &mut shapes);
    batch.finish();
    // The frames follow one another up to the end, the answer last, and no chunk is longer than it may be.
    let (mut words, mut last) = (batch.words(), 0);
    while let Some(header) = words.first_chunk::<8>() {
        last = header[0];
        assert!(header[1] & 0xff == if last == 7 { RESPONSE } else { EVENT });
        words = &words[header[2] as usize..];
    }
    assert!(words.is_empty() && last == 7);
    assert!(batch.chunks().all(|chunk| chunk.len() <= longest && chunk.len() > 0));
});

fn body(row: &Row) -> Vec<u8> {
    let cells = match row {
        Row::Bytes(bytes) => return bytes.to_vec(),
        Row::Cells(cells) => cells,
    };
    let mut body = (cells.len() as i16).to_be_bytes().to_vec();
    for cell in cells {
        body.extend(cell.map_or(-1, |cell| cell.len() as i32).to_be_bytes());
        body.extend(cell.unwrap_or_default());
    }
    body
}
