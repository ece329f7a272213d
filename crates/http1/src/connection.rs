//! The options of `Connection`, RFC 9110 7.6.1.

use crate::bytes::{is_token, trim_ows};
use crate::known::is_any_case_of;
use crate::{Field, Known, Version};

/// Options in all `Connection` fields of a head together: each costs a pass over the fields.
const OPTIONS_MAX: u32 = 16;

errors! {
    /// Why `Connection` cannot be obeyed.
    ConnectionError {
        /// Not a list of tokens.
        InvalidConnection => 400, "invalid_connection", "Connection is not a list of names; expected options such as `close` or `keep-alive`";
        /// More options than a client has reason to send.
        TooManyConnectionOptions => 400, "too_many_connection_options", "Connection has more than 16 options";
        /// It would remove a field that is for all recipients.
        ConnectionNamesEndToEndField => 400, "connection_names_end_to_end_field", "Connection names a field that is for all recipients; expected hop-by-hop fields alone";
    }
    from {}
}

/// What `Connection` asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Options {
    pub(crate) close: bool,
    pub(crate) keep_alive: bool,
    pub(crate) upgrade: bool,
}

impl Options {
    /// Whether the connection lasts beyond this message, RFC 9112 9.3.
    pub(crate) fn persists(self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }

    /// Notes `option` where it is one that is known.
    fn note(&mut self, option: &[u8]) -> bool {
        match option.len() {
            5 if is_any_case_of(option, b"close") => self.close = true,
            7 if is_any_case_of(option, b"upgrade") => self.upgrade = true,
            10 if is_any_case_of(option, b"keep-alive") => self.keep_alive = true,
            _ => return false,
        }
        true
    }

    /// Reads every `Connection` field and marks the fields that they name as hop-by-hop.
    pub(crate) fn read(buf: &[u8], fields: &mut [Field]) -> Result<Self, ConnectionError> {
        let mut options = Options::default();
        let mut seen = 0;
        for index in 0..fields.len() {
            let Some(field) = fields.get(index).filter(|field| field.known == Known::Connection) else {
                continue;
            };
            let value = field.value.of(buf);
            if options.note(value) {
                continue;
            }
            for option in value.split(|&byte| byte == b',').map(trim_ows) {
                seen += 1;
                if seen > OPTIONS_MAX {
                    return Err(ConnectionError::TooManyConnectionOptions);
                }
                options.add(option, buf, fields)?;
            }
        }
        Ok(options)
    }

    fn add(&mut self, option: &[u8], buf: &[u8], fields: &mut [Field]) -> Result<(), ConnectionError> {
        if option.is_empty() || self.note(option) {
            // An empty element of a list is ignored (RFC 9110 5.6.1.2).
        } else if !is_token(option) {
            return Err(ConnectionError::InvalidConnection);
        } else if !Known::of(option).may_be_nominated() {
            return Err(ConnectionError::ConnectionNamesEndToEndField);
        } else {
            for field in fields.iter_mut().filter(|field| field.name.of(buf).eq_ignore_ascii_case(option)) {
                field.hop_by_hop = true;
            }
        }
        Ok(())
    }
}
