//! Which options of curl there are, as far as people paste them.

/// What an option does to the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing.
    Nothing,
    /// Nothing, and a value follows.
    NothingOfValue,
    /// `--url`
    Url,
    /// `-X`
    Method,
    /// `-H`
    Header,
    /// A header of its own.
    Default(&'static str),
    /// `-u`
    User,
    /// `-r`
    Range,
    /// `--compressed`
    Compressed,
    /// `-b`
    Cookie,
    /// `-d`
    Data,
    /// `--data-raw`
    DataRaw,
    /// `--data-binary`
    DataBinary,
    /// `--data-urlencode`
    DataUrlencoded,
    /// `--json`
    Json,
    /// `-F`
    Form,
    /// `--form-string`
    FormString,
    /// `-G`
    Get,
    /// `-I`
    Head,
    /// `-0`
    Http10,
}

impl Meaning {
    /// Whether a value follows.
    pub fn takes_value(self) -> bool {
        !matches!(self, Self::Nothing | Self::Compressed | Self::Get | Self::Head | Self::Http10)
    }
}

/// An option of one letter.
pub fn short(letter: char) -> Option<Meaning> {
    Some(match letter {
        'X' => Meaning::Method,
        'H' => Meaning::Header,
        'A' => Meaning::Default("User-Agent"),
        'e' => Meaning::Default("Referer"),
        'u' => Meaning::User,
        'r' => Meaning::Range,
        'b' => Meaning::Cookie,
        'd' => Meaning::Data,
        'F' => Meaning::Form,
        'G' => Meaning::Get,
        'I' => Meaning::Head,
        '0' => Meaning::Http10,
        'k' | 's' | 'S' | 'L' | 'v' | 'i' | 'f' | 'g' | 'N' | 'O' | 'J' | 'j' | '4' | '6' | '#' => {
            Meaning::Nothing
        }
        'o' | 'm' | 'w' | 'c' | 'x' | 'D' | 'E' | 'y' | 'Y' => Meaning::NothingOfValue,
        _ => return None,
    })
}

/// An option by its name.
pub fn long(name: &str) -> Option<Meaning> {
    Some(match name {
        "url" => Meaning::Url,
        "request" => Meaning::Method,
        "header" => Meaning::Header,
        "user-agent" => Meaning::Default("User-Agent"),
        "referer" => Meaning::Default("Referer"),
        "user" => Meaning::User,
        "range" => Meaning::Range,
        "compressed" => Meaning::Compressed,
        "cookie" => Meaning::Cookie,
        "data" | "data-ascii" => Meaning::Data,
        "data-raw" => Meaning::DataRaw,
        "data-binary" => Meaning::DataBinary,
        "data-urlencode" => Meaning::DataUrlencoded,
        "json" => Meaning::Json,
        "form" => Meaning::Form,
        "form-string" => Meaning::FormString,
        "get" => Meaning::Get,
        "head" => Meaning::Head,
        "http1.0" => Meaning::Http10,
        "insecure"
        | "silent"
        | "show-error"
        | "location"
        | "verbose"
        | "include"
        | "fail"
        | "fail-with-body"
        | "globoff"
        | "no-buffer"
        | "remote-name"
        | "http1.1"
        | "http2"
        | "http3"
        | "tlsv1.2"
        | "tlsv1.3"
        | "ipv4"
        | "ipv6"
        | "path-as-is"
        | "progress-bar"
        | "no-progress-meter"
        | "junk-session-cookies"
        | "ssl-no-revoke"
        | "no-keepalive" => Meaning::Nothing,
        "output" | "max-time" | "connect-timeout" | "write-out" | "cookie-jar" | "proxy" | "dump-header"
        | "cert" | "key" | "cacert" | "resolve" | "connect-to" | "interface" | "retry" | "retry-delay"
        | "limit-rate" | "max-redirs" | "unix-socket" | "noproxy" | "trace" | "trace-ascii" => {
            Meaning::NothingOfValue
        }
        _ => return None,
    })
}
