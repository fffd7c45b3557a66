//! TLS settings of `createLakebasePool()`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{deployed, lakebase, nothing, options, problem, problems};
use crate::config::SslMode::{Disable, NoVerify, VerifyCa, VerifyFull};
use crate::config::{TlsVersion, resolve};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n";
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n";

/// A file that goes away with the test.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lakebase-native-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn every_word_has_one_meaning() {
    for (word, mode) in
        [("require", VerifyFull), ("verify-full", VerifyFull), ("verify-ca", VerifyCa), ("prefer", NoVerify), ("no-verify", NoVerify)]
    {
        assert_eq!(lakebase(json!({"sslMode": word}), &[]).connect.ssl.mode, mode, "{word}");
        assert_eq!(lakebase(json!({"ssl": word}), &[]).connect.ssl.mode, mode, "{word}");
        assert_eq!(lakebase(nothing(), &[("PGSSLMODE", word)]).connect.ssl.mode, mode, "{word}");
        let string = format!("postgres://u:p@h/d?sslmode={word}");
        assert_eq!(lakebase(json!({"connectionString": string}), &[]).connect.ssl.mode, mode, "{word}");
    }
}

#[test]
fn ssl_takes_booleans_and_objects() {
    for (given, mode) in [
        (json!({"ssl": true}), VerifyFull),
        (json!({"ssl": {}}), VerifyFull),
        (json!({"ssl": {"rejectUnauthorized": true}}), VerifyFull),
        (json!({"ssl": {"rejectUnauthorized": false}}), NoVerify),
        (json!({"ssl": {"ca": CERTIFICATE}, "sslMode": "verify-ca"}), VerifyCa),
        (json!({"ssl": {"rejectUnauthorized": true}, "sslMode": "verify-ca"}), VerifyCa),
    ] {
        assert_eq!(lakebase(given.clone(), &[]).connect.ssl.mode, mode, "{given}");
    }
}

#[test]
fn ssl_and_ssl_mode_may_not_contradict() {
    for given in [json!({"ssl": {"rejectUnauthorized": false}, "sslMode": "require"}), json!({"ssl": true, "sslMode": "prefer"})] {
        assert!(problem(resolve(&options(given), &deployed(&[]))).contains("the same as sslMode says"));
    }
}

#[test]
fn going_without_tls_is_for_this_machine_only() {
    for host in ["localhost", "127.0.0.1", "127.3.2.1", "::1", "/var/run/postgresql"] {
        assert_eq!(lakebase(json!({"host": host, "sslMode": "disable"}), &[]).connect.ssl.mode, Disable, "{host}");
    }
    for (given, pairs, start) in [
        (json!({"sslMode": "disable"}), &[][..], "sslMode (PGSSLMODE): found \"disable\": expected TLS"),
        (json!({"ssl": false}), &[("PGSSLMODE", "require")], "ssl: found false: expected TLS"),
        (nothing(), &[("PGSSLMODE", "disable")], "sslMode (PGSSLMODE): found \"disable\": expected TLS"),
        (json!({"password": "pw", "sslMode": "disable"}), &[], "sslMode (PGSSLMODE): found"),
        (
            json!({"connectionString": "postgres://u:p@h/d?sslmode=disable"}),
            &[],
            "connectionString: found sslmode=\"disable\": expected TLS",
        ),
        (
            nothing(),
            &[("LAKEBASE_ENDPOINT", ""), ("DATABASE_URL", "postgres://u:p@h/d?ssl=0")],
            "connectionString (DATABASE_URL): found ssl=\"0\"",
        ),
    ] {
        let shown = problem(resolve(&options(given), &deployed(pairs)));
        assert!(shown.starts_with(start), "{shown}");
    }
}

#[test]
fn the_object_gives_certificates_name_and_versions() {
    let ssl = |given: Value| lakebase(json!({"ssl": given}), &[]).connect.ssl;
    let full = ssl(json!({"ca": [CERTIFICATE, CERTIFICATE], "cert": CERTIFICATE, "key": KEY, "servername": "db.example"}));
    assert_eq!(full.ca, Some(format!("{CERTIFICATE}\n{CERTIFICATE}")));
    assert_eq!(full.client_certificate.as_deref(), Some(CERTIFICATE));
    assert_eq!(full.client_key.as_ref().map(|key| key.expose()), Some(KEY));
    assert_eq!(full.server_name.as_deref(), Some("db.example"));
    assert_eq!(full.tls_version, None);
    for (given, version) in [
        (json!({"minVersion": "TLSv1.2"}), None),
        (json!({"minVersion": "TLSv1"}), None),
        (json!({"minVersion": "TLSv1.3"}), Some(TlsVersion::Tls13)),
        (json!({"maxVersion": "TLSv1.2"}), Some(TlsVersion::Tls12)),
        (json!({"minVersion": "TLSv1.2", "maxVersion": "TLSv1.3"}), None),
    ] {
        assert_eq!(ssl(given.clone()).tls_version, version, "{given}");
    }
}

