//! SCRAM-SHA-256 from the server's side, for the one password that local clients have to know.
//! Source: RFC 5802 and RFC 7677; PostgreSQL documentation, "SASL Authentication".

use std::num::NonZeroU32;

use base64::prelude::{BASE64_STANDARD, Engine};
use ring::rand::{SecureRandom, SystemRandom};
use ring::{digest, hmac, pbkdf2};

use crate::secret::Secret;

pub const MECHANISM: &str = "SCRAM-SHA-256";

/// PostgreSQL's default.
const ITERATIONS: NonZeroU32 = NonZeroU32::new(4_096).expect("not zero");

/// What the server keeps of the password.
pub struct Verifier {
    salt: [u8; 16],
    stored_key: digest::Digest,
    server_key: hmac::Key,
}

impl Verifier {
    /// The password has to be printable ASCII, which needs none of SASLprep's changes.
    pub fn new(password: &Secret) -> Self {
        let salt = random();
        let mut salted = [0; digest::SHA256_OUTPUT_LEN];
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ITERATIONS, &salt, password.expose().as_bytes(), &mut salted);
        let salted = hmac::Key::new(hmac::HMAC_SHA256, &salted);
        let client_key = hmac::sign(&salted, b"Client Key");
        let server_key = hmac::sign(&salted, b"Server Key");
        Self {
            salt,
            stored_key: digest::digest(&digest::SHA256, client_key.as_ref()),
            server_key: hmac::Key::new(hmac::HMAC_SHA256, server_key.as_ref()),
        }
    }
}

/// An exchange after the client's first message.
pub struct Exchange {
    /// The client's first message up to its own part, which it repeats.
    gs2_header: String,
    /// Both sides' nonces.
    nonce: String,
    client_first: String,
    server_first: String,
}

impl Exchange {
    /// Reads SASLInitialResponse; the exchange and the server's answer. `None`: the client speaks something else.
    pub fn begin(verifier: &Verifier, message: &[u8]) -> Option<(Self, String)> {
        let message = message.strip_prefix(MECHANISM.as_bytes())?.strip_prefix(b"\0")?;
        let (length, data) = message.split_first_chunk::<4>()?;
        let data = std::str::from_utf8(data).ok().filter(|data| data.len() == u32::from_be_bytes(*length) as usize)?;
        // `n`: no channel binding; `y`: it would have, and the server did not offer it. An authorization identity is not supported.
        let client_first = data.strip_prefix("n,,").or_else(|| data.strip_prefix("y,,"))?;
        let client_nonce = client_first.strip_prefix("n=")?.split_once(",r=")?.1.split(',').next().filter(|nonce| !nonce.is_empty())?;
        let nonce = format!("{client_nonce}{}", BASE64_STANDARD.encode(random::<18>()));
        let server_first = format!("r={nonce},s={},i={ITERATIONS}", BASE64_STANDARD.encode(verifier.salt));
        let exchange =
            Self { gs2_header: data[..3].to_owned(), nonce, client_first: client_first.to_owned(), server_first: server_first.clone() };
        Some((exchange, server_first))
    }

    /// Reads SASLResponse; the server's proof that it knows the password, too. `None`: the client does not.
    pub fn finish(&self, verifier: &Verifier, message: &[u8]) -> Option<String> {
        let message = std::str::from_utf8(message).ok()?;
        let (without_proof, proof) = message.rsplit_once(",p=")?;
        let expected = format!("c={},r={}", BASE64_STANDARD.encode(&self.gs2_header), self.nonce);
        let proof = BASE64_STANDARD.decode(proof).ok()?;
        let exchanged = format!("{},{},{without_proof}", self.client_first, self.server_first);
        let stored_key = hmac::Key::new(hmac::HMAC_SHA256, verifier.stored_key.as_ref());
        let signature = hmac::sign(&stored_key, exchanged.as_bytes());
        if without_proof != expected || proof.len() != signature.as_ref().len() {
            return None;
        }
        let client_key: Vec<u8> = proof.iter().zip(signature.as_ref()).map(|(a, b)| a ^ b).collect();
        // What is compared are hashes: how long it takes tells nothing of the password.
        (digest::digest(&digest::SHA256, &client_key).as_ref() == verifier.stored_key.as_ref())
            .then(|| format!("v={}", BASE64_STANDARD.encode(hmac::sign(&verifier.server_key, exchanged.as_bytes()))))
    }
}

/// Random bytes that nobody can guess.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).expect("the system has random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};

    use super::*;

    fn initial(data: &[u8]) -> Vec<u8> {
        [MECHANISM.as_bytes(), b"\0", &(data.len() as u32).to_be_bytes(), data].concat()
    }

    /// What comes of a login with `password`, by the codec's own client.
    fn log_in(password: &str, known: &str, binding: ChannelBinding) -> bool {
        let verifier = Verifier::new(&Secret::new(known));
        let mut client = ScramSha256::new(password.as_bytes(), binding);
        let (exchange, answer) = Exchange::begin(&verifier, &initial(client.message())).unwrap();
        client.update(answer.as_bytes()).unwrap();
        let Some(proof) = exchange.finish(&verifier, client.message()) else { return false };
        client.finish(proof.as_bytes()).unwrap();
        true
    }

    #[test]
    fn the_password_is_proven_by_both_sides() {
        assert!(log_in("a password", "a password", ChannelBinding::unsupported()));
        assert!(log_in("a password", "a password", ChannelBinding::unrequested()));
        assert!(!log_in("another", "a password", ChannelBinding::unsupported()));
        assert!(!log_in("", "a password", ChannelBinding::unsupported()));
    }

    #[test]
    fn an_exchange_cannot_be_used_a_second_time() {
        let verifier = Verifier::new(&Secret::new("a password"));
        let mut client = ScramSha256::new(b"a password", ChannelBinding::unsupported());
        let first = initial(client.message());
        let (_, answer) = Exchange::begin(&verifier, &first).unwrap();
        client.update(answer.as_bytes()).unwrap();
        let (again, _) = Exchange::begin(&verifier, &first).unwrap();
        assert!(again.finish(&verifier, client.message()).is_none());
    }

    #[test]
    fn other_mechanisms_and_broken_messages_are_refused() {
        let verifier = Verifier::new(&Secret::new("a password"));
        let plus = [b"SCRAM-SHA-256-PLUS\0\0\0\0\x04".as_slice(), b"n,,n"].concat();
        let broken =
            [plus, initial(b"p=tls-server-end-point,,n=,r=abc"), initial(b"n,,n=,r="), initial(b""), b"SCRAM-SHA-256\0".to_vec(), vec![]];
        for message in broken {
            assert!(Exchange::begin(&verifier, &message).is_none(), "{:?}", String::from_utf8_lossy(&message));
        }
        let (exchange, _) = Exchange::begin(&verifier, &initial(b"n,,n=,r=abc")).unwrap();
        for message in [&b""[..], b",p=", b"c=biws,r=abc,p=AAAA", b"\xff"] {
            assert!(exchange.finish(&verifier, message).is_none());
        }
    }
}
