//! Transformations of SecLang: disguises taken off a value.
//!
//! What each gives is what ModSecurity 3 gives, byte for byte; where its releases differ, or where it is wrong in a way that
//! lets attacks through, the module says so.
//!
//! | step | module |
//! | --- | --- |
//! | the transformations by name, and running one | [`transformation`] |
//! | which values one can change at all | [`triggers`] |
//! | sets of bytes | [`byte_set`] |
//! | text with the escapes in it replaced | `bytes` |
//! | percent encoding | `url`, and `code_page` for `%uHHHH` |
//! | character references of HTML | `html` |
//! | escapes of JavaScript, of ANSI C, of CSS | `js`, `escape_sequence`, `css` |
//! | hexadecimal, base64 | `hex`, `base64` |
//! | UTF-8 | `utf8` |
//! | paths | `path` |
//! | command lines | `command_line` |
//! | comments, white space, single bytes | `comments`, `whitespace`, `single_bytes` |
//! | digests, length | `digest` |

pub mod byte_set;
pub mod transformation;
pub mod triggers;

mod base64;
mod bytes;
mod code_page;
mod command_line;
mod comments;
mod css;
mod digest;
mod escape_sequence;
mod hex;
mod html;
mod js;
mod path;
mod single_bytes;
#[cfg(test)]
mod transformation_tests;
mod url;
mod utf8;
mod whitespace;

pub use byte_set::ByteSet;
pub use transformation::Transformation;
