//! The process' caches, found by what they are for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::auth::{Owner, Settings, Workspace};
use crate::config::{CredentialTarget, Lookup};

/// What a cache is for, as SHA-256: secrets are part of it and cannot be read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key([u8; 32]);

impl Key {
    /// Workspace, network and identity; the owner, where the identity is one of its own.
    pub(super) fn identity(workspace: &Workspace, settings: &Settings, owner: Option<&dyn Owner>) -> Self {
        let network = &workspace.network;
        let mut hash = Fields::default();
        hash.add(workspace.url.as_bytes());
        hash.add(network.https_proxy.as_ref().map_or("", |proxy| proxy.expose()).as_bytes());
        hash.add(network.no_proxy.as_deref().unwrap_or_default().as_bytes());
        hash.add(&network.extra_ca_files.len().to_be_bytes());
        for file in &network.extra_ca_files {
            hash.add(file.as_os_str().as_encoded_bytes());
        }
        for field in settings.identity() {
            hash.add(field.as_bytes());
        }
        if let Some(owner) = owner.filter(|_| settings.is_owners()) {
            hash.add(&owner.id().to_be_bytes());
        }
        hash.finish()
    }

    /// This identity's credential for `target` with `claims`.
    pub(super) fn credential(self, target: &CredentialTarget, claims: Option<&Value>) -> Self {
        let mut hash = Fields::default();
        hash.add(&self.0);
        let (kind, name) = match target {
            CredentialTarget::Endpoint(name) => ("endpoint", name),
            CredentialTarget::Instance(name) => ("instance", name),
        };
        hash.add(kind.as_bytes());
        hash.add(name.as_bytes());
        hash.add(claims.map(Value::to_string).unwrap_or_default().as_bytes());
        hash.finish()
    }
}

impl Key {
    /// The lookup of `wanted` for what this key stands for.
    pub(super) fn lookup(self, wanted: Lookup) -> Self {
        let mut hash = Fields::default();
        hash.add(&self.0);
        hash.add(&[wanted.host, wanted.database, wanted.user, wanted.read_only].map(u8::from));
        hash.finish()
    }
}

/// Hashes each field with its length, so that no two lists of fields are the same bytes.
#[derive(Default)]
struct Fields(Sha256);

impl Fields {
    fn add(&mut self, field: &[u8]) {
        self.0.update(u64::try_from(field.len()).expect("lengths fit 64 bits").to_be_bytes());
        self.0.update(field);
    }

    fn finish(self) -> Key {
        Key(self.0.finalize().into())
    }
}

/// Entries that nobody outside uses, kept because the next `getToken()` may want them.
const KEPT: usize = 256;

/// Values by key. Bounded: beyond [`KEPT`] entries, the one unused for longest goes, but never one that is in use.
#[derive(Debug)]
pub(super) struct Registry<T>(Mutex<Entries<T>>);

#[derive(Debug)]
struct Entries<T> {
    by_key: HashMap<Key, Entry<T>>,
    uses: u64,
}

#[derive(Debug)]
struct Entry<T> {
    value: Arc<T>,
    last_use: u64,
}

impl<T> Default for Registry<T> {
    fn default() -> Self {
        Self(Mutex::new(Entries { by_key: HashMap::new(), uses: 0 }))
    }
}

impl<T> Registry<T> {
    pub(super) fn get_or_insert(&self, key: Key, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.uses += 1;
        let last_use = entries.uses;
        if let Some(entry) = entries.by_key.get_mut(&key) {
            entry.last_use = last_use;
            return Arc::clone(&entry.value);
        }
        if entries.by_key.len() >= KEPT {
            let idle = entries.by_key.iter().filter(|(_, entry)| Arc::strong_count(&entry.value) == 1);
            if let Some(oldest) = idle.min_by_key(|(_, entry)| entry.last_use).map(|(key, _)| *key) {
                entries.by_key.remove(&oldest);
            }
        }
        let value = make();
        entries.by_key.insert(key, Entry { value: Arc::clone(&value), last_use });
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::ApiNetwork;
    use crate::secret::Secret;
    use serde_json::json;

    fn workspace(url: &str) -> Workspace {
        Workspace { url: url.into(), network: ApiNetwork::default() }
    }

    #[test]
    fn a_key_tells_workspaces_identities_targets_and_claims_apart() {
        let here = workspace("https://a.example");
        let token = |token: &str| Settings::with_token("https://a.example", Secret::new(token));
        let client = Settings::with_client_credentials("https://a.example", "token", Secret::new(""));
        let fixed = token("token");
        let identity = Key::identity(&here, &fixed, None);
        let mut proxied = here.clone();
        proxied.network.https_proxy = Some(Secret::new("http://proxy.example"));
        let keys = [
            identity,
            Key::identity(&workspace("https://b.example"), &fixed, None),
            Key::identity(&proxied, &fixed, None),
            Key::identity(&here, &token("other"), None),
            Key::identity(&here, &client, None),
            identity.credential(&CredentialTarget::Endpoint("x".into()), None),
            identity.credential(&CredentialTarget::Endpoint("y".into()), None),
            identity.credential(&CredentialTarget::Instance("x".into()), None),
            identity.credential(&CredentialTarget::Endpoint("x".into()), Some(&json!([]))),
        ];
        assert_eq!(keys.iter().collect::<std::collections::HashSet<_>>().len(), keys.len());
        assert_eq!(identity, Key::identity(&here, &token("token"), None));
    }

    #[test]
    fn the_registry_is_bounded_but_never_drops_what_is_in_use() {
        let registry = Registry::default();
        let key = |number: usize| {
            let mut hash = Fields::default();
            hash.add(&number.to_be_bytes());
            hash.finish()
        };
        let in_use = registry.get_or_insert(key(0), || Arc::new(0));
        for number in 1..=2 * KEPT {
            registry.get_or_insert(key(number), || Arc::new(number));
        }
        assert_eq!(registry.0.lock().unwrap().by_key.len(), KEPT);
        assert!(Arc::ptr_eq(&in_use, &registry.get_or_insert(key(0), || unreachable!())));
        assert_eq!(*registry.get_or_insert(key(2 * KEPT), || unreachable!()), 2 * KEPT);
        assert_eq!(*registry.get_or_insert(key(1), || Arc::new(7)), 7, "the oldest was dropped and is made anew");
    }
}
