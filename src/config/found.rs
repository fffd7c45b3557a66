//! How a value that was found is shown in an error: enough to recognise it, never a secret.

use serde_json::Value;

/// Longest text that is quoted; a longer one is described.
const QUOTED: usize = 80;

/// What was found, safe to print. A secret is described by its type and length only.
pub(super) fn describe(value: &Value, secret: bool) -> String {
    match value {
        Value::Null => "null".into(),
        Value::String(text) if text.is_empty() => "an empty string".into(),
        Value::String(text) if secret || looks_secret(text) || text.chars().count() > QUOTED => describe_length(text),
        Value::String(text) => format!("{text:?}"),
        Value::Bool(_) if secret => "a boolean".into(),
        Value::Number(_) if secret => "a number".into(),
        Value::Bool(_) => value.to_string(),
        // JavaScript shows whole numbers without `.0`.
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => float.to_string(),
            _ => number.to_string(),
        },
        Value::Array(_) => "an array".into(),
        Value::Object(_) if is_function(value) => "a function".into(),
        Value::Object(_) if unreadable(value).is_some() => unreadable(value).unwrap_or_default().into(),
        Value::Object(object) => match object.get("$number").and_then(Value::as_str) {
            Some(number @ ("NaN" | "Infinity" | "-Infinity")) => number.into(),
            _ => "an object".into(),
        },
    }
}

/// `a string of 36 characters`.
pub(super) fn describe_length(text: &str) -> String {
    match text.chars().count() {
        1 => "a string of 1 character".into(),
        count => format!("a string of {count} characters"),
    }
}

/// The stand-in for a JavaScript function, which cannot cross: `{"$function": true}`.
pub(super) fn is_function(value: &Value) -> bool {
    value.get("$function").is_some_and(|marker| marker == &Value::Bool(true))
}

/// What stands for a JavaScript value that has no form in JSON or throws when it is read (`{"$unreadable": "circular"}`), described.
pub(super) fn unreadable(value: &Value) -> Option<&'static str> {
    match value.get("$unreadable")?.as_str()? {
        "circular" => Some("an object that contains itself"),
        "endless" => Some("an object without an end"),
        "throws" => Some("a value that throws an error when it is read"),
        "symbol" => Some("a symbol"),
        _ => None,
    }
}

/// A value in the wrong place may be a secret all the same: a token in `DATABRICKS_HOST`, a connection string in `PGHOST`.
///
/// `dapi` and `dose` begin Databricks tokens and client secrets, `eyJ` a JSON Web Token.
fn looks_secret(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    lower.contains("dapi")
        || lower.contains("dose")
        || lower.contains("passw")
        || text.contains("eyJ")
        || text.contains("-----BEGIN")
        || text.contains('@')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_values_are_shown_as_they_are() {
        for (value, shown) in [
            (json!("requier"), "\"requier\""),
            (json!(""), "an empty string"),
            (json!(0), "0"),
            (json!(1.5), "1.5"),
            (json!(true), "true"),
            (json!(["a"]), "an array"),
            (json!({"a": 1}), "an object"),
            (json!({"$function": true}), "a function"),
            (json!({"$number": "NaN"}), "NaN"),
            (json!({"$unreadable": "circular"}), "an object that contains itself"),
            (json!({"$unreadable": "what"}), "an object"),
            (json!("line\nbreak"), "\"line\\nbreak\""),
        ] {
            assert_eq!(describe(&value, false), shown);
        }
    }

    #[test]
    fn secrets_are_described_by_type_and_length() {
        for (value, shown) in [
            (json!("dapi-1234"), "a string of 9 characters"),
            (json!("x"), "a string of 1 character"),
            (json!(1234), "a number"),
            (json!(true), "a boolean"),
            (json!(["s3cret"]), "an array"),
            (json!({"s3cret": "s3cret"}), "an object"),
        ] {
            assert_eq!(describe(&value, true), shown);
        }
    }

    #[test]
    fn a_value_that_looks_like_a_secret_is_not_quoted_anywhere() {
        for text in ["https://dapi0123456789", "eyJhbGciOi", "postgres://u:p@h/d", "host=h password=p", &"x".repeat(81)] {
            assert_eq!(describe(&json!(text), false), format!("a string of {} characters", text.len()));
        }
    }
}
