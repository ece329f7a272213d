//! What a request is judged with, besides the rules.

use crate::{Csrf, ExceptionSet, Scope};
use secbeat_engine::Collections;
use secbeat_types::Timestamp;
use std::net::{IpAddr, SocketAddr};

/// What a request is judged with, besides the rules.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Who asks.
    pub client: IpAddr,
    /// The host that is asked, with a port or without.
    pub host: &'a [u8],
    /// When.
    pub now: Timestamp,
    /// The site's wishes about the rules; made by the [`RuleSet`](crate::RuleSet) that judges.
    pub scope: &'a Scope,
    /// What does not count.
    pub exceptions: &'a ExceptionSet,
    /// How requests of other sites are told apart; `None`: they are not.
    pub csrf: Option<&'a Csrf>,
    /// The port from which the client asks; 0 where that is not known.
    pub client_port: u16,
    /// The address that was asked.
    pub server: Option<SocketAddr>,
    /// Where rules in SecLang keep what outlives a request; `None`: it does not.
    pub collections: Option<&'a dyn Collections>,
}

impl Context<'static> {
    /// No site, no exceptions, no look at where a request comes from: for tools and tests.
    pub fn plain(client: IpAddr, now: Timestamp) -> Self {
        static SCOPE: Scope = Scope::whole();
        static EXCEPTIONS: ExceptionSet = ExceptionSet::empty();
        Context {
            client,
            host: b"",
            now,
            scope: &SCOPE,
            exceptions: &EXCEPTIONS,
            csrf: None,
            client_port: 0,
            server: None,
            collections: None,
        }
    }
}
