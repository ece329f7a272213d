//! What is asked of a proxy: a scheme and the size of the answer, named `http-160` to `tls-1m`.

use std::fmt;
use std::str::FromStr;

/// How the client speaks to the proxy. The way to the origin is plain HTTP/1.1 for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// HTTP/1.1.
    Http,
    /// HTTP/1.1 over TLS 1.3.
    Tls,
}

impl Scheme {
    /// Both, in the order they are measured.
    pub const ALL: [Self; 2] = [Self::Http, Self::Tls];

    /// The scheme of a URL.
    pub fn url(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Tls => "https",
        }
    }

    /// The scheme as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Tls => "TLS",
        }
    }
}

/// How much the origin answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// 160 bytes: an API call, a redirect, a 304; the cost is all per request.
    Small,
    /// 16 KiB: a page, a script.
    Page,
    /// 1 MiB: a picture, a download; the cost is all per byte.
    Large,
}

impl Size {
    /// All, in the order they are measured.
    pub const ALL: [Self; 3] = [Self::Small, Self::Page, Self::Large];

    /// Bytes of the answer's body.
    pub fn bytes(self) -> usize {
        match self {
            Self::Small => 160,
            Self::Page => 16 << 10,
            Self::Large => 1 << 20,
        }
    }

    /// The name in a scenario, and the file's name at the origin.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "160",
            Self::Page => "16k",
            Self::Large => "1m",
        }
    }

    /// Keep-alive connections of the closed loop: enough to keep the proxy's core busy, and for large
    /// answers not so many that sockets' buffers become the thing measured.
    pub fn connections(self) -> u32 {
        match self {
            Self::Small | Self::Page => 64,
            Self::Large => 16,
        }
    }

    /// The size as people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Small => "160 B",
            Self::Page => "16 KiB",
            Self::Large => "1 MiB",
        }
    }
}

/// One line of the table: a scheme and a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// How the client speaks.
    pub scheme: Scheme,
    /// How much it is answered.
    pub size: Size,
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.scheme == Scheme::Tls { "tls" } else { "http" };
        write!(f, "{scheme}-{}", self.size.name())
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Scheme::ALL
            .into_iter()
            .flat_map(|scheme| Size::ALL.map(|size| Self { scheme, size }))
            .find(|scenario| scenario.to_string() == name)
            .ok_or_else(|| format!("no scenario is named {name:?}: say http or tls, then -160, -16k or -1m"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_is_found_by_its_name() {
        for scheme in Scheme::ALL {
            for size in Size::ALL {
                let scenario = Scenario { scheme, size };
                assert_eq!(scenario.to_string().parse(), Ok(scenario));
            }
        }
    }

    #[test]
    fn an_unknown_scenario_is_refused_with_the_names_there_are() {
        let error = "h2-160".parse::<Scenario>().unwrap_err();
        assert!(error.contains("h2-160") && error.contains("-16k"), "{error}");
    }
}
