use super::*;
use std::future::pending;
use std::time::Duration;

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn client() -> IpAddr {
    "192.0.2.7".parse().unwrap()
}

fn enter(registry: &Rc<Registry>, peer: IpAddr) -> Registration {
    registry.enter(1, SocketAddr::new(peer, 4711), false)
}

#[test]
fn a_wait_ends_at_its_deadline_and_not_before() {
    let start = Instant::now();
    let registry = Rc::new(Registry::new(start));
    let connection = enter(&registry, client());
    connection.deadline_in(1000);
    registry.tick(start + Duration::from_millis(1000));
    assert_eq!(connection.is_cut(), None);
    registry.tick(start + Duration::from_millis(1000 + TICK_MS));
    assert_eq!(run(connection.within(pending::<()>())), Err(Cut::Deadline));
    connection.deadline_in(1000);
    assert_eq!(connection.is_cut(), None);
}

#[test]
fn a_limit_is_put_off_by_nothing_until_it_is_lifted() {
    let start = Instant::now();
    let registry = Rc::new(Registry::new(start));
    let connection = enter(&registry, client());
    connection.limit_in(1000);
    connection.deadline_in(9000);
    registry.tick(start + Duration::from_millis(2000));
    assert_eq!(connection.is_cut(), Some(Cut::Deadline));
    connection.lift_limit();
    connection.deadline_in(9000);
    registry.tick(start + Duration::from_millis(3000));
    assert_eq!(connection.is_cut(), None);
}

#[test]
fn a_block_of_the_client_behind_a_proxy_cuts_its_request_alone() {
    let registry = Rc::new(Registry::new(Instant::now()));
    let (proxied, other) = (enter(&registry, client()), enter(&registry, client()));
    let behind: IpAddr = "198.51.100.9".parse().unwrap();
    proxied.set_client(Some(behind));
    other.set_client(Some(behind));
    other.set_client(None);
    registry.cut_where(|address| address == behind);
    assert_eq!((proxied.is_cut(), other.is_cut()), (Some(Cut::Decision), None));
}

#[test]
fn what_is_ready_wins_over_a_deadline() {
    let start = Instant::now();
    let registry = Rc::new(Registry::new(start));
    let connection = enter(&registry, client());
    connection.deadline_in(0);
    registry.tick(start + Duration::from_secs(9));
    assert_eq!(run(connection.within(async { 7 })), Ok(7));
}

#[test]
fn a_block_cuts_only_its_client_and_a_new_deadline_does_not_undo_it() {
    let registry = Rc::new(Registry::new(Instant::now()));
    let blocked = enter(&registry, client());
    let other = enter(&registry, "192.0.2.8".parse().unwrap());
    registry.cut_where(|peer| peer == client());
    blocked.deadline_in(1000);
    assert_eq!(blocked.is_cut(), Some(Cut::Decision));
    assert_eq!(other.is_cut(), None);
}

#[test]
fn a_stop_cuts_the_idle_now_and_the_busy_when_they_fall_idle() {
    let registry = Rc::new(Registry::new(Instant::now()));
    let idle = enter(&registry, client());
    let busy = enter(&registry, client());
    idle.set_idle(true);
    registry.drain();
    assert_eq!((idle.is_cut(), busy.is_cut()), (Some(Cut::Shutdown), None));
    busy.set_idle(true);
    assert_eq!(busy.is_cut(), Some(Cut::Shutdown));
}

#[test]
fn a_request_that_comes_in_the_moment_of_the_stop_is_not_cut() {
    let registry = Rc::new(Registry::new(Instant::now()));
    let connection = enter(&registry, client());
    connection.set_idle(true);
    registry.drain();
    connection.set_idle(false);
    assert_eq!(connection.is_cut(), None);
    registry.cut_where(|_| true);
    connection.set_idle(false);
    assert_eq!(connection.is_cut(), Some(Cut::Decision));
}

#[test]
fn a_connection_that_ends_leaves() {
    let registry = Rc::new(Registry::new(Instant::now()));
    let connection = enter(&registry, client());
    assert_eq!(registry.len(), 1);
    drop(connection);
    assert!(registry.is_empty());
}

#[test]
fn a_slot_tells_what_the_connection_is_at_and_how_many_requests_it_had() {
    let registry = Rc::new(Registry::new(Instant::now()));
    let connection = registry.enter(9, "[::ffff:192.0.2.7]:4711".parse().unwrap(), true);
    let behind: IpAddr = "198.51.100.9".parse().unwrap();
    let seen = |registry: &Registry| {
        let mut seen = Vec::new();
        registry.for_each(|slot| seen.push((slot.number, slot.state(), slot.requests(), slot.client())));
        seen
    };
    assert_eq!(seen(&registry), [(9, State::Idle, 0, None)]);
    connection.set_state(State::Request);
    connection.set_client(Some(behind));
    assert_eq!(seen(&registry), [(9, State::Request, 1, Some(behind))]);
    connection.set_client(None);
    connection.set_state(State::Idle);
    assert_eq!(seen(&registry), [(9, State::Idle, 1, None)]);
    registry.for_each(|slot| assert_eq!(slot.peer.to_string(), "192.0.2.7:4711"));
}
