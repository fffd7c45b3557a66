//! Who we are to the workspace: what was given for it, from options, environment and profile, and whether that is one way to authenticate.
//!
//! Precedence as in databricks-sdk-go (`config/config_attributes.go`): options, then variables, then the profile; settings of two families
//! are a conflict unless `authType` decides. Beyond it, options decide over variables of another family.

use std::collections::HashMap;

use serde_json::Value;

use super::reader::{Given, Origin, Reader};
use super::settings::{AUTH_TYPE, CONFIG_FILE, DATABRICKS_HOST, PROFILE};
use crate::auth::profile::{Contents, Profile};
use crate::auth::{self, Settings, Source, TOKEN, Unusable};
use crate::error::Problem;
use crate::secret::Secret;
use crate::setting::{Form, Setting};

/// Puts the profile in force, where one is wanted: by name, or because neither the workspace nor an identity is given otherwise.
///
/// Source: databricks-sdk-go `config/config_file.go`. Nothing is read where it is not wanted.
pub(super) fn use_profile(reader: &mut Reader) {
    let name = reader.text(&PROFILE);
    let decides = |setting: &&Setting| setting.family.is_some() && reader.find(setting).is_some();
    if name.is_none() && (reader.find(&DATABRICKS_HOST).is_some() || auth::settings().any(|setting| decides(&setting))) {
        return;
    }
    let path = reader.text(&CONFIG_FILE);
    match Profile::find(path.as_deref(), name.as_deref(), reader.variables()) {
        Ok(None) => {}
        Ok(Some((profile, Contents { keys, warning }))) => reader.use_profile(profile, keys, warning),
        Err(reason) => {
            let (option, variable) =
                if name.is_some() { (&PROFILE, "DATABRICKS_CONFIG_PROFILE") } else { (&CONFIG_FILE, "DATABRICKS_CONFIG_FILE") };
            reader.report(Problem {
                option: Some(option.option.into()),
                variable: Some(variable.into()),
                found: Some(reason),
                expected: "a profile of .databrickscfg, which `databricks auth login` writes".into(),
            });
        }
    }
}

/// The settings for authenticating with the workspace at `host`. `None` if they are of no use, which is reported.
pub(super) fn resolve(reader: &mut Reader, host: &str) -> Option<Settings> {
    let mut settings = Settings::new(host);
    let mut ranks: HashMap<*const Setting, u8> = HashMap::new();
    let mut is_usable = true;
    for setting in auth::settings() {
        let Some(given) = reader.find(setting) else { continue };
        ranks.insert(setting, rank(given.origin));
        let source = match given.origin {
            Origin::Option | Origin::Parameter(_) => Source::Option,
            Origin::Variable(name) => Source::Variable(name),
            Origin::Profile => Source::Profile,
        };
        match value(reader, setting, &given) {
            Ok(Some(value)) => settings.give(setting, value, source),
            Ok(None) => {}
            Err(Refused) => is_usable = false,
        }
    }
    if let Some((profile, _)) = reader.profile() {
        settings.use_profile(profile.clone());
    }
    if !is_usable {
        return None;
    }
    match reader.text(&AUTH_TYPE) {
        Some(name) => match auth::method(&name) {
            Some(method) => settings.pin(method),
            None => {
                let names: Vec<_> = auth::METHODS.iter().map(|method| method.name()).collect();
                let given = reader.find(&AUTH_TYPE)?;
                return reader.reject(&AUTH_TYPE, &given, format!("one of {}", names.join(", ")));
            }
        },
        None => match settings.families(|setting| ranks.get(&std::ptr::from_ref(setting)).copied().unwrap_or(u8::MAX))[..] {
            [] => {}
            [family] => settings.keep_family(family),
            ref families => {
                let families = families.iter().map(|family| settings.named(family)).collect::<Vec<_>>().join(" and ");
                reader.report(Problem {
                    option: Some(TOKEN.option.into()),
                    variable: TOKEN.variables.first().map(|&name| name.into()),
                    found: Some(format!("more than one authorization method: {families}")),
                    expected: "one of them, or authType (DATABRICKS_AUTH_TYPE) to choose".into(),
                });
                return None;
            }
        },
    }
    settings.use_variables(reader.variables());
    match settings.choose() {
        Ok(chosen) => {
            settings.forget_variables(&chosen);
            Some(settings)
        }
        Err(unusable) => {
            report(reader, unusable);
            None
        }
    }
}

/// Best source first.
fn rank(origin: Origin) -> u8 {
    match origin {
        Origin::Option | Origin::Parameter(_) => 0,
        Origin::Variable(_) => 1,
        Origin::Profile => 2,
    }
}

/// Reported already.
struct Refused;

fn value(reader: &mut Reader, setting: &Setting, given: &Given) -> Result<Option<Secret>, Refused> {
    match setting.form {
        Form::Flag => match &*given.value {
            Value::Bool(on) => Ok(on.then(|| Secret::new("true"))),
            Value::String(text) if matches!(text.to_ascii_lowercase().as_str(), "true" | "1") => Ok(Some(Secret::new("true"))),
            Value::String(text) if matches!(text.to_ascii_lowercase().as_str(), "false" | "0") => Ok(None),
            _ => reader.reject(setting, given, "true or false").ok_or(Refused),
        },
        Form::Function => match given.value.get("$function").and(given.value.get("number")).and_then(Value::as_u64) {
            Some(number) => Ok(Some(Secret::new(number.to_string()))),
            None => reader.reject(setting, given, "a function").ok_or(Refused),
        },
        Form::Document => reader.secret_of(setting, given).map(Some).ok_or(Refused),
        Form::Ambient | Form::Text if setting.secret => header_secret(reader, setting, given).map(Some).ok_or(Refused),
        Form::Ambient | Form::Text => reader.text_of(setting, given).map(|text| Some(Secret::new(text))).ok_or(Refused),
    }
}

/// A secret that can stand in an HTTP header: a line break or a space in it is a slip of copy and paste.
fn header_secret(reader: &mut Reader, setting: &Setting, given: &Given) -> Option<Secret> {
    let secret = reader.secret_of(setting, given)?;
    if secret.expose().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(secret);
    }
    reader.reject(setting, given, "visible ASCII characters only, without spaces or line breaks")
}

fn report(reader: &mut Reader, unusable: Unusable) {
    match unusable {
        Unusable::Lacks(lacks) => {
            for (setting, expected) in lacks {
                reader.missing(setting, expected);
            }
        }
        Unusable::Pinned(name, reason) => reader.report(Problem {
            option: Some(AUTH_TYPE.option.into()),
            variable: AUTH_TYPE.variables.first().map(|&name| name.into()),
            found: Some(format!("{name:?}, which does not apply: {reason}")),
            expected: "what that method needs, or another method".into(),
        }),
        Unusable::None(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(|(name, reason)| format!("\n      {name}: {reason}")).collect();
            let expected = "clientId and clientSecret (DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET) of a service principal, or a token, \
                            or what another method needs. None applies:";
            reader.missing(&TOKEN, format!("{expected}{}", reasons.concat()));
        }
    }
}
