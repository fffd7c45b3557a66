//! Options, then environment, then defaults.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Config, TokenConfig};
use crate::error::Error;

pub fn resolve(_options: &Map<String, Value>, _env: &HashMap<String, String>) -> Result<Config, Error> {
    todo!()
}

pub fn resolve_token(_options: &Map<String, Value>, _env: &HashMap<String, String>) -> Result<TokenConfig, Error> {
    todo!()
}