#[test]
fn what_the_object_cannot_mean_is_refused() {
    for (given, start) in [
        (json!({"ca": "./ca.pem"}), "ssl.ca (PGSSLROOTCERT): found a string of 8 characters: expected PEM certificates"),
        (json!({"ca": []}), "ssl.ca (PGSSLROOTCERT): found an array"),
        (json!({"cert": CERTIFICATE}), "ssl.key: found nothing: expected the PEM text that belongs to ssl.cert"),
        (json!({"key": KEY}), "ssl.cert: found nothing"),
        (json!({"servername": ""}), "ssl.servername: found an empty string"),
        (json!({"minVersion": "SSLv3"}), "ssl.minVersion: found \"SSLv3\": expected TLSv1.2 or TLSv1.3"),
        (json!({"maxVersion": "TLSv1.1"}), "ssl.maxVersion: found \"TLSv1.1\""),
        (json!({"minVersion": "TLSv1.3", "maxVersion": "TLSv1.2"}), "ssl.maxVersion: found \"TLSv1.2\""),
        (json!({"rejectUnauthorized": "false"}), "ssl.rejectUnauthorized: found \"false\": expected true or false"),
        (json!({"checkServerIdentity": {"$function": true}}), "ssl.checkServerIdentity: found a function"),
        (json!({"passphrase": "secret"}), "ssl.passphrase: found a string of 6 characters"),
        (json!({"pfx": "x"}), "ssl.pfx: found"),
        (json!({"rejectUnauthorised": true}), "ssl.rejectUnauthorised: found a boolean: expected only"),
    ] {
        let shown = problem(resolve(&options(json!({"ssl": given})), &deployed(&[])));
        assert!(shown.starts_with(start), "{shown}");
    }
    for given in [json!({"ssl": {"$function": true}}), json!({"ssl": 1}), json!({"ssl": "requier"})] {
        assert!(problem(resolve(&options(given), &deployed(&[]))).starts_with("ssl: found"));
    }
}

#[test]
fn root_certificates_are_read_from_files() {
    let file = TemporaryFile::new("root.pem", CERTIFICATE);
    assert_eq!(lakebase(nothing(), &[("PGSSLROOTCERT", file.path())]).connect.ssl.ca.as_deref(), Some(CERTIFICATE));
    let string = format!("postgres://u:p@h/d?sslrootcert={}", file.path());
    let ssl = lakebase(json!({"connectionString": string}), &[("PGSSLROOTCERT", "/no/such/file")]).connect.ssl;
    assert_eq!((ssl.mode, ssl.ca.as_deref()), (VerifyFull, Some(CERTIFICATE)));
    let string = format!("postgres://u:p@h/d?sslrootcert={}&uselibpqcompat=true&sslmode=require", file.path());
    assert_eq!(lakebase(json!({"connectionString": string}), &[]).connect.ssl.mode, VerifyCa);
}

#[test]
fn the_word_system_means_the_default_roots() {
    assert_eq!(lakebase(nothing(), &[("PGSSLROOTCERT", "system")]).connect.ssl.ca, None);
}

#[test]
fn ssl_ca_comes_before_pgsslrootcert() {
    let ssl = lakebase(json!({"ssl": {"ca": CERTIFICATE}}), &[("PGSSLROOTCERT", "/no/such/file")]).connect.ssl;
    assert_eq!(ssl.ca.as_deref(), Some(CERTIFICATE));
}

#[test]
fn client_certificates_of_a_connection_string_are_read_from_files() {
    let (certificate, key) = (TemporaryFile::new("client.pem", CERTIFICATE), TemporaryFile::new("client.key", KEY));
    let string = format!("host=h user=u sslcert='{}' sslkey='{}'", certificate.path(), key.path());
    let ssl = lakebase(json!({"connectionString": string}), &[]).connect.ssl;
    assert_eq!(ssl.client_certificate.as_deref(), Some(CERTIFICATE));
    assert_eq!(ssl.client_key.as_ref().map(|key| key.expose()), Some(KEY));
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let empty = TemporaryFile::new("empty.pem", "nothing here");
    for (path, why) in
        [("/no/such/file", "No such file"), ("/", "it is not a file"), (empty.path(), "the path of a file with PEM certificates")]
    {
        let shown = problem(resolve(&options(nothing()), &deployed(&[("PGSSLROOTCERT", path)])));
        assert!(shown.starts_with(&format!("ssl.ca (PGSSLROOTCERT): found {path:?}: expected ")) && shown.contains(why), "{shown}");
    }
    let string = "postgres://u:p@h/d?sslcert=/no/cert&sslkey=/no/key";
    let shown = problems(resolve(&options(json!({"connectionString": string})), &deployed(&[])));
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].starts_with("connectionString: found sslcert=\"/no/cert\""), "{shown:?}");
}

#[test]
fn extra_authorities_of_the_environment_are_kept() {
    let ssl = lakebase(nothing(), &[("NODE_EXTRA_CA_CERTS", "/a.pem")]).connect.ssl;
    assert_eq!(ssl.extra_ca_files, [PathBuf::from("/a.pem")]);
}
