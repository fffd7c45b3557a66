use std::io::Write;

use super::*;
use crate::error::Kind;
use crate::secret::Secret;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::UnixTime;
use rustls::{CertificateError, ClientConnection, ServerConfig, ServerConnection};

fn ssl(mode: SslMode, ca: Option<&str>) -> SslConfig {
    SslConfig {
        mode,
        ca: ca.map(str::to_owned),
        client_certificate: None,
        client_key: None,
        server_name: None,
        asks_identity: false,
        tls_version: None,
        extra_ca_files: Vec::new(),
    }
}

fn server(certificate: &str, key: &str) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_no_client_auth().with_single_cert(certificates(certificate.as_bytes()), key).unwrap())
}

/// A whole handshake in memory; the client's error if it has one.
fn handshake(client: Arc<ClientConfig>, server: Arc<ServerConfig>, name: &str) -> Result<ClientConnection, rustls::Error> {
    let mut client = ClientConnection::new(client, ServerName::try_from(name.to_owned()).unwrap()).unwrap();
    let mut server = ServerConnection::new(server).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            server.read_tls(&mut rest).unwrap();
            // The server's view does not matter here: it only sees the client's alert.
            let _ = server.process_new_packets();
        }
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            client.read_tls(&mut rest).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(client)
}

fn code_of(result: Result<ClientConnection, rustls::Error>) -> String {
    let error = describe(&result.expect_err("the handshake must fail"), "db.example", Peer::Database);
    assert_eq!(error.kind(), Kind::Connection);
    assert!(error.hint().is_some());
    error.code().unwrap().to_owned()
}

#[test]
fn verify_full_accepts_a_trusted_chain_and_only_for_its_name() {
    let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let server = server(&issued.certificate, &issued.key);
    let client = database_client_config(&ssl(SslMode::VerifyFull, Some(&issued.ca)), false).unwrap();
    assert!(handshake(client.clone(), server.clone(), "localhost").is_ok());
    assert_eq!(code_of(handshake(client, server, "other.example")), "ERR_TLS_CERT_ALTNAME_INVALID");
}

#[test]
fn verify_ca_accepts_another_name_but_no_other_authority() {
    let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let other = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let server = server(&issued.certificate, &issued.key);
    let client = database_client_config(&ssl(SslMode::VerifyCa, Some(&issued.ca)), false).unwrap();
    assert!(handshake(client, server.clone(), "other.example").is_ok());
    let client = database_client_config(&ssl(SslMode::VerifyCa, Some(&other.ca)), false).unwrap();
    // Both authorities have the same name, so the trusted one is tried and its key does not fit.
    assert_eq!(code_of(handshake(client, server, "localhost")), "CERT_SIGNATURE_FAILURE");
}

#[test]
fn no_verify_accepts_any_certificate() {
    let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let client = database_client_config(&ssl(SslMode::NoVerify, None), false).unwrap();
    assert!(handshake(client, server(&issued.certificate, &issued.key), "other.example").is_ok());
}

