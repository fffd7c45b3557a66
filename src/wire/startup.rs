//! From an open socket to a session: startup message and authentication.
//!
//! Source: PostgreSQL documentation, "Message Flow: Start-up" and "SASL Authentication".

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Instant;

use bytes::BytesMut;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::message::backend::{ErrorFields, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::encoder::{Encoder, SchemaGeneration};
use super::inflight::{Attempt, InFlight};
use super::message::{decode, frame, malformed, missing, server_message, violation};
use super::pooler::Pooler;
use super::request::{Outcome, Request};
use super::scram::{Channel, Scram, check_iterations, choose};
use super::session::Session;
use super::socket::{Connected, Socket};
use super::target::Target;
use crate::error::{Error, ServerMessage};
use crate::limits::{MAX_STARTUP, MAX_STARTUP_MESSAGE};
use crate::scrub::Scrub;
use crate::secret::Secret;

/// Gives the password when the server asks for one, and not before: it may still be on its way.
pub trait Password: Send {
    fn password(&mut self) -> PasswordFuture<'_>;
}

/// `Ok(None)`: no password is configured.
pub type PasswordFuture<'a> = Pin<Box<dyn Future<Output = Result<Option<Secret>, Error>> + Send + 'a>>;

/// Gives the request that may go out together with the password, without waiting for the server's word on it: one round trip less to
/// the first row of a cold start. Asked only when the password is on its way in clear text over TLS, as Lakebase wants it.
///
/// PostgreSQL reads messages one after another, and so does the Neon proxy that Lakebase's is built on: Neon's own serverless driver sends
/// its first query this way (`pipelineConnect`).
pub trait FirstQuery: Send + Sync {
    ///
    /// It has to be a plain read. What it asks for may be asked once more: when the login fails, nobody can tell on which side of a proxy.
    fn take(&self) -> Option<Request>;
    /// Whether anybody else waits for the session: without, an attempt whose request is lost need not be repeated.
    fn is_awaited(&self) -> bool;
}

/// Settings of the session that are not the server's business.
pub struct Options {
    pub statement_cache_size: usize,
    /// Writes share the connection as soon as it is proven to lead to one server process.
    pub pipeline_writes: bool,
    pub schema_generation: SchemaGeneration,
    /// Queries that share the connection run in the order of their calls, whatever happens to them. They have to be plain reads.
    pub in_order: bool,
    /// Whom the first attempt asks for a request.
    pub first_query: Option<Box<dyn FirstQuery>>,
}

/// A session that has begun.
pub struct Started<S> {
    pub(super) socket: S,
    pub(super) session: Session,
    /// Bytes that were read behind ReadyForQuery.
    pub(super) unread: BytesMut,
    pub(super) encoder: Encoder,
    pub(super) in_order: bool,
    /// The request that went out with the password.
    pub(super) first_query: Option<Box<InFlight>>,
}

impl<S> Started<S> {
    /// The socket for whoever speaks the protocol without this layer, what the server said, and the bytes that it sent behind that.
    pub fn into_parts(self) -> (S, Session, BytesMut) {
        (self.socket, self.session, self.unread)
    }
}

/// Holds the query that was sent with the password until the server accepts or refuses the login.
struct UnconfirmedQuery<'a> {
    request: Option<Box<InFlight>>,
    target: &'a Target,
}

impl UnconfirmedQuery<'_> {
    /// The login failed. The query, which is a plain read, may run on another connection.
    fn lose(&mut self, cause: &Error) {
        if let Some(request) = self.request.take() {
            request.lose(cause, false);
        }
    }
}

/// The attempt was given up before the server's word came: the request may have run.
impl Drop for UnconfirmedQuery<'_> {
    fn drop(&mut self) {
        if let Some(request) = self.request.take() {
            request.lose(&self.target.timed_out(), true);
        }
    }
}

/// Starts a session on `connected`.
pub async fn start(
    connected: Connected,
    target: &Target,
    password: &mut dyn Password,
    options: &Options,
    first_query: Option<&dyn FirstQuery>,
) -> Result<Started<Socket>, Error> {
    let binding = if target.config.channel_binding { connected.channel_binding() } else { None };
    let channel = Channel { encrypted: connected.is_encrypted(), local: connected.is_local, binding };
    let link = connected.link;
    let mut exchange = Exchange::new(connected.stream, target);
    let mut encoder =
        Encoder::new(options.statement_cache_size, options.pipeline_writes, options.schema_generation.clone(), Pooler::of(&target.config));
    let mut unconfirmed = UnconfirmedQuery { request: None, target };
    let session = match exchange.run(&channel, password, &mut encoder, first_query, &mut unconfirmed).await {
        Ok(session) => Session { link, ..session },
        Err(error) => {
            unconfirmed.lose(&error);
            return Err(error);
        }
    };
    Ok(Started {
        socket: exchange.socket,
        session,
        unread: exchange.read,
        encoder,
        in_order: options.in_order,
        first_query: unconfirmed.request.take(),
    })
}

