//! The addresses of names, as they were last heard: a name server that fails neither holds up a block nor has it hit whom it must not.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a block waits for addresses: those of a name that was never heard of, and newer ones than are known.
const FIRST_TIMEOUT: Duration = Duration::from_secs(2);
const NEWER_TIMEOUT: Duration = Duration::from_millis(250);

/// Names and their addresses. There are as many as the settings have named.
#[derive(Debug, Clone, Default)]
pub struct Names(Arc<Mutex<HashMap<String, Known>>>);

#[derive(Debug, Default)]
struct Known {
    addresses: Vec<IpAddr>,
    /// Closed when the lookup under way has ended; `None`: there is none.
    lookup: Option<watch::Receiver<()>>,
}

impl Names {
    /// The addresses of `host`, an address itself or a name; none: it has never had one. One lookup at a time is made of a name.
    pub async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        if let Ok(address) = host.parse() {
            return vec![address];
        }
        let (mut lookup, is_known) = self.look_up(host);
        let patience = if is_known { NEWER_TIMEOUT } else { FIRST_TIMEOUT };
        // It ends by being closed; where it does not in time, what was known before counts.
        let _ = timeout(patience, lookup.changed()).await;
        self.names().get(host).map(|known| known.addresses.clone()).unwrap_or_default()
    }

    /// The lookup of a name that is under way, begun where there is none, and whether addresses are known already.
    fn look_up(&self, host: &str) -> (watch::Receiver<()>, bool) {
        let mut names = self.names();
        let known = names.entry(host.to_owned()).or_default();
        let is_known = !known.addresses.is_empty();
        if let Some(lookup) = &known.lookup {
            return (lookup.clone(), is_known);
        }
        let (end, lookup) = watch::channel(());
        known.lookup = Some(lookup.clone());
        let (names, host) = (self.clone(), host.to_owned());
        // On a thread aside: the C library waits for name servers as long as it likes.
        spawn_blocking(move || {
            let heard =
                (host.as_str(), 0).to_socket_addrs().map(|all| all.map(|at: SocketAddr| at.ip()).collect());
            let mut names = names.names();
            let known = names.entry(host).or_default();
            known.lookup = None;
            if let Ok(addresses) = heard {
                known.addresses = addresses;
            }
            drop(names);
            drop(end);
        });
        (lookup, is_known)
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn on_a_runtime<T>(work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
    }

    #[test]
    fn an_address_is_its_own_and_asks_nobody() {
        let names = Names::default();
        let addresses = on_a_runtime(names.addresses("2001:db8::1"));
        assert_eq!(addresses, ["2001:db8::1".parse::<IpAddr>().unwrap()]);
        assert!(names.names().is_empty());
    }

    #[test]
    fn what_was_heard_last_counts_where_a_name_cannot_be_resolved() {
        let names = Names::default();
        let last = IpAddr::from(Ipv4Addr::new(192, 0, 2, 7));
        // A label of more than 63 bytes is no name at all: nobody outside is asked.
        let host = "x".repeat(64);
        names.names().insert(host.clone(), Known { addresses: vec![last], lookup: None });
        assert_eq!(on_a_runtime(names.addresses(&host)), [last]);
        assert!(on_a_runtime(names.addresses("localhost")).iter().all(IpAddr::is_loopback));
    }

    #[test]
    fn a_lookup_under_way_is_waited_for_and_not_made_twice() {
        let names = Names::default();
        on_a_runtime(async {
            let (end, lookup) = watch::channel(());
            names.names().insert("app".to_owned(), Known { addresses: Vec::new(), lookup: Some(lookup) });
            let waiting = tokio::spawn({
                let names = names.clone();
                async move { names.addresses("app").await }
            });
            tokio::task::yield_now().await;
            let heard = IpAddr::from(Ipv4Addr::new(192, 0, 2, 8));
            names.names().insert("app".to_owned(), Known { addresses: vec![heard], lookup: None });
            drop(end);
            assert_eq!(waiting.await.unwrap(), [heard]);
        });
    }
}
