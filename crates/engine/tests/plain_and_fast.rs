//! The fast way says what the plain way says, over the Core Rule Set and the values of the payload corpora.
//!
//! `SECBEAT_CRS4=DIR` takes another rule set, `SECBEAT_CORPORA=all` all values instead of a sample.

#![allow(clippy::panic)] // A difference ends the test.

mod common;

use common::corpora;
use common::request::{self, Request};
use secbeat_engine::{Facts, Memory, Program};
use std::collections::BTreeMap;

/// What rules did, as far as anybody can see.
#[derive(Debug, PartialEq)]
struct Said {
    trail: Vec<u64>,
    matches: Vec<secbeat_engine::Match>,
    variables: BTreeMap<Vec<u8>, Vec<u8>>,
    stopped: Option<u64>,
}

fn said(program: &Program, memory: &mut Memory, request: &Request, plain: bool) -> Said {
    let facts = Facts { plain, now_ms: 1_800_000_000_000, budget: u64::MAX, ..Facts::default() };
    let mut transaction = program.transaction(std::mem::take(memory), facts);
    let stopped = request.told().run(&mut transaction);
    let id = |rule: &u32| program.rules()[*rule as usize].id;
    let said = Said {
        trail: transaction.trail().iter().map(id).collect(),
        matches: transaction.matches().to_vec(),
        variables: transaction.tx_all().map(|(name, value)| (name.to_vec(), value.into_owned())).collect(),
        stopped: stopped.and_then(|stopped| stopped.rule).map(|rule| id(&rule)),
    };
    *memory = transaction.finish();
    said
}

fn compare(program: &Program, plain: &mut Memory, fast: &mut Memory, request: &Request) {
    let (expected, found) = (said(program, plain, request, true), said(program, fast, request, false));
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
