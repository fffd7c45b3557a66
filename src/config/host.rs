//! The database host: a name, an address or a Unix socket's directory.

use std::net::IpAddr;
use std::path::PathBuf;

use super::Host;

impl Host {
    /// A text that starts with `/` is a directory, as in libpq; anything else is a name or an address.
    pub fn new(text: &str) -> Self {
        if text.starts_with('/') {
            return Self::Unix(PathBuf::from(text));
        }
        let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
        Self::Tcp(address.unwrap_or(text).to_owned())
    }

    /// Whether what is sent stays on this machine: a Unix socket, `localhost`, 127.0.0.0/8 or ::1.
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(name) => is_loopback(name),
        }
    }

    /// Whether the name is that of Lakebase's connection pooler, `…-pooler.…`.
    pub(super) fn is_pooler(&self) -> bool {
        matches!(self, Self::Tcp(name) if name.split('.').next().is_some_and(|label| label.ends_with("-pooler")))
    }

    /// Whether it can be looked up at all: a URL, a `host:port` or a list of hosts cannot.
    pub(super) fn is_plausible(&self) -> bool {
        match self {
            Self::Unix(_) => true,
            Self::Tcp(name) if name.parse::<IpAddr>().is_ok() => true,
            // An IPv6 address may carry a zone (`fe80::1%eth0`).
            Self::Tcp(name) if name.contains('%') => name.split('%').next().is_some_and(|address| address.parse::<IpAddr>().is_ok()),
            Self::Tcp(name) => !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')),
        }
    }
}

/// `localhost` or a loopback address.
pub(super) fn is_loopback(host: &str) -> bool {
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_socket_directory_and_brackets_are_dropped() {
        assert_eq!(Host::new("/var/run/postgresql"), Host::Unix("/var/run/postgresql".into()));
        assert_eq!(Host::new("[::1]"), Host::Tcp("::1".into()));
        assert_eq!(Host::new("db.example"), Host::Tcp("db.example".into()));
    }

    #[test]
    fn only_this_machine_is_local() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "[::1]", "/tmp"] {
            assert!(Host::new(host).is_local(), "{host}");
        }
        for host in ["localhost.example.com", "128.0.0.1", "10.0.0.1", "::2", "0.0.0.0", "127.0.0.1.nip.io", ""] {
            assert!(!Host::new(host).is_local(), "{host}");
        }
    }

    #[test]
    fn the_pooler_is_known_by_the_first_label() {
        assert!(Host::new("ep-a-pooler.database.example").is_pooler());
        assert!(!Host::new("ep-a.database-pooler.example").is_pooler());
        assert!(!Host::new("ep-pooler-a.example").is_pooler());
    }

    #[test]
    fn urls_ports_and_lists_are_not_host_names() {
        for host in ["db.example", "10.0.0.1", "::1", "fe80::1%eth0", "bücher.example", "under_score", "/tmp/my dir"] {
            assert!(Host::new(host).is_plausible(), "{host}");
        }
        for host in ["https://db.example", "db.example:5432", "a,b", "user@db", "db.example/x", "a b", "%zz"] {
            assert!(!Host::new(host).is_plausible(), "{host}");
        }
    }
}