/// For the fuzz targets: a startup on `socket`.
#[cfg(fuzzing)]
pub(super) async fn fuzz<S>(socket: S, target: &Target, password: &mut dyn Password, encrypted: bool) -> Result<Started<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let binding = encrypted.then(|| vec![0; 32]);
    let channel = Channel { encrypted, local: !encrypted, binding };
    let mut exchange = Exchange::new(socket, target);
    let mut encoder = Encoder::new(16, false, SchemaGeneration::default(), Pooler::default());
    let mut unconfirmed = UnconfirmedQuery { request: None, target };
    let session = exchange.run(&channel, password, &mut encoder, None, &mut unconfirmed).await?;
    Ok(Started { socket: exchange.socket, session, unread: exchange.read, encoder, in_order: false, first_query: None })
}

/// What authentication is done with, and how far it has come.
struct Login<'a, 'target> {
    channel: &'a Channel,
    password: &'a mut dyn Password,
    encoder: &'a mut Encoder,
    /// Asked at most once.
    first_query: Option<&'a dyn FirstQuery>,
    unconfirmed: &'a mut UnconfirmedQuery<'target>,
    scram: Scram,
    /// When the last message was sent.
    sent: Instant,
}

struct Exchange<'a, S> {
    socket: S,
    read: BytesMut,
    out: BytesMut,
    /// Bytes of all messages so far.
    received: usize,
    target: &'a Target,
    /// What was sent, and must not be shown when the server quotes it.
    secrets: Scrub,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Exchange<'a, S> {
    fn new(socket: S, target: &'a Target) -> Self {
        let config = &target.config;
        let public =
            [config.user.as_str(), config.database.as_str(), target.host(), config.application_name.as_deref().unwrap_or_default()];
        Self { socket, read: BytesMut::with_capacity(1024), out: BytesMut::new(), received: 0, target, secrets: Scrub::new(&public) }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Exchange<'_, S> {
    async fn run(
        &mut self,
        channel: &Channel,
        password: &mut dyn Password,
        encoder: &mut Encoder,
        first_query: Option<&dyn FirstQuery>,
        unconfirmed: &mut UnconfirmedQuery<'_>,
    ) -> Result<Session, Error> {
        self.write_startup()?;
        let sent = self.flush().await?;
        let mut session = Session::default();
        let mut login = Login { channel, password, encoder, first_query, unconfirmed, scram: Scram::default(), sent };
        loop {
            let (message, wire_length) = self.next().await?;
            login.scram.check(&message)?;
            match message {
                Message::AuthenticationOk => {}
                Message::BackendKeyData(body) => {
                    session.process_id = body.process_id();
                    session.secret_key = body.secret_key();
                }
                Message::ParameterStatus(body) => {
                    let pair = (body.name().map_err(malformed)?.to_owned(), body.value().map_err(malformed)?.to_owned());
                    session.parameters.push(pair);
                }
                Message::ReadyForQuery(_) => {
                    session.round_trip = login.sent.elapsed();
                    return Ok(session);
                }
                Message::NoticeResponse(body) => session.notices.push(self.told(body.fields(), wire_length)?),
                message => self.authenticate(&message, &mut login).await?,
            }
        }
    }

    /// Answers a request for authentication.
    async fn authenticate(&mut self, message: &Message, login: &mut Login<'_, '_>) -> Result<(), Error> {
        match message {
            Message::AuthenticationCleartextPassword => self.write_cleartext(login).await?,
            Message::AuthenticationMd5Password(body) => {
                // pg's words for nothing.
                let secret = self.secret(login.password).await?.unwrap_or_else(|| Secret::new("null"));
                let hash = md5_hash(self.target.config.user.as_bytes(), secret.expose().as_bytes(), body.salt());
                self.secrets.add(&hash);
                frontend::password_message(hash.as_bytes(), &mut self.out).map_err(|_| nul_in_password())?;
            }
            Message::AuthenticationSasl(body) => {
                let (mechanism, binding) = choose(body, login.channel, self.target.config.channel_binding)?;
                let secret = self.secret(login.password).await?;
                let first = login.scram.begin(secret, binding, self.target.config.requires_password);
                frontend::sasl_initial_response(mechanism, first, &mut self.out).map_err(malformed)?;
            }
            Message::AuthenticationSaslContinue(body) => {
                let exchange = login.scram.exchange()?;
                check_iterations(body.data(), self.target.config.scram_max_iterations)?;
                exchange.update(body.data()).map_err(|error| self.scram_failed(&error))?;
                frontend::sasl_response(exchange.message(), &mut self.out).map_err(malformed)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                return login.scram.finish(body.data())?.map_err(|error| self.scram_failed(&error));
            }
            Message::AuthenticationGss
            | Message::AuthenticationSspi
            | Message::AuthenticationKerberosV5
            | Message::AuthenticationScmCredential => {
                return Err(Error::authentication_not_supported("the server asks for an authentication method that is not supported")
                    .with_hint("supported are password, md5, scram-sha-256 and scram-sha-256-plus"));
            }
            _ => return Err(violation("a message came during startup that does not belong there")),
        }
        login.sent = self.flush().await?;
        Ok(())
    }

    /// Writes the password as it is, and behind it the first query, if there is one.
    async fn write_cleartext(&mut self, login: &mut Login<'_, '_>) -> Result<(), Error> {
        if login.unconfirmed.request.is_some() {
            // What came behind the first password would be taken for the second one. The next attempt sends nothing ahead.
            return Err(Error::password_asked_again());
        }
        let secret = self.secret(login.password).await?.unwrap_or_default();
        let Channel { encrypted, local, .. } = login.channel;
        if !encrypted && !local {
            return Err(Error::cleartext_refused("the server asks for the password in clear text, and the connection is not encrypted")
                .with_hint("set sslMode (PGSSLMODE) to require"));
        }
        frontend::password_message(secret.expose().as_bytes(), &mut self.out).map_err(|_| nul_in_password())?;
        if *encrypted && let Some(first_query) = login.first_query.take() {
            login.unconfirmed.request = first_query.take().and_then(|request| self.append(request, login.encoder));
        }
        Ok(())
    }

    /// Puts the first query behind the password; one that cannot be encoded is answered with the error.
    fn append(&mut self, Request { query, pipelined, reply }: Request, encoder: &mut Encoder) -> Option<Box<InFlight>> {
        let before = self.out.len();
        match encoder.encode(&query, Attempt::First, b'I', &mut self.out) {
            Ok(sent) => Some(Box::new(InFlight::new(query, pipelined, sent, reply))),
            Err(error) => {
                self.out.truncate(before);
                reply(Outcome::Completed(Err(error)));
                None
            }
        }
    }

    fn write_startup(&mut self) -> Result<(), Error> {
        let config = &self.target.config;
        let mut parameters = vec![("user", config.user.as_str()), ("database", config.database.as_str())];
        parameters.extend(config.application_name.as_deref().map(|name| ("application_name", name)));
        parameters.extend(config.options.as_deref().map(|options| ("options", options)));
        parameters.extend(config.startup_parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        frontend::startup_message(parameters, &mut self.out).map_err(|source| {
            Error::unusable_setting("user, database and the startup parameters must not contain a NUL character").with_source(source)
        })
    }

    /// The password; `None` where it may be missing and is.
    async fn secret(&mut self, password: &mut dyn Password) -> Result<Option<Secret>, Error> {
        let secret = password.password().await?;
        secret.iter().for_each(|secret| self.secrets.add(secret.expose()));
        if secret.is_none() && self.target.config.requires_password {
            return Err(Error::password_missing(format!(
                "the server asks user {:?} for a password, and none is configured",
                self.target.config.user
            ))
            .with_hint("set password, or LAKEBASE_ENDPOINT with DATABRICKS_HOST and credentials"));
        }
        Ok(secret)
    }

    /// A server that cannot prove that it knows the password, or talks past the protocol.
    fn scram_failed(&self, source: &io::Error) -> Error {
        let source = io::Error::new(source.kind(), self.secrets.clean(&source.to_string()));
        Error::scram_failed("the SCRAM exchange with the server failed").with_source(source)
    }

    /// A message of the server for people, without the password.
    fn told(&self, fields: ErrorFields<'_>, wire_length: u32) -> Result<ServerMessage, Error> {
        Ok(server_message(fields, wire_length)?.map(|text| self.secrets.clean(text)))
    }

    /// Sends what is written; returns when.
    async fn flush(&mut self) -> Result<Instant, Error> {
        let target = self.target;
        self.socket.write_all_buf(&mut self.out).await.map_err(|error| target.unreachable(error))?;
        self.socket.flush().await.map_err(|error| target.unreachable(error))?;
        Ok(Instant::now())
    }

    /// The next message, and its length for [`server_message`].
    async fn next(&mut self) -> Result<(Message, u32), Error> {
        loop {
            if let Some((_, length)) = frame(&self.read)? {
                self.received += length;
                if length > MAX_STARTUP_MESSAGE || self.received > MAX_STARTUP {
                    return Err(too_much());
                }
                return match decode(&mut self.read, length)? {
                    (Message::ErrorResponse(body), wire_length) => Err(Error::database(self.told(body.fields(), wire_length)?)),
                    decoded => Ok(decoded),
                };
            }
            if missing(&self.read) > MAX_STARTUP_MESSAGE {
                return Err(too_much());
            }
            let count = self.socket.read_buf(&mut self.read).await.map_err(|error| self.target.unreachable(error))?;
            if count == 0 {
                return Err(self.target.unreachable(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}

/// What a server may say before anybody has logged in is limited.
fn too_much() -> Error {
    violation("it says too much before the session begins")
}

fn nul_in_password() -> Error {
    Error::password_invalid("the password contains a NUL character, which PostgreSQL cannot take")
}

#[cfg(test)]
#[path = "first_query_tests.rs"]
mod first_query_tests;
