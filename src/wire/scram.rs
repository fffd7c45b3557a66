//! SCRAM: which mechanism, how far the exchange has come, and what the server may say at each step.

use std::io;

use fallible_iterator::FallibleIterator;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, SCRAM_SHA_256_PLUS, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};

use super::message::{malformed, violation};
use crate::error::Error;
use crate::secret::Secret;

/// How far an exchange has come.
#[derive(Default)]
pub(super) enum Scram {
    #[default]
    NotBegun,
    /// The server has not yet proved that it knows the password. `missing`: what node-postgres says instead of going on.
    Begun {
        exchange: Box<ScramSha256>,
        missing: Option<&'static str>,
    },
    Proven,
}

impl Scram {
    /// Once the exchange has begun it must come to its end, with the server's proof, and no other way to authenticate may follow: otherwise
    /// anybody could pass for the server.
    pub fn check(&self, message: &Message) -> Result<(), Error> {
        let is_allowed = match self {
            Self::NotBegun => true,
            Self::Begun { .. } => {
                matches!(message, Message::AuthenticationSaslContinue(_) | Message::AuthenticationSaslFinal(_) | Message::NoticeResponse(_))
            }
            Self::Proven => matches!(
                message,
                Message::AuthenticationOk
                    | Message::ParameterStatus(_)
                    | Message::BackendKeyData(_)
                    | Message::ReadyForQuery(_)
                    | Message::NoticeResponse(_)
            ),
        };
        if is_allowed {
            return Ok(());
        }
        Err(Error::scram_failed("the server has not proved that it knows the password: it left the SCRAM exchange")
            .with_hint("something else than the expected server may be answering: check the host, and verify its certificate"))
    }

    /// Begins an exchange; returns its first message.
    pub fn begin(&mut self, secret: Option<Secret>, binding: ChannelBinding, requires_password: bool) -> &[u8] {
        let missing = match &secret {
            None => Some("a string"),
            Some(secret) if secret.is_empty() && !requires_password => Some("a non-empty string"),
            Some(_) => None,
        };
        let exchange = Box::new(ScramSha256::new(secret.unwrap_or_default().expose().as_bytes(), binding));
        *self = Self::Begun { exchange, missing };
        match self {
            Self::Begun { exchange, .. } => exchange.message(),
            _ => &[],
        }
    }

    /// The exchange that goes on.
    pub fn exchange(&mut self) -> Result<&mut ScramSha256, Error> {
        match self {
            Self::Begun { missing: Some(expected), .. } => {
                Err(Error::password_missing(format!("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be {expected}")))
            }
            Self::Begun { exchange, .. } => Ok(exchange),
            _ => Err(violation("SASL goes on before it began")),
        }
    }

    /// Takes the server's proof. The inner error is the exchange's own.
    pub fn finish(&mut self, proof: &[u8]) -> Result<io::Result<()>, Error> {
        let Self::Begun { exchange, .. } = self else { return Err(violation("SASL goes on before it began")) };
        let finished = exchange.finish(proof);
        if finished.is_ok() {
            *self = Self::Proven;
        }
        Ok(finished)
    }
}

/// Facts of the connection that authentication depends on.
pub(super) struct Channel {
    pub encrypted: bool,
    pub local: bool,
    /// For SCRAM-SHA-256-PLUS, when it is wanted and there is TLS.
    pub binding: Option<Vec<u8>>,
}

/// The strongest mechanism both sides can do.
pub(super) fn choose(
    body: &AuthenticationSaslBody,
    channel: &Channel,
    binding_wanted: bool,
) -> Result<(&'static str, ChannelBinding), Error> {
    let (mut plain, mut plus) = (false, false);
    let mut offered = body.mechanisms();
    while let Some(mechanism) = offered.next().map_err(malformed)? {
        plain |= mechanism == SCRAM_SHA_256;
        plus |= mechanism == SCRAM_SHA_256_PLUS;
    }
    match (&channel.binding, plus, plain) {
        (Some(hash), true, _) => Ok((SCRAM_SHA_256_PLUS, ChannelBinding::tls_server_end_point(hash.clone()))),
        // We could have, the server did not offer: says so, so that a man in the middle cannot strip the offer unseen.
        (Some(_), false, true) => Ok((SCRAM_SHA_256, ChannelBinding::unrequested())),
        (None, _, true) => Ok((SCRAM_SHA_256, ChannelBinding::unsupported())),
        _ => {
            // Text as in node-postgres.
            let known = if binding_wanted { "SCRAM-SHA-256-PLUS and SCRAM-SHA-256" } else { "SCRAM-SHA-256" };
            Err(Error::authentication_not_supported(format!("SASL: Only mechanism(s) {known} are supported"))
                .with_hint("the server offers no other mechanism: check its pg_hba.conf"))
        }
    }
}

/// The server's first message says how often to hash: refused, in pg's words, before the work begins.
pub(super) fn check_iterations(message: &[u8], most: u32) -> Result<(), Error> {
    let asked = message.split(|&byte| byte == b',').find_map(|part| part.strip_prefix(b"i="));
    let asked = asked.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u64>().ok()).unwrap_or(0);
    if asked <= u64::from(most) {
        return Ok(());
    }
    let message = format!("SASL: SCRAM-SERVER-FIRST-MESSAGE: iteration count {asked} exceeds scramMaxIterations of {most}");
    Err(Error::scram_failed(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_cannot_ask_for_more_hashing_than_is_allowed() {
        let message = |count: &str| format!("r=nonce,s=c2FsdA==,i={count}");
        assert!(check_iterations(message("100000").as_bytes(), 100_000).is_ok());
        for count in ["100001", "4294967295"] {
            let error = check_iterations(message(count).as_bytes(), 100_000).unwrap_err();
            assert!(error.to_string().contains(&format!("iteration count {count} exceeds scramMaxIterations of 100000")));
        }
    }
}
