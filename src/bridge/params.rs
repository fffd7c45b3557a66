//! Parameter values on their way from JavaScript: an array of strings, byte arrays and nulls.

use std::ptr;

use napi::bindgen_prelude::*;
use napi::sys;

use crate::wire::Param;

pub struct Params(pub Vec<Param>);

impl TypeName for Params {
    fn type_name() -> &'static str {
        "Array<string | Uint8Array | null>"
    }

    fn value_type() -> ValueType {
        ValueType::Object
    }
}

impl ValidateNapiValue for Params {}

impl FromNapiValue for Params {
    unsafe fn from_napi_value(env: sys::napi_env, value: sys::napi_value) -> Result<Self> {
        let mut length = 0;
        // SAFETY: the caller gives a live environment and a handle of its scope; a handle that is no array fails with a status.
        check_status!(unsafe { sys::napi_get_array_length(env, value, &mut length) })?;
        let mut params = Vec::with_capacity(length as usize);
        for index in 0..length {
            let mut element = ptr::null_mut();
            // SAFETY: as above; `index` is below the array's length.
            check_status!(unsafe { sys::napi_get_element(env, value, index, &mut element) })?;
            let mut kind = 0;
            // SAFETY: `element` is a handle of this scope.
            check_status!(unsafe { sys::napi_typeof(env, element, &mut kind) })?;
            params.push(match kind {
                // SAFETY: `element` is a handle of this scope, and a string.
                sys::ValueType::napi_string => Param::Text(unsafe { String::from_napi_value(env, element) }?),
                // SAFETY: `element` is a handle of this scope; one that is no typed array fails with a status. The bytes are copied
                // before control returns to JavaScript.
                sys::ValueType::napi_object => Param::Bytes(unsafe { Uint8Array::from_napi_value(env, element) }?.to_vec()),
                _ => Param::Null,
            });
        }
        Ok(Self(params))
    }
}
