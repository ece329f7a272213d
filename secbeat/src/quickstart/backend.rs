//! The site that is protected.

use crate::client::authority_of;
use std::fmt;
use std::str::FromStr;

/// Where the site is.
#[derive(Debug, Clone)]
pub struct Backend {
    /// `host:port`.
    pub authority: String,
    /// Whether it is the sample site of this program.
    pub is_sample: bool,
}

impl FromStr for Backend {
    type Err = String;

    /// `http://host:port`
    fn from_str(text: &str) -> Result<Self, String> {
        Ok(Self { authority: authority_of(text)?, is_sample: false })
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.authority, if self.is_sample { " (a sample site)" } else { "" })
    }
}
