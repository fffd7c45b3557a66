//! One setting by name: the option, the environment variables that can give it, the connection string parameter, the key in a profile.
//!
//! Which there are is declared by whoever reads them: src/config, and the ways to authenticate (src/auth).

/// One setting and all the places it can come from.
#[derive(Debug)]
pub struct Setting {
    /// The option of `createLakebasePool()`; empty for what only the environment gives.
    pub option: &'static str,
    /// Environment variables, the first one set wins.
    pub variables: &'static [&'static str],
    /// The parameter of a connection string.
    pub parameter: Option<&'static str>,
    /// Its value is never shown, nor trimmed.
    pub secret: bool,
    /// The key in a profile of `.databrickscfg`.
    pub key: Option<&'static str>,
    /// Giving it chooses this family of ways to authenticate; two families are a conflict.
    pub family: Option<&'static str>,
    /// What kind of value it takes.
    pub form: Form,
}

/// The values of a setting that a way to authenticate reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    /// true or false.
    Flag,
    /// A function of the caller's.
    Function,
    /// A text of any characters.
    Document,
    /// The platform gives it, and changes it while the process runs: read again for every use.
    Ambient,
}

impl Setting {
    pub const fn new(option: &'static str, variables: &'static [&'static str]) -> Self {
        Self { option, variables, parameter: None, secret: false, key: None, family: None, form: Form::Text }
    }

    /// A variable that a platform sets, without an option of its own.
    pub const fn ambient(variables: &'static [&'static str]) -> Self {
        Self { form: Form::Ambient, ..Self::new("", variables) }
    }

    /// A variable without an option, which does not change while the process runs.
    pub const fn variable(variables: &'static [&'static str]) -> Self {
        Self::new("", variables)
    }

    pub const fn key(self, key: &'static str) -> Self {
        Self { key: Some(key), ..self }
    }

    pub const fn family(self, family: &'static str) -> Self {
        Self { family: Some(family), ..self }
    }

    pub const fn flag(self) -> Self {
        Self { form: Form::Flag, ..self }
    }

    pub const fn document(self) -> Self {
        Self { form: Form::Document, ..self }
    }

    pub const fn function(self) -> Self {
        Self { form: Form::Function, ..self }
    }

    /// How messages name it: `token (DATABRICKS_TOKEN)`.
    pub fn named(&self) -> String {
        match (self.option, self.variables.first()) {
            ("", variable) => variable.copied().unwrap_or_default().to_owned(),
            (option, None) => option.to_owned(),
            (option, Some(variable)) => format!("{option} ({variable})"),
        }
    }

    pub const fn parameter(self, parameter: &'static str) -> Self {
        Self { parameter: Some(parameter), ..self }
    }

    pub const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}