#[test]
fn the_default_roots_refuse_an_unknown_authority_with_the_reason_node_gives() {
    let client = database_client_config(&ssl(SslMode::VerifyFull, None), false).unwrap();
    let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let alone = server(&issued.certificate, &issued.key);
    assert_eq!(code_of(handshake(client.clone(), alone, "localhost")), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
    let with_root = server(&(issued.certificate + &issued.ca), &issued.key);
    assert_eq!(code_of(handshake(client.clone(), with_root, "localhost")), "SELF_SIGNED_CERT_IN_CHAIN");
    let (certificate, key) = self_signed(true);
    assert_eq!(code_of(handshake(client, server(&certificate, &key), "localhost")), "DEPTH_ZERO_SELF_SIGNED_CERT");
}

fn self_signed(is_ca: bool) -> (String, String) {
    let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    if is_ca {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate().unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

#[test]
fn a_self_signed_certificate_given_as_ca_is_trusted_as_openssl_trusts_it() {
    for is_ca in [true, false] {
        let (certificate, key) = self_signed(is_ca);
        let client = database_client_config(&ssl(SslMode::VerifyFull, Some(&certificate)), false).unwrap();
        let server = server(&certificate, &key);
        assert!(handshake(client.clone(), server.clone(), "localhost").is_ok(), "CA:{is_ca}");
        assert_eq!(code_of(handshake(client, server, "other.example")), "ERR_TLS_CERT_ALTNAME_INVALID");
    }
}

#[test]
fn an_expired_certificate_is_refused_even_when_it_was_named() {
    let authority_key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&authority_key).unwrap().pem();
    let mut params = CertificateParams::new(vec!["localhost".into()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate().unwrap();
    let expired = params.signed_by(&key, &Issuer::new(authority, authority_key)).unwrap().pem();
    for trusted in [&ca, &expired] {
        let client = database_client_config(&ssl(SslMode::VerifyFull, Some(trusted)), false).unwrap();
        assert_eq!(code_of(handshake(client, server(&expired, &key.serialize_pem()), "localhost")), "CERT_HAS_EXPIRED");
    }
}

#[test]
fn direct_tls_offers_alpn_and_negotiated_tls_does_not() {
    let ssl = ssl(SslMode::VerifyFull, None);
    assert_eq!(database_client_config(&ssl, true).unwrap().alpn_protocols, vec![b"postgresql".to_vec()]);
    assert!(database_client_config(&ssl, false).unwrap().alpn_protocols.is_empty());
}

#[test]
fn a_client_certificate_needs_its_key_and_neither_is_quoted() {
    let (certificate, key) = self_signed(false);
    let (_, other_key) = self_signed(false);
    let with = |certificate: Option<&str>, key: Option<&str>| {
        let mut ssl = ssl(SslMode::VerifyFull, None);
        ssl.client_certificate = certificate.map(str::to_owned);
        ssl.client_key = key.map(Secret::new);
        database_client_config(&ssl, false)
    };
    assert!(with(Some(&certificate), Some(&key)).unwrap().client_auth_cert_resolver.has_certs());
    let broken = "-----BEGIN PRIVATE KEY-----\nSENTINEL=SECRET\n-----END PRIVATE KEY-----";
    for (certificate, key) in
        [(Some(&*certificate), None), (None, Some(&*key)), (Some("none"), Some(&*key)), (Some(&*certificate), Some(broken))]
    {
        let error = with(certificate, key).unwrap_err();
        assert_eq!(error.kind(), Kind::Configuration);
        assert!(!format!("{error} {error:?}").contains("SENTINEL"));
    }
    assert_eq!(with(Some(&certificate), Some(&other_key)).unwrap_err().kind(), Kind::Configuration);
}

#[test]
fn an_unreadable_or_empty_ca_file_names_itself_and_a_broken_certificate_in_a_bundle_is_passed_over() {
    let error = api_client_config(&[PathBuf::from("/does/not/exist.pem")]).unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert!(error.to_string().contains("/does/not/exist.pem"), "{error}");

    let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let path = std::env::temp_dir().join(format!("lakebase-native-bundle-{}.pem", std::process::id()));
    let mut file = fs::File::create(&path).unwrap();
    writeln!(file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n{}", issued.ca).unwrap();
    let client = Arc::new(api_client_config(std::slice::from_ref(&path)).unwrap());
    assert!(handshake(client, server(&issued.certificate, &issued.key), "localhost").is_ok());
    fs::write(&path, "nothing").unwrap();
    assert_eq!(api_client_config(std::slice::from_ref(&path)).unwrap_err().kind(), Kind::Configuration);
    fs::remove_file(&path).unwrap();
}

#[test]
fn the_server_name_is_the_host_unless_another_is_set() {
    let mut ssl = ssl(SslMode::VerifyFull, None);
    assert_eq!(server_name(&ssl, "db.example").unwrap(), ServerName::try_from("db.example").unwrap());
    assert_eq!(server_name(&ssl, "::1").unwrap(), ServerName::try_from("::1").unwrap());
    ssl.server_name = Some("other.example".into());
    assert_eq!(server_name(&ssl, "db.example").unwrap(), ServerName::try_from("other.example").unwrap());
    assert_eq!(server_name(&ssl, "db.example").unwrap().to_str(), "other.example");
    ssl.server_name = Some("not a name".into());
    assert_eq!(server_name(&ssl, "db.example").unwrap_err().kind(), Kind::Configuration);
}

#[test]
fn a_server_of_any_usual_group_needs_no_second_hello() {
    use rustls::HandshakeKind;
    let issued = crate::certificate::issue(vec!["localhost".into()]).unwrap();
    let key = || PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).unwrap();
    let ca = std::env::temp_dir().join(format!("lakebase-native-groups-{}.pem", std::process::id()));
    fs::write(&ca, &issued.ca).unwrap();
    let database = || database_client_config(&ssl(SslMode::VerifyFull, Some(&issued.ca)), false).unwrap();
    let workspace = || Arc::new(api_client_config(std::slice::from_ref(&ca)).unwrap());
    for (groups, kind) in [
        (vec![rustls::crypto::ring::kx_group::X25519], HandshakeKind::Full),
        (vec![SECP256R1], HandshakeKind::Full),
        (vec![SECP256R1, rustls::crypto::ring::kx_group::X25519], HandshakeKind::Full),
        (vec![SECP384R1], HandshakeKind::FullWithHelloRetryRequest),
    ] {
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let provider = CryptoProvider { kx_groups: groups.clone(), ..rustls::crypto::ring::default_provider() };
            let config = ServerConfig::builder_with_provider(Arc::new(provider)).with_protocol_versions(&[version]).unwrap();
            let server = config.with_no_client_auth().with_single_cert(certificates(issued.certificate.as_bytes()), key()).unwrap();
            let server = Arc::new(server);
            for client in [database(), workspace()] {
                let done = handshake(client, server.clone(), "localhost").unwrap();
                let kind = if *version == rustls::version::TLS13 { kind } else { HandshakeKind::Full };
                assert_eq!(done.handshake_kind(), Some(kind), "{groups:?} {version:?}");
                let group = done.negotiated_key_exchange_group().unwrap().name();
                assert!(groups.iter().any(|taken| taken.name() == group), "{groups:?} {group:?}");
            }
        }
    }
    fs::remove_file(&ca).unwrap();
}

#[test]
fn a_bare_unknown_issuer_and_other_failures_have_codes_too() {
    let unknown = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
    assert_eq!(describe(&unknown, "h", Peer::Workspace).code(), Some("UNABLE_TO_GET_ISSUER_CERT_LOCALLY"));
    let early = CertificateError::NotValidYetContext {
        time: UnixTime::since_unix_epoch(std::time::Duration::ZERO),
        not_before: UnixTime::since_unix_epoch(std::time::Duration::from_secs(1)),
    };
    assert_eq!(describe(&early.into(), "h", Peer::Workspace).code(), Some("CERT_NOT_YET_VALID"));
    let wrapped = std::io::Error::new(std::io::ErrorKind::InvalidData, unknown);
    assert!(describe_io(&wrapped, "h", Peer::Workspace).is_some());
    assert!(describe_io(&std::io::Error::other("no TLS in here"), "h", Peer::Workspace).is_none());
}
