//! Reads settings one by one from connection string, options and environment, and collects what is wrong with them.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};

use super::connection_string::ConnectionString;
use super::found::{describe, unreadable};
use super::settings::{CONNECTION_STRING, PASSWORD};
use crate::auth::profile::Profile;
use crate::error::{Error, Problem};
use crate::secret::Secret;
use crate::setting::Setting;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The option of the setting's own name.
    Option,
    /// A parameter of the connection string.
    Parameter(&'static str),
    /// This environment variable.
    Variable(&'static str),
    /// The profile.
    Profile,
}

/// A value that was given.
pub(super) struct Given<'a> {
    pub value: Cow<'a, Value>,
    pub origin: Origin,
}

/// The sources of one call, and the problems found in them so far.
pub(super) struct Reader<'a> {
    options: &'a Map<String, Value>,
    env: &'a HashMap<String, String>,
    /// The connection string in force and the source it came from, which decides its rank: the option beats all
    /// other options, the variable only other variables.
    string: Option<(ConnectionString, Origin)>,
    /// The profile in use, and its keys.
    profile: Option<(Profile, HashMap<String, String>)>,
    warnings: Vec<String>,
    problems: Vec<Problem>,
}

/// Largest bound in milliseconds: PostgreSQL's own settings and Node's timers end there (24.8 days).
pub(super) const MAX_MILLIS: u64 = i32::MAX as u64;

impl<'a> Reader<'a> {
    pub fn new(options: &'a Map<String, Value>, env: &'a HashMap<String, String>) -> Self {
        Self { options, env, string: None, profile: None, warnings: Vec::new(), problems: Vec::new() }
    }

    /// Puts a connection string in force, as the option or as the variable.
    pub fn use_string(&mut self, string: ConnectionString, origin: Origin) {
        self.string = Some((string, origin));
    }

    /// Puts a profile in force, below the environment.
    pub fn use_profile(&mut self, profile: Profile, keys: HashMap<String, String>, warning: Option<String>) {
        self.profile = Some((profile, keys));
        self.warnings.extend(warning);
    }

    pub fn profile(&self) -> Option<&(Profile, HashMap<String, String>)> {
        self.profile.as_ref()
    }

