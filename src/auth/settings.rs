//! What was given for authenticating, and which methods that chooses.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use super::pat::TOKEN;
use super::profile::Profile;
use super::{Applies, METHODS, WorkspaceAuth};
use crate::secret::Secret;
use crate::setting::{Form, Setting};

/// A service principal's application id. Also the database user where none is given, so on its own it chooses nothing.
pub static CLIENT_ID: Setting = Setting::new("clientId", &["DATABRICKS_CLIENT_ID"]).key("client_id");

/// The family of client credentials, to which [`CLIENT_ID`] belongs beside another of its settings.
pub(super) const CLIENT_CREDENTIALS: &str = "oauth";

/// The settings that were given, validated.
#[derive(Clone)]
pub struct Settings {
    /// `https://host` of the workspace.
    host: String,
    given: Vec<Value>,
    /// The only method to be used (`authType`).
    pinned: Option<&'static dyn WorkspaceAuth>,
    /// The profile that gave some of them, read again for every use.
    profile: Option<Profile>,
    /// The whole environment, which programs inherit.
    variables: Arc<HashMap<String, String>>,
}

/// One of them.
#[derive(Clone)]
struct Value {
    setting: &'static Setting,
    value: Secret,
    source: Source,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Option,
    /// This environment variable.
    Variable(&'static str),
    Profile,
}

/// The methods to try, in this order. All but the last may turn out not to apply.
pub type Chosen = Vec<&'static dyn WorkspaceAuth>;

/// Why no method can be used.
#[derive(Debug)]
pub enum Unusable {
    /// This is missing, and this would be right.
    Lacks(Vec<(&'static Setting, &'static str)>),
    /// The pinned method, and why it does not apply.
    Pinned(&'static str, String),
    /// Each method and why it does not apply.
    None(Vec<(&'static str, String)>),
}

impl Settings {
    pub fn new(host: impl Into<String>) -> Self {
        Self { host: host.into(), given: Vec::new(), pinned: None, profile: None, variables: Arc::default() }
    }

    /// Those of a fixed token.
    pub fn with_token(host: impl Into<String>, token: Secret) -> Self {
        let mut settings = Self::new(host);
        settings.give(&TOKEN, token, Source::Option);
        settings
    }

    pub fn give(&mut self, setting: &'static Setting, value: Secret, source: Source) {
        self.given.push(Value { setting, value, source });
    }

    /// Forgets what belongs to other families than this one.
    pub fn keep_family(&mut self, family: &str) {
        self.given.retain(|value| value.setting.family.is_none_or(|other| other == family));
    }

    pub fn pin(&mut self, method: &'static dyn WorkspaceAuth) {
        self.pinned = Some(method);
    }

    pub(super) fn is_pinned(&self) -> bool {
        self.pinned.is_some()
    }

    pub fn use_profile(&mut self, profile: Profile) {
        self.profile = Some(profile);
    }

    pub fn use_variables(&mut self, variables: &HashMap<String, String>) {
        self.variables = Arc::new(variables.clone());
    }

    /// Forgets the environment where nothing needs it: it holds everybody's secrets.
    pub fn forget_variables(&mut self, chosen: &Chosen) {
        if self.profile.is_none() && !chosen.iter().any(|method| method.needs_environment()) {
            self.variables = Arc::default();
        }
    }

    pub(super) fn variables(&self) -> &HashMap<String, String> {
        &self.variables
    }

    pub(super) fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn profile(&self) -> Option<&Profile> {
        self.profile.as_ref()
    }

    pub fn get(&self, setting: &Setting) -> Option<&Secret> {
        self.given.iter().find(|value| std::ptr::eq(value.setting, setting)).map(|value| &value.value)
    }

    pub fn text(&self, setting: &Setting) -> Option<&str> {
        self.get(setting).map(Secret::expose)
    }

    pub fn has(&self, setting: &Setting) -> bool {
        self.get(setting).is_some()
    }

    /// The family that was chosen by giving one of its settings.
    fn family(&self) -> Option<&'static str> {
        self.given.iter().find_map(|value| value.setting.family)
    }

    /// Whether an identity of Entra's finds the workspace by its resource.
    pub fn tell_workspace(&self) -> bool {
        let family = self.pinned.map_or_else(|| self.family(), |method| Some(method.family()));
        family == Some(super::azure::FAMILY) && self.has(&super::azure::RESOURCE_ID)
    }

    /// What tells this identity from others. What a platform changes while the process runs counts by its name only.
    pub fn identity(&self) -> Vec<&str> {
        let pinned = self.pinned.map_or("", WorkspaceAuth::name);
        let profile = self.profile.iter().flat_map(|profile| [profile.path().to_str().unwrap_or_default(), profile.name()]);
        let given = self.given.iter().filter(|value| value.source != Source::Profile).flat_map(|value| {
            let name = if value.setting.option.is_empty() { value.setting.variables[0] } else { value.setting.option };
            let value = if value.setting.form == Form::Ambient { "" } else { value.value.expose() };
            [name, value]
        });
        [pinned].into_iter().chain(profile).chain(given).collect()
    }

    /// Whether the identity depends on the owner's functions or environment.
    pub fn is_owners(&self) -> bool {
        self.given.iter().any(|value| matches!(value.setting.form, Form::Ambient | Form::Function))
    }

    /// The secrets that variables gave, and the names of these. What a platform changes is asked for where it is used.
    pub(super) fn secrets_of_variables(&self) -> impl Iterator<Item = (&'static Setting, &'static str)> {
        self.given.iter().filter_map(|value| match value.source {
            Source::Variable(name) if value.setting.secret && value.setting.form != Form::Ambient => Some((value.setting, name)),
            _ => None,
        })
    }

    /// The same with another value of `setting`.
    pub(super) fn with(mut self, setting: &'static Setting, secret: Secret) -> Self {
        self.given.iter_mut().filter(|value| std::ptr::eq(value.setting, setting)).for_each(|value| value.value = secret.clone());
        self
    }

    /// The same with the profile as it is now.
    ///
    /// # Errors
    /// What is wrong with the profile.
    pub(super) fn reread(&self) -> Result<Self, String> {
        let Some(profile) = &self.profile else { return Ok(self.clone()) };
        let keys = profile.read()?;
        let mut fresh = self.clone();
        fresh.given.retain(|value| value.source != Source::Profile);
        let family = fresh.family();
        for setting in super::settings() {
            let Some(value) = setting.key.and_then(|key| keys.get(key)).filter(|value| !value.is_empty()) else { continue };
            let unwanted = family.is_some() && setting.family.is_some() && setting.family != family;
            if !fresh.has(setting) && !unwanted && (setting.form != Form::Flag || value.eq_ignore_ascii_case("true")) {
                fresh.give(setting, Secret::new(value.as_str()), Source::Profile);
            }
        }
        Ok(fresh)
    }

    /// The methods to try.
    ///
    /// # Errors
    /// Why there is none.
    pub fn choose(&self) -> Result<Chosen, Unusable> {
        if let Some(method) = self.pinned {
            return match method.applies(self) {
                Applies::Yes | Applies::Perhaps => Ok(vec![method]),
                Applies::No(reason) => Err(Unusable::Pinned(method.name(), reason)),
                Applies::Lacks(setting, expected) => Err(Unusable::Lacks(vec![(setting, expected)])),
            };
        }
        let family = self.family();
        let (mut chosen, mut reasons, mut lacks) = (Chosen::new(), Vec::new(), Vec::new());
        for method in METHODS.iter().copied().filter(|method| family.is_none_or(|family| method.family() == family)) {
            match method.applies(self) {
                Applies::Yes => {
                    chosen.push(method);
                    return Ok(chosen);
                }
                Applies::Perhaps => chosen.push(method),
                Applies::No(reason) => reasons.push((method.name(), reason)),
                Applies::Lacks(setting, expected) => lacks.push((setting, expected)),
            }
        }
        match (chosen.is_empty(), lacks.is_empty()) {
            (false, _) => Ok(chosen),
            (true, false) => Err(Unusable::Lacks(lacks)),
            (true, true) => Err(Unusable::None(reasons)),
        }
    }

    /// A family and what of it was given: `oauth by clientSecret (DATABRICKS_CLIENT_SECRET)`.
    pub fn named(&self, family: &str) -> String {
        let given = self.given.iter().filter(|value| value.setting.family == Some(family)).map(|value| value.setting.named());
        format!("{family} by {}", given.collect::<Vec<_>>().join(", "))
    }

    /// What was given, as `clientId (DATABRICKS_CLIENT_ID)`; no values.
    pub fn given(&self) -> Vec<String> {
        self.given.iter().map(|value| value.setting.named()).collect()
    }

    /// The families of what was given, best source first: options, the environment, the profile. `rank` tells the source of a setting.
    pub fn families(&self, rank: impl Fn(&Setting) -> u8) -> Vec<&'static str> {
        let chosen: HashSet<_> = self.given.iter().filter_map(|value| value.setting.family).collect();
        let best = |family: &str| {
            let own = self.given.iter().filter(|value| value.setting.family == Some(family));
            // The client id is the client credentials' too, but chooses nothing alone.
            let id = self.given.iter().filter(|value| family == CLIENT_CREDENTIALS && std::ptr::eq(value.setting, &CLIENT_ID));
            own.chain(id).map(|value| rank(value.setting)).min()
        };
        let first = chosen.iter().filter_map(|family| best(family)).min();
        let mut families: Vec<_> = chosen.iter().copied().filter(|family| best(family) == first).collect();
        families.sort_unstable();
        families
    }
}

/// The names of what was given; no values.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("host", &self.host)
            .field("given", &self.given())
            .field("pinned", &self.pinned)
            .finish_non_exhaustive()
    }
}
