//! What is known of a key: its type, its bounds, when a change of it acts.

/// The shape of a value, as the reference page and error messages name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A number of seconds, whole or with a fraction.
    Seconds,
    /// Any text.
    Text,
    /// An HTTP method: letters in upper case.
    Method,
    /// The name or address of a host, without a port.
    Host,
    /// A host without a port, or `*.` and the name above.
    HostPattern,
    /// A part of a request that is counted apart.
    RateKey,
    /// `https://` or `http://`, host and port.
    WebOrigin,
    /// A path, relative to the working directory of the program.
    Path,
    /// `address:port`.
    Address,
    /// `host:port`, where the host is an address or a name.
    HostPort,
    /// An address or a prefix: `10.0.0.0/8`.
    Prefix,
    /// `http://…` or `https://…`.
    Url,
    /// A text that is never shown.
    Secret,
    /// One of a few words.
    Choice(&'static [&'static str]),
    /// A list.
    List(&'static Kind),
}

impl Kind {
    /// The noun that follows "expected".
    pub fn expected(self) -> String {
        match self {
            Kind::Boolean => "true or false".into(),
            Kind::Integer => "a whole number".into(),
            Kind::Seconds => "a number of seconds".into(),
            Kind::Text => "a text".into(),
            Kind::Method => "an HTTP method in upper case, such as \"GET\"".into(),
            Kind::Host => "a host without a port, such as \"node.example\"".into(),
            Kind::HostPattern => {
                "a host without a port, such as \"shop.example\" or \"*.shop.example\"".into()
            }
            Kind::RateKey => "address, host, path, method, user_agent, header:<name> or cookie:<name>".into(),
            Kind::WebOrigin => "an origin without a path, such as \"https://partner.example\"".into(),
            Kind::Path => "a path".into(),
            Kind::Address => "address:port, such as \"127.0.0.1:8443\" or \"[::]:8443\"".into(),
            Kind::HostPort => "host:port, such as \"127.0.0.1:8080\"".into(),
            Kind::Prefix => "an address or a prefix, such as \"10.0.0.0/8\"".into(),
            Kind::Url => "a URL, such as \"http://orchestrator:9090\"".into(),
            Kind::Secret => "a secret".into(),
            Kind::Choice(words) => {
                words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or ")
            }
            Kind::List(of) => format!("a list, each {}", of.expected()),
        }
    }

    /// The short name in the reference page.
    pub fn name(self) -> String {
        match self {
            Kind::Boolean => "boolean".into(),
            Kind::Integer => "integer".into(),
            Kind::Seconds => "seconds".into(),
            Kind::Text => "text".into(),
            Kind::Method => "method".into(),
            Kind::Host => "host".into(),
            Kind::HostPattern => "host or `*.`host".into(),
            Kind::RateKey => {
                "`address`, `host`, `path`, `method`, `user_agent`, `header:`name, `cookie:`name".into()
            }
            Kind::WebOrigin => "origin".into(),
            Kind::Path => "path".into(),
            Kind::Address => "address:port".into(),
            Kind::HostPort => "host:port".into(),
            Kind::Prefix => "prefix".into(),
            Kind::Url => "URL".into(),
            Kind::Secret => "secret".into(),
            Kind::Choice(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            Kind::List(of) => format!("list: {}", of.name()),
        }
    }
}

/// When a change of a key acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// At the next reload.
    Reload,
    /// At the next start.
    Restart,
}

/// One key of one section: a row of the section's table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Key {
    /// The section, `server`.
    pub section: &'static str,
    /// The key within it, `bind_address`.
    pub name: &'static str,
    /// Its doc comment.
    pub doc: &'static str,
    /// Its shape.
    pub kind: Kind,
    /// The unit of a number: `bytes`, `requests/s`.
    pub unit: Option<&'static str>,
    /// The smallest and the largest number (of bytes, seconds, …) it takes.
    pub range: Option<(f64, f64)>,
    /// Its short name in the environment, beside [`Key::variable`].
    pub alias: Option<&'static str>,
    /// When a change acts.
    pub effect: Effect,
    /// Whether it has no default: the section cannot be used without it.
    pub required: bool,
    /// Whether an unset `${VAR}` counts as "not given" instead of an error.
    pub variable_may_be_unset: bool,
}

impl Key {
    pub(crate) const fn new(
        section: &'static str,
        name: &'static str,
        doc: &'static str,
        kind: Kind,
    ) -> Self {
        Key {
            section,
            name,
            doc,
            kind,
            unit: None,
            range: None,
            alias: None,
            effect: Effect::Reload,
            required: false,
            variable_may_be_unset: false,
        }
    }

    pub(crate) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = Some(unit);
        self
    }

    pub(crate) const fn range(mut self, min: f64, max: f64) -> Self {
        self.range = Some((min, max));
        self
    }

    pub(crate) const fn alias(mut self, name: &'static str) -> Self {
        self.alias = Some(name);
        self
    }

    pub(crate) const fn restart(mut self) -> Self {
        self.effect = Effect::Restart;
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn variable_may_be_unset(mut self) -> Self {
        self.variable_may_be_unset = true;
        self
    }

    /// `section.key`. Of a table that may stand several times, this is without the number of the table.
    pub fn path(&self) -> String {
        format!("{}.{}", self.section, self.name)
    }

    /// Its name in the environment: `SECBEAT__SECTION__KEY`.
    pub fn variable(&self) -> String {
        format!("SECBEAT__{}__{}", self.section.to_uppercase().replace('.', "__"), self.name.to_uppercase())
    }

    /// Whether its value is never shown.
    pub fn is_secret(&self) -> bool {
        self.kind == Kind::Secret
    }
}