    /// What is unsafe, but can be worked with.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The environment as it was given.
    pub fn variables(&self) -> &'a HashMap<String, String> {
        self.env
    }

    pub fn has_string(&self) -> bool {
        self.string.is_some()
    }

    /// Whether options rank above the connection string: it came from the environment.
    pub fn options_first(&self) -> bool {
        matches!(self.string, Some((_, Origin::Variable(_))))
    }

    /// A parameter of the connection string that no setting stands for.
    pub fn string_parameter(&self, name: &str) -> Option<&str> {
        self.string.as_ref().and_then(|(string, _)| string.get(name))
    }

    /// The value of an environment variable, if it is set to more than white space.
    pub fn variable(&self, name: &str) -> Option<&'a str> {
        self.env.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// The option itself; `null` counts as not given.
    pub fn option(&self, setting: &Setting) -> Option<Given<'a>> {
        let value = self.options.get(setting.option).filter(|_| !setting.option.is_empty())?;
        if value.is_null() || unreadable(value).is_some() {
            return None;
        }
        Some(Given { value: Cow::Borrowed(value), origin: Origin::Option })
    }

    /// The setting's parameter in the connection string.
    pub fn parameter(&self, setting: &Setting) -> Option<Given<'a>> {
        let (string, _) = self.string.as_ref()?;
        let parameter = setting.parameter?;
        let value = Cow::Owned(Value::from(string.get(parameter)?));
        Some(Given { value, origin: Origin::Parameter(parameter) })
    }

    /// The first of the setting's environment variables that is set.
    pub fn environment(&self, setting: &Setting) -> Option<Given<'a>> {
        setting.variables.iter().find_map(|&name| {
            let text = self.variable(name)?;
            // A line break at the end is a common slip with secret stores; only a password may mean its white space.
            let text = if setting.option == PASSWORD.option { text } else { text.trim() };
            Some(Given { value: Cow::Owned(text.into()), origin: Origin::Variable(name) })
        })
    }

    /// The setting's value from whichever source ranks highest.
    pub fn find(&self, setting: &Setting) -> Option<Given<'a>> {
        let given = if self.options_first() {
            self.option(setting).or_else(|| self.parameter(setting))
        } else {
            self.parameter(setting).or_else(|| self.option(setting))
        };
        given.or_else(|| self.environment(setting)).or_else(|| self.in_profile(setting))
    }

    fn in_profile(&self, setting: &Setting) -> Option<Given<'a>> {
        let (_, keys) = self.profile.as_ref()?;
        let value = keys.get(setting.key?).filter(|value| !value.is_empty())?;
        Some(Given { value: Cow::Owned(value.as_str().into()), origin: Origin::Profile })
    }

    pub fn text(&mut self, setting: &Setting) -> Option<String> {
        let given = self.find(setting)?;
        self.text_of(setting, &given)
    }

    /// A string that PostgreSQL and HTTP can carry: not empty, without NUL.
    pub fn text_of(&mut self, setting: &Setting, given: &Given) -> Option<String> {
        match &*given.value {
            Value::String(text) if !text.is_empty() && !text.contains('\0') => Some(text.clone()),
            Value::String(text) if !text.is_empty() => self.reject(setting, given, "a string without NUL characters"),
            _ => self.reject(setting, given, "a string that is not empty"),
        }
    }

    pub fn secret_of(&mut self, setting: &Setting, given: &Given) -> Option<Secret> {
        self.text_of(setting, given).map(Secret::new)
    }

    pub fn boolean(&mut self, setting: &Setting) -> Option<bool> {
        let given = self.find(setting)?;
        match &*given.value {
            Value::Bool(value) => Some(*value),
            Value::String(text) if text == "true" => Some(true),
            Value::String(text) if text == "false" => Some(false),
            _ => self.reject(setting, &given, "true or false"),
        }
    }

    /// A whole number in `range`; `unit` names it in the error, for example `milliseconds`.
    pub fn integer(&mut self, setting: &Setting, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let given = self.find(setting)?;
        self.integer_of(setting, &given, range, unit)
    }

    pub fn integer_of(&mut self, setting: &Setting, given: &Given, range: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let value = match &*given.value {
            Value::Number(number) => number.as_u64().or_else(|| number.as_f64().and_then(whole)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if let Some(value) = value.filter(|value| range.contains(value)) {
            return Some(value);
        }
        let unit = if unit.is_empty() { String::new() } else { format!(" ({unit})") };
        self.reject(setting, given, format!("a whole number from {} to {}{unit}", range.start(), range.end()))
    }

    /// A bound in milliseconds. 0 and `false`, which pg writes for "none", give `Duration::ZERO`.
    pub fn millis(&mut self, setting: &Setting) -> Option<Duration> {
        let given = self.find(setting)?;
        if *given.value == Value::Bool(false) {
            return Some(Duration::ZERO);
        }
        self.integer_of(setting, &given, 0..=MAX_MILLIS, "milliseconds").map(Duration::from_millis)
    }

    /// Records that `given` is not what was expected. Always `None`, so that a reader can return it.
    pub fn reject<T>(&mut self, setting: &Setting, given: &Given, expected: impl Into<String>) -> Option<T> {
        let found = describe(&given.value, setting.secret);
        let (option, variable, found) = match given.origin {
            Origin::Option => (setting.option, setting.variables.first().copied(), found),
            Origin::Variable(name) => (setting.option, Some(name), found),
            Origin::Profile => (setting.option, None, format!("{found} in the profile")),
            Origin::Parameter(name) => {
                let variable = self.string.as_ref().and_then(|(_, origin)| match origin {
                    Origin::Variable(name) => Some(*name),
                    _ => None,
                });
                (CONNECTION_STRING.option, variable, format!("{name}={found}"))
            }
        };
        self.report(Problem {
            option: Some(option).filter(|option| !option.is_empty()).map(Into::into),
            variable: variable.map(Into::into),
            found: Some(found),
            expected: expected.into(),
        });
        None
    }

    /// Records that a setting which is needed was not given, unless it was given and already found wrong. What an unreadable
    /// connection string gives cannot be known.
    pub fn missing(&mut self, setting: &Setting, expected: impl Into<String>) {
        if self.has_problem(setting) || (!self.has_string() && self.has_problem(&CONNECTION_STRING)) {
            return;
        }
        self.report(Problem {
            option: Some(setting.option).filter(|option| !option.is_empty()).map(Into::into),
            variable: setting.variables.first().map(|&name| name.into()),
            found: Some("nothing".into()),
            expected: expected.into(),
        });
    }

    /// Whether the setting was given, but wrong: as an option, a variable or a parameter of the connection string.
    pub fn has_problem(&self, setting: &Setting) -> bool {
        self.problems.iter().any(|problem| {
            let parameter = || Some(problem.found.as_deref()?.split_once('=')?.0);
            problem.option.as_deref() == Some(setting.option)
                || (problem.option.as_deref() == Some(CONNECTION_STRING.option)
                    && setting.parameter.is_some()
                    && parameter() == setting.parameter)
        })
    }

    pub fn report(&mut self, problem: Problem) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// All options that were given.
    pub fn options(&self) -> impl Iterator<Item = (&'a str, &'a Value)> + use<'a> {
        self.options.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.as_str(), value))
    }

    /// The value, if nothing was wrong with what it was made of.
    pub fn finish<T>(self, value: T) -> Result<T, Error> {
        if self.problems.is_empty() { Ok(value) } else { Err(Error::configuration(self.problems)) }
    }
}

/// JavaScript has one number type, so `10` may cross as `10.0`.
fn whole(value: f64) -> Option<u64> {
    (value.fract() == 0.0 && (0.0..=MAX_SAFE_INTEGER as f64).contains(&value)).then_some(value as u64)
}

/// JavaScript's `Number.MAX_SAFE_INTEGER`.
pub(super) const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;
