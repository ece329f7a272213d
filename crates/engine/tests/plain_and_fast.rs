//! The fast way says what the plain way says, over the Core Rule Set and the values of the payload corpora.
//!
//! `SECBEAT_CRS4=DIR` takes another rule set, `SECBEAT_CORPORA=all` all values instead of a sample.

#![allow(clippy::panic)] // A difference ends the test.

mod common;

use common::corpora;
use common::request::{self, Request, Told};
use secbeat_engine::{Caches, Facts, Intervention, Memory, Program, Transaction};
use std::collections::BTreeMap;

/// What rules did, as far as anybody can see.
#[derive(Debug, PartialEq)]
struct Said {
    trail: Vec<u64>,
    matches: Vec<secbeat_engine::Match>,
    variables: BTreeMap<Vec<u8>, Vec<u8>>,
    stopped: Option<u64>,
}

fn facts(plain: bool) -> Facts<'static> {
    Facts { plain, now_ms: 1_800_000_000_000, budget: u64::MAX, ..Facts::default() }
}

fn said(program: &Program, memory: &mut Memory, request: &Request, plain: bool) -> Said {
    let mut transaction = program.transaction(std::mem::take(memory), facts(plain));
    let stopped = request.told().run(&mut transaction);
    let said = Said::of(program, &transaction, stopped);
    *memory = transaction.finish();
    said
}

impl Said {
    fn of(program: &Program, transaction: &Transaction<'_>, stopped: Option<Intervention>) -> Said {
        let id = |rule: &u32| program.rules()[*rule as usize].id;
        let asked_for =
            transaction.tx_all().filter(|(name, _)| !program.leaves_unset(&name.to_ascii_lowercase()));
        let variables = asked_for.map(|(name, value)| (name.to_vec(), value.into_owned()));
        Said {
            trail: transaction.trail().iter().map(id).collect(),
            matches: transaction.matches().to_vec(),
            variables: variables.collect(),
            stopped: stopped.and_then(|stopped| stopped.rule).map(|rule| id(&rule)),
        }
    }
}

fn compare(program: &Program, plain: &mut Memory, fast: &mut Memory, request: &Request) {
    let (expected, found) = (said(program, plain, request, true), said(program, fast, request, false));
    same(program, request, &expected, &found);
}

fn same(program: &Program, request: &Request, expected: &Said, found: &Said) {
    if expected != found {
        let missed: Vec<_> = expected.trail.iter().filter(|id| !found.trail.contains(id)).collect();
        let invented: Vec<_> = found.trail.iter().filter(|id| !expected.trail.contains(id)).collect();
        let differing: Vec<_> = expected
            .matches
            .iter()
            .zip(&found.matches)
            .filter(|(expected, found)| expected != found)
            .map(|(expected, found)| {
                format!("{:?}\n  {expected:?}\n  {found:?}", program.rules()[expected.rule as usize].id)
            })
            .collect();
        panic!("{request:?}\nmissed: {missed:?}\ninvented: {invented:?}\n{}", differing.join("\n"));
    }
}

/// A request that carries values in all places where one may stand.
fn carrier(values: &[Vec<u8>]) -> Request {
    let value = |at: usize| values.get(at % values.len().max(1)).cloned().unwrap_or_default();
    let mut request = request::page();
    request.query.push((b"q1".to_vec(), value(0)));
    request.query.push((value(1), b"1".to_vec()));
    request.cookies.push((b"c".to_vec(), value(2)));
    request.headers.push(("X-Note".into(), value(3)));
    if let Some((_, agent)) = request.headers.iter_mut().find(|(name, _)| name == "User-Agent") {
        *agent = value(4);
    }
    request.form = Some(vec![(b"a".to_vec(), value(5)), (b"b".to_vec(), value(6)), (value(7), value(8))]);
    request.path = format!("/{}", String::from_utf8_lossy(&request::encoded(&value(9))));
    request
}

fn over_corpora(paranoia: u8) {
    let Some(program) = common::program(paranoia) else { return };
    let values = corpora::values();
    let all = std::env::var("SECBEAT_CORPORA").is_ok_and(|wanted| wanted == "all");
    let step = if all { 1 } else { 211 };
    // A place for each of ten values, and each value in another disguise the next time round.
    let picked: Vec<Vec<u8>> = values
        .iter()
        .enumerate()
        .filter(|(at, _)| at % step == usize::from(paranoia) % step)
        .map(|(at, value)| corpora::disguised(value, at / step))
        .collect();
    let (mut plain, mut fast) = (Memory::default(), Memory::default());
    for values in picked.chunks(10) {
        compare(&program, &mut plain, &mut fast, &carrier(values));
    }
}

#[test]
fn at_paranoia_1_both_ways_say_the_same_of_the_corpora() {
    over_corpora(1);
}

#[test]
fn at_paranoia_4_both_ways_say_the_same_of_the_corpora() {
    over_corpora(4);
}

#[test]
fn both_ways_say_the_same_of_everyday_requests() {
    for paranoia in 1..=4 {
        let Some(program) = common::program(paranoia) else { return };
        let (mut plain, mut fast) = (Memory::default(), Memory::default());
        for request in [request::page(), request::form(), Request::default()] {
            compare(&program, &mut plain, &mut fast, &request);
        }
    }
}

/// As a worker of a proxy runs them: many requests on their way, under the rules of before and after a reload, phase by phase
/// in turns, with the caches lent to whichever phase runs.
fn on_their_way(caches: &mut [Box<Caches>]) {
    let (Some(one), Some(four)) = (common::program(1), common::program(4)) else { return };
    let values: Vec<Vec<u8>> = corpora::values().into_iter().step_by(419).collect();
    let requests: Vec<Request> =
        values.chunks(10).map(carrier).chain([request::page(), request::form()]).collect();
    for requests in requests.chunks(16) {
        let told: Vec<Told> = requests.iter().map(Request::told).collect();
        let program = |at: usize| if at.is_multiple_of(3) { &four } else { &one };
        let mut transactions: Vec<(Transaction<'_>, Option<Intervention>)> = (0..told.len())
            .map(|at| (program(at).transaction(Memory::default(), facts(false)), None))
            .collect();
        for phase in Told::PHASES {
            for (at, ((transaction, stopped), told)) in transactions.iter_mut().zip(&told).enumerate() {
                let place = at % 3 % caches.len();
                told.tell(phase, transaction);
                let said = transaction.run_lent(&mut caches[place], phase, None);
                *stopped = stopped.take().or(said);
            }
        }
        for (at, ((transaction, stopped), request)) in transactions.into_iter().zip(requests).enumerate() {
            let expected = said(program(at), &mut Memory::default(), request, true);
            same(program(at), request, &expected, &Said::of(program(at), &transaction, stopped));
        }
    }
}

#[test]
fn requests_that_share_caches_phase_by_phase_hear_what_the_plain_way_says() {
    on_their_way(&mut [Box::default(), Box::default(), Box::default()]);
}

#[test]
fn caches_lent_to_one_program_and_another_by_turns_serve_both() {
    on_their_way(&mut [Box::default()]);
}
