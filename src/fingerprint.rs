//! A short stand-in for a statement's text.

/// Stands for a statement's text. The low eight bits are zero, so that whoever keeps one may put something of its own there.
pub type Fingerprint = u64;

/// Eight bytes at a time: this runs for every query, on the caller's thread. Not for keys that an attacker may choose, and two texts may share
/// one: who must not mistake them compares the texts.
pub fn fingerprint(text: &str) -> Fingerprint {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(29);
    let mut chunks = text.as_bytes().chunks_exact(8);
    let hash = chunks.by_ref().fold(text.len() as u64, |hash, chunk| mix(hash, u64::from_le_bytes(chunk.try_into().expect("eight bytes"))));
    let hash = chunks.remainder().iter().fold(hash, |hash, &byte| mix(hash, u64::from(byte)));
    (hash ^ hash << 32).max(0x100) & !0xFF
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_differ_anywhere_have_different_fingerprints() {
        let texts =
            ["", "a", "b", "select 1", "select 2", "select 1 ", "select $1::int as a", "select $1::int as b", "select $2::int as a"];
        for (i, one) in texts.iter().enumerate() {
            for other in &texts[i + 1..] {
                assert_ne!(fingerprint(one), fingerprint(other), "{one:?} {other:?}");
            }
        }
    }
}
