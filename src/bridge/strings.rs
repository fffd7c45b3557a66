//! Strings on their way to JavaScript.

use std::ptr;

use napi::bindgen_prelude::*;
use napi::sys;

use crate::batch::Chunk;

/// One chunk as a JavaScript string. Both forms are V8's own: it copies without decoding.
pub(super) fn to_js<'env>(env: &'env Env, chunk: Chunk<'_>) -> Result<Unknown<'env>> {
    let mut value = ptr::null_mut();
    let length = isize::try_from(chunk.len()).map_err(|_| Error::from_reason("a text is too long for JavaScript"))?;
    check_status!(match chunk {
        // SAFETY: `env` is the live environment of this call; pointer and length describe a live slice, which is only read.
        Chunk::Latin1(text) => unsafe { sys::napi_create_string_latin1(env.raw(), text.as_ptr().cast(), length, &mut value) },
        // SAFETY: as above.
        Chunk::Utf16(text) => unsafe { sys::napi_create_string_utf16(env.raw(), text.as_ptr(), length, &mut value) },
    })?;
    // SAFETY: the call above succeeded, so `value` is a handle of the current scope, which outlives this call.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), value) })
}
