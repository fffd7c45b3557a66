//! Strings on their way to JavaScript.

use std::ptr;

use napi::bindgen_prelude::*;
use napi::sys;

use crate::batch::Chunk;

/// One chunk as a JavaScript string. ASCII crosses as Latin-1, which V8 copies without decoding.
pub(super) fn to_js<'env>(env: &'env Env, chunk: Chunk<'_>) -> Result<Unknown<'env>> {
    let create = if chunk.ascii { sys::napi_create_string_latin1 } else { sys::napi_create_string_utf8 };
    let mut value = ptr::null_mut();
    let length = isize::try_from(chunk.bytes.len()).map_err(|_| Error::from_reason("a text is too long for JavaScript"))?;
    // SAFETY: `env` is the live environment of this call; pointer and length describe a live slice, which both functions only read.
    check_status!(unsafe { create(env.raw(), chunk.bytes.as_ptr().cast(), length, &mut value) })?;
    // SAFETY: the call above succeeded, so `value` is a handle of the current scope, which outlives this call.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })
}
